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
/// Longest wait for the pods of the node.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(10));

const RESOURCE: [Want; 3] = [
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
/// nothing more is asked: all pages take the same right.
pub async fn look(client: &Client, node: &str) -> Seen {
    let mut asker = Asker { client, node, cost: (0, 0), denied: None };
    let health = asker.text("healthz").await;
    let summary = asker.json("stats/summary").await;
    let own = asker.scrape("metrics", &own::wants()).await;
    let resource = asker.scrape("metrics/resource", &RESOURCE).await;
    let cadvisor = asker.scrape("metrics/cadvisor", &CADVISOR).await;
    let probes = asker.scrape("metrics/probes", &PROBES).await;
    let config = asker.json("configz").await;
    let pods = match &summary {
        Ok(_) => pods(client, node).await.map_err(|fault| fault.to_string()),
        Err(_) => Ok(vec![]),
    };
    let (requests, read) = asker.cost;
    let cost = (requests + u32::from(summary.is_ok()), read);
    Seen {
        node: node.to_owned(),
        health,
        summary,
        own,
        resource,
        cadvisor,
        probes,
        config,
        pods,
        cost,
    }
}

struct Asker<'a> {
    client: &'a Client,
    node: &'a str,
    cost: (u32, u64),
    denied: Option<Unread>,
}

impl Asker<'_> {
    fn path(&mut self, page: &str) -> Answer<String> {
        if let Some(denied) = &self.denied {
            return Err(denied.clone());
        }
        self.cost.0 += 1;
        Ok(format!("/api/v1/nodes/{}/proxy/{page}", encode(self.node)))
    }

    fn refused(&mut self, fault: Fault) -> Unread {
        let why = unread(fault);
        if matches!(why, Unread::Denied(_)) {
            self.denied = Some(why.clone());
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

async fn pods(client: &Client, node: &str) -> Result<Vec<Value>, Fault> {
    let selector = encode(&format!("spec.nodeName={node}"));
    let path = format!("/api/v1/pods?limit=500&fieldSelector={selector}");
    let answer = get(client, &path, DEADLINE).await?;
    let mut list: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match list.get_mut("items").map(Value::take) {
        Some(Value::Array(pods)) => Ok(pods),
        _ => Ok(vec![]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
