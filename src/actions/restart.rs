//! Restart: a rollout of the same pods, by an annotation of the template as kubectl writes it.

use super::change::{By, Change, Draft, Seen};
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec, Ask, Offer};
use serde_json::json;

/// Restarts workloads.
pub struct Restart;

/// kubectl's own annotation, so that both tools show the same history.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

impl Action for Restart {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "restart",
            word: "restart",
            help: "roll the workload's pods, in its own strategy",
            tables: &["workloads"],
            shown: true,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.target.gvk.kind {
            "Deployment" | "StatefulSet" | "DaemonSet" => ask.may_write(),
            kind => Offer::No(format!("a {kind} has no rollout")),
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Restart {
    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "")
    }

    fn plan(&self, on: &[Seen], _: &str, by: &By) -> Result<Plan, String> {
        let mut draft = Draft::new("restart", Danger::Disruptive);
        draft.note(Note::plain(
            "rollout undo of kubectl goes back to an earlier template; a restart has no way back",
        ));
        for seen in on {
            let (target, path) = (&seen.target, seen.target.path());
            if !matches!(target.gvk.kind, "Deployment" | "StatefulSet" | "DaemonSet") {
                draft.skip(format!("{path}: a {} has no rollout", target.gvk.kind));
                continue;
            }
            let spec = &seen.object["spec"];
            if spec["paused"] == true {
                draft.note(Note::warn(format!(
                    "{path} is paused: nothing moves until it is resumed"
                )));
            }
            if spec["updateStrategy"]["type"] == "OnDelete" {
                draft.note(Note::warn(format!(
                    "{path} updates on delete: its pods stay until somebody deletes them"
                )));
            }
            let body =
                json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED: by.at}}}}});
            let write = Write { method: Method::MergePatch, target: target.clone(), sub: "", body };
            draft.step(Step::new(format!("restart {} {path}", target.gvk.kind), &write, None));
        }
        draft.finish(on, "workload")
    }
}
