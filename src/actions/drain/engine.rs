//! The drain engine: a state machine that is told what happens and says what is to be done.
//!
//! Invariants: nothing is sent for a pod before its node was seen cordoned and its pods were listed after that; nothing is
//! sent for a uid whose eviction was accepted or whose deletion was seen; a request whose answer was lost is followed by a
//! list, not by a second request; an intent is recorded before its request.

use super::budget::{BudgetFacts, BudgetId};
use super::classify::{classify, decide};
use super::facts::{PodFacts, Tick};
use super::gate::Gate;
use super::guard::Guard;
use super::node::{Node, Phase};
use super::orders::{Entry, How, Input, Mandate, MandateNode, Order, Outcome, Request};
use super::past::Past;
use super::pod::{Pod, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// What a request without an answer is about.
#[derive(Clone, Debug)]
pub(super) enum On {
    Cordon(String),
    Uncordon(String),
    Later(String),
    Pod(String),
}

/// A drain under way.
#[derive(Clone, Debug)]
pub struct Drain {
    pub(super) mandate: Mandate,
    pub(super) now: Tick,
    pub(super) nodes: Vec<Node>,
    /// Pods of the mandate's nodes, by uid.
    pub(super) pods: BTreeMap<String, Pod>,
    /// Their uids, by node.
    pub(super) here: BTreeMap<String, BTreeSet<String>>,
    /// Pods elsewhere that a followed budget is about, by uid.
    pub(super) others: BTreeMap<String, PodFacts>,
    pub(super) gates: BTreeMap<BudgetId, Gate>,
    /// Whether nodes outside the mandate are ready.
    pub(super) ready: BTreeMap<String, bool>,
    /// Those of them that were, and are not any more.
    pub(super) lost: BTreeSet<String>,
    pub(super) paused: Option<String>,
    /// Flow control: nothing is sent before.
    pub(super) flow_until: Tick,
    pub(super) flow_tries: u32,
    pub(super) open: BTreeMap<u64, On>,
    pub(super) past: Past,
    /// When pods of this drain were seen gone, in order.
    pub(super) ends: Vec<Tick>,
    pub(super) guard: Guard,
    next_step: u64,
    finished: bool,
    woken: Option<Tick>,
    due: Option<Tick>,
    out: Vec<Order>,
}

impl Drain {
    /// A drain that has not begun. Facts reach it as inputs; the first step starts it.
    pub fn new(mandate: Mandate) -> Drain {
        Drain::resume(mandate, Past::default())
    }

    /// A drain that goes on after an interruption. Each node is seen cordoned and its pods are listed before anything is
    /// sent, as in a new one.
    pub fn resume(mandate: Mandate, past: Past) -> Drain {
        let ours = |name: &str| past.cordoned.contains(name);
        let node = |n: &MandateNode| {
            let mut node = Node::new(n.clone(), ours(&n.name));
            node.preferred = past.preferred.contains(&n.name);
            node.prefer_tried = node.preferred;
            node
        };
        let nodes = mandate.nodes.iter().map(node).collect();
        let mut drain = Drain {
            now: 0,
            nodes,
            pods: BTreeMap::new(),
            here: BTreeMap::new(),
            others: BTreeMap::new(),
            gates: BTreeMap::new(),
            ready: BTreeMap::new(),
            lost: BTreeSet::new(),
            paused: None,
            flow_until: 0,
            flow_tries: 0,
            open: BTreeMap::new(),
            ends: vec![],
            guard: Guard::default(),
            next_step: past.next_step,
            finished: false,
            woken: None,
            due: None,
            out: vec![],
            past,
            mandate,
        };
        for cmd in std::mem::take(&mut drain.past.told) {
            drain.obey(cmd);
        }
        drain
    }

    /// Takes an input and says what is to be done. `now` does not go back; if it does, it stands still.
    pub fn step(&mut self, now: Tick, input: Input) -> Vec<Order> {
        self.now = self.now.max(now);
        self.due = None;
        self.take(input);
        for at in 0..self.nodes.len() {
            self.advance(at);
        }
        self.prefer();
        self.watch_over();
        self.pump();
        self.finish();
        self.wake();
        std::mem::take(&mut self.out)
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Pod(facts) => self.saw_pod(facts),
            Input::PodGone { uid } => self.pod_gone(&uid),
            Input::PodLeft { uid } => {
                self.others.remove(&uid);
            }
            Input::Waiting(facts, why) => self.guard.waits(facts, why, self.now),
            Input::Taken { uid } => self.guard.taken(&uid),
            Input::PodsListed { node, uids } => self.listed(&node, &uids),
            Input::ListFailed { node, message } => self.list_failed(&node, message),
            Input::Node(facts) => self.saw_node(facts),
            Input::NodeGone { name } => self.node_gone(&name),
            Input::Budget(facts) => self.saw_budget(facts),
            Input::BudgetGone { id } => {
                self.gates.remove(&id);
                self.classify_all(&id.namespace);
            }
            Input::BudgetPodsListed { id } => {
                if let Some(gate) = self.gates.get_mut(&id) {
                    gate.listed = true;
                }
            }
            Input::Attachments { node, attached } => self.attachments(&node, attached),
            Input::Done { step, outcome } => self.done(step, outcome),
            Input::Operator(cmd) => {
                self.record(Entry::Told(cmd.clone()));
                self.obey(cmd);
            }
            Input::Timer => {}
        }
    }

    fn done(&mut self, step: u64, outcome: Outcome) {
        let Some(on) = self.open.remove(&step) else { return };
        self.record(Entry::Outcome { step, outcome: outcome.clone() });
        match &outcome {
            Outcome::FlowControl { retry_after } => self.slow_down(*retry_after),
            Outcome::Unknown { .. } => {}
            _ => self.flow_tries = 0,
        }
        match on {
            On::Cordon(node) => self.cordon_done(&node, outcome),
            On::Uncordon(node) if outcome != Outcome::Accepted => {
                self.note(format!("uncordon {node} was not done: {}", outcome.words()));
            }
            On::Uncordon(_) => {}
            On::Later(node) => self.preferred(&node, &outcome),
            On::Pod(uid) => self.pod_done(&uid, outcome),
        }
    }

    /// API priority and fairness is about all of us: everything waits, twice as long each time in a row, at most 32 s
    /// more than the server asked for.
    fn slow_down(&mut self, retry_after: Tick) {
        let doubled = 1_000u64 << self.flow_tries.min(5);
        self.flow_tries += 1;
        self.flow_until = self.flow_until.max(self.now + retry_after.max(doubled));
    }

    /// A pod of the mandate's nodes, or of a budget that is followed; others are not kept.
    fn saw_pod(&mut self, facts: PodFacts) {
        let now = self.now;
        let uid = facts.uid.clone();
        if let Some(pod) = self.pods.get_mut(&uid) {
            if pod.gone == Some(true) {
                return;
            }
            pod.saw(facts);
        } else if self.nodes.iter().any(|n| n.mandate.name == facts.node) {
            self.others.remove(&uid);
            let mut pod = Pod::new(facts, vec![], super::classify::Decision::Ask(vec![]), now);
            pod.accepted = self.past.accepted.contains(&uid).then_some(now);
            if self.past.unsure.contains(&uid) && pod.facts.deletion.is_none() {
                pod.unsure = Some((now, "the drain was interrupted before the answer".to_owned()));
            }
            self.here.entry(pod.facts.node.clone()).or_default().insert(uid.clone());
            self.pods.insert(uid.clone(), pod);
        } else {
            let followed = |g: &Gate| g.followed && g.covers(&facts);
            if self.gates.values().any(followed) {
                self.others.insert(uid, facts);
            }
            return;
        }
        self.classify(&uid);
        self.unsettle(&uid);
    }

    pub(super) fn classify(&mut self, uid: &str) {
        let Some(pod) = self.pods.get_mut(uid) else { return };
        let budgets = self.gates.values().filter(|g| g.covers(&pod.facts)).count();
        let known = self.mandate.known.get(uid).copied().unwrap_or_default();
        pod.classes = classify(&pod.facts, known, budgets);
        let mandate = &self.mandate;
        pod.decision = decide(&pod.facts, &pod.classes, &mandate.switches, &mandate.overrides);
    }

    fn saw_budget(&mut self, facts: BudgetFacts) {
        let now = self.now;
        let namespace = facts.id.namespace.clone();
        let gate = self.gates.entry(facts.id.clone()).or_default();
        let same = gate.facts.as_ref().is_some_and(|f| f.selector == facts.selector);
        gate.moved(facts, now);
        if !same {
            self.classify_all(&namespace);
        }
    }

    /// A budget came, went, or selects others. Whom the server refused for having two may have one now.
    fn classify_all(&mut self, namespace: &str) {
        let now = self.now;
        let here = self.pods.values_mut().filter(|p| p.facts.namespace == namespace);
        let mut uids = vec![];
        for pod in here {
            if matches!(pod.refusal, Some(Refusal::TwoBudgets(_))) {
                pod.retry_at = now;
            }
            uids.push(pod.facts.uid.clone());
        }
        uids.iter().for_each(|uid| self.classify(uid));
    }

    pub(super) fn unsettle(&mut self, uid: &str) {
        let (patience, now) = (self.patience(), self.now);
        let Some(pod) = self.pods.get(uid).filter(|p| p.remains(patience, now)) else { return };
        let node = self.nodes.iter_mut().find(|n| n.mandate.name == pod.facts.node);
        if let Some(node) = node {
            node.unsettle();
        }
    }

    fn pod_gone(&mut self, uid: &str) {
        self.others.remove(uid);
        self.end(uid, true);
    }

    /// A pod is gone. Counted for the pace if it was ours to remove.
    pub(super) fn end(&mut self, uid: &str, certain: bool) {
        let (patience, now) = (self.patience(), self.now);
        let Some(pod) = self.pods.get_mut(uid) else { return };
        if pod.remains(patience, now) && pod.going() {
            self.ends.push(now);
        }
        pod.gone = Some(certain || pod.gone == Some(true));
        pod.unsure = None;
        if pod.sent.is_none() {
            let gates = self.gates.values_mut().filter(|_| pod.accepted.is_none());
            gates.for_each(|g| g.release(uid));
        }
    }

    pub(super) fn patience(&self) -> Tick {
        self.mandate.switches.skip_wait_for_delete_timeout * 1000
    }

    pub(super) fn halted(&self, node: &Node) -> bool {
        self.paused.is_some() || node.paused.is_some()
    }

    pub(super) fn record(&mut self, entry: Entry) {
        self.out.push(Order::Record(entry));
    }

    pub(super) fn note(&mut self, words: String) {
        self.record(Entry::Note(words));
    }

    pub(super) fn order(&mut self, order: Order) {
        self.out.push(order);
    }

    /// Records the intent and sends.
    pub(super) fn send(&mut self, request: Request, on: On) -> u64 {
        let step = self.next_step;
        self.next_step += 1;
        self.open.insert(step, on);
        self.record(Entry::Intent { step, request: request.clone() });
        self.order(Order::Send { step, request });
        step
    }

    /// Something is to be looked at then.
    pub(super) fn wait(&mut self, until: Tick) {
        if until > self.now && until < Tick::MAX {
            self.due = Some(self.due.map_or(until, |d| d.min(until)));
        }
    }

    fn wake(&mut self) {
        let Some(due) = self.due.filter(|_| !self.finished) else { return };
        if self.woken != Some(due) {
            self.woken = Some(due);
            self.order(Order::Wake(due));
        }
    }

    fn finish(&mut self) {
        let over = self.open.is_empty() && self.nodes.iter().all(Node::over);
        if self.finished || !over || !self.all_unpreferred() {
            return;
        }
        self.finished = true;
        let left = |n: &Node| match &n.phase {
            Phase::Failed(why) => Some((n.mandate.name.clone(), why.clone())),
            Phase::Aborted => Some((n.mandate.name.clone(), "ended by the operator".to_owned())),
            _ => None,
        };
        let left: Vec<(String, String)> = self.nodes.iter().filter_map(left).collect();
        let how = if left.is_empty() { How::Drained } else { How::Incomplete(left) };
        self.order(Order::Finished(how));
    }

    /// Whether [`Order::Finished`] was said.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Pods of a node, the gone ones too.
    pub(super) fn pods_on(&self, node: &str) -> impl Iterator<Item = &Pod> {
        let uids = self.here.get(node).into_iter().flatten();
        uids.filter_map(|uid| self.pods.get(uid))
    }

    /// uids of pods that a node waits for.
    pub(super) fn remaining(&self, node: &str) -> BTreeSet<&str> {
        let (patience, now) = (self.patience(), self.now);
        let remain = self.pods_on(node).filter(|p| p.remains(patience, now));
        remain.map(|p| p.facts.uid.as_str()).collect()
    }
}
