//! The painter of a change before it is made.

use super::page::Pen;
use super::theme::Theme;
use crate::state::State;
use crate::state::cell::Role;
use crate::state::text::{width, wrap};
use crate::state::ui::proposal::{Proposal, Wanted};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Paints it over an area.
pub fn paint(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let Some(proposal) = &state.ui.proposal else { return };
    let area = area.intersection(buf.area);
    for position in area.positions() {
        buf[position].reset();
    }
    let cluster = &state.cluster;
    let mut pen = Pen::new(buf, theme, area, area.y);
    pen.skip(1).put(Role::Accent, &proposal.title).skip(2).put(Role::Dim, "on");
    let role = if cluster.protected { Role::Danger } else { Role::Warn };
    pen.skip(1).put(role, &format!("{} ({})", cluster.context, cluster.server));
    if cluster.protected {
        pen.skip(1).put(Role::Danger, "PROTECTED");
    }
    // The last two lines are the question and what was typed.
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(3), ..area };
    let room = usize::from(area.width).saturating_sub(4).max(20);
    let lines = proposal.lines.iter().flat_map(|(role, text)| {
        let indent = text.len() - text.trim_start().len();
        wrap(text.trim_start(), room.saturating_sub(indent).max(20))
            .into_iter()
            .flat_map(move |line| pieces(&line, room.saturating_sub(indent).max(20)))
            .map(move |line| (*role, format!("{}{line}", " ".repeat(indent))))
    });
    let lines: Vec<_> = lines.collect();
    let skip = proposal.top.min(lines.len().saturating_sub(usize::from(body.height)));
    for (y, (role, text)) in (body.y..body.bottom()).zip(lines.iter().skip(skip)) {
        Pen::new(buf, theme, area, y).skip(2).put(*role, text);
    }
    let below = lines.len().saturating_sub(skip + usize::from(body.height));
    if below > 0 {
        let more = format!("{below} lines more below ");
        Pen::new(buf, theme, area, body.bottom()).right(&[(Role::Warn, more)]);
    }
    question(proposal, theme, area, buf);
}

/// A line in pieces that fit: a request's body is one long word, and all of it is to be read.
fn pieces(line: &str, room: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in line.chars() {
        let cells = width(c.encode_utf8(&mut [0; 4]));
        if used + cells > room {
            pieces.push(String::new());
            used = 0;
        }
        used += cells;
        if let Some(last) = pieces.last_mut() {
            last.push(c);
        }
    }
    pieces
}

fn question(proposal: &Proposal, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let mut pen = Pen::new(buf, theme, area, area.bottom().saturating_sub(1));
    pen.skip(1);
    match &proposal.wanted {
        Wanted::Yes => pen.put(Role::Accent, "y").put(Role::Plain, " do it"),
        Wanted::Typed(word) => {
            pen.put(Role::Plain, "type ").put(Role::Danger, word).put(Role::Plain, " and then ");
            pen.put(Role::Accent, "y").put(Role::Plain, ": ").put(Role::Accent, &proposal.typed)
        }
    };
    pen.skip(3).put(Role::Accent, "esc").put(Role::Plain, " leave it, nothing was done");
    pen.skip(3).put(Role::Dim, "Enter does not confirm");
}
