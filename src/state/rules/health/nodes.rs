//! Nodes in sum, those that are not well by name.

use super::{Line, Verdict};
use crate::state::cell::grouped;
use crate::state::decl::{Gvk, Hit, Kind, TableSpec};
use crate::state::parcel::Draft;
use crate::state::time::Epoch;
use crate::{paths, words};

/// Nodes named one by one; more of them are counted.
const NAMED: usize = 20;
/// Seconds in which a new node may become ready: its network comes up after its kubelet.
const YOUNG: i64 = 60;
/// What the kubelet and cloud controllers say is short.
const PRESSURES: [&str; 4] =
    ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];
/// Conditions that are expected to be True, besides those that end in `Ready` (the node monitoring agent of EKS has
/// `NetworkingReady`): what k3s and RKE2 say of a member of their etcd.
const GOOD: [&str; 1] = ["EtcdIsVoter"];
/// Conditions that an administrator sets to tell others what goes on (core/v1 NodeConditionType, KEP-5683): no fault.
const TOLD: [&str; 5] = [
    "GracefulNodeShutdownInProgress",
    "DrainInProgress",
    "Drained",
    "MaintenancePlanned",
    "MaintenanceInProgress",
];

/// What the board needs of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Status of its Ready condition, `True`, `False`, `Unknown`; empty without one.
    pub ready: String,
    /// The reason and message of Ready.
    pub reason: String,
    /// When that last changed.
    pub since: Epoch,
    /// Pressures and a missing network.
    pub pressures: Vec<String>,
    /// Other conditions that are not as they should be, with their reason and message.
    pub others: Vec<String>,
    /// When it was created.
    pub created: Epoch,
    /// Its kubelet's version.
    pub kubelet: String,
}

words! { WORDS:
    /// Labels, which every table has.
    LABELS = Set;
}

paths! { PATHS:
    CONDITION = Item [3, 4] "status.conditions";
    CONDITION_TYPE = Text [3, 4, 1] "status.conditions.type";
    CONDITION_STATUS = Text [3, 4, 2] "status.conditions.status";
    CONDITION_SINCE = Time [3, 4, 4] "status.conditions.lastTransitionTime";
    CONDITION_REASON = Text [3, 4, 5] "status.conditions.reason";
    CONDITION_MESSAGE = Text [3, 4, 6] "status.conditions.message";
    KUBELET = Text [3, 7, 7] "status.nodeInfo.kubeletVersion";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (CONDITION, Hit::Open) => d.open(path),
        (CONDITION_TYPE, Hit::Text(t)) => d.note(0, t),
        (CONDITION_STATUS, Hit::Text(t)) => d.note(1, t),
        (CONDITION_REASON, Hit::Text(t)) => d.note(2, t),
        (CONDITION_MESSAGE, Hit::Text(t)) => d.note(3, t),
        (CONDITION_SINCE, Hit::Time(at)) => d.item().num[0] = at.0,
        (KUBELET, Hit::Text(t)) => {
            d.open(path);
            d.note(0, t);
        }
        _ => {}
    }
}

/// How nodes are read: few words of each, out of a stream. The rows are never stored.
pub static SHAPE: TableSpec = TableSpec {
    id: "node_health",
    kinds: &[Kind {
        gvk: Gvk { group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false },
        paths: PATHS,
        fold,
        finish: |_| {},
    }],
    words: WORDS,
    labels: LABELS,
    columns: &[],
    tallies: &[],
};

impl Node {
    /// The node that a draft of [`SHAPE`] holds.
    pub fn of(d: &Draft) -> Node {
        let name = d.text(d.head.name).to_owned();
        let mut node = Node { name, created: d.head.created, ..Node::default() };
        for item in &d.items {
            let text = |at: usize| d.text(item.txt[at]).to_owned();
            match (d.text(item.txt[0]), d.text(item.txt[1])) {
                (version, _) if item.tag == KUBELET => node.kubelet = version.to_owned(),
                ("Ready", _) => {
                    (node.ready, node.reason, node.since) = (text(1), text(2), Epoch(item.num[0]));
                }
                (condition, "True") if PRESSURES.contains(&condition) => {
                    node.pressures.push(text(0));
                }
                (condition, status) if is_odd(condition, status) => {
                    node.others.push(odd(condition, status, (&text(2), &text(3))));
                }
                _ => {}
            }
        }
        node
    }

    /// Verdict and words, if it is not well as of a time of the server.
    fn ill(&self, there: Epoch) -> Option<(Verdict, String)> {
        if self.ready != "True" {
            let (since, reason) = (self.since.rfc3339(), &self.reason);
            let why = match self.ready.as_str() {
                "Unknown" => format!(
                    "its kubelet has not reported since {since} ({reason}): the node or its network is down, and its pods are moved"
                ),
                "" => "has no Ready condition: its kubelet never reported".to_owned(),
                _ => format!("not ready since {since}: {reason}"),
            };
            let age = self.created.age(there);
            return Some(match self.created.is_set() && age < YOUNG {
                true => (
                    Verdict::Warn,
                    format!("{why}; it was created {age} s ago and may still start"),
                ),
                false => (Verdict::Bad, why),
            });
        }
        let pressed = format!("{}: pods are evicted or not admitted", self.pressures.join(", "));
        let pressed = (!self.pressures.is_empty()).then_some(pressed);
        let all: Vec<String> = pressed.into_iter().chain(self.others.iter().cloned()).collect();
        (!all.is_empty()).then(|| (Verdict::Warn, all.join("; ")))
    }
}

/// Whether a condition that Kubernetes itself does not set is not as it should be: most name a problem.
fn is_odd(condition: &str, status: &str) -> bool {
    let expected = match condition.ends_with("Ready") || GOOD.contains(&condition) {
        true => "True",
        false => "False",
    };
    let known = TOLD.contains(&condition) || PRESSURES.contains(&condition);
    !condition.is_empty() && status != expected && !known
}

fn odd(condition: &str, status: &str, (reason, message): (&str, &str)) -> String {
    let reason = if reason.is_empty() { String::new() } else { format!(", {reason}") };
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    format!("{condition} is {status}{reason}{message}")
}

/// A line for each node that is not well, and one for all, as of a time of the server.
pub fn lines(all: &[Node], there: Epoch) -> Vec<Line> {
    let ill = |node: &Node| {
        let (verdict, why) = node.ill(there)?;
        Some(Line::new("node", node.name.as_str(), verdict, why))
    };
    let mut lines: Vec<Line> = all.iter().filter_map(ill).collect();
    let (ill, total) = (lines.len(), grouped(all.len() as i64));
    let not_ready = all.iter().filter(|node| node.ready != "True").count();
    let pressed = |node: &&Node| node.ready == "True" && !node.pressures.is_empty();
    let pressed = all.iter().filter(pressed).count();
    lines.sort_by_key(|line| line.verdict);
    let worst = lines.first().map_or(Verdict::Ok, |line| line.verdict);
    lines.truncate(NAMED);
    let (verdict, why) = match (all.len(), ill) {
        (0, _) => (Verdict::Unknown, "there is no node".to_owned()),
        (_, 0) => (Verdict::Ok, format!("all {total} are Ready, none under pressure")),
        _ => {
            let others = match ill - not_ready - pressed {
                0 => String::new(),
                n => format!(", {n} with another condition that is not as it should be"),
            };
            let why =
                format!("{not_ready} of {total} are not Ready, {pressed} under pressure{others}");
            (worst, why)
        }
    };
    lines.insert(0, Line::new("node", "(all)", verdict, why));
    lines
}
