//! Claims, volumes and classes: on which nodes a pod's volumes can be had.
//!
//! Kubernetes (v1.37): the plugins volumebinding, volumezone and volumerestrictions of kube-scheduler. Attach limits
//! (CSINode) and storage capacity (CSIStorageCapacity) are not simulated.

use super::facts::{NodeFacts, PodSpec};
use super::reason::Reason;
use super::select::{Labels, NodeTerm, items, labels, text};
use crate::state::text::clean;
use serde_json::Value;
use std::collections::HashMap;

/// A claim that a pod names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Name of the PersistentVolumeClaim, in the pod's namespace.
    pub name: String,
    /// For an ephemeral volume, whose claim is made with the pod, its class; empty is the default one.
    pub ephemeral: Option<String>,
}

impl Claimed {
    /// The claims of a pod of that name.
    pub(super) fn all(spec: &Value, pod: &str) -> Vec<Claimed> {
        let volumes = items(&spec["volumes"]).iter();
        let claim = |volume: &Value| {
            let named = volume["persistentVolumeClaim"]["claimName"].as_str();
            let template = &volume["ephemeral"]["volumeClaimTemplate"];
            if let Some(name) = named {
                return Some(Claimed { name: name.to_owned(), ephemeral: None });
            }
            template.is_object().then(|| Claimed {
                name: format!("{pod}-{}", text(&volume["name"])),
                ephemeral: Some(text(&template["spec"]["storageClassName"]).to_owned()),
            })
        };
        volumes.filter_map(claim).collect()
    }
}

/// PersistentVolumeClaims, PersistentVolumes and StorageClasses.
#[derive(Clone, Debug, Default)]
pub struct Volumes {
    claims: HashMap<String, HashMap<String, Claim>>,
    volumes: HashMap<String, Volume>,
    classes: HashMap<String, Class>,
}

#[derive(Clone, Debug)]
struct Claim {
    /// The volume it is bound to.
    bound: Option<String>,
    /// A volume is named but not bound yet.
    named: bool,
    class: String,
    /// ReadWriteOncePod.
    alone: bool,
    deleting: bool,
}

#[derive(Clone, Debug)]
struct Volume {
    name: String,
    terms: Option<Vec<NodeTerm>>,
    labels: Labels,
    class: String,
    available: bool,
}

#[derive(Clone, Debug)]
struct Class {
    waits: bool,
    provisions: bool,
    topologies: Vec<Vec<(String, Vec<String>)>>,
    default: bool,
}

/// Labels of a volume that bind it to nodes with the same.
const ZONES: [(&str, &str); 4] = [
    ("topology.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("topology.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
];

/// What the volumes of a pod say before any node is looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs<'v> {
    bound: Vec<&'v Volume>,
    provisioned: Vec<&'v Class>,
    fixed: Vec<&'v str>,
    /// It waits for this whatever the nodes are.
    pub waits: Option<String>,
    /// It cannot be told, for this reason.
    pub unclear: Option<String>,
}

impl Volumes {
    /// Reads the three lists.
    pub fn of(claims: &[Value], volumes: &[Value], classes: &[Value]) -> Volumes {
        let mut read = Volumes::default();
        for claim in claims {
            let meta = &claim["metadata"];
            let namespace = text(&meta["namespace"]).to_owned();
            let name = text(&meta["name"]).to_owned();
            read.claims.entry(namespace).or_default().insert(name, Claim::of(claim));
        }
        read.volumes = volumes.iter().map(Volume::of).map(|v| (v.name.clone(), v)).collect();
        let name = |class: &Value| text(&class["metadata"]["name"]).to_owned();
        read.classes = classes.iter().map(|c| (name(c), Class::of(c))).collect();
        read
    }

    /// Whether only one pod may use the claim.
    pub(super) fn alone(&self, namespace: &str, claim: &str) -> bool {
        self.claim(namespace, claim).is_some_and(|c| c.alone)
    }

    fn claim(&self, namespace: &str, claim: &str) -> Option<&Claim> {
        self.claims.get(namespace)?.get(claim)
    }

