//! The central store of one cluster: all tables, their symbols, joins and feeds.
//!
//! Invariant: a delta is never dropped; applying the same parcel twice changes nothing the second time; a put that
//! changes no word of a row wakes nobody.

use super::decl::{TALLIED, TableSpec, Word};
use super::derive::{self, Derived};
use super::health::{Coverage, FeedId, Health};
use super::intern::{Interner, Sym};
use super::kinds::{self, usage::lent};
use super::parcel::{Key, Parcel, RawRow};
use super::row::Row;
use super::table::{Table, What};
use super::tally::{Join, MAX_SUMS};
use super::timeline::Timeline;
use hashbrown::HashMap;
use usage::{Sample, Trail};

mod events;
pub mod usage;

/// A row that an application of a parcel changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Index of the table.
    pub table: u8,
    /// Its slot.
    pub slot: u32,
    /// Bits of the words that changed; all for a new row.
    pub mask: u64,
    /// What became of it.
    pub what: What,
}

/// What an application changed, in order: a slot may be freed and taken again within one batch. The changes of several
/// applications, one after the other, are a change too.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// The rows.
    pub rows: Vec<Touch>,
}

/// A feed as the store knows it.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Its id.
    pub id: FeedId,
    /// Index of the table it fills.
    pub table: u8,
    /// Which of the table's kinds it lists.
    pub kind: u8,
    /// The namespace it is limited to.
    pub namespace: Option<String>,
    /// How it is.
    pub health: Health,
}

/// All that is known of one cluster.
pub struct Store {
    /// Shared texts.
    pub syms: Interner,
    /// The feeds opened so far.
    pub feeds: Vec<Feed>,
    /// The API server as this session reaches it: verdicts compare names with it.
    pub server: String,
    tables: Vec<Table>,
    /// The joins that each table feeds.
    joins: Vec<Vec<Join>>,
    last_feed: FeedId,
    words: Vec<u32>,
    /// Rows whose sums changed, by table and name.
    dependents: Vec<(u8, Sym)>,
    timeline: Timeline,
    /// What nodes used since start.
    trails: HashMap<Key, Trail>,
    /// What was measured of objects that are not known yet, by the table they belong to, with the generation of its look.
    unplaced: HashMap<(u8, Key), (Sample, u8)>,
}

impl Default for Store {
    fn default() -> Self {
        Store::new(kinds::ALL)
    }
}

impl Store {
    /// A store for the given tables.
    pub fn new(specs: &[&'static TableSpec]) -> Store {
        let index = |id: &str| specs.iter().position(|s| s.id == id).map(|at| at as u8);
        let joins = |s: &&TableSpec| s.tallies.iter().map(|t| Join::new(t, index(t.to))).collect();
        let named = |s: &TableSpec| specs.iter().any(|o| o.tallies.iter().any(|t| t.to == s.id));
        Store {
            syms: Interner::default(),
            feeds: vec![],
            server: String::new(),
            tables: specs.iter().map(|s| Table::new(s, named(s))).collect(),
            joins: specs.iter().map(joins).collect(),
            last_feed: FeedId::default(),
            words: vec![],
            dependents: vec![],
            timeline: Timeline::default(),
            trails: HashMap::new(),
            unplaced: HashMap::new(),
        }
    }

    /// The index of a table.
    pub fn table_index(&self, id: &str) -> Option<u8> {
        self.tables.iter().position(|t| t.spec.id == id).map(|i| i as u8)
    }

    /// A table by index.
    pub fn table_at(&self, index: u8) -> &Table {
        &self.tables[usize::from(index)]
    }

    /// A table by id. Panics on an id that `kinds::ALL` does not declare, which a test of the registry rules out.
    pub fn table(&self, id: &str) -> &Table {
        let at = self.table_index(id).expect("views name declared tables only");
        self.table_at(at)
    }

    /// A row by table and slot.
    pub fn row(&self, table: u8, slot: u32) -> Row<'_> {
        Row { store: self, table: self.table_at(table), slot }
    }

