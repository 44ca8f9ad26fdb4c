//! THE list of actions on objects. A new one is a file in this folder and a line here; keys, palette, key line, help
//! and docs derive from the line.
//!
//! Invariant: an action turns what was seen into an order, which is data; it performs nothing.

use crate::state::State;
use crate::state::cluster::Cluster;
use crate::state::kinds::{self, events};
use crate::state::row::Row;
use crate::state::ui::Page;
use crate::state::ui::document::{Form, Target};
use crate::state::ui::table::TableUi;
use std::collections::BTreeSet;

pub mod change;
pub mod cleanup;
pub mod decide;
pub mod drain;
pub mod landing;
pub mod plan;
pub mod qualified;

macro_rules! actions {
    ($($file:ident::$item:ident;)+) => {
        actions!(@modules $($file)+);
        /// Every action, in the order help lists them.
        pub static ALL: &[&dyn Action] = &[$(&$file::$item),+];
    };
    (@modules $($file:ident)+) => { $(pub mod $file;)+ };
}

actions! {
    describe::Describe;
    yaml::Yaml;
    why::Why;
    why_stuck::WhyStuck;
    kubelet::Kubelet;
    logs::Logs;
    previous_logs::PreviousLogs;
    shell::Shell;
    go_to_node::GoToNode;
    go_to_owner::GoToOwner;
    events_of::EventsOf;
    copy_name::CopyName;
    copy_path::CopyPath;
    copy_uid::CopyUid;
    copy_node::CopyNode;
    copy_cell::CopyCell;
    copy_yaml::CopyYaml;
    drain_nodes::DrainNodes;
    cordon::Cordon;
    uncordon::Uncordon;
    taint::Taint;
    out_of_service::OutOfService;
    evict::Evict;
    restart::Restart;
    scale::Scale;
    label::Label;
    annotate::Annotate;
    delete::Delete;
    approve::APPROVE;
    approve_green::APPROVE_GREEN;
    deny::DENY;
    deny_superseded::DENY_SUPERSEDED;
    make_user::MakeUser;
    remove_finalizer::RemoveFinalizer;
    force_delete::ForceDelete;
    limits::Limits;
    which_schema::WhichSchema;
    raw_dump::RawDump;
    undo_run::UndoRun;
    save_report::SaveReport;
    save_page::SavePage;
}

/// What an action says of itself.
pub struct ActionSpec {
    /// Its id in `assets/keymap.toml` and the palette.
    pub id: &'static str,
    /// Its word in the key line.
    pub word: &'static str,
    /// What it does.
    pub help: &'static str,
    /// Tables it works on; empty means all.
    pub tables: &'static [&'static str],
    /// Whether the key line shows it; help shows all.
    pub shown: bool,
}

/// What an action is asked about: what the operator saw when the key was pressed.
pub struct Ask<'a> {
    /// The object under the cursor, or of the document.
    pub target: Target,
    /// The objects that are marked, in the order of the table.
    pub marked: Vec<Target>,
    /// Its row, if it still exists.
    pub row: Option<Row<'a>>,
    /// The page, if it is a table.
    pub table: Option<&'a TableUi>,
    /// The session.
    pub cluster: &'a Cluster,
    /// The text of the document shown, if it is one.
    pub text: Option<String>,
}

impl Ask<'_> {
    /// How many objects are marked.
    pub fn marks(&self) -> usize {
        self.marked.len()
    }

    /// An offer of something that changes the cluster.
    pub fn may_write(&self) -> Offer {
        match self.table {
            // Several rows may stand for one object, and what they say of it may be an hour old.
            Some(table) if table.indirect => Offer::No("go to the object first (enter)".into()),
            _ if self.cluster.read_only => Offer::No("read-only".into()),
            _ => Offer::Yes,
        }
    }
}

/// Whether an action is offered, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Yes.
    Yes,
    /// No, because.
    No(String),
}

/// What is to be done. Performed by the shell around the core.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Open a document about an object.
    Open(Target, Form),
    /// Open the page that says which flow schema catches a request.
    WhichSchema(Box<crate::state::fairness::question::Question>),
    /// Go to another place.
    Go(crate::views::spec::Jump),
    /// Copy a text; what it is, for the message.
    Copy(&'static str, String),
    /// Fetch the object and copy it as YAML.
    CopyYaml(Target),
    /// Run kubectl in the lent terminal, pinned to this cluster.
    Kubectl(Kubectl),
    /// Plan to put back what this run of the journal did.
    Undo(String),
    /// Save the report of this run of the journal.
    SaveReport(String),
    /// Save a page in a new file of this name.
    SaveText(String, String),
    /// Plan a drain of these nodes.
    Drain(Vec<String>),
    /// Plan a change of these objects, preview it, and do it once it is confirmed.
    Change(Wish),
}

