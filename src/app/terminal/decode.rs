//! Bytes from the terminal become keys, pastes and focus changes.
//!
//! Invariant: pure; instants come in. However a sequence is cut into reads, it never turns into letters: a lone ESC is
//! held for a moment, a begun sequence is finished or thrown away whole, and pasted text is never a key.

use super::chord::{Chord, Key};
use super::input::Input;
use crate::state::text::clean;
use std::time::{Duration, Instant};

const ESC: u8 = 0x1b;
/// A sequence that is not finished after this long is line noise.
const GIVE_UP: Duration = Duration::from_millis(500);
const PASTE_END: &[u8] = b"\x1b[201~";
/// More of a paste than this, in bytes, is left out.
const PASTE_MOST: usize = 1 << 20;

/// What a run of bytes is.
#[derive(Debug, PartialEq)]
enum Meaning {
    /// More bytes have to come.
    Unfinished,
    Key(Chord),
    Focus(bool),
    /// A paste follows.
    Paste,
    /// Complete, and nothing to us: a terminal's answer, a key we have no name for.
    Nothing,
    /// The last byte does not belong to it and begins something new; before it, perhaps, a key.
    Broken(Option<Chord>),
}

/// The state between two reads.
#[derive(Debug)]
pub struct Decoder {
    esc_wait: Duration,
    partial: Vec<u8>,
    since: Instant,
    paste: Option<Vec<u8>>,
}

impl Decoder {
    /// `esc_wait`: how long a lone ESC is held, because the rest of a cursor key may arrive in the next packet.
    pub fn new(esc_wait: Duration, now: Instant) -> Decoder {
        Decoder { esc_wait, partial: vec![], since: now, paste: None }
    }

    /// Bytes that were read at `now`.
    pub fn feed(&mut self, bytes: &[u8], now: Instant, tell: &mut dyn FnMut(Input)) {
        // Escape and then another key, typed: only within one read is that Alt.
        if self.partial == [ESC] && !matches!(bytes.first(), Some(b'[' | b'O')) {
            self.give_up(tell);
        }
        for byte in bytes {
            match &mut self.paste {
                Some(text) => {
                    if let Some(text) = pasted(text, *byte) {
                        self.paste = None;
                        tell(Input::Paste(text));
                    }
                }
                None => self.push(*byte, now, tell),
            }
        }
    }

    /// When [`Decoder::expire`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let wait = if self.partial == [ESC] { self.esc_wait } else { GIVE_UP };
        (!self.partial.is_empty()).then(|| self.since + wait)
    }

    /// Ends what was held too long.
    pub fn expire(&mut self, now: Instant, tell: &mut dyn FnMut(Input)) {
        if self.deadline().is_some_and(|at| at <= now) {
            self.give_up(tell);
        }
    }

    /// Ends whatever is held.
    pub fn give_up(&mut self, tell: &mut dyn FnMut(Input)) {
        if self.partial == [ESC] {
            tell(Input::Key(Chord::plain(Key::Esc), self.since));
        }
        self.partial.clear();
    }

    fn push(&mut self, byte: u8, now: Instant, tell: &mut dyn FnMut(Input)) {
        if self.partial.is_empty() {
            self.since = now;
        }
        self.partial.push(byte);
        let meaning = meaning(&self.partial);
        if meaning != Meaning::Unfinished {
            self.partial.clear();
        }
        match meaning {
            Meaning::Key(chord) => tell(Input::Key(chord, self.since)),
            Meaning::Focus(gained) => tell(Input::Focus(gained)),
            Meaning::Paste => self.paste = Some(vec![]),
            Meaning::Broken(before) => {
                if let Some(chord) = before {
                    tell(Input::Key(chord, self.since));
                }
                self.push(byte, now, tell);
            }
            Meaning::Unfinished | Meaning::Nothing => {}
        }
    }
}

/// Takes a byte of a paste; at its end, the text as one clean line.
fn pasted(text: &mut Vec<u8>, byte: u8) -> Option<String> {
    text.push(byte);
    if let Some(text) = text.strip_suffix(PASTE_END) {
        // Terminals send a line's end as a carriage return.
        let text = String::from_utf8_lossy(text).replace("\r\n", "\n").replace('\r', "\n");
        return Some(clean(text.trim_end_matches('\n')).into_owned());
    }
    if text.len() >= PASTE_MOST + PASTE_END.len() {
        text.remove(PASTE_MOST);
    }
    None
}

fn meaning(bytes: &[u8]) -> Meaning {
    match bytes {
        [ESC] => Meaning::Unfinished,
        [ESC, ESC] => Meaning::Broken(Some(Chord::plain(Key::Esc))),
        [ESC, b'[', rest @ ..] => control_sequence(rest),
        [ESC, b'O', rest @ ..] => match rest {
            [] => Meaning::Unfinished,
            [last, ..] => key(cursor_key(*last), 1),
        },
        [ESC, rest @ ..] => match character(rest) {
            Meaning::Key(chord) => Meaning::Key(chord.with_alt()),
            other => other,
        },
        _ => character(bytes),
    }
}

