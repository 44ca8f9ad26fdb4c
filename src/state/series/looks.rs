//! Which tables are looked at now and then, whether their rows are right, and how far apart the looks are.

use super::ROWS;
use crate::state::health::Health;
use crate::state::kinds::usage::{INTO, measured};
use crate::state::store::Store;
use crate::state::time::Epoch;

/// Seconds between two looks from which on one was left out between them, and how long the one before held: looks are 15 s apart,
/// and rest while their page is not on screen.
pub(super) const MISSED: (i64, i64) = (40, 20);
/// The same of tables so large that they are looked at each minute.
pub(super) const MISSED_LARGE: (i64, i64) = (90, 70);
/// Whether rows of a table are right at the moment.
pub fn is_heard(store: &Store, table: u8) -> bool {
    let heard = |health: &Health| {
        matches!(health, Health::Live(_) | Health::Polled { .. } | Health::Surveyed { .. })
    };
    store.feeds.iter().any(|feed| feed.table == table && heard(&feed.health))
}

/// Whether a table's rows are read all at once, now and then.
pub(super) fn is_surveyed(store: &Store, table: u8) -> bool {
    let surveyed = |health: &Health| matches!(health, Health::Surveyed { .. });
    store.feeds.iter().any(|feed| feed.table == table && surveyed(&feed.health))
}

/// The tables that are looked at now and then, or whose rows take what is, and when that was.
pub(super) fn looks(store: &Store) -> Vec<(u8, Epoch)> {
    let looked = store.feeds.iter().filter_map(|feed| match feed.health {
        Health::Surveyed { at, .. } => Some((feed.table, at)),
        _ => None,
    });
    let into = |table: u8| {
        let id = store.table_at(table).spec.id;
        match INTO.iter().find(|into| into.from == id) {
            Some(into) => store.table_index(into.table),
            None => Some(table),
        }
    };
    looked.filter_map(|(table, at)| Some((into(table)?, at))).collect()
}

/// The words of a table's rows that are measured; none if all of them are.
pub(super) fn measured_mask(table: &str) -> u64 {
    measured(table).iter().fold(0, |mask, word| mask | word.bit())
}

/// Whether a table has so many rows that its looks are rare and not noted.
pub(super) fn is_large(store: &Store, table: u8) -> bool {
    store.table_at(table).len() > ROWS
}

/// How far apart looks at a table are when one was left out, and how long what was seen holds.
pub(super) fn missed(store: &Store, table: u8) -> (i64, i64) {
    if is_large(store, table) { MISSED_LARGE } else { MISSED }
}
