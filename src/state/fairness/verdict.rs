//! A level's state in words.

use super::dump::{Group, LevelNow};
use super::metrics::Flowing;
use super::seats::{Level, Seats};
use crate::state::cell::per_second;
use crate::state::time::span;

/// How a level is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It turns requests away now.
    Rejecting,
    /// Requests wait.
    Queueing,
    /// Every seat is taken.
    Full,
    /// Nobody says.
    Unknown,
    /// Requests execute and there is room.
    Ok,
    /// Nothing waits here by design.
    Exempt,
    /// Nothing goes on.
    Idle,
}

impl State {
    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            State::Rejecting => "rejecting",
            State::Queueing => "queueing",
            State::Full => "full",
            State::Unknown => "unknown",
            State::Ok => "ok",
            State::Exempt => "exempt",
            State::Idle => "idle",
        }
    }
}

/// What an operator reads first. `flows` are the flows of the level, the largest first, and how many seconds ago the server told
/// them; empty without the dump of requests. `seats` count where the server does not say how many there are now.
pub fn verdict(
    level: &Level,
    seats: Seats,
    now: Option<&LevelNow>,
    flow: &Flowing,
    (flows, age): (&[Group], i64),
) -> (State, String) {
    let Some(now) = now else { return (State::Unknown, "not told by the server".into()) };
    let (waiting, executing) = (now.waiting.unwrap_or(0), now.executing.unwrap_or(0));
    if level.exempt {
        return (State::Exempt, format!("exempt: {executing} executing, nothing here ever waits"));
    }
    let limit = now.current.or(now.nominal).unwrap_or(seats.nominal);
    let taken = now.seats_taken.unwrap_or(executing);
    // Seen on 1.37.2: a level without seats that cannot borrow lets nothing through; what waits there times out.
    let is_shut = limit == 0 && executing == 0 && level.queues.is_some() && seats.most == Some(0);
    let none = if is_shut { " (nothing is let through)" } else { "" };
    let held = match now.seats_taken {
        Some(taken) => format!("{taken} of {limit} seats{none}"),
        // A request may take several seats.
        None => format!("{executing} executing on {limit} seats{none}"),
    };
    let refusing = flow.rejected.unwrap_or(0.0) + flow.timed_out.unwrap_or(0.0);
    let refused = match (refusing, now.rejected.unwrap_or(0)) {
        (rate, _) if rate >= 0.01 => {
            format!(", turns away {}", per_second((rate * 1000.0).round() as i64))
        }
        (_, 0) => String::new(),
        (_, n) => format!(", {n} rejected since the server began"),
    };
    if waiting > 0 {
        let (state, word) = match refusing >= 0.01 {
            true => (State::Rejecting, "queueing and rejecting"),
            false => (State::Queueing, "queueing"),
        };
        let most = most(flows, age);
        return (state, format!("{word}: {held}, {waiting} waiting{most}{refused}"));
    }
    if refusing >= 0.01 {
        return (State::Rejecting, format!("rejecting: {held}{refused}"));
    }
    if taken >= limit && taken > 0 {
        let response = if level.queues.is_none() { "; rejects what finds none" } else { "" };
        return (State::Full, format!("full: {held}{response}{refused}"));
    }
    match executing {
        0 => (State::Idle, format!("idle{refused}")),
        _ => (State::Ok, format!("ok: {held}{refused}")),
    }
}

/// Whose requests they mostly are.
fn most(flows: &[Group], age: i64) -> String {
    let Some(top) = flows.first() else { return String::new() };
    let all: i64 = flows.iter().map(|f| f.waiting + f.executing).sum();
    let part = 100 * (top.waiting + top.executing) / all.max(1);
    let when = if age >= 5 { format!(" ({} ago)", span(age)) } else { String::new() };
    format!(", flow {} holds {part} % of the requests{when}", top.name)
}
