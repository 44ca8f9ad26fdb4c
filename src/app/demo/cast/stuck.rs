//! What does not go away: a namespace, custom resources, a claim, a config map, and pods on a node that fell silent.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::life::{kubelet, plays};
use super::super::object::{self, born, stamp};
use super::super::registry::{CONFIG_MAPS, FORGES, NAMESPACES, NODES, PODS, VOLUME_CLAIMS};
use super::super::store::Object;
use super::apps::image;
use super::nodes::SILENT;
use super::{add, ago, platform};
use crate::app::demo::defaults;

/// Somebody who forgot a pod that still uses a claim.
const USER: &str = "scratch-reader";

/// Adds everything that is stuck, and the pods nobody would bring back.
pub fn add_all(world: &mut World, now: Timestamp) {
    add_forges(world, now);
    add_held_config(world, now);
    add_held_claim(world, now);
    strand_pods(world, now);
    add_bare_pods(world, now);
}

fn leave(object: &mut Value, since: Timestamp) {
    object["metadata"]["deletionTimestamp"] = json!(stamp(since));
    object["metadata"]["deletionGracePeriodSeconds"] = json!(0);
}

/// Their operator is scaled to zero, so nobody removes the finalizer and the namespace waits for them.
fn add_forges(world: &mut World, now: Timestamp) {
    let since = ago(now, 86_400 * 3);
    for name in ["anvil", "bellows", "crucible"] {
        let mut forge = json!({
            "metadata": {"name": name, "namespace": "team-blue", "finalizers": ["foundry.example/cleanup"]},
            "spec": {"heat": 1200}, "status": {"phase": "Cooling"},
        });
        leave(&mut forge, since);
        add(world, &FORGES, forge, ago(now, 86_400 * 50));
    }
    end(world, "team-blue", since);
    end(world, super::BLOCKED, ago(now, 5_400));
}

fn end(world: &mut World, name: &str, since: Timestamp) {
    if let Some(namespace) = world.store.get(&NAMESPACES, "", name) {
        let mut namespace = Value::clone(namespace);
        namespace["metadata"]["deletionTimestamp"] = json!(stamp(since));
        namespace["status"]["phase"] = json!("Terminating");
        world.store.put(&NAMESPACES, namespace);
    }
}

fn add_held_config(world: &mut World, now: Timestamp) {
    let mut config = json!({
        "metadata": {"name": "pipeline-lock", "namespace": "ci", "finalizers": ["ci.demo.example/release-lock"]},
        "data": {"holder": "build-8841"},
    });
    leave(&mut config, ago(now, 3_700));
    add(world, &CONFIG_MAPS, config, ago(now, 86_400));
}

fn add_held_claim(world: &mut World, now: Timestamp) {
    platform::add_volume(world, "data", "scratch-old", ago(now, 86_400 * 80));
    if let Some(claim) = world.store.get(&VOLUME_CLAIMS, "data", "scratch-old") {
        let mut claim = Value::clone(claim);
        leave(&mut claim, ago(now, 1_260));
        world.store.put(&VOLUME_CLAIMS, claim);
    }
}

/// Pods on the silent node were told to go and nobody confirms it; daemons tolerate the silence and stay.
fn strand_pods(world: &mut World, now: Timestamp) {
    let stranded = |p: &&Object| {
        p["spec"]["nodeName"] == SILENT && object::controller(p)["kind"] == "ReplicaSet"
    };
    let pods: Vec<Object> = world.store.table(&PODS).values().filter(stranded).cloned().collect();
    for pod in pods {
        let mut pod = Value::clone(&pod);
        let grace = pod["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap_or(30);
        let told = ago(now, 16 * 60);
        pod["metadata"]["deletionTimestamp"] = json!(stamp(told + Duration::from_secs(grace)));
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
        world.store.put(&PODS, pod);
    }
}

fn add_bare_pods(world: &mut World, now: Timestamp) {
    for (namespace, name, node, minutes) in [
        ("ops", "debug-tmp", "demo-a-02", 52),
        ("ml", "scratchpad", "demo-b-04", 2_900),
        ("data", USER, "demo-a-03", 4_300),
    ] {
        let mut pod = json!({
            "metadata": {"name": name, "namespace": namespace, "labels": {"run": name}},
            "spec": {"containers": [{"name": name, "image": image("platform", "toolbox", "0.7.0"),
                "command": ["sleep", "infinity"], "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}],
                "volumes": [{"name": "tmp", "emptyDir": {}}]},
        });
        if name == USER {
            pod["spec"]["volumes"][0] =
                json!({"name": "tmp", "persistentVolumeClaim": {"claimName": "scratch-old"}});
        }
        let at = ago(now, minutes * 60);
        defaults::fill(&PODS, &mut pod, at);
        born(&PODS, &mut pod, &mut world.rng, "kubectl-run", at);
        if let Some(node) = world.store.get(&NODES, "", node) {
            kubelet::bind(&mut pod, node, at);
        }
        let plays = plays(&pod);
        kubelet::settle(&mut pod, plays, at);
        world.store.put(&PODS, pod);
    }
}
