//! Create, update, patch and scale: with preconditions, finalizers and dry run.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::delete::is_held;
use super::object::{self, born, is_deleting, items, text, unset};
use super::refusal::{Outcome, Refusal};
use super::registry::{NAMESPACES, Resource};
use super::route::{Ask, Target};
use super::store::Object;
use super::{World, defaults, list, patch};

/// POST of a new object.
pub fn create(world: &mut World, ask: &Ask, target: &Target, now: Timestamp) -> Outcome<Value> {
    let mut new = body(&ask.body)?;
    identify(world, target, &mut new)?;
    let (res, name) = (target.res, object::name(&new).to_owned());
    check(res, &new)?;
    defaults::fill(res, &mut new, now);
    for set_by_server in ["deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"] {
        unset(&mut new["metadata"], set_by_server);
    }
    if world.store.get(res, &target.namespace, &name).is_some() {
        return Err(Refusal::already_exists(res, &name));
    }
    born(res, &mut new, &mut world.rng, manager(ask), now);
    if ask.dry_run(false)? {
        return Ok(new);
    }
    Ok(Value::clone(&world.store.put(res, new)))
}

fn manager(ask: &Ask) -> &str {
    match ask.query.get("fieldManager") {
        "" => "unknown",
        name => name,
    }
}

/// A body as an object without its kind, which the path says already.
pub fn body(bytes: &[u8]) -> Outcome<Value> {
    let mut value: Value = serde_json::from_slice(bytes).map_err(|e| {
        Refusal::bad_request(format!("the object provided is unrecognized (must be JSON): {e}"))
    })?;
    if !value.is_object() || !(value["metadata"].is_object() || value["metadata"].is_null()) {
        return Err(Refusal::bad_request("the object provided is unrecognized"));
    }
    for key in ["kind", "apiVersion"] {
        unset(&mut value, key);
    }
    Ok(value)
}

/// Gives the new object its name and namespace, which must exist and not be on its way out.
fn identify(world: &mut World, target: &Target, new: &mut Value) -> Outcome<()> {
    let res = target.res;
    if object::name(new).is_empty() && !text(&new["metadata"]["generateName"]).is_empty() {
        let name = text(&new["metadata"]["generateName"]).to_owned() + &world.rng.suffix(5);
        new["metadata"]["name"] = json!(name);
    }
    if object::name(new).is_empty() {
        let what = "Required value: name or generateName is required";
        return Err(Refusal::invalid(res.kind, "", "metadata.name", "FieldValueRequired", what));
    }
    if !res.namespaced {
        return Ok(());
    }
    let namespace = object::namespace(new);
    if !namespace.is_empty() && namespace != target.namespace {
        return Err(Refusal::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    new["metadata"]["namespace"] = json!(target.namespace);
    match world.store.get(&NAMESPACES, "", &target.namespace) {
        None => Err(Refusal::not_found(&NAMESPACES, &target.namespace)),
        Some(ns) if is_deleting(ns) => Err(ending(res, object::name(new), &target.namespace)),
        Some(_) => Ok(()),
    }
}

/// apiserver `plugin/namespace/lifecycle/admission.go`.
fn ending(res: &Resource, name: &str, namespace: &str) -> Refusal {
    let why = format!("namespace {namespace} is being terminated");
    let message = format!(
        "{} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being \
         terminated",
        res.qualified()
    );
    Refusal::new(403, "Forbidden", message).about(res, name).cause(
        "NamespaceTerminating",
        why,
        "metadata.namespace",
    )
}

fn check(res: &Resource, object: &Value) -> Outcome<()> {
    (res.check)(object).map_err(|e| {
        Refusal::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {e}",
            res.kind, res.version, res.kind
        ))
    })
}

/// PUT or PATCH of an object or of one of its sub-resources.
pub fn update(world: &mut World, ask: &Ask, target: &Target, now: Timestamp) -> Outcome<Value> {
    let old = list::get(&world.store, target)?.clone();
    let sent = if ask.method == http::Method::PATCH {
        let mut new = patch::apply(&ask.content_type, &old, &ask.body)?;
        if !new["metadata"].is_object() {
            return Err(Refusal::bad_request("the patch leaves no metadata"));
        }
        for key in ["kind", "apiVersion"] {
            unset(&mut new, key);
        }
        new
    } else {
        body(&ask.body)?
    };
    let dry = ask.dry_run(false)?;
    same_object(target.res, &old, &sent)?;
    let new = merge(target.res, &target.sub, &old, sent)?;
    check(target.res, &new)?;
    settle(world, target.res, &old, new, dry, now)
}

/// The identity in the request, where it is given, must be that of the stored object.
fn same_object(res: &Resource, old: &Object, new: &Value) -> Outcome<()> {
    let (old, new) = (&old["metadata"], &new["metadata"]);
    let name = text(&old["name"]);
    for key in ["name", "namespace"] {
        if !new[key].is_null() && new[key] != old[key] {
            return Err(Refusal::bad_request(format!(
                "the {key} of the object ({}) does not match the {key} on the URL ({})",
                text(&new[key]),
                text(&old[key])
            )));
        }
    }
    if !text(&new["uid"]).is_empty() && new["uid"] != old["uid"] {
        let why = format!(
            "Precondition failed: UID in precondition: {}, UID in object meta: {}",
            text(&new["uid"]),
            text(&old["uid"])
        );
        return Err(Refusal::conflict(res, name, &why));
    }
    let version = text(&new["resourceVersion"]);
    if !version.is_empty() && version != text(&old["resourceVersion"]) {
        return Err(Refusal::stale(res, name));
    }
    Ok(())
}

