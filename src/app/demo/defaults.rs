//! What the server fills in when an object is created: the defaults that views and controllers read.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::USER;
use super::object::{items, map_mut, set_condition, stamp, text, unset};
use super::registry::Resource;

/// Completes a new object as the strategies of the real server do (kubernetes `pkg/registry/*/*/strategy.go`).
pub fn fill(res: &Resource, object: &mut Value, now: Timestamp) {
    if res.has_status() {
        unset(object, "status");
    }
    match res.plural {
        "pods" => pod(object),
        "namespaces" => {
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
            object["spec"] = json!({"finalizers": ["kubernetes"]});
            object["status"] = json!({"phase": "Active"});
        }
        "deployments" => {
            let rolling = json!({"maxSurge": "25%", "maxUnavailable": "25%"});
            let strategy = json!({"type": "RollingUpdate", "rollingUpdate": rolling});
            absent(&mut object["spec"], &[("replicas", json!(1)), ("strategy", strategy)]);
        }
        "replicasets" | "statefulsets" => absent(&mut object["spec"], &[("replicas", json!(1))]),
        "jobs" => {
            absent(&mut object["spec"], &[("parallelism", json!(1)), ("completions", json!(1))]);
        }
        "certificatesigningrequests" => {
            let spec = &mut object["spec"];
            spec["username"] = json!(USER);
            spec["groups"] = json!(["demo:operators", "system:authenticated"]);
        }
        "poddisruptionbudgets" => {
            object["status"] = json!({
                "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0, "disruptionsAllowed": 0,
            });
            let is = super::object::Condition {
                kind: "DisruptionAllowed",
                status: "False",
                reason: "SyncFailed",
                message: "",
            };
            set_condition(object, is, now);
        }
        "events" => {
            absent(object, &[("lastTimestamp", json!(stamp(now))), ("type", json!("Normal"))])
        }
        _ => {}
    }
}

fn absent(object: &mut Value, defaults: &[(&str, Value)]) {
    let map = map_mut(object);
    for (key, value) in defaults {
        map.entry(*key).or_insert_with(|| value.clone());
    }
}

fn pod(pod: &mut Value) {
    let gone = |key: &str| {
        json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 300})
    };
    absent(
        &mut pod["spec"],
        &[
            ("restartPolicy", json!("Always")),
            ("terminationGracePeriodSeconds", json!(30)),
            ("dnsPolicy", json!("ClusterFirst")),
            ("serviceAccountName", json!("default")),
            ("schedulerName", json!("default-scheduler")),
            ("tolerations", json!([gone("not-ready"), gone("unreachable")])),
        ],
    );
    let qos = qos(&pod["spec"]);
    pod["status"] = json!({"phase": "Pending", "qosClass": qos});
}

/// kubernetes `pkg/apis/core/v1/helper/qos`: Guaranteed when every container limits cpu and memory and requests as much.
fn qos(spec: &Value) -> &'static str {
    let containers = || items(&spec["containers"]).iter().chain(items(&spec["initContainers"]));
    let asks =
        |c: &Value| c["resources"]["requests"].is_object() || c["resources"]["limits"].is_object();
    let pinned = |c: &Value, what: &str| {
        let (limit, request) = (&c["resources"]["limits"][what], &c["resources"]["requests"][what]);
        !text(limit).is_empty() && (request.is_null() || request == limit)
    };
    if !containers().any(asks) {
        "BestEffort"
    } else if containers().all(|c| pinned(c, "cpu") && pinned(c, "memory")) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}
