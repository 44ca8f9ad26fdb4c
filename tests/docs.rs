//! Documents about single objects, whole, as they are read: YAML and describe pages of hand-made objects.
//!
//! A snapshot marks what a theme would: `!text!` is a warning, `!!text!!` is bad.

use serde_json::{Value, json};
use wheelhouse::state::cell::Role;
use wheelhouse::state::doc::{Doc, Folds, describe, yaml};
use wheelhouse::state::time::Epoch;

/// 2027-01-15T08:00:00Z.
const NOW: Epoch = Epoch(1_800_000_000);

fn shown(doc: &Doc) -> String {
    let mut out = format!("=== {}\n", doc.title);
    for line in &doc.lines {
        for (role, text) in &line.spans {
            let mark = match role {
                Role::Warn => "!",
                Role::Bad | Role::Danger => "!!",
                _ => "",
            };
            out.push_str(&format!("{mark}{text}{mark}"));
        }
        out.push('\n');
    }
    out
}

fn event(kind: &str, reason: &str, message: &str, times: Value) -> Value {
    let mut event = json!({
        "metadata": { "name": "e", "creationTimestamp": "2027-01-15T07:00:00Z" },
        "type": kind, "reason": reason, "message": message,
        "source": { "component": "kubelet", "host": "node-7" },
    });
    for (key, value) in times.as_object().expect("times by field") {
        event[key] = value.clone();
    }
    event
}

