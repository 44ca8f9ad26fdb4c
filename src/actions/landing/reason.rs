//! Why a node cannot take a pod, in the words of an operator.

use crate::state::text::clean;

/// One reason. Texts in it are clean: they come from constructors of this folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The node is cordoned.
    Unschedulable,
    /// A taint that is not tolerated, `key=value:Effect`.
    Taint(String),
    /// A node selector or a required node affinity.
    NodeAffinity,
    /// A port of the node is taken.
    HostPort(u64),
    /// The node holds as many pods as it takes: held, at most.
    Pods(i64, i64),
    /// Too little is free of a resource (milli-units of cpu, units of others).
    Short {
        /// `cpu`, `memory`, ...
        resource: String,
        /// What the pod asks for.
        needs: i64,
        /// What is free; below nothing on an overcommitted node.
        free: i64,
    },
    /// Another pod, `namespace/name`, uses a claim that admits one only.
    ClaimInUse(String, String),
    /// The pod's volume is not reachable from the node.
    Volume(String),
    /// The pod's volume, and the zone it is in.
    VolumeZone(String, String),
    /// No volume of this class is free for the node.
    NoVolume(String),
    /// No volume can be made for the node.
    NoTopology,
    /// The node lacks the label that pods are spread by.
    SpreadLabel(String),
    /// Domains would differ too much.
    Spread {
        /// The label.
        key: String,
        /// By how many pods.
        skew: i64,
        /// The limit.
        max: i64,
    },
    /// No pod that it must be with is in the domain of this label.
    Affinity(String),
    /// It keeps away from this pod, in the domain of this label.
    AntiAffinity(String, String),
    /// This pod keeps it away, in the domain of this label.
    KeptAway(String, String),
}

impl Reason {
    /// In words, with what is particular to the node.
    pub fn words(&self) -> String {
        match self {
            Reason::HostPort(port) => format!("host port {port} taken"),
            Reason::Pods(held, most) => format!("pods {held}/{most}"),
            Reason::Short { resource, needs, free } => {
                let (needs, free) = (amount(resource, *needs), amount(resource, (*free).max(0)));
                format!("insufficient {}: needs {needs}, {free} free", clean(resource))
            }
            Reason::VolumeZone(volume, zone) => format!("volume {volume} is bound to zone {zone}"),
            Reason::Spread { key, skew, max } => {
                format!("spread {}: skew would be {skew} > {max}", short(key))
            }
            Reason::AntiAffinity(pod, key) => {
                format!("anti-affinity with {pod} on topology {}", short(key))
            }
            Reason::KeptAway(pod, key) => {
                format!("anti-affinity of {pod} on topology {}", short(key))
            }
            Reason::ClaimInUse(claim, pod) => format!("claim {claim} is in use by {pod}"),
            _ => self.group(),
        }
    }

    /// Whether both have the same [`Reason::group`].
    pub fn is_like(&self, other: &Reason) -> bool {
        match (self, other) {
            (Reason::Pods(..), Reason::Pods(..)) => true,
            (Reason::Short { resource: one, .. }, Reason::Short { resource: two, .. })
            | (Reason::ClaimInUse(one, _), Reason::ClaimInUse(two, _))
            | (Reason::Spread { key: one, .. }, Reason::Spread { key: two, .. })
            | (Reason::AntiAffinity(_, one), Reason::AntiAffinity(_, two))
            | (Reason::KeptAway(_, one), Reason::KeptAway(_, two)) => one == two,
            _ => self == other,
        }
    }

    /// In words that nodes have in common, so that they can be counted.
    pub fn group(&self) -> String {
        match self {
            Reason::Unschedulable => "cordoned".to_owned(),
            Reason::Taint(taint) => format!("taint {taint}"),
            Reason::NodeAffinity => "node affinity".to_owned(),
            Reason::HostPort(port) => format!("host port {port} taken"),
            Reason::Pods(..) => "too many pods".to_owned(),
            Reason::Short { resource, .. } => format!("insufficient {}", clean(resource)),
            Reason::ClaimInUse(claim, _) => format!("claim {claim} is in use"),
            Reason::Volume(volume) => format!("volume node affinity conflict {volume}"),
            Reason::VolumeZone(volume, zone) => format!("volume {volume} is bound to zone {zone}"),
            Reason::NoVolume(class) => format!("no volume of class {class}"),
            Reason::NoTopology => "outside the topologies of its storage class".to_owned(),
            Reason::SpreadLabel(key) => format!("no label {} to spread by", clean(key)),
            Reason::Spread { key, .. } => format!("spread {}", short(key)),
            Reason::Affinity(key) => format!("pod affinity on topology {}", short(key)),
            Reason::AntiAffinity(_, key) => format!("anti-affinity on topology {}", short(key)),
            Reason::KeptAway(_, key) => {
                format!("anti-affinity of another pod on topology {}", short(key))
            }
        }
    }
}

/// `zone` of `topology.kubernetes.io/zone`.
fn short(key: &str) -> String {
    clean(key.rsplit('/').next().unwrap_or(key)).into_owned()
}

/// An amount as an operator writes it: `500m`, `1.5Gi`, `2`.
fn amount(resource: &str, value: i64) -> String {
    if resource == "cpu" {
        return if value % 1000 == 0 { (value / 1000).to_string() } else { format!("{value}m") };
    }
    if !matches!(resource, "memory" | "ephemeral-storage") && !resource.starts_with("hugepages-") {
        return value.to_string();
    }
    let (unit, suffix) = match value {
        0..0x400 => return value.to_string(),
        0x400..0x10_0000 => (1 << 10, "Ki"),
        0x10_0000..0x4000_0000 => (1 << 20, "Mi"),
        _ => (1i64 << 30, "Gi"),
    };
    let tenths = i128::from(value) * 10 / i128::from(unit);
    match tenths % 10 {
        0 => format!("{}{suffix}", tenths / 10),
        tenth => format!("{}.{tenth}{suffix}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_as_an_operator_would_put_them() {
        let short = |resource: &str, needs, free| {
            Reason::Short { resource: resource.to_owned(), needs, free }.words()
        };
        assert_eq!(short("cpu", 500, 120), "insufficient cpu: needs 500m, 120m free");
        assert_eq!(short("cpu", 2000, -5), "insufficient cpu: needs 2, 0 free");
        let gib = 1 << 30;
        assert_eq!(
            short("memory", 3 * gib / 2, 700 << 20),
            "insufficient memory: needs 1.5Gi, 700Mi free"
        );
        assert_eq!(short("example.com/gpu", 2, 1), "insufficient example.com/gpu: needs 2, 1 free");
        let zone = "topology.kubernetes.io/zone".to_owned();
        let spread = Reason::Spread { key: zone.clone(), skew: 3, max: 1 };
        assert_eq!(spread.words(), "spread zone: skew would be 3 > 1");
        let anti = Reason::AntiAffinity("shop/web-1".to_owned(), zone);
        assert_eq!(anti.words(), "anti-affinity with shop/web-1 on topology zone");
        assert_eq!(anti.group(), "anti-affinity on topology zone");
        assert_eq!(Reason::Pods(110, 110).words(), "pods 110/110");
    }
}
