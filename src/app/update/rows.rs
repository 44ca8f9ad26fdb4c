//! Commands on rows.

use super::App;
use crate::app::msg::{Effect, Now};
use crate::state::cell::Role;
use crate::state::decl::Column;
use crate::state::query::Query;
use crate::state::ui::table::Motion;
use crate::state::ui::{Overlay, Page};
use crate::views;

impl App {
    /// A command of the table layer. Whether it was one.
    pub(super) fn table_command(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) -> bool {
        let motion = match id {
            "up" => Motion::Rows(-1),
            "down" => Motion::Rows(1),
            "half-up" => Motion::Halves(-1),
            "half-down" => Motion::Halves(1),
            "page-up" => Motion::Halves(-2),
            "page-down" => Motion::Halves(2),
            "top" => Motion::Top,
            "bottom" => Motion::Bottom,
            _ => return self.other_table_command(id, now, fx),
        };
        let (store, ui) = (&self.state.store, &mut self.state.ui);
        if let Some(table) = ui.table_mut() {
            table.go(store, motion);
        }
        true
    }

    fn other_table_command(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) -> bool {
        match id {
            "enter" => self.enter_row(now, fx),
            "mark" => {
                let (store, ui) = (&self.state.store, &mut self.state.ui);
                if let Some(table) = ui.table_mut() {
                    table.mark(store);
                }
            }
            "mark-all" => self.mark_all(),
            "sort-next" => self.sort_by(1),
            "sort-previous" => self.sort_by(-1),
            "sort-reverse" => self.resort(|_, (column, down)| (column, !down)),
            "sort-name" => self.sort_column("name"),
            "sort-age" => self.sort_column("age"),
            "wide" => {
                if let Some(table) = self.state.ui.table_mut() {
                    table.wide = !table.wide;
                    table.left = 0;
                }
            }
            "columns" => self.state.ui.overlay = Overlay::Columns(0),
            "chart" => self.open_chart(now, fx),
            "save-rows" => self.save_rows(now),
            "pause" => self.pause_events(now),
            "normal-events" => self.toggle_normal(now),
            "look-again" => self.look_again(now, fx),
            "count-events" => self.count_events(now, fx),
            "left" | "right" => {
                if let Some(table) = self.state.ui.table_mut() {
                    let most = table.columns.len().saturating_sub(2);
                    table.left = if id == "left" {
                        table.left.saturating_sub(1)
                    } else {
                        (table.left + 1).min(most)
                    };
                }
            }
            _ => match id.strip_prefix("link-").and_then(|n| n.parse().ok()) {
                Some(n) => self.link(n, now, fx),
                None => return false,
            },
        }
        true
    }

    fn mark_all(&mut self) {
        let (store, ui) = (&self.state.store, &mut self.state.ui);
        let Some(table) = ui.table_mut() else { return };
        if table.marks.is_empty() {
            let keys = table.lens.rows().iter().map(|&slot| store.row(table.table, slot).key());
            table.marks = keys.collect();
        } else {
            table.marks.clear();
        }
    }

    fn sort_by(&mut self, step: i64) {
        self.resort(|columns, (column, _)| {
            let n = columns.len().max(1) as i64;
            let at = columns.iter().position(|c| c.id == column.id).unwrap_or(0) as i64;
            (columns.get((at + step).rem_euclid(n) as usize).copied().unwrap_or(column), false)
        });
    }

    pub(super) fn sort_column(&mut self, id: &str) {
        let spec = self.state.ui.table().map(|t| self.state.store.table_at(t.table).spec);
        let Some(column) = spec.and_then(|s| s.column(id)) else { return };
        // The same column again turns the order round, as a heading does that is clicked twice.
        self.resort(|_, (now, down)| (column, now.id == column.id && !down));
    }

    fn resort(
        &mut self,
        pick: impl Fn(&[&'static Column], (&'static Column, bool)) -> (&'static Column, bool),
    ) {
        let (store, ui) = (&self.state.store, &mut self.state.ui);
        let Some(table) = ui.table_mut() else { return };
        table.sort = pick(&table.columns, table.sort);
        table.lens.set_sort(store, table.sort);
        self.busy = true;
    }

    fn link(&mut self, n: usize, now: Now, fx: &mut Vec<Effect>) {
        let view = self.state.ui.route().and_then(|r| views::named(r.view));
        let parts = view.map(|v| (v.summary)(&self.state)).unwrap_or_default();
        match parts.into_iter().filter_map(|p| p.link).nth(n - 1) {
            Some(jump) => self.jump(jump, fx),
            None => {
                self.say(now, Role::Dim, format!("there is no count with the number {n} above"))
            }
        }
    }

    /// Filters the table on screen by a text; a wrong one is explained and changes nothing.
    pub(super) fn filter(&mut self, text: &str) -> Result<(), crate::state::query::Explained> {
        let Some(index) = self.state.ui.table().map(|t| t.table) else { return Ok(()) };
        let query = Query::parse(text, self.state.store.table_at(index).spec)?;
        let (store, ui) = (&self.state.store, &mut self.state.ui);
        if let Some(table) = ui.table_mut() {
            table.filter = text.trim().to_owned();
            table.lens.set_query(store, query);
        }
        self.busy = true;
        Ok(())
    }

    /// A key in the column chooser. Whether it was used.
    pub(super) fn choose_column(&mut self, at: u16, id: &str, fx: &mut Vec<Effect>) -> bool {
        let Some(Page::Table(table)) = self.state.ui.route().map(|r| &r.page) else { return false };
        let Some(view) = self.state.ui.route().and_then(|r| views::named(r.view)) else {
            return false;
        };
        let all = self.state.store.table_at(table.table).spec.columns;
        let last = all.len().saturating_sub(1) as u16;
        self.state.ui.overlay = match id {
            "up" => Overlay::Columns(at.saturating_sub(1)),
            "down" => Overlay::Columns((at + 1).min(last)),
            "top" => Overlay::Columns(0),
            "bottom" => Overlay::Columns(last),
            "mark" | "enter" => {
                let mut shown: Vec<&'static str> = table.columns.iter().map(|c| c.id).collect();
                let id = all[usize::from(at)].id;
                match shown.iter().position(|s| *s == id) {
                    Some(i) if shown.len() > 1 => drop(shown.remove(i)),
                    Some(_) => {}
                    None => shown.push(id),
                }
                self.state.ui.columns.insert(view.id, shown);
                fx.push(Effect::SavePreferences);
                Overlay::Columns(at)
            }
            _ => return false,
        };
        true
    }

    /// The view's own columns again.
    pub(super) fn reset_columns(&mut self, fx: &mut Vec<Effect>) {
        if let Some(view) = self.state.ui.route().map(|r| r.view) {
            self.state.ui.columns.remove(view);
            fx.push(Effect::SavePreferences);
        }
    }
}
