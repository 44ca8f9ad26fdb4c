//! Standing still must change nothing in the end, whatever comes and is forgotten meanwhile.

use super::*;
use crate::state::kinds::testing::{NOW, draft, store, words};
use crate::state::lens::{Budget, Lens, Progress};
use crate::state::parcel::Parcel;
use crate::state::query::Query;
use crate::state::timeline::Ring;
use proptest::prelude::*;
use serde_json::json;

/// A store whose ring is small enough to forget.
fn small() -> Store {
    let mut store = store();
    store.timeline.ring = Ring::new(5);
    store
}

fn apply(store: &mut Store, (event, last, count): (u8, i64, u32)) -> Changed {
    let ago = |secs: i64| Epoch(NOW.0 - secs).rfc3339();
    let object = json!({
        "kind": "Event", "type": (["Normal", "Warning"][usize::from(event) % 2]), "reason": format!("R{}", event % 2),
        "metadata": { "name": "e", "namespace": "shop", "uid": format!("00000000-0000-4000-8000-{event:012x}") },
        "involvedObject": { "kind": "Pod", "namespace": "shop", "name": format!("web-{}", event % 4) },
        "message": format!("{event} {last} {count}"), "count": count, "lastTimestamp": ago(last), "firstTimestamp": ago(last + 90),
    });
    let table = store.table_index(events::TABLE.id).expect("declared");
    let feed = store.feeds.iter().find(|f| f.table == table).expect("open").id;
    let mut parcel = Parcel::new(feed, 0, &events::TABLE);
    parcel.push(&draft(&events::TABLE, 0, &object), &events::TABLE);
    store.apply(&parcel)
}

fn shown(store: &Store) -> Vec<String> {
    let all = store.rows(events::TABLE.id);
    let mut all: Vec<String> =
        all.map(|r| words(r, "object type reason count events first age message")).collect();
    all.sort();
    all
}

proptest! {
    #[test]
    fn standing_still_changes_nothing_in_the_end(
        steps in proptest::collection::vec((0u8..14, 0i64..900, 1u32..9, 0u8..6), 1..90),
    ) {
        let (mut still, mut free) = (small(), small());
        let table = still.table_index(events::TABLE.id).expect("declared");
        let sort = (events::TABLE.column("age").expect("declared"), false);
        let mut lens = Lens::new(table, sort, Query::default(), Query::default());
        let settle = |lens: &mut Lens, store: &Store| while lens.work(store, NOW, Budget::ALL) == Progress::More {};
        settle(&mut lens, &still);
        let mut frozen = None;
        for (event, last, count, toggle) in steps {
            let changed = apply(&mut still, (event, last, count));
            lens.absorb(&still, &changed);
            apply(&mut free, (event, last, count));
            if let Some(frozen) = &frozen {
                prop_assert!(changed.rows.is_empty());
                prop_assert_eq!(&shown(&still), frozen);
            } else {
                prop_assert_eq!(shown(&still), shown(&free));
            }
            match (toggle, frozen.is_some()) {
                (0, false) => {
                    still.hold_events(NOW);
                    frozen = Some(shown(&still));
                }
                (1, true) => {
                    let changed = still.release_events();
                    lens.absorb(&still, &changed);
                    frozen = None;
                }
                _ => {}
            }
        }
        let changed = still.release_events();
        lens.absorb(&still, &changed);
        settle(&mut lens, &still);
        prop_assert_eq!(shown(&still), shown(&free));
        prop_assert_eq!(shown(&still).len(), still.timeline.ring.things());
        let times: Vec<i64> = lens.rows().iter().map(|&slot| still.row(table, slot).num(events::LAST)).collect();
        prop_assert_eq!(times.len(), still.timeline.ring.things());
        prop_assert!(times.is_sorted_by(|a, b| a >= b), "{:?}", times);
    }
}
