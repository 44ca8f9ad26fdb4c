//! Cells of numbers that are measured: what nobody told is absent and not zero, so words hold the number and one.

use crate::state::cell::{Sort, Value};
use crate::state::decl::Word;
use crate::state::metrics::Quantile;
use crate::state::parcel::Draft;
use crate::state::row::Row;

/// The value of a word that holds a number and one.
pub fn present<'a>(r: Row<'a>, word: Word, value: fn(i64) -> Value<'a>) -> Value<'a> {
    match r.num(word) {
        0 => Value::Absent,
        n => value(n - 1),
    }
}

/// Microseconds of a word that [`quantile`] wrote.
pub fn time(r: Row<'_>, word: Word) -> Value<'_> {
    match r.num(word) {
        0 => Value::Absent,
        1 => Value::Unknown("fewer than 20 were seen"),
        n => Value::Micros(n - 2),
    }
}

/// Sorts by such a word; what is absent comes last.
pub fn order(r: Row<'_>, word: Word) -> Sort<'_> {
    match r.num(word) {
        0 => Sort::Absent,
        n => Sort::Int(n),
    }
}

/// Twelve heights of four bits.
pub fn bars(r: Row<'_>, word: Word) -> Value<'_> {
    let packed = r.num(word) as u64;
    if packed == 0 {
        return Value::Absent;
    }
    let mut bars = [0; 12];
    for (i, bar) in bars.iter_mut().enumerate() {
        *bar = (packed >> (4 * i) & 15) as u32;
    }
    Value::Bars(bars)
}

/// Writes a number and one, in `by`ths.
pub fn put(draft: &mut Draft, word: Word, value: Option<f64>, by: f64) {
    let value = value.filter(|v| v.is_finite()).map_or(0, |v| (v.max(0.0) * by).round() as i64 + 1);
    draft.set(word, value);
}

/// Writes a whole number and one.
pub fn count(draft: &mut Draft, word: Word, value: Option<i64>) {
    draft.set(word, value.map_or(0, |n| n.max(0).saturating_add(1)));
}

/// Writes a time as microseconds and two, 1 where too few were seen.
pub fn quantile(draft: &mut Draft, word: Word, q: Option<Quantile>) {
    draft.set(
        word,
        match q {
            None => 0,
            Some(Quantile::Few(_)) => 1,
            Some(Quantile::At(s) | Quantile::AtLeast(s)) => (s.max(0.0) * 1e6).round() as i64 + 2,
        },
    );
}

/// Writes a trend: heights below sixteen.
pub fn trend(draft: &mut Draft, word: Word, heights: [u32; 12]) {
    let pack = |all, (i, h): (usize, &u32)| all | u64::from(h & 15) << (4 * i);
    draft.set(word, heights.iter().enumerate().fold(0, pack) as i64);
}
