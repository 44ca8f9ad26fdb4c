//! Uncordon: a node takes pods again. Somebody else's cordon is lifted only after a second look.

use super::change::{By, Change, Draft, Seen};
use super::cordon::{NOTE, cordoned_by, lift};
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec, Ask, Offer};
use crate::state::kinds::nodes;
use serde_json::json;

/// Lets new pods on nodes again.
pub struct Uncordon;

impl Action for Uncordon {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "uncordon",
            word: "uncordon",
            help: "let new pods on the node again; asks if somebody else cordoned it",
            tables: &["nodes"],
            shown: true,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.row.is_some_and(|row| row.num(nodes::CORDONED) == 0) {
            true if ask.marks() == 0 => Offer::No("it is not cordoned".into()),
            _ => ask.may_write(),
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Uncordon {
    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "")
    }

    fn plan(&self, on: &[Seen], _: &str, by: &By) -> Result<Plan, String> {
        let mut draft = Draft::new("uncordon", Danger::Reversible);
        for seen in on {
            let name = &seen.target.name;
            if seen.object["spec"]["unschedulable"] != true {
                draft.skip(format!("{name} is not cordoned"));
                continue;
            }
            let (ours, words) = cordoned_by(&seen.object, &by.login);
            if ours {
                draft.note(Note::plain(format!("{name}: {words}")));
            } else {
                draft.raise(Danger::Disruptive);
                draft.note(Note::warn(format!("{name}: {words}, not by you")));
            }
            let note = seen.object.pointer("/metadata/annotations").and_then(|a| a[NOTE].as_str());
            let write = |method, body| Write { method, target: seen.target.clone(), sub: "", body };
            let mut back = json!({"spec": {"unschedulable": true}});
            if let Some(note) = note {
                back["metadata"]["annotations"][NOTE] = note.into();
            }
            let undo = Some((format!("cordon {name}"), write(Method::MergePatch, back)));
            draft.step(Step::new(
                format!("uncordon {name}"),
                &write(Method::JsonPatch, lift(note)),
                undo,
            ));
        }
        draft.finish(on, "node")
    }
}
