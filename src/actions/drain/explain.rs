//! Which verdict holds for a pod of a running drain. There is one for every pod that the drain waits for.

use super::budget::BudgetId;
use super::classify::Decision;
use super::engine::Drain;
use super::facts::{PodFacts, Tick};
use super::gate::Gate;
use super::node::{Node, Phase};
use super::pod::{Pod, Refusal};
use super::pump::STALE;
use super::verdict::{Holder, Lack, Verdict, of_budget};
use std::collections::BTreeMap;

/// What was worked out for a budget, kept while many of its pods are looked at.
pub(super) type Seen = BTreeMap<BudgetId, Verdict>;

impl Drain {
    /// Why this pod is not gone; none if it is unknown, gone, or not waited for.
    pub fn verdict(&self, uid: &str, now: Tick) -> Option<Verdict> {
        let pod = self.pods.get(uid).filter(|p| p.remains(self.patience(), now))?;
        Some(self.explain(pod, now, &mut Seen::new()))
    }

    pub(super) fn explain(&self, pod: &Pod, now: Tick, seen: &mut Seen) -> Verdict {
        let node = self.nodes.iter().find(|n| n.mandate.name == pod.facts.node);
        if pod.going() {
            return ending(pod, node, now);
        }
        if pod.sent.is_some() {
            return Verdict::Sent;
        }
        if let Some((_, why)) = &pod.unsure {
            return Verdict::Unsure(why.clone());
        }
        if let Decision::Ask(classes) = &pod.decision {
            return Verdict::Undecided(classes.clone());
        }
        let turn = node.and_then(|n| self.not_its_turn(pod, n, now));
        turn.or_else(|| self.refused(pod, now, seen)).unwrap_or_else(|| self.queued(pod, now, seen))
    }

    /// Why nothing is sent whatever the pod is.
    fn not_its_turn(&self, pod: &Pod, node: &Node, now: Tick) -> Option<Verdict> {
        let waiting = |words: &str| Some(Verdict::Waiting(words.to_owned()));
        match &node.phase {
            Phase::Planned if self.paused.is_none() => return waiting("its node is not started"),
            Phase::Aborted => return waiting("ended by the operator"),
            Phase::Failed(why) => return waiting(why),
            _ => {}
        }
        if let Some(why) = self.paused.as_ref().or(node.paused.as_ref()) {
            return waiting(why);
        }
        if node.phase == Phase::Cordoning {
            return waiting("its node is not seen cordoned yet");
        }
        if let Some(why) = node.list_trouble.as_ref().filter(|_| !node.listed) {
            return Some(Verdict::Unlisted(why.clone()));
        }
        if !node.listed {
            return waiting("the pods of its node are being listed");
        }
        if now < self.flow_until {
            return Some(Verdict::FlowControl);
        }
        let ordinary = |p: &Pod| p.remains(self.patience(), now) && !p.facts.critical();
        if pod.facts.critical() && self.pods_on(&node.mandate.name).any(ordinary) {
            return waiting("it is critical to the node and goes after the others");
        }
        None
    }

    /// The server's refusal, or the budgets that would refuse.
    fn refused(&self, pod: &Pod, now: Tick, seen: &mut Seen) -> Option<Verdict> {
        let gates: Vec<(&BudgetId, &Gate)> =
            self.gates.iter().filter(|(_, g)| g.covers(&pod.facts)).collect();
        let known: Vec<String> =
            gates.iter().filter(|(_, g)| g.facts.is_some()).map(|(id, _)| id.to_string()).collect();
        if known.len() > 1 && !pod.facts.ignores_budgets() && pod.decision == Decision::Evict {
            return Some(Verdict::TwoBudgets(known.join(", ")));
        }
        let waits = now < pod.retry_at;
        Some(match pod.refusal.as_ref()? {
            Refusal::Budget(id) => match self.gates.get(id) {
                Some(gate) if gate.closed.is_some() => self.of_gate(id, gate, seen),
                _ => return None,
            },
            _ if !waits => return None,
            Refusal::TwoBudgets(message) => Verdict::TwoBudgets(message.clone()),
            Refusal::Webhook(message) => Verdict::Webhook(message.clone()),
            Refusal::Forbidden(message) => Verdict::Forbidden(message.clone()),
            Refusal::NamespaceTerminating => {
                Verdict::NamespaceTerminating(pod.facts.namespace.clone())
            }
            Refusal::Failed(status, message) => Verdict::Failed(*status, message.clone()),
        })
    }

