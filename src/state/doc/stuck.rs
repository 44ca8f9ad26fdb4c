//! Why an object does not go: who holds it, whether that one lives, what would be skipped without it, and what to do first.

use super::describe::page::{Page, count, items, join, plain, str_at, when};
use super::{Doc, Line, title};
use crate::state::cell::Role;
use crate::state::rules::stuck::{Evidence, Held, Life, Ruling};
use serde_json::Value;

/// How much a life matters to whoever waits for it.
pub fn role(life: Life) -> Role {
    match life {
        Life::Works => Role::Ok,
        Life::Fails | Life::Unknown => Role::Warn,
        Life::Gone => Role::Bad,
    }
}

/// The page of an object that is being deleted.
pub fn stuck(held: &Held, ruling: &Ruling, seen: &Evidence) -> Doc {
    let now = seen.now;
    let mut page = Page::default();
    page.field_as(
        "Verdict",
        role(ruling.life),
        format!("{}: {}", ruling.life.word(), ruling.words),
    );
    page.field_as("Do first", Role::Accent, ruling.next.clone());
    page.field("Deleted", when(held.since(), now));
    if held.grace > 0 {
        page.field("Grace", format!("{} s, over at {}", held.grace, when(held.due, now)));
    }
    page.field("Finalizers", join(&held.finalizers));
    page.field("Propagation", format!("{}: {}", held.propagation(), propagation(held)));
    page.list("Owners", owners(&held.object));
    if let Some((n, blocking)) = held.dependents.filter(|(n, _)| *n > 0) {
        page.field("Dependents", format!("{}, {blocking} of them block it", count(n, "object")));
    }
    for holder in &ruling.holders {
        let what = match holder.finalizer.as_str() {
            "" => format!("Held without a finalizer, by the {}", holder.owner),
            finalizer => format!("Held by {finalizer}"),
        };
        page.heading(&what);
        page.indent = 2;
        page.field("Who", holder.owner.clone());
        page.field_as(
            "Lives",
            role(holder.life),
            format!("{}: {}", holder.life.word(), holder.why),
        );
        page.field_as("By hand skips", Role::Bad, holder.skips.clone());
        page.indent = 0;
    }
    if !ruling.notes.is_empty() {
        page.heading("What else is known");
        page.indent = 2;
        ruling.notes.iter().for_each(|note| page.line(Role::Plain, note));
        page.indent = 0;
    }
    warnings(&mut page, held, seen);
    left(&mut page, held, seen);
    if !seen.unread.is_empty() {
        page.heading("Could not be read");
        page.indent = 2;
        seen.unread.iter().for_each(|words| page.line(Role::Warn, words));
    }
    let head = format!("{} {}", held.gvk.kind, held.path());
    Doc { title: head, lines: page.lines }
}

/// The page of an object that nobody deleted.
pub fn not_stuck(object: &Value) -> Doc {
    let words = "It is not being deleted: it has no deletionTimestamp.";
    Doc { title: title(object), lines: vec![Line::of(Role::Ok, words)] }
}

fn propagation(held: &Held) -> &'static str {
    match held.propagation() {
        "Foreground" => "its dependents go first",
        "Orphan" => "its dependents stay, without an owner",
        _ => "its dependents go after it",
    }
}

fn owners(object: &Value) -> Vec<String> {
    let name = |o: &Value| format!("{} {}", str_at(o, "/kind"), str_at(o, "/name"));
    items(object, "/metadata/ownerReferences").iter().map(name).collect()
}

fn warnings(page: &mut Page, held: &Held, seen: &Evidence) {
    let Some(all) = seen.warnings.get(&held.uid) else { return };
    let mut all = all.clone();
    all.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
    let rows: Vec<_> = all
        .iter()
        .take(10)
        .map(|(at, reason, message)| {
            [plain(when(*at, seen.now)), plain(reason.clone()), plain(message.clone())]
        })
        .collect();
    page.heading("Warnings about it");
    page.indent = 2;
    page.table(["WHEN", "REASON", "MESSAGE"], &rows);
    page.indent = 0;
}

fn left(page: &mut Page, held: &Held, seen: &Evidence) {
    let is_namespace = held.gvk.group.is_empty() && held.gvk.kind == "Namespace";
    let Some(left) = seen.content.get(&held.name).filter(|_| is_namespace) else { return };
    page.heading("What is left in it");
    page.indent = 2;
    if left.objects.is_empty() {
        page.line(Role::Dim, "Nothing, of all that could be listed.");
    }
    let rows: Vec<_> =
        left.objects.iter().map(|(what, n)| [plain(n.to_string()), plain(what.clone())]).collect();
    if !rows.is_empty() {
        page.table(["OBJECTS", "KIND"], &rows);
    }
    let rows: Vec<_> = left
        .examples
        .iter()
        .map(|o| [plain(o.resource.clone()), plain(o.name.clone()), plain(join(&o.finalizers))])
        .collect();
    if !rows.is_empty() {
        page.table(["FOR EXAMPLE", "NAME", "FINALIZERS"], &rows);
    }
    page.indent = 0;
}
