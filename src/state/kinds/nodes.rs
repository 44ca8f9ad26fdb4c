//! Nodes: what `kubectl get nodes -o wide` prints, and what their pods ask of them.

use super::common::{self, text_column};
use super::{pods, usage};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, TALLIED, TableSpec, Word};
use crate::state::intern::Sym;
use crate::state::parcel::{Draft, Item};
use crate::state::quantity;
use crate::state::row::Row;
use crate::state::rules::node_status;
use crate::state::store::usage::Trail;
use crate::state::tally::{self, MAX_SUMS, Tally};
use crate::state::time::Epoch;
use crate::{column, paths, words};

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// STATUS as the server's table prints it.
    STATUS = Sym;
    /// 1 if the Ready condition is True.
    IS_READY = Num;
    /// 1 if cordoned.
    CORDONED = Num;
    /// Last transition of the Ready condition.
    READY_SINCE = Time;
    /// Why the Ready condition is not True.
    REASON = Sym;
    /// Pressures and a missing network, in short words.
    PRESSURE = Sym;
    /// Roles, as kubectl derives them from labels.
    ROLES = Sym;
    /// Allocatable CPU, in thousandths of a core.
    CPU = Num;
    /// Allocatable memory, in bytes.
    MEMORY = Wide;
    /// Allocatable pods.
    PODS = Num;
    /// Taints.
    TAINTS = Num;
    /// Taints as `key=value:Effect`.
    TAINT_LIST = Sym;
    /// Kubelet version.
    VERSION = Sym;
    /// First InternalIP.
    INTERNAL = Ip;
    /// First ExternalIP.
    EXTERNAL = Ip;
    /// OS image.
    OS = Sym;
    /// Kernel and architecture.
    KERNEL = Sym;
    /// Container runtime.
    RUNTIME = Sym;
    /// Why it is cordoned and by whom: what our own annotation says, as long as the cordon is ours.
    CORDON_NOTE = Sym;
    /// Every address as `type=address`, with blanks between.
    ADDRESSES = Sym;
    /// Thousandths of a core in use; measured, see [`usage`].
    CPU_USED = Num;
    /// Bytes in use; measured.
    MEMORY_USED = Wide;
    /// End of the window both were measured in.
    MEASURED = Time;
}

