//! How far a drain is, as rows to paint.

use super::classify::{Class, Decision};
use super::engine::Drain;
use super::explain::Seen;
use super::facts::Tick;
use super::node::{Node, Phase};
use super::pod::Pod;
use super::verdict::Verdict;

/// Where a pod stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodState {
    /// Nothing was sent, because.
    Queued(Verdict),
    /// A request is under way, or its answer was lost.
    Evicting(Verdict),
    /// On its way out; seconds of its grace that are left, if they are known.
    Terminating(Option<u64>),
    /// Nothing goes on until something changes.
    Blocked(Verdict),
    /// Gone.
    Gone,
    /// It stays, because.
    Skipped(String),
    /// The operator has to decide.
    Undecided(Vec<Class>),
}

/// Where a node stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// Not started.
    Planned,
    /// Its cordon is not confirmed.
    Cordoning,
    /// Its pods go.
    Draining,
    /// No pod is left as far as is known; volumes that are still attached.
    Settling(Vec<String>),
    /// Done; what is known of its volumes.
    Drained(String),
    /// No pod of it moves; how many, and why the first does not.
    Blocked(usize, Verdict),
    /// Paused, because.
    Paused(String),
    /// Ended by the operator.
    Aborted,
    /// It could not be done, because.
    Failed(String),
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodRow {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// uid.
    pub uid: String,
    /// Its classes.
    pub classes: Vec<Class>,
    /// Where it stands.
    pub state: PodState,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Name.
    pub name: String,
    /// Its wave.
    pub wave: usize,
    /// Where it stands.
    pub state: NodeState,
    /// Pods that are gone.
    pub gone: usize,
    /// Pods that it still waits for.
    pub left: usize,
    /// Every pod that was seen on it.
    pub pods: Vec<PodRow>,
}

/// How long it may take. Nothing is said that the facts do not carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eta {
    /// Pods that are ending have up to so many seconds; what waits comes on top.
    Grace(u64),
    /// At the pace so far, seconds until the last pod.
    Pace(u64),
}

/// How far a drain is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Why all of it is paused.
    pub paused: Option<String>,
    /// Its nodes, in the order of the mandate.
    pub nodes: Vec<NodeRow>,
    /// How long it may take.
    pub eta: Option<Eta>,
    /// Pods that were moved and that no node takes: path, seconds, the scheduler's words.
    pub homeless: Vec<(String, u64, String)>,
    /// Pods that were moved twice.
    pub twice: usize,
    /// Its last order was given.
    pub finished: bool,
}

impl Drain {
    /// How far it is. `now` may be later than the last step: times left are counted down to it.
    pub fn progress(&self, now: Tick) -> Progress {
        let now = now.max(self.now);
        let mut seen = Seen::new();
        Progress {
            paused: self.paused.clone(),
            nodes: self.nodes.iter().map(|n| self.node_row(n, now, &mut seen)).collect(),
            eta: self.eta(now),
            homeless: self.homeless(now),
            twice: self.guard.twice,
            finished: self.is_finished(),
        }
    }

    fn node_row(&self, node: &Node, now: Tick, seen: &mut Seen) -> NodeRow {
        let name = &node.mandate.name;
        let row = |pod: &Pod| PodRow {
            namespace: pod.facts.namespace.clone(),
            name: pod.facts.name.clone(),
            uid: pod.facts.uid.clone(),
            classes: pod.classes.clone(),
            state: self.pod_state(pod, now, seen),
        };
        let mut pods: Vec<PodRow> = self.pods_on(name).map(row).collect();
        pods.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        let open = |r: &&PodRow| !matches!(r.state, PodState::Gone | PodState::Skipped(_));
        NodeRow {
            name: name.clone(),
            wave: node.mandate.wave,
            state: self.node_state(node, &pods),
            gone: pods.iter().filter(|r| r.state == PodState::Gone).count(),
            left: pods.iter().filter(open).count(),
            pods,
        }
    }

    fn pod_state(&self, pod: &Pod, now: Tick, seen: &mut Seen) -> PodState {
        if pod.gone.is_some() {
            return PodState::Gone;
        }
        if let Some(why) = pod.left(self.patience(), now) {
            return PodState::Skipped(why);
        }
        match self.explain(pod, now, seen) {
            Verdict::Undecided(classes) => PodState::Undecided(classes),
            Verdict::GraceLeft(left) => PodState::Terminating(Some(left)),
            Verdict::NotSeenEnding => PodState::Terminating(None),
            verdict @ (Verdict::Sent | Verdict::Unsure(_)) => PodState::Evicting(verdict),
            verdict if verdict.blocks() => PodState::Blocked(verdict),
            verdict => PodState::Queued(verdict),
        }
    }

