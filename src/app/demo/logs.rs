//! Pod logs: a few lines made up from who the pod is and what time it is.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::object::{self, items, micro_stamp, text};
use super::refusal::{Outcome, Refusal};
use super::rng::hash;
use super::route::Query;

/// Lines kept per container.
const KEPT: u64 = 400;
/// Seconds between two lines.
const EVERY: i64 = 3;

const LINES: [&str; 6] = [
    "level=info msg=\"request done\" status=200 ms=",
    "level=info msg=\"request done\" status=201 ms=",
    "level=debug msg=\"cache refreshed\" entries=",
    "level=info msg=\"connection pool\" idle=",
    "level=warn msg=\"slow reply from upstream\" ms=",
    "level=info msg=\"heartbeat sent\" seq=",
];

/// The log of a container as plain text: `container`, `previous`, `tailLines`, `sinceSeconds` and `timestamps` are honoured.
pub fn read(pod: &Value, query: &Query, now: Timestamp) -> Outcome<String> {
    let status = container(pod, query.get("container"))?;
    let previous = query.is("previous");
    let run = if previous { &status["lastState"]["terminated"] } else { &status["state"] };
    let started =
        [&run["startedAt"], &run["running"]["startedAt"], &run["terminated"]["startedAt"]];
    let Some(started) = started.into_iter().find_map(object::time) else {
        return Err(nothing_yet(pod, status, previous));
    };
    let ended = [&run["finishedAt"], &run["terminated"]["finishedAt"]];
    let ended = ended.into_iter().find_map(object::time).unwrap_or(now);
    let from = query.number("sinceSeconds").map(|s| now - Duration::from_secs(s));
    let tail = query.number("tailLines").unwrap_or(KEPT).min(KEPT) as i64;
    let total = (ended.as_second() - started.as_second()) / EVERY + 1;
    let mut log = String::new();
    for n in (total - tail).max(0)..total {
        let at = started + Duration::from_secs((n * EVERY).unsigned_abs());
        if from.is_none_or(|from| at >= from) {
            let stamp = if query.is("timestamps") { micro_stamp(at) + " " } else { String::new() };
            log += &format!("{stamp}{}\n", line(pod, status, n));
        }
    }
    Ok(log)
}

fn container<'a>(pod: &'a Value, name: &str) -> Outcome<&'a Value> {
    let status = &pod["status"];
    let mut all =
        items(&status["containerStatuses"]).iter().chain(items(&status["initContainerStatuses"]));
    let found = all.find(|c| name.is_empty() || c["name"] == name);
    found.ok_or_else(|| {
        let pod = object::name(pod);
        Refusal::bad_request(format!("container {name} is not valid for pod {pod}"))
    })
}

fn nothing_yet(pod: &Value, status: &Value, previous: bool) -> Refusal {
    let (container, pod) = (text(&status["name"]), object::name(pod));
    Refusal::bad_request(if previous {
        format!("previous terminated container \"{container}\" in pod \"{pod}\" not found")
    } else {
        let why = text(&status["state"]["waiting"]["reason"]);
        format!("container \"{container}\" in pod \"{pod}\" is waiting to start: {why}")
    })
}

fn line(pod: &Value, status: &Value, n: i64) -> String {
    let dice = hash(&format!("{}/{}/{n}", object::uid(pod), text(&status["name"])));
    let shape = LINES[(dice % LINES.len() as u64) as usize];
    format!("{shape}{}", (dice >> 8) % 900)
}
