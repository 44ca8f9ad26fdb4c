//! Where a pod may run: taints, selectors and room, in the words of the real scheduler when it may run nowhere.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::super::World;
use super::super::object::{self, Condition, condition, items, set_condition, since, text};
use super::super::registry::{NODES, PODS};
use super::super::store::Object;
use super::{events, kubelet};
use crate::state::quantity;

/// Seconds between two tries of a pod that fits nowhere.
const RETRY: i64 = 30;

/// Milli-cores, bytes, GPUs, pods.
#[derive(Clone, Copy, Debug, Default)]
pub struct Room {
    cpu: i64,
    memory: i64,
    gpus: i64,
    pods: i64,
}

/// Requests per node name.
pub type Load = HashMap<String, Room>;

fn read(amounts: &Value, pods: i64) -> Room {
    let get = |key: &str| text(&amounts[key]);
    Room {
        cpu: quantity::milli(get("cpu")).unwrap_or(0),
        memory: quantity::whole(get("memory")).unwrap_or(0),
        gpus: quantity::whole(get("example.com/gpu")).unwrap_or(0),
        pods,
    }
}

impl Room {
    fn add(&mut self, other: Room) {
        self.cpu += other.cpu;
        self.memory += other.memory;
        self.gpus += other.gpus;
        self.pods += other.pods;
    }
}

fn request(pod: &Value) -> Room {
    let mut sum = Room { pods: 1, ..Room::default() };
    for container in items(&pod["spec"]["containers"]) {
        sum.add(read(&container["resources"]["requests"], 0));
    }
    sum
}

/// What is requested of every node.
pub fn load(world: &World) -> Load {
    let mut load = Load::new();
    for pod in world.store.table(&PODS).values() {
        let done = matches!(text(&pod["status"]["phase"]), "Succeeded" | "Failed");
        if let (Some(node), false) = (pod["spec"]["nodeName"].as_str(), done) {
            load.entry(node.to_owned()).or_default().add(request(pod));
        }
    }
    load
}

/// Counts a pod that was just bound.
pub fn count(load: &mut Load, node: &str, pod: &Value) {
    load.entry(node.to_owned()).or_default().add(request(pod));
}

/// Why a pod may not run on a node for its taints or selector; room is not looked at.
pub fn tolerates(pod: &Value, node: &Value) -> Option<&'static str> {
    let tolerations = items(&pod["spec"]["tolerations"]);
    let tolerated = |taint: &Value| {
        tolerations.iter().any(|t| {
            let effect = t["effect"].is_null() || t["effect"] == taint["effect"];
            let key = t["key"].is_null() || t["key"] == taint["key"];
            let value = t["operator"] == "Exists" || text(&t["value"]) == text(&taint["value"]);
            effect && key && value
        })
    };
    let unschedulable =
        serde_json::json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
    if node["spec"]["unschedulable"] == true && !tolerated(&unschedulable) {
        return Some("node(s) were unschedulable");
    }
    let hard = |t: &&Value| t["effect"] != "PreferNoSchedule";
    if items(&node["spec"]["taints"]).iter().filter(hard).any(|t| !tolerated(t)) {
        return Some("node(s) had untolerated taint(s)");
    }
    let mut wanted = pod["spec"]["nodeSelector"].as_object().into_iter().flatten();
    if wanted.any(|(k, v)| node["metadata"]["labels"][k] != *v) {
        return Some("node(s) didn't match Pod's node affinity/selector");
    }
    None
}

fn refuses(node: &Value, used: Room, pod: &Value) -> Option<&'static str> {
    if let Some(why) = tolerates(pod, node) {
        return Some(why);
    }
    let (has, asks) = (read(&node["status"]["allocatable"], 110), request(pod));
    match () {
        () if used.pods >= has.pods => Some("Too many pods"),
        () if used.cpu + asks.cpu > has.cpu => Some("Insufficient cpu"),
        () if used.memory + asks.memory > has.memory => Some("Insufficient memory"),
        () if used.gpus + asks.gpus > has.gpus => Some("Insufficient example.com/gpu"),
        () => None,
    }
}

/// The least loaded node that takes the pod, or the scheduler's message.
pub fn place(nodes: &[Object], load: &Load, pod: &Value) -> Result<Object, String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut best: Option<(i64, &Object)> = None;
    for node in nodes {
        let used = load.get(object::name(node)).copied().unwrap_or_default();
        if let Some(why) = refuses(node, used, pod) {
            *reasons.entry(why).or_default() += 1;
            continue;
        }
        let has = read(&node["status"]["allocatable"], 110);
        let share = used.cpu * 1000 / has.cpu.max(1) + used.pods * 4;
        if best.is_none_or(|(least, _)| share < least) {
            best = Some((share, node));
        }
    }
    best.map(|(_, node)| node.clone()).ok_or_else(|| no_node(nodes.len(), &reasons))
}

/// kubernetes `pkg/scheduler/framework/types.go`, `FitError.Error`.
fn no_node(nodes: usize, reasons: &BTreeMap<&str, usize>) -> String {
    let mut parts: Vec<String> = reasons.iter().map(|(why, n)| format!("{n} {why}")).collect();
    parts.sort();
    format!(
        "0/{nodes} nodes are available: {}. preemption: 0/{nodes} nodes are available: {nodes} Preemption is not \
         helpful for scheduling.",
        parts.join(", ")
    )
}

/// Binds what waits, or says why it cannot.
pub fn run(world: &mut World, now: Timestamp) {
    let waits = |p: &&Object| {
        p["spec"]["nodeName"].is_null()
            && !object::is_deleting(p)
            && items(&p["spec"]["schedulingGates"]).is_empty()
    };
    let pods: Vec<Object> = world.store.table(&PODS).values().filter(waits).cloned().collect();
    if pods.is_empty() {
        return;
    }
    let nodes: Vec<Object> = world.store.table(&NODES).values().cloned().collect();
    let mut load = load(world);
    for old in pods {
        let mut pod = Value::clone(&old);
        match place(&nodes, &load, &pod) {
            Ok(node) => {
                count(&mut load, object::name(&node), &pod);
                kubelet::bind(&mut pod, &node, now);
                let (namespace, name) = (object::namespace(&pod), object::name(&pod));
                let message =
                    format!("Successfully assigned {namespace}/{name} to {}", object::name(&node));
                let pod = world.store.put(&PODS, pod);
                events::tell(
                    world,
                    &PODS,
                    &pod,
                    ("Normal", "Scheduled", &message),
                    "default-scheduler",
                    now,
                );
            }
            Err(why) => unschedulable(world, pod, &why, now),
        }
    }
}

fn unschedulable(world: &mut World, mut pod: Value, why: &str, now: Timestamp) {
    let is =
        Condition { kind: "PodScheduled", status: "False", reason: "Unschedulable", message: why };
    let waited = since(&condition(&pod, "PodScheduled")["lastTransitionTime"], now);
    let changed = set_condition(&mut pod, is, now);
    if changed {
        world.store.put(&PODS, pod.clone());
    }
    if changed || waited % RETRY == 0 {
        events::tell(
            world,
            &PODS,
            &pod,
            ("Warning", "FailedScheduling", why),
            "default-scheduler",
            now,
        );
    }
}
