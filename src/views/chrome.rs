//! The frame around a page: who and where, how fresh, and the keys that work here.

use super::page::{Pen, begin, fit};
use super::spec::{Part, TableView};
use super::theme::Theme;
use crate::actions;
use crate::state::State;
use crate::state::cell::Role;
use crate::state::health::Health;
use crate::state::kinds::{self, stuck, usage::is_lent};
use crate::state::text::{clean, width, wrap};
use crate::state::time::Epoch;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The first line. What could hurt (demo, no certificate check, a skewed clock) comes before what is long.
pub fn header(
    state: &State,
    view: Option<&TableView>,
    theme: &Theme,
    now: Epoch,
    area: Rect,
    buf: &mut Buffer,
) {
    let c = &state.cluster;
    let mut pen = Pen::new(buf, theme, area, area.y);
    pen.skip(1);
    if c.demo {
        pen.put(Role::Danger, " DEMO ").skip(2);
    }
    pen.put(Role::Accent, &c.context);
    if c.insecure {
        pen.skip(2).put(Role::Danger, " certificate not verified ");
    }
    let mut words = vec![];
    // What holds changes back is said at every width; who asks for it gives way.
    if c.protected {
        pen.skip(2).put(Role::Warn, "PROTECTED");
    }
    if c.read_only {
        pen.skip(2).put(Role::Accent, "read-only");
        let by = Some(&c.read_only_by).filter(|by| !by.is_empty());
        words.extend(by.map(|by| (Role::Dim, format!("({by})"))));
    }
    if c.unrecorded {
        pen.skip(2).put(Role::Warn, "NO JOURNAL");
    }
    words.extend(state.ui.underway.clone());
    if let Some(to) = &c.switching {
        words.push((Role::Warn, format!("connecting to {to}")));
    }
    if !c.name.is_empty() && c.name != c.context {
        words.push((Role::Dim, format!("cluster {}", c.name)));
    }
    words.push((Role::Plain, c.namespace.clone().unwrap_or_else(|| "all namespaces".into())));
    if !c.read_only {
        words.push((Role::Plain, "read-write".into()));
    }
    if let Some(skew) = c.told_skew() {
        words.push((Role::Warn, format!("server clock {skew:+} s")));
    }
    words.extend(
        [&c.user, &c.version].into_iter().filter(|w| !w.is_empty()).map(|w| (Role::Dim, w.clone())),
    );
    // Freshness is never hidden: whatever else there is gives way to it.
    let level = if c.level.is_empty() { String::new() } else { format!("in {} ", c.level) };
    let mut right = vec![(Role::Dim, format!("  {} req/min {level}", c.requests))];
    if let Some(view) = view {
        let (role, what, words) = freshness(state, view, now);
        let room = usize::from(pen.room()).saturating_sub(2);
        let whole = [what, &words].join(" ");
        let text = if width(&whole) <= room { whole.trim_start() } else { &words };
        if width(text) + width(&right[0].1) > room {
            right.clear();
        }
        right.insert(0, (role, fit(text, room, theme)));
    }
    let reserved: usize = right.iter().map(|(_, t)| width(t)).sum::<usize>() + 1;
    for (role, text) in words {
        if width(&text) + 2 + reserved <= usize::from(pen.room()) {
            pen.skip(2).put(role, &text);
        }
    }
    pen.right(&right);
}

/// The worst of the feeds a view lives on: which one, if that matters, and how it is.
fn freshness(state: &State, view: &TableView, now: Epoch) -> (Role, &'static str, String) {
    let needs = |table: u8| {
        let id = state.store.table_at(table).spec.id;
        // Use is told beside the counts: without it the rows are as right as with it.
        (id == view.table || view.also.contains(&id)) && !is_lent(id)
    };
    let feeds = state.store.feeds.iter().filter(|f| needs(f.table));
    let worst = feeds
        .max_by_key(|f| (f.health.rank(), state.store.table_at(f.table).spec.id == view.table));
    match worst {
        Some(feed) => {
            let what =
                state.store.table_at(feed.table).spec.kinds[usize::from(feed.kind)].gvk.plural;
            let (role, words) = feed.health.brief(now);
            let own = state.store.table_at(feed.table).spec.id == view.table;
            let plain = match feed.health {
                Health::Denied { .. } => true,
                // Which table was looked at is on the screen already.
                Health::Surveyed { .. } => own,
                _ => false,
            };
            if feed.health.rank() > 0 && !plain { (role, what, words) } else { (role, "", words) }
        }
        None => (Role::Dim, "", "not followed".into()),
    }
}

/// The second line. Parts with a link carry the digit that leads there.
pub fn summary(parts: &[Part], place: &str, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let mut pen = Pen::new(buf, theme, area, area.y);
    pen.skip(1);
    // What narrows the rows is never hidden: totals give way to it.
    let place = fit(place, usize::from(pen.room()).saturating_sub(1), theme);
    if parts.is_empty() {
        pen.put(Role::Accent, &place);
        return;
    }
    let reserved = if place.is_empty() { 0 } else { width(&place) + 3 };
    let mut link = 0;
    let mut first = true;
    for part in parts {
        let gap = match part.text.as_str() {
            "" => 3,
            text if !first && !text.ends_with(':') => 2,
            _ => 0,
        };
        if usize::from(gap) + reserved > usize::from(pen.room()) {
            break;
        }
        pen.skip(gap);
        if part.text.is_empty() {
            continue;
        }
        first = part.text.ends_with(':');
        if first {
            if part.text.len() + reserved > usize::from(pen.room()) {
                break;
            }
            pen.put(part.role, &part.text).skip(1);
            continue;
        }
        link += usize::from(part.link.is_some());
        let digit = part.link.as_ref().map(|_| format!("[{link}]")).unwrap_or_default();
        // Half a count could be read as another number.
        if part.text.len() + digit.len() + reserved > usize::from(pen.room()) {
            break;
        }
        pen.put(part.role, &part.text).put(Role::Dim, &digit);
    }
    if !place.is_empty() {
        pen.right(&[(Role::Accent, format!("{place} "))]);
    }
}

