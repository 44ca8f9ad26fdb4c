//! Delete: with preconditions, grace periods, finalizers and dry run.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::object::{self, has_finalizers, items, stamp, text, to_json};
use super::refusal::{Outcome, Refusal};
use super::registry::{NAMESPACES, PODS, Resource};
use super::route::{Ask, Target};
use super::store::Object;
use super::write::body;
use super::{World, list};

/// What a DELETE or an eviction asks for beside the name.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// `preconditions.uid`, empty when not given.
    pub uid: String,
    /// `preconditions.resourceVersion`, empty when not given.
    pub version: String,
    /// `gracePeriodSeconds`
    pub grace: Option<i64>,
    /// `dryRun`
    pub dry: bool,
}

impl DeleteOptions {
    /// Reads the body, with the query as a fall-back.
    pub fn read(options: &Value, ask: &Ask) -> Outcome<DeleteOptions> {
        let dry = items(&options["dryRun"]).iter().any(|d| d == "All");
        let asked = options["gracePeriodSeconds"].as_i64();
        Ok(DeleteOptions {
            uid: text(&options["preconditions"]["uid"]).to_owned(),
            version: text(&options["preconditions"]["resourceVersion"]).to_owned(),
            grace: asked.or_else(|| ask.query.get("gracePeriodSeconds").parse().ok()),
            dry: ask.dry_run(dry)?,
        })
    }
}

/// DELETE of an object or of all that a collection request selects.
pub fn delete(world: &mut World, ask: &Ask, target: &Target, now: Timestamp) -> Outcome<Answer> {
    let options = if ask.body.is_empty() { json!({}) } else { body(&ask.body)? };
    let options = DeleteOptions::read(&options, ask)?;
    if !target.name.is_empty() {
        let object = list::get(&world.store, target)?.clone();
        let left = remove(world, target.res, &object, &options, now)?;
        let answer = left.map(|o| to_json(target.res, &o));
        return Ok(Answer::Json(200, answer.unwrap_or_else(|| gone(target.res, &object))));
    }
    let filter = list::filter(target, &ask.query)?;
    let table = world.store.table(target.res).values();
    let chosen: Vec<Object> = table.filter(|o| filter.matches(o)).cloned().collect();
    for object in &chosen {
        remove(world, target.res, object, &options, now)?;
    }
    let done = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"});
    Ok(Answer::Json(200, done.to_string()))
}

fn gone(res: &Resource, object: &Value) -> String {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {
            "name": object::name(object), "group": res.group, "kind": res.plural, "uid": object::uid(object),
        },
    })
    .to_string()
}

/// Whether the object is the one the client means to delete: 409 when not.
pub fn preconditions(res: &Resource, object: &Value, options: &DeleteOptions) -> Outcome<()> {
    let (name, uid) = (object::name(object), object::uid(object));
    if !options.uid.is_empty() && options.uid != uid {
        return Err(Refusal::other_uid(res, name, &options.uid, uid));
    }
    let version = text(&object["metadata"]["resourceVersion"]);
    if !options.version.is_empty() && options.version != version {
        let why = format!(
            "the ResourceVersion in the precondition ({}) does not match the ResourceVersion in record ({version}). \
             The object might have been modified",
            options.version
        );
        return Err(Refusal::conflict(res, name, &why));
    }
    Ok(())
}

/// Deletes one object as far as finalizers and grace allow; returns what is left of it.
pub fn remove(
    world: &mut World,
    res: &'static Resource,
    object: &Object,
    options: &DeleteOptions,
    now: Timestamp,
) -> Outcome<Option<Value>> {
    preconditions(res, object, options)?;
    let mut new = Value::clone(object);
    mark(res, &mut new, options.grace, now);
    let held = is_held(res, &new, now);
    if options.dry {
        return Ok(held.then_some(new));
    }
    if !held {
        world.store.remove(res, object::namespace(object), object::name(object));
        return Ok(None);
    }
    let changed = new != **object;
    Ok(Some(if changed { Value::clone(&world.store.put(res, new)) } else { new }))
}

/// Sets the deletion marks: a second request can only shorten the grace (apiserver `registry/rest/delete.go`).
fn mark(res: &Resource, object: &mut Value, asked: Option<i64>, now: Timestamp) {
    let grace = if res.plural == PODS.plural { grace_of(object, asked) } else { 0 };
    let end = now + Duration::from_secs(grace.unsigned_abs());
    let earlier = object::time(&object["metadata"]["deletionTimestamp"]).is_some_and(|t| t <= end);
    if !earlier {
        object["metadata"]["deletionTimestamp"] = json!(stamp(end));
        object["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
    }
    if res.plural == NAMESPACES.plural {
        object["status"]["phase"] = json!("Terminating");
    }
}

/// kubernetes `pkg/registry/core/pod/strategy.go`, `CheckGracefulDelete`.
fn grace_of(pod: &Value, asked: Option<i64>) -> i64 {
    let own = pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
    let idle = text(&pod["spec"]["nodeName"]).is_empty()
        || matches!(text(&pod["status"]["phase"]), "Succeeded" | "Failed");
    match asked.unwrap_or(own) {
        _ if idle => 0,
        grace if grace < 0 => 1,
        grace => grace,
    }
}

/// Whether a finalizer, a running grace period or the content of a namespace keeps a deleted object.
pub fn is_held(res: &Resource, object: &Value, now: Timestamp) -> bool {
    let graceful = object["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) > 0;
    let over = object::since(&object["metadata"]["deletionTimestamp"], now) >= 0;
    has_finalizers(object)
        || res.plural == "namespaces" && !items(&object["spec"]["finalizers"]).is_empty()
        || res.plural == "pods" && graceful && !over
}
