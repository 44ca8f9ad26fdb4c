//! What comes out of the mailbox amounts to what went in, however it was taken.

use super::*;
use crate::state::kinds::pods;
use crate::state::store::Store;
use proptest::prelude::*;
use std::sync::atomic::AtomicU32;

/// Object `i` in the state `word`.
fn draft(i: u8, word: u16) -> Draft {
    let mut draft = Draft::default();
    draft.reset(&pods::TABLE, 0);
    let name = format!("pod-{i}");
    // Every third object has no uid, so that its key comes back when it is created anew.
    if !i.is_multiple_of(3) {
        draft.head.uid = draft.keep(&format!("{i:08x}-0000-4000-8000-000000000000"));
    }
    draft.head.name = draft.keep(&name);
    draft.head.rv = u64::from(word);
    draft.put(pods::STATUS, &format!("status-{word}"));
    draft
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8),
    Gone(u8),
    /// A whole list of these objects.
    List(Vec<u8>),
    /// The UI thread takes about so many rows.
    Take(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let object = 0u8..12;
    let step = prop_oneof![
        6 => object.clone().prop_map(Step::Put),
        3 => object.clone().prop_map(Step::Gone),
        1 => prop::collection::vec(object, 0..6).prop_map(Step::List),
        2 => (1usize..20).prop_map(Step::Take),
    ];
    prop::collection::vec(step, 0..120)
}

fn shown(store: &Store) -> Vec<String> {
    let mut rows: Vec<_> = store
        .rows("pods")
        .map(|r| format!("{} {} {}", r.name(), r.rv(), r.text(pods::STATUS)))
        .collect();
    rows.sort();
    rows
}

fn take(mailbox: &Mailbox, rows: usize, store: &mut Store) {
    for delivery in mailbox.drain(rows) {
        if let Delivery::Rows(parcel) = delivery {
            store.apply(&parcel);
        }
    }
}

proptest! {
    #[test]
    fn conflation_equals_full_replay(steps in steps()) {
        let (mut slow, mut fast) = (Store::new(&[&pods::TABLE]), Store::new(&[&pods::TABLE]));
        let feed = slow.open_feed(0, 0, None);
        fast.open_feed(0, 0, None);
        let mailbox = Mailbox::new(Arc::new(|| {}));
        let mut outbox = mailbox.outbox(feed, &pods::TABLE);
        outbox.backlog = 4;
        let mut generation = 0;
        for (word, step) in steps.iter().enumerate() {
            let word = word as u16;
            let mut replay = Parcel::new(feed, generation, &pods::TABLE);
            match step {
                Step::Put(i) => {
                    outbox.put(&draft(*i, word), generation);
                    replay.push(&draft(*i, word), &pods::TABLE);
                }
                Step::Gone(i) => {
                    outbox.gone(draft(*i, word).key(), generation);
                    replay.gone.push(draft(*i, word).key());
                }
                Step::List(objects) => {
                    generation += 1;
                    replay.generation = generation;
                    replay.sweep = true;
                    objects.iter().for_each(|i| replay.push(&draft(*i, word), &pods::TABLE));
                    let room = outbox.lane.room.available_permits();
                    if room == 0 {
                        take(&mailbox, usize::MAX, &mut slow);
                    }
                    let sent = futures_util::FutureExt::now_or_never(outbox.bulk(replay.clone()));
                    prop_assert!(sent.is_some(), "there was room");
                }
                Step::Take(rows) => take(&mailbox, *rows, &mut slow),
            }
            fast.apply(&replay);
        }
        take(&mailbox, usize::MAX, &mut slow);
        prop_assert_eq!(shown(&slow), shown(&fast));
        prop_assert!(mailbox.drain(usize::MAX).is_empty());
    }
}

