//! Events as rows: what is said of one object for one reason stands in one line.

use super::events::{self, TABLE};
use super::testing::{NOW, cell, put, row, store, store_of, words};
use crate::state::cell::{Role, Value};
use crate::state::lens::{Budget, Lens, Progress};
use crate::state::parcel::Parcel;
use crate::state::query::Query;
use crate::state::store::Store;
use crate::state::time::Epoch;
use crate::state::timeline::Deed;
use serde_json::{Value as Json, json};

fn ago(secs: i64) -> String {
    Epoch(NOW.0 - secs).rfc3339()
}

/// An event as the old recorder writes it.
fn event(n: u32, object: (&str, &str), reason: &str, message: &str, last: i64, count: u32) -> Json {
    json!({
        "kind": "Event", "reason": reason, "message": message, "type": "Warning", "count": count,
        "metadata": { "name": format!("e{n}"), "namespace": "shop", "uid": format!("00000000-0000-4000-8000-{n:012x}"),
            "creationTimestamp": ago(last + 600) },
        "involvedObject": { "kind": object.0, "name": object.1, "namespace": "shop", "apiVersion": "v1" },
        "source": { "component": "kubelet", "host": "node-1" },
        "firstTimestamp": ago(last + 600), "lastTimestamp": ago(last),
    })
}

fn names(store: &Store, filter: &str) -> Vec<String> {
    let index = store.table_index(TABLE.id).unwrap();
    let sort = (TABLE.column("age").unwrap(), false);
    let query = Query::parse(filter, &TABLE).unwrap();
    let mut lens = Lens::new(index, sort, Query::default(), query);
    while lens.work(store, NOW, Budget::ALL) == Progress::More {}
    lens.rows().iter().map(|&slot| store.row(index, slot).name().into_owned()).collect()
}

#[test]
fn one_line_stands_for_all_that_gives_one_reason_about_one_object() {
    let store = store_of(&[
        event(1, ("Pod", "web-1"), "BackOff", "the newest words", 60, 7),
        event(2, ("Pod", "web-1"), "BackOff", "older words", 900, 5),
        event(3, ("Pod", "web-1"), "Unhealthy", "another reason", 120, 1),
        event(4, ("Pod", "web-2"), "BackOff", "another pod", 30, 1),
        event(5, ("Job", "web-1"), "BackOff", "another kind", 300, 1),
    ]);
    assert_eq!(names(&store, ""), ["web-2", "web-1", "web-1", "web-1"]);
    let r = store.rows("events").find(|r| r.num(events::EVENTS) == 2).unwrap();
    assert_eq!(words(r, "object count events message"), "Pod/web-1 | 12 | 2 | the newest words");
    assert_eq!(words(r, "age first source namespace"), "60s | 25m | kubelet node-1 | shop");
    // Eleven more within twenty-four minutes.
    assert_eq!(words(r, "per_hour"), "28");
    assert_eq!(cell(r, "type").role, Role::Warn);
}

#[test]
fn rows_stand_in_the_order_of_the_last_occurrence_and_ties_in_order_of_arrival() {
    let mut bare = event(1, ("Pod", "created"), "A", "", 0, 0);
    for field in ["firstTimestamp", "lastTimestamp", "count"] {
        bare[field] = json!(null);
    }
    bare["metadata"]["creationTimestamp"] = json!(ago(45));
    let mut series = event(2, ("Pod", "series"), "B", "", 5000, 0);
    series["series"] = json!({ "count": 9, "lastObservedTime": ago(20).replace('Z', ".123456Z") });
    let mut once = event(3, ("Pod", "once"), "C", "", 0, 0);
    once["firstTimestamp"] = json!(null);
    once["lastTimestamp"] = json!(null);
    once["eventTime"] = json!(ago(30).replace('Z', ".000001Z"));
    let store = store_of(&[
        bare,
        series,
        once,
        event(4, ("Pod", "tie-first"), "D", "", 10, 1),
        event(5, ("Pod", "tie-later"), "D", "", 10, 1),
    ]);
    assert_eq!(names(&store, ""), ["tie-later", "tie-first", "series", "once", "created"]);
    assert_eq!(words(row(&store, "events", "series"), "count"), "9");
}

#[test]
fn the_filter_knows_namespace_kind_object_reason_source_and_age() {
    let mut node = event(1, ("Node", "node-7"), "NodeNotReady", "Node is not ready", 3000, 1);
    node["involvedObject"].as_object_mut().unwrap().remove("namespace");
    node["source"] = json!({ "component": "node-controller" });
    let mut normal = event(2, ("Pod", "web-1"), "Pulled", "Image pulled", 60, 1);
    normal["type"] = json!("Normal");
    let store = store_of(&[node, normal, event(3, ("Pod", "web-2"), "BackOff", "x", 60, 40)]);
    for (filter, want) in [
        ("!type:=Normal", vec!["web-2", "node-7"]),
        ("namespace:=shop", vec!["web-2", "web-1"]),
        ("kind:node", vec!["node-7"]),
        ("object:pod/web-1", vec!["web-1"]),
        ("reason:backoff", vec!["web-2"]),
        ("source:controller", vec!["node-7"]),
        ("source:node-1", vec!["web-2", "web-1"]),
        ("age:<5m", vec!["web-2", "web-1"]),
        ("count:>10", vec!["web-2"]),
        ("message:\"image pulled\"", vec!["web-1"]),
        ("pulled", vec!["web-1"]),
        ("\"not ready\"", vec!["node-7"]),
    ] {
        let mut found = names(&store, filter);
        found.sort();
        let mut want = want;
        want.sort_unstable();
        assert_eq!(found, want, "{filter}");
    }
}

