//! What the server tells about itself in plain text: health checks and the dumps of priority and fairness.

use jiff::Timestamp;

use super::USER;
use super::answer::Answer;
use super::refusal::{Outcome, Refusal};
use super::rng::hash;
use super::route::Query;

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

/// Level, queues, average executing requests, requests per minute, and whether it is short of seats.
const LEVELS: [(&str, u64, u64, u64, bool); 7] = [
    ("catch-all", 0, 0, 1, false),
    ("exempt", 0, 1, 40, false),
    ("global-default", 128, 1, 30, false),
    ("leader-election", 16, 0, 25, false),
    ("node-high", 64, 1, 60, false),
    ("system", 64, 1, 20, false),
    ("workload-low", 128, 6, 240, true),
];

/// A dump by its name, in the format of apiserver `pkg/util/flowcontrol/apf_controller_debug.go`: cells end in a comma
/// and are padded with spaces.
pub fn fairness(dump: &str, query: &Query, now: Timestamp) -> Outcome<Answer> {
    let rows = match dump {
        "dump_priority_levels" => levels(now),
        "dump_queues" => queues(now),
        "dump_requests" => requests(now, !query.get("includeRequestDetails").is_empty()),
        _ => return Err(Refusal::no_such_path()),
    };
    Ok(Answer::Text(200, align(&rows)))
}

type Rows = Vec<Vec<String>>;

/// Seats of the level that is short of them: its shares of 600, see `cast/platform.rs`.
const SEATS: u64 = 23;
/// Its queues that hold something.
const BUSY: [u64; 4] = [5, 37, 69, 101];

fn pending(queue: u64, now: Timestamp) -> u64 {
    1 + wobble(&format!("queue {queue}"), now, 4)
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn wobble(what: &str, now: Timestamp, below: u64) -> u64 {
    hash(&format!("{what}/{}", now.as_second() / 5)) % below.max(1)
}

fn levels(now: Timestamp) -> Rows {
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
    for (name, queues, executing, per_minute, short) in LEVELS {
        let running = if short { SEATS } else { executing + wobble(name, now, executing + 1) };
        let waiting = if short { BUSY.iter().map(|q| pending(*q, now)).sum() } else { 0 };
        let dispatched = (now.as_second().unsigned_abs() % 10_000_000) * per_minute / 60;
        let rejected = if short { dispatched / 900 } else { 0 };
        rows.push(vec![
            name.into(),
            waiting.min(queues).to_string(),
            (running + waiting == 0).to_string(),
            "false".into(),
            waiting.to_string(),
            running.to_string(),
            dispatched.to_string(),
            rejected.to_string(),
            (rejected / 40).to_string(),
            "0".into(),
        ]);
    }
    rows
}

fn queues(now: Timestamp) -> Rows {
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
    for (name, queues, _, _, short) in LEVELS {
        for index in 0..queues {
            let place = BUSY.iter().position(|q| short && *q == index);
            let pending = if place.is_some() { pending(index, now) } else { 0 };
            let seats = place.map_or(0, |at| (0..SEATS).filter(|e| e % 4 == at as u64).count());
            rows.push(vec![
                name.into(),
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

/// The one that asks for too much, and one that suffers from it.
const HOT: [&str; 2] = ["system:serviceaccount:ci:runner", "system:serviceaccount:ops:collector"];

fn requests(now: Timestamp, details: bool) -> Rows {
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
    let low = ("workload-low", "service-accounts");
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
    for queue in BUSY {
        for place in 0..pending(queue, now) {
            add(low, HOT[0], "pods", queue, Some(place));
        }
    }
    for seat in 0..SEATS {
        let (user, resource) = if seat % 6 == 5 { (HOT[1], "events") } else { (HOT[0], "pods") };
        add(low, user, resource, BUSY[seat as usize % BUSY.len()], None);
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
