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
    /// Who says so.
    pub source: &'static str,
}

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident $id:literal $warn:literal $bad:literal $unit:literal $source:literal;)+) => {
        $($(#[$doc])* pub const $name: Limit =
            Limit { id: $id, warn: $warn, bad: $bad, unit: $unit, source: $source };)+
        /// Every threshold as shipped.
        pub const ALL: &[Limit] = &[$($name),+];
    };
}

limits! {
    /// Answers about one object, and all writes.
    SINGLE "request_single_p99" 1.0 5.0 "s" "Kubernetes SLO: 1 s for one object and for writes (community sig-scalability/slos/api_call_latency.md)";
    /// Lists.
    MANY "request_list_p99" 10.0 30.0 "s" "Kubernetes SLO: 30 s for lists (community sig-scalability/slos/api_call_latency.md)";
    /// Errors of the server among all answers.
    ERRORS "request_errors" 0.01 0.05 "of all" "kubernetes-mixin KubeAPIErrorBudgetBurn burns a 99 % budget";
    /// Webhooks.
    WEBHOOK "webhook_p99" 1.0 5.0 "s" "every write waits for them; the API server gives up after timeoutSeconds, 10 by default";
    /// etcd as the API server sees it.
    ETCD "etcd_request_p99" 0.15 0.5 "s" "0.15 s etcd-mixin etcdGRPCRequestsSlow; 0.5 s rule of thumb for Txn, Range, LeaseGrant, MemberList";
    /// etcd's own answers.
    GRPC "etcd_grpc_p99" 0.15 0.5 "s" "etcd-mixin etcdGRPCRequestsSlow: 0.15 s; 0.5 s rule of thumb for Txn, Range, LeaseGrant, MemberList";
    /// The write-ahead log.
    FSYNC "etcd_fsync_p99" 0.5 1.0 "s" "etcd-mixin etcdHighFsyncDurations";
    /// Commits.
    COMMIT "etcd_commit_p99" 0.25 0.5 "s" "etcd-mixin etcdHighCommitDurations: 0.25 s";
    /// Between members.
    PEER "etcd_peer_p99" 0.15 0.5 "s" "etcd-mixin etcdMemberCommunicationSlow: 0.15 s";
    /// The database against its quota.
    QUOTA "etcd_quota" 0.8 0.95 "of the quota" "etcd-mixin etcdDatabaseQuotaLowSpace: 95 %; at 100 % writes fail";
    /// Changes of leader.
    LEADERS "etcd_leader_changes" 2.0 4.0 "in 15 minutes" "etcd-mixin etcdHighNumberOfLeaderChanges: 4 in 15 minutes";
    /// Reads that had to wait for the watch cache.
    CACHE "watch_cache_wait_p99" 1.0 3.0 "s" "a consistent read falls back to etcd after 3 s (apiserver storage/cacher, consistentReadTimeout)";
}

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

impl Limits {
    /// Changes one.
    pub fn set(&mut self, limit: &Limit, warn: f64, bad: f64) {
        if let Some(limit) = self.0.iter_mut().find(|l| l.id == limit.id) {
            (limit.warn, limit.bad) = (warn, bad);
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
