//! A bounded memory of events, summed up by the thing they say: one object and one reason.
//!
//! Invariants: at most so many events are held; when one more comes, the one that happened longest ago is forgotten, so
//! what is kept does not depend on the order of a list. An event that says nothing new changes nothing. A sum exists as
//! long as one of its events is held.
//!
//! Cost: about 90 bytes an event and 70 a sum.

use crate::state::parcel::Key;
use hashbrown::{HashMap, HashTable};
use std::collections::BTreeMap;
use std::hash::BuildHasher;

/// One event object as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The event object.
    pub event: Key,
    /// What it says of which object: events of one thing are summed up.
    pub thing: Key,
    /// First and last occurrence, in seconds since 1970.
    pub first: u32,
    /// See `first`.
    pub last: u32,
    /// Occurrences so far.
    pub count: u32,
    /// What it weighs.
    pub class: Class,
}

/// What an event weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// `Normal`.
    #[default]
    Normal,
    /// `Warning`, and whatever types the future brings.
    Notable,
    /// What the operator did.
    Own,
}

/// What is known of a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// First occurrence of those held or once held.
    pub first: u32,
    /// Last occurrence.
    pub last: u32,
    /// Occurrences of all events held.
    pub count: u32,
    /// Events held.
    pub events: u32,
    /// When the newest arrived, counted in events: decides between equal times. Wraps.
    pub arrival: u32,
    /// Of the newest.
    pub class: Class,
}

/// What became of a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// The thing as it is known now.
    pub sum: Sum,
    /// Whether the sighting is the newest of its thing, so that its words are the ones to show.
    pub newest: bool,
    /// Occurrences that were not told of before, and from when on they must have happened.
    pub more: u32,
    /// See `more`.
    pub since: u32,
    /// An event of this thing was forgotten to make room; its sum, unless it was the last one.
    pub forgot: Option<(Key, Option<Sum>)>,
}

#[derive(Clone, Copy)]
struct Held {
    event: Key,
    thing: Key,
    last: u32,
    count: u32,
    arrival: u32,
}

impl Held {
    /// The order in which events are forgotten.
    fn age(&self) -> u64 {
        u64::from(self.last) << 32 | u64::from(self.arrival)
    }
}

/// The events held.
pub struct Ring {
    most: usize,
    slots: Vec<Held>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: hashbrown::DefaultHashBuilder,
    by_age: BTreeMap<u64, u32>,
    things: HashMap<Key, Sum>,
    classes: [u32; 3],
    arrivals: u32,
    forgotten: u64,
}

impl Ring {
    /// A ring of at most so many events.
    pub fn new(most: usize) -> Ring {
        Ring {
            most: most.max(1),
            slots: vec![],
            free: vec![],
            index: HashTable::new(),
            hasher: Default::default(),
            by_age: BTreeMap::new(),
            things: HashMap::new(),
            classes: [0; 3],
            arrivals: 0,
            forgotten: 0,
        }
    }

    /// Events held.
    pub fn len(&self) -> usize {
        self.by_age.len()
    }

    /// Whether none are.
    pub fn is_empty(&self) -> bool {
        self.by_age.is_empty()
    }

    /// Things that the events held speak of.
    pub fn things(&self) -> usize {
        self.things.len()
    }

    /// Things of a class.
    pub fn of_class(&self, class: Class) -> u32 {
        self.classes[class as usize]
    }

    /// Events forgotten, or never taken in, for want of room.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// What is known of a thing.
    pub fn sum(&self, thing: Key) -> Option<Sum> {
        self.things.get(&thing).copied()
    }

