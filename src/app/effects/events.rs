//! What the events desk needs from outside: the journal, and the server's counts.

use super::Effects;
use crate::app::cluster::count;
use crate::app::journal::Journal;
use crate::app::msg::{Msg, SessionId};
use crate::state::cell::grouped;
use crate::state::cluster::Cluster;
use crate::state::time::Epoch;
use crate::state::timeline::Deed;

/// Runs looked into, and how far back: a screen of events seldom reaches further, and files are read one by one.
const RUNS: usize = 200;
const BACK: i64 = 24 * 3600;

impl Effects {
    pub(super) fn read_deeds(&self, id: SessionId) {
        let (post, cluster) = (self.post.clone(), self.connection.cluster.clone());
        let now = (self.connection.upstream.clock)();
        self.runtime.spawn_blocking(move || post(Msg::Deeds(id, deeds(&cluster, now))));
    }

    pub(super) fn count_events(&self, id: SessionId) {
        let (client, post) = (self.connection.client.clone(), self.post.clone());
        self.runtime.spawn(async move {
            let counts = count::by_namespace(&client, "", "v1", "events").await;
            post(Msg::Counted(id, counts.map(|c| words(&c)).map_err(|fault| fault.to_string())));
        });
    }
}

/// What was done from here on a server, out of the operator's journal. Blocks.
pub fn deeds(cluster: &Cluster, now: Epoch) -> Vec<Deed> {
    // Without a journal nothing was done from here: changes are refused then.
    let home = Journal::home().ok();
    home.and_then(|home| recent(&home, cluster, Epoch(now.0 - BACK))).unwrap_or_default()
}

/// What was done on a server since a time, out of the newest runs.
fn recent(journal: &Journal, cluster: &Cluster, since: Epoch) -> Option<Vec<Deed>> {
    let runs = journal.recent(RUNS).ok()?;
    let mut deeds = vec![];
    for run in runs {
        // What cannot be read is told by `wheelhouse journal`, not here.
        let Ok(story) = journal.read(&run) else { continue };
        if story.has_header() && (story.at as i64) < since.0 {
            break;
        }
        // Each demo cluster begins and ends with its process.
        let here = !cluster.demo || story.began.pid == std::process::id();
        if here && story.began.server == cluster.server {
            deeds.extend(Deed::of(&story));
        }
    }
    Some(deeds)
}

/// The counts as a page, the fullest namespace first.
fn words(counts: &count::Counts) -> String {
    let n = |n: Option<u64>| n.map_or("?".into(), |n| grouped(n as i64));
    let mut lines = vec![format!("{} in the cluster", n(counts.total))];
    lines.extend(counts.namespaces.iter().map(|(name, count)| format!("{name}: {}", n(*count))));
    lines.extend(counts.missing.clone());
    lines.join("\n")
}
