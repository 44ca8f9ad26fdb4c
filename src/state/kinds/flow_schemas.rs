//! Flow schemas in the order the server asks them, with what each of them catches.

use super::common::{self, text_column};
use super::measured::{count, order, present, put};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Kind, TableSpec};
use crate::state::fairness::metrics::Flowing;
use crate::state::fairness::schema::Schema;
use crate::state::parcel::Draft;
use crate::state::row::Row;
use crate::state::time::Epoch;
use crate::{column, words};

words! { WORDS:
    /// Labels: the level.
    LABELS = Set;
    /// Its place in the server's order.
    PLACE = Num;
    /// Matching precedence: lower is asked first.
    PRECEDENCE = Num;
    /// The level it leads to.
    LEVEL = Sym;
    /// 1 if there is no such level.
    DANGLING = Num;
    /// `ByUser`, `ByNamespace`, or empty: one flow.
    FLOWS = Sym;
    /// Rules in words.
    RULES = Loose;
    /// Thousandths a second and one; 0 is absent. So are the others.
    DISPATCHED_RATE = Num;
    /// Thousandths a second and one.
    REJECTED_RATE = Num;
    /// Requests and one.
    WAITING = Num;
    /// Requests and one.
    EXECUTING = Num;
    /// When it was looked at.
    AT = Time;
}

fn dangling(r: Row<'_>) -> bool {
    r.num(DANGLING) != 0
}

static COLUMNS: &[Column] = &[
    column!("precedence" "PRECEDENCE" Right 10 PRECEDENCE.bit() | PLACE.bit(),
        |r, _| Value::Int(r.num(PRECEDENCE)).into(), |r| Sort::Int(r.num(PLACE))),
    common::NAME,
    column!("level" "LEVEL" Left 40 LEVEL.bit() | DANGLING.bit(),
        |r, _| Value::text(r.text(LEVEL)).role(if dangling(r) { Role::Warn } else { Role::Plain }),
        |r| Sort::Text(r.text(LEVEL), "")),
    column!("dangling" "DANGLING" Left 8 DANGLING.bit(),
        |r, _| if dangling(r) { Value::Bool(true).role(Role::Warn) } else { Value::Bool(false).role(Role::Dim) },
        |r| Sort::Int(-r.num(DANGLING))),
    text_column!("flows" "FLOWS" 12 FLOWS),
    column!("waiting" "WAITING" Right 7 WAITING.bit(),
        |r, _| present(r, WAITING, Value::Int).role(if r.num(WAITING) > 1 { Role::Warn } else { Role::Dim }),
        |r| order(r, WAITING)),
    column!("executing" "EXEC" Right 6 EXECUTING.bit(),
        |r, _| present(r, EXECUTING, Value::Int).into(), |r| order(r, EXECUTING)),
    column!("dispatched_rate" "DISP/S" Right 9 DISPATCHED_RATE.bit(),
        |r, _| present(r, DISPATCHED_RATE, Value::PerSecond).into(), |r| order(r, DISPATCHED_RATE)),
    column!("rejected_rate" "REJ/S" Right 9 REJECTED_RATE.bit(),
        |r, _| present(r, REJECTED_RATE, Value::PerSecond).role(if r.num(REJECTED_RATE) > 1 { Role::Bad } else { Role::Dim }),
        |r| order(r, REJECTED_RATE)),
    column!("rules" "RULES" Left 400 RULES.bit(),
        |r, _| Value::text(r.text(RULES)).role(Role::Dim), |r| Sort::Text(r.text(RULES), "")),
    column!("read" "READ" Right 8 AT.bit(),
        |r, _| Value::time(r.time(AT)).role(Role::Dim), |r| Sort::Int(-r.time(AT).0)),
    common::AGE,
    common::LABELS,
    common::UID,
];

/// What the server counts of a schema: a second, and requests that wait and execute now.
pub type Counted = (Flowing, Option<i64>, Option<i64>);

/// Writes a schema into a draft: its place in the server's order, whether its level is missing, what is counted of it.
pub fn fill(
    draft: &mut Draft,
    schema: &Schema,
    place: usize,
    is_dangling: bool,
    counted: &Counted,
    at: Epoch,
) {
    draft.head.name = draft.keep(&schema.name);
    draft.head.uid = draft.keep(&schema.uid);
    draft.head.created = schema.created;
    draft.set_version(&schema.version);
    draft.set(PLACE, place as i64);
    draft.set(PRECEDENCE, schema.precedence);
    draft.put(LEVEL, &schema.level);
    draft.set(DANGLING, i64::from(is_dangling));
    draft.put(FLOWS, &schema.distinguisher);
    draft.put(RULES, &schema.words());
    let (flow, waiting, executing) = counted;
    put(draft, DISPATCHED_RATE, flow.dispatched, 1e3);
    put(draft, REJECTED_RATE, flow.rejected, 1e3);
    count(draft, WAITING, *waiting);
    count(draft, EXECUTING, *executing);
    draft.set(AT, at.0);
    draft.pair(LABELS, "level", &schema.level);
}

/// What the last line says of a row.
pub fn detail(row: Row<'_>) -> Option<String> {
    let rules = row.text(RULES);
    Some(match dangling(row) {
        true => format!("there is no level {}: it is never asked. {rules}", row.text(LEVEL)),
        false => rules.to_owned(),
    })
    .filter(|words| !words.is_empty())
}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "flowschemas",
    kinds: &[Kind {
        gvk: Gvk {
            group: "flowcontrol.apiserver.k8s.io",
            version: "v1",
            kind: "FlowSchema",
            plural: "flowschemas",
            namespaced: false,
        },
        paths: &[],
        fold: |_, _, _| {},
        finish: |_| {},
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};