paths! { PATHS:
    ANNOTATION = Pairs [1, 12] "metadata.annotations";
    MANAGED = Item [1, 17] "metadata.managedFields";
    MANAGER = Text [1, 17, 1] "metadata.managedFields.manager";
    MANAGED_AT = Time [1, 17, 4] "metadata.managedFields.time";
    // What a manager owns is JSON in both encodings: a text in one, part of the object in the other.
    OWNED = Text [1, 17, 7, 1] "metadata.managedFields.fieldsV1.Raw";
    OWNS_CORDON = Item [1, 17, 7, 2, 1] "metadata.managedFields.fieldsV1.f:spec.f:unschedulable";
    UNSCHEDULABLE = Bool [2, 4] "spec.unschedulable";
    TAINT = Item [2, 5] "spec.taints";
    TAINT_KEY = Text [2, 5, 1] "spec.taints.key";
    TAINT_VALUE = Text [2, 5, 2] "spec.taints.value";
    TAINT_EFFECT = Text [2, 5, 3] "spec.taints.effect";
    ALLOCATABLE = Quantities [3, 2] "status.allocatable";
    CONDITION = Item [3, 4] "status.conditions";
    CONDITION_TYPE = Text [3, 4, 1] "status.conditions.type";
    CONDITION_STATUS = Text [3, 4, 2] "status.conditions.status";
    CONDITION_SINCE = Time [3, 4, 4] "status.conditions.lastTransitionTime";
    CONDITION_REASON = Text [3, 4, 5] "status.conditions.reason";
    ADDRESS = Item [3, 5] "status.addresses";
    ADDRESS_TYPE = Text [3, 5, 1] "status.addresses.type";
    ADDRESS_TEXT = Text [3, 5, 2] "status.addresses.address";
    INFO_KERNEL = Text [3, 7, 4] "status.nodeInfo.kernelVersion";
    INFO_OS = Text [3, 7, 5] "status.nodeInfo.osImage";
    INFO_RUNTIME = Text [3, 7, 6] "status.nodeInfo.containerRuntimeVersion";
    INFO_KUBELET = Text [3, 7, 7] "status.nodeInfo.kubeletVersion";
    INFO_ARCH = Text [3, 7, 10] "status.nodeInfo.architecture";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (TAINT | CONDITION | ADDRESS | MANAGED, Hit::Open) => d.open(path),
        (MANAGER, Hit::Text(t)) => d.note(0, t),
        (MANAGED_AT, Hit::Time(at)) => d.item().num[0] = at.0,
        (OWNED, Hit::Text(t)) if t.contains("\"f:unschedulable\"") => d.item().num[1] = 1,
        (OWNS_CORDON, Hit::Open) => d.item().num[1] = 1,
        (UNSCHEDULABLE, Hit::Int(yes)) => d.set(CORDONED, yes),
        (ALLOCATABLE, Hit::Pair(resource, amount)) => allocatable(d, resource, amount),
        (ANNOTATION, Hit::Pair(CORDON, note)) => d.put(CORDON_NOTE, &cordon_note(note)),
        (TAINT_KEY | CONDITION_TYPE | ADDRESS_TYPE, Hit::Text(t)) => d.note(0, t),
        (TAINT_VALUE | CONDITION_STATUS | ADDRESS_TEXT, Hit::Text(t)) => d.note(1, t),
        (TAINT_EFFECT | CONDITION_REASON, Hit::Text(t)) => d.note(2, t),
        (CONDITION_SINCE, Hit::Time(at)) => d.item().num[0] = at.0,
        (INFO_KERNEL, Hit::Text(t)) => d.put(KERNEL, t),
        (INFO_OS, Hit::Text(t)) => d.put(OS, t),
        (INFO_RUNTIME, Hit::Text(t)) => d.put(RUNTIME, t),
        (INFO_KUBELET, Hit::Text(t)) => d.put(VERSION, t),
        (INFO_ARCH, Hit::Text(t)) => {
            d.open(path);
            d.note(0, t);
        }
        _ => {}
    }
}

/// What there is to say of a cordon: our note while our field manager owns `spec.unschedulable`, else who owns it by the
/// server's notes (`metadata.managedFields`). A note may outlive its cordon.
fn cordon(d: &Draft, items: &[Item]) -> String {
    let owner = items.iter().find(|i| i.tag == MANAGED && i.num[1] == 1);
    let note = d.word(CORDON_NOTE).to_owned();
    let Some(owner) = owner.filter(|_| d.get(CORDONED) == 1) else { return note };
    match d.text(owner.txt[0]) {
        "wheelhouse" if !note.is_empty() => note,
        manager => {
            let at = Epoch(owner.num[0]).rfc3339();
            let stale = if note.is_empty() { "" } else { "; the note is of an earlier cordon" };
            format!("by {manager} at {at}{stale}")
        }
    }
}

/// The annotation that a cordon of this program leaves, `src/actions/cordon.rs`.
pub const CORDON: &str = "wheelhouse.dev/cordon";

/// `kernel update, CHG-1182, op@bastion`.
fn cordon_note(json: &str) -> String {
    let Ok(note) = serde_json::from_str::<serde_json::Value>(json) else { return String::new() };
    let parts =
        ["reason", "ticket", "owner", "by"].iter().filter_map(|field| note[*field].as_str());
    parts.collect::<Vec<_>>().join(", ")
}

fn allocatable(d: &mut Draft, resource: &str, amount: &str) {
    match resource {
        "cpu" => d.set(CPU, quantity::milli(amount).unwrap_or(0)),
        "memory" => d.set(MEMORY, quantity::whole(amount).unwrap_or(0)),
        "pods" => d.set(PODS, quantity::whole(amount).unwrap_or(0)),
        _ => {}
    }
}

