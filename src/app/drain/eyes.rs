//! What a running drain reads: nodes, its nodes' pods, budgets and who holds them, pods without a node, attachments.

use super::facts::list_pods;
use super::job::News;
use crate::actions::drain::budget::{BudgetFacts, BudgetId, Selector};
use crate::actions::drain::facts::{NodeFacts, PodFacts, unscheduled};
use crate::actions::drain::orders::Input;
use crate::actions::drain::wire::label_selector;
use crate::app::cluster::Client;
use crate::app::cluster::follow::{Told, follow};
use crate::app::cluster::gather::each;
use crate::app::cluster::request::encode;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Follows what a drain has to know. Everything ends when it is dropped.
pub struct Eyes {
    runtime: Handle,
    client: Client,
    news: Sender<News>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Eyes {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Eyes {
    /// Nothing is followed yet.
    pub fn new(runtime: Handle, client: Client, news: Sender<News>) -> Eyes {
        Eyes { runtime, client, news, tasks: vec![] }
    }

    fn follow(&mut self, what: &'static str, path: String, read: fn(Told) -> Option<Input>) {
        self.follow_with(what, path, read);
    }

    fn follow_with(
        &mut self,
        what: &'static str,
        path: String,
        mut read: impl FnMut(Told) -> Option<Input> + Send + 'static,
    ) {
        let (client, news) = (self.client.clone(), self.news.clone());
        self.tasks.push(self.runtime.spawn(async move {
            follow(&client, &path, |told| {
                let word = match &told {
                    Told::Trouble(why) => News::Trouble(what, Some(why.clone())),
                    Told::Listed => News::Trouble(what, None),
                    _ => News::None,
                };
                // A driver that is gone ends this task as well.
                let _ = news.send(word);
                if let Some(input) = read(told) {
                    let _ = news.send(News::Input(Box::new(input)));
                }
            })
            .await;
        }));
    }

    /// All nodes: those of the drain, and the others, whose health pauses it.
    pub fn nodes(&mut self) {
        self.follow("nodes", "/api/v1/nodes".to_owned(), |told| match told {
            Told::Put(node) => Some(Input::Node(NodeFacts::read(&node))),
            Told::Gone(node) => Some(Input::NodeGone { name: name(&node) }),
            _ => None,
        });
    }

    /// Every disruption budget.
    pub fn budgets(&mut self) {
        let path = "/apis/policy/v1/poddisruptionbudgets".to_owned();
        self.follow("disruption budgets", path, |told| match told {
            Told::Put(budget) => Some(Input::Budget(BudgetFacts::read(&budget))),
            Told::Gone(budget) => Some(Input::BudgetGone {
                id: BudgetId { namespace: namespace(&budget), name: name(&budget) },
            }),
            _ => None,
        });
    }

    /// Pods that wait for a node: some of them may be those that were moved.
    pub fn pending(&mut self) {
        let path = format!("/api/v1/pods?fieldSelector={}", encode("status.phase=Pending"));
        self.follow("pending pods", path, |told| match told {
            Told::Put(pod) => Some(match unscheduled(&pod) {
                Some(why) => Input::Waiting(PodFacts::read(&pod), why),
                None => Input::Taken { uid: uid(&pod) },
            }),
            Told::Gone(pod) => Some(Input::Taken { uid: uid(&pod) }),
            _ => None,
        });
    }

    /// Pods of one node. A pod never changes its node, so what leaves this watch is gone.
    pub fn pods_on(&mut self, node: &str) {
        let field = encode(&format!("spec.nodeName={node}"));
        self.follow("pods", format!("/api/v1/pods?fieldSelector={field}"), |told| match told {
            Told::Put(pod) => Some(Input::Pod(PodFacts::read(&pod))),
            Told::Gone(pod) if !pod["spec"].is_null() => Some(Input::PodGone { uid: uid(&pod) }),
            // Missing in a list: the engine's own list says so, and what follows from it.
            _ => None,
        });
    }

    /// Pods of one budget. What leaves this watch may only have other labels.
    pub fn pods_of(&mut self, id: &BudgetId, selector: &Selector) {
        let labels = encode(&label_selector(selector));
        let namespace = &id.namespace;
        let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={labels}");
        let id = id.clone();
        self.follow_with("pods of a budget", path, move |told| match told {
            Told::Put(pod) => Some(Input::Pod(PodFacts::read(&pod))),
            Told::Gone(pod) => Some(Input::PodLeft { uid: uid(&pod) }),
            Told::Listed => Some(Input::BudgetPodsListed { id: id.clone() }),
            Told::Trouble(_) => None,
        });
    }

    /// Lists a node's pods once.
    pub fn list(&self, node: String) {
        let (client, news) = (self.client.clone(), self.news.clone());
        self.runtime.spawn(async move {
            let word = match list_pods(&client, &node).await {
                Ok(pods) => News::Listed(node, pods),
                Err(fault) => {
                    let message = fault.to_string();
                    News::Input(Box::new(Input::ListFailed { node, message }))
                }
            };
            let _ = news.send(word);
        });
    }

    /// Volumes still attached to a node, without those of these claims.
    pub fn attachments(&self, node: String, except: Vec<(String, String)>) {
        let (client, news) = (self.client.clone(), self.news.clone());
        self.runtime.spawn(async move {
            let attached = attached(&client, &node, &except).await;
            let _ = news.send(News::Input(Box::new(Input::Attachments { node, attached })));
        });
    }
}

/// Names of persistent volumes (semantics.md A7: `VolumeAttachment` with `status.attached`); `None` without the right.
async fn attached(client: &Client, node: &str, except: &[(String, String)]) -> Option<Vec<String>> {
    let mut volumes = vec![];
    let path = "/apis/storage.k8s.io/v1/volumeattachments";
    let read = each(client, path, |object| {
        let (spec, status) = (&object["spec"], &object["status"]);
        if spec["nodeName"] == node && status["attached"] == true {
            volumes.extend(spec["source"]["persistentVolumeName"].as_str().map(str::to_owned));
        }
    });
    read.await.ok()?;
    if volumes.is_empty() || except.is_empty() {
        return Some(volumes);
    }
    let mut claimed = BTreeMap::new();
    let read = each(client, "/api/v1/persistentvolumes", |volume| {
        let claim = &volume["spec"]["claimRef"];
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        claimed.insert(name(&volume), (text(&claim["namespace"]), text(&claim["name"])));
    });
    read.await.ok()?;
    volumes.retain(|v| claimed.get(v).is_none_or(|claim| !except.contains(claim)));
    Some(volumes)
}

fn meta(object: &Value, key: &str) -> String {
    object["metadata"][key].as_str().unwrap_or_default().to_owned()
}

fn name(object: &Value) -> String {
    meta(object, "name")
}

fn namespace(object: &Value) -> String {
    meta(object, "namespace")
}

fn uid(object: &Value) -> String {
    meta(object, "uid")
}
