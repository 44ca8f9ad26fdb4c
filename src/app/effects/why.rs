//! Why a pod is pending: reads the cluster, asks the simulator, off the UI thread.

use crate::actions::landing::{PodSpec, why_pending as reasons};
use crate::app::cluster::gather::{Gathered, gather};
use crate::app::cluster::session::Fault;
use crate::state::doc::{Findings, Refusal};
use kube::Client;
use serde_json::Value;

/// What stands between a pod and every node.
///
/// # Errors
/// Nodes or pods cannot be read.
pub async fn why_pending(client: &Client, pod: &Value) -> Result<Findings, Fault> {
    let gathered = gather(client).await?;
    let spec = PodSpec::of(pod);
    // Thousands of nodes take a moment, in which the feeds' thread must not stand still.
    let found = tokio::task::spawn_blocking(move || find(&gathered, &spec)).await;
    found.map_err(|e| Fault::Bug(format!("the simulator ended: {e}")))
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
