//! The outlook of draining a set of nodes: what happens to each pod, which budgets stand in the way and for how long,
//! and where the pods would land.

use super::classify::{Class, Verdict, classify};
use super::facts::{Budget, PodFacts};
use crate::actions::landing::{Group, Landing, PodSpec, Why, World};
use std::collections::HashMap;

/// What is known.
pub struct Facts<'a> {
    /// The nodes to be drained.
    pub nodes: Vec<String>,
    /// Their pods.
    pub pods: Vec<PodFacts>,
    /// All budgets, or why they are not known.
    pub budgets: Result<Vec<Budget>, String>,
    /// Ready pods of each owner that are not on these nodes, by the owner's uid.
    pub ready_elsewhere: HashMap<String, usize>,
    /// All nodes, pods and volumes.
    pub world: &'a World,
}

/// A pod's part in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// `namespace/name`.
    pub pod: String,
    /// The node it is on.
    pub node: String,
    /// Its properties.
    pub classes: Vec<Class>,
    /// What is done with it.
    pub verdict: Verdict,
    /// The budgets that are about it.
    pub budgets: Vec<String>,
}

/// How many rounds a budget makes of its pods on these nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// So many, one after the other.
    Of(i64),
    /// None while its spec and the number of its pods are as they are.
    Never,
    /// None now: fewer pods are healthy than it wants.
    NotNow,
    /// Its status is not worked out.
    Unknown(String),
}

/// A budget's part in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hurdle {
    /// The budget.
    pub budget: Budget,
    /// Its pods on these nodes that need its leave.
    pub pods: usize,
    /// How long it takes.
    pub rounds: Rounds,
}

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// The nodes.
    pub nodes: Vec<String>,
    /// Each of their pods.
    pub parts: Vec<Part>,
    /// The budgets that are concerned, those that stop most first; or why they are not known.
    pub hurdles: Result<Vec<Hurdle>, String>,
    /// Pods that find a node.
    pub placed: usize,
    /// Those of them that only find one in some orders.
    pub contested: usize,
    /// Pods that would stay pending, and why.
    pub pending: Vec<(String, String)>,
    /// Pods that nothing can be said about, and why.
    pub unknown: Vec<(String, String)>,
}

/// Works the outlook out. What has to be decided is taken as decided for eviction: the outlook shows what is at stake.
pub fn outlook(facts: &Facts<'_>) -> Outlook {
    let none = vec![];
    let budgets = facts.budgets.as_ref().unwrap_or(&none);
    let part = |pod: &PodFacts| {
        let elsewhere = pod.owner.as_ref().and_then(|(.., uid)| facts.ready_elsewhere.get(uid));
        let (classes, verdict) = classify(pod, elsewhere.is_none_or(|&n| n == 0));
        let covering = budgets.iter().filter(|b| b.covers(pod)).map(Budget::path).collect();
        Part { pod: pod.path(), node: pod.node.clone(), classes, verdict, budgets: covering }
    };
    let parts: Vec<Part> = facts.pods.iter().map(part).collect();
    let going: Vec<&PodFacts> = facts
        .pods
        .iter()
        .zip(&parts)
        .filter(|(_, p)| p.verdict != Verdict::Stay)
        .map(|(pod, _)| pod)
        .collect();
    let hurdles = facts.budgets.as_ref().map_err(Clone::clone).map(|all| hurdles(all, &going));
    let (moved, landing) = landing(facts, &going);
    let path = |i: usize| moved.get(i).map(PodSpec::path).unwrap_or_default();
    Outlook {
        nodes: facts.nodes.clone(),
        parts,
        hurdles,
        placed: landing.placed.len(),
        contested: landing.contested.len(),
        pending: landing.pending.iter().map(|(i, why)| (path(*i), words(why))).collect(),
        unknown: landing.unknown.iter().map(|(i, why)| (path(*i), why.clone())).collect(),
    }
}

/// A budget is asked about running pods that are not on their way out; pending ones pass it (semantics.md A4).
fn hurdles(budgets: &[Budget], going: &[&PodFacts]) -> Vec<Hurdle> {
    let asks = |pod: &PodFacts| pod.phase == "Running" && !pod.deleting;
    let mut found = vec![];
    for budget in budgets {
        let pods = going.iter().filter(|pod| asks(pod) && budget.covers(pod));
        let pods = pods.filter(|pod| pod.ready || !budget.lets_unready_go).count();
        if pods > 0 {
            found.push(Hurdle {
                budget: budget.clone(),
                pods,
                rounds: rounds(budget, pods as i64),
            });
        }
    }
    let weight = |hurdle: &Hurdle| match hurdle.rounds {
        Rounds::Never => i64::MAX,
        Rounds::Unknown(_) => i64::MAX - 1,
        Rounds::NotNow => i64::MAX - 2,
        Rounds::Of(n) => n,
    };
    found.sort_by_key(|hurdle| (std::cmp::Reverse(weight(hurdle)), hurdle.budget.path()));
    found
}

fn rounds(budget: &Budget, pods: i64) -> Rounds {
    if !budget.failed.is_empty() {
        return Rounds::Unknown(budget.failed.clone());
    }
    match budget.allowed {
        None => Rounds::Unknown("its status is of an earlier spec".into()),
        Some(allowed) if allowed > 0 => Rounds::Of((pods + allowed - 1) / allowed),
        // With all its pods healthy it still allows none.
        Some(_) if budget.healthy.1 >= budget.expected => Rounds::Never,
        Some(_) => Rounds::NotNow,
    }
}

fn landing(facts: &Facts<'_>, going: &[&PodFacts]) -> (Vec<PodSpec>, Landing) {
    let uids: std::collections::HashSet<&str> = going
        .iter()
        .filter(|p| !p.finished() && p.owner.is_some())
        .map(|p| p.uid.as_str())
        .collect();
    let pods = facts.world.pods().iter();
    let moved: Vec<PodSpec> = pods.filter(|p| uids.contains(p.uid.as_str())).cloned().collect();
    let leaving: Vec<&str> = facts.nodes.iter().map(String::as_str).collect();
    let landing = facts.world.place(&moved, &leaving);
    (moved, landing)
}

fn words(why: &Why) -> String {
    let groups = |groups: &[Group]| {
        let words: Vec<String> = groups
            .iter()
            .take(3)
            .map(|g| {
                format!("{} node{}: {}", g.count, if g.count == 1 { "" } else { "s" }, g.words)
            })
            .collect();
        if words.is_empty() { "there is no other node".to_owned() } else { words.join("; ") }
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
