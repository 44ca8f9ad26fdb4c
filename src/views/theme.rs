//! Roles become styles, and glyphs fit the terminal.
//!
//! Invariant: a state is always readable in words; colour only repeats it. Colours are the terminal's own sixteen, so
//! that light and dark backgrounds both work and few bytes are spent.

use crate::state::cell::Role;
use ratatui::style::{Color, Modifier, Style};

/// How the screen may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Whether colours are used; without them roles are told by bold, underline and dim.
    pub colour: bool,
    /// Whether only ASCII may be drawn.
    pub ascii: bool,
    /// Whether the cursor's row is a bar; else a `>` stands before it, which costs a tenth of the bytes.
    pub bar: bool,
}

impl Theme {
    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        let plain = Style::new();
        if !self.colour {
            return match role {
                Role::Bad | Role::Danger => plain.add_modifier(Modifier::BOLD),
                Role::Warn => plain.add_modifier(Modifier::UNDERLINED),
                Role::Accent => plain.add_modifier(Modifier::BOLD),
                Role::Plain | Role::Ok | Role::Dim => plain,
            };
        }
        match role {
            Role::Plain => plain,
            Role::Ok => plain.fg(Color::Green),
            Role::Warn => plain.fg(Color::Yellow),
            // Bold as well: some palettes make red hard to read on black.
            Role::Bad => plain.fg(Color::LightRed).add_modifier(Modifier::BOLD),
            Role::Danger => plain.fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD),
            Role::Dim => plain.fg(Color::DarkGray),
            Role::Accent => plain.fg(Color::Cyan),
        }
    }

    /// The style laid over the cursor's row. Without a bar the row stays as it is: restyling two rows for each step is
    /// what costs.
    pub fn cursor(&self) -> Style {
        if self.bar { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() }
    }

    /// The role of a cell on the cursor's row. Reversed, every colour is a patch: only what needs a person keeps it.
    pub fn on_cursor(&self, role: Role) -> Role {
        match role {
            Role::Ok | Role::Dim | Role::Accent if self.bar => Role::Plain,
            role => role,
        }
    }

    /// The used part of a share. The rest is left blank: a track under every row would be noise, and bytes.
    pub fn bar_glyph(&self) -> &'static str {
        if self.ascii { "#" } else { "━" }
    }

    /// Glyphs of a small histogram, lowest first.
    pub fn heights(&self) -> [char; 8] {
        [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇']
    }

    /// The arrow of the sort column.
    pub fn arrow(&self, down: bool) -> &'static str {
        match (self.ascii, down) {
            (true, true) => "v",
            (true, false) => "^",
            (false, true) => "↓",
            (false, false) => "↑",
        }
    }

    /// The upright axis of a chart, where something is written beside it and elsewhere.
    pub fn axis(&self, told: bool) -> &'static str {
        match (self.ascii, told) {
            (true, true) => "+",
            (true, false) => "|",
            (false, true) => "┤",
            (false, false) => "│",
        }
    }

    /// The other axis of a chart: where it begins, itself, and where something is written below.
    pub fn ground(&self) -> (&'static str, &'static str, &'static str) {
        if self.ascii { ("+", "-", "+") } else { ("└", "─", "┴") }
    }

    /// Eight dots of a cell, numbered as in Unicode's Braille; in ASCII what comes nearest to their height.
    pub fn dots(&self, bits: u8) -> String {
        const UPPER: u8 = 0x1b;
        const LOWER: u8 = 0xe4;
        match (self.ascii, bits & UPPER != 0, bits & LOWER != 0) {
            (false, ..) => char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ').into(),
            (true, true, true) => "|".into(),
            (true, true, false) => "'".into(),
            (true, false, _) => ".".into(),
        }
    }

    /// What stands for text that did not fit.
    pub fn ellipsis(&self) -> &'static str {
        if self.ascii { "~" } else { "…" }
    }
}
