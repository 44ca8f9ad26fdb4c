//! The byte budget: how much may be written when, so that a frame on a slow link is not old before it arrives.
//!
//! Invariant: pure; instants come in. What the path swallows cannot be seen (a pty, a socket and a window take about a
//! mebibyte before the first write blocks), so bytes are metered before they leave.

use std::time::{Duration, Instant};

/// What may be written at once after a quiet moment, in bytes.
const BURST: f64 = 8.0 * 1024.0;
/// A write that takes longer than this met a full path.
const BLOCKED: Duration = Duration::from_millis(50);
/// However often writes block, this much is tried: bytes per second.
const FLOOR: f64 = 2.0 * 1024.0;
/// After this long without a blocked write the rate grows by [`GROWTH`].
const RECOVERY: Duration = Duration::from_secs(10);
const GROWTH: f64 = 1.1;

/// Bytes per second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// So many bytes per second.
    pub const fn per_second(bytes: u32) -> Rate {
        Rate(bytes as f64)
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} KB/s", self.0 / 1024.0)
    }
}

/// A token bucket. A frame's size is known only when it is drawn, so the last one may leave a debt; the next waits until
/// it is paid.
#[derive(Debug)]
pub struct Bucket {
    ceiling: f64,
    rate: f64,
    level: f64,
    filled: Instant,
    calm_since: Instant,
}

impl Bucket {
    /// A full bucket.
    pub fn new(rate: Rate, now: Instant) -> Bucket {
        Bucket { ceiling: rate.0, rate: rate.0, level: BURST, filled: now, calm_since: now }
    }

    /// When the next bytes may be written; not later than `now` means at once.
    pub fn due(&self, now: Instant) -> Instant {
        let debt = -self.level_at(now);
        if debt <= 0.0 { now } else { now + Duration::from_secs_f64(debt / self.rate) }
    }

    /// Bytes are handed to the terminal.
    pub fn spend(&mut self, bytes: usize, now: Instant) {
        self.level = self.level_at(now) - bytes as f64;
        self.filled = now;
    }

    /// A write returned after `took`: a blocked one halves the rate, ten calm seconds give a tenth back.
    pub fn wrote(&mut self, took: Duration, now: Instant) {
        let calm = now.saturating_duration_since(self.calm_since);
        let rate = if took > BLOCKED {
            (self.rate / 2.0).max(FLOOR.min(self.ceiling))
        } else if calm >= RECOVERY {
            (self.rate * GROWTH).min(self.ceiling)
        } else {
            return;
        };
        self.level = self.level_at(now);
        self.filled = now;
        self.rate = rate;
        self.calm_since = now;
    }

    fn level_at(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.level + since * self.rate).min(BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_burst_is_free_a_debt_is_waited_for() {
        let t = Instant::now();
        let mut bucket = Bucket::new(Rate::per_second(10_240), t);
        bucket.spend(8 * 1024, t);
        assert_eq!(bucket.due(t), t);
        bucket.spend(1024, t);
        assert_eq!(bucket.due(t), t + 100 * MS);
        assert_eq!(bucket.due(t + 60 * MS), t + 100 * MS);
        assert_eq!(bucket.due(t + 200 * MS), t + 200 * MS);
    }

    #[test]
    fn a_blocked_write_halves_the_rate_and_calm_gives_it_back() {
        let t = Instant::now();
        let mut bucket = Bucket::new(Rate::per_second(8_192), t);
        bucket.wrote(51 * MS, t);
        bucket.spend(8_192 + 4_096, t);
        assert_eq!(bucket.due(t), t + 1000 * MS, "4 KiB at 4 KiB/s");
        for _ in 0..20 {
            bucket.wrote(51 * MS, t);
        }
        assert_eq!(bucket.rate, FLOOR);
        let mut now = t;
        let mut steps = 0;
        while bucket.rate < 8_192.0 {
            now += RECOVERY;
            bucket.wrote(MS, now);
            steps += 1;
        }
        assert_eq!(steps, 15, "a tenth each ten seconds: 2 KiB/s to 8 KiB/s");
        bucket.wrote(MS, now + RECOVERY);
        assert_eq!(bucket.rate, 8_192.0, "never above what the profile grants");
    }

    proptest! {
        #[test]
        fn over_any_time_no_more_leaves_than_rate_burst_and_one_frame(
            frames in proptest::collection::vec((1usize..9_000, 0u64..400), 1..60),
        ) {
            let start = Instant::now();
            let mut bucket = Bucket::new(Rate::per_second(32_768), start);
            let (mut now, mut sent, mut largest) = (start, 0usize, 0usize);
            for (bytes, pause) in frames {
                now = bucket.due(now + Duration::from_millis(pause));
                bucket.spend(bytes, now);
                sent += bytes;
                largest = largest.max(bytes);
                let granted = 32_768.0 * (now - start).as_secs_f64() + BURST + largest as f64;
                // Instants are whole nanoseconds: a rounded wait may be a fraction of a byte short.
                prop_assert!(sent as f64 <= granted + 1.0, "{sent} > {granted}");
            }
        }
    }
}
