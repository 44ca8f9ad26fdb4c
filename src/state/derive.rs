//! Words of a row that follow from rows of other tables: worked out anew when one of those tables changed, so that sorting,
//! filtering, counting and printing see them as they see every other word.
//!
//! For tables of hundreds of rows. What follows from many rows by adding is a tally.

use super::decl::{TALLIED, Word};
use super::kinds;
use super::store::Store;

/// A row by its slot, and the texts of its derived words.
pub type Texts = (u32, Vec<String>);

/// Words that follow from other rows.
pub struct Derived {
    /// The table whose rows have them.
    pub table: &'static str,
    /// The tables they follow from.
    pub from: &'static [&'static str],
    /// The words, all of them texts.
    pub words: &'static [Word],
    /// Works them out.
    pub work: fn(&Store) -> Vec<Texts>,
}

/// Every set of derived words.
pub static ALL: &[&Derived] = &[&kinds::certificate_requests::DERIVED];

impl Derived {
    /// Whether it follows from a table in which words changed.
    pub(super) fn follows(&self, table: &str, mask: u64) -> bool {
        mask & !TALLIED != 0 && self.from.contains(&table)
    }
}
