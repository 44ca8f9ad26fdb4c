//! A drain before it starts: what happens to each pod, which budgets carry it, and which nodes go in which wave. It can be
//! saved, and compared with one made later.

use super::budget::{BudgetFacts, BudgetId};
use super::classify::{Class, Decision, Known, Overrides, Switches, classify, decide};
use super::facts::{NodeFacts, PodFacts};
use super::landing::Outlook;
use super::verdict::list;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a plan is made from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The nodes to drain, in the order wished for.
    pub nodes: Vec<NodeFacts>,
    /// Their pods.
    pub pods: Vec<PodFacts>,
    /// What is known beyond a pod, by its uid.
    pub known: BTreeMap<String, Known>,
    /// Every budget of the pods' namespaces; none if they cannot be read.
    pub budgets: Option<Vec<BudgetFacts>>,
    /// Services of the pods' namespaces.
    pub services: Vec<ServiceFacts>,
    /// What adds and removes nodes by itself in this cluster, in words.
    pub autoscalers: Vec<String>,
    /// Who else drains one of the nodes, in words.
    pub others: Vec<String>,
    /// Cordons that the server would refuse, in words.
    pub refused: Vec<String>,
}

/// A service and its endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceFacts {
    /// `namespace/name`.
    pub path: String,
    /// uids of the pods that are ready endpoints of it (`discovery.k8s.io/v1`, `conditions.ready`).
    pub ready: BTreeSet<String>,
}

/// A node's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedNode {
    /// Name.
    pub name: String,
    /// uid.
    pub uid: String,
    /// Zone, empty if it has none.
    pub zone: String,
    /// It runs the control plane.
    pub control_plane: bool,
    /// It was cordoned before.
    pub cordoned: bool,
}

/// A pod's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPod {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// uid.
    pub uid: String,
    /// Its node.
    pub node: String,
    /// Its classes.
    pub classes: Vec<Class>,
    /// What is done with it.
    pub decision: Decision,
    /// Budgets that select it.
    pub budgets: Vec<BudgetId>,
    /// Seconds it is given to end.
    pub grace: i64,
}

/// What a budget means for the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetOutlook {
    /// Which.
    pub id: BudgetId,
    /// `maxUnavailable: 1`.
    pub spec: String,
    /// Evictions that it lets happen now.
    pub room: usize,
    /// Evictions of the plan that need it.
    pub needed: usize,
    /// Rounds of evictions, if pods come back healthy in between; none if none is allowed now.
    pub rounds: Option<usize>,
    /// None can be allowed while spec and number of pods stay.
    pub never: bool,
}

/// A drain before it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainPlan {
    /// The nodes.
    pub nodes: Vec<PlannedNode>,
    /// Every pod on them.
    pub pods: Vec<PlannedPod>,
    /// Names of nodes that go together; a wave starts when the one before is done.
    pub waves: Vec<Vec<String>>,
    /// uids of pods that the operator has to decide, by the class that asks.
    pub asks: BTreeMap<Class, Vec<String>>,
    /// Budgets that evictions of the plan need, those that hold it up first.
    pub budgets: Vec<BudgetOutlook>,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// Who else drains one of the nodes, in words.
    #[serde(default)]
    pub others: Vec<String>,
    /// Where its pods would land, once that is worked out.
    #[serde(default)]
    pub landing: Option<Outlook>,
}

impl DrainPlan {
    /// Makes the plan. The same facts give the same plan.
    pub fn new(facts: &Facts, switches: &Switches, overrides: &Overrides) -> DrainPlan {
        let budgets = facts.budgets.as_deref().unwrap_or_default();
        let pods: Vec<PlannedPod> =
            facts.pods.iter().map(|p| planned(p, facts, budgets, switches, overrides)).collect();
        let needs = needs(&facts.pods, &pods, budgets);
        let mut asks: BTreeMap<Class, Vec<String>> = BTreeMap::new();
        for pod in &pods {
            for class in pod.asks() {
                asks.entry(*class).or_default().push(pod.uid.clone());
            }
        }
        let waves = waves(&facts.nodes, &needs, budgets);
        let budgets = outlooks(budgets, &needs);
        let notes = notes(facts, &pods, &budgets);
        let nodes = facts.nodes.iter().map(node).collect();
        let others = facts.others.clone();
        DrainPlan { nodes, pods, waves, asks, budgets, notes, others, landing: None }
    }
}

impl PlannedPod {
    /// The classes that ask the operator.
    pub fn asks(&self) -> &[Class] {
        match &self.decision {
            Decision::Ask(classes) => classes,
            _ => &[],
        }
    }

