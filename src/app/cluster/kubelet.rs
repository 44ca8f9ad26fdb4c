//! One node's kubelet, asked through the API server's node proxy: only when somebody opens its page, one request after the
//! other, since a summary is not cheap for the kubelet.

use super::raw::{raw, stream};
use super::request::encode;
use super::session::{Fault, get};
use crate::state::doc::kubelet::{Answer, Seen, Unread, own};
use crate::state::metrics::{Parser, Scrape, Want};
use kube::Client;
use serde_json::Value;
use std::ops::ControlFlow;
use std::time::Duration;

/// Longest answer that is held whole: a summary of 250 pods has about 1 MB.
const LIMIT: usize = 32 << 20;
/// Pods of a page.
const PAGE: u32 = 500;
/// Longest wait for the node, and for a page of its pods.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(10));

const RESOURCE: [Want; 4] = [
    Want::total("node_memory_working_set_bytes"),
    Want::by("container_memory_working_set_bytes", &["namespace", "pod", "container"]),
    Want::total("resource_scrape_error"),
    Want::total("scrape_error"),
];

const OF_CONTAINER: &[&str] = &["namespace", "pod", "container"];

const CADVISOR: [Want; 4] = [
    Want::by("container_cpu_cfs_periods_total", OF_CONTAINER),
    Want::by("container_cpu_cfs_throttled_periods_total", OF_CONTAINER),
    Want::by("container_cpu_cfs_throttled_seconds_total", OF_CONTAINER),
    Want::by("container_oom_events_total", OF_CONTAINER),
];

const PROBES: [Want; 1] =
    [Want::by("prober_probe_total", &["namespace", "pod", "container", "probe_type", "result"])];

/// Reads every page of a node's kubelet; what is refused or broken is told in its place. After a refusal by the API server
/// nothing more is asked: all pages take the same right. Nor is it after a first page that nobody answered: each of the others
/// would take as long to say the same of a dead node.
pub async fn look(client: &Client, node: &str) -> Seen {
    let mut asker = Asker { client, node, cost: (0, 0), last_word: None };
    let health = asker.text("healthz").await;
    let summary = asker.json("stats/summary").await;
    let own = asker.scrape("metrics", &own::wants()).await;
    let resource = asker.scrape("metrics/resource", &RESOURCE).await;
    let cadvisor = asker.scrape("metrics/cadvisor", &CADVISOR).await;
    let probes = asker.scrape("metrics/probes", &PROBES).await;
    let config = asker.json("configz").await;
    let told = summary.is_ok() || resource.is_ok();
    let pods = match told {
        true => asker.pods().await.map_err(|fault| fault.to_string()),
        false => Ok(vec![]),
    };
    let object = match told {
        true => asker.object().await.map_err(|fault| fault.to_string()),
        false => Ok(Value::Null),
    };
    let cost = asker.cost;
    Seen {
        node: node.to_owned(),
        health,
        summary,
        own,
        resource,
        cadvisor,
        probes,
        config,
        object,
        pods,
        cost,
    }
}

struct Asker<'a> {
    client: &'a Client,
    node: &'a str,
    cost: (u32, u64),
    /// What is said of all pages that follow.
    last_word: Option<Unread>,
}

impl Asker<'_> {
    fn path(&mut self, page: &str) -> Answer<String> {
        if let Some(why) = &self.last_word {
            return Err(why.clone());
        }
        self.cost.0 += 1;
        Ok(format!("/api/v1/nodes/{}/proxy/{page}", encode(self.node)))
    }

    fn refused(&mut self, fault: Fault) -> Unread {
        let dead = self.cost.0 == 1 && is_silence(&fault);
        let why = unread(fault);
        if dead || matches!(why, Unread::Denied(_)) {
            self.last_word = Some(why.clone());
        }
        why
    }

    async fn text(&mut self, page: &str) -> Answer<String> {
        let path = self.path(page)?;
        let answer = raw(self.client, &path, LIMIT).await.map_err(|fault| self.refused(fault))?;
        self.cost.1 += answer.body.len() as u64;
        Ok(answer.text())
    }

    async fn json(&mut self, page: &str) -> Answer<Value> {
        let text = self.text(page).await?;
        serde_json::from_str(&text)
            .map_err(|_| Unread::Failed("the kubelet answered something that is no JSON".into()))
    }

    async fn scrape(&mut self, page: &str, wants: &[Want]) -> Answer<Scrape> {
        let path = self.path(page)?;
        let mut parser = Parser::new(wants);
        let read = stream(self.client, &path, |piece| {
            parser.feed(piece);
            ControlFlow::Continue(())
        })
        .await;
        read.map_err(|fault| self.refused(fault))?;
        let scrape = parser.end();
        self.cost.1 += scrape.cost.bytes;
        Ok(scrape)
    }

    /// One answer of the API server itself.
    async fn own(&mut self, path: &str) -> Result<Value, Fault> {
        self.cost.0 += 1;
        let answer = get(self.client, path, DEADLINE).await?;
        self.cost.1 += answer.body.len() as u64;
        let broken = |_| Fault::Foreign(format!("{path} answered something that is not JSON"));
        serde_json::from_slice(&answer.body).map_err(broken)
    }

    async fn object(&mut self) -> Result<Value, Fault> {
        self.own(&format!("/api/v1/nodes/{}", encode(self.node))).await
    }

    async fn pods(&mut self) -> Result<Vec<Value>, Fault> {
        let selector = encode(&format!("spec.nodeName={}", self.node));
        let (mut all, mut next) = (vec![], String::new());
        loop {
            let path = format!("/api/v1/pods?limit={PAGE}&fieldSelector={selector}{next}");
            let mut list = self.own(&path).await?;
            if let Some(Value::Array(pods)) = list.get_mut("items").map(Value::take) {
                all.extend(pods);
            }
            match list.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(more) if !more.is_empty() => next = format!("&continue={}", encode(more)),
                _ => return Ok(all),
            }
        }
    }
}

