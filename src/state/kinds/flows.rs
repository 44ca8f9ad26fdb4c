//! Who is at the API server now: requests that wait and execute, by user and by flow, as one server dumped them.

use super::common::{self, text_column};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Kind, TableSpec};
use crate::state::fairness::dump::{Group, RequestNow};
use crate::state::parcel::Draft;
use crate::state::row::Row;
use crate::state::time::Epoch;
use crate::{column, words};

words! { WORDS:
    /// Labels: by what.
    LABELS = Set;
    /// `user` or `flow`.
    BY = Sym;
    /// Its place: users before flows, the largest first.
    PLACE = Num;
    /// Requests that wait.
    WAITING = Num;
    /// Requests that execute.
    EXECUTING = Num;
    /// Percent of all requests dumped.
    PART = Num;
    /// Arrival of the oldest that waits.
    OLDEST = Time;
    /// The level of one of them.
    LEVEL = Sym;
    /// The schema of one of them.
    SCHEMA = Sym;
    /// What one of them asks for.
    EXAMPLE = Loose;
    /// When it was dumped.
    AT = Time;
}

static COLUMNS: &[Column] = &[
    column!("by" "BY" Left 5 BY.bit() | PLACE.bit(),
        |r, _| Value::text(r.text(BY)).role(Role::Dim), |r| Sort::Int(r.num(PLACE))),
    common::NAME,
    column!("waiting" "WAITING" Right 7 WAITING.bit(),
        |r, _| Value::Int(r.num(WAITING)).role(if r.num(WAITING) > 0 { Role::Warn } else { Role::Dim }),
        |r| Sort::Int(r.num(WAITING))),
    column!("executing" "EXEC" Right 6 EXECUTING.bit(),
        |r, _| Value::Int(r.num(EXECUTING)).into(), |r| Sort::Int(r.num(EXECUTING))),
    column!("part" "OF ALL %" Right 8 PART.bit(),
        |r, _| Value::Int(r.num(PART)).into(), |r| Sort::Int(r.num(PART))),
    column!("oldest" "WAITS FOR" Right 9 OLDEST.bit(),
        |r, _| Value::time(r.time(OLDEST)).into(), |r| Sort::Int(-r.time(OLDEST).0)),
    text_column!("level" "LEVEL" 40 LEVEL),
    text_column!("schema" "SCHEMA" 40 SCHEMA),
    column!("example" "ONE OF THEM" Left 200 EXAMPLE.bit(),
        |r, _| Value::text(r.text(EXAMPLE)).role(Role::Dim), |r| Sort::Text(r.text(EXAMPLE), "")),
    column!("read" "READ" Right 8 AT.bit(),
        |r, _| Value::time(r.time(AT)).role(Role::Dim), |r| Sort::Int(-r.time(AT).0)),
    common::AGE,
    common::LABELS,
    common::UID,
];

/// Writes a group into a draft: by what it is one, its place, how many requests there are in all, one of its own, and when they
/// were dumped.
pub fn fill(
    draft: &mut Draft,
    (by, group): (&'static str, &Group),
    place: usize,
    all: usize,
    one: &RequestNow,
    at: Epoch,
) {
    draft.head.name = draft.keep(&group.name);
    draft.head.uid = draft.keep(&format!("{by}/{}", group.name));
    draft.put(BY, by);
    draft.set(PLACE, place as i64);
    draft.set(WAITING, group.waiting);
    draft.set(EXECUTING, group.executing);
    draft.set(PART, 100 * (group.waiting + group.executing) / (all.max(1) as i64));
    draft.set(OLDEST, group.oldest.map_or(0, |at| at.0));
    draft.put(LEVEL, &one.level);
    draft.put(SCHEMA, &one.schema);
    draft.put(EXAMPLE, format!("{} {}", one.verb, one.path).trim());
    draft.set(AT, at.0);
    draft.pair(LABELS, "by", by);
}

/// What the last line says of a row.
pub fn detail(row: Row<'_>) -> Option<String> {
    Some(row.text(EXAMPLE)).filter(|words| !words.is_empty()).map(|one| format!("one asks: {one}"))
}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "flows",
    kinds: &[Kind { gvk: Gvk::measured("flows"), paths: &[], fold: |_, _, _| {}, finish: |_| {} }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};
