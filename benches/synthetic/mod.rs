//! Pods that no cluster ever had, the same every time, and what a bench measures them with.

use wheelhouse::state::health::FeedId;
use wheelhouse::state::kinds::pods::{self, TABLE};
use wheelhouse::state::parcel::{Draft, Parcel};
use wheelhouse::state::time::Epoch;

pub const OWNERS: usize = 3_000;
pub const NAMESPACES: usize = 200;
pub const NODES: usize = 5_000;
/// Rows sent at once.
pub const PARCEL: usize = 1_024;
pub const NOW: Epoch = Epoch(1_800_000_000);

/// Resident memory in bytes.
pub fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
    pages * 4096
}

/// A sequence that looks random and is the same every time.
pub fn mix(n: usize, salt: usize) -> usize {
    let mut x = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (salt as u64) << 32;
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ x >> 32) as usize
}

/// Pods stand in list order: by namespace, owner and name.
pub fn draft(d: &mut Draft, row: usize, rows: usize, turn: usize) {
    let owner = row * OWNERS / rows.max(OWNERS);
    let set = format!("app-{:04}-{:08x}", owner, mix(owner, 1) as u32);
    d.reset(&TABLE, 0);
    let head = [
        format!("{:08x}-0000-4000-8000-{row:012x}", mix(row, 2) as u32),
        format!("team-{:03}", owner * NAMESPACES / OWNERS),
        format!("{set}-{:05}", row % 100_000),
    ];
    d.head.uid = d.keep(&head[0]);
    d.head.namespace = d.keep(&head[1]);
    d.head.name = d.keep(&head[2]);
    d.head.rv = (row + turn) as u64;
    d.head.created = Epoch(NOW.0 - (mix(row, 3) % 10_000_000) as i64);
    for (key, value) in [
        ("app.kubernetes.io/name", format!("app-{owner:04}")),
        ("pod-template-hash", format!("{:08x}", mix(owner, 1) as u32)),
        ("tier", ["front", "back"][owner % 2].to_owned()),
    ] {
        d.pair(pods::LABELS, key, &value);
    }
    d.settle();
    let state =
        if mix(row, turn + 10).is_multiple_of(100) { "CrashLoopBackOff" } else { "Running" };
    d.put(pods::STATUS, state);
    d.put(pods::NODE, &format!("node-{:05}", mix(row, 4) % NODES));
    d.put(pods::OWNER, &format!("ReplicaSet/{set}"));
    d.put(pods::QOS, "Burstable");
    d.put(pods::IP, &format!("10.{}.{}.{}", row >> 16, row >> 8 & 255, row & 255));
    for (word, value) in [
        (pods::PHASE, pods::phase::RUNNING as usize),
        (pods::READY, 1),
        (pods::CONTAINERS, 1),
        (pods::RESTARTS, turn),
        (pods::CPU, mix(row, turn + 5) % 4000),
        (pods::MEMORY, (mix(row, 6) % 64) << 26),
        (pods::IS_READY, 1),
    ] {
        d.set(word, value as i64);
    }
}

/// The parcel of these rows, out of so many.
pub fn parcel(d: &mut Draft, feed: FeedId, some: std::ops::Range<usize>, rows: usize) -> Parcel {
    let mut parcel = Parcel::new(feed, 0, &TABLE);
    for row in some {
        draft(d, row, rows, 0);
        parcel.push(d, &TABLE);
    }
    parcel
}
