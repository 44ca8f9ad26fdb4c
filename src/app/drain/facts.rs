//! What a plan is made from, read from the cluster: the nodes, their pods, what makes these again, budgets, services,
//! volumes. A few requests per node and owner, none of them for the whole cluster but that for budgets.

use super::mark;
use crate::actions::drain::budget::BudgetFacts;
use crate::actions::drain::classify::Known;
use crate::actions::drain::facts::{NodeFacts, Owner, PodFacts};
use crate::actions::drain::orders::Request;
use crate::actions::drain::plan::{Facts, ServiceFacts};
use crate::actions::drain::wire::Wire;
use crate::app::cluster::Client;
use crate::app::cluster::gather::each;
use crate::app::cluster::request::encode;
use crate::app::cluster::session::{Fault, Permit, get};
use crate::app::effects::change::send;
use crate::state::time::Epoch;
use futures_util::StreamExt as _;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Longest wait for one answer.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(30));
/// Requests at once.
const AT_ONCE: usize = 8;

/// Reads what a drain of these nodes is about. `now`: the server's time.
///
/// # Errors
/// A node or its pods cannot be read, in words. What else cannot be read is left out and said in the plan.
pub async fn gather(client: &Client, nodes: &[String], now: Epoch) -> Result<Facts, String> {
    let read = nodes.iter().cloned().map(|name| of_node(client, name));
    let mut read = futures_util::stream::iter(read).buffered(AT_ONCE);
    let mut facts = Facts::default();
    while let Some(node) = read.next().await {
        let (object, pods) = node?;
        facts.others.extend(mark::others(&object, now));
        facts.autoscalers.extend(leaving(&object));
        facts.nodes.push(NodeFacts::read(&object));
        facts.pods.extend(pods);
    }
    let mut budgets = vec![];
    let all = "/apis/policy/v1/poddisruptionbudgets";
    let told = each(client, all, |budget| budgets.push(BudgetFacts::read(&budget))).await;
    facts.budgets = told.is_ok().then_some(budgets);
    facts.known = known(client, &facts.pods).await;
    facts.services = services(client, &facts.pods).await;
    facts.autoscalers.extend(autoscalers(client).await);
    facts.refused = refused(client, &facts.nodes).await;
    Ok(facts)
}

/// Cordons that the server would refuse, by asking it with `dryRun=All`. A cockpit that is read-only asks nothing.
async fn refused(client: &Client, nodes: &[NodeFacts]) -> Vec<String> {
    let open: Vec<NodeFacts> = nodes.iter().filter(|n| !n.unschedulable).cloned().collect();
    let asked = open.into_iter().map(|node| async move {
        let request = Request::Cordon { node: node.name.clone(), uid: node.uid.clone() };
        let step = Wire::default().step(&request, None).ok()?;
        match send(client, Permit::DryRun, &step.request.dry()).await {
            Ok(_) | Err(Fault::ReadOnly(_)) => None,
            Err(fault) => {
                Some(format!("the server would refuse the cordon of {}: {fault}", node.name))
            }
        }
    });
    futures_util::stream::iter(asked).buffered(AT_ONCE).filter_map(|r| async { r }).collect().await
}

async fn of_node(client: &Client, name: String) -> Result<(Value, Vec<PodFacts>), String> {
    let words = |fault: Fault| format!("{name}: {fault}");
    let node = json(client, &format!("/api/v1/nodes/{}", encode(&name))).await.map_err(words)?;
    let pods = list_pods(client, &name).await.map_err(words)?;
    Ok((node, pods))
}

/// The pods of a node, as they are now: a consistent list.
///
/// # Errors
/// Whatever kept it from coming.
pub async fn list_pods(client: &Client, node: &str) -> Result<Vec<PodFacts>, Fault> {
    let mut pods = vec![];
    let field = encode(&format!("spec.nodeName={node}"));
    each(client, &format!("/api/v1/pods?fieldSelector={field}"), |pod| {
        pods.push(PodFacts::read(&pod));
    })
    .await?;
    Ok(pods)
}

/// What the pods alone do not tell: whether their controllers are there, and whether others of them are ready.
async fn known(client: &Client, pods: &[PodFacts]) -> BTreeMap<String, Known> {
    let mut owners: BTreeMap<(String, String), (Owner, usize)> = BTreeMap::new();
    for pod in pods.iter().filter(|p| !p.mirror) {
        let Some(owner) = &pod.owner else { continue };
        let key = (pod.namespace.clone(), owner.uid.clone());
        let (_, ready) = owners.entry(key).or_insert_with(|| (owner.clone(), 0));
        *ready += usize::from(pod.ready && pod.deletion.is_none());
    }
    let asked = owners.into_iter().map(|((namespace, uid), (owner, ready))| async move {
        (uid, look_up(client, &namespace, &owner, ready).await)
    });
    let by_owner: BTreeMap<String, Known> =
        futures_util::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
    let local = local_claims(client, pods).await;
    let of = |pod: &PodFacts| {
        let owner = pod.owner.as_ref().and_then(|o| by_owner.get(&o.uid));
        let mut known = owner.copied().unwrap_or_default();
        known.last_ready &= pod.ready;
        known.local_volume =
            pod.claims.iter().any(|c| local.contains(&(pod.namespace.clone(), c.clone())));
        (pod.uid.clone(), known)
    };
    pods.iter().map(of).collect()
}

