//! What a condition of any object means, by its type and status.
//!
//! Kubernetes: conditions are free-form (API conventions, "Typical status properties"), so only types of known
//! polarity are judged; the rest says nothing either way.

use crate::state::cell::Role;

/// What a condition means to an operator.
pub fn role(kind: &str, status: &str) -> Role {
    match (polarity(kind), status) {
        (Some(true), "True") | (Some(false), "False") | (None, _) => Role::Plain,
        (Some(false), "True") => Role::Bad,
        (Some(true), "False") if kind == "Ready" => Role::Bad,
        _ => Role::Warn,
    }
}

/// Whether True is good news (`core/v1`, `apps/v1`, `batch/v1` and `policy/v1` `types.go`).
fn polarity(kind: &str) -> Option<bool> {
    Some(match kind {
        "Ready"
        | "ContainersReady"
        | "Initialized"
        | "PodScheduled"
        | "PodReadyToStartContainers"
        | "Available"
        | "Progressing"
        | "DisruptionAllowed"
        | "Established"
        | "NamesAccepted" => true,
        "MemoryPressure"
        | "DiskPressure"
        | "PIDPressure"
        | "NetworkUnavailable"
        | "ReplicaFailure"
        | "Failed"
        | "FailureTarget"
        | "NamespaceDeletionDiscoveryFailure"
        | "NamespaceDeletionContentFailure"
        | "NamespaceDeletionGroupVersionParsingFailure"
        | "NamespaceContentRemaining"
        | "NamespaceFinalizersRemaining" => false,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polarity_decides_and_unknown_types_are_not_judged() {
        assert_eq!(role("Ready", "True"), Role::Plain);
        assert_eq!(role("Ready", "Unknown"), Role::Warn);
        assert_eq!(role("Ready", "False"), Role::Bad);
        assert_eq!(role("DiskPressure", "True"), Role::Bad);
        assert_eq!(role("DiskPressure", "Unknown"), Role::Warn);
        assert_eq!(role("acme.io/Shiny", "False"), Role::Plain);
    }
}
