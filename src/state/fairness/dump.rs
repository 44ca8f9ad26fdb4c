//! The three dumps of `/debug/api_priority_and_fairness/` (apiserver `pkg/util/flowcontrol/apf_controller_debug.go`):
//! cells end in a comma and are padded with spaces, nothing is quoted. Columns came and went over the versions, so
//! they are found by name; a name with a comma in it is told apart by the times that stand beside it.

use crate::state::time::{Epoch, parse_rfc3339};
use std::collections::BTreeMap;

/// Columns whose text is a client's and may hold commas.
const FREE: [&str; 2] = ["FlowDistingsher", "UserName"];
/// Columns that hold a time, which shows where a free text before them ends.
const TIMES: [&str; 2] = ["ArriveTime", "StartTime"];

/// A dump as columns by name.
#[derive(Debug, Default, PartialEq)]
pub struct Dump {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Lines that had fewer cells than the heading or made no sense; they are left out.
    pub odd: usize,
}

impl Dump {
    /// Reads a dump. An empty text is a dump without rows.
    pub fn parse(text: &str) -> Dump {
        let mut lines = text.lines().filter(|l| !l.trim().is_empty());
        let head: Vec<String> = match lines.next() {
            Some(line) => line.split(',').map(|c| c.trim().to_owned()).collect(),
            None => return Dump::default(),
        };
        let mut dump = Dump { head, ..Dump::default() };
        for line in lines {
            match cells(&dump.head, line) {
                Some(row) => dump.rows.push(row),
                None => dump.odd += 1,
            }
        }
        dump
    }

    fn rows(&self) -> impl Iterator<Item = Cells<'_>> {
        self.rows.iter().map(|row| Cells { head: &self.head, row })
    }

    /// Rows of `dump_priority_levels`.
    pub fn levels(&self) -> Vec<LevelNow> {
        let level = |c: Cells<'_>| LevelNow {
            name: c.text("PriorityLevelName"),
            waiting: c.number("WaitingRequests"),
            executing: c.number("ExecutingRequests"),
            dispatched: c.number("DispatchedRequests"),
            rejected: c.number("RejectedRequests"),
            timed_out: c.number("TimedoutRequests"),
            cancelled: c.number("CancelledRequests"),
            ..LevelNow::default()
        };
        self.rows().map(level).collect()
    }

    /// Rows of `dump_queues`.
    pub fn queues(&self) -> Vec<QueueNow> {
        let queue = |c: Cells<'_>| QueueNow {
            level: c.text("PriorityLevelName"),
            index: c.number("Index"),
            waiting: c.number("PendingRequests"),
            executing: c.number("ExecutingRequests"),
            seats: c.number("SeatsInUse"),
        };
        self.rows().map(queue).collect()
    }

    /// Rows of `dump_requests`, with or without details.
    pub fn requests(&self) -> Vec<RequestNow> {
        let request = |c: Cells<'_>| RequestNow {
            level: c.text("PriorityLevelName"),
            schema: c.text("FlowSchemaName"),
            queue: c.number("QueueIndex"),
            // A waiting request has a place in its queue; the zero time says the same where there is no such column.
            waiting: match c.number("RequestIndexInQueue") {
                Some(place) => place >= 0,
                None => c.text("StartTime").starts_with("0001-"),
            },
            flow: c.text("FlowDistingsher"),
            arrived: parse_rfc3339(&c.text("ArriveTime")),
            seats: c.number("InitialSeats"),
            user: c.text("UserName"),
            verb: c.text("Verb"),
            path: c.text("APIPath"),
            namespace: c.text("Namespace"),
        };
        self.rows().map(request).collect()
    }
}