#[test]
fn what_piles_up_is_bounded_by_distinct_objects() {
    let mailbox = Mailbox::new(Arc::new(|| {}));
    let mut outbox = mailbox.outbox(FeedId(1), &pods::TABLE);
    for n in 0..200_000u32 {
        outbox.put(&draft((n % 50) as u8, n as u16), 0);
    }
    let rows = |d: &Delivery| match d {
        Delivery::Rows(parcel) => parcel.len(),
        Delivery::Health(..) => 0,
    };
    let waiting: usize = mailbox.drain(usize::MAX).iter().map(rows).sum();
    assert!(waiting <= BACKLOG + 2 * 50, "{waiting} rows for 50 objects");
}

#[test]
fn a_list_waits_for_room_and_goes_on_when_there_is() {
    let mailbox = Mailbox::new(Arc::new(|| {}));
    let mut outbox = mailbox.outbox(FeedId(1), &pods::TABLE);
    let parcel = || {
        let mut parcel = Parcel::new(FeedId(1), 0, &pods::TABLE);
        parcel.push(&draft(1, 1), &pods::TABLE);
        parcel
    };
    let mut send = || futures_util::FutureExt::now_or_never(outbox.bulk(parcel())).is_some();
    assert_eq!((0..BULK + 3).filter(|_| send()).count(), BULK);
    assert_eq!(mailbox.drain(2).len(), 2);
    assert_eq!((0..BULK).filter(|_| send()).count(), 2);
}

#[test]
fn a_health_is_told_after_the_rows_it_speaks_of_and_only_the_last_of_several() {
    let mailbox = Mailbox::new(Arc::new(|| {}));
    let mut outbox = mailbox.outbox(FeedId(7), &pods::TABLE);
    outbox.health(Health::Starting { have: 0, of: None });
    outbox.health(Health::Starting { have: 1, of: None });
    outbox.put(&draft(1, 1), 0);
    outbox.health(Health::Missing);
    let out = mailbox.drain(usize::MAX);
    let [Delivery::Health(id, first), Delivery::Rows(_), Delivery::Health(_, last)] = &out[..]
    else {
        panic!("{out:?}");
    };
    assert_eq!((*id, first), (FeedId(7), &Health::Starting { have: 1, of: None }));
    assert_eq!(last, &Health::Missing);
}

#[test]
fn it_wakes_once_until_drained_and_again_for_what_it_left() {
    let rung = Arc::new(AtomicU32::new(0));
    let bell = rung.clone();
    let mailbox = Mailbox::new(Arc::new(move || {
        bell.fetch_add(1, Ordering::SeqCst);
    }));
    let (mut a, mut b) =
        (mailbox.outbox(FeedId(1), &pods::TABLE), mailbox.outbox(FeedId(2), &pods::TABLE));
    for word in 0..5 {
        a.put(&draft(1, word), 0);
        b.put(&draft(2, word), 0);
    }
    assert_eq!(rung.load(Ordering::SeqCst), 1);
    assert_eq!(mailbox.drain(1).len(), 1);
    assert_eq!(rung.load(Ordering::SeqCst), 2, "something is left");
    drop(a);
    drop(b);
    assert_eq!(mailbox.drain(9).len(), 1, "and comes although its feed is gone");
    assert_eq!(rung.load(Ordering::SeqCst), 2);
    assert!(lock(&mailbox.lanes).all.is_empty(), "lanes of feeds that are gone go too");
}

#[test]
fn feeds_take_turns() {
    let mailbox = Mailbox::new(Arc::new(|| {}));
    let mut outboxes: Vec<_> = (1..4).map(|id| mailbox.outbox(FeedId(id), &pods::TABLE)).collect();
    for outbox in &mut outboxes {
        for _ in 0..2 {
            let mut parcel = Parcel::new(outbox.feed(), 0, &pods::TABLE);
            parcel.push(&draft(1, 1), &pods::TABLE);
            futures_util::FutureExt::now_or_never(outbox.bulk(parcel)).unwrap();
        }
    }
    let feeds = |n| -> std::collections::BTreeSet<FeedId> {
        let one = |d: Delivery| match d {
            Delivery::Rows(parcel) => parcel.feed,
            Delivery::Health(feed, _) => feed,
        };
        mailbox.drain(n).into_iter().map(one).collect()
    };
    assert_eq!(feeds(3).len(), 3);
}
