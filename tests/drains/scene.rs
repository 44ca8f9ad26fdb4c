//! One control plane with an audit log; each test has nodes, a namespace and a home of its own in it.

use crate::controlplane::{ControlPlane, Options, fresh, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Longest wait for anything that must happen.
pub const SOON: Duration = Duration::from_secs(90);

const POLICY: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n\
    - level: Request\n  verbs: [create]\n  resources: [{group: '', resources: [pods/eviction]}]\n- level: None\n";

pub struct Lab {
    pub plane: ControlPlane,
    audit: PathBuf,
}

/// The control plane of this process.
fn lab() -> Option<&'static Lab> {
    static LAB: OnceLock<Option<Lab>> = OnceLock::new();
    LAB.get_or_init(Lab::start).as_ref()
}

impl Lab {
    fn start() -> Option<Lab> {
        let folder = tempfile::tempdir().expect("a folder").keep();
        let (policy, audit) = (folder.join("policy.yaml"), folder.join("audit.log"));
        std::fs::write(&policy, POLICY).expect("a file");
        let options = Options::full()
            .api_flag(&format!("--audit-policy-file={}", policy.display()))
            .api_flag(&format!("--audit-log-path={}", audit.display()));
        let plane = fresh(options)?;
        plane.wait_for_default_service_account();
        Some(Lab { plane, audit })
    }
}

/// A test's part of it.
pub struct Scene {
    pub lab: &'static Lab,
    pub name: &'static str,
    pub home: tempfile::TempDir,
    pub nodes: Vec<String>,
}

impl Scene {
    /// So many nodes that take only this test's pods.
    pub fn open(name: &'static str, nodes: usize) -> Option<Scene> {
        Scene::within(lab()?, name, nodes)
    }

    /// The same on a control plane that no other test uses; it lasts as long as the process.
    pub fn alone(name: &'static str, nodes: usize) -> Option<Scene> {
        Scene::within(Box::leak(Box::new(Lab::start()?)), name, nodes)
    }

    fn within(lab: &'static Lab, name: &'static str, nodes: usize) -> Option<Scene> {
        lab.plane.api_create("/api/v1/namespaces", &json!({"metadata": {"name": name}}));
        let account = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
        let made = || lab.plane.request("GET", &account, "", b"").is_ok_and(|r| r.status == 200);
        wait_until("the service account", SOON, made);
        let home = tempfile::tempdir().expect("a folder");
        let mut scene = Scene { lab, name, home, nodes: vec![] };
        for n in 0..nodes {
            scene.add_node(n);
        }
        // The taint of a node that is new goes a moment after it is ready.
        let open = |n: &Value| n["spec"]["taints"].as_array().is_some_and(|t| t.len() == 1);
        let ready = || {
            let mut nodes = scene.nodes.iter().map(|n| scene.node(n));
            nodes.all(|n| is_ready(&n) && open(&n))
        };
        wait_until("nodes that are ready", SOON, ready);
        Some(scene)
    }

    pub fn add_node(&mut self, n: usize) {
        let name = format!("{}-{n}", self.name);
        let room = json!({"cpu": "64", "memory": "256Gi", "pods": "110"});
        let node = json!({
            "metadata": {
                "name": name, "labels": {"scene": self.name, "kubernetes.io/hostname": name},
                "annotations": {"kwok.x-k8s.io/node": "fake"},
            },
            "spec": {"taints": [{"key": "scene", "value": self.name, "effect": "NoSchedule"}]},
            "status": {"allocatable": room, "capacity": room},
        });
        self.lab.plane.api_create("/api/v1/nodes", &node);
        self.nodes.push(name);
    }

    pub fn node(&self, name: &str) -> Value {
        self.lab.plane.api_get(&format!("/api/v1/nodes/{name}"))
    }

    /// A path below the namespace of the test.
    fn path(&self, root: &str, rest: &str) -> String {
        format!("{root}/namespaces/{}/{rest}", self.name)
    }

