//! Cells become bytes: as few as will do, in memory, and none at all when nothing changed.
//!
//! Invariant: what the terminal shows, where its cursor stands and which pen it holds are tracked here and never asked
//! for. Between two changed cells, one or a few that stay as they are cost less written again than jumped over. Needs output processing off (`OPOST`), because a line feed has to keep its column.

use super::colour::{Ink, Pen};
use super::profile::Depth;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::Modifier;
use std::convert::Infallible;
use std::io::Write as _;
use unicode_width::UnicodeWidthStr;

/// A frame above this is wrapped into a synchronized update (16 bytes), so that a terminal that knows the mode shows it
/// whole; smaller ones arrive in one packet anyway.
const SYNC_ABOVE: usize = 512;
const SYNC_BEGIN: &[u8] = b"\x1b[?2026h";
const SYNC_END: &[u8] = b"\x1b[?2026l";

/// What shows on a blank cell.
const SHOWS_ON_BLANK: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::SLOW_BLINK)
    .union(Modifier::RAPID_BLINK)
    .union(Modifier::CROSSED_OUT);

/// A backend that writes into memory. Give it to a ratatui `Terminal`, draw, then [`Lean::take_frame`].
#[derive(Debug)]
pub struct Lean {
    out: Vec<u8>,
    size: Size,
    depth: Depth,
    pen: Pen,
    /// Where the terminal's cursor is, while that is certain.
    at: Option<Position>,
    /// Whether the terminal shows its cursor; unknown at first.
    shown: Option<bool>,
    wanted: Option<Position>,
    /// What is known to stand in each cell: one ASCII byte and its pen. For filling gaps, so anything wider is unknown.
    stands: Vec<Option<(u8, Pen)>>,
}

impl Lean {
    /// A backend for a terminal of this size in cells, just entered: cleared, its pen reset.
    pub fn new(size: Size, depth: Depth) -> Lean {
        let pen = Pen::default();
        let stands = vec![None; cells_of(size)];
        Lean { out: vec![], size, depth, pen, at: None, shown: None, wanted: None, stands }
    }

    /// The terminal has this size now. Follow with `Terminal::resize`.
    pub fn set_size(&mut self, size: Size) {
        self.size = size;
        self.stands = vec![None; cells_of(size)];
    }

    /// Somebody else has used the terminal: nothing about it is known. Follow with `Terminal::resize`, which clears and
    /// repaints; `Terminal::clear` would ask for the cursor.
    pub fn forget(&mut self) {
        self.out.clear();
        self.at = None;
        self.shown = None;
        self.out.extend_from_slice(b"\x1b[m");
        self.pen = Pen::default();
        self.stands.fill(None);
    }

    /// The bytes drawn since the last call; empty when nothing changed.
    pub fn take_frame(&mut self) -> Vec<u8> {
        self.place_cursor();
        let frame = std::mem::take(&mut self.out);
        if frame.len() > SYNC_ABOVE { [SYNC_BEGIN, &frame, SYNC_END].concat() } else { frame }
    }

    fn place_cursor(&mut self) {
        if self.shown != Some(self.wanted.is_some()) {
            self.out.extend_from_slice(if self.wanted.is_some() {
                b"\x1b[?25h"
            } else {
                b"\x1b[?25l"
            });
            self.shown = Some(self.wanted.is_some());
        }
        if let Some(position) = self.wanted {
            self.move_to(position);
        }
    }

    fn pen_of(&self, cell: &Cell) -> Pen {
        let fg = Ink::of(cell.fg, self.depth);
        let bg = Ink::of(cell.bg, self.depth);
        Pen { fg, bg, modifier: cell.modifier }
    }

    /// The pen to write a symbol with. On a blank neither foreground nor weight shows: they are left as they are.
    fn pen_for(&self, symbol: &[u8], pen: Pen) -> Pen {
        if symbol != b" " || pen.modifier.intersects(SHOWS_ON_BLANK) {
            return pen;
        }
        Pen { fg: self.pen.fg, modifier: self.pen.modifier - SHOWS_ON_BLANK, ..pen }
    }

    fn place(&self, at: Position) -> usize {
        usize::from(at.y) * usize::from(self.size.width) + usize::from(at.x)
    }

    /// Notes what stands in a run of cells from now on.
    fn note(&mut self, at: Position, cells: u16, what: Option<(u8, Pen)>) {
        let from = self.place(at);
        if let Some(run) = self.stands.get_mut(from..from + usize::from(cells)) {
            run.fill(what);
        }
    }

    /// Writes again what stands between the cursor and a position on its line, if that is known, needs no other pen,
    /// and is shorter than jumping there.
    fn fill(&mut self, to: Position) {
        let Some(from) = self.at.filter(|from| from.y == to.y && from.x < to.x) else { return };
        let cells = usize::from(to.x - from.x);
        let jump = if cells == 1 { 3 } else { 3 + digits(cells as u16) };
        let start = self.place(from);
        let Some(gap) = self.stands.get(start..start + cells).filter(|_| cells <= jump) else {
            return;
        };
        let fits = |&(byte, pen): &(u8, Pen)| self.pen_for(&[byte], pen) == self.pen;
        let bytes: Option<Vec<u8>> =
            gap.iter().map(|cell| Some(cell.as_ref().filter(|c| fits(c))?.0)).collect();
        if let Some(bytes) = bytes {
            self.out.extend_from_slice(&bytes);
            self.at = Some(to);
        }
    }

    fn use_pen(&mut self, pen: Pen) {
        self.pen.change(pen, &mut self.out);
        self.pen = pen;
    }