/// The cells of a line under a heading; none if there are too few. Commas beyond those between columns belong to the free
/// texts. How many of them belong to the first is tried by what that makes of the times alone, since a client chooses how
/// many there are.
fn cells(head: &[String], line: &str) -> Option<Vec<String>> {
    let raw: Vec<&str> = line.split(',').collect();
    let more = raw.len().checked_sub(head.len())?;
    let place = |name: &&str| head.iter().position(|h| h == name);
    let mut free: Vec<usize> = FREE.iter().filter_map(place).collect();
    free.sort_unstable();
    let times: Vec<usize> = TIMES.iter().filter_map(place).collect();
    let begins = |column: usize, first: usize| match free[..] {
        [a, b] if column > b && a < b => column + more,
        [a, ..] if column > a => column + first,
        _ => column,
    };
    let is_time =
        |text: &str| text.contains('T') && text.trim_start().starts_with(char::is_numeric);
    let mut firsts = match free.len() {
        0 => 0..=0,
        1 => more..=more,
        _ => 0..=more,
    };
    let first = firsts.find(|first| times.iter().all(|t| is_time(raw[begins(*t, *first)])))?;
    let cell = |column| raw[begins(column, first)..begins(column + 1, first)].join(",");
    Some((0..head.len()).map(|column| cell(column).trim().to_owned()).collect())
}

#[derive(Clone, Copy)]
struct Cells<'a> {
    head: &'a [String],
    row: &'a [String],
}

impl Cells<'_> {
    /// The text of a column; empty where the server has no such column or wrote `<none>`.
    fn text(&self, name: &str) -> String {
        let at = self.head.iter().position(|h| h == name);
        let cell = at.and_then(|at| self.row.get(at)).map(String::as_str).unwrap_or_default();
        if cell == "<none>" { String::new() } else { cell.to_owned() }
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }
}

/// A level now. Numbers are absent where the server does not tell them; counters count since its process began.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named as the dump's columns")]
pub struct LevelNow {
    pub name: String,
    pub waiting: Option<i64>,
    pub executing: Option<i64>,
    pub dispatched: Option<i64>,
    pub rejected: Option<i64>,
    pub timed_out: Option<i64>,
    pub cancelled: Option<i64>,
    /// Seats of what executes, by the metrics: a list of much takes several.
    pub seats_taken: Option<i64>,
    /// Seats it has by its shares, by the metrics.
    pub nominal: Option<i64>,
    /// Seats it has now, after lending and borrowing, by the metrics.
    pub current: Option<i64>,
}

/// A queue of a level now.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named as the dump's columns")]
pub struct QueueNow {
    pub level: String,
    pub index: Option<i64>,
    pub waiting: Option<i64>,
    pub executing: Option<i64>,
    pub seats: Option<i64>,
}

/// A request that waits or executes now. User, verb, path and namespace are empty without details.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named as the dump's columns")]
pub struct RequestNow {
    pub level: String,
    pub schema: String,
    pub queue: Option<i64>,
    pub waiting: bool,
    pub flow: String,
    pub arrived: Option<Epoch>,
    pub seats: Option<i64>,
    pub user: String,
    pub verb: String,
    pub path: String,
    pub namespace: String,
}

/// Requests of one user, or of one flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// The user, or schema and distinguisher.
    pub name: String,
    /// Requests that wait.
    pub waiting: i64,
    /// Requests that execute.
    pub executing: i64,
    /// Arrival of the oldest that waits.
    pub oldest: Option<Epoch>,
}

/// Requests grouped by what `name` says, the one with most requests first, ties by name.
pub fn grouped(requests: &[RequestNow], name: impl Fn(&RequestNow) -> String) -> Vec<Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for request in requests {
        let key = name(request);
        let group = groups.entry(key.clone()).or_insert(Group { name: key, ..Group::default() });
        if request.waiting {
            group.waiting += 1;
            let earlier = |a: Epoch, b: Epoch| if b.age(a) > 0 { b } else { a };
            group.oldest = match (group.oldest, request.arrived) {
                (Some(a), Some(b)) => Some(earlier(a, b)),
                (a, b) => a.or(b),
            };
        } else {
            group.executing += 1;
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|g| std::cmp::Reverse((g.waiting + g.executing, g.waiting)));
    groups
}
