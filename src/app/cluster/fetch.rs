//! Documents: whole objects, fetched when somebody looks at them and never kept.

use super::request::encode;
use super::session::{Answer, Fault, get};
use crate::state::parcel::Key;
use crate::state::ui::document::Target;
use kube::Client;
use serde_json::Value;
use std::time::Duration;

/// Longest wait for a document.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(10));

/// The object as the server has it now.
///
/// # Errors
/// [`Fault::NotFound`] also if another object has taken its name since.
pub async fn get_object(client: &Client, target: &Target) -> Result<Value, Fault> {
    let path = target.gvk.object(&target.namespace, &target.name);
    let object = json(&get(client, &path, DEADLINE).await?)?;
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    if target.key.uid().is_some_and(|seen| seen != uid) {
        let name = &target.name;
        let message = format!("{name} was deleted; another object has its name now");
        return Err(Fault::NotFound { message });
    }
    Ok(object)
}

/// The events about an object (core/v1, which shows everything that `events.k8s.io` does), in the server's order.
///
/// # Errors
/// Whatever kept the answer from coming.
pub async fn events_of(client: &Client, target: &Target) -> Result<Vec<Value>, Fault> {
    let about = [("kind", target.gvk.kind), ("name", &target.name)];
    let about = about.map(|(field, value)| format!("involvedObject.{field}={value}")).join(",");
    // Events about objects without namespace stand in `default` or `kube-system`, so all are asked for.
    let scope = match target.namespace.as_str() {
        "" => "/api/v1/events".to_owned(),
        namespace => format!("/api/v1/namespaces/{namespace}/events"),
    };
    let path = format!("{scope}?limit=500&fieldSelector={}", encode(&about));
    let mut list = json(&get(client, &path, DEADLINE).await?)?;
    let items = list.get_mut("items").map(Value::take);
    let Some(Value::Array(mut events)) = items else { return Ok(vec![]) };
    events.retain(|event| is_about(event, target));
    Ok(events)
}

/// Leaves out events about an earlier object of the same name. A uid that is none of the server's does not tell
/// objects apart: kubelets write a node's name, or nothing, for nodes (kubernetes #138524), and a hash of the manifest
/// for static pods.
fn is_about(event: &Value, target: &Target) -> bool {
    let uid = event.pointer("/involvedObject/uid").and_then(Value::as_str).unwrap_or_default();
    let key = Key::of(uid, "", "");
    target.gvk.kind == "Node" || !key.1 || !target.key.1 || key == target.key
}

fn json(answer: &Answer) -> Result<Value, Fault> {
    serde_json::from_slice(&answer.body).map_err(|_| {
        Fault::Foreign("an object was asked for in JSON and came as something else".into())
    })
}
