//! THE table of thresholds: what counts as slow or full, and who says so. The operator's `limits.toml` (app/limits.rs)
//! overrides them, in the units given here.

/// A threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Its name in `limits.toml`.
    pub id: &'static str,
    /// From here on it is worth a look.
    pub warn: f64,
    /// From here on it is not well.
    pub bad: f64,
    /// Of the numbers.
    pub unit: &'static str,
    /// Who says so of the first; `ours` where nobody upstream does.
    pub warn_source: &'static str,
    /// Who says so of the second.
    pub bad_source: &'static str,
}

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident $id:literal $unit:literal $warn:literal $warn_source:literal $bad:literal $bad_source:literal;)+) => {
        $($(#[$doc])* pub const $name: Limit = Limit {
            id: $id,
            warn: $warn,
            bad: $bad,
            unit: $unit,
            warn_source: $warn_source,
            bad_source: $bad_source,
        };)+
        /// Every threshold as shipped.
        pub const ALL: &[Limit] = &[$($name),+];
    };
}

limits! {
    /// Answers about one object, and all writes.
    SINGLE "request_single_p99" "s"
        1.0 "Kubernetes SLO: 1 s for one object and for writes (community sig-scalability/slos/api_call_latency.md)"
        5.0 "ours: five times the Kubernetes SLO of 1 s for one object and for writes";
    /// Lists.
    MANY "request_list_p99" "s"
        10.0 "ours: a third of the Kubernetes SLO of 30 s for lists"
        30.0 "Kubernetes SLO: 30 s for lists (community sig-scalability/slos/api_call_latency.md)";
    /// Errors of the server among all answers.
    ERRORS "request_errors" "of all"
        0.01 "the budget of kubernetes-mixin KubeAPIErrorBudgetBurn: 1 % of the answers"
        0.05 "ours: five times the budget of kubernetes-mixin KubeAPIErrorBudgetBurn";
    /// Webhooks.
    WEBHOOK "webhook_p99" "s"
        1.0 "ours: every write waits for them"
        5.0 "ours: half of the time after which the API server gives up, timeoutSeconds, 10 by default";
    /// etcd as the API server sees it.
    ETCD "etcd_request_p99" "s"
        0.15 "ours: what etcd-mixin etcdGRPCRequestsSlow says of etcd's own answers, here with the network between"
        0.5 "ours: a rule of thumb for Txn, Range, LeaseGrant and MemberList";
    /// etcd's own answers.
    GRPC "etcd_grpc_p99" "s"
        0.15 "etcd-mixin etcdGRPCRequestsSlow, which calls it critical after 10 minutes"
        0.5 "ours: a rule of thumb for Txn, Range, LeaseGrant and MemberList; milder than etcd-mixin, critical from 0.15 s";
    /// The write-ahead log.
    FSYNC "etcd_fsync_p99" "s"
        0.5 "etcd-mixin etcdHighFsyncDurations: a warning from 0.5 s"
        1.0 "etcd-mixin etcdHighFsyncDurations: critical from 1 s";
    /// Commits.
    COMMIT "etcd_commit_p99" "s"
        0.25 "etcd-mixin etcdHighCommitDurations: a warning from 0.25 s"
        0.5 "ours: twice what etcd-mixin etcdHighCommitDurations warns of";
    /// Between members.
    PEER "etcd_peer_p99" "s"
        0.15 "etcd-mixin etcdMemberCommunicationSlow: a warning from 0.15 s"
        0.5 "ours: half of the 1 s after which a member without a heartbeat calls an election by default";
    /// The database against its quota.
    QUOTA "etcd_quota" "of the quota"
        0.8 "ours: there is still room to compact and defragment in peace"
        0.95 "etcd-mixin etcdDatabaseQuotaLowSpace: critical from 95 %";
    /// Changes of leader.
    LEADERS "etcd_leader_changes" "in 15 minutes"
        2.0 "ours: half of what etcd-mixin etcdHighNumberOfLeaderChanges warns of"
        4.0 "etcd-mixin etcdHighNumberOfLeaderChanges: 4 in 15 minutes";
    /// Reads that had to wait for the watch cache.
    CACHE "watch_cache_wait_p99" "s"
        1.0 "ours: a third of what a consistent read waits at most"
        3.0 "apiserver storage/cacher: a consistent read waits 3 s at most, then it goes to etcd or is turned away";
}

/// What is said of a threshold of the operator's own.
const OPERATOR: &str = "limits.toml";

/// How something compares with its threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing to compare.
    #[default]
    None,
    /// Below.
    Ok,
    /// Worth a look.
    Warn,
    /// Not well.
    Bad,
}

/// The thresholds in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits(Vec<Limit>);

impl Default for Limits {
    fn default() -> Limits {
        Limits(ALL.to_vec())
    }
}

impl Limit {
    /// The number that was reached, and who says so.
    pub fn reached(&self, verdict: Verdict) -> (f64, &'static str) {
        match verdict {
            Verdict::Bad => (self.bad, self.bad_source),
            _ => (self.warn, self.warn_source),
        }
    }
}

impl Limits {
    /// Changes one.
    pub fn set(&mut self, limit: &Limit, warn: f64, bad: f64) {
        if let Some(limit) = self.0.iter_mut().find(|l| l.id == limit.id) {
            (limit.warn, limit.bad) = (warn, bad);
            (limit.warn_source, limit.bad_source) = (OPERATOR, OPERATOR);
        }
    }

    /// How a value compares.
    pub fn judge(&self, limit: &Limit, value: f64) -> Verdict {
        let limit = self.0.iter().find(|l| l.id == limit.id).unwrap_or(limit);
        match value {
            v if v >= limit.bad => Verdict::Bad,
            v if v >= limit.warn => Verdict::Warn,
            _ => Verdict::Ok,
        }
    }

    /// The threshold in force.
    pub fn get(&self, limit: &Limit) -> Limit {
        self.0.iter().find(|l| l.id == limit.id).copied().unwrap_or(*limit)
    }
}
