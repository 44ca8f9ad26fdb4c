//! What each part of the health board reads. Only GETs: lists are answered from the API server's watch cache
//! (resourceVersion=0, never with a limit), so that looking every few seconds costs etcd nothing.

use super::{Parts, Reading, Shared, trouble};
use crate::app::cluster::decode::{ListReader, Malformed, Plan};
use crate::app::cluster::raw::answered;
use crate::app::cluster::request::{Accept, encode, open, read};
use crate::app::cluster::scrape::{EVERY, Reading as Scraped};
use crate::app::cluster::session::{Fault, Place, get};
use crate::app::cluster::upstream::Upstream;
use crate::state::metrics::{Scrape, Span, Want};
use crate::state::parcel::Draft;
use crate::state::rules::health::{
    ApiService, Backend, Calls, Certificate, Component, Lease, Node, SHAPE, Status, Webhook, Writes,
};
use crate::state::time::Epoch;
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Looks at what must be told within 10 s, and the longest wait for each.
/// A server whose etcd hangs gives each of two checks 2 s before it says so (`--etcd-readycheck-timeout`).
const SOON: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(6));
/// Looks at what is larger.
const OFTEN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(4));
/// Looks at what changes by hand.
const SELDOM: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(30));
/// Looks at what changes once a year.
const RARELY: (Duration, Duration) = (Duration::from_secs(900), Duration::from_secs(20));
/// A list of checks is some kilobytes.
const CHECKS: usize = 1 << 20;
/// Nodes of a page.
const NODES: u32 = 500;
/// Services looked into for webhooks; a cluster with more has its webhooks behind few of them.
const SERVICES: usize = 40;

const KUBE_SYSTEM_LEASES: &str =
    "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases?resourceVersion=0";
const API_SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices?resourceVersion=0";
const CONTROL_PLANE: &str =
    "/api/v1/namespaces/kube-system/pods?labelSelector=tier%3Dcontrol-plane";

/// Starts every part.
pub(super) fn all(parts: &mut Parts<'_>) {
    parts.every(SOON, |f| &mut f.readyz, |up| Box::pin(checks(up, "/readyz?verbose")));
    parts.every(SOON, |f| &mut f.livez, |up| Box::pin(checks(up, "/livez?verbose")));
    parts.put(SOON, leases, |facts, look, at| {
        if let Ok((_, Some(date))) = &look {
            facts.skew = date - at.0;
        }
        facts.put_leases(look.map(|(leases, _)| leases), at);
    });
    parts.every(
        OFTEN,
        |f| &mut f.services,
        |up| Box::pin(async move { list(&up, API_SERVICES, ApiService::of).await }),
    );
    parts.every(OFTEN, |f| &mut f.webhooks, |up| Box::pin(async move { webhooks(&up).await }));
    parts.every(
        SELDOM,
        |f| &mut f.statuses,
        |up| Box::pin(async move { list(&up, "/api/v1/componentstatuses", Status::of).await }),
    );
    parts.every(SELDOM, |f| &mut f.nodes, |up| Box::pin(async move { nodes(&up).await }));
    parts.every(
        SELDOM,
        |f| &mut f.components,
        |up| Box::pin(async move { list(&up, CONTROL_PLANE, Component::of).await }),
    );
    parts.every(SELDOM, |f| &mut f.version, |up| Box::pin(async move { version(&up).await }));
    parts.every(
        RARELY,
        |f| &mut f.certificates,
        |up| Box::pin(async move { Ok(certificates(&up).await) }),
    );
    let (up, shared) = (parts.up.clone(), parts.shared.clone());
    parts.set.spawn(async move { calls(up, shared).await });
}

/// The text of a health endpoint, whether it passes or not.
async fn checks(up: Arc<Upstream>, path: &'static str) -> Result<String, Fault> {
    let (status, raw) = answered(&up.client, path, CHECKS).await?;
    if status.is_success() || status.as_u16() == 500 {
        return Ok(raw.text());
    }
    let bare = path.split('?').next().unwrap_or(path);
    Err(Fault::of_answer(&Method::GET, bare, status, &raw.headers, &raw.body))
}

/// The items of a list that is small.
async fn list<T>(up: &Upstream, path: &str, of: fn(&Value) -> T) -> Result<Vec<T>, Fault> {
    Ok(items(up, path).await?.0.iter().map(of).collect())
}

