//! What the scheduler looks at: pods and nodes, read from the objects of the API.
//!
//! Kubernetes (v1.37): fields of `core/v1`; which of them filter nodes is kube-scheduler's default plugins.

use super::amounts::{self, Amounts};
use super::select::{Labels, NodeTerm, Selector, Taint, Toleration, items, labels, text};
use super::volumes::Claimed;
use crate::state::text::clean;
use serde_json::Value;

/// What scheduling needs of a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodSpec {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The server's uid.
    pub uid: String,
    /// Labels.
    pub labels: Labels,
    /// The node it is bound to; empty if none.
    pub node: String,
    /// Succeeded or failed: it holds nothing of its node.
    pub finished: bool,
    /// Being deleted: it still holds what it holds, but is not counted when pods are spread.
    pub deleting: bool,
    /// Its controller, as (kind, name, uid).
    pub owner: Option<(String, String, String)>,
    /// Priority; higher goes first.
    pub priority: i64,
    /// Whether pods of lower priority may be evicted for it.
    pub preempts: bool,
    /// What it asks for when it is scheduled.
    pub asks: Amounts,
    /// What it holds where it runs.
    pub holds: Amounts,
    /// Where it may be.
    pub rules: Rules,
    /// The message of its PodScheduled condition while that is false: the scheduler's own words.
    pub message: String,
}

/// Where a pod may be. Pods of one owner mostly have the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// Taints it tolerates.
    pub tolerations: Vec<Toleration>,
    /// `nodeSelector`.
    pub node_labels: Labels,
    /// Required node affinity: one of the terms must match.
    pub node_terms: Option<Vec<NodeTerm>>,
    /// Required pod affinity.
    pub affinity: Vec<Term>,
    /// Required pod anti-affinity.
    pub anti_affinity: Vec<Term>,
    /// Spread constraints that must hold (`DoNotSchedule`).
    pub spread: Vec<Spread>,
    /// Ports of the node it takes.
    pub host_ports: Vec<HostPort>,
    /// Claims on volumes.
    pub claims: Vec<Claimed>,
    /// Scheduling gates: it is not looked at before they are gone.
    pub gates: Vec<String>,
    /// Why this cannot be simulated, in words. Empty if it can.
    pub beyond: Vec<String>,
}

/// A required pod (anti-)affinity term.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Which pods.
    pub selector: Selector,
    /// In which namespaces, by name.
    pub namespaces: Vec<String>,
    /// And in those with such labels.
    pub namespace_selector: Selector,
    /// Label of nodes whose equal values make one domain.
    pub key: String,
}

/// A topology spread constraint that must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// Label of nodes whose equal values make one domain.
    pub key: String,
    /// By how many pods a domain may be ahead of the emptiest one.
    pub max_skew: i64,
    /// With fewer domains than that the emptiest one counts as empty.
    pub min_domains: i64,
    /// Which pods are counted, in the pod's own namespace.
    pub selector: Selector,
    /// Only nodes that the pod's node affinity allows make domains (`nodeAffinityPolicy: Honor`, the default).
    pub by_affinity: bool,
    /// Only nodes whose taints the pod tolerates do (`nodeTaintsPolicy: Honor`).
    pub by_taints: bool,
}

/// A port of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Number.
    pub port: u64,
    protocol: String,
    ip: String,
}

impl HostPort {
    fn of(port: &Value) -> Option<HostPort> {
        let number = port["hostPort"].as_u64().filter(|p| *p > 0)?;
        let or = |value: &Value, default: &str| match text(value) {
            "" => default.to_owned(),
            text => text.to_owned(),
        };
        let (protocol, ip) = (or(&port["protocol"], "TCP"), or(&port["hostIP"], "0.0.0.0"));
        Some(HostPort { port: number, protocol, ip })
    }

    /// Whether both cannot be on one node. 0.0.0.0 is every address.
    pub fn conflicts(&self, other: &HostPort) -> bool {
        let any = "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || self.ip == any || other.ip == any)
    }
}

