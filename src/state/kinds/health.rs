//! How the control plane is: rows of looks, not of a watch. What they say is decided in `rules/health`.

use super::common::{self, text_column};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Kind, TableSpec};
use crate::state::parcel::Draft;
use crate::state::row::Row;
use crate::state::rules::health::Line;
use crate::{column, words};

words! { WORDS:
    /// Labels: the part.
    LABELS = Set;
    /// `bad`, `warn`, `unknown`, `ok`.
    VERDICT = Sym;
    /// The part of the board.
    PART = Sym;
    /// Its place on the board.
    PLACE = Num;
    /// What is so, and what to do about it.
    WHY = Loose;
    /// When it was read.
    READ = Time;
}

fn role(r: Row<'_>) -> Role {
    match r.text(VERDICT) {
        "bad" => Role::Bad,
        "warn" => Role::Warn,
        "unknown" => Role::Dim,
        _ => Role::Ok,
    }
}

/// What is well needs no emphasis.
fn words(r: Row<'_>) -> Role {
    match role(r) {
        Role::Ok => Role::Plain,
        role => role,
    }
}

static COLUMNS: &[Column] = &[
    column!("verdict" "VERDICT" Left 8 VERDICT.bit() | PLACE.bit(),
        |r, _| Value::text(r.text(VERDICT)).role(role(r)), |r| Sort::Int(r.num(PLACE))),
    text_column!("part" "PART" 12 PART),
    // Names of checks are long, and what there is to say comes after them.
    column!("name" "NAME" Left 36 0, |r, _| Value::text(r.name()).into(), common::NAME.sort),
    column!("why" "WHAT THERE IS TO SAY" Left 300 WHY.bit() | VERDICT.bit(),
        |r, _| Value::text(r.text(WHY)).role(words(r)), |r| Sort::Text(r.text(WHY), "")),
    column!("read" "READ" Right 8 READ.bit(),
        |r, _| Value::time(r.time(READ)).role(Role::Dim), |r| Sort::Int(-r.time(READ).0)),
    common::AGE,
    common::LABELS,
    common::UID,
];

/// Writes a line into a draft; its place on the board.
pub fn fill(draft: &mut Draft, line: &Line, place: usize) {
    draft.head.name = draft.keep(&line.name);
    draft.head.uid = draft.keep(&format!("{}/{}", line.part, line.name));
    draft.put(VERDICT, line.verdict.word());
    draft.put(PART, line.part);
    draft.set(PLACE, place as i64 + 1);
    draft.put(WHY, &line.why);
    draft.set(READ, line.at.0);
    draft.pair(LABELS, "part", line.part);
}

/// What the last line says of a row: all of its words.
pub fn detail(row: Row<'_>) -> Option<String> {
    Some(row.text(WHY).to_owned()).filter(|words| !words.is_empty())
}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "health",
    kinds: &[Kind { gvk: Gvk::measured("checks"), paths: &[], fold: |_, _, _| {}, finish: |_| {} }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};
