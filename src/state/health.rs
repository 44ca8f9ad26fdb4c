//! How a feed is: health is data, shown where the rows would be.

use super::cell::{Role, grouped};
use super::time::{Epoch, span};

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
    /// Everything was looked through once; rows are right as of this time. What could not be read, a sentence each.
    Surveyed {
        /// Time of the survey's end.
        at: Epoch,
        /// What is missing from it.
        unread: Vec<String>,
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

impl Health {
    /// How bad it is: a view shows the worst of its feeds.
    pub fn rank(&self) -> u8 {
        match self {
            Health::Live(_) => 0,
            Health::Polled { .. } | Health::Surveyed { .. } => 1,
            Health::Starting { .. } => 2,
            Health::Off => 3,
            Health::Missing => 4,
            Health::Denied { .. } => 5,
            Health::Stale(_) => 6,
            Health::Down { .. } => 7,
        }
    }

    /// The words of the header: without the reason, which is too long to stand there for minutes.
    pub fn brief(&self, now: Epoch) -> (Role, String) {
        match self {
            Health::Down { retry, .. } => {
                (Role::Bad, format!("down, next try in {}", span(retry.0 - now.0)))
            }
            Health::Surveyed { at, unread } if !unread.is_empty() => {
                let age = span(at.age(now));
                (Role::Warn, format!("surveyed {age} ago, {} not read", unread.len()))
            }
            health => health.words(now),
        }
    }

    /// All there is to say.
    pub fn words(&self, now: Epoch) -> (Role, String) {
        match self {
            Health::Off => (Role::Dim, "not followed".into()),
            Health::Starting { have, of } => {
                let have = grouped(*have as i64);
                let of = of.map(|n| format!(" of ~{}", grouped(n as i64))).unwrap_or_default();
                (Role::Accent, format!("starting {have}{of}"))
            }
            // A bookmark comes about once a minute, so a minute of silence is no news.
            Health::Live(heard) => match heard.age(now) {
                ..75 => (Role::Ok, "live".into()),
                secs => (Role::Warn, format!("live, last byte {} ago", span(secs))),
            },
            Health::Stale(since) => (Role::Bad, format!("stale since {}", span(since.age(now)))),
            Health::Denied { verb, resource, .. } => {
                (Role::Warn, format!("denied: {verb} {resource}"))
            }
            Health::Polled { at, every } => (
                Role::Warn,
                format!("no watch right: listed {} ago, every {every} s", span(at.age(now))),
            ),
            Health::Surveyed { at, unread } => {
                let age = span(at.age(now));
                match unread.is_empty() {
                    true => (Role::Ok, format!("surveyed {age} ago")),
                    false => (Role::Warn, format!("surveyed {age} ago; {}", unread.join("; "))),
                }
            }
            Health::Missing => (Role::Dim, "the server does not know this kind".into()),
            Health::Down { fault, retry } => {
                (Role::Bad, format!("down: {fault}; next try in {}", span(retry.0 - now.0)))
            }
        }
    }

    /// When something was last heard, in words.
    pub fn heard(&self, now: Epoch) -> Option<String> {
        match self {
            Health::Live(at) => Some(format!("last byte {} ago", span(at.age(now)))),
            _ => None,
        }
    }

    /// Whether the words move with the clock.
    pub fn ticks(&self) -> bool {
        matches!(
            self,
            Health::Stale(_)
                | Health::Down { .. }
                | Health::Polled { .. }
                | Health::Surveyed { .. }
        )
    }
}
