//! Pods, as `kubectl get pods -o wide` tells them.

use super::nodes::pod_counts;
use super::spec::{self, Part, TableView};
use crate::state::State;

/// The view.
pub static VIEW: TableView = TableView {
    id: "pods",
    aliases: &["po", "pod"],
    table: "pods",
    also: &[],
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
        "memory_requests",
        "ip",
    ],
    wide: &["nominated_node", "readiness_gates", "labels"],
    narrow: &[
        "labels",
        "readiness_gates",
        "nominated_node",
        "ip",
        "qos",
        "owner",
        "memory_requests",
        "cpu_requests",
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
           finished run. A finished pod that is being deleted stays Completed.",
};

fn summary(state: &State) -> Vec<Part> {
    pod_counts(state)
}