/// The last line: a message or what there is to say of the row, then the keys that work here.
pub fn footer(
    state: &State,
    view: Option<&TableView>,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let mut pen = Pen::new(buf, theme, area, area.y);
    pen.skip(1);
    if let Some(toast) = &state.ui.toast {
        pen.put(toast.role, &toast.text).skip(3);
    }
    // What there is to say of a row stands at the right, so that the keys stay where they are from row to row, unless it has
    // lines of its own.
    let own = view.is_some_and(|view| strip(view, (area.width, area.y + 1)) > 0);
    let detail = row_detail(state, view).filter(|_| state.ui.toast.is_none() && !own);
    let detail = detail.unwrap_or_default();
    let detail = super::page::fit(&detail, usize::from(area.width) / 2, theme);
    let reserved = if detail.is_empty() { 0 } else { width(&detail) + 2 };
    let mut offers = offers(state, view);
    let cells = |(key, word, _): &(String, &str, bool)| width(key) + word.len() + 3;
    // Where all else is found is never crowded out.
    let help = offers.iter().position(|(_, word, _)| *word == "help").map(|at| offers.remove(at));
    let kept = reserved + help.as_ref().map_or(0, cells);
    let mut room = usize::from(pen.room());
    let fits = offers.iter().take_while(|offer| {
        let fits = cells(offer) + kept <= room;
        room -= if fits { cells(offer) } else { 0 };
        fits
    });
    let shown = fits.count();
    let help = help.filter(|help| cells(help) + reserved <= room);
    for (key, word, offered) in offers.iter().take(shown).chain(&help) {
        let (k, w) = if *offered { (Role::Accent, Role::Plain) } else { (Role::Dim, Role::Dim) };
        pen.put(k, key).skip(1).put(w, word).skip(2);
    }
    pen.right(&[(Role::Plain, format!("{detail} "))]);
}

/// Lines above the keys for what there is to say of a row, where that is a sentence and not a word: on boards, whose widest
/// column is the first that finds no room. They do not depend on the row, so that nothing jumps.
pub fn strip(view: &TableView, (width, height): (u16, u16)) -> u16 {
    let spec = kinds::ALL.iter().find(|table| table.id == view.table);
    let words = spec.is_some_and(|spec| spec.is_looked_at() || spec.id == stuck::TABLE.id);
    match width {
        _ if !words || height < 16 => 0,
        ..100 => 3,
        100..160 => 2,
        _ => 1,
    }
}

/// What there is to say of the row under the cursor, in as many lines as there are.
pub fn details(state: &State, view: &TableView, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let Some(text) = row_detail(state, Some(view)) else { return };
    let room = usize::from(area.width.saturating_sub(2));
    // Breaks in a text of the cluster are its own: they are no lines of ours.
    let mut lines = wrap(&clean(&text), room);
    let rest = lines.split_off(lines.len().min(usize::from(area.height)));
    if let (false, Some(last)) = (rest.is_empty(), lines.last_mut()) {
        *last = begin(&format!("{last} {}", rest.join(" ")), room, theme);
    }
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        Pen::new(buf, theme, area, y).skip(1).put(Role::Plain, &line);
    }
}

fn row_detail(state: &State, view: Option<&TableView>) -> Option<String> {
    let row = state.ui.table()?.seen(&state.store)?;
    super::rows::detail(view?, row)
}

/// Keys for the last line: Enter, the actions on this row, then the way around.
fn offers<'s>(state: &'s State, view: Option<&'s TableView>) -> Vec<(String, &'s str, bool)> {
    let key = |id: &str| state.ui.keys.get(id).cloned();
    let mut out = vec![];
    if let Some(chart) = state.ui.chart() {
        let here = super::chart::offers(state, chart)
            .into_iter()
            .chain([("help", "help"), ("back", "back")]);
        return here.filter_map(|(id, word)| Some((key(id)?, word, true))).collect();
    }
    if let Some(board) = state.ui.board() {
        let offers = board.offers.iter();
        out.extend(offers.filter_map(|(id, word, works)| Some((key(id)?, *word, *works))));
        out.extend(key("help").map(|k| (k, "help", true)));
        out.extend(key("back").map(|k| (k, "back", true)));
        return out;
    }
    if let Some(view) = view {
        out.extend(key("enter").map(|k| (k, view.enter.0, true)));
    }
    if let Some(ask) = actions::ask(state) {
        for action in actions::ALL {
            let spec = action.spec();
            if spec.shown && actions::fits(*action, ask.target.table) {
                let offered = matches!(action.offer(&ask), actions::Offer::Yes);
                out.extend(key(spec.id).map(|k| (k, spec.word, offered)));
            }
        }
    }
    let around = match view {
        Some(_) => [("filter", "filter"), ("command", "go"), ("help", "help"), ("back", "back")],
        None => [("filter", "search"), ("fold", "unfold"), ("help", "help"), ("back", "back")],
    };
    out.extend(around.into_iter().filter_map(|(id, word)| Some((key(id)?, word, true))));
    out
}
