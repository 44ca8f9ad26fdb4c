//! What a cluster shows about the controllers in it, read from plain JSON.

use super::{Content, text};
use crate::state::decl::Gvk;
use crate::state::time::{Epoch, parse_rfc3339};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that rulings are made from, beside the object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The server's time.
    pub now: Epoch,
    /// Leases of controllers.
    pub leases: Vec<Lease>,
    /// API services that somebody other than the API server itself answers, or that do not answer.
    pub services: Vec<ApiService>,
    /// Groups that discovery did not get from their server.
    pub stale_groups: Vec<String>,
    /// Names of the custom resource definitions; `None` if they could not be read.
    pub definitions: Option<BTreeSet<String>>,
    /// Deployments, stateful and daemon sets; `None` if they could not be read.
    pub workloads: Option<Vec<Workload>>,
    /// Who may write what, by RBAC; `None` if it could not be read.
    pub grants: Option<Vec<Grant>>,
    /// Admission webhooks that see changes.
    pub hooks: Vec<Hook>,
    /// The nodes of pods that do not go.
    pub nodes: BTreeMap<String, NodeSeen>,
    /// What is left in namespaces that do not go, by their names.
    pub content: BTreeMap<String, Content>,
    /// Pods that use a claim, by `namespace/claim`, of claims that do not go.
    pub users: BTreeMap<String, Vec<String>>,
    /// Warnings by the uid of the object they are about: when, reason, message.
    pub warnings: BTreeMap<String, Vec<(Epoch, String, String)>>,
    /// What could not be read, a sentence each.
    pub unread: Vec<String>,
}

/// A Lease that a leader renews.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// When it was renewed.
    pub renewed: Epoch,
    /// How long it holds, in seconds.
    pub seconds: i64,
}

/// An API that is served by somebody else.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiService {
    /// `v1beta1.metrics.k8s.io`.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Its version.
    pub version: String,
    /// `namespace/name` of the Service behind it; empty if the API server answers itself.
    pub service: String,
    /// Whether it answers, by its condition Available.
    pub available: bool,
    /// Why not, as the aggregator puts it.
    pub reason: String,
    /// Its words.
    pub message: String,
}

/// Something that runs pods.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// `Deployment`.
    pub kind: String,
    /// Resource name in paths, `deployments`.
    pub plural: &'static str,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Service account its pods run as.
    pub account: String,
    /// Names it is known by: its own, its labels' and its containers'.
    pub names: Vec<String>,
    /// Pods wanted.
    pub wanted: i64,
    /// Pods ready.
    pub ready: i64,
    /// Since when it is available, unset if that is not known.
    pub since: Epoch,
}

/// A service account and what it may write.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Namespace of the account.
    pub namespace: String,
    /// Its name.
    pub account: String,
    /// API groups, `*` for all.
    pub groups: Vec<String>,
    /// Resources, with or without subresource, `*` for all.
    pub resources: Vec<String>,
    /// The role that says so.
    pub role: String,
}

/// An admission webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// Its own name, as refusals quote it.
    pub name: String,
    /// `ValidatingWebhookConfiguration x`.
    pub config: String,
    /// Who answers: `namespace/name` of a Service, or a URL.
    pub behind: String,
    /// Whether changes are refused while it does not answer (`failurePolicy: Fail`).
    pub fails_closed: bool,
    /// Groups, versions left out, and resources whose updates it sees.
    pub rules: Vec<(Vec<String>, Vec<String>)>,
    /// Why it is thought not to answer.
    pub dead: Option<String>,
}

/// A node, as far as pods on it depend on it.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeSeen {
    /// There is no such node.
    Missing,
    /// Its kubelet tells that it is ready.
    Ready,
    /// Its condition Ready has another status, since then; whether it is marked out of service.
    NotReady(String, Epoch, bool),
}

fn items<'v>(value: &'v Value, at: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.pointer(at).and_then(Value::as_array).into_iter().flatten()
}

fn words(value: &Value, at: &str) -> Vec<String> {
    items(value, at).filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Lease {
    /// Reads a `coordination.k8s.io/v1` Lease.
    pub fn of(object: &Value) -> Lease {
        Lease {
            namespace: text(object, "/metadata/namespace").into(),
            name: text(object, "/metadata/name").into(),
            holder: text(object, "/spec/holderIdentity").into(),
            renewed: parse_rfc3339(text(object, "/spec/renewTime")).unwrap_or_default(),
            seconds: object
                .pointer("/spec/leaseDurationSeconds")
                .and_then(Value::as_i64)
                .unwrap_or(15),
        }
    }

    /// Whether its holder lives: it renews long before the lease runs out (client-go `leaderelection`).
    pub fn is_fresh(&self, now: Epoch) -> bool {
        self.renewed.age(now) <= 2 * self.seconds.max(15)
    }

    /// URL path.
    pub fn path(&self) -> String {
        let (namespace, name) = (&self.namespace, &self.name);
        format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}")
    }
}

impl ApiService {
    /// Reads an `apiregistration.k8s.io/v1` APIService.
    pub fn of(object: &Value) -> ApiService {
        let available = items(object, "/status/conditions").find(|c| c["type"] == "Available");
        let condition = |field: &str| available.map(|c| text(c, field)).unwrap_or_default();
        let service = object.pointer("/spec/service").filter(|s| !s.is_null());
        ApiService {
            name: text(object, "/metadata/name").into(),
            group: text(object, "/spec/group").into(),
            version: text(object, "/spec/version").into(),
            service: service
                .map(|s| format!("{}/{}", text(s, "/namespace"), text(s, "/name")))
                .unwrap_or_default(),
            available: condition("/status") == "True",
            reason: condition("/reason").into(),
            message: condition("/message").into(),
        }
    }
}

