//! The board of priority levels: each with its seats, what waits and executes, what goes on in it, and a verdict.

use super::dump::{Group, LevelNow, RequestNow, grouped};
use super::metrics::{Flowing, level, level_flow};
use super::seats::{Level, Seats, USUAL_TOTAL, likely, total};
use super::verdict::{State, verdict};
use crate::state::metrics::{Scrape, Span};

/// What was read. The dump and the metrics may be of two servers behind one address, so no number mixes both: the dump
/// serves where it is of this moment and of the only server that answers here, or where there is nothing else.
pub struct Sources<'a> {
    /// The configured levels.
    pub levels: &'a [Level],
    /// The dump of levels, if it may serve for numbers.
    pub dump: Option<&'a [LevelNow]>,
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
    /// How it is.
    pub state: State,
    /// The same in words.
    pub verdict: String,
}

impl Line {
    /// Seats it has of others, and seats that others have of it; absent where the server does not say what it has now.
    pub fn moved(&self) -> (Option<i64>, Option<i64>) {
        let more = self.now.current.map(|current| current - self.seats.nominal);
        (more.map(|n| n.max(0)), more.map(|n| (-n).max(0)))
    }

    /// Requests that its queues can hold.
    pub fn room(&self) -> Option<i64> {
        self.level.queues.map(|(queues, length)| queues.saturating_mul(length))
    }
}

/// The flow of a request. 1.37.2 leaves the distinguisher empty in its dump; the user, where details are given, is the nearest
/// to it.
pub fn flow(request: &RequestNow) -> String {
    match (request.flow.as_str(), request.user.as_str()) {
        ("", "") => request.schema.clone(),
        ("", user) => format!("{}/{user}", request.schema),
        (flow, _) => format!("{}/{flow}", request.schema),
    }
}

/// Its user. Details are of the server's grace; without them the distinguisher is the nearest.
pub fn user(request: &RequestNow) -> String {
    if request.user.is_empty() { request.flow.clone() } else { request.user.clone() }
}

/// Seconds up to which rates say how a level is now.
const LATELY: f64 = 300.0;

/// The levels, what needs a look first.
pub fn lines(from: &Sources<'_>) -> Vec<Line> {
    let shares = from.levels.iter().map(|l| l.shares).sum();
    let told = |name: &str| from.page.map(|page| level(name, page));
    let known: Vec<(i64, i64)> =
        from.levels.iter().filter_map(|l| Some((l.shares, told(&l.name)?.nominal?))).collect();
    let total = total(&known, shares).map_or(USUAL_TOTAL, likely);
    let mut lines: Vec<Line> =
        from.levels.iter().map(|level| line(from, level, level.seats(total, shares))).collect();
    lines.sort_by(|a, b| {
        (a.state, -a.now.waiting.unwrap_or(0), &a.level.name).cmp(&(
            b.state,
            -b.now.waiting.unwrap_or(0),
            &b.level.name,
        ))
    });
    lines
}

fn line(from: &Sources<'_>, of: &Level, mut seats: Seats) -> Line {
    let metrics = from.page.map(|page| level(&of.name, page));
    let dumped = from.dump.and_then(|dump| dump.iter().find(|n| n.name == of.name));
    let now = match (dumped, &metrics) {
        // The dump knows no seats.
        (Some(dumped), metrics) => {
            let seats = metrics.clone().unwrap_or_default();
            let LevelNow { seats_taken, nominal, current, .. } = seats;
            Some(LevelNow { seats_taken, nominal, current, ..dumped.clone() })
        }
        (None, metrics) => metrics.clone(),
    };
    if let Some(nominal) = now.as_ref().and_then(|now| now.nominal) {
        seats.nominal = nominal;
    }
    let flow = from.span.map(|span| level_flow(&of.name, &span)).unwrap_or_default();
    // What was turned away since the server's start is history and no state.
    let lately = from.span.is_some_and(|span| span.seconds <= LATELY);
    let now_flow = if lately { flow.clone() } else { Flowing::default() };
    let here = from.requests.iter().filter(|r| r.level == of.name).cloned();
    let flows: Vec<Group> = grouped(&here.collect::<Vec<_>>(), self::flow);
    let (state, verdict) = verdict(of, seats, now.as_ref(), &now_flow, (&flows, from.requests_age));
    Line { level: of.clone(), now: now.unwrap_or_default(), seats, flow, state, verdict }
}
