//! Whether a disruption budget would let a pod be evicted now, in one word.
//!
//! Kubernetes: `checkAndDecrement` in `pkg/registry/core/pod/storage/eviction.go` (v1.36) refuses while the status is
//! older than the spec, and when no disruption is allowed; the controller's own words are the reasons of the
//! DisruptionAllowed condition (`policy/v1/types.go`).

use crate::state::cell::Role;

/// What is known of a budget.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// `metadata.generation`.
    pub generation: i64,
    /// `status.observedGeneration`.
    pub observed: i64,
    /// `status.disruptionsAllowed`.
    pub allowed: i64,
    /// `status.currentHealthy`.
    pub healthy: i64,
    /// `status.desiredHealthy`.
    pub wanted: i64,
    /// `status.expectedPods`.
    pub expected: i64,
    /// Reason of the DisruptionAllowed condition.
    pub reason: &'a str,
}

/// The word, in the order of what stops an eviction first:
/// - `failed`: the controller cannot work out the budget (`SyncFailed`); every eviction is refused
/// - `pending`: the status does not answer the spec yet; evictions are refused for the moment
/// - `unused`: no pod is covered
/// - `open`: at least one pod may go
/// - `never`: as many healthy pods are wanted as there are pods, so it cannot open as things stand
/// - `short`: closed, because fewer pods are healthy than wanted
/// - `closed`: closed, because every spare pod is spent
pub fn word(f: &Facts<'_>) -> &'static str {
    match f {
        Facts { reason: "SyncFailed", .. } => "failed",
        _ if f.observed < f.generation => "pending",
        _ if f.expected == 0 => "unused",
        _ if f.allowed > 0 => "open",
        _ if f.wanted >= f.expected => "never",
        _ if f.healthy < f.wanted => "short",
        _ => "closed",
    }
}

/// What a word means to an operator: `never` is a choice someone made, `short` is pods that are not well.
pub fn role(word: &str) -> Role {
    match word {
        "failed" | "short" => Role::Bad,
        "closed" | "never" | "pending" => Role::Warn,
        "unused" => Role::Dim,
        _ => Role::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(allowed: i64, healthy: i64, wanted: i64, expected: i64) -> Facts<'static> {
        Facts { generation: 1, observed: 1, allowed, healthy, wanted, expected, reason: "" }
    }

    #[test]
    fn a_closed_budget_says_why() {
        assert_eq!(word(&budget(1, 3, 2, 3)), "open");
        assert_eq!(word(&budget(0, 2, 2, 3)), "closed");
        assert_eq!(word(&budget(0, 1, 2, 3)), "short");
        assert_eq!(word(&budget(0, 3, 3, 3)), "never");
        assert_eq!(word(&budget(0, 0, 0, 0)), "unused");
    }

    #[test]
    fn a_status_that_does_not_answer_the_spec_counts_for_nothing() {
        let f = Facts { generation: 2, ..budget(5, 9, 4, 9) };
        assert_eq!(word(&f), "pending");
        assert_eq!(word(&Facts { reason: "SyncFailed", ..f }), "failed");
    }
}