/// One character, or a control byte.
fn character(bytes: &[u8]) -> Meaning {
    let plain = |key| Meaning::Key(Chord::plain(key));
    let ctrl = |c: u8| Meaning::Key(Chord::ctrl(char::from(c)));
    match bytes {
        // A line feed is an Enter that was typed before the terminal was ours.
        [b'\r' | b'\n'] => plain(Key::Enter),
        [b'\t'] => plain(Key::Tab),
        [0x7f] => plain(Key::Backspace),
        [0] => Meaning::Key(Chord::new(Key::Space, true, false, false)),
        [c @ 1..=26] => ctrl(c - 1 + b'a'),
        [c @ 28..=31] => ctrl(c - 28 + b'\\'),
        [c @ 0x20..=0x7e] => plain(Key::Char(char::from(*c))),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.chars().next().map_or(Meaning::Nothing, |c| plain(Key::Char(c))),
            Err(e) if e.error_len().is_none() => Meaning::Unfinished,
            Err(_) if bytes.len() > 1 => Meaning::Broken(None),
            Err(_) => Meaning::Nothing,
        },
    }
}

/// What follows `ESC [`: parameters and a final byte (ECMA-48 5.4).
fn control_sequence(rest: &[u8]) -> Meaning {
    match rest {
        [] | [b'['] => return Meaning::Unfinished,
        // The Linux console's F1 to F5.
        [b'[', c @ b'A'..=b'E'] => return key(Some(Key::F(c - b'A' + 1)), 1),
        [b'[', ..] => return Meaning::Nothing,
        _ => {}
    }
    let (last, parameters) = (rest[rest.len() - 1], &rest[..rest.len() - 1]);
    match last {
        0x20..=0x3f => return Meaning::Unfinished,
        0x40..=0x7e => {}
        _ => return Meaning::Broken(None),
    }
    let numbers: Vec<u32> = std::str::from_utf8(parameters)
        .unwrap_or_default()
        .split(';')
        .map(|n| n.split(':').next().unwrap_or_default().parse().unwrap_or(0))
        .collect();
    let number = |i: usize| numbers.get(i).copied().unwrap_or(0);
    match last {
        // Not a number: an answer of the terminal, or a mouse report.
        _ if parameters.first().is_some_and(|c| matches!(c, b'<'..=b'?')) => Meaning::Nothing,
        b'I' => Meaning::Focus(true),
        b'O' => Meaning::Focus(false),
        b'Z' => key(Some(Key::BackTab), 1),
        b'u' => key(coded(number(0)), number(1)),
        b'~' => match number(0) {
            200 => Meaning::Paste,
            27 => key(coded(number(2)), number(1)),
            n => key(numbered_key(n), number(1)),
        },
        // `ESC [ row ; column R` is the answer to a question, not F3.
        b'R' => Meaning::Nothing,
        last => key(cursor_key(last), number(1)),
    }
}

/// A key with xterm's modifier parameter: one more than Shift 1, Alt 2, Control 4.
fn key(key: Option<Key>, modifiers: u32) -> Meaning {
    let held = modifiers.saturating_sub(1);
    let on = |bit: u32| held & bit != 0;
    key.map_or(Meaning::Nothing, |key| Meaning::Key(Chord::new(key, on(4), on(2), on(1))))
}

fn cursor_key(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'M' => Key::Enter,
        b'P'..=b'S' => Key::F(last - b'P' + 1),
        _ => return None,
    })
}

fn numbered_key(n: u32) -> Option<Key> {
    // The gaps are those of the VT220's keyboard.
    let function = |from: u32, first: u8| Some(Key::F(first + (n - from) as u8));
    match n {
        1 | 7 => Some(Key::Home),
        2 => Some(Key::Insert),
        3 => Some(Key::Delete),
        4 | 8 => Some(Key::End),
        5 => Some(Key::PageUp),
        6 => Some(Key::PageDown),
        11..=15 => function(11, 1),
        17..=21 => function(17, 6),
        23..=26 => function(23, 11),
        28..=29 => function(28, 15),
        31..=34 => function(31, 17),
        _ => None,
    }
}

/// A key sent as its code point (xterm's modifyOtherKeys, `CSI u`).
fn coded(code: u32) -> Option<Key> {
    match code {
        9 => Some(Key::Tab),
        13 => Some(Key::Enter),
        27 => Some(Key::Esc),
        127 => Some(Key::Backspace),
        code => char::from_u32(code).filter(|c| !c.is_control()).map(Key::Char),
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
