//! Namespaces that are being deleted: their content goes first, and what does not go is named in their conditions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::cast::BLOCKED;
use super::super::object::{self, Condition, items, set_condition, text};
use super::super::registry::{ALL, API_SERVICES, NAMESPACES, Resource};
use super::super::store::Object;

/// One step for every namespace on its way out.
pub fn finish(world: &mut World, now: Timestamp) {
    let ending = |n: &&Object| object::is_deleting(n);
    let ending: Vec<Object> =
        world.store.table(&NAMESPACES).values().filter(ending).cloned().collect();
    for namespace in ending {
        let name = object::name(&namespace);
        for (res, object) in content(world, name) {
            world.let_go(res, &object, now);
        }
        let left = content(world, name);
        let mut new = Value::clone(&namespace);
        // A real cluster's namespaces all wait for a dead API; here one does, so that each has a cause of its own.
        let silent = if name == BLOCKED { dead_api(world) } else { None };
        if left.is_empty() && silent.is_none() {
            new["spec"]["finalizers"] = json!([]);
        }
        explain(&mut new, &left, silent.as_deref(), now);
        if left.is_empty() && silent.is_none() && !object::has_finalizers(&new) {
            world.store.remove(&NAMESPACES, "", name);
        } else if new != *namespace {
            world.store.put(&NAMESPACES, new);
        }
    }
}

/// `group/version` of an API whose server does not answer.
fn dead_api(world: &World) -> Option<String> {
    let dead = |s: &&Object| object::condition(s, "Available")["status"] == "False";
    let service = world.store.table(&API_SERVICES).values().find(dead)?;
    Some(format!("{}/{}", text(&service["spec"]["group"]), text(&service["spec"]["version"])))
}

fn content(world: &World, namespace: &str) -> Vec<(&'static Resource, Object)> {
    let namespaced = ALL.iter().copied().filter(|r| r.namespaced);
    let objects = namespaced.flat_map(|r| world.store.table(r).values().map(move |o| (r, o)));
    objects
        .filter(|(_, o)| object::namespace(o) == namespace)
        .map(|(r, o)| (r, o.clone()))
        .collect()
}

/// Conditions as kubernetes `pkg/controller/namespace/deletion/status_condition_utils.go` writes them.
fn explain(
    namespace: &mut Value,
    left: &[(&'static Resource, Object)],
    silent: Option<&str>,
    now: Timestamp,
) {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut holders: BTreeMap<String, usize> = BTreeMap::new();
    for (res, object) in left {
        *kinds.entry(res.qualified()).or_default() += 1;
        for finalizer in items(&object["metadata"]["finalizers"]) {
            *holders.entry(text(finalizer).to_owned()).or_default() += 1;
        }
    }
    let list = |what: &BTreeMap<String, usize>, verb: &str| {
        let parts: Vec<String> =
            what.iter().map(|(k, n)| format!("{k} {verb} {n} resource instances")).collect();
        parts.join(", ")
    };
    let remaining = format!("Some resources are remaining: {}", list(&kinds, "has"));
    let held =
        format!("Some content in the namespace has finalizers remaining: {}", list(&holders, "in"));
    let mut say = |kind, stuck: bool, reasons: (&str, &str), messages: (&str, &str)| {
        let (status, reason, message) =
            if stuck { ("True", reasons.0, messages.0) } else { ("False", reasons.1, messages.1) };
        set_condition(namespace, Condition { kind, status, reason, message }, now);
    };
    let fine = "All resources successfully discovered";
    let failed = silent.map(|api| {
        format!(
            "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: {api}: \
             stale GroupVersion discovery: {api}"
        )
    });
    say(
        "NamespaceDeletionDiscoveryFailure",
        failed.is_some(),
        ("DiscoveryFailed", "ResourcesDiscovered"),
        (failed.as_deref().unwrap_or_default(), fine),
    );
    say(
        "NamespaceContentRemaining",
        !kinds.is_empty(),
        ("SomeResourcesRemain", "ContentRemoved"),
        (&remaining, "All content successfully removed"),
    );
    say(
        "NamespaceFinalizersRemaining",
        !holders.is_empty(),
        ("SomeFinalizersRemain", "ContentHasNoFinalizers"),
        (&held, "All content-preserving finalizers finished"),
    );
}
