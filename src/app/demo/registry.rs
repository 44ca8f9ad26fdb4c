//! THE list of what the demo server serves: one line per resource. Paths, verbs, discovery, selectors and the check of
//! written objects all derive from it.

use k8s_openapi::api::{
    apps::v1 as apps, batch::v1 as batch, certificates::v1 as certificates,
    coordination::v1 as coordination, core::v1 as core, flowcontrol::v1 as flowcontrol,
    policy::v1 as policy, rbac::v1 as rbac, storage::v1 as storage,
};
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as registration;
use serde::Deserialize;
use serde_json::Value;

/// One served resource.
#[derive(Debug)]
pub struct Resource {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// Version within the group.
    pub version: &'static str,
    /// Plural name, as in paths.
    pub plural: &'static str,
    /// Kind of one object.
    pub kind: &'static str,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// Sub-resources beside the object itself.
    pub subs: &'static [&'static str],
    /// What a field selector may name besides `metadata.name` and `metadata.namespace`
    /// (kubernetes v1.36 `pkg/apis/*/v1/conversion.go`, `AddFieldLabelConversionFunc`).
    pub fields: &'static [&'static str],
    /// Reads an object as its typed form, as the server's decoder would.
    pub check: fn(&Value) -> Result<(), serde_json::Error>,
}

impl Resource {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `pods` or `deployments.apps`: the name errors use (apimachinery `schema.GroupResource.String`).
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// Whether `status` is written through its own sub-resource only.
    pub fn has_status(&self) -> bool {
        self.subs.contains(&"status")
    }

    /// The only custom resource here: a kind without a typed form.
    pub fn is_custom(&self) -> bool {
        std::ptr::eq(self, &FORGES)
    }
}

fn typed<T: for<'de> Deserialize<'de>>(object: &Value) -> Result<(), serde_json::Error> {
    T::deserialize(object).map(drop)
}

macro_rules! resources {
    ($($id:ident = $group:literal $version:literal $plural:literal $kind:literal $namespaced:literal
        [$($sub:literal),*] [$($field:literal),*] $typed:ty;)+) => {
        $(
            #[doc = concat!("`", $plural, "`")]
            pub static $id: Resource = Resource {
                group: $group, version: $version, plural: $plural, kind: $kind, namespaced: $namespaced,
                subs: &[$($sub),*], fields: &[$($field),*], check: typed::<$typed>,
            };
        )+
        /// Every stored resource, in discovery order.
        pub static ALL: &[&Resource] = &[$(&$id),+];
    };
}

resources! {
    NAMESPACES = "" "v1" "namespaces" "Namespace" false ["status", "finalize"] ["status.phase"] core::Namespace;
    NODES = "" "v1" "nodes" "Node" false ["status"] ["spec.unschedulable"] core::Node;
    PODS = "" "v1" "pods" "Pod" true ["status", "eviction", "log"]
        ["spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
         "status.podIP", "status.nominatedNodeName"] core::Pod;
    SERVICES = "" "v1" "services" "Service" true ["status"] ["spec.clusterIP", "spec.type"] core::Service;
    CONFIG_MAPS = "" "v1" "configmaps" "ConfigMap" true [] [] core::ConfigMap;
    SECRETS = "" "v1" "secrets" "Secret" true [] ["type"] core::Secret;
    SERVICE_ACCOUNTS = "" "v1" "serviceaccounts" "ServiceAccount" true [] [] core::ServiceAccount;
    VOLUME_CLAIMS = "" "v1" "persistentvolumeclaims" "PersistentVolumeClaim" true ["status"] []
        core::PersistentVolumeClaim;
    VOLUMES = "" "v1" "persistentvolumes" "PersistentVolume" false ["status"] [] core::PersistentVolume;
    EVENTS = "" "v1" "events" "Event" true []
        ["involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
         "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
         "reportingComponent", "type"] core::Event;
    DEPLOYMENTS = "apps" "v1" "deployments" "Deployment" true ["status", "scale"] [] apps::Deployment;
    REPLICA_SETS = "apps" "v1" "replicasets" "ReplicaSet" true ["status", "scale"] ["status.replicas"]
        apps::ReplicaSet;
    STATEFUL_SETS = "apps" "v1" "statefulsets" "StatefulSet" true ["status", "scale"] []
        apps::StatefulSet;
    DAEMON_SETS = "apps" "v1" "daemonsets" "DaemonSet" true ["status"] [] apps::DaemonSet;
    JOBS = "batch" "v1" "jobs" "Job" true ["status"] ["status.successful"] batch::Job;
    CRON_JOBS = "batch" "v1" "cronjobs" "CronJob" true ["status"] [] batch::CronJob;
    BUDGETS = "policy" "v1" "poddisruptionbudgets" "PodDisruptionBudget" true ["status"] []
        policy::PodDisruptionBudget;
    REQUESTS = "certificates.k8s.io" "v1" "certificatesigningrequests" "CertificateSigningRequest" false
        ["status", "approval"] ["spec.signerName"] certificates::CertificateSigningRequest;
    CLUSTER_ROLE_BINDINGS = "rbac.authorization.k8s.io" "v1" "clusterrolebindings" "ClusterRoleBinding" false [] []
        rbac::ClusterRoleBinding;
    ROLE_BINDINGS = "rbac.authorization.k8s.io" "v1" "rolebindings" "RoleBinding" true [] [] rbac::RoleBinding;
    LEASES = "coordination.k8s.io" "v1" "leases" "Lease" true [] [] coordination::Lease;
    STORAGE_CLASSES = "storage.k8s.io" "v1" "storageclasses" "StorageClass" false [] [] storage::StorageClass;
    ATTACHMENTS = "storage.k8s.io" "v1" "volumeattachments" "VolumeAttachment" false ["status"] []
        storage::VolumeAttachment;
    FLOW_SCHEMAS = "flowcontrol.apiserver.k8s.io" "v1" "flowschemas" "FlowSchema" false ["status"] []
        flowcontrol::FlowSchema;
    PRIORITY_LEVELS = "flowcontrol.apiserver.k8s.io" "v1" "prioritylevelconfigurations"
        "PriorityLevelConfiguration" false ["status"] [] flowcontrol::PriorityLevelConfiguration;
    API_SERVICES = "apiregistration.k8s.io" "v1" "apiservices" "APIService" false ["status"] []
        registration::APIService;
    FORGES = "foundry.example" "v1" "forges" "Forge" true ["status"] [] Value;
}

/// The resource a path names, or `None` where a real server answers 404 "could not find the requested resource".
pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Resource> {
    ALL.iter().copied().find(|r| r.group == group && r.version == version && r.plural == plural)
}

/// The resource that holds objects of a kind, for owner references.
pub fn of_kind(kind: &str) -> Option<&'static Resource> {
    ALL.iter().copied().find(|r| r.kind == kind)
}