fn finish(d: &mut Draft) {
    let items = std::mem::take(&mut d.items);
    let of = |tag: usize| items.iter().filter(move |i| i.tag == tag);
    let texts = texts(d, &items);
    let cordon = cordon(d, &items);
    let ready = of(CONDITION).find(|c| d.text(c.txt[0]) == "Ready");
    let status = ready.map(|c| d.text(c.txt[1]));
    let is_ready = status == Some("True");
    let words = node_status::words(status, d.get(CORDONED) == 1);
    let reason = ready.filter(|_| !is_ready).map(|c| c.txt[2]);
    d.put(STATUS, words);
    d.point(REASON, reason.unwrap_or_default());
    d.set(IS_READY, i64::from(is_ready));
    d.set(READY_SINCE, ready.map_or(0, |c| c.num[0]));
    d.set(TAINTS, of(TAINT).count() as i64);
    for (word, text) in texts {
        d.put(word, &text);
    }
    d.put(CORDON_NOTE, &cordon);
    d.items = items;
}

fn texts(d: &Draft, items: &[Item]) -> [(Word, String); 7] {
    let of = |tag: usize| items.iter().filter(move |i| i.tag == tag);
    let text = |i: &Item, at: usize| d.text(i.txt[at]).to_owned();
    let pressures = of(CONDITION)
        .filter(|c| d.text(c.txt[1]) == "True")
        .filter_map(|c| node_status::pressure(d.text(c.txt[0])));
    let taints = of(TAINT).map(|t| match (text(t, 0), text(t, 1), text(t, 2)) {
        (key, value, effect) if value.is_empty() => format!("{key}:{effect}"),
        (key, value, effect) => format!("{key}={value}:{effect}"),
    });
    let address = |kind: &str| {
        of(ADDRESS).find(|a| d.text(a.txt[0]) == kind).map_or(String::new(), |a| text(a, 1))
    };
    let addresses = of(ADDRESS).map(|a| format!("{}={}", text(a, 0), text(a, 1)));
    let kernel = match of(INFO_ARCH).next().map(|i| d.text(i.txt[0])) {
        None | Some("") => d.word(KERNEL).to_owned(),
        Some(arch) => format!("{} ({arch})", d.word(KERNEL)),
    };
    [
        (PRESSURE, pressures.collect::<Vec<_>>().join(",")),
        (TAINT_LIST, taints.collect::<Vec<_>>().join(",")),
        (INTERNAL, address("InternalIP")),
        (EXTERNAL, address("ExternalIP")),
        (KERNEL, kernel),
        (ROLES, node_status::roles(d.word(LABELS))),
        (ADDRESSES, addresses.collect::<Vec<_>>().join(" ")),
    ]
}

/// Sums of [`IN_ALL`].
pub mod sum {
    /// Nodes.
    pub const NODES: usize = 0;
    /// Of these, nodes whose Ready condition is not True.
    pub const NOT_READY: usize = 1;
    /// Cordoned nodes.
    pub const CORDONED: usize = 2;
    /// Allocatable thousandths of a core.
    pub const CPU: usize = 3;
    /// Allocatable bytes.
    pub const MEMORY: usize = 4;
    /// Allocatable pods.
    pub const PODS: usize = 5;
}

/// Nodes of the cluster, under the empty key.
pub const IN_ALL: &str = "nodes_in_all";

static TALLIES: &[Tally] =
    &[Tally { id: IN_ALL, to: "", key: |_| Some(Sym::NONE), add: add_totals }];

fn add_totals(sums: &mut [i64; MAX_SUMS], r: Row<'_>, sign: i64) {
    sums[sum::NODES] += sign;
    sums[sum::NOT_READY] += sign * i64::from(r.num(IS_READY) == 0);
    sums[sum::CORDONED] += sign * r.num(CORDONED);
    tally::add(&mut sums[sum::CPU], sign, r.num(CPU));
    tally::add(&mut sums[sum::MEMORY], sign, r.num(MEMORY));
    tally::add(&mut sums[sum::PODS], sign, r.num(PODS));
}

fn load(r: Row<'_>, what: usize) -> i64 {
    r.sums(pods::ON_NODE)[what]
}

