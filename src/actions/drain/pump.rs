//! What is sent for pods, and what their answers mean.

use super::budget::BudgetId;
use super::classify::Decision;
use super::engine::{Drain, On};
use super::facts::Tick;
use super::gate::{self, Gate, Pass, SLOW};
use super::node::Phase;
use super::orders::{Order, Outcome, PodRequest, Request};
use super::pod::Refusal;

/// What a gate says while the server works the budget out.
pub(super) const STALE: &str = "it is still being processed by the server";

impl Drain {
    /// Sends what may be sent now.
    pub(super) fn pump(&mut self) {
        if self.now < self.flow_until {
            return self.wait(self.flow_until);
        }
        for at in 0..self.nodes.len() {
            let node = &self.nodes[at];
            let ready = node.phase == Phase::Draining;
            if !ready || self.halted(node) {
                continue;
            }
            for uid in self.turn(&node.mandate.name.clone()) {
                if self.open.len() >= self.mandate.caps.in_flight.max(1) {
                    return;
                }
                self.try_pod(&uid);
            }
        }
        self.patience_ends();
    }

    /// Pods of a node whose turn it is: the critical ones when no other remains.
    pub(super) fn turn(&self, node: &str) -> Vec<String> {
        let (patience, now) = (self.patience(), self.now);
        let here = || self.pods_on(node);
        let ordinary = here().any(|p| p.remains(patience, now) && !p.facts.critical());
        let mine = here().filter(|p| p.waits(patience, now) && p.facts.critical() != ordinary);
        mine.map(|p| p.facts.uid.clone()).collect()
    }

    fn try_pod(&mut self, uid: &str) {
        let now = self.now;
        let Some(pod) = self.pods.get(uid) else { return };
        if now < pod.retry_at {
            return self.wait(pod.retry_at);
        }
        let request = PodRequest {
            namespace: pod.facts.namespace.clone(),
            name: pod.facts.name.clone(),
            uid: uid.to_owned(),
            grace: self.mandate.switches.grace(),
        };
        let decision = pod.decision.clone();
        let step = match decision {
            Decision::Delete => self.send(Request::Delete(request), On::Pod(uid.to_owned())),
            Decision::Evict if self.through_gates(uid) => {
                self.send(Request::Evict(request), On::Pod(uid.to_owned()))
            }
            _ => return,
        };
        if let Some(pod) = self.pods.get_mut(uid) {
            pod.sent = Some(step);
        }
    }

    /// Asks the pod's budgets, and takes their units if all agree.
    fn through_gates(&mut self, uid: &str) -> bool {
        let now = self.now;
        let Some(pod) = self.pods.get(uid) else { return false };
        let facts = pod.facts.clone();
        let mine = |g: &Gate| g.covers(&facts);
        // The server refuses with 500 whatever the budgets say (semantics A4).
        let seen = self.gates.values().filter(|g| g.facts.is_some() && mine(g)).count();
        if seen > 1 && !facts.ignores_budgets() {
            return false;
        }
        if facts.ignores_budgets() && !matches!(pod.refusal, Some(Refusal::Budget(_))) {
            return true;
        }
        let mut takes = vec![];
        for (id, gate) in self.gates.iter_mut().filter(|(_, g)| g.covers(&facts)) {
            match gate.pass(&facts, now) {
                Pass::Free => {}
                Pass::Takes => takes.push(id.clone()),
                Pass::No(until) => {
                    let id = id.clone();
                    self.follow(&id);
                    self.wait(until.unwrap_or(now));
                    return false;
                }
            }
        }
        for id in takes {
            if let Some(gate) = self.gates.get_mut(&id) {
                gate.post(&facts, now);
            }
        }
        true
    }

    /// A budget stands in the way: who holds it is asked for, once.
    fn follow(&mut self, id: &BudgetId) {
        let Some(gate) = self.gates.get_mut(id) else { return };
        if !gate.followed && gate.facts.is_some() {
            gate.followed = true;
            self.order(Order::FollowBudgetPods(id.clone()));
        }
    }

