//! All objects and the last changes to them.
//!
//! Every change has its own revision. The state at any revision in the kept window can be had back by undoing what came
//! later, so paged lists are consistent without holding snapshots; below the window there is only 410.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::object;
use super::registry::{ALL, Resource};

/// A stored object; shared with the history.
pub type Object = Arc<Value>;

/// The objects of a resource by `namespace/name`, or `name` when cluster-scoped: the order lists have in etcd.
pub type Table = BTreeMap<String, Object>;

/// Changes kept for resumed watches: minutes of demo life, tens of megabytes at most.
const HISTORY: usize = 1_500;

/// One change to one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// The revision it made.
    pub revision: u64,
    /// `plural` of the resource.
    pub plural: &'static str,
    /// The key in its table.
    pub key: String,
    /// What was there before.
    pub before: Option<Object>,
    /// What is there since. A deletion keeps `None`.
    pub after: Option<Object>,
}

/// See the module.
#[derive(Debug)]
pub struct Store {
    revision: u64,
    tables: HashMap<&'static str, Table>,
    history: VecDeque<Change>,
    floor: u64,
}

/// The key of an object in its table.
pub fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

impl Store {
    /// Empty, at a revision that looks like a cluster in use.
    pub fn new() -> Store {
        let start = 41_007;
        let tables = ALL.iter().map(|r| (r.plural, Table::new())).collect();
        Store { revision: start, tables, history: VecDeque::new(), floor: start }
    }

    /// The revision of the last change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The oldest revision a watch or a list may still start from.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// The objects of a resource now.
    pub fn table(&self, res: &Resource) -> &Table {
        &self.tables[res.plural]
    }

    /// One object.
    pub fn get(&self, res: &Resource, namespace: &str, name: &str) -> Option<&Object> {
        self.table(res).get(&key(namespace, name))
    }

    /// How many objects there are of all resources.
    pub fn len(&self) -> usize {
        self.tables.values().map(BTreeMap::len).sum()
    }

    /// Stores an object under a new revision and returns it.
    pub fn put(&mut self, res: &'static Resource, mut object: Value) -> Object {
        self.revision += 1;
        object["metadata"]["resourceVersion"] = json!(self.revision.to_string());
        let key = key(object::namespace(&object), object::name(&object));
        let object = Arc::new(object);
        let before = self.write(res.plural, &key, Some(object.clone()));
        self.remember(res.plural, key, before, Some(object.clone()));
        object
    }

    /// Removes an object for good.
    pub fn remove(&mut self, res: &'static Resource, namespace: &str, name: &str) {
        let key = key(namespace, name);
        if let Some(before) = self.write(res.plural, &key, None) {
            self.revision += 1;
            self.remember(res.plural, key, Some(before), None);
        }
    }

    fn write(&mut self, plural: &'static str, key: &str, to: Option<Object>) -> Option<Object> {
        let table = self.tables.entry(plural).or_default();
        match to {
            Some(object) => table.insert(key.to_owned(), object),
            None => table.remove(key),
        }
    }

    fn remember(
        &mut self,
        plural: &'static str,
        key: String,
        before: Option<Object>,
        after: Option<Object>,
    ) {
        self.history.push_back(Change { revision: self.revision, plural, key, before, after });
        while self.history.len() > HISTORY {
            self.floor = self.history.pop_front().map_or(self.floor, |c| c.revision);
        }
    }

    /// Forgets all history, as an etcd compaction does.
    pub fn compact(&mut self) {
        self.history.clear();
        self.floor = self.revision;
    }

    /// The changes after a revision, oldest first; `None` when the window no longer holds them all.
    pub fn since(&self, revision: u64) -> Option<impl Iterator<Item = &Change>> {
        let from = self.history.partition_point(|c| c.revision <= revision);
        (revision >= self.floor).then(|| self.history.range(from..))
    }

    /// A resource as it was at a revision; `None` when that is out of the window.
    pub fn at(&self, res: &Resource, revision: u64) -> Option<Table> {
        let mut table = self.table(res).clone();
        let later: Vec<_> = self.since(revision)?.filter(|c| c.plural == res.plural).collect();
        for change in later.into_iter().rev() {
            match &change.before {
                Some(object) => table.insert(change.key.clone(), object.clone()),
                None => table.remove(&change.key),
            };
        }
        Some(table)
    }
}
