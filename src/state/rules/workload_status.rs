//! One word for how a workload is doing, over four kinds.
//!
//! Kubernetes: whether a rollout is done follows `kubectl rollout status` (`pkg/polymorphichelpers/rollout_status.go`,
//! v0.37); a Job's word follows `printJob` in `pkg/printers/internalversion/printers.go`, v1.37.2.

use crate::state::cell::Role;

/// What is known of a workload. Counts are pods; for a Job, completions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// A deletion timestamp is set.
    pub deleting: bool,
    /// The status does not answer the spec yet (`observedGeneration` is behind `generation`).
    pub unobserved: bool,
    /// Paused (Deployment) or suspended (Job).
    pub stopped: bool,
    /// Pods wanted.
    pub desired: i64,
    /// Pods there are.
    pub replicas: i64,
    /// Pods of the newest template.
    pub updated: i64,
    /// Pods available.
    pub available: i64,
    /// Pods that a StatefulSet's partition keeps on the old template.
    pub held: i64,
    /// `updateStrategy: OnDelete`: old pods stay until somebody deletes them.
    pub on_delete: bool,
    /// Failed pods (Job).
    pub failures: i64,
    /// Conditions: type, whether it is True, reason.
    pub conditions: &'a [(&'a str, bool, &'a str)],
}

impl<'a> Facts<'a> {
    fn holds(&self, kind: &str) -> bool {
        self.conditions.iter().any(|c| c.0 == kind && c.1)
    }

    fn reason(&self, kind: &str) -> &'a str {
        self.conditions.iter().find(|c| c.0 == kind).map_or("", |c| c.2)
    }
}

/// A word, and the reason the cluster gives for it, if any.
pub type Verdict<'a> = (&'static str, &'a str);

/// A Deployment:
/// - `terminating`, `paused` (new templates are not rolled out)
/// - `stalled`: the rollout made no progress within its deadline
/// - `blocked`: pods cannot be created (quota, admission), says ReplicaFailure
/// - `progressing`: a rollout or a change of scale runs
/// - `degraded`: rolled out, yet pods are not available
/// - `idle` (no pods wanted), `ready`
pub fn deployment<'a>(f: &Facts<'a>) -> Verdict<'a> {
    let rolled_out = f.updated >= f.desired && f.replicas <= f.updated;
    let settled = f.reason("Progressing") == "NewReplicaSetAvailable";
    match f {
        _ if f.deleting => ("terminating", ""),
        _ if f.reason("Progressing") == "ProgressDeadlineExceeded" => {
            ("stalled", "ProgressDeadlineExceeded")
        }
        _ if f.holds("ReplicaFailure") => ("blocked", f.reason("ReplicaFailure")),
        _ if f.stopped => ("paused", ""),
        _ if f.unobserved || !rolled_out => ("progressing", ""),
        _ if f.available < f.desired && settled => ("degraded", f.reason("Available")),
        _ if f.available < f.desired => ("progressing", ""),
        _ => (rest(f), ""),
    }
}

/// A StatefulSet or a DaemonSet: `terminating`, `progressing`, `outdated` (OnDelete: old pods wait to be deleted),
/// `degraded`, `idle`, `ready`.
pub fn set<'a>(f: &Facts<'a>) -> Verdict<'a> {
    let old = f.updated < f.desired - f.held;
    let word = match f {
        _ if f.deleting => "terminating",
        _ if f.unobserved || f.replicas != f.desired => "progressing",
        _ if old && !f.on_delete => "progressing",
        _ if f.available < f.desired => "degraded",
        _ if old => "outdated",
        _ => rest(f),
    };
    (word, "")
}

/// A Job: `complete`, `failed`, `terminating`, `suspended`, `failing` (decided, pods still end), `finishing` (likewise),
/// `retrying` (pods failed, more are tried), `running`.
pub fn job<'a>(f: &Facts<'a>) -> Verdict<'a> {
    match f {
        _ if f.holds("Complete") => ("complete", f.reason("Complete")),
        _ if f.holds("Failed") => ("failed", f.reason("Failed")),
        _ if f.deleting => ("terminating", ""),
        _ if f.holds("Suspended") => ("suspended", f.reason("Suspended")),
        _ if f.holds("FailureTarget") => ("failing", f.reason("FailureTarget")),
        _ if f.holds("SuccessCriteriaMet") => ("finishing", f.reason("SuccessCriteriaMet")),
        _ if f.stopped => ("suspended", ""),
        _ if f.failures > 0 => ("retrying", ""),
        _ => ("running", ""),
    }
}

fn rest(f: &Facts<'_>) -> &'static str {
    if f.desired == 0 { "idle" } else { "ready" }
}

/// What a word means to an operator.
pub fn role(word: &str) -> Role {
    match word {
        "stalled" | "blocked" | "degraded" | "failed" | "failing" => Role::Bad,
        "paused" | "outdated" | "retrying" | "suspended" | "terminating" | "progressing" => {
            Role::Warn
        }
        "idle" | "complete" => Role::Dim,
        _ => Role::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(desired: i64, replicas: i64, updated: i64, available: i64) -> Facts<'static> {
        Facts { desired, replicas, updated, available, ..Facts::default() }
    }

    #[test]
    fn a_deployment_is_progressing_until_its_old_pods_are_gone() {
        assert_eq!(deployment(&pods(3, 4, 3, 3)).0, "progressing");
        assert_eq!(deployment(&pods(3, 3, 2, 3)).0, "progressing");
        assert_eq!(deployment(&pods(3, 3, 3, 3)).0, "ready");
        assert_eq!(deployment(&pods(0, 0, 0, 0)).0, "idle");
    }

    #[test]
    fn missing_pods_are_a_rollout_before_it_settled_and_a_fault_after() {
        let f = pods(3, 3, 3, 2);
        assert_eq!(deployment(&f).0, "progressing");
        let settled = [("Progressing", true, "NewReplicaSetAvailable")];
        assert_eq!(deployment(&Facts { conditions: &settled, ..f }).0, "degraded");
        let late = [("Progressing", false, "ProgressDeadlineExceeded")];
        assert_eq!(
            deployment(&Facts { conditions: &late, ..f }),
            ("stalled", "ProgressDeadlineExceeded")
        );
    }

    #[test]
    fn a_refused_pod_blocks_a_deployment() {
        let quota = [("ReplicaFailure", true, "FailedCreate")];
        let f = Facts { conditions: &quota, ..pods(3, 1, 1, 1) };
        assert_eq!(deployment(&f), ("blocked", "FailedCreate"));
    }

    #[test]
    fn a_partition_and_on_delete_hold_old_pods_without_a_rollout() {
        assert_eq!(set(&pods(3, 3, 1, 3)).0, "progressing");
        assert_eq!(set(&Facts { held: 2, ..pods(3, 3, 1, 3) }).0, "ready");
        assert_eq!(set(&Facts { on_delete: true, ..pods(3, 3, 1, 3) }).0, "outdated");
        assert_eq!(set(&Facts { on_delete: true, ..pods(3, 3, 1, 2) }).0, "degraded");
        assert_eq!(set(&pods(3, 2, 2, 2)).0, "progressing");
    }

    #[test]
    fn a_finished_job_stays_complete_while_it_is_deleted() {
        let done = [("Complete", true, "CompletionsReached")];
        let f = Facts { deleting: true, conditions: &done, ..Facts::default() };
        assert_eq!(job(&f), ("complete", "CompletionsReached"));
        let not_yet = [("Complete", false, "")];
        assert_eq!(
            job(&Facts { failures: 1, conditions: &not_yet, ..Facts::default() }).0,
            "retrying"
        );
    }
}
