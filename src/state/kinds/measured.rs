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
    unpacked(r.num(word))
}

/// Microseconds twice, and one more where it may be any more, and two; 1 where too few were seen. So larger ones sort after
/// smaller ones.
fn packed(q: Option<Quantile>) -> i64 {
    let micros = |s: f64| ((s.max(0.0) * 1e6).round() as i64).min(i64::MAX / 4) * 2 + 2;
    match q {
        None => 0,
        Some(Quantile::Few(_)) => 1,
        Some(Quantile::At(s)) => micros(s),
        Some(Quantile::AtLeast(s)) => micros(s) + 1,
    }
}

fn unpacked<'a>(n: i64) -> Value<'a> {
    match n {
        0 => Value::Absent,
        1 => Value::Unknown("fewer than 20 were seen"),
        n if n % 2 == 1 => Value::Beyond((n - 2) / 2),
        n => Value::Micros((n - 2) / 2),
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
    let value = value.filter(|v| v.is_finite());
    let value = value.map_or(0, |v| ((v.max(0.0) * by).round() as i64).saturating_add(1));
    draft.set(word, value);
}

/// Writes a whole number and one.
pub fn count(draft: &mut Draft, word: Word, value: Option<i64>) {
    draft.set(word, value.map_or(0, |n| n.max(0).saturating_add(1)));
}

/// Writes a time, for [`time`].
pub fn quantile(draft: &mut Draft, word: Word, q: Option<Quantile>) {
    draft.set(word, packed(q));
}

/// Writes a trend: heights below sixteen.
pub fn trend(draft: &mut Draft, word: Word, heights: [u32; 12]) {
    let pack = |all, (i, h): (usize, &u32)| all | u64::from(h & 15) << (4 * i);
    draft.set(word, heights.iter().enumerate().fold(0, pack) as i64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use Quantile::{At, AtLeast, Few};

    #[test]
    fn a_time_says_whether_it_may_be_any_more_and_sorts() {
        let rising = [
            (None, Value::Absent),
            (Some(Few(7)), Value::Unknown("fewer than 20 were seen")),
            (Some(At(-1.0)), Value::Micros(0)),
            (Some(At(0.35)), Value::Micros(350_000)),
            (Some(At(60.0)), Value::Micros(60_000_000)),
            (Some(AtLeast(60.0)), Value::Beyond(60_000_000)),
            (Some(At(1e19)), Value::Micros(i64::MAX / 4)),
            (Some(AtLeast(f64::INFINITY)), Value::Beyond(i64::MAX / 4)),
        ];
        for (q, value) in &rising {
            assert_eq!(unpacked(packed(*q)), *value, "{q:?}");
        }
        assert!(rising.map(|(q, _)| packed(q)).is_sorted());
        assert_eq!(Value::Beyond(60_000_000).words(crate::state::time::Epoch(0)), ">60.0s");
    }
}
