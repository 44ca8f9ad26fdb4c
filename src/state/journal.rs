//! What a journal's lines say: one run of an action is a header, an intent before each request, an outcome after it, and
//! an end. A run without an end was interrupted; an intent without an outcome has an unknown result.

mod page;
mod put_back;
mod report;
mod story;

pub use page::page;
pub use put_back::{PutBack, Sent};
pub use report::report;
pub use story::{Damage, End, Entry, Newer, Remark, Standing, Story};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The format this program writes. It reads this and every earlier one.
pub const VERSION: u32 = 1;

/// One line of a run's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Seconds since 1970 by this machine's clock.
    pub at: f64,
    /// What is recorded.
    #[serde(flatten)]
    pub record: Record,
}

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// The first line of each file.
    Began(Box<Began>),
    /// A request is about to be sent. On disk before it is sent.
    Intent(Box<Intent>),
    /// What became of it.
    Outcome(Outcome),
    /// Something that was seen or decided and explains the rest; `data` is the engine's own.
    Noted {
        /// In words, for the report.
        words: String,
        /// For the engine that resumes.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        data: Value,
    },
    /// The last line of a run that came to its end.
    Ended {
        /// How.
        how: How,
        /// In words.
        words: String,
    },
    /// Of a kind that only a later version knows. Never written.
    #[serde(other)]
    Other,
}

/// Who, where, when, what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Began {
    /// [`VERSION`].
    pub version: u32,
    /// The run's name, unique on this machine, and the stem of its file.
    pub run: String,
    /// The action's id.
    pub action: String,
    /// `cordon 3 nodes`.
    pub title: String,
    /// kubeconfig context.
    pub context: String,
    /// Server URL.
    pub server: String,
    /// Who we are to the server.
    pub user: String,
    /// Login name, host and process that ran it.
    pub login: String,
    /// Host name.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Why, as the operator gave it: reason, ticket. Empty if not given.
    #[serde(default)]
    pub reason: String,
    /// What the action needs to go on after an interruption.
    #[serde(default)]
    pub plan: Value,
}

/// A request before it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Number within the run; its outcome carries the same.
    pub step: u64,
    /// What it will do, one line.
    pub words: String,
    /// HTTP method.
    pub method: String,
    /// URL path with query.
    pub path: String,
    /// `Node`, `Pod`.
    pub kind: String,
    /// Empty for cluster-scoped objects.
    #[serde(default)]
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The uid that was seen.
    pub uid: String,
    /// The document sent. Never secret: actions on secrets record none.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
    /// The request that puts it back, as [`Undo`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
}

/// A request that puts something back, ready to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    /// What it will do.
    pub words: String,
    /// HTTP method.
    pub method: String,
    /// URL path with query.
    pub path: String,
    /// Content type of the body.
    pub content_type: String,
    /// The document. It tests that nobody changed the object since.
    pub body: Value,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The intent's number.
    pub step: u64,
    /// What became of it.
    pub result: Fate,
    /// HTTP status; 0 if no answer came.
    pub status: u16,
    /// In words: why it was refused, what is unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// resourceVersion of the object in the answer, empty if it carries none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rv: String,
    /// `Audit-Id` of the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub audit_id: String,
    /// `Warning` headers of the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What became of a request, or of an intent whose outcome is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// The server did it.
    Done,
    /// The server refused, nothing was changed.
    Refused,
    /// No answer came: it may or may not have been done.
    Unknown,
    /// It was never sent.
    NotSent,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// All of it was done.
    Done,
    /// Some of it was done.
    Incomplete,
    /// Nothing was done.
    Failed,
    /// The operator ended it.
    Aborted,
    /// Everything it had done was put back.
    Undone,
}

impl Fate {
    /// In words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Fate::Done => "done",
            Fate::Refused => "refused",
            Fate::Unknown => "unknown, check",
            Fate::NotSent => "not sent",
        }
    }
}

impl How {
    /// In words, for people.
    pub fn words(self) -> &'static str {
        match self {
            How::Done => "done",
            How::Incomplete => "incomplete",
            How::Failed => "failed",
            How::Aborted => "aborted",
            How::Undone => "undone",
        }
    }
}
