//! Pods as rows: words of whole objects, and the sums of their nodes and namespaces.

use super::pods::{self, sum};
use super::testing::{cell, put, row, store, store_of, words};
use crate::state::cell::{Role, Value};
use crate::state::intern::Sym;
use serde_json::{Value as Json, json};

fn pod(name: &str, spec: Json, status: Json) -> Json {
    json!({
        "kind": "Pod",
        "metadata": { "name": name, "namespace": "shop", "uid": uid(name), "labels": { "app": "web" } },
        "spec": spec, "status": status,
    })
}

fn uid(name: &str) -> String {
    format!(
        "{:08x}-0000-4000-8000-000000000000",
        name.bytes().fold(7u32, |h, b| h.wrapping_mul(31) + u32::from(b))
    )
}

fn requests(cpu: &str, memory: &str) -> Json {
    json!({ "requests": { "cpu": cpu, "memory": memory } })
}

fn asked(spec: Json) -> (Value<'static>, Value<'static>) {
    let store = store_of(&[pod("p", spec, json!({ "phase": "Pending" }))]);
    let r = row(&store, "pods", "p");
    let own = |id| match cell(r, id).value {
        Value::Milli(n) => Value::Milli(n),
        Value::Bytes(n) => Value::Bytes(n),
        _ => Value::Absent,
    };
    (own("cpu_requests"), own("memory_requests"))
}

#[test]
fn requests_of_containers_add_up() {
    let spec = json!({ "containers": [
        { "name": "a", "resources": requests("250m", "64Mi") },
        { "name": "b", "resources": requests("1", "1Gi") },
        { "name": "c" },
    ] });
    assert_eq!(asked(spec), (Value::Milli(1250), Value::Bytes((64 << 20) + (1 << 30))));
}

#[test]
fn an_init_container_counts_by_its_peak_beside_the_sidecars_before_it() {
    let spec = json!({
        "initContainers": [
            { "name": "early", "resources": requests("300m", "10Mi") },
            { "name": "side", "restartPolicy": "Always", "resources": requests("100m", "10Mi") },
            { "name": "late", "resources": requests("900m", "10Mi") },
        ],
        "containers": [{ "name": "a", "resources": requests("200m", "100Mi") }],
    });
    // CPU peaks in `late` beside `side`; memory once `a` runs beside `side`.
    assert_eq!(asked(spec), (Value::Milli(1000), Value::Bytes(110 << 20)));
}

#[test]
fn pod_level_requests_replace_those_of_containers_and_overhead_is_added() {
    let spec = json!({
        "containers": [{ "name": "a", "resources": requests("2", "1Gi") }],
        "resources": { "requests": { "cpu": "500m" } },
        "overhead": { "cpu": "50m", "memory": "16Mi" },
    });
    assert_eq!(asked(spec), (Value::Milli(550), Value::Bytes((1 << 30) + (16 << 20))));
}

#[test]
fn nothing_asked_is_absent() {
    assert_eq!(asked(json!({ "containers": [{ "name": "a" }] })), (Value::Absent, Value::Absent));
}

#[test]
fn a_crashing_pod_reads_as_kubectl_prints_it() {
    let mut object = pod(
        "web-7d9f-x2x4q",
        json!({ "nodeName": "n1", "containers": [{ "name": "app" }, { "name": "log" }] }),
        json!({
            "phase": "Running", "qosClass": "Burstable", "podIPs": [{ "ip": "10.1.2.3" }, { "ip": "fd00::1" }],
            "conditions": [{ "type": "Ready", "status": "False" }],
            "containerStatuses": [
                { "name": "app", "ready": false, "restartCount": 5,
                  "state": { "waiting": { "reason": "CrashLoopBackOff" } },
                  "lastState": { "terminated": { "exitCode": 1, "finishedAt": "2027-01-15T07:57:00Z" } } },
                { "name": "log", "ready": true, "restartCount": 0, "state": { "running": {} } },
            ],
        }),
    );
    object["metadata"]["ownerReferences"] = json!([
        { "kind": "Other", "name": "x" },
        { "kind": "ReplicaSet", "name": "web-7d9f", "controller": true },
    ]);
    let store = store_of(&[object]);
    let r = row(&store, "pods", "web-7d9f-x2x4q");
    assert_eq!(
        words(r, "namespace ready status restarts ip node owner qos labels"),
        "shop | 1/2 | CrashLoopBackOff | 5 (3m ago) | 10.1.2.3 | n1 | ReplicaSet/web-7d9f | Burstable | app=web"
    );
    assert_eq!(cell(r, "status").role, Role::Bad);
}

#[test]
fn readiness_gates_count_the_true_ones() {
    let store = store_of(&[pod(
        "p",
        json!({ "containers": [], "readinessGates": [{ "conditionType": "a/lb" }, { "conditionType": "a/mesh" }] }),
        json!({ "phase": "Running", "conditions": [
            { "type": "a/lb", "status": "True" }, { "type": "a/mesh", "status": "False" },
        ] }),
    )]);
    assert_eq!(words(row(&store, "pods", "p"), "readiness_gates"), "1/2");
}

#[test]
fn a_node_counts_its_unfinished_pods_and_forgets_them_when_they_end_or_move() {
    let on = |name: &str, node: &str, phase: &str| {
        let spec = json!({ "nodeName": node, "containers": [{ "name": "a", "resources": requests("100m", "1Mi") }] });
        pod(name, spec, json!({ "phase": phase }))
    };
    let mut store = store();
    put(
        &mut store,
        &[on("a", "n1", "Running"), on("b", "n1", "Running"), on("c", "n1", "Succeeded")],
    );
    let sums = |store: &crate::state::store::Store, node: &str| {
        let sym = store.syms.find(node.as_bytes()).unwrap_or(Sym::NONE);
        store.sums(pods::ON_NODE, sym)
    };
    assert_eq!(sums(&store, "n1")[sum::PODS], 2);
    assert_eq!(sums(&store, "n1")[sum::CPU], 200);
    put(&mut store, &[on("a", "n1", "Failed"), on("b", "n2", "Running")]);
    assert_eq!(sums(&store, "n1"), [0; 12]);
    assert_eq!(sums(&store, "n2")[sum::NOT_READY], 1);
    assert_eq!(store.sums(pods::IN_ALL, Sym::NONE)[sum::PODS], 3);
    assert_eq!(sums(&store, "")[sum::PODS], 0);
}
