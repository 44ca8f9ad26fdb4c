//! The board of priority levels: each with its seats, what waits and executes, what goes on in it, and a verdict.

use super::dump::{Group, LevelNow, RequestNow, grouped};
use super::metrics::{Flowing, level, level_flow};
use super::seats::{Level, Seats, USUAL_TOTAL, likely, total};
use super::verdict::{State, verdict};
use crate::state::metrics::{Scrape, Span};
use std::cmp::Reverse;
use std::collections::HashMap;

/// What was read. The dump and the metrics may be of two servers behind one address, so no number mixes both: the dump
/// serves where it is of this moment and of the only server that answers here, or where there is nothing else.
#[derive(Default)]
pub struct Sources<'a> {
    /// The configured levels.
    pub levels: &'a [Level],
    /// The dump of levels, if it may serve for numbers.
    pub dump: Option<&'a [LevelNow]>,
    /// Whether the metrics are of an earlier moment than that dump.
    pub is_page_older: bool,
    /// The dump of requests, and how many seconds old it is; empty if nothing waited.
    pub requests: &'a [RequestNow],
    /// Seconds since that dump.
    pub requests_age: i64,
    /// One server's metrics.
    pub page: Option<&'a Scrape>,
    /// What grew in them.
    pub span: Option<Span<'a>>,
}

/// A level on the board.
#[derive(Clone, Debug)]
pub struct Line {
    /// As configured.
    pub level: Level,
    /// What waits and executes now, and what was counted since the server began.
    pub now: LevelNow,
    /// Its seats: the server's own number, or worked out from the shares.
    pub seats: Seats,
    /// A second.
    pub flow: Flowing,
    /// Seconds these rates are over, 0 if there are none.
    pub window: f64,
    /// How it is.
    pub state: State,
    /// The same in words.
    pub verdict: String,
}

impl Line {
    /// Seats it has of others, and seats that others have of it; absent where the server does not say what it has now.
    pub fn moved(&self) -> (Option<i64>, Option<i64>) {
        let more = self.now.current.map(|current| current.saturating_sub(self.seats.nominal));
        (more.map(|n| n.max(0)), more.map(|n| n.saturating_neg().max(0)))
    }

    /// Requests that its queues can hold.
    pub fn room(&self) -> Option<i64> {
        self.level.queues.map(|(queues, length)| queues.saturating_mul(length))
    }
}

/// How many queues each level has, by its name.
pub type Queues = HashMap<String, i64>;

/// How many queues each of these levels has; 0 where nothing queues.
pub fn queues_of(levels: &[Level]) -> Queues {
    let queues = |level: &Level| level.queues.map_or(0, |(queues, _)| queues);
    levels.iter().map(|level| (level.name.clone(), queues(level))).collect()
}

/// The flow of a request. The server works the distinguisher out only for levels with several queues (apiserver
/// `pkg/util/flowcontrol/apf_controller.go`); with fewer the user, where details are given, is the nearest to it. With several an
/// empty one means that the schema has one flow for all.
pub fn flow(request: &RequestNow, queues: &Queues) -> String {
    let is_worked_out = queues.get(&request.level).is_none_or(|queues| *queues > 1);
    match (request.flow.as_str(), request.user.as_str()) {
        ("", user) if !is_worked_out && !user.is_empty() => format!("{}/{user}", request.schema),
        ("", _) => request.schema.clone(),
        (flow, _) => format!("{}/{flow}", request.schema),
    }
}

/// Its user. Details are of the server's grace; without them the distinguisher is the nearest.
pub fn user(request: &RequestNow) -> String {
    if request.user.is_empty() { request.flow.clone() } else { request.user.clone() }
}

/// Seconds up to which rates say how a level is now.
const LATELY: f64 = 300.0;

/// Whether what grew says how things are now. What was counted since a server began long ago is history: no rate.
pub fn is_lately(span: &Span<'_>) -> bool {
    span.seconds <= LATELY
}

/// The levels, what needs a look first.
pub fn lines(from: &Sources<'_>) -> Vec<Line> {
    let shares = from.levels.iter().fold(0, |sum: i64, l| sum.saturating_add(l.shares));
    let queues = queues_of(from.levels);
    let told = |name: &str| from.page.map(|page| level(name, page));
    let known: Vec<(i64, i64)> =
        from.levels.iter().filter_map(|l| Some((l.shares, told(&l.name)?.nominal?))).collect();
    let total = total(&known, shares).map_or(USUAL_TOTAL, likely);
    let mut lines: Vec<Line> = from
        .levels
        .iter()
        .map(|level| line(from, level, level.seats(total, shares), &queues))
        .collect();
    lines.sort_by(|a, b| {
        let key = |line: &Line| (line.state, Reverse(line.now.waiting.unwrap_or(0)));
        (key(a), &a.level.name).cmp(&(key(b), &b.level.name))
    });
    lines
}

fn line(from: &Sources<'_>, of: &Level, mut seats: Seats, queues: &Queues) -> Line {
    let metrics = from.page.map(|page| level(&of.name, page));
    let dumped = from.dump.and_then(|dump| dump.iter().find(|n| n.name == of.name));
    let now = match (dumped, &metrics) {
        // The dump knows no seats.
        (Some(dumped), metrics) => {
            let seats = metrics.clone().unwrap_or_default();
            let LevelNow { seats_taken, nominal, current, .. } = seats;
            // Seats that were taken a while ago say nothing of what executes now.
            let seats_taken = seats_taken.filter(|_| !from.is_page_older);
            Some(LevelNow { seats_taken, nominal, current, ..dumped.clone() })
        }
        (None, metrics) => metrics.clone(),
    };
    if let Some(nominal) = now.as_ref().and_then(|now| now.nominal) {
        seats.nominal = nominal;
    }
    let span = from.span.filter(is_lately);
    let flow = span.map(|span| level_flow(&of.name, &span)).unwrap_or_default();
    let here = from.requests.iter().filter(|r| r.level == of.name).cloned();
    let flows: Vec<Group> = grouped(&here.collect::<Vec<_>>(), |r| self::flow(r, queues));
    let (state, verdict) = verdict(of, seats, now.as_ref(), &flow, (&flows, from.requests_age));
    let window = span.map_or(0.0, |span| span.seconds);
    Line { level: of.clone(), now: now.unwrap_or_default(), seats, flow, window, state, verdict }
}