    pub(super) fn pod_done(&mut self, uid: &str, outcome: Outcome) {
        let now = self.now;
        let Some(pod) = self.pods.get_mut(uid) else { return };
        pod.sent = None;
        let mut asked = 0;
        match &outcome {
            Outcome::Accepted | Outcome::Unknown { .. } => {
                self.gates.values_mut().for_each(|g| g.accepted(uid, now));
            }
            _ => self.gates.values_mut().for_each(|g| g.release(uid)),
        }
        let why = match outcome {
            Outcome::Accepted => {
                pod.accepted = Some(now);
                pod.refusal = None;
                pod.tries = 0;
                let facts = pod.facts.clone();
                return self.moved(&facts);
            }
            Outcome::Gone | Outcome::Replaced => return self.end(uid, true),
            Outcome::FlowControl { .. } => return,
            Outcome::Unknown { message } => {
                if pod.facts.deletion.is_none() && pod.gone.is_none() {
                    pod.unsure = Some((now, message));
                }
                return;
            }
            Outcome::BudgetClosed { message, cause } => {
                let cause = if cause.is_empty() { message } else { cause };
                return self.budget_closed(uid, &cause, None);
            }
            Outcome::BudgetStale { retry_after } => {
                return self.budget_closed(uid, STALE, Some(now + retry_after.max(1_000)));
            }
            Outcome::TwoBudgets(message) => Refusal::TwoBudgets(message),
            Outcome::Webhook { message, retry_after } => {
                asked = retry_after;
                Refusal::Webhook(message)
            }
            Outcome::Forbidden { message } => Refusal::Forbidden(message),
            Outcome::NamespaceTerminating => Refusal::NamespaceTerminating,
            Outcome::Failed { status, message } => Refusal::Failed(status, message),
        };
        pod.refused(why, now);
        pod.retry_at = pod.retry_at.max(now + asked);
        match pod.refusal {
            // A right does not come by waiting: the operator says when.
            Some(Refusal::Forbidden(_)) => pod.retry_at = Tick::MAX,
            Some(Refusal::TwoBudgets(_)) => pod.retry_at = now + 3 * SLOW,
            Some(Refusal::NamespaceTerminating) => pod.retry_at = now + SLOW,
            _ => {}
        }
    }

    /// A budget refused: its gate closes, or waits until the server said. A budget that was not seen is known from now
    /// on; one that is not about this pod as far as we see stops this pod alone.
    fn budget_closed(&mut self, uid: &str, cause: &str, until: Option<Tick>) {
        let now = self.now;
        let Some(pod) = self.pods.get_mut(uid) else { return };
        let seen = self.gates.iter().find(|(_, g)| g.covers(&pod.facts)).map(|(id, _)| id.clone());
        let mut id = gate::named(&pod.facts.namespace, cause);
        if id.name.is_empty() || cause == STALE {
            id = seen.unwrap_or(id);
        }
        let gate = self.gates.entry(id.clone()).or_default();
        if gate.facts.is_none() {
            gate.learn(&pod.facts);
        }
        gate.close(cause);
        gate.hold_until(until.unwrap_or(now));
        pod.refusal = Some(Refusal::Budget(id.clone()));
        if !gate.covers(&pod.facts) {
            pod.retry_at = until.unwrap_or(now + SLOW);
        }
        self.follow(&id);
    }

    /// When a pod that will not end is no longer waited for.
    fn patience_ends(&mut self) {
        let patience = self.patience();
        if patience > 0 {
            let ends = |p: &super::pod::Pod| p.facts.deletion.map(|d| d.at + patience + 1);
            let now = self.now;
            let next = self.pods.values().filter(|p| p.gone.is_none()).filter_map(ends);
            let next = next.filter(|t| *t > now).min();
            self.wait(next.unwrap_or(now));
        }
    }
}
