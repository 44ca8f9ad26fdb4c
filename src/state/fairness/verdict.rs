//! A level's state in words.

use super::dump::{Group, LevelNow};
use super::seats::{Level, Seats};

/// What an operator reads first. `flows` are the flows of the level, the largest first; empty without the dump of
/// requests. `seats` count where the metrics do not say how many there are.
pub fn verdict(level: &Level, seats: Seats, now: Option<&LevelNow>, flows: &[Group]) -> String {
    let Some(now) = now else { return "not told by the server".into() };
    let (waiting, executing) = (now.waiting.unwrap_or(0), now.executing.unwrap_or(0));
    if level.exempt {
        return format!("exempt: {executing} executing, nothing here ever waits");
    }
    let limit = now.current.or(now.nominal).unwrap_or(seats.nominal);
    let taken = now.seats_taken.unwrap_or(executing);
    // Seen on 1.37.2: a level without seats that cannot borrow lets nothing through.
    let none = if limit == 0 { " (nothing is let through)" } else { "" };
    let held = format!("{taken} of {limit} seats{none}");
    if waiting > 0 {
        let most = match flows.first() {
            Some(top) => {
                let all: i64 = flows.iter().map(|f| f.waiting + f.executing).sum();
                let part = 100 * (top.waiting + top.executing) / all.max(1);
                format!(", flow {} holds {part} % of the requests", top.name)
            }
            None => String::new(),
        };
        let rejected = match now.rejected.unwrap_or(0) {
            0 => String::new(),
            n => format!(", {n} rejected since the server began"),
        };
        return format!("queueing: {held}, {waiting} waiting{most}{rejected}");
    }
    if taken >= limit && taken > 0 {
        let response = if level.queues.is_none() { "; rejects what finds none" } else { "" };
        return format!("full: {held}{response}");
    }
    if executing == 0 { "idle".into() } else { format!("ok: {held}") }
}
