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

/// The column ids nearest to what was typed, nearest first.
pub(super) fn nearest(typed: &str, spec: &TableSpec) -> String {
    let mut ids: Vec<(usize, &str)> =
        spec.columns.iter().map(|c| (distance(typed, c.id), c.id)).collect();
    ids.sort_by_key(|&(far, _)| far);
    ids.iter().take(3).map(|&(_, id)| id).collect::<Vec<_>>().join(", ")
}

/// Letters to insert, drop or replace to get from `typed` to the beginning of `id`; a longer id costs nothing much.
fn distance(typed: &str, id: &str) -> usize {
    // As in `nodename`, which is how the API calls it.
    if typed.starts_with(id) {
        return 0;
    }
    let id: Vec<char> = id.chars().collect();
    let mut row: Vec<usize> = (0..=id.len()).collect();
    for (i, a) in typed.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in id.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.into_iter().min().unwrap_or(0)
}
