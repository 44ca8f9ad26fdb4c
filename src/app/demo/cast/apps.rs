//! Who works in the demo cluster: one line per workload, and how its pods behave.

use serde_json::{Value, json};

/// How the pods of a workload look and behave: flags, to be combined.
pub mod play {
    /// Prepares itself in an init container.
    pub const INIT: u32 = 1;
    /// Has a helper container beside the main one.
    pub const SIDECAR: u32 = 1 << 1;
    /// Reads a ConfigMap and a Secret.
    pub const CONFIG: u32 = 1 << 2;
    /// Has an emptyDir.
    pub const SCRATCH: u32 = 1 << 3;
    /// Has a volume of its own (StatefulSets only).
    pub const DISK: u32 = 1 << 4;
    /// Wants a GPU.
    pub const GPU: u32 = 1 << 5;
    /// Wants more than any node has.
    pub const HUGE: u32 = 1 << 6;
    /// Exits with an error soon after every start.
    pub const CRASH: u32 = 1 << 7;
    /// One pod in three runs out of memory from time to time.
    pub const OOM: u32 = 1 << 8;
    /// Its image does not exist.
    pub const BAD_IMAGE: u32 = 1 << 9;
    /// Takes long to become ready.
    pub const SLOW: u32 = 1 << 10;
    /// Runs everywhere, whatever the taints.
    pub const EVERYWHERE: u32 = 1 << 11;
    /// Requests what it limits: Guaranteed.
    pub const EXACT: u32 = 1 << 12;
    /// Requests nothing: BestEffort.
    pub const MODEST: u32 = 1 << 13;
    /// Runs to completion.
    pub const JOB: u32 = 1 << 14;
    /// Its init container never succeeds.
    pub const STUCK_INIT: u32 = 1 << 15;
    /// Uses the node's network and a path of the node.
    pub const HOST: u32 = 1 << 16;
}
use play::*;

/// What runs the pods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum By {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    Set,
    /// A DaemonSet.
    Daemon,
}

/// One workload.
#[derive(Clone, Copy, Debug)]
pub struct App {
    /// Namespace.
    pub namespace: &'static str,
    /// Name of the workload and of its main container.
    pub name: &'static str,
    /// What runs it.
    pub by: By,
    /// Pods wanted; DaemonSets decide for themselves.
    pub replicas: u32,
    /// Image tag.
    pub tag: &'static str,
    /// CPU request.
    pub cpu: &'static str,
    /// Memory request; the limit is twice as much.
    pub memory: &'static str,
    /// Flags of [`play`].
    pub play: u32,
}

macro_rules! apps {
    ($($ns:literal $name:literal $by:ident $replicas:literal $tag:literal $cpu:literal $memory:literal $play:expr;)+) => {
        /// Every workload.
        pub static APPS: &[App] = &[$(App {
            namespace: $ns, name: $name, by: By::$by, replicas: $replicas, tag: $tag, cpu: $cpu, memory: $memory,
            play: $play,
        }),+];
    };
}

