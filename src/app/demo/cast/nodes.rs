//! The machines: three zones, three control-plane nodes, and one of each thing that can be wrong with a node.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::object::{self, micro_stamp, stamp};
use super::super::registry::{LEASES, NODES, PODS};
use super::super::rng::hash;
use super::super::{VERSION, World, defaults};
use super::apps::image;
use crate::app::demo::life::kubelet;

/// Instance type, cores, memory in GiB.
const SHAPES: [(&str, u64, u64); 4] =
    [("std-8x32", 8, 32), ("std-16x64", 16, 64), ("mem-8x64", 8, 64), ("gpu-16x128", 16, 128)];
const CONTROL: (&str, u64, u64) = ("ctl-4x16", 4, 16);
const ZONES: [&str; 3] = ["a", "b", "c"];

/// Taken out for work, by hand.
const CORDONED: &str = "demo-b-03";
/// Its kubelet stopped posting.
pub const SILENT: &str = "demo-c-05";
/// Short of memory.
const PRESSED: &str = "demo-a-06";
/// Has two GPUs.
const GPU: &str = "demo-c-07";

/// Adds every node, its lease, and the static pods of the control plane.
pub fn add(world: &mut World, now: Timestamp) {
    for (z, zone) in ZONES.iter().enumerate() {
        add_node(world, zone, z, 0, CONTROL, now);
        for n in 1..=7 {
            let name = format!("demo-{zone}-{n:02}");
            let shape = match name.as_str() {
                GPU => SHAPES[3],
                _ if n == 5 => SHAPES[2],
                _ if n % 3 == 1 => SHAPES[1],
                _ => SHAPES[0],
            };
            add_node(world, zone, z, n, shape, now);
        }
    }
}

fn add_node(
    world: &mut World,
    zone: &str,
    z: usize,
    n: u64,
    shape: (&str, u64, u64),
    now: Timestamp,
) {
    let control = n == 0;
    let name = if control { format!("demo-cp-{zone}") } else { format!("demo-{zone}-{n:02}") };
    let born = now - Duration::from_secs(86_400 * (12 + hash(&name) % 300));
    let ip = format!("10.20.{}.{}", z + 1, if control { 5 } else { 10 + n });
    let mut node = json!({
        "metadata": {"name": name, "labels": labels(&name, zone, control, shape.0),
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}},
        "spec": {"podCIDR": format!("10.{}.{n}.0/24", 100 + z), "podCIDRs": [format!("10.{}.{n}.0/24", 100 + z)],
            "providerID": format!("demo:///zone-{zone}/{name}")},
    });
    node["status"] = status(&name, &ip, shape, now);
    trouble(&mut node, &name, control, now);
    object::born(&NODES, &mut node, &mut world.rng, "kubelet", born);
    let node = world.store.put(&NODES, node);
    let lease = json!({
        "metadata": {"name": name, "namespace": "kube-node-lease",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": object::uid(&node)}]},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro_stamp(now)},
    });
    super::add(world, &LEASES, lease, born);
    if control {
        for part in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
            static_pod(world, &node, part, born);
        }
    }
}

fn labels(name: &str, zone: &str, control: bool, shape: &str) -> Value {
    let mut labels = json!({
        "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/region": "demo-1", "topology.kubernetes.io/zone": format!("demo-1{zone}"),
        "node.kubernetes.io/instance-type": shape,
    });
    let role = if control { "control-plane" } else { "worker" };
    labels[format!("node-role.kubernetes.io/{role}")] = json!("");
    if name == GPU {
        labels["demo.example/accelerator"] = json!("gpu");
    }
    labels
}

