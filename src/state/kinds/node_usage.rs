//! Use of nodes, as `metrics.k8s.io` tells it.
//!
//! No view shows these rows and the store keeps none of them: they are written into those they are about ([`usage::INTO`]).

use super::{common, usage};
use crate::state::cell::{Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, TableSpec};
use crate::state::parcel::Draft;
use crate::state::quantity;
use crate::{column, paths, words};

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// Thousandths of a core.
    CPU = Num;
    /// Bytes.
    MEMORY = Wide;
    /// End of the window it was measured in.
    AT = Time;
}

paths! { PATHS:
    TIMESTAMP = Time [2] "timestamp";
    USAGE = Quantities [4] "usage";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (TIMESTAMP, Hit::Time(at)) => d.set(AT, at.0),
        (USAGE, Hit::Pair("cpu", n)) => d.set(CPU, quantity::milli(n).unwrap_or(0)),
        (USAGE, Hit::Pair("memory", n)) => d.set(MEMORY, quantity::whole(n).unwrap_or(0)),
        _ => {}
    }
}

fn finish(_: &mut Draft) {}

static COLUMNS: &[Column] = &[
    common::NAME,
    column!("cpu" "CPU" Right 8 CPU.bit(), |r, _| Value::Milli(r.num(CPU)).into(), |r| Sort::Int(r.num(CPU))),
    column!("memory" "MEMORY" Right 8 MEMORY.bit(),
        |r, _| Value::Bytes(r.num(MEMORY)).into(), |r| Sort::Int(r.num(MEMORY))),
    common::AGE,
    common::LABELS,
    common::UID,
];

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
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};
