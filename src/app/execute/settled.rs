//! After a request whose answer never came: whether the object looks as the request would have left it.
//!
//! It is told in words and decides nothing: a request may still be on its way, and somebody else may have done the same.

use crate::actions::plan::Request;
use crate::app::cluster::session::Fault;
use serde_json::Value;

/// Where the object that a request changes can be read. An eviction has no state of its own: its pod has.
pub(super) fn path(request: &Request) -> &str {
    let path = request.path.split_once('?').map_or(&*request.path, |(path, _)| path);
    path.strip_suffix("/eviction").or_else(|| path.strip_suffix("/finalize")).unwrap_or(path)
}

/// What is not as the tests of a refused JSON patch (RFC 6902) wanted it, found by reading the object again.
pub(super) fn differs(request: &Request, there: Result<&Value, &Fault>) -> String {
    let object = match there {
        Ok(object) => object,
        Err(Fault::NotFound { .. }) => return "read again: it is gone".into(),
        Err(fault) => return format!("it could not be read again: {fault}"),
    };
    let tests = request.body.as_array().into_iter().flatten().filter(|op| op["op"] == "test");
    let mut found = vec![];
    for test in tests {
        let path = test["path"].as_str().unwrap_or_default();
        let (now, then) = (object.pointer(path), &test["value"]);
        match now {
            _ if now == Some(then) => {}
            _ if path == "/metadata/uid" => {
                return "read again: another object has its name now, it was left alone".into();
            }
            Some(now) => found.push(format!("{path} was {then} and is {now}")),
            None => found.push(format!("{path} was {then} and is not there any more")),
        }
    }
    match found.is_empty() {
        true => "read again: it looks as it did, look at the server's words".into(),
        false => format!("read again: {}", found.join(", ")),
    }
}

/// What was found when the object was read again.
pub(super) fn words(request: &Request, uid: &str, there: Result<&Value, &Fault>) -> String {
    let gone = match there {
        Ok(object) => object.pointer("/metadata/uid").and_then(Value::as_str) != Some(uid),
        Err(Fault::NotFound { .. }) => true,
        Err(fault) => return format!("it could not be read again: {fault}"),
    };
    let removes = matches!(&*request.method, "DELETE" | "POST");
    let object = match there {
        Ok(object) if !gone => object,
        _ if removes => return "read again: it is gone".into(),
        _ => return "read again: it is gone, whatever became of the request".into(),
    };
    let took = match &*request.method {
        _ if removes => object.pointer("/metadata/deletionTimestamp").is_some(),
        _ if request.body.is_array() => patched(object, &request.body),
        _ => merged(object, &request.body),
    };
    match took {
        true => "read again: it looks as if it took effect".into(),
        false => "read again: it has not taken effect so far".into(),
    }
}

/// Whether the operations of a JSON patch (RFC 6902) would change nothing.
fn patched(object: &Value, ops: &Value) -> bool {
    ops.as_array().into_iter().flatten().all(|op| {
        let now = op["path"].as_str().and_then(|path| object.pointer(path));
        match op["op"].as_str() {
            Some("add" | "replace") => now == Some(&op["value"]),
            Some("remove") => now.is_none(),
            _ => true,
        }
    })
}

/// Whether a merge patch (RFC 7386) would change nothing.
fn merged(object: &Value, patch: &Value) -> bool {
    match patch.as_object() {
        None => object == patch,
        Some(fields) => fields.iter().all(|(field, wanted)| match object.get(field) {
            None => wanted.is_null(),
            Some(now) => merged(now, wanted),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(method: &str, path: &str, body: Value) -> Request {
        Request { method: method.into(), path: path.into(), content_type: String::new(), body }
    }

    fn found(request: &Request, there: Result<Value, Fault>) -> String {
        words(request, "u", there.as_ref())
    }

    #[test]
    fn an_eviction_is_looked_up_as_its_pod() {
        let evict = request("POST", "/api/v1/namespaces/n/pods/p/eviction?x=y", json!({}));
        assert_eq!(path(&evict), "/api/v1/namespaces/n/pods/p");
        let scale =
            request("PATCH", "/apis/apps/v1/namespaces/n/deployments/d/scale?x=y", json!([]));
        assert_eq!(path(&scale), "/apis/apps/v1/namespaces/n/deployments/d/scale");
    }

    #[test]
    fn a_refused_patch_says_what_changed() {
        let patch = request(
            "PATCH",
            "/n",
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u"},
                {"op": "test", "path": "/metadata/finalizers/1", "value": "b"},
                {"op": "remove", "path": "/metadata/finalizers/1"},
            ]),
        );
        let now = |object: Value| differs(&patch, Ok(&object));
        let other = now(json!({"metadata": {"uid": "v", "finalizers": ["a", "b"]}}));
        assert!(other.contains("another object"), "{other}");
        let moved = now(json!({"metadata": {"uid": "u", "finalizers": ["b"]}}));
        assert!(moved.contains("/metadata/finalizers/1 was \"b\" and is not there"), "{moved}");
        let moved = now(json!({"metadata": {"uid": "u", "finalizers": ["b", "c"]}}));
        assert!(moved.contains("and is \"c\""), "{moved}");
        let gone = differs(&patch, Err(&Fault::NotFound { message: String::new() }));
        assert!(gone.contains("it is gone"), "{gone}");
    }

    #[test]
    fn a_patch_took_effect_if_it_would_change_nothing_now() {
        let cordon = request(
            "PATCH",
            "/n",
            json!({"metadata": {"uid": "u"}, "spec": {"unschedulable": true}}),
        );
        let node =
            |spec: Value| Ok(json!({"metadata": {"uid": "u", "labels": {"a": "1"}}, "spec": spec}));
        assert!(found(&cordon, node(json!({"unschedulable": true}))).contains("took effect"));
        assert!(found(&cordon, node(json!({}))).contains("not taken effect"));
        let lift = request(
            "PATCH",
            "/n",
            json!([
                {"op": "test", "path": "/spec/unschedulable", "value": true},
                {"op": "remove", "path": "/spec/unschedulable"},
            ]),
        );
        assert!(found(&lift, node(json!({}))).contains("took effect"));
        assert!(found(&lift, node(json!({"unschedulable": true}))).contains("not taken effect"));
        let drop = request("PATCH", "/n", json!({"metadata": {"labels": {"a": null}}}));
        assert!(found(&drop, node(json!({}))).contains("not taken effect"));
    }

    #[test]
    fn what_goes_is_gone_going_or_still_there() {
        let delete = request("DELETE", "/p", json!({}));
        let pod = |more: Value| {
            let mut pod = json!({"metadata": {"uid": "u"}});
            json_patch::merge(&mut pod, &more);
            Ok(pod)
        };
        let going = json!({"metadata": {"deletionTimestamp": "t"}});
        assert!(found(&delete, pod(going)).contains("took effect"));
        assert!(found(&delete, pod(json!({}))).contains("not taken effect"));
        assert!(
            found(&delete, pod(json!({"metadata": {"uid": "another"}}))).contains("it is gone")
        );
        assert!(
            found(&delete, Err(Fault::NotFound { message: String::new() })).contains("it is gone")
        );
        let silent = Fault::Timeout { after: std::time::Duration::from_secs(1) };
        assert!(found(&delete, Err(silent)).contains("could not be read again"));
    }
}
