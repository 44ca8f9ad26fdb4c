//! Labels: keys are set and removed, and nothing else on the object is touched.

use super::change::{Argument, By, Change, Draft, Seen, pointer};
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use super::qualified::{Pair, pairs, value};
use super::{Action, ActionSpec};
use serde_json::{Value, json};

/// Sets and removes labels.
pub struct Label;

/// Prefixes of labels that decide more than a name, and what they decide (semantics.md B).
const WEIGHTY: [(&str, &str); 6] = [
    ("topology.kubernetes.io/", "volumes and spreading go by it"),
    ("kubernetes.io/hostname", "volumes and affinity go by it"),
    ("kubernetes.io/", "the kubelet sets it again"),
    ("node-role.kubernetes.io/", "the node's role goes by it"),
    (
        "node.kubernetes.io/exclude-from-external-load-balancers",
        "load balancers drop or take the node",
    ),
    ("node-restriction.kubernetes.io/", "isolation of workloads may go by it"),
];

impl Action for Label {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "label",
            word: "label",
            help: "set labels (key=value) and remove them (key-)",
            tables: &[],
            shown: false,
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Label {
    fn argument(&self) -> Option<Argument> {
        Some(Argument { label: "labels", example: "team=infra old-key-" })
    }

    fn check(&self, argument: &str) -> Result<(), String> {
        pairs(argument, value).map(|_| ())
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "")
    }

    fn plan(&self, on: &[Seen], argument: &str, _: &By) -> Result<Plan, String> {
        let wanted = pairs(argument, value)?;
        let mut draft = Draft::new("label", Danger::Reversible);
        for (key, _) in &wanted {
            if let Some((_, why)) = WEIGHTY.iter().find(|(prefix, _)| key.starts_with(prefix)) {
                draft.raise(Danger::Disruptive);
                draft.note(Note::warn(format!("{key}: {why}")));
            }
        }
        write(&mut draft, "labels", on, &wanted);
        draft.finish(on, "object")
    }
}

/// A merge patch names only the keys that change, so what others write meanwhile stays (semantics.md B). The way back
/// tests each value first.
pub fn write(draft: &mut Draft<'_>, field: &str, on: &[Seen], wanted: &[Pair<'_>]) {
    for seen in on {
        let old = |key: &str| seen.object["metadata"][field][key].as_str();
        let changes: Vec<&Pair<'_>> = wanted.iter().filter(|(k, v)| old(k) != *v).collect();
        if changes.is_empty() {
            draft.skip(format!("{} has them so already", seen.target.path()));
            continue;
        }
        let mut set = serde_json::Map::new();
        let mut back = vec![];
        let mut restored = serde_json::Map::new();
        let mut words = vec![];
        for (key, new) in changes {
            set.insert((*key).to_owned(), new.map_or(Value::Null, Value::from));
            let path = format!("/metadata/{field}/{}", pointer(key));
            match (old(key), new) {
                (Some(was), Some(now)) => {
                    back.push(json!({"op": "test", "path": path, "value": now}));
                    back.push(json!({"op": "replace", "path": path, "value": was}));
                    words.push(format!("{key}: {was} -> {now}"));
                }
                (None, Some(now)) => {
                    back.push(json!({"op": "test", "path": path, "value": now}));
                    back.push(json!({"op": "remove", "path": path}));
                    words.push(format!("{key}={now}"));
                }
                (Some(was), None) => {
                    restored.insert((*key).to_owned(), was.into());
                    words.push(format!("remove {key}={was}"));
                }
                (None, None) => {}
            }
        }
        let (verb, path) = (draft.verb(), seen.target.path());
        let write = |method, body| Write { method, target: seen.target.clone(), sub: "", body };
        // What was removed cannot be tested for being absent: it comes back by a merge. Both at once have no way back.
        let undo = match (back.is_empty(), restored.is_empty()) {
            (false, true) => Some(write(Method::JsonPatch, Value::Array(back))),
            (true, false) => {
                Some(write(Method::MergePatch, json!({"metadata": {field: restored}})))
            }
            _ => None,
        };
        let undo = undo.map(|write| (format!("{field} of {path} as they were"), write));
        let body = json!({"metadata": {field: set}});
        let step = Step::new(
            format!("{verb} {path}: {}", words.join(", ")),
            &write(Method::MergePatch, body),
            undo,
        );
        draft.step(step);
    }
}
