//! Pages that take a look at the whole cluster: read, then worked out off the feeds' thread.

use crate::actions::change::Seen;
use crate::actions::landing::{PodSpec, why_pending as reasons};
use crate::app::cluster::Client;
use crate::app::cluster::gather::{Gathered, gather};
use crate::app::cluster::session::Fault;
use crate::app::cluster::survey::{self, Pace};
use crate::state::doc::{self, Doc, Findings, Refusal, pending};
use crate::state::rules::stuck::Held;
use crate::state::time::Epoch;
use crate::state::ui::document::Target;
use serde_json::Value;
use std::sync::Arc;

/// What stands between a pod and every node. `told` hears how many pods were read.
///
/// # Errors
/// Nodes or pods cannot be read.
pub async fn why_pending(
    client: &Client,
    pod: &Value,
    now: Epoch,
    told: &(dyn Fn(usize) + Sync),
) -> Result<Doc, Fault> {
    let gathered = gather(client, told, |_| {}).await?;
    let object = pod.clone();
    // Thousands of nodes take a moment, in which the feeds' thread must not stand still.
    off_thread(move || pending(&object, &find(&gathered, &PodSpec::of(&object)), now)).await
}

fn find(gathered: &Gathered, pod: &PodSpec) -> Findings {
    let world = &gathered.world;
    let groups = reasons(world, pod).into_iter();
    Findings {
        nodes: world.nodes().len(),
        waits: world.waits(pod),
        unknown: world.unknown(pod),
        refusals: groups
            .map(|g| Refusal { nodes: g.count, words: g.words, example: (g.node, g.example) })
            .collect(),
        unread: gathered.unread.clone(),
    }
}

/// Why an object does not go.
///
/// # Errors
/// It is not being deleted.
pub async fn stuck(
    client: &Client,
    target: &Target,
    object: &Value,
    now: Epoch,
) -> Result<Doc, Fault> {
    let mut pace = Pace::new(client.clone(), survey::RATE);
    match survey::judged(&mut pace, target.gvk, object, now).await {
        Some((held, ruling, seen)) => Ok(doc::stuck(&held, &ruling, &seen)),
        None => Ok(doc::not_stuck(object)),
    }
}

/// A node as its kubelet sees it; what could not be read is said in the page.
pub async fn kubelet(client: &Client, target: &Target, now: Epoch) -> Doc {
    doc::kubelet::kubelet(&crate::app::cluster::kubelet::look(client, &target.name).await, now)
}

/// Gives every object what the cluster shows of the controllers of them all.
pub async fn with_evidence(client: &Client, seen: &mut [Seen], now: Epoch) {
    let mut pace = Pace::new(client.clone(), survey::RATE);
    let held: Vec<Held> = seen.iter().filter_map(|s| Held::of(s.target.gvk, &s.object)).collect();
    let mut evidence = survey::look(&mut pace, &held, now).await;
    let namespaces = held.iter().filter(|h| h.gvk.group.is_empty() && h.gvk.kind == "Namespace");
    for namespace in namespaces {
        let left = survey::content(&mut pace, &namespace.name).await;
        evidence.content.insert(namespace.name.clone(), left);
    }
    let evidence = Arc::new(evidence);
    for one in seen {
        one.evidence = Some(evidence.clone());
    }
}

async fn off_thread(work: impl FnOnce() -> Doc + Send + 'static) -> Result<Doc, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Fault::Bug(format!("the simulator ended: {e}")))
}
