//! Points in time and the way ages are written.
//!
//! Ages follow kubectl (`k8s.io/apimachinery/pkg/util/duration`, `HumanDuration`, v0.37), so that an operator
//! reads the same words here and there.

/// Seconds since 1970-01-01T00:00:00Z. Zero means "not set", as no cluster object is that old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i64);

impl Epoch {
    /// Whether a time was given at all.
    pub fn is_set(self) -> bool {
        self.0 != 0
    }

    /// Seconds from this time until `now`, never negative: a skewed clock shows `0s`, not a future.
    pub fn age(self, now: Epoch) -> i64 {
        (now.0 - self.0).max(0)
    }

    /// The time in RFC 3339, as the API writes it: `2026-11-23T02:04:56Z`.
    pub fn rfc3339(self) -> String {
        let days = self.0.div_euclid(86_400);
        let rest = self.0.rem_euclid(86_400);
        let (year, month, day) = civil(days);
        let (h, m, s) = (rest / 3600, rest / 60 % 60, rest % 60);
        format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
    }

    /// Reads RFC 3339; fractions of a second (`MicroTime`) are cut off.
    pub fn parse(text: &str) -> Option<Epoch> {
        let (fixed, mut rest) = text.as_bytes().split_at_checked(19)?;
        let part = |from: usize, to: usize| digits(&fixed[from..to]);
        let marks = [fixed[4], fixed[7], fixed[13], fixed[16]];
        if marks != *b"--::" || !matches!(fixed[10], b'T' | b't' | b' ') {
            return None;
        }
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let (h, m, s) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || h > 23 || m > 59 || s > 60 {
            return None;
        }
        if let [b'.', fraction @ ..] = rest {
            rest = &fraction[fraction.iter().take_while(|c| c.is_ascii_digit()).count()..];
        }
        let local = days(year, month, day) * 86_400 + h * 3600 + m * 60 + s;
        Some(Epoch(local - offset(rest)?))
    }
}

/// The day number of a Gregorian date; the inverse of [`civil`].
fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = year - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let yoe = y.rem_euclid(400);
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// A number of exactly `text.len()` digits.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |n, &c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))
}

/// `Z`, `+02:00` or `-02:00` in seconds.
fn offset(text: &[u8]) -> Option<i64> {
    match text {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let secs = digits(&[*h1, *h2])? * 3600 + digits(&[*m1, *m2])? * 60;
            Some(if *sign == b'-' { -secs } else { secs })
        }
        _ => None,
    }
}

/// An age as ages are shown: `90s`, `5m`, `1h30m`, `2d`, `1y`; without a unit, seconds. In seconds.
pub fn parse_span(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let mut rest = text;
    let mut sum = 0i64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: i64 = rest[..end].parse().ok()?;
        let unit = match rest.as_bytes()[end] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 7 * 86_400,
            b'y' => 365 * 86_400,
            _ => return None,
        };
        sum = sum.checked_add(count.checked_mul(unit)?)?;
        rest = &rest[end + 1..];
    }
    Some(sum)
}

/// The time an RFC 3339 text means, its fraction of a second cut off; `None` for text that is no such time.
pub fn parse_rfc3339(text: &str) -> Option<Epoch> {
    text.parse::<jiff::Timestamp>().ok().map(|at| Epoch(at.as_second()))
}

/// The Gregorian date of a day number counted from 1970-01-01 (the usual era arithmetic: eras of 146,097 days).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// A number of seconds as kubectl writes ages: `45s`, `3m20s`, `12m`, `5h30m`, `30h`, `5d3h`, `212d`, `3y40d`.
pub fn span(secs: i64) -> String {
    let (minutes, hours, days) = (secs / 60, secs / 3600, secs / 86_400);
    let pair = |big: i64, b: char, small: i64, s: char| match small {
        0 => format!("{big}{b}"),
        _ => format!("{big}{b}{small}{s}"),
    };
    match secs {
        ..120 => format!("{}s", secs.max(0)),
        120..600 => pair(minutes, 'm', secs % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => pair(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

/// Seconds until [`span`] would write something else; the screen sleeps that long.
pub fn span_changes_in(secs: i64) -> i64 {
    let step = match secs {
        ..600 => 1,
        600..28_800 => 60,
        28_800..691_200 => 3600,
        _ => 86_400,
    };
    step - secs.max(0) % step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_kubectl_writes_them() {
        for (secs, want) in [
            (-5, "0s"),
            (119, "119s"),
            (120, "2m"),
            (200, "3m20s"),
            (720, "12m"),
            (19_800, "5h30m"),
            (108_000, "30h"),
            (442_800, "5d3h"),
            (212 * 86_400, "212d"),
            (3 * 31_536_000 + 40 * 86_400, "3y40d"),
            (9 * 31_536_000, "9y"),
        ] {
            assert_eq!(span(secs), want, "{secs} s");
        }
    }

    #[test]
    fn an_age_keeps_its_text_until_the_announced_change() {
        for secs in (0..1_000_000).step_by(37) {
            let left = span_changes_in(secs);
            assert_eq!(span(secs), span(secs + left - 1), "{secs} s");
        }
    }

    #[test]
    fn dates_are_gregorian() {
        assert_eq!(Epoch(1_795_399_496).rfc3339(), "2026-11-23T02:04:56Z");
        assert_eq!(Epoch(951_782_400).rfc3339(), "2000-02-29T00:00:00Z");
    }

    #[test]
    fn times_of_the_api_are_read() {
        assert_eq!(parse_rfc3339("2026-11-23T02:04:56Z"), Some(Epoch(1_795_399_496)));
        assert_eq!(parse_rfc3339("2026-11-23T03:04:56.789012+01:00"), Some(Epoch(1_795_399_496)));
        assert_eq!(parse_rfc3339("yesterday"), None);
    }
}
