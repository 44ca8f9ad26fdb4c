//! Why a pod is pending: the simulator's findings beside the scheduler's own words.

use super::describe::page::{Page, ago, items, str_at, time};
use super::{Doc, title};
use crate::state::cell::{Role, grouped};
use crate::state::time::Epoch;
use serde_json::Value;

/// What the simulator found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Nodes that were asked.
    pub nodes: usize,
    /// What it waits for, whatever the nodes are.
    pub waits: Option<String>,
    /// Why nothing can be said.
    pub unknown: Option<String>,
    /// The most frequent reason first; empty if a node would take it.
    pub refusals: Vec<Refusal>,
    /// What could not be read, a sentence each.
    pub unread: Vec<String>,
}

/// Nodes that refuse for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// How many.
    pub nodes: usize,
    /// What they have in common.
    pub words: String,
    /// One of them, and what it says.
    pub example: (String, String),
}

/// The page of a pod and what was found about it. The scheduler's words are those of its condition `PodScheduled`
/// (kube-scheduler writes it when a pod finds no node).
pub fn pending(pod: &Value, found: &Findings, now: Epoch) -> Doc {
    let mut page = Page::default();
    let node = str_at(pod, "/spec/nodeName");
    if !node.is_empty() {
        page.line(
            Role::Warn,
            &format!("It is on node {node}: the question is answered as if it were not."),
        );
    }
    answer(&mut page, found);
    if !found.refusals.is_empty() {
        page.heading("Nodes");
        page.indent = 2;
        let rows: Vec<_> = found.refusals.iter().map(row).collect();
        page.table(["NODES", "REFUSE FOR", "FOR EXAMPLE", ""], &rows);
        page.indent = 0;
    }
    page.heading("The scheduler says");
    page.indent = 2;
    let scheduled = |c: &&Value| str_at(c, "/type") == "PodScheduled";
    match items(pod, "/status/conditions").iter().find(scheduled) {
        Some(condition) if str_at(condition, "/status") != "True" => {
            page.line(Role::Plain, str_at(condition, "/message"));
            page.line(
                Role::Dim,
                &format!("{} ago", ago(time(condition, "/lastTransitionTime"), now)),
            );
        }
        Some(_) => page.line(Role::Ok, "It has found a node."),
        None => page.line(Role::Dim, "Nothing yet: it has not looked at this pod."),
    }
    page.indent = 0;
    for unread in &found.unread {
        page.line(Role::Warn, unread);
    }
    page.lines.push(super::Line::default());
    page.line(Role::Dim, "An estimate: the scheduler's own settings, its queue and other schedulers are not known here.");
    Doc { title: title(pod), lines: page.lines }
}

fn answer(page: &mut Page, found: &Findings) {
    let nodes = grouped(found.nodes as i64);
    if let Some(words) = &found.unknown {
        page.line(Role::Warn, &format!("This cannot be told from here: {words}."));
    }
    match &found.waits {
        Some(words) => {
            page.line(Role::Warn, &format!("It waits, whatever the nodes are: {words}."))
        }
        None if found.refusals.is_empty() && found.unknown.is_none() => {
            page.line(Role::Ok, &format!("One of the {nodes} nodes would take it now: its turn in the queue has not come."));
        }
        None if found.refusals.is_empty() => {}
        None => page.line(
            Role::Bad,
            &format!(
                "None of the {nodes} nodes takes it. A node counts for the first rule it breaks."
            ),
        ),
    }
}

fn row(refusal: &Refusal) -> [(Role, String); 4] {
    let (node, says) = &refusal.example;
    [
        (Role::Plain, grouped(refusal.nodes as i64)),
        (Role::Plain, refusal.words.clone()),
        (Role::Dim, node.clone()),
        (Role::Dim, says.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reasons_stand_beside_the_schedulers_words() {
        let pod = json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "web"}, "status": {"conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]}});
        let refusal = Refusal {
            nodes: 1412,
            words: "insufficient cpu".into(),
            example: ("n1".into(), "insufficient cpu: needs 2, 100m free".into()),
        };
        let found = Findings { nodes: 1415, refusals: vec![refusal], ..Findings::default() };
        let text = pending(&pod, &found, Epoch(0)).text();
        let lines = [
            "None of the 1,415 nodes takes it",
            "1,412  insufficient cpu  n1",
            "0/3 nodes are available",
        ];
        assert!(lines.iter().all(|line| text.contains(line)), "{text}");
        let text = pending(&pod, &Findings { nodes: 3, ..Findings::default() }, Epoch(0)).text();
        assert!(text.contains("would take it now"), "{text}");
    }
}
