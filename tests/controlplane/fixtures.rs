//! Pods and nodes in every state that kubectl prints differently, with what it prints for them.
//!
//! What decides the STATUS cell is printPod and printNode in pkg/printers/internalversion/printers.go (v1.37); each
//! fixture aims at one of its branches. They keep their state only where no controller and no kubelet runs:
//! `Options::api()`.

use super::ControlPlane;
use super::seed::ago;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// The namespaces that hold the odd pods, every other one in each.
pub const NAMESPACES: [&str; 2] = ["odd", "shop"];
const NODE: &str = "odd-ready";
/// Keeps a deleted pod there for as long as the test runs.
const HOLD: &str = "lab.test/hold";

/// A pod to be made, and kubectl's READY and STATUS cells for it.
pub struct OddPod {
    pub name: &'static str,
    pub status: &'static str,
    pub ready: &'static str,
    object: Value,
    deleted: bool,
}

/// A node to be made, and kubectl's STATUS and ROLES cells for it.
pub struct OddNode {
    pub name: &'static str,
    pub status: &'static str,
    pub roles: &'static str,
    object: Value,
}

/// The control plane of [`super::shared_api`] with all odd pods and nodes, made once per test process.
pub fn shared_odd() -> Option<&'static ControlPlane> {
    static MADE: OnceLock<()> = OnceLock::new();
    let lab = super::shared_api()?;
    MADE.get_or_init(|| create(lab));
    Some(lab)
}

/// Makes all odd nodes and pods through the API; the states that it refuses go straight into etcd.
pub fn create(lab: &ControlPlane) {
    for node in nodes() {
        lab.api_create("/api/v1/nodes", &node.object);
    }
    lab.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: odd}\n");
    for (i, pod) in pods().into_iter().enumerate() {
        create_pod(lab, NAMESPACES[i % 2], pod);
    }
    create_without_phase(lab);
}

fn create_pod(lab: &ControlPlane, namespace: &str, pod: OddPod) {
    let collection = format!("/api/v1/namespaces/{namespace}/pods");
    let path = format!("{collection}/{}", pod.name);
    lab.api_create(&collection, &pod.object);
    lab.api_patch(&format!("{path}/status"), &json!({"status": pod.object["status"]}));
    if pod.deleted {
        lab.api_delete(&path, &json!({"gracePeriodSeconds": 3600}));
    }
}

/// The API server gives every new pod a phase; one that lost it can only come from storage.
fn create_without_phase(lab: &ControlPlane) {
    let mut pod = OddPod::new("no-phase", "", "0/1").object;
    pod["metadata"]["uid"] = json!("7d3c1c1e-8a2f-4a5e-9a53-0d6f3c2b1a00");
    pod["metadata"]["namespace"] = json!("odd");
    pod["metadata"]["creationTimestamp"] = json!(ago(Timestamp::now(), 60));
    pod["status"] = json!({});
    lab.etcd().put_all([("/registry/pods/odd/no-phase", pod.to_string().as_str())]);
}

impl OddPod {
    /// A pod with one container on a node, pending, without any container status.
    fn new(name: &'static str, status: &'static str, ready: &'static str) -> OddPod {
        let object = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": "odd"}},
            "spec": {"nodeName": NODE, "containers": [container("app")], "terminationGracePeriodSeconds": 30},
            "status": {"phase": "Pending"},
        });
        OddPod { name, status, ready, object, deleted: false }
    }

    fn phase(mut self, phase: &str) -> OddPod {
        self.object["status"]["phase"] = json!(phase);
        self
    }

    fn reason(mut self, reason: &str) -> OddPod {
        self.object["status"]["reason"] = json!(reason);
        self
    }

    /// The containers of the spec become those of the statuses.
    fn containers(mut self, statuses: Vec<Value>) -> OddPod {
        self.object["spec"]["containers"] =
            statuses.iter().map(|s| container(name_of(s))).collect();
        self.object["status"]["containerStatuses"] = json!(statuses);
        self
    }

    fn init(mut self, statuses: Vec<Value>) -> OddPod {
        self.object["spec"]["initContainers"] =
            statuses.iter().map(|s| container(name_of(s))).collect();
        self.object["status"]["initContainerStatuses"] = json!(statuses);
        self
    }

    /// Makes the first init container a restartable one (KEP-753).
    fn sidecar(mut self) -> OddPod {
        self.object["spec"]["initContainers"][0]["restartPolicy"] = json!("Always");
        self
    }

    fn condition(mut self, kind: &str, status: &str, reason: &str) -> OddPod {
        let conditions = &mut self.object["status"]["conditions"];
        let mut all = conditions.as_array().cloned().unwrap_or_default();
        all.push(json!({"type": kind, "status": status, "reason": reason}));
        *conditions = json!(all);
        self
    }

    fn and_ready(self) -> OddPod {
        self.condition("Ready", "True", "")
    }

    fn spec(mut self, field: &str, value: Value) -> OddPod {
        self.object["spec"][field] = value;
        self
    }

    fn field(mut self, field: &str, value: Value) -> OddPod {
        self.object["status"][field] = value;
        self
    }

    fn unbound(mut self) -> OddPod {
        self.object["spec"]["nodeName"] = Value::Null;
        self
    }

    /// Deleted, but not gone.
    fn deleted(mut self) -> OddPod {
        self.object["metadata"]["finalizers"] = json!([HOLD]);
        self.deleted = true;
        self
    }
}