/// `ready`: of its pods, those that are ready on the nodes of the plan.
async fn look_up(client: &Client, namespace: &str, owner: &Owner, ready: usize) -> Known {
    let mut known = Known::default();
    let Some(path) = path_of(namespace, owner) else { return known };
    match json(client, &path).await {
        Ok(object) => {
            known.owner_missing = object["metadata"]["uid"] != owner.uid.as_str();
            let all = object["status"]["readyReplicas"].as_u64();
            let counts = matches!(owner.kind.as_str(), "ReplicaSet" | "StatefulSet");
            known.last_ready = counts && all.unwrap_or(0) <= ready as u64;
        }
        Err(Fault::NotFound { .. }) => known.owner_missing = true,
        // Not allowed or not reachable: nothing is known, and nothing is claimed.
        Err(_) => {}
    }
    known
}

/// The URL path of a controller that kubectl looks up too (pkg/drain/filters.go, and the built-in kinds that own pods).
fn path_of(namespace: &str, owner: &Owner) -> Option<String> {
    let (root, plural) = match (owner.api_version.as_str(), owner.kind.as_str()) {
        ("apps/v1", "ReplicaSet") => ("/apis/apps/v1", "replicasets"),
        ("apps/v1", "StatefulSet") => ("/apis/apps/v1", "statefulsets"),
        ("apps/v1", "DaemonSet") => ("/apis/apps/v1", "daemonsets"),
        ("batch/v1", "Job") => ("/apis/batch/v1", "jobs"),
        ("v1", "ReplicationController") => ("/api/v1", "replicationcontrollers"),
        _ => return None,
    };
    Some(format!("{root}/namespaces/{namespace}/{plural}/{}", encode(&owner.name)))
}

/// Claims that are bound to a volume on one node.
async fn local_claims(client: &Client, pods: &[PodFacts]) -> BTreeSet<(String, String)> {
    let claims: BTreeSet<(String, String)> = pods
        .iter()
        .flat_map(|p| p.claims.iter().map(|c| (p.namespace.clone(), c.clone())))
        .collect();
    let asked = claims.into_iter().map(|(namespace, claim)| async move {
        let path =
            format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims/{}", encode(&claim));
        let bound = json(client, &path).await.ok()?;
        let volume = bound["spec"]["volumeName"].as_str()?;
        let volume = format!("/api/v1/persistentvolumes/{}", encode(volume));
        let spec = json(client, &volume).await.ok()?["spec"].take();
        let local = !spec["local"].is_null() || !spec["hostPath"].is_null();
        local.then_some((namespace, claim))
    });
    futures_util::stream::iter(asked)
        .buffer_unordered(AT_ONCE)
        .filter_map(|c| async { c })
        .collect()
        .await
}

/// Ready endpoints of every service in the pods' namespaces.
async fn services(client: &Client, pods: &[PodFacts]) -> Vec<ServiceFacts> {
    let owned =
        |p: &&PodFacts| !p.mirror && p.owner.as_ref().is_some_and(|o| o.kind != "DaemonSet");
    let namespaces: BTreeSet<String> =
        pods.iter().filter(owned).map(|p| p.namespace.clone()).collect();
    let asked = namespaces.into_iter().map(|namespace| async move {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
        // Without the right to read them nothing is said of services.
        let _ = each(client, &path, |slice| {
            let service = slice["metadata"]["labels"]["kubernetes.io/service-name"].as_str();
            let Some(service) = service else { return };
            let ready = found.entry(format!("{namespace}/{service}")).or_default();
            let endpoints = slice["endpoints"].as_array().into_iter().flatten();
            let live = endpoints.filter(|e| e["conditions"]["ready"] != false);
            ready.extend(live.filter_map(|e| e["targetRef"]["uid"].as_str()).map(str::to_owned));
        })
        .await;
        found
    });
    let found: Vec<_> = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
    let all = found.into_iter().flatten();
    let mut all: Vec<ServiceFacts> =
        all.map(|(path, ready)| ServiceFacts { path, ready }).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// What changes the number of nodes by itself.
async fn autoscalers(client: &Client) -> Vec<String> {
    let mut found = vec![];
    let status = "/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status";
    if json(client, status).await.is_ok() {
        found.push("the cluster autoscaler works here: it may add nodes for what moves, and remove empty ones".to_owned());
    }
    if json(client, "/apis/karpenter.sh").await.is_ok() {
        found.push(
            "Karpenter works here: it may add nodes for what moves, and drain nodes itself"
                .to_owned(),
        );
    }
    found
}

/// Marks of autoscalers on a node that they are about to remove.
fn leaving(node: &Value) -> Option<String> {
    let taints = node["spec"]["taints"].as_array().into_iter().flatten();
    let marks = [
        "ToBeDeletedByClusterAutoscaler",
        "DeletionCandidateOfClusterAutoscaler",
        "karpenter.sh/disrupted",
    ];
    let key = taints.filter_map(|t| t["key"].as_str()).find(|k| marks.contains(k))?;
    let name = node["metadata"]["name"].as_str().unwrap_or_default();
    Some(format!("{name} carries {key}: an autoscaler is about to remove it"))
}

async fn json(client: &Client, path: &str) -> Result<Value, Fault> {
    let answer = get(client, path, DEADLINE).await?;
    serde_json::from_slice(&answer.body)
        .map_err(|_| Fault::Foreign(format!("{path} answered something that is not JSON")))
}
