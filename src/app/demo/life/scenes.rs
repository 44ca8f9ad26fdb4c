//! What people and chance do to the demo: rollouts, failing probes, evictions under pressure, more and fewer runners.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::cast::apps::{APP_LABEL, image};
use super::super::object::{self, holds, text};
use super::super::registry::{BUDGETS, DEPLOYMENTS, NODES, PODS};
use super::super::store::Object;
use super::owned::replicas;
use super::{budgets, events, kubelet, plays};

/// Rolled out in turn: namespace, name, the tags it swings between.
const ROLLOUTS: [(&str, &str, [&str; 2]); 4] = [
    ("shop", "web", ["4.18.2", "4.18.3"]),
    ("search", "query", ["9.3.1", "9.3.2"]),
    ("auth", "login", ["12.4.0", "12.4.1"]),
    ("media", "thumbnails", ["1.15.0", "1.16.0-rc1"]),
];

/// Ticks that the queue's keeper takes to make a move safe: about half a minute.
const HANDOVER: u64 = 40;

/// Ticks between two rollouts: about a minute and a half of real time.
const ROLLOUT_EVERY: u64 = 130;

/// Whatever is up in this tick.
pub fn play(world: &mut World, now: Timestamp) {
    if world.every(ROLLOUT_EVERY) {
        roll_out(world);
    }
    if world.every(41) {
        fail_a_probe(world, now);
    }
    if world.every(230) {
        evict_under_pressure(world, now);
    }
    if world.every(190) {
        scale_runners(world);
    }
    hand_over_the_queue(world, now);
}

/// The queue's budget lets nobody go. Once a node of the queue is cordoned its keeper makes the move safe, lets one pod at
/// a time go, and closes the budget again when none is left there: a drain that waits for it sees it open.
fn hand_over_the_queue(world: &mut World, now: Timestamp) {
    let Some(budget) = world.store.get(&BUDGETS, "data", "queue").cloned() else { return };
    let cordoned = |node: &str| {
        let node = world.store.get(&NODES, "", node);
        node.is_some_and(|n| n["spec"]["unschedulable"] == true)
    };
    let mine = |p: &&Object| {
        object::namespace(p) == "data" && p["metadata"]["labels"][APP_LABEL] == "queue"
    };
    let mut pods = world.store.table(&PODS).values().filter(mine);
    let waits = pods.any(|p| cordoned(text(&p["spec"]["nodeName"])));
    world.life.handover = if waits { world.life.handover + 1 } else { 0 };
    let opens = world.life.handover >= HANDOVER;
    if (budget["spec"]["maxUnavailable"] == 1) == opens {
        return;
    }
    let mut new = Value::clone(&budget);
    new["spec"]["maxUnavailable"] = json!(i32::from(opens));
    new["metadata"]["generation"] = json!(new["metadata"]["generation"].as_i64().unwrap_or(1) + 1);
    let budget = world.store.put(&BUDGETS, new);
    let message = match opens {
        true => "Partitions are moved, one member may go",
        false => "All members are in place",
    };
    events::tell(world, &BUDGETS, &budget, ("Normal", "Handover", message), "queue-keeper", now);
}

fn change(world: &mut World, namespace: &str, name: &str, f: impl FnOnce(&mut Value)) {
    let Some(old) = world.store.get(&DEPLOYMENTS, namespace, name) else { return };
    let mut new = Value::clone(old);
    f(&mut new);
    new["metadata"]["generation"] = json!(new["metadata"]["generation"].as_i64().unwrap_or(1) + 1);
    world.store.put(&DEPLOYMENTS, new);
}

fn roll_out(world: &mut World) {
    let turn = world.life.step / ROLLOUT_EVERY;
    let (namespace, name, tags) = ROLLOUTS[turn as usize % ROLLOUTS.len()];
    change(world, namespace, name, |d| {
        let container = &mut d["spec"]["template"]["spec"]["containers"][0];
        let new = text(&container["image"]).ends_with(tags[0]);
        container["image"] = json!(image(namespace, name, tags[usize::from(new)]));
    });
}

fn scale_runners(world: &mut World) {
    change(world, "ci", "runner", |d| {
        let to = if replicas(d) > 12 { 10 } else { 14 };
        d["spec"]["replicas"] = json!(to);
    });
}

fn any(world: &mut World, fits: impl Fn(&Value) -> bool) -> Option<Object> {
    let pods: Vec<Object> =
        world.store.table(&PODS).values().filter(|p| fits(p)).cloned().collect();
    let n = world.rng.below(pods.len().max(1) as u64);
    pods.get(n as usize).cloned()
}

fn fail_a_probe(world: &mut World, now: Timestamp) {
    let steady = |p: &Value| {
        holds(p, "Ready")
            && !object::is_deleting(p)
            && object::controller(p)["kind"] == "ReplicaSet"
    };
    let Some(pod) = any(world, |p| steady(p) && plays(p) & kubelet::RESTLESS == 0) else { return };
    let mut new = Value::clone(&pod);
    kubelet::unready(&mut new, now);
    let pod = world.store.put(&PODS, new);
    let message = "Readiness probe failed: HTTP probe failed with statuscode: 503";
    events::tell(world, &PODS, &pod, ("Warning", "Unhealthy", message), "kubelet", now);
}

/// A kubelet that is short of memory ends a pod (kubernetes `pkg/kubelet/eviction`).
fn evict_under_pressure(world: &mut World, now: Timestamp) {
    let fits = |p: &Value| {
        p["status"]["phase"] == "Running"
            && !object::is_deleting(p)
            && object::controller(p)["kind"] == "ReplicaSet"
    };
    let Some(pod) = any(world, fits) else { return };
    if budgets::is_guarded(world, &pod) {
        return;
    }
    let mut new = Value::clone(&pod);
    let message =
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 81204Ki.";
    for status in object::list_mut(&mut new, "status", "containerStatuses") {
        kubelet::end(status, 137, "Error", now);
    }
    kubelet::unready(&mut new, now);
    new["status"]["phase"] = json!("Failed");
    new["status"]["reason"] = json!("Evicted");
    new["status"]["message"] = json!(message);
    let pod = world.store.put(&PODS, new);
    events::tell(world, &PODS, &pod, ("Warning", "Evicted", message), "kubelet", now);
}
