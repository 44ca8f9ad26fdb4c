//! A pod that does not end: its grace, its node, its containers, its volumes.
//!
//! A pod's object goes when its kubelet says that its containers have ended (`pkg/kubelet/status/status_manager.go`,
//! `canBeDeleted`), when it was never on a node, or when PodGC finds its node gone or out of service
//! (`pkg/controller/podgc/gc_controller.go`).

use super::evidence::{Evidence, NodeSeen};
use super::{Held, Holder, Life, long, text};
use crate::state::time::span;
use serde_json::Value;

/// Seconds past the grace in which a kubelet tears sandboxes and volumes down.
const TEARDOWN: i64 = 120;

pub(super) fn holder(held: &Held, seen: &Evidence, notes: &mut Vec<String>) -> Option<Holder> {
    let node = text(&held.object, "/spec/nodeName");
    if held.object.is_null() {
        return None;
    }
    let (life, why) = verdict(held, node, seen, notes)?;
    Some(Holder {
        finalizer: String::new(),
        owner: match node {
            "" => "API server".into(),
            node => format!("kubelet of {node}"),
        },
        life,
        why,
        skips: skips(held),
        vetoes: vec![],
    })
}

/// What is given up when the object is removed although nobody says that its containers have ended.
fn skips(held: &Held) -> String {
    let owner = held.object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let of = |kind: &str| {
        owner.into_iter().flatten().any(|o| o["kind"] == kind && o["controller"] == true)
    };
    let mut words = "its containers may still run: nobody has said that they ended".to_owned();
    if of("StatefulSet") {
        words += "; its StatefulSet makes a pod of the same name at once, so that two may run and write to the same data";
    }
    if claims(held).next().is_some() {
        words += "; its volumes may still be mounted there while another pod gets them";
    }
    words
}

fn claims(held: &Held) -> impl Iterator<Item = &str> {
    let volumes = held.object.pointer("/spec/volumes").and_then(Value::as_array);
    let claimed =
        volumes.into_iter().flatten().filter(|v| v.get("persistentVolumeClaim").is_some());
    claimed.map(|v| text(v, "/name"))
}

fn verdict(
    held: &Held,
    node: &str,
    seen: &Evidence,
    notes: &mut Vec<String>,
) -> Option<(Life, String)> {
    let left = held.due.0 - seen.now.0;
    let over = -left;
    let silent = match seen.nodes.get(node) {
        _ if node.is_empty() => None,
        Some(NodeSeen::NotReady(status, since, out)) => {
            if *out {
                notes.push("its node is marked out of service: PodGC removes its pods and detaches their volumes".into());
            }
            Some((
                Life::Gone,
                format!(
                    "its node {node} is not ready ({status} for {}): nobody can say that its containers ended",
                    long(*since, seen.now)
                ),
            ))
        }
        Some(NodeSeen::Missing) => Some((
            if over > TEARDOWN { Life::Gone } else { Life::Works },
            format!("its node {node} is gone; PodGC of kube-controller-manager removes such pods"),
        )),
        Some(NodeSeen::Ready) | None => None,
    };
    if silent.is_some() {
        return silent;
    }
    if left > 0 {
        return Some((
            Life::Works,
            format!("{} of its {} s of grace are left", span(left), held.grace),
        ));
    }
    if node.is_empty() || !held.finalizers.is_empty() && ended(held) {
        return None;
    }
    if !seen.nodes.contains_key(node) {
        return Some((Life::Unknown, format!("its node {node} could not be read")));
    }
    if over < TEARDOWN {
        return Some((Life::Works, "its kubelet is tearing it down".into()));
    }
    let what = match (ended(held), claims(held).next()) {
        (true, Some(volume)) => {
            format!("its containers have ended; a volume is not let go ({volume})")
        }
        (true, None) => {
            "its containers have ended and its kubelet has not said so to the end".into()
        }
        (false, _) => "its containers do not end although their grace is over".into(),
    };
    let last = seen.warnings.get(&held.uid).and_then(|all| all.iter().max_by_key(|w| w.0));
    let last = last
        .map(|(at, reason, message)| format!("; {} ago: {reason}: {message}", long(*at, seen.now)));
    Some((
        Life::Fails,
        format!("{what}, for {} ({node} is ready){}", span(over), last.unwrap_or_default()),
    ))
}

/// Whether all containers that were started have ended, by its status.
fn ended(held: &Held) -> bool {
    let all = held.object.pointer("/status/containerStatuses").and_then(Value::as_array);
    matches!(text(&held.object, "/status/phase"), "Succeeded" | "Failed")
        || all.is_some_and(|all| all.iter().all(|c| c.pointer("/state/running").is_none()))
}

/// The least harmful next step for a pod.
pub(super) fn next(held: &Held, holder: &Holder, seen: &Evidence) -> String {
    let node = text(&held.object, "/spec/nodeName");
    match (holder.life, seen.nodes.get(node)) {
        (Life::Works, _) => "wait".into(),
        (_, Some(NodeSeen::NotReady(..))) => format!(
            "bring {node} back; if the machine is off for certain, taint it node.kubernetes.io/out-of-service=nodeshutdown:NoExecute; force-delete only after that"
        ),
        (_, Some(NodeSeen::Missing)) => {
            "look whether kube-controller-manager runs; force-delete if the machine is off for certain".into()
        }
        _ => format!("look at the events of the pod and at the kubelet of {node}; a force delete leaves what runs there running"),
    }
}
