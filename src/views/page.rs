//! Writing into a buffer, cell by cell, without ever leaving it.

use super::theme::Theme;
use crate::state::cell::Role;
use crate::state::text::{clean, width};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A line of the screen being written from left to right.
pub struct Pen<'a> {
    buf: &'a mut Buffer,
    theme: &'a Theme,
    x: u16,
    end: u16,
    y: u16,
}

impl<'a> Pen<'a> {
    /// A pen at the left end of line `y` of an area.
    pub fn new(buf: &'a mut Buffer, theme: &'a Theme, area: Rect, y: u16) -> Pen<'a> {
        let area = area.intersection(buf.area);
        let end = if y < area.bottom() { area.right() } else { area.left() };
        Pen { buf, theme, x: area.left(), end, y }
    }

    /// Cells left.
    pub fn room(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }

    /// Leaves cells blank.
    pub fn skip(&mut self, cells: u16) -> &mut Self {
        self.x = (self.x + cells).min(self.end);
        self
    }

    /// Writes text in a role; what does not fit is cut.
    pub fn put(&mut self, role: Role, text: &str) -> &mut Self {
        self.styled(self.theme.style(role), text)
    }

    /// Writes text in a style.
    pub fn styled(&mut self, style: Style, text: &str) -> &mut Self {
        let text = clean(text);
        if self.room() > 0 {
            let (x, _) =
                self.buf.set_stringn(self.x, self.y, &*text, usize::from(self.room()), style);
            self.x = x.min(self.end);
        }
        self
    }

    /// Writes text so that it ends at the right edge, if it fits.
    pub fn right(&mut self, parts: &[(Role, String)]) -> &mut Self {
        let total: usize = parts.iter().map(|(_, t)| width(&clean(t))).sum();
        if total < usize::from(self.room()) {
            self.skip(self.room() - total as u16);
            for (role, text) in parts {
                self.put(*role, text);
            }
        }
        self
    }
}

/// The beginning of a text that fits in a number of cells.
pub fn begin(text: &str, cells: usize, theme: &Theme) -> String {
    let text = clean(text);
    if width(&text) <= cells {
        return text.into_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += width(c.encode_utf8(&mut [0; 4]));
        if used >= cells {
            break;
        }
        out.push(c);
    }
    if cells > 0 {
        out.push_str(theme.ellipsis());
    }
    out
}

/// Text cut to a number of cells. What is cut of a name is its middle's left: the tail tells siblings apart.
pub fn fit(text: &str, cells: usize, theme: &Theme) -> String {
    let text = clean(text);
    if width(&text) <= cells {
        return text.into_owned();
    }
    let room = cells.saturating_sub(1);
    let (head, tail) = (room - room / 2, room / 2);
    let take = |chars: &mut dyn Iterator<Item = char>, room: usize| {
        let mut used = 0;
        let mut out: Vec<char> = vec![];
        for c in chars {
            used += width(c.encode_utf8(&mut [0; 4]));
            if used > room {
                break;
            }
            out.push(c);
        }
        out
    };
    if cells == 0 {
        return String::new();
    }
    let mut out: String = take(&mut text.chars(), head).into_iter().collect();
    out.push_str(theme.ellipsis());
    out.extend(take(&mut text.chars().rev(), tail).into_iter().rev());
    out
}
