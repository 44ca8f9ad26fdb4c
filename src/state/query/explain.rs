//! Why a filter cannot be read, in words that say what would be right.

use crate::state::decl::TableSpec;
use std::fmt;
use std::ops::Range;

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The bytes it is about.
    pub at: Range<usize>,
    /// What is wrong and what would be right.
    pub why: String,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Explained {}

/// The column ids somebody may have meant, nearest first.
pub(super) fn nearest(typed: &str, spec: &TableSpec) -> String {
    crate::state::nearest::nearest(typed, spec.columns.iter().map(|c| c.id)).join(", ")
}
