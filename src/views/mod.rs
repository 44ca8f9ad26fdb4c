//! THE list of views. A new one is a file in this folder and a line here; routes, aliases, palette, help, key line,
//! snapshot matrix, headless printing and docs all derive from the line.
//!
//! Invariant: a view reads the state and writes a buffer. No clock, no channel, no interior mutability.

pub mod board;
pub mod chart;
pub mod chrome;
pub mod document;
pub mod overlay;
pub mod page;
pub mod paint;
pub mod prompt;
mod proposal;
pub mod rows;
pub mod spec;
pub mod theme;

use crate::state::decl::{Gvk, TableSpec};
use crate::state::kinds;
use spec::TableView;

macro_rules! views {
    ($($file:ident;)+) => {
        $(pub mod $file;)+
        /// Every table view, in the order help lists them; the first is home.
        pub static ALL: &[&TableView] = &[$(&$file::VIEW),+];
    };
}

views! {
    nodes;
    pods;
    namespaces;
    disruption_budgets;
    workloads;
    certificate_requests;
    events;
    stuck;
    journal;
    apiserver;
    health;
    containers;
    priority_levels;
    flows;
    requests;
    queues;
    flow_schemas;
}

/// The filter that a view opens with, and what it leaves out in words.
pub fn opening(view: &str) -> Option<(&'static str, &'static str)> {
    (view == events::VIEW.id).then_some((events::NOTABLE, "Normal events"))
}

/// The view of that id or alias.
pub fn named(name: &str) -> Option<&'static TableView> {
    ALL.iter().copied().find(|v| v.id == name || v.aliases.contains(&name))
}

/// The view that lists objects of a kind.
pub fn of_kind(kind: &Gvk) -> Option<&'static TableView> {
    let lists = |table: &TableSpec| table.kinds.iter().any(|k| k.gvk == *kind);
    of_table(kinds::ALL.iter().find(|table| lists(table))?.id)
}

/// The view that shows a table's rows.
pub fn of_table(table: &str) -> Option<&'static TableView> {
    ALL.iter().copied().find(|v| v.table == table)
}