fn container(name: &str) -> Value {
    json!({"name": name, "image": format!("registry.example/{name}:1")})
}

fn status(name: &str, ready: bool, state: Value) -> Value {
    json!({"name": name, "image": format!("registry.example/{name}:1"), "imageID": "", "ready": ready, "restartCount": 0, "state": state})
}

fn name_of(status: &Value) -> &str {
    status["name"].as_str().expect("every status has a name")
}

fn running(name: &str, ready: bool) -> Value {
    status(name, ready, json!({"running": {"startedAt": time(600)}}))
}

fn waiting(name: &str, reason: &str) -> Value {
    status(name, false, json!({"waiting": {"reason": reason}}))
}

fn ended(name: &str, exit_code: i32, reason: &str) -> Value {
    let times = json!({"exitCode": exit_code, "reason": reason, "startedAt": time(900), "finishedAt": time(300)});
    status(name, false, json!({"terminated": times}))
}

fn killed(name: &str, signal: i32) -> Value {
    let mut status = ended(name, 128 + signal, "");
    status["state"]["terminated"]["signal"] = json!(signal);
    status
}

/// The same container after that many restarts, the last of them so many seconds ago.
fn restarted(mut status: Value, times: u32, seconds: i64) -> Value {
    status["restartCount"] = json!(times);
    status["lastState"] = ended("", 1, "Error")["state"].clone();
    status["lastState"]["terminated"]["finishedAt"] = json!(time(seconds));
    status
}

fn started(mut status: Value, is: bool) -> Value {
    status["started"] = json!(is);
    status
}

fn time(seconds: i64) -> String {
    ago(Timestamp::now(), seconds)
}

/// All odd pods but the one without a phase.
pub fn pods() -> Vec<OddPod> {
    [waiting_pods(), init_pods(), running_pods(), finished_pods(), leaving_pods(), detailed_pods()]
        .into_iter()
        .flatten()
        .collect()
}

fn waiting_pods() -> Vec<OddPod> {
    let pod = OddPod::new;
    let stuck = |name, reason| pod(name, reason, "0/1").containers(vec![waiting("app", reason)]);
    vec![
        pod("pending-unbound", "Pending", "0/1").unbound(),
        pod("pending-bound", "Pending", "0/1"),
        pod("unschedulable", "Pending", "0/1").unbound().condition(
            "PodScheduled",
            "False",
            "Unschedulable",
        ),
        pod("scheduling-gated", "SchedulingGated", "0/1")
            .unbound()
            .spec("schedulingGates", json!([{"name": "lab.test/gate"}]))
            .condition("PodScheduled", "False", "SchedulingGated"),
        stuck("container-creating", "ContainerCreating"),
        stuck("image-pull-back-off", "ImagePullBackOff"),
        stuck("err-image-pull", "ErrImagePull"),
        stuck("invalid-image-name", "InvalidImageName"),
        stuck("config-error", "CreateContainerConfigError"),
        stuck("run-error", "RunContainerError"),
        stuck("crash-loop", "CrashLoopBackOff").phase("Running").containers(vec![restarted(
            waiting("app", "CrashLoopBackOff"),
            7,
            300,
        )]),
        pod("waiting-without-reason", "Pending", "0/1").containers(vec![status(
            "app",
            false,
            json!({"waiting": {}}),
        )]),
    ]
}

