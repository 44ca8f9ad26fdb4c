//! What is measured about objects is written into their rows: samples have no rows of their own, so that 150,000 of them
//! cost three words each.
//!
//! Invariants: a sample goes to the object that has the name now, and only if it was measured after that object was made;
//! no sample moves a tally, since no tally reads these words; what was not measured for [`GONE`] seconds while others were
//! is forgotten when the next look ends.

use super::{Changed, Store, Touch};
use crate::state::kinds::usage::{GONE, INTO, Into};
use crate::state::parcel::{Parcel, RawRow};
use crate::state::table::What;

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
            self.forget_use(table, into, &mut changed);
        }
        changed
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

/// One sample as rows keep it.
struct Sample {
    cpu: u32,
    memory: u32,
    at: u32,
}

impl Sample {
    fn of(row: &RawRow<'_>, unit: i64) -> Sample {
        use crate::state::kinds::pod_usage::{AT, CPU, MEMORY};
        let cut = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        let memory = row.num(MEMORY);
        Sample { cpu: cut(row.num(CPU)), memory: cut(memory / unit), at: cut(row.num(AT).max(1)) }
    }
}