impl PodSpec {
    /// Reads a pod.
    pub fn of(pod: &Value) -> PodSpec {
        let (meta, spec, status) = (&pod["metadata"], &pod["spec"], &pod["status"]);
        let owned = |value: &Value| text(value).to_owned();
        let namespace = owned(&meta["namespace"]);
        let labels = labels(&meta["labels"]);
        let rules = rules(pod, &namespace, &labels);
        let node = owned(&spec["nodeName"]);
        let asks = amounts::asked(pod);
        let holds = if node.is_empty() { asks.clone() } else { amounts::held(pod) };
        PodSpec {
            name: owned(&meta["name"]),
            uid: owned(&meta["uid"]),
            finished: matches!(text(&status["phase"]), "Succeeded" | "Failed"),
            deleting: meta["deletionTimestamp"].is_string(),
            owner: items(&meta["ownerReferences"])
                .iter()
                .find(|o| o["controller"] == true)
                .map(|o| (owned(&o["kind"]), owned(&o["name"]), owned(&o["uid"]))),
            priority: spec["priority"].as_i64().unwrap_or(0),
            preempts: text(&spec["preemptionPolicy"]) != "Never",
            message: unscheduled(status),
            namespace,
            labels,
            node,
            asks,
            holds,
            rules,
        }
    }

    /// `namespace/name` as it may be shown.
    pub fn path(&self) -> String {
        clean(&format!("{}/{}", self.namespace, self.name)).into_owned()
    }

    /// Whether the node's labels and name are what the pod requires.
    pub fn accepts(&self, node: &NodeFacts) -> bool {
        let rules = &self.rules;
        rules.node_labels.iter().all(|(k, v)| node.labels.get(k) == Some(v))
            && rules
                .node_terms
                .as_ref()
                .is_none_or(|terms| terms.iter().any(|t| t.matches(&node.name, &node.labels)))
    }

    /// The first of the node's taints that keeps the pod away.
    pub fn repelled<'n>(&self, node: &'n NodeFacts) -> Option<&'n Taint> {
        super::select::repelled(&node.taints, &self.rules.tolerations)
    }
}

/// The scheduler's last words on a pod that it could not place.
fn unscheduled(status: &Value) -> String {
    let scheduled = items(&status["conditions"]).iter().find(|c| c["type"] == "PodScheduled");
    let refused = scheduled.filter(|c| c["status"] == "False");
    refused.map(|c| clean(text(&c["message"])).into_owned()).unwrap_or_default()
}

fn rules(pod: &Value, namespace: &str, labels: &Labels) -> Rules {
    let (spec, name) = (&pod["spec"], text(&pod["metadata"]["name"]));
    let affinity = &spec["affinity"];
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = |kind: &str| {
        items(&affinity[kind][required]).iter().map(|t| Term::of(t, namespace)).collect()
    };
    let spread = items(&spec["topologySpreadConstraints"]);
    Rules {
        tolerations: items(&spec["tolerations"]).iter().map(Toleration::of).collect(),
        node_labels: super::select::labels(&spec["nodeSelector"]),
        node_terms: NodeTerm::all(&affinity["nodeAffinity"][required]),
        affinity: terms("podAffinity"),
        anti_affinity: terms("podAntiAffinity"),
        spread: spread.iter().filter_map(|c| Spread::of(c, labels)).collect(),
        host_ports: host_ports(spec),
        claims: Claimed::all(spec, name),
        gates: items(&spec["schedulingGates"])
            .iter()
            .map(|g| text(&g["name"]).to_owned())
            .collect(),
        beyond: beyond(spec, &pod["status"]),
    }
}

/// Ports of containers and sidecars; those of other init containers are not looked at.
fn host_ports(spec: &Value) -> Vec<HostPort> {
    let sidecars = items(&spec["initContainers"]).iter();
    let sidecars = sidecars.filter(|c| c["restartPolicy"] == "Always");
    let containers = sidecars.chain(items(&spec["containers"]));
    containers.flat_map(|c| items(&c["ports"])).filter_map(HostPort::of).collect()
}

