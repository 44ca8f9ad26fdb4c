//! What a cluster shows of the controllers that should have let objects go. Only what the objects at hand need is asked.

use super::discovery::discover;
use super::pace::Pace;
use super::{LEFT_OUT, scan};
use crate::app::cluster::request::encode;
use crate::app::cluster::session::Fault;
use crate::state::decl::Gvk;
use crate::state::rules::finalizers::{Keeper, known_as};
use crate::state::rules::stuck::{
    ApiService, Content, Evidence, Held, Lease, NodeSeen, Workload, clients_of, grants, hook_covers,
};
use crate::state::time::{Epoch, parse_rfc3339};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Pages of 500 objects read of one kind at most.
const PAGES: usize = 40;
/// Pages of warnings.
const OF_EVENTS: usize = 10;
/// Nodes and webhook services looked at.
const FEW: usize = 50;

/// Looks at what the rulings on these objects need.
pub async fn look(pace: &mut Pace, held: &[Held], now: Epoch) -> Evidence {
    let mut seen = Evidence { now, ..Evidence::default() };
    if held.is_empty() {
        return seen;
    }
    let keepers: Vec<Option<Keeper>> =
        held.iter().flat_map(|h| &h.finalizers).map(|f| known_as(f).map(|k| k.keeper)).collect();
    let leaders = keepers.iter().any(|k| matches!(k, Some(Keeper::Leader(_))));
    let by_workload = keepers.iter().any(|k| matches!(k, None | Some(Keeper::Workload(_))));
    leases(pace, leaders, &mut seen).await;
    services(pace, &mut seen).await;
    if by_workload {
        workloads(pace, &mut seen).await;
        rights(pace, &mut seen).await;
    }
    hooks(pace, held, &mut seen).await;
    nodes(pace, held, &mut seen).await;
    users(pace, held, &mut seen).await;
    warnings(pace, held, &mut seen).await;
    seen
}

/// What is left in a namespace, over all kinds that can be listed there; Secrets by their names.
pub async fn content(pace: &mut Pace, namespace: &str) -> Content {
    let served = match discover(pace).await {
        Ok(served) => served,
        Err(fault) => {
            let unknown = vec![format!("what is left in {namespace} is unknown: {fault}")];
            return Content { unknown, ..Content::default() };
        }
    };
    let here = |gvk: &&'static Gvk| gvk.namespaced && !LEFT_OUT.contains(&(gvk.group, gvk.plural));
    let kinds: Vec<&'static Gvk> = served.kinds.iter().map(|k| k.gvk).filter(here).collect();
    let mut content = scan::left_in(pace, &kinds, namespace).await;
    let stale =
        served.stale.iter().map(|g| format!("what {g} holds there is unknown: it does not answer"));
    content.unknown.extend(stale);
    content
}

/// Reads a collection; a group that is not served has no objects, everything else that goes wrong is noted as unread.
async fn all(pace: &mut Pace, seen: &mut Evidence, what: &str, path: &str) -> Option<Vec<Value>> {
    let mut found = vec![];
    match pace.each(path, PAGES, |object| found.push(object)).await {
        Ok(true) | Err(Fault::NotFound { .. }) => Some(found),
        Ok(false) => {
            seen.unread.push(format!("only the first {} {what} were read", found.len()));
            None
        }
        Err(fault) => {
            seen.unread
                .push(format!("{what} could not be read, what they tell is left out: {fault}"));
            None
        }
    }
}

async fn leases(pace: &mut Pace, leaders: bool, seen: &mut Evidence) {
    let path = match leaders {
        true => "/apis/coordination.k8s.io/v1/leases",
        false => "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases",
    };
    let found = all(pace, seen, "leases", path).await.unwrap_or_default();
    let leases = found.iter().map(Lease::of);
    seen.leases = leases.filter(|lease| lease.namespace != "kube-node-lease").collect();
}

