//! When the thread that talks to the cluster should let news gather instead of waking for each.
//!
//! A WatchList and a busy watch send every object in a record of its own: at 150,000 pods that is as many wake-ups,
//! each with its own system calls (docs/PERFORMANCE.md has what they cost). A thread that has woken often lately naps for a moment
//! before it looks again; one that is asked for a single answer never does.

use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// How long news may gather: far below the 100 ms between two frames that the cluster causes.
const NAP: Duration = Duration::from_millis(10);
/// News that come faster than this on average come often.
const OFTEN: Duration = Duration::from_millis(14);
/// A pause this long or longer.
const PAUSE: Duration = Duration::from_millis(100);

/// The runtime of whatever talks to a cluster: one thread, which naps while news come often.
///
/// # Errors
/// The system gives no event queue.
pub fn runtime() -> std::io::Result<Runtime> {
    let naps = Mutex::new(Naps::default());
    let gather = move || {
        let nap = naps.lock().ok().and_then(|mut naps| naps.due(Instant::now()));
        nap.into_iter().for_each(std::thread::sleep);
    };
    Builder::new_current_thread().enable_all().on_thread_park(gather).build()
}

/// How fast news came lately.
#[derive(Debug)]
struct Naps {
    last: Option<Instant>,
    pace: Duration,
}

impl Default for Naps {
    fn default() -> Naps {
        Naps { last: None, pace: PAUSE }
    }
}

impl Naps {
    /// Nothing is left to do; how long to nap before waiting for news.
    fn due(&mut self, now: Instant) -> Option<Duration> {
        let gap = self.last.map_or(PAUSE, |last| now.duration_since(last)).min(PAUSE);
        self.last = Some(now);
        // An average over the last eight or so: one answer in many round trips, as a start is, does not count as often.
        self.pace = (self.pace * 7 + gap) / 8;
        (self.pace < OFTEN).then_some(NAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_thread_naps_until_it_is_quiet_again() {
        let mut naps = Naps::default();
        let mut now = Instant::now();
        let mut look = |naps: &mut Naps, after: u64| {
            now += Duration::from_millis(after);
            naps.due(now).is_some()
        };
        assert!((0..12).all(|_| !look(&mut naps, 1)), "a start is a dozen answers in a row");
        assert!((0..20).any(|_| look(&mut naps, 1)));
        assert!((0..200).all(|_| look(&mut naps, 11)), "a nap is no pause");
        assert!(!look(&mut naps, 200));
        assert!((0..50).all(|_| !look(&mut naps, 40)));
    }
}
