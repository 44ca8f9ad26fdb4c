//! Samples of rows: gaps, bounds, and whose they are.

use super::looks::MISSED;
use super::*;
use crate::state::health::FeedId;
use crate::state::health::Health;
use crate::state::kinds::node_usage;
use crate::state::parcel::{Draft, Parcel};
use proptest::prelude::*;

const APISERVER: &str = "apiserver";

/// A measured table with one feed.
struct World {
    store: Store,
    series: Series,
    feed: FeedId,
    table: u8,
    generation: u8,
}

impl World {
    fn new() -> World {
        let mut store = Store::default();
        let table = store.table_index(APISERVER).unwrap();
        let feed = store.open_feed(table, 0, None);
        World { store, series: Series::default(), feed, table, generation: 0 }
    }

    /// A look that saw these rows, with so many requests open.
    fn look(&mut self, at: i64, rows: &[(&str, i64)], charted: &[(u8, Key)]) {
        use crate::state::kinds::apiserver::fill;
        use crate::state::metrics::apiserver::{Measured, Section};
        let spec = self.store.table_at(self.table).spec;
        self.generation = self.generation.wrapping_add(1);
        let mut parcel = Parcel::new(self.feed, self.generation, spec);
        let mut draft = Draft::default();
        for (place, (name, n)) in rows.iter().enumerate() {
            draft.reset(spec, 0);
            let mut row = Measured::new(Section::Overview, *name, "some_metric");
            row.now = Some(*n as f64);
            fill(&mut draft, &row, place, Epoch(at), [0; 12]);
            draft.settle();
            parcel.push(&draft, spec);
        }
        parcel.sweep = true;
        self.store.apply(&parcel);
        self.store.set_health(self.feed, Health::Surveyed { at: Epoch(at), unread: vec![] });
        self.series.observe(&self.store, Epoch(at), charted);
    }

    fn key(&self, name: &str) -> Key {
        self.store.rows(APISERVER).find(|row| row.name() == name).unwrap().key()
    }

    fn points(&self, key: Key) -> Vec<(i64, Option<i64>)> {
        let trace = self.series.trace(self.table, key).unwrap();
        trace.points(trace.line("now").unwrap()).map(|(at, n)| (at.0, n)).collect()
    }
}

#[test]
fn every_look_is_noted_once_and_a_feed_that_fails_leaves_a_gap() {
    let mut world = World::new();
    world.look(100, &[("open", 3)], &[]);
    world.series.observe(&world.store, Epoch(107), &[]);
    world.look(115, &[("open", 5)], &[]);
    let fault = Health::Down { fault: "refused".into(), retry: Epoch(140) };
    world.store.set_health(world.feed, fault);
    world.series.observe(&world.store, Epoch(120), &[]);
    world.series.observe(&world.store, Epoch(125), &[]);
    world.look(130, &[("open", 4)], &[]);
    let key = world.key("open");
    let expected = [(100, Some(3)), (115, Some(5)), (120, None), (130, Some(4))];
    assert_eq!(world.points(key), expected);
    let trace = world.series.trace(world.table, key).unwrap();
    assert_eq!(trace.line("now").unwrap().extremes, (3, 5));
    assert!(trace.line("rate").is_none(), "what was never measured is no line");
}

#[test]
fn a_table_that_is_left_has_a_gap_until_somebody_looks_again() {
    let mut world = World::new();
    world.look(100, &[("open", 3)], &[]);
    let key = world.key("open");
    world.store.close_feed(world.feed);
    world.series.observe(&world.store, Epoch(110), &[]);
    world.feed = world.store.open_feed(world.table, 0, None);
    world.look(160, &[("open", 4)], &[]);
    assert_eq!(world.points(key), [(100, Some(3)), (110, None), (160, Some(4))]);
    // Looks that are further apart than looks ever are were not all of them.
    world.look(1000, &[("open", 9)], &[]);
    assert_eq!(world.points(key)[3..], [(160 + MISSED.1, None), (1000, Some(9))]);
}

#[test]
fn rows_that_go_are_forgotten_unless_they_are_charted() {
    let mut world = World::new();
    world.look(100, &[("open", 3), ("shut", 1)], &[]);
    let (open, shut) = (world.key("open"), world.key("shut"));
    let charted = [(world.table, shut)];
    world.look(115, &[], &charted);
    assert!(world.series.trace(world.table, open).is_none());
    let trace = world.series.trace(world.table, shut).unwrap();
    assert!(trace.gone);
    assert_eq!(world.points(shut), [(100, Some(1)), (115, None)]);
}

#[test]
fn what_is_charted_is_sampled_while_this_process_is_awake() {
    let mut world = World::new();
    world.look(100, &[("open", 3)], &[]);
    world.store.set_health(world.feed, Health::Live(Epoch(100)));
    let charted = [(world.table, world.key("open"))];
    for at in [101, 102, 103, 104, 106, 300, 302] {
        world.series.observe(&world.store, Epoch(at), &charted);
    }
    let three = |at| (at, Some(3));
    let expected = [100, 102, 104, 106].map(three);
    assert_eq!(world.points(charted[0].1)[..4], expected, "every other second is enough");
    assert_eq!(world.points(charted[0].1)[4..], [(108, None), three(300), three(302)]);
}

