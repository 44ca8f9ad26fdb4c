//! The geometry of a chart: round numbers for its axes, and what stands in each column of dots. Pure arithmetic.
//!
//! A value holds from its sample to the next one, as cells of a table do; nothing is made up in between.

use super::series::Unit;
use super::time::Epoch;

/// Least and most in one column of dots; `None` where nothing was measured.
pub type Dots = Option<(i64, i64)>;

/// What stands in each of `n` columns of dots between two times. Points come oldest first.
pub fn dots(
    points: impl Iterator<Item = (Epoch, Option<i64>)>,
    from: Epoch,
    until: Epoch,
    n: usize,
) -> Vec<Dots> {
    let mut out: Vec<Dots> = vec![None; n];
    let span = (until.0 - from.0).max(1) as f64;
    let column = |at: Epoch| {
        let share = (at.0 - from.0) as f64 / span;
        ((share * n as f64) as usize).min(n.saturating_sub(1))
    };
    let mut put = |begin: Epoch, end: Epoch, value: i64| {
        if end < from || begin > until || n == 0 {
            return;
        }
        for dot in &mut out[column(begin.max(from))..=column(end.min(until))] {
            *dot = Some(dot.map_or((value, value), |(lo, hi)| (lo.min(value), hi.max(value))));
        }
    };
    let mut before: Option<(Epoch, Option<i64>)> = None;
    for (at, value) in points {
        if let Some((begin, Some(value))) = before {
            put(begin, at, value);
        }
        before = Some((at, value));
    }
    if let Some((begin, Some(value))) = before {
        put(begin, until.max(begin), value);
    }
    out
}

/// Round numbers from below `least` to above `most`, at most `n` steps of them (at least one).
pub fn scale(least: i64, most: i64, unit: Unit, n: usize) -> Vec<i64> {
    let most = most.max(least.saturating_add(1));
    let steps = i128::try_from(n.max(1)).unwrap_or(1);
    let (least, most) = (i128::from(least), i128::from(most));
    let mut step: i128 = 1;
    for i in 0.. {
        let low = least.div_euclid(step) * step;
        let high = (most + step - 1).div_euclid(step) * step;
        if high - low <= step * steps {
            let ticks = (low..=high).step_by(usize::try_from(step).unwrap_or(usize::MAX));
            return ticks.map(|tick| i64::try_from(tick).unwrap_or(i64::MAX)).collect();
        }
        step = match unit {
            Unit::Bytes => step * 2,
            // 1, 2, 5, 10, 20, 50 ...
            _ if i % 3 == 1 => step * 5 / 2,
            _ => step * 2,
        };
    }
    vec![]
}

/// Steps of a time axis in seconds.
const STEPS: [i64; 21] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 2_592_000,
];

/// Seconds before the end at which a time axis over `span` seconds is labelled, at most `n` of them, the end first.
pub fn times(span: i64, n: usize) -> Vec<i64> {
    let fits = |step: &&i64| span / **step <= n.max(1) as i64;
    let step = *STEPS.iter().find(fits).unwrap_or(&STEPS[STEPS.len() - 1]);
    (0..=span / step).map(|i| i * step).collect()
}

/// `now`, `-30s`, `-5m`, `-2h`, `-1d`.
pub fn before(secs: i64) -> String {
    match secs {
        0 => "now".into(),
        _ if secs % 86_400 == 0 => format!("-{}d", secs / 86_400),
        _ if secs % 3600 == 0 => format!("-{}h", secs / 3600),
        _ if secs % 60 == 0 => format!("-{}m", secs / 60),
        _ => format!("-{secs}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_holds_until_the_next_sample_and_a_gap_holds_nothing() {
        let points = [(0, Some(1)), (4, Some(9)), (5, None), (8, Some(3))];
        let points = points.map(|(at, value)| (Epoch(at), value)).into_iter();
        let row = dots(points, Epoch(0), Epoch(10), 10);
        let one = |n| Some((n, n));
        // Where it goes from one value to the other both stand, so that the line is whole.
        assert_eq!(row[..6], [one(1), one(1), one(1), one(1), Some((1, 9)), one(9)]);
        assert_eq!(row[6..], [None, None, one(3), one(3)]);
    }

    #[test]
    fn what_is_outside_the_window_is_not_drawn_but_holds_into_it() {
        let points = || [(0, Some(5)), (100, Some(7))].map(|(at, v)| (Epoch(at), v)).into_iter();
        assert_eq!(dots(points(), Epoch(40), Epoch(60), 2), [Some((5, 5)), Some((5, 5))]);
        assert_eq!(dots(points(), Epoch(-50), Epoch(-10), 2), [None, None]);
        assert_eq!(dots(points(), Epoch(0), Epoch(1), 0), []);
    }

    #[test]
    fn axes_have_round_numbers() {
        assert_eq!(scale(0, 110, Unit::Plain, 5), [0, 50, 100, 150]);
        assert_eq!(scale(0, 0, Unit::Plain, 5), [0, 1]);
        assert_eq!(scale(0, 3 << 30, Unit::Bytes, 4), [0, 1 << 30, 2 << 30, 3 << 30]);
        assert_eq!(scale(100, 110, Unit::Milli, 5), [100, 102, 104, 106, 108, 110]);
        assert!(scale(0, i64::MAX, Unit::Micros, 3).len() <= 4);
        assert!(scale(-7, 7, Unit::Plain, 4).contains(&0));
    }

    #[test]
    fn the_time_axis_is_told_from_its_end() {
        assert_eq!(times(60, 4), [0, 15, 30, 45, 60]);
        assert_eq!(times(3600, 5), [0, 900, 1800, 2700, 3600]);
        assert_eq!(times(0, 5), [0]);
        let words: Vec<_> = [0, 45, 300, 7200, 172_800].map(before).into();
        assert_eq!(words, ["now", "-45s", "-5m", "-2h", "-2d"]);
    }
}
