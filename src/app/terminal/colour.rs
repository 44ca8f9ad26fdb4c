//! Colours brought down to what the terminal is sent, and the shortest way to change the pen.
//!
//! Invariant: `Pen` is what the terminal is known to be using; `change` turns one into another and nothing else.

use super::profile::Depth;
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;

/// A colour as it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// The terminal's own.
    #[default]
    Default,
    /// One of the palette; below 16 in the short form.
    Palette(u8),
    /// 24 bits.
    Rgb(u8, u8, u8),
}

/// Colours and modifiers in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pen {
    /// The foreground.
    pub fg: Ink,
    /// The background.
    pub bg: Ink,
    /// Bold, reversed and so on.
    pub modifier: Modifier,
}

/// Modifiers with the codes that turn them on and off. Bold and dim share the code that ends them.
const MODIFIERS: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

impl Pen {
    /// Appends the shortest sequence that makes `self` into `next`: the differences, or a reset and all that is on.
    pub fn change(self, next: Pen, out: &mut Vec<u8>) {
        if self == next {
            return;
        }
        let (mut by_steps, mut afresh) = (String::new(), String::new());
        self.steps(next, &mut by_steps);
        Pen::default().steps(next, &mut afresh);
        // `ESC[m` is the reset; with anything after it the zero has to be written or an empty place left for it.
        let reset = if afresh.is_empty() { String::new() } else { format!(";{afresh}") };
        let codes = if reset.len() < by_steps.len() { reset } else { by_steps };
        out.extend_from_slice(b"\x1b[");
        out.extend_from_slice(codes.as_bytes());
        out.push(b'm');
    }

    fn steps(self, next: Pen, codes: &mut String) {
        let gone = self.modifier - next.modifier;
        let mut have = self.modifier - gone;
        let mut last_off = 0;
        for (modifier, _, off) in MODIFIERS {
            if gone.contains(modifier) && off != last_off {
                code(codes, off);
                last_off = off;
                // One code ends both of a pair: the other has to be turned on again.
                let pair = MODIFIERS.iter().filter(|(_, _, o)| *o == off);
                have = pair.fold(have, |have, (m, _, _)| have - *m);
            }
        }
        for (modifier, on, _) in MODIFIERS {
            if (next.modifier - have).contains(modifier) {
                code(codes, on);
            }
        }
        if self.fg != next.fg {
            next.fg.code(codes, 30);
        }
        if self.bg != next.bg {
            next.bg.code(codes, 40);
        }
    }
}

fn code(codes: &mut String, n: u8) {
    let separator = if codes.is_empty() { "" } else { ";" };
    write!(codes, "{separator}{n}").expect("a String takes all that is written");
}

impl Ink {
    /// The colour at a depth.
    pub fn of(colour: Color, depth: Depth) -> Ink {
        let wanted = match colour {
            Color::Reset => return Ink::Default,
            Color::Black => Ink::Palette(0),
            Color::Red => Ink::Palette(1),
            Color::Green => Ink::Palette(2),
            Color::Yellow => Ink::Palette(3),
            Color::Blue => Ink::Palette(4),
            Color::Magenta => Ink::Palette(5),
            Color::Cyan => Ink::Palette(6),
            Color::Gray => Ink::Palette(7),
            Color::DarkGray => Ink::Palette(8),
            Color::LightRed => Ink::Palette(9),
            Color::LightGreen => Ink::Palette(10),
            Color::LightYellow => Ink::Palette(11),
            Color::LightBlue => Ink::Palette(12),
            Color::LightMagenta => Ink::Palette(13),
            Color::LightCyan => Ink::Palette(14),
            Color::White => Ink::Palette(15),
            Color::Indexed(n) => Ink::Palette(n),
            Color::Rgb(r, g, b) => Ink::Rgb(r, g, b),
        };
        match (depth, wanted) {
            (Depth::Mono, _) => Ink::Default,
            (Depth::Ansi16, Ink::Palette(n @ 16..)) => Ink::Palette(nearest(rgb(n), 0, 15)),
            (Depth::Ansi16, Ink::Rgb(r, g, b)) => Ink::Palette(nearest((r, g, b), 0, 15)),
            // The first sixteen are the operator's own and may look like anything: not for an exact colour.
            (Depth::Ansi256, Ink::Rgb(r, g, b)) => Ink::Palette(nearest((r, g, b), 16, 255)),
            (_, wanted) => wanted,
        }
    }

