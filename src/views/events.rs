//! Events: what happens, the newest first, summed up by object and reason.

use super::spec::{Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::{Role, Value, grouped};
use crate::state::kinds::{events, subjects};
use crate::state::query::quoted;
use crate::state::row::Row;
use crate::state::timeline::{Class, MOST};

/// The view.
pub static VIEW: TableView = TableView {
    id: "events",
    aliases: &["ev", "event"],
    table: "events",
    also: &[],
    columns: &[
        "age",
        "type",
        "reason",
        "last_hour",
        "namespace",
        "object",
        "count",
        "per_hour",
        "message",
    ],
    wide: &["source", "first", "events"],
    narrow: &[
        "labels",
        "uid",
        "events",
        "first",
        "source",
        "per_hour",
        "last_hour",
        "count",
        "namespace",
        "type",
    ],
    sort: ("age", false),
    enter: ("object", enter),
    summary,
    detail,
    help: "One line stands for all events that give one reason about one object: COUNT adds them up, MESSAGE is the \
           newest. LAST is the last occurrence (series, lastTimestamp, eventTime, firstTimestamp, creation, in this \
           order); equal times stand in order of arrival. LAST HOUR is how often the reason came up in twelve times \
           five minutes, over all objects; between an event's first and last occurrence it is an estimate. Normal \
           events are left out at first. Lines marked You are what was done from here, out of the journal. Events are \
           kept here when the server forgets them, at most 50,000. Recorders drop what repeats too fast, so that \
           nothing is said is no proof that nothing happened.",
};

/// The filter that leaves out what is normal.
pub const NOTABLE: &str = "!type:=Normal";

/// From an event to its object: alone in its view, so that one that is gone is not mistaken for another.
fn enter(row: Row<'_>) -> Option<Jump> {
    let (gvk, table) = subjects::find(row.text(events::KIND), row.text(events::API))?;
    let view = table.and_then(super::of_table).filter(|view| view.id != VIEW.id);
    let Some(view) = view else { return Some(Jump::describe()) };
    let (namespace, name) = (row.namespace(), row.name());
    let mut filter = format!("name:={}", quoted(&name));
    if gvk.namespaced {
        filter.push_str(&format!(" namespace:={}", quoted(namespace)));
    }
    // Some tables hold several kinds, and a name is only one's own within its kind.
    if row.store.table(view.table).spec.column("kind").is_some() {
        filter.push_str(&format!(" kind:={}", quoted(gvk.kind)));
    }
    let seek = Some((namespace.to_owned(), name.into_owned()));
    Some(Jump { view: view.id, filter, seek, ..Jump::default() })
}

fn summary(state: &State) -> Vec<Part> {
    let timeline = state.store.timeline();
    let ring = &timeline.ring;
    let link = |filter: &str| Some(Jump::filtered(VIEW.id, filter));
    let of = |class| i64::from(ring.of_class(class));
    let kept = match ring.forgotten() {
        0 => grouped(ring.len() as i64),
        more => format!(
            "the newest {} of {}",
            grouped(MOST as i64),
            grouped(ring.len() as i64 + more as i64)
        ),
    };
    let mut parts = vec![
        Part::say(format!("{kept} events:")),
        Part::count(of(Class::Notable), "warnings", Role::Warn, link("type:!=Normal type:!=You")),
        Part::count(of(Class::Normal), "normal", Role::Plain, link("type:=Normal")),
    ];
    if of(Class::Own) > 0 {
        parts.push(Part::count(of(Class::Own), "by you", Role::Accent, link("type:=You")));
    }
    let top = timeline.hours.top(2);
    if !top.is_empty() {
        parts.push(Part::default());
        parts.push(Part::say("most in the last hour:"));
    }
    for (reason, n) in top {
        let reason = state.store.syms.text(reason);
        let only = format!("reason:={}", quoted(reason));
        parts.push(Part::count(i64::from(n), reason, Role::Warn, link(&only)));
    }
    parts
}

/// Who says it, which no column shows unless the table is wide.
fn detail(row: Row<'_>) -> Option<String> {
    let column = row.table.spec.column("source")?;
    match (column.cell)(row, Default::default()).value {
        Value::Text(from) => Some(format!("from {from}")),
        _ => None,
    }
}

/// That the rows stand still, and what waits meanwhile.
pub fn standing(state: &State, view: &str) -> Option<String> {
    let held = state.store.timeline().held.as_ref().filter(|_| view == VIEW.id)?;
    Some(format!("PAUSED, {} changed since", grouped(held.table.len() as i64)))
}
