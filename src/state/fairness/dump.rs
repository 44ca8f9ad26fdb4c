//! The three dumps of `/debug/api_priority_and_fairness/` (apiserver `pkg/util/flowcontrol/apf_controller_debug.go`):
//! cells end in a comma and are padded with spaces, nothing is quoted. Columns came and went over the versions, so
//! they are found by name, and the cells of a row by where the heading's columns begin, whatever a client wrote into
//! them. A row that does not stand so is told apart by the times, the verb and the path in it.
//!
//! What a client writes into a path comes out of the dump as it is, line breaks too: what looks like a row may be the
//! client's text. Most of that shows ([`Dump::doubtful`]); a request that executes, with tabs in the right places, does not.

use crate::state::time::{Epoch, parse_rfc3339};
use std::collections::{BTreeMap, HashSet};

/// A column that every dump has.
const LEVEL: &str = "PriorityLevelName";
/// A user or a namespace: a client's text, which may hold commas.
const FLOW: &str = "FlowDistingsher";
/// Columns that a request with details ends with, from the first whose text is a client's.
const DETAILS: [&str; 3] = ["UserName", "Verb", "APIPath"];
/// Columns that hold a time, which shows where a free text before them ends.
const TIMES: [&str; 2] = ["ArriveTime", "StartTime"];

/// A dump as columns by name.
#[derive(Debug, Default, PartialEq)]
pub struct Dump {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Lines that had fewer cells than the heading or made no sense; they are left out.
    pub odd: usize,
    /// Rows that do not stand under the heading's columns although it is padded, and rows that claim a place in a queue that another
    /// has: a client's text may have made them.
    pub doubtful: usize,
}

impl Dump {
    /// Reads a dump.
    ///
    /// # Errors
    /// It has no heading of one.
    pub fn parse(text: &str) -> Result<Dump, String> {
        let mut lines = text.lines().filter(|l| !l.trim().is_empty());
        let first = lines.next().unwrap_or_default();
        let head: Vec<String> = first.split(',').map(|c| c.trim().to_owned()).collect();
        if !head.iter().any(|name| name == LEVEL) {
            return Err(format!("it has no heading with {LEVEL}"));
        }
        let mut dump = Dump { head, ..Dump::default() };
        let starts = starts(first);
        // A heading that is not padded says nothing of where cells are.
        let is_padded = first.contains(",  ") && starts.len() == dump.head.len();
        let mut places = HashSet::new();
        for line in lines {
            let aligned = aligned(&starts, line).filter(|row| row.len() == dump.head.len());
            let stands = aligned.is_some() || !is_padded;
            let Some(row) = aligned.or_else(|| cells(&dump.head, line)) else {
                dump.odd += 1;
                continue;
            };
            let is_new =
                Cells { head: &dump.head, row: &row }.place().is_none_or(|p| places.insert(p));
            dump.doubtful += usize::from(!stands || !is_new);
            dump.rows.push(row);
        }
        Ok(dump)
    }

    /// What is to be said of it where it cannot be relied upon, a sentence each.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = vec![];
        if self.odd > 0 {
            doubts.push(format!("{} lines of the dump could not be read", self.odd));
        }
        if self.doubtful > 0 {
            doubts.push(format!(
                "{} rows of the dump may be a client's text: they do not stand in its columns or claim a place that another has, as a \
                 path with line breaks in it makes them",
                self.doubtful
            ));
        }
        doubts
    }

    fn rows(&self) -> impl Iterator<Item = Cells<'_>> {
        self.rows.iter().map(|row| Cells { head: &self.head, row })
    }

    /// Rows of `dump_priority_levels`.
    pub fn levels(&self) -> Vec<LevelNow> {
        let level = |c: Cells<'_>| LevelNow {
            name: c.text(LEVEL),
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
            level: c.text(LEVEL),
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
            level: c.text(LEVEL),
            schema: c.text("FlowSchemaName"),
            queue: c.number("QueueIndex"),
            // A waiting request has a place in its queue; the zero time says the same where there is no such column.
            waiting: match c.number("RequestIndexInQueue") {
                Some(place) => place >= 0,
                None => c.text("StartTime").starts_with("0001-"),
            },
            flow: c.text(FLOW),
            arrived: parse_rfc3339(&c.text("ArriveTime")),
            seats: c.number("InitialSeats"),
            user: c.text(DETAILS[0]),
            verb: c.text(DETAILS[1]),
            path: c.text(DETAILS[2]),
            namespace: c.text("Namespace"),
        };
        self.rows().map(request).collect()
    }
}

