//! Signals become events of the UI thread; no handler does anything by itself.
//!
//! Invariant: while the terminal is lent, the keys that interrupt and quit are the borrower's.

use super::guard;
use super::tty;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

/// What a signal asks of the UI thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM, SIGINT or SIGQUIT (its number): leave and end with 128 + number.
    Terminate(i32),
    /// SIGHUP: the terminal is gone or about to go. The process ends within [`HANG_UP_GRACE`] whatever happens.
    HangUp,
    /// SIGTSTP: call `Terminal::stop`.
    Stop,
    /// SIGCONT: call `Terminal::resume`.
    Continue,
}

/// Time to finish what is being written to disk after the terminal is gone.
pub const HANG_UP_GRACE: Duration = Duration::from_secs(2);
/// How a shell shows the end by SIGHUP.
pub const HANG_UP_CODE: i32 = 128 + SIGHUP;

static LENT: AtomicBool = AtomicBool::new(false);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether the borrower of the terminal was interrupted from the keyboard since this was asked last.
pub fn interrupted() -> bool {
    INTERRUPTED.swap(false, SeqCst)
}

/// The terminal is lent to another program, or ours again.
pub(super) fn set_lent(lent: bool) {
    LENT.store(lent, SeqCst);
}

/// Watches for the rest of the process's life.
///
/// # Errors
/// The handlers or the thread cannot be had.
pub(super) fn watch(tell: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
    let watched = [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGCONT];
    let mut signals = signal_hook::iterator::Signals::new(watched)?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            if let Some(signal) = meaning(signal, LENT.load(SeqCst)) {
                tell(signal);
            }
        }
    })?;
    Ok(())
}

fn meaning(signal: i32, lent: bool) -> Option<Signal> {
    match signal {
        SIGHUP => {
            guard::end_within(HANG_UP_GRACE, HANG_UP_CODE);
            Some(Signal::HangUp)
        }
        SIGTERM => Some(Signal::Terminate(signal)),
        SIGINT | SIGQUIT if lent => {
            // Typed for the program that has the terminal; the kernel sends it to the whole job.
            INTERRUPTED.store(true, SeqCst);
            None
        }
        SIGINT | SIGQUIT => Some(Signal::Terminate(signal)),
        SIGTSTP if lent => {
            // The borrower stops itself. We stop with it, or the shell would not get the terminal back.
            tty::stop_here();
            None
        }
        SIGTSTP => Some(Signal::Stop),
        _ => (!lent).then_some(Signal::Continue),
    }
}
