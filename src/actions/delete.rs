//! Delete, of exactly the objects that were seen.

use super::change::{By, Change, Draft, Seen, text};
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec};
use serde_json::{Value, json};

/// Deletes objects.
pub struct Delete;

impl Action for Delete {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "delete",
            word: "delete",
            help: "delete the object, or all that are marked; its name or their number must be typed",
            tables: &[],
            shown: false,
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Delete {
    fn right(&self) -> (&'static str, &'static str) {
        ("delete", "")
    }

    fn plan(&self, on: &[Seen], _: &str, _: &By) -> Result<Plan, String> {
        let mut draft = Draft::new("delete", Danger::Destructive(Draft::word(on)));
        draft.note(Note::bad("what is deleted does not come back by undo"));
        for seen in on {
            let path = seen.target.path();
            consequences(&mut draft, seen);
            // What it owns goes with it, as kubectl does by default.
            let body = json!({"propagationPolicy": "Background"});
            let write =
                Write { method: Method::Delete, target: seen.target.clone(), sub: "", body };
            draft.step(Step::new(format!("delete {} {path}", seen.target.gvk.kind), &write, None));
        }
        draft.finish(on, "object")
    }
}

/// What a deletion gives up that its name does not say.
fn consequences(draft: &mut Draft<'_>, seen: &Seen) {
    let (object, path) = (&seen.object, seen.target.path());
    if !text(object, "/metadata/deletionTimestamp").is_empty() {
        draft.note(Note::warn(format!("{path} is being deleted already")));
    }
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    if let Some(finalizers) = finalizers.filter(|f| !f.is_empty()) {
        let names: Vec<&str> = finalizers.iter().filter_map(Value::as_str).collect();
        draft.note(Note::warn(format!(
            "{path} stays until its finalizers are done: {}",
            names.join(", ")
        )));
    }
    match seen.target.gvk.kind {
        "Pod" => {
            draft.note(Note::warn("disruption budgets are not asked by a delete; evict asks them"));
            if !is_owned(object) {
                draft.note(Note::bad(format!(
                    "{path} has no controller: nothing will make it again"
                )));
            }
        }
        "Node" => draft.note(Note::bad(format!(
            "{path}: its pods are deleted with it, without their grace; drain it first"
        ))),
        "Namespace" => {
            draft.note(Note::bad(format!("everything in the namespace {path} is deleted with it")))
        }
        "PodDisruptionBudget" => {
            draft.note(Note::warn(format!("nothing protects the pods of {path} afterwards")))
        }
        _ => {}
    }
}

/// Whether a controller would make it again.
pub fn is_owned(object: &Value) -> bool {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.is_some_and(|owners| owners.iter().any(|owner| owner["controller"] == true))
}
