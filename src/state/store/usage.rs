//! What is measured about objects is written into their rows: samples have no rows of their own, so that 150,000 of them
//! cost three words each.
//!
//! Invariants: a sample goes to the object that has the name now, and only if it was measured after that object was made;
//! no sample moves a tally, since no tally reads these words; what was not measured for as long as samples last while others
//! were is forgotten when the next look ends. What a node used is kept for a quarter of an hour; a pod has no history unless
//! somebody charts it, since that of 150,000 would take more than their rows.

use super::{Changed, Store, Touch};
use crate::state::cell::NOT_MEASURED;
use crate::state::decl::Stored;
use crate::state::kinds::nodes;
use crate::state::kinds::usage::{INTO, Into, lasts};
use crate::state::parcel::{Key, Look, Parcel, RawRow};
use crate::state::table::What;

/// Samples kept for rows that are on their way: 40 bytes each, and gone when the next look ends.
const UNPLACED: usize = 20_000;

impl Store {
    /// Where rows of a table go, if they are samples.
    pub(super) fn takes_use(&self, table: u8) -> Option<&'static Into> {
        let id = self.table_at(table).spec.id;
        INTO.iter().find(|into| into.from == id)
    }

    /// Writes samples into the rows they are about. Those of objects that are not known (yet) wait for them until the next
    /// look is over.
    pub(super) fn take_use(&mut self, into: &Into, parcel: &Parcel) -> Changed {
        let mut changed = Changed::default();
        let Some(table) = self.table_index(into.table) else { return changed };
        for row in parcel.rows() {
            let sample = Sample::of(&row, into.unit);
            let place = (row.text(row.head.namespace), row.text(row.head.name));
            let Store { syms, tables, .. } = self;
            match tables[usize::from(table)].find_place(place.0, place.1, syms) {
                Some(slot) => self.give(table, slot, into, sample, &mut changed),
                None if self.unplaced.len() < UNPLACED => {
                    let at = (table, Key::of("", place.0, place.1));
                    self.unplaced.insert(at, (sample, parcel.generation));
                }
                None => {}
            }
        }
        if parcel.sweep {
            self.unplaced.retain(|at, (_, of)| at.0 != table || *of == parcel.generation);
            if into.table == nodes::TABLE.id {
                self.note_trails(table);
            }
            let look = parcel.look;
            self.tables[usize::from(table)].look = look;
            self.forget_use(table, into, look, &mut changed);
        }
        changed
    }

    /// Gives a new row the sample that came before it.
    pub(super) fn place_use(
        &mut self,
        (table, slot): (u8, u32),
        row: &RawRow<'_>,
        changed: &mut Changed,
    ) {
        if self.unplaced.is_empty() {
            return;
        }
        let id = self.table_at(table).spec.id;
        let key = Key::of("", row.text(row.head.namespace), row.text(row.head.name));
        let Some(into) = INTO.iter().find(|into| into.table == id) else { return };
        if let Some((sample, _)) = self.unplaced.remove(&(table, key)) {
            self.give(table, slot, into, sample, changed);
        }
    }

    /// What a node used lately.
    pub fn trail(&self, node: Key) -> Option<&Trail> {
        self.trails.get(&node)
    }

    /// Notes what each node uses now; nodes that are gone are forgotten.
    fn note_trails(&mut self, table: u8) {
        let mut trails = std::mem::take(&mut self.trails);
        trails.retain(|key, _| self.table_at(table).find(*key).is_some());
        for slot in (0..self.table_at(table).slots()).filter(|s| self.table_at(table).alive(*s)) {
            let row = self.row(table, slot);
            let at = row.time(nodes::MEASURED);
            if at.is_set() {
                let cpu = (row.num(nodes::CPU_USED), row.num(nodes::CPU));
                let memory = (row.num(nodes::MEMORY_USED), row.num(nodes::MEMORY));
                trails.entry(row.key()).or_default().push(at.0, cpu, memory);
            }
        }
        self.trails = trails;
    }

    fn give(&mut self, table: u8, slot: u32, into: &Into, sample: Sample, changed: &mut Changed) {
        if self.table_at(table).head(slot).created <= sample.at {
            let new = [i64::from(sample.cpu), sample.memory, i64::from(sample.at)];
            self.lend(table, slot, into, new, changed);
        }
    }

    fn lend(&mut self, table: u8, slot: u32, into: &Into, new: [i64; 3], changed: &mut Changed) {
        let mut words = std::mem::take(&mut self.words);
        let t = &mut self.tables[usize::from(table)];
        words.clear();
        words.extend_from_slice(t.words(slot));
        for (word, value) in into.words.iter().zip(new) {
            let at = usize::from(word.at);
            match word.ty {
                Stored::Wide => {
                    words[at] = value as u32;
                    words[at + 1] = (value as u64 >> 32) as u32;
                }
                _ => words[at] = u32::try_from(value.max(0)).unwrap_or(u32::MAX),
            }
        }
        let mask = t.differs(slot, &words);
        if mask != 0 {
            t.write(slot, &words);
            changed.rows.push(Touch { table, slot, mask, what: What::Changed });
        }
        self.words = words;
    }

    /// Forgets what was measured long before the newest sample, or before the look if a sample is from its future: one node
    /// whose clock is ahead does not take the use of all others away.
    fn forget_use(&mut self, table: u8, into: &Into, look: Option<Look>, changed: &mut Changed) {
        let at = usize::from(into.words[2].at);
        let t = self.table_at(table);
        let measured = |slot: u32| Some(t.words(slot)[at]).filter(|_| t.alive(slot));
        let newest = (0..t.slots()).filter_map(measured).max().map_or(0, i64::from);
        let looked = look.map_or(newest, |look| look.at.0);
        let limit = newest.min(looked) - lasts(look).1;
        let old = |slot: &u32| measured(*slot).is_some_and(|at| at != 0 && i64::from(at) < limit);
        for slot in (0..t.slots()).filter(old).collect::<Vec<_>>() {
            self.lend(table, slot, into, [0; 3], changed);
        }
    }
}

