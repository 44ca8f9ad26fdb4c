//! The journal's size has a bound: of runs that are long over, the oldest go.
//!
//! Kept are the last [`RUNS`] runs and all of the last [`DAYS`] days, and beyond that every run that is not over: without
//! an end, alive, with a result that nobody knows, with records that cannot be understood, or being put back.

use super::lock::{Gate, Held};
use super::{Journal, Trouble};
use crate::state::journal::Standing;
use crate::state::time::Epoch;
use std::collections::HashSet;

/// Runs that are kept whatever their age.
pub const RUNS: usize = 1000;
/// Days for which every run is kept.
pub const DAYS: i64 = 90;
/// Runs looked at in one go, so that a run begins without a noticeable wait.
const AT_ONCE: usize = 200;

impl Journal {
    /// Removes runs that are long over; how many.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn prune(&self, now: f64) -> Result<usize, Trouble> {
        self.prune_to(RUNS, now - (DAYS * 86_400) as f64)
    }

    /// Of the runs beyond the newest `keep`, removes those that are over and began before `before`, oldest first.
    pub(super) fn prune_to(&self, keep: usize, before: f64) -> Result<usize, Trouble> {
        let names = self.names()?;
        if names.len() <= keep {
            return Ok(0);
        }
        let day = Epoch(before as i64).rfc3339();
        let day: String = day.chars().filter(char::is_ascii_alphanumeric).collect();
        // Names begin with the time, so most need not be opened to know that they are younger.
        let old = names[keep..].iter().rev().filter(|name| name.as_str() < day.as_str());
        let old: Vec<&String> = old.take(AT_ONCE).collect();
        if old.is_empty() {
            return Ok(0);
        }
        let undoing = self.being_undone(&names);
        Ok(old.into_iter().filter(|run| !undoing.contains(*run) && self.remove(run)).count())
    }

    /// Removes a run unless it is not over. The folder's gate keeps others from taking it up meanwhile.
    fn remove(&self, run: &str) -> bool {
        let Ok(story) = self.read(run) else { return false };
        let over = matches!(story.standing(), Standing::Ended(_))
            && story.open_intents().count() == 0
            && story.damaged.is_empty()
            && story.strange.is_empty()
            && !story.torn;
        let Ok(gate) = Gate::make(&self.folder) else { return false };
        let free = || {
            let file = std::fs::File::open(self.path(run)).ok()?;
            gate.held(&file).ok().filter(|held| *held == Held::Free)
        };
        over && free().is_some() && std::fs::remove_file(self.path(run)).is_ok()
    }

    /// Runs that an undo which is not over puts back. The youngest are looked at: an undo does not last for days.
    fn being_undone(&self, names: &[String]) -> HashSet<String> {
        let stories = names.iter().take(AT_ONCE).filter_map(|name| self.read(name).ok());
        let open = stories.filter(|s| !matches!(s.standing(), Standing::Ended(_)));
        let of = open.filter_map(|s| {
            let run = s.began.title.strip_prefix("undo ")?.split(':').next()?;
            (s.began.action == "undo").then(|| run.to_owned())
        });
        of.collect()
    }
}
