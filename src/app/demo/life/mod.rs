//! The life of the demo: what controllers, scheduler, kubelets and people would do, one small step per tick.
//!
//! Everything here is bounded: what is made is also taken away, so the number of objects stays steady for hours.

pub mod attachments;
pub mod budgets;
pub mod deployments;
pub mod events;
pub mod kubelet;
pub mod namespaces;
pub mod owned;
pub mod requests;
pub mod scenes;
pub mod scheduler;
pub mod sets;
pub mod tasks;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;
use super::cast::apps::{APP_LABEL, play_of};
use super::delete::{DeleteOptions, is_held, remove};
use super::object::{self, holds, micro_stamp, stamp, text};
use super::registry::{LEASES, NODES, PODS, Resource};
use super::store::Object;

/// What life remembers between ticks: counts of them.
#[derive(Debug, Default)]
pub struct Life {
    step: u64,
    /// Ticks since a node of the queue was cordoned.
    handover: u64,
}

impl World {
    /// One step of everything.
    pub(super) fn tick(&mut self, now: Timestamp) {
        self.expire(now);
        namespaces::finish(self, now);
        self.control(now);
        scheduler::run(self, now);
        run_kubelets(self, now);
        beat(self, now);
        taint_cordoned(self, now);
        attachments::sync(self, now);
        budgets::sync(self, now);
        requests::sync(self, now);
        scenes::play(self, now);
        events::age(self, now);
        self.life.step += 1;
    }

    /// Brings every workload one step nearer to what its spec says.
    pub(super) fn control(&mut self, now: Timestamp) {
        owned::collect_garbage(self, now);
        tasks::sync_cron_jobs(self, now);
        deployments::sync(self, now);
        let pods = owned::pods_by_owner(self);
        sets::sync_replica_sets(self, &pods, now);
        sets::sync_stateful_sets(self, &pods, now);
        sets::sync_daemon_sets(self, &pods, now);
        tasks::sync_jobs(self, &pods, now);
    }

    /// Pods whose grace is over go, if their node is there to say so.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let over = |p: &&Object| object::is_deleting(p) && !is_held(&PODS, p, now);
        let over: Vec<Object> = self.store.table(&PODS).values().filter(over).cloned().collect();
        for pod in over {
            if self.is_answering(text(&pod["spec"]["nodeName"])) {
                self.store.remove(&PODS, object::namespace(&pod), object::name(&pod));
            }
        }
    }

    /// Whether the kubelet of a node posts; for no node there is nothing to wait for.
    fn is_answering(&self, node: &str) -> bool {
        self.store.get(&NODES, "", node).is_none_or(|n| holds(n, "Ready"))
    }

    /// The step number modulo n is 0: every n-th tick.
    fn every(&self, n: u64) -> bool {
        self.life.step % n == n - 1
    }

    /// Deletes as a controller would: with the object's own grace.
    fn let_go(&mut self, res: &'static Resource, object: &Object, now: Timestamp) {
        // Without preconditions nothing can refuse it.
        let _ = remove(self, res, object, &DeleteOptions::default(), now);
    }
}

/// The flags of a pod.
pub fn plays(pod: &Value) -> u32 {
    play_of(object::namespace(pod), text(&pod["metadata"]["labels"][APP_LABEL]))
}

fn run_kubelets(world: &mut World, now: Timestamp) {
    let bound = |p: &&Object| p["spec"]["nodeName"].is_string() && !object::is_deleting(p);
    let pods: Vec<Object> = world.store.table(&PODS).values().filter(bound).cloned().collect();
    for old in pods {
        let plays = plays(&old);
        // Most pods are at rest: they are not copied to find out that nothing is to be done.
        if holds(&old, "Ready") && plays & kubelet::RESTLESS == 0
            || !world.is_answering(text(&old["spec"]["nodeName"]))
        {
            continue;
        }
        let mut pod = Value::clone(&old);
        if let Some(told) = kubelet::step(&mut pod, plays, now) {
            let pod = world.store.put(&PODS, pod);
            for (kind, reason, message) in told {
                events::tell(world, &PODS, &pod, (kind, reason, &message), "kubelet", now);
            }
        }
    }
}

/// One node posts its status per tick, in turn; a silent one does not.
fn beat(world: &mut World, now: Timestamp) {
    let nodes = world.store.table(&NODES);
    let turn = world.life.step as usize % nodes.len().max(1);
    let Some(node) = nodes.values().nth(turn).filter(|n| holds(n, "Ready")).cloned() else {
        return;
    };
    let mut node = Value::clone(&node);
    for condition in object::list_mut(&mut node, "status", "conditions") {
        condition["lastHeartbeatTime"] = json!(stamp(now));
    }
    let name = object::name(&node).to_owned();
    world.store.put(&NODES, node);
    renew(world, "kube-node-lease", &name, now);
    for leader in ["kube-controller-manager", "kube-scheduler"] {
        renew(world, "kube-system", leader, now);
    }
}

/// Whoever holds the lease lives.
fn renew(world: &mut World, namespace: &str, name: &str, now: Timestamp) {
    if let Some(lease) = world.store.get(&LEASES, namespace, name) {
        let mut lease = Value::clone(lease);
        lease["spec"]["renewTime"] = json!(micro_stamp(now));
        world.store.put(&LEASES, lease);
    }
}

/// Keeps the taint that belongs to a cordon (kubernetes `pkg/controller/nodelifecycle`): a drain waits for it.
fn taint_cordoned(world: &mut World, now: Timestamp) {
    const KEY: &str = "node.kubernetes.io/unschedulable";
    let wrong = |n: &&Object| {
        let tainted = object::items(&n["spec"]["taints"]).iter().any(|t| t["key"] == KEY);
        tainted != (n["spec"]["unschedulable"] == true)
    };
    let nodes: Vec<Object> = world.store.table(&NODES).values().filter(wrong).cloned().collect();
    for node in nodes {
        let mut node = Value::clone(&node);
        let cordoned = node["spec"]["unschedulable"] == true;
        let taints = object::list_mut(&mut node, "spec", "taints");
        taints.retain(|t| t["key"] != KEY);
        if cordoned {
            taints.push(json!({"key": KEY, "effect": "NoSchedule", "timeAdded": stamp(now)}));
        }
        world.store.put(&NODES, node);
    }
}
