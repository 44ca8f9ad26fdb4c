//! The mark on nodes that are being drained: who drains them from where, and when that was last said. Another wheelhouse
//! reads it before it begins, and a drain whose machine is gone is told from one that lives.

use crate::state::text::clean;
use crate::state::time::{Epoch, parse_rfc3339};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

pub use crate::actions::drain::wire::MARK;

/// How often a living drain renews its mark.
pub const EVERY: Duration = Duration::from_secs(60);

/// A mark that was not renewed for so long is of a drain that does not run any more, s.
const DEAD: i64 = 180;

/// What the mark says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The run's name in its journal.
    pub run: String,
    /// `login@host`.
    pub by: String,
    /// RFC 3339, by the server's clock.
    pub at: String,
}

impl Mark {
    /// The annotation's text.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The mark of a node.
    pub fn of(node: &Value) -> Option<Mark> {
        serde_json::from_str(node["metadata"]["annotations"][MARK].as_str()?).ok()
    }

    /// Seconds since it was renewed; `None` if it does not say when.
    pub fn age(&self, now: Epoch) -> Option<i64> {
        parse_rfc3339(&self.at).map(|at| now.0 - at.0)
    }

    /// Whether the drain it speaks of runs.
    pub fn lives(&self, now: Epoch) -> bool {
        self.age(now).is_some_and(|age| age < DEAD)
    }
}

/// Who else drains this node, in words.
pub fn others(node: &Value, now: Epoch) -> Option<String> {
    let mark = Mark::of(node)?;
    let name = node["metadata"]["name"].as_str().unwrap_or_default();
    let age = mark.age(now).unwrap_or(0);
    Some(
        clean(&match mark.lives(now) {
            true => format!(
                "{name} is being drained by {} (run {}), last sign {age} s ago",
                mark.by, mark.run
            ),
            false => format!(
                "{name} carries the mark of a drain by {} (run {}) that gave no sign for {age} s",
                mark.by, mark.run
            ),
        })
        .into_owned(),
    )
}
