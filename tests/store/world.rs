//! A small world for the properties: pods that come, change and go, and two tables that show their sums.

use proptest::prelude::*;
use std::collections::BTreeMap;
use wheelhouse::state::decl::{Gvk, Kind, TALLIED, TableSpec};
use wheelhouse::state::health::FeedId;
use wheelhouse::state::kinds::{common, pods};
use wheelhouse::state::parcel::{Draft, Key, Parcel};
use wheelhouse::state::store::Store;
use wheelhouse::state::time::Epoch;
use wheelhouse::{column, words};

words! { WORDS: LABELS = Set; }

static KINDS: &[Kind] = &[Kind {
    gvk: Gvk { group: "", version: "v1", kind: "Any", plural: "anys", namespaced: false },
    paths: &[],
    fold: |_, _, _| {},
    finish: |_| {},
}];

/// Nodes, cut down to what moves with their pods.
pub static NODES: TableSpec = TableSpec {
    id: "nodes",
    kinds: KINDS,
    words: WORDS,
    labels: LABELS,
    columns: &[
        common::NAME,
        column!("pods" "PODS" Right 9 TALLIED,
            |r, _| wheelhouse::state::cell::Value::Int(r.sums(pods::ON_NODE)[pods::sum::PODS]).into(),
            |r| wheelhouse::state::cell::Sort::Int(r.sums(pods::ON_NODE)[pods::sum::PODS])),
    ],
    tallies: &[],
};

static NAMESPACES: TableSpec = TableSpec { id: "namespaces", columns: &[common::NAME], ..copy() };

const fn copy() -> TableSpec {
    TableSpec { id: "", kinds: KINDS, words: WORDS, labels: LABELS, columns: &[], tallies: &[] }
}

/// Noon of the world.
pub const NOON: Epoch = Epoch(1_800_000_000);

/// What a pod says. Its uid is its number; namespace, name and creation follow from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pod {
    pub id: u16,
    pub node: Option<u8>,
    pub phase: u8,
    pub restarts: u8,
    pub milli: u16,
    pub labels: u8,
}

pub fn pod(ids: std::ops::Range<u16>) -> impl Strategy<Value = Pod> {
    (ids, prop::option::of(0..4u8), 0..5u8, 0..4u8, 0..1000u16, 0..8u8).prop_map(
        |(id, node, phase, restarts, milli, labels)| Pod {
            id,
            node,
            phase,
            restarts,
            milli,
            labels,
        },
    )
}

pub fn namespace(id: u16) -> String {
    ["default", "kube-system", "shop", "Ops"][usize::from(id % 4)].to_owned()
}

pub fn name(id: u16) -> String {
    match id % 3 {
        0 => format!("web-{:x}-{id}", id / 7),
        1 => format!("cache-{id}"),
        _ => format!("a-name-without-a-tail-that-fits-{:020}", id / 2),
    }
}

pub fn uid(id: u16) -> String {
    format!("00000000-0000-4000-8000-{id:012x}")
}

pub fn key(id: u16) -> Key {
    Key::of(&uid(id), "", "")
}

pub fn push(parcel: &mut Parcel, p: &Pod) {
    let mut d = Draft::default();
    d.reset(&pods::TABLE, 0);
    d.head.uid = d.keep(&uid(p.id));
    d.head.namespace = d.keep(&namespace(p.id));
    d.head.name = d.keep(&name(p.id));
    d.head.created = Epoch(NOON.0 - i64::from(p.id) * 40);
    if let Some(node) = p.node {
        d.put(pods::NODE, &format!("node-{node}"));
    }
    d.put(pods::STATUS, pods::phase::NAMES[usize::from(p.phase)]);
    match p.id % 3 {
        0 => d.put(pods::OWNER, &format!("ReplicaSet/web-{:x}", p.id / 7)),
        1 => d.put(pods::OWNER, "StatefulSet/cache"),
        _ => {}
    }
    d.set(pods::PHASE, i64::from(p.phase));
    d.set(pods::RESTARTS, i64::from(p.restarts));
    d.set(pods::CPU, i64::from(p.milli));
    d.set(pods::MEMORY, i64::from(p.milli) << 24);
    d.set(pods::IS_READY, i64::from(p.phase == 2));
    for (bit, pair) in
        [("app", "web"), ("app.kubernetes.io/name", "Shop"), ("tier", "")].iter().enumerate()
    {
        if p.labels >> bit & 1 == 1 {
            d.pair(pods::LABELS, pair.0, pair.1);
        }
    }
    d.settle();
    parcel.push(&d, &pods::TABLE);
}

/// A store with its pod feed; four nodes and four namespaces are there already.
pub fn world() -> (Store, FeedId) {
    let mut store = Store::new(&[&pods::TABLE, &NODES, &NAMESPACES]);
    let feed = store.open_feed(0, 0, None);
    for (table, spec, names) in [
        (1, &NODES, ["node-0", "node-1", "node-2", "node-3"]),
        (2, &NAMESPACES, ["default", "kube-system", "shop", "Ops"]),
    ] {
        let feed = store.open_feed(table, 0, None);
        let mut parcel = Parcel::new(feed, 0, spec);
        for name in names {
            let mut d = Draft::default();
            d.reset(spec, 0);
            d.head.name = d.keep(name);
            parcel.push(&d, spec);
        }
        store.apply(&parcel);
    }
    (store, feed)
}

pub fn parcel(feed: FeedId, generation: u8, pods: &[Pod]) -> Parcel {
    let mut parcel = Parcel::new(feed, generation, &pods::TABLE);
    pods.iter().for_each(|p| push(&mut parcel, p));
    parcel
}

/// All that can be read of a store, free of slots and symbols.
pub fn picture(store: &Store) -> BTreeMap<(String, String), Vec<String>> {
    let mut all = BTreeMap::new();
    for table in ["pods", "nodes", "namespaces"] {
        for row in store.rows(table) {
            let mut says: Vec<String> = vec![row.namespace().to_owned(), row.created().rfc3339()];
            let spec = row.table.spec;
            says.extend(spec.columns.iter().map(|c| format!("{:?}", (c.cell)(row, NOON))));
            says.extend([pods::ON_NODE, pods::IN_NAMESPACE].map(|t| format!("{:?}", row.sums(t))));
            all.insert((table.to_owned(), format!("{} {:?}", row.name(), row.key())), says);
        }
    }
    all
}

/// Says that objects went away.
pub fn without(mut parcel: Parcel, gone: impl IntoIterator<Item = u16>) -> Parcel {
    parcel.gone.extend(gone.into_iter().map(key));
    parcel
}

/// Says that the list of its generation is complete.
pub fn complete(mut parcel: Parcel) -> Parcel {
    parcel.sweep = true;
    parcel
}
