//! Cordon: no new pods on a node. Who did it, why and when stands on the node in one annotation.
//!
//! Kubernetes: the scheduler looks at `spec.unschedulable`; the node lifecycle controller adds the taint
//! `node.kubernetes.io/unschedulable:NoSchedule` by itself (semantics.md A8). Pods that run stay.

use super::change::{Argument, By, Change, Draft, Seen, text};
use super::plan::{Danger, Method, Plan, Step, Write};
use super::{Action, ActionSpec, Ask, Offer};
use crate::state::kinds::nodes;
use serde_json::{Value, json};

pub use nodes::CORDON as NOTE;

/// Keeps new pods off nodes.
pub struct Cordon;

impl Action for Cordon {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "cordon",
            word: "cordon",
            help: "keep new pods off the node, with a reason that stands on it",
            tables: &["nodes"],
            shown: true,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.row.is_some_and(|row| row.num(nodes::CORDONED) != 0) {
            true if ask.marks() == 0 => Offer::No("it is cordoned already".into()),
            _ => ask.may_write(),
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Cordon {
    fn argument(&self) -> Option<Argument> {
        Some(Argument {
            label: "reason",
            example: "kernel update ticket=CHG-1182 owner=team-infra (or nothing)",
        })
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "")
    }

    fn reason(&self, argument: &str) -> String {
        argument.trim().to_owned()
    }

    fn plan(&self, on: &[Seen], argument: &str, by: &By) -> Result<Plan, String> {
        let mut draft = Draft::new("cordon", Danger::Reversible);
        let note = note(argument, by);
        for seen in on {
            let name = &seen.target.name;
            if seen.object["spec"]["unschedulable"] == true {
                draft.skip(format!("{name} is cordoned already"));
                continue;
            }
            let body = json!({
                "metadata": {"annotations": {NOTE: note}},
                "spec": {"unschedulable": true},
            });
            let write = |method, body| Write { method, target: seen.target.clone(), sub: "", body };
            let back = write(Method::JsonPatch, lift(Some(&note)));
            let undo = Some((format!("uncordon {name}"), back));
            draft.step(Step::new(format!("cordon {name}"), &write(Method::MergePatch, body), undo));
        }
        draft.finish(on, "node")
    }
}

/// The operations that lift a cordon, if it is still the one with this note.
pub fn lift(note: Option<&str>) -> Value {
    let mut ops = vec![
        json!({"op": "test", "path": "/spec/unschedulable", "value": true}),
        json!({"op": "remove", "path": "/spec/unschedulable"}),
    ];
    if let Some(note) = note {
        let path = format!("/metadata/annotations/{}", super::change::pointer(NOTE));
        ops.push(json!({"op": "test", "path": path, "value": note}));
        ops.push(json!({"op": "remove", "path": path}));
    }
    Value::Array(ops)
}

/// The annotation's text: JSON with `by`, `at`, and what was typed.
pub fn note(argument: &str, by: &By) -> String {
    let mut note = json!({"by": by.login, "at": by.at});
    let mut words = vec![];
    for word in argument.split_whitespace() {
        match word.split_once('=') {
            Some((field @ ("ticket" | "owner"), value)) => note[field] = value.into(),
            _ => words.push(word),
        }
    }
    if !words.is_empty() {
        note["reason"] = words.join(" ").into();
    }
    note.to_string()
}

/// Who cordoned a node, in words; whether it was this login with wheelhouse.
///
/// The note is only believed while our field manager still owns `spec.unschedulable`: a node that was uncordoned and
/// cordoned again by somebody else may still carry it.
pub fn cordoned_by(node: &Value, login: &str) -> (bool, String) {
    let manager = super::change::manager(node, &["spec", "unschedulable"]);
    let note: Option<Value> = node
        .pointer("/metadata/annotations")
        .and_then(|a| serde_json::from_str(a[NOTE].as_str()?).ok());
    match (manager, note) {
        (Some(("wheelhouse", _)), Some(note)) => {
            let by = text(&note, "/by");
            let mut words = format!("cordoned by {by} at {}", text(&note, "/at"));
            for field in ["reason", "ticket", "owner"] {
                if let Some(value) = note[field].as_str() {
                    words += &format!(", {field}: {value}");
                }
            }
            (by == login, words)
        }
        (Some((manager, at)), note) => {
            let stale =
                if note.is_some() { "; the note on it is of an earlier cordon" } else { "" };
            (false, format!("cordoned by {manager} at {at}{stale}"))
        }
        (None, _) => (false, "nobody knows who cordoned it".to_owned()),
    }
}
