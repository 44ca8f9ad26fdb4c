//! A page of text about one object: YAML or a description.

use crate::state::decl::{Gvk, TableSpec};
use crate::state::doc::{Doc, Line, wrapped};
use crate::state::parcel::Key;
use serde_json::Value;
use std::sync::Arc;

/// The object a document or an action is about, captured by value when the key was pressed.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Table its row lives in.
    pub table: &'static str,
    /// Kind.
    pub gvk: &'static Gvk,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Identity: what is acted on is this object and not another of the same name.
    pub key: Key,
    /// resourceVersion of the row that was seen.
    pub rv: u64,
}

impl Target {
    /// An object that was not seen in a row, by what it is called. Without a uid it is whatever has the name.
    pub fn named(gvk: &'static Gvk, namespace: &str, name: &str, uid: &str) -> Target {
        let key = Key::of(uid, namespace, name);
        Target {
            table: "",
            gvk,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            key,
            rv: 0,
        }
    }

    /// An object as it was read.
    pub fn of(gvk: &'static Gvk, object: &Value) -> Target {
        let text = |at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let rv = text("/metadata/resourceVersion").parse().unwrap_or(0);
        Target { rv, ..Target::named(gvk, namespace, name, text("/metadata/uid")) }
    }

    /// An object of the first kind of a table, by what it is called.
    pub fn in_table(spec: &'static TableSpec, namespace: &str, name: &str, uid: &str) -> Target {
        Target { table: spec.id, ..Target::named(&spec.kinds[0].gvk, namespace, name, uid) }
    }

    /// `namespace/name`, or the name.
    pub fn path(&self) -> String {
        if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}/{}", self.namespace, self.name)
        }
    }
}

/// What is to be fetched and how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The object as YAML.
    Yaml,
    /// The object explained, with its events.
    Describe,
    /// Why no node takes the pod.
    Why,
    /// Why the object does not go although it was deleted.
    Stuck,
    /// The node as its kubelet sees it.
    Kubelet,
    /// Which flow schema catches a request; the target's name is the question in words.
    WhatIf,
    /// The dump that a table of priority and fairness was made from, as it came.
    Dump,
}

/// A document on its way.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// Asked for; objects read so far, where many are needed.
    Asking(usize),
    /// Here: the object (and its events) as the server gave it.
    Here(Arc<Fetched>),
    /// Not to be had, in words.
    Refused(String),
}

/// What was fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The object.
    pub object: serde_json::Value,
    /// Its events, or why there are none to show.
    pub events: Result<Vec<serde_json::Value>, String>,
    /// The page itself, where it takes more than the object to make it.
    pub page: Option<Doc>,
}

/// What became of a document's object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum News {
    /// Nothing, as far as is known.
    #[default]
    None,
    /// It has another resource version.
    Changed,
    /// It is not there any more.
    Gone,
}

/// A document page.
pub struct DocUi {
    /// The object.
    pub target: Target,
    /// YAML or description.
    pub form: Form,
    /// What [`Form::WhatIf`] asks.
    pub question: Option<Box<crate::state::fairness::question::Question>>,
    /// The data.
    pub loaded: Loaded,
    /// What is painted, made from the data.
    pub doc: Doc,
    /// First line shown.
    pub top: usize,
    /// First cell shown.
    pub left: usize,
    /// Cells a line may take before it goes on in the next row; 0 as long as that is not known.
    pub cells: usize,
    /// Whether folded parts are open: managed fields, then Secret values.
    pub open: crate::state::doc::Folds,
    /// What is searched for.
    pub search: String,
    /// What became of the object since it was fetched.
    pub news: News,
}

impl DocUi {
    /// A page that waits for its object.
    pub fn new(target: Target, form: Form) -> DocUi {
        DocUi {
            target,
            form,
            question: None,
            loaded: Loaded::Asking(0),
            doc: Doc::default(),
            top: 0,
            left: 0,
            cells: 0,
            open: Default::default(),
            search: String::new(),
            news: News::None,
        }
    }

    /// Scrolls by lines within `height` visible ones.
    pub fn scroll(&mut self, by: i64, height: u16) {
        let last = self.last_top(usize::from(height));
        self.top = (self.top as i64 + by).clamp(0, last as i64) as usize;
    }

    /// The rows of a line. YAML is not wrapped: where a line begins means something.
    pub fn rows(&self, line: &Line) -> Vec<Line> {
        match self.form {
            Form::Yaml | Form::Dump => vec![line.clone()],
            _ => wrapped(line, self.cells),
        }
    }

    /// The first line, if the last one is to stand at the bottom of so many rows.
    fn last_top(&self, height: usize) -> usize {
        let lines = &self.doc.lines;
        let mut rows = 0;
        for (i, line) in lines.iter().enumerate().rev() {
            rows += if matches!(self.form, Form::Yaml | Form::Dump) {
                1
            } else {
                self.rows(line).len()
            };
            if rows > height {
                return (i + 1).min(lines.len() - 1);
            }
        }
        0
    }

    /// The next line that holds the search text, from the top line on; wraps round.
    pub fn find(&mut self, back: bool) -> bool {
        let n = self.doc.lines.len();
        if self.search.is_empty() || n == 0 {
            return false;
        }
        let wanted = self.search.to_lowercase();
        let hit = (1..=n).map(|d| if back { (self.top + n - d) % n } else { (self.top + d) % n });
        let holds = |i: &usize| self.doc.lines[*i].text().to_lowercase().contains(&wanted);
        let found = hit.into_iter().find(holds);
        if let Some(line) = found {
            self.top = line;
        }
        found.is_some()
    }
}