    /// `namespace/name`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

fn node(n: &NodeFacts) -> PlannedNode {
    PlannedNode {
        name: n.name.clone(),
        uid: n.uid.clone(),
        zone: n.zone.clone(),
        control_plane: n.control_plane,
        cordoned: n.unschedulable,
    }
}

fn planned(
    pod: &PodFacts,
    facts: &Facts,
    budgets: &[BudgetFacts],
    switches: &Switches,
    overrides: &Overrides,
) -> PlannedPod {
    let covering: Vec<BudgetId> =
        budgets.iter().filter(|b| b.covers(pod)).map(|b| b.id.clone()).collect();
    let known = facts.known.get(&pod.uid).copied().unwrap_or_default();
    let classes = classify(pod, known, covering.len());
    PlannedPod {
        namespace: pod.namespace.clone(),
        name: pod.name.clone(),
        uid: pod.uid.clone(),
        node: pod.node.clone(),
        decision: decide(pod, &classes, switches, overrides),
        classes,
        budgets: covering,
        grace: switches.grace().unwrap_or(pod.grace),
    }
}

/// Evictions that need a budget, by budget and node. What the operator has yet to decide is counted as if it went: a plan
/// that carries it carries less as well.
type Needs = BTreeMap<BudgetId, BTreeMap<String, usize>>;

fn needs(facts: &[PodFacts], pods: &[PlannedPod], budgets: &[BudgetFacts]) -> Needs {
    let mut needs = Needs::new();
    for (pod, planned) in facts.iter().zip(pods) {
        if matches!(planned.decision, Decision::Leave(_) | Decision::Delete) {
            continue;
        }
        for budget in budgets.iter().filter(|b| b.covers(pod) && b.counts(pod)) {
            let by_node = needs.entry(budget.id.clone()).or_default();
            *by_node.entry(pod.node.clone()).or_default() += 1;
        }
    }
    needs
}

/// First fit: a node joins the first wave whose budgets carry it too, a control-plane node the first without another.
/// A budget that cannot carry one node's pods at once is no reason against that node, only against a second.
fn waves(nodes: &[NodeFacts], needs: &Needs, budgets: &[BudgetFacts]) -> Vec<Vec<String>> {
    let mut waves: Vec<Vec<&NodeFacts>> = vec![];
    let of = |id: &BudgetId, node: &NodeFacts| {
        needs.get(id).and_then(|n| n.get(&node.name)).copied().unwrap_or(0)
    };
    let carries = |wave: &Vec<&NodeFacts>, node: &NodeFacts| {
        budgets.iter().all(|b| {
            let (before, more) =
                (wave.iter().map(|n| of(&b.id, n)).sum::<usize>(), of(&b.id, node));
            before == 0 || more == 0 || before + more <= b.room()
        })
    };
    for node in nodes {
        let fits = |wave: &&mut Vec<&NodeFacts>| {
            let second = node.control_plane && wave.iter().any(|n| n.control_plane);
            !second && carries(wave, node)
        };
        match waves.iter_mut().find(fits) {
            Some(wave) => wave.push(node),
            None => waves.push(vec![node]),
        }
    }
    let names = |wave: Vec<&NodeFacts>| wave.into_iter().map(|n| n.name.clone()).collect();
    waves.into_iter().map(names).collect()
}

fn outlooks(budgets: &[BudgetFacts], needs: &Needs) -> Vec<BudgetOutlook> {
    let outlook = |b: &BudgetFacts| {
        let needed = needs.get(&b.id)?.values().sum::<usize>();
        let room = b.room();
        Some(BudgetOutlook {
            id: b.id.clone(),
            spec: b.spec(),
            room,
            needed,
            rounds: (room > 0).then(|| needed.div_ceil(room)),
            never: b.never(),
        })
    };
    let mut found: Vec<BudgetOutlook> = budgets.iter().filter_map(outlook).collect();
    let first =
        |o: &BudgetOutlook| (!o.never, o.rounds.is_some(), usize::MAX - o.rounds.unwrap_or(0));
    found.sort_by(|a, b| first(a).cmp(&first(b)).then_with(|| a.id.cmp(&b.id)));
    found
}

fn notes(facts: &Facts, pods: &[PlannedPod], budgets: &[BudgetOutlook]) -> Vec<String> {
    let mut notes = facts.refused.clone();
    notes.extend(facts.autoscalers.iter().cloned());
    notes.extend(services(facts, pods));
    if facts.budgets.is_none() {
        notes.push("disruption budgets cannot be read: waves are not worked out".to_owned());
    }
    for b in budgets.iter().filter(|b| b.never) {
        let what = if b.needed == 1 { "its pod".into() } else { format!("its {} pods", b.needed) };
        notes.push(format!("{} ({}) never lets {what} be evicted", b.id, b.spec));
    }
    for b in budgets.iter().filter(|b| !b.never && b.rounds.is_none()) {
        notes.push(format!("{} ({}) lets no pod be evicted now", b.id, b.spec));
    }
    let dead = facts.nodes.iter().filter(|n| !n.ready);
    notes.extend(
        dead.map(|n| format!("{} is not ready: its pods will not end by themselves", n.name)),
    );
    for (class, words) in [
        (Class::MultipleBudgets, "that cannot be evicted, more than one budget selects it"),
        (Class::LastReadyReplica, "whose owner has no other ready replica on a node that stays"),
        (Class::ToleratesUnschedulable, "that tolerates the cordon and may come back"),
        (Class::LocalVolume, "that leaves data on the node's disk"),
    ] {
        let stays = [Class::DaemonSet, Class::Mirror];
        let with = |p: &&PlannedPod| {
            p.classes.contains(&class)
                && !p.classes.iter().any(|c| stays.contains(c))
                && !matches!(p.decision, Decision::Leave(_))
        };
        let paths: Vec<String> = pods.iter().filter(with).map(PlannedPod::path).collect();
        let n = paths.len();
        if n > 0 {
            let s = if n == 1 { "" } else { "s" };
            notes.push(format!("{n} pod{s} {words}: {}", list(paths.into_iter())));
        }
    }
    notes
}

/// Services all of whose ready endpoints move.
fn services(facts: &Facts, pods: &[PlannedPod]) -> Vec<String> {
    let moves = |uid: &String| {
        let pod = pods.iter().find(|p| p.uid == *uid);
        pod.is_some_and(|p| !matches!(p.decision, Decision::Leave(_)))
    };
    let all = facts.services.iter();
    let bare = all.filter(|s| !s.ready.is_empty() && s.ready.iter().all(moves));
    let words = |s: &ServiceFacts| {
        let n = s.ready.len();
        format!("service {} has no other ready endpoint than the {n} that move", s.path)
    };
    bare.map(words).collect()
}

/// What is different in `now`, in words: the cluster changed since the plan was saved. Empty if nothing that matters is.
pub fn diff(saved: &DrainPlan, now: &DrainPlan) -> Vec<String> {
    let mut words = vec![];
    nodes_diff(saved, now, &mut words);
    pods_diff(saved, now, &mut words);
    let budgets = |plan: &DrainPlan| -> BTreeMap<BudgetId, BudgetOutlook> {
        plan.budgets.iter().map(|b| (b.id.clone(), b.clone())).collect()
    };
    let (before, after) = (budgets(saved), budgets(now));
    for id in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        match (before.get(id), after.get(id)) {
            (Some(a), Some(b)) if a != b => words.push(format!(
                "budget {id}: allowed {} for {} pods ({}), now {} for {} ({})",
                a.room, a.needed, a.spec, b.room, b.needed, b.spec
            )),
            (None, Some(b)) => words.push(format!("budget {id} ({}) is new to it", b.spec)),
            (Some(_), None) => words.push(format!("budget {id} is no longer part of it")),
            _ => {}
        }
    }
    if saved.waves != now.waves {
        words.push(format!("waves: {} before, {} now", waves_text(saved), waves_text(now)));
    }
    words
}

