//! Where pods land that are moved off their nodes.

use super::facts::PodSpec;
use super::fit::World;
use super::pending::{Group, grouped};
use super::scene::Scene;
use super::trial::Trial;
use std::cmp::Reverse;
use std::collections::HashMap;

/// Where moved pods would go. Pods are named by their number in the list that was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    /// Pods that find a node, and one they could be on.
    pub placed: Vec<(usize, String)>,
    /// Pods that do not, and why.
    pub pending: Vec<(usize, Why)>,
    /// Pods that nothing can be said about, and why.
    pub unknown: Vec<(usize, String)>,
}

/// Why a moved pod would stay pending. The groups are empty if there are no nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// No node can take it wherever the others land.
    Nowhere(Vec<Group>),
    /// It finds room only if the scheduler evicts pods of lower priority for it.
    Preempts(Vec<Group>),
    /// It found none in the order that was tried; it may in another one.
    Packing(Vec<Group>),
    /// It waits for this, whatever the nodes are.
    Waits(String),
}

impl World {
    /// Places pods that are to be moved, with the nodes of these names cordoned. A pod of this world is taken from its
    /// node first; others are placed as new ones.
    ///
    /// Pods go by priority, then by size, greatest first. Each goes to the node with the most left, as the scheduler's
    /// score prefers: filling one node after the other would promise more than the scheduler keeps. A pod that
    /// tolerates the cordon may land on a leaving node, as it would.
    pub fn place(&self, moved: &[PodSpec], leaving: &[&str]) -> Landing {
        let leaving: Vec<usize> = leaving.iter().filter_map(|n| self.node(n)).collect();
        let all: Vec<&PodSpec> = moved.iter().collect();
        let mut landing = Landing::default();
        let mut order = vec![];
        for (i, pod) in moved.iter().enumerate() {
            if let Some(words) = self.unknown(pod) {
                landing.unknown.push((i, words));
            } else if let Some(words) = self.waits(pod) {
                landing.pending.push((i, Why::Waits(words)));
            } else {
                order.push(i);
            }
        }
        let scale = Scale::of(self);
        order.sort_by_key(|&i| (Reverse(moved[i].priority), Reverse(scale.size(&moved[i])), i));
        let mut desk = Desk::new(self, moved, &order, &leaving, &all);
        let left = desk.place_all(&order, &mut landing);
        desk.explain(&left, &leaving, &all, &mut landing);
        landing.pending.sort_by_key(|(i, _)| *i);
        landing.placed.sort_by_key(|(i, _)| *i);
        landing
    }
}

/// The greatest node, by which sizes are told.
struct Scale {
    cpu: i64,
    memory: i64,
}

impl Scale {
    fn of(world: &World) -> Scale {
        let most = |of: fn(&super::amounts::Amounts) -> i64| {
            world.nodes.iter().map(|n| of(&n.allocatable)).max().unwrap_or(1).max(1)
        };
        Scale { cpu: most(|a| a.cpu), memory: most(|a| a.memory) }
    }

    /// The greater share of the greatest node, in millionths.
    fn size(&self, pod: &PodSpec) -> i64 {
        share(pod.asks.cpu, self.cpu).max(share(pod.asks.memory, self.memory))
    }
}

/// Millionths.
fn share(part: i64, whole: i64) -> i64 {
    (i128::from(part) * 1_000_000 / i128::from(whole.max(1))) as i64
}

/// Pods with the same facts but for their names, and the nodes that are open to them.
struct Kind<'s> {
    trial: Trial<'s>,
    open: Vec<usize>,
}

/// A placing at work.
struct Desk<'s> {
    world: &'s World,
    moved: &'s [PodSpec],
    scene: Scene<'s>,
    kinds: Vec<Kind<'s>>,
    /// The kind of each moved pod that is to be placed.
    kind: Vec<Option<usize>>,
}

