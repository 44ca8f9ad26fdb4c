//! What the operator is looking at: the history of routes, the prompt, messages.
//!
//! Invariant: a cursor and a mark name objects by key, never rows by number.

pub mod board;
pub mod chart;
pub mod document;
pub mod prompt;
pub mod proposal;
pub mod table;

use super::cell::Role;
use super::time::Epoch;
use board::Board;
use chart::ChartUi;
use document::DocUi;
use prompt::Prompt;
use proposal::Proposal;
use std::collections::HashMap;
use table::TableUi;

/// Names one visit to a view, so that an answer that arrives late is not shown in another place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RouteId(pub u64);

/// One place in the history.
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// The view's id.
    pub view: &'static str,
    /// What narrows it, in words: `node node-00018`.
    pub about: String,
    /// The page.
    pub page: Page,
}

/// What a route shows.
pub enum Page {
    /// Rows.
    Table(Box<TableUi>),
    /// Text.
    Document(Box<DocUi>),
    /// Lines about things.
    Board(Box<Board>),
    /// A number of a row over time.
    Chart(Box<ChartUi>),
}

/// A short message above the last line.
#[derive(Clone, Debug, PartialEq)]
pub struct Toast {
    /// The words.
    pub text: String,
    /// Their weight.
    pub role: Role,
    /// When it goes away.
    pub until: Epoch,
}

/// What lies over the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlay {
    /// Nothing.
    #[default]
    None,
    /// The keys and words of this place; the scroll offset.
    Help(u16),
    /// The column chooser; the line of its cursor.
    Columns(u16),
    /// How each feed is.
    Feeds,
    /// A text too long for the last line.
    Notice,
    /// A review says no; whether to try anyway.
    Doubt,
    /// A change, before it is made.
    Plan,
}

/// All that belongs to the screen and not to the cluster.
#[derive(Default)]
pub struct Ui {
    /// Title and text of [`Overlay::Notice`] and [`Overlay::Doubt`].
    pub told: (String, String),
    /// The change of [`Overlay::Plan`].
    pub proposal: Option<Proposal>,
    /// Visited places, oldest first.
    pub routes: Vec<Route>,
    /// The one on screen.
    pub at: usize,
    /// A prompt being typed into.
    pub prompt: Option<Prompt>,
    /// The last message.
    pub toast: Option<Toast>,
    /// What lies over the page.
    pub overlay: Overlay,
    /// Cells of the terminal: width, height.
    pub size: (u16, u16),
    /// Columns the operator chose, by view.
    pub columns: HashMap<&'static str, Vec<&'static str>>,
    /// What runs while other things are looked at, in a few words.
    pub underway: Option<(Role, String)>,
    /// The key that leads to a command or action, by its id, as it is shown.
    pub keys: HashMap<String, String>,
    /// Last strings typed into prompts, newest last.
    pub typed: Vec<String>,
    next: u64,
}

/// Places kept in the history; each table keeps an order of its rows.
const HISTORY: usize = 12;

impl Ui {
    /// Shows a text that is too long for the last line.
    pub fn notice(&mut self, title: String, text: String) {
        self.told = (title, text);
        self.overlay = Overlay::Notice;
    }

    /// The place on screen.
    pub fn route(&self) -> Option<&Route> {
        self.routes.get(self.at)
    }

    /// The place on screen.
    pub fn route_mut(&mut self) -> Option<&mut Route> {
        self.routes.get_mut(self.at)
    }

    /// The table on screen, if it is one.
    pub fn table(&self) -> Option<&TableUi> {
        match &self.route()?.page {
            Page::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The table on screen, if it is one.
    pub fn table_mut(&mut self) -> Option<&mut TableUi> {
        match &mut self.route_mut()?.page {
            Page::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The document on screen, if it is one.
    pub fn document(&self) -> Option<&DocUi> {
        match &self.route()?.page {
            Page::Document(doc) => Some(doc),
            _ => None,
        }
    }

    /// The document on screen, if it is one.
    pub fn document_mut(&mut self) -> Option<&mut DocUi> {
        match &mut self.route_mut()?.page {
            Page::Document(doc) => Some(doc),
            _ => None,
        }
    }

    /// The board on screen, if it is one.
    pub fn board(&self) -> Option<&Board> {
        match &self.route()?.page {
            Page::Board(board) => Some(board),
            _ => None,
        }
    }

    /// The board on screen, if it is one.
    pub fn board_mut(&mut self) -> Option<&mut Board> {
        match &mut self.route_mut()?.page {
            Page::Board(board) => Some(board),
            _ => None,
        }
    }

    /// The chart on screen, if it is one.
    pub fn chart(&self) -> Option<&ChartUi> {
        match &self.route()?.page {
            Page::Chart(chart) => Some(chart),
            _ => None,
        }
    }

    /// The chart on screen, if it is one.
    pub fn chart_mut(&mut self) -> Option<&mut ChartUi> {
        match &mut self.route_mut()?.page {
            Page::Chart(chart) => Some(chart),
            _ => None,
        }
    }

    /// Goes to a new place. What lay ahead in the history is forgotten, as in a browser.
    pub fn visit(&mut self, view: &'static str, about: String, page: Page) -> RouteId {
        self.routes.truncate(self.at + 1);
        if self.routes.len() >= HISTORY {
            self.routes.remove(0);
        }
        self.next += 1;
        let id = RouteId(self.next);
        self.routes.push(Route { id, view, about, page });
        self.at = self.routes.len() - 1;
        self.overlay = Overlay::None;
        id
    }

    /// One place back (or forth); whether there was one.
    pub fn walk(&mut self, forth: bool) -> bool {
        let to = if forth { self.at + 1 } else { self.at.wrapping_sub(1) };
        let there = to < self.routes.len();
        if there {
            self.at = to;
            self.overlay = Overlay::None;
        }
        there
    }

    /// Shows a message for a while. Harm stays longer than news.
    pub fn say(&mut self, now: Epoch, role: Role, text: impl Into<String>) {
        let secs = if matches!(role, Role::Bad | Role::Danger) { 12 } else { 5 };
        self.toast = Some(Toast { text: text.into(), role, until: Epoch(now.0 + secs) });
    }
}
