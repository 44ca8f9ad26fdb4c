//! Certificate requests: approved ones are signed, new ones arrive, old ones are cleaned away.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::cast::requests::add_serving;
use super::super::object::{self, condition, holds, since, text};
use super::super::registry::REQUESTS;
use super::super::sign::sign;
use super::super::store::Object;

/// Pending requests at most; kubelets stop asking beyond that.
const MOST: usize = 12;
/// Seconds after which a decided, and a forgotten request are cleaned away (kubernetes `pkg/controller/certificates/
/// cleaner` waits 1 h and 24 h).
const DECIDED: i64 = 600;
const FORGOTTEN: i64 = 86_400;

/// One step for every certificate request.
pub fn sync(world: &mut World, now: Timestamp) {
    let all: Vec<Object> = world.store.table(&REQUESTS).values().cloned().collect();
    for request in &all {
        let decided = ["Approved", "Denied", "Failed"]
            .into_iter()
            .map(|kind| condition(request, kind))
            .find(|c| c["status"] == "True");
        let age = since(&request["metadata"]["creationTimestamp"], now);
        let over = decided
            .is_some_and(|c| since(&c["lastTransitionTime"], now) > DECIDED && age > DECIDED);
        if over || age > FORGOTTEN {
            world.store.remove(&REQUESTS, "", object::name(request));
        } else if holds(request, "Approved") && is_signed_here(request) {
            let spec = &request["spec"];
            let asked = STANDARD.decode(text(&spec["request"])).unwrap_or_default();
            let life = spec["expirationSeconds"].as_i64().unwrap_or(86_400);
            if let Some(pem) = sign(&asked, life, now) {
                let mut signed = Value::clone(request);
                signed["status"]["certificate"] = json!(STANDARD.encode(pem));
                world.store.put(&REQUESTS, signed);
            }
        }
    }
    if world.every(170) && all.len() < MOST {
        add_serving(world, now);
    }
}

/// The signers of kube-controller-manager; others have no controller here, so they stay without a certificate.
fn is_signed_here(request: &Value) -> bool {
    text(&request["spec"]["signerName"]).starts_with("kubernetes.io/")
        && request["status"]["certificate"].is_null()
}
