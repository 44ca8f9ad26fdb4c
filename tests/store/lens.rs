//! The lens: whatever happened, in whatever slices, it shows "filter, then sort".

use crate::world::{NODES, NOON, Pod, complete, parcel, pod, without, world};
use proptest::prelude::*;
use std::cmp::Ordering;
use wheelhouse::state::decl::Column;
use wheelhouse::state::health::FeedId;
use wheelhouse::state::kinds::pods;
use wheelhouse::state::lens::{Budget, Lens, Progress};
use wheelhouse::state::query::Query;
use wheelhouse::state::store::{Changed, Store};
use wheelhouse::state::time::Epoch;

const QUERIES: &[&str] = &[
    "",
    "w",
    "we",
    "web",
    "web-1",
    "Ops",
    "!web",
    "status:run",
    "status:=Running",
    "restarts:>2",
    "age:<5m",
    "age:>=10m web",
    "!age:2m | restarts:3",
    "label:app",
    "label:app=web",
    "label:tier= !label:app",
    "label:app!=web",
    "node:node-1 | node:node-2",
    "node:=-",
    r"/^web-.*1$/",
    "cpu_requests:>=500m",
    "memory_req:<4Gi namespace:s",
];

const SORTS: &[&str] =
    &["namespace", "name", "status", "restarts", "age", "node", "cpu_requests", "uid"];

#[derive(Clone, Debug)]
enum Op {
    Put(Vec<Pod>),
    /// So many rows at once that merging them one by one is not worth it.
    Bulk(u16, Pod),
    Gone(Vec<u16>),
    Relist(Vec<Pod>),
    /// Gone and new in one parcel after the other, taken in at once: slots are reused.
    Swap(Vec<u16>, Vec<Pod>),
    Sort(usize, bool),
    Query(usize),
    Work(usize),
    Tick(i64),
    Settle,
}

fn op(bulk: u32) -> impl Strategy<Value = Op> {
    let pods = || prop::collection::vec(pod(0..60), 1..12);
    let ids = || prop::collection::vec(0..60u16, 1..12);
    prop_oneof![
        6 => pods().prop_map(Op::Put),
        bulk => (0..300u16, pod(0..1)).prop_map(|(from, p)| Op::Bulk(from, p)),
        3 => ids().prop_map(Op::Gone),
        1 => pods().prop_map(Op::Relist),
        3 => (ids(), pods()).prop_map(|(a, b)| Op::Swap(a, b)),
        3 => (0..SORTS.len(), any::<bool>()).prop_map(|(at, desc)| Op::Sort(at, desc)),
        4 => (0..QUERIES.len()).prop_map(Op::Query),
        4 => (1..40usize).prop_map(Op::Work),
        1 => (1..400i64).prop_map(Op::Tick),
        1 => Just(Op::Settle),
    ]
}

fn column(id: &str) -> &'static Column {
    pods::TABLE.column(id).expect("the list above names columns of pods")
}

/// A lens beside all that is needed to do its work naively.
struct Bench {
    store: Store,
    feed: FeedId,
    generation: u8,
    now: Epoch,
    scope: Query,
    pods: Lens,
    nodes: Lens,
}

impl Bench {
    fn new(scope: Query, first: &[Pod]) -> Bench {
        let (mut store, feed) = world();
        store.apply(&parcel(feed, 0, first));
        let pods = Lens::new(0, (column("namespace"), false), scope.clone(), Query::default());
        let by_pods = NODES.column("pods").expect("declared above");
        let nodes = Lens::new(1, (by_pods, true), Query::default(), Query::default());
        Bench { store, feed, generation: 0, now: NOON, scope, pods, nodes }
    }

    fn absorb(&mut self, changed: &Changed) {
        self.pods.absorb(&self.store, changed);
        self.nodes.absorb(&self.store, changed);
    }

    fn apply(&mut self, pods: &[Pod], gone: &[u16], sweep: bool) -> Changed {
        let parcel = without(parcel(self.feed, self.generation, pods), gone.iter().copied());
        self.store.apply(&if sweep { complete(parcel) } else { parcel })
    }

    fn run(&mut self, op: &Op) {
        match op {
            Op::Put(pods) => {
                let changed = self.apply(pods, &[], false);
                self.absorb(&changed);
            }
            Op::Bulk(from, like) => {
                let pods: Vec<Pod> = (*from..from + 1100)
                    .map(|id| Pod { id, milli: id * 7 % 1000 + like.milli % 9, ..like.clone() })
                    .collect();
                let changed = self.apply(&pods, &[], false);
                self.absorb(&changed);
            }
            Op::Gone(ids) => {
                let changed = self.apply(&[], ids, false);
                self.absorb(&changed);
            }
            Op::Relist(pods) => {
                self.generation = self.generation.wrapping_add(1);
                let changed = self.apply(pods, &[], true);
                self.absorb(&changed);
            }
            Op::Swap(ids, pods) => {
                let mut changed = self.apply(&[], ids, false);
                changed.rows.extend(self.apply(pods, &[], false).rows);
                self.absorb(&changed);
            }
            Op::Sort(at, desc) => self.pods.set_sort(&self.store, (column(SORTS[*at]), *desc)),
            Op::Query(at) => {
                let query = Query::parse(QUERIES[*at], &pods::TABLE).expect("each of these parses");
                self.pods.set_query(&self.store, query);
            }
            Op::Work(rows) => {
                let budget = Budget { rows: *rows };
                let progress = self.pods.work(&self.store, self.now, budget);
                assert_eq!(progress == Progress::Done, self.pods.settled());
            }
            Op::Tick(seconds) => {
                self.now.0 += seconds;
                self.pods.rebind(&self.store, self.now);
            }
            Op::Settle => {
                self.pods.work(&self.store, self.now, Budget::ALL);
                self.nodes.work(&self.store, self.now, Budget::ALL);
                assert!(self.pods.settled() && self.nodes.settled());
            }
        }
    }

