//! Many objects at once, written straight into etcd as a real cluster would hold them, and a steady churn among them.
//!
//! The API server recognises JSON in its storage (reference/controlplane.md §4) and delivers such writes as ordinary
//! watch events. Admission and validation are bypassed, so `tests/control_plane.rs` reads samples back through the API.
//! The same size always gives the same objects, apart from their ages.

use super::ControlPlane;
use super::etcd::{Gateway, TXN_PUTS};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How many nodes and pods to write. Namespaces and owners come with them.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub nodes: usize,
    pub pods: usize,
}

/// What a seeding wrote.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    pub objects: usize,
    pub bytes: usize,
    pub elapsed: Duration,
}

const NAMESPACES: usize = 200;
const OWNERS: usize = 3000;
const WRITERS: usize = 4;

impl ControlPlane {
    /// Writes nodes `node-NNNNN...`, 200 namespaces `team-...` and pods of 3,000 owners into etcd.
    pub fn seed(&self, size: Size) -> Seeded {
        let started = Instant::now();
        let (send, receive) = sync_channel::<Vec<(String, String)>>(4 * WRITERS);
        let receive = Arc::new(Mutex::new(receive));
        let (mut objects, mut bytes) = (0, 0);
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| write_batches(&receive, self.etcd()));
            }
            let mut batch = Vec::with_capacity(TXN_PUTS);
            each_object(size, |key, value| {
                objects += 1;
                bytes += value.len();
                batch.push((key, value));
                if batch.len() == TXN_PUTS {
                    send.send(std::mem::take(&mut batch)).expect("the writers run");
                }
            });
            send.send(batch).expect("the writers run");
            drop(send);
        });
        Seeded { objects, bytes, elapsed: started.elapsed() }
    }

    /// Changes the restart count of seeded pods at `rate` per second for `span`, straight in etcd. Returns how many
    /// changes were written; it blocks, so run it in a thread of its own beside whatever watches.
    pub fn churn(&self, rate: u32, span: Duration) -> usize {
        let mut etcd = self.etcd();
        let pods = etcd.range("/registry/pods/team-", 3000);
        // What a controller rewrote is protobuf by now: left alone.
        let json = pods
            .into_iter()
            .filter_map(|(k, v)| Some((k, serde_json::from_slice::<Value>(&v).ok()?)));
        let mut pods: Vec<_> =
            json.filter(|(_, pod)| pod["status"]["containerStatuses"].is_array()).collect();
        assert!(!pods.is_empty(), "churn needs seeded pods");
        // Objects written in one transaction share a revision, which no API server does: a watch that is cut between
        // two of them and goes on from that revision misses the second. At rates that single writes reach, one each.
        let most = if rate <= 300 { 1 } else { TXN_PUTS };
        let (mut random, mut written) = (Random(1), 0);
        let started = Instant::now();
        while started.elapsed() < span {
            let due = (started.elapsed().as_secs_f64() * f64::from(rate)) as usize;
            // etcd refuses a key twice in one transaction.
            let mut changed = BTreeMap::new();
            for _ in 0..(due - written).min(most) {
                let pick = random.below(pods.len());
                let (key, pod) = &mut pods[pick];
                if changed.contains_key(key) {
                    continue;
                }
                let count = &mut pod["status"]["containerStatuses"][0]["restartCount"];
                *count = json!(count.as_u64().unwrap_or(0) + 1);
                changed.insert(key.clone(), pod.to_string());
            }
            written += changed.len();
            if changed.is_empty() {
                std::thread::park_timeout(Duration::from_millis(2));
            } else {
                etcd.put_all(changed.iter().map(|(k, v)| (k.as_str(), v.as_str())));
            }
        }
        written
    }
}

