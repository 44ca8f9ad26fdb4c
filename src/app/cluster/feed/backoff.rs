//! How long to wait before trying again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(800);
const LONGEST: Duration = Duration::from_secs(30);

/// Pauses that double, each scattered over its upper half, so that the clients of a server that comes back do not all
/// ask at once.
#[derive(Debug, Default)]
pub(in crate::app::cluster) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Whether nothing failed lately.
    pub fn is_fresh(&self) -> bool {
        self.failures == 0
    }

    /// The pause after one more failure.
    pub fn next(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        whole / 2 + scatter(whole / 2)
    }

    /// Notes a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Any time shorter than `range`.
pub(in crate::app::cluster) fn scatter(range: Duration) -> Duration {
    // Each `RandomState` has keys of its own: enough to part clients from one another.
    let random = RandomState::new().hash_one(0) >> 32;
    range.mul_f64(random as f64 / (1u64 << 32) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_are_scattered_and_bounded_and_begin_again_after_a_success() {
        let mut backoff = Backoff::default();
        for i in 0..40u32 {
            let whole = FIRST.saturating_mul(1 << i.min(10)).min(LONGEST);
            let pause = backoff.next();
            assert!(whole / 2 <= pause && pause < whole, "{i}: {pause:?}");
        }
        backoff.reset();
        assert!(backoff.next() < FIRST);
        let many: std::collections::HashSet<_> = (0..20).map(|_| scatter(LONGEST)).collect();
        assert!(many.len() > 1, "all pauses are the same");
    }
}
