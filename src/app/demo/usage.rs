//! `metrics.k8s.io`: what nodes and pods use. The numbers are made up from requests, a hash and the time, so that they
//! move slowly, differ by pod and are the same for the same moment.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::object::{self, items, stamp, text};
use super::refusal::{Outcome, Refusal};
use super::registry::{NODES, PODS};
use super::rng::hash;
use super::store::Store;
use crate::state::quantity;

/// Seconds between two samples, as metrics-server takes them by default.
const EVERY: i64 = 15;

/// Answers GET and LIST of `nodes` and `pods`.
pub fn answer(
    store: &Store,
    plural: &str,
    namespace: &str,
    name: &str,
    now: Timestamp,
) -> Outcome<Answer> {
    let (res, kind) =
        if plural == "nodes" { (&NODES, "NodeMetrics") } else { (&PODS, "PodMetrics") };
    let sample = Timestamp::from_second(now.as_second() / EVERY * EVERY).unwrap_or(now);
    let measured =
        |o: &Value| if plural == "nodes" { node(store, o, sample) } else { pod(o, sample) };
    if !name.is_empty() {
        let object = store.get(res, namespace, name);
        let found =
            object.and_then(|o| measured(o)).ok_or_else(|| Refusal::not_found(res, name))?;
        let mut found = found;
        found["kind"] = json!(kind);
        found["apiVersion"] = json!("metrics.k8s.io/v1beta1");
        return Ok(Answer::Json(200, found.to_string()));
    }
    let here =
        |o: &&super::store::Object| namespace.is_empty() || object::namespace(o) == namespace;
    let list: Vec<Value> =
        store.table(res).values().filter(here).filter_map(|o| measured(o)).collect();
    let list = json!({
        "kind": format!("{kind}List"), "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": list,
    });
    Ok(Answer::Json(200, list.to_string()))
}

fn frame(object: &Value, sample: Timestamp) -> Value {
    let meta = &object["metadata"];
    let mut short =
        json!({"name": meta["name"], "creationTimestamp": stamp(sample), "labels": meta["labels"]});
    if meta["namespace"].is_string() {
        short["namespace"] = meta["namespace"].clone();
    }
    json!({"metadata": short, "timestamp": stamp(sample), "window": "15s"})
}

fn is_running(pod: &Value) -> bool {
    pod["status"]["phase"] == "Running"
}

fn pod(pod: &Value, sample: Timestamp) -> Option<Value> {
    if !is_running(pod) {
        return None;
    }
    let containers: Vec<Value> = items(&pod["spec"]["containers"])
        .iter()
        .map(|c| {
            let (cpu, memory) = container(object::uid(pod), c, sample);
            json!({"name": c["name"], "usage": amounts(cpu, memory)})
        })
        .collect();
    let mut usage = frame(pod, sample);
    usage["containers"] = json!(containers);
    Some(usage)
}

/// A dead kubelet reports nothing, so its node is missing, as with the real server.
fn node(store: &Store, node: &Value, sample: Timestamp) -> Option<Value> {
    if !object::holds(node, "Ready") {
        return None;
    }
    let name = object::name(node);
    let on_node =
        store.table(&PODS).values().filter(|p| p["spec"]["nodeName"] == name && is_running(p));
    let system = (120_000_000, 700 << 20);
    let (cpu, memory) = on_node
        .flat_map(|p| {
            items(&p["spec"]["containers"]).iter().map(|c| container(object::uid(p), c, sample))
        })
        .fold(system, |(cpu, memory), (c, m)| (cpu + c, memory + m));
    let mut usage = frame(node, sample);
    usage["usage"] = amounts(cpu, memory);
    Some(usage)
}

fn amounts(cpu_nanos: i64, memory: i64) -> Value {
    json!({"cpu": format!("{cpu_nanos}n"), "memory": format!("{}Ki", memory / 1024)})
}

/// Nano cores and bytes: a share of the request that swings around a level of its own.
pub(super) fn container(uid: &str, container: &Value, sample: Timestamp) -> (i64, i64) {
    let asked = &container["resources"]["requests"];
    let cpu = quantity::milli(text(&asked["cpu"])).unwrap_or(20);
    let memory = quantity::whole(text(&asked["memory"])).unwrap_or(48 << 20);
    let seed = hash(uid) ^ hash(text(&container["name"]));
    let level = 25 + (seed % 60) as i64;
    (
        cpu * (level + swing(seed, sample, 300)) * 10_000,
        memory / 100 * (level + 10 + swing(seed >> 7, sample, 3_600)),
    )
}

/// A triangle wave of +-15 percent with a phase of its own.
fn swing(seed: u64, sample: Timestamp, period: i64) -> i64 {
    let at = (sample.as_second() + (seed % 4_096) as i64).rem_euclid(period);
    let half = period / 2;
    (at - half).abs() * 30 / half - 15
}