/// Percent of what is allocatable from which a node is worth a look.
const FULL: i64 = 90;

fn full(have: i64, of: i64) -> Role {
    match usage::percent(have, of) {
        Some(FULL..) => Role::Warn,
        _ => Role::Plain,
    }
}

/// The first of the labels that is set: the current one or its predecessor.
fn label<'a>(r: Row<'a>, keys: [&str; 2]) -> &'a str {
    keys.iter().find_map(|key| r.label(LABELS, key)).unwrap_or("")
}

fn zone(r: Row<'_>) -> &str {
    label(r, ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"])
}

fn instance_type(r: Row<'_>) -> &str {
    label(r, ["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"])
}

static COLUMNS: &[Column] = &[
    common::NAME,
    column!("status" "STATUS" Left 28 STATUS.bit(),
        |r, _| Value::text(r.text(STATUS)).role(node_status::role(r.text(STATUS))),
        |r| Sort::Text(r.text(STATUS), "")),
    column!("pressure" "PRESSURE" Left 16 PRESSURE.bit(),
        |r, _| Value::text(r.text(PRESSURE)).role(Role::Warn), |r| Sort::Text(r.text(PRESSURE), "")),
    column!("ready_since" "SINCE" Right 8 READY_SINCE.bit(),
        |r, _| Value::time(r.time(READY_SINCE)).into(), |r| Sort::Int(-r.time(READY_SINCE).0)),
    text_column!("reason" "REASON" 28 REASON),
    text_column!("roles" "ROLES" 24 ROLES),
    column!("pods" "PODS" Right 9 TALLIED | PODS.bit(),
        |r, _| {
            let (have, of) = (load(r, pods::sum::PODS), r.num(PODS));
            let full = of > 0 && have >= of;
            common::of_pods(r, Value::Count(have, of), if full { Role::Warn } else { Role::Plain })
        },
        |r| Sort::Int(load(r, pods::sum::PODS))),
    column!("pods_capacity" "CAPACITY" Right 8 PODS.bit(),
        |r, _| Value::Int(r.num(PODS)).into(), |r| Sort::Int(r.num(PODS))),
    column!("pods_not_ready" "NOT READY" Right 9 TALLIED,
        |r, _| {
            let n = load(r, pods::sum::NOT_READY);
            // On a large cluster some pod of almost every node is not ready: only many of them need a person.
            let role = match n {
                0 => Role::Dim,
                n if n * 10 < load(r, pods::sum::PODS) => Role::Plain,
                _ => Role::Warn,
            };
            common::of_pods(r, Value::Int(n), role)
        },
        |r| Sort::Int(load(r, pods::sum::NOT_READY))),
    column!("cpu_requested" "CPU REQUESTED" Right 24 TALLIED | CPU.bit(),
        |r, _| common::of_pods(r, Value::Cpu(load(r, pods::sum::CPU), r.num(CPU)), Role::Plain),
        |r| Sort::Int(load(r, pods::sum::CPU))),
    column!("memory_requested" "MEMORY REQUESTED" Right 28 TALLIED | MEMORY.bit(),
        |r, _| common::of_pods(r, Value::Memory(load(r, pods::sum::MEMORY), r.num(MEMORY)), Role::Plain),
        |r| Sort::Int(load(r, pods::sum::MEMORY))),
    column!("cpu_limits" "CPU LIMITS" Right 24 TALLIED | CPU.bit(),
        |r, _| common::of_pods(r, Value::Cpu(load(r, pods::sum::CPU_LIMIT), r.num(CPU)), Role::Plain),
        |r| Sort::Int(load(r, pods::sum::CPU_LIMIT))),
    column!("memory_limits" "MEMORY LIMITS" Right 28 TALLIED | MEMORY.bit(),
        |r, _| common::of_pods(r, Value::Memory(load(r, pods::sum::MEMORY_LIMIT), r.num(MEMORY)), Role::Plain),
        |r| Sort::Int(load(r, pods::sum::MEMORY_LIMIT))),
    column!("cpu_used" "CPU USED" Right 24 CPU_USED.bit() | MEASURED.bit() | CPU.bit(),
        |r, now| {
            let (have, of) = (r.num(CPU_USED), r.num(CPU));
            usage::cell(r, MEASURED, now, Value::Cpu(have, of), full(have, of))
        },
        |r| usage::order(r.time(MEASURED), Some(r.num(CPU_USED)))),
    column!("memory_used" "MEMORY USED" Right 28 MEMORY_USED.bit() | MEASURED.bit() | MEMORY.bit(),
        |r, now| {
            let (have, of) = (r.num(MEMORY_USED), r.num(MEMORY));
            usage::cell(r, MEASURED, now, Value::Memory(have, of), full(have, of))
        },
        |r| usage::order(r.time(MEASURED), Some(r.num(MEMORY_USED)))),
    column!("cpu_allocatable_pct" "CPU%" Right 6 CPU_USED.bit() | MEASURED.bit() | CPU.bit(),
        |r, now| usage::share(r, MEASURED, now, (r.num(CPU_USED), r.num(CPU)), FULL),
        |r| usage::order(r.time(MEASURED), usage::percent(r.num(CPU_USED), r.num(CPU)))),
    column!("memory_allocatable_pct" "MEM%" Right 6 MEMORY_USED.bit() | MEASURED.bit() | MEMORY.bit(),
        |r, now| usage::share(r, MEASURED, now, (r.num(MEMORY_USED), r.num(MEMORY)), FULL),
        |r| usage::order(r.time(MEASURED), usage::percent(r.num(MEMORY_USED), r.num(MEMORY)))),
    column!("cpu_trend" "CPU SO FAR" Left 12 MEASURED.bit(),
        |r, now| usage::trend(r, MEASURED, now, Trail::cpu),
        |r| usage::order(r.time(MEASURED), usage::percent(r.num(CPU_USED), r.num(CPU)))),
    column!("memory_trend" "MEM SO FAR" Left 12 MEASURED.bit(),
        |r, now| usage::trend(r, MEASURED, now, Trail::memory),
        |r| usage::order(r.time(MEASURED), usage::percent(r.num(MEMORY_USED), r.num(MEMORY)))),
    column!("measured" "MEASURED" Right 8 MEASURED.bit(),
        |r, now| usage::cell(r, MEASURED, now, Value::time(r.time(MEASURED)), Role::Plain),
        |r| Sort::Int(-r.time(MEASURED).0)),
    column!("taints" "TAINTS" Right 6 TAINTS.bit(),
        |r, _| Value::Int(r.num(TAINTS)).role(if r.num(TAINTS) == 0 { Role::Dim } else { Role::Plain }),
        |r| Sort::Int(r.num(TAINTS))),
    text_column!("taint_list" "TAINT LIST" 80 TAINT_LIST),
    column!("zone" "ZONE" Left 20 LABELS.bit(),
        |r, _| Value::text(zone(r)).into(), |r| Sort::Text(zone(r), "")),
    column!("instance_type" "TYPE" Left 20 LABELS.bit(),
        |r, _| Value::text(instance_type(r)).into(), |r| Sort::Text(instance_type(r), "")),
    text_column!("version" "VERSION" 20 VERSION),
    column!("internal_ip" "INTERNAL IP" Left 39 INTERNAL.bit(),
        |r, _| Value::text(r.ip(INTERNAL)).into(), |r| common::ip_sort(r, INTERNAL)),
    column!("external_ip" "EXTERNAL IP" Left 39 EXTERNAL.bit(),
        |r, _| Value::text(r.ip(EXTERNAL)).into(), |r| common::ip_sort(r, EXTERNAL)),
    text_column!("os_image" "OS IMAGE" 36 OS),
    text_column!("kernel" "KERNEL" 36 KERNEL),
    text_column!("container_runtime" "RUNTIME" 28 RUNTIME),
    common::AGE,
    column!("ready" "READY" Left 5 IS_READY.bit(),
        |r, _| Value::Bool(r.num(IS_READY) == 1).into(), |r| Sort::Int(r.num(IS_READY))),
    column!("cordon_note" "CORDONED" Left 40 CORDONED.bit() | CORDON_NOTE.bit(),
        |r, _| {
            // The note of an earlier cordon says nothing about a node that takes pods.
            let note = if r.num(CORDONED) == 1 { r.text(CORDON_NOTE) } else { "" };
            Value::text(note).into()
        },
        |r| Sort::Text(r.text(CORDON_NOTE), "")),
    column!("schedulable" "SCHEDULABLE" Left 11 CORDONED.bit(),
        |r, _| Value::Bool(r.num(CORDONED) == 0).into(), |r| Sort::Int(1 - r.num(CORDONED))),
    common::LABELS,
    common::UID,
];

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "nodes",
    kinds: &[Kind {
        gvk: Gvk { group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false },
        paths: PATHS,
        fold,
        finish,
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: TALLIES,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::health::Health;
    use crate::state::kinds::testing::{NOW, cell, put, row, store, store_of, words};
    use serde_json::{Value as Json, json};

    fn node(name: &str, ready: &str) -> Json {
        json!({
            "kind": "Node",
            "metadata": { "name": name, "uid": "", "labels": {
                "node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/gpu": "", "kubernetes.io/role": "old",
                "topology.kubernetes.io/zone": "eu-1b", "beta.kubernetes.io/instance-type": "m5",
            } },
            "spec": { "taints": [
                { "key": "gpu", "value": "a100", "effect": "NoSchedule" },
                { "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule" },
            ] },
            "status": {
                "allocatable": { "cpu": "31850m", "memory": "128Gi", "pods": "110" },
                "conditions": [
                    { "type": "MemoryPressure", "status": "True", "reason": "KubeletHasInsufficientMemory" },
                    { "type": "DiskPressure", "status": "False" },
                    { "type": "PIDPressure", "status": "True" },
                    { "type": "Ready", "status": ready, "reason": "KubeletX",
                      "lastTransitionTime": "2027-01-15T07:54:00Z" },
                ],
                "addresses": [
                    { "type": "Hostname", "address": name },
                    { "type": "InternalIP", "address": "10.0.0.7" },
                    { "type": "InternalIP", "address": "fd00::7" },
                ],
                "nodeInfo": { "kubeletVersion": "v1.36.3", "kernelVersion": "6.1.0", "architecture": "arm64",
                    "osImage": "Debian 12", "containerRuntimeVersion": "containerd://2.0.1" },
            },
        })
    }

    fn pod(name: &str, node: &str, ready: &str) -> Json {
        json!({
            "kind": "Pod", "metadata": { "name": name, "namespace": "shop" },
            "spec": { "nodeName": node, "containers": [
                { "name": "a", "resources": { "requests": { "cpu": "1500m", "memory": "2Gi" },
                    "limits": { "cpu": "2", "memory": "3Gi" } } },
            ] },
            "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": ready }] },
        })
    }

    #[test]
    fn a_node_reads_as_kubectl_prints_it() {
        let store = store_of(&[node("n1", "True")]);
        let r = row(&store, "nodes", "n1");
        assert_eq!(
            words(r, "status pressure reason roles"),
            "Ready | memory,pid | - | gpu,old,worker"
        );
        assert_eq!(words(r, "ready_since version zone instance_type"), "6m | v1.36.3 | eu-1b | m5");
        assert_eq!(
            words(r, "internal_ip external_ip os_image kernel container_runtime"),
            "10.0.0.7 | - | Debian 12 | 6.1.0 (arm64) | containerd://2.0.1"
        );
        assert_eq!(
            words(r, "taints taint_list"),
            "2 | gpu=a100:NoSchedule,node.kubernetes.io/unschedulable:NoSchedule"
        );
        assert_eq!(cell(r, "ready").value, Value::Bool(true));
        assert_eq!(cell(r, "schedulable").value, Value::Bool(true));
    }

    #[test]
    fn a_silent_cordoned_node_says_both_and_why() {
        let mut object = node("n1", "Unknown");
        object["spec"]["unschedulable"] = json!(true);
        let store = store_of(&[object]);
        let r = row(&store, "nodes", "n1");
        assert_eq!(words(r, "status reason"), "NotReady,SchedulingDisabled | KubeletX");
        assert_eq!(cell(r, "status").role, Role::Bad);
        assert_eq!(cell(r, "schedulable").value, Value::Bool(false));
    }

    #[test]
    fn a_note_holds_as_long_as_the_cordon_is_ours() {
        let cordoned = |manager: &str, note: bool| {
            let mut object = node("n1", "True");
            object["spec"]["unschedulable"] = json!(true);
            let fields = |of: &str| json!({"f:spec": {of: {}}});
            object["metadata"]["managedFields"] = json!([
                {"manager": "kubelet", "time": "2026-11-22T20:00:00Z", "fieldsV1": fields("f:podCIDR")},
                {"manager": manager, "time": "2026-11-23T01:02:03Z", "fieldsV1": fields("f:unschedulable")},
            ]);
            if note {
                object["metadata"]["annotations"] =
                    json!({CORDON: r#"{"reason":"kernel","by":"op@bastion"}"#});
            }
            let store = store_of(&[object]);
            words(row(&store, "nodes", "n1"), "cordon_note")
        };
        assert_eq!(cordoned("wheelhouse", true), "kernel, op@bastion");
        assert_eq!(cordoned("kubectl-cordon", false), "by kubectl-cordon at 2026-11-23T01:02:03Z");
        assert_eq!(
            cordoned("kubectl-cordon", true),
            "by kubectl-cordon at 2026-11-23T01:02:03Z; the note is of an earlier cordon"
        );
    }

    #[test]
    fn a_node_that_never_reported_is_unknown() {
        let store = store_of(&[json!({ "kind": "Node", "metadata": { "name": "n1" } })]);
        assert_eq!(words(row(&store, "nodes", "n1"), "status pods taints"), "Unknown | 0/0 | 0");
    }

    #[test]
    fn pods_are_summed_on_their_node_whichever_comes_first() {
        let pods = [pod("a", "n1", "True"), pod("b", "n1", "False")];
        let mut store = store_of(&pods);
        put(&mut store, &[node("n1", "True")]);
        let r = row(&store, "nodes", "n1");
        assert_eq!(cell(r, "pods").value, Value::Count(2, 110));
        assert_eq!(cell(r, "pods_not_ready"), Value::Int(1).role(Role::Warn));
        assert_eq!(cell(r, "cpu_requested").value, Value::Cpu(3000, 31_850));
        assert_eq!(cell(r, "memory_requested").value, Value::Memory(4 << 30, 128 << 30));
        assert_eq!(cell(r, "cpu_limits").value, Value::Cpu(4000, 31_850));
        assert_eq!(cell(r, "memory_limits").value, Value::Memory(6 << 30, 128 << 30));
    }

    #[test]
    fn a_pods_feed_that_does_not_cover_the_cluster_shows_in_the_counts() {
        let mut store = store_of(&[node("n1", "True"), pod("a", "n1", "True")]);
        let pods = store.table_index("pods").expect("declared");
        let feed = store.feeds.iter().find(|f| f.table == pods).expect("open").id;
        store.set_health(feed, Health::Stale(NOW));
        assert_eq!(cell(row(&store, "nodes", "n1"), "pods"), Value::Count(1, 110).role(Role::Dim));
        store.set_health(feed, Health::Off);
        for id in ["pods", "pods_not_ready", "cpu_requested", "memory_requested"] {
            let known = cell(row(&store, "nodes", "n1"), id).value;
            assert_eq!(known, Value::Unknown("pods are not readable"), "{id}");
        }
    }

    #[test]
    fn the_cluster_is_summed() {
        let mut cordoned = node("n2", "False");
        cordoned["spec"]["unschedulable"] = json!(true);
        let mut store = store();
        put(&mut store, &[node("n1", "True"), cordoned, node("n1", "False")]);
        let sums = store.sums(IN_ALL, Sym::NONE);
        assert_eq!(sums[..6], [2, 2, 1, 63_700, 256 << 30, 220]);
    }
}
