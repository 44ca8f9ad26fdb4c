//! The gate of one budget: how many evictions may be under way, and when a refused one is tried again.

use super::budget::{BudgetFacts, BudgetId};
use super::facts::{PodFacts, Tick};
use std::collections::{BTreeMap, BTreeSet};

/// Pause between tries that no change of the budget asked for, ms.
pub const SLOW: Tick = 20_000;

/// An accepted eviction that a later status does not list as disrupted was worked into it after this, ms.
const WORKED_IN: Tick = 5_000;

/// And after this even without a later status: an eviction that took no unit changes none, ms.
const FORGOTTEN: Tick = 10_000;

/// An eviction under the budget.
#[derive(Clone, Debug)]
struct Hold {
    pod: String,
    answered: Option<Tick>,
}

/// What a gate says to an eviction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// It takes no unit.
    Free,
    /// It takes one.
    Takes,
    /// Not now; to be asked again then, if the budget did not move before.
    No(Option<Tick>),
}

/// The gate of one budget.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// The budget as last seen; none if it was only named by a refusal.
    pub facts: Option<BudgetFacts>,
    /// What the server said when it refused, until the budget moved.
    pub closed: Option<String>,
    /// Its pods were asked for.
    pub followed: bool,
    /// All of its pods are known.
    pub listed: bool,
    holds: BTreeMap<String, Hold>,
    not_before: Tick,
    posted: Option<Tick>,
    wanted: Option<Tick>,
    /// Owners, or pods without one, that a refusal by an unseen budget was about.
    members: BTreeSet<String>,
}

impl Gate {
    /// Whether the budget is about this pod.
    pub fn covers(&self, pod: &PodFacts) -> bool {
        match &self.facts {
            Some(facts) => facts.covers(pod),
            None => self.members.contains(member(pod)),
        }
    }

    /// Whether the last status has no room beside the evictions that it does not show yet.
    pub fn full(&self) -> bool {
        self.facts.as_ref().is_some_and(|f| self.holds.len() >= f.room())
    }

    /// Whether the server said to come back later than now.
    pub fn held_back(&self, now: Tick) -> bool {
        now < self.not_before
    }

    /// A refusal by a budget that was not seen: pods of the same owner are taken to be under it too.
    pub fn learn(&mut self, pod: &PodFacts) {
        self.members.insert(member(pod).to_owned());
    }

    /// The budget as it is now. A refusal is forgotten if it changed and lets something pass.
    pub fn moved(&mut self, facts: BudgetFacts, now: Tick) {
        if facts.room() > 0 && self.facts.as_ref() != Some(&facts) {
            self.closed = None;
        }
        let old = |at: Tick| now >= at + WORKED_IN;
        self.holds.retain(|_, h| match h.answered {
            Some(at) => !facts.disrupted.contains(&h.pod) && !old(at),
            None => true,
        });
        self.facts = Some(facts);
    }

    /// Whether this pod may be evicted now.
    pub fn pass(&mut self, pod: &PodFacts, now: Tick) -> Pass {
        self.holds.retain(|_, h| h.answered.is_none_or(|at| now < at + FORGOTTEN));
        if now < self.not_before {
            return Pass::No(Some(self.not_before));
        }
        let open = self.closed.is_none();
        let free = match &self.facts {
            Some(facts) if open && !facts.counts(pod) => return Pass::Free,
            Some(facts) => open && self.holds.len() < facts.room(),
            None => open,
        };
        if free {
            self.wanted = None;
            return Pass::Takes;
        }
        let asked = *self.wanted.get_or_insert(now);
        self.slow(asked, now)
    }

    fn slow(&self, asked: Tick, now: Tick) -> Pass {
        if self.holds.values().any(|h| h.answered.is_none()) {
            return Pass::No(None);
        }
        let at = self.posted.map_or(asked, |p| p.max(asked)) + SLOW;
        let release = self.holds.values().filter_map(|h| h.answered).map(|a| a + FORGOTTEN).min();
        match now >= at {
            true => Pass::Takes,
            false => Pass::No(Some(release.map_or(at, |r| r.min(at)))),
        }
    }

    /// An eviction was posted that takes a unit.
    pub fn post(&mut self, pod: &PodFacts, now: Tick) {
        self.posted = Some(now);
        self.wanted = None;
        self.holds.insert(pod.uid.clone(), Hold { pod: pod.name.clone(), answered: None });
    }

    /// It was accepted, or may have been.
    pub fn accepted(&mut self, uid: &str, now: Tick) {
        let Some(hold) = self.holds.get_mut(uid) else { return };
        hold.answered = Some(now);
        // Without a status there is nothing else that could open it again.
        if self.facts.is_none() {
            self.closed = None;
        }
    }

    /// It took nothing.
    pub fn release(&mut self, uid: &str) {
        self.holds.remove(uid);
    }

    /// The server refused because of this budget.
    pub fn close(&mut self, cause: &str) {
        self.closed = Some(cause.to_owned());
    }

    /// The server said when to come back.
    pub fn hold_until(&mut self, at: Tick) {
        self.not_before = self.not_before.max(at);
    }
}

fn member(pod: &PodFacts) -> &str {
    pod.owner.as_ref().map_or(&pod.uid, |o| &o.uid)
}

/// The budget that a refusal's cause names: "The disruption budget X needs ..." (eviction.go). Its name is empty if the
/// cause has another form.
pub fn named(namespace: &str, cause: &str) -> BudgetId {
    let rest = cause.split_once("disruption budget ").map_or("", |(_, rest)| rest);
    let name = rest.split_whitespace().next().unwrap_or_default();
    BudgetId { namespace: namespace.to_owned(), name: name.to_owned() }
}
