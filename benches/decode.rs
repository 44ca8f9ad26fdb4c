//! What a pod costs on its way from bytes to a row: `cargo bench --bench decode`.

#[path = "../tests/encode/mod.rs"]
mod encode;

use encode::{Plain, Schema, json_list, pb_list, pod};
use std::time::{Duration, Instant};
use wheelhouse::app::cluster::decode::{Encoding, ListReader, Plan};
use wheelhouse::app::cluster::mailbox::is_full;
use wheelhouse::state::kinds::pods;
use wheelhouse::state::parcel::{Draft, Parcel};
use wheelhouse::state::store::Store;

const PODS: usize = 5000;
/// As much as hyper hands out at once.
const CHUNK: usize = 64 << 10;

fn main() {
    let all: Vec<_> = (0..PODS).map(pod).collect();
    let schema = Schema::of(&pods::TABLE, 0);
    let raw: Vec<_> = all.iter().map(|pod| schema.encode(pod, &mut Plain)).collect();
    // `cargo test --benches` runs this too; there once shows that it works.
    let runs = if std::env::args().any(|arg| arg == "--bench") { 9 } else { 1 };
    println!("{PODS} pods, best / median of {runs} runs");
    run("protobuf", runs, Encoding::Protobuf, &pb_list(&raw, "1", "", None));
    run("json", runs, Encoding::Json, &json_list(&all, "1", "", None));
}

fn run(name: &str, runs: usize, encoding: Encoding, body: &[u8]) {
    let plan = Plan::new(&pods::TABLE, 0);
    let mut times: [Vec<Duration>; 3] = Default::default();
    let mut size = 0;
    for _ in 0..runs {
        let begun = Instant::now();
        let parcels = walk(&plan, encoding, body);
        times[0].push(begun.elapsed());
        let mut store = Store::new(&[&pods::TABLE]);
        store.open_feed(0, 0, None);
        let apply = |store: &mut Store| {
            let begun = Instant::now();
            parcels.iter().for_each(|parcel| drop(store.apply(parcel)));
            begun.elapsed()
        };
        times[1].push(apply(&mut store));
        times[2].push(apply(&mut store));
        assert_eq!(store.table("pods").len(), PODS);
        size = parcels.iter().map(Parcel::size).sum();
    }
    println!("{name}: {} bytes a pod, {} in flight", body.len() / PODS, size / PODS);
    for (what, times) in ["walk", "apply to an empty store", "apply again"].iter().zip(&mut times) {
        times.sort();
        let per_pod = |t: Duration| t.as_secs_f64() * 1e6 / PODS as f64;
        println!("  {what}: {:.2} / {:.2} µs a pod", per_pod(times[0]), per_pod(times[runs / 2]));
    }
}

fn walk(plan: &Plan, encoding: Encoding, body: &[u8]) -> Vec<Parcel> {
    let (mut reader, mut draft) = (ListReader::new(encoding), Draft::default());
    let new = || Parcel::new(wheelhouse::state::health::FeedId(1), 1, plan.spec);
    let mut parcels = vec![new()];
    for chunk in body.chunks(CHUNK) {
        reader.push(chunk);
        while let Some(item) = reader.next_item().expect("the body is well-formed") {
            plan.read(encoding, item, &mut draft).expect("each pod is well-formed");
            if is_full(&parcels[parcels.len() - 1]) {
                parcels.push(new());
            }
            let last = parcels.len() - 1;
            parcels[last].push(&draft, plan.spec);
        }
    }
    reader.end().expect("the list is whole");
    parcels
}
