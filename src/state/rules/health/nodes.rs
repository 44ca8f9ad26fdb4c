//! Nodes in sum, those that are not well by name.

use super::{Line, Verdict};
use crate::state::cell::grouped;
use crate::state::time::{Epoch, parse_rfc3339};
use serde_json::Value;

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

impl Node {
    /// Reads the object.
    pub fn of(object: &Value) -> Node {
        let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
        let mut node = Node {
            name: text(&object["metadata"], "name"),
            kubelet: text(&object["status"]["nodeInfo"], "kubeletVersion"),
            ..Node::default()
        };
        for condition in object["status"]["conditions"].as_array().into_iter().flatten() {
            let (kind, status) = (text(condition, "type"), text(condition, "status"));
            match kind.as_str() {
                "Ready" => {
                    node.ready = status;
                    node.reason = text(condition, "reason");
                    node.since =
                        parse_rfc3339(&text(condition, "lastTransitionTime")).unwrap_or_default();
                }
                "MemoryPressure" | "DiskPressure" | "PIDPressure" | "NetworkUnavailable"
                    if status == "True" =>
                {
                    node.pressures.push(kind);
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
