//! Who is at the API server now, by user and by flow.

use super::spec::{Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::kinds::flows::{self, BY, EXECUTING, WAITING};
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "flows",
    aliases: &["flow", "callers"],
    table: "flows",
    also: &[],
    columns: &[
        "by",
        "name",
        "waiting",
        "executing",
        "part",
        "oldest",
        "level",
        "schema",
        "example",
    ],
    wide: &["read"],
    narrow: &["uid", "labels", "age", "read", "example", "schema", "level", "part", "oldest"],
    sort: ("by", false),
    enter: ("its requests", enter),
    summary,
    detail: flows::detail,
    help: "Requests that wait and execute, added up by user and by flow (schema and distinguisher), the largest first, as one API \
           server dumped them when the view was opened or `look-again` was pressed, every 10 s at most. Enter: the requests of a \
           user or flow, what waits longest first. Headless: wheelhouse apf requests --by user|flow.",
};

fn enter(row: Row<'_>) -> Option<Jump> {
    let column = row.text(BY);
    // A name may hold blanks and quotes.
    let scope = format!("{column}:={}", crate::state::query::quoted(&row.name()));
    Some(Jump::about("requests", format!("{column} {}", row.name()), scope))
}

fn summary(state: &State) -> Vec<Part> {
    let users = || state.store.rows(VIEW.table).filter(|row| row.text(BY) == "user");
    let waiting: i64 = users().map(|r| r.num(WAITING)).sum();
    let executing: i64 = users().map(|r| r.num(EXECUTING)).sum();
    let link = |state: &str| Some(Jump::filtered("requests", &format!("state:={state}")));
    vec![
        Part::count(waiting, "wait", Role::Warn, link("waiting")),
        Part::count(executing, "execute", Role::Plain, link("executing")),
        Part::count(
            users().count() as i64,
            "users",
            Role::Plain,
            Some(Jump::filtered(VIEW.id, "by:=user")),
        ),
        Part { link: Some(Jump::filtered("queues", "")), ..Part::say("queues") },
        Part { link: Some(Jump::filtered("levels", "")), ..Part::say("levels") },
    ]
}
