//! Remove one chosen finalizer from objects that are being deleted.
//!
//! The patch tests the uid, the deletionTimestamp and the finalizer at its place, and not the resourceVersion: a controller
//! that goes on writing the status would win for ever. A namespace's own finalizer stands in its spec and is taken away
//! through `/finalize` (`registry/core/namespace/storage/storage.go`).

use super::change::{Argument, By, Change, Draft, Seen, text};
use super::plan::{Before, Danger, Method, Note, Plan, Step, Write};
use super::{Action, ActionSpec};
use crate::state::rules::stuck::{Evidence, Held, Holder, Life, judge};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The word that takes objects whose controller is at work as well.
pub const EVEN_ALIVE: &str = "even-alive";
/// What holds a namespace until it is empty.
const OF_NAMESPACES: &str = "kubernetes";

/// Removes a finalizer.
pub struct RemoveFinalizer;

impl Action for RemoveFinalizer {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "remove-finalizer",
            word: "remove finalizer",
            help: "take one finalizer away from what is being deleted; says what that skips, keeps a backup",
            tables: &["stuck", "namespaces", "pods", "workloads"],
            shown: false,
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for RemoveFinalizer {
    fn argument(&self) -> Option<Argument> {
        Some(Argument {
            label: "finalizer",
            example: "foundry.example/cleanup; nothing: the only one",
        })
    }

    fn check(&self, argument: &str) -> Result<(), String> {
        match argument.split_whitespace().collect::<Vec<_>>()[..] {
            [] | [_] | [_, EVEN_ALIVE] => Ok(()),
            _ => Err("one finalizer at a time".into()),
        }
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "")
    }

    fn wants_evidence(&self) -> bool {
        true
    }

    fn is_dry_run_first(&self) -> bool {
        true
    }

    fn plan(&self, on: &[Seen], argument: &str, _: &By) -> Result<Plan, String> {
        self.check(argument)?;
        let mut words = argument.split_whitespace();
        let finalizer = match words.next() {
            Some(named) => named.to_owned(),
            None => only_one(on)?,
        };
        let even_alive = words.next() == Some(EVEN_ALIVE);
        let mut draft = Draft::new("remove-finalizer", Danger::Destructive(Draft::word(on)));
        for seen in on {
            let Some(held) = Held::of(seen.target.gvk, &seen.object) else {
                draft.skip(format!(
                    "{} is not being deleted: without its finalizer it would only lose its protection",
                    seen.target.path()
                ));
                continue;
            };
            let evidence = seen.evidence.clone().unwrap_or_default();
            if is_own(&held, &finalizer) {
                finalize(&mut draft, seen, &held, &evidence);
            } else {
                remove(&mut draft, seen, &held, &finalizer, even_alive, &evidence);
            }
        }
        draft.note(Note::plain(
            "a backup of each object is written before it is changed; the journal says where",
        ));
        let mut plan = draft.finish(on, "object")?;
        plan.title = match &plan.steps[..] {
            [step] => step.words.clone(),
            steps => format!("remove the finalizer {finalizer} from {} objects", steps.len()),
        };
        Ok(plan)
    }
}

/// The finalizer that there is, where there is nothing to choose.
fn only_one(on: &[Seen]) -> Result<String, String> {
    let held = on.iter().filter_map(|seen| Held::of(seen.target.gvk, &seen.object));
    let mut all: BTreeSet<String> = BTreeSet::new();
    for held in held {
        if is_own(&held, OF_NAMESPACES) && held.finalizers.is_empty() {
            all.insert(OF_NAMESPACES.to_owned());
        }
        all.extend(held.finalizers);
    }
    match all.len() {
        0 => Err("nothing of it has a finalizer and is being deleted".into()),
        1 => Ok(all.pop_first().unwrap_or_default()),
        _ => {
            Err(format!("say which finalizer: {}", all.into_iter().collect::<Vec<_>>().join(", ")))
        }
    }
}

/// Whether it is what holds a namespace until it is empty.
fn is_own(held: &Held, finalizer: &str) -> bool {
    let own = held.object.pointer("/spec/finalizers").and_then(Value::as_array);
    held.gvk.group.is_empty()
        && held.gvk.kind == "Namespace"
        && finalizer == OF_NAMESPACES
        && own.is_some_and(|own| own.iter().any(|f| f == OF_NAMESPACES))
}

