//! Use of nodes, as `metrics.k8s.io` tells it.
//!
//! No view shows these rows and the store keeps none of them: they are written into those they are about ([`usage::INTO`]).

use super::usage::{self, AT, CPU, LABELS, MEMORY, WINDOW};
use crate::paths;
use crate::state::decl::{Gvk, Hit, Kind, TableSpec};
use crate::state::parcel::Draft;
use crate::state::quantity;

paths! { PATHS:
    TIMESTAMP = Time [2] "timestamp";
    // A message in protobuf, which is not asked for.
    MEASURED_OVER = Text [3] "window";
    USAGE = Quantities [4] "usage";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (TIMESTAMP, Hit::Time(at)) => d.set(AT, at.0),
        (MEASURED_OVER, Hit::Text(t)) => d.set(WINDOW, usage::window(t).unwrap_or(0)),
        (USAGE, Hit::Pair("cpu", n)) => d.set(CPU, quantity::milli(n).unwrap_or(0)),
        (USAGE, Hit::Pair("memory", n)) => d.set(MEMORY, quantity::whole(n).unwrap_or(0)),
        _ => {}
    }
}

fn finish(_: &mut Draft) {}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "node_usage",
    kinds: &[Kind {
        gvk: Gvk {
            group: usage::GROUP,
            version: usage::VERSIONS[0],
            kind: "NodeMetrics",
            plural: "nodes",
            namespaced: false,
        },
        paths: PATHS,
        fold,
        finish,
    }],
    words: usage::WORDS,
    labels: LABELS,
    columns: usage::COLUMNS.split_at(1).1,
    tallies: &[],
};
