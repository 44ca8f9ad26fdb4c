//! What is being deleted and does not go: who holds it, whether that one lives, what to do first.

use super::spec::{Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::kinds::stuck;
use crate::state::row::Row;
use crate::state::ui::document::Form;

/// The view.
pub static VIEW: TableView = TableView {
    id: "stuck",
    aliases: &["terminating", "finalizers"],
    table: "stuck",
    also: &[],
    columns: &["verdict", "kind", "namespace", "name", "deleted", "finalizers", "why"],
    wide: &["owner", "dependents", "next", "labels"],
    narrow: &["labels", "next", "owner", "finalizers"],
    sort: ("verdict", false),
    enter: ("why", enter),
    summary,
    detail: stuck::next,
    help: "Every kind that can be listed is surveyed once, metadata only and gently; nothing is watched. Enter says who holds \
           an object, whether that one lives, and what removing its finalizer by hand would skip.",
};

fn enter(_: Row<'_>) -> Option<Jump> {
    Some(Jump { form: Some(Form::Stuck), ..Jump::default() })
}

fn summary(state: &State) -> Vec<Part> {
    let mut counts = [0; 4];
    let words = ["gone", "failing", "unclear", "wait"];
    for row in state.store.rows("stuck") {
        let word = row.text(stuck::VERDICT);
        if let Some(i) = words.iter().position(|w| *w == word) {
            counts[i] += 1;
        }
    }
    let part = |i: usize, noun: &str, role: Role| {
        let jump = Jump::filtered("stuck", &format!("verdict:={}", words[i]));
        Part::count(counts[i], noun, role, Some(jump))
    };
    vec![
        part(0, "whose controller is gone", Role::Bad),
        part(1, "whose controller fails", Role::Warn),
        part(2, "unclear", Role::Warn),
        part(3, "to wait for", Role::Plain),
    ]
}
