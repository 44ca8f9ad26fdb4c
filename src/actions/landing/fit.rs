//! The world that pods are placed in: nodes with what is free on them, and pods by where they are.

use super::amounts::Amounts;
use super::facts::{HostPort, NodeFacts, PodSpec, Term};
use super::reason::Reason;
use super::scene::Scene;
use super::select::{Labels, Selector, labels, text};
use super::trial::Trial;
use super::volumes::Volumes;
use serde_json::Value;
use std::collections::HashMap;

/// API objects as fetched by lists of JSON. Nodes and pods are needed, the others if pods refer to them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lists<'a> {
    /// Nodes.
    pub nodes: &'a [Value],
    /// Pods of all namespaces.
    pub pods: &'a [Value],
    /// Namespaces, for their labels.
    pub namespaces: &'a [Value],
    /// PersistentVolumeClaims.
    pub claims: &'a [Value],
    /// PersistentVolumes.
    pub volumes: &'a [Value],
    /// StorageClasses.
    pub classes: &'a [Value],
}

/// Nodes, the pods on them, and what placing needs to know of both.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub(super) nodes: Vec<NodeFacts>,
    pub(super) pods: Vec<PodSpec>,
    pub(super) volumes: Volumes,
    namespaces: HashMap<String, Labels>,
    at: HashMap<String, usize>,
    /// The node of each pod, if it holds something there.
    homes: Vec<Option<usize>>,
    on: Vec<Vec<usize>>,
    by_namespace: HashMap<String, Vec<usize>>,
    /// Pods with anti-affinity and the number of the term, by the namespace that the term is about.
    guards: HashMap<String, Vec<(usize, usize)>>,
    /// The same for terms about namespaces with certain labels.
    wide_guards: Vec<(usize, usize)>,
    pub(super) rooms: Vec<Room>,
    /// The lowest priority of a pod on a node.
    pub(super) lowest: i64,
    /// Whether any pod on a node is on its way out.
    pub(super) deleting: bool,
}

/// What is free on a node.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    pub free: Amounts,
    pub held: i64,
    pub ports: Vec<HostPort>,
}

impl Room {
    pub fn take(&mut self, pod: &PodSpec, amounts: &Amounts) {
        self.free.subtract(amounts);
        self.held += 1;
        self.ports.extend(pod.rules.host_ports.iter().cloned());
    }

    pub fn leave(&mut self, pod: &PodSpec) {
        self.free.add(&pod.holds);
        self.held -= 1;
        for port in &pod.rules.host_ports {
            if let Some(i) = self.ports.iter().position(|p| p == port) {
                self.ports.swap_remove(i);
            }
        }
    }
}

impl World {
    /// Reads the lists.
    pub fn of(lists: &Lists<'_>) -> World {
        let name = |v: &Value| text(&v["metadata"]["name"]).to_owned();
        let named = |v: &Value| (name(v), labels(&v["metadata"]["labels"]));
        World::new(
            lists.nodes.iter().map(NodeFacts::of).collect(),
            lists.pods.iter().map(PodSpec::of).collect(),
            lists.namespaces.iter().map(named).collect(),
            Volumes::of(lists.claims, lists.volumes, lists.classes),
        )
    }

    /// Arranges facts that were read one by one.
    pub fn new(
        nodes: Vec<NodeFacts>,
        pods: Vec<PodSpec>,
        namespaces: HashMap<String, Labels>,
        volumes: Volumes,
    ) -> World {
        let at = nodes.iter().enumerate().map(|(i, n)| (n.name.clone(), i)).collect();
        let room = |n: &NodeFacts| Room { free: n.allocatable.clone(), ..Room::default() };
        let mut world = World {
            rooms: nodes.iter().map(room).collect(),
            on: vec![vec![]; nodes.len()],
            homes: Vec::with_capacity(pods.len()),
            lowest: i64::MAX,
            at,
            nodes,
            namespaces,
            volumes,
            ..World::default()
        };
        for (i, pod) in pods.iter().enumerate() {
            world.settle(i, pod);
        }
        world.pods = pods;
        world
    }

    fn settle(&mut self, i: usize, pod: &PodSpec) {
        let home = self.at.get(&pod.node).copied().filter(|_| !pod.finished);
        self.homes.push(home);
        let Some(node) = home else { return };
        self.rooms[node].take(pod, &pod.holds);
        self.on[node].push(i);
        self.lowest = self.lowest.min(pod.priority);
        self.deleting |= pod.deleting;
        match self.by_namespace.get_mut(&pod.namespace) {
            Some(pods) => pods.push(i),
            None => drop(self.by_namespace.insert(pod.namespace.clone(), vec![i])),
        }
        for (t, term) in pod.rules.anti_affinity.iter().enumerate() {
            if term.namespace_selector != Selector::Nothing {
                self.wide_guards.push((i, t));
                continue;
            }
            for namespace in &term.namespaces {
                self.guards.entry(namespace.clone()).or_default().push((i, t));
            }
        }
    }

