//! What `metrics.k8s.io` says of use, and the words of nodes and pods that it is written into.
//!
//! Kubernetes: `k8s.io/metrics/pkg/apis/metrics/v1beta1/generated.proto` (v0.37). An object of that API has no uid: it is
//! joined by namespace and name, and only if it was measured after the object now there was made. CPU is a rate over the
//! window, memory the working set; a pod one of whose containers has just begun is left out altogether.

use super::{common, containers, node_usage, nodes, pod_usage, pods};
use crate::state::cell::{Cell, Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Word};
use crate::state::health::Health;
use crate::state::row::Row;
use crate::state::store::Store;
use crate::state::time::Epoch;
use crate::{column, words};

/// The API group.
pub const GROUP: &str = "metrics.k8s.io";

/// Versions that are read, the preferred one first. Both have the same fields; metrics-server serves the older.
pub const VERSIONS: [&str; 2] = ["v1beta1", "v1"];

words! {
    /// The words of samples, of nodes and of pods.
    pub WORDS:
    /// Labels.
    LABELS = Set;
    /// Thousandths of a core.
    CPU = Num;
    /// Bytes.
    MEMORY = Wide;
    /// End of the window it was measured in.
    AT = Time;
}

/// The columns of samples; those of nodes have no namespace.
pub static COLUMNS: &[Column] = &[
    common::NAMESPACE,
    common::NAME,
    column!("cpu" "CPU" Right 8 CPU.bit(), |r, _| Value::Milli(r.num(CPU)).into(), |r| Sort::Int(r.num(CPU))),
    column!("memory" "MEMORY" Right 8 MEMORY.bit(),
        |r, _| Value::Bytes(r.num(MEMORY)).into(), |r| Sort::Int(r.num(MEMORY))),
    common::AGE,
    common::LABELS,
    common::UID,
];

/// Seconds after which a sample is background: two windows of the usual 15 s and the time between two looks.
pub const OLD: i64 = 60;

/// Seconds after which a sample says nothing any more, as in `kubectl top`.
pub const GONE: i64 = 120;

/// Whether rows of a kind say what others use.
pub fn is_usage(gvk: &Gvk) -> bool {
    gvk.group == GROUP
}

/// Whether a table is one of samples.
pub fn is_sampled(table: &str) -> bool {
    table == containers::TABLE.id || is_lent(table)
}

/// Whether rows of a table are written into those of another.
pub fn is_lent(table: &str) -> bool {
    INTO.iter().any(|into| into.from == table)
}

/// Where samples of one table go.
pub struct Into {
    /// The table the samples come in.
    pub from: &'static str,
    /// The table whose rows take them.
    pub table: &'static str,
    /// Thousandths of a core, memory, and when that was measured.
    pub words: [Word; 3],
    /// Bytes that make one of the memory word.
    pub unit: i64,
}

/// Bytes that a pod's memory words count in: 32 bits of them are 4 TiB.
pub const KIB: i64 = 1024;

/// All of them.
pub static INTO: &[Into] = &[
    Into {
        from: node_usage::TABLE.id,
        table: nodes::TABLE.id,
        words: [nodes::CPU_USED, nodes::MEMORY_USED, nodes::MEASURED],
        unit: KIB,
    },
    Into {
        from: pod_usage::TABLE.id,
        table: pods::TABLE.id,
        words: [pods::CPU_USED, pods::MEMORY_USED, pods::MEASURED],
        unit: KIB,
    },
];

/// The words of a table's rows that are measured and not in the object.
pub fn lent(table: &str) -> &'static [Word] {
    INTO.iter().find(|into| into.table == table).map_or(&[], |into| &into.words)
}

/// Columns that stand for use: hidden where nothing measures it.
pub fn is_column(id: &str) -> bool {
    matches!(id, "cpu_used" | "memory_used" | "measured" | "cpu_trend" | "memory_trend")
        || id.ends_with("_pct")
}

/// A cell of what was measured: background when it is old, and not there when it is too old to mean anything.
pub fn cell<'a>(at: Epoch, now: Epoch, value: Value<'a>, role: Role) -> Cell<'a> {
    match at.age(now) {
        _ if !at.is_set() => Value::Absent.into(),
        age if age > GONE => Value::Absent.into(),
        age if age > OLD => value.role(Role::Dim),
        _ => value.role(role),
    }
}

/// A share in whole percent; none of nothing.
pub fn percent(have: i64, of: i64) -> Option<i64> {
    (of > 0).then(|| (i128::from(have) * 100 / i128::from(of)) as i64)
}

/// A share as a cell, warning from `warn` percent on.
pub fn share<'a>(at: Epoch, now: Epoch, have: i64, of: i64, warn: i64) -> Cell<'a> {
    match percent(have, of) {
        None => Value::Absent.into(),
        Some(n) => cell(at, now, Value::Int(n), if n >= warn { Role::Warn } else { Role::Plain }),
    }
}

/// The order of what was measured: what was not comes first.
pub fn order<'a>(at: Epoch, n: Option<i64>) -> Sort<'a> {
    n.filter(|_| at.is_set()).map_or(Sort::Absent, Sort::Int)
}

/// Thousandths of a core used by a row of nodes or pods, and the bytes; `None` if nothing was measured.
pub fn used(r: Row<'_>) -> Option<(i64, i64, Epoch)> {
    let into = INTO.iter().find(|into| into.table == r.table.spec.id)?;
    let [cpu, memory, at] = into.words;
    let at = r.time(at);
    at.is_set().then(|| (r.num(cpu), r.num(memory) * into.unit, at))
}

/// Why nothing is known of use in a table, in words; `None` as long as samples come or may still come.
pub fn absent(store: &Store, table: &str) -> Option<String> {
    let from = INTO.iter().find(|into| into.table == table)?.from;
    let from = store.table_index(from)?;
    let feed = store.feeds.iter().find(|feed| feed.table == from)?;
    let what = store.table_at(from).spec.kinds[0].gvk.resource();
    match &feed.health {
        Health::Missing => Some("no use: the server has no metrics API; requests alone".into()),
        Health::Denied { verb, .. } => {
            Some(format!("no use: no right to {verb} {what}; requests alone"))
        }
        Health::Down { fault, .. } => Some(format!("no use: the metrics API fails ({fault})")),
        _ => None,
    }
}