async fn services(pace: &mut Pace, seen: &mut Evidence) {
    let path = "/apis/apiregistration.k8s.io/v1/apiservices";
    let found = all(pace, seen, "apiservices", path).await.unwrap_or_default();
    let services = found.iter().map(ApiService::of);
    seen.services = services.filter(|s| !s.service.is_empty() || !s.available).collect();
}

async fn workloads(pace: &mut Pace, seen: &mut Evidence) {
    let mut found = Some(vec![]);
    for plural in ["deployments", "statefulsets", "daemonsets"] {
        let path = format!("/apis/apps/v1/{plural}");
        match (all(pace, seen, plural, &path).await, &mut found) {
            (Some(objects), Some(found)) => {
                found.extend(objects.iter().map(|object| Workload::of(plural, object)));
            }
            _ => found = None,
        }
    }
    seen.workloads = found;
}

async fn rights(pace: &mut Pace, seen: &mut Evidence) {
    let root = "/apis/rbac.authorization.k8s.io/v1";
    let (mut roles, mut bindings, mut whole) = (vec![], vec![], true);
    for plural in ["clusterroles", "roles", "clusterrolebindings", "rolebindings"] {
        let found = all(pace, seen, plural, &format!("{root}/{plural}")).await;
        whole &= found.is_some();
        let list = if plural.ends_with("bindings") { &mut bindings } else { &mut roles };
        list.extend(found.unwrap_or_default());
    }
    seen.grants = whole.then(|| grants(&roles, &bindings));
}

async fn hooks(pace: &mut Pace, held: &[Held], seen: &mut Evidence) {
    let root = "/apis/admissionregistration.k8s.io/v1";
    let mut configs = vec![];
    for (plural, kind) in [
        ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
        ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
    ] {
        for mut config in
            all(pace, seen, plural, &format!("{root}/{plural}")).await.unwrap_or_default()
        {
            config["kind"] = kind.into();
            configs.push(config);
        }
    }
    let kinds: Vec<&Gvk> = held.iter().map(|h| h.gvk).collect();
    let concerned = configs
        .iter()
        .flat_map(|c| clients_of(c, &|_| None))
        .filter(|h| h.fails_closed && kinds.iter().any(|gvk| hook_covers(h, gvk)));
    let behind: BTreeSet<String> = concerned.map(|h| h.behind).collect();
    let mut dead = BTreeMap::new();
    for service in behind.iter().filter(|b| !b.contains("://")).take(FEW) {
        if let Some(why) = unanswered(pace, service).await {
            dead.insert(service.clone(), why);
        }
    }
    seen.hooks = configs.iter().flat_map(|c| clients_of(c, &|s| dead.get(s).cloned())).collect();
}

/// Why nobody answers behind a Service, if that can be seen: it is not there, or has no ready endpoint.
async fn unanswered(pace: &mut Pace, service: &str) -> Option<String> {
    let (namespace, name) = service.split_once('/')?;
    match pace.json(&format!("/api/v1/namespaces/{namespace}/services/{name}")).await {
        Err(Fault::NotFound { .. }) => return Some(format!("there is no Service {service}")),
        Err(_) => return None,
        Ok(_) => {}
    }
    let selector = encode(&format!("kubernetes.io/service-name={name}"));
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector={selector}"
    );
    let mut ready = false;
    let is_ready =
        |endpoint: &Value| endpoint.pointer("/conditions/ready") != Some(&Value::Bool(false));
    let read = pace.each(&path, 1, |slice| {
        ready |= slice["endpoints"].as_array().into_iter().flatten().any(is_ready);
    });
    read.await.ok()?;
    (!ready).then(|| format!("the Service {service} has no ready endpoint"))
}

async fn nodes(pace: &mut Pace, held: &[Held], seen: &mut Evidence) {
    let of =
        |h: &Held| h.object.pointer("/spec/nodeName").and_then(Value::as_str).map(str::to_owned);
    let pods = held.iter().filter(|h| h.gvk.group.is_empty() && h.gvk.kind == "Pod");
    let names: BTreeSet<String> = pods.filter_map(of).filter(|n| !n.is_empty()).collect();
    for name in names.into_iter().take(FEW) {
        match pace.json(&format!("/api/v1/nodes/{name}")).await {
            Ok(node) => {
                seen.nodes.insert(name, node_of(&node));
            }
            Err(Fault::NotFound { .. }) => {
                seen.nodes.insert(name, NodeSeen::Missing);
            }
            Err(fault) => seen.unread.push(format!("node {name} could not be read: {fault}")),
        }
    }
}

