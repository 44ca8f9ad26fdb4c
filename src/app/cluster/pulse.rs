//! Whether the server is still there. A stopped process's kernel goes on acknowledging packets, so silence is only
//! told from death by asking.
//!
//! Invariants: as long as anything is heard, nothing is sent; in silence at most one request every [`QUIET`], however
//! many feeds there are; [`STALE`] after the last byte nothing says live.

use super::request::{Accept, read};
use super::upstream::{Clock, Upstream};
use crate::state::time::Epoch;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Silence after which the server is asked whether it is there, and the time between such questions.
pub const QUIET: Duration = Duration::from_secs(10);
/// Silence after which what is shown is called stale; a second before what is promised, so that it is drawn in time.
pub const STALE: Duration = Duration::from_secs(14);

/// What is known of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// It answered at this time.
    Heard(Epoch),
    /// Nothing was heard since this time.
    Silent(Epoch),
}

/// When the server was heard last, over all feeds of a session.
pub struct Pulse {
    clock: Clock,
    born: Instant,
    last_ms: AtomicU64,
    silent: AtomicBool,
    beats: watch::Sender<Beat>,
}

impl Pulse {
    pub(super) fn new(clock: Clock) -> Pulse {
        let beats = watch::Sender::new(Beat::Heard(clock()));
        let (last_ms, silent) = (AtomicU64::new(0), AtomicBool::new(false));
        Pulse { clock, born: Instant::now(), last_ms, silent, beats }
    }

    /// Something arrived, on whichever connection.
    pub fn heard(&self) {
        self.last_ms.store(self.born.elapsed().as_millis() as u64, SeqCst);
        if self.silent.swap(false, SeqCst) {
            self.beats.send_replace(Beat::Heard((self.clock)()));
        }
    }

    /// News of it: answers to questions, the beginning and the end of silence.
    pub fn beats(&self) -> watch::Receiver<Beat> {
        self.beats.subscribe()
    }

    fn last(&self) -> Instant {
        self.born + Duration::from_millis(self.last_ms.load(SeqCst))
    }

    fn answered(&self) {
        self.heard();
        self.beats.send_replace(Beat::Heard((self.clock)()));
    }

    /// Says that the server is silent, unless it was heard meanwhile.
    fn fell_silent(&self) {
        // The mark comes before the look at the clock, so that a byte arriving between the two takes it back.
        if self.silent.swap(true, SeqCst) {
            return;
        }
        let silence = self.last().elapsed();
        if silence < STALE {
            self.silent.store(false, SeqCst);
            return;
        }
        let since = Epoch((self.clock)().0 - silence.as_secs() as i64);
        self.beats.send_replace(Beat::Silent(since));
        // A byte may have been noted between the mark and the message.
        if !self.silent.load(SeqCst) {
            self.beats.send_replace(Beat::Heard((self.clock)()));
        }
    }
}

/// Asks in silence, until the session is gone.
pub(super) async fn watch_over(upstream: Weak<Upstream>) {
    let mut next = Instant::now() + QUIET;
    loop {
        sleep_until(next).await;
        let Some(upstream) = upstream.upgrade() else { return };
        let pulse = &upstream.pulse;
        let quiet = pulse.last() + QUIET;
        next = match pulse.beats.receiver_count() {
            // Without feeds nothing is shown that could be stale.
            0 => Instant::now() + QUIET,
            _ if quiet > Instant::now() => quiet,
            _ => {
                let asked = Instant::now();
                ask(&upstream, asked + QUIET).await;
                asked + QUIET
            }
        };
    }
}

/// One question; returns when it is answered, or when it is time for the next.
async fn ask(upstream: &Upstream, until: Instant) {
    let pulse = &upstream.pulse;
    let Ok(request) = read("/version", Accept::Json) else { return };
    let mut answer = std::pin::pin!(upstream.client.send(request));
    let mut waiting = true;
    loop {
        tokio::select! {
            // Whatever the server says, it is there to say it.
            response = &mut answer, if waiting => match response {
                Ok(_) => return pulse.answered(),
                Err(_) => waiting = false,
            },
            _ = sleep_until(pulse.last() + STALE), if !pulse.silent.load(SeqCst) => {
                pulse.fell_silent();
            }
            _ = sleep_until(until) => return,
        }
    }
}
