//! One pod asked of all nodes: its rules about other pods as counts per topology domain.
//!
//! Kubernetes (v1.37): the Filter of the plugins in kube-scheduler's default order, of which interpodaffinity and
//! podtopologyspread count pods beforehand in the same way (`filtering.go` of each).

use super::facts::{PodSpec, Term};
use super::fit::World;
use super::reason::Reason;
use super::scene::Scene;
use super::tally::{Spreading, Tally, spreading, tolerates_cordon};
use super::volumes::Needs;
use crate::state::text::clean;
use std::ops::ControlFlow;

/// Takes reasons as they are found; says when it has heard enough. They are made only if it wants them.
trait Sink {
    fn put(&mut self, reason: impl FnOnce() -> Reason) -> ControlFlow<()>;
}

/// Only whether there is any.
struct Any;

impl Sink for Any {
    fn put(&mut self, _: impl FnOnce() -> Reason) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

impl Sink for Vec<Reason> {
    fn put(&mut self, reason: impl FnOnce() -> Reason) -> ControlFlow<()> {
        self.push(reason());
        ControlFlow::Continue(())
    }
}

/// A pod and what is known of where it may be. Answers for all pods with the same facts.
#[derive(Clone)]
pub(super) struct Trial<'s> {
    pub pod: &'s PodSpec,
    world: &'s World,
    needs: Needs<'s>,
    /// Another pod that uses a claim which admits one only.
    busy: Option<(&'s str, &'s PodSpec)>,
    affinity: Vec<Tally<'s>>,
    /// Whether any pod at all is counted for the affinity.
    companions: bool,
    /// The affinity is taken for satisfied.
    granted: bool,
    anti: Vec<Tally<'s>>,
    kept: Vec<Tally<'s>>,
    spread: Vec<Spreading<'s>>,
}