/// A change that was asked for and is not planned yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// The action's id.
    pub action: &'static str,
    /// The objects, as they were seen.
    pub targets: Vec<Target>,
    /// What was typed for it.
    pub argument: String,
}

/// A kubectl command on the object that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Kubectl {
    /// Its arguments, without those that say which cluster.
    pub args: Vec<String>,
    /// The object: it must still be the same when kubectl starts.
    pub target: Target,
    /// The verb and the sub-resource a rule must allow.
    pub right: (&'static str, &'static str),
    /// A session that ends well leaves nothing to read.
    pub session: bool,
}

/// An action.
pub trait Action: Sync {
    /// What it says of itself.
    fn spec(&self) -> &'static ActionSpec;
    /// Whether it is offered on this: wherever a change may be asked for, unless it says otherwise.
    fn offer(&self, ask: &Ask<'_>) -> Offer {
        ask.may_write()
    }
    /// The order. Only asked for when it is offered. Of what changes something: to change what was seen.
    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        self.change().and_then(|_| pending_change(self.spec().id, ask))
    }
    /// What it changes, if it changes something.
    fn change(&self) -> Option<&dyn change::Change> {
        None
    }
}

/// Whether an action can be asked for on the rows of a table. What changes objects of a cluster has nothing to change among
/// those of this machine; what is measured is no object, and there is nothing to do with it but to copy what is written.
pub fn fits(action: &dyn Action, table: &str) -> bool {
    let spec = action.spec();
    let spec_of = || kinds::ALL.iter().find(|t| t.id == table);
    let local = || spec_of().is_some_and(|t| t.is_local());
    let measured = || spec_of().is_some_and(|t| t.kinds.iter().all(|k| k.gvk.is_measured()));
    match spec.tables {
        [] if measured() => matches!(spec.id, "copy-cell" | "copy-name" | "save-page"),
        [] => action.change().is_none() || !local(),
        tables => tables.contains(&table),
    }
}

/// The order of an action that changes something: all that is marked, else the row that was seen. Marks whose objects are
/// all gone are no reason to take the row that happens to be under the cursor.
fn pending_change(action: &'static str, ask: &Ask<'_>) -> Option<Order> {
    let targets = match &ask.marked[..] {
        [] if ask.table.is_some_and(|table| !table.marks.is_empty()) => return None,
        [] => vec![ask.target.clone()],
        marked => marked.to_vec(),
    };
    Some(Order::Change(Wish { action, targets, argument: String::new() }))
}

/// The action of that id.
pub fn named(id: &str) -> Option<&'static dyn Action> {
    ALL.iter().copied().find(|a| a.spec().id == id)
}

/// What an action would be asked about now: the row under the cursor as last painted, or the document's object.
pub fn ask(state: &State) -> Option<Ask<'_>> {
    let (target, table, text) = match &state.ui.route()?.page {
        // What its lines are about has commands of its own.
        Page::Board(_) | Page::Chart(_) => return None,
        Page::Table(table) => (target(table.seen(&state.store)?), Some(&**table), None),
        Page::Document(doc) => {
            let lines = doc.doc.lines.iter().map(|l| l.text());
            (doc.target.clone(), None, Some(lines.collect::<Vec<_>>().join("\n") + "\n"))
        }
    };
    let row = state.store.find(target.table, target.key);
    let marked = table.map(|table| marked(state, table)).unwrap_or_default();
    Some(Ask { row, target, marked, table, cluster: &state.cluster, text })
}

/// The marked objects that still exist: those shown in the order shown, then those that a filter hides. What is counted as
/// marked is what is acted on.
fn marked(state: &State, table: &TableUi) -> Vec<Target> {
    if table.marks.is_empty() {
        return vec![];
    }
    let rows = table.lens.rows().iter().map(|&slot| state.store.row(table.table, slot));
    let mut marked: Vec<Target> =
        rows.filter(|row| table.marks.contains(&row.key())).map(target).collect();
    let shown: BTreeSet<_> = marked.iter().map(|target| target.key).collect();
    let id = state.store.table_at(table.table).spec.id;
    let hidden = table.marks.difference(&shown).filter_map(|key| state.store.find(id, *key));
    marked.extend(hidden.map(target));
    marked
}

/// A row's object, captured by value; of an event the object it is about.
pub fn target(row: Row<'_>) -> Target {
    if row.table.spec.id == events::TABLE.id
        && let Some(about) = events_of::subject(row)
    {
        return about;
    }
    Target {
        table: row.table.spec.id,
        gvk: row.gvk(),
        namespace: row.namespace().to_owned(),
        name: row.name().into_owned(),
        key: row.key(),
        rv: row.rv(),
    }
}

/// An offer that stands if there is a text.
fn if_any(text: &str, why: &str) -> Offer {
    if text.is_empty() { Offer::No(why.to_owned()) } else { Offer::Yes }
}
