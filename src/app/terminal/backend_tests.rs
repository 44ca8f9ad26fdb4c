//! Frames drawn through the backend are played into a terminal emulator and compared with the buffer that was meant.

use super::*;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use std::num::NonZeroU16;

struct Bench {
    terminal: Terminal<Lean>,
    screen: vt100::Parser,
    depth: Depth,
}

impl Bench {
    fn new(width: u16, height: u16, depth: Depth) -> Bench {
        let lean = Lean::new(Size { width, height }, depth);
        let cells = |n| NonZeroU16::new(n).unwrap();
        let screen = vt100::Parser::new(cells(height), cells(width), 0);
        Bench { terminal: Terminal::new(lean).unwrap(), screen, depth }
    }

    /// Draws, plays the bytes, and returns how many they were.
    fn draw(&mut self, paint: impl FnOnce(&mut Buffer)) -> usize {
        self.draw_at(None, paint)
    }

    fn draw_at(&mut self, cursor: Option<Position>, paint: impl FnOnce(&mut Buffer)) -> usize {
        let drawn = self.terminal.draw(|frame| {
            paint(frame.buffer_mut());
            if let Some(position) = cursor {
                frame.set_cursor_position(position);
            }
        });
        let meant = drawn.unwrap().buffer.clone();
        let bytes = self.terminal.backend_mut().take_frame();
        self.screen.process(&bytes);
        self.compare(&meant);
        if let Some(position) = cursor {
            assert_eq!(self.screen.screen().cursor_position(), (position.y, position.x));
        }
        assert_eq!(self.screen.screen().hide_cursor(), cursor.is_none());
        bytes.len()
    }

    fn compare(&self, meant: &Buffer) {
        for y in 0..meant.area.height {
            let mut x = 0;
            while x < meant.area.width {
                let cell = &meant[(x, y)];
                self.compare_cell(x, y, cell);
                x += cell.symbol().width().max(1) as u16;
            }
        }
    }

    fn compare_cell(&self, x: u16, y: u16, cell: &Cell) {
        let seen = self.screen.screen().cell(y, x).unwrap();
        let text = if seen.has_contents() { seen.contents() } else { " " };
        assert_eq!(text, cell.symbol(), "text at {x},{y}");
        let reversed = cell.modifier.contains(Modifier::REVERSED);
        let underlined = cell.modifier.contains(Modifier::UNDERLINED);
        assert_eq!((seen.inverse(), seen.underline()), (reversed, underlined), "at {x},{y}");
        assert_eq!(seen.bgcolor(), colour(cell.bg, self.depth), "background at {x},{y}");
        if cell.symbol() != " " || reversed || underlined {
            assert_eq!(seen.fgcolor(), colour(cell.fg, self.depth), "foreground at {x},{y}");
        }
        if cell.symbol() != " " {
            assert_eq!(seen.italic(), cell.modifier.contains(Modifier::ITALIC), "at {x},{y}");
            assert_eq!(seen.bold(), cell.modifier.contains(Modifier::BOLD), "bold at {x},{y}");
            assert_eq!(seen.dim(), cell.modifier.contains(Modifier::DIM), "dim at {x},{y}");
        }
    }
}

fn colour(colour: Color, depth: Depth) -> vt100::Color {
    match Ink::of(colour, depth) {
        Ink::Default => vt100::Color::Default,
        Ink::Palette(n) => vt100::Color::Idx(n),
        Ink::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
    }
}

/// A piece of a line: blanks before it, its text, its style.
type Span = (u16, String, Style);

fn any_colour() -> impl Strategy<Value = Color> {
    prop_oneof![
        3 => Just(Color::Reset),
        2 => proptest::sample::select(vec![Color::Red, Color::DarkGray, Color::White]),
        1 => any::<u8>().prop_map(Color::Indexed),
        1 => any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
    ]
}

fn any_style() -> impl Strategy<Value = Style> {
    let modifiers = vec![
        Modifier::empty(),
        Modifier::BOLD,
        // The emulator knows bold or dim, not both; the pair has its own test in colour.rs.
        Modifier::DIM,
        Modifier::ITALIC,
        Modifier::REVERSED,
        Modifier::UNDERLINED,
        Modifier::REVERSED | Modifier::BOLD,
        Modifier::UNDERLINED | Modifier::ITALIC,
    ];
    (any_colour(), any_colour(), proptest::sample::select(modifiers))
        .prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
}

const NARROW: &[&str] = &["a", "Z", "-", " ", " ", "          ", "é", "e\u{301}", "━", "⣿", "●"];
const WIDE: &[&str] = &["a", " ", "     ", "节点", "節", "━"];

fn any_frame(
    height: usize,
    pieces: &'static [&'static str],
) -> impl Strategy<Value = Vec<Vec<Span>>> {
    let text = proptest::collection::vec(proptest::sample::select(pieces), 1..12);
    let span = (0u16..20, text.prop_map(|pieces| pieces.concat()), any_style());
    proptest::collection::vec(proptest::collection::vec(span, 0..4), height)
}

fn paint(lines: &[Vec<Span>], buffer: &mut Buffer) {
    let width = buffer.area.width;
    for (y, line) in lines.iter().enumerate() {
        let mut x = 0;
        for (gap, text, style) in line {
            x += gap;
            if x < width {
                let room = usize::from(width - x);
                x = buffer.set_stringn(x, y as u16, text, room, *style).0;
            }
        }
    }
}

