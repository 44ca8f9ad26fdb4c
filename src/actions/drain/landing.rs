//! Where the pods of a plan would land: the landing simulator asked for what the plan moves. An estimate.

use super::classify::Decision;
use super::plan::DrainPlan;
use crate::actions::landing::{Group, PodSpec, Why, World};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What becomes of the pods that a plan moves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// Pods that find a node.
    pub placed: usize,
    /// Those of them that find one only in some orders.
    pub contested: usize,
    /// Pods that would stay pending, and why.
    pub pending: Vec<(String, String)>,
    /// Pods that nothing can be said about, and why.
    pub unknown: Vec<(String, String)>,
    /// What could not be read, a sentence each.
    pub unread: Vec<String>,
}

/// Works the landing out. What has to be decided is taken as decided for eviction; a pod that nothing makes again does
/// not land.
pub fn land(plan: &DrainPlan, world: &World) -> Outlook {
    let goes = |p: &&super::plan::PlannedPod| {
        use super::classify::Class::{
            Bare, DaemonSet, Finished, Mirror, OwnerMissing, Terminating,
        };
        let ends = [Bare, DaemonSet, Finished, Mirror, OwnerMissing, Terminating];
        !matches!(p.decision, Decision::Leave(_)) && !p.classes.iter().any(|c| ends.contains(c))
    };
    let uids: HashSet<&str> = plan.pods.iter().filter(goes).map(|p| p.uid.as_str()).collect();
    let pods = world.pods().iter();
    let moved: Vec<PodSpec> = pods.filter(|p| uids.contains(p.uid.as_str())).cloned().collect();
    let leaving: Vec<&str> = plan.nodes.iter().map(|n| n.name.as_str()).collect();
    let landing = world.place(&moved, &leaving);
    let path = |i: usize| moved.get(i).map(PodSpec::path).unwrap_or_default();
    Outlook {
        placed: landing.placed.len(),
        contested: landing.contested.len(),
        pending: landing.pending.iter().map(|(i, why)| (path(*i), words(why))).collect(),
        unknown: landing.unknown.iter().map(|(i, why)| (path(*i), why.clone())).collect(),
        unread: vec![],
    }
}

fn words(why: &Why) -> String {
    let group = |g: &Group| {
        let s = if g.count == 1 { "" } else { "s" };
        format!("{} node{s}: {}", g.count, g.words)
    };
    let groups = |groups: &[Group]| match groups {
        [] => "there is no other node".to_owned(),
        some => some.iter().take(3).map(group).collect::<Vec<_>>().join("; "),
    };
    match why {
        Why::Nowhere(all) => groups(all),
        Why::Preempts(all) => {
            format!("only if pods of lower priority are evicted for it ({})", groups(all))
        }
        Why::Packing(all) => format!("it may, depending on the order ({})", groups(all)),
        Why::Waits(words) => words.clone(),
    }
}
