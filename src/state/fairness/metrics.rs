//! What the metrics of an API server say of its levels and schemas: names of 1.37, of which the beta ones stay as they are and
//! the alpha ones may be absent (`pkg/util/flowcontrol/metrics/metrics.go`).

use super::dump::LevelNow;
use crate::state::metrics::{Growth, Scrape, Span, Want};
use std::collections::BTreeMap;

const NOMINAL: &str = "apiserver_flowcontrol_nominal_limit_seats";
const CURRENT: &str = "apiserver_flowcontrol_current_limit_seats";
const TAKEN: &str = "apiserver_flowcontrol_current_executing_seats";
const EXECUTING: &str = "apiserver_flowcontrol_current_executing_requests";
const WAITING: &str = "apiserver_flowcontrol_current_inqueue_requests";
const DISPATCHED: &str = "apiserver_flowcontrol_dispatched_requests_total";
const REJECTED: &str = "apiserver_flowcontrol_rejected_requests_total";
const WAITED: &str = "apiserver_flowcontrol_request_wait_duration_seconds";
const LEVEL: &[&str] = &["priority_level"];
const BOTH: &[&str] = &["priority_level", "flow_schema"];

/// What is to be kept of a scrape.
pub static WANTS: [Want; 8] = [
    Want::by(NOMINAL, LEVEL),
    Want::by(CURRENT, LEVEL),
    Want::by(TAKEN, LEVEL),
    Want::by(EXECUTING, BOTH),
    Want::by(WAITING, BOTH),
    Want::by(DISPATCHED, BOTH),
    Want::by(REJECTED, &["priority_level", "flow_schema", "reason"]),
    Want::by(WAITED, &["priority_level", "execute"]),
];

/// Whose numbers: a label and its value.
type Whose<'a> = (&'static str, &'a str);

/// A number of a level or schema. A family that the server has counts zero for one that it does not list.
fn number(page: &Scrape, family: &str, of: &[Whose<'_>]) -> Option<i64> {
    let value = page.number(family, of);
    value.or(page.has(family).then_some(0.0)).map(|n| n as i64)
}

/// Why requests were refused, by the words of the metric: no room, waited too long, given up by the client.
fn refused(reasons: &BTreeMap<Vec<String>, f64>) -> [f64; 3] {
    reasons.iter().fold([0.0; 3], |mut sum, (key, n)| {
        let at = match key.last().map(String::as_str) {
            Some("time-out") => 1,
            Some("cancelled") => 2,
            _ => 0,
        };
        sum[at] += n;
        sum
    })
}

/// What one page of metrics says of a level. A limit that is not listed is unknown.
pub fn level(name: &str, page: &Scrape) -> LevelNow {
    let of: [Whose<'_>; 1] = [("priority_level", name)];
    let limit = |family: &str| page.number(family, &of).map(|n| n as i64);
    let counted = |family: &str| number(page, family, &of);
    let reasons = page.grouped(REJECTED, &["priority_level", "reason"]);
    let mine = reasons.into_iter().filter(|(key, _)| key.first().is_some_and(|l| l == name));
    let mine = mine.filter_map(|(key, value)| match value {
        crate::state::metrics::Value::Number(n) => Some((key, n)),
        _ => None,
    });
    let [rejected, timed_out, cancelled] = refused(&mine.collect());
    // Counters of refusals come into being with the first one: nothing was refused as long as others are told.
    let told = page.has(DISPATCHED);
    let n = |count: f64| told.then_some(count as i64);
    LevelNow {
        name: name.to_owned(),
        waiting: counted(WAITING),
        executing: counted(EXECUTING),
        dispatched: counted(DISPATCHED),
        rejected: n(rejected),
        timed_out: n(timed_out),
        cancelled: n(cancelled),
        seats_taken: counted(TAKEN),
        nominal: limit(NOMINAL),
        current: limit(CURRENT),
    }
}

/// What went on in a level, or in what a schema caught, between two scrapes of one process. Absent is not told.
#[derive(Clone, Debug, Default)]
pub struct Flowing {
    /// Let through, a second.
    pub dispatched: Option<f64>,
    /// Refused because there was no room, a second.
    pub rejected: Option<f64>,
    /// Refused after waiting too long, a second.
    pub timed_out: Option<f64>,
    /// How long requests waited that were let through; of levels only. What found no room did not wait, and would make the
    /// median of a level that turns much away look well.
    pub waited: Option<Growth>,
}

fn flowing(span: &Span<'_>, label: &'static str, name: &str) -> Flowing {
    let mine = |family: &str, by: &[&str]| -> Option<BTreeMap<Vec<String>, Growth>> {
        let grown = span.grown(family, by);
        let any = !grown.is_empty();
        let own = grown.into_iter().filter(|(key, _)| key.first().is_some_and(|l| l == name));
        any.then(|| own.collect())
    };
    let by = [label];
    let dispatched = mine(DISPATCHED, &by);
    let reasons = mine(REJECTED, &[label, "reason"]).unwrap_or_default();
    let counts = reasons.into_iter().map(|(key, growth)| (key, growth.rate())).collect();
    let [rejected, timed_out, _] = refused(&counts);
    let told = dispatched.is_some();
    Flowing {
        dispatched: dispatched.map(|d| d.values().map(Growth::rate).sum()),
        rejected: told.then_some(rejected),
        timed_out: told.then_some(timed_out),
        waited: match label {
            "priority_level" => mine(WAITED, &[label, "execute"])
                .and_then(|mut waited| waited.remove(&vec![name.to_owned(), "true".to_owned()])),
            _ => None,
        },
    }
}

/// What went on in a level.
pub fn level_flow(name: &str, span: &Span<'_>) -> Flowing {
    flowing(span, LEVEL[0], name)
}

/// What went on in what a schema caught, and what of it waits and executes now.
pub fn schema_flow(
    name: &str,
    page: &Scrape,
    span: Option<&Span<'_>>,
) -> (Flowing, Option<i64>, Option<i64>) {
    let of: [Whose<'_>; 1] = [("flow_schema", name)];
    let flow = span.map(|span| flowing(span, "flow_schema", name)).unwrap_or_default();
    (flow, number(page, WAITING, &of), number(page, EXECUTING, &of))
}