    /// The nodes, in the order they were given.
    pub fn nodes(&self) -> &[NodeFacts] {
        &self.nodes
    }

    /// The pods, in the order they were given.
    pub fn pods(&self) -> &[PodSpec] {
        &self.pods
    }

    /// The pods that hold something of a node.
    pub fn on(&self, node: &str) -> impl Iterator<Item = &PodSpec> {
        let on = self.at.get(node).map_or(&[][..], |&n| &self.on[n]);
        on.iter().map(|&i| &self.pods[i])
    }

    /// Why the node could not take the pod now, in the order of the scheduler's filters; nothing if it could. A pod of
    /// this world is asked about as if it were not there itself. `None` if there is no such node.
    ///
    /// What the pod waits for on whatever node is not among them, see [`World::waits`].
    pub fn reasons(&self, pod: &PodSpec, node: &str) -> Option<Vec<Reason>> {
        let node = *self.at.get(node)?;
        let mut scene = Scene::new(self, std::slice::from_ref(pod), &[]);
        let trial = Trial::new(&mut scene, pod);
        Some(trial.reasons(&scene, node))
    }

    /// What the pod waits for, whatever node is looked at: a scheduling gate, a claim.
    pub fn waits(&self, pod: &PodSpec) -> Option<String> {
        if let Some(gate) = pod.rules.gates.first() {
            let words = format!("scheduling gate {gate}");
            return Some(crate::state::text::clean(&words).into_owned());
        }
        self.volumes.needs(pod).waits
    }

    /// Why nothing can be said about the pod.
    pub fn unknown(&self, pod: &PodSpec) -> Option<String> {
        let beyond = pod.rules.beyond.first().cloned();
        beyond.or_else(|| self.volumes.needs(pod).unclear)
    }

    /// The number of a node.
    pub(super) fn node(&self, name: &str) -> Option<usize> {
        self.at.get(name).copied()
    }

    /// The node that a pod holds something of.
    pub(super) fn home(&self, pod: usize) -> Option<usize> {
        self.homes[pod]
    }

    /// The number of a pod that holds something of a node.
    pub(super) fn find(&self, pod: &PodSpec) -> Option<usize> {
        let same = |i: &&usize| {
            let other = &self.pods[**i];
            other.uid == pod.uid && other.name == pod.name && other.namespace == pod.namespace
        };
        self.on[self.node(&pod.node)?].iter().find(same).copied()
    }

    /// Live pods of a namespace.
    pub(super) fn within(&self, namespace: &str) -> &[usize] {
        self.by_namespace.get(namespace).map_or(&[], Vec::as_slice)
    }

    /// Live pods of the namespaces that a term is about.
    pub(super) fn about<'a>(&'a self, term: &'a Term) -> impl Iterator<Item = usize> + 'a {
        let narrow = term.namespace_selector == Selector::Nothing;
        let names = term.namespaces.iter().filter(move |_| narrow);
        let named = names.flat_map(|n| self.within(n)).copied();
        let selected =
            self.by_namespace.iter().filter(move |(n, _)| !narrow && self.covers(term, n));
        named.chain(selected.flat_map(|(_, pods)| pods).copied())
    }

    /// Pods whose anti-affinity may be about a pod of the namespace, each with the term.
    pub(super) fn guards(&self, namespace: &str) -> impl Iterator<Item = (usize, &Term)> {
        let narrow = self.guards.get(namespace).map_or(&[][..], Vec::as_slice);
        let all = narrow.iter().chain(&self.wide_guards);
        all.map(|&(pod, term)| (pod, &self.pods[pod].rules.anti_affinity[term]))
    }

    /// Whether a term is about a pod.
    pub(super) fn means(&self, term: &Term, pod: &PodSpec) -> bool {
        term.selector.matches(&pod.labels) && self.covers(term, &pod.namespace)
    }

    fn covers(&self, term: &Term, namespace: &str) -> bool {
        static NONE: Labels = Labels::new();
        term.namespaces.iter().any(|n| n == namespace)
            || term.namespace_selector.matches(self.namespaces.get(namespace).unwrap_or(&NONE))
    }
}