    /// The row of an object; none in a table that is not declared, as of kinds that are only described.
    pub fn find(&self, table: &str, key: Key) -> Option<Row<'_>> {
        let table = self.table_at(self.table_index(table)?);
        table.find(key).map(|slot| Row { store: self, table, slot })
    }

    /// The rows of a table in slot order.
    pub fn rows(&self, table: &str) -> impl Iterator<Item = Row<'_>> {
        let table = self.table(table);
        (0..table.slots()).filter(|&slot| table.alive(slot)).map(move |slot| Row {
            store: self,
            table,
            slot,
        })
    }

    /// The sums of a tally for one key.
    pub fn sums(&self, tally: &str, key: Sym) -> [i64; MAX_SUMS] {
        let found = self.joins.iter().flatten().find(|join| join.tally.id == tally);
        found.map_or([0; MAX_SUMS], |join| join.get(key))
    }

    /// Registers a feed that fills a table. Its id is not that of a feed closed before, whose parcels may still come.
    pub fn open_feed(&mut self, table: u8, kind: u8, namespace: Option<String>) -> FeedId {
        let next = |id: FeedId| FeedId(id.0.wrapping_add(1).max(1));
        let mut id = next(self.last_feed);
        while self.feeds.iter().any(|f| f.id == id) {
            id = next(id);
        }
        self.last_feed = id;
        let health = Health::Starting { have: 0, of: None };
        self.feeds.push(Feed { id, table, kind, namespace, health });
        id
    }

    /// Forgets a feed and its rows.
    pub fn close_feed(&mut self, id: FeedId) -> Changed {
        let mut changed = Changed::default();
        if let Some(at) = self.feeds.iter().position(|f| f.id == id) {
            let table = self.feeds.remove(at).table;
            self.forget_events(table);
            self.remove_where(table, |feed, _| feed == id, &mut changed);
            self.touch_dependents(&mut changed);
        }
        changed
    }

    /// Notes how a feed is. Unknown feeds (of a session that was left) are ignored. What follows from its rows may be
    /// known from now on, or no longer.
    pub fn set_health(&mut self, id: FeedId, health: Health) -> Changed {
        let mut changed = Changed::default();
        if let Some(feed) = self.feeds.iter_mut().find(|f| f.id == id) {
            let news = std::mem::discriminant(&feed.health) != std::mem::discriminant(&health);
            feed.health = health;
            let table = feed.table;
            if news {
                self.derive(&[(table, u64::MAX >> 1)], &mut changed);
            }
        }
        changed
    }

    /// How complete joins over a table are: as complete as the feeds of each of its kinds.
    pub fn coverage(&self, table: &str) -> Coverage {
        let Some(at) = self.table_index(table) else { return Coverage::None };
        let of_kind = |kind: usize| {
            let feeds = self.feeds.iter().filter(|f| f.table == at && usize::from(f.kind) == kind);
            let mut best = Coverage::None;
            for feed in feeds {
                match (&feed.health, &feed.namespace) {
                    (Health::Live(_), None) => return Coverage::Exact,
                    (Health::Off | Health::Denied { .. } | Health::Missing, _) => {}
                    _ => best = Coverage::Partial,
                }
            }
            best
        };
        let mut kinds = (0..self.table_at(at).spec.kinds.len()).map(of_kind);
        let first = kinds.next().unwrap_or(Coverage::None);
        if kinds.all(|other| other == first) { first } else { Coverage::Partial }
    }

    /// Whether rows of a table in a namespace are followed right now, so that a row that is not there does not exist.
    pub fn follows(&self, table: &str, namespace: &str) -> bool {
        let table = self.table_index(table);
        self.feeds.iter().any(|f| {
            let scope = f.namespace.as_deref().is_none_or(|ns| ns == namespace);
            table == Some(f.table) && scope && matches!(f.health, Health::Live(_))
        })
    }

    /// Takes in a parcel. Parcels of unknown feeds are ignored.
    pub fn apply(&mut self, parcel: &Parcel) -> Changed {
        let mut changed = Changed::default();
        let Some(table) = self.feeds.iter().find(|f| f.id == parcel.feed).map(|f| f.table) else {
            return changed;
        };
        if self.gathers(table) {
            return self.gather(table, parcel);
        }
        if let Some(into) = self.takes_use(table) {
            return self.take_use(into, parcel);
        }
        for row in parcel.rows() {
            self.put(table, parcel, row, &mut changed);
        }
        for &key in &parcel.gone {
            if let Some(slot) = self.table_at(table).find(key) {
                self.remove(table, slot, &mut changed);
            }
        }
        if parcel.look.is_some() {
            self.tables[usize::from(table)].look = parcel.look;
        }
        if parcel.sweep {
            let stale = |feed, generation| feed == parcel.feed && generation != parcel.generation;
            self.remove_where(table, stale, &mut changed);
        }
        let touched: Vec<_> = changed.rows.iter().map(|touch| (touch.table, touch.mask)).collect();
        self.derive(&touched, &mut changed);
        self.touch_dependents(&mut changed);
        changed
    }

    /// Works out the words that follow from rows of touched tables.
    fn derive(&mut self, touched: &[(u8, u64)], changed: &mut Changed) {
        for derived in derive::ALL {
            let table = self.table_index(derived.table).filter(|t| !self.table_at(*t).is_empty());
            let Some(table) = table else { continue };
            let mut follows = touched.iter().map(|&(at, mask)| (self.table_at(at).spec.id, mask));
            if follows.any(|(id, mask)| derived.follows(id, mask)) {
                self.rederive(table, derived, changed);
            }
        }
    }

    fn rederive(&mut self, table: u8, derived: &Derived, changed: &mut Changed) {
        for (slot, texts) in (derived.work)(self) {
            let mut words = self.table_at(table).words(slot).to_vec();
            for (word, text) in derived.words.iter().zip(&texts) {
                words[usize::from(word.at)] = self.syms.intern(text.as_bytes()).0;
            }
            let mask = self.table_at(table).differs(slot, &words);
            if mask != 0 {
                self.rewrite(table, slot, &words);
                changed.rows.push(Touch { table, slot, mask, what: What::Changed });
            }
        }
    }

    fn put(&mut self, table: u8, parcel: &Parcel, row: RawRow<'_>, changed: &mut Changed) {
        let mut words = std::mem::take(&mut self.words);
        let t = &mut self.tables[usize::from(table)];
        t.encode(row, &mut self.syms, &mut words);
        let (key, feed, generation) = (row.key(), parcel.feed, parcel.generation);
        match t.find(key) {
            Some(slot) => {
                // What follows from other rows, or is measured, is not in the object.
                let derived = derive::ALL.iter().filter(|d| d.table == t.spec.id);
                let derived = derived.flat_map(|d| d.words).chain(lent(t.spec.id));
                let at = |w: &Word| usize::from(w.at)..usize::from(w.at + w.ty.width());
                for at in derived.flat_map(at) {
                    words[at] = t.words(slot)[at];
                }
                let mask = t.differs(slot, &words);
                t.touch(slot, feed, generation, row.head.rv);
                if mask != 0 {
                    self.rewrite(table, slot, &words);
                    self.tables[usize::from(table)].say(slot, row);
                    changed.rows.push(Touch { table, slot, mask, what: What::Changed });
                }
            }
            None => {
                let slot = t.insert(key, row, feed, generation, &words, &mut self.syms);
                self.count(table, slot, 1);
                changed.rows.push(Touch { table, slot, mask: u64::MAX, what: What::New });
                self.words = words;
                return self.place_use((table, slot), &row, changed);
            }
        }
        self.words = words;
    }

    fn remove(&mut self, table: u8, slot: u32, changed: &mut Changed) {
        self.count(table, slot, -1);
        self.tables[usize::from(table)].remove(slot, &self.syms);
        changed.rows.push(Touch { table, slot, mask: u64::MAX, what: What::Gone });
    }

    fn remove_where(
        &mut self,
        table: u8,
        gone: impl Fn(FeedId, u8) -> bool,
        changed: &mut Changed,
    ) {
        for slot in 0..self.table_at(table).slots() {
            let head = self.table_at(table).head(slot);
            if head.alive && gone(head.feed, head.generation) {
                self.remove(table, slot, changed);
            }
        }
    }

    /// Adds a row to, or takes it from, every join it feeds.
    fn count(&mut self, table: u8, slot: u32, sign: i64) {
        // The joins step aside so that the row may borrow the store.
        let mut joins = std::mem::take(&mut self.joins[usize::from(table)]);
        for join in &mut joins {
            let key = join.count(self.row(table, slot), sign);
            self.dependents.extend(join.to.zip(key));
        }
        self.joins[usize::from(table)] = joins;
    }

    /// Overwrites a row's words and carries the difference into the joins it feeds.
    fn rewrite(&mut self, table: u8, slot: u32, words: &[u32]) {
        let mut joins = std::mem::take(&mut self.joins[usize::from(table)]);
        joins.iter_mut().for_each(|join| join.lift(self.row(table, slot)));
        self.tables[usize::from(table)].write(slot, words);
        for join in &mut joins {
            let keys = join.settle(self.row(table, slot));
            self.dependents.extend(keys.into_iter().filter_map(|key| join.to.zip(key)));
        }
        self.joins[usize::from(table)] = joins;
    }

    /// Tells the rows that show a changed sum.
    fn touch_dependents(&mut self, changed: &mut Changed) {
        self.dependents.sort_unstable();
        self.dependents.dedup();
        let mut dependents = std::mem::take(&mut self.dependents);
        for (table, name) in dependents.drain(..) {
            if let Some(slot) = self.table_at(table).find_name(name) {
                changed.rows.push(Touch { table, slot, mask: TALLIED, what: What::Changed });
            }
        }
        self.dependents = dependents;
    }
}
