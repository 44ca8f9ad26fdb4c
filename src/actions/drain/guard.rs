//! What makes a drain stop by itself: the cluster takes what was moved worse than was thought.
//!
//! A pause is said once per cause. Whoever resumes has seen it, and is not asked about the same pod or budget again.

use super::budget::BudgetId;
use super::engine::Drain;
use super::facts::{PodFacts, Tick};
use std::collections::{BTreeMap, BTreeSet};

/// A moved pod that no node takes for so long pauses the drain, ms. A scheduler and an image pull need a few seconds; a
/// cluster autoscaler that is about to add a node needs minutes, and the operator knows whether there is one.
const PENDING: Tick = 60_000;

/// A budget that evictions of this drain made short for so long pauses it, ms.
const SHORT: Tick = 300_000;

/// A pod without a node.
#[derive(Clone, Debug)]
struct Waits {
    path: String,
    owner: String,
    since: Tick,
    why: String,
}

/// What a drain keeps an eye on beside its own pods.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    /// uids of controllers of which a pod was moved.
    owners: BTreeSet<String>,
    waits: BTreeMap<String, Waits>,
    /// Budgets that carried an eviction, and since when they are short.
    touched: BTreeMap<BudgetId, Option<Tick>>,
    told: BTreeSet<String>,
    began: Tick,
    /// Pods that were made after the drain began, in place of one it had moved, and had to move again.
    pub twice: usize,
}

impl Guard {
    pub fn waits(&mut self, pod: PodFacts, why: String, now: Tick) {
        let since = self.waits.get(&pod.uid).map_or(now, |w| w.since);
        let owner = pod.owner.as_ref().map(|o| o.uid.clone()).unwrap_or_default();
        let path = pod.path();
        self.waits.insert(pod.uid, Waits { path, owner, since, why });
    }

    pub fn taken(&mut self, uid: &str) {
        self.waits.remove(uid);
    }
}

impl Drain {
    /// An eviction was accepted.
    pub(super) fn moved(&mut self, pod: &PodFacts) {
        let guard = &mut self.guard;
        if let Some(owner) = &pod.owner {
            let again = !guard.owners.insert(owner.uid.clone());
            guard.twice += usize::from(again && pod.created > guard.began);
        }
        for (id, _) in self.gates.iter().filter(|(_, g)| g.covers(pod)) {
            self.guard.touched.entry(id.clone()).or_default();
        }
    }

    /// Pods that were moved and that no node takes: path, seconds, and why.
    pub fn homeless(&self, now: Tick) -> Vec<(String, u64, String)> {
        let guard = &self.guard;
        let mine = guard.waits.values().filter(|w| guard.owners.contains(&w.owner));
        mine.map(|w| (w.path.clone(), now.saturating_sub(w.since) / 1000, w.why.clone())).collect()
    }

    /// Pauses all where a moved pod stays without a node, or a budget stays short.
    pub(super) fn watch_over(&mut self) {
        let now = self.now;
        if self.guard.began == 0 {
            self.guard.began = now;
        }
        for (id, since) in &mut self.guard.touched {
            let facts = self.gates.get(id).and_then(|g| g.facts.as_ref());
            let short = facts.is_some_and(|f| f.current() && f.healthy < f.wanted);
            *since = short.then(|| since.unwrap_or(now));
        }
        if self.paused.is_some() || self.nodes.iter().all(|n| !n.active()) {
            return;
        }
        let guard = &self.guard;
        let pods = guard.waits.values().filter(|w| guard.owners.contains(&w.owner)).map(|w| {
            let words = format!("{} finds no node: {}", w.path, w.why);
            (w.since + PENDING, w.path.clone(), words)
        });
        let budgets = guard.touched.iter().filter_map(|(id, since)| {
            let facts = self.gates.get(id)?.facts.as_ref()?;
            let words = format!(
                "budget {id} stays short: {} healthy, {} wanted",
                facts.healthy, facts.wanted
            );
            Some(((*since)? + SHORT, id.to_string(), words))
        });
        let open = |c: &(Tick, String, String)| !guard.told.contains(&c.1);
        let next = pods.chain(budgets).filter(open).min();
        let Some((at, cause, words)) = next else { return };
        if now < at {
            return self.wait(at);
        }
        self.guard.told.insert(cause);
        self.note(format!("paused: {words}"));
        self.paused = Some(words);
    }
}
