//! Use of pods, as `metrics.k8s.io` tells it by container.
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
    CONTAINER = Item [4] "containers";
    USAGE = Quantities [4, 2] "containers.usage";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (TIMESTAMP, Hit::Time(at)) => d.set(AT, at.0),
        (MEASURED_OVER, Hit::Text(t)) => d.set(WINDOW, usage::window(t).unwrap_or(0)),
        (CONTAINER, Hit::Open) => d.open(path),
        (USAGE, Hit::Pair("cpu", n)) => d.item().num[0] = quantity::nano(n).unwrap_or(0),
        (USAGE, Hit::Pair("memory", n)) => d.item().num[1] = quantity::whole(n).unwrap_or(0),
        _ => {}
    }
}

fn finish(d: &mut Draft) {
    let sum = |i: usize| d.items.iter().fold(0_i64, |sum, item| sum.saturating_add(item.num[i]));
    let (nanos, bytes) = (sum(0), sum(1));
    // What is used at all is not nothing.
    d.set(CPU, nanos / 1_000_000 + i64::from(nanos % 1_000_000 > 0));
    d.set(MEMORY, bytes);
}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "pod_usage",
    kinds: &[Kind {
        gvk: Gvk {
            group: usage::GROUP,
            version: usage::VERSIONS[0],
            kind: "PodMetrics",
            plural: "pods",
            namespaced: true,
        },
        paths: PATHS,
        fold,
        finish,
    }],
    words: usage::WORDS,
    labels: LABELS,
    columns: usage::COLUMNS,
    tallies: &[],
};