fn crashing_pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "web-7d9f-x2x4q", "namespace": "shop", "uid": "5b7c1f60-0000-4000-8000-000000000001",
            "creationTimestamp": "2027-01-14T02:00:00Z",
            "labels": { "app": "web", "pod-template-hash": "7d9f" },
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"everything\":\"again\"}",
                "acme.io/note": "first line\nsecond line",
                "acme.io/long": "x".repeat(300),
            },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7d9f", "controller": true }],
            "finalizers": ["acme.io/cleanup"],
            "managedFields": [{ "manager": "kubelet" }],
        },
        "spec": {
            "nodeName": "node-7", "serviceAccountName": "web", "restartPolicy": "Always", "hostNetwork": true,
            "terminationGracePeriodSeconds": 30, "priority": 1000, "priorityClassName": "shop-high",
            "nodeSelector": { "disk": "ssd" },
            "tolerations": [
                { "operator": "Exists" },
                { "key": "gpu", "operator": "Equal", "value": "a100", "effect": "NoSchedule" },
                { "key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 },
            ],
            "affinity": {
                "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
                    { "matchExpressions": [{ "key": "zone", "operator": "In", "values": ["a", "b"] }] },
                ] } },
                "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
                    { "weight": 1, "podAffinityTerm": { "topologyKey": "zone", "labelSelector": { "matchLabels": { "app": "web" } } } },
                ] },
            },
            "topologySpreadConstraints": [
                { "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
                  "labelSelector": { "matchLabels": { "app": "web" } } },
            ],
            "initContainers": [
                { "name": "mesh", "image": "mesh:1", "restartPolicy": "Always", "resources": { "requests": { "cpu": "10m" } } },
                { "name": "migrate", "image": "web:1", "command": ["sh", "-c", "migrate now"] },
            ],
            "containers": [{
                "name": "app", "image": "registry.acme.io/web:1.4.2", "args": ["--port=8080"],
                "resources": { "requests": { "cpu": "250m", "memory": "64Mi" }, "limits": { "memory": "128Mi" } },
                "ports": [{ "name": "http", "containerPort": 8080, "protocol": "TCP" }, { "containerPort": 9090, "hostPort": 90 }],
                "env": [
                    { "name": "PLAIN", "value": "hunter2" },
                    { "name": "PASSWORD", "valueFrom": { "secretKeyRef": { "name": "db", "key": "password" } } },
                ],
                "envFrom": [{ "secretRef": { "name": "db" } }, { "configMapRef": { "name": "web" } }],
                "livenessProbe": { "httpGet": { "path": "/healthz", "port": "http" }, "initialDelaySeconds": 5,
                    "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3 },
                "readinessProbe": { "exec": { "command": ["cat", "/ready"] }, "periodSeconds": 5 },
                "startupProbe": { "grpc": { "port": 9090, "service": "" } },
                "volumeMounts": [
                    { "name": "data", "mountPath": "/data" },
                    { "name": "config", "mountPath": "/etc/web", "subPath": "prod", "readOnly": true },
                ],
            }],
            "volumes": [
                { "name": "data", "persistentVolumeClaim": { "claimName": "data-web-0" } },
                { "name": "config", "configMap": { "name": "web" } },
                { "name": "cache", "emptyDir": { "medium": "Memory", "sizeLimit": "1Gi" } },
                { "name": "token", "projected": { "sources": [
                    { "serviceAccountToken": { "path": "token" } }, { "configMap": { "name": "kube-root-ca.crt" } },
                    { "downwardAPI": {} },
                ] } },
            ],
        },
        "status": {
            "phase": "Running", "qosClass": "Burstable", "hostIP": "10.0.0.7", "startTime": "2027-01-14T02:00:01Z",
            "podIPs": [{ "ip": "10.1.2.3" }, { "ip": "fd00::3" }],
            "conditions": [
                { "type": "PodScheduled", "status": "True", "lastTransitionTime": "2027-01-14T02:00:00Z" },
                { "type": "Ready", "status": "False", "lastTransitionTime": "2027-01-15T07:57:00Z",
                  "reason": "ContainersNotReady", "message": "containers with unready status: [app]" },
            ],
            "initContainerStatuses": [
                { "name": "mesh", "ready": true, "started": true, "restartCount": 0,
                  "state": { "running": { "startedAt": "2027-01-14T02:00:03Z" } } },
                { "name": "migrate", "ready": true, "restartCount": 0,
                  "state": { "terminated": { "exitCode": 0, "reason": "Completed",
                    "startedAt": "2027-01-14T02:00:04Z", "finishedAt": "2027-01-14T02:00:16Z" } } },
            ],
            "containerStatuses": [{
                "name": "app", "ready": false, "started": false, "restartCount": 5,
                "image": "registry.acme.io/web:1.4.2", "imageID": "registry.acme.io/web@sha256:00ff",
                "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container" } },
                "lastState": { "terminated": { "exitCode": 137, "signal": 9, "reason": "OOMKilled", "message": "out of memory\nsorry\n",
                    "startedAt": "2027-01-15T07:56:00Z", "finishedAt": "2027-01-15T07:57:00Z" } },
            }],
        },
    })
}

#[test]
fn a_crashing_pod_is_described() {
    let events = [
        event(
            "Normal",
            "Pulled",
            "Container image already present",
            json!({
            "firstTimestamp": "2027-01-15T07:50:00Z", "lastTimestamp": "2027-01-15T07:56:00Z", "count": 6 }),
        ),
        event(
            "Warning",
            "BackOff",
            "Back-off restarting failed container\n",
            json!({
            "eventTime": "2027-01-15T07:40:00.123456Z", "source": {}, "reportingComponent": "kubelet",
            "series": { "count": 17, "lastObservedTime": "2027-01-15T07:59:30.000000Z" } }),
        ),
        event("Normal", "Scheduled", "Assigned to node-7", json!({})),
    ];
    let doc = describe(&crashing_pod(), Some(&events), NOW);
    let text = doc.text();
    assert!(!text.contains("hunter2"), "no value of an environment variable");
    assert!(!text.contains("again"), "nothing of the last-applied annotation");
    insta::assert_snapshot!(shown(&doc));
}

#[test]
fn a_pod_that_is_being_deleted_says_since_when() {
    let mut pod = crashing_pod();
    pod["metadata"]["deletionTimestamp"] = json!("2027-01-15T07:50:00Z");
    pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    let doc = describe(&pod, None, NOW);
    let text = shown(&doc);
    assert!(text.contains("!asked 10m ago, grace of 30s ended 10m ago!"), "{text}");
    assert!(text.contains("!Terminating!"), "{text}");
    assert!(text.ends_with("Events\n  not read\n"), "{text}");
}

