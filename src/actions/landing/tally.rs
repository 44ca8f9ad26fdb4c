//! Pods counted per topology domain, for affinity and for spreading.
//!
//! Kubernetes (v1.37): podtopologyspread and interpodaffinity of kube-scheduler (`filtering.go` of each).

use super::facts::{PodSpec, Spread};
use super::scene::{Column, Scene};
use super::select::Taint;
use std::rc::Rc;

/// Counts of pods per domain.
#[derive(Clone)]
pub(super) struct Tally<'s> {
    pub column: Rc<Column>,
    counts: Vec<u32>,
    /// One of the counted pods of each domain, to be named.
    witness: Vec<Option<&'s PodSpec>>,
}

impl<'s> Tally<'s> {
    pub fn new(column: Rc<Column>) -> Tally<'s> {
        let (counts, witness) = (vec![0; column.domains], vec![None; column.domains]);
        Tally { column, counts, witness }
    }

    /// Counts a pod on a node. `false` if the node is in no domain.
    pub fn count(&mut self, pod: &'s PodSpec, node: usize) -> bool {
        let Some(domain) = self.column.of[node] else { return false };
        self.counts[domain as usize] += 1;
        self.witness[domain as usize].get_or_insert(pod);
        true
    }

    /// How many there are in the node's domain. `None` if it is in none.
    pub fn near(&self, node: usize) -> Option<u32> {
        self.column.of[node].map(|d| self.counts[d as usize])
    }

    pub fn name(&self, node: usize) -> String {
        let pod = self.column.of[node].and_then(|d| self.witness[d as usize]);
        pod.map(PodSpec::path).unwrap_or_default()
    }
}

/// A spread constraint with its counts.
#[derive(Clone)]
pub(super) struct Spreading<'s> {
    pub rule: &'s Spread,
    pub tally: Tally<'s>,
    /// Nodes that make domains.
    pub eligible: Rc<[bool]>,
    /// Domains with such a node.
    present: Rc<[bool]>,
    /// The pod would be counted itself.
    pub own: i64,
    /// Pods of the emptiest domain. `None` after counts have changed.
    pub min: Option<i64>,
}

impl Spreading<'_> {
    /// The emptiest domain, if `more` pods were put where they raise it most.
    pub fn emptiest(&self, more: u64) -> i64 {
        let counted = self.tally.counts.iter().zip(self.present.iter()).filter(|(_, p)| **p);
        let counts = counted.map(|(c, _)| i64::from(*c));
        // With fewer domains than asked for the emptiest one counts as empty.
        if (counts.clone().count() as i64) < self.rule.min_domains {
            return 0;
        }
        let Some(lowest) = counts.clone().min() else { return 0 };
        if more == 0 {
            return lowest;
        }
        let mut counts: Vec<i64> = counts.collect();
        counts.sort_unstable();
        let (mut level, mut left) = (lowest, more as i64);
        for (below, next) in counts.iter().skip(1).enumerate() {
            let step = (next - level) * (below as i64 + 1);
            if step > left {
                break;
            }
            left -= step;
            level = *next;
        }
        let low = counts.iter().filter(|c| **c <= level).count() as i64;
        level + left / low
    }

    pub fn min(&self) -> i64 {
        self.min.unwrap_or_else(|| self.emptiest(0))
    }
}

/// Whether the pod may be scheduled to a cordoned node.
pub(super) fn tolerates_cordon(pod: &PodSpec) -> bool {
    pod.rules.tolerations.iter().any(|t| t.tolerates(&Taint::unschedulable()))
}

/// The spread constraints of a pod with their counts.
pub(super) fn spreading<'s>(scene: &mut Scene<'s>, pod: &'s PodSpec) -> Vec<Spreading<'s>> {
    let rules = &pod.rules.spread;
    let columns: Vec<Rc<Column>> = rules.iter().map(|r| scene.column(&r.key)).collect();
    // A node without one of the labels counts for none of the constraints.
    let whole = |node: usize| columns.iter().all(|c| c.of[node].is_some());
    let tallies = rules.iter().zip(&columns).map(|(rule, column)| {
        let nodes = 0..scene.world.nodes.len();
        let eligible: Rc<[bool]> =
            nodes.map(|n| whole(n) && includes(scene, pod, rule, n)).collect();
        let mut present = vec![false; column.domains];
        for domain in
            column.of.iter().zip(eligible.iter()).filter(|(_, e)| **e).filter_map(|(d, _)| *d)
        {
            present[domain as usize] = true;
        }
        let mut tally = Tally::new(Rc::clone(column));
        for &i in scene.world.within(&pod.namespace) {
            let other = &scene.world.pods[i];
            let home = scene.home(i).filter(|n| eligible[*n] && !other.deleting);
            if let Some(node) = home.filter(|_| rule.selector.matches(&other.labels)) {
                tally.count(other, node);
            }
        }
        let own = i64::from(rule.selector.matches(&pod.labels));
        let mut spread =
            Spreading { rule, tally, eligible, present: present.into(), own, min: None };
        spread.min = Some(spread.min());
        spread
    });
    tallies.collect()
}

/// Whether a node makes a domain. A leaving node still does unless its taints are honored: a cordoned node without
/// pods is the emptiest domain.
fn includes(scene: &Scene<'_>, pod: &PodSpec, rule: &Spread, node: usize) -> bool {
    let facts = &scene.world.nodes[node];
    let cordoned = || scene.leaving[node] && !tolerates_cordon(pod);
    (!rule.by_affinity || pod.accepts(facts))
        && (!rule.by_taints || (pod.repelled(facts).is_none() && !cordoned()))
}