fn status(name: &str, ip: &str, (_, cores, memory): (&str, u64, u64), now: Timestamp) -> Value {
    let kubelet = if matches!(name, "demo-b-06" | "demo-b-07") { "v1.35.4" } else { VERSION };
    let mut capacity = json!({
        "cpu": cores.to_string(), "memory": format!("{}Ki", memory << 20), "pods": "110",
        "ephemeral-storage": "101430960Ki", "hugepages-2Mi": "0",
    });
    if name == GPU {
        capacity["example.com/gpu"] = json!("2");
    }
    let mut allocatable = capacity.clone();
    allocatable["cpu"] = json!(format!("{}m", cores * 1000 - 120));
    allocatable["memory"] = json!(format!("{}Ki", (memory << 20) - 1_048_576));
    json!({
        "capacity": capacity, "allocatable": allocatable,
        "addresses": [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "conditions": conditions(now),
        "nodeInfo": {
            "machineID": format!("{:032x}", hash(name)), "systemUUID": format!("{:032x}", hash(name) >> 1),
            "bootID": format!("{:032x}", hash(name) >> 2), "kernelVersion": "6.12.41-demo",
            "osImage": "Demo Linux 12", "containerRuntimeVersion": "containerd://2.1.4", "kubeletVersion": kubelet,
            "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
        },
        "images": [{"names": [image("platform", "mesh-proxy", "1.29.0")], "sizeBytes": 48_123_904}],
    })
}

/// Reasons and messages are those of the kubelet (kubernetes `pkg/kubelet/nodestatus/setters.go`).
fn conditions(now: Timestamp) -> Value {
    let since = stamp(now - Duration::from_secs(86_400 * 3));
    let one = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": stamp(now), "lastTransitionTime": since})
    };
    json!([
        one(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available"
        ),
        one("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        one(
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available"
        ),
        one("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ])
}

fn trouble(node: &mut Value, name: &str, control: bool, now: Timestamp) {
    let ago = |minutes: u64| stamp(now - Duration::from_secs(minutes * 60));
    let taint = |key: &str, effect: &str, added: Option<String>| {
        let mut taint = json!({"key": key, "effect": effect});
        if let Some(added) = added {
            taint["timeAdded"] = json!(added);
        }
        taint
    };
    if control {
        node["spec"]["taints"] =
            json!([taint("node-role.kubernetes.io/control-plane", "NoSchedule", None)]);
    }
    match name {
        CORDONED => {
            node["spec"]["unschedulable"] = json!(true);
            node["spec"]["taints"] =
                json!([taint("node.kubernetes.io/unschedulable", "NoSchedule", Some(ago(14)))]);
            let why =
                json!({"by": "rosa@demo.example", "at": ago(14), "why": "CHG-1182 kernel update"});
            node["metadata"]["annotations"]["wheelhouse.dev/cordoned"] = json!(why.to_string());
        }
        SILENT => {
            for condition in object::list_mut(node, "status", "conditions") {
                condition["status"] = json!("Unknown");
                condition["reason"] = json!("NodeStatusUnknown");
                condition["message"] = json!("Kubelet stopped posting node status.");
                condition["lastHeartbeatTime"] = json!(ago(22));
                condition["lastTransitionTime"] = json!(ago(21));
            }
            let key = "node.kubernetes.io/unreachable";
            node["spec"]["taints"] = json!([
                taint(key, "NoSchedule", Some(ago(21))),
                taint(key, "NoExecute", Some(ago(21)))
            ]);
        }
        PRESSED => {
            let first = &mut object::list_mut(node, "status", "conditions")[0];
            first["status"] = json!("True");
            first["reason"] = json!("KubeletHasInsufficientMemory");
            first["message"] = json!("kubelet has insufficient memory available");
            first["lastTransitionTime"] = json!(ago(9));
            node["spec"]["taints"] =
                json!([taint("node.kubernetes.io/memory-pressure", "NoSchedule", Some(ago(9)))]);
        }
        GPU => node["spec"]["taints"] = json!([taint("demo.example/gpu", "NoSchedule", None)]),
        _ => {}
    }
}

/// A mirror pod: the kubelet runs it from a file, the API only shows it.
fn static_pod(world: &mut World, node: &Value, part: &str, born: Timestamp) {
    let name = object::name(node);
    let mut owner = object::owned_by(&NODES, node);
    object::unset(&mut owner[0], "blockOwnerDeletion");
    let mut pod = json!({
        "metadata": {
            "name": format!("{part}-{name}"), "namespace": "kube-system",
            "labels": {"component": part, "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.mirror": format!("{:032x}", hash(part)),
                "kubernetes.io/config.source": "file"},
            "ownerReferences": owner,
        },
        "spec": {
            "containers": [{"name": part, "image": image("kubernetes", part, VERSION),
                "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}}}],
            "hostNetwork": true, "priorityClassName": "system-node-critical", "priority": 2_000_001_000,
            "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
        },
    });
    defaults::fill(&PODS, &mut pod, born);
    object::born(&PODS, &mut pod, &mut world.rng, "kubelet", born);
    kubelet::bind(&mut pod, node, born);
    kubelet::settle(&mut pod, 0, born);
    world.store.put(&PODS, pod);
}
