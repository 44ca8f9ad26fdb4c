//! Numbers in a filter: what `5`, `500m`, `2Gi` and `3h` mean depends on what the column holds.
//!
//! Invariant: a literal keeps every reading it has; the value it meets picks one, and without a reading nothing matches.

use crate::state::cell::Value;
use crate::state::quantity;
use crate::state::time::{Epoch, parse_span};
use std::cmp::Ordering;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    More,
    AtLeast,
    Less,
    AtMost,
}

impl Op {
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Op::More => order.is_gt(),
            Op::AtLeast => order.is_ge(),
            Op::Less => order.is_lt(),
            Op::AtMost => order.is_le(),
        }
    }
}

/// A number as written, in each of its readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Literal {
    plain: Option<i64>,
    milli: Option<i64>,
    whole: Option<i64>,
    seconds: Option<i64>,
    micros: Option<i64>,
}

impl Literal {
    /// `None` if the text has no reading at all.
    pub fn read(text: &str) -> Option<Literal> {
        let it = Literal {
            plain: text.replace(',', "").parse().ok(),
            milli: quantity::milli(text),
            whole: quantity::whole(text),
            seconds: parse_span(text),
            micros: micros(text),
        };
        let readings = [it.plain, it.milli, it.whole, it.seconds, it.micros];
        readings.iter().any(Option::is_some).then_some(it)
    }

    /// How the value compares to this literal. `None`: they have nothing in common.
    pub fn compare(&self, value: &Value<'_>, now: Epoch) -> Option<Ordering> {
        let reading = match value {
            Value::Int(_) | Value::Count(..) | Value::Since(..) | Value::Text(_) => self.plain,
            Value::Cpu(..) | Value::Milli(_) | Value::PerSecond(_) => self.milli,
            Value::Micros(_) | Value::Beyond(_) => self.micros,
            Value::Memory(..) | Value::Bytes(_) => self.whole,
            Value::Time(_) => self.seconds,
            Value::Absent
            | Value::Unknown(_)
            | Value::Bool(_)
            | Value::Bars(_)
            | Value::Shares(_) => None,
        };
        let number = match value {
            Value::Text(text) => leading(text),
            _ => value.number(now),
        };
        Some(number?.cmp(&reading?))
    }
}

/// A latency in microseconds: `500ms`, `800us`, `1.5s`; without a unit, seconds.
fn micros(text: &str) -> Option<i64> {
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6)];
    let unit = units.iter().find_map(|(unit, by)| Some((text.strip_suffix(unit)?, *by)));
    let (number, by) = unit.unwrap_or((text, 1e6));
    let number: f64 = number.parse().ok().filter(|n: &f64| n.is_finite())?;
    Some((number * by) as i64)
}

/// The number that words such as `1/2` begin with.
fn leading(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_the_column_means_it() {
        let now = Epoch(1_000_000);
        let age = |seconds: i64| Value::Time(Epoch(1_000_000 - seconds));
        for (text, value, want) in [
            ("5", Value::Int(6), Some(Ordering::Greater)),
            ("1,204", Value::Int(1204), Some(Ordering::Equal)),
            ("500m", Value::Milli(250), Some(Ordering::Less)),
            ("2", Value::Cpu(2000, 4000), Some(Ordering::Equal)),
            ("2Gi", Value::Bytes(3 << 30), Some(Ordering::Greater)),
            ("5m", age(301), Some(Ordering::Greater)),
            ("1h30m", age(5400), Some(Ordering::Equal)),
            ("2", Value::text("1/2"), Some(Ordering::Less)),
            ("5m", Value::Int(6), None),
            ("5", Value::Absent, None),
            ("5", Value::text("Running"), None),
        ] {
            let literal = Literal::read(text).expect("each of these has a reading");
            assert_eq!(literal.compare(&value, now), want, "{text} against {value:?}");
        }
        assert_eq!(Literal::read("lots"), None);
        assert_eq!(parse_span("9223372036854775807y"), None, "no overflow");
    }
}
