//! The store: order does not matter between objects, lists and deltas agree, sums are what a recount finds.

use crate::world::{self, NOON, Pod, complete, parcel, picture, pod, without, world};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use wheelhouse::state::health::{Coverage, Health};
use wheelhouse::state::intern::{Interner, Sym};
use wheelhouse::state::kinds::pods;
use wheelhouse::state::parcel::{Draft, Parcel};
use wheelhouse::state::store::Store;
use wheelhouse::state::table::What;
use wheelhouse::state::tally::MAX_SUMS;

#[derive(Clone, Debug)]
enum Delta {
    Put(Pod),
    Gone(u16),
}

impl Delta {
    fn id(&self) -> u16 {
        match self {
            Delta::Put(pod) => pod.id,
            Delta::Gone(id) => *id,
        }
    }

    fn parcel(&self, feed: wheelhouse::state::health::FeedId) -> Parcel {
        match self {
            Delta::Put(pod) => parcel(feed, 0, std::slice::from_ref(pod)),
            Delta::Gone(id) => without(parcel(feed, 0, &[]), [*id]),
        }
    }
}

fn delta() -> impl Strategy<Value = Delta> {
    prop_oneof![3 => pod(0..24).prop_map(Delta::Put), 1 => (0..24u16).prop_map(Delta::Gone)]
}

fn replay<'a>(deltas: impl IntoIterator<Item = &'a Delta>) -> Store {
    let (mut store, feed) = world();
    deltas.into_iter().for_each(|d| {
        store.apply(&d.parcel(feed));
    });
    store
}

fn recount(store: &Store) -> BTreeMap<(&'static str, Sym), [i64; MAX_SUMS]> {
    let mut all: BTreeMap<_, [i64; MAX_SUMS]> = BTreeMap::new();
    for row in store.rows("pods") {
        for tally in pods::TABLE.tallies {
            if let Some(key) = (tally.key)(row) {
                (tally.add)(all.entry((tally.id, key)).or_default(), row, 1);
            }
        }
    }
    all
}

