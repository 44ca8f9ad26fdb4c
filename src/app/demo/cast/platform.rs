//! What workloads stand on: configuration, secrets, volumes, flow control, API services.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::SECRET_MARK;
use super::super::World;
use super::super::object::{micro_stamp, stamp};
use super::super::registry::{
    API_SERVICES, CONFIG_MAPS, FLOW_SCHEMAS, LEASES, PRIORITY_LEVELS, SECRETS, SERVICE_ACCOUNTS,
    STORAGE_CLASSES, VOLUME_CLAIMS, VOLUMES,
};
use super::super::rng::hash;
use super::add;
use super::apps::{APPS, NAMESPACES, play};
use super::requests::ISSUED;

/// Adds everything.
pub fn add_all(world: &mut World, founded: Timestamp, now: Timestamp) {
    for namespace in NAMESPACES {
        let account = json!({"metadata": {"name": "default", "namespace": namespace}});
        add(world, &SERVICE_ACCOUNTS, account, founded);
        let root = json!({
            "metadata": {"name": "kube-root-ca.crt", "namespace": namespace}, "data": {"ca.crt": ISSUED},
        });
        add(world, &CONFIG_MAPS, root, founded);
    }
    for app in APPS {
        let meta = |name: &str| json!({"name": name, "namespace": app.namespace, "labels": app.selector()});
        add(world, &SERVICE_ACCOUNTS, json!({"metadata": meta(app.name)}), founded);
        if app.play & play::CONFIG != 0 {
            let config = json!({
                "metadata": meta(&format!("{}-config", app.name)),
                "data": {"app.toml": format!("name = \"{}\"\nworkers = 8\n", app.name), "LOG_LEVEL": "info"},
            });
            add(world, &CONFIG_MAPS, config, founded);
            add_secret(world, meta(&format!("{}-credentials", app.name)), founded);
        }
    }
    add_certificate(world, founded);
    add_storage(world, founded);
    add_flow_control(world, founded);
    add_api_services(world, founded);
    for name in ["kube-scheduler", "kube-controller-manager"] {
        let lease = json!({
            "metadata": {"name": name, "namespace": "kube-system"},
            "spec": {"holderIdentity": "demo-cp-a", "leaseDurationSeconds": 15, "renewTime": micro_stamp(now)},
        });
        add(world, &LEASES, lease, founded);
    }
}

fn add_secret(world: &mut World, meta: Value, founded: Timestamp) {
    let hidden = |n: u32| STANDARD.encode(format!("{SECRET_MARK}-{n}"));
    let secret = json!({
        "metadata": meta, "type": "Opaque", "data": {"DATABASE_URL": hidden(1), "API_KEY": hidden(2)},
    });
    add(world, &SECRETS, secret, founded);
}

fn add_certificate(world: &mut World, founded: Timestamp) {
    let secret = json!({
        "metadata": {"name": "ingress-tls", "namespace": "edge"}, "type": "kubernetes.io/tls",
        "data": {"tls.crt": STANDARD.encode(ISSUED), "tls.key": STANDARD.encode(SECRET_MARK)},
    });
    add(world, &SECRETS, secret, founded);
}

fn add_storage(world: &mut World, founded: Timestamp) {
    for (name, default) in [("fast", true), ("archive", false)] {
        let class = json!({
            "metadata": {"name": name,
                "annotations": {"storageclass.kubernetes.io/is-default-class": default.to_string()}},
            "provisioner": "disk.demo.example", "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer",
        });
        add(world, &STORAGE_CLASSES, class, founded);
    }
}

/// The spec of a claim.
pub fn claim_spec(class: &str, size: &str) -> Value {
    json!({"accessModes": ["ReadWriteOnce"], "storageClassName": class, "volumeMode": "Filesystem",
        "resources": {"requests": {"storage": size}}})
}

