//! Flow schemas: which requests go to which level, in the order the server asks.

use super::spec::{Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::kinds::flow_schemas::{self, DANGLING, LEVEL};
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "flowschemas",
    aliases: &["schemas", "flowschema", "fs"],
    table: "flowschemas",
    also: &[],
    columns: &[
        "precedence",
        "name",
        "level",
        "flows",
        "waiting",
        "executing",
        "dispatched_rate",
        "rejected_rate",
        "rules",
    ],
    wide: &["dangling", "read", "age"],
    narrow: &[
        "uid",
        "labels",
        "read",
        "age",
        "dangling",
        "rules",
        "flows",
        "executing",
        "dispatched_rate",
        "rejected_rate",
        "waiting",
    ],
    sort: ("precedence", false),
    enter: ("its level", enter),
    summary,
    detail: flow_schemas::detail,
    help: "Schemas in the order the server asks them: lower precedence first, ties by name; the first whose rules match a request \
           decides its level. A dangling one names a level that does not exist and is never asked. `:whatif USER VERB WHAT` says \
           which one catches a request, and why each one before it does not; `:whatif` alone says which one catches yours. \
           Headless: wheelhouse apf schemas, wheelhouse apf whatif.",
};

fn enter(row: Row<'_>) -> Option<Jump> {
    Some(Jump::to("levels", "", row.text(LEVEL)))
}

fn summary(state: &State) -> Vec<Part> {
    let rows = || state.store.rows(VIEW.table);
    let dangling = rows().filter(|row| row.num(DANGLING) != 0).count() as i64;
    let link = Some(Jump::filtered(VIEW.id, "dangling:=yes"));
    vec![
        Part::count(rows().count() as i64, "schemas", Role::Plain, None),
        Part::count(dangling, "dangling", Role::Warn, link),
        Part { link: Some(Jump::filtered("levels", "")), ..Part::say("levels") },
    ]
}
