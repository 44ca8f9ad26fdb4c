//! What lies over a page: help, the column chooser, the health of every feed. All derived from the registries.

use super::page::Pen;
use super::spec::TableView;
use super::theme::Theme;
use crate::actions;
use crate::state::State;
use crate::state::cell::Role;
use crate::state::commands;
use crate::state::kinds::usage::is_usage;
use crate::state::store::Feed;
use crate::state::text::{width, wrap};
use crate::state::time::Epoch;
use crate::state::ui::Overlay;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

type Line = Vec<(Role, String)>;

/// Paints the overlay, if there is one.
pub fn paint(
    state: &State,
    view: Option<&TableView>,
    theme: &Theme,
    now: Epoch,
    area: Rect,
    buf: &mut Buffer,
) {
    let (lines, skip) = match state.ui.overlay {
        Overlay::None => return,
        Overlay::Plan => return super::proposal::paint(state, theme, area, buf),
        Overlay::Help(top) => (help(state, view, usize::from(area.width)), usize::from(top)),
        Overlay::Columns(at) => {
            let lines = chooser(state, view, usize::from(at));
            let skip = (usize::from(at) + 3).saturating_sub(usize::from(area.height));
            (lines, skip)
        }
        Overlay::Feeds => (feeds(state, now), 0),
        Overlay::Notice => (told(state, usize::from(area.width), &[("back", "close")]), 0),
        Overlay::Doubt => {
            let answers = [("try-anyway", "try anyway"), ("back", "leave it")];
            (told(state, usize::from(area.width), &answers), 0)
        }
    };
    for position in area.intersection(buf.area).positions() {
        buf[position].reset();
    }
    let skip = skip.min(lines.len().saturating_sub(usize::from(area.height)));
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(skip)) {
        let mut pen = Pen::new(buf, theme, area, y);
        pen.skip(1);
        for (role, text) in line {
            pen.put(*role, text);
        }
    }
}

/// Lines of the help page, so that scrolling knows its end.
pub fn help_lines(state: &State, view: Option<&TableView>) -> usize {
    help(state, view, usize::from(state.ui.size.0)).len()
}

fn help(state: &State, view: Option<&TableView>, room: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![];
    let head = |lines: &mut Vec<Line>, text: &str| {
        if !lines.is_empty() {
            lines.push(vec![]);
        }
        lines.push(vec![(Role::Accent, text.to_owned())]);
    };
    if let Some(view) = view {
        head(&mut lines, &format!("{} ({})", view.id, view.aliases.join(", ")));
        let help = wrap(view.help, room.saturating_sub(4).max(20));
        lines.extend(help.into_iter().map(|l| vec![(Role::Plain, format!("  {l}"))]));
    }
    let on_row = state.ui.board().is_none() && state.ui.chart().is_none();
    if on_row {
        head(&mut lines, "On this row");
    }
    for action in actions::ALL.iter().filter(|_| on_row) {
        let spec = action.spec();
        let fits = view.is_none_or(|v| actions::fits(*action, v.table));
        if fits {
            lines.extend(key_lines(state, spec.id, spec.help, room));
        }
    }
    let layer = match (view, state.ui.board()) {
        _ if state.ui.chart().is_some() => commands::Layer::Chart,
        (_, Some(_)) => commands::Layer::Board,
        (Some(_), None) => commands::Layer::Table,
        (None, None) => commands::Layer::Document,
    };
    for (title, wanted) in [("Here", layer), ("Everywhere", commands::Layer::Global)] {
        head(&mut lines, title);
        for spec in commands::ALL.iter().filter(|c| c.layer == wanted) {
            lines.extend(key_lines(state, spec.id, spec.help, room));
        }
    }
    head(&mut lines, "Filter");
    for (text, note) in commands::FILTER_HELP {
        lines.extend(beside(format!("  {text:<26}"), note, room));
    }
    lines
}