/// Seconds of a trail that have one point: the window of a usual metrics-server.
const STEP: i64 = 15;
/// Points of a trail: a quarter of an hour.
const POINTS: usize = 60;
/// Points of a bar. Five of them are longer than the longest pause between two looks, so that each bar has one.
const OF_BAR: usize = 5;

/// What a node used in the last quarter of an hour, in thousandths of what it can allocate: 250 bytes a node.
#[derive(Clone, Debug)]
pub struct Trail {
    /// The last step that something was measured in, since 1970.
    step: i64,
    cpu: [u16; POINTS],
    memory: [u16; POINTS],
}

impl Default for Trail {
    fn default() -> Trail {
        Trail { step: 0, cpu: [NOT_MEASURED; POINTS], memory: [NOT_MEASURED; POINTS] }
    }
}

impl Trail {
    /// Adds what was measured at a time, in seconds, if that is newer than what is known: used, of so much, of CPU and of
    /// memory. The time in between stays empty.
    pub fn push(&mut self, at: i64, cpu: (i64, i64), memory: (i64, i64)) {
        let steps = usize::try_from(at / STEP - self.step).unwrap_or(0).min(POINTS);
        if steps == 0 {
            return;
        }
        self.step = at / STEP;
        for (points, (have, of)) in [(&mut self.cpu, cpu), (&mut self.memory, memory)] {
            points.rotate_left(steps % POINTS);
            points[POINTS - steps..].fill(NOT_MEASURED);
            if of > 0 {
                let share = i128::from(have) * 1000 / i128::from(of);
                points[POINTS - 1] = share.clamp(0, i128::from(NOT_MEASURED - 1)) as u16;
            }
        }
    }

    /// CPU as bars of 75 s each, the highest of what was measured in them, newest last.
    pub fn cpu(&self) -> [u16; 12] {
        bars(&self.cpu)
    }

    /// The same of memory.
    pub fn memory(&self) -> [u16; 12] {
        bars(&self.memory)
    }
}

fn bars(points: &[u16; POINTS]) -> [u16; 12] {
    let mut bars = [NOT_MEASURED; 12];
    for (bar, points) in bars.iter_mut().zip(points.chunks(OF_BAR)) {
        let measured = points.iter().copied().filter(|point| *point != NOT_MEASURED);
        *bar = measured.max().unwrap_or(NOT_MEASURED);
    }
    bars
}

/// One sample as rows keep it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    cpu: u32,
    memory: i64,
    at: u32,
}

impl Sample {
    fn of(row: &RawRow<'_>, unit: i64) -> Sample {
        use crate::state::kinds::usage::{AT, CPU, MEMORY};
        let cut = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        let memory = row.num(MEMORY).max(0) / unit;
        Sample { cpu: cut(row.num(CPU)), memory, at: cut(row.num(AT).max(1)) }
    }
}
