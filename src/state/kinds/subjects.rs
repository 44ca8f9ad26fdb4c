//! Kinds that events speak of: those with a table, and the built-in ones without, so that an object without a view of its
//! own can still be described.

use super::ALL;
use crate::state::decl::Gvk;

macro_rules! kinds {
    ($($group:literal $version:literal $kind:ident $plural:literal $scope:ident;)+) => {
        /// Built-in kinds that may have no table, with the version every supported server has (1.30 to 1.37).
        static OTHERS: &[Gvk] = &[$(Gvk {
            group: $group,
            version: $version,
            kind: stringify!($kind),
            plural: $plural,
            namespaced: kinds!(@ $scope),
        }),+];
    };
    (@ namespaced) => { true };
    (@ cluster) => { false };
}

kinds! {
    "" "v1" ConfigMap "configmaps" namespaced;
    "" "v1" Endpoints "endpoints" namespaced;
    "" "v1" PersistentVolume "persistentvolumes" cluster;
    "" "v1" PersistentVolumeClaim "persistentvolumeclaims" namespaced;
    "" "v1" ReplicationController "replicationcontrollers" namespaced;
    "" "v1" ResourceQuota "resourcequotas" namespaced;
    "" "v1" Service "services" namespaced;
    "" "v1" ServiceAccount "serviceaccounts" namespaced;
    "apps" "v1" ReplicaSet "replicasets" namespaced;
    "apps" "v1" Deployment "deployments" namespaced;
    "apps" "v1" StatefulSet "statefulsets" namespaced;
    "apps" "v1" DaemonSet "daemonsets" namespaced;
    "autoscaling" "v2" HorizontalPodAutoscaler "horizontalpodautoscalers" namespaced;
    "batch" "v1" CronJob "cronjobs" namespaced;
    "batch" "v1" Job "jobs" namespaced;
    "certificates.k8s.io" "v1" CertificateSigningRequest "certificatesigningrequests" cluster;
    "coordination.k8s.io" "v1" Lease "leases" namespaced;
    "discovery.k8s.io" "v1" EndpointSlice "endpointslices" namespaced;
    "networking.k8s.io" "v1" Ingress "ingresses" namespaced;
    "networking.k8s.io" "v1" NetworkPolicy "networkpolicies" namespaced;
    "policy" "v1" PodDisruptionBudget "poddisruptionbudgets" namespaced;
    "scheduling.k8s.io" "v1" PriorityClass "priorityclasses" cluster;
    "storage.k8s.io" "v1" StorageClass "storageclasses" cluster;
    "storage.k8s.io" "v1" VolumeAttachment "volumeattachments" cluster;
}

/// The kind that an event means by `involvedObject.kind` and `apiVersion` (which some recorders leave out), and the table
/// its objects have, if they have one. The version is ours: an event may be older than the cluster's.
pub fn find(kind: &str, api_version: &str) -> Option<(&'static Gvk, Option<&'static str>)> {
    let group = match api_version.split_once('/') {
        Some((group, _)) => Some(group),
        None if api_version.is_empty() => None,
        None => Some(""),
    };
    let fits = |gvk: &Gvk| gvk.kind == kind && group.is_none_or(|group| group == gvk.group);
    let tables = ALL.iter().filter(|table| table.id != super::events::TABLE.id);
    let tabled = tables.flat_map(|table| table.kinds.iter().map(|k| (&k.gvk, Some(table.id))));
    tabled.chain(OTHERS.iter().map(|gvk| (gvk, None))).find(|(gvk, _)| fits(gvk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_object_is_found_by_its_kind_and_group() {
        let (gvk, table) = find("Pod", "v1").expect("pods have a table");
        assert_eq!((gvk.plural, table), ("pods", Some("pods")));
        let (gvk, table) = find("PersistentVolumeClaim", "v1").expect("listed above");
        assert_eq!((gvk.plural, table), ("persistentvolumeclaims", None));
        assert_eq!(find("Deployment", "").map(|(gvk, _)| gvk.group), Some("apps"));
        assert!(find("Deployment", "example.io/v1").is_none(), "another's deployment");
        assert!(find("Widget", "example.io/v1").is_none());
    }
}
