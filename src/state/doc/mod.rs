//! Documents about one object: lines of words with roles, made from the object's JSON.
//!
//! Invariant: pure; a line holds no line break; no value of a Secret is in a document unless its fold was opened.
//! Other control characters of the cluster's text are still there: painters clean what they paint.

pub mod describe;
pub mod kubelet;
mod pending;
mod stuck;
mod whatif;
mod wrapped;
pub mod yaml;

pub use describe::{certificate_request, describe, describe_in};
pub use pending::{Findings, Refusal, pending};
pub use stuck::{not_stuck, role as stuck_role, stuck};
pub use whatif::whatif;
pub use wrapped::wrapped;
pub use yaml::{Folds, yaml, yaml_text};

use super::cell::Role;
use serde_json::Value;

/// A document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Doc {
    /// What it is about: `Pod shop/web-0`.
    pub title: String,
    /// Its lines.
    pub lines: Vec<Line>,
}

impl Doc {
    /// The lines as plain text, each ended by a line break.
    pub fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.text(), "\n".to_owned()]).collect()
    }
}

/// A line: pieces of text, each with its meaning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// The pieces.
    pub spans: Vec<(Role, String)>,
    /// What is folded away behind this line.
    pub fold: Option<Fold>,
}

impl Line {
    /// A line of one piece. A line break in it becomes a blank.
    pub fn of(role: Role, text: impl Into<String>) -> Line {
        let mut line = Line::default();
        line.push(role, text);
        line
    }

    /// Adds a piece; empty ones are left out, a line break in it becomes a blank.
    pub fn push(&mut self, role: Role, text: impl Into<String>) {
        let text: String = text.into();
        if !text.is_empty() {
            let flat =
                if text.contains(['\n', '\r']) { text.replace(['\n', '\r'], " ") } else { text };
            self.spans.push((role, flat));
        }
    }

    /// The line as plain text.
    pub fn text(&self) -> String {
        self.spans.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// What a folded line stands for, so that a view knows which key opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Bookkeeping: `metadata.managedFields` and the last-applied annotation.
    Managed,
    /// Values of a Secret.
    Secrets,
}

/// `Pod shop/web-0`, `Node n1`.
pub(crate) fn title(object: &Value) -> String {
    let text = |at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let name = match (text("/metadata/namespace"), text("/metadata/name")) {
        ("", name) => name.to_owned(),
        (namespace, name) => format!("{namespace}/{name}"),
    };
    format!("{} {name}", text("/kind")).trim().to_owned()
}

/// A size in words: `18 bytes`, `1.5Ki`.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1024 => format!("{bytes} bytes"),
        _ => super::cell::bytes(bytes as i64),
    }
}