/// Whether a fault says that nobody is there who could answer: the API server's own words for a kubelet that it cannot reach are
/// 502, 503 and 504.
fn is_silence(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Timeout { .. }
            | Fault::Unreachable(_)
            | Fault::Throttled { .. }
            | Fault::Rejected { code: 502 | 504, .. }
    )
}

/// Whose refusal it is: the API server names a resource and a user of its own, a kubelet names the API server
/// (`Forbidden (user=..., verb=get, resource=nodes, subresource=...)`, kubelet `server.go`).
fn unread(fault: Fault) -> Unread {
    let words = fault.to_string();
    match fault {
        Fault::Forbidden { message, .. } if message.contains("Forbidden (user=") => {
            Unread::Distrusted(message)
        }
        Fault::Forbidden { message, .. } => Unread::Denied(message),
        Fault::Unauthenticated { .. } => Unread::Distrusted(words),
        _ => Unread::Failed(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cluster::session::{Lock, Meter, gated};
    use http::{Request, Response};
    use kube::client::Body;
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};
    use tower::service_fn;

    /// Looks at a node where everything is answered so; the paths that were asked for.
    async fn asked(
        answer: impl Fn(&str) -> (u16, &'static str) + Send + 'static,
    ) -> (Seen, Vec<String>) {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = asked.clone();
        let inner = service_fn(move |request: Request<Body>| {
            let path = request.uri().to_string();
            let (status, body) = answer(&path);
            log.lock().unwrap().push(path);
            let response = Response::builder().status(status).header("content-type", "text/plain");
            let response = response.body(Body::from(body.as_bytes().to_vec()));
            std::future::ready(Ok::<_, Infallible>(response.unwrap()))
        });
        let client = gated(inner, "default", Arc::new(Meter::default()), Lock::new(true));
        let seen = look(&client, "n1").await;
        let asked = asked.lock().unwrap().clone();
        (seen, asked)
    }

    #[tokio::test]
    async fn a_dead_node_is_asked_once_and_one_that_lost_a_page_for_all() {
        for code in [502, 503, 504] {
            let (seen, paths) =
                asked(move |_| (code, "dial tcp 10.0.0.1:10250: i/o timeout")).await;
            assert_eq!(paths.len(), 1, "{code}: {paths:?}");
            let Err(Unread::Failed(words)) = &seen.config else { panic!("{:?}", seen.config) };
            assert!(words.contains("i/o timeout"), "{words}");
            assert_eq!(seen.cost.0, 1);
        }
        let (seen, paths) = asked(|path| match path {
            path if path.ends_with("/healthz") => (500, "[-]syncloop failed"),
            path if path.ends_with("/stats/summary") => (503, "busy"),
            _ => (404, "404 page not found"),
        })
        .await;
        assert!(seen.health.is_err() && seen.summary.is_err());
        assert_eq!(paths.len(), 7, "{paths:?}");
    }

    #[tokio::test]
    async fn all_pods_of_the_node_are_read() {
        let (seen, paths) = asked(|path| match path {
            path if path.ends_with("/stats/summary") => (200, "{}"),
            path if path.contains("continue=next") => {
                (200, r#"{"items": [{"metadata": {"name": "b"}}]}"#)
            }
            path if path.starts_with("/api/v1/pods") => (
                200,
                r#"{"metadata": {"continue": "next"}, "items": [{"metadata": {"name": "a"}}]}"#,
            ),
            "/api/v1/nodes/n1" => (200, r#"{"status": {"allocatable": {"cpu": "4"}}}"#),
            _ => (404, "404 page not found"),
        })
        .await;
        assert_eq!(seen.pods.unwrap().len(), 2, "{paths:?}");
        assert_eq!(seen.object.unwrap()["status"]["allocatable"]["cpu"], "4");
        assert_eq!(seen.cost.0 as usize, paths.len());
    }

    #[test]
    fn a_refusal_by_the_kubelet_is_not_one_by_the_api_server() {
        let of = |message: &str| {
            unread(Fault::Forbidden {
                verb: "get".into(),
                what: "nodes/proxy".into(),
                message: message.into(),
            })
        };
        let own = "nodes \"n1\" is forbidden: User \"viewer\" cannot get resource \"nodes/proxy\"";
        assert!(matches!(of(own), Unread::Denied(_)));
        let theirs =
            "Forbidden (user=kube-apiserver, verb=get, resource=nodes, subresource=[stats])";
        assert!(matches!(of(theirs), Unread::Distrusted(_)));
    }
}