/// The last word on each pod.
fn unique(pods: Vec<Pod>) -> Vec<Pod> {
    pods.into_iter().map(|p| (p.id, p)).collect::<BTreeMap<_, _>>().into_values().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn deltas_of_different_objects_commute(
        deltas in prop::collection::vec(delta(), 0..60),
        turns in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let mut moved = deltas.clone();
        for turn in turns.iter().filter(|_| deltas.len() > 1) {
            let at = turn.index(deltas.len() - 1);
            if moved[at].id() != moved[at + 1].id() {
                moved.swap(at, at + 1);
            }
        }
        prop_assert_eq!(picture(&replay(&deltas)), picture(&replay(&moved)));
    }

    #[test]
    fn the_last_delta_of_an_object_says_all(deltas in prop::collection::vec(delta(), 0..60)) {
        let last: BTreeMap<u16, &Delta> = deltas.iter().map(|d| (d.id(), d)).collect();
        prop_assert_eq!(picture(&replay(&deltas)), picture(&replay(last.into_values())));
    }

    #[test]
    fn sums_are_what_a_recount_finds(deltas in prop::collection::vec(delta(), 0..80)) {
        let store = replay(&deltas);
        let found = recount(&store);
        for tally in pods::TABLE.tallies {
            for key in (0..store.syms.len() as u32).map(Sym) {
                let want = found.get(&(tally.id, key)).copied().unwrap_or_default();
                prop_assert_eq!(store.sums(tally.id, key), want, "{} {}", tally.id, store.syms.text(key));
            }
        }
    }

    #[test]
    fn who_shows_a_sum_is_told_when_it_changes_and_only_then(
        deltas in prop::collection::vec(delta(), 0..60),
    ) {
        let (mut store, feed) = world();
        for d in &deltas {
            let sums = |store: &Store, table: u8, tally: &str| -> Vec<_> {
                (0..4).map(|slot| store.row(table, slot).sums(tally)).collect()
            };
            let before = [sums(&store, 1, pods::ON_NODE), sums(&store, 2, pods::IN_NAMESPACE)];
            let changed = store.apply(&d.parcel(feed));
            let after = [sums(&store, 1, pods::ON_NODE), sums(&store, 2, pods::IN_NAMESPACE)];
            for table in 1..3u8 {
                let at = usize::from(table) - 1;
                let want: Vec<u32> =
                    (0..4).filter(|&s| before[at][s as usize] != after[at][s as usize]).collect();
                let mut told: Vec<u32> =
                    changed.rows.iter().filter(|t| t.table == table).map(|t| t.slot).collect();
                told.sort_unstable();
                prop_assert_eq!(told, want, "table {} after {:?}", table, d);
            }
        }
    }

    #[test]
    fn a_sweep_leaves_what_a_fresh_list_holds(
        first in prop::collection::vec(pod(0..40), 0..40),
        second in prop::collection::vec(pod(0..40), 0..40),
        other in prop::collection::vec(pod(100..140), 0..10),
    ) {
        let (first, second, other) = (unique(first), unique(second), unique(other));
        let (mut store, feed) = world();
        let beside = store.open_feed(0, 0, Some("shop".into()));
        store.apply(&parcel(beside, 7, &other));
        store.apply(&parcel(feed, 1, &first));
        store.apply(&parcel(feed, 2, &second));
        let changed = store.apply(&complete(parcel(feed, 2, &[])));
        let gone = changed.rows.iter().filter(|t| t.table == 0 && t.what == What::Gone).count();
        let ids = |pods: &[Pod]| pods.iter().map(|p| p.id).collect::<BTreeSet<_>>();
        prop_assert_eq!(gone, ids(&first).difference(&ids(&second)).count());

        let (mut fresh, feed) = world();
        fresh.apply(&parcel(feed, 1, &second));
        fresh.apply(&parcel(feed, 1, &other));
        prop_assert_eq!(picture(&store), picture(&fresh));
    }

    #[test]
    fn a_parcel_applied_twice_changes_nothing(
        before in prop::collection::vec(pod(0..40), 0..40),
        pods in prop::collection::vec(pod(0..40), 0..40),
        gone in prop::collection::btree_set(40..60u16, 0..10),
        sweep: bool,
    ) {
        let (mut store, feed) = world();
        store.apply(&parcel(feed, 1, &before));
        let pods = unique(pods);
        let twice = without(parcel(feed, 2, &pods), gone);
        let twice = if sweep { complete(twice) } else { twice };
        store.apply(&twice);
        let once = picture(&store);
        prop_assert!(store.apply(&twice).rows.is_empty());
        prop_assert_eq!(picture(&store), once);
    }

    #[test]
    fn a_label_set_is_whole_and_knows_no_order(
        pairs in prop::collection::btree_set("[a-z./]{1,9}=[a-z0-9]{0,5}", 0..100),
        turn in 0..100usize,
    ) {
        let sorted: Vec<&str> = pairs.iter().map(String::as_str).collect();
        let mut turned = sorted.clone();
        turned.rotate_left(turn.min(sorted.len()));
        let mut syms = Interner::default();
        let a = syms.intern_set(sorted.join("\0").as_bytes());
        let between = syms.intern_set(b"another=set");
        let b = syms.intern_set(turned.join("\0").as_bytes());
        prop_assert_eq!(a, b);
        prop_assert_ne!(a, between);
        prop_assert_eq!(syms.set(a).map(|s| syms.text(s)).collect::<Vec<_>>(), sorted);
    }

    #[test]
    fn symbols_name_texts(texts in prop::collection::vec(".{0,8}", 0..50)) {
        let mut syms = Interner::default();
        let made: Vec<Sym> = texts.iter().map(|t| syms.intern(t.as_bytes())).collect();
        for (text, sym) in texts.iter().zip(&made) {
            prop_assert_eq!(syms.text(*sym), text);
            prop_assert_eq!(syms.find(text.as_bytes()), Some(*sym));
        }
        let distinct: BTreeSet<&String> = texts.iter().filter(|t| !t.is_empty()).collect();
        prop_assert_eq!(syms.len(), distinct.len() + 1);
    }

    /// Decoders meet labels, names and notes in any order; the set must stay one piece.
    #[test]
    fn pairs_survive_texts_kept_between_them(
        pairs in prop::collection::vec(("[a-m]{1,4}", "[0-9]{0,3}", 0..3u8), 0..12),
    ) {
        let mut d = Draft::default();
        d.reset(&pods::TABLE, 0);
        for (key, value, between) in &pairs {
            match between {
                1 => d.put(pods::NODE, "node-between"),
                2 => d.note(0, "a note"),
                _ => {}
            }
            d.pair(pods::LABELS, key, value);
        }
        d.head.name = d.keep("x");
        d.settle();
        let mut sent = Parcel::new(Default::default(), 0, &pods::TABLE);
        sent.push(&d, &pods::TABLE);
        let mut copied = Parcel::new(Default::default(), 0, &pods::TABLE);
        copied.adopt(sent.row(0), &pods::TABLE);
        let want: Vec<String> = pairs.iter().map(|(k, v, _)| format!("{k}={v}")).collect();
        for row in [sent.row(0), copied.row(0)] {
            prop_assert_eq!(std::str::from_utf8(row.bytes(pods::LABELS)).unwrap(), want.join("\0"));
            prop_assert_eq!(row.text(row.head.name), "x");
        }
    }
}

