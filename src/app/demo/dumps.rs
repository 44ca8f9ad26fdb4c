//! What the server tells about itself in plain text: health checks and the dumps of priority and fairness.

use jiff::Timestamp;

use super::USER;
use super::answer::Answer;
use super::metrics::Page;
use super::refusal::{Outcome, Refusal};
use super::registry::PRIORITY_LEVELS;
use super::rng::hash;
use super::route::Query;
use super::store::Store;
use crate::state::fairness::seats::{Level, USUAL_TOTAL};

const CHECKS: [&str; 6] = [
    "ping",
    "log",
    "etcd",
    "informer-sync",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/priority-and-fairness-config-producer",
];

/// `/readyz` and its kin: all is well here; what is not well is a fault's business.
pub fn health(path: &str, verbose: bool) -> Answer {
    if !verbose {
        return Answer::Text(200, "ok".into());
    }
    let lines: String = CHECKS.iter().map(|c| format!("[+]{c} ok\n")).collect();
    Answer::Text(200, format!("{lines}{} check passed\n", &path[1..]))
}

/// Level, the schema that leads to it, queues, average executing requests, requests a second.
const LEVELS: [(&str, &str, u64, u64, f64); 7] = [
    ("catch-all", "catch-all", 64, 0, 0.02),
    ("exempt", "exempt", 0, 1, 0.7),
    ("global-default", "global-default", 64, 1, 3.5),
    ("leader-election", "system-leader-election", 64, 0, 0.4),
    ("node-high", "system-node-high", 64, 1, 12.5),
    ("system", "system-nodes", 64, 1, 9.0),
    (HOT_LEVEL, "service-accounts", 64, 6, 47.0),
];

/// The level whose shares are too few for what comes.
const HOT_LEVEL: &str = "workload-low";
/// The one that asks for too much, and one that suffers from it.
const HOT: [&str; 2] = ["system:serviceaccount:ci:runner", "system:serviceaccount:ops:collector"];
/// What the hot flow and its neighbours ask for at the same time, about.
const DEMAND: u64 = 27;
/// The queues that the hot flow is dealt.
const BUSY: [u64; 4] = [5, 19, 37, 58];
/// What one queue holds.
const QUEUE: u64 = 50;

/// A level as it is now.
pub struct LevelNow {
    pub name: &'static str,
    pub schema: &'static str,
    pub seats: u64,
    pub executing: u64,
    pub waiting: u64,
    queues: u64,
    pub rate: f64,
}

/// The levels as they are now. What does not find one of a level's seats waits, so that more shares help.
pub fn levels_now(store: &Store, now: Timestamp) -> Vec<LevelNow> {
    let level = |(name, schema, queues, executing, rate): (_, _, _, u64, _)| {
        let seats = seats(store, name);
        let wanted = match name {
            HOT_LEVEL => DEMAND + wobble(name, now, 12),
            _ => executing + wobble(name, now, executing + 1),
        };
        let executing = if name == "exempt" { wanted } else { wanted.min(seats) };
        let waiting = (wanted - executing).min(QUEUE * BUSY.len() as u64);
        LevelNow { name, schema, seats, executing, waiting, queues, rate }
    };
    LEVELS.into_iter().map(level).collect()
}

/// Seats of a level by its shares of 600, as the server works them out.
fn seats(store: &Store, name: &str) -> u64 {
    let levels: Vec<Level> = store.table(&PRIORITY_LEVELS).values().map(|l| Level::of(l)).collect();
    let shares = levels.iter().map(|l| l.shares).sum();
    let own = levels.iter().find(|l| l.name == name);
    own.map_or(0, |l| l.seats(USUAL_TOTAL, shares).nominal.unsigned_abs())
}

/// A dump by its name, in the format of apiserver `pkg/util/flowcontrol/apf_controller_debug.go`: cells end in a comma
/// and are padded with spaces.
pub fn fairness(dump: &str, query: &Query, store: &Store, now: Timestamp) -> Outcome<Answer> {
    let levels = levels_now(store, now);
    let rows = match dump {
        "dump_priority_levels" => level_rows(&levels, now),
        "dump_queues" => queues(&levels, now),
        "dump_requests" => requests(&levels, now, !query.get("includeRequestDetails").is_empty()),
        _ => return Err(Refusal::no_such_path()),
    };
    Ok(Answer::Text(200, align(&rows)))
}

type Rows = Vec<Vec<String>>;