fn any_depth() -> impl Strategy<Value = Depth> {
    proptest::sample::select(vec![Depth::Mono, Depth::Ansi16, Depth::Ansi256, Depth::Rgb])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_terminal_shows_what_was_meant(
        depth in any_depth(),
        frames in proptest::collection::vec((any_frame(6, NARROW), (0u16..40, 0u16..6), any::<bool>()), 1..6),
    ) {
        let mut bench = Bench::new(40, 6, depth);
        for (lines, cursor, shown) in frames {
            let cursor = shown.then_some(Position::from(cursor));
            bench.draw_at(cursor, |buffer| paint(&lines, buffer));
            prop_assert_eq!(bench.draw_at(cursor, |buffer| paint(&lines, buffer)), 0);
        }
    }

    // Over an empty screen: what a terminal leaves of a wide character whose half is overwritten differs between them.
    #[test]
    fn wide_characters_stand_where_they_were_meant(depth in any_depth(), lines in any_frame(6, WIDE)) {
        Bench::new(40, 6, depth).draw(|buffer| paint(&lines, buffer));
    }
}

/// 49 rows of eight columns under a title, as the node view draws them.
fn table(cursor: u16, bar: bool) -> impl Fn(&mut Buffer) {
    move |buffer| {
        buffer.set_string(3, 0, "NAME           STATUS        PODS", Style::new().bold());
        for y in 1..50 {
            let here = bar && y == cursor;
            let green = if here { Style::new() } else { Style::new().fg(Color::Green) };
            buffer.set_string(3, y, format!("node-{y:05}.eu-1.example.internal"), Style::new());
            buffer.set_string(42, y, if y % 7 == 0 { "NotReady 6m" } else { "Ready" }, green);
            buffer.set_string(62, y, format!("{:3}/110", y * 2), Style::new());
            buffer.set_string(74, y, "━━━━━━", green);
            buffer.set_string(84, y, "27.8/32", Style::new());
            buffer.set_string(104, y, "66/128G", Style::new());
            buffer.set_string(120, y, "v1.36.3", Style::new());
            buffer.set_string(140, y, format!("10.0.0.{y}"), Style::new());
            buffer.set_string(170, y, "eu-1b  m6i.8xlarge", Style::new());
            buffer.set_string(194, y, "212d", Style::new());
        }
        let bold = Style::new().bold();
        if bar {
            buffer.set_style(Rect::new(0, cursor, 200, 1), Style::new().reversed());
        } else {
            buffer.set_string(1, cursor, ">", bold);
        }
    }
}

#[test]
fn bytes_stay_within_the_budgets() {
    for depth in [Depth::Mono, Depth::Ansi16, Depth::Ansi256, Depth::Rgb] {
        for (bar, budget) in [(false, 150), (true, 450)] {
            let mut bench = Bench::new(200, 50, depth);
            bench.draw_at(Some((1, 5).into()), table(5, bar));
            assert_eq!(bench.draw_at(Some((1, 5).into()), table(5, bar)), 0, "nothing changed");
            let down = bench.draw_at(Some((1, 6).into()), table(6, bar));
            assert!(down <= budget, "{depth:?}, bar {bar}: {down} bytes down");
            let up = bench.draw_at(Some((1, 5).into()), table(5, bar));
            assert!(up <= budget, "{depth:?}, bar {bar}: {up} bytes up");
        }
    }
}

#[test]
fn only_large_frames_are_synchronized() {
    let mut bench = Bench::new(200, 50, Depth::Ansi16);
    bench.terminal.draw(|frame| table(3, true)(frame.buffer_mut())).unwrap();
    let large = bench.terminal.backend_mut().take_frame();
    assert!(large.starts_with(SYNC_BEGIN) && large.ends_with(SYNC_END));
    bench.terminal.draw(|frame| table(4, true)(frame.buffer_mut())).unwrap();
    let small = bench.terminal.backend_mut().take_frame();
    assert!(!small.starts_with(SYNC_BEGIN) && small.len() <= SYNC_ABOVE);
}

#[test]
fn a_forgotten_screen_is_repainted_without_asking() {
    let mut bench = Bench::new(80, 24, Depth::Ansi256);
    let lines = vec![vec![(2, "what was here".to_owned(), Style::new().fg(Color::Red).bold())]];
    bench.draw(|buffer| paint(&lines, buffer));
    bench.screen.process(b"\x1b[?25h\x1b[2J\x1b[7;31mleft by somebody else");
    bench.terminal.backend_mut().forget();
    bench.terminal.resize(Rect::new(0, 0, 80, 24)).unwrap();
    bench.draw(|buffer| paint(&lines, buffer));
}

#[test]
fn mono_keeps_reverse_after_a_coloured_cell() {
    let mut bench = Bench::new(40, 2, Depth::Mono);
    bench.draw(|buffer| {
        buffer.set_string(0, 0, "red", Style::new().fg(Color::Red).reversed());
        buffer.set_string(3, 0, "plain", Style::new().reversed());
    });
    assert!(bench.screen.screen().cell(0, 5).unwrap().inverse());
}