    fn node_state(&self, node: &Node, pods: &[PodRow]) -> NodeState {
        match &node.phase {
            Phase::Drained(words) => return NodeState::Drained(words.clone()),
            Phase::Aborted => return NodeState::Aborted,
            Phase::Failed(why) => return NodeState::Failed(why.clone()),
            _ => {}
        }
        if let Some(why) = self.paused.as_ref().or(node.paused.as_ref()) {
            return NodeState::Paused(why.clone());
        }
        match node.phase {
            Phase::Planned => NodeState::Planned,
            Phase::Cordoning => NodeState::Cordoning,
            Phase::Settling => NodeState::Settling(node.attached.clone()),
            _ => match blocked(pods) {
                Some((count, verdict)) => NodeState::Blocked(count, verdict),
                None => NodeState::Draining,
            },
        }
    }

    /// Without three ended pods there is no pace, and with a pod that is blocked it says nothing.
    fn eta(&self, now: Tick) -> Option<Eta> {
        let patience = self.patience();
        let open: Vec<&Pod> = self
            .nodes
            .iter()
            .filter(|n| !n.over())
            .flat_map(|n| self.pods_on(&n.mandate.name))
            .filter(|p| p.remains(patience, now) && !matches!(p.decision, Decision::Leave(_)))
            .collect();
        let stuck =
            open.iter().any(|p| p.refusal.is_some() || matches!(p.decision, Decision::Ask(_)));
        let ends = open.iter().filter_map(|p| p.facts.deletion).map(|d| d.at.saturating_sub(now));
        let grace = ends.max().unwrap_or(0).div_ceil(1000);
        if let [first, _, .., last] = self.ends[..]
            && !stuck
            && !open.is_empty()
        {
            let (left, gaps) = (open.len() as u64, self.ends.len() as u64 - 1);
            let pace = (left * (last - first)).div_ceil(gaps * 1000);
            // A pod that may take longer than the pace says is what there is to wait for.
            return Some(if pace >= grace { Eta::Pace(pace) } else { Eta::Grace(grace) });
        }
        (grace > 0).then_some(Eta::Grace(grace))
    }
}

/// If every pod that is waited for is blocked: how many, and the first verdict.
fn blocked(pods: &[PodRow]) -> Option<(usize, Verdict)> {
    let verdict = |row: &PodRow| match &row.state {
        PodState::Gone | PodState::Skipped(_) => None,
        PodState::Blocked(verdict) => Some(Some(verdict.clone())),
        PodState::Undecided(classes) => Some(Some(Verdict::Undecided(classes.clone()))),
        // A critical pod waits for the blocked ones: it moves nothing either.
        PodState::Queued(Verdict::Waiting(_)) => None,
        _ => Some(None),
    };
    let open: Vec<Verdict> = pods.iter().filter_map(verdict).collect::<Option<_>>()?;
    let first = open.first()?.clone();
    Some((open.len(), first))
}

impl Eta {
    /// In words.
    pub fn words(self) -> String {
        match self {
            Eta::Grace(left) => format!("pods that are ending have up to {left} s left"),
            Eta::Pace(left) => format!("about {left} s at the pace so far"),
        }
    }
}

impl PodState {
    /// Why, if there is a verdict on it.
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            PodState::Queued(v) | PodState::Evicting(v) | PodState::Blocked(v) => Some(v.clone()),
            PodState::Terminating(Some(left)) => Some(Verdict::GraceLeft(*left)),
            PodState::Terminating(None) => Some(Verdict::NotSeenEnding),
            PodState::Undecided(classes) => Some(Verdict::Undecided(classes.clone())),
            PodState::Gone | PodState::Skipped(_) => None,
        }
    }

    /// In one or two words.
    pub fn word(&self) -> &'static str {
        match self {
            PodState::Queued(_) => "queued",
            PodState::Evicting(_) => "evicting",
            PodState::Terminating(_) => "terminating",
            PodState::Blocked(_) => "blocked",
            PodState::Gone => "gone",
            PodState::Skipped(_) => "stays",
            PodState::Undecided(_) => "undecided",
        }
    }

    /// Why, in words that may be shown; empty if there is nothing to say.
    pub fn words(&self) -> String {
        match self {
            PodState::Skipped(why) => crate::state::text::clean(why).into_owned(),
            other => other.verdict().map(|v| v.words()).unwrap_or_default(),
        }
    }
}

impl NodeState {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            NodeState::Planned => "planned",
            NodeState::Cordoning => "cordoning",
            NodeState::Draining => "draining",
            NodeState::Settling(_) => "settling",
            NodeState::Drained(_) => "drained",
            NodeState::Blocked(..) => "blocked",
            NodeState::Paused(_) => "paused",
            NodeState::Aborted => "aborted",
            NodeState::Failed(_) => "failed",
        }
    }

    /// Why, in words that may be shown; empty if there is nothing to say.
    pub fn words(&self) -> String {
        let words = match self {
            NodeState::Settling(volumes) if !volumes.is_empty() => {
                format!("still attached: {}", volumes.join(", "))
            }
            NodeState::Blocked(count, verdict) => format!("{count} pods: {}", verdict.words()),
            NodeState::Drained(words) | NodeState::Paused(words) | NodeState::Failed(words) => {
                words.clone()
            }
            _ => String::new(),
        };
        crate::state::text::clean(&words).into_owned()
    }
}
