//! Tell the cluster that a node is out of service: its pods are removed without its kubelet, its volumes are detached.
//!
//! Kubernetes: the taint `node.kubernetes.io/out-of-service` (KEP-2268, stable since 1.28). Controllers look at its key
//! alone; pod garbage collection then force-deletes terminating pods of a node that is not ready, and volumes are detached
//! without a word from the node (semantics.md A7). If the machine still runs, two writers may share a volume. Nobody takes
//! the taint off again.

use super::change::{Argument, By, Change, Draft, Seen, text};
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec, Ask, Offer};
use crate::state::kinds::nodes;
use serde_json::{Value, json};

const KEY: &str = "node.kubernetes.io/out-of-service";

/// What the operator has to attest, word for word.
const ATTESTED: &str = "powered off";

/// Takes dead nodes out of service.
pub struct OutOfService;

impl Action for OutOfService {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "out-of-service",
            word: "out of service",
            help: "the node is dead and powered off: remove its pods and detach its volumes without it",
            tables: &["nodes"],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.row.is_some_and(|row| row.num(nodes::IS_READY) != 0) {
            true => {
                Offer::No("it is ready; this is for a node that is dead and powered off".into())
            }
            false => ask.may_write(),
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for OutOfService {
    fn argument(&self) -> Option<Argument> {
        Some(Argument { label: "the machine is", example: ATTESTED })
    }

    fn check(&self, argument: &str) -> Result<(), String> {
        match argument.trim() == ATTESTED {
            true => Ok(()),
            false => {
                Err(format!("only a machine that is `{ATTESTED}` may lose its volumes: type that"))
            }
        }
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "")
    }

    fn wants_pods(&self, _: &str) -> bool {
        true
    }

    fn plan(&self, on: &[Seen], argument: &str, by: &By) -> Result<Plan, String> {
        self.check(argument)?;
        let mut draft = Draft::new("out-of-service", Danger::Destructive(Draft::word(on)));
        draft.note(Note::bad(
            "if the machine still runs, its processes go on and write to volumes that others mount",
        ));
        draft.note(Note::warn(
            "the taint stays until somebody takes it off: t, once the node is back",
        ));
        draft.note(Note::plain(format!("attested by {}: {ATTESTED}", by.login)));
        for seen in on {
            let name = &seen.target.name;
            if is_ready(&seen.object) {
                draft.skip(format!("{name} is ready"));
                continue;
            }
            let taints = seen.object["spec"]["taints"].as_array().cloned().unwrap_or_default();
            if taints.iter().any(|t| t["key"] == KEY) {
                draft.skip(format!("{name} is out of service already"));
                continue;
            }
            consequences(&mut draft, seen);
            let taint = json!({"key": KEY, "value": "nodeshutdown", "effect": "NoExecute"});
            let version = text(&seen.object, "/metadata/resourceVersion");
            let (guard, add) = match taints.first() {
                Some(first) => (
                    json!({"op": "test", "path": "/spec/taints/0", "value": first}),
                    json!({"op": "add", "path": "/spec/taints/-", "value": taint}),
                ),
                None => (
                    json!({"op": "test", "path": "/metadata/resourceVersion", "value": version}),
                    json!({"op": "add", "path": "/spec/taints", "value": [taint]}),
                ),
            };
            let body = json!([guard, add]);
            let target = seen.target.clone();
            let write = Write { method: Method::JsonPatch, target, sub: "", body };
            draft.step(Step::new(format!("take {name} out of service"), &write, None));
        }
        draft.finish(on, "node")
    }
}

fn is_ready(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// Which pods go, and which volumes are detached under them.
fn consequences(draft: &mut Draft<'_>, seen: &Seen) {
    let node = &seen.target.name;
    let pods = match &seen.pods {
        Ok(pods) => pods,
        Err(why) => {
            return draft.note(Note::bad(format!("{node}: its pods are not known: {why}")));
        }
    };
    draft.note(Note::bad(format!("{node}: {} pods are removed without their grace", pods.len())));
    let claims = pods.iter().flat_map(|pod| {
        let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
        let name = |v: &Value| v["persistentVolumeClaim"]["claimName"].as_str().map(str::to_owned);
        let namespace = text(pod, "/metadata/namespace").to_owned();
        volumes
            .filter_map(name)
            .map(move |claim| format!("{namespace}/{claim}"))
            .collect::<Vec<_>>()
    });
    let claims: Vec<String> = claims.collect();
    if !claims.is_empty() {
        let words = claims.join(", ");
        draft.note(Note::bad(format!("{node}: detached by force: the volumes of {words}")));
    }
}
