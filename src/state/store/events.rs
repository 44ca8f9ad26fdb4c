//! Rows that are not objects: events are gathered in a ring and shown summed up, one row for each thing that was said of
//! an object.
//!
//! Invariants: what a watch tells of deletions and what a relist does not mention is no news, so neither takes a row
//! away; only the ring forgets. While the timeline is held, its rows stand still, the ring goes on filling, and what
//! changed meanwhile waits in a table of its own.

use super::{Changed, Store, Touch};
use crate::state::kinds::events;
use crate::state::parcel::{Key, Parcel, RawRow};
use crate::state::table::What;
use crate::state::time::Epoch;
use crate::state::timeline::{Class, Held, Sum, Timeline, Took};

impl Store {
    /// The events as the ring has them.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Whether a table's rows are gathered from what its feed says.
    pub(super) fn gathers(&self, table: u8) -> bool {
        self.table_at(table).spec.id == events::TABLE.id
    }

    /// Forgets all events if this is their table.
    pub(super) fn forget_events(&mut self, table: u8) {
        if self.gathers(table) {
            self.timeline = Timeline::default();
        }
    }

    /// Lets the rows of events stand still from now on.
    pub fn hold_events(&mut self, now: Epoch) {
        if self.timeline.held.is_none() {
            self.timeline.held = Some(Held::new(now));
        }
    }

    /// Lets them go on, with everything that happened meanwhile.
    pub fn release_events(&mut self) -> Changed {
        let mut changed = Changed::default();
        let table = self.table_index(events::TABLE.id);
        let Some((table, held)) = table.zip(self.timeline.held.take()) else { return changed };
        for key in held.gone {
            if let Some(slot) = self.table_at(table).find(key) {
                self.remove(table, slot, &mut changed);
            }
        }
        let main = &mut self.tables[usize::from(table)];
        for slot in (0..held.table.slots()).filter(|&slot| held.table.alive(slot)) {
            let (slot, new) = main.copy(&held.table, slot);
            let what = if new { What::New } else { What::Changed };
            changed.rows.push(Touch { table, slot, mask: u64::MAX, what });
        }
        changed
    }

    /// Takes in what a feed says of events.
    pub(super) fn gather(&mut self, table: u8, parcel: &Parcel) -> Changed {
        let mut changed = Changed::default();
        for row in parcel.rows() {
            let seen = events::sighting(&row);
            let Some(took) = self.timeline.ring.take(seen) else { continue };
            if seen.class != Class::Own && took.more > 0 {
                let reason = self.syms.intern(row.bytes(events::REASON));
                let (notable, times) = (seen.class == Class::Notable, (took.since, seen.last));
                self.timeline.hours.add(reason, notable, took.more, times);
            }
            match took.forgot {
                Some((thing, Some(left))) => self.recount(table, thing, &left, &mut changed),
                Some((thing, None)) => self.forget_thing(table, thing, &mut changed),
                None => {}
            }
            self.tell(table, parcel, row, (seen.thing, &took), &mut changed);
        }
        changed
    }

    /// Shows what was said of a thing.
    fn tell(
        &mut self,
        at: u8,
        parcel: &Parcel,
        row: RawRow<'_>,
        (thing, took): (Key, &Took),
        changed: &mut Changed,
    ) {
        self.borrow_held(at, thing);
        let Store { syms, tables, timeline, words, .. } = self;
        let held = timeline.held.is_some();
        let main = &mut tables[usize::from(at)];
        let table = timeline.held.as_mut().map_or(main, |held| &mut held.table);
        let old = table.find(thing);
        match old {
            Some(slot) if !took.newest => {
                words.clear();
                words.extend_from_slice(table.words(slot));
            }
            _ => table.encode(row, syms, words),
        }
        events::put_sum(words, &took.sum);
        let (slot, mask, what) = match old {
            Some(slot) => {
                let mask = table.differs(slot, words);
                table.write(slot, words);
                if took.newest {
                    table.say(slot, row);
                    table.touch(slot, parcel.feed, parcel.generation, row.head.rv);
                }
                (slot, mask, What::Changed)
            }
            None => {
                let (feed, generation) = (parcel.feed, parcel.generation);
                let slot = table.insert(thing, row, feed, generation, words, syms);
                (slot, u64::MAX, What::New)
            }
        };
        if !held && mask != 0 {
            changed.rows.push(Touch { table: at, slot, mask, what });
        }
    }

    /// Shows that an event of a thing was forgotten.
    fn recount(&mut self, at: u8, thing: Key, left: &Sum, changed: &mut Changed) {
        self.borrow_held(at, thing);
        let Store { tables, timeline, words, .. } = self;
        let held = timeline.held.is_some();
        let main = &mut tables[usize::from(at)];
        let table = timeline.held.as_mut().map_or(main, |held| &mut held.table);
        let Some(slot) = table.find(thing) else { return };
        words.clear();
        words.extend_from_slice(table.words(slot));
        events::put_sum(words, left);
        let mask = table.differs(slot, words);
        table.write(slot, words);
        if !held && mask != 0 {
            changed.rows.push(Touch { table: at, slot, mask, what: What::Changed });
        }
    }

    fn forget_thing(&mut self, at: u8, thing: Key, changed: &mut Changed) {
        let shown = self.table_at(at).find(thing);
        match &mut self.timeline.held {
            Some(held) => {
                if let Some(slot) = held.table.find(thing) {
                    held.table.remove(slot, &self.syms);
                }
                held.gone.extend(shown.map(|_| thing));
            }
            None => {
                if let Some(slot) = shown {
                    self.remove(at, slot, changed);
                }
            }
        }
    }

    /// A row that stands still is copied before it changes.
    fn borrow_held(&mut self, at: u8, thing: Key) {
        let main = &self.tables[usize::from(at)];
        if let Some(held) = &mut self.timeline.held
            && held.table.find(thing).is_none()
            && !held.gone.contains(&thing)
            && let Some(slot) = main.find(thing)
        {
            held.table.copy(main, slot);
        }
    }
}

#[cfg(test)]
mod tests;
