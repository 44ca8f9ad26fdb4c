//! What the metrics of an API server say of its levels: names of 1.37, of which the beta ones stay as they are and the alpha
//! ones may be absent (`pkg/util/flowcontrol/metrics/metrics.go`).

use super::dump::LevelNow;
use crate::state::metrics::{Scrape, Want};

const NOMINAL: &str = "apiserver_flowcontrol_nominal_limit_seats";
const CURRENT: &str = "apiserver_flowcontrol_current_limit_seats";
const TAKEN: &str = "apiserver_flowcontrol_current_executing_seats";
const EXECUTING: &str = "apiserver_flowcontrol_current_executing_requests";
const WAITING: &str = "apiserver_flowcontrol_current_inqueue_requests";
const DISPATCHED: &str = "apiserver_flowcontrol_dispatched_requests_total";
const REJECTED: &str = "apiserver_flowcontrol_rejected_requests_total";
const LEVEL: &[&str] = &["priority_level"];

/// What is to be kept of a scrape.
pub static WANTS: [Want; 7] = [
    Want::by(NOMINAL, LEVEL),
    Want::by(CURRENT, LEVEL),
    Want::by(TAKEN, LEVEL),
    Want::by(EXECUTING, LEVEL),
    Want::by(WAITING, LEVEL),
    Want::by(DISPATCHED, LEVEL),
    Want::by(REJECTED, LEVEL),
];

/// Adds what the metrics say of a level to what the dump said of it, which is of one moment and stays. A family that the
/// server has counts zero for a level that it does not list.
pub fn filled(mut now: LevelNow, name: &str, page: &Scrape) -> LevelNow {
    let number = |family: &str| {
        let value = page.number(family, &[("priority_level", name)]);
        value.or(page.has(family).then_some(0.0)).map(|n| n as i64)
    };
    let limit = |family: &str| page.number(family, &[("priority_level", name)]).map(|n| n as i64);
    name.clone_into(&mut now.name);
    (now.nominal, now.current, now.seats_taken) = (limit(NOMINAL), limit(CURRENT), number(TAKEN));
    now.executing = now.executing.or_else(|| number(EXECUTING));
    now.waiting = now.waiting.or_else(|| number(WAITING));
    now.dispatched = now.dispatched.or_else(|| number(DISPATCHED));
    now.rejected = now.rejected.or_else(|| number(REJECTED));
    now
}
