//! Events: told once, counted when repeated, gone after a while.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::object::{self, born, since, stamp, text};
use super::super::registry::{EVENTS, Resource};
use super::super::rng::hash;
use super::super::store::Object;

/// Seconds an event stays after it was last seen; the real server keeps it for an hour.
const KEPT: i64 = 1_800;
/// At most this many, the youngest; a tick tells of a few things.
const MOST: usize = 400;

/// Tells something about an object: type, reason and message.
pub fn tell(
    world: &mut World,
    res: &Resource,
    about: &Value,
    (kind, reason, message): (&str, &str, &str),
    source: &str,
    now: Timestamp,
) {
    let what = hash(&format!("{}/{reason}/{message}", object::uid(about)));
    let name = format!("{}.{what:016x}", object::name(about));
    let namespace = match object::namespace(about) {
        "" => "default",
        namespace => namespace,
    };
    if let Some(old) = world.store.get(&EVENTS, namespace, &name) {
        let mut again = Value::clone(old);
        again["count"] = json!(again["count"].as_i64().unwrap_or(1) + 1);
        again["lastTimestamp"] = json!(stamp(now));
        world.store.put(&EVENTS, again);
        return;
    }
    let meta = &about["metadata"];
    let mut involved = json!({
        "kind": res.kind, "apiVersion": res.api_version(), "name": meta["name"], "uid": meta["uid"],
        "resourceVersion": meta["resourceVersion"],
    });
    if meta["namespace"].is_string() {
        involved["namespace"] = meta["namespace"].clone();
    }
    let mut from = json!({"component": source});
    if let (Some(node), "kubelet") = (about["spec"]["nodeName"].as_str(), source) {
        from["host"] = json!(node);
    }
    let mut event = json!({
        "metadata": {"name": name, "namespace": namespace}, "involvedObject": involved, "reason": reason,
        "message": message, "source": from, "reportingComponent": source, "reportingInstance": "",
        "type": kind, "count": 1, "firstTimestamp": stamp(now), "lastTimestamp": stamp(now), "eventTime": null,
    });
    born(&EVENTS, &mut event, &mut world.rng, source, now);
    world.store.put(&EVENTS, event);
}

/// Removes events that are old or too many, every few ticks.
pub fn age(world: &mut World, now: Timestamp) {
    if !world.every(16) {
        return;
    }
    let mut events: Vec<Object> = world.store.table(&EVENTS).values().cloned().collect();
    events.sort_by_key(|e| std::cmp::Reverse(text(last(e)).to_owned()));
    for (i, event) in events.iter().enumerate() {
        if i >= MOST || since(last(event), now) > KEPT {
            world.store.remove(&EVENTS, object::namespace(event), object::name(event));
        }
    }
}

/// What a series was last observed at, else `lastTimestamp`.
fn last(event: &Value) -> &Value {
    match &event["series"]["lastObservedTime"] {
        Value::Null => &event["lastTimestamp"],
        observed => observed,
    }
}
