//! What a drain reads from pods and nodes, as the API serves them.

use crate::state::time::parse_rfc3339;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Milliseconds since 1970 by the server's clock, never going back: the caller adds a monotonic clock to the `Date`
/// header it saw first, so that deletion timestamps and timers are told by the same clock.
pub type Tick = u64;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// `spec.terminationGracePeriodSeconds` of a pod that does not say (pkg/apis/core/v1/defaults.go).
const GRACE: i64 = 30;

/// The controller among the owners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// `ReplicaSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `apps/v1`.
    pub api_version: String,
    /// Its uid.
    pub uid: String,
}

/// An emptyDir volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptyDir {
    /// The volume's name.
    pub name: String,
    /// `sizeLimit` as written; empty if none.
    pub size_limit: String,
    /// `Memory`; empty for the node's disk.
    pub medium: String,
}

/// A deletion that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// `deletionTimestamp`: when its grace ends, not when it was asked for (semantics A5).
    pub at: Tick,
    /// `deletionGracePeriodSeconds`.
    pub grace: i64,
}

/// What a drain knows of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodFacts {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The server's uid: what every request names it by.
    pub uid: String,
    /// `spec.nodeName`.
    pub node: String,
    /// `status.phase`.
    pub phase: String,
    /// Its Ready condition is `True`.
    pub ready: bool,
    /// Set once a deletion was accepted.
    pub deletion: Option<Deletion>,
    /// `metadata.finalizers`.
    pub finalizers: Vec<String>,
    /// The owner with `controller: true`.
    pub owner: Option<Owner>,
    /// `kubernetes.io/config.mirror`: the kubelet runs it from a file.
    pub mirror: bool,
    /// emptyDir volumes.
    pub empty_dirs: Vec<EmptyDir>,
    /// Paths of hostPath volumes.
    pub host_paths: Vec<String>,
    /// Names of its claims, ephemeral ones (`POD-VOLUME`) among them.
    pub claims: Vec<String>,
    /// Labels: budgets select by them.
    pub labels: Labels,
    /// `terminationGracePeriodSeconds`.
    pub grace: i64,
    /// `priorityClassName`.
    pub priority_class: String,
    /// Annotations by which it asks not to be disturbed, `karpenter.sh/do-not-disrupt=true`.
    pub keep: Vec<String>,
    /// It tolerates `node.kubernetes.io/unschedulable:NoSchedule`: it may come back to a cordoned node.
    pub tolerates_cordon: bool,
    /// `creationTimestamp`.
    #[serde(default)]
    pub created: Tick,
}

impl PodFacts {
    /// Reads a pod. What is missing reads as empty; nothing fails.
    pub fn read(pod: &Value) -> PodFacts {
        let (meta, spec) = (&pod["metadata"], &pod["spec"]);
        let volumes = items(&spec["volumes"]);
        let name = text(&meta["name"]);
        PodFacts {
            namespace: text(&meta["namespace"]),
            uid: text(&meta["uid"]),
            node: text(&spec["nodeName"]),
            phase: text(&pod["status"]["phase"]),
            ready: condition(pod, "Ready").is_some_and(|c| c["status"] == "True"),
            deletion: deletion(meta),
            finalizers: texts(&meta["finalizers"]),
            owner: items(&meta["ownerReferences"])
                .iter()
                .find(|o| o["controller"] == true)
                .map(owner),
            mirror: meta["annotations"]["kubernetes.io/config.mirror"].is_string(),
            empty_dirs: volumes
                .iter()
                .filter(|v| !v["emptyDir"].is_null())
                .map(empty_dir)
                .collect(),
            host_paths: volumes
                .iter()
                .filter_map(|v| v["hostPath"]["path"].as_str())
                .map(str::to_owned)
                .collect(),
            claims: volumes.iter().filter_map(|v| claim(&name, v)).collect(),
            labels: labels(&meta["labels"]),
            grace: spec["terminationGracePeriodSeconds"].as_i64().unwrap_or(GRACE),
            priority_class: text(&spec["priorityClassName"]),
            keep: keep(&meta["annotations"]),
            tolerates_cordon: items(&spec["tolerations"]).iter().any(tolerates_cordon),
            created: meta["creationTimestamp"].as_str().map_or(0, tick),
            name,
        }
    }

    /// `namespace/name`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Succeeded or Failed: its containers ended for good.
    pub fn finished(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }

    /// Evicted without asking a budget (`canIgnorePDB`, pkg/registry/core/pod/storage/eviction.go).
    pub fn ignores_budgets(&self) -> bool {
        self.finished() || self.phase == "Pending" || self.deletion.is_some()
    }

    /// `system-cluster-critical` or `system-node-critical`: goes after the node's other pods, as Karpenter does it.
    pub fn critical(&self) -> bool {
        matches!(self.priority_class.as_str(), "system-cluster-critical" | "system-node-critical")
    }
}

