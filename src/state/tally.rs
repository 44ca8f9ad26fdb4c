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

/// The sums of one tally.
#[derive(Default)]
pub struct Sums {
    by_key: HashMap<Sym, [i64; MAX_SUMS]>,
}

impl Sums {
    /// The sums of a key, zeros if nothing counted.
    pub fn get(&self, key: Sym) -> [i64; MAX_SUMS] {
        self.by_key.get(&key).copied().unwrap_or_default()
    }

    /// Adds or takes away a row; returns the key if the row counts.
    pub fn count(&mut self, tally: &Tally, row: Row<'_>, sign: i64) -> Option<Sym> {
        let key = (tally.key)(row)?;
        let sums = self.by_key.entry(key).or_default();
        (tally.add)(sums, row, sign);
        if *sums == [0; MAX_SUMS] {
            self.by_key.remove(&key);
        }
        Some(key)
    }
}