impl ControlPlane {
    /// Changes so many seeded pods once, straight in etcd.
    pub fn churn_once(&self, pods: usize) {
        let mut etcd = self.etcd();
        let found = etcd.range("/registry/pods/team-", pods);
        let mut changed = vec![];
        for (key, value) in found {
            let Ok(mut pod) = serde_json::from_slice::<Value>(&value) else { continue };
            // Pending pods have no containers yet.
            let count = pod.pointer_mut("/status/containerStatuses/0/restartCount");
            let Some(count) = count else { continue };
            *count = json!(count.as_u64().unwrap_or(0) + 1);
            changed.push((key, pod.to_string()));
        }
        for batch in changed.chunks(1) {
            etcd.put_all(batch.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        }
    }

    /// Deletes so many seeded pods straight from etcd; how many it were.
    pub fn remove_pods(&self, pods: usize) -> usize {
        let mut etcd = self.etcd();
        let keys = etcd.keys("/registry/pods/team-", pods);
        keys.iter().for_each(|key| etcd.delete(key));
        keys.len()
    }
}

fn write_batches(batches: &Mutex<Receiver<Vec<(String, String)>>>, mut etcd: Gateway) {
    loop {
        let batch = batches.lock().expect("a writer that fails ends the test").recv();
        let Ok(batch) = batch else { return };
        if !batch.is_empty() {
            etcd.put_all(batch.iter().map(|(k, v)| (k.as_str(), v.as_str())));
        }
    }
}

fn each_object(size: Size, mut put: impl FnMut(String, String)) {
    let mut random = Random(7);
    let now = Timestamp::now();
    for i in 0..NAMESPACES {
        let name = namespace(i);
        put(
            format!("/registry/namespaces/{name}"),
            namespace_object(&name, &mut random, now).to_string(),
        );
    }
    for i in 0..size.nodes {
        let name = node_name(i);
        put(format!("/registry/minions/{name}"), node_object(i, &mut random, now).to_string());
    }
    let owners: Vec<Owner> = (0..OWNERS).map(|i| Owner::new(i, &mut random)).collect();
    let mut templates = HashMap::new();
    for i in 0..size.pods {
        // Real owners differ in size by far: the square of an even draw prefers the first ones.
        let draw = random.below(1000) * random.below(1000);
        let owner = draw * OWNERS / 1_000_000;
        let state = State::draw(&mut random);
        let template = templates
            .entry((owner, state))
            .or_insert_with(|| pod_template(&owners[owner], state, now).to_string());
        let owner = &owners[owner];
        let name = format!("{}-{}", owner.name, random.suffix(5));
        let node = if state.is_bound() { random.below(size.nodes.max(1)) } else { 0 };
        let address = format!("10.{}.{}.{}", 64 + (i >> 16 & 63), i >> 8 & 255, i & 255);
        let values = [
            ("NAME", name.clone()),
            ("UID", random.uid()),
            ("NODE", node_name(node)),
            ("HOST", node_address(node)),
            ("IP", address),
            ("CREATED", ago(now, random.age())),
        ];
        put(format!("/registry/pods/{}/{name}", owner.namespace), fill(template, &values));
    }
}

/// A Deployment's replica set, or one of the other owners of pods.
struct Owner {
    namespace: String,
    app: String,
    name: String,
    kind: &'static str,
    uid: String,
    containers: usize,
}

impl Owner {
    fn new(i: usize, random: &mut Random) -> Owner {
        const WORDS: [&str; 16] = [
            "checkout",
            "ledger",
            "search",
            "mailer",
            "gateway",
            "profile",
            "catalog",
            "billing",
            "session",
            "worker",
            "importer",
            "reporting",
            "notification-dispatcher",
            "image-resizer",
            "feature-flags",
            "audit-log-exporter",
        ];
        const ROLES: [&str; 6] =
            ["api", "web", "consumer", "cache", "scheduler", "internal-backend"];
        let namespace = namespace(random.below(NAMESPACES));
        let app = format!("{}-{}-{i}", WORDS[i % WORDS.len()], ROLES[i / 16 % ROLES.len()]);
        let (kind, name) = match i % 20 {
            0..=15 => ("ReplicaSet", format!("{app}-{}", random.suffix(10))),
            16 | 17 => ("StatefulSet", app.clone()),
            18 => ("DaemonSet", app.clone()),
            _ => ("Job", format!("{app}-{}", 29_000_000 + i)),
        };
        Owner { namespace, app, name, kind, uid: random.uid(), containers: 1 + i % 3 }
    }

    fn api_version(&self) -> &'static str {
        if self.kind == "Job" { "batch/v1" } else { "apps/v1" }
    }
}

/// How a pod is doing; most of them run.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    Running,
    Restarted,
    NotReady,
    CrashLoop,
    ImagePull,
    Initializing,
    Completed,
    Evicted,
    Unschedulable,
}

impl State {
    fn draw(random: &mut Random) -> State {
        match random.below(1000) {
            0..850 => State::Running,
            850..910 => State::Restarted,
            910..930 => State::NotReady,
            930..942 => State::CrashLoop,
            942..950 => State::ImagePull,
            950..956 => State::Initializing,
            956..985 => State::Completed,
            985..993 => State::Evicted,
            _ => State::Unschedulable,
        }
    }

