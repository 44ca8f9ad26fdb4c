//! What each part of the health board reads; `called` and `counted` have the rest of it. Only GETs: lists are answered from the API server's watch cache
//! (resourceVersion=0, never with a limit), so that looking every few seconds costs etcd nothing.

use super::{Parts, Reading, called, counted};
use crate::app::cluster::decode::{ListReader, Malformed, Plan};
use crate::app::cluster::raw::answered;
use crate::app::cluster::request::{Accept, encode, open, read};
use crate::app::cluster::session::{CertificateFacts, Fault, Place, Seen, get};
use crate::app::cluster::upstream::Upstream;
use crate::state::parcel::Draft;
use crate::state::rules::health::{
    Certificate, Component, Facts, Holder, Lease, Node, Papers, SHAPE, Status,
};
use crate::state::time::Epoch;
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Looks at what must be told within 10 s, and the longest wait for each.
/// A server whose etcd hangs gives each of two checks 2 s before it says so (`--etcd-readycheck-timeout`).
const SOON: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(6));
/// Time to the next look at leases while a leader is late.
const AGAIN: Duration = Duration::from_secs(1);
/// Looks at APIs: one that falls silent right after a look is told by the next, 4 s later and after 4 s of silence.
const APIS: (Duration, Duration) = (Duration::from_secs(4), called::LIMIT);
/// Looks at webhooks, which read more.
const WEBHOOKS: (Duration, Duration) = (Duration::from_secs(5), called::LIMIT);
/// Looks at what changes by hand.
const SELDOM: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(30));
/// Looks at what changes once a year.
const RARELY: (Duration, Duration) = (Duration::from_secs(900), Duration::from_secs(20));
/// A list of checks is some kilobytes.
const CHECKS: usize = 1 << 20;
/// Nodes of a page.
const NODES: u32 = 500;

const KUBE_SYSTEM_LEASES: &str =
    "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases?resourceVersion=0";
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
        facts.is_leader_late().then_some(AGAIN)
    });
    parts.every(APIS, |f| &mut f.services, |up| Box::pin(async move { called::apis(&up).await }));
    parts.every(
        WEBHOOKS,
        |f| &mut f.webhooks,
        |up| Box::pin(async move { called::webhooks(&up).await }),
    );
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
    parts.put(
        RARELY,
        |up| Box::pin(async move { Ok(certificates(up).await) }),
        |facts, look, at| {
            match look {
                Ok(papers) => facts.put_certificates(papers, at),
                Err(trouble) => facts.certificates.put(Err(trouble), at),
            }
            again(facts, at)
        },
    );
    let (up, shared) = (parts.up.clone(), parts.shared.clone());
    parts.set.spawn(async move { counted::calls(up, shared).await });
}

/// When certificates are looked at again: before one is called expired it is seen once more, and what was not to be seen may be
/// soon.
fn again(facts: &Facts, at: Epoch) -> Option<Duration> {
    let seconds = facts.certificate_ends_in(at).map(|left| left.max(10) as u64 + 1);
    let seen = facts.certificates.seen.as_ref();
    let hidden = seen.is_none_or(|(_, papers)| papers.hidden.is_some()).then_some(60);
    seconds.into_iter().chain(hidden).min().map(Duration::from_secs)
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

pub(super) async fn items(up: &Upstream, path: &str) -> Result<(Vec<Value>, Option<i64>), Fault> {
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

async fn certificates(up: Arc<Upstream>) -> Papers {
    let Some(papers) = up.papers.get() else { return Papers::default() };
    let Seen { all, hidden } = papers.look().await;
    let at = (up.clock)();
    let mut all: Vec<(Epoch, Certificate)> =
        all.into_iter().map(|(place, facts)| (at, certificate(place, facts))).collect();
    // A row a certificate: of several authorities each has its subject in the name.
    for at in 1..all.len() {
        if all[..at].iter().any(|(_, before)| before.name == all[at].1.name) {
            let certificate = &mut all[at].1;
            certificate.name =
                format!("{} ({}: {})", certificate.name, at + 1, certificate.subject);
        }
    }
    Papers { all, hidden }
}

fn certificate(place: Place, facts: CertificateFacts) -> Certificate {
    let (holder, name, then) = match place {
        Place::Serving => (
            Holder::Server,
            "API server, serving",
            "nobody reaches the API server afterwards; renew it (kubeadm certs renew apiserver) and restart the server",
        ),
        Place::Between => (
            Holder::Server,
            "API server, between it and its authority",
            "nobody trusts the API server's certificate afterwards; put a newer one into the server's certificate file",
        ),
        Place::Loopback => (
            Holder::Loopback,
            "API server, loopback",
            "the API server no longer reaches itself afterwards; a restart makes a new one",
        ),
        Place::Client => (
            Holder::Client,
            "client, of this kubeconfig",
            "you are locked out afterwards; have it renewed, or log in again",
        ),
        Place::Authority => (
            Holder::Authority,
            "authority, trusted by this kubeconfig",
            "everything it signed is invalid afterwards; a new authority must be rolled out before",
        ),
    };
    Certificate {
        name: name.to_owned(),
        holder,
        subject: facts.subject,
        issuer: facts.issuer,
        valid: (Epoch(facts.not_before.as_second()), Epoch(facts.not_after.as_second())),
        then,
    }
}
