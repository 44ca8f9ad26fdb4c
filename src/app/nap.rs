//! When the thread that talks to the cluster should let news gather instead of waking for each.
//!
//! A WatchList and a busy watch send every object in a record of its own: at 150,000 pods that is as many wake-ups,
//! each with its own system calls (docs/PERFORMANCE.md has what they cost). A thread that has woken often lately naps for a moment
//! before it looks again; one that is asked for a single answer never does.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// How long a flood may gather: what a list sends meanwhile still fits the socket's buffer.
const NAP: Duration = Duration::from_millis(10);
/// How long a trickle may gather: well below the 100 ms between two frames that the cluster causes.
const LONG_NAP: Duration = Duration::from_millis(25);
/// More work than this after a nap is a flood.
const FLOOD: Duration = Duration::from_millis(2);
/// News that are waited for less than this on average come often.
const OFTEN: Duration = Duration::from_millis(4);
/// A pause this long or longer.
const PAUSE: Duration = Duration::from_millis(100);

/// The runtime of whatever talks to a cluster: one thread, which naps while news come often.
///
/// # Errors
/// The system gives no event queue.
pub fn runtime() -> std::io::Result<Runtime> {
    let naps = Arc::new(Mutex::new(Naps::default()));
    let woken = naps.clone();
    let gather = move || {
        let nap = naps.lock().ok().and_then(|mut naps| naps.due(Instant::now()));
        let Some(nap) = nap else { return };
        std::thread::sleep(nap);
        if let Ok(mut naps) = naps.lock() {
            naps.idle = Some(Instant::now());
        }
    };
    let go_on = move || {
        if let Ok(mut naps) = woken.lock() {
            naps.woke(Instant::now());
        }
    };
    let mut builder = Builder::new_current_thread();
    builder.enable_all().on_thread_park(gather).on_thread_unpark(go_on).build()
}

/// How fast news came lately.
#[derive(Debug)]
struct Naps {
    /// Since when the thread has waited, its nap left out.
    idle: Option<Instant>,
    /// Since when it has worked.
    awake: Option<Instant>,
    /// How long it waits, on average.
    pace: Duration,
}

impl Default for Naps {
    fn default() -> Naps {
        Naps { idle: None, awake: None, pace: PAUSE }
    }
}

impl Naps {
    /// Nothing is left to do; how long to nap before waiting for news.
    fn due(&mut self, now: Instant) -> Option<Duration> {
        let work = self.awake.map_or(Duration::ZERO, |awake| now.duration_since(awake));
        self.idle = Some(now);
        let nap = if work > FLOOD { NAP } else { LONG_NAP };
        (self.pace < OFTEN).then_some(nap)
    }

    /// News came.
    fn woke(&mut self, now: Instant) {
        let wait = self.idle.map_or(PAUSE, |idle| now.duration_since(idle)).min(PAUSE);
        self.awake = Some(now);
        // An average over the last eight or so: one answer in many round trips, as a start is, does not count as often.
        self.pace = (self.pace * 7 + wait) / 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_thread_naps_until_it_is_quiet_again() {
        let mut naps = Naps::default();
        let mut now = Instant::now();
        let mut look = |naps: &mut Naps, waited: u64, worked: u64| {
            now += Duration::from_millis(waited);
            naps.woke(now);
            now += Duration::from_millis(worked);
            let nap = naps.due(now);
            now += nap.unwrap_or_default();
            naps.idle = Some(now);
            nap
        };
        assert!(
            (0..12).all(|_| look(&mut naps, 1, 0).is_none()),
            "a start is some answers in a row"
        );
        assert!((0..40).any(|_| look(&mut naps, 1, 0).is_some()));
        assert!((0..200).all(|_| look(&mut naps, 0, 8) == Some(NAP)), "a flood");
        assert!((0..200).all(|_| look(&mut naps, 1, 1) == Some(LONG_NAP)), "a trickle");
        assert_eq!(look(&mut naps, 200, 0), None);
        assert!((0..50).all(|_| look(&mut naps, 40, 0).is_none()));
    }
}