apps! {
    "shop" "web" Deployment 18 "4.18.2" "250m" "256Mi" CONFIG;
    "shop" "cart" Deployment 6 "2.9.0" "200m" "256Mi" 0;
    "shop" "checkout" Deployment 8 "3.1.4" "400m" "512Mi" CONFIG | SIDECAR;
    "shop" "catalog" Deployment 9 "5.0.1" "300m" "512Mi" INIT;
    "shop" "images" Deployment 4 "1.7.3" "500m" "1Gi" SCRATCH;
    "shop" "recommender" Deployment 5 "0.44.0" "600m" "1536Mi" SLOW;
    "shop" "reviews" Deployment 4 "1.2.8" "100m" "128Mi" MODEST;
    "shop" "banner" Deployment 2 "0.3.0" "50m" "64Mi" CRASH;
    "payments" "gateway" Deployment 6 "7.2.0" "500m" "512Mi" CONFIG | SIDECAR;
    "payments" "ledger" Deployment 5 "6.6.1" "800m" "1Gi" EXACT;
    "payments" "fraud-scorer" Deployment 6 "2.0.9" "700m" "768Mi" OOM;
    "payments" "webhooks" Deployment 3 "1.11.0" "100m" "128Mi" 0;
    "payments" "settlement" Deployment 2 "3.4.0" "250m" "512Mi" CONFIG;
    "payments" "vault-proxy" Deployment 3 "1.0.6" "100m" "96Mi" EXACT;
    "search" "query" Deployment 14 "9.3.1" "600m" "1Gi" SIDECAR;
    "search" "suggest" Deployment 4 "2.2.2" "200m" "384Mi" 0;
    "search" "indexer" Deployment 6 "9.3.1" "900m" "2Gi" SCRATCH | INIT;
    "search" "shard" Set 9 "9.3.0" "1" "4Gi" DISK | SLOW;
    "ops" "dash" Deployment 2 "11.0.0" "200m" "256Mi" CONFIG;
    "ops" "collector" Deployment 3 "2.50.1" "500m" "2Gi" SCRATCH;
    "ops" "alert-router" Deployment 2 "0.27.0" "50m" "64Mi" 0;
    "ops" "trace-store" Set 3 "2.4.0" "500m" "2Gi" DISK;
    "ops" "runbook" Deployment 1 "0.9.2" "50m" "64Mi" 0;
    "ops" "foundry-operator" Deployment 0 "1.4.0" "100m" "128Mi" 0;
    "ops" "log-shipper" Daemon 0 "3.1.0" "100m" "192Mi" HOST;
    "ci" "runner" Deployment 14 "2.319.0" "1" "2Gi" SCRATCH;
    "ci" "artifacts" Set 2 "1.6.0" "250m" "512Mi" DISK;
    "ci" "build-cache" Deployment 3 "0.8.1" "300m" "1Gi" SCRATCH;
    "ci" "preview" Deployment 2 "main-8f3c2d" "100m" "128Mi" BAD_IMAGE;
    "media" "transcode" Deployment 3 "4.4.0" "2" "8Gi" GPU;
    "media" "thumbnails" Deployment 10 "1.15.0" "300m" "384Mi" SCRATCH;
    "media" "ingest" Deployment 4 "2.7.7" "200m" "256Mi" INIT;
    "media" "captions" Deployment 1 "0.5.0" "200m" "512Mi" INIT | STUCK_INIT;
    "data" "broker" Set 5 "3.9.0" "1" "4Gi" DISK | EXACT;
    "data" "queue" Set 3 "4.1.3" "500m" "1Gi" DISK;
    "data" "sync" Deployment 4 "1.3.0" "150m" "192Mi" 0;
    "data" "warehouse-loader" Deployment 3 "8.0.0" "400m" "3Gi" 0;
    "data" "backfill" Deployment 1 "8.0.0" "48" "512Gi" HUGE;
    "edge" "ingress" Deployment 6 "1.13.0" "400m" "384Mi" CONFIG;
    "edge" "rate-limiter" Deployment 4 "0.21.0" "100m" "128Mi" 0;
    "auth" "login" Deployment 5 "12.4.0" "250m" "256Mi" CONFIG;
    "auth" "tokens" Deployment 4 "12.4.0" "200m" "192Mi" EXACT;
    "auth" "directory" Deployment 2 "1.1.0" "300m" "1Gi" 0;
    "ml" "features" Deployment 4 "0.12.0" "500m" "2Gi" SCRATCH;
    "ml" "model-server" Deployment 3 "2.41.0" "1500m" "6Gi" SLOW;
    "ml" "notebook" Deployment 2 "4.0.2" "200m" "1Gi" MODEST;
    "kube-system" "cluster-dns" Deployment 3 "1.12.1" "100m" "70Mi" 0;
    "kube-system" "volume-controller" Deployment 2 "5.2.0" "50m" "128Mi" SIDECAR;
    "kube-system" "kube-proxy" Daemon 0 "1.36.2" "50m" "64Mi" EVERYWHERE | HOST;
    "kube-system" "network-agent" Daemon 0 "1.18.0" "100m" "256Mi" EVERYWHERE | HOST | INIT;
    "kube-system" "volume-node" Daemon 0 "5.2.0" "30m" "96Mi" EVERYWHERE | SIDECAR;
}

/// Namespaces that work; more exist.
pub const NAMESPACES: [&str; 12] = [
    "default",
    "kube-system",
    "shop",
    "payments",
    "search",
    "ops",
    "ci",
    "media",
    "data",
    "edge",
    "auth",
    "ml",
];

/// The flags of a pod, by the namespace and label it has; pods of strangers behave well.
pub fn play_of(namespace: &str, app: &str) -> u32 {
    if namespace == "ops" && app.starts_with("report") || namespace == "data" && app == "compact" {
        return JOB;
    }
    APPS.iter().find(|a| a.namespace == namespace && a.name == app).map_or(0, |a| a.play)
}

/// The label that names the workload of a pod.
pub const APP_LABEL: &str = "app.kubernetes.io/name";

impl App {
    /// The selector of the workload and the labels every pod of it has.
    pub fn selector(&self) -> Value {
        json!({APP_LABEL: self.name, "app.kubernetes.io/part-of": self.namespace})
    }

