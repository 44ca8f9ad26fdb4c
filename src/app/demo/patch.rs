//! The patch formats a client may send. Server-side apply is not spoken: it answers 415, as an old server would.

use serde_json::Value;

use super::object::{items, map_mut};
use super::refusal::{Outcome, Refusal};

/// The object with the patch applied.
pub fn apply(content_type: &str, object: &Value, patch: &[u8]) -> Outcome<Value> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let mut new = object.clone();
    match kind {
        "application/json-patch+json" => {
            let patch: json_patch::Patch = parse(patch)?;
            json_patch::patch(&mut new, &patch).map_err(|e| rejected(&e.to_string()))?;
        }
        "application/merge-patch+json" => json_patch::merge(&mut new, &parse(patch)?),
        "application/strategic-merge-patch+json" => strategic(&mut new, &parse(patch)?),
        other => return Err(unsupported(other)),
    }
    Ok(new)
}

fn parse<T: for<'de> serde::Deserialize<'de>>(body: &[u8]) -> Outcome<T> {
    serde_json::from_slice(body)
        .map_err(|e| Refusal::bad_request(format!("error decoding patch: {e}")))
}

/// A JSON patch that does not fit, a failed `test` above all: apiserver `endpoints/handlers/patch.go` wraps it so.
fn rejected(why: &str) -> Refusal {
    Refusal::new(422, "Invalid", "the server rejected our request due to an error in our request")
        .cause("UnexpectedServerResponse", why, "")
}

fn unsupported(kind: &str) -> Refusal {
    Refusal::new(
        415,
        "UnsupportedMediaType",
        format!(
            "the body of the request was in an unknown format - accepted media types include: \
             application/json-patch+json, application/merge-patch+json, \
             application/strategic-merge-patch+json (not {kind})"
        ),
    )
}

/// Lists that merge by a key, by the name of their field (`patchMergeKey` in k8s.io/api). All others are replaced,
/// tolerations and taints among them.
fn merge_key(field: &str) -> Option<&'static str> {
    Some(match field {
        "containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets" => "name",
        "conditions" | "addresses" => "type",
        "ownerReferences" => "uid",
        "volumeMounts" => "mountPath",
        _ => return None,
    })
}

fn strategic(object: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *object = patch.clone();
        return;
    };
    let map = map_mut(object);
    if patch.get("$patch").is_some_and(|p| p == "replace") {
        map.clear();
    }
    for (field, value) in patch {
        if let Some(list) = field.strip_prefix("$deleteFromPrimitiveList/") {
            if let Some(all) = map.get_mut(list).and_then(Value::as_array_mut) {
                all.retain(|v| !items(value).contains(v));
            }
        } else if field.starts_with('$') {
            // Order directives change nothing an operator can see.
        } else if value.is_null() {
            map.shift_remove(field);
        } else {
            strategic_field(map.entry(field.clone()).or_insert(Value::Null), field, value);
        }
    }
}

fn strategic_field(old: &mut Value, field: &str, new: &Value) {
    match (old.as_array_mut(), new.as_array()) {
        (Some(old), Some(new)) if field == "finalizers" => {
            old.extend(new.iter().filter(|v| !old.contains(v)).cloned().collect::<Vec<_>>());
        }
        (Some(old), Some(new)) if merge_key(field).is_some_and(|k| keyed(old, new, k)) => {
            merge_lists(old, new, merge_key(field).unwrap_or_default());
        }
        (None, None) if new.is_object() => strategic(old, new),
        _ => *old = new.clone(),
    }
}

/// Certificate requests have conditions without a merge key, but every item has a `type`, so the merge is harmless there.
fn keyed(old: &[Value], new: &[Value], key: &str) -> bool {
    old.iter().chain(new).all(|v| v[key].is_string())
}

fn merge_lists(old: &mut Vec<Value>, new: &[Value], key: &str) {
    for item in new {
        let at = old.iter().position(|o| o[key] == item[key]);
        match (at, item["$patch"] == "delete") {
            (Some(at), true) => drop(old.remove(at)),
            (Some(at), false) => strategic(&mut old[at], item),
            (None, true) => {}
            (None, false) => old.push(item.clone()),
        }
    }
}