    /// What a pod's claims ask of nodes.
    pub(super) fn needs(&self, pod: &PodSpec) -> Needs<'_> {
        let mut needs = Needs::default();
        for claimed in &pod.rules.claims {
            match (&claimed.ephemeral, self.claim(&pod.namespace, &claimed.name)) {
                // The claim of a pod that has no node yet is there; that of a moved pod is made anew.
                (Some(class), found) if found.is_none() || !pod.node.is_empty() => {
                    self.unbound(class, &claimed.name, true, &mut needs);
                }
                (_, None) => needs.waits = says("claim", &claimed.name, "does not exist"),
                (_, Some(claim)) => self.need(claim, &claimed.name, &mut needs),
            }
        }
        needs
    }

    fn need<'v>(&'v self, claim: &'v Claim, name: &str, needs: &mut Needs<'v>) {
        if claim.deleting {
            needs.waits = says("claim", name, "is being deleted");
        } else if let Some(bound) = &claim.bound {
            match self.volumes.get(bound) {
                Some(volume) => needs.bound.push(volume),
                None => needs.unclear = says("volume", bound, "was not seen"),
            }
        } else if claim.named {
            needs.waits = says("claim", name, "waits for its volume");
        } else {
            self.unbound(&claim.class, name, false, needs);
        }
    }

    fn unbound<'v>(&'v self, class: &str, claim: &str, new: bool, needs: &mut Needs<'v>) {
        let default = || self.classes.iter().find(|(_, c)| c.default && new);
        let Some((name, found)) = self.classes.get_key_value(class).or_else(default) else {
            if class.is_empty() && !new {
                needs.waits = says("claim", claim, "waits for its volume");
            } else {
                needs.unclear = says("storage class", class, "was not seen");
            }
            return;
        };
        match (found.waits, found.provisions) {
            (true, true) => needs.provisioned.push(found),
            (true, false) => needs.fixed.push(name),
            (false, _) if new => needs.unclear = says("claim", claim, "will be bound anew"),
            (false, _) => needs.waits = says("claim", claim, "waits for its volume"),
        }
    }

    /// Why the node cannot have the pod's volumes.
    pub(super) fn reason(&self, needs: &Needs<'_>, node: &NodeFacts) -> Option<Reason> {
        let words = |text: &str| clean(text).into_owned();
        for volume in &needs.bound {
            let any =
                |terms: &Vec<NodeTerm>| terms.iter().any(|t| t.matches(&node.name, &node.labels));
            if !volume.terms.as_ref().is_none_or(any) {
                return Some(Reason::Volume(words(&volume.name)));
            }
            if let Some(zone) = volume.elsewhere(node) {
                return Some(Reason::VolumeZone(words(&volume.name), words(zone)));
            }
        }
        for class in &needs.fixed {
            let fits = |v: &Volume| v.available && v.class == **class && v.reaches(node);
            if !self.volumes.values().any(fits) {
                return Some(Reason::NoVolume(words(class)));
            }
        }
        let reaches = |class: &&Class| class.reaches(node);
        (!needs.provisioned.iter().all(reaches)).then_some(Reason::NoTopology)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what it says is put where there may be nothing")]
fn says(what: &str, name: &str, words: &str) -> Option<String> {
    Some(clean(&format!("{what} {name} {words}")).into_owned())
}

impl Claim {
    fn of(claim: &Value) -> Claim {
        let (meta, spec) = (&claim["metadata"], &claim["spec"]);
        let volume = text(&spec["volumeName"]);
        let complete = meta["annotations"]["pv.kubernetes.io/bind-completed"].is_string();
        let beta = text(&meta["annotations"]["volume.beta.kubernetes.io/storage-class"]);
        let class = if beta.is_empty() { text(&spec["storageClassName"]) } else { beta };
        Claim {
            bound: (complete && !volume.is_empty()).then(|| volume.to_owned()),
            named: !volume.is_empty(),
            class: class.to_owned(),
            alone: items(&spec["accessModes"]).iter().any(|m| m == "ReadWriteOncePod"),
            deleting: meta["deletionTimestamp"].is_string(),
        }
    }
}

impl Volume {
    fn of(volume: &Value) -> Volume {
        let (meta, spec) = (&volume["metadata"], &volume["spec"]);
        Volume {
            name: text(&meta["name"]).to_owned(),
            terms: NodeTerm::all(&spec["nodeAffinity"]["required"]),
            labels: labels(&meta["labels"]),
            class: text(&spec["storageClassName"]).to_owned(),
            available: text(&volume["status"]["phase"]) == "Available",
        }
    }

    fn reaches(&self, node: &NodeFacts) -> bool {
        self.terms
            .as_ref()
            .is_none_or(|terms| terms.iter().any(|t| t.matches(&node.name, &node.labels)))
    }

    /// The zone or region of this volume, if the node is in another one. A node without any such label is in all.
    fn elsewhere(&self, node: &NodeFacts) -> Option<&str> {
        let of =
            |(old, new): &(&str, &str)| node.labels.get(*old).or_else(|| node.labels.get(*new));
        if ZONES.iter().all(|key| of(key).is_none()) {
            return None;
        }
        ZONES.iter().find_map(|key| {
            let zones = self.labels.get(key.0)?;
            let inside = of(key).is_some_and(|zone| zones.split("__").any(|z| z == zone));
            (!inside).then_some(zones.as_str())
        })
    }
}

impl Class {
    fn of(class: &Value) -> Class {
        let topology = |term: &Value| {
            let expressions = items(&term["matchLabelExpressions"]).iter();
            let values =
                |e: &Value| items(&e["values"]).iter().map(|v| text(v).to_owned()).collect();
            expressions.map(|e| (text(&e["key"]).to_owned(), values(e))).collect()
        };
        let annotations = &class["metadata"]["annotations"];
        Class {
            waits: text(&class["volumeBindingMode"]) == "WaitForFirstConsumer",
            provisions: text(&class["provisioner"]) != "kubernetes.io/no-provisioner",
            topologies: items(&class["allowedTopologies"]).iter().map(topology).collect(),
            default: text(&annotations["storageclass.kubernetes.io/is-default-class"]) == "true",
        }
    }

    /// Whether a volume of this class can be made for the node.
    fn reaches(&self, node: &NodeFacts) -> bool {
        let has = |(key, values): &(String, Vec<String>)| {
            node.labels.get(key).is_some_and(|v| values.contains(v))
        };
        self.topologies.is_empty() || self.topologies.iter().any(|t| t.iter().all(has))
    }
}
