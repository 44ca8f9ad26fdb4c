//! Replica sets, stateful sets and daemon sets: as many pods as wanted, where they are wanted.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::object::{self, holds, items, text};
use super::super::registry::{DAEMON_SETS, NODES, PODS, REPLICA_SETS, Resource, STATEFUL_SETS};
use super::super::store::Object;
use super::kubelet;
use super::owned::{Owned, is_active, pod_of, replicas, report, spawn, template_hash};
use super::scheduler::tolerates;

/// Pods a replica set makes per step, so that a rollout can be watched.
const AT_ONCE: usize = 3;

fn living(world: &World, res: &Resource) -> Vec<Object> {
    world.store.table(res).values().filter(|o| !object::is_deleting(o)).cloned().collect()
}

fn active(pods: &Owned, owner: &Value) -> Vec<Object> {
    let all = pods.get(object::uid(owner)).into_iter().flatten();
    all.filter(|p| is_active(p)).cloned().collect()
}

fn ready(pods: &[Object]) -> usize {
    pods.iter().filter(|p| holds(p, "Ready")).count()
}

/// One step for every replica set.
pub fn sync_replica_sets(world: &mut World, pods: &Owned, now: Timestamp) {
    for set in living(world, &REPLICA_SETS) {
        let mut own = active(pods, &set);
        let wanted = replicas(&set);
        for _ in 0..wanted.saturating_sub(own.len()).min(AT_ONCE) {
            let name = format!("{}-{}", object::name(&set), world.rng.suffix(5));
            spawn(world, &REPLICA_SETS, &set, &name, now);
        }
        // The least useful go first: not ready before ready, young before old.
        own.sort_by_key(|p| Reverse(text(&p["metadata"]["creationTimestamp"]).to_owned()));
        own.sort_by_key(|p| holds(p, "Ready"));
        let surplus = own.len().saturating_sub(wanted);
        for pod in &own[..surplus] {
            world.let_go(&PODS, pod, now);
        }
        let counts = [
            ("replicas", json!(own.len() - surplus)),
            ("fullyLabeledReplicas", json!(own.len() - surplus)),
            ("readyReplicas", json!(ready(&own[surplus..]))),
            ("availableReplicas", json!(ready(&own[surplus..]))),
            ("observedGeneration", set["metadata"]["generation"].clone()),
        ];
        report(world, &REPLICA_SETS, &set, &counts);
    }
}

/// One step for every stateful set: in order, one at a time.
pub fn sync_stateful_sets(world: &mut World, pods: &Owned, now: Timestamp) {
    for set in living(world, &STATEFUL_SETS) {
        let all: Vec<Object> = pods.get(object::uid(&set)).cloned().unwrap_or_default();
        let name = |n: usize| format!("{}-{n}", object::name(&set));
        let by_ordinal = |n: usize| all.iter().find(|p| object::name(p) == name(n));
        let wanted = replicas(&set);
        let hash = template_hash(&set["spec"]["template"]);
        let is_ready = |n: usize| by_ordinal(n).is_some_and(|p| is_active(p) && holds(p, "Ready"));
        let first_unready = (0..wanted).find(|n| !is_ready(*n));
        match first_unready {
            Some(n) if by_ordinal(n).is_none() => spawn(world, &STATEFUL_SETS, &set, &name(n), now),
            Some(_) => {}
            None => replace_one(world, &all, wanted, &hash, now),
        }
        let own = active(pods, &set);
        let current = own.iter().filter(|p| revision(p) == hash).count();
        let counts = [
            ("replicas", json!(own.len())),
            ("readyReplicas", json!(ready(&own))),
            ("availableReplicas", json!(ready(&own))),
            ("updatedReplicas", json!(current)),
            ("currentReplicas", json!(own.len())),
            ("currentRevision", json!(format!("{}-{hash}", object::name(&set)))),
            ("updateRevision", json!(format!("{}-{hash}", object::name(&set)))),
            ("observedGeneration", set["metadata"]["generation"].clone()),
        ];
        report(world, &STATEFUL_SETS, &set, &counts);
    }
}