impl Workload {
    /// Reads an `apps/v1` Deployment, StatefulSet or DaemonSet; `plural` is its resource name.
    pub fn of(plural: &'static str, object: &Value) -> Workload {
        let number = |at: &str| object.pointer(at).and_then(Value::as_i64);
        let spec = "/spec/template/spec";
        let name = text(object, "/metadata/name");
        let labels = ["app.kubernetes.io~1name", "app.kubernetes.io~1part-of", "app", "k8s-app"];
        let labels = labels.map(|l| text(object, &format!("/metadata/labels/{l}")));
        let containers = items(object, "/spec/template/spec/containers").map(|c| text(c, "/name"));
        let mut names: Vec<String> =
            labels.into_iter().chain(containers).chain([name]).map(str::to_owned).collect();
        names.retain(|n| n.len() > 2);
        names.sort();
        names.dedup();
        let daemons = plural == "daemonsets";
        let available = items(object, "/status/conditions").find(|c| c["type"] == "Available");
        let available = available.filter(|c| c["status"] == "True");
        Workload {
            kind: match plural {
                "daemonsets" => "DaemonSet",
                "statefulsets" => "StatefulSet",
                _ => "Deployment",
            }
            .into(),
            plural,
            namespace: text(object, "/metadata/namespace").into(),
            name: name.into(),
            account: match text(object, &format!("{spec}/serviceAccountName")) {
                "" => "default".into(),
                account => account.into(),
            },
            names,
            wanted: match daemons {
                true => number("/status/desiredNumberScheduled").unwrap_or(0),
                false => number("/spec/replicas").unwrap_or(1),
            },
            ready: number(if daemons { "/status/numberReady" } else { "/status/readyReplicas" })
                .unwrap_or(0),
            since: available
                .and_then(|c| parse_rfc3339(text(c, "/lastTransitionTime")))
                .unwrap_or_default(),
        }
    }

    /// `Deployment ops/foundry`.
    pub fn title(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }

    /// URL path.
    pub fn path(&self) -> String {
        format!("/apis/apps/v1/namespaces/{}/{}/{}", self.namespace, self.plural, self.name)
    }
}

/// Service accounts that may write, from roles and the bindings that give them away. Roles for everything (`*`) are
/// kept: they make it impossible to say that nobody could do it.
pub fn grants(roles: &[Value], bindings: &[Value]) -> Vec<Grant> {
    let key = |namespace: &str, kind: &str, name: &str| format!("{kind}/{namespace}/{name}");
    let kind = |object: &Value| match text(object, "/metadata/namespace") {
        "" => "ClusterRole",
        _ => "Role",
    };
    let known: BTreeMap<String, &Value> = roles
        .iter()
        .map(|r| {
            let namespace = text(r, "/metadata/namespace");
            (key(namespace, kind(r), text(r, "/metadata/name")), r)
        })
        .collect();
    let mut found = vec![];
    for binding in bindings {
        let (role, name) = (text(binding, "/roleRef/kind"), text(binding, "/roleRef/name"));
        let place = if role == "Role" { text(binding, "/metadata/namespace") } else { "" };
        let Some(rules) = known.get(&key(place, role, name)) else { continue };
        for account in items(binding, "/subjects").filter(|s| s["kind"] == "ServiceAccount") {
            found.extend(items(rules, "/rules").filter(|r| writes(r)).map(|rule| Grant {
                namespace: text(account, "/namespace").into(),
                account: text(account, "/name").into(),
                groups: words(rule, "/apiGroups"),
                resources: words(rule, "/resources"),
                role: name.into(),
            }));
        }
    }
    found
}

/// Whether an RBAC rule lets somebody remove a finalizer.
fn writes(rule: &Value) -> bool {
    items(rule, "/verbs").any(|v| v == "*" || v == "update" || v == "patch")
}

/// Webhooks out of a configuration (`admissionregistration.k8s.io/v1`), as far as they see updates. `dead` says of a
/// service `namespace/name` why nobody answers behind it.
pub fn clients_of(config: &Value, dead: &dyn Fn(&str) -> Option<String>) -> Vec<Hook> {
    let kind = match text(config, "/kind") {
        "" => "webhook configuration",
        kind => kind,
    };
    let title = format!("{kind} {}", text(config, "/metadata/name"));
    let seen = items(config, "/webhooks").filter_map(|hook| {
        let sees = |rule: &&Value| items(rule, "/operations").any(|o| o == "*" || o == "UPDATE");
        let rules: Vec<_> = items(hook, "/rules")
            .filter(sees)
            .map(|rule| (words(rule, "/apiGroups"), words(rule, "/resources")))
            .collect();
        let service = hook.pointer("/clientConfig/service").filter(|s| !s.is_null());
        let service = service.map(|s| format!("{}/{}", text(s, "/namespace"), text(s, "/name")));
        (!rules.is_empty()).then(|| Hook {
            name: text(hook, "/name").into(),
            config: title.clone(),
            dead: service.as_deref().and_then(dead),
            behind: service.unwrap_or_else(|| text(hook, "/clientConfig/url").into()),
            fails_closed: text(hook, "/failurePolicy") != "Ignore",
            rules,
        })
    });
    seen.collect()
}

/// Whether a webhook sees updates of a kind.
pub fn hook_covers(hook: &Hook, gvk: &Gvk) -> bool {
    hook.rules.iter().any(|(groups, resources)| {
        groups.iter().any(|g| g == "*" || g == gvk.group)
            && resources.iter().any(|r| r == "*" || r == "*/*" || r == gvk.plural)
    })
}