fn node_of(node: &Value) -> NodeSeen {
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.into_iter().flatten().find(|c| c["type"] == "Ready");
    let text = |field: &str| ready.and_then(|c| c[field].as_str()).unwrap_or("Unknown");
    if text("status") == "True" {
        return NodeSeen::Ready;
    }
    let taints = node.pointer("/spec/taints").and_then(Value::as_array);
    let out = taints.into_iter().flatten().any(|t| t["key"] == "node.kubernetes.io/out-of-service");
    let since = parse_rfc3339(text("lastTransitionTime")).unwrap_or_default();
    NodeSeen::NotReady(text("status").to_owned(), since, out)
}

/// Pods that use claims which do not go: they are what the protection of a claim waits for, ended ones too
/// (`pkg/controller/volume/pvcprotection`).
async fn users(pace: &mut Pace, held: &[Held], seen: &mut Evidence) {
    let claims =
        held.iter().filter(|h| h.gvk.group.is_empty() && h.gvk.kind == "PersistentVolumeClaim");
    let paths: BTreeSet<String> = claims.map(Held::path).collect();
    let places: BTreeSet<&str> = paths.iter().filter_map(|p| Some(p.split_once('/')?.0)).collect();
    for namespace in places.into_iter().take(FEW) {
        let mut found = vec![];
        let text = |v: &Value, at: &str| {
            v.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let read = pace.each(&path, PAGES, |pod| {
            for volume in
                pod.pointer("/spec/volumes").and_then(Value::as_array).into_iter().flatten()
            {
                let claim = text(volume, "/persistentVolumeClaim/claimName");
                found.push((format!("{namespace}/{claim}"), text(&pod, "/metadata/name")));
            }
        });
        match read.await {
            Ok(true) => {}
            Ok(false) => continue,
            Err(fault) => {
                seen.unread.push(format!("pods in {namespace} could not be read: {fault}"));
                continue;
            }
        }
        for path in
            paths.iter().filter(|p| p.split_once('/').is_some_and(|(ns, _)| ns == namespace))
        {
            let pods = found.iter().filter(|(claim, _)| claim == path).map(|(_, pod)| pod.clone());
            seen.users.insert(path.clone(), pods.collect());
        }
    }
}

/// Warnings about these objects. One read of all warnings is less than one for each object.
async fn warnings(pace: &mut Pace, held: &[Held], seen: &mut Evidence) {
    let about: BTreeSet<&str> =
        held.iter().map(|h| h.uid.as_str()).filter(|u| !u.is_empty()).collect();
    let text = |event: &Value, at: &str| {
        event.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut found: BTreeMap<String, Vec<(Epoch, String, String)>> = BTreeMap::new();
    let which = match about.first() {
        Some(uid) if about.len() == 1 => format!("type=Warning,involvedObject.uid={uid}"),
        _ => "type=Warning".to_owned(),
    };
    let path = format!("/api/v1/events?fieldSelector={}", encode(&which));
    let read = pace.each(&path, OF_EVENTS, |event| {
        let uid = text(&event, "/involvedObject/uid");
        if about.contains(uid.as_str()) {
            let times =
                ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp"];
            let at = times.iter().find_map(|t| parse_rfc3339(&text(&event, t))).unwrap_or_default();
            let warning = (at, text(&event, "/reason"), text(&event, "/message"));
            found.entry(uid).or_default().push(warning);
        }
    });
    match read.await {
        Ok(true) => {}
        Ok(false) => seen.unread.push("only the first warnings were read".into()),
        Err(fault) => seen.unread.push(format!("events could not be read: {fault}")),
    }
    seen.warnings = found;
}
