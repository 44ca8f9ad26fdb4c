//! What was said before the demo began: the last hour of a cluster with a node that fell silent.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::object::{self, born, micro_stamp, stamp};
use super::super::registry::{EVENTS, NODES, PODS, Resource};
use super::super::store::Object;
use super::ago;
use super::nodes::SILENT;

/// Something said some times between two moments, in seconds before now.
struct Said<'a> {
    kind: &'a str,
    reason: &'a str,
    message: &'a str,
    by: &'a str,
    times: u32,
    from: u64,
    to: u64,
}

/// Everything that is still remembered.
pub(super) fn add_all(world: &mut World, now: Timestamp) {
    if let Some(node) = world.store.get(&NODES, "", SILENT).cloned() {
        of_node(world, &node, now);
    }
    let pods: Vec<Object> = world.store.table(&PODS).values().cloned().collect();
    let on_silent = pods.iter().filter(|p| p["spec"]["nodeName"] == SILENT);
    for pod in on_silent {
        let said = Said {
            kind: "Warning",
            reason: "NodeNotReady",
            message: "Node is not ready",
            by: "node-controller",
            times: 1,
            from: 21 * 60,
            to: 21 * 60,
        };
        say(world, &PODS, pod, &said, now);
    }
    let web =
        pods.iter().filter(|p| object::namespace(p) == "shop" && p["spec"]["nodeName"] != SILENT);
    for (i, pod) in web.take(9).enumerate() {
        of_pod(world, pod, i as u64, now);
    }
    for pod in pods.iter().filter(|p| !p["spec"]["nodeName"].is_string()).take(6) {
        series(world, pod, now);
    }
}

/// A kubelet writes its node's name where the uid belongs (kubernetes #138524).
fn of_node(world: &mut World, node: &Object, now: Timestamp) {
    let mut named = Value::clone(node);
    named["metadata"]["uid"] = json!(SILENT);
    let full = "Failed to garbage collect required amount of images. Attempted to free 3221225472 bytes, but only found 0 \
                bytes eligible to free.";
    for (about, kind, reason, message, by, times, from, to) in [
        (&named, "Warning", "FreeDiskSpaceFailed", full, "kubelet", 9, 58 * 60, 22 * 60),
        (
            &named,
            "Normal",
            "NodeHasDiskPressure",
            "status is now: NodeHasDiskPressure",
            "kubelet",
            2,
            40 * 60,
            24 * 60,
        ),
        (
            &Value::clone(node),
            "Normal",
            "NodeNotReady",
            "status is now: NodeNotReady",
            "node-controller",
            1,
            21 * 60,
            21 * 60,
        ),
    ] {
        let message = match kind {
            "Normal" => format!("Node {SILENT} {message}"),
            _ => message.to_owned(),
        };
        let said = Said { kind, reason, message: &message, by, times, from, to };
        say(world, &NODES, about, &said, now);
    }
}

fn of_pod(world: &mut World, pod: &Object, i: u64, now: Timestamp) {
    let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned();
    let born = 25 * 60 - i * 70;
    let lines = [
        ("Pulled", format!("Container image \"{image}\" already present on machine")),
        ("Created", "Container created".to_owned()),
        ("Started", "Container started".to_owned()),
    ];
    for (reason, message) in &lines {
        let said =
            Said { kind: "Normal", reason, message, by: "kubelet", times: 1, from: born, to: born };
        say(world, &PODS, pod, &said, now);
    }
    if i.is_multiple_of(3) {
        let said = Said {
            kind: "Warning",
            reason: "Unhealthy",
            message: "Readiness probe failed: Get \"http://10.1.4.17:8080/ready\": context deadline exceeded",
            by: "kubelet",
            times: 14 + i as u32,
            from: 44 * 60,
            to: 60 + i * 97,
        };
        say(world, &PODS, pod, &said, now);
    }
}

/// As the new recorder writes what repeats: a time and a series, and neither a first nor a last timestamp.
fn series(world: &mut World, pod: &Object, now: Timestamp) {
    let nodes = world.store.table(&NODES).len();
    let message = format!("0/{nodes} nodes are available: {nodes} Insufficient cpu.");
    let said = Said {
        kind: "Warning",
        reason: "FailedScheduling",
        message: &message,
        by: "default-scheduler",
        times: 11,
        from: 52 * 60,
        to: 150,
    };
    let mut event = event(&PODS, pod, &said, now);
    event["eventTime"] = json!(micro_stamp(ago(now, said.from)));
    event["series"] =
        json!({ "count": said.times, "lastObservedTime": micro_stamp(ago(now, said.to)) });
    for field in ["firstTimestamp", "lastTimestamp", "count"] {
        event[field] = Value::Null;
    }
    keep(world, event, ago(now, said.from));
}

fn say(world: &mut World, res: &Resource, about: &Value, said: &Said<'_>, now: Timestamp) {
    let event = event(res, about, said, now);
    keep(world, event, ago(now, said.from));
}

fn keep(world: &mut World, mut event: Value, at: Timestamp) {
    born(&EVENTS, &mut event, &mut world.rng, "cast", at);
    world.store.put(&EVENTS, event);
}

fn event(res: &Resource, about: &Value, said: &Said<'_>, now: Timestamp) -> Value {
    let (first, last) = (ago(now, said.from), now - Duration::from_secs(said.to));
    let namespace = match object::namespace(about) {
        "" => "default",
        namespace => namespace,
    };
    let meta = &about["metadata"];
    let name = format!("{}.{}.{:x}", object::name(about), said.reason.to_lowercase(), said.from);
    let mut involved = json!({
        "kind": res.kind, "apiVersion": res.api_version(), "name": meta["name"], "uid": meta["uid"],
    });
    if meta["namespace"].is_string() {
        involved["namespace"] = meta["namespace"].clone();
    }
    let mut from = json!({ "component": said.by });
    if let (Some(node), "kubelet") = (about["spec"]["nodeName"].as_str(), said.by) {
        from["host"] = json!(node);
    }
    json!({
        "metadata": { "name": name, "namespace": namespace }, "involvedObject": involved, "reason": said.reason,
        "message": said.message, "source": from, "reportingComponent": said.by, "reportingInstance": "",
        "type": said.kind, "count": said.times, "firstTimestamp": stamp(first), "lastTimestamp": stamp(last),
        "eventTime": null,
    })
}
