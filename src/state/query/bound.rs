//! A query at work: bound to a time, with a memory of the symbols it has seen.
//!
//! Invariant: symbols are never renamed, so what was learnt of one stays true while the store lives.

use super::pattern::Pattern;
use super::{Query, Term, Test, Want};
use crate::state::cell::Value;
use crate::state::decl::{Column, Stored};
use crate::state::intern::Sym;
use crate::state::row::Row;
use crate::state::time::Epoch;
use std::cmp::Ordering;

/// A query that tests rows of one store.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// What is asked.
    pub query: Query,
    /// The time ages are taken at; not set until first used if it was bound to none.
    pub now: Epoch,
    /// Whether the verdict on some row tested so far may change by the clock alone.
    pub clock: bool,
    memos: Vec<Memo>,
    scratch: String,
}

/// Verdicts on symbols: one byte each.
#[derive(Clone, Debug, Default)]
struct Memo(Vec<u8>);

impl Memo {
    fn of(&mut self, sym: Sym, test: impl FnOnce() -> bool) -> bool {
        let at = sym.0 as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        if self.0[at] == 0 {
            self.0[at] = 1 + u8::from(test());
        }
        self.0[at] == 2
    }
}

impl Bound {
    pub(super) fn new(query: Query, now: Epoch) -> Bound {
        let memos = vec![Memo::default(); query.terms];
        Bound { query, now, clock: false, memos, scratch: String::new() }
    }

    /// Whether the row passes.
    pub fn test(&mut self, row: Row<'_>) -> bool {
        let Bound { query, now, clock, memos, scratch } = self;
        let mut holds = |term: &Term| {
            let memo = &mut memos[term.id];
            let found = match &term.test {
                Test::Text(pattern) => in_texts(pattern, query, row, memo, scratch),
                Test::Label { key, want } => label(row, key, want, memo),
                Test::Shows(column, pattern) => {
                    on_cell(column, row, *now, clock, |v| shows(v, pattern, *now))
                }
                Test::Is { column, text, fold, number } => on_cell(column, row, *now, clock, |v| {
                    let words = v.words(*now);
                    let same = match fold {
                        true => words.eq_ignore_ascii_case(text),
                        false => words == text.as_str(),
                    };
                    let equal = || number.and_then(|n| n.compare(v, *now)) == Some(Ordering::Equal);
                    same || !matches!(v, Value::Text(_)) && equal()
                }),
                Test::Compares(column, op, literal) => on_cell(column, row, *now, clock, |v| {
                    literal.compare(v, *now).is_some_and(|order| op.holds(order))
                }),
            };
            found != term.not
        };
        query.any.is_empty() || query.any.iter().any(|all| all.iter().all(&mut holds))
    }
}

fn on_cell(
    column: &Column,
    row: Row<'_>,
    now: Epoch,
    clock: &mut bool,
    test: impl FnOnce(&Value<'_>) -> bool,
) -> bool {
    let cell = (column.cell)(row, now);
    *clock |= cell.value.changes_in(now).is_some();
    test(&cell.value)
}

fn shows(value: &Value<'_>, pattern: &Pattern, now: Epoch) -> bool {
    // Thousands are grouped on screen; nobody types the comma.
    pattern.is_in(&value.words(now))
        || matches!(value, Value::Int(n) if n.abs() > 999 && pattern.is_in(&n.to_string()))
}

fn in_texts(
    pattern: &Pattern,
    query: &Query,
    row: Row<'_>,
    memo: &mut Memo,
    scratch: &mut String,
) -> bool {
    let syms = &row.store.syms;
    let mut knows = |sym: Sym| memo.of(sym, || pattern.is_in(syms.text(sym)));
    let (stem, tail) = row.name_parts();
    pattern.is_local() && knows(row.stem_sym())
        || pattern.is_across(stem, tail, scratch)
        || knows(row.namespace_sym())
        || query.texts.iter().any(|&word| match word.ty {
            Stored::Loose => pattern.is_in(row.text(word)),
            _ => knows(row.sym(word)),
        })
}

/// Label sets repeat, so a set is looked through once.
fn label(row: Row<'_>, key: &str, want: &Want, memo: &mut Memo) -> bool {
    let labels = row.table.spec.labels;
    memo.of(row.sym(labels), || {
        let found = row.label(labels, key);
        match want {
            Want::Any => found.is_some(),
            Want::Value(value) => found.is_some_and(|f| f == value),
            Want::Other(value) => found.is_none_or(|f| f != value),
        }
    })
}