    /// What a pod of the test needs; it ends a second after it was told to.
    fn pod_spec(&self, spread: bool) -> Value {
        let mut spec = json!({
            "containers": [{"name": "app", "image": "registry.test/app:1"}],
            "nodeSelector": {"scene": self.name},
            "tolerations": [{"key": "scene", "operator": "Exists"}],
            "automountServiceAccountToken": false,
        });
        if spread {
            spec["topologySpreadConstraints"] = json!([{
                "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
                // A cordoned node is no place to count.
                "nodeTaintsPolicy": "Honor",
                "labelSelector": {"matchLabels": {"scene": self.name}},
            }]);
        }
        spec
    }

    /// A Deployment whose pods are ready.
    pub fn deployment(&self, app: &str, replicas: usize, change: impl FnOnce(&mut Value)) {
        let labels = json!({"app": app, "scene": self.name});
        let mut template = json!({
            "metadata": {"labels": labels, "annotations": {"lab/stop-after": "1s"}},
            "spec": self.pod_spec(true),
        });
        change(&mut template);
        let object = json!({
            "metadata": {"name": app},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": app}}, "template": template,
            },
        });
        self.lab.plane.api_create(&self.path("/apis/apps/v1", "deployments"), &object);
        self.wait_ready(app, replicas);
    }

    pub fn wait_ready(&self, app: &str, replicas: usize) {
        let path = self.path("/apis/apps/v1", &format!("deployments/{app}"));
        let ready = || self.lab.plane.api_get(&path)["status"]["readyReplicas"] == replicas;
        wait_until(app, SOON, ready);
    }

    /// A bare pod on a node.
    pub fn pod(&self, name: &str, node: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut spec = self.pod_spec(false);
        spec["nodeName"] = json!(node);
        let mut pod = json!({
            "metadata": {
                "name": name, "labels": {"app": name, "scene": self.name},
                "annotations": {"lab/stop-after": "1s"},
            },
            "spec": spec,
        });
        change(&mut pod);
        let made = self.lab.plane.api_create(&self.path("/api/v1", "pods"), &pod);
        let path = self.path("/api/v1", &format!("pods/{name}"));
        let runs = || self.lab.plane.api_get(&path)["status"]["phase"] == "Running";
        wait_until(name, SOON, runs);
        made
    }

    pub fn budget(&self, app: &str, max_unavailable: u32) {
        self.budget_named(app, app, max_unavailable);
    }

    pub fn budget_named(&self, name: &str, app: &str, max_unavailable: u32) {
        let object = json!({
            "metadata": {"name": name},
            "spec": {"maxUnavailable": max_unavailable, "selector": {"matchLabels": {"app": app}}},
        });
        let all = self.path("/apis/policy/v1", "poddisruptionbudgets");
        self.lab.plane.api_create(&all, &object);
        let path = format!("{all}/{name}");
        let known = || {
            let budget = self.lab.plane.api_get(&path);
            budget["status"]["observedGeneration"] == budget["metadata"]["generation"]
                && budget["status"]["expectedPods"] != 0
        };
        wait_until(name, SOON, known);
    }

    pub fn patch(&self, root: &str, rest: &str, patch: &Value) {
        self.lab.plane.api_patch(&self.path(root, rest), patch);
    }

    pub fn delete(&self, root: &str, rest: &str) {
        self.lab.plane.api_delete(&self.path(root, rest), &Value::Null);
    }

    /// The test's pods.
    pub fn pods(&self) -> Vec<Value> {
        let mut list = self.lab.plane.api_get(&self.path("/api/v1", "pods"));
        list["items"].take().as_array().cloned().unwrap_or_default()
    }

    pub fn pods_on(&self, node: &str) -> Vec<Value> {
        self.pods().into_iter().filter(|p| p["spec"]["nodeName"] == node).collect()
    }

    /// Posts of evictions in this namespace by the server's audit log: by uid, how often each status was answered.
    pub fn evictions(&self) -> BTreeMap<String, BTreeMap<u64, usize>> {
        let text = std::fs::read_to_string(&self.lab.audit).expect("the audit log");
        let mut found: BTreeMap<String, BTreeMap<u64, usize>> = BTreeMap::new();
        // Others write there too, and much.
        let mark = format!("\"namespace\":\"{}\"", self.name);
        for line in text.lines().filter(|line| line.contains(&mark)) {
            let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
            let only_tried = event["requestURI"].as_str().is_some_and(|uri| uri.contains("dryRun"));
            if event["objectRef"]["namespace"] != self.name || only_tried {
                continue;
            }
            let options = &event["requestObject"]["deleteOptions"];
            // What is forbidden is answered before its body is read.
            let name = event["objectRef"]["name"].as_str();
            let uid = options["preconditions"]["uid"].as_str().or(name).expect("a pod").to_owned();
            let code = event["responseStatus"]["code"].as_u64().unwrap_or(0);
            *found.entry(uid).or_default().entry(code).or_default() += 1;
        }
        found
    }

    /// No pod's eviction was accepted twice.
    pub fn once(&self) {
        for (uid, answers) in self.evictions() {
            assert!(answers.get(&201).is_none_or(|n| *n == 1), "{uid}: {answers:?}");
        }
    }

    fn command(&self, kubeconfig: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
        command.args(args).arg("--kubeconfig").arg(kubeconfig).env("HOME", self.home.path());
        for name in ["KUBECONFIG", "XDG_STATE_HOME", "WHEELHOUSE_PROTECT"] {
            command.env_remove(name);
        }
        command
    }

    /// Begins a drain that tells what happens as JSON.
    pub fn drain(&self, args: &[&str]) -> Drain {
        let config = self.lab.plane.kubeconfig(crate::controlplane::User::Admin);
        self.drain_as(&config, args)
    }

    pub fn drain_as(&self, kubeconfig: &Path, args: &[&str]) -> Drain {
        // Tests share the cluster: a node that dies in one is no reason to stop in the others.
        let mut all = vec!["drain", "-o", "json", "--on-pause", "go-on"];
        all.extend(args);
        let mut command = self.command(kubeconfig, &all);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Drain::begin(command.spawn().expect("the binary runs"))
    }

    /// The newest run of the journal.
    pub fn journal(&self) -> Option<PathBuf> {
        let folder = self.home.path().join(".local/state/wheelhouse/journal");
        let files = std::fs::read_dir(folder).ok()?;
        files
            .filter_map(|f| Some(f.ok()?.path()))
            .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
            .max()
    }
}

