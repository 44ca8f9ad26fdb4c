//! A page in the making: fields under aligned labels, tables, headings.

use crate::state::cell::Role;
use crate::state::doc::{Line, size};
use crate::state::time::{Epoch, parse_rfc3339, span};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// Cells from the beginning of a label to the beginning of its value.
const LABEL: usize = 18;

/// A cell of a table.
pub(in crate::state::doc) type Cell = (Role, String);

/// Lines so far, and how far in the next ones stand.
#[derive(Default)]
pub(in crate::state::doc) struct Page {
    /// The lines.
    pub lines: Vec<Line>,
    /// Cells that lines are moved in.
    pub indent: usize,
}

impl Page {
    /// A heading after an empty line.
    pub fn heading(&mut self, text: &str) {
        self.lines.push(Line::default());
        self.lines.push(Line::of(Role::Accent, text));
    }

    /// A label and a value, left out if the value is empty.
    pub fn field(&mut self, label: &str, value: impl Into<String>) {
        self.field_as(label, Role::Plain, value);
    }

    /// A label and a value with a meaning. Line breaks in the value go on under it.
    pub fn field_as(&mut self, label: &str, role: Role, value: impl Into<String>) {
        let value = value.into();
        self.list_as(label, role, value.lines());
    }

    /// A label and a value that is one line even if it holds line breaks.
    pub fn list<T: Into<String>>(&mut self, label: &str, values: impl IntoIterator<Item = T>) {
        self.list_as(label, Role::Plain, values);
    }

    fn list_as<T: Into<String>>(
        &mut self,
        label: &str,
        role: Role,
        values: impl IntoIterator<Item = T>,
    ) {
        let values = values.into_iter().map(Into::into).filter(|v: &String| !v.is_empty());
        for (i, value) in values.enumerate() {
            let label = if i == 0 { label } else { "" };
            let mut line = Line::of(Role::Plain, " ".repeat(self.indent));
            line.push(Role::Dim, format!("{label:LABEL$}"));
            line.push(role, value);
            self.lines.push(line);
        }
    }

    /// A line of its own.
    pub fn line(&mut self, role: Role, text: &str) {
        let mut line = Line::of(Role::Plain, " ".repeat(self.indent));
        line.push(role, text);
        self.lines.push(line);
    }

    /// Rows under headings, columns aligned; columns that are empty throughout are left out.
    pub fn table<const N: usize>(&mut self, heads: [&str; N], rows: &[[Cell; N]]) {
        let width = |i: usize| rows.iter().map(|r| r[i].1.width()).max().unwrap_or(0);
        let columns: Vec<(usize, usize)> =
            (0..N).filter(|&i| width(i) > 0).map(|i| (i, width(i).max(heads[i].width()))).collect();
        let heads = heads.map(|h| (Role::Dim, h.to_owned()));
        for row in std::iter::once(&heads).chain(rows) {
            let mut line = Line::of(Role::Plain, " ".repeat(self.indent));
            let mut gap = 0;
            for &(i, width) in &columns {
                let (role, text) = &row[i];
                if !text.is_empty() {
                    line.push(Role::Plain, " ".repeat(gap));
                    gap = 0;
                }
                line.push(*role, text.clone());
                gap += width + 2 - text.width();
            }
            self.lines.push(line);
        }
    }
}

/// The text at a JSON pointer, empty if there is none. Numbers and booleans read as written.
pub(in crate::state::doc) fn text(value: &Value, at: &str) -> String {
    value.pointer(at).map_or(String::new(), scalar)
}

/// A scalar as written, empty for null, lists and objects.
pub(in crate::state::doc) fn scalar(value: &Value) -> String {
    match value {
        Value::String(t) => t.clone(),
        Value::Number(n) => n.to_string(),
        Value::Bool(yes) => yes.to_string(),
        _ => String::new(),
    }
}

/// The text at a JSON pointer, borrowed; empty if it is no string.
pub(in crate::state::doc) fn str_at<'a>(value: &'a Value, at: &str) -> &'a str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default()
}

/// The integer at a JSON pointer, 0 if there is none.
pub(in crate::state::doc) fn int(value: &Value, at: &str) -> i64 {
    value.pointer(at).and_then(Value::as_i64).unwrap_or(0)
}

/// Whether the boolean at a JSON pointer is true.
pub(in crate::state::doc) fn yes(value: &Value, at: &str) -> bool {
    value.pointer(at).and_then(Value::as_bool).unwrap_or(false)
}

/// The elements at a JSON pointer.
pub(in crate::state::doc) fn items<'a>(value: &'a Value, at: &str) -> &'a [Value] {
    value.pointer(at).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The entries at a JSON pointer.
pub(in crate::state::doc) fn entries<'a>(
    value: &'a Value,
    at: &str,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    value.pointer(at).and_then(Value::as_object).into_iter().flatten().map(|(k, v)| (k.as_str(), v))
}

/// `key=value` for each entry at a JSON pointer.
pub(in crate::state::doc) fn pairs(value: &Value, at: &str) -> Vec<String> {
    entries(value, at).map(|(k, v)| format!("{k}={}", scalar(v))).collect()
}

/// The time at a JSON pointer, unset if there is none.
pub(in crate::state::doc) fn time(value: &Value, at: &str) -> Epoch {
    parse_rfc3339(str_at(value, at)).unwrap_or_default()
}

/// `6m ago`; empty for a time that is not set. A time ahead reads `in 30s`.
pub(in crate::state::doc) fn ago(at: Epoch, now: Epoch) -> String {
    match at.0 - now.0 {
        _ if !at.is_set() => String::new(),
        ahead @ 1.. => format!("in {}", span(ahead)),
        _ => format!("{} ago", span(at.age(now))),
    }
}

/// `2026-11-23T02:04:56Z, 6m ago`; empty for a time that is not set.
pub(in crate::state::doc) fn when(at: Epoch, now: Epoch) -> String {
    if at.is_set() { format!("{}, {}", at.rfc3339(), ago(at, now)) } else { String::new() }
}

/// Parts joined by `, `, empty ones left out.
pub(in crate::state::doc) fn join<T: AsRef<str>>(parts: impl IntoIterator<Item = T>) -> String {
    let mut out = String::new();
    for part in parts {
        let part = part.as_ref();
        if !part.is_empty() {
            out.push_str(if out.is_empty() { "" } else { ", " });
            out.push_str(part);
        }
    }
    out
}

/// `1 pod`, `3 pods`.
pub(in crate::state::doc) fn count(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// The text if something holds, else nothing.
pub(in crate::state::doc) fn when_so(so: bool, text: impl Into<String>) -> String {
    if so { text.into() } else { String::new() }
}

/// A plain cell.
pub(in crate::state::doc) fn plain(text: impl Into<String>) -> Cell {
    (Role::Plain, text.into())
}

/// At most `max` characters of the first line, and the size of what was cut.
pub(in crate::state::doc) fn cut(text: &str, max: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let head: String = line.chars().take(max).collect();
    if head.len() == text.len() {
        return head;
    }
    format!("{head}... ({} in all)", size(text.len()))
}
