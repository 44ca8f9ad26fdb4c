//! Joins that move: sums over one table's rows, kept per key while rows change.
//!
//! `apply` sees the old and the new row, so a join is updated there and never scanned for at read time.

use super::intern::Sym;
use super::row::Row;
use hashbrown::HashMap;

/// Numbers a tally may keep per key.
pub const MAX_SUMS: usize = 12;

/// A sum over rows, declared by the table whose rows feed it.
pub struct Tally {
    /// Its id; readers name it.
    pub id: &'static str,
    /// The table whose rows show the sums, found by name; empty for cluster totals.
    pub to: &'static str,
    /// Which row of `to` (by name), or [`Sym::NONE`] for totals. `None`: this row does not count.
    pub key: fn(Row<'_>) -> Option<Sym>,
    /// Adds (`sign` 1) or takes away (`sign` -1) a row.
    pub add: fn(&mut [i64; MAX_SUMS], Row<'_>, i64),
}

/// Adds an amount to a sum, or takes it away. Wraps, so that what was added is taken away exactly however absurd it was.
pub fn add(sum: &mut i64, sign: i64, amount: i64) {
    *sum = sum.wrapping_add(amount.wrapping_mul(sign));
}

type Amounts = [i64; MAX_SUMS];

/// A tally at work: its sums, and the table whose rows show them.
pub(super) struct Join {
    pub tally: &'static Tally,
    /// Index of the table whose rows show the sums; none for totals.
    pub to: Option<u8>,
    by_key: HashMap<Sym, Amounts>,
    /// The key of the row last taken away, and its sums before that.
    was: Option<(Sym, Amounts)>,
}

impl Join {
    pub fn new(tally: &'static Tally, to: Option<u8>) -> Join {
        Join { tally, to, by_key: HashMap::new(), was: None }
    }

    /// The sums of a key, zeros if nothing counted.
    pub fn get(&self, key: Sym) -> Amounts {
        self.by_key.get(&key).copied().unwrap_or_default()
    }

    /// Adds or takes away a row; returns the key if the row counts.
    pub fn count(&mut self, row: Row<'_>, sign: i64) -> Option<Sym> {
        let key = (self.tally.key)(row)?;
        let sums = self.by_key.entry(key).or_default();
        (self.tally.add)(sums, row, sign);
        if *sums == Amounts::default() {
            self.by_key.remove(&key);
        }
        Some(key)
    }

    /// Takes away a row that is about to change.
    pub fn lift(&mut self, row: Row<'_>) {
        self.was = (self.tally.key)(row).map(|key| (key, self.get(key)));
        self.count(row, -1);
    }

    /// Adds the row again; returns the keys whose sums are now others, so that a change that no sum shows wakes nobody.
    pub fn settle(&mut self, row: Row<'_>) -> [Option<Sym>; 2] {
        let now = self.count(row, 1);
        match (self.was.take(), now) {
            (Some((old, sums)), Some(new)) if old == new => {
                [(self.get(new) != sums).then_some(new), None]
            }
            (was, now) => [was.map(|(key, _)| key), now],
        }
    }
}
