//! One frame: laid out against the state, then painted from it.

use super::spec::TableView;
use super::theme::Theme;
use super::{board, chart, chrome, document, overlay, page::Pen, prompt, rows};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::health::Health;
use crate::state::kinds::stuck;
use crate::state::text::{width, wrap};
use crate::state::time::Epoch;
use crate::state::ui::{Overlay, Page};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The smallest terminal a page is drawn on.
pub const SMALLEST: (u16, u16) = (30, 6);

/// Settles cursors, scrolling and widths for the page on screen. Only here do they move. Returns a message when the
/// cursor's object went away.
pub fn lay_out(state: &mut State, now: Epoch) -> Option<String> {
    let height = state.ui.size.1.saturating_sub(4).max(1);
    let view = state.ui.route().and_then(|r| super::named(r.view));
    let columns = match (view, state.ui.table()) {
        (Some(view), Some(table)) => rows::columns(state, view, table.wide),
        _ => vec![],
    };
    let State { store, ui, .. } = state;
    match &mut ui.routes.get_mut(ui.at)?.page {
        Page::Document(doc) => {
            doc.cells = usize::from(ui.size.0).saturating_sub(2);
            doc.scroll(0, height + 1);
            None
        }
        Page::Chart(_) => None,
        Page::Board(board) => {
            board.keep(super::board::height(height + 1));
            None
        }
        Page::Table(table) => {
            let strip = view.map_or(0, |view| chrome::strip(view, ui.size));
            table.columns = columns;
            table.height = height.saturating_sub(strip).max(1);
            let gone = table.settle(store);
            table.measure(store, now, width);
            table.shown = table.row(store, table.at).map(|row| row.key());
            gone.then(|| {
                "the object under the cursor is gone; the cursor stands on its neighbour".into()
            })
        }
    }
}

/// Paints the whole screen. Returns seconds until something on it changes by the clock alone.
pub fn paint(
    state: &State,
    theme: &Theme,
    now: Epoch,
    area: Rect,
    buf: &mut Buffer,
) -> Option<i64> {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text =
            format!("need {}x{} (now {}x{})", SMALLEST.0, SMALLEST.1, area.width, area.height);
        Pen::new(buf, theme, area, area.y).put(Role::Plain, &text);
        return None;
    }
    let line = |y: u16| Rect { y: area.y + y, height: 1, ..area };
    let body = Rect { y: area.y + 2, height: area.height - 3, ..area };
    let view = state.ui.route().and_then(|r| super::named(r.view));
    let mut next = None;
    match state.ui.route().map(|r| &r.page) {
        Some(Page::Table(table)) => {
            let view = view?;
            chrome::header(state, Some(view), theme, now, line(0), buf);
            // Of rows about one object the cluster's totals would say nothing.
            let about = state.ui.route().is_some_and(|r| !r.about.is_empty());
            let parts = if about { vec![] } else { (view.summary)(state) };
            chrome::summary(&parts, &place(state), theme, line(1), buf);
            let strip = chrome::strip(view, (area.width, area.height));
            let (rows, below) = (body.height - strip, body.y + body.height - strip);
            chrome::details(state, view, theme, Rect { y: below, height: strip, ..body }, buf);
            let body = Rect { height: rows, ..body };
            next = rows::paint(state, table, view, theme, now, body, buf);
            if table.lens.rows().is_empty() {
                let (role, text) = emptiness(state, view, now);
                let below = Rect { y: body.y + 1, height: body.height - 1, ..body };
                notice(&text, role, theme, below, buf);
            }
        }
        Some(Page::Document(doc)) => {
            chrome::header(state, super::of_kind(doc.target.gvk), theme, now, line(0), buf);
            document::title(doc, theme, line(1), buf);
            document::paint(doc, theme, body, buf);
        }
        Some(Page::Chart(page)) => {
            chrome::header(state, super::named(page.view), theme, now, line(0), buf);
            next = chart::paint(state, page, theme, now, (line(1), body), buf);
        }
        Some(Page::Board(board)) => {
            chrome::header(state, super::of_table("nodes"), theme, now, line(0), buf);
            board::title(board, theme, line(1), buf);
            board::paint(board, theme, body, buf);
        }
        None => {}
    }
    overlay::paint(state, view, theme, now, body, buf);
    let last = line(area.height - 1);
    match &state.ui.prompt {
        Some(p) => {
            prompt::paint(p, theme, Rect { y: body.y, height: body.height + 1, ..area }, buf)
        }
        None => chrome::footer(state, view, theme, last, buf),
    }
    // A toast leaves by the clock, ages in the overlay of feeds move every second.
    let toast = state.ui.toast.as_ref().map(|t| (t.until.0 - now.0).max(1));
    let beat = matches!(state.ui.overlay, Overlay::Feeds).then_some(1);
    let waiting = state.store.feeds.iter().any(|f| f.health.ticks()).then_some(1);
    [next, toast, beat, waiting].into_iter().flatten().min()
}