impl<'s> Desk<'s> {
    fn new(
        world: &'s World,
        moved: &'s [PodSpec],
        order: &[usize],
        leaving: &[usize],
        all: &[&PodSpec],
    ) -> Desk<'s> {
        let mut desk = Desk {
            world,
            moved,
            scene: Scene::new(world, all, leaving),
            kinds: vec![],
            kind: vec![None; moved.len()],
        };
        for &i in order {
            desk.kind[i] = Some(desk.kind_of(&moved[i]));
        }
        desk
    }

    fn kind_of(&mut self, pod: &'s PodSpec) -> usize {
        if let Some(known) = self.kinds.iter().position(|k| alike(k.trial.pod, pod)) {
            return known;
        }
        let trial = Trial::new(&mut self.scene, pod);
        let open = (0..self.world.nodes.len()).filter(|&n| trial.open(&self.scene, n)).collect();
        self.kinds.push(Kind { trial, open });
        self.kinds.len() - 1
    }

    /// Places in this order, again while pods that landed may have helped others. Returns those without a node.
    fn place_all(&mut self, order: &[usize], landing: &mut Landing) -> Vec<usize> {
        let mut left = order.to_vec();
        loop {
            let before = left.len();
            left.retain(|&i| match self.place_one(i) {
                Some(node) => {
                    landing.placed.push((i, self.world.nodes[node].name.clone()));
                    false
                }
                None => true,
            });
            let hope = left.iter().any(|&i| self.kind(i).trial.may_improve());
            if left.len() == before || !hope {
                return left;
            }
        }
    }

    fn kind(&self, pod: usize) -> &Kind<'s> {
        &self.kinds[self.kind[pod].unwrap_or_default()]
    }

    fn place_one(&mut self, i: usize) -> Option<usize> {
        let kind = &mut self.kinds[self.kind[i]?];
        kind.trial.refresh();
        let (trial, scene) = (&kind.trial, &self.scene);
        let fitting = kind.open.iter().copied().filter(|&n| trial.fits(scene, n));
        let node = fitting.max_by_key(|&n| (room_left(scene, trial.pod, n), Reverse(n)))?;
        let pod = &self.moved[i];
        self.scene.rooms[node].take(pod, &pod.asks);
        for kind in &mut self.kinds {
            kind.trial.land(&mut self.scene, pod, node);
        }
        Some(node)
    }

    /// Says why the rest found no node.
    fn explain(&self, left: &[usize], leaving: &[usize], all: &[&'s PodSpec], to: &mut Landing) {
        if left.is_empty() {
            return;
        }
        let mut bounds = Bounds::new(self.world, leaving, all);
        let mut known: Vec<Option<Why>> = vec![None; self.kinds.len()];
        for &i in left {
            let Some(k) = self.kind[i] else { continue };
            let why = known[k].get_or_insert_with(|| self.why(&self.kinds[k], &mut bounds));
            to.pending.push((i, why.clone()));
        }
    }

    fn why(&self, kind: &Kind<'s>, bounds: &mut Bounds<'s>) -> Why {
        let pod = kind.trial.pod;
        let before = Trial::new(&mut bounds.before, pod);
        let mut hopeful = before.clone();
        hopeful.hope(&bounds.coming);
        if bounds.fits(&hopeful, &kind.open, None) {
            return Why::Packing(grouped(&self.scene, &kind.trial));
        }
        let groups = grouped(&bounds.before, &before);
        let preempts = pod.preempts && self.world.lowest < pod.priority;
        if preempts && bounds.fits(&hopeful, &kind.open, Some(pod.priority)) {
            return Why::Preempts(groups);
        }
        Why::Nowhere(groups)
    }
}

/// The most that could ever be free for a moved pod, by which it is told whether it fits nowhere.
struct Bounds<'s> {
    /// Before any moved pod has landed.
    before: Scene<'s>,
    /// The same without pods that are on their way out, and without those below a priority.
    roomy: HashMap<Option<i64>, Scene<'s>>,
    /// Pods that will land somewhere: those that are moved and those that were pending already.
    coming: Vec<&'s PodSpec>,
}

impl<'s> Bounds<'s> {
    fn new(world: &'s World, leaving: &[usize], moved: &[&'s PodSpec]) -> Bounds<'s> {
        let pending = world.pods.iter().filter(|p| p.node.is_empty() && !p.finished);
        let coming = moved.iter().copied().chain(pending).collect();
        Bounds { before: Scene::new(world, moved, leaving), roomy: HashMap::new(), coming }
    }

    /// Whether a node could take the pod with all pods out of the way that may go.
    fn fits(&mut self, hopeful: &Trial<'s>, open: &[usize], below: Option<i64>) -> bool {
        let before = &self.before;
        let scene = self.roomy.entry(below).or_insert_with(|| {
            let mut scene = before.clone();
            for (i, other) in scene.world.pods.iter().enumerate() {
                if other.deleting || below.is_some_and(|p| other.priority < p) {
                    scene.take_out(i);
                }
            }
            scene
        });
        let mut trial = Trial::new(scene, hopeful.pod);
        trial.keep_hopes(hopeful);
        open.iter().any(|&n| trial.fits(scene, n))
    }
}

/// Whether two pods are the same to the scheduler.
fn alike(one: &PodSpec, other: &PodSpec) -> bool {
    one.namespace == other.namespace
        && one.priority == other.priority
        && one.preempts == other.preempts
        && one.asks == other.asks
        && one.labels == other.labels
        && one.rules == other.rules
        // An ephemeral volume's claim is made anew for a pod that had a node.
        && one.node.is_empty() == other.node.is_empty()
}

/// What would be left of cpu and memory, in millionths of the node.
fn room_left(scene: &Scene<'_>, pod: &PodSpec, node: usize) -> i64 {
    let (free, all) = (&scene.rooms[node].free, &scene.world.nodes[node].allocatable);
    let (cpu, memory) = (free.cpu - pod.asks.cpu, free.memory - pod.asks.memory);
    share(cpu, all.cpu) + share(memory, all.memory)
}