#[test]
fn node_events_are_one_whatever_uid_they_carry() {
    let mut all = vec![];
    for (n, uid) in [(1, "6b1f0f0e-0000-4000-8000-000000000001"), (2, "node-7"), (3, "")] {
        let mut e = event(n, ("Node", "node-7"), "NodeNotReady", "x", 10, 1);
        e["involvedObject"]["uid"] = json!(uid);
        e["involvedObject"].as_object_mut().unwrap().remove("namespace");
        all.push(e);
    }
    let store = store_of(&all);
    assert_eq!(words(row(&store, "events", "node-7"), "count events namespace"), "3 | 3 | -");
}

#[test]
fn a_deletion_and_a_relist_are_no_news() {
    let mut store = store_of(&[event(1, ("Pod", "web-1"), "BackOff", "x", 60, 7)]);
    let table = store.table_index("events").unwrap();
    let feed = store.feeds.iter().find(|f| f.table == table).unwrap().id;
    let mut relist = Parcel::new(feed, 9, &TABLE);
    relist.sweep = true;
    let key =
        super::testing::draft(&TABLE, 0, &event(1, ("Pod", "web-1"), "BackOff", "x", 60, 7)).key();
    relist.gone.push(key);
    assert!(store.apply(&relist).rows.is_empty());
    assert_eq!(store.rows("events").count(), 1, "the server forgot it, the ring did not");
    put(&mut store, &[event(1, ("Pod", "web-1"), "BackOff", "x", 60, 7)]);
    assert_eq!(words(row(&store, "events", "web-1"), "count events"), "7 | 1");
    store.close_feed(feed);
    assert!(store.timeline().ring.is_empty() && store.rows("events").count() == 0);
}

#[test]
fn while_rows_stand_still_the_ring_goes_on_filling() {
    let mut store = store_of(&[
        event(1, ("Pod", "web-1"), "BackOff", "before", 60, 7),
        event(2, ("Pod", "web-2"), "BackOff", "before", 90, 1),
    ]);
    store.hold_events(NOW);
    put(
        &mut store,
        &[
            event(1, ("Pod", "web-1"), "BackOff", "meanwhile", 10, 9),
            event(3, ("Pod", "web-3"), "BackOff", "new", 5, 1),
            event(4, ("Pod", "web-2"), "BackOff", "older words", 95, 1),
        ],
    );
    assert_eq!(names(&store, ""), ["web-1", "web-2"]);
    assert_eq!(words(row(&store, "events", "web-1"), "count message"), "7 | before");
    assert_eq!(store.timeline().ring.len(), 4);
    let changed = store.release_events();
    assert_eq!(changed.rows.len(), 3);
    assert_eq!(names(&store, ""), ["web-3", "web-1", "web-2"]);
    assert_eq!(words(row(&store, "events", "web-1"), "count message"), "9 | meanwhile");
    assert_eq!(words(row(&store, "events", "web-2"), "count events message"), "2 | 2 | before");
    assert!(store.release_events().rows.is_empty());
}

#[test]
fn the_operators_own_actions_stand_among_them_once() {
    let mut store = store();
    let table = store.table_index("events").unwrap();
    let feed = store.feeds.iter().find(|f| f.table == table).unwrap().id;
    let deed = Deed {
        id: "run#1".into(),
        at: Epoch(NOW.0 - 30),
        action: "cordon".into(),
        kind: "Node".into(),
        namespace: String::new(),
        name: "node-7".into(),
        words: "cordon node-7".into(),
        by: "op@bastion".into(),
    };
    let parcel = Deed::parcel(feed, &[deed.clone(), Deed { id: "run#2".into(), ..deed }]);
    store.apply(&parcel);
    assert!(store.apply(&parcel).rows.is_empty(), "read again, nothing is new");
    assert_eq!(names(&store, "type:=You"), ["node-7", "node-7"]);
    let r = row(&store, "events", "node-7");
    assert_eq!(words(r, "type reason object source"), "You | cordon | Node/node-7 | op@bastion");
    assert_eq!(cell(r, "last_hour").value, Value::Absent);
}

#[test]
fn a_message_of_any_length_is_kept_short_and_leaves_with_its_row() {
    let long = "ä".repeat(100_000);
    let mut store = store_of(&[event(1, ("Pod", "web-1"), "BackOff", &long, 60, 1)]);
    let kept = row(&store, "events", "web-1").text(events::MESSAGE).len();
    assert_eq!(kept, 1024);
    let symbols = store.syms.len();
    for n in 0..500 {
        put(&mut store, &[event(1, ("Pod", "web-1"), "BackOff", &format!("try {n}"), 50, n + 2)]);
    }
    assert_eq!(store.syms.len(), symbols, "what never repeats is no symbol");
    assert_eq!(words(row(&store, "events", "web-1"), "count message"), "501 | try 499");
}
