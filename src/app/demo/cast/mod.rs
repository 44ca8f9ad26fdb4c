//! The cast: what is there when the demo begins. Names are invented; nothing is copied from a real cluster.

pub mod apps;
mod events;
pub mod nodes;
mod platform;
pub mod requests;
mod stuck;
mod workloads;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;
use super::faults::FaultBook;
use super::life::{Life, attachments, budgets};
use super::object::{self, born};
use super::registry::{NAMESPACES, Resource};
use super::rng::Rng;
use super::store::{Object, Store};

/// A namespace that does not go because an API does not answer.
pub const BLOCKED: &str = "team-green";

impl World {
    /// The cluster as it is at `now`, with a past of months.
    pub(super) fn new(seed: u64, now: Timestamp) -> World {
        let mut world = World {
            store: Store::new(),
            rng: Rng::new(seed),
            life: Life::default(),
            faults: FaultBook::default(),
        };
        let founded = ago(now, 86_400 * 290);
        for name in
            apps::NAMESPACES.iter().chain(&["kube-node-lease", "kube-public", "team-blue", BLOCKED])
        {
            let labels = json!({"kubernetes.io/metadata.name": name});
            let namespace = json!({
                "metadata": {"name": name, "labels": labels}, "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            });
            add(&mut world, &NAMESPACES, namespace, founded);
        }
        nodes::add(&mut world, now);
        platform::add_all(&mut world, founded, now);
        workloads::add_all(&mut world, now);
        stuck::add_all(&mut world, now);
        requests::add_all(&mut world, now);
        events::add_all(&mut world, now);
        // Controllers look twice, so that every status agrees with the pods there are: deployments count what their
        // sets said the last time.
        world.control(now);
        world.control(now);
        attachments::sync(&mut world, now);
        budgets::sync(&mut world, now);
        world.store.compact();
        world
    }
}

/// Stores a new object with complete metadata.
fn add(world: &mut World, res: &'static Resource, mut object: Value, at: Timestamp) -> Object {
    born(res, &mut object, &mut world.rng, "kubectl-client-side-apply", at);
    debug_assert!((res.check)(&object).is_ok(), "{} {}", res.kind, object::name(&object));
    world.store.put(res, object)
}

fn ago(now: Timestamp, seconds: u64) -> Timestamp {
    now - Duration::from_secs(seconds)
}