/// What narrows the rows, for the right end of the second line.
fn place(state: &State) -> String {
    let (Some(route), Some(table)) = (state.ui.route(), state.ui.table()) else {
        return String::new();
    };
    let mut words = vec![];
    words.extend(super::events::standing(state, route.view));
    if !route.about.is_empty() {
        words.push(format!("{} {}", route.view, route.about));
    }
    if !table.filter.is_empty() {
        words.push(format!("/{}", table.filter));
    }
    if !table.marks.is_empty() {
        words.push(format!("{} marked", table.marks.len()));
    }
    if !words.is_empty() {
        let shown = crate::state::cell::grouped(table.lens.rows().len() as i64);
        words
            .push(format!("{shown} of {}", crate::state::cell::grouped(table.lens.total() as i64)));
    }
    words.join("  ")
}

/// Why there are no rows.
fn emptiness(state: &State, view: &TableView, now: Epoch) -> (Role, String) {
    let feeds: Vec<_> = state
        .store
        .feeds
        .iter()
        .filter(|f| state.store.table_at(f.table).spec.id == view.table)
        .collect();
    let total = state.store.table(view.table).len();
    for feed in &feeds {
        match &feed.health {
            Health::Denied { verb, resource, message } => {
                let (place, hint) = match &feed.namespace {
                    Some(ns) => (
                        format!(" in namespace {ns}"),
                        ", or look at another namespace with :ns NAME",
                    ),
                    None if is_namespaced(state, view, resource) => {
                        (String::new(), ", or look at one namespace with :ns NAME")
                    }
                    None => (String::new(), ""),
                };
                let text = format!(
                    "You may not {verb} {resource}.\nThe server says: {message}\nMissing rule: {verb} on {resource}{place}. Ask \
                     for it{hint}."
                );
                return (Role::Warn, text);
            }
            Health::Down { .. } | Health::Missing => {
                let (role, words) = feed.health.words(now);
                return (role, words);
            }
            Health::Surveyed { .. } if total == 0 && view.table == stuck::TABLE.id => {
                return (Role::Ok, "nothing that was deleted is still there".into());
            }
            _ => {}
        }
    }
    let starting = feeds.iter().any(|f| matches!(f.health, Health::Starting { .. }));
    match (starting, total) {
        (true, 0) => (Role::Dim, "waiting for the first rows".into()),
        (_, 0) => {
            let what = match state.store.table(view.table).spec.kinds {
                [kind] if kind.gvk.is_local() || kind.gvk.is_measured() => kind.gvk.plural,
                _ => view.id,
            };
            (Role::Dim, format!("there are no {what}"))
        }
        _ if opened_so(state, view) => {
            let (_, left_out) = super::opening(view.id).unwrap_or_default();
            let key = state.ui.keys.get("normal-events").cloned().unwrap_or_default();
            (Role::Dim, format!("there is nothing but {left_out}; {key} shows them"))
        }
        _ => (Role::Dim, "no row matches; esc takes the filter away".into()),
    }
}

/// Whether what was refused could be asked for in a single namespace.
fn is_namespaced(state: &State, view: &TableView, resource: &str) -> bool {
    !resource.starts_with('/') && state.store.table(view.table).spec.column("namespace").is_some()
}

/// Whether the filter is still the one that the view opened with.
fn opened_so(state: &State, view: &TableView) -> bool {
    let opening = super::opening(view.id).map(|(filter, _)| filter);
    opening.is_some() && state.ui.table().map(|table| table.filter.as_str()) == opening
}

/// A text in the middle of nothing, wrapped at words.
pub fn notice(text: &str, role: Role, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.width.saturating_sub(6)).clamp(10, 100);
    for (y, line) in (area.y + 1..area.bottom()).zip(wrap(text, room)) {
        Pen::new(buf, theme, area, y).skip(3).put(role, &line);
    }
}
