//! Why a pod is pending: the reasons of all nodes, counted.
//!
//! Kubernetes: like the scheduler's own message (`FitError` of its framework) a node is counted for the first filter that
//! refuses it, and for each resource it lacks.

use super::facts::PodSpec;
use super::fit::World;
use super::reason::Reason;
use super::scene::Scene;
use super::trial::Trial;
use std::collections::HashMap;

/// Nodes that refuse a pod for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub count: usize,
    /// The first of them.
    pub node: String,
    /// What they have in common: `insufficient cpu`.
    pub words: String,
    /// What the first of them says: `insufficient cpu: needs 500m, 120m free`.
    pub example: String,
}

/// Why no node takes the pod now, the most frequent reason first. Empty if a node would take it.
pub fn why_pending(world: &World, pod: &PodSpec) -> Vec<Group> {
    let mut scene = Scene::new(world, std::slice::from_ref(pod), &[]);
    let trial = Trial::new(&mut scene, pod);
    let fits = |n| trial.open(&scene, n) && trial.fits(&scene, n);
    if (0..world.nodes.len()).any(fits) { vec![] } else { grouped(&scene, &trial) }
}

/// The reasons of all nodes that refuse.
pub(super) fn grouped(scene: &Scene<'_>, trial: &Trial<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = vec![];
    let mut at: HashMap<String, usize> = HashMap::new();
    for (n, node) in scene.world.nodes.iter().enumerate() {
        for reason in first(trial.reasons(scene, n)) {
            let words = reason.group();
            if let Some(&i) = at.get(&words) {
                groups[i].count += 1;
                continue;
            }
            at.insert(words.clone(), groups.len());
            let node = crate::state::text::clean(&node.name).into_owned();
            groups.push(Group { count: 1, node, words, example: reason.words() });
        }
    }
    groups.sort_by_key(|g| std::cmp::Reverse(g.count));
    groups
}

/// What the first refusing filter says.
fn first(reasons: Vec<Reason>) -> Vec<Reason> {
    let fit = |r: &Reason| matches!(r, Reason::Short { .. } | Reason::Pods(..));
    let many = reasons.first().is_some_and(fit);
    let mut reasons = reasons.into_iter();
    let head = reasons.next();
    head.into_iter().chain(reasons.take_while(|r| many && fit(r))).collect()
}
