//! Evict: ask a pod to go, as far as its disruption budget allows.
//!
//! Kubernetes: POST of a policy/v1 Eviction whose delete options carry the uid (semantics.md A4).

use super::change::{By, Change, Draft, Seen, text};
use super::delete::is_owned;
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec};
use serde_json::json;

/// Evicts pods.
pub struct Evict;

impl Action for Evict {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "evict",
            word: "evict",
            help: "ask the pod to go, as far as its disruption budget allows",
            tables: &["pods"],
            shown: false,
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Evict {
    fn right(&self) -> (&'static str, &'static str) {
        ("create", "eviction")
    }

    fn plan(&self, on: &[Seen], _: &str, _: &By) -> Result<Plan, String> {
        let mut draft = Draft::new("evict", Danger::Disruptive);
        draft.note(Note::plain(
            "an eviction that a disruption budget does not allow is refused and not repeated",
        ));
        for seen in on {
            let (object, path) = (&seen.object, seen.target.path());
            if !text(object, "/metadata/deletionTimestamp").is_empty() {
                draft.skip(format!("{path} is on its way out already"));
                continue;
            }
            if !is_owned(object) {
                draft.raise(Danger::Destructive(Draft::word(on)));
                draft.note(Note::bad(format!(
                    "{path} has no controller: nothing will make it again"
                )));
            }
            let body = json!({
                "apiVersion": "policy/v1", "kind": "Eviction",
                "metadata": {"name": seen.target.name, "namespace": seen.target.namespace},
            });
            let target = seen.target.clone();
            let write = Write { method: Method::Create, target, sub: "eviction", body };
            draft.step(Step::new(format!("evict {path}"), &write, None));
        }
        draft.finish(on, "pod")
    }
}
