//! Who removes which finalizer, and what is skipped if somebody else does.
//!
//! Sources: Kubernetes v1.37, `pkg/controller/*` and `staging/src/k8s.io/api/core/v1/types.go` for its own; the projects'
//! documentation for the others. A finalizer that is not here is looked up in the cluster itself (`rules/stuck`).

/// Who removes a finalizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The API server itself, in process.
    ApiServer,
    /// kube-controller-manager, with the name of the loop.
    Manager(&'static str),
    /// cloud-controller-manager, with the name of the loop.
    Cloud(&'static str),
    /// Whoever holds a Lease whose name begins so: CSI side-cars elect leaders.
    Leader(&'static str),
    /// A workload whose name holds one of these words.
    Workload(&'static [&'static str]),
}

/// What is known of a finalizer.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    /// The finalizer, or its beginning where it ends in `*`, or its end where it begins with `*`.
    pub name: &'static str,
    /// Who removes it.
    pub keeper: Keeper,
    /// Who that is, in words.
    pub owner: &'static str,
    /// What does not happen if it is removed by hand.
    pub skips: &'static str,
}

const fn known(
    name: &'static str,
    keeper: Keeper,
    owner: &'static str,
    skips: &'static str,
) -> Known {
    Known { name, keeper, owner, skips }
}

/// The finalizers that are known, the more specific before the general.
pub static KNOWN: &[Known] = &[
    known(
        "foregroundDeletion",
        Keeper::Manager("garbage collector"),
        "garbage collector",
        "it goes before its dependents; they are deleted afterwards in the background, without the order that was asked for",
    ),
    known(
        "orphan",
        Keeper::Manager("garbage collector"),
        "garbage collector",
        "its dependents still name it as their owner, so the garbage collector DELETES them: the opposite of what orphan asks for",
    ),
    known(
        "kubernetes.io/pvc-protection",
        Keeper::Manager("pvc-protection"),
        "PVC protection",
        "the claim goes although a pod may still mount it; its volume is released and, with reclaim policy Delete, its data is lost",
    ),
    known(
        "kubernetes.io/pv-protection",
        Keeper::Manager("pv-protection"),
        "PV protection",
        "a bound volume object is lost: its claim becomes Lost, and the data behind it is no longer known to the cluster",
    ),
    known(
        "kubernetes.io/pv-controller",
        Keeper::Manager("persistent volume controller"),
        "persistent volume controller",
        "the disk behind the volume is not deleted: it stays, and is paid for",
    ),
    known(
        "external-provisioner.volume.kubernetes.io/finalizer",
        Keeper::Leader("external-provisioner-leader-"),
        "CSI provisioner",
        "the disk behind the volume is not deleted: it stays, and is paid for",
    ),
    known(
        "external-attacher/*",
        Keeper::Leader("external-attacher-leader-"),
        "CSI attacher",
        "the volume stays attached to its node: another node cannot attach it, or both write to it",
    ),
    known(
        "snapshot.storage.kubernetes.io/*",
        Keeper::Leader("snapshot-controller-leader"),
        "snapshot controller",
        "a snapshot is left behind in the storage, or its source is deleted while it is being taken",
    ),
    known(
        "service.kubernetes.io/load-balancer-cleanup",
        Keeper::Cloud("service"),
        "cloud load balancer controller",
        "the cloud's load balancer, its addresses and firewall rules stay, and are paid for",
    ),
    known(
        "batch.kubernetes.io/job-tracking",
        Keeper::Manager("job"),
        "Job controller",
        "the pod is not counted: its Job may run more pods than asked for, or never complete",
    ),
    known(
        "customresourcecleanup.apiextensions.k8s.io",
        Keeper::ApiServer,
        "API server (apiextensions)",
        "the custom resources of this kind stay in etcd where nobody can reach them, and come back if the definition does",
    ),
    known(
        "resource.kubernetes.io/delete-protection",
        Keeper::Manager("resource claim"),
        "resource claim controller",
        "a device that is still in use is given to somebody else as well",
    ),
    known(
        "networking.k8s.io/service-cidr-finalizer",
        Keeper::Manager("service CIDR"),
        "service CIDR controller",
        "addresses of Services that still use the range are no longer reserved",
    ),
    known(
        "kubernetes.io/vac-protection",
        Keeper::Manager("vac-protection"),
        "VolumeAttributesClass protection",
        "volumes go on naming a class that is not there",
    ),
    known(
        "karpenter.sh/termination",
        Keeper::Workload(&["karpenter"]),
        "Karpenter",
        "the machine behind the node keeps running, and is paid for",
    ),
    known(
        "*.machine.cluster.x-k8s.io",
        Keeper::Workload(&["capi", "cluster-api", "capa", "capz", "capv", "capo"]),
        "Cluster API",
        "the machine behind it keeps running, and is paid for",
    ),
    known(
        "machine.cluster.x-k8s.io*",
        Keeper::Workload(&["capi", "cluster-api"]),
        "Cluster API",
        "the machine behind it keeps running, and is paid for",
    ),
    known(
        "finalizers.fluxcd.io",
        Keeper::Workload(&["kustomize-controller", "helm-controller", "source-controller", "flux"]),
        "Flux",
        "what it applied to the cluster is not pruned and stays",
    ),
    known(
        "resources-finalizer.argocd.argoproj.io*",
        Keeper::Workload(&["argocd-application-controller", "argocd"]),
        "Argo CD",
        "what the Application deployed is not pruned and stays",
    ),
    known(
        "finalizer.managedresource.crossplane.io",
        Keeper::Workload(&["crossplane", "provider-"]),
        "Crossplane provider",
        "the resource outside of the cluster is not deleted: it stays, and is paid for",
    ),
    known(
        "*.crossplane.io",
        Keeper::Workload(&["crossplane", "provider-"]),
        "Crossplane",
        "what it made, here or outside of the cluster, is not deleted",
    ),
    known(
        "finalizer.acme.cert-manager.io",
        Keeper::Workload(&["cert-manager"]),
        "cert-manager",
        "the DNS record or solver pod of the challenge stays",
    ),
    known(
        "finalizer.keda.sh",
        Keeper::Workload(&["keda-operator", "keda"]),
        "KEDA",
        "its autoscaler stays, or the workload is not scaled back to what it was",
    ),
    known(
        "*.ceph.rook.io",
        Keeper::Workload(&["rook-ceph-operator", "rook"]),
        "Rook",
        "storage daemons and data in the Ceph cluster are not cleaned up",
    ),
    known(
        "longhorn.io",
        Keeper::Workload(&["longhorn-manager"]),
        "Longhorn",
        "replicas and snapshots stay on the nodes' disks",
    ),
];