async fn items(up: &Upstream, path: &str) -> Result<(Vec<Value>, Option<i64>), Fault> {
    let answer = get(&up.client, path, None).await?;
    let mut body: Value = serde_json::from_slice(&answer.body)
        .map_err(|_| Fault::Foreign(format!("{path} answered something that is not JSON")))?;
    match body.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok((items, answer.date)),
        _ => Ok((vec![], answer.date)),
    }
}

fn leases(up: Arc<Upstream>) -> Reading<(Vec<Lease>, Option<i64>)> {
    Box::pin(async move {
        let (items, date) = items(&up, KUBE_SYSTEM_LEASES).await?;
        Ok((items.iter().map(Lease::of).collect(), date))
    })
}

/// Webhooks of both sorts, with what stands behind those that have a service.
async fn webhooks(up: &Upstream) -> Result<Vec<Webhook>, Fault> {
    let mut all = vec![];
    for kind in ["validating", "mutating"] {
        let path = format!(
            "/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations?resourceVersion=0"
        );
        for config in items(up, &path).await?.0 {
            all.extend(Webhook::of(&config, kind));
        }
    }
    let mut known = HashMap::<(String, String), Backend>::new();
    for webhook in all.iter_mut().filter(|webhook| webhook.url.is_empty()) {
        webhook.backend = match known.get(&webhook.service) {
            Some(backend) => *backend,
            None if known.len() >= SERVICES => Backend::Elsewhere,
            None => {
                let backend = backend(up, &webhook.service).await;
                known.insert(webhook.service.clone(), backend);
                backend
            }
        };
    }
    Ok(all)
}

/// Ready endpoints of a service; what may not be read is elsewhere.
async fn backend(up: &Upstream, (namespace, name): &(String, String)) -> Backend {
    let path = format!("/api/v1/namespaces/{namespace}/services/{name}?resourceVersion=0");
    let service = match get(&up.client, &path, None).await {
        Ok(answer) => serde_json::from_slice::<Value>(&answer.body).unwrap_or_default(),
        Err(Fault::NotFound { .. }) => return Backend::NoService,
        Err(_) => return Backend::Elsewhere,
    };
    if service["spec"]["type"] == "ExternalName" {
        return Backend::Elsewhere;
    }
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?resourceVersion=0&labelSelector=kubernetes.io%2Fservice-name%3D{name}"
    );
    let Ok((slices, _)) = items(up, &path).await else { return Backend::Elsewhere };
    // A condition that is absent counts as ready (discovery/v1 EndpointConditions).
    let endpoints =
        slices.iter().flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
    Backend::Ready(endpoints.filter(|e| e["conditions"]["ready"] != false).count())
}

/// Nodes in pages, each page walked as it arrives: of a node few words are kept, and never a page.
async fn nodes(up: &Upstream) -> Result<Vec<Node>, Fault> {
    let (plan, mut draft) = (Plan::new(&SHAPE, 0), Draft::default());
    let (mut nodes, mut next) = (vec![], String::new());
    let unread = |malformed: Malformed| Fault::Foreign(malformed.to_string());
    loop {
        let path = format!("/api/v1/nodes?limit={NODES}{next}");
        let (encoding, mut body) = open(&up.client, read(&path, Accept::Any)?).await?;
        let mut reader = ListReader::new(encoding);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Fault::of_error(&error))?;
            let Ok(data) = frame.into_data() else { continue };
            up.pulse.heard();
            reader.push(&data);
            while let Some(item) = reader.next_item().map_err(unread)? {
                plan.read(encoding, item, &mut draft).map_err(unread)?;
                nodes.push(Node::of(&draft));
            }
        }
        let meta = reader.end().map_err(|_| unread(Malformed("the list was cut off")))?;
        if meta.next.is_empty() {
            return Ok(nodes);
        }
        next = format!("&continue={}", encode(&meta.next));
    }
}

async fn version(up: &Upstream) -> Result<String, Fault> {
    let answer = get(&up.client, "/version", None).await?;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match body["gitVersion"].as_str() {
        Some(version) => Ok(version.to_owned()),
        None => Err(Fault::Foreign("/version names none".into())),
    }
}