#[test]
fn a_parcel_carries_only_what_its_words_point_at() {
    let mut d = Draft::default();
    d.reset(&pods::TABLE, 0);
    d.note(0, &"n".repeat(5000));
    d.put(pods::NODE, "node-1");
    let mut parcel = Parcel::new(Default::default(), 0, &pods::TABLE);
    parcel.push(&d, &pods::TABLE);
    assert!(parcel.size() < 1000, "{} bytes", parcel.size());
    assert_eq!(parcel.row(0).bytes(pods::NODE), b"node-1");
}

#[test]
fn a_closed_feed_leaves_no_rows_and_its_id_to_nobody() {
    let (mut store, feed) = world();
    let before = picture(&store);
    let one = Pod { id: 1, node: Some(1), phase: 2, restarts: 0, milli: 5, labels: 7 };
    let late = parcel(feed, 0, &[one]);
    store.apply(&late);
    store.close_feed(feed);
    assert_eq!(picture(&store), before);
    let last = store.open_feed(0, 0, None);
    store.close_feed(last);
    let next = store.open_feed(0, 0, None);
    assert!(next != feed && next != last, "a late parcel would be taken for one of {next:?}");
    assert!(store.apply(&late).rows.is_empty());
}

#[test]
fn a_join_is_as_complete_as_the_feeds_behind_it() {
    let (mut store, feed) = world();
    assert_eq!(store.coverage("pods"), Coverage::Partial, "the list is arriving");
    store.set_health(feed, Health::Live(NOON));
    assert_eq!(store.coverage("pods"), Coverage::Exact);
    let narrow = store.open_feed(0, 0, Some("shop".into()));
    store.set_health(narrow, Health::Live(NOON));
    assert_eq!(store.coverage("pods"), Coverage::Exact, "a second feed takes nothing away");
    store.close_feed(feed);
    assert_eq!(store.coverage("pods"), Coverage::Partial, "one namespace is not all");
    store.set_health(narrow, Health::Missing);
    assert_eq!(store.coverage("pods"), Coverage::None);
    assert_eq!(store.coverage("nothing"), Coverage::None);
}

#[test]
fn the_picture_tells_pods_apart() {
    let pod = |restarts| Pod { id: 3, node: Some(1), phase: 2, restarts, milli: 5, labels: 7 };
    let with = |restarts| {
        let (mut store, feed) = world();
        store.apply(&parcel(feed, 0, &[pod(restarts)]));
        picture(&store)
    };
    assert_ne!(with(1), with(2));
    assert_eq!(with(1).len(), 9, "a pod, {} nodes and as many namespaces", 4);
    assert_eq!(world::name(3).len(), 7);
}