    /// What holds at any time, and what holds once the work is done.
    fn check(&self) {
        let mut seen = std::collections::BTreeSet::new();
        let mut scope = self.scope.bind(self.now);
        for &slot in self.pods.rows() {
            assert!(self.store.table_at(0).alive(slot), "slot {slot} is dead");
            assert!(seen.insert(slot), "slot {slot} is there twice");
            assert!(scope.test(self.store.row(0, slot)), "slot {slot} is out of scope");
        }
        if self.pods.settled() {
            let (want, total) = naive(&self.store, 0, &self.pods, &self.scope, self.now);
            assert_eq!(self.pods.rows(), want, "{:?} {:?}", self.pods.sort(), self.pods.query());
            assert_eq!(self.pods.total(), total);
            for (at, &slot) in want.iter().enumerate().step_by(7) {
                assert_eq!(self.pods.rank(&self.store, slot), Some(at));
            }
        }
        if self.nodes.settled() {
            let (want, _) = naive(&self.store, 1, &self.nodes, &Query::default(), self.now);
            assert_eq!(self.nodes.rows(), want, "nodes by pods");
        }
    }
}

fn naive(store: &Store, table: u8, lens: &Lens, scope: &Query, now: Epoch) -> (Vec<u32>, usize) {
    let (column, desc) = lens.sort();
    let t = store.table_at(table);
    let alive = (0..t.slots()).filter(|&slot| t.alive(slot));
    let inside: Vec<u32> =
        alive.filter(|&slot| scope.bind(now).test(store.row(table, slot))).collect();
    let passes = |slot: &u32| lens.query().bind(now).test(store.row(table, *slot));
    let mut rows: Vec<u32> = inside.iter().copied().filter(passes).collect();
    rows.sort_by(|&a, &b| {
        let (a, b) = (store.row(table, a), store.row(table, b));
        let by = (column.sort)(a).compare(&(column.sort)(b));
        let by: Ordering = if desc { by.reverse() } else { by };
        by.then_with(|| (a.namespace(), a.name(), a.key()).cmp(&(b.namespace(), b.name(), b.key())))
    });
    (rows, inside.len())
}

fn scopes() -> impl Strategy<Value = Query> {
    prop_oneof![
        2 => Just(Query::default()),
        1 => Just(Query::exact(column("node"), "node-1")),
        1 => Just(Query::exact(column("namespace"), "Ops")),
    ]
}

fn history(scope: Query, first: &[Pod], ops: &[Op]) {
    let mut bench = Bench::new(scope, first);
    for op in ops.iter().chain([&Op::Settle]) {
        bench.run(op);
        bench.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_lens_shows_filter_then_sort(
        scope in scopes(),
        first in prop::collection::vec(pod(0..60), 0..40),
        ops in prop::collection::vec(op(0), 1..50),
    ) {
        history(scope, &first, &ops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_lens_shows_filter_then_sort_however_much_changes_at_once(
        scope in scopes(),
        ops in prop::collection::vec(op(4), 1..20),
    ) {
        history(scope, &[], &ops);
    }
}

/// While a new order or query is worked on, the old rows stay, and deltas go on being shown in them.
#[test]
fn the_old_order_stays_until_the_new_one_is_complete() {
    let all: Vec<Pod> = (0..300)
        .map(|id| Pod { id, node: None, phase: 2, restarts: (id % 7) as u8, milli: id, labels: 0 })
        .collect();
    let mut bench = Bench::new(Query::default(), &all);
    bench.run(&Op::Settle);
    let old = bench.pods.rows().to_vec();
    bench.run(&Op::Sort(SORTS.iter().position(|s| *s == "restarts").unwrap(), true));
    bench.run(&Op::Work(50));
    assert_eq!(bench.pods.rows(), old, "half sorted rows are not shown");
    bench.run(&Op::Gone(vec![17]));
    let gone = bench.store.table_at(0);
    let left: Vec<u32> = old.iter().copied().filter(|&slot| gone.alive(slot)).collect();
    assert_eq!(left.len(), 299);
    assert_eq!(bench.pods.rows(), left, "a deletion is shown at once");
    bench.run(&Op::Settle);
    bench.check();
    assert_ne!(bench.pods.rows(), left);
}

#[test]
fn an_age_filter_follows_the_clock_without_any_delta() {
    let all = [5, 6].map(|id| Pod { id, node: None, phase: 2, restarts: 0, milli: 1, labels: 0 });
    let mut bench = Bench::new(Query::default(), &all);
    bench.run(&Op::Query(QUERIES.iter().position(|q| *q == "age:<5m").unwrap()));
    bench.run(&Op::Settle);
    assert_eq!(bench.pods.len(), 2, "200 and 240 seconds old");
    bench.run(&Op::Tick(70));
    assert!(!bench.pods.settled(), "there is work to do");
    bench.run(&Op::Settle);
    assert_eq!((bench.pods.len(), bench.pods.total()), (1, 2));
}
