//! How a feed is: health is data, shown where the rows would be.

use super::time::Epoch;

/// A feed of one store: a kind in a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeedId(pub u16);

/// The state of a feed in words an operator can act on.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Health {
    /// Not asked for.
    #[default]
    Off,
    /// The initial list is arriving: rows so far, and the total if the server told it.
    Starting {
        /// Rows received.
        have: u64,
        /// Rows to expect.
        of: Option<u64>,
    },
    /// Rows follow the cluster; the time something was last heard (an event, a bookmark, an answer to a probe).
    Live(Epoch),
    /// Nothing was heard since this time, although something should have been.
    Stale(Epoch),
    /// A 403: the verb and resource the server refused, in its words.
    Denied {
        /// `list` or `watch`.
        verb: &'static str,
        /// `pods`, `nodes`.
        resource: String,
        /// The server's own sentence.
        message: String,
    },
    /// Listing works, watching is refused: rows are right as of this time and listed again now and then.
    Polled {
        /// Time of the list shown.
        at: Epoch,
        /// Seconds between lists.
        every: u32,
    },
    /// The server does not know the kind.
    Missing,
    /// Not reachable; when it is tried again.
    Down {
        /// What failed, in words.
        fault: String,
        /// Next attempt.
        retry: Epoch,
    },
}

/// How complete a joined value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The feed behind it is live over the whole cluster.
    Exact,
    /// The list is still arriving, or covers only some namespaces, or is old.
    Partial,
    /// There is no such feed, or it is refused.
    None,
}