/// A claim and the volume it is bound to.
pub fn add_volume(world: &mut World, namespace: &str, name: &str, born: Timestamp) {
    let volume = format!("pvc-{:016x}", hash(&format!("{namespace}/{name}")));
    let mut spec = claim_spec("fast", "100Gi");
    spec["volumeName"] = json!(volume);
    let capacity = json!({"storage": "100Gi"});
    let claim = json!({
        "metadata": {"name": name, "namespace": namespace, "finalizers": ["kubernetes.io/pvc-protection"],
            // The scheduler believes in a binding only by this mark of the volume controller.
            "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
        "spec": spec, "status": {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": capacity},
    });
    add(world, &VOLUME_CLAIMS, claim, born);
    let body = json!({
        "metadata": {"name": volume, "finalizers": ["kubernetes.io/pv-protection"]},
        "spec": {
            "capacity": capacity, "accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
            "persistentVolumeReclaimPolicy": "Delete", "volumeMode": "Filesystem",
            "claimRef": {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": namespace, "name": name},
            "csi": {"driver": "disk.demo.example", "volumeHandle": volume, "fsType": "ext4"},
        },
        "status": {"phase": "Bound"},
    });
    add(world, &VOLUMES, body, born);
}

/// The levels and schemas that the dumps speak of. Workloads have few shares here, so that one of them is felt.
fn add_flow_control(world: &mut World, founded: Timestamp) {
    let levels = [
        ("catch-all", 5),
        ("global-default", 20),
        ("leader-election", 10),
        ("node-high", 40),
        ("system", 30),
        ("workload-low", 4),
    ];
    for (name, shares) in levels {
        let queuing = json!({"queues": 64, "handSize": 6, "queueLengthLimit": 50});
        let annotations = json!({"apf.kubernetes.io/autoupdate-spec": "true"});
        let level = json!({
            "metadata": {"name": name, "annotations": annotations},
            "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": shares,
                "lendablePercent": if shares > 10 { 33 } else { 0 }, "borrowingLimitPercent": 0,
                "limitResponse": {"type": "Queue", "queuing": queuing}}},
        });
        add(world, &PRIORITY_LEVELS, level, founded);
    }
    let exempt = json!({"metadata": {"name": "exempt"}, "spec": {"type": "Exempt", "exempt": {}}});
    add(world, &PRIORITY_LEVELS, exempt, founded);
    let all = ["system:authenticated", "system:unauthenticated"];
    for (name, level, precedence, groups) in [
        ("exempt", "exempt", 1, &["system:masters"][..]),
        ("system-node-high", "node-high", 400, &["system:nodes"]),
        ("system-nodes", "system", 500, &["system:nodes"]),
        ("service-accounts", "workload-low", 9000, &["system:serviceaccounts"]),
        ("global-default", "global-default", 9900, &all),
        ("catch-all", "catch-all", 10_000, &all),
    ] {
        let of = |group: &&str| json!({"kind": "Group", "group": {"name": group}});
        let subjects: Vec<Value> = groups.iter().map(of).collect();
        let any = ["*"];
        let resources = match name {
            "system-node-high" => json!({"verbs": any, "apiGroups": ["", "coordination.k8s.io"],
                "resources": ["nodes", "nodes/status", "leases"], "clusterScope": true, "namespaces": any}),
            _ => {
                json!({"verbs": any, "apiGroups": any, "resources": any, "clusterScope": true, "namespaces": any})
            }
        };
        let mut rule = json!({"subjects": subjects, "resourceRules": [resources]});
        if name != "system-node-high" {
            rule["nonResourceRules"] = json!([{"verbs": any, "nonResourceURLs": any}]);
        }
        let schema = json!({
            "metadata": {"name": name},
            "spec": {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence,
                "distinguisherMethod": {"type": "ByUser"}, "rules": [rule]},
        });
        add(world, &FLOW_SCHEMAS, schema, founded);
    }
}

/// One served by the server itself, one by a pod, one whose pod is gone: it is why a namespace can hang.
fn add_api_services(world: &mut World, founded: Timestamp) {
    let service = |name: &str| json!({"namespace": "kube-system", "name": name, "port": 443});
    for (name, group, backend, reason) in [
        ("v1.apps", "apps", Value::Null, "Local"),
        ("v1beta1.metrics.k8s.io", "metrics.k8s.io", service("metrics"), "Passed"),
        ("v1.foundry.example", "foundry.example", Value::Null, "Local"),
        (
            "v1alpha1.legacy.example",
            "legacy.example",
            service("legacy-adapter"),
            "MissingEndpoints",
        ),
    ] {
        let available = if reason == "MissingEndpoints" { "False" } else { "True" };
        let mut body = json!({
            "metadata": {"name": name},
            "spec": {"group": group, "version": name.split('.').next(), "groupPriorityMinimum": 100, "versionPriority": 15},
            "status": {"conditions": [{"type": "Available", "status": available, "reason": reason,
                "lastTransitionTime": stamp(founded)}]},
        });
        if !backend.is_null() {
            body["spec"]["service"] = backend;
        }
        add(world, &API_SERVICES, body, founded);
    }
}