    fn is_bound(self) -> bool {
        self != State::Unschedulable
    }

    fn phase(self) -> &'static str {
        match self {
            State::Running | State::Restarted | State::NotReady | State::CrashLoop => "Running",
            State::Completed => "Succeeded",
            State::Evicted => "Failed",
            State::ImagePull | State::Initializing | State::Unschedulable => "Pending",
        }
    }

    fn is_ready(self) -> bool {
        matches!(self, State::Running | State::Restarted)
    }
}

/// A pod with `@NAME@` and the like still to be filled in: building one per pod would take most of the time.
fn pod_template(owner: &Owner, state: State, now: Timestamp) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "@NAME@", "generateName": format!("{}-", owner.name), "namespace": owner.namespace,
            "uid": "@UID@", "creationTimestamp": "@CREATED@", "generation": 1,
            "labels": {
                "app.kubernetes.io/name": owner.app, "app.kubernetes.io/instance": owner.name,
                "app.kubernetes.io/part-of": owner.namespace, "app.kubernetes.io/managed-by": "Helm",
                "app.kubernetes.io/version": "1.14.2", "pod-template-hash": owner.name.rsplit('-').next(),
                "team": owner.namespace,
            },
            "annotations": {
                "kubectl.kubernetes.io/restartedAt": ago(now, 86_400),
                "checksum/config": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            },
            "ownerReferences": [{
                "apiVersion": owner.api_version(), "kind": owner.kind, "name": owner.name, "uid": owner.uid,
                "controller": true, "blockOwnerDeletion": true,
            }],
            "managedFields": managed_fields(owner, now),
        },
        "spec": pod_spec(owner),
        "status": pod_status(owner, state, now),
    });
    if state.is_bound() {
        pod["spec"]["nodeName"] = json!("@NODE@");
    }
    pod
}

