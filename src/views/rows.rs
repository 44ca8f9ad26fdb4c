//! The painter of every table view: only the rows in the window are formatted.

use super::page::{Pen, begin, fit};
use super::spec::TableView;
use super::theme::Theme;
use crate::state::State;
use crate::state::cell::{Cell, Role, Value, heights, share_heights};
use crate::state::decl::{Align, Column};
use crate::state::kinds::usage;
use crate::state::row::Row;
use crate::state::store::Store;
use crate::state::text::width;
use crate::state::time::Epoch;
use crate::state::ui::table::{BAR, TableUi};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Cells before the first column: cursor and mark.
const GUTTER: u16 = 3;
/// Cells between columns.
const GAP: u16 = 2;
/// A column that may grow beyond this holds sentences: it takes what is left of the line.
const SENTENCE: u16 = 200;
/// Cells it claims all the same.
const LEAST: u16 = 24;

/// The columns of a view that its operator chose, else its own.
pub fn columns(state: &State, view: &TableView, wide: bool) -> Vec<&'static Column> {
    let spec = state.store.table(view.table).spec;
    let namespaced = state.cluster.namespace.is_none();
    let own = view.columns.iter().chain(view.wide.iter().filter(|_| wide)).copied();
    let ids: Vec<&str> = match state.ui.columns.get(view.id) {
        Some(chosen) => chosen.clone(),
        // In one namespace its name says nothing.
        None => own.filter(|id| *id != "namespace" || namespaced).collect(),
    };
    ids.iter().filter_map(|id| spec.column(id)).collect()
}

/// Decides which columns fit: the least wanted go first, none is cut in half.
pub fn fitting(
    store: &Store,
    table: &TableUi,
    view: &TableView,
    area: u16,
) -> Vec<&'static Column> {
    let mut shown = table.columns.clone();
    if usage::absent(store, view.table).is_some() {
        shown.retain(|column| !usage::is_column(column.id));
    }
    let total = |shown: &[&'static Column]| -> u16 {
        let claims = |c: &Column| match c.max {
            ..=SENTENCE => table.width(c),
            _ => table.width(c).min(LEAST),
        };
        GUTTER + shown.iter().map(|c| claims(c) + GAP).sum::<u16>().saturating_sub(GAP)
    };
    for id in view.narrow {
        if total(&shown) <= area {
            break;
        }
        shown.retain(|c| c.id != *id);
    }
    let left = table.left.min(shown.len().saturating_sub(1));
    shown.drain(1.min(shown.len())..(1 + left).min(shown.len()));
    shown
}

/// Paints headings and rows. Returns seconds until a text on screen changes by the clock alone.
pub fn paint(
    state: &State,
    table: &TableUi,
    view: &TableView,
    theme: &Theme,
    now: Epoch,
    area: Rect,
    buf: &mut Buffer,
) -> Option<i64> {
    let columns = fitting(&state.store, table, view, area.width);
    heading(table, &columns, theme, area, buf);
    let mut next: Option<i64> = None;
    for (line, rank) in table.window().enumerate() {
        let y = area.y + 1 + line as u16;
        let Some(row) = table.row(&state.store, rank) else { continue };
        let here = rank == table.at;
        let marked = table.marks.contains(&row.key());
        let mut pen = Pen::new(buf, theme, area, y);
        let hand = if here { theme.on_cursor(Role::Accent) } else { Role::Accent };
        pen.put(hand, if here { ">" } else { " " });
        pen.put(hand, if marked { "*" } else { " " }).skip(1);
        for column in &columns {
            let cell = (column.cell)(row, now);
            if let Some(secs) = cell.value.changes_in(now) {
                next = Some(next.map_or(secs, |n: i64| n.min(secs)));
            }
            let role = role_of(&cell);
            let role = if here { theme.on_cursor(role) } else { role };
            paint_cell(&mut pen, theme, column, (&cell.value, role), table.width(column), now);
        }
        if here {
            let line = Rect { y, height: 1, ..area }.intersection(buf.area);
            buf.set_style(line, theme.cursor());
        }
    }
    next
}

fn heading(
    table: &TableUi,
    columns: &[&'static Column],
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let mut pen = Pen::new(buf, theme, area, area.y);
    pen.skip(GUTTER);
    for column in columns {
        let mut title = column.title.to_owned();
        if column.id == table.sort.0.id {
            title = format!("{title} {}", theme.arrow(table.sort.1));
        }
        pad(&mut pen, Role::Dim, &title, usize::from(table.width(column)), column.align);
        pen.skip(GAP);
    }
}

fn pad(pen: &mut Pen<'_>, role: Role, text: &str, cells: usize, align: Align) {
    let free = cells.saturating_sub(width(text)) as u16;
    match align {
        Align::Left => pen.put(role, text).skip(free),
        Align::Right => pen.skip(free).put(role, text),
    };
}

fn paint_cell(
    pen: &mut Pen<'_>,
    theme: &Theme,
    column: &Column,
    (value, role): (&Value<'_>, Role),
    cells: u16,
    now: Epoch,
) {
    let mut cells = usize::from(cells);
    if column.max > SENTENCE {
        // What matters in a sentence comes first, unlike in a name.
        let text = begin(&value.words(now), usize::from(pen.room()), theme);
        pen.put(role, &text).skip(GAP);
        return;
    }
    let high = match value {
        Value::Bars(bars) => Some(heights(bars)),
        Value::Shares(shares) => Some(share_heights(shares)),
        _ => None,
    };
    if let Some(high) = high.filter(|_| !theme.ascii) {
        let glyphs = high.map(|h| theme.heights()[h]);
        pen.put(role, &glyphs.iter().collect::<String>()).skip(GAP);
        return;
    }
    if let Value::Cpu(have, of) | Value::Memory(have, of) = *value {
        bar(pen, theme, role, have, of);
        cells = cells.saturating_sub(BAR);
    }
    let text = fit(&value.words(now), cells, theme);
    pad(pen, role, &text, cells, column.align);
    pen.skip(GAP);
}

/// Zeros and what is not there are background: what counts is what is there.
fn role_of(cell: &Cell<'_>) -> Role {
    match (&cell.value, cell.role) {
        (Value::Absent, _) => Role::Dim,
        (Value::Int(0) | Value::Since(0, _) | Value::Count(0, 0), Role::Plain) => Role::Dim,
        (_, role) => role,
    }
}

/// Eight cells of a share.
fn bar(pen: &mut Pen<'_>, theme: &Theme, role: Role, have: i64, of: i64) {
    const CELLS: i128 = BAR as i128 - 1;
    let (have, of) = (i128::from(have), i128::from(of));
    let full = if of > 0 { ((have * CELLS + of / 2) / of).clamp(0, CELLS) } else { 0 };
    pen.put(role, &theme.bar_glyph().repeat(full as usize)).skip((CELLS - full) as u16 + 1);
}

/// What a row says for the last line: the view's remark.
pub fn detail(view: &TableView, row: Row<'_>) -> Option<String> {
    (view.detail)(row).map(|text| format!("{}: {text}", row.name()))
}