/// How many of so many fall to a busy queue.
fn dealt(all: u64, place: usize) -> u64 {
    let queues = BUSY.len() as u64;
    all / queues + u64::from((place as u64) < all % queues)
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn wobble(what: &str, now: Timestamp, below: u64) -> u64 {
    hash(&format!("{what}/{}", now.as_second() / 5)) % below.max(1)
}

fn level_rows(levels: &[LevelNow], now: Timestamp) -> Rows {
    let mut rows = vec![row([
        "PriorityLevelName",
        "ActiveQueues",
        "IsIdle",
        "IsQuiescing",
        "WaitingRequests",
        "ExecutingRequests",
        "DispatchedRequests",
        "RejectedRequests",
        "TimedoutRequests",
        "CancelledRequests",
    ])];
    let page = Page::new(now);
    for level in levels {
        let LevelNow { name, executing, waiting, queues, rate, .. } = level;
        rows.push(vec![
            (*name).into(),
            (*waiting).min(*queues).to_string(),
            (executing + waiting == 0).to_string(),
            "false".into(),
            waiting.to_string(),
            executing.to_string(),
            page.counted(*rate).to_string(),
            refused(name).to_string(),
            "0".into(),
            "0".into(),
        ]);
    }
    rows
}

/// Refused once, when it was worse.
pub fn refused(level: &str) -> u64 {
    if level == HOT_LEVEL { 312 } else { 0 }
}

fn queues(levels: &[LevelNow], now: Timestamp) -> Rows {
    let mut rows = vec![row([
        "PriorityLevelName",
        "Index",
        "PendingRequests",
        "ExecutingRequests",
        "SeatsInUse",
        "NextDispatchR",
        "InitialSeatsSum",
        "MaxSeatsSum",
        "TotalWorkSum",
    ])];
    for level in levels {
        for index in 0..level.queues {
            let place = BUSY.iter().position(|q| level.name == HOT_LEVEL && *q == index);
            let of = |all| place.map_or(0, |place| dealt(all, place));
            let (pending, seats) = (of(level.waiting), of(level.executing));
            rows.push(vec![
                level.name.into(),
                index.to_string(),
                pending.to_string(),
                seats.to_string(),
                seats.to_string(),
                format!("{}.00000000ss", now.as_second().rem_euclid(100_000)),
                (pending * 2).to_string(),
                (pending * 2).to_string(),
                format!("{}.50000000ss", pending * 2),
            ]);
        }
    }
    rows
}

fn requests(levels: &[LevelNow], now: Timestamp, details: bool) -> Rows {
    let mut head = row([
        "PriorityLevelName",
        "FlowSchemaName",
        "QueueIndex",
        "RequestIndexInQueue",
        "FlowDistingsher",
        "ArriveTime",
        "InitialSeats",
        "FinalSeats",
        "AdditionalLatency",
        "StartTime",
    ]);
    if details {
        head.extend(row([
            "UserName",
            "Verb",
            "APIPath",
            "Namespace",
            "Name",
            "APIVersion",
            "Resource",
            "SubResource",
        ]));
    }
    let mut rows = vec![head];
    let mut add = |of: (&str, &str), user: &str, resource: &str, queue: u64, place: Option<u64>| {
        let after = |seconds: u64| {
            let ago = jiff::SignedDuration::from_millis(-400 * seconds as i64);
            super::object::micro_stamp(now.checked_add(ago).unwrap_or(now))
        };
        let arrived = after(place.map_or(2, |place| 9 - place.min(8)));
        let started = if place.is_some() { "0001-01-01T00:00:00Z" } else { &arrived };
        let index = place.map_or("-1".to_owned(), |place| place.to_string());
        let mut cells =
            row([of.0, of.1, &queue.to_string(), &index, user, &arrived, "1", "0", "0s", started]);
        if details {
            let path = format!("/api/v1/{resource}");
            cells.extend(row([user, "list", &path, "", "", "v1", resource, ""]));
        }
        rows.push(cells);
    };
    for level in levels.iter().filter(|level| level.name == HOT_LEVEL) {
        let of = (level.name, level.schema);
        for (at, queue) in BUSY.into_iter().enumerate() {
            for place in 0..dealt(level.waiting, at) {
                add(of, HOT[0], "pods", queue, Some(place));
            }
        }
        for seat in 0..level.executing {
            let (user, resource) =
                if seat % 6 == 5 { (HOT[1], "events") } else { (HOT[0], "pods") };
            add(of, user, resource, BUSY[seat as usize % BUSY.len()], None);
        }
    }
    add(("global-default", "global-default"), USER, "pods", 12, None);
    rows
}

/// Go's tabwriter with minimum width 8 and one space of padding.
fn align(rows: &Rows) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |c: usize| rows.iter().map(|r| r[c].len() + 2).max().unwrap_or(0).max(8);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let last = i + 1 == columns;
            let cell = if last { cell.clone() } else { format!("{cell},") };
            text += &if last { cell } else { format!("{cell:width$}", width = *width) };
        }
        text.push('\n');
    }
    text
}
