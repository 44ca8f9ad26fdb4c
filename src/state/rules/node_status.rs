//! The STATUS column of a node, word for word as the API server's own table prints it.
//!
//! Kubernetes: follows `printNode` in `pkg/printers/internalversion/printers.go`, v1.37.2.

use crate::state::cell::Role;

/// STATUS of a node: `ready` is the status of its Ready condition (`True`, `False`, `Unknown`), if it has one.
///
/// A node whose kubelet fell silent (Ready is `Unknown`) reads `NotReady`; `Unknown` is a node that never reported.
pub fn words(ready: Option<&str>, unschedulable: bool) -> &'static str {
    match (ready, unschedulable) {
        (Some("True"), false) => "Ready",
        (Some("True"), true) => "Ready,SchedulingDisabled",
        (Some(_), false) => "NotReady",
        (Some(_), true) => "NotReady,SchedulingDisabled",
        (None, false) => "Unknown",
        (None, true) => "Unknown,SchedulingDisabled",
    }
}

/// What a STATUS means to an operator.
pub fn role(status: &str) -> Role {
    match status {
        "Ready" => Role::Plain,
        "Ready,SchedulingDisabled" => Role::Warn,
        _ => Role::Bad,
    }
}

/// The short word for a condition that is trouble when it is True (`NodeConditionType` in `core/v1/types.go`).
/// Conditions of other writers are free-form: True may be good news, so they say nothing here.
pub fn pressure(condition: &str) -> Option<&'static str> {
    Some(match condition {
        "MemoryPressure" => "memory",
        "DiskPressure" => "disk",
        "PIDPressure" => "pid",
        "NetworkUnavailable" => "network",
        _ => return None,
    })
}

/// Roles from a node's labels, `key=value` with a zero byte between, each once and sorted.
///
/// Kubernetes: `findNodeRoles` in `pkg/printers/internalversion/printers.go`, v1.37.2.
pub fn roles(labels: &str) -> String {
    let role = |pair: &str| -> Option<String> {
        let (key, value) = pair.split_once('=')?;
        let role = match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => role,
            None if key == "kubernetes.io/role" => value,
            None => return None,
        };
        Some(role.to_owned()).filter(|r| !r.is_empty())
    };
    let mut roles: Vec<String> = labels.split('\0').filter_map(role).collect();
    roles.sort_unstable();
    roles.dedup();
    roles.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_kubelet_reads_not_ready_and_a_node_without_conditions_unknown() {
        assert_eq!(words(Some("Unknown"), false), "NotReady");
        assert_eq!(words(None, true), "Unknown,SchedulingDisabled");
        assert_eq!(words(Some("True"), true), "Ready,SchedulingDisabled");
    }

    #[test]
    fn only_a_cordon_is_milder_than_harm() {
        assert_eq!(role("Ready"), Role::Plain);
        assert_eq!(role("Ready,SchedulingDisabled"), Role::Warn);
        assert_eq!(role("NotReady,SchedulingDisabled"), Role::Bad);
        assert_eq!(role("Unknown"), Role::Bad);
    }
}
