//! An order of rows: keys, batch merge, and a merge sort that can stop anywhere.
//!
//! Invariant: two entries are only compared while both rows are as they were when keyed; a row that changed is first
//! taken out.

use super::bits::Bits;
use crate::state::decl::Column;
use crate::state::store::Store;
use std::cmp::Ordering;
use std::collections::VecDeque;

/// Rows sorted at once before runs are merged; also what a batch merge takes at least.
pub(super) const RUN: usize = 1024;

/// A row in an order: the first eight bytes of its key, turned round for descending orders, and its slot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    key: u64,
    pub slot: u32,
}

/// What an order is by. Ties go by namespace, name and identity, in either direction.
#[derive(Clone, Copy)]
pub(super) struct By {
    pub table: u8,
    pub column: &'static Column,
    pub desc: bool,
}

impl By {
    pub fn entry(&self, store: &Store, slot: u32) -> Entry {
        let prefix = (self.column.sort)(store.row(self.table, slot)).prefix();
        Entry { key: if self.desc { !prefix } else { prefix }, slot }
    }

    pub fn compare(&self, store: &Store, a: &Entry, b: &Entry) -> Ordering {
        a.key.cmp(&b.key).then_with(|| self.compare_rows(store, a.slot, b.slot))
    }

    pub fn compare_rows(&self, store: &Store, a: u32, b: u32) -> Ordering {
        let (a, b) = (store.row(self.table, a), store.row(self.table, b));
        let by_column = (self.column.sort)(a).compare(&(self.column.sort)(b));
        let by_column = if self.desc { by_column.reverse() } else { by_column };
        by_column.then_with(|| a.compare_names(&b))
    }

    pub fn is(&self, other: &By) -> bool {
        self.table == other.table && self.column.id == other.column.id && self.desc == other.desc
    }

    /// Merges `new` (sorted) into `order` (sorted) in place, from the back.
    pub fn merge(&self, store: &Store, order: &mut Vec<Entry>, new: &[Entry]) {
        let mut end = order.len();
        order.resize(end + new.len(), Entry::default());
        for (before, entry) in new.iter().enumerate().rev() {
            let at = self.place(store, &order[..end], entry);
            order.copy_within(at..end, at + before + 1);
            order[at + before] = *entry;
            end = at;
        }
    }

    /// How many entries come before `entry`. Looked for from the end: newcomers mostly stand close together.
    fn place(&self, store: &Store, order: &[Entry], entry: &Entry) -> usize {
        let before = |e: &Entry| self.compare(store, e, entry).is_lt();
        let mut step = 1;
        while step <= order.len() && !before(&order[order.len() - step]) {
            step *= 2;
        }
        let from = order.len().saturating_sub(step);
        let to = order.len() - step / 2;
        from + order[from..to].partition_point(before)
    }
}

/// A merge sort of all rows of a scope, done in slices while rows change.
pub(super) struct Resort {
    pub by: By,
    /// Slots still to be keyed.
    todo: Bits,
    from: u32,
    /// Slots keyed before they changed: their entries are dropped where they are met, and the rows keyed again.
    stale: Bits,
    runs: VecDeque<Vec<Entry>>,
    merging: Option<Merging>,
}

/// Two runs on their way into one.
struct Merging {
    a: Vec<Entry>,
    b: Vec<Entry>,
    i: usize,
    j: usize,
    out: Vec<Entry>,
}

impl Resort {
    pub fn new(by: By, slots: u32) -> Resort {
        let (stale, runs) = (Bits::default(), VecDeque::new());
        Resort { by, todo: Bits::all(slots), from: 0, stale, runs, merging: None }
    }

    /// Notes that a row changed, came or went.
    pub fn spoil(&mut self, slot: u32) {
        if !self.todo.has(slot) {
            self.stale.put(slot, true);
        }
    }

    /// Goes on for about `left` rows; returns the order when it is complete.
    pub fn step(&mut self, store: &Store, scoped: &Bits, left: &mut usize) -> Option<Vec<Entry>> {
        while *left > 0 {
            if !self.gather(store, scoped, left)
                && !self.merge(store, left)
                && let Some(order) = self.finish(store, scoped)
            {
                return Some(order);
            }
        }
        None
    }

    /// Keys and sorts one run. `false`: no rows are left to key.
    fn gather(&mut self, store: &Store, scoped: &Bits, left: &mut usize) -> bool {
        let mut run = vec![];
        let (todo, from) = (&mut self.todo, &mut self.from);
        while run.len() < RUN.min(*left)
            && let Some(slot) = todo.pop(from)
        {
            if scoped.has(slot) {
                run.push(self.by.entry(store, slot));
            }
        }
        if run.is_empty() {
            return false;
        }
        run.sort_unstable_by(|a, b| self.by.compare(store, a, b));
        // Sorting a run compares each row about ten times, merging it once.
        *left = left.saturating_sub(run.len() * 4);
        self.runs.push_back(run);
        true
    }

    /// Merges the two oldest runs for a while. `false`: one run or none is left.
    fn merge(&mut self, store: &Store, left: &mut usize) -> bool {
        let Some(mut m) = self.merging.take().or_else(|| self.pair()) else { return false };
        let (by, stale) = (self.by, &self.stale);
        while *left > 0 && m.i < m.a.len() && m.j < m.b.len() {
            let (a, b) = (m.a[m.i], m.b[m.j]);
            let (skip_a, skip_b) = (stale.has(a.slot), stale.has(b.slot));
            m.i += usize::from(skip_a);
            m.j += usize::from(skip_b);
            if skip_a || skip_b {
                continue;
            }
            let first = by.compare(store, &a, &b).is_lt();
            m.i += usize::from(first);
            m.j += usize::from(!first);
            m.out.push(if first { a } else { b });
            *left -= 1;
        }
        if *left == 0 {
            self.merging = Some(m);
        } else {
            m.out.extend_from_slice(&m.a[m.i..]);
            m.out.extend_from_slice(&m.b[m.j..]);
            self.runs.push_back(m.out);
        }
        true
    }

    fn pair(&mut self) -> Option<Merging> {
        if self.runs.len() < 2 {
            return None;
        }
        let (a, b) = (self.runs.pop_front()?, self.runs.pop_front()?);
        let out = Vec::with_capacity(a.len() + b.len());
        Some(Merging { a, b, i: 0, j: 0, out })
    }

    /// Takes in the rows that changed meanwhile: at once if they are few, else in another round.
    fn finish(&mut self, store: &Store, scoped: &Bits) -> Option<Vec<Entry>> {
        let mut order = self.runs.pop_front().unwrap_or_default();
        let stale = std::mem::take(&mut self.stale);
        order.retain(|entry| !stale.has(entry.slot));
        if stale.len() > batch(order.len()) {
            self.runs.push_back(order);
            self.todo = stale;
            self.from = 0;
            return None;
        }
        let changed = stale.iter().filter(|&slot| scoped.has(slot));
        let mut new: Vec<_> = changed.map(|slot| self.by.entry(store, slot)).collect();
        new.sort_unstable_by(|a, b| self.by.compare(store, a, b));
        self.by.merge(store, &mut order, &new);
        Some(order)
    }
}

/// How many moved rows are worth a batch merge into an order of `rows`; more are sorted in slices.
pub(super) fn batch(rows: usize) -> usize {
    RUN.max(rows / 16)
}