#[test]
fn a_node_under_pressure_is_described() {
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": "node-7", "creationTimestamp": "2026-06-15T08:00:00Z",
            "labels": { "kubernetes.io/hostname": "node-7" } },
        "spec": { "unschedulable": true, "podCIDRs": ["10.1.7.0/24", "fd00:7::/64"], "providerID": "acme:///eu-1/i-7",
            "taints": [{ "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule" }] },
        "status": {
            "capacity": { "cpu": "32", "memory": "131900424Ki", "pods": "110", "acme.io/gpu": "2" },
            "allocatable": { "cpu": "31850m", "memory": "128Gi", "pods": "110" },
            "conditions": [
                { "type": "MemoryPressure", "status": "True", "lastTransitionTime": "2027-01-15T07:54:00Z",
                  "reason": "KubeletHasInsufficientMemory", "message": "kubelet has insufficient memory available" },
                { "type": "Ready", "status": "True", "lastTransitionTime": "2026-06-15T08:01:00Z",
                  "reason": "KubeletReady", "message": "kubelet is posting ready status" },
            ],
            "addresses": [{ "type": "InternalIP", "address": "10.0.0.7" }, { "type": "Hostname", "address": "node-7" }],
            "nodeInfo": { "kubeletVersion": "v1.36.3", "containerRuntimeVersion": "containerd://2.0.1",
                "osImage": "Debian 12", "operatingSystem": "linux", "architecture": "arm64", "kernelVersion": "6.1.0" },
            "images": [{ "names": ["a"], "sizeBytes": 1_073_741_824 }, { "names": ["b"], "sizeBytes": 536_870_912 }],
            "volumesAttached": [{ "name": "kubernetes.io/csi/acme^vol-1", "devicePath": "" }],
        },
    });
    insta::assert_snapshot!(shown(&describe(&node, Some(&[]), NOW)));
}

fn template() -> Value {
    json!({ "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "app", "image": "web:1", "resources": { "requests": { "cpu": "1" } } }] } })
}

#[test]
fn workloads_are_described() {
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "namespace": "shop", "generation": 4 },
        "spec": { "replicas": 4, "paused": true, "selector": { "matchLabels": { "app": "web" } }, "template": template(),
            "progressDeadlineSeconds": 600,
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": "25%" } } },
        "status": { "observedGeneration": 3, "replicas": 5, "updatedReplicas": 1, "readyReplicas": 4, "unavailableReplicas": 1,
            "conditions": [{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                "lastTransitionTime": "2027-01-15T07:30:00Z", "message": "ReplicaSet \"web-7d9f\" has timed out progressing." }] },
    });
    let set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "db", "namespace": "shop" },
        "spec": { "replicas": 3, "serviceName": "db", "podManagementPolicy": "OrderedReady", "template": template(),
            "selector": { "matchExpressions": [{ "key": "tier", "operator": "In", "values": ["db", "store"] }] },
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 2 } } },
        "status": { "replicas": 3, "readyReplicas": 3, "currentRevision": "db-1", "updateRevision": "db-2" },
    });
    let daemon = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": "agent", "namespace": "ops" },
        "spec": { "selector": { "matchLabels": { "app": "agent" } }, "template": template(), "updateStrategy": { "type": "OnDelete" } },
        "status": { "desiredNumberScheduled": 5, "currentNumberScheduled": 5, "numberReady": 4, "numberMisscheduled": 1 },
    });
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": { "name": "nightly-1", "namespace": "ops",
            "ownerReferences": [{ "kind": "CronJob", "name": "nightly", "controller": true }] },
        "spec": { "parallelism": 2, "completions": 5, "backoffLimit": 6, "ttlSecondsAfterFinished": 86400, "template": template() },
        "status": { "succeeded": 5, "failed": 1, "startTime": "2027-01-15T07:00:00Z", "completionTime": "2027-01-15T07:30:00Z",
            "conditions": [{ "type": "Complete", "status": "True", "lastTransitionTime": "2027-01-15T07:30:00Z" }] },
    });
    let pages: Vec<_> =
        [deployment, set, daemon, job].iter().map(|o| shown(&describe(o, None, NOW))).collect();
    insta::assert_snapshot!(pages.join("\n"));
}

