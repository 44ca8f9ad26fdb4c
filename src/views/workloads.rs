//! Deployments, StatefulSets, DaemonSets and Jobs in one table.

use super::spec::{self, Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::grouped;
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "workloads",
    aliases: &["wk", "deploy", "deployments", "sts", "statefulsets", "ds", "daemonsets", "jobs"],
    table: "workloads",
    also: &[],
    columns: &[
        "namespace",
        "kind",
        "name",
        "ready",
        "updated",
        "available",
        "status",
        "age",
        "images",
    ],
    wide: &["labels"],
    narrow: &["labels", "images", "available", "updated", "age", "namespace"],
    sort: ("namespace", false),
    enter: ("pods", enter),
    summary,
    detail: spec::no_detail,
    help: "READY is ready pods out of desired ones. Enter shows the pods a workload owns, a Deployment's through \
           its ReplicaSets.",
};

fn enter(row: Row<'_>) -> Option<Jump> {
    let (kind, name, namespace) = (row.gvk().kind, row.name(), row.namespace());
    // A Deployment's pods are owned by ReplicaSets named after it with a hash of the pod template.
    let owner = match kind {
        "Deployment" => format!("owner:/^ReplicaSet\\/{}-[a-z0-9]+$/", name.replace('.', "\\.")),
        _ => format!("owner:={kind}/{name}"),
    };
    let about = format!("of {kind} {namespace}/{name}");
    Some(Jump::about("pods", about, format!("namespace:={namespace} {owner}")))
}

fn summary(state: &State) -> Vec<Part> {
    let mut counts: Vec<(&str, i64)> = vec![];
    for row in state.store.rows("workloads") {
        match counts.iter_mut().find(|(kind, _)| *kind == row.gvk().kind) {
            Some((_, n)) => *n += 1,
            None => counts.push((row.gvk().kind, 1)),
        }
    }
    counts.sort_unstable();
    counts.into_iter().map(|(kind, n)| Part::say(format!("{} {kind}s", grouped(n)))).collect()
}
