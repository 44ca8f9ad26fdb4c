//! Rows of a table on their way into a CSV file: written in slices, since a table may have 150,000 of them and the screen
//! waits for none.

use super::App;
use crate::app::msg::{Effect, Now};
use crate::state::cell::{Role, grouped};
use crate::state::decl::Column;
use crate::state::export::{csv_head, csv_row};
use crate::state::parcel::Key;
use crate::state::time::Epoch;

/// What is saved, and how far that is.
pub(in crate::app) struct Export {
    file: String,
    table: &'static str,
    columns: Vec<&'static Column>,
    rows: Vec<Key>,
    /// Rows that are behind it.
    done: usize,
    /// Rows that went away before they were written.
    gone: usize,
    text: String,
}

impl App {
    /// Saves the rows that match the filter, in the order on screen, with the columns that are shown.
    pub(super) fn save_rows(&mut self, now: Now) {
        if self.export.is_some() {
            return self.say(
                now,
                Role::Dim,
                "rows are being saved; the last line says when that is done",
            );
        }
        let store = &self.state.store;
        let Some(table) = self.state.ui.table() else { return };
        let view = self.state.ui.route().map_or("rows", |route| route.view);
        let rows = table.lens.rows().iter().map(|&slot| store.row(table.table, slot).key());
        let rows: Vec<Key> = rows.collect();
        if rows.is_empty() {
            return self.say(now, Role::Dim, "there is no row to save: no file was made");
        }
        self.export = Some(Export {
            file: file_name(view, now.server),
            table: store.table_at(table.table).spec.id,
            text: csv_head(&table.columns),
            columns: table.columns.clone(),
            rows,
            done: 0,
            gone: 0,
        });
        self.busy = true;
    }

    /// Writes some of the rows that are being saved; what is to be done once all are written.
    pub fn export(&mut self, now: Now, rows: usize) -> Option<Effect> {
        let mut export = self.export.take()?;
        let until = export.rows.len().min(export.done + rows);
        for key in &export.rows[export.done..until] {
            match self.state.store.find(export.table, *key) {
                Some(row) => export.text += &csv_row(row, &export.columns, now.server),
                None => export.gone += 1,
            }
        }
        export.done = until;
        if until < export.rows.len() {
            self.export = Some(export);
            self.busy = true;
            return None;
        }
        let (n, columns) = (until - export.gone, export.columns.len());
        let rows = if n == 1 { "row" } else { "rows" };
        let gone = match export.gone {
            0 => String::new(),
            gone => format!("{} went away meanwhile; ", grouped(gone as i64)),
        };
        let what = format!("{gone}{} {rows} of {columns} columns", grouped(n as i64));
        Some(Effect::SaveText(export.file, export.text, what))
    }
}

/// `wheelhouse-pods-20261123T172600Z.csv`: plain letters, and the time, so that one follows the other.
pub(super) fn file_name(about: &str, now: Epoch) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '-' };
    // A file's name has 255 bytes.
    let about: String = about.chars().take(120).map(plain).collect();
    let time: String = now.rfc3339().chars().filter(|c| !"-:".contains(*c)).collect();
    format!("wheelhouse-{about}-{time}.csv")
}
