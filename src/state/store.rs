//! The central store of one cluster: all tables, their symbols, joins and feeds.
//!
//! Invariant: a delta is never dropped; applying the same parcel twice changes nothing the second time; a put that
//! changes no word of a row wakes nobody.

use super::decl::{TALLIED, TableSpec};
use super::health::{Coverage, FeedId, Health};
use super::intern::{Interner, Sym};
use super::kinds;
use super::parcel::{Key, Parcel, RawRow};
use super::row::Row;
use super::table::{Table, What};
use super::tally::{MAX_SUMS, Sums, Tally};

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

/// What an application changed, in order: a slot may be freed and taken again within one batch.
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
    tables: Vec<Table>,
    tallies: Vec<(&'static Tally, Sums)>,
    scratch: Vec<u32>,
}

impl Default for Store {
    fn default() -> Self {
        Store::new(kinds::ALL)
    }
}

impl Store {
    /// A store for the given tables.
    pub fn new(specs: &[&'static TableSpec]) -> Store {
        let tallies: Vec<_> = specs.iter().flat_map(|s| s.tallies).collect();
        let named = |s: &TableSpec| tallies.iter().any(|t| t.to == s.id);
        Store {
            syms: Interner::default(),
            feeds: vec![],
            tables: specs.iter().map(|s| Table::new(s, named(s))).collect(),
            tallies: tallies.into_iter().map(|t| (t, Sums::default())).collect(),
            scratch: vec![],
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

    /// The row of an object.
    pub fn find(&self, table: &str, key: Key) -> Option<Row<'_>> {
        let table = self.table(table);
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
        let found = self.tallies.iter().find(|(t, _)| t.id == tally);
        found.map_or([0; MAX_SUMS], |(_, sums)| sums.get(key))
    }

    /// Registers a feed that fills a table.
    pub fn open_feed(&mut self, table: u8, kind: u8, namespace: Option<String>) -> FeedId {
        let id = FeedId(self.feeds.iter().map(|f| f.id.0 + 1).max().unwrap_or(1));
        let health = Health::Starting { have: 0, of: None };
        self.feeds.push(Feed { id, table, kind, namespace, health });
        id
    }

    /// Forgets a feed and its rows.
    pub fn close_feed(&mut self, id: FeedId) -> Changed {
        let mut changed = Changed::default();
        if let Some(at) = self.feeds.iter().position(|f| f.id == id) {
            let table = self.feeds.remove(at).table;
            self.remove_where(table, |feed, _| feed == id, &mut changed);
        }
        changed
    }

    /// Notes how a feed is. Unknown feeds (of a session that was left) are ignored.
    pub fn set_health(&mut self, id: FeedId, health: Health) {
        if let Some(feed) = self.feeds.iter_mut().find(|f| f.id == id) {
            feed.health = health;
        }
    }

    /// How complete joins over a table are.
    pub fn coverage(&self, table: &str) -> Coverage {
        let at = self.table_index(table);
        let mut all = Coverage::None;
        for feed in self.feeds.iter().filter(|f| Some(f.table) == at) {
            let one = match (&feed.health, &feed.namespace) {
                (Health::Live(_), None) => Coverage::Exact,
                (Health::Off | Health::Denied { .. } | Health::Missing, _) => continue,
                _ => Coverage::Partial,
            };
            all = if all == Coverage::Partial { all } else { one };
        }
        all
    }

    /// Takes in a parcel. Parcels of unknown feeds are ignored.
    pub fn apply(&mut self, parcel: &Parcel) -> Changed {
        let mut changed = Changed::default();
        let Some(table) = self.feeds.iter().find(|f| f.id == parcel.feed).map(|f| f.table) else {
            return changed;
        };
        let mut keys = vec![];
        for row in parcel.rows() {
            self.put(table, parcel, row, &mut changed, &mut keys);
        }
        for &key in &parcel.gone {
            if let Some(slot) = self.table_at(table).find(key) {
                self.remove(table, slot, &mut changed, &mut keys);
            }
        }
        self.touch_dependents(&mut keys, &mut changed);
        if parcel.sweep {
            let stale = |feed, generation| feed == parcel.feed && generation != parcel.generation;
            self.remove_where(table, stale, &mut changed);
        }
        changed
    }

    fn put(
        &mut self,
        table: u8,
        parcel: &Parcel,
        row: RawRow<'_>,
        changed: &mut Changed,
        keys: &mut Vec<(usize, Sym)>,
    ) {
        let mut words = std::mem::take(&mut self.scratch);
        let t = &mut self.tables[usize::from(table)];
        t.encode(row, &mut self.syms, &mut words);
        let (feed, generation) = (parcel.feed, parcel.generation);
        match t.find(row.key()) {
            Some(slot) => {
                let mask = t.differs(slot, &words);
                t.touch(slot, feed, generation, row.head.rv);
                if mask != 0 {
                    self.count(table, slot, -1, keys);
                    self.tables[usize::from(table)].write(slot, &words);
                    self.count(table, slot, 1, keys);
                    changed.rows.push(Touch { table, slot, mask, what: What::Changed });
                }
            }
            None => {
                let slot = t.insert(row, feed, generation, &words, &mut self.syms);
                self.count(table, slot, 1, keys);
                changed.rows.push(Touch { table, slot, mask: u64::MAX, what: What::New });
            }
        }
        self.scratch = words;
    }

    fn remove(
        &mut self,
        table: u8,
        slot: u32,
        changed: &mut Changed,
        keys: &mut Vec<(usize, Sym)>,
    ) {
        self.count(table, slot, -1, keys);
        self.tables[usize::from(table)].remove(slot, &self.syms);
        changed.rows.push(Touch { table, slot, mask: u64::MAX, what: What::Gone });
    }

    fn remove_where(
        &mut self,
        table: u8,
        gone: impl Fn(FeedId, u8) -> bool,
        changed: &mut Changed,
    ) {
        let mut keys = vec![];
        for slot in 0..self.table_at(table).slots() {
            let head = self.table_at(table).head(slot);
            if head.alive && gone(head.feed, head.generation) {
                self.remove(table, slot, changed, &mut keys);
            }
        }
        self.touch_dependents(&mut keys, changed);
    }

    /// Adds a row to, or takes it from, every tally it feeds.
    fn count(&mut self, table: u8, slot: u32, sign: i64, keys: &mut Vec<(usize, Sym)>) {
        // The tallies step aside so that the row may borrow the store.
        let mut tallies = std::mem::take(&mut self.tallies);
        let row = self.row(table, slot);
        for (i, (tally, sums)) in tallies.iter_mut().enumerate() {
            if row.table.spec.tallies.iter().any(|t| std::ptr::eq(t, *tally))
                && let Some(key) = sums.count(tally, row, sign)
            {
                keys.push((i, key));
            }
        }
        self.tallies = tallies;
    }

    /// Tells the rows that show a changed sum.
    fn touch_dependents(&self, keys: &mut Vec<(usize, Sym)>, changed: &mut Changed) {
        keys.sort_unstable();
        keys.dedup();
        for (i, key) in keys.drain(..) {
            let to = self.table_index(self.tallies[i].0.to);
            if let Some((table, slot)) =
                to.and_then(|t| Some((t, self.table_at(t).find_name(key)?)))
            {
                changed.rows.push(Touch { table, slot, mask: TALLIED, what: What::Changed });
            }
        }
    }
}
