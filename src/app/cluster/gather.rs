//! The world that pods are placed in, read in pages: whole specs are needed, so rows do not serve.
//!
//! Invariant: an object is dropped as soon as what placing needs was read from it, so that 150,000 pods take as many
//! facts and not as many documents.

use super::request::encode;
use super::session::{Fault, get};
use crate::actions::landing::{NodeFacts, PodSpec, Volumes, World};
use kube::Client;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Objects of a page.
const PAGE: u32 = 1000;
/// Pods between two tellings.
const TOLD: usize = 1000;
/// Longest wait for one.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(60));

/// What was read.
pub struct Gathered {
    /// Nodes, pods, volumes.
    pub world: World,
    /// What could not be read, a sentence each.
    pub unread: Vec<String>,
}

/// Reads nodes and pods of all namespaces, and volumes and labels of namespaces as far as rights go.
///
/// `told` hears now and then how many pods were read, `look` sees each of them as it is read.
///
/// # Errors
/// Nodes or pods cannot be read.
pub async fn gather(
    client: &Client,
    told: &(dyn Fn(usize) + Sync),
    mut look: impl FnMut(&Value),
) -> Result<Gathered, Fault> {
    let mut nodes = vec![];
    each(client, "/api/v1/nodes", |node| nodes.push(NodeFacts::of(&node))).await?;
    let mut pods = vec![];
    each(client, "/api/v1/pods", |pod| {
        look(&pod);
        pods.push(PodSpec::of(&pod));
        if pods.len() % TOLD == 0 {
            told(pods.len());
        }
    })
    .await?;
    let mut unread = vec![];
    let mut rest = BTreeMap::new();
    let paths = [
        ("namespaces", "/api/v1/namespaces"),
        ("persistentvolumeclaims", "/api/v1/persistentvolumeclaims"),
        ("persistentvolumes", "/api/v1/persistentvolumes"),
        ("storageclasses", "/apis/storage.k8s.io/v1/storageclasses"),
    ];
    for (name, path) in paths {
        let mut found = vec![];
        if let Err(fault) = each(client, path, |object| found.push(object)).await {
            unread
                .push(format!("{name} could not be read, rules about them are left out: {fault}"));
        }
        rest.insert(name, found);
    }
    let of = |name| rest.get(name).map_or(&[][..], Vec::as_slice);
    let name = |v: &Value| v["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let labels = |v: &Value| {
        let pairs = v["metadata"]["labels"].as_object().into_iter().flatten();
        pairs.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect()
    };
    let namespaces: HashMap<_, _> = of("namespaces").iter().map(|v| (name(v), labels(v))).collect();
    let volumes =
        Volumes::of(of("persistentvolumeclaims"), of("persistentvolumes"), of("storageclasses"));
    Ok(Gathered { world: World::new(nodes, pods, namespaces, volumes), unread })
}

/// Every object of a collection, page by page. A list that expires on the way is an error: what
/// was seen of it is of another moment than the rest would be.
///
/// # Errors
/// Whatever kept a page from coming. Objects may have been seen before that.
pub async fn each(client: &Client, path: &str, mut take: impl FnMut(Value)) -> Result<(), Fault> {
    let mut next = String::new();
    let mark = if path.contains('?') { '&' } else { '?' };
    loop {
        let with =
            if next.is_empty() { String::new() } else { format!("&continue={}", encode(&next)) };
        let answer = get(client, &format!("{path}{mark}limit={PAGE}{with}"), DEADLINE).await?;
        let mut page: Value = serde_json::from_slice(&answer.body).map_err(|_| {
            Fault::Foreign(format!("{path} was asked for in JSON and came as something else"))
        })?;
        if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
            items.into_iter().for_each(&mut take);
        }
        next = page
            .pointer("/metadata/continue")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if next.is_empty() {
            return Ok(());
        }
    }
}