impl Known {
    fn fits(&self, finalizer: &str) -> bool {
        match (self.name.strip_prefix('*'), self.name.strip_suffix('*')) {
            (Some(end), _) => finalizer.split('/').next().is_some_and(|f| f.ends_with(end)),
            (_, Some(beginning)) => finalizer.starts_with(beginning),
            _ => self.name == finalizer,
        }
    }
}

/// What is known of a finalizer, by its name alone.
pub fn known_as(finalizer: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.fits(finalizer))
}

/// The domain in a finalizer's name: `foundry.example` of `foundry.example/cleanup`, all of `finalizers.example.com`; `None`
/// where it has none.
pub fn domain(finalizer: &str) -> Option<&str> {
    let domain = finalizer.split('/').next()?;
    domain.contains('.').then_some(domain)
}

/// Whether an API group belongs to a finalizer's domain, or the other way round.
pub fn belongs(group: &str, domain: &str) -> bool {
    let under = |a: &str, b: &str| a == b || a.strip_suffix(b).is_some_and(|a| a.ends_with('.'));
    group.contains('.') && (under(group, domain) || under(domain, group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finalizers_are_known_by_name_beginning_and_end() {
        let owner = |f: &str| known_as(f).map(|k| k.owner);
        assert_eq!(owner("orphan"), Some("garbage collector"));
        assert_eq!(owner("external-attacher/disk-csi-example-com"), Some("CSI attacher"));
        assert_eq!(owner("cephcluster.ceph.rook.io"), Some("Rook"));
        assert_eq!(owner("snapshot.storage.kubernetes.io/x"), Some("snapshot controller"));
        assert_eq!(owner("orphans"), None);
        assert_eq!(owner("foundry.example/cleanup"), None);
    }

    #[test]
    fn a_domain_is_compared_by_its_labels() {
        assert_eq!(domain("foundry.example/cleanup"), Some("foundry.example"));
        assert_eq!(domain("finalizer.foundry.example"), Some("finalizer.foundry.example"));
        assert_eq!(domain("orphan"), None);
        assert!(belongs("foundry.example", "foundry.example"));
        assert!(belongs("foundry.example", "finalizer.foundry.example"));
        assert!(belongs("v2.foundry.example", "foundry.example"));
        assert!(!belongs("foundry.example", "notfoundry.example"));
        assert!(!belongs("apps", "my.apps"));
    }
}
