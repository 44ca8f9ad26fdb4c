//! Nodes in sum, those that are not well by name.

use super::{Line, Verdict};
use crate::state::cell::grouped;
use crate::state::decl::{Gvk, Hit, Kind, TableSpec};
use crate::state::parcel::Draft;
use crate::state::time::Epoch;
use crate::{paths, words};

/// Nodes named one by one; more of them are counted.
const NAMED: usize = 20;

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
    KUBELET = Text [3, 7, 7] "status.nodeInfo.kubeletVersion";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (CONDITION, Hit::Open) => d.open(path),
        (CONDITION_TYPE, Hit::Text(t)) => d.note(0, t),
        (CONDITION_STATUS, Hit::Text(t)) => d.note(1, t),
        (CONDITION_REASON, Hit::Text(t)) => d.note(2, t),
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
        let mut node = Node { name: d.text(d.head.name).to_owned(), ..Node::default() };
        for item in &d.items {
            let text = |at: usize| d.text(item.txt[at]).to_owned();
            match d.text(item.txt[0]) {
                version if item.tag == KUBELET => node.kubelet = version.to_owned(),
                "Ready" => {
                    (node.ready, node.reason, node.since) = (text(1), text(2), Epoch(item.num[0]));
                }
                "MemoryPressure" | "DiskPressure" | "PIDPressure" | "NetworkUnavailable"
                    if d.text(item.txt[1]) == "True" =>
                {
                    node.pressures.push(text(0));
                }
                _ => {}
            }
        }
        node
    }
}

/// A line for each node that is not well, and one for all.
pub fn lines(all: &[Node]) -> Vec<Line> {
    let mut lines = vec![];
    for node in all {
        if node.ready != "True" {
            let why = match node.ready.as_str() {
                "Unknown" => format!(
                    "its kubelet has not reported since {} ({}): the node or its network is down, and its pods are moved",
                    node.since.rfc3339(),
                    node.reason
                ),
                "" => "has no Ready condition: its kubelet never reported".to_owned(),
                _ => format!("not ready since {}: {}", node.since.rfc3339(), node.reason),
            };
            lines.push(Line::new("node", node.name.as_str(), Verdict::Bad, why));
        } else if !node.pressures.is_empty() {
            let why = format!("{}: pods are evicted or not admitted", node.pressures.join(", "));
            lines.push(Line::new("node", node.name.as_str(), Verdict::Warn, why));
        }
    }
    let (ill, total) = (lines.len(), grouped(all.len() as i64));
    let not_ready = all.iter().filter(|node| node.ready != "True").count();
    if ill > NAMED {
        lines.sort_by_key(|line| line.verdict);
        lines.truncate(NAMED);
    }
    let (verdict, why) = match (all.len(), ill) {
        (0, _) => (Verdict::Unknown, "there is no node".to_owned()),
        (_, 0) => (Verdict::Ok, format!("all {total} are Ready, none under pressure")),
        _ => {
            let verdict = if not_ready > 0 { Verdict::Bad } else { Verdict::Warn };
            let pressed = ill - not_ready;
            (verdict, format!("{not_ready} of {total} are not Ready, {pressed} under pressure"))
        }
    };
    lines.insert(0, Line::new("node", "(all)", verdict, why));
    lines
}