/// A taint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taint {
    /// Key.
    pub key: String,
    /// Value, may be empty.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule`, `NoExecute`.
    pub effect: String,
}

/// What a drain knows of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// Name.
    pub name: String,
    /// The server's uid.
    pub uid: String,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// Its Ready condition is `True`.
    pub ready: bool,
    /// `topology.kubernetes.io/zone`; empty if it has none.
    pub zone: String,
    /// Taints.
    pub taints: Vec<Taint>,
    /// It carries the label `node-role.kubernetes.io/control-plane`.
    pub control_plane: bool,
    /// `status.volumesInUse`, as the kubelet reports it.
    pub volumes_in_use: Vec<String>,
}

impl NodeFacts {
    /// Reads a node. What is missing reads as empty; nothing fails.
    pub fn read(node: &Value) -> NodeFacts {
        let (meta, spec, status) = (&node["metadata"], &node["spec"], &node["status"]);
        let labels = &meta["labels"];
        let role = |name: &str| !labels[format!("node-role.kubernetes.io/{name}")].is_null();
        let taint = |t: &Value| Taint {
            key: text(&t["key"]),
            value: text(&t["value"]),
            effect: text(&t["effect"]),
        };
        NodeFacts {
            name: text(&meta["name"]),
            uid: text(&meta["uid"]),
            unschedulable: spec["unschedulable"] == true,
            ready: condition(node, "Ready").is_some_and(|c| c["status"] == "True"),
            zone: text(&labels["topology.kubernetes.io/zone"]),
            taints: items(&spec["taints"]).iter().map(taint).collect(),
            control_plane: role("control-plane") || role("master"),
            volumes_in_use: texts(&status["volumesInUse"]),
        }
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn texts(value: &Value) -> Vec<String> {
    items(value).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(k, v)| (k.clone(), text(v))).collect()
}

pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(&object["status"]["conditions"]).iter().find(|c| c["type"] == kind)
}

/// A time as the API writes it; 0 if it is none.
fn tick(text: &str) -> Tick {
    parse_rfc3339(text).map_or(0, |e| u64::try_from(e.0).unwrap_or(0) * 1000)
}

/// The scheduler's own words about a pod that it finds no node for (`PodScheduled` is `False`).
pub fn unscheduled(pod: &Value) -> Option<String> {
    let waits = text(&pod["spec"]["nodeName"]).is_empty();
    let condition = condition(pod, "PodScheduled").filter(|c| waits && c["status"] == "False")?;
    Some(text(&condition["message"]))
}

fn deletion(meta: &Value) -> Option<Deletion> {
    // A timestamp that does not parse is still a deletion: it must never be asked for a second time.
    let at = meta["deletionTimestamp"].as_str()?;
    Some(Deletion { at: tick(at), grace: meta["deletionGracePeriodSeconds"].as_i64().unwrap_or(0) })
}

fn owner(o: &Value) -> Owner {
    Owner {
        kind: text(&o["kind"]),
        name: text(&o["name"]),
        api_version: text(&o["apiVersion"]),
        uid: text(&o["uid"]),
    }
}

fn empty_dir(volume: &Value) -> EmptyDir {
    let dir = &volume["emptyDir"];
    EmptyDir {
        name: text(&volume["name"]),
        size_limit: text(&dir["sizeLimit"]),
        medium: text(&dir["medium"]),
    }
}

/// The claim behind a volume. A generic ephemeral volume's claim is named after pod and volume
/// (pkg/controller/volume/ephemeral).
fn claim(pod: &str, volume: &Value) -> Option<String> {
    if let Some(name) = volume["persistentVolumeClaim"]["claimName"].as_str() {
        return Some(name.to_owned());
    }
    let volume_name = volume["name"].as_str()?;
    volume["ephemeral"].is_object().then(|| format!("{pod}-{volume_name}"))
}

/// What Karpenter and the cluster autoscaler read before they disturb a pod. Karpenter takes a duration as well.
fn keep(annotations: &Value) -> Vec<String> {
    let karpenter = annotations["karpenter.sh/do-not-disrupt"].as_str().filter(|v| *v != "false");
    let autoscaler = "cluster-autoscaler.kubernetes.io/safe-to-evict";
    let safe = annotations[autoscaler].as_str().filter(|v| *v == "false");
    let karpenter = karpenter.map(|v| format!("karpenter.sh/do-not-disrupt={v}"));
    karpenter.into_iter().chain(safe.map(|v| format!("{autoscaler}={v}"))).collect()
}

fn tolerates_cordon(toleration: &Value) -> bool {
    let key = text(&toleration["key"]);
    let exists = toleration["operator"] == "Exists";
    // The taint has no value, so `Equal` matches only an empty one.
    let value = exists || toleration["value"].as_str().is_none_or(str::is_empty);
    let about = key == "node.kubernetes.io/unschedulable" || (key.is_empty() && exists);
    let effect = toleration["effect"].as_str().unwrap_or_default();
    about && value && matches!(effect, "" | "NoSchedule")
}
