//! The lens: what a view shows of a table, in which order, kept up row by row.
//!
//! Invariant: [`Lens::rows`] only names rows that live; once [`Lens::settled`], it equals "filter, then sort" of the
//! table as it is. Work over the whole table is done in slices, the old rows staying on screen meanwhile.
//!
//! Cost: 20 bytes a row in scope and 3 bits a slot; as much again while a sort is under way.

mod bits;
mod order;

use super::decl::Column;
use super::query::{Bound, Query};
use super::store::{Changed, Store, Touch};
use super::table::What;
use super::time::Epoch;
use bits::Bits;
use order::{By, Entry, Resort, batch};

/// How much work one call may do.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// About how many rows may be tested, keyed or merged; 16,384 take about a millisecond.
    pub rows: usize,
}

impl Budget {
    /// What fits between two keys: under two milliseconds.
    pub const SLICE: Budget = Budget { rows: 16_384 };
    /// All there is to do, where nobody waits for a frame.
    pub const ALL: Budget = Budget { rows: usize::MAX };
}

/// How far the work got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing left to do.
    Done,
    /// Call again.
    More,
}

/// One view's order and filter over one table of one store.
pub struct Lens {
    by: By,
    /// Rows in scope, sorted by `by` unless `rough`.
    order: Vec<Entry>,
    /// Too much moved to keep the order exact: until the sort under way is done, rows stay where they were.
    rough: bool,
    resort: Option<Resort>,
    scope: Bound,
    query: Bound,
    /// Slots in scope, and of these the ones that pass the query.
    scoped: Bits,
    pass: Bits,
    retest: Option<Retest>,
    /// Every row has been tested once.
    tested: bool,
    visible: Vec<u32>,
    /// Reused by [`Lens::absorb`]: slots whose row is another or newly in or out of scope; these and those re-keyed.
    replaced: Bits,
    moved: Bits,
    new: Vec<Entry>,
}

/// A new query on its way through the table.
struct Retest {
    query: Bound,
    todo: Bits,
    from: u32,
    pass: Bits,
}

impl Retest {
    fn new(query: Query, todo: Bits) -> Retest {
        Retest { query: query.bind(Epoch::default()), todo, from: 0, pass: Bits::default() }
    }

    /// Tests a row (again) that came, went or changed.
    fn spoil(&mut self, slot: u32) {
        self.pass.put(slot, false);
        self.todo.put(slot, true);
        self.from = self.from.min(slot);
    }
}