fn init_pods() -> Vec<OddPod> {
    let pod = |name, status| {
        OddPod::new(name, status, "0/1").containers(vec![waiting("app", "PodInitializing")])
    };
    let done = || ended("one", 0, "Completed");
    vec![
        pod("pod-initializing", "PodInitializing").init(vec![done()]),
        pod("init-none-of-two", "Init:0/2")
            .init(vec![running("one", false), waiting("two", "PodInitializing")]),
        pod("init-one-of-two", "Init:1/2").init(vec![done(), running("two", false)]),
        pod("init-crash-loop", "Init:CrashLoopBackOff")
            .init(vec![done(), restarted(waiting("two", "CrashLoopBackOff"), 4, 120)]),
        pod("init-error", "Init:Error").init(vec![ended("one", 1, "Error")]),
        pod("init-exit-code", "Init:ExitCode:3").init(vec![ended("one", 3, "")]),
        pod("init-signal", "Init:Signal:9").init(vec![killed("one", 9)]),
        pod("init-image", "Init:ImagePullBackOff").init(vec![waiting("one", "ImagePullBackOff")]),
        OddPod::new("sidecar-not-started", "Init:0/2", "0/2")
            .containers(vec![waiting("app", "PodInitializing")])
            .init(vec![started(running("proxy", false), false), waiting("two", "PodInitializing")])
            .sidecar(),
        OddPod::new("sidecar-then-init", "Init:1/2", "1/2")
            .containers(vec![waiting("app", "PodInitializing")])
            .init(vec![started(running("proxy", true), true), running("two", false)])
            .sidecar(),
    ]
}

fn running_pods() -> Vec<OddPod> {
    let pod = |name, status, ready| OddPod::new(name, status, ready).phase("Running");
    let done = || ended("one", 0, "Completed");
    let with_sidecar =
        |pod: OddPod, proxy| pod.containers(vec![running("app", true)]).init(vec![proxy]).sidecar();
    vec![
        pod("running", "Running", "1/1").containers(vec![running("app", true)]).and_ready(),
        pod("running-not-ready", "Running", "0/1").containers(vec![running("app", false)]),
        pod("running-partly-ready", "Running", "1/2")
            .containers(vec![running("one", true), running("two", false)]),
        pod("half-completed", "NotReady", "1/2").containers(vec![done(), running("two", true)]),
        pod("half-completed-ready", "Running", "1/2")
            .containers(vec![done(), running("two", true)])
            .and_ready(),
        pod("half-completed-half-failed", "Error", "0/2")
            .containers(vec![done(), ended("two", 1, "Error")]),
        pod("half-failed", "Error", "1/2")
            .containers(vec![ended("one", 1, "Error"), running("two", true)]),
        pod("running-with-reason", "Paused", "1/1")
            .containers(vec![running("app", true)])
            .reason("Paused")
            .and_ready(),
        with_sidecar(pod("sidecar", "Running", "2/2"), started(running("proxy", true), true))
            .and_ready(),
        with_sidecar(
            pod("sidecar-not-ready", "Running", "1/2"),
            started(running("proxy", false), true),
        ),
        with_sidecar(pod("sidecar-crashed", "Init:CrashLoopBackOff", "1/2"), {
            started(restarted(waiting("proxy", "CrashLoopBackOff"), 5, 60), false)
        })
        .condition("Initialized", "True", ""),
    ]
}

fn finished_pods() -> Vec<OddPod> {
    let failed = |name, status| {
        OddPod::new(name, status, "0/1").phase("Failed").spec("restartPolicy", json!("Never"))
    };
    vec![
        OddPod::new("completed", "Completed", "0/1").phase("Succeeded").containers(vec![ended(
            "app",
            0,
            "Completed",
        )]),
        OddPod::new("succeeded-without-containers", "Succeeded", "0/1").phase("Succeeded"),
        failed("failed-without-containers", "Failed"),
        failed("error", "Error").containers(vec![ended("app", 1, "Error")]),
        failed("exit-code", "ExitCode:42").containers(vec![ended("app", 42, "")]),
        failed("signal", "Signal:9").containers(vec![killed("app", 9)]),
        failed("oom-killed", "OOMKilled").containers(vec![ended("app", 137, "OOMKilled")]),
        failed("evicted", "Evicted")
            .reason("Evicted")
            .field("message", json!("The node was low on resource: memory.")),
        failed("node-affinity", "NodeAffinity").reason("NodeAffinity"),
        failed("node-shutdown", "Terminated").reason("Terminated"),
        failed("admission-error", "UnexpectedAdmissionError").reason("UnexpectedAdmissionError"),
        failed("deadline-exceeded", "Error")
            .reason("DeadlineExceeded")
            .containers(vec![ended("app", 143, "Error")]),
        OddPod::new("phase-unknown", "Unknown", "0/1").phase("Unknown"),
    ]
}

