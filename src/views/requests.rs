//! Requests at the API server now.

use super::spec::{Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::kinds::requests::{self, LEVEL, STATE};
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "requests",
    aliases: &["request", "inflight"],
    table: "requests",
    also: &[],
    columns: &["state", "arrived", "user", "verb", "path", "level", "queue", "seats", "schema"],
    wide: &["flow", "name", "read"],
    narrow: &["uid", "labels", "age", "read", "name", "flow", "schema", "seats", "queue", "level"],
    sort: ("state", false),
    enter: ("its level", enter),
    summary,
    detail: requests::detail,
    help: "Each request that waits or executes, what waits longest first, as one API server dumped them when the view was opened or \
           `look-again` was pressed, every 10 s at most: user, verb, path, the level and queue it is in, and for how long. Watches \
           that run and other long-running requests are not among them. `which-schema` says why a request is in its level. \
           Headless: wheelhouse apf requests --by request.",
};

fn enter(row: Row<'_>) -> Option<Jump> {
    Some(Jump::to("levels", "", row.text(LEVEL)))
}

fn summary(state: &State) -> Vec<Part> {
    let of = |word: &'static str| {
        state.store.rows(VIEW.table).filter(|row| row.text(STATE) == word).count() as i64
    };
    let link = |state: &str| Some(Jump::filtered(VIEW.id, &format!("state:={state}")));
    vec![
        Part::count(of("waiting"), "wait", Role::Warn, link("waiting")),
        Part::count(of("executing"), "execute", Role::Plain, link("executing")),
        Part { link: Some(Jump::filtered("flows", "")), ..Part::say("by user and flow") },
        Part { link: Some(Jump::filtered("queues", "")), ..Part::say("queues") },
    ]
}
