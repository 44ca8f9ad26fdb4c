//! Pages that take a look at the whole cluster: read, then worked out off the feeds' thread.

use crate::actions::landing::{PodSpec, why_pending as reasons};
use crate::actions::outlook::{self, Budget, Facts, PodFacts};
use crate::app::cluster::Client;
use crate::app::cluster::gather::{Gathered, each, gather};
use crate::app::cluster::session::Fault;
use crate::state::cell::Role;
use crate::state::doc::{Doc, Findings, Line, Refusal, pending};
use crate::state::time::Epoch;
use serde_json::Value;
use std::collections::HashMap;

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

/// What a drain of nodes would do. `told` hears how many pods were read.
///
/// # Errors
/// Nodes or pods cannot be read.
pub async fn drain(
    client: &Client,
    nodes: Vec<String>,
    told: &(dyn Fn(usize) + Sync),
) -> Result<Doc, Fault> {
    let (mut pods, mut ready_elsewhere) = (vec![], HashMap::new());
    let gathered = gather(client, told, |pod| {
        let facts = PodFacts::of(pod);
        if nodes.contains(&facts.node) {
            pods.push(facts);
        } else if let (true, Some((.., owner))) = (facts.ready && !facts.deleting, facts.owner) {
            *ready_elsewhere.entry(owner).or_insert(0) += 1;
        }
    });
    let gathered = gathered.await?;
    let mut budgets = vec![];
    let path = "/apis/policy/v1/poddisruptionbudgets";
    let read = each(client, path, |budget| budgets.push(Budget::of(&budget))).await;
    let budgets = read.map(|()| budgets).map_err(|fault| fault.to_string());
    off_thread(move || {
        let world = &gathered.world;
        let seen = outlook::outlook(&Facts { nodes, pods, budgets, ready_elsewhere, world });
        let mut page = outlook::page(&seen);
        page.lines.extend(gathered.unread.iter().map(|words| Line::of(Role::Warn, words)));
        page
    })
    .await
}

async fn off_thread(work: impl FnOnce() -> Doc + Send + 'static) -> Result<Doc, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Fault::Bug(format!("the simulator ended: {e}")))
}
