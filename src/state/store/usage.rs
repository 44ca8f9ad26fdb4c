//! What is measured about objects is written into their rows: samples have no rows of their own, so that 150,000 of them
//! cost three words each.
//!
//! Invariants: a sample goes to the object that has the name now, and only if it was measured after that object was made;
//! no sample moves a tally, since no tally reads these words; what was not measured for [`GONE`] seconds while others were
//! is forgotten when the next look ends.

use super::{Changed, Store, Touch};
use crate::state::kinds::nodes;
use crate::state::kinds::usage::{GONE, INTO, Into, KIB};
use crate::state::parcel::{Key, Parcel, RawRow};
use crate::state::table::What;
use crate::state::time::Epoch;

impl Store {
    /// Where rows of a table go, if they are samples.
    pub(super) fn takes_use(&self, table: u8) -> Option<&'static Into> {
        let id = self.table_at(table).spec.id;
        INTO.iter().find(|into| into.from == id)
    }

    /// Writes samples into the rows they are about. Those of objects that are not known (yet) are left out; the next look
    /// brings them again.
    pub(super) fn take_use(&mut self, into: &Into, parcel: &Parcel) -> Changed {
        let mut changed = Changed::default();
        let Some(table) = self.table_index(into.table) else { return changed };
        for row in parcel.rows() {
            let sample = Sample::of(&row, into.unit);
            let place = (row.text(row.head.namespace), row.text(row.head.name));
            let Store { syms, tables, .. } = self;
            let slot = tables[usize::from(table)].find_place(place.0, place.1, syms);
            if let Some(slot) = slot.filter(|&slot| self.begun(table, slot) <= sample.at) {
                self.lend(table, slot, into, [sample.cpu, sample.memory, sample.at], &mut changed);
            }
        }
        if parcel.sweep {
            if into.table == nodes::TABLE.id {
                self.note_trails(table);
            }
            self.forget_use(table, into, &mut changed);
        }
        changed
    }

    /// What a node used since start.
    pub fn trail(&self, node: Key) -> Option<&Trail> {
        self.trails.get(&node)
    }

    /// Notes what each node uses now; nodes that are gone are forgotten.
    fn note_trails(&mut self, table: u8) {
        let mut trails = std::mem::take(&mut self.trails);
        trails.retain(|key, _| self.table_at(table).find(*key).is_some());
        for slot in (0..self.table_at(table).slots()).filter(|s| self.table_at(table).alive(*s)) {
            let row = self.row(table, slot);
            if row.time(nodes::MEASURED).is_set() {
                let cpu = (row.num(nodes::CPU_USED), row.num(nodes::CPU));
                let memory = (row.num(nodes::MEMORY_USED) * KIB, row.num(nodes::MEMORY));
                trails.entry(row.key()).or_default().push(row.time(nodes::MEASURED), cpu, memory);
            }
        }
        self.trails = trails;
    }

    fn begun(&self, table: u8, slot: u32) -> u32 {
        self.table_at(table).head(slot).created
    }

    fn lend(&mut self, table: u8, slot: u32, into: &Into, new: [u32; 3], changed: &mut Changed) {
        let mut words = std::mem::take(&mut self.words);
        let t = &mut self.tables[usize::from(table)];
        words.clear();
        words.extend_from_slice(t.words(slot));
        for (word, value) in into.words.iter().zip(new) {
            words[usize::from(word.at)] = value;
        }
        let mask = t.differs(slot, &words);
        if mask != 0 {
            t.write(slot, &words);
            changed.rows.push(Touch { table, slot, mask, what: What::Changed });
        }
        self.words = words;
    }

    /// Forgets what was measured long before the newest sample.
    fn forget_use(&mut self, table: u8, into: &Into, changed: &mut Changed) {
        let at = usize::from(into.words[2].at);
        let t = self.table_at(table);
        let measured = |slot: u32| Some(t.words(slot)[at]).filter(|_| t.alive(slot));
        let newest = (0..t.slots()).filter_map(measured).max().unwrap_or(0);
        let limit = newest.saturating_sub(GONE as u32);
        let old = |slot: &u32| measured(*slot).is_some_and(|at| at != 0 && at < limit);
        for slot in (0..t.slots()).filter(old).collect::<Vec<_>>() {
            self.lend(table, slot, into, [0; 3], changed);
        }
    }
}

/// Looks that a trail remembers: a quarter of an hour at one each 15 s.
const LOOKS: usize = 60;

/// What a node used since start, at most `LOOKS` looks of it, in thousandths of what it can allocate: 240 bytes a node.
#[derive(Clone, Debug)]
pub struct Trail {
    last: Epoch,
    cpu: [u16; LOOKS],
    memory: [u16; LOOKS],
}

impl Default for Trail {
    fn default() -> Trail {
        Trail { last: Epoch(0), cpu: [0; LOOKS], memory: [0; LOOKS] }
    }
}

impl Trail {
    /// Adds a look, if it saw something newer than the one before: used, of so much, of CPU and of memory.
    pub fn push(&mut self, at: Epoch, cpu: (i64, i64), memory: (i64, i64)) {
        if at <= self.last {
            return;
        }
        self.last = at;
        for (points, (have, of)) in [(&mut self.cpu, cpu), (&mut self.memory, memory)] {
            points.rotate_left(1);
            let share = if of > 0 { i128::from(have) * 1000 / i128::from(of) } else { 0 };
            points[LOOKS - 1] = share.clamp(0, i128::from(u16::MAX)) as u16;
        }
    }

    /// CPU as bars of five looks each, the highest of them, newest last.
    pub fn cpu(&self) -> [u32; 12] {
        bars(&self.cpu)
    }

    /// The same of memory.
    pub fn memory(&self) -> [u32; 12] {
        bars(&self.memory)
    }
}

fn bars(points: &[u16; LOOKS]) -> [u32; 12] {
    let mut bars = [0; 12];
    for (bar, points) in bars.iter_mut().zip(points.chunks(LOOKS / 12)) {
        *bar = points.iter().copied().max().map_or(0, u32::from);
    }
    bars
}

/// One sample as rows keep it.
struct Sample {
    cpu: u32,
    memory: u32,
    at: u32,
}

impl Sample {
    fn of(row: &RawRow<'_>, unit: i64) -> Sample {
        use crate::state::kinds::usage::{AT, CPU, MEMORY};
        let cut = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        let memory = row.num(MEMORY);
        Sample { cpu: cut(row.num(CPU)), memory: cut(memory / unit), at: cut(row.num(AT).max(1)) }
    }
}
