//! What a column says of a row: typed, so that the screen, the filter, sorting, JSON and CSV all derive from it.

use super::time::{Epoch, span};
use std::borrow::Cow;
use std::cmp::Ordering;

/// What a text means to an operator; a theme turns it into a style. A healthy screen is nearly all `Plain`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Nothing to see here.
    #[default]
    Plain,
    /// Known to be well.
    Ok,
    /// Worth a look.
    Warn,
    /// Not well.
    Bad,
    /// Harm is being done or about to be.
    Danger,
    /// Background.
    Dim,
    /// A heading, a key, a link.
    Accent,
}

/// A typed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// There is none.
    Absent,
    /// There may be one, but we cannot know, for this reason.
    Unknown(&'a str),
    /// Words. May hold anything a cluster can; painters clean it.
    Text(Cow<'a, str>),
    /// A number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// `have` out of `of`, written `61/110`; JSON carries `have`.
    Count(i64, i64),
    /// Thousandths of a core: `have` out of `of`, drawn as a bar.
    Cpu(i64, i64),
    /// Bytes: `have` out of `of`, drawn as a bar.
    Memory(i64, i64),
    /// Thousandths of a core.
    Milli(i64),
    /// Bytes.
    Bytes(i64),
    /// Thousandths a second: `12.5/s`.
    PerSecond(i64),
    /// Microseconds: `350ms`.
    Micros(i64),
    /// More than so many microseconds, nobody knows by how much: `>60.0s`; JSON carries the bound.
    Beyond(i64),
    /// A point in time, shown as an age.
    Time(Epoch),
    /// A number with the time of its last change: `5 (3m ago)`.
    Since(i64, Epoch),
    /// How many there were in each of twelve equal times, oldest first: a small histogram.
    Bars([u32; 12]),
    /// Thousandths of a whole in each of twelve equal times, oldest first; [`NOT_MEASURED`] where nobody looked.
    Shares([u16; 12]),
}

/// A time in which nothing was measured, among [`Value::Shares`].
pub const NOT_MEASURED: u16 = u16::MAX;

/// Heights of a bar that can be told apart, without and with one.
pub const HEIGHTS: usize = 8;
/// What they are written with where there are no better glyphs.
const RAMP: [char; HEIGHTS] = [' ', '.', ':', '-', '=', '+', '*', '#'];

/// The height of each bar, 0 for none, the highest being one less than [`HEIGHTS`]. What is there is seen: one beside a
/// thousand still has a height.
pub fn heights(bars: &[u32; 12]) -> [usize; 12] {
    let top = u64::from(bars.iter().copied().max().unwrap_or(0)).max(1);
    let most = HEIGHTS as u64 - 1;
    bars.map(|n| (u64::from(n) * most).div_ceil(top) as usize)
}

/// The height of each share of a whole: 0 where nothing was measured, and the same for the same share whatever the others
/// are, so that a steady percent stays low.
pub fn share_heights(shares: &[u16; 12]) -> [usize; 12] {
    shares.map(|share| match share {
        NOT_MEASURED => 0,
        share => 1 + usize::from(share.min(999)) * (HEIGHTS - 1) / 1000,
    })
}

/// A value and what it means.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell<'a> {
    /// The value.
    pub value: Value<'a>,
    /// Its meaning.
    pub role: Role,
}

impl<'a> From<Value<'a>> for Cell<'a> {
    fn from(value: Value<'a>) -> Self {
        Cell { value, role: Role::Plain }
    }
}

impl<'a> Value<'a> {
    /// With a meaning.
    pub fn role(self, role: Role) -> Cell<'a> {
        Cell { value: self, role }
    }

    /// Words, or absent if empty.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Value<'a> {
        let text = text.into();
        if text.is_empty() { Value::Absent } else { Value::Text(text) }
    }

    /// A time, or absent if unset.
    pub fn time(at: Epoch) -> Value<'a> {
        if at.is_set() { Value::Time(at) } else { Value::Absent }
    }

    /// The words of the cell as printed: `-` for absent, `?` for unknown.
    pub fn words(&self, now: Epoch) -> Cow<'_, str> {
        match self {
            Value::Absent => Cow::Borrowed("-"),
            Value::Unknown(_) => Cow::Borrowed("?"),
            Value::Text(text) => Cow::Borrowed(text),
            Value::Int(n) => Cow::Owned(grouped(*n)),
            Value::Bool(yes) => Cow::Borrowed(if *yes { "yes" } else { "no" }),
            Value::Count(have, of) => Cow::Owned(format!("{have}/{of}")),
            Value::Cpu(have, of) => {
                Cow::Owned(format!("{}/{} {}", cores(*have), cores(*of), percent(*have, *of)))
            }
            Value::Memory(have, of) => {
                let (have_words, of_words) = (bytes(*have), bytes(*of));
                let (number, unit) = split_unit(&have_words);
                // A unit that both have is written once.
                let shown = if unit == split_unit(&of_words).1 { number } else { &have_words };
                Cow::Owned(format!("{shown}/{of_words} {}", percent(*have, *of)))
            }
            Value::Milli(n) => Cow::Owned(cores(*n)),
            Value::Bytes(n) => Cow::Owned(bytes(*n)),
            Value::PerSecond(n) => Cow::Owned(per_second(*n)),
            Value::Micros(n) => Cow::Owned(micros(*n)),
            Value::Beyond(n) => Cow::Owned(format!(">{}", micros(*n))),
            // Painters that have better glyphs use them.
            Value::Bars(bars) => Cow::Owned(heights(bars).map(|h| RAMP[h]).iter().collect()),
            Value::Shares(all) => Cow::Owned(share_heights(all).map(|h| RAMP[h]).iter().collect()),
            Value::Time(at) => Cow::Owned(span(at.age(now))),
            Value::Since(n, at) if *n > 0 && at.is_set() => {
                Cow::Owned(format!("{n} ({} ago)", span(at.age(now))))
            }
            Value::Since(n, _) => Cow::Owned(n.to_string()),
        }
    }

    /// Seconds until [`Value::words`] changes by the clock alone, if it does.
    pub fn changes_in(&self, now: Epoch) -> Option<i64> {
        match self {
            Value::Since(0, _) => None,
            Value::Time(at) | Value::Since(_, at) if at.is_set() => {
                Some(super::time::span_changes_in(at.age(now)))
            }
            _ => None,
        }
    }

    /// The number behind the value, for comparisons in filters (times: seconds of age).
    pub fn number(&self, now: Epoch) -> Option<i64> {
        match self {
            Value::Int(n)
            | Value::Count(n, _)
            | Value::Cpu(n, _)
            | Value::Memory(n, _)
            | Value::Milli(n)
            | Value::Bytes(n)
            | Value::PerSecond(n)
            | Value::Micros(n)
            | Value::Beyond(n)
            | Value::Since(n, _) => Some(*n),
            Value::Time(at) => Some(at.age(now)),
            Value::Bool(yes) => Some(i64::from(*yes)),
            _ => None,
        }
    }
}