fn beyond(spec: &Value, status: &Value) -> Vec<String> {
    let mut why = vec![];
    let scheduler = text(&spec["schedulerName"]);
    if !matches!(scheduler, "" | "default-scheduler") {
        why.push(clean(&format!("scheduled by {scheduler}")).into_owned());
    }
    if !items(&spec["resourceClaims"]).is_empty() {
        why.push("claims devices (resourceClaims)".to_owned());
    }
    // An extended resource that no node has in its allocatable, but a driver of devices gives (KEP-5004).
    if status["extendedResourceClaimStatus"].is_object() {
        why.push("claims devices (extended resources)".to_owned());
    }
    if spec["schedulingGroup"].is_object() || spec["workloadRef"].is_object() {
        why.push("scheduled as part of a group".to_owned());
    }
    why
}

impl Term {
    /// Without namespaces and without a namespace selector it is about the pod's own namespace. The server has put
    /// `matchLabelKeys` and `mismatchLabelKeys` into the label selector when the pod was made (KEP-3633).
    fn of(term: &Value, namespace: &str) -> Term {
        let mut namespaces: Vec<String> =
            items(&term["namespaces"]).iter().map(|n| text(n).to_owned()).collect();
        if namespaces.is_empty() && !term["namespaceSelector"].is_object() {
            namespaces.push(namespace.to_owned());
        }
        Term {
            selector: Selector::of(&term["labelSelector"]),
            namespaces,
            namespace_selector: Selector::of(&term["namespaceSelector"]),
            key: text(&term["topologyKey"]).to_owned(),
        }
    }
}

impl Spread {
    /// `None` if it need not hold. `matchLabelKeys` are resolved by the pod's own labels, which the server has done
    /// already if it is 1.34 or newer: doing it twice changes nothing.
    fn of(constraint: &Value, labels: &Labels) -> Option<Spread> {
        if constraint["whenUnsatisfiable"] == "ScheduleAnyway" {
            return None;
        }
        let mut selector = Selector::of(&constraint["labelSelector"]);
        for key in items(&constraint["matchLabelKeys"]) {
            if let Some(value) = labels.get(text(key)) {
                selector.and(text(key), value);
            }
        }
        Some(Spread {
            key: text(&constraint["topologyKey"]).to_owned(),
            max_skew: constraint["maxSkew"].as_i64().unwrap_or(1),
            min_domains: constraint["minDomains"].as_i64().unwrap_or(1),
            selector,
            by_affinity: constraint["nodeAffinityPolicy"] != "Ignore",
            by_taints: constraint["nodeTaintsPolicy"] == "Honor",
        })
    }
}

/// What scheduling needs of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeFacts {
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: Labels,
    /// Taints.
    pub taints: Vec<Taint>,
    /// Cordoned.
    pub unschedulable: bool,
    /// What pods may take.
    pub allocatable: Amounts,
    /// How many pods it takes.
    pub pods: i64,
    /// Its Ready condition is True. The scheduler goes by the taints that follow from it, not by this.
    pub ready: bool,
}

impl NodeFacts {
    /// Reads a node.
    pub fn of(node: &Value) -> NodeFacts {
        let (spec, status) = (&node["spec"], &node["status"]);
        let allocatable = &status["allocatable"];
        let pods = match &allocatable["pods"] {
            Value::String(text) => crate::state::quantity::whole(text).unwrap_or(0),
            number => number.as_i64().unwrap_or(0),
        };
        let ready = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
        NodeFacts {
            name: text(&node["metadata"]["name"]).to_owned(),
            labels: labels(&node["metadata"]["labels"]),
            taints: items(&spec["taints"]).iter().map(Taint::of).collect(),
            unschedulable: spec["unschedulable"] == true,
            allocatable: Amounts::of(allocatable),
            pods,
            ready: items(&status["conditions"]).iter().any(ready),
        }
    }
}