impl<'s> Trial<'s> {
    /// Counts what the pod's rules are about.
    pub fn new(scene: &mut Scene<'s>, pod: &'s PodSpec) -> Trial<'s> {
        let world = scene.world;
        let rules = &pod.rules;
        let mut tallies = |terms: &[Term]| -> Vec<Tally<'s>> {
            terms.iter().map(|t| Tally::new(scene.column(&t.key))).collect()
        };
        let (affinity, anti) = (tallies(&rules.affinity), tallies(&rules.anti_affinity));
        let mut trial = Trial {
            pod,
            world,
            needs: world.volumes.needs(pod),
            busy: None,
            affinity,
            companions: false,
            granted: false,
            anti,
            kept: vec![],
            spread: spreading(scene, pod),
        };
        trial.count_terms(scene);
        trial.count_guards(scene);
        trial.count_claims(scene);
        trial
    }

    fn count_terms(&mut self, scene: &Scene<'s>) {
        let rules = &self.pod.rules;
        if let Some(first) = rules.affinity.first() {
            for i in self.world.about(first) {
                let Some(node) = scene.home(i) else { continue };
                self.accompany(&self.world.pods[i], node);
            }
        }
        for (term, tally) in rules.anti_affinity.iter().zip(&mut self.anti) {
            for i in self.world.about(term) {
                let other = &self.world.pods[i];
                if let Some(node) = scene.home(i).filter(|_| term.selector.matches(&other.labels)) {
                    tally.count(other, node);
                }
            }
        }
    }

    /// Counts a pod for the affinity: only one that all terms mean (`updateWithAffinityTerms`).
    fn accompany(&mut self, other: &'s PodSpec, node: usize) {
        let terms = &self.pod.rules.affinity;
        if !terms.is_empty() && terms.iter().all(|t| self.world.means(t, other)) {
            for tally in &mut self.affinity {
                self.companions |= tally.count(other, node);
            }
        }
    }

    fn count_guards(&mut self, scene: &mut Scene<'s>) {
        for (i, term) in self.world.guards(&self.pod.namespace) {
            let Some(node) = scene.home(i) else { continue };
            if self.world.means(term, self.pod) {
                self.keep_away(scene, &self.world.pods[i], term, node);
            }
        }
    }

    fn keep_away(&mut self, scene: &mut Scene<'s>, guard: &'s PodSpec, term: &Term, node: usize) {
        let found = self.kept.iter().position(|t| t.column.key == term.key);
        let i = found.unwrap_or_else(|| {
            self.kept.push(Tally::new(scene.column(&term.key)));
            self.kept.len() - 1
        });
        self.kept[i].count(guard, node);
    }

    fn count_claims(&mut self, scene: &Scene<'s>) {
        let namespace = &self.pod.namespace;
        if !self.pod.rules.claims.iter().any(|c| self.world.volumes.alone(namespace, &c.name)) {
            return;
        }
        for &i in self.world.within(namespace) {
            if scene.home(i).is_some() {
                self.claim(&self.world.pods[i]);
            }
        }
    }

    fn claim(&mut self, other: &'s PodSpec) {
        let (pod, volumes) = (self.pod, &self.world.volumes);
        let mut shared = pod.rules.claims.iter().filter(|c| other.rules.claims.contains(c));
        let alone = shared.find(|c| volumes.alone(&pod.namespace, &c.name));
        if let Some(claim) = alone.filter(|_| other.namespace == pod.namespace) {
            self.busy.get_or_insert((&claim.name, other));
        }
    }

    /// Counts a pod that has landed.
    pub fn land(&mut self, scene: &mut Scene<'s>, other: &'s PodSpec, node: usize) {
        let pod = self.pod;
        self.accompany(other, node);
        for (term, tally) in pod.rules.anti_affinity.iter().zip(&mut self.anti) {
            if self.world.means(term, other) {
                tally.count(other, node);
            }
        }
        for term in &other.rules.anti_affinity {
            if self.world.means(term, pod) {
                self.keep_away(scene, other, term, node);
            }
        }
        for spread in &mut self.spread {
            let meant = other.namespace == pod.namespace
                && spread.rule.selector.matches(&other.labels)
                && spread.eligible[node];
            if meant && spread.tally.count(other, node) {
                spread.min = None;
            }
        }
        self.claim(other);
    }

    /// Makes up for counts that have changed, before many nodes are asked.
    pub fn refresh(&mut self) {
        for spread in &mut self.spread {
            spread.min = Some(spread.min());
        }
    }

    /// Whether pods that land later may make room: affinity may be satisfied and domains may even out.
    pub fn may_improve(&self) -> bool {
        !self.affinity.is_empty() || !self.spread.is_empty()
    }

    /// Hopes for the best of the pods that are to land: what only they could satisfy counts as satisfied. The pod
    /// itself may be among them, and does not help itself.
    pub fn hope(&mut self, coming: &[&PodSpec]) {
        let (pod, world) = (self.pod, self.world);
        let means = |other: &PodSpec| pod.rules.affinity.iter().all(|t| world.means(t, other));
        let companions = coming.iter().filter(|other| means(other)).count();
        self.granted = companions > usize::from(means(pod));
        for spread in &mut self.spread {
            let meant = |o: &&&PodSpec| {
                o.namespace == pod.namespace && spread.rule.selector.matches(&o.labels)
            };
            let others = (coming.iter().filter(meant).count() as i64 - spread.own).max(0);
            spread.min = Some(spread.emptiest(others as u64));
        }
    }

    /// Takes over what `base` knows of rules that fewer pods would only make harder.
    pub fn keep_hopes(&mut self, base: &Trial<'s>) {
        self.granted = base.granted;
        self.affinity.clone_from(&base.affinity);
        self.companions = base.companions;
        for (spread, base) in self.spread.iter_mut().zip(&base.spread) {
            spread.min = base.min;
        }
    }

    /// Every reason against a node, in the order of the scheduler's filters.
    pub fn reasons(&self, scene: &Scene<'_>, node: usize) -> Vec<Reason> {
        let mut all = vec![];
        // A vector takes them all, so neither part ends early.
        let _ = self.fixed(scene, node, &mut all);
        let _ = self.room(scene, node, &mut all);
        let _ = self.volumes(scene, node, &mut all);
        let _ = self.others(node, &mut all);
        all
    }

    /// Whether the node could take the pod if there were no other pods.
    pub fn open(&self, scene: &Scene<'_>, node: usize) -> bool {
        self.fixed(scene, node, &mut Any).is_continue()
            && self.volumes(scene, node, &mut Any).is_continue()
    }

    /// Whether a node that is open can take the pod beside the others.
    pub fn fits(&self, scene: &Scene<'_>, node: usize) -> bool {
        self.room(scene, node, &mut Any).is_continue() && self.others(node, &mut Any).is_continue()
    }

    /// What the node is: cordon, taints, labels.
    fn fixed(&self, scene: &Scene<'_>, node: usize, sink: &mut impl Sink) -> ControlFlow<()> {
        let (pod, facts) = (self.pod, &scene.world.nodes[node]);
        if (facts.unschedulable || scene.leaving[node]) && !tolerates_cordon(pod) {
            sink.put(|| Reason::Unschedulable)?;
        }
        if let Some(taint) = pod.repelled(facts) {
            sink.put(|| Reason::Taint(clean(&taint.words()).into_owned()))?;
        }
        if !pod.accepts(facts) {
            sink.put(|| Reason::NodeAffinity)?;
        }
        ControlFlow::Continue(())
    }

    /// What is free on the node.
    fn room(&self, scene: &Scene<'_>, node: usize, sink: &mut impl Sink) -> ControlFlow<()> {
        let (pod, room) = (self.pod, &scene.rooms[node]);
        for port in &pod.rules.host_ports {
            if room.ports.iter().any(|p| p.conflicts(port)) {
                sink.put(|| Reason::HostPort(port.port))?;
            }
        }
        let most = scene.world.nodes[node].pods;
        if room.held + 1 > most {
            sink.put(|| Reason::Pods(room.held, most))?;
        }
        for (resource, needs, free) in pod.asks.missing(&room.free) {
            sink.put(|| Reason::Short { resource: resource.to_owned(), needs, free })?;
        }
        ControlFlow::Continue(())
    }

    fn volumes(&self, scene: &Scene<'_>, node: usize, sink: &mut impl Sink) -> ControlFlow<()> {
        match self.world.volumes.reason(&self.needs, &scene.world.nodes[node]) {
            Some(reason) => sink.put(|| reason),
            None => ControlFlow::Continue(()),
        }
    }

    /// What the other pods say.
    fn others(&self, node: usize, sink: &mut impl Sink) -> ControlFlow<()> {
        if let Some((claim, other)) = self.busy {
            sink.put(|| Reason::ClaimInUse(clean(claim).into_owned(), other.path()))?;
        }
        for spread in &self.spread {
            let Some(near) = spread.tally.near(node) else {
                sink.put(|| Reason::SpreadLabel(spread.rule.key.clone()))?;
                continue;
            };
            let (skew, max) = (i64::from(near) + spread.own - spread.min(), spread.rule.max_skew);
            if skew > max {
                sink.put(|| Reason::Spread { key: spread.rule.key.clone(), skew, max })?;
            }
        }
        for tally in &self.affinity {
            if !self.accompanied(tally.near(node)) {
                sink.put(|| Reason::Affinity(tally.column.key.clone()))?;
            }
        }
        for tally in self.anti.iter().filter(|t| t.near(node).is_some_and(|n| n > 0)) {
            sink.put(|| Reason::AntiAffinity(tally.name(node), tally.column.key.clone()))?;
        }
        for tally in self.kept.iter().filter(|t| t.near(node).is_some_and(|n| n > 0)) {
            sink.put(|| Reason::KeptAway(tally.name(node), tally.column.key.clone()))?;
        }
        ControlFlow::Continue(())
    }

    /// Whether a domain with so many companions satisfies an affinity term. The first of a group that wants to be
    /// together may be anywhere.
    fn accompanied(&self, near: Option<u32>) -> bool {
        let own = || self.pod.rules.affinity.iter().all(|t| self.world.means(t, self.pod));
        near.is_some_and(|n| n > 0 || self.granted || (!self.companions && own()))
    }
}
