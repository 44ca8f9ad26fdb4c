//! Queues of priority levels that hold something.

use super::spec::{Jump, Part, TableView, no_detail};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::kinds::queues::{INDEX, LEVEL, WAITING};
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "queues",
    aliases: &["queue"],
    table: "queues",
    also: &[],
    columns: &["level", "index", "waiting", "queue_fill", "executing", "seats", "top", "read"],
    wide: &["name"],
    narrow: &["uid", "labels", "age", "name", "seats", "read", "executing"],
    sort: ("waiting", true),
    enter: ("its requests", enter),
    summary,
    detail: no_detail,
    help: "Queues that hold something, the fullest first, as one API server dumped them when the view was opened or `look-again` \
           was pressed: READ is the age of what is shown. A dump holds the dispatcher's lock, so it is taken every 10 s at most and \
           never by itself. One flow goes to a few of its level's queues (shuffle sharding), so one hot flow fills these and leaves \
           the others to everybody else. Enter: the requests of a queue. Headless: wheelhouse apf queues.",
};

fn enter(row: Row<'_>) -> Option<Jump> {
    let (level, index) = (row.text(LEVEL), row.num(INDEX) - 1);
    Some(Jump::filtered("requests", &format!("level:={level} queue:={index}")))
}

fn summary(state: &State) -> Vec<Part> {
    let rows = || state.store.rows(VIEW.table);
    let waiting: i64 = rows().map(|r| (r.num(WAITING) - 1).max(0)).sum();
    vec![
        Part::count(rows().count() as i64, "queues in use", Role::Plain, None),
        Part::count(
            waiting,
            "requests wait",
            Role::Warn,
            Some(Jump::filtered("requests", "state:=waiting")),
        ),
        Part { link: Some(Jump::filtered("flows", "")), ..Part::say("by user and flow") },
        Part { link: Some(Jump::filtered("levels", "")), ..Part::say("levels") },
    ]
}
