//! How a node moves on: cordon, lists, volumes, timeout.

use super::engine::{Drain, On};
use super::facts::{NodeFacts, Tick};
use super::node::{Node, Phase};
use super::orders::{Order, Outcome, Request};
use super::pod::pause;

/// Between two lists without a remaining pod, ms: a scheduler that has not seen the cordon binds for a moment
/// (Karpenter's `MinDrainTime`).
const APART: Tick = 5_000;

/// Between lists of a node whose pods are watched, ms.
const RELIST: Tick = 60_000;

/// From a lost answer to the list that clears it up, ms: the server may still be at work.
const UNSURE: Tick = 2_000;

/// For a cordon to be seen before it is sent again, ms. It changes nothing the second time.
const CONFIRM: Tick = 10_000;

/// Refused cordons before the node is given up.
const CORDONS: u32 = 5;

impl Drain {
    fn node_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.nodes.iter_mut().find(|n| n.mandate.name == name)
    }

    pub(super) fn saw_node(&mut self, facts: NodeFacts) {
        let Some(node) = self.nodes.iter_mut().find(|n| n.mandate.name == facts.name) else {
            return self.saw_other(&facts);
        };
        let name = facts.name.clone();
        let another = facts.uid != node.mandate.uid;
        let lost = node.cordoned() && !facts.unschedulable;
        let draining = matches!(node.phase, Phase::Draining | Phase::Settling);
        node.facts = Some(facts);
        if another && !node.over() {
            return self.fail(&name, "another node has its name now".to_owned());
        }
        if lost && draining {
            node.paused = Some("somebody uncordoned it".to_owned());
            self.note(format!("{name} was uncordoned by somebody: paused"));
        }
    }

    /// A node outside the drain. If some that were ready no longer are, all pauses: the cluster has less room than it had.
    /// In a large cluster a node fails now and then; more than one in a hundred is news.
    fn saw_other(&mut self, facts: &NodeFacts) {
        let before = self.ready.insert(facts.name.clone(), facts.ready);
        let begun = self.nodes.iter().any(|n| n.phase != Phase::Planned && !n.over());
        if facts.ready {
            self.lost.remove(&facts.name);
        } else if before == Some(true) {
            self.lost.insert(facts.name.clone());
            let many = self.lost.len() > self.ready.len() / 100;
            if !(many && begun && self.paused.is_none()) {
                return;
            }
            let why = match self.lost.len() {
                1 => format!("node {} is not ready any more", facts.name),
                n => format!("{n} other nodes are not ready any more, {} among them", facts.name),
            };
            self.note(format!("paused: {why}"));
            self.paused = Some(why);
        }
    }

    pub(super) fn node_gone(&mut self, name: &str) {
        self.ready.remove(name);
        self.lost.remove(name);
        if self.nodes.iter().any(|n| n.mandate.name == name && !n.over()) {
            self.fail(name, "the node is gone".to_owned());
        }
    }

    fn fail(&mut self, name: &str, why: String) {
        self.note(format!("{name}: {why}"));
        if let Some(node) = self.node_mut(name) {
            node.phase = Phase::Failed(why);
        }
    }

    /// Moves a node on as far as it goes without an answer.
    pub(super) fn advance(&mut self, at: usize) {
        self.halt(at);
        if self.nodes[at].phase == Phase::Planned && self.may_start(at) {
            self.start(at);
        }
        if self.nodes[at].phase == Phase::Cordoning {
            self.cordon(at);
        }
        if matches!(self.nodes[at].phase, Phase::Draining | Phase::Settling) {
            self.look(at);
        }
        self.expire(at);
    }

    /// A timeout stands still while nothing may be sent.
    fn halt(&mut self, at: usize) {
        let (now, halted) = (self.now, self.halted(&self.nodes[at]));
        let node = &mut self.nodes[at];
        match (halted, node.halted) {
            (true, None) => node.halted = Some(now),
            (false, Some(since)) => {
                node.deadline = node.deadline.map(|d| d + (now - since));
                node.halted = None;
            }
            _ => {}
        }
    }

    /// Earlier waves are over, and there is room under the caps.
    fn may_start(&self, at: usize) -> bool {
        let node = &self.nodes[at];
        let (wave, zone) = (node.mandate.wave, &node.mandate.zone);
        let earlier = self.nodes.iter().any(|n| n.mandate.wave < wave && !n.over());
        let active: Vec<&Node> = self.nodes.iter().filter(|n| n.active()).collect();
        let zone = active.iter().filter(|n| n.mandate.zone == *zone).count();
        let caps = &self.mandate.caps;
        let room = active.len() < caps.parallel_nodes.max(1) && zone < caps.per_zone.max(1);
        !earlier && room && !self.halted(node) && self.now >= self.flow_until
    }

    fn start(&mut self, at: usize) {
        let (now, timeout) = (self.now, self.mandate.switches.timeout * 1000);
        let node = &mut self.nodes[at];
        node.deadline = (timeout > 0).then_some(now + timeout);
        node.phase = Phase::Cordoning;
        if node.cordoned() && !node.ours {
            let words = format!("{} was cordoned before", node.mandate.name);
            self.note(words);
        }
    }

    /// Sends the cordon, and goes on only when it was read back.
    fn cordon(&mut self, at: usize) {
        let (now, flow) = (self.now, self.flow_until);
        let halted = self.halted(&self.nodes[at]);
        let node = &mut self.nodes[at];
        if node.cordoned() && node.cordon.is_none() {
            return node.drain(now);
        }
        let until = node.retry_at.max(flow);
        if node.cordon.is_some() || halted || now < until {
            return self.wait(until);
        }
        let (name, uid) = (node.mandate.name.clone(), node.mandate.uid.clone());
        let step = self.send(Request::Cordon { node: name.clone(), uid }, On::Cordon(name));
        self.nodes[at].cordon = Some(step);
    }

    pub(super) fn cordon_done(&mut self, name: &str, outcome: Outcome) {
        let (now, words) = (self.now, outcome.words());
        let Some(node) = self.node_mut(name) else { return };
        node.cordon = None;
        node.retry_at = now + CONFIRM;
        let refused = match outcome {
            Outcome::Accepted | Outcome::Unknown { .. } => {
                node.ours = true;
                false
            }
            Outcome::FlowControl { .. } => {
                node.retry_at = 0;
                false
            }
            Outcome::Forbidden { .. } | Outcome::Gone | Outcome::Replaced => {
                node.tries = CORDONS;
                true
            }
            _ => {
                node.tries += 1;
                node.retry_at = now + pause(node.tries);
                true
            }
        };
        let (over, uncordon) = (node.over(), std::mem::take(&mut node.uncordon));
        if refused && node.tries >= CORDONS && !over {
            self.fail(name, format!("not cordoned: {words}"));
        } else if uncordon {
            self.uncordon(name);
        }
    }

    /// Uncordons a node that this drain cordoned; waits for the answer of a cordon under way.
    pub(super) fn uncordon(&mut self, name: &str) {
        let Some(node) = self.node_mut(name) else { return };
        node.uncordon = node.cordon.is_some();
        if node.ours && node.cordon.is_none() {
            node.ours = false;
            let uid = node.mandate.uid.clone();
            let request = Request::Uncordon { node: name.to_owned(), uid };
            self.send(request, On::Uncordon(name.to_owned()));
        }
    }

    /// Lists and looks that a draining node needs.
    fn look(&mut self, at: usize) {
        let name = self.nodes[at].mandate.name.clone();
        let empty = self.nodes[at].listed && self.remaining(&name).is_empty();
        let unsure = self.unsure(&name);
        let (now, flow) = (self.now, self.flow_until);
        let node = &mut self.nodes[at];
        if empty {
            node.phase = Phase::Settling;
        } else {
            node.unsettle();
        }
        let next = match (node.clean, unsure) {
            (Some(first), _) if !node.settled => node.next_list.min(first + APART),
            (None, _) if empty => now,
            (_, Some(since)) => node.next_list.min(since + UNSURE),
            _ => node.next_list,
        };
        // A failed list waits for its turn whatever else is wished for.
        let next = if node.list_trouble.is_some() { node.next_list } else { next };
        if node.listing.is_none() && now >= next.max(flow) {
            node.listing = Some(now);
            node.next_list = now + RELIST;
            self.order(Order::ListPods { node: name });
        } else if self.nodes[at].listing.is_none() {
            self.wait(next.max(flow));
        }
        self.check(at);
    }

    /// Since when the answer for a pod of this node is missing, at the longest.
    fn unsure(&self, node: &str) -> Option<Tick> {
        let here = self.pods_on(node).filter(|p| p.gone.is_none());
        here.filter_map(|p| p.unsure.as_ref()).map(|(since, _)| *since).min()
    }

    fn check(&mut self, at: usize) {
        let (now, flow) = (self.now, self.flow_until);
        let node = &self.nodes[at];
        if node.phase != Phase::Settling || !node.settled || node.checking {
            return;
        }
        let until = node.next_check.max(flow);
        if now < until {
            return self.wait(until);
        }
        let name = node.mandate.name.clone();
        let here = self.pods_on(&name).filter(|p| p.gone.is_none());
        let claims = |p: &super::pod::Pod| {
            let namespace = p.facts.namespace.clone();
            p.facts.claims.clone().into_iter().map(move |c| (namespace.clone(), c))
        };
        let except = here.flat_map(claims).collect();
        self.nodes[at].checking = true;
        self.nodes[at].next_check = now + APART;
        self.order(Order::CheckAttachments { node: name, except });
    }

    pub(super) fn attachments(&mut self, name: &str, attached: Option<Vec<String>>) {
        let stays = self.pods_on(name).any(|p| p.gone.is_none() && !p.facts.claims.is_empty());
        let Some(node) = self.node_mut(name) else { return };
        node.checking = false;
        if node.phase != Phase::Settling || !node.settled {
            return;
        }
        // The kubelet names volumes its own way: whose they are cannot be told while a pod with a claim stays.
        let in_use = match &node.facts {
            Some(facts) if !stays => facts.volumes_in_use.clone(),
            _ => vec![],
        };
        let words = match attached {
            None => "pods gone, detachment unknown",
            Some(volumes) if volumes.is_empty() && in_use.is_empty() => "empty, volumes detached",
            Some(volumes) => {
                node.attached = if volumes.is_empty() { in_use } else { volumes };
                return;
            }
        };
        node.phase = Phase::Drained(words.to_owned());
        self.note(format!("{name} is drained: {words}"));
    }

    pub(super) fn listed(&mut self, name: &str, uids: &[String]) {
        let Some(node) = self.node_mut(name) else { return };
        let Some(ordered) = node.listing.take() else { return };
        node.list_trouble = None;
        node.listed = true;
        for uid in self.here.get(name).cloned().unwrap_or_default() {
            self.read(&uid, uids.contains(&uid), ordered);
        }
        let empty = self.remaining(name).is_empty();
        let Some(node) = self.node_mut(name) else { return };
        if !empty {
            return node.unsettle();
        }
        let first = *node.clean.get_or_insert(ordered);
        node.settled |= ordered >= first + APART;
    }

    /// What a list says of a pod that was known before it was ordered.
    fn read(&mut self, uid: &str, there: bool, ordered: Tick) {
        let now = self.now;
        let Some(pod) = self.pods.get_mut(uid) else { return };
        if !there {
            if pod.gone.is_none() && pod.seen < ordered {
                self.end(uid, false);
            }
            return;
        }
        if pod.unsure.as_ref().is_some_and(|(since, _)| since + UNSURE <= ordered) {
            pod.unsure = None;
            pod.retry_at = now;
            self.gates.values_mut().for_each(|g| g.release(uid));
        }
    }

    pub(super) fn list_failed(&mut self, name: &str, message: String) {
        let now = self.now;
        let Some(node) = self.node_mut(name) else { return };
        node.listing = None;
        node.next_list = now + APART;
        node.list_trouble = Some(message);
    }

    /// `--timeout`, per node as kubectl counts it.
    fn expire(&mut self, at: usize) {
        let node = &self.nodes[at];
        let Some(deadline) = node.deadline.filter(|_| node.active() && node.halted.is_none())
        else {
            return;
        };
        if self.now < deadline {
            return self.wait(deadline);
        }
        let name = node.mandate.name.clone();
        let left = self.remaining(&name).len();
        let timeout = self.mandate.switches.timeout;
        self.fail(&name, format!("not done after {timeout} s: {left} pods left"));
    }
}