    fn print(&mut self, at: Position, cell: &Cell) {
        self.fill(at);
        self.move_to(at);
        let (symbol, pen) = (cell.symbol().as_bytes(), self.pen_of(cell));
        self.use_pen(self.pen_for(symbol, pen));
        self.out.extend_from_slice(symbol);
        let width = cell.symbol().width().max(1) as u16;
        let plain = match *symbol {
            [byte @ b' '..=b'~'] => Some((byte, pen)),
            _ => None,
        };
        self.note(at, width, plain);
        let next = at.x.saturating_add(width);
        // After the last column a terminal may or may not have wrapped, and how wide it takes a cluster of several
        // characters is anybody's guess: then the next move is absolute.
        let certain = next < self.size.width && (width == 1 || cell.symbol().chars().count() == 1);
        self.at = certain.then_some(Position { x: next, y: at.y });
    }

    /// Blanks a run on the terminal's own background, by erasing where that is shorter than writing blanks.
    fn blank(&mut self, at: Position, cells: u16, followed: bool) {
        let to_edge = at.x + cells >= self.size.width;
        // Erasing leaves the cursor where it is; what follows directly has to be moved to.
        let erase = if to_edge { 3 } else { 3 + digits(cells) };
        let then = if followed { 3 + digits(cells) } else { 0 };
        if usize::from(cells) <= erase + then {
            for x in at.x..at.x + cells {
                self.print(Position { x, ..at }, &Cell::EMPTY);
            }
            return;
        }
        self.move_to(at);
        // Terminals that erase with the pen's background, and those that do not, agree on the default one.
        let keep = self.pen.modifier - SHOWS_ON_BLANK;
        self.use_pen(Pen { bg: Ink::Default, modifier: keep, ..self.pen });
        if to_edge {
            self.out.extend_from_slice(b"\x1b[K");
        } else {
            self.csi(cells, b'X');
        }
        self.note(at, cells, Some((b' ', Pen::default())));
    }

    /// Goes there by the shortest way.
    fn move_to(&mut self, to: Position) {
        if self.at == Some(to) {
            return;
        }
        let absolute = match (to.x, to.y) {
            (0, 0) => "\x1b[H".to_owned(),
            (0, y) => format!("\x1b[{}H", y + 1),
            (x, y) => format!("\x1b[{};{}H", y + 1, x + 1),
        };
        match self.at.and_then(|from| relative(from, to)) {
            Some(steps) if steps.len() <= absolute.len() => {
                self.out.extend_from_slice(steps.as_bytes())
            }
            _ => self.out.extend_from_slice(absolute.as_bytes()),
        }
        self.at = Some(to);
    }

    fn csi(&mut self, n: u16, last: u8) {
        write!(self.out, "\x1b[{n}{}", char::from(last)).expect("a Vec takes all that is written");
    }
}

/// The way from one position to another on the same line or below it.
fn relative(from: Position, to: Position) -> Option<String> {
    // A line feed is one byte and keeps the column; it cannot scroll, because `to` is on the screen.
    let down = "\n".repeat(usize::from(to.y.checked_sub(from.y)?));
    let forward = |cells: u16| match cells {
        0 => String::new(),
        1 => "\x1b[C".to_owned(),
        n => format!("\x1b[{n}C"),
    };
    let from_edge = format!("\r{down}{}", forward(to.x));
    let along = match to.x.checked_sub(from.x) {
        Some(cells) => format!("{down}{}", forward(cells)),
        // By column: every terminal since the VT510 knows it, and a small column is a short number.
        None => format!("{down}\x1b[{}G", to.x + 1),
    };
    Some(if along.len() <= from_edge.len() { along } else { from_edge })
}

fn cells_of(size: Size) -> usize {
    usize::from(size.width) * usize::from(size.height)
}

fn digits(n: u16) -> usize {
    n.checked_ilog10().map_or(1, |d| d as usize + 1)
}

/// Whether a cell can be made by erasing.
fn is_erased(cell: &Cell, depth: Depth) -> bool {
    cell.symbol() == " "
        && !cell.modifier.intersects(SHOWS_ON_BLANK)
        && Ink::of(cell.bg, depth) == Ink::Default
}

impl Backend for Lean {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut cells = content.peekable();
        while let Some((x, y, cell)) = cells.next() {
            let at = Position { x, y };
            if !is_erased(cell, self.depth) {
                self.print(at, cell);
                continue;
            }
            let mut run = 1;
            while cells
                .next_if(|(nx, ny, next)| (*nx, *ny) == (x + run, y) && is_erased(next, self.depth))
                .is_some()
            {
                run += 1;
            }
            let followed = cells.peek().is_some_and(|(nx, ny, _)| (*nx, *ny) == (x + run, y));
            self.blank(at, run, followed);
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.wanted = None;
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.wanted = self.wanted.or(Some(Position::ORIGIN));
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        Ok(self.wanted.or(self.at).unwrap_or(Position::ORIGIN))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        // Only a shown cursor has a place; a hidden one goes where the drawing takes it.
        self.wanted = self.wanted.map(|_| position.into());
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, part: ClearType) -> Result<(), Infallible> {
        self.use_pen(Pen::default());
        let all = part == ClearType::All;
        self.stands.fill(all.then_some((b' ', Pen::default())));
        self.out.extend_from_slice(match part {
            ClearType::All => b"\x1b[2J",
            ClearType::AfterCursor => b"\x1b[J",
            ClearType::BeforeCursor => b"\x1b[1J",
            ClearType::CurrentLine => b"\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "backend_tests.rs"]
mod tests;