fn leaving_pods() -> Vec<OddPod> {
    let pod = |name, status, ready| OddPod::new(name, status, ready).phase("Running");
    let ok = || vec![running("app", true)];
    vec![
        pod("terminating", "Terminating", "1/1").containers(ok()).and_ready().deleted(),
        OddPod::new("terminating-pending", "Terminating", "0/1").deleted(),
        pod("terminating-crash-loop", "Terminating", "0/1")
            .containers(vec![waiting("app", "CrashLoopBackOff")])
            .deleted(),
        OddPod::new("terminating-completed", "Completed", "0/1")
            .phase("Succeeded")
            .containers(vec![ended("app", 0, "Completed")])
            .deleted(),
        OddPod::new("terminating-failed", "Error", "0/1")
            .phase("Failed")
            .containers(vec![ended("app", 1, "Error")])
            .deleted(),
        pod("node-lost", "NodeLost", "1/1").containers(ok()).reason("NodeLost"),
        pod("node-lost-terminating", "Unknown", "1/1")
            .containers(ok())
            .reason("NodeLost")
            .deleted(),
    ]
}

fn detailed_pods() -> Vec<OddPod> {
    let pod = |name, status, ready| OddPod::new(name, status, ready).phase("Running");
    let gates = json!([{"conditionType": "lab.test/warm"}, {"conditionType": "lab.test/known"}, {"conditionType": "lab.test/unset"}]);
    vec![
        pod("readiness-gates", "Running", "1/1")
            .containers(vec![running("app", true)])
            .spec("readinessGates", gates)
            .condition("lab.test/warm", "True", "")
            .condition("lab.test/known", "False", ""),
        pod("restarted-long-ago", "Running", "1/1").containers(vec![restarted(running("app", true), 12, 12_000)]).and_ready(),
        pod("restarted-at-some-time", "Running", "1/1")
            .containers(vec![{
                let mut status = running("app", true);
                status["restartCount"] = json!(2);
                status
            }])
            .and_ready(),
        pod("restarts-add-up", "Running", "2/2")
            .containers(vec![restarted(running("one", true), 3, 4000), restarted(running("two", true), 2, 500)])
            .init(vec![restarted(ended("init", 0, "Completed"), 9, 9000)])
            .and_ready(),
        pod("sidecar-restarts-count", "Running", "2/2")
            .containers(vec![restarted(running("app", true), 1, 5000)])
            .init(vec![started(restarted(running("proxy", true), 6, 90), true), restarted(ended("init", 0, "Completed"), 9, 30)])
            .sidecar()
            .and_ready(),
        pod("two-addresses", "Running", "1/1")
            .containers(vec![running("app", true)])
            .field("podIP", json!("10.7.0.1"))
            .field("podIPs", json!([{"ip": "10.7.0.1"}, {"ip": "fd00::7:1"}])),
        pod("ipv6-only", "Running", "1/1")
            .containers(vec![running("app", true)])
            .field("podIP", json!("fd00::7:2"))
            .field("podIPs", json!([{"ip": "fd00::7:2"}])),
        OddPod::new("nominated", "Pending", "0/1").unbound().field("nominatedNodeName", json!("odd-cordoned")),
        pod("many-containers", "Running", "3/5").containers(
            (0..5).map(|i| running(["a", "b", "c", "d", "e"][i], i < 3)).collect(),
        ),
        pod("on-a-node-that-does-not-exist", "Running", "1/1")
            .containers(vec![running("app", true)])
            .spec("nodeName", json!("gone-node")),
        pod(
            "a-very-long-name.that-uses-most-of-what-the-api-server-allows-for-a-pod-which-is-a-dns-subdomain.\
             so-it-may-hold-dots-and-253-letters-in-all.screens-are-narrower-than-that",
            "Running",
            "1/1",
        )
        .containers(vec![running("app", true)])
        .and_ready(),
    ]
}

