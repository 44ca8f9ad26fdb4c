//! One node of a drain.

use super::facts::{NodeFacts, Tick};
use super::orders::MandateNode;

/// Where a node stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not started.
    Planned,
    /// The cordon is not confirmed.
    Cordoning,
    /// Its pods go.
    Draining,
    /// No pod is left as far as is known; lists and volumes have to agree.
    Settling,
    /// Done; what is not known of it, in words.
    Drained(String),
    /// The operator ended it.
    Aborted,
    /// It cannot be done.
    Failed(String),
}

/// One node of a drain.
#[derive(Clone, Debug)]
pub struct Node {
    /// As confirmed.
    pub mandate: MandateNode,
    /// As last seen.
    pub facts: Option<NodeFacts>,
    /// Where it stands.
    pub phase: Phase,
    /// This drain cordoned it, or may have.
    pub ours: bool,
    /// Why it is paused.
    pub paused: Option<String>,
    /// Since when nothing may be sent for it; its timeout stands still.
    pub halted: Option<Tick>,
    /// `--timeout` ends it then.
    pub deadline: Option<Tick>,
    /// The cordon that has no answer yet.
    pub cordon: Option<u64>,
    /// The cordon is not sent before.
    pub retry_at: Tick,
    /// Refused cordons in a row.
    pub tries: u32,
    /// When the list that has no answer yet was ordered.
    pub listing: Option<Tick>,
    /// The next list.
    pub next_list: Tick,
    /// A list since it was cordoned.
    pub listed: bool,
    /// Why its pods cannot be listed.
    pub list_trouble: Option<String>,
    /// When the first of the lists without a remaining pod was ordered.
    pub clean: Option<Tick>,
    /// Two such lists, far enough apart.
    pub settled: bool,
    /// A look at its attachments has no answer yet.
    pub checking: bool,
    /// The next look.
    pub next_check: Tick,
    /// Volumes still attached at the last look.
    pub attached: Vec<String>,
    /// It is to be uncordoned once the cordon under way has an answer.
    pub uncordon: bool,
    /// It carries the taint of later waves, as far as is known.
    pub preferred: bool,
    /// That taint was asked for.
    pub prefer_tried: bool,
    /// A request about it has no answer yet.
    pub prefer_open: bool,
    /// It was asked to go.
    pub unprefer_tried: bool,
}

impl Node {
    /// A node that is not started.
    pub fn new(mandate: MandateNode, ours: bool) -> Node {
        Node {
            mandate,
            facts: None,
            phase: Phase::Planned,
            ours,
            paused: None,
            halted: None,
            deadline: None,
            cordon: None,
            retry_at: 0,
            tries: 0,
            listing: None,
            next_list: 0,
            listed: false,
            list_trouble: None,
            clean: None,
            settled: false,
            checking: false,
            next_check: 0,
            attached: vec![],
            uncordon: false,
            preferred: false,
            prefer_tried: false,
            prefer_open: false,
            unprefer_tried: false,
        }
    }

    /// Nothing more happens to it.
    pub fn over(&self) -> bool {
        matches!(self.phase, Phase::Drained(_) | Phase::Aborted | Phase::Failed(_))
    }

    /// Started and not over.
    pub fn active(&self) -> bool {
        matches!(self.phase, Phase::Cordoning | Phase::Draining | Phase::Settling)
    }

    /// Seen with `spec.unschedulable`.
    pub fn cordoned(&self) -> bool {
        self.facts.as_ref().is_some_and(|f| f.unschedulable)
    }

    /// Seen not ready.
    pub fn dead(&self) -> bool {
        self.facts.as_ref().is_some_and(|f| !f.ready)
    }

    /// From the cordon on: lists and looks begin anew.
    pub fn drain(&mut self, now: Tick) {
        self.phase = Phase::Draining;
        self.listed = false;
        self.next_list = now;
        self.unsettle();
    }

    /// A pod remains: what was seen of the empty node does not count.
    pub fn unsettle(&mut self) {
        self.clean = None;
        self.settled = false;
        self.attached.clear();
        self.next_check = 0;
        if self.phase == Phase::Settling {
            self.phase = Phase::Draining;
        }
    }
}
