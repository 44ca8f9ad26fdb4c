//! Force-delete a pod: its object goes at once, whatever still runs.
//!
//! Kubernetes: DELETE with `gracePeriodSeconds: 0` removes the object without waiting for the kubelet
//! (`registry/core/pod/strategy.go`, `CheckGracefulDelete`).

use super::change::{By, Change, Draft, Seen, text};
use super::plan::{Before, Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec};
use serde_json::{Value, json};

/// Force-deletes pods.
pub struct ForceDelete;

impl Action for ForceDelete {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "force-delete",
            word: "force-delete",
            help: "remove a pod's object at once although its containers may still run; says what that gives up",
            tables: &["pods", "stuck"],
            shown: false,
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for ForceDelete {
    fn right(&self) -> (&'static str, &'static str) {
        ("delete", "")
    }

    /// With a node's name as the argument: its pods alone, and that name is what is typed.
    fn plan(&self, on: &[Seen], node: &str, _: &By) -> Result<Plan, String> {
        let mut draft = Draft::new("force-delete", Danger::Destructive(Draft::word(on)));
        for seen in on {
            let path = seen.target.path();
            if seen.target.gvk.kind != "Pod" {
                draft.skip(format!(
                    "{path} is a {}: only pods are force-deleted",
                    seen.target.gvk.kind
                ));
                continue;
            }
            if !node.is_empty() && text(&seen.object, "/spec/nodeName") != node {
                draft.skip(format!("{path} is not on {node}"));
                continue;
            }
            gives_up(&mut draft, seen);
            let body = json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"});
            let write =
                Write { method: Method::Delete, target: seen.target.clone(), sub: "", body };
            let step = Step::new(format!("force-delete {path}"), &write, None);
            let before = Before { backup: true, ..Before::default() };
            draft.step(step.map(|step| step.after(before)));
        }
        let mut plan = draft.finish(on, "pod")?;
        if !node.is_empty() {
            plan.danger = Danger::Destructive(node.to_owned());
        }
        Ok(plan)
    }
}

fn gives_up(draft: &mut Draft<'_>, seen: &Seen) {
    let (object, path) = (&seen.object, seen.target.path());
    let node = text(object, "/spec/nodeName");
    if text(object, "/metadata/deletionTimestamp").is_empty() {
        draft.note(Note::bad(format!("{path} was not deleted yet: it gets no grace to end in")));
    }
    draft.note(Note::bad(match node {
        "" => "its object is removed at once".to_owned(),
        node => format!("{node}: its containers may still run there, nobody has said that they ended; only if the machine is off for certain is that safe"),
    }));
    let list = |at: &str| object.pointer(at).and_then(Value::as_array).into_iter().flatten();
    if list("/metadata/ownerReferences")
        .any(|o| o["kind"] == "StatefulSet" && o["controller"] == true)
    {
        draft.note(Note::bad(format!(
            "{path} belongs to a StatefulSet: a second pod of the same name starts at once, and both may write to the same data"
        )));
    }
    let claims: Vec<&str> = list("/spec/volumes")
        .filter_map(|v| v.pointer("/persistentVolumeClaim/claimName")?.as_str())
        .collect();
    if !claims.is_empty() {
        draft.note(Note::bad(format!(
            "its volumes ({}) may still be mounted there while another pod gets them",
            claims.join(", ")
        )));
    }
    let finalizers: Vec<&str> = list("/metadata/finalizers").filter_map(Value::as_str).collect();
    if !finalizers.is_empty() {
        draft.note(Note::warn(format!(
            "{path} stays all the same until its finalizers are gone: {}",
            finalizers.join(", ")
        )));
    }
}
