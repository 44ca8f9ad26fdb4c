//! The events of an object, newest first.

use super::page::{Page, ago, int, join, plain, str_at, time};
use crate::state::cell::Role;
use crate::state::rules::occurrence::Times;
use crate::state::time::{Epoch, span};
use serde_json::Value;

pub(super) fn write(page: &mut Page, events: Option<&[Value]>, now: Epoch) {
    page.heading("Events");
    page.indent = 2;
    match events {
        None => page.line(Role::Dim, "not read"),
        Some([]) => page.line(Role::Dim, "none; the server forgets them, after an hour by default"),
        Some(events) => {
            let mut events: Vec<&Value> = events.iter().collect();
            events.sort_by_key(|e| -last(e).0);
            let rows: Vec<_> = events.into_iter().map(|e| row(e, now)).collect();
            page.table(["LAST", "COUNT", "TYPE", "REASON", "SOURCE", "MESSAGE"], &rows);
        }
    }
    page.indent = 0;
}

fn row(event: &Value, now: Epoch) -> [(Role, String); 6] {
    let kind = str_at(event, "/type");
    let role = if kind == "Warning" { Role::Warn } else { Role::Plain };
    [
        plain(ago(last(event), now)),
        plain(times(event)),
        (role, kind.to_owned()),
        (role, str_at(event, "/reason").to_owned()),
        plain(source(event)),
        plain(str_at(event, "/message").trim()),
    ]
}

/// The times and counts of an event, for the rule that decides between them.
fn times_of(event: &Value) -> Times {
    Times {
        series: time(event, "/series/lastObservedTime"),
        last: time(event, "/lastTimestamp"),
        event: time(event, "/eventTime"),
        first: time(event, "/firstTimestamp"),
        created: time(event, "/metadata/creationTimestamp"),
        series_count: int(event, "/series/count"),
        count: int(event, "/count"),
    }
}

fn last(event: &Value) -> Epoch {
    times_of(event).last()
}

/// `1`, `17 in 5m`.
fn times(event: &Value) -> String {
    let times = times_of(event);
    let (n, over) = (times.count(), times.last().0 - times.first().0);
    if n > 1 && over > 0 { format!("{n} in {}", span(over)) } else { n.to_string() }
}

fn source(event: &Value) -> String {
    let component = match str_at(event, "/source/component") {
        "" => str_at(event, "/reportingComponent"),
        component => component,
    };
    join([component, str_at(event, "/source/host")])
}