async fn certificates(up: &Upstream) -> Vec<Certificate> {
    let Some(papers) = up.papers.get() else { return vec![] };
    let papers = papers.look().await;
    let named = papers.into_iter().map(|(place, facts)| {
        let (name, then) = match place {
            Place::Serving => (
                "API server, serving",
                "nobody reaches the API server afterwards; renew it (kubeadm certs renew apiserver) and restart the server",
            ),
            Place::Loopback => (
                "API server, loopback",
                "the API server no longer reaches itself afterwards; a restart makes a new one",
            ),
            Place::Client => ("client, of this kubeconfig", "you are locked out afterwards; have it renewed, or log in again"),
            Place::Authority => (
                "authority, trusted by this kubeconfig",
                "everything it signed is invalid afterwards; a new authority must be rolled out before",
            ),
        };
        Certificate {
            name: name.to_owned(),
            subject: facts.subject,
            valid: (Epoch(facts.not_before.as_second()), Epoch(facts.not_after.as_second())),
            then,
        }
    });
    let mut all: Vec<Certificate> = named.collect();
    // A row a certificate: of several authorities each has its subject in the name.
    for at in 1..all.len() {
        if all[..at].iter().any(|before| before.name == all[at].name) {
            all[at].name = format!("{} ({}: {})", all[at].name, at + 1, all[at].subject);
        }
    }
    all
}

const ETCD: &str = "etcd_request_duration_seconds";
const ETCD_ERRORS: &str = "etcd_request_errors_total";
const REFUSED: &str = "apiserver_admission_webhook_rejection_count";
const PASSED: &str = "apiserver_admission_webhook_fail_open_count";
/// Operations that write (apiserver `pkg/storage/etcd3/metrics`).
const WRITES: [&str; 3] = ["create", "update", "delete"];

/// What its parts want of each scrape.
pub(in crate::app::cluster) fn wants() -> [Want; 4] {
    [
        Want::by(ETCD, &["operation"]),
        Want::by(ETCD_ERRORS, &["operation"]),
        Want::by(REFUSED, &["name", "error_type"]),
        Want::by(PASSED, &["name"]),
    ]
}

/// What changed from one scrape of a process to its next, over and over.
async fn calls(up: Arc<Upstream>, shared: Arc<Shared>) {
    let mut before: Vec<Arc<Scraped>> = vec![];
    let mut seen = 0;
    loop {
        let look = up.scrapes.next(&up.client, seen).await;
        let failed = look.is_err();
        let look = look.map_err(trouble).map(|reading| {
            seen = reading.number;
            let same = |old: &Arc<Scraped>| old.now.started == reading.now.started;
            let last = before.iter().position(same).map(|at| before.remove(at));
            let grown = last.and_then(|last| grown(&last, &reading));
            before.push(reading);
            // More servers than that do not stand behind one address.
            if before.len() > 9 {
                before.remove(0);
            }
            grown
        });
        shared.facts().calls.put(look, (up.clock)());
        shared.news.notify_one();
        if failed {
            sleep(EVERY).await;
        }
    }
}

fn grown(before: &Scraped, now: &Scraped) -> Option<Calls> {
    // Readings are numbered, their distance in time is known by how long ago each was taken.
    let seconds = before.age().as_secs_f64() - now.age().as_secs_f64();
    let span = Span::new(&before.now, &now.now, seconds).ok()?;
    let mut calls = Calls::default();
    calls.writes.seconds = seconds;
    for (labels, growth) in span.grown(REFUSED, &["name", "error_type"]) {
        // A webhook that refuses does its work; one that cannot be called does not.
        if labels[1] == "calling_webhook_error" || labels[1] == "apiserver_internal_error" {
            *calls.failed.entry(labels[0].clone()).or_default() += growth.count;
        }
    }
    for (labels, growth) in span.grown(PASSED, &["name"]) {
        *calls.failed.entry(labels[0].clone()).or_default() += growth.count;
    }
    calls.writes = Writes { seconds, ..writes(&span, &now.now) };
    Some(calls)
}

fn writes(span: &Span<'_>, now: &Scrape) -> Writes {
    let sum = |family| {
        let grown = span.grown(family, &["operation"]).into_iter();
        let writes = grown.filter(|(labels, _)| WRITES.contains(&labels[0].as_str()));
        writes.map(|(_, growth)| growth.count).sum::<f64>()
    };
    match now.has(ETCD) {
        true => Writes { tried: sum(ETCD), failed: sum(ETCD_ERRORS), seconds: 0.0 },
        false => Writes::default(),
    }
}