fn revision(pod: &Value) -> &str {
    text(&pod["metadata"]["labels"]["controller-revision-hash"])
}

/// All are ready: the highest that is too many or of an old template goes.
fn replace_one(world: &mut World, all: &[Object], wanted: usize, hash: &str, now: Timestamp) {
    let ordinal =
        |p: &Value| object::name(p).rsplit('-').next().and_then(|n| n.parse::<usize>().ok());
    let unwanted = |p: &&Object| {
        is_active(p) && (ordinal(p).is_some_and(|n| n >= wanted) || revision(p) != hash)
    };
    if let Some(pod) = all.iter().filter(unwanted).max_by_key(|p| ordinal(p)) {
        world.let_go(&PODS, pod, now);
    }
}

/// One step for every daemon set: one pod on every node that lets it.
pub fn sync_daemon_sets(world: &mut World, pods: &Owned, now: Timestamp) {
    let nodes: Vec<Object> = world.store.table(&NODES).values().cloned().collect();
    for set in living(world, &DAEMON_SETS) {
        let own = active(pods, &set);
        let hash = template_hash(&set["spec"]["template"]);
        let here = |n: &Value| own.iter().find(|p| p["spec"]["nodeName"] == n["metadata"]["name"]);
        let fits =
            |n: &&Object| tolerates(&daemon_pod(&set["spec"]["template"]["spec"]), n).is_none();
        let wanted: Vec<&Object> = nodes.iter().filter(fits).collect();
        // A pod that is leaving still occupies its node.
        let all = pods.get(object::uid(&set));
        let leaving = |n: &Value| {
            all.into_iter()
                .flatten()
                .any(|p| object::is_deleting(p) && p["spec"]["nodeName"] == n["metadata"]["name"])
        };
        for node in wanted.iter().filter(|n| here(n).is_none() && !leaving(n)) {
            spawn_on(world, &set, node, now);
        }
        let outdated = own.iter().find(|p| revision(p) != hash);
        if let (Some(pod), true) = (outdated, ready(&own) + 1 >= wanted.len()) {
            world.let_go(&PODS, pod, now);
        }
        let current = own.iter().filter(|p| revision(p) == hash).count();
        let counts = [
            ("desiredNumberScheduled", json!(wanted.len())),
            ("currentNumberScheduled", json!(own.len())),
            ("numberReady", json!(ready(&own))),
            ("numberAvailable", json!(ready(&own))),
            ("numberUnavailable", json!(wanted.len().saturating_sub(ready(&own)))),
            ("updatedNumberScheduled", json!(current)),
            ("numberMisscheduled", json!(0)),
            ("observedGeneration", set["metadata"]["generation"].clone()),
        ];
        report(world, &DAEMON_SETS, &set, &counts);
    }
}

/// What the controller adds to every daemon pod (kubernetes `pkg/controller/daemon/util`): it stays through trouble.
fn daemon_pod(spec: &Value) -> Value {
    let mut tolerations = items(&spec["tolerations"]).to_vec();
    for (key, effect) in [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("unreachable", "NoSchedule"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ] {
        let key = format!("node.kubernetes.io/{key}");
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": effect}));
    }
    json!({"spec": {"tolerations": tolerations, "nodeSelector": spec["nodeSelector"]}})
}

/// A daemon pod on its node, bound at once; on a silent node nothing starts.
fn spawn_on(world: &mut World, set: &Object, node: &Object, now: Timestamp) {
    let name = format!("{}-{}", object::name(set), world.rng.suffix(5));
    let mut pod = pod_of(world, &DAEMON_SETS, set, &name, now);
    pod["spec"]["tolerations"] = daemon_pod(&pod["spec"])["spec"]["tolerations"].clone();
    kubelet::bind(&mut pod, node, now);
    world.store.put(&PODS, pod);
}