impl OddNode {
    /// A node as a cloud provider makes it: Ready, with one role and one address.
    fn new(name: &'static str, status: &'static str, roles: &'static str) -> OddNode {
        let room = json!({"cpu": "8", "memory": "32Gi", "pods": "110"});
        let mut labels = json!({"kubernetes.io/os": "linux"});
        for role in roles.split(',').filter(|r| !["<none>", "legacy"].contains(r)) {
            labels[format!("node-role.kubernetes.io/{role}")] = json!("");
        }
        let object = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": {},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "192.0.2.50"}, {"type": "Hostname", "address": name}],
                "allocatable": room, "capacity": room,
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
                "nodeInfo": {"architecture": "arm64", "bootID": "", "containerRuntimeVersion": "containerd://2.2.1",
                    "kernelVersion": "6.12.41", "kubeProxyVersion": "", "kubeletVersion": "v1.37.2", "machineID": "",
                    "operatingSystem": "linux", "osImage": "Ubuntu 26.04 LTS", "systemUUID": ""},
            },
        });
        OddNode { name, status, roles, object }
    }

    fn ready(mut self, status: &str) -> OddNode {
        self.object["status"]["conditions"][0]["status"] = json!(status);
        self
    }

    fn cordoned(mut self) -> OddNode {
        self.object["spec"]["unschedulable"] = json!(true);
        self
    }

    fn label(mut self, key: &str, value: &str) -> OddNode {
        self.object["metadata"]["labels"][key] = json!(value);
        self
    }

    fn field(mut self, field: &str, value: Value) -> OddNode {
        self.object["status"][field] = value;
        self
    }

    fn info(mut self, field: &str, value: &str) -> OddNode {
        self.object["status"]["nodeInfo"][field] = json!(value);
        self
    }
}

/// All odd nodes. The pods are on `odd-ready`.
pub fn nodes() -> Vec<OddNode> {
    let node = OddNode::new;
    let address = |kind: &str, address: &str| json!({"type": kind, "address": address});
    let pressure =
        json!([{"type": "DiskPressure", "status": "True"}, {"type": "Ready", "status": "True"}]);
    let other = json!([{"type": "MemoryPressure", "status": "False"}]);
    vec![
        node(NODE, "Ready", "worker"),
        node("odd-not-ready", "NotReady", "worker").ready("False"),
        node("odd-kubelet-silent", "NotReady", "worker").ready("Unknown"),
        node("odd-no-conditions", "Unknown", "<none>").field("conditions", json!([])),
        node("odd-other-conditions", "Unknown", "<none>").field("conditions", other),
        node("odd-pressure", "Ready", "worker").field("conditions", pressure),
        node("odd-cordoned", "Ready,SchedulingDisabled", "worker").cordoned(),
        node("odd-not-ready-cordoned", "NotReady,SchedulingDisabled", "worker")
            .ready("False")
            .cordoned(),
        node("odd-no-conditions-cordoned", "Unknown,SchedulingDisabled", "worker")
            .field("conditions", json!([]))
            .cordoned(),
        node("odd-many-roles", "Ready", "control-plane,etcd,worker"),
        node("odd-legacy-role", "Ready", "infra,legacy").label("kubernetes.io/role", "legacy"),
        node("odd-no-role", "Ready", "<none>"),
        node("odd-no-addresses", "Ready", "worker").field("addresses", json!([])),
        node("odd-external", "Ready", "worker").field(
            "addresses",
            json!([
                address("Hostname", "h"),
                address("ExternalIP", "198.51.100.7"),
                address("ExternalIP", "198.51.100.8"),
                address("InternalIP", "192.0.2.7"),
                address("InternalIP", "fd00::7")
            ]),
        ),
        node("odd-ipv6", "Ready", "worker")
            .field("addresses", json!([address("InternalIP", "fd00::42")])),
        node("odd-old", "Ready", "worker")
            .info("kubeletVersion", "v1.12.10-gke.17")
            .info("osImage", "Container-Optimized OS from Google")
            .info("kernelVersion", "4.14.138+")
            .info("containerRuntimeVersion", "docker://17.3.2"),
        node("odd-windows", "Ready", "<none>")
            .info("osImage", "Windows Server 2025 Datacenter")
            .info("kernelVersion", "10.0.26100.1742")
            .info("operatingSystem", "windows")
            .info("architecture", "amd64"),
        node("odd-no-allocatable", "Ready", "worker")
            .field("allocatable", json!({}))
            .field("capacity", json!({})),
        OddNode {
            object: json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "odd-bare"}}),
            ..node("odd-bare", "Unknown", "<none>")
        },
        node(
            "odd-node-with-a-long-name.availability-zone-c.eu-central-1.compute.internal.example.com",
            "Ready",
            "worker",
        ),
    ]
}
