//! What 150,000 pods cost: `cargo bench --bench scale` prints a table.
//!
//! Ratios (a merge against a full sort, an extended filter against a first one) survive a noisy machine; absolute
//! times are CPU time, for reading.

mod clock;
mod synthetic;

use clock::cpu_time;
use std::time::Duration;
use synthetic::{NAMESPACES, NODES, NOW, OWNERS, PARCEL, draft, mix, resident};
use wheelhouse::state::decl::Column;
use wheelhouse::state::health::FeedId;
use wheelhouse::state::kinds::pods::TABLE;
use wheelhouse::state::lens::{Budget, Lens, Progress};
use wheelhouse::state::parcel::{Draft, Parcel};
use wheelhouse::state::query::Query;
use wheelhouse::state::store::Store;

fn main() {
    // `cargo test --benches` runs this too; there a small world shows that it works.
    let full = std::env::args().any(|arg| arg == "--bench");
    let rows = std::env::var("ROWS").ok().and_then(|n| n.parse().ok());
    let rows = rows.unwrap_or(if full { 150_000 } else { 5_000 });
    println!("{rows} pods, {OWNERS} owners, {NAMESPACES} namespaces, {NODES} nodes");
    let (mut store, feed) = fill(rows);
    let mut lens = Lens::new(0, sort("namespace"), Query::default(), Query::default());
    let before = resident();
    let mut full_sort = slices("order, as listed", &mut lens, &store);
    println!("  resident {} bytes a row for the lens", resident().saturating_sub(before) / rows);
    for id in ["name", "age", "node", "status", "cpu_requests", "ip", "namespace"] {
        lens.set_sort(&store, sort(id));
        full_sort = slices(&format!("sort by {id}"), &mut lens, &store);
    }
    type_filter(&mut lens, &store, "crash", "");
    type_filter(&mut lens, &store, "node-0012", "node:");
    lens.set_query(&store, Query::default());
    slices("filter cleared", &mut lens, &store);
    churn(&mut lens, &mut store, feed, rows, full_sort);
    scoped(&store);
}

fn sort(id: &str) -> (&'static Column, bool) {
    (TABLE.column(id).expect("a column of pods"), false)
}

fn print(what: &str, took: Duration, more: String) {
    println!("  {what:<34} {:>9.3} ms  {more}", took.as_secs_f64() * 1e3);
}

fn fill(rows: usize) -> (Store, FeedId) {
    let mut store = Store::new(&[&TABLE]);
    let feed = store.open_feed(0, 0, None);
    let mut d = Draft::default();
    let before = resident();
    let (mut apply, mut pack) = (Duration::ZERO, Duration::ZERO);
    let (mut bytes, mut from) = (0, 0);
    while from < rows {
        let started = cpu_time();
        let parcel = synthetic::parcel(&mut d, feed, from..rows.min(from + PARCEL), rows);
        pack += cpu_time() - started;
        let started = cpu_time();
        bytes += parcel.size();
        store.apply(&parcel);
        apply += cpu_time() - started;
        from += PARCEL;
    }
    let each = |d: Duration| d.as_secs_f64() * 1e6 / rows as f64;
    print(
        "draft and pack",
        pack,
        format!("{:.2} us a row, {} bytes in flight", each(pack), bytes / rows),
    );
    print("apply", apply, format!("{:.2} us a row", each(apply)));
    let held = resident().saturating_sub(before);
    println!("  resident {} bytes a row, {} symbols", held / rows, store.syms.len());
    (store, feed)
}

/// Runs a lens's work in slices as the UI does; prints the sum and the worst slice.
fn slices(what: &str, lens: &mut Lens, store: &Store) -> Duration {
    let (mut sum, mut worst, mut count) = (Duration::ZERO, Duration::ZERO, 0);
    loop {
        let started = cpu_time();
        let progress = lens.work(store, NOW, Budget::SLICE);
        let took = cpu_time() - started;
        (sum, worst, count) = (sum + took, worst.max(took), count + 1);
        if progress == Progress::Done {
            break;
        }
    }
    let more =
        format!("{count} slices, worst {:.3} ms, {} rows", worst.as_secs_f64() * 1e3, lens.len());
    print(what, sum, more);
    sum
}

fn type_filter(lens: &mut Lens, store: &Store, text: &str, before: &str) {
    let (mut first, mut rest) = (Duration::ZERO, Duration::ZERO);
    for end in 1..=text.len() {
        let typed = format!("{before}{}", &text[..end]);
        let query = Query::parse(&typed, &TABLE).expect("letters and a column");
        lens.set_query(store, query);
        let took = slices(&format!("filter {typed}"), lens, store);
        if end == 1 { first = took } else { rest += took }
    }
    let letter = rest / (text.len() as u32 - 1);
    println!(
        "  ratio: first letter / each further {:.1}",
        first.as_secs_f64() / letter.as_secs_f64()
    );
    lens.set_query(store, Query::default());
    lens.work(store, NOW, Budget::ALL);
}

fn churn(lens: &mut Lens, store: &mut Store, feed: FeedId, rows: usize, full_sort: Duration) {
    let mut d = Draft::default();
    let mut turn = 1;
    for id in ["namespace", "cpu_requests"] {
        lens.set_sort(store, sort(id));
        lens.work(store, NOW, Budget::ALL);
        for changed in [1, 100, 1_000] {
            let mut took: Vec<Duration> = vec![];
            for _ in 0..15 {
                let mut parcel = Parcel::new(feed, 0, &TABLE);
                for i in 0..changed {
                    draft(&mut d, mix(i, turn) % rows, rows, turn);
                    parcel.push(&d, &TABLE);
                }
                turn += 1;
                let changed = store.apply(&parcel);
                let started = cpu_time();
                lens.absorb(store, &changed);
                took.push(cpu_time() - started);
                assert!(lens.settled() && lens.len() == rows);
            }
            took.sort();
            let ratio = full_sort.as_secs_f64() / took[7].as_secs_f64();
            let more = format!(
                "worst {:.3} ms, a full sort takes {ratio:.0} times that",
                took[14].as_secs_f64() * 1e3
            );
            print(&format!("absorb {changed} by {id}"), took[7], more);
        }
    }
}

/// The pods of one node.
fn scoped(store: &Store) {
    let before = resident();
    let scope = Query::exact(sort("node").0, "node-00018");
    let mut lens = Lens::new(0, sort("namespace"), scope, Query::default());
    slices("pods of one node", &mut lens, store);
    println!("  of {}; {} KB", lens.total(), resident().saturating_sub(before) / 1024);
}
