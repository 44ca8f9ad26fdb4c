//! Nodes of later waves get a soft taint while earlier ones are drained, so that what is moved now is not moved twice.
//! It is taken off when the node's own turn comes or the drain ends. A request that fails is noted and not repeated: the
//! drain is right without it.

use super::engine::{Drain, On};
use super::node::Phase;
use super::orders::{Outcome, Request};

/// The taint's key.
pub const KEY: &str = "wheelhouse.dev/drained-later";

impl Drain {
    /// Whether other nodes go first while this one still takes pods.
    fn is_later(&self, at: usize) -> bool {
        let busy = self.nodes.iter().any(super::node::Node::active);
        let node = &self.nodes[at];
        busy && node.phase == Phase::Planned && !node.cordoned() && !self.halted(node)
    }

    pub(super) fn prefer(&mut self) {
        if !self.mandate.prefer || self.now < self.flow_until {
            return;
        }
        for at in 0..self.nodes.len() {
            if self.open.len() >= self.mandate.caps.in_flight.max(1) {
                return;
            }
            let later = self.is_later(at);
            let node = &mut self.nodes[at];
            let known = node.facts.as_ref().is_some_and(|f| f.uid == node.mandate.uid);
            let (name, uid) = (node.mandate.name.clone(), node.mandate.uid.clone());
            let over = node.phase != Phase::Planned;
            if later && known && !node.preferred && !node.prefer_tried {
                node.prefer_tried = true;
                node.preferred = true;
                node.prefer_open = true;
                self.send(Request::Prefer { node: name.clone(), uid }, On::Later(name));
            } else if over && node.preferred && !node.prefer_open && !node.unprefer_tried {
                node.unprefer_tried = true;
                node.prefer_open = true;
                self.send(Request::Unprefer { node: name.clone(), uid }, On::Later(name));
            }
        }
    }

    pub(super) fn preferred(&mut self, name: &str, outcome: &Outcome) {
        let Some(node) = self.nodes.iter_mut().find(|n| n.mandate.name == name) else { return };
        node.prefer_open = false;
        let took_off = node.unprefer_tried;
        let done = matches!(outcome, Outcome::Accepted);
        node.preferred = match took_off {
            true => false,
            false => done || matches!(outcome, Outcome::Unknown { .. }),
        };
        if !done {
            let what = if took_off { "stays on" } else { "was not put on" };
            let words = outcome.words();
            self.note(format!("the taint {KEY} {what} {name}: {words}"));
        }
    }

    /// Nothing of it is left to be taken off.
    pub(super) fn all_unpreferred(&self) -> bool {
        self.nodes.iter().all(|n| !n.preferred || n.unprefer_tried && !n.prefer_open)
    }
}