fn waves_text(plan: &DrainPlan) -> String {
    plan.waves.iter().map(|w| w.join("+")).collect::<Vec<_>>().join(", ")
}

fn nodes_diff(saved: &DrainPlan, now: &DrainPlan, words: &mut Vec<String>) {
    for old in &saved.nodes {
        match now.nodes.iter().find(|n| n.name == old.name) {
            None => words.push(format!("node {} is gone", old.name)),
            Some(n) if n.uid != old.uid => {
                words.push(format!("node {} is another one of the same name", n.name));
            }
            Some(n) if n.cordoned != old.cordoned => {
                let state = if n.cordoned { "cordoned" } else { "uncordoned" };
                words.push(format!("node {} was {state}", n.name));
            }
            Some(_) => {}
        }
    }
    let new = now.nodes.iter().filter(|n| saved.nodes.iter().all(|o| o.name != n.name));
    words.extend(new.map(|n| format!("node {} is new", n.name)));
}

fn pods_diff(saved: &DrainPlan, now: &DrainPlan, words: &mut Vec<String>) {
    let by_uid = |plan: &DrainPlan| -> BTreeMap<String, PlannedPod> {
        plan.pods.iter().map(|p| (p.uid.clone(), p.clone())).collect()
    };
    let (before, after) = (by_uid(saved), by_uid(now));
    for old in &saved.pods {
        match after.get(&old.uid) {
            None => words.push(format!("pod {} is gone from {}", old.path(), old.node)),
            Some(new) if new.decision != old.decision => {
                words.push(format!("pod {}: decided otherwise now", old.path()));
            }
            Some(new) if new.classes != old.classes => {
                words.push(format!("pod {}: its properties changed", old.path()));
            }
            Some(_) => {}
        }
    }
    let new = now.pods.iter().filter(|p| !before.contains_key(&p.uid));
    words.extend(new.map(|p| format!("pod {} is new on {}", p.path(), p.node)));
}