#[test]
fn small_kinds_and_unknown_ones_are_described() {
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": "team-blue", "deletionTimestamp": "2027-01-12T08:00:00Z" },
        "spec": { "finalizers": ["kubernetes"] },
        "status": { "phase": "Terminating", "conditions": [{ "type": "NamespaceContentRemaining", "status": "True",
            "reason": "SomeResourcesRemain", "message": "widgets.acme.io has 41 resource instances" }] },
    });
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": { "name": "web", "namespace": "shop", "generation": 1 },
        "spec": { "minAvailable": "75%", "selector": { "matchLabels": { "app": "web" } } },
        "status": { "observedGeneration": 1, "disruptionsAllowed": 0, "currentHealthy": 11, "desiredHealthy": 12,
            "expectedPods": 16, "disruptedPods": { "web-1": "2027-01-15T07:59:00Z" },
            "conditions": [{ "type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods" }] },
    });
    let widget = json!({
        "apiVersion": "acme.io/v1", "kind": "Widget", "metadata": { "name": "w", "namespace": "blue" },
        "spec": { "size": 3, "parts": [{ "name": "a" }], "note": "two\nlines" },
        "status": { "conditions": [{ "type": "Shiny", "status": "False", "reason": "Dull" }] },
    });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db", "namespace": "shop" },
        "type": "Opaque", "data": { "password": "aHVudGVyMg==" },
    });
    let pages: Vec<_> = [namespace, budget, widget, secret]
        .iter()
        .map(|o| shown(&describe(o, None, NOW)))
        .collect();
    let all = pages.join("\n");
    assert!(!all.contains("aHVudGVyMg"));
    insta::assert_snapshot!(all);
}

#[test]
fn a_pod_as_yaml_keeps_the_servers_order_and_folds_bookkeeping() {
    insta::assert_snapshot!(shown(&yaml(&crashing_pod(), Folds::default())));
}

#[test]
fn no_line_holds_a_line_break_whatever_the_cluster_says() {
    let hostile = "a\nb\r\nc\u{1b}[31m\u{0}";
    let mut pod = crashing_pod();
    for at in [
        "/metadata/name",
        "/spec/nodeName",
        "/spec/containers/0/image",
        "/status/reason",
        "/status/phase",
        "/status/conditions/1/message",
        "/spec/volumes/1/configMap/name",
        "/spec/tolerations/1/value",
    ] {
        *pod.pointer_mut(at).unwrap_or(&mut Value::Null) = json!(hostile);
    }
    pod["metadata"]["labels"][hostile] = json!(hostile);
    let events = [event(hostile, hostile, hostile, json!({}))];
    for doc in [describe(&pod, Some(&events), NOW), yaml(&pod, Folds::default())] {
        let broken =
            doc.lines.iter().flat_map(|l| &l.spans).find(|(_, text)| text.contains(['\n', '\r']));
        assert_eq!(broken, None);
    }
}

#[test]
fn an_object_of_any_shape_is_described() {
    for object in [
        json!(null),
        json!([]),
        json!({ "kind": "Pod", "apiVersion": "v1" }),
        json!({ "kind": "Node", "apiVersion": "v1", "status": [1], "spec": "x", "metadata": 5 }),
        json!({ "kind": "Job", "apiVersion": "batch/v1", "status": { "conditions": [1, null, "x"] } }),
    ] {
        assert!(describe(&object, Some(&[json!(7)]), NOW).text().contains("Events"));
        yaml(&object, Folds::default());
    }
}
