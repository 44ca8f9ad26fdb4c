//! The painter of boards: lines about things, a cursor, and what more there is to say of the line under it.

use super::page::{Pen, fit};
use super::theme::Theme;
use crate::state::cell::Role;
use crate::state::text::{clean, wrap};
use crate::state::ui::board::{About, Board};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// Lines at the bottom for what there is to say of the line under the cursor.
const DETAIL: u16 = 4;
/// A page lower than this has no room for them.
const LOW: u16 = 14;

/// Lines of a page of this height that hold lines of the board.
pub fn height(page: u16) -> u16 {
    if page >= LOW { page - DETAIL } else { page }
}

/// The second line of the screen.
pub fn title(board: &Board, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let mut pen = Pen::new(buf, theme, area, area.y);
    pen.skip(1);
    for (role, text) in &board.title {
        pen.put(*role, text);
    }
    pen.right(&board.right);
}

/// The lines, and below them what belongs to the one under the cursor.
pub fn paint(board: &Board, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let rows = height(area.height);
    let shown = board.lines.iter().enumerate().skip(board.top).take(usize::from(rows));
    for (y, (at, line)) in (area.y..).zip(shown) {
        let here = at == board.cursor;
        let mark = if here && line.about != About::Text { ">" } else { " " };
        let mut pen = Pen::new(buf, theme, area, y);
        pen.put(Role::Accent, mark).skip(1);
        for (role, text) in &line.spans {
            let room = usize::from(pen.room());
            pen.put(*role, &fit_end(text, room, theme));
        }
        if here {
            let row = Rect { y, height: 1, ..area }.intersection(buf.area);
            buf.set_style(row, theme.cursor().add_modifier(Modifier::BOLD));
        }
    }
    if rows < area.height {
        let below = Rect { y: area.y + rows, height: area.height - rows, ..area };
        detail(board, theme, below, buf);
    }
}

/// Cut at its end: words are read from their beginning.
fn fit_end(text: &str, room: usize, theme: &Theme) -> String {
    let text = clean(text);
    let cells = crate::state::text::width(&text);
    if cells <= room {
        return text.into_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += crate::state::text::width(c.encode_utf8(&mut [0; 4]));
        if used > room {
            break;
        }
        out.push(c);
    }
    out + theme.ellipsis()
}

fn detail(board: &Board, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let Some(line) = board.lines.get(board.cursor) else { return };
    let room = usize::from(area.width.saturating_sub(4)).max(20);
    let mut y = area.y + 1;
    for (role, text) in &line.detail {
        for part in wrap(&clean(text), room) {
            if y >= area.bottom() {
                return;
            }
            Pen::new(buf, theme, area, y).skip(2).put(*role, &fit(&part, room, theme));
            y += 1;
        }
    }
}
