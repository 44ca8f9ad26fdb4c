//! Pages that take a look at the whole cluster: read, then worked out off the feeds' thread.

use crate::actions::landing::{PodSpec, why_pending as reasons};
use crate::app::cluster::Client;
use crate::app::cluster::gather::{Gathered, gather};
use crate::app::cluster::session::Fault;
use crate::state::doc::{Doc, Findings, Refusal, pending};
use crate::state::time::Epoch;
use serde_json::Value;

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

async fn off_thread(work: impl FnOnce() -> Doc + Send + 'static) -> Result<Doc, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Fault::Bug(format!("the simulator ended: {e}")))
}
