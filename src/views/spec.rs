//! How a table view is declared.

use crate::state::State;
use crate::state::cell::Role;
use crate::state::row::Row;
use crate::state::ui::document::Form;

/// A view of one table.
pub struct TableView {
    /// What it is called: on the command line, in the palette, in the docs.
    pub id: &'static str,
    /// Other names, as kubectl and k9s users type them.
    pub aliases: &'static [&'static str],
    /// The table it shows.
    pub table: &'static str,
    /// Tables it needs beside its own (joins).
    pub also: &'static [&'static str],
    /// Columns shown, in order.
    pub columns: &'static [&'static str],
    /// Columns added by the wide toggle.
    pub wide: &'static [&'static str],
    /// Columns that go first when the terminal is narrow, least wanted first.
    pub narrow: &'static [&'static str],
    /// Sort column and whether it runs downwards.
    pub sort: (&'static str, bool),
    /// What Enter leads to, with its word for the key line.
    pub enter: (&'static str, for<'a> fn(Row<'a>) -> Option<Jump>),
    /// The second line of the screen.
    pub summary: fn(&State) -> Vec<Part>,
    /// What the last line says of a row, if there is something worth saying.
    pub detail: for<'a> fn(Row<'a>) -> Option<String>,
    /// What an operator should know about this view.
    pub help: &'static str,
}

/// A piece of the summary line.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Words.
    pub text: String,
    /// Their weight.
    pub role: Role,
    /// What a digit key leads to.
    pub link: Option<Jump>,
}

impl Part {
    /// Plain words.
    pub fn say(text: impl Into<String>) -> Part {
        Part { text: text.into(), ..Part::default() }
    }

    /// A count with its noun: dim and no link when zero.
    pub fn count(n: i64, noun: &str, role: Role, link: Option<Jump>) -> Part {
        let text = format!("{} {noun}", crate::state::cell::grouped(n));
        if n == 0 { Part { text, role: Role::Dim, link: None } } else { Part { text, role, link } }
    }
}

/// A way to another place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jump {
    /// The view; empty means a description of the row.
    pub view: &'static str,
    /// What narrows it, in words for the header; empty if nothing does.
    pub about: String,
    /// The rows it is about, in the filter's grammar; not editable there.
    pub scope: String,
    /// A filter to start with.
    pub filter: String,
    /// Which page of the row itself, where the view is empty; a description unless said otherwise.
    pub form: Option<Form>,
    /// Namespace and name to put the cursor on.
    pub seek: Option<(String, String)>,
}

impl Jump {
    /// The rows of a view that match a filter.
    pub fn filtered(view: &'static str, filter: &str) -> Jump {
        Jump { view, filter: filter.to_owned(), ..Jump::default() }
    }

    /// The rows of a view that belong to something.
    pub fn about(view: &'static str, about: String, scope: String) -> Jump {
        Jump { view, about, scope, ..Jump::default() }
    }

    /// One object in a view.
    pub fn to(view: &'static str, namespace: &str, name: &str) -> Jump {
        let seek = Some((namespace.to_owned(), name.to_owned()));
        Jump { view, seek, ..Jump::default() }
    }

    /// The description of the row itself.
    pub fn describe() -> Jump {
        Jump::default()
    }
}

/// Enter on a row of most views: its description.
pub fn describe(_: Row<'_>) -> Option<Jump> {
    Some(Jump::describe())
}

/// Views with nothing to add about a row.
pub fn no_detail(_: Row<'_>) -> Option<String> {
    None
}
