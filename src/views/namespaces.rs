//! Namespaces and the pods in them.

use super::spec::{self, Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::grouped;
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "namespaces",
    aliases: &["ns", "namespace"],
    table: "namespaces",
    also: &["pods"],
    columns: &["name", "status", "pods", "pods_running", "pods_pending", "pods_failing", "age"],
    wide: &["labels"],
    narrow: &["labels", "pods_running", "age"],
    sort: ("name", false),
    enter: ("pods", enter),
    summary,
    detail: spec::no_detail,
    help: "Enter shows the pods of a namespace without leaving the scope; `:ns NAME` narrows the whole cockpit to it.",
};

fn enter(row: Row<'_>) -> Option<Jump> {
    let name = row.name();
    Some(Jump::about("pods", format!("in namespace {name}"), format!("namespace:={name}")))
}

fn summary(state: &State) -> Vec<Part> {
    vec![Part::say(format!("{} namespaces", grouped(state.store.table("namespaces").len() as i64)))]
}
