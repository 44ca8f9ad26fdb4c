//! Scale: another number of replicas, if it is still the number that was seen.

use super::change::{Argument, By, Change, Draft, Seen, text};
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec, Ask, Offer};
use serde_json::{Value, json};

/// Scales workloads.
pub struct Scale;

impl Action for Scale {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "scale",
            word: "scale",
            help: "another number of replicas",
            tables: &["workloads"],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.target.gvk.kind {
            "Deployment" | "StatefulSet" | "ReplicaSet" => ask.may_write(),
            kind => Offer::No(format!("a {kind} has no replicas to set")),
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Scale {
    fn argument(&self) -> Option<Argument> {
        Some(Argument { label: "replicas", example: "3" })
    }

    fn check(&self, argument: &str) -> Result<(), String> {
        replicas(argument).map(|_| ())
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "scale")
    }

    fn plan(&self, on: &[Seen], argument: &str, _: &By) -> Result<Plan, String> {
        let wanted = replicas(argument)?;
        let mut draft = Draft::new("scale", Danger::Reversible);
        for seen in on {
            let path = seen.target.path();
            // The server fills in 1 where nothing was asked for.
            let now = seen.object["spec"]["replicas"].as_i64().unwrap_or(1);
            if now == wanted {
                draft.skip(format!("{path} has {now} already"));
                continue;
            }
            if wanted < now {
                draft.raise(Danger::Disruptive);
                draft.note(Note::warn(format!(
                    "{path}: {} pods go; disruption budgets are not asked",
                    now - wanted
                )));
            }
            if wanted == 0 {
                draft.raise(Danger::Destructive(Draft::word(on)));
                draft.note(Note::bad(format!("{path}: nothing is left running")));
            }
            let version = text(&seen.object, "/metadata/resourceVersion");
            let set = |from: i64, to: i64, version: Option<&str>| Write {
                method: Method::JsonPatch,
                target: seen.target.clone(),
                sub: "scale",
                body: swap(from, to, version),
            };
            let undo = Some((format!("scale {path} to {now}"), set(wanted, now, None)));
            draft.step(Step::new(
                format!("scale {path} from {now} to {wanted}"),
                &set(now, wanted, Some(version)),
                undo,
            ));
        }
        draft.note(Note::plain("an autoscaler or GitOps that owns the number puts it back"));
        draft.finish(on, "workload")
    }
}

/// A Scale leaves out a 0 (autoscaling/v1 `omitempty`): there the version of the whole object, which a Scale carries as its
/// own, stands for it. The way back from 0 knows none and is not tested.
fn swap(from: i64, to: i64, version: Option<&str>) -> Value {
    let put = json!({"op": "add", "path": "/spec/replicas", "value": to});
    let test = |path: &str, value: Value| json!({"op": "test", "path": path, "value": value});
    match (from, version) {
        (0, None) => json!([put]),
        (0, Some(version)) => json!([test("/metadata/resourceVersion", version.into()), put]),
        (from, _) => json!([test("/spec/replicas", from.into()), put]),
    }
}

fn replicas(argument: &str) -> Result<i64, String> {
    match argument.trim().parse() {
        Ok(n @ 0..=100_000) => Ok(n),
        _ => Err("a number of replicas: 0 or more".into()),
    }
}