    /// Takes a sighting in. `None`: it says nothing new, or is older than everything in a full ring.
    pub fn take(&mut self, seen: Sighting) -> Option<Took> {
        let before = self.find(seen.event).map(|slot| (slot, self.slots[slot as usize]));
        if let Some((_, old)) = before
            && (old.thing, old.last, old.count) == (seen.thing, seen.last, seen.count)
        {
            return None;
        }
        let full = before.is_none() && self.len() >= self.most;
        let oldest = self.by_age.first_key_value().map(|(age, _)| (age >> 32) as u32);
        if full && oldest.is_some_and(|oldest| seen.last < oldest) {
            self.forgotten += 1;
            return None;
        }
        let (more, since) = match before {
            // A repeated event whose count stands still happened once more at the least: counts lag behind.
            Some((_, old)) => {
                let again = u32::from(seen.last > old.last);
                (seen.count.saturating_sub(old.count).max(again), old.last)
            }
            None => (seen.count, seen.first),
        };
        let forgot = match before {
            Some((slot, old)) if old.thing == seen.thing => {
                self.drop_slot(slot);
                self.uncount(&old, true);
                None
            }
            // An event never changes what it is about; if one does, its old thing loses it.
            Some((slot, old)) => {
                self.drop_slot(slot);
                Some((old.thing, self.uncount(&old, false)))
            }
            None if full => self.forget_oldest(seen.thing),
            None => None,
        };
        let (sum, newest) = self.hold(seen);
        Some(Took { sum, newest, more, since, forgot })
    }

    fn find(&self, event: Key) -> Option<u32> {
        let hash = self.hasher.hash_one(event);
        self.index.find(hash, |&slot| self.slots[slot as usize].event == event).copied()
    }

    fn hold(&mut self, seen: Sighting) -> (Sum, bool) {
        let mut held = Held {
            event: seen.event,
            thing: seen.thing,
            last: seen.last,
            count: seen.count,
            arrival: self.arrivals,
        };
        // After four thousand million events numbers repeat.
        while self.by_age.contains_key(&held.age()) {
            held.arrival = held.arrival.wrapping_add(1);
        }
        self.arrivals = held.arrival.wrapping_add(1);
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = held;
                slot
            }
            None => {
                self.slots.push(held);
                self.slots.len() as u32 - 1
            }
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert_unique(hasher.hash_one(seen.event), slot, |&slot| {
            hasher.hash_one(slots[slot as usize].event)
        });
        self.by_age.insert(held.age(), slot);
        self.count(&seen, held.arrival)
    }

    fn count(&mut self, seen: &Sighting, arrival: u32) -> (Sum, bool) {
        let new = Sum { first: seen.first, class: seen.class, ..Sum::default() };
        let mut fresh = false;
        let sum = self.things.entry(seen.thing).or_insert_with(|| {
            fresh = true;
            new
        });
        let newest = fresh || seen.last >= sum.last;
        if fresh {
            self.classes[seen.class as usize] += 1;
        } else if newest && sum.class != seen.class {
            self.classes[sum.class as usize] -= 1;
            self.classes[seen.class as usize] += 1;
        }
        sum.first = sum.first.min(seen.first);
        sum.count = sum.count.saturating_add(seen.count);
        sum.events += 1;
        if newest {
            sum.last = seen.last;
            sum.arrival = arrival;
            sum.class = seen.class;
        }
        (*sum, newest)
    }

    fn forget_oldest(&mut self, wanted: Key) -> Option<(Key, Option<Sum>)> {
        let (_, &slot) = self.by_age.first_key_value()?;
        let old = self.slots[slot as usize];
        self.drop_slot(slot);
        self.forgotten += 1;
        let left = self.uncount(&old, old.thing == wanted);
        (old.thing != wanted).then_some((old.thing, left))
    }

    fn drop_slot(&mut self, slot: u32) {
        let old = self.slots[slot as usize];
        let hash = self.hasher.hash_one(old.event);
        if let Ok(entry) = self.index.find_entry(hash, |&s| s == slot) {
            entry.remove();
        }
        self.by_age.remove(&old.age());
        self.free.push(slot);
    }

    /// Takes an event out of its sum; the sum stays, even empty, if `keep`.
    fn uncount(&mut self, old: &Held, keep: bool) -> Option<Sum> {
        let sum = self.things.get_mut(&old.thing)?;
        sum.events -= 1;
        sum.count = sum.count.saturating_sub(old.count);
        if sum.events > 0 || keep {
            return Some(*sum);
        }
        self.classes[sum.class as usize] -= 1;
        self.things.remove(&old.thing);
        None
    }
}
