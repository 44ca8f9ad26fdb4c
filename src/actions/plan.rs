//! Plans: changes as data, from what was seen to what will be sent.
//!
//! Invariant: a plan performs nothing. Only [`Plan::confirm`] makes an [`Armed`] one, and only an armed plan can be
//! executed; every write in it names the object by the uid that the operator saw.

use crate::state::ui::document::Target;
use serde_json::{Value, json};

/// How a confirmed change reaches the API server.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// POST to the object's subresource, or to its collection if there is no object yet.
    Create,
    /// PATCH with JSON patch operations (RFC 6902). A test of the uid is put before them.
    JsonPatch,
    /// DELETE with the uid as a precondition.
    Delete,
}

/// One request that changes something.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// How.
    pub method: Method,
    /// The object, by the uid that was seen. The uid of an object that is to be created is not read.
    pub target: Target,
    /// Subresource, `eviction`; empty for the object itself.
    pub sub: &'static str,
    /// The document: the object or subresource to create, the array of patch operations, or the delete options.
    pub body: Value,
}

/// Why a write cannot be made into a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoUid;

impl Write {
    /// URL path with query, content type, and the document with its guard. Shown in the preview and sent as it is.
    ///
    /// # Errors
    /// [`NoUid`] if the object was seen without a uid of the server: it can be looked at, not written to.
    pub fn request(&self, dry_run: bool) -> Result<(String, &'static str, Value), NoUid> {
        let Target { gvk, namespace, name, key, .. } = &self.target;
        let uid = key.uid().ok_or(NoUid);
        let (path, kind, body) = match self.method {
            Method::Create if self.sub.is_empty() => {
                (gvk.collection(Some(namespace)), "application/json", self.body.clone())
            }
            Method::Create => {
                (gvk.object(namespace, name), "application/json", self.evicting(uid?))
            }
            Method::JsonPatch => {
                let mut ops = vec![json!({"op": "test", "path": "/metadata/uid", "value": uid?})];
                ops.extend(self.body.as_array().into_iter().flatten().cloned());
                (gvk.object(namespace, name), "application/json-patch+json", Value::Array(ops))
            }
            Method::Delete => {
                let mut options = self.body.clone();
                if !options.is_object() {
                    options = json!({});
                }
                options["preconditions"]["uid"] = uid?.into();
                options["apiVersion"] = "v1".into();
                options["kind"] = "DeleteOptions".into();
                (gvk.object(namespace, name), "application/json", options)
            }
        };
        let sub = if self.sub.is_empty() { String::new() } else { format!("/{}", self.sub) };
        let strict = match self.method {
            Method::Delete => "fieldManager=wheelhouse".to_owned(),
            _ => "fieldManager=wheelhouse&fieldValidation=Strict".to_owned(),
        };
        let dry = if dry_run { "&dryRun=All" } else { "" };
        Ok((format!("{path}{sub}?{strict}{dry}"), kind, body))
    }

    /// An eviction carries the uid in its own delete options; other subresources have no such field.
    fn evicting(&self, uid: String) -> Value {
        let mut body = self.body.clone();
        if self.sub == "eviction" {
            body["deleteOptions"]["preconditions"]["uid"] = uid.into();
        }
        body
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What will happen, one line: `cordon node-00018`.
    pub words: String,
    /// The request.
    pub write: Write,
    /// The request that puts back what this one changed. It must test that nobody changed it since.
    pub undo: Option<Write>,
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// For information.
    Plain,
    /// To be considered.
    Warn,
    /// Something is given up or lost.
    Bad,
}

/// A line of the preview.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Its weight.
    pub weight: Weight,
    /// Its words.
    pub words: String,
}

/// What a plan may do, in the order of what is asked of the operator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Can be put back as it was: `y`.
    Reversible,
    /// Disturbs what runs: `y`, read after the preview was on screen for a moment.
    Disruptive,
    /// Loses something: this text must be typed, a name or a count.
    Destructive(String),
}

/// A change, not yet confirmed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The action's id, `cordon`.
    pub action: &'static str,
    /// `cordon 3 nodes`.
    pub title: String,
    /// What is sent, in this order.
    pub steps: Vec<Step>,
    /// What the preview says beside the steps.
    pub notes: Vec<Note>,
    /// What confirmation takes.
    pub danger: Danger,
}

/// What the operator answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `y`, or `--yes`.
    Yes,
    /// Typed text.
    Typed(String),
}

/// A confirmed plan. Nothing else can be executed.
#[derive(Debug)]
pub struct Armed(Plan);

impl Plan {
    /// Arms the plan if the answer is what its danger asks for; else gives it back.
    ///
    /// # Errors
    /// The plan, not confirmed.
    pub fn confirm(self, answer: &Answer) -> Result<Armed, Box<Plan>> {
        let enough = match (&self.danger, answer) {
            (Danger::Reversible | Danger::Disruptive, Answer::Yes) => true,
            (Danger::Destructive(word), Answer::Typed(text)) => word == text,
            _ => false,
        };
        if enough { Ok(Armed(self)) } else { Err(Box::new(self)) }
    }
}

impl Armed {
    /// What was confirmed.
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}
