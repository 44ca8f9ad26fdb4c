//! The geometry of a chart: round numbers for its axes, and what stands in each column of dots. Pure arithmetic.
//!
//! A value holds from its sample to the next one, as cells of a table do; nothing is made up in between.

use super::cell::{bytes, grouped};
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

/// A number beside an axis whose numbers are `step` apart, the highest being `high`: all of one axis in one unit and with as
/// many decimals as tell them apart.
pub fn label(unit: Unit, n: i64, step: i64, high: i64) -> String {
    match unit {
        Unit::Plain => grouped(n),
        Unit::Milli => decimals(n, step, 1000),
        Unit::PerSecond => decimals(n, step, 1000) + "/s",
        Unit::Micros => match high {
            1_000_000.. => decimals(n, step, 1_000_000) + "s",
            1000.. => decimals(n, step, 1000) + "ms",
            _ => format!("{n}us"),
        },
        Unit::Bytes => {
            const UNITS: [&str; 6] = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
            let place = |n: i64| (n.unsigned_abs().max(1).ilog2() / 10) as usize;
            let (top, fine) = (place(high), place(step));
            // Halves of the larger unit are read more easily than a thousand of the smaller.
            if step.saturating_mul(2) >> (10 * top.min(6)) > 0 || fine == top {
                return bytes(n);
            }
            grouped(n >> (10 * fine.min(5))) + UNITS[fine.min(5)]
        }
    }
}

/// A number of parts of one, with the decimals that a step takes.
fn decimals(n: i64, step: i64, parts: i64) -> String {
    let (mut digits, mut rest) = (0, step);
    while rest % parts != 0 && digits < 6 {
        rest = rest.saturating_mul(10);
        digits += 1;
    }
    match digits {
        0 => grouped(n / parts),
        _ => format!("{:.digits$}", n as f64 / parts as f64),
    }
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

/// `now`, `-30s`, `-5m`, `-1m45s`, `-2h`, `-1d`.
pub fn before(secs: i64) -> String {
    match secs {
        0 => "now".into(),
        _ if secs % 86_400 == 0 => format!("-{}d", secs / 86_400),
        _ if secs % 3600 == 0 => format!("-{}h", secs / 3600),
        _ if secs % 60 == 0 => format!("-{}m", secs / 60),
        _ if secs > 60 => format!("-{}m{}s", secs / 60, secs % 60),
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
    fn numbers_of_one_axis_are_written_alike_and_differ() {
        let axis = |unit, least, most| {
            let ticks = scale(least, most, unit, 4);
            let (step, high) = (ticks[1] - ticks[0], ticks[ticks.len() - 1]);
            ticks.iter().map(|n| label(unit, *n, step, high)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(axis(Unit::Milli, 0, 2400), "0 1 2 3");
        assert_eq!(axis(Unit::Milli, 2200, 2280), "2.20 2.22 2.24 2.26 2.28");
        assert_eq!(axis(Unit::PerSecond, 0, 310_000), "0/s 100/s 200/s 300/s 400/s");
        assert_eq!(axis(Unit::PerSecond, 0, 9), "0.000/s 0.005/s 0.010/s");
        assert_eq!(axis(Unit::Bytes, 0, 3 << 29), "0 512Mi 1Gi 1.5Gi");
        assert_eq!(axis(Unit::Bytes, 6571 << 20, 6590 << 20), "6,568Mi 6,576Mi 6,584Mi 6,592Mi");
        assert_eq!(axis(Unit::Micros, 0, 350_000), "0ms 100ms 200ms 300ms 400ms");
        assert_eq!(axis(Unit::Micros, 0, 1_500_000), "0.0s 0.5s 1.0s 1.5s");
        assert_eq!(axis(Unit::Plain, 0, 150_000), "0 50,000 100,000 150,000");
    }

    #[test]
    fn the_time_axis_is_told_from_its_end() {
        assert_eq!(times(60, 4), [0, 15, 30, 45, 60]);
        assert_eq!(times(3600, 5), [0, 900, 1800, 2700, 3600]);
        assert_eq!(times(0, 5), [0]);
        let words: Vec<_> = [0, 45, 105, 300, 7200, 172_800].map(before).into();
        assert_eq!(words, ["now", "-45s", "-1m45s", "-5m", "-2h", "-2d"]);
    }
}
