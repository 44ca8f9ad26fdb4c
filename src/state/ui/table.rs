//! Rows on screen: cursor, marks, scrolling and the columns shown.

use crate::state::decl::Column;
use crate::state::lens::Lens;
use crate::state::parcel::Key;
use crate::state::row::Row;
use crate::state::store::Store;
use crate::state::time::Epoch;
use std::collections::BTreeSet;

/// A way to move the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// By rows, up if negative.
    Rows(i64),
    /// By parts of a page: 2 is a page, 1 half of it; up if negative.
    Halves(i64),
    /// First row.
    Top,
    /// Last row.
    Bottom,
}

/// Where the cursor is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cursor {
    /// At the first row, whichever it is, until the operator moves.
    #[default]
    First,
    /// On an object.
    On(Key),
    /// On the object of that namespace and name, once it arrives.
    Seek(String, String),
}

/// A table page.
pub struct TableUi {
    /// Index of the table in the store.
    pub table: u8,
    /// The order and the filter.
    pub lens: Lens,
    /// The filter as typed.
    pub filter: String,
    /// Sort column and whether it runs downwards.
    pub sort: (&'static Column, bool),
    /// Columns shown, in order.
    pub columns: Vec<&'static Column>,
    /// Whether the wide columns are shown.
    pub wide: bool,
    /// The cursor.
    pub cursor: Cursor,
    /// Marked objects.
    pub marks: BTreeSet<Key>,
    /// Rank of the cursor's row.
    pub at: usize,
    /// Rank of the first row shown.
    pub top: usize,
    /// Columns scrolled out at the left.
    pub left: usize,
    /// Widths so far, by column id; they only grow, so that nothing jumps.
    pub widths: Vec<(&'static str, u16)>,
    /// Rows that fit.
    pub height: u16,
    /// The object whose row was under the cursor in the last frame: what a key acts on.
    pub shown: Option<Key>,
    /// The cursor's object went away and the cursor stands on its neighbour: the next key that changes something
    /// has to be pressed again.
    pub disarmed: bool,
    /// Rows speak of objects instead of being them: they lead to what can be changed.
    pub indirect: bool,
}

impl TableUi {
    /// A page over a lens.
    pub fn new(table: u8, lens: Lens, sort: (&'static Column, bool)) -> TableUi {
        TableUi {
            table,
            lens,
            filter: String::new(),
            sort,
            columns: vec![],
            wide: false,
            cursor: Cursor::First,
            marks: BTreeSet::new(),
            at: 0,
            top: 0,
            left: 0,
            widths: vec![],
            height: 1,
            shown: None,
            disarmed: false,
            indirect: false,
        }
    }

    /// The row of that rank.
    pub fn row<'a>(&self, store: &'a Store, rank: usize) -> Option<Row<'a>> {
        self.lens.rows().get(rank).map(|&slot| store.row(self.table, slot))
    }

    /// The row the operator saw under the cursor, if it still exists.
    pub fn seen<'a>(&self, store: &'a Store) -> Option<Row<'a>> {
        let slot = store.table_at(self.table).find(self.shown?)?;
        Some(store.row(self.table, slot))
    }

    /// The ranks on screen.
    pub fn window(&self) -> std::ops::Range<usize> {
        self.top..(self.top + usize::from(self.height)).min(self.lens.rows().len())
    }

    /// Moves the cursor.
    pub fn go(&mut self, store: &Store, motion: Motion) {
        let last = self.lens.rows().len().saturating_sub(1) as i64;
        let half = (i64::from(self.height) / 2).max(1);
        let at = self.at as i64;
        let to = match motion {
            Motion::Rows(n) => at + n,
            Motion::Halves(n) => {
                // The page moves with the cursor, so that it stays on its line.
                let room = (last + 1 - i64::from(self.height)).max(0);
                self.top = (self.top as i64 + n * half).clamp(0, room) as usize;
                at + n * half
            }
            Motion::Top => 0,
            Motion::Bottom => last,
        };
        self.at = to.clamp(0, last) as usize;
        self.disarmed = false;
        if let Some(row) = self.row(store, self.at) {
            self.cursor = Cursor::On(row.key());
        }
        self.reveal();
    }

    /// Puts the cursor on the object of that name, now or when it arrives.
    pub fn seek(&mut self, namespace: &str, name: &str) {
        self.cursor = Cursor::Seek(namespace.to_owned(), name.to_owned());
    }

    /// Finds the cursor's object again after rows moved. Returns whether it has gone.
    pub fn settle(&mut self, store: &Store) -> bool {
        let rows = self.lens.rows().len();
        let line = self.at.saturating_sub(self.top);
        let (rank, gone) = match &self.cursor {
            Cursor::First => (0, false),
            Cursor::On(key) => {
                let slot = store.table_at(self.table).find(*key);
                match slot.and_then(|slot| self.lens.rank(store, slot)) {
                    Some(rank) => (rank, false),
                    // Rows that are still being sorted in are not gone.
                    None if slot.is_some() || !self.lens.settled() => (self.at, false),
                    None => (self.at.min(rows.saturating_sub(1)), true),
                }
            }
            Cursor::Seek(namespace, name) => {
                let found = (0..rows).find(|&i| {
                    let row = self.row(store, i);
                    row.is_some_and(|r| r.namespace() == namespace && r.name() == *name)
                });
                if let Some(row) = found.and_then(|i| self.row(store, i)) {
                    self.cursor = Cursor::On(row.key());
                }
                (found.unwrap_or(self.at), false)
            }
        };
        if gone {
            self.cursor = self.row(store, rank).map_or(Cursor::First, |r| Cursor::On(r.key()));
            self.disarmed = true;
        }
        self.at = rank.min(rows.saturating_sub(1));
        self.top = self.at.saturating_sub(line);
        self.reveal();
        gone
    }

    /// Scrolls so that the cursor's row is on screen and the page is full.
    fn reveal(&mut self) {
        let height = usize::from(self.height.max(1));
        let rows = self.lens.rows().len();
        self.top = self.top.min(rows.saturating_sub(height)).min(self.at);
        if self.at >= self.top + height {
            self.top = self.at + 1 - height;
        }
    }

    /// Widens columns to what the rows on screen hold.
    pub fn measure(&mut self, store: &Store, now: Epoch, width: fn(&str) -> usize) {
        let columns = std::mem::take(&mut self.columns);
        for column in &columns {
            let cells = self.window().filter_map(|i| self.row(store, i));
            let widest = cells.map(|row| shown_width(column, row, now, width)).max().unwrap_or(0);
            // Two more cells for the arrow of the sort column.
            let head = width(column.title) + if self.sort.0.id == column.id { 2 } else { 0 };
            let wants = (widest.max(head) as u16).min(column.max.max(head as u16));
            match self.widths.iter_mut().find(|(id, _)| *id == column.id) {
                Some((_, have)) => *have = wants.max(*have),
                None => self.widths.push((column.id, wants)),
            }
        }
        self.columns = columns;
    }

    /// The width of a column so far.
    pub fn width(&self, column: &Column) -> u16 {
        self.widths.iter().find(|(id, _)| *id == column.id).map_or(0, |(_, w)| *w)
    }

    /// Marks or unmarks the cursor's row and moves on.
    pub fn mark(&mut self, store: &Store) {
        // Not the row last painted: a key that repeats over a slow line marks one row after the other. What is marked
        // is seen before anything is done with it.
        let Some(key) = self.row(store, self.at).map(|row| row.key()) else { return };
        if !self.marks.remove(&key) {
            self.marks.insert(key);
        }
        self.go(store, Motion::Rows(1));
    }
}

/// Cells of the bar drawn before a share: `#######- `.
pub const BAR: usize = 9;

fn shown_width(column: &Column, row: Row<'_>, now: Epoch, width: fn(&str) -> usize) -> usize {
    use crate::state::cell::Value;
    let cell = (column.cell)(row, now);
    let bar = if matches!(cell.value, Value::Cpu(..) | Value::Memory(..)) { BAR } else { 0 };
    width(&cell.value.words(now)) + bar
}
