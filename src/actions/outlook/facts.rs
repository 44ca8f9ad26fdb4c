//! What a drain looks at, read from the objects of the API.

use crate::actions::change::text;
use crate::actions::landing::{Labels, Selector};
use serde_json::Value;

/// A pod on a node that is to be drained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodFacts {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The server's uid.
    pub uid: String,
    /// The node it runs on.
    pub node: String,
    /// Labels.
    pub labels: Labels,
    /// `status.phase`.
    pub phase: String,
    /// Its Ready condition is true.
    pub ready: bool,
    /// It is on its way out.
    pub deleting: bool,
    /// Finalizers that hold it.
    pub finalizers: Vec<String>,
    /// Its controller, as (kind, name, uid).
    pub owner: Option<(String, String, String)>,
    /// Run by the kubelet from a file: annotation `kubernetes.io/config.mirror`.
    pub mirror: bool,
    /// emptyDir volumes, by name and size limit.
    pub empty_dirs: Vec<(String, String)>,
    /// hostPath volumes, by path.
    pub host_paths: Vec<String>,
    /// Seconds it is given to end, `terminationGracePeriodSeconds`; 30 if it does not say.
    pub grace: i64,
    /// Annotations by which others ask not to be disturbed.
    pub keep: Vec<String>,
    /// It tolerates `node.kubernetes.io/unschedulable`: it may come back to a cordoned node.
    pub comes_back: bool,
}

impl PodFacts {
    /// Reads a pod.
    pub fn of(pod: &Value) -> PodFacts {
        let list =
            |at: &str| pod.pointer(at).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let volumes = list("/spec/volumes");
        let named =
            |v: &Value| (text(v, "/name").to_owned(), text(v, "/emptyDir/sizeLimit").to_owned());
        let owner = list("/metadata/ownerReferences").iter().find(|o| o["controller"] == true);
        let part = |o: &Value, at: &str| text(o, at).to_owned();
        let is_ready = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
        PodFacts {
            namespace: part(pod, "/metadata/namespace"),
            name: part(pod, "/metadata/name"),
            uid: part(pod, "/metadata/uid"),
            node: part(pod, "/spec/nodeName"),
            labels: labels(&pod["metadata"]["labels"]),
            phase: part(pod, "/status/phase"),
            ready: list("/status/conditions").iter().any(is_ready),
            deleting: pod["metadata"]["deletionTimestamp"].is_string(),
            finalizers: list("/metadata/finalizers")
                .iter()
                .filter_map(Value::as_str)
                .map(String::from)
                .collect(),
            owner: owner.map(|o| (part(o, "/kind"), part(o, "/name"), part(o, "/uid"))),
            mirror: !text(pod, "/metadata/annotations/kubernetes.io~1config.mirror").is_empty(),
            empty_dirs: volumes.iter().filter(|v| v["emptyDir"].is_object()).map(named).collect(),
            host_paths: volumes
                .iter()
                .filter_map(|v| v["hostPath"]["path"].as_str())
                .map(String::from)
                .collect(),
            grace: pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30),
            keep: keep(&pod["metadata"]["annotations"]),
            comes_back: list("/spec/tolerations").iter().any(tolerates_cordon),
        }
    }

    /// `namespace/name`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Whether it ended: it holds nothing and is in no budget.
    pub fn finished(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }
}

fn labels(map: &Value) -> Labels {
    let pairs = map.as_object().into_iter().flatten();
    pairs.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect()
}

/// What node autoscalers read before they disturb a pod (semantics.md A1, A9).
fn keep(annotations: &Value) -> Vec<String> {
    let marks = [
        ("karpenter.sh/do-not-disrupt", "true"),
        ("cluster-autoscaler.kubernetes.io/safe-to-evict", "false"),
    ];
    let set = marks.iter().filter(|(key, value)| annotations[*key] == *value);
    set.map(|(key, value)| format!("{key}={value}")).collect()
}

fn tolerates_cordon(toleration: &Value) -> bool {
    let key = text(toleration, "/key");
    let effect = text(toleration, "/effect");
    let exists = text(toleration, "/operator") == "Exists";
    let about = (key.is_empty() && exists) || key == "node.kubernetes.io/unschedulable";
    about && matches!(effect, "" | "NoSchedule")
}

/// A PodDisruptionBudget.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The pods it is about.
    pub selector: Selector,
    /// Evictions it allows now; none if its status is not of its present spec.
    pub allowed: Option<i64>,
    /// Healthy pods, and how many there have to be.
    pub healthy: (i64, i64),
    /// Pods it expects.
    pub expected: i64,
    /// `maxUnavailable: 0`, `minAvailable: 3`: as its spec says it.
    pub says: String,
    /// Why its status cannot be worked out (`DisruptionAllowed=False`, reason SyncFailed).
    pub failed: String,
    /// `unhealthyPodEvictionPolicy: AlwaysAllow`.
    pub lets_unready_go: bool,
}

impl Budget {
    /// Reads a budget.
    pub fn of(budget: &Value) -> Budget {
        let (meta, spec, status) = (&budget["metadata"], &budget["spec"], &budget["status"]);
        let number = |at: &str| status[at].as_i64().unwrap_or(0);
        // A status of an earlier spec says nothing: the server refuses evictions until it is worked out again.
        let current = number("observedGeneration") >= meta["generation"].as_i64().unwrap_or(0);
        let conditions = status["conditions"].as_array().map_or(&[][..], Vec::as_slice);
        let failed = conditions
            .iter()
            .find(|c| c["type"] == "DisruptionAllowed" && c["reason"] == "SyncFailed");
        let says = ["minAvailable", "maxUnavailable"].iter().find_map(|field| {
            let value = &spec[*field];
            let value =
                value.as_str().map(String::from).or_else(|| value.as_i64().map(|n| n.to_string()));
            value.map(|value| format!("{field}: {value}"))
        });
        Budget {
            namespace: text(meta, "/namespace").to_owned(),
            name: text(meta, "/name").to_owned(),
            selector: Selector::of(&spec["selector"]),
            allowed: current.then(|| number("disruptionsAllowed")),
            healthy: (number("currentHealthy"), number("desiredHealthy")),
            expected: number("expectedPods"),
            says: says.unwrap_or_default(),
            failed: failed.map(|c| text(c, "/message").to_owned()).unwrap_or_default(),
            lets_unready_go: spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow",
        }
    }

    /// Whether it is about a pod.
    pub fn covers(&self, pod: &PodFacts) -> bool {
        self.namespace == pod.namespace && self.selector.matches(&pod.labels)
    }

    /// `namespace/name`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}
