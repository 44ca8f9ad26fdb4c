//! A level's state in words.

use super::dump::{Group, LevelNow};
use super::seats::{Level, Seats};

/// What an operator reads first. `flows` are the flows of the level, the largest first; empty without the dump of
/// requests.
pub fn verdict(level: &Level, seats: Seats, now: Option<&LevelNow>, flows: &[Group]) -> String {
    let Some(now) = now else { return "not told by the server".into() };
    let (waiting, executing) = (now.waiting.unwrap_or(0), now.executing.unwrap_or(0));
    if level.exempt {
        return format!("exempt: {executing} executing, nothing here ever waits");
    }
    // A level without seats still runs one request at a time.
    let of = seats.nominal.max(1);
    if waiting > 0 {
        let held = match flows.first() {
            Some(top) => {
                let all: i64 = flows.iter().map(|f| f.waiting + f.executing).sum();
                let part = 100 * (top.waiting + top.executing) / all.max(1);
                format!(", flow {} holds {part} %", top.name)
            }
            None => String::new(),
        };
        return format!("queueing: {executing} executing, {of} seats, {waiting} waiting{held}");
    }
    let response = if level.queues.is_none() { " and rejects what finds none" } else { "" };
    if executing >= of {
        return format!("full: {executing} executing, {of} seats{response}");
    }
    if executing == 0 { "idle".into() } else { format!("ok: {executing} executing, {of} seats") }
}
