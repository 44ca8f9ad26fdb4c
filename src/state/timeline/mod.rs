//! What happened in a cluster, in the order of time: events, summed up, and the operator's own actions among them.
//!
//! Events are news, not objects: a server forgets them after an hour, which says nothing about the cluster. What is kept
//! here is bounded by number.

mod deeds;
mod hours;
mod ring;

pub use deeds::Deed;
pub use hours::{BARS, Hours};
pub use ring::{Class, Ring, Sighting, Sum, Took};

use crate::state::kinds::events;
use crate::state::parcel::Key;
use crate::state::table::Table;
use crate::state::time::Epoch;
use hashbrown::HashSet;

/// Events kept.
pub const MOST: usize = 50_000;

/// The events of one cluster.
pub struct Timeline {
    /// Those kept.
    pub ring: Ring,
    /// How often each reason came up.
    pub hours: Hours,
    /// What waits while the rows stand still.
    pub held: Option<Held>,
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline { ring: Ring::new(MOST), hours: Hours::default(), held: None }
    }
}

/// What happened since the rows stand still.
pub struct Held {
    /// Since when they do.
    pub since: Epoch,
    /// Rows that are new, or will look otherwise.
    pub table: Table,
    /// Rows that will go.
    pub gone: HashSet<Key>,
}

impl Held {
    /// Nothing happened yet.
    pub fn new(since: Epoch) -> Held {
        Held { since, table: Table::new(&events::TABLE, false), gone: HashSet::new() }
    }
}

#[cfg(test)]
mod tests;
