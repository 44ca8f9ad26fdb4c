//! Deployments: a replica set per template, and pods moved from the old to the new one as availability allows.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::object::{self, Condition, born, owned_by, set_condition, text};
use super::super::registry::{DEPLOYMENTS, REPLICA_SETS};
use super::super::store::Object;
use super::events;
use super::owned::{replicas, template_hash};

/// Old replica sets kept for a rollback.
const HISTORY: usize = 2;

const REVISION: &str = "deployment.kubernetes.io/revision";

/// One step for every deployment.
pub fn sync(world: &mut World, now: Timestamp) {
    let all: Vec<Object> = world.store.table(&DEPLOYMENTS).values().cloned().collect();
    for deployment in all.iter().filter(|d| !object::is_deleting(d)) {
        let sets = sets_of(world, deployment);
        let hash = template_hash(&deployment["spec"]["template"]);
        let name = format!("{}-{hash}", object::name(deployment));
        match sets.iter().find(|s| object::name(s) == name) {
            None => add_set(world, deployment, &name, &hash, &sets, now),
            Some(new) if deployment["spec"]["paused"] != true => {
                roll(world, deployment, new, &sets, now);
            }
            Some(_) => {}
        }
        // The steps above moved the sets.
        let sets = sets_of(world, deployment);
        report(world, deployment, &name, &sets, now);
        forget(world, &name, &sets, now);
    }
}

fn sets_of(world: &World, deployment: &Value) -> Vec<Object> {
    let uid = object::uid(deployment);
    let sets = world.store.table(&REPLICA_SETS).values();
    sets.filter(|s| object::controller(s)["uid"] == uid && !object::is_deleting(s))
        .cloned()
        .collect()
}

fn revision(set: &Value) -> u64 {
    text(&set["metadata"]["annotations"][REVISION]).parse().unwrap_or(0)
}

/// The replica set of a template: not stored yet, wanting no pods.
pub fn set_of(deployment: &Value, name: &str, hash: &str, revision: u64) -> Value {
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"]["pod-template-hash"] = json!(hash);
    json!({
        "metadata": {
            "name": name, "namespace": deployment["metadata"]["namespace"],
            "labels": template["metadata"]["labels"],
            "annotations": {REVISION: revision.to_string()},
            "ownerReferences": owned_by(&DEPLOYMENTS, deployment),
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
        "status": {"replicas": 0},
    })
}

fn add_set(
    world: &mut World,
    deployment: &Object,
    name: &str,
    hash: &str,
    sets: &[Object],
    now: Timestamp,
) {
    let last = sets.iter().map(|s| revision(s)).max().unwrap_or(0);
    let mut set = set_of(deployment, name, hash, last + 1);
    born(&REPLICA_SETS, &mut set, &mut world.rng, "kube-controller-manager", now);
    world.store.put(&REPLICA_SETS, set);
    let mut deployment = Value::clone(deployment);
    deployment["metadata"]["annotations"][REVISION] = json!((last + 1).to_string());
    world.store.put(&DEPLOYMENTS, deployment);
}

fn count(sets: &[Object], key: &str) -> usize {
    sets.iter().map(|s| s["status"][key].as_u64().unwrap_or(0) as usize).sum()
}

/// One pod up and one down per step, within the default surge and unavailability of 25 percent each.
fn roll(world: &mut World, deployment: &Object, new: &Object, sets: &[Object], now: Timestamp) {
    let wanted = replicas(deployment);
    let of_new = replicas(new);
    let olds: Vec<&Object> =
        sets.iter().filter(|s| object::uid(s) != object::uid(new) && replicas(s) > 0).collect();
    if olds.is_empty() {
        if of_new != wanted {
            scale(world, deployment, new, wanted, now);
        }
        return;
    }
    let total: usize = sets.iter().map(|s| replicas(s)).sum();
    if of_new < wanted && total < wanted + wanted.div_ceil(4) {
        scale(world, deployment, new, of_new + 1, now);
    }
    let available = count(sets, "readyReplicas");
    let old = olds[0];
    let old_ready = old["status"]["readyReplicas"].as_u64().unwrap_or(0) as usize;
    // A pod of the old set that is not ready anyway may always go.
    if available > wanted - wanted / 4 || old_ready < replicas(old) {
        scale(world, deployment, old, replicas(old) - 1, now);
    }
}

fn scale(world: &mut World, deployment: &Object, set: &Object, to: usize, now: Timestamp) {
    let from = replicas(set);
    let mut new = Value::clone(set);
    new["spec"]["replicas"] = json!(to);
    let generation = new["metadata"]["generation"].as_u64().unwrap_or(1) + 1;
    new["metadata"]["generation"] = json!(generation);
    world.store.put(&REPLICA_SETS, new);
    let way = if to > from { "up" } else { "down" };
    let message = format!("Scaled {way} replica set {} from {from} to {to}", object::name(set));
    let told = ("Normal", "ScalingReplicaSet", message.as_str());
    events::tell(world, &DEPLOYMENTS, deployment, told, "deployment-controller", now);
}

fn report(world: &mut World, deployment: &Object, current: &str, sets: &[Object], now: Timestamp) {
    // The revision may just have been noted on it.
    let (namespace, name) = (object::namespace(deployment), object::name(deployment));
    let Some(old) = world.store.get(&DEPLOYMENTS, namespace, name).cloned() else { return };
    let wanted = replicas(&old);
    let (total, ready) = (count(sets, "replicas"), count(sets, "readyReplicas"));
    let new: Vec<Object> = sets.iter().filter(|s| object::name(s) == current).cloned().collect();
    let updated = count(&new, "replicas");
    let mut deployment = Value::clone(&old);
    let generation = deployment["metadata"]["generation"].clone();
    for (key, value) in [
        ("replicas", total),
        ("updatedReplicas", updated),
        ("readyReplicas", ready),
        ("availableReplicas", ready),
        ("unavailableReplicas", wanted.saturating_sub(ready)),
    ] {
        deployment["status"][key] = json!(value);
    }
    deployment["status"]["observedGeneration"] = generation;
    let enough = ready >= wanted - wanted / 4;
    let available = if enough {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let done = updated == wanted && total == wanted && ready == wanted;
    let reason = if done { "NewReplicaSetAvailable" } else { "ReplicaSetUpdated" };
    for (kind, (status, reason, message)) in
        [("Available", available), ("Progressing", ("True", reason, ""))]
    {
        set_condition(&mut deployment, Condition { kind, status, reason, message }, now);
    }
    if deployment != *old {
        world.store.put(&DEPLOYMENTS, deployment);
    }
}

fn forget(world: &mut World, current: &str, sets: &[Object], now: Timestamp) {
    let idle = |s: &&Object| {
        object::name(s) != current && replicas(s) == 0 && s["status"]["replicas"] == 0
    };
    let mut idle: Vec<&Object> = sets.iter().filter(idle).collect();
    idle.sort_by_key(|s| std::cmp::Reverse(revision(s)));
    for set in idle.into_iter().skip(HISTORY) {
        world.let_go(&REPLICA_SETS, set, now);
    }
}
