//! Why a pod is pending: the reasons of all nodes, counted.
//!
//! Kubernetes: like the scheduler's own message (`FitError` of its framework) a node is counted for the first filter that
//! refuses it, and for each resource it lacks.

use super::facts::PodSpec;
use super::fit::World;
use super::reason::Reason;
use super::scene::Scene;
use super::trial::Trial;

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
    // Words are made once for each group: they would take longer than everything else.
    let mut groups: Vec<(usize, &str, Reason)> = vec![];
    for (n, node) in scene.world.nodes.iter().enumerate() {
        for reason in first(trial.reasons(scene, n)) {
            match groups.iter_mut().find(|(_, _, known)| known.is_like(&reason)) {
                Some((count, ..)) => *count += 1,
                None => groups.push((1, &node.name, reason)),
            }
        }
    }
    groups.sort_by_key(|(count, ..)| std::cmp::Reverse(*count));
    let worded = groups.into_iter().map(|(count, node, reason)| Group {
        count,
        node: crate::state::text::clean(node).into_owned(),
        words: reason.group(),
        example: reason.words(),
    });
    worded.collect()
}

/// What the first refusing filter says.
fn first(reasons: Vec<Reason>) -> Vec<Reason> {
    let fit = |r: &Reason| matches!(r, Reason::Short { .. } | Reason::Pods(..));
    let many = reasons.first().is_some_and(fit);
    let mut reasons = reasons.into_iter();
    let head = reasons.next();
    head.into_iter().chain(reasons.take_while(|r| many && fit(r))).collect()
}