fn key_lines(state: &State, id: &str, help: &str, room: usize) -> Vec<Line> {
    let key = state.ui.keys.get(id).map_or("-", |k| k.as_str());
    beside(format!("  {key:<14}"), &format!("{help} ({id})"), room)
}

/// A word, and beside it what there is to say, in as many lines as that takes.
fn beside(word: String, text: &str, room: usize) -> Vec<Line> {
    let margin = width(&word);
    let mut lines: Vec<Line> = wrap(text, room.saturating_sub(margin + 2).max(20))
        .into_iter()
        .map(|line| vec![(Role::Plain, " ".repeat(margin)), (Role::Dim, line)])
        .collect();
    if let Some(first) = lines.first_mut() {
        first[0].1 = word;
    }
    lines
}

/// A text, and what can be done about it.
fn told(state: &State, room: usize, answers: &[(&str, &str)]) -> Vec<Line> {
    let (title, text) = &state.ui.told;
    let mut lines = vec![vec![], vec![(Role::Warn, format!("  {title}"))]];
    let text = wrap(text, room.saturating_sub(4).clamp(20, 110));
    lines.extend(text.into_iter().map(|line| vec![(Role::Plain, format!("  {line}"))]));
    lines.push(vec![]);
    let mut keys = vec![];
    for (id, word) in answers {
        let key = state.ui.keys.get(*id).map_or("-", String::as_str);
        keys.push((Role::Accent, format!("  {key}")));
        keys.push((Role::Plain, format!(" {word} ")));
    }
    lines.push(keys);
    lines
}

fn chooser(state: &State, view: Option<&TableView>, at: usize) -> Vec<Line> {
    let Some((view, table)) = view.zip(state.ui.table()) else { return vec![] };
    let mut lines = vec![vec![
        (Role::Accent, format!("columns of {}", view.id)),
        (Role::Dim, "   space shows or hides, esc leaves, r brings the view's own back".into()),
    ]];
    for (i, column) in state.store.table(view.table).spec.columns.iter().enumerate() {
        let shown = table.columns.iter().any(|c| c.id == column.id);
        let role = if i == at { Role::Accent } else { Role::Plain };
        let cursor = if i == at { ">" } else { " " };
        let mark = if shown { "[x]" } else { "[ ]" };
        lines.push(vec![
            (role, format!("{cursor} {mark} {:<18}", column.id)),
            (Role::Dim, column.title.to_owned()),
        ]);
    }
    lines
}

fn feeds(state: &State, now: Epoch) -> Vec<Line> {
    let mut lines = vec![vec![
        (Role::Accent, "feeds".to_owned()),
        (Role::Dim, format!("   {}  {}", state.cluster.server, state.cluster.version)),
    ]];
    let of = |feed: &Feed| {
        let gvk = &state.store.table_at(feed.table).spec.kinds[usize::from(feed.kind)].gvk;
        // Nodes and pods are plain words; what is measured of them is served by another group.
        let name = if is_usage(gvk) { gvk.resource() } else { gvk.plural.to_owned() };
        (name, feed.namespace.clone().unwrap_or_else(|| "all".into()))
    };
    let named: Vec<_> = state.store.feeds.iter().map(of).collect();
    let widest = |of: fn(&(String, String)) -> &str| named.iter().map(|n| width(of(n))).max();
    let names = widest(|(name, _)| name).unwrap_or(0) + 2;
    let scopes = widest(|(_, scope)| scope).unwrap_or(0) + 2;
    for (feed, (name, scope)) in state.store.feeds.iter().zip(&named) {
        let (role, words) = feed.health.words(now);
        let heard = feed.health.heard(now).unwrap_or_default();
        lines.push(vec![
            (Role::Plain, format!("  {name:<names$}{scope:<scopes$}")),
            (role, format!("{words:<34}")),
            (Role::Dim, heard),
        ]);
    }
    lines
}
