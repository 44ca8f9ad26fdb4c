//! A world with some pods taken out, some nodes leaving, and pods that have landed since.

use super::facts::PodSpec;
use super::fit::{Room, World};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// A topology: the domain of each node by number. Nodes without the label are in none.
#[derive(Debug)]
pub(super) struct Column {
    pub key: String,
    pub of: Vec<Option<u32>>,
    pub domains: usize,
}

/// The state of a simulation. The world below it is not changed.
#[derive(Clone)]
pub(super) struct Scene<'w> {
    pub world: &'w World,
    /// Pods of the world that are taken out.
    pub gone: HashSet<usize>,
    /// Nodes about to be cordoned.
    pub leaving: Vec<bool>,
    pub rooms: Vec<Room>,
    columns: HashMap<String, Rc<Column>>,
}

impl<'w> Scene<'w> {
    /// The world without these pods, with these nodes cordoned.
    pub fn new(world: &'w World, without: &[PodSpec], leaving: &[usize]) -> Scene<'w> {
        let mut scene = Scene {
            world,
            gone: HashSet::new(),
            leaving: vec![false; world.nodes.len()],
            rooms: world.rooms.clone(),
            columns: HashMap::new(),
        };
        for &node in leaving {
            scene.leaving[node] = true;
        }
        for pod in without {
            if let Some(i) = world.find(pod) {
                scene.take_out(i);
            }
        }
        scene
    }

    /// Takes one more pod of the world out.
    pub fn take_out(&mut self, pod: usize) {
        if let Some(node) = self.world.home(pod)
            && self.gone.insert(pod)
        {
            self.rooms[node].leave(&self.world.pods[pod]);
        }
    }

    /// The node of a pod of the world, unless it is taken out.
    pub fn home(&self, pod: usize) -> Option<usize> {
        self.world.home(pod).filter(|_| !self.gone.contains(&pod))
    }

    /// The domains of a label.
    pub fn column(&mut self, key: &str) -> Rc<Column> {
        if let Some(column) = self.columns.get(key) {
            return Rc::clone(column);
        }
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut number = |value: &'w String| {
            let next = numbers.len() as u32;
            *numbers.entry(value).or_insert(next)
        };
        let of = self.world.nodes.iter().map(|n| n.labels.get(key).map(&mut number)).collect();
        let column = Rc::new(Column { key: key.to_owned(), of, domains: numbers.len() });
        self.columns.insert(key.to_owned(), Rc::clone(&column));
        column
    }
}
