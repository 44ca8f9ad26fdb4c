//! What is being deleted and does not go, of any kind: rows of a survey, not of a watch.

use super::common;
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Kind, TableSpec};
use crate::state::doc::stuck_role;
use crate::state::parcel::{Draft, Parcel};
use crate::state::row::Row;
use crate::state::rules::stuck::{Held, Life, Ruling};
use crate::{column, words};

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// The kind, as [`Gvk::written`] writes it: each row has its own.
    OF = Sym;
    /// One word of the ruling.
    VERDICT = Sym;
    /// When it was deleted.
    DELETED = Time;
    /// Its finalizers.
    FINALIZERS = Sym;
    /// Objects that name it as their owner, and one; 0 if not all kinds were seen.
    DEPENDENTS = Num;
    /// How they go.
    PROPAGATION = Sym;
    /// Who should have let it go.
    OWNER = Sym;
    /// Why it does not go.
    WHY = Sym;
    /// The least harmful next step.
    NEXT = Sym;
}

static COLUMNS: &[Column] = &[
    column!("verdict" "VERDICT" Left 10 VERDICT.bit(),
        |r, _| Value::text(r.text(VERDICT)).role(role(r.text(VERDICT))),
        |r| Sort::Int(-i64::from(weight(r.text(VERDICT))))),
    column!("kind" "KIND" Left 18 OF.bit(),
        |r, _| Value::text(r.gvk().kind).into(), |r| Sort::Text(r.gvk().kind, "")),
    common::NAMESPACE,
    common::NAME,
    column!("deleted" "DELETED" Right 8 DELETED.bit(),
        |r, _| Value::time(r.time(DELETED)).into(), |r| Sort::Int(r.time(DELETED).0)),
    column!("finalizers" "FINALIZERS" Left 44 FINALIZERS.bit(),
        |r, _| Value::text(r.text(FINALIZERS)).into(), |r| Sort::Text(r.text(FINALIZERS), "")),
    column!("owner" "OWNER" Left 40 OWNER.bit(),
        |r, _| Value::text(r.text(OWNER)).into(), |r| Sort::Text(r.text(OWNER), "")),
    column!("dependents" "DEPENDENTS" Right 10 DEPENDENTS.bit(),
        |r, _| match r.num(DEPENDENTS) {
            0 => Value::Unknown("not all kinds could be read").into(),
            n => Value::Int(n - 1).into(),
        },
        |r| Sort::Int(r.num(DEPENDENTS))),
    column!("propagation" "PROPAGATION" Left 11 PROPAGATION.bit(),
        |r, _| Value::text(r.text(PROPAGATION)).into(), |r| Sort::Text(r.text(PROPAGATION), "")),
    column!("why" "WHY" Left 120 WHY.bit(),
        |r, _| Value::text(r.text(WHY)).into(), |r| Sort::Text(r.text(WHY), "")),
    column!("next" "DO FIRST" Left 120 NEXT.bit(),
        |r, _| Value::text(r.text(NEXT)).role(Role::Dim), |r| Sort::Text(r.text(NEXT), "")),
    common::AGE,
    common::LABELS,
    common::UID,
];

fn life(word: &str) -> Option<Life> {
    [Life::Works, Life::Fails, Life::Unknown, Life::Gone].into_iter().find(|l| l.word() == word)
}

fn role(word: &str) -> Role {
    life(word).map_or(Role::Plain, stuck_role)
}

fn weight(word: &str) -> u8 {
    life(word).map_or(0, |life| life as u8)
}

/// The next step, for the last line of the screen.
pub fn next(row: Row<'_>) -> Option<String> {
    Some(format!("do first: {}", row.text(NEXT))).filter(|_| !row.text(NEXT).is_empty())
}

/// Adds an object to a parcel of this table.
pub fn push(parcel: &mut Parcel, draft: &mut Draft, held: &Held, ruling: &Ruling) {
    draft.reset(&TABLE, 0);
    draft.head.name = draft.keep(&held.name);
    draft.head.namespace = draft.keep(&held.namespace);
    draft.head.uid = draft.keep(&held.uid);
    draft.head.rv = held.rv;
    draft.head.created = held.created();
    draft.put(OF, &held.gvk.written());
    draft.put(VERDICT, ruling.life.word());
    draft.set(DELETED, held.since().0);
    draft.put(FINALIZERS, &held.finalizers.join(","));
    draft.set(DEPENDENTS, held.dependents.map_or(0, |(n, _)| n as i64 + 1));
    draft.put(PROPAGATION, held.propagation());
    let worst = ruling.holders.iter().max_by_key(|h| h.life);
    draft.put(OWNER, worst.map_or("", |holder| holder.owner.as_str()));
    draft.put(WHY, &ruling.words);
    draft.put(NEXT, &ruling.next);
    for (key, value) in held.labels() {
        draft.pair(LABELS, key, value);
    }
    draft.settle();
    parcel.push(draft, &TABLE);
}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "stuck",
    kinds: &[Kind { gvk: Gvk::ANY, paths: &[], fold: |_, _, _| {}, finish: |_| {} }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};
