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
        let running = executing + wobble(name, now, executing + 1);
        let waiting = if short { 3 + wobble("waiting", now, 12) } else { 0 };
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
            let busy = short && index % 32 == 5;
            let pending = if busy { 1 + wobble(name, now, 4) } else { 0 };
            let seats = u64::from(busy) * 2;
            rows.push(vec![
                name.into(),
                index.to_string(),
                pending.to_string(),
                u64::from(busy).to_string(),
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

const ASKERS: [(&str, &str, &str, &str); 3] = [
    ("workload-low", "service-accounts", "system:serviceaccount:ci:runner", "pods"),
    ("workload-low", "service-accounts", "system:serviceaccount:ops:collector", "events"),
    ("global-default", "global-default", USER, "pods"),
];

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
    for (i, (level, schema, user, resource)) in ASKERS.iter().enumerate() {
        let waiting = i == 0 && wobble("queued", now, 3) > 0;
        let arrived = super::object::micro_stamp(now);
        let started = if waiting { "0001-01-01T00:00:00Z" } else { &arrived };
        let (queue, index) = (i * 37 + 5, if waiting { "0" } else { "-1" });
        let mut cells = row([
            level,
            schema,
            &queue.to_string(),
            index,
            user,
            &arrived,
            "2",
            "0",
            "0s",
            started,
        ]);
        if details {
            let path = format!("/api/v1/{resource}");
            cells.extend(row([user, "list", &path, "", "", "v1", resource, ""]));
        }
        rows.push(cells);
    }
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
