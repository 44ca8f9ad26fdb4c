//! What the pods are, by a fresh list in pages and a client that is not ours.

use super::controlplane::ControlPlane;
use super::live::Seen;
use serde::Deserialize;
use std::collections::BTreeSet;

/// A pod by namespace, name, uid and version.
pub type Pod = (String, String, String, u64);

#[derive(Deserialize)]
struct List {
    metadata: Page,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "continue", default)]
    next: String,
}

#[derive(Deserialize)]
struct Item {
    metadata: Meta,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    namespace: String,
    name: String,
    uid: String,
    #[serde(rename = "resourceVersion")]
    version: String,
}

/// The pods now.
pub fn pods(lab: &ControlPlane) -> BTreeSet<Pod> {
    let mut all = BTreeSet::new();
    let mut next = String::new();
    loop {
        let path = format!("/api/v1/pods?limit=2500&continue={next}");
        let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        let reply = lab.request_as(accept, &path).expect("the server answers");
        let list: List = serde_json::from_slice(&reply.body).unwrap_or_else(|e| {
            panic!("{e}: {}", String::from_utf8_lossy(&reply.body[..reply.body.len().min(300)]))
        });
        all.extend(list.items.into_iter().map(|Item { metadata: m }| {
            (m.namespace, m.name, m.uid, m.version.parse().unwrap_or_default())
        }));
        if list.metadata.next.is_empty() {
            return all;
        }
        next = list.metadata.next;
    }
}

/// What is shown of one.
pub fn of(seen: Seen) -> Pod {
    (seen.namespace, seen.name, seen.uid, seen.version)
}
