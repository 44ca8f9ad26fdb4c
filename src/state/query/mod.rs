//! The filter: what `/` means, and which rows it keeps.
//!
//! Invariant: a [`Query`] is plain data, parsed once; a [`Bound`] query holds a time and what it has learnt of symbols.
//! Each distinct symbol is tested once per term, however many rows carry it.
//!
//! The grammar: terms separated by blanks must all hold, `|` separates alternatives, `!` before a term turns it round.
//!
//! | term | holds if |
//! |---|---|
//! | `text` | namespace, name or any word of the row contains it |
//! | `column:text` | the column shows it; a column may be shortened as long as it is one only |
//! | `column:=text`, `column:!=text` | the column shows exactly that, or does not |
//! | `column:>5` (`>= < <=`) | number (`5`), quantity (`500m`, `2Gi`) or age (`5m`, `3h`, `2d`) compare so |
//! | `label:key`, `label:key=value`, `label:key!=value` | as in a label selector |
//! | `/regex/`, `column:/regex/` | it matches |
//!
//! Text in double quotes may hold blanks. Text in lower case also finds upper case (ASCII), as in vim's smart case.

mod bound;
mod explain;
mod number;
mod parse;
mod pattern;

pub use bound::Bound;
pub use explain::Explained;

use super::decl::{Column, TableSpec, Word};
use number::{Literal, Op};
use pattern::Pattern;

/// A parsed filter of one table.
#[derive(Clone, Debug, Default)]
pub struct Query {
    source: String,
    /// Alternatives, each a list of terms that must all hold. None: every row passes.
    any: Vec<Vec<Term>>,
    /// Words of the table that free text looks at.
    texts: Vec<Word>,
    needs: u64,
    terms: usize,
}

/// A text as a value of a filter, whatever it holds.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[derive(Clone, Debug)]
struct Term {
    not: bool,
    test: Test,
    /// Number within the query, for its memo.
    id: usize,
}

#[derive(Clone, Debug)]
enum Test {
    Text(Pattern),
    Shows(&'static Column, Pattern),
    Is { column: &'static Column, text: String, fold: bool, number: Option<Literal> },
    Compares(&'static Column, Op, Literal),
    Label { key: String, want: Want },
}

#[derive(Clone, Debug, PartialEq)]
enum Want {
    Any,
    Value(String),
    /// As in a label selector, an object without the key is another value too.
    Other(String),
}

impl Query {
    /// Reads a filter. The error names the place and what would be right.
    pub fn parse(source: &str, spec: &TableSpec) -> Result<Query, Explained> {
        parse::parse(source, spec)
    }

    /// Rows whose `column` shows exactly `text`, in its case: the scope of a view, such as the pods of one node.
    pub fn exact(column: &'static Column, text: &str) -> Query {
        let test = Test::Is { column, text: text.to_owned(), fold: false, number: None };
        Query {
            source: format!("{}:=\"{text}\"", column.id),
            any: vec![vec![Term { not: false, test, id: 0 }]],
            needs: column.needs,
            terms: 1,
            texts: vec![],
        }
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether every row passes.
    pub fn is_empty(&self) -> bool {
        self.any.is_empty()
    }

    /// Words (and [`super::decl::TALLIED`]) its verdict depends on: a change elsewhere needs no new test.
    pub fn needs(&self) -> u64 {
        self.needs
    }

    /// What a test of one row costs, in tests of one free text.
    pub fn cost(&self) -> usize {
        let cost =
            |t: &Term| if matches!(t.test, Test::Text(_) | Test::Label { .. }) { 1 } else { 3 };
        self.any.iter().flatten().map(cost).sum::<usize>().max(1)
    }

    /// Whether every row that passes this passes `old` too, so that only those need a test. May say no where the
    /// answer is yes; never the other way round. Says nothing of ages, which move by themselves: see [`Bound::clock`].
    pub fn is_narrower_than(&self, old: &Query) -> bool {
        let implied =
            |new: &[Term], old: &[Term]| old.iter().all(|o| new.iter().any(|n| n.implies(o)));
        old.is_empty()
            || !self.is_empty()
                && self.any.iter().all(|new| old.any.iter().any(|old| implied(new, old)))
    }

    /// Ready to test rows at a time.
    pub fn bind(&self, now: super::time::Epoch) -> Bound {
        Bound::new(self.clone(), now)
    }
}

impl Term {
    fn implies(&self, old: &Term) -> bool {
        match (self.not, old.not) {
            (false, false) => self.test.implies(&old.test),
            (true, true) => old.test.implies(&self.test),
            _ => false,
        }
    }
}

impl Test {
    fn implies(&self, old: &Test) -> bool {
        match (self, old) {
            (Test::Text(new), Test::Text(old)) => new.implies(old),
            (Test::Shows(a, new), Test::Shows(b, old)) => a.id == b.id && new.implies(old),
            (Test::Compares(a, op, new), Test::Compares(b, old_op, old)) => {
                a.id == b.id && op == old_op && new == old
            }
            (Test::Label { key: a, want: new }, Test::Label { key: b, want: old }) => {
                a == b && (new == old || matches!((new, old), (Want::Value(_), Want::Any)))
            }
            (
                Test::Is { column: a, text: new, fold: fa, .. },
                Test::Is { column: b, text: old, fold: fb, .. },
            ) => a.id == b.id && new == old && fa == fb,
            _ => false,
        }
    }
}