    /// The pod template.
    pub fn template(&self) -> Value {
        let mut labels = self.selector();
        if matches!(self.name, "checkout" | "catalog" | "gateway" | "ledger") {
            labels["tier"] = json!("critical");
        }
        let mut spec = json!({
            "serviceAccountName": self.name, "terminationGracePeriodSeconds": self.grace(),
            "containers": [self.container()],
        });
        self.add_volumes(&mut spec);
        self.add_helpers(&mut spec);
        self.place(&mut spec);
        json!({"metadata": {"labels": labels}, "spec": spec})
    }

    fn has(&self, flag: u32) -> bool {
        self.play & flag != 0
    }

    fn grace(&self) -> u32 {
        match self.by {
            By::Set => 60,
            By::Daemon => 10,
            By::Deployment => 20,
        }
    }

    fn resources(&self) -> Value {
        if self.has(MODEST) {
            return json!({});
        }
        let mut requests = json!({"cpu": self.cpu, "memory": self.memory});
        let number: u64 = self.memory.trim_end_matches(char::is_alphabetic).parse().unwrap_or(1);
        let unit = self.memory.trim_start_matches(|c: char| c.is_ascii_digit());
        let mut limits = json!({"memory": format!("{}{unit}", number * 2)});
        if self.has(EXACT) {
            limits = requests.clone();
        }
        if self.has(GPU) {
            limits["example.com/gpu"] = json!("1");
            requests["example.com/gpu"] = json!("1");
        }
        json!({"requests": requests, "limits": limits})
    }

    fn container(&self) -> Value {
        let probe = |path: &str, delay: u32| {
            json!({"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}, "initialDelaySeconds": delay,
                "periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3})
        };
        let mut main = json!({
            "name": self.name, "image": image(self.namespace, self.name, self.tag), "imagePullPolicy": "IfNotPresent",
            "args": ["--listen=:8080", format!("--zone=$(ZONE)")],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "env": [
                {"name": "ZONE", "value": "demo-1"},
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
            ],
            "resources": self.resources(),
            "livenessProbe": probe("/live", 15), "readinessProbe": probe("/ready", 3),
            "securityContext": {"allowPrivilegeEscalation": false, "runAsNonRoot": true},
        });
        if self.has(CONFIG) {
            main["envFrom"] =
                json!([{"secretRef": {"name": format!("{}-credentials", self.name)}}]);
        }
        main
    }

    fn add_volumes(&self, spec: &mut Value) {
        let mut mount = |name: &str, path: &str, source: Value| {
            let mut volume = source;
            if !volume.is_null() {
                volume["name"] = json!(name);
                push(spec, "volumes", volume);
            }
            push(
                &mut spec["containers"][0],
                "volumeMounts",
                json!({"name": name, "mountPath": path}),
            );
        };
        if self.has(CONFIG) {
            let config =
                json!({"configMap": {"name": format!("{}-config", self.name), "defaultMode": 420}});
            mount("config", "/etc/app", config);
        }
        if self.has(SCRATCH) {
            mount("scratch", "/scratch", json!({"emptyDir": {"sizeLimit": "4Gi"}}));
        }
        if self.has(HOST) {
            mount("node-log", "/var/log", json!({"hostPath": {"path": "/var/log", "type": ""}}));
        }
        if self.has(DISK) {
            mount("data", "/data", Value::Null);
        }
    }

    fn add_helpers(&self, spec: &mut Value) {
        let helper = |name: &str, tag: &str| {
            json!({"name": name, "image": image("platform", name, tag), "imagePullPolicy": "IfNotPresent",
                "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}})
        };
        if self.has(SIDECAR) {
            push(spec, "containers", helper("mesh-proxy", "1.29.0"));
        }
        if self.has(INIT) {
            push(spec, "initContainers", helper("prepare", "2.0.3"));
            push(spec, "initContainers", helper("wait-for-schema", "0.4.0"));
        }
    }

    fn place(&self, spec: &mut Value) {
        if self.has(EVERYWHERE) {
            spec["tolerations"] = json!([{"operator": "Exists"}]);
            spec["priorityClassName"] = json!("system-node-critical");
            spec["priority"] = json!(2_000_001_000);
        }
        if self.has(HOST) {
            spec["hostNetwork"] = json!(true);
        }
        if self.has(GPU) {
            spec["nodeSelector"] = json!({"demo.example/accelerator": "gpu"});
            spec["tolerations"] =
                json!([{"key": "demo.example/gpu", "operator": "Exists", "effect": "NoSchedule"}]);
        }
    }
}

/// An image of the demo's registry, which does not exist.
pub fn image(namespace: &str, name: &str, tag: &str) -> String {
    format!("registry.demo.example/{namespace}/{name}:{tag}")
}

fn push(object: &mut Value, key: &str, item: Value) {
    match object[key].as_array_mut() {
        Some(list) => list.push(item),
        None => object[key] = json!([item]),
    }
}
