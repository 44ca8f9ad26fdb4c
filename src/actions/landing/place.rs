//! Where pods land that are moved off their nodes.

use super::facts::PodSpec;
use super::fit::World;
use super::pending::{Group, grouped};
use super::scene::Scene;
use super::trial::Trial;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::rc::Rc;

/// Where moved pods would go. Pods are named by their number in the list that was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    /// Pods that find a node, and one they could be on.
    pub placed: Vec<(usize, String)>,
    /// Those of them that find none if pods go in another order: it is a matter of luck who of them gets the room.
    pub contested: Vec<usize>,
    /// Pods that find none, and why.
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
    /// node first; others are placed as new ones. A pod that tolerates the cordon may land on a leaving node, as it
    /// would.
    ///
    /// Pods go by priority, then by size, greatest first. Each goes to the node with the most left, as the scheduler's
    /// score prefers: filling one node after the other would promise more than the scheduler keeps. The same is tried
    /// in the order given and smallest first; what does not find room every time is contested.
    pub fn place(&self, moved: &[PodSpec], leaving: &[&str]) -> Landing {
        let leaving: Vec<usize> = leaving.iter().filter_map(|n| self.node(n)).collect();
        let mut landing = Landing::default();
        let mut given = vec![];
        for (i, pod) in moved.iter().enumerate() {
            if let Some(words) = self.unknown(pod) {
                landing.unknown.push((i, words));
            } else if let Some(words) = self.waits(pod) {
                landing.pending.push((i, Why::Waits(words)));
            } else {
                given.push(i);
            }
        }
        let desk = Desk::new(self, moved, &given, &leaving);
        given.sort_by_key(|&i| Reverse(moved[i].priority));
        let scale = Scale::of(self);
        let (mut falling, mut rising) = (given.clone(), given.clone());
        falling.sort_by_key(|&i| (Reverse(moved[i].priority), Reverse(scale.size(&moved[i]))));
        rising.sort_by_key(|&i| (Reverse(moved[i].priority), scale.size(&moved[i])));
        desk.clone().first(&desk, &falling, &mut landing);
        for order in [given, rising] {
            desk.clone().again(&order, &mut landing);
        }
        landing.pending.sort_by_key(|(i, _)| *i);
        landing.placed.sort_by_key(|(i, _)| *i);
        landing.contested.sort_unstable();
        landing.contested.dedup();
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
#[derive(Clone)]
struct Kind<'s> {
    trial: Trial<'s>,
    open: Rc<[usize]>,
}

/// A placing at work.
#[derive(Clone)]
struct Desk<'s> {
    world: &'s World,
    moved: &'s [PodSpec],
    scene: Scene<'s>,
    kinds: Vec<Kind<'s>>,
    /// The kind of each moved pod that is to be placed.
    kind: Vec<Option<usize>>,
}

impl<'s> Desk<'s> {
    fn new(world: &'s World, moved: &'s [PodSpec], order: &[usize], leaving: &[usize]) -> Self {
        let scene = Scene::new(world, moved, leaving);
        let mut desk = Desk { world, moved, scene, kinds: vec![], kind: vec![None; moved.len()] };
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

    /// Places, and says why what is left found no node.
    fn first(&mut self, start: &Desk<'s>, order: &[usize], landing: &mut Landing) {
        let (placed, left) = self.place_all(order);
        let name = |(i, node): (usize, usize)| (i, self.world.nodes[node].name.clone());
        landing.placed.extend(placed.into_iter().map(name));
        if left.is_empty() {
            return;
        }
        let highest = left.iter().map(|&i| &self.moved[i]).filter(|p| self.may_preempt(p));
        let highest = highest.map(|p| p.priority).max();
        let mut bounds = Bounds::new(start, highest);
        // Once for each kind: the reasons of thousands of nodes are no small matter.
        let mut known: Vec<Option<Why>> = vec![None; self.kinds.len()];
        for i in left {
            let Some(k) = self.kind[i] else { continue };
            let why = known[k].get_or_insert_with(|| self.why(k, &mut bounds));
            landing.pending.push((i, why.clone()));
        }
    }

    /// Places in another order. Who finds no node now was lucky before.
    fn again(&mut self, order: &[usize], landing: &mut Landing) {
        let (_, left) = self.place_all(order);
        let had = landing.placed.iter().map(|(i, _)| *i).filter(|i| left.contains(i));
        landing.contested.extend(had);
    }

    /// Places in this order, again while pods that landed may have helped others. Returns those with and those without
    /// a node.
    fn place_all(&mut self, order: &[usize]) -> (Vec<(usize, usize)>, Vec<usize>) {
        let (mut placed, mut left) = (vec![], order.to_vec());
        loop {
            let before = left.len();
            left.retain(|&i| {
                let node = self.place_one(i);
                placed.extend(node.map(|n| (i, n)));
                node.is_none()
            });
            let improves = |i: &usize| self.kind_at(*i).is_some_and(|k| k.trial.may_improve());
            if left.len() == before || !left.iter().any(improves) {
                return (placed, left);
            }
        }
    }

    fn kind_at(&self, pod: usize) -> Option<&Kind<'s>> {
        Some(&self.kinds[self.kind[pod]?])
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

    /// Whether there is anybody that the scheduler might evict for the pod.
    fn may_preempt(&self, pod: &PodSpec) -> bool {
        pod.preempts && self.world.lowest < pod.priority
    }

    fn why(&self, kind: usize, bounds: &mut Bounds<'s, '_>) -> Why {
        let Kind { trial: before, open } = &bounds.start.kinds[kind];
        let mut hopeful = before.clone();
        hopeful.hope(&bounds.coming);
        if bounds.fits(&hopeful, open, None) {
            return Why::Packing(grouped(&self.scene, &self.kinds[kind].trial));
        }
        let groups = grouped(&bounds.start.scene, before);
        let pod = before.pod;
        if self.may_preempt(pod) && bounds.fits(&hopeful, open, Some(pod.priority)) {
            return Why::Preempts(groups);
        }
        // Whom another moved pod evicts may leave more than that pod needs.
        if bounds.highest.is_some() && bounds.fits(&hopeful, open, bounds.highest) {
            return Why::Packing(groups);
        }
        Why::Nowhere(groups)
    }
}

/// The most that could ever be free for a moved pod, by which it is told whether it fits nowhere.
struct Bounds<'s, 'd> {
    /// Before any moved pod has landed.
    start: &'d Desk<'s>,
    /// The same without pods that are on their way out, and without those below a priority.
    roomy: HashMap<Option<i64>, Scene<'s>>,
    /// Pods that will land somewhere: those that are moved and those that were pending already.
    coming: Vec<&'s PodSpec>,
    /// The highest priority of a moved pod that needs others to be evicted.
    highest: Option<i64>,
}

impl<'s, 'd> Bounds<'s, 'd> {
    fn new(start: &'d Desk<'s>, highest: Option<i64>) -> Bounds<'s, 'd> {
        let pending = start.world.pods.iter().filter(|p| p.node.is_empty() && !p.finished);
        let coming = start.moved.iter().chain(pending).collect();
        Bounds { start, roomy: HashMap::new(), coming, highest }
    }

    /// Whether a node could take the pod with all pods out of the way that may go.
    fn fits(&mut self, hopeful: &Trial<'s>, open: &[usize], below: Option<i64>) -> bool {
        let start = &self.start.scene;
        if open.iter().any(|&n| hopeful.fits(start, n)) {
            return true;
        }
        if below.is_none() && !start.world.deleting {
            return false;
        }
        let scene = self.roomy.entry(below).or_insert_with(|| {
            let mut scene = start.clone();
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
