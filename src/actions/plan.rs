//! Plans: changes as data, from what was seen to what will be sent.
//!
//! Invariant: a plan performs nothing. Only [`Plan::confirm`] makes an [`Armed`] one, and only an armed plan can be
//! executed; every write in it names the object by the uid that the operator saw.

use super::drain::orders::DrainRun;
use crate::state::journal::Undo;
use crate::state::rules::stuck::Veto;
use crate::state::ui::document::Target;
use serde_json::{Value, json};

/// How a change reaches the API server.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// POST to the object's subresource, or to its collection if there is no object yet.
    Create,
    /// PATCH with JSON patch operations (RFC 6902). A test of the uid is put before them.
    JsonPatch,
    /// PATCH with a document to merge (RFC 7386). The uid is put into it: the server refuses a patch that would change
    /// it (apimachinery `ValidateObjectMetaUpdate`), so a recreated object is never hit; what it does not name is left
    /// alone.
    MergePatch,
    /// PUT of the whole object, with the uid and the resourceVersion that were seen in it: the only way that
    /// `namespaces/finalize` takes (`registry/core/namespace/storage`, `FinalizeREST`).
    Replace,
    /// DELETE with the uid as a precondition.
    Delete,
}

/// A change of one object, before it is a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// How.
    pub method: Method,
    /// The object, by the uid that was seen. The uid of an object that is to be created is not read.
    pub target: Target,
    /// Subresource, `eviction`; empty for the object itself.
    pub sub: &'static str,
    /// The document: the object or subresource to create, the operations, the patch, or the delete options.
    pub body: Value,
}

/// A request as it is shown, sent and recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// URL path with query.
    pub path: String,
    /// Content type of the body.
    pub content_type: String,
    /// The document, with its guard.
    pub body: Value,
}

/// Why a write cannot be made into a request: the object was seen without a uid of the server. It can be looked at, not
/// written to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} has no uid of the server: it can be looked at, not changed")]
pub struct NoUid(String);

impl Write {
    /// The request with its guard.
    ///
    /// # Errors
    /// [`NoUid`].
    pub fn request(&self) -> Result<Request, NoUid> {
        let Target { gvk, namespace, name, key, .. } = &self.target;
        let creates = self.method == Method::Create && self.sub.is_empty();
        let uid = match key.uid() {
            Some(uid) => uid,
            None if creates => String::new(),
            None => return Err(NoUid(self.target.path())),
        };
        let mut path = match creates {
            true => gvk.collection(Some(namespace)),
            false => gvk.object(namespace, name),
        };
        if !self.sub.is_empty() {
            path = format!("{path}/{}", self.sub);
        }
        let mut body = self.body.clone();
        let (method, content_type) = match self.method {
            Method::Create => {
                if self.sub == "eviction" {
                    // An eviction names the uid in delete options of its own.
                    body["deleteOptions"]["preconditions"]["uid"] = uid.into();
                }
                ("POST", "application/json")
            }
            Method::JsonPatch => {
                let test = json!({"op": "test", "path": "/metadata/uid", "value": uid});
                let ops = body.as_array().cloned().unwrap_or_default();
                body = Value::Array(std::iter::once(test).chain(ops).collect());
                ("PATCH", "application/json-patch+json")
            }
            Method::MergePatch => {
                body["metadata"]["uid"] = uid.into();
                ("PATCH", "application/merge-patch+json")
            }
            Method::Replace => {
                body["metadata"]["uid"] = uid.into();
                ("PUT", "application/json")
            }
            Method::Delete => {
                body["kind"] = "DeleteOptions".into();
                body["apiVersion"] = "v1".into();
                body["preconditions"]["uid"] = uid.into();
                ("DELETE", "application/json")
            }
        };
        // A DELETE takes neither; unknown fields of the others are an error and not a warning.
        let query =
            if method == "DELETE" { "" } else { "?fieldManager=wheelhouse&fieldValidation=Strict" };
        Ok(Request {
            method: method.into(),
            path: format!("{path}{query}"),
            content_type: content_type.into(),
            body,
        })
    }
}

impl Request {
    /// The same with `dryRun=All`: admission runs, nothing is stored.
    pub fn dry(&self) -> Request {
        let mark = if self.path.contains('?') { '&' } else { '?' };
        Request { path: format!("{}{mark}dryRun=All", self.path), ..self.clone() }
    }
}

/// What comes before a step's request. If it fails, the request is not sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Before {
    /// Who must still be dead.
    pub vetoes: Vec<Veto>,
    /// The object is kept as a file first.
    pub backup: bool,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What will happen, one line: `cordon node-00018`.
    pub words: String,
    /// Kind, namespace, name and uid of the object.
    pub object: [String; 4],
    /// The request.
    pub request: Request,
    /// The request that puts back what this one changed. It tests that nobody changed it since.
    pub undo: Option<Undo>,
    /// What comes before the request.
    pub before: Before,
}

impl Step {
    /// A step, and the write that puts it back, in words.
    ///
    /// # Errors
    /// [`NoUid`].
    pub fn new(words: String, write: &Write, undo: Option<(String, Write)>) -> Result<Step, NoUid> {
        let target = &write.target;
        let undo = undo.map(|(words, write)| {
            let Request { method, path, content_type, body } = write.request()?;
            Ok(Undo { words, method, path, content_type, body })
        });
        Ok(Step {
            words,
            object: [
                target.gvk.kind.to_owned(),
                target.namespace.clone(),
                target.name.clone(),
                target.key.uid().unwrap_or_default(),
            ],
            request: write.request()?,
            undo: undo.transpose()?,
            before: Before::default(),
        })
    }
}

impl Step {
    /// The same, after something.
    pub fn after(self, before: Before) -> Step {
        Step { before, ..self }
    }
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
    pub action: String,
    /// `cordon 3 nodes`.
    pub title: String,
    /// What is sent, in this order.
    pub steps: Vec<Step>,
    /// What the preview says beside the steps.
    pub notes: Vec<Note>,
    /// What confirmation takes.
    pub danger: Danger,
    /// What runs once it is confirmed, if it is a drain and not a list of steps.
    pub drain: Option<Box<DrainRun>>,
    /// Why, as the operator gave it: it goes into the journal. Empty if not given.
    pub reason: String,
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
#[derive(Debug, PartialEq)]
pub struct Armed(Plan);

impl Danger {
    /// One level more, as a protected context asks: the last one is typing its name.
    pub fn raised(self, context: &str) -> Danger {
        match self {
            Danger::Reversible => Danger::Disruptive,
            Danger::Disruptive | Danger::Destructive(_) => Danger::Destructive(context.to_owned()),
        }
    }
}

impl Note {
    /// A note for information.
    pub fn plain(words: impl Into<String>) -> Note {
        Note { weight: Weight::Plain, words: words.into() }
    }

    /// A note to be considered.
    pub fn warn(words: impl Into<String>) -> Note {
        Note { weight: Weight::Warn, words: words.into() }
    }

    /// A note on what is given up.
    pub fn bad(words: impl Into<String>) -> Note {
        Note { weight: Weight::Bad, words: words.into() }
    }
}

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