/// Where the heading's columns begin, in characters, as Go's tabwriter counts them.
fn starts(heading: &str) -> Vec<usize> {
    let mut starts = vec![0];
    let mut ended = false;
    for (at, c) in heading.chars().enumerate() {
        match c {
            ',' => ended = true,
            ' ' => {}
            _ if ended => {
                starts.push(at);
                ended = false;
            }
            _ => {}
        }
    }
    starts
}

/// The cells of a line that stands under the heading: each column but the last ends in a comma and at least one space before
/// the next begins.
fn aligned(starts: &[usize], line: &str) -> Option<Vec<String>> {
    let mut places = line.char_indices().map(|(at, _)| at).chain([line.len()]).enumerate();
    let mut at = |start: usize| places.find(|(n, _)| *n == start).map(|(_, byte)| byte);
    let bytes: Vec<usize> = starts.iter().map(|start| at(*start)).collect::<Option<_>>()?;
    let mut cells = vec![];
    for pair in bytes.windows(2) {
        let cell = line[pair[0]..pair[1]].strip_suffix(' ')?;
        cells.push(cell.trim_end_matches(' ').strip_suffix(',')?.to_owned());
    }
    cells.push(line[*bytes.last()?..].trim().to_owned());
    Some(cells)
}

/// The cells of a line under a heading, wherever they stand; none if there are too few. Commas beyond those between columns
/// belong to the texts of clients. How many of them belong to the first is tried by what that makes of the times alone, since
/// a client chooses how many there are.
fn cells(head: &[String], line: &str) -> Option<Vec<String>> {
    let raw: Vec<&str> = line.split(',').collect();
    let more = raw.len().checked_sub(head.len())?;
    let place = |name: &str| head.iter().position(|h| h == name);
    let (flow, user) = (place(FLOW), place(DETAILS[0]));
    let after_flow = |column: usize, first: usize| match flow {
        Some(flow) if column > flow => column + first,
        _ => column,
    };
    let is_time =
        |text: &str| text.contains('T') && text.trim_start().starts_with(char::is_numeric);
    let times = TIMES.iter().filter_map(|name| place(name));
    let times: Vec<usize> = times.filter(|t| user.is_none_or(|user| *t < user)).collect();
    let mut firsts = match (flow, user) {
        (None, _) => 0..=0,
        (Some(_), None) => more..=more,
        (Some(flow), Some(user)) if user < flow => more..=more,
        _ => 0..=more,
    };
    let first = firsts.find(|first| times.iter().all(|t| is_time(raw[after_flow(*t, *first)])))?;
    let rest = user.unwrap_or(head.len());
    let begins = after_flow(rest, first);
    let mut row: Vec<String> = (0..rest)
        .map(|column| raw[after_flow(column, first)..after_flow(column + 1, first)].join(","))
        .collect();
    if rest < head.len() {
        row.extend(details(&head[rest..], raw.get(begins..)?)?);
    }
    (row.len() == head.len()).then(|| row.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// The cells from the user on. The user ends where a verb and a path follow each other; what is left over belongs to the path,
/// and to the user where nothing looks like one.
fn details(head: &[String], raw: &[&str]) -> Option<Vec<String>> {
    let more = raw.len().checked_sub(head.len())?;
    let is_detailed = head.iter().zip(DETAILS).filter(|(name, wanted)| name == wanted).count() == 3;
    let is_verb = |text: &str| {
        let text = text.trim();
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    };
    let is_end = |at: &usize| is_verb(raw[*at]) && raw[*at + 1].trim_start().starts_with('/');
    let user = match is_detailed {
        true => (1..=more + 1).find(is_end).unwrap_or(more + 1),
        false => more + 1,
    };
    let mut row = vec![raw[..user].join(",")];
    let left = more + 1 - user;
    let path = if is_detailed { 2 } else { head.len() };
    for column in 1..head.len() {
        let begins = user + column - 1 + if column > path { left } else { 0 };
        let ends = begins + 1 + if column == path { left } else { 0 };
        row.push(raw[begins..ends].join(","));
    }
    Some(row)
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

    /// Level, queue and place of a request that waits: nothing else has the same.
    fn place(&self) -> Option<(String, i64, i64)> {
        let place = self.number("RequestIndexInQueue").filter(|place| *place >= 0)?;
        Some((self.text(LEVEL), self.number("QueueIndex")?, place))
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
