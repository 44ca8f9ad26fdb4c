//! What all actions that change something have in common: they are planned from whole objects, read by uid just before
//! the preview, and each of them is one request.

use super::plan::{Danger, Note, Plan, Step};
use crate::state::rules::stuck::Evidence;
use crate::state::store::Store;
use crate::state::ui::document::Target;
use serde_json::Value;
use std::sync::Arc;

/// An object to be changed, as it was read just now.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What the operator saw.
    pub target: Target,
    /// The whole object.
    pub object: Value,
    /// The pods of a node, where [`Change::wants_pods`] asked for them.
    pub pods: Result<Vec<Value>, String>,
    /// What the cluster shows of the controllers of all that is to be changed, where [`Change::wants_evidence`] asked for
    /// it.
    pub evidence: Option<Arc<Evidence>>,
}

/// Who changes it, and when.
#[derive(Clone, Debug, Default)]
pub struct By {
    /// `login@host`.
    pub login: String,
    /// RFC 3339, by the server's clock.
    pub at: String,
}

/// A text that an action needs before it can be planned.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// What is asked for.
    pub label: &'static str,
    /// How it is written.
    pub example: &'static str,
}

/// A change that can be planned.
pub trait Change: Sync {
    /// What has to be typed first.
    fn argument(&self) -> Option<Argument> {
        None
    }

    /// Whether a typed text can be used, in words while it is being typed.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, _argument: &str) -> Result<(), String> {
        Ok(())
    }

    /// The verb and the subresource that an RBAC rule must allow.
    fn right(&self) -> (&'static str, &'static str);

    /// Whether the pods of each node are needed to say what will happen.
    fn wants_pods(&self, _argument: &str) -> bool {
        false
    }

    /// Tables that are read anew, whole, before it is planned.
    fn rereads(&self) -> &'static [&'static str] {
        &[]
    }

    /// What else a rule must allow: verb, group, resource, and the name it is asked for.
    fn more_rights(&self, _on: &[Seen]) -> Vec<[String; 4]> {
        vec![]
    }

    /// Whether what the cluster shows of the objects' controllers is needed to say what will happen.
    fn wants_evidence(&self) -> bool {
        false
    }

    /// Whether the server checks every step (`dryRun=All`) before the preview.
    fn is_dry_run_first(&self) -> bool {
        false
    }

    /// Why, if what is typed for it says that: it goes into the journal.
    fn reason(&self, _argument: &str) -> String {
        String::new()
    }

    /// The plan. Pure: the same objects give the same plan.
    ///
    /// # Errors
    /// Why nothing can or need be done.
    fn plan(&self, on: &[Seen], argument: &str, by: &By) -> Result<Plan, String>;

    /// The plan, from what the [reread](Change::rereads) tables hold too.
    ///
    /// # Errors
    /// As [`Change::plan`].
    fn plan_among(
        &self,
        on: &[Seen],
        argument: &str,
        by: &By,
        _among: &Store,
    ) -> Result<Plan, String> {
        self.plan(on, argument, by)
    }
}

/// A plan in the making.
pub struct Draft<'a> {
    verb: &'a str,
    steps: Vec<Step>,
    notes: Vec<Note>,
    danger: Danger,
    skipped: Vec<String>,
}

impl<'a> Draft<'a> {
    /// An empty plan of an action.
    pub fn new(verb: &'a str, danger: Danger) -> Draft<'a> {
        Draft { verb, steps: vec![], notes: vec![], danger, skipped: vec![] }
    }

    /// The action's word.
    pub fn verb(&self) -> &'a str {
        self.verb
    }

    /// Adds a step, or leaves its object out because it was seen without a uid.
    pub fn step(&mut self, step: Result<Step, super::plan::NoUid>) {
        match step {
            Ok(step) => self.steps.push(step),
            Err(why) => self.skipped.push(why.to_string()),
        }
    }

    /// Leaves an object out.
    pub fn skip(&mut self, why: impl Into<String>) {
        self.skipped.push(why.into());
    }

    /// Adds a line to the preview.
    pub fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Confirmation takes at least this.
    pub fn raise(&mut self, danger: Danger) {
        self.danger = self.danger.clone().max(danger);
    }

    /// The plan for `what`, the noun in the singular.
    ///
    /// # Errors
    /// Nothing is left to be done.
    pub fn finish(mut self, on: &[Seen], noun: &str) -> Result<Plan, String> {
        if self.steps.is_empty() {
            return Err(self.skipped.join("; "));
        }
        if !self.skipped.is_empty() {
            let (n, all) = (self.skipped.len(), on.len());
            self.notes.insert(
                0,
                Note::plain(format!("{n} of {all} left out: {}", self.skipped.join("; "))),
            );
        }
        // The word is for what is done, not for what was left out.
        if let Danger::Destructive(word) = &mut self.danger {
            *word = match &self.steps[..] {
                [step] => step.object[2].clone(),
                steps => steps.len().to_string(),
            };
        }
        let title = match &self.steps[..] {
            [step] => step.words.clone(),
            steps => format!("{} {} {noun}s", self.verb, steps.len()),
        };
        Ok(Plan {
            action: self.verb.to_owned(),
            title,
            steps: self.steps,
            notes: self.notes,
            danger: self.danger,
            drain: None,
            reason: String::new(),
        })
    }

    /// What has to be typed for something that cannot be put back: the only object's name, or how many there are.
    pub fn word(on: &[Seen]) -> String {
        match on {
            [one] => one.target.name.clone(),
            many => many.len().to_string(),
        }
    }
}

/// A text at a JSON pointer, empty if there is none.
pub fn text<'v>(value: &'v Value, at: &str) -> &'v str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default()
}

/// A key as part of a JSON pointer (RFC 6901).
pub fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Who last set a field, and when, by the server's own notes (`metadata.managedFields`): path of `f:` names.
pub fn manager<'v>(object: &'v Value, path: &[&str]) -> Option<(&'v str, &'v str)> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let owns = |entry: &&Value| {
        let mut at = &entry["fieldsV1"];
        for name in path {
            at = &at[format!("f:{name}")];
        }
        !at.is_null()
    };
    let entry = entries.iter().rfind(owns)?;
    Some((text(entry, "/manager"), text(entry, "/time")))
}