/// A share in whole percent, right-aligned to three digits.
fn percent(have: i64, of: i64) -> String {
    if of <= 0 { "  ?%".into() } else { format!("{:>3}%", i128::from(have) * 100 / i128::from(of)) }
}

/// `1,204` for 1204.
pub fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Thousandths of a core in cores: `250m`, `1.5`, `32`.
pub fn cores(milli: i64) -> String {
    match milli {
        0..1000 => format!("{milli}m"),
        _ if milli % 1000 == 0 => (milli / 1000).to_string(),
        _ => format!("{:.1}", milli as f64 / 1000.0),
    }
}

/// Thousandths a second: `0.02/s`, `12.5/s`, `1,204/s`.
pub fn per_second(milli: i64) -> String {
    match milli {
        0 => "0/s".into(),
        1..1000 => format!("{:.2}/s", milli as f64 / 1000.0),
        1000..100_000 => format!("{:.1}/s", milli as f64 / 1000.0),
        _ => format!("{}/s", grouped(milli / 1000)),
    }
}

/// Microseconds: `800us`, `4.2ms`, `350ms`, `1.2s`.
pub fn micros(n: i64) -> String {
    match n {
        ..1000 => format!("{n}us"),
        1000..10_000 => format!("{:.1}ms", n as f64 / 1e3),
        10_000..1_000_000 => format!("{}ms", n / 1000),
        _ => format!("{:.1}s", n as f64 / 1e6),
    }
}

/// Bytes in the largest binary unit that leaves at least one digit: `512Mi`, `1.5Gi`, `128Gi`.
pub fn bytes(n: i64) -> String {
    const UNITS: [&str; 6] = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
    let mut unit = 0;
    let mut value = n as f64;
    while value.abs() >= 1024.0 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    if value.fract() == 0.0 || value.abs() >= 100.0 {
        format!("{value:.0}{}", UNITS[unit])
    } else {
        format!("{value:.1}{}", UNITS[unit])
    }
}

fn split_unit(words: &str) -> (&str, &str) {
    words.split_at(words.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len())
}

/// A sort key. Absent sorts before everything else.
#[derive(Clone, Copy, Debug)]
pub enum Sort<'a> {
    /// There is none.
    Absent,
    /// By number.
    Int(i64),
    /// By bytes of a text in two pieces (names are kept that way).
    Text(&'a str, &'a str),
}

impl Sort<'_> {
    /// The first eight bytes of the order: equal prefixes need [`Sort::compare`], different ones are final.
    pub fn prefix(&self) -> u64 {
        match self {
            Sort::Absent => 0,
            // Shifted by one so that the smallest number still sorts after absent.
            Sort::Int(n) => ((*n as u64) ^ (1 << 63)).max(1),
            Sort::Text(a, b) => {
                let mut key = [0u8; 8];
                for (slot, byte) in key.iter_mut().zip(a.bytes().chain(b.bytes())) {
                    *slot = byte;
                }
                u64::from_be_bytes(key).max(1)
            }
        }
    }

    /// The whole order.
    pub fn compare(&self, other: &Sort<'_>) -> Ordering {
        match (self, other) {
            (Sort::Int(a), Sort::Int(b)) => a.cmp(b),
            (Sort::Text(a1, a2), Sort::Text(b1, b2)) if a1.len() == b1.len() => {
                a1.cmp(b1).then_with(|| a2.cmp(b2))
            }
            (Sort::Text(a1, a2), Sort::Text(b1, b2)) => {
                a1.bytes().chain(a2.bytes()).cmp(b1.bytes().chain(b2.bytes()))
            }
            _ => self.prefix().cmp(&other.prefix()),
        }
    }
}