#[test]
fn large_tables_are_not_noted_but_what_is_charted_of_them_is() {
    let mut world = World::new();
    let names: Vec<String> = (0..=ROWS).map(|i| format!("row-{i}")).collect();
    let rows: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
    world.look(100, &rows, &[]);
    assert!(world.series.traces.is_empty());
    let charted = [(world.table, world.key("row-7"))];
    world.look(115, &rows, &charted);
    assert_eq!(world.series.traces.len(), 1);
}

#[test]
fn lines_are_bounded_over_all_rows() {
    let mut world = World::new();
    let names: Vec<String> = (0..ROWS).map(|i| format!("row-{i}")).collect();
    let rows: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
    for at in 0..3 {
        world.look(100 + 15 * at, &rows, &[]);
    }
    let lines: usize = world.series.traces.values().map(|t| t.lines.len()).sum();
    assert!(lines <= LINES + 10 && lines == world.series.lines, "{lines}");
}

#[test]
fn use_of_nodes_is_noted_from_the_looks_of_another_table() {
    let store = Store::default();
    let nodes = store.table_index("nodes").unwrap();
    let mut store = store;
    let usage = store.table_index(node_usage::TABLE.id).unwrap();
    let feed = store.open_feed(usage, 0, None);
    store.set_health(feed, Health::Surveyed { at: Epoch(50), unread: vec![] });
    assert_eq!(looks(&store), [(nodes, Epoch(50))]);
    assert_ne!(measured_mask("nodes"), 0);
    assert_eq!(measured_mask(APISERVER), 0);
}

#[test]
fn of_containers_only_what_is_measured_is_noted() {
    let mask = measured_mask("containers");
    let noted = |id: &str| {
        let column = Store::default().table("containers").spec.column(id).unwrap();
        column.needs & mask != 0
    };
    assert!(noted("cpu_used") && noted("memory_limit_pct"));
    assert!(!noted("cpu_requests") && !noted("memory_limits"), "constants are no series");
}

#[test]
fn a_chart_that_is_opened_during_an_outage_does_not_join_what_it_divides() {
    let mut world = World::new();
    world.look(100, &[("open", 3)], &[]);
    // The rows are right again, or still are, but nobody looked in between.
    world.store.set_health(world.feed, Health::Live(Epoch(100)));
    world.series.observe(&world.store, Epoch(110), &[]);
    let charted = [(world.table, world.key("open"))];
    world.series.observe(&world.store, Epoch(400), &charted);
    let expected = [(100, Some(3)), (100 + MISSED.1, None), (400, Some(3))];
    assert_eq!(world.points(charted[0].1), expected);
}

#[test]
fn what_is_now_is_told_also_where_samples_are_thinned_out() {
    let mut world = World::new();
    let mut at = 100;
    for n in 0..2000 {
        world.look(at, &[("open", n)], &[]);
        at += 15;
    }
    let trace = world.series.trace(world.table, world.key("open")).unwrap();
    let line = trace.line("now").unwrap();
    assert!(trace.thinned && line.latest() == Some(1999));
    assert!(trace.points(line).all(|(_, n)| n.is_some()), "what was thinned out is no gap");
    let fault = Health::Down { fault: "refused".into(), retry: Epoch(at) };
    world.store.set_health(world.feed, fault);
    world.series.observe(&world.store, Epoch(at), &[]);
    let trace = world.series.trace(world.table, world.key("open")).unwrap();
    assert_eq!(trace.line("now").unwrap().latest(), None, "it is not measured now");
}

proptest! {
    #[test]
    fn a_trace_is_bounded_keeps_its_order_and_never_joins_what_a_gap_divides(
        steps in proptest::collection::vec((1_i64..40, 0_i64..1000, 0_u8..8), 1..900),
    ) {
        let mut world = World::new();
        world.look(1, &[("open", 0)], &[]);
        let row = world.store.rows(APISERVER).next().unwrap();
        let mut trace = Trace::default();
        let (mut now, mut divided) = (10, vec![]);
        for (pause, _, kind) in steps {
            now += pause;
            match kind {
                0 => {
                    trace.gap(Epoch(now));
                    divided.push(now);
                }
                _ => drop(trace.note(row, Epoch(now), KEPT, |_| true)),
            }
        }
        prop_assert!(trace.times.len() <= KEPT);
        prop_assert!(trace.times.windows(2).all(|pair| pair[0] < pair[1]));
        for line in &trace.lines {
            prop_assert_eq!(line.values.len(), trace.times.len());
            let points: Vec<_> = trace.points(line).collect();
            for pair in points.windows(2) {
                if let [(from, Some(_)), (until, Some(_))] = pair {
                    let between = divided.iter().any(|at| from.0 < *at && *at < until.0);
                    prop_assert!(!between, "{from:?} to {until:?} over a gap");
                }
            }
        }
    }
}