fn pod_spec(owner: &Owner) -> Value {
    let mount = json!({"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access", "readOnly": true});
    let container = |k: usize| {
        json!({
            "name": container_name(k), "image": image(owner, k), "imagePullPolicy": "IfNotPresent",
            "ports": [{"containerPort": 8080 + k, "protocol": "TCP"}],
            "env": [{"name": "REGION", "value": "eu-central-1"}, {"name": "LOG_LEVEL", "value": "info"}],
            "readinessProbe": {"failureThreshold": 3, "httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"},
                "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1},
            "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": format!("{}m", 50 * (k + 1)), "memory": "128Mi"}},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "volumeMounts": [mount],
        })
    };
    let toleration = |key: &str| json!({"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300});
    json!({
        "initContainers": [{"name": "migrate", "image": image(owner, 9), "imagePullPolicy": "IfNotPresent", "resources": {},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}],
        "containers": (0..owner.containers).map(container).collect::<Vec<_>>(),
        "dnsPolicy": "ClusterFirst", "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority", "priority": 0,
        "restartPolicy": if owner.kind == "Job" { "Never" } else { "Always" }, "schedulerName": "default-scheduler",
        "securityContext": {}, "serviceAccount": "default", "serviceAccountName": "default", "terminationGracePeriodSeconds": 30,
        "tolerations": [toleration("node.kubernetes.io/not-ready"), toleration("node.kubernetes.io/unreachable")],
        "volumes": [{"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}}]}}],
    })
}

fn pod_status(owner: &Owner, state: State, now: Timestamp) -> Value {
    let since = ago(now, 3600);
    let condition = |kind: &str, ok: bool| {
        json!({"type": kind, "status": if ok { "True" } else { "False" },
        "lastProbeTime": null, "lastTransitionTime": since})
    };
    if state == State::Unschedulable {
        let mut unscheduled = condition("PodScheduled", false);
        unscheduled["reason"] = json!("Unschedulable");
        unscheduled["message"] = json!("0/1000 nodes are available: 1000 Insufficient cpu.");
        return json!({"phase": "Pending", "qosClass": "Burstable", "conditions": [unscheduled]});
    }
    if state == State::Evicted {
        return json!({"phase": "Failed", "reason": "Evicted", "qosClass": "Burstable", "startTime": "@CREATED@",
            "message": "The node was low on resource: ephemeral-storage."});
    }
    let started = state != State::Initializing;
    let ready = state.is_ready();
    json!({
        "phase": state.phase(), "qosClass": "Burstable", "startTime": "@CREATED@",
        "hostIP": "@HOST@", "hostIPs": [{"ip": "@HOST@"}], "podIP": "@IP@", "podIPs": [{"ip": "@IP@"}],
        "conditions": [condition("PodReadyToStartContainers", started), condition("Initialized", started),
            condition("Ready", ready), condition("ContainersReady", ready), condition("PodScheduled", true)],
        "initContainerStatuses": [init_status(owner, state, &since)],
        "containerStatuses": (0..owner.containers).map(|k| container_status(owner, state, k, &since)).collect::<Vec<_>>(),
    })
}

fn init_status(owner: &Owner, state: State, since: &str) -> Value {
    let state = match state {
        State::Initializing => json!({"running": {"startedAt": since}}),
        _ => {
            json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": since, "finishedAt": since}})
        }
    };
    json!({"name": "migrate", "image": image(owner, 9), "imageID": image_id(owner), "ready": true,
        "restartCount": 0, "state": state, "lastState": {}})
}

fn container_status(owner: &Owner, state: State, k: usize, since: &str) -> Value {
    let terminated = |code: i32, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": since, "finishedAt": since}});
    let waiting = |reason: &str| json!({"waiting": {"reason": reason}});
    let running = json!({"running": {"startedAt": since}});
    // Only the first container is in trouble.
    let (now, last, restarts) = match state {
        State::Initializing => (waiting("PodInitializing"), json!({}), 0),
        State::Completed => (terminated(0, "Completed"), json!({}), 0),
        State::Restarted if k == 0 => (running, terminated(137, "OOMKilled"), 3),
        State::CrashLoop if k == 0 => (waiting("CrashLoopBackOff"), terminated(1, "Error"), 41),
        State::ImagePull if k == 0 => (waiting("ImagePullBackOff"), json!({}), 0),
        _ => (running, json!({}), 0),
    };
    let ready = now.get("running").is_some() && !(state == State::NotReady && k == 0);
    json!({"name": container_name(k), "image": image(owner, k), "imageID": image_id(owner), "ready": ready, "started": ready,
        "containerID": "containerd://1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014",
        "restartCount": restarts, "state": now, "lastState": last})
}

fn container_name(k: usize) -> &'static str {
    ["app", "envoy-proxy", "log-forwarder"][k % 3]
}

fn image(owner: &Owner, k: usize) -> String {
    format!("registry.example.com/{}/{}-{}:1.14.2", owner.namespace, owner.app, container_name(k))
}

fn image_id(owner: &Owner) -> String {
    format!(
        "registry.example.com/{}@sha256:b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
        owner.app
    )
}

/// What a field manager leaves behind is a third of a real object.
fn managed_fields(owner: &Owner, now: Timestamp) -> Value {
    let field = |name: &str| (format!("f:{name}"), json!({}));
    let names = [
        "image",
        "imagePullPolicy",
        "name",
        "resources",
        "env",
        "ports",
        "readinessProbe",
        "volumeMounts",
    ];
    let container: serde_json::Map<String, Value> = names.iter().map(|n| field(n)).collect();
    let containers: serde_json::Map<String, Value> = (0..owner.containers)
        .map(|k| {
            (format!("k:{{\"name\":\"{}\"}}", container_name(k)), Value::Object(container.clone()))
        })
        .collect();
    let conditions: serde_json::Map<String, Value> = ["Initialized", "Ready", "ContainersReady"]
        .iter()
        .map(|c| (format!("k:{{\"type\":\"{c}\"}}"), json!({".": {}, "f:lastProbeTime": {}, "f:lastTransitionTime": {}, "f:status": {}, "f:type": {}})))
        .collect();
    json!([
        {"apiVersion": "v1", "fieldsType": "FieldsV1", "manager": "kube-controller-manager", "operation": "Update",
            "time": ago(now, 7200), "fieldsV1": {"f:metadata": {"f:labels": {".": {}}, "f:ownerReferences": {".": {}}},
            "f:spec": {"f:containers": containers, "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}}}},
        {"apiVersion": "v1", "fieldsType": "FieldsV1", "manager": "kubelet", "operation": "Update", "subresource": "status",
            "time": ago(now, 3600), "fieldsV1": {"f:status": {"f:conditions": conditions, "f:containerStatuses": {},
            "f:hostIP": {}, "f:phase": {}, "f:podIP": {}, "f:startTime": {}}}},
    ])
}

fn namespace(i: usize) -> String {
    const STAGES: [&str; 4] = ["prod", "staging", "dev", "load-test"];
    format!("team-{:03}-{}", i, STAGES[i % 4])
}

fn namespace_object(name: &str, random: &mut Random, now: Timestamp) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": name, "uid": random.uid(), "creationTimestamp": ago(now, 9_000_000),
            "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})
}

fn node_name(i: usize) -> String {
    format!("node-{i:05}.zone-{}.example.internal", ["a", "b", "c"][i % 3])
}

/// Below the range of the pods; nobody dials them.
fn node_address(i: usize) -> String {
    format!("10.{}.{}.{}", i >> 16 & 63, i >> 8 & 255, i & 255)
}

fn node_object(i: usize, random: &mut Random, now: Timestamp) -> Value {
    let name = node_name(i);
    let (kind, cpu, memory) =
        [("m7i.8xlarge", 32, 128), ("c7i.4xlarge", 16, 32), ("r7i.16xlarge", 64, 512)][i % 3];
    let role = if i < 3 {
        "node-role.kubernetes.io/control-plane"
    } else {
        "node-role.kubernetes.io/worker"
    };
    let (ready, reason) =
        if i % 200 == 150 { ("Unknown", "NodeStatusUnknown") } else { ("True", "KubeletReady") };
    let cordoned = i % 100 == 42;
    let taints = if cordoned {
        json!([{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}])
    } else {
        json!([])
    };
    let beat = ago(now, 20);
    let condition = |kind: &str, status: &str, reason: &str| {
        json!({"type": kind, "status": status, "reason": reason,
        "message": "", "lastHeartbeatTime": beat, "lastTransitionTime": ago(now, 40_000)})
    };
    let room = json!({"cpu": cpu.to_string(), "memory": format!("{memory}Gi"), "pods": "110", "ephemeral-storage": "200Gi"});
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "uid": random.uid(), "creationTimestamp": ago(now, random.age()),
            "labels": {
                "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                "topology.kubernetes.io/region": "eu-central-1",
                "topology.kubernetes.io/zone": format!("eu-central-1{}", ["a", "b", "c"][i % 3]),
                "node.kubernetes.io/instance-type": kind, role: "",
            },
            "annotations": {"node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": {"podCIDR": "10.64.0.0/24", "podCIDRs": ["10.64.0.0/24"], "providerID": format!("aws:///eu-central-1a/i-{i:017x}"),
            "unschedulable": cordoned, "taints": taints},
        "status": {
            "addresses": [{"type": "InternalIP", "address": node_address(i)}, {"type": "Hostname", "address": name}],
            "allocatable": room, "capacity": room,
            "conditions": [condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                condition("DiskPressure", if i % 250 == 99 { "True" } else { "False" }, "KubeletDiskPressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID"), condition("Ready", ready, reason)],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {"architecture": "amd64", "bootID": "", "containerRuntimeVersion": "containerd://2.2.1",
                "kernelVersion": "6.12.41", "kubeProxyVersion": "", "kubeletVersion": format!("v1.37.{}", i % 3), "machineID": "",
                "operatingSystem": "linux", "osImage": "Bottlerocket OS 1.50.0", "systemUUID": ""},
        },
    })
}

/// A time so many seconds before `now`, as Kubernetes writes it.
pub fn ago(now: Timestamp, seconds: i64) -> String {
    let then = now - SignedDuration::from_secs(seconds);
    then.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Replaces `@NAME@` and the like in one pass.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(template.len() + 200);
    let mut rest = template;
    while let Some(at) = rest.find('@') {
        let found = values.iter().find(|(name, _)| {
            rest[at + 1..].strip_prefix(name).is_some_and(|tail| tail.starts_with('@'))
        });
        let (text, used) = found.map_or(("@", 1), |(name, value)| (value.as_str(), name.len() + 2));
        out += &rest[..at];
        out += text;
        rest = &rest[at + used..];
    }
    out + rest
}

/// SplitMix64: the same sequence on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Seconds: most objects are hours or days old, some months.
    fn age(&mut self) -> i64 {
        let scale = [3_600, 86_400, 604_800, 9_000_000][self.below(4)];
        60 + self.below(scale) as i64
    }

    /// The letters that Kubernetes draws names from (k8s.io/apimachinery/pkg/util/rand).
    fn suffix(&mut self, length: usize) -> String {
        const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..length).map(|_| LETTERS[self.below(LETTERS.len())] as char).collect()
    }

    fn uid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        let variant = 0x8000 | (b >> 48 & 0x3fff);
        format!(
            "{:08x}-{:04x}-4{:03x}-{variant:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b & 0xffff_ffff_ffff
        )
    }
}
