//! Queues of priority levels that hold something, as one API server dumped them.

use super::common::{self, text_column};
use super::measured::{count, order, present};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Kind, TableSpec};
use crate::state::fairness::dump::QueueNow;
use crate::state::parcel::Draft;
use crate::state::time::Epoch;
use crate::{column, words};

words! { WORDS:
    /// Labels: the level.
    LABELS = Set;
    /// Its level.
    LEVEL = Sym;
    /// Its number and one; 0 is absent. So are the others.
    INDEX = Num;
    /// Requests and one.
    WAITING = Num;
    /// Requests and one.
    EXECUTING = Num;
    /// Seats and one.
    SEATS = Num;
    /// Requests that it can hold and one.
    LENGTH = Num;
    /// Who has most in it.
    TOP = Sym;
    /// When it was dumped.
    AT = Time;
}

static COLUMNS: &[Column] = &[
    common::NAME,
    text_column!("level" "LEVEL" 40 LEVEL),
    column!("index" "QUEUE" Right 6 INDEX.bit(),
        |r, _| present(r, INDEX, Value::Int).into(), |r| order(r, INDEX)),
    column!("waiting" "WAITING" Right 7 WAITING.bit(),
        |r, _| present(r, WAITING, Value::Int).role(if r.num(WAITING) > 1 { Role::Warn } else { Role::Dim }),
        |r| order(r, WAITING)),
    column!("queue_fill" "FILL %" Right 6 WAITING.bit() | LENGTH.bit(),
    |r, _| match (r.num(WAITING), r.num(LENGTH)) {
        (0, _) | (_, 0 | 1) => Value::Absent.into(),
        (n, of) => Value::Int((n - 1) * 100 / (of - 1)).role(if n >= of { Role::Bad } else { Role::Plain }),
    },
    |r| match (r.num(WAITING), r.num(LENGTH)) {
        (0, _) | (_, 0 | 1) => Sort::Absent,
        (n, of) => Sort::Int((n - 1) * 10_000 / (of - 1)),
    }),
    column!("executing" "EXEC" Right 6 EXECUTING.bit(),
        |r, _| present(r, EXECUTING, Value::Int).into(), |r| order(r, EXECUTING)),
    column!("seats" "SEATS" Right 6 SEATS.bit(),
        |r, _| present(r, SEATS, Value::Int).into(), |r| order(r, SEATS)),
    text_column!("top" "MOSTLY" 80 TOP),
    column!("read" "READ" Right 8 AT.bit(),
        |r, _| Value::time(r.time(AT)).role(Role::Dim), |r| Sort::Int(-r.time(AT).0)),
    common::AGE,
    common::LABELS,
    common::UID,
];

/// Writes a queue into a draft: how many requests it can hold, who has most in it, when it was dumped.
pub fn fill(draft: &mut Draft, queue: &QueueNow, length: Option<i64>, top: &str, at: Epoch) {
    let index = queue.index.map_or("?".to_owned(), |index| index.to_string());
    let name = format!("{}/{index}", queue.level);
    draft.head.name = draft.keep(&name);
    draft.head.uid = draft.keep(&name);
    draft.put(LEVEL, &queue.level);
    count(draft, INDEX, queue.index);
    count(draft, WAITING, queue.waiting);
    count(draft, EXECUTING, queue.executing);
    count(draft, SEATS, queue.seats);
    count(draft, LENGTH, length);
    draft.put(TOP, top);
    draft.set(AT, at.0);
    draft.pair(LABELS, "level", &queue.level);
}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "queues",
    kinds: &[Kind { gvk: Gvk::measured("queues"), paths: &[], fold: |_, _, _| {}, finish: |_| {} }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};