    /// Nothing was refused: a budget that has no room, or the limit of requests under way.
    fn queued(&self, pod: &Pod, now: Tick, seen: &mut Seen) -> Verdict {
        let counts = |g: &Gate| g.facts.as_ref().is_none_or(|f| f.counts(&pod.facts));
        let shut = |g: &Gate| g.closed.is_some() || g.held_back(now) || counts(g) && g.full();
        let evict = pod.decision == Decision::Evict && !pod.facts.ignores_budgets();
        let mut gates = self.gates.iter().filter(|_| evict);
        match gates.find(|(_, g)| g.covers(&pod.facts) && shut(g)) {
            Some((id, gate)) if gate.held_back(now) => Verdict::BudgetStale(id.clone()),
            Some((id, gate)) => self.of_gate(id, gate, seen),
            None => Verdict::Waiting("as many requests are under way as may be".to_owned()),
        }
    }

    fn of_gate(&self, id: &BudgetId, gate: &Gate, seen: &mut Seen) -> Verdict {
        let Some(facts) = &gate.facts else {
            let cause = gate.closed.clone().unwrap_or_default();
            let readable = self.mandate.budgets_readable;
            return Verdict::BudgetUnseen { budget: id.clone(), cause, readable };
        };
        if gate.closed.as_deref() == Some(STALE) {
            return Verdict::BudgetStale(id.clone());
        }
        if facts.room() > 0 && gate.closed.is_none() {
            return Verdict::BudgetTurn(id.clone());
        }
        let work_out = || {
            let (holders, missing) = self.holders(gate);
            of_budget(facts, holders, missing)
        };
        seen.entry(id.clone()).or_insert_with(work_out).clone()
    }

    /// Pods that do not count as healthy to a budget, and how many are missing if all are known.
    fn holders(&self, gate: &Gate) -> (Vec<Holder>, Option<i64>) {
        let Some(facts) = &gate.facts else { return (vec![], None) };
        let ours = self.pods.values().filter(|p| p.gone.is_none()).map(|p| &p.facts);
        let covered = ours.chain(self.others.values()).filter(|p| facts.covers(p));
        let (mut holders, mut living) = (vec![], 0);
        for pod in covered.filter(|p| !p.finished()) {
            living += i64::from(pod.deletion.is_none());
            let lack = lack(pod, facts.disrupted.contains(&pod.name));
            holders.extend(lack.map(|lack| Holder { pod: pod.path(), lack }));
        }
        // An ending pod's replacement is not missing beside it: the operator sees one thing once.
        let ending = holders.iter().filter(|h| h.lack == Lack::Terminating).count();
        let missing = facts.expected - living - i64::try_from(ending).unwrap_or(0);
        (holders, gate.listed.then_some(missing.max(0)))
    }
}

fn lack(pod: &PodFacts, disrupted: bool) -> Option<Lack> {
    match pod {
        _ if pod.deletion.is_some() => Some(Lack::Terminating),
        _ if disrupted => Some(Lack::Disrupted),
        _ if !pod.ready => Some(Lack::Unready),
        _ => None,
    }
}

/// A pod on its way out.
fn ending(pod: &Pod, node: Option<&Node>, now: Tick) -> Verdict {
    let Some(deletion) = pod.facts.deletion else { return Verdict::NotSeenEnding };
    if now < deletion.at {
        return Verdict::GraceLeft((deletion.at - now).div_ceil(1000));
    }
    let past = (now - deletion.at) / 1000;
    match node {
        Some(node) if node.dead() => Verdict::NodeDead { node: node.mandate.name.clone(), past },
        _ if !pod.facts.finalizers.is_empty() => Verdict::Finalizer(pod.facts.finalizers.clone()),
        // A kubelet takes a moment to say that it is done.
        _ if past <= 5 => Verdict::GraceLeft(0),
        _ => Verdict::Overdue(past),
    }
}
