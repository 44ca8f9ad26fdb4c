//! The ring against a list that remembers everything.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn key(n: u8, salt: u8) -> Key {
    let mut bytes = [salt; 16];
    bytes[0] = n;
    Key(bytes, true)
}

fn seen(event: u8, thing: u8, first: u32, last: u32, count: u32) -> Sighting {
    let class = [Class::Normal, Class::Notable, Class::Own][usize::from(thing) % 3];
    Sighting {
        event: key(event, 1),
        thing: key(thing, 2),
        first: first.min(last),
        last,
        count,
        class,
    }
}

/// All there is to the ring, slowly: the events held with their order of arrival.
#[derive(Default)]
struct Model {
    held: Vec<(Sighting, u32)>,
    arrivals: u32,
}

impl Model {
    fn take(&mut self, s: Sighting, most: usize) {
        let old = self.held.iter().position(|(h, _)| h.event == s.event);
        if let Some(at) = old {
            let h = self.held[at].0;
            if (h.thing, h.last, h.count) == (s.thing, s.last, s.count) {
                return;
            }
            self.held.remove(at);
        } else if self.held.len() >= most {
            let oldest = self.held.iter().map(|(h, n)| (h.last, *n)).min().unwrap();
            if s.last < oldest.0 {
                return;
            }
            self.held.retain(|(h, n)| (h.last, *n) != oldest);
        }
        self.held.push((s, self.arrivals));
        self.arrivals += 1;
    }

    fn counts(&self) -> BTreeMap<Key, (u32, u32)> {
        let mut out = BTreeMap::new();
        for (h, _) in &self.held {
            let sum: &mut (u32, u32) = out.entry(h.thing).or_default();
            *sum = (sum.0 + 1, sum.1 + h.count);
        }
        out
    }
}

proptest! {
    #[test]
    fn the_ring_holds_what_happened_last_and_sums_what_it_holds(
        most in 1usize..12,
        sightings in proptest::collection::vec((0u8..24, 0u32..40, 0u32..40, 1u32..9), 1..120),
    ) {
        let (mut ring, mut model) = (Ring::new(most), Model::default());
        for (event, first, last, count) in sightings {
            // An event stays about one thing.
            let s = seen(event, event % 5, first, last, count);
            ring.take(s);
            model.take(s, most);
            prop_assert!(ring.len() <= most);
            prop_assert_eq!(ring.len(), model.held.len());
            let counts = model.counts();
            prop_assert_eq!(ring.things(), counts.len());
            for (thing, (events, count)) in counts {
                let sum = ring.sum(thing).expect("what is held has a sum");
                prop_assert_eq!((sum.events, sum.count), (events, count));
            }
            let classes: u32 = [Class::Normal, Class::Notable, Class::Own].map(|c| ring.of_class(c)).iter().sum();
            prop_assert_eq!(classes as usize, ring.things());
        }
    }
}

#[test]
fn what_is_told_again_changes_nothing_and_is_no_news() {
    let mut ring = Ring::new(10);
    let took = ring.take(seen(1, 1, 5, 9, 3)).expect("new");
    assert!(took.newest);
    assert_eq!((took.more, took.since, took.sum.count), (3, 5, 3));
    assert_eq!(ring.take(seen(1, 1, 5, 9, 3)), None, "as a relist tells it");
    let again = ring.take(seen(1, 1, 5, 12, 5)).expect("it happened again");
    assert_eq!((again.more, again.since, again.sum.count, again.sum.events), (2, 9, 5, 1));
    // A series whose count lags behind its time (new recorders write it every six minutes).
    let lagging = ring.take(seen(1, 1, 5, 15, 5)).expect("a later time is news");
    assert_eq!((lagging.more, lagging.sum.last), (1, 15));
}

#[test]
fn events_of_one_thing_are_added_up_and_the_newest_speaks() {
    let mut ring = Ring::new(10);
    ring.take(seen(1, 1, 5, 20, 3));
    let older = ring.take(seen(2, 1, 2, 10, 4)).expect("new");
    assert!(!older.newest, "its message is older");
    assert_eq!((older.sum.count, older.sum.first, older.sum.last, older.sum.events), (7, 2, 20, 2));
    let tie = ring.take(seen(3, 1, 20, 20, 1)).expect("new");
    assert!(tie.newest, "of equal times the later arrival counts");
    assert!(tie.sum.arrival > older.sum.arrival);
}

#[test]
fn a_full_ring_forgets_what_happened_longest_ago_whatever_came_first() {
    let mut ring = Ring::new(2);
    ring.take(seen(1, 1, 30, 30, 1));
    ring.take(seen(2, 2, 10, 10, 1));
    let took = ring.take(seen(3, 3, 20, 20, 1)).expect("there is room at the cost of the oldest");
    assert_eq!(took.forgot, Some((key(2, 2), None)));
    assert_eq!(ring.take(seen(4, 4, 5, 5, 1)), None, "older than all that is held");
    assert_eq!((ring.len(), ring.forgotten()), (2, 2));
    let same = ring.take(seen(5, 1, 40, 40, 1)).expect("new");
    assert_eq!(same.forgot, Some((key(3, 2), None)));
    let own = ring.take(seen(6, 1, 50, 50, 1)).expect("new");
    assert_eq!((own.forgot, own.sum.events, own.sum.count), (None, 2, 2), "its own oldest went");
}