    fn code(self, codes: &mut String, base: u8) {
        match self {
            Ink::Default => code(codes, base + 9),
            Ink::Palette(n @ 0..=7) => code(codes, base + n),
            Ink::Palette(n @ 8..=15) => code(codes, base + 60 + n - 8),
            Ink::Palette(n) => [base + 8, 5, n].into_iter().for_each(|n| code(codes, n)),
            Ink::Rgb(r, g, b) => [base + 8, 2, r, g, b].into_iter().for_each(|n| code(codes, n)),
        }
    }
}

/// The sixteen as xterm paints them.
const SIXTEEN: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

/// A palette entry in xterm's default palette: sixteen, a 6x6x6 cube, a ramp of greys.
fn rgb(n: u8) -> (u8, u8, u8) {
    let level = |i: u8| if i == 0 { 0 } else { 55 + 40 * i };
    match n {
        0..=15 => SIXTEEN[usize::from(n)],
        16..=231 => (level((n - 16) / 36), level((n - 16) / 6 % 6), level((n - 16) % 6)),
        232.. => (8 + 10 * (n - 232), 8 + 10 * (n - 232), 8 + 10 * (n - 232)),
    }
}

fn nearest(want: (u8, u8, u8), first: u8, last: u8) -> u8 {
    let square = |a: u8, b: u8| (i32::from(a) - i32::from(b)).pow(2);
    let distance = |n: &u8| {
        let have = rgb(*n);
        square(have.0, want.0) + square(have.1, want.1) + square(have.2, want.2)
    };
    (first..=last).min_by_key(distance).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: Pen, to: Pen) -> String {
        let mut out = vec![];
        from.change(to, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn colours_fit_the_depth() {
        let orange = Color::Rgb(255, 135, 0);
        assert_eq!(Ink::of(orange, Depth::Rgb), Ink::Rgb(255, 135, 0));
        assert_eq!(Ink::of(orange, Depth::Ansi256), Ink::Palette(208));
        assert_eq!(Ink::of(Color::Rgb(250, 10, 10), Depth::Ansi16), Ink::Palette(9));
        assert_eq!(Ink::of(Color::Indexed(196), Depth::Ansi16), Ink::Palette(9));
        assert_eq!(Ink::of(Color::Indexed(208), Depth::Ansi256), Ink::Palette(208));
        assert_eq!(Ink::of(Color::LightRed, Depth::Ansi16), Ink::Palette(9));
        assert_eq!(Ink::of(orange, Depth::Mono), Ink::Default);
    }

    #[test]
    fn one_short_sequence_per_change() {
        let plain = Pen::default();
        let yellow = Pen { fg: Ink::Palette(3), ..plain };
        let bold = Pen { modifier: Modifier::BOLD, ..yellow };
        assert_eq!(change(plain, plain), "");
        assert_eq!(change(plain, yellow), "\x1b[33m");
        assert_eq!(change(yellow, bold), "\x1b[1m");
        assert_eq!(change(bold, plain), "\x1b[m");
        assert_eq!(change(plain, Pen { fg: Ink::Palette(9), ..bold }), "\x1b[1;91m");
        assert_eq!(change(plain, Pen { bg: Ink::Palette(208), ..plain }), "\x1b[48;5;208m");
    }

    #[test]
    fn bold_survives_the_end_of_dim() {
        let with = |modifier| Pen { modifier, ..Pen::default() };
        let out = change(with(Modifier::BOLD | Modifier::DIM), with(Modifier::BOLD));
        assert!(out == "\x1b[22;1m" || out == "\x1b[;1m", "{out:?}");
    }
}
