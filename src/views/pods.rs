//! Pods, as `kubectl get pods -o wide` tells them.

use super::nodes::{pod_counts, use_of};
use super::spec::{self, Part, TableView};
use crate::state::State;

/// The view.
pub static VIEW: TableView = TableView {
    id: "pods",
    aliases: &["po", "pod"],
    table: "pods",
    also: &["pod_usage"],
    columns: &[
        "namespace",
        "name",
        "ready",
        "status",
        "restarts",
        "age",
        "node",
        "owner",
        "qos",
        "cpu_requests",
        "cpu_used",
        "memory_requests",
        "memory_used",
        "memory_limit_pct",
        "ip",
    ],
    wide: &[
        "cpu_request_pct",
        "memory_request_pct",
        "cpu_limit_pct",
        "cpu_limits",
        "memory_limits",
        "measured",
        "nominated_node",
        "readiness_gates",
        "labels",
    ],
    narrow: &[
        "labels",
        "readiness_gates",
        "nominated_node",
        "measured",
        "memory_limits",
        "cpu_limits",
        "memory_request_pct",
        "cpu_request_pct",
        "cpu_limit_pct",
        "ip",
        "qos",
        "memory_limit_pct",
        "owner",
        "memory_requests",
        "cpu_requests",
        "memory_used",
        "cpu_used",
        "node",
        "restarts",
        "ready",
        "age",
        "namespace",
    ],
    sort: ("namespace", false),
    enter: ("describe", spec::describe),
    summary,
    detail: spec::no_detail,
    help: "STATUS is the API server's own word. RESTARTS count since the pod began, with the end of the last \
           finished run. A finished pod that is being deleted stays Completed. CPU and MEM are what it uses by the metrics \
           API; % is of its requests (R) and limits (L), none if a container has none. Old use is \
           grey (twice the window it was measured over, or when the next look is late), twice as old it is left out.",
};

fn summary(state: &State) -> Vec<Part> {
    let mut parts = pod_counts(state);
    parts.extend(use_of(state, "pods"));
    parts
}
