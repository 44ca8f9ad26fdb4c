//! One pod of a drain.

use super::budget::BudgetId;
use super::classify::{Class, Decision};
use super::facts::{PodFacts, Tick};

/// Why the server refused, last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A budget: its gate knows more.
    Budget(BudgetId),
    /// More than one budget.
    TwoBudgets(String),
    /// An admission webhook.
    Webhook(String),
    /// No right to it.
    Forbidden(String),
    /// The namespace is going.
    NamespaceTerminating,
    /// Anything else: HTTP status and message.
    Failed(u16, String),
}

/// One pod of a drain.
#[derive(Clone, Debug)]
pub struct Pod {
    /// As last seen. A deletion once seen stays.
    pub facts: PodFacts,
    /// Its classes.
    pub classes: Vec<Class>,
    /// What is done with it.
    pub decision: Decision,
    /// When it was first seen.
    pub seen: Tick,
    /// The request that has no answer yet.
    pub sent: Option<u64>,
    /// When its eviction or deletion was accepted. Nothing is sent for it after that.
    pub accepted: Option<Tick>,
    /// A request's answer was lost, since when and why: the pod is read again before another is sent.
    pub unsure: Option<(Tick, String)>,
    /// It is gone; `true` if that was seen, `false` if a list did not have it.
    pub gone: Option<bool>,
    /// Nothing is sent before.
    pub retry_at: Tick,
    /// Refusals in a row, for the pause between them.
    pub tries: u32,
    /// Why the server refused, last.
    pub refusal: Option<Refusal>,
    /// The operator skips it.
    pub skipped: bool,
}

/// The pause after so many refusals in a row: 5 s, doubling to a minute.
pub fn pause(tries: u32) -> Tick {
    (5_000 << tries.saturating_sub(1).min(4)).min(60_000)
}

impl Pod {
    /// A pod seen for the first time.
    pub fn new(facts: PodFacts, classes: Vec<Class>, decision: Decision, now: Tick) -> Pod {
        Pod {
            facts,
            classes,
            decision,
            seen: now,
            sent: None,
            accepted: None,
            unsure: None,
            gone: None,
            retry_at: 0,
            tries: 0,
            refusal: None,
            skipped: false,
        }
    }

    /// It is as told now. What was seen once is not forgotten: a watch may lag behind a list.
    pub fn saw(&mut self, facts: PodFacts) {
        let deletion = facts.deletion.or(self.facts.deletion);
        self.facts = PodFacts { deletion, ..facts };
        if self.gone == Some(false) {
            self.gone = None;
        }
        if self.facts.deletion.is_some() {
            self.unsure = None;
            self.refusal = None;
        }
    }

    /// On its way out, as far as is known.
    pub fn going(&self) -> bool {
        self.accepted.is_some() || self.facts.deletion.is_some()
    }

    /// Why the drain does not wait for it, if it does not. `patience`: `--skip-wait-for-delete-timeout`, ms.
    pub fn left(&self, patience: Tick, now: Tick) -> Option<String> {
        if self.skipped {
            return Some("skipped by the operator".to_owned());
        }
        if let Decision::Leave(why) = &self.decision {
            return Some(why.clone());
        }
        let stuck = self.facts.deletion.is_some_and(|d| now > d.at + patience);
        (patience > 0 && stuck)
            .then(|| format!("terminating for more than {} s past its grace", patience / 1000))
    }

    /// Whether the drain waits for it.
    pub fn remains(&self, patience: Tick, now: Tick) -> bool {
        self.gone.is_none() && self.left(patience, now).is_none()
    }

    /// Whether something may be sent for it, budgets and times aside.
    pub fn waits(&self, patience: Tick, now: Tick) -> bool {
        self.remains(patience, now)
            && !self.going()
            && self.sent.is_none()
            && self.unsure.is_none()
            && matches!(self.decision, Decision::Evict | Decision::Delete)
    }

    /// Refused: not again before a pause that grows.
    pub fn refused(&mut self, why: Refusal, now: Tick) {
        self.tries += 1;
        self.retry_at = now + pause(self.tries);
        self.refusal = Some(why);
    }
}
