//! Objects that belong to a controller: finding them, making pods from templates, removing what lost its owner.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object::{self, born, items, owned_by, text};
use super::super::registry::{
    CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, JOBS, NODES, PODS, REPLICA_SETS, Resource, STATEFUL_SETS,
};
use super::super::rng::{hash, letters};
use super::super::store::Object;
use super::super::{World, defaults};
use super::events;

/// Live and finished pods by the uid of their controller.
pub type Owned = HashMap<String, Vec<Object>>;

/// Failed pods that are kept to be looked at.
const FAILED_KEPT: usize = 5;

/// Every pod that has a controller.
pub fn pods_by_owner(world: &World) -> Owned {
    let mut owned = Owned::new();
    for pod in world.store.table(&PODS).values() {
        if let Some(uid) = object::controller(pod)["uid"].as_str() {
            owned.entry(uid.to_owned()).or_default().push(pod.clone());
        }
    }
    owned
}

/// Whether a controller counts this pod as one it has.
pub fn is_active(pod: &Value) -> bool {
    !object::is_deleting(pod) && !matches!(text(&pod["status"]["phase"]), "Succeeded" | "Failed")
}

/// The hash that names the pods of one template.
pub fn template_hash(template: &Value) -> String {
    letters(hash(&template.to_string()), 9)
}

/// How many an object wants: `spec.replicas`.
pub fn replicas(object: &Value) -> usize {
    object["spec"]["replicas"].as_u64().unwrap_or(1) as usize
}

/// A new pod of a controller: not stored yet.
pub fn pod_of(
    world: &mut World,
    res: &Resource,
    owner: &Value,
    name: &str,
    now: Timestamp,
) -> Value {
    let template = &owner["spec"]["template"];
    let mut pod = template.clone();
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["namespace"] = owner["metadata"]["namespace"].clone();
    pod["metadata"]["ownerReferences"] = owned_by(res, owner);
    if res.plural == "replicasets" {
        let prefix = format!("{}-", object::name(owner));
        pod["metadata"]["generateName"] = json!(prefix);
        let hash = owner["metadata"]["labels"]["pod-template-hash"].clone();
        pod["metadata"]["labels"]["pod-template-hash"] = hash;
    } else if res.plural != "jobs" {
        pod["metadata"]["labels"]["controller-revision-hash"] = json!(template_hash(template));
    }
    defaults::fill(&PODS, &mut pod, now);
    for claim in object::items(&owner["spec"]["volumeClaimTemplates"]) {
        let volume = &claim["metadata"]["name"];
        let claim = json!({"claimName": format!("{}-{name}", object::text(volume))});
        object::list_mut(&mut pod, "spec", "volumes")
            .push(json!({"name": volume, "persistentVolumeClaim": claim}));
    }
    let token = format!("kube-api-access-{}", world.rng.suffix(5));
    object::list_mut(&mut pod, "spec", "volumes")
        .push(json!({"name": token, "projected": {"defaultMode": 420,
        "sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]}}));
    born(&PODS, &mut pod, &mut world.rng, "kube-controller-manager", now);
    pod
}

/// Stores a new pod of a controller and tells about it.
pub fn spawn(
    world: &mut World,
    res: &'static Resource,
    owner: &Object,
    name: &str,
    now: Timestamp,
) {
    let pod = pod_of(world, res, owner, name, now);
    world.store.put(&PODS, pod);
    let message = format!("Created pod: {name}");
    let told = ("Normal", "SuccessfulCreate", message.as_str());
    events::tell(world, res, owner, told, "controller", now);
}

/// Stores a new status if it says something else than the old one.
pub fn report(
    world: &mut World,
    res: &'static Resource,
    object: &Object,
    counts: &[(&str, Value)],
) {
    let differs = |(key, value): &(&str, Value)| object["status"][*key] != *value;
    if counts.iter().any(differs) {
        let mut new = Value::clone(object);
        for (key, value) in counts {
            new["status"][*key] = value.clone();
        }
        world.store.put(res, new);
    }
}

/// Removes what a gone controller left behind, pods of gone nodes, and the oldest of the failed pods.
pub fn collect_garbage(world: &mut World, now: Timestamp) {
    const OWNERS: [&Resource; 7] =
        [&DEPLOYMENTS, &REPLICA_SETS, &STATEFUL_SETS, &DAEMON_SETS, &JOBS, &CRON_JOBS, &NODES];
    let tables = OWNERS.iter().flat_map(|r| world.store.table(r).values());
    let alive: HashSet<&str> = tables.map(|o| object::uid(o)).collect();
    let orphaned = |o: &&Object| {
        object::controller(o)["uid"].as_str().is_some_and(|uid| !alive.contains(uid))
            && !object::is_deleting(o)
    };
    let mut orphans: Vec<(&'static Resource, Object)> = Vec::new();
    for res in [&PODS, &REPLICA_SETS, &JOBS] {
        let found = world.store.table(res).values().filter(orphaned);
        orphans.extend(found.map(|o| (res, o.clone())));
    }
    for (res, object) in orphans {
        world.let_go(res, &object, now);
    }
    let failed = |p: &&Object| p["status"]["phase"] == "Failed" && !object::is_deleting(p);
    let mut failed: Vec<Object> =
        world.store.table(&PODS).values().filter(failed).cloned().collect();
    failed.sort_by_key(|p| text(&p["metadata"]["creationTimestamp"]).to_owned());
    for pod in failed.iter().rev().skip(FAILED_KEPT) {
        world.let_go(&PODS, pod, now);
    }
    let homeless = |p: &&Object| {
        let node = text(&p["spec"]["nodeName"]);
        !node.is_empty() && world.store.get(&NODES, "", node).is_none()
    };
    let homeless: Vec<Object> =
        world.store.table(&PODS).values().filter(homeless).cloned().collect();
    for pod in homeless.iter().filter(|p| items(&p["metadata"]["finalizers"]).is_empty()) {
        world.store.remove(&PODS, object::namespace(pod), object::name(pod));
    }
}
