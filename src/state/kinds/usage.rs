//! What `metrics.k8s.io` says of use, and the words of nodes and pods that it is written into.
//!
//! Kubernetes: `k8s.io/metrics/pkg/apis/metrics/v1beta1/generated.proto` (v0.37). An object of that API has no uid: it is
//! joined by namespace and name, and only if it was measured after the object now there was made. CPU is a rate over the
//! window, memory the working set; a pod one of whose containers has just begun is left out altogether.

use super::{common, containers, node_usage, nodes, pod_usage, pods};
use crate::state::cell::{Cell, Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Word};
use crate::state::health::Health;
use crate::state::parcel::Look;
use crate::state::row::Row;
use crate::state::store::usage::Trail;
use crate::state::store::{Feed, Store};
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
    /// Seconds of that window.
    WINDOW = Num;
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

/// Seconds after which a sample is background where no look told: two windows of the usual 15 s and the time between looks.
const OLD: i64 = 60;

/// Longest window that is believed, in seconds.
const LONGEST: i64 = 900;

/// Seconds after which a sample is background, and after which it says nothing any more. Grey from two windows on, but never
/// only because the next look is not over: with 150,000 pods looks are a minute apart.
pub fn lasts(look: Option<Look>) -> (i64, i64) {
    let old = look.map_or(OLD, |look| {
        let window = look.window.clamp(1, LONGEST);
        (2 * window).max(look.pause + window)
    });
    (old, 2 * old)
}

/// A window as the metrics API writes it, a Go duration (`15s`, `1m0.5s`, `800ms`), in whole seconds, rounded up.
pub fn window(text: &str) -> Option<i64> {
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (count, more) = rest.split_at(digits);
        let end = more.find(|c: char| c.is_ascii_digit()).unwrap_or(more.len());
        let unit = match &more[..end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum += count.parse::<f64>().ok()? * unit;
        rest = &more[end..];
    }
    (!text.is_empty()).then_some(sum.ceil() as i64)
}

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
        unit: 1,
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

/// The words of a table's rows that are measured and not asked for: none if all of them are.
pub fn measured(table: &str) -> &'static [Word] {
    if table == containers::TABLE.id { &containers::MEASURED } else { lent(table) }
}

/// Columns that stand for use: hidden where nothing measures it.
pub fn is_column(id: &str) -> bool {
    matches!(id, "cpu_used" | "memory_used" | "measured" | "cpu_trend" | "memory_trend")
        || id.ends_with("_pct")
}

/// A cell of what was measured: background when it is old, and not there when it is too old to mean anything.
pub fn cell<'a>(r: Row<'a>, at: Word, now: Epoch, value: Value<'a>, role: Role) -> Cell<'a> {
    let at = r.time(at);
    let (old, gone) = lasts(r.table.look);
    match at.age(now) {
        _ if !at.is_set() => Value::Absent.into(),
        age if age > gone => Value::Absent.into(),
        age if age > old => value.role(Role::Dim),
        _ => value.role(role),
    }
}

/// What a node used lately, of what it can allocate; none once the last of it is too old to mean anything.
pub fn trend<'a>(r: Row<'a>, at: Word, now: Epoch, of: fn(&Trail) -> [u16; 12]) -> Cell<'a> {
    let bars = r.store.trail(r.key()).map_or(Value::Absent, |trail| Value::Shares(of(trail)));
    cell(r, at, now, bars, Role::Plain)
}

/// A share in whole percent; none of nothing.
pub fn percent(have: i64, of: i64) -> Option<i64> {
    (of > 0).then(|| (i128::from(have) * 100 / i128::from(of)) as i64)
}

/// A share as a cell, warning from `warn` percent on.
pub fn share(r: Row<'_>, at: Word, now: Epoch, (have, of): (i64, i64), warn: i64) -> Cell<'_> {
    match percent(have, of) {
        None => Value::Absent.into(),
        Some(n) => {
            cell(r, at, now, Value::Int(n), if n >= warn { Role::Warn } else { Role::Plain })
        }
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

/// The feed that measures rows of a table.
fn feed<'a>(store: &'a Store, table: &str) -> Option<&'a Feed> {
    let from = INTO.iter().find(|into| into.table == table).map(|into| into.from);
    let from = from.or(Some(table).filter(|id| *id == containers::TABLE.id))?;
    let from = store.table_index(from)?;
    store.feeds.iter().find(|feed| feed.table == from)
}

/// Why nothing is known of use in a table, in words; `None` as long as samples come or may still come.
pub fn absent(store: &Store, table: &str) -> Option<String> {
    let (why, more) = why_absent(store, table)?;
    Some(format!("no use: {why}{more}; requests alone"))
}

/// The same for a line that has little room, and what can be looked at instead.
pub fn absent_briefly(store: &Store, table: &str) -> Option<String> {
    let (why, _) = why_absent(store, table)?;
    let instead =
        if table == nodes::TABLE.id { "K: one node's" } else { "K on a node: its kubelet's" };
    Some(format!("no use: {why}; {instead}"))
}

fn why_absent(store: &Store, table: &str) -> Option<(String, &'static str)> {
    let feed = feed(store, table)?;
    let what = store.table_at(feed.table).spec.kinds[0].gvk.resource();
    let plain = |why: &str, more| Some((why.to_owned(), more));
    match &feed.health {
        Health::Missing => plain("metrics API not available", ", the server has no metrics.k8s.io"),
        // Not even what containers ask for is to be had, which is told in place of rows.
        Health::Denied { resource, .. } if table == containers::TABLE.id && resource == "pods" => {
            None
        }
        Health::Denied { verb, .. } => Some((format!("no right to {verb} {what}"), "")),
        Health::Down { fault, .. } => Some((format!("the metrics API fails ({fault})"), "")),
        Health::Surveyed { .. } if measures_nothing(store, table) => plain(
            "metrics not available yet",
            ", the metrics API has measured none of these so far",
        ),
        _ => None,
    }
}

/// Whether the last look brought nothing although something runs: a metrics server that has just begun answers with an empty
/// list until it has measured twice.
fn measures_nothing(store: &Store, table: &str) -> bool {
    let runs =
        |row: Row<'_>| table != pods::TABLE.id || row.num(pods::PHASE) == pods::phase::RUNNING;
    let empty = store.table(table).look.is_some_and(|look| look.samples == 0);
    empty && store.rows(table).any(runs)
}