pub fn is_ready(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// A drain that runs.
pub struct Drain {
    child: Child,
    lines: Receiver<Value>,
    seen: Vec<Value>,
    errors: &'static Mutex<String>,
}

impl Drain {
    fn begin(mut child: Child) -> Drain {
        let (tell, lines) = channel();
        let out = child.stdout.take().expect("a pipe");
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str(&line) {
                    let _ = tell.send(value);
                }
            }
        });
        let errors: &'static Mutex<String> = Box::leak(Box::default());
        let mut err = child.stderr.take().expect("a pipe");
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = std::io::Read::read_to_string(&mut err, &mut text);
            *errors.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += &text;
        });
        Drain { child, lines, seen: vec![], errors }
    }

    /// Waits for a line.
    pub fn until(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        if let Some(line) = self.seen.iter().find(|line| is(line)) {
            return line.clone();
        }
        let limit = Instant::now() + SOON;
        loop {
            let left = limit.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if is(&line) {
                        return line;
                    }
                }
                Err(_) => panic!("no {what} in {:#?}\n{}", self.seen, self.errors.lock().unwrap()),
            }
        }
    }

    /// Waits for a pod that is blocked with this verdict.
    pub fn blocked(&mut self, verdict: &str) -> Value {
        self.until(verdict, |line| line["verdict"] == verdict)
    }

    /// Waits for its end: exit code, all lines, standard error.
    pub fn end(mut self) -> (i32, Vec<Value>, String) {
        let mut status: Option<ExitStatus> = None;
        wait_until("the end of the drain", SOON, || {
            status = self.child.try_wait().expect("it can be waited for");
            status.is_some()
        });
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(2)) {
            self.seen.push(line);
        }
        let errors = self.errors.lock().unwrap().clone();
        (status.and_then(|s| s.code()).unwrap_or(-1), std::mem::take(&mut self.seen), errors)
    }

    /// Waits for its end, which must be that all is done.
    pub fn drained(self) -> Vec<Value> {
        let (code, lines, errors) = self.end();
        assert_eq!(code, 0, "{lines:#?}\n{errors}");
        lines
    }

    /// Whether it ended by itself.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.kill();
    }
}
