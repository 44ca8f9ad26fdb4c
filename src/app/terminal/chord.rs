//! A key as it is typed and as it is written in a keymap file.
//!
//! Invariant: one gesture has one value. Shift on a letter is the capital letter, the space bar is `Space`, Shift-Tab
//! is `BackTab`; so comparing chords compares gestures, and `to_string` and `parse` are inverse to each other.

use std::fmt;
use std::str::FromStr;

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A printed character other than the blank.
    Char(char),
    /// The space bar.
    Space,
    /// Enter, Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab: terminals send it as a key of its own.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key, from 1.
    F(u8),
}

/// The keys that are written by name.
const NAMES: [(&str, Key); 16] = [
    ("space", Key::Space),
    ("enter", Key::Enter),
    ("esc", Key::Esc),
    ("tab", Key::Tab),
    ("shift-tab", Key::BackTab),
    ("backspace", Key::Backspace),
    ("delete", Key::Delete),
    ("insert", Key::Insert),
    ("up", Key::Up),
    ("down", Key::Down),
    ("left", Key::Left),
    ("right", Key::Right),
    ("home", Key::Home),
    ("end", Key::End),
    ("page-up", Key::PageUp),
    ("page-down", Key::PageDown),
];

/// The highest function key that terminals have a sequence for.
const LAST_F: u8 = 20;

impl Key {
    fn named(name: &str) -> Option<Key> {
        if let Some((_, key)) = NAMES.iter().find(|(have, _)| *have == name) {
            return Some(*key);
        }
        let mut chars = name.chars();
        match (chars.next()?, chars.next()) {
            (' ', None) => Some(Key::Space),
            (c, None) if !c.is_control() => Some(Key::Char(c)),
            ('f', Some('1'..='9')) => name[1..].parse().ok().filter(|n| *n <= LAST_F).map(Key::F),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Char(c) => write!(f, "{c}"),
            Key::F(n) => write!(f, "f{n}"),
            key => {
                let name = NAMES.iter().find(|(_, have)| have == key).map_or("", |(name, _)| name);
                f.write_str(name)
            }
        }
    }
}

/// A key with the modifiers held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chord {
    /// The key.
    pub key: Key,
    /// Control is held.
    pub ctrl: bool,
    /// Alt (Meta) is held.
    pub alt: bool,
    /// Shift is held on a key that has no capital form.
    pub shift: bool,
}

impl Chord {
    /// A chord in its one form. Control hides Shift on letters, as terminals send the same byte for both.
    pub fn new(key: Key, ctrl: bool, alt: bool, shift: bool) -> Chord {
        let (key, shift) = match key {
            Key::Char(' ') => (Key::Space, false),
            Key::Char(c) if ctrl => (Key::Char(c.to_ascii_lowercase()), false),
            Key::Char(c) if shift => (Key::Char(c.to_ascii_uppercase()), false),
            Key::Tab if shift => (Key::BackTab, false),
            Key::Char(_) | Key::BackTab | Key::Space => (key, false),
            _ => (key, shift),
        };
        Chord { key, ctrl, alt, shift }
    }

    /// A key alone.
    pub fn plain(key: Key) -> Chord {
        Chord::new(key, false, false, false)
    }

    /// A letter with Control.
    pub fn ctrl(c: char) -> Chord {
        Chord::new(Key::Char(c), true, false, false)
    }

    /// The same chord with Alt.
    pub fn with_alt(self) -> Chord {
        Chord { alt: true, ..self }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if held {
                f.write_str(name)?;
            }
        }
        write!(f, "{}", self.key)
    }
}

impl FromStr for Chord {
    type Err = String;

    /// Reads `ctrl-d`, `shift-tab`, `G`, `/`, `f1`. The error says what a key looks like.
    fn from_str(text: &str) -> Result<Chord, String> {
        let (mut rest, mut ctrl, mut alt, mut shift) = (text, false, false, false);
        // A whole name wins over a prefix, so that `shift-tab` is one key and `-` itself can be bound.
        let key = loop {
            if let Some(key) = Key::named(rest) {
                break key;
            }
            let held = [("ctrl-", &mut ctrl), ("alt-", &mut alt), ("shift-", &mut shift)];
            let found =
                held.into_iter().find_map(|(name, on)| Some((rest.strip_prefix(name)?, on)));
            let Some((after, on)) = found else { return Err(unknown(text)) };
            *on = true;
            rest = after;
        };
        Ok(Chord::new(key, ctrl, alt, shift))
    }
}

fn unknown(text: &str) -> String {
    let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
    format!(
        "`{text}` is neither a character nor one of {}, f1 to f{LAST_F}, with ctrl-, alt- or shift- before it",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_key() -> impl Strategy<Value = Key> {
        let named: Vec<Key> = NAMES.iter().map(|(_, key)| *key).collect();
        prop_oneof![
            proptest::sample::select(named),
            (1..=LAST_F).prop_map(Key::F),
            any::<char>().prop_filter("printed", |c| !c.is_control()).prop_map(Key::Char),
        ]
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read_back(
            key in any_key(), ctrl: bool, alt: bool, shift: bool,
        ) {
            let chord = Chord::new(key, ctrl, alt, shift);
            prop_assert_eq!(chord.to_string().parse::<Chord>(), Ok(chord));
        }
    }

    #[test]
    fn names_are_those_of_the_keymap_file() {
        let cases = [
            ("ctrl-d", Chord::ctrl('d')),
            ("shift-tab", Chord::plain(Key::BackTab)),
            ("G", Chord::plain(Key::Char('G'))),
            ("-", Chord::plain(Key::Char('-'))),
            ("f10", Chord::plain(Key::F(10))),
            ("f", Chord::plain(Key::Char('f'))),
            ("alt-left", Chord::plain(Key::Left).with_alt()),
            ("page-up", Chord::plain(Key::PageUp)),
        ];
        for (text, chord) in cases {
            assert_eq!(text.parse(), Ok(chord));
            assert_eq!(chord.to_string(), text);
        }
    }

    #[test]
    fn one_gesture_has_one_value() {
        assert_eq!("shift-g".parse::<Chord>(), "G".parse());
        assert_eq!("ctrl-G".parse::<Chord>(), "ctrl-g".parse());
        assert_eq!(Chord::new(Key::Tab, false, false, true), Chord::plain(Key::BackTab));
        assert_eq!(Chord::plain(Key::Char(' ')), Chord::plain(Key::Space));
    }

    #[test]
    fn nonsense_is_told_what_a_key_is() {
        for text in ["", "hyper-x", "f0", "f21", "ctrl-", "ctl-d", "\u{1b}"] {
            let why = text.parse::<Chord>().unwrap_err();
            assert!(why.contains("page-down") && why.contains("ctrl-"), "{why}");
        }
    }
}