fn remove(
    draft: &mut Draft<'_>,
    seen: &Seen,
    held: &Held,
    finalizer: &str,
    even_alive: bool,
    evidence: &Evidence,
) {
    let path = seen.target.path();
    let Some(place) = held.finalizers.iter().position(|f| f == finalizer) else {
        return draft.skip(match held.finalizers.is_empty() {
            true => format!("{path} has no finalizer"),
            false => format!("{path} has no {finalizer}, but {}", held.finalizers.join(", ")),
        });
    };
    let ruling = judge(held, evidence);
    let Some(holder) = ruling.holders.iter().find(|h| h.finalizer == finalizer) else { return };
    if holder.life == Life::Works && !even_alive {
        return draft
            .skip(format!("{path} is left alone, {}; wait (or add {EVEN_ALIVE})", holder.why));
    }
    draft.note(of_life(holder));
    draft.note(Note::bad(format!("skipped: {}", holder.skips)));
    for note in ruling.notes.iter().filter(|n| n.contains("webhook")) {
        draft.note(Note::warn(note.clone()));
    }
    let others: Vec<&str> =
        held.finalizers.iter().filter(|f| *f != finalizer).map(String::as_str).collect();
    if !others.is_empty() {
        draft.note(Note::warn(format!("{path} is still held by {}", others.join(", "))));
    }
    let at = format!("/metadata/finalizers/{place}");
    let deleted = text(&seen.object, "/metadata/deletionTimestamp");
    let write = Write {
        method: Method::JsonPatch,
        target: seen.target.clone(),
        sub: "",
        body: json!([
            {"op": "test", "path": "/metadata/deletionTimestamp", "value": deleted},
            {"op": "test", "path": at, "value": finalizer},
            {"op": "remove", "path": at},
        ]),
    };
    let words = format!("remove the finalizer {finalizer} from {} {path}", held.gvk.kind);
    let before = Before { vetoes: holder.vetoes.clone(), backup: true };
    draft.step(Step::new(words, &write, None).map(|step| step.after(before)));
}

fn of_life(holder: &Holder) -> Note {
    let words = holder.why.clone();
    match holder.life {
        Life::Gone => Note::plain(words),
        Life::Unknown => Note::warn(format!("{words}: it may be at work all the same")),
        Life::Fails | Life::Works => {
            Note::bad(format!("{words}: it could still do its work itself"))
        }
    }
}

/// Takes a namespace's own finalizer away, after everything else that could be done was said.
fn finalize(draft: &mut Draft<'_>, seen: &Seen, held: &Held, evidence: &Evidence) {
    let path = seen.target.path();
    let ruling = judge(held, evidence);
    let own = ruling.holders.iter().find(|h| h.finalizer.is_empty());
    if let Some(holder) = own {
        draft.note(of_life(holder));
        draft.note(Note::bad(format!("skipped: {}", holder.skips)));
    }
    draft.note(Note::warn(format!("less harmful: {}", ruling.next)));
    let left = evidence.content.get(&held.name);
    let unknown = left.map(|left| left.unknown.as_slice()).unwrap_or_default();
    for note in ruling.notes.iter().filter(|note| !unknown.contains(note)) {
        draft.note(Note::plain(note.clone()));
    }
    match left {
        None => draft.note(Note::bad(format!("what is left in {path} is unknown"))),
        Some(left) => {
            let parts: Vec<String> =
                left.objects.iter().map(|(what, n)| format!("{n} {what}")).collect();
            draft.note(match parts.is_empty() {
                true => Note::plain("nothing is left in it, of all that could be listed"),
                false => Note::bad(format!("orphans: {}", parts.join(", "))),
            });
            for object in &left.examples {
                let held_by = match object.finalizers.is_empty() {
                    true => String::new(),
                    false => format!(" (held by {})", object.finalizers.join(", ")),
                };
                draft.note(Note::plain(format!("  {} {}{held_by}", object.resource, object.name)));
            }
            for unknown in &left.unknown {
                draft.note(Note::bad(format!("unknown: {unknown}")));
            }
        }
    }
    let mut body = seen.object.clone();
    if let Some(own) = body.pointer_mut("/spec/finalizers").and_then(Value::as_array_mut) {
        own.retain(|f| f != OF_NAMESPACES);
    }
    body["kind"] = "Namespace".into();
    body["apiVersion"] = "v1".into();
    let write =
        Write { method: Method::Replace, target: seen.target.clone(), sub: "finalize", body };
    let words = format!("finalize the namespace {path} although it may not be empty");
    let vetoes = own.map(|h| h.vetoes.clone()).unwrap_or_default();
    let before = Before { vetoes, backup: true };
    draft.step(Step::new(words, &write, None).map(|step| step.after(before)));
}