/// What the request may change: everything but `status`, or nothing but what the sub-resource is about.
fn merge(res: &Resource, sub: &str, old: &Object, sent: Value) -> Outcome<Value> {
    let mut new = if sub.is_empty() { sent.clone() } else { Value::clone(old) };
    match sub {
        "status" => new["status"] = sent["status"].clone(),
        "finalize" => new["spec"]["finalizers"] = sent["spec"]["finalizers"].clone(),
        "approval" => {
            decided(old, &sent)?;
            new["status"]["conditions"] = sent["status"]["conditions"].clone();
        }
        _ if res.has_status() => {
            new["status"] = old["status"].clone();
            if old["status"].is_null() {
                unset(&mut new, "status");
            }
        }
        _ => {}
    }
    const SERVERS: [&str; 8] = [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
    ];
    for key in SERVERS {
        match &old["metadata"][key] {
            Value::Null => unset(&mut new["metadata"], key),
            value => new["metadata"][key] = value.clone(),
        }
    }
    if !old["metadata"]["generation"].is_null() && new["spec"] != old["spec"] {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(1) + 1;
        new["metadata"]["generation"] = json!(generation);
    }
    no_new_finalizers(res, old, &new)?;
    Ok(new)
}

/// kubernetes `pkg/apis/certificates/validation`: a decision is final and there is only one.
fn decided(old: &Object, sent: &Value) -> Outcome<()> {
    let has = |o: &Value, kind: &str| !object::condition(o, kind).is_null();
    let refuse = |what: &str| {
        let (kind, name) = ("CertificateSigningRequest", object::name(old));
        Err(Refusal::invalid(kind, name, "status.conditions", "FieldValueForbidden", what))
    };
    if has(sent, "Approved") && has(sent, "Denied") {
        return refuse("Forbidden: Approved and Denied conditions are mutually exclusive");
    }
    for kind in ["Approved", "Denied", "Failed"] {
        if has(old, kind) && !has(sent, kind) {
            let what = format!("Forbidden: updates may not remove a condition of type \"{kind}\"");
            return refuse(&what);
        }
    }
    Ok(())
}

/// apimachinery `pkg/api/validation/objectmeta.go`, `ValidateNoNewFinalizers`.
fn no_new_finalizers(res: &Resource, old: &Object, new: &Value) -> Outcome<()> {
    let had = items(&old["metadata"]["finalizers"]);
    let added = items(&new["metadata"]["finalizers"]).iter().find(|f| !had.contains(f));
    match added {
        Some(added) if is_deleting(old) => {
            let what = format!(
                "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers \
                 []string{{\"{}\"}}",
                text(added)
            );
            let name = object::name(old);
            Err(Refusal::invalid(
                res.kind,
                name,
                "metadata.finalizers",
                "FieldValueForbidden",
                &what,
            ))
        }
        _ => Ok(()),
    }
}

/// Stores the new form, or lets the object go when nothing holds it any more.
fn settle(
    world: &mut World,
    res: &'static Resource,
    old: &Object,
    new: Value,
    dry: bool,
    now: Timestamp,
) -> Outcome<Value> {
    if dry || new == **old {
        return Ok(new);
    }
    if is_deleting(&new) && !is_held(res, &new, now) {
        world.store.remove(res, object::namespace(&new), object::name(&new));
        return Ok(new);
    }
    Ok(Value::clone(&world.store.put(res, new)))
}

/// The `Scale` of a workload.
pub fn scale_of(object: &Value) -> String {
    let meta = &object["metadata"];
    let selector = object["spec"]["selector"]["matchLabels"].as_object().into_iter().flatten();
    let selector: Vec<String> = selector.map(|(k, v)| format!("{k}={}", text(v))).collect();
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": {"replicas": object["spec"]["replicas"]},
        "status": {
            "replicas": object["status"]["replicas"].as_i64().unwrap_or(0), "selector": selector.join(","),
        },
    })
    .to_string()
}

/// PUT or PATCH of `scale`.
pub fn scale(world: &mut World, ask: &Ask, target: &Target, now: Timestamp) -> Outcome<String> {
    let old = list::get(&world.store, target)?.clone();
    let current: Value =
        serde_json::from_str(&scale_of(&old)).map_err(|e| Refusal::bad_request(e.to_string()))?;
    let sent = if ask.method == http::Method::PATCH {
        patch::apply(&ask.content_type, &current, &ask.body)?
    } else {
        body(&ask.body)?
    };
    same_object(target.res, &old, &sent)?;
    let replicas = sent["spec"]["replicas"].as_i64().unwrap_or(0);
    if replicas < 0 {
        let what = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        let name = &target.name;
        return Err(Refusal::invalid("Scale", name, "spec.replicas", "FieldValueInvalid", &what));
    }
    let mut new = Value::clone(&old);
    new["spec"]["replicas"] = json!(replicas);
    let new = merge(target.res, "", &old, new)?;
    let new = settle(world, target.res, &old, new, ask.dry_run(false)?, now)?;
    Ok(scale_of(&new))
}
