//! Reading and editing one object, held as the JSON the API speaks but without `kind` and `apiVersion`, which the
//! resource knows.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::registry::Resource;
use super::rng::Rng;

/// RFC 3339 with whole seconds, as `metav1.Time` is written.
pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// RFC 3339 with microseconds, as `metav1.MicroTime` is written.
pub fn micro_stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The time a field holds.
pub fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Seconds from the time a field holds until `now`; 0 when it holds none.
pub fn since(value: &Value, now: Timestamp) -> i64 {
    time(value).map_or(0, |t| now.as_second() - t.as_second())
}

/// The text of a field, empty when absent.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The items of a list field, none when absent.
pub fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(&object["metadata"]["name"])
}

/// `metadata.namespace`, empty for cluster-scoped objects.
pub fn namespace(object: &Value) -> &str {
    text(&object["metadata"]["namespace"])
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    text(&object["metadata"]["uid"])
}

/// Whether deletion was asked for.
pub fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Whether nothing but the absence of finalizers keeps the object.
pub fn has_finalizers(object: &Value) -> bool {
    !items(&object["metadata"]["finalizers"]).is_empty()
}

/// The controlling owner reference, `Null` when there is none.
pub fn controller(object: &Value) -> &Value {
    let refs = items(&object["metadata"]["ownerReferences"]);
    refs.iter().find(|r| r["controller"] == true).unwrap_or(&Value::Null)
}

/// Whether a status condition is `True`.
pub fn holds(object: &Value, kind: &str) -> bool {
    condition(object, kind)["status"] == "True"
}

/// A status condition, `Null` when absent.
pub fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let all = items(&object["status"]["conditions"]);
    all.iter().find(|c| c["type"] == kind).unwrap_or(&Value::Null)
}

/// A condition to be set with [`set_condition`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Condition<'a> {
    /// `type`
    pub kind: &'a str,
    /// `True`, `False` or `Unknown`
    pub status: &'a str,
    /// One CamelCase word, or empty.
    pub reason: &'a str,
    /// A sentence, or empty.
    pub message: &'a str,
}

/// Sets or adds a condition; its transition time moves only when its status does. Returns whether anything changed.
pub fn set_condition(object: &mut Value, is: Condition<'_>, now: Timestamp) -> bool {
    let old = condition(object, is.kind);
    let (same, fresh) = (old["status"] == is.status, old.is_null());
    if same && text(&old["reason"]) == is.reason && text(&old["message"]) == is.message {
        return false;
    }
    let moved = if same { old["lastTransitionTime"].clone() } else { json!(stamp(now)) };
    let mut new = json!({"type": is.kind, "status": is.status, "lastTransitionTime": moved});
    for (key, value) in [("reason", is.reason), ("message", is.message)] {
        if !value.is_empty() {
            new[key] = json!(value);
        }
    }
    let all = list_mut(object, "status", "conditions");
    match all.iter_mut().find(|c| c["type"] == is.kind) {
        Some(slot) if !fresh => *slot = new,
        _ => all.push(new),
    }
    true
}

/// The list at `object.outer.key`, made when absent.
pub fn list_mut<'a>(object: &'a mut Value, outer: &str, key: &str) -> &'a mut Vec<Value> {
    let slot = &mut object[outer][key];
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    slot.as_array_mut().expect("just made a list")
}

/// The map behind a value that is known to be an object.
pub fn map_mut(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("just made a map")
}

/// Removes a field if it is there.
pub fn unset(value: &mut Value, key: &str) {
    if let Some(map) = value.as_object_mut() {
        map.shift_remove(key);
    }
}

/// Completes the metadata of a new object: uid, creation time, generation and who wrote it.
pub fn born(res: &Resource, object: &mut Value, rng: &mut Rng, writer: &str, at: Timestamp) {
    let fields = map_mut(object).keys().filter(|k| *k != "metadata").map(|k| format!("f:{k}"));
    let fields: Map<String, Value> = fields.map(|k| (k, json!({}))).collect();
    let has_spec = object["spec"].is_object();
    let meta = &mut object["metadata"];
    meta["uid"] = json!(rng.uid());
    meta["creationTimestamp"] = json!(stamp(at));
    if has_spec && res.has_status() && !matches!(res.plural, "nodes" | "namespaces") {
        meta["generation"] = json!(1);
    }
    meta["managedFields"] = json!([{
        "manager": writer, "operation": "Update", "apiVersion": res.api_version(), "time": stamp(at),
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    }]);
}

/// An owner reference that names `owner` as the controller.
pub fn owned_by(res: &Resource, owner: &Value) -> Value {
    json!([{
        "apiVersion": res.api_version(), "kind": res.kind, "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    }])
}

/// The object as the server writes it: with its kind and apiVersion in front.
pub fn to_json(res: &Resource, object: &Value) -> String {
    let body = object.to_string();
    let head = format!("{{\"kind\":\"{}\",\"apiVersion\":\"{}\"", res.kind, res.api_version());
    match body.as_str() {
        "{}" => head + "}",
        _ => head + "," + &body[1..],
    }
}