impl Lens {
    /// A lens over a table by index: rows in `scope` that pass `query`, sorted by a column, descending if asked. The
    /// scope is for good and does not depend on the clock. Nothing is shown until [`Lens::work`] was called.
    pub fn new(
        table: u8,
        (column, desc): (&'static Column, bool),
        scope: Query,
        query: Query,
    ) -> Lens {
        Lens {
            by: By { table, column, desc },
            order: vec![],
            rough: true,
            resort: None,
            scope: scope.bind(Epoch::default()),
            query: query.bind(Epoch::default()),
            scoped: Bits::default(),
            pass: Bits::default(),
            retest: None,
            tested: false,
            visible: vec![],
            replaced: Bits::default(),
            moved: Bits::default(),
            new: vec![],
        }
    }

    /// Slots of the rows to show, in order. Good until the next [`Store::apply`].
    pub fn rows(&self) -> &[u32] {
        &self.visible
    }

    /// How many rows pass.
    pub fn len(&self) -> usize {
        self.visible.len()
    }

    /// Whether none pass.
    pub fn is_empty(&self) -> bool {
        self.visible.is_empty()
    }

    /// How many rows are in scope.
    pub fn total(&self) -> usize {
        self.scoped.len()
    }

    /// The order asked for: column, and whether it descends.
    pub fn sort(&self) -> (&'static Column, bool) {
        let by = self.resort.as_ref().map_or(self.by, |job| job.by);
        (by.column, by.desc)
    }

    /// The query asked for.
    pub fn query(&self) -> &Query {
        self.retest.as_ref().map_or(&self.query.query, |job| &job.query.query)
    }

    /// Whether what is shown is what was asked for.
    pub fn settled(&self) -> bool {
        self.tested && !self.rough && self.resort.is_none() && self.retest.is_none()
    }

    /// Asks for another order.
    pub fn set_sort(&mut self, store: &Store, (column, desc): (&'static Column, bool)) {
        let by = By { column, desc, ..self.by };
        let shown = !self.rough && by.is(&self.by);
        self.resort = (!shown).then(|| Resort::new(by, store.table_at(by.table).slots()));
    }

    /// Asks for another query. If it is narrower than the last one, only rows that passed that are tested.
    pub fn set_query(&mut self, store: &Store, query: Query) {
        let narrower = |old: &Bound| !old.clock && query.is_narrower_than(&old.query);
        let todo = match &self.retest {
            _ if !self.tested => self.candidates(store),
            Some(job) if narrower(&job.query) => job.pass.with(&job.todo),
            _ if narrower(&self.query) => self.pass.clone(),
            _ => self.candidates(store),
        };
        self.retest = Some(Retest::new(query, todo));
    }

    /// Moves the clock of the query; to be called when the minute changes. Rows are tested again if the verdict on any
    /// depends on it. Returns whether there is work to do.
    pub fn rebind(&mut self, store: &Store, now: Epoch) -> bool {
        let asked = self.retest.as_mut().map_or(&mut self.query, |job| &mut job.query);
        asked.now = now;
        if asked.clock {
            let query = asked.query.clone();
            self.retest = Some(Retest::new(query, self.candidates(store)));
        }
        !self.settled()
    }

    /// The slots that a query of which nothing is known has to look at.
    fn candidates(&self, store: &Store) -> Bits {
        let slots = store.table_at(self.by.table).slots();
        if self.tested { self.scoped.clone() } else { Bits::all(slots) }
    }

    /// Where a row is among those shown.
    pub fn rank(&self, store: &Store, slot: u32) -> Option<usize> {
        if !self.pass.has(slot) {
            return None;
        }
        let found = self.visible.binary_search_by(|&s| self.by.compare_rows(store, s, slot));
        // In a rough order the search may miss.
        found.ok().or_else(|| self.visible.iter().position(|&s| s == slot))
    }

    /// Goes on with whole-table work. A query that is new is bound to `now`.
    pub fn work(&mut self, store: &Store, now: Epoch, budget: Budget) -> Progress {
        let mut left = budget.rows;
        if !self.tested && self.retest.is_none() {
            let query = std::mem::take(&mut self.query.query);
            self.retest = Some(Retest::new(query, self.candidates(store)));
        }
        if self.rough && self.resort.is_none() {
            let slots = store.table_at(self.by.table).slots();
            self.resort = Some(Resort::new(self.by, slots));
        }
        self.test(store, now, &mut left);
        if self.retest.is_none() {
            self.sort_on(store, &mut left);
        }
        if self.settled() { Progress::Done } else { Progress::More }
    }

    fn test(&mut self, store: &Store, now: Epoch, left: &mut usize) {
        let Some(mut job) = self.retest.take() else { return };
        if !job.query.now.is_set() {
            job.query.now = now;
        }
        let cost = job.query.query.cost();
        while *left > 0 {
            let Some(slot) = job.todo.pop(&mut job.from) else {
                self.query = job.query;
                self.pass = job.pass;
                self.tested = true;
                return self.show();
            };
            self.judge_scope(store, slot);
            let row = store.row(self.by.table, slot);
            job.pass.put(slot, self.scoped.has(slot) && job.query.test(row));
            *left = left.saturating_sub(cost);
        }
        self.retest = Some(job);
    }

    fn sort_on(&mut self, store: &Store, left: &mut usize) {
        let Some(mut job) = self.resort.take() else { return };
        match job.step(store, &self.scoped, left) {
            Some(order) => {
                self.by = job.by;
                self.order = order;
                self.rough = false;
                self.show();
            }
            None => self.resort = Some(job),
        }
    }

    /// Takes in what one or several applications changed. The store is as they left it.
    pub fn absorb(&mut self, store: &Store, changed: &Changed) {
        let mut dirty = false;
        for touch in &changed.rows {
            dirty |= touch.table == self.by.table && self.judge(store, touch);
        }
        let moved = self.moved.len();
        self.rough |= moved > batch(self.order.len());
        if moved > 0 && self.rough {
            let replaced = &self.replaced;
            self.order.retain(|entry| !replaced.has(entry.slot));
        } else if moved > 0 {
            self.move_rows(store);
        }
        if moved > 0 || dirty {
            self.show();
            self.replaced.clear();
            self.moved.clear();
        }
    }

    /// Decides anew about one row; returns whether it now passes and did not, or the other way round.
    fn judge(&mut self, store: &Store, touch: &Touch) -> bool {
        let Touch { slot, mask, what, .. } = *touch;
        let was_inside = self.scoped.has(slot);
        let mut other = what != What::Changed;
        if other || mask & self.scope.query.needs() != 0 {
            other |= self.judge_scope(store, slot);
        }
        let inside = self.scoped.has(slot);
        if !was_inside && !inside {
            return false;
        }
        let concerns = |words: u64| other || mask & words != 0;
        if other {
            self.replaced.put(slot, true);
        }
        if concerns(self.by.column.needs) {
            self.moved.put(slot, true);
        }
        if let Some(job) = self.resort.as_mut().filter(|job| concerns(job.by.column.needs)) {
            job.spoil(slot);
        }
        if let Some(job) = self.retest.as_mut().filter(|job| concerns(job.query.query.needs())) {
            job.spoil(slot);
        }
        concerns(self.query.query.needs()) && {
            let pass = inside && self.query.test(store.row(self.by.table, slot));
            self.pass.put(slot, pass)
        }
    }

    /// Decides anew whether a row is in scope; returns whether that changed.
    fn judge_scope(&mut self, store: &Store, slot: u32) -> bool {
        let alive = store.table_at(self.by.table).alive(slot);
        let inside = alive && self.scope.test(store.row(self.by.table, slot));
        self.scoped.put(slot, inside)
    }

    /// Takes the moved rows out of the order and merges them in again where they belong now.
    fn move_rows(&mut self, store: &Store) {
        let Lens { by, order, moved, scoped, new, .. } = self;
        order.retain(|entry| !moved.has(entry.slot));
        new.clear();
        new.extend(moved.iter().filter(|&s| scoped.has(s)).map(|slot| by.entry(store, slot)));
        new.sort_unstable_by(|a, b| by.compare(store, a, b));
        by.merge(store, order, new);
    }

    fn show(&mut self) {
        let (visible, pass) = (&mut self.visible, &self.pass);
        visible.clear();
        visible.extend(self.order.iter().map(|entry| entry.slot).filter(|&slot| pass.has(slot)));
    }
}
