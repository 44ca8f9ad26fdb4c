//! The input pump: a thread that reads the terminal and tells what was typed.
//!
//! Invariant: it reads only after poll(2) has said that there is something, so it can always be stopped, leaves every
//! byte it has not read to whoever reads next, and ends when the terminal is gone instead of spinning. (crossterm 0.29's
//! own reader blocks inside an unfinished sequence and re-reads a dead terminal for ever, crossterm issue 793, so only
//! its names for terminal modes are used, in `guard`.)

use super::chord::Chord;
use super::decode::Decoder;
use super::guard;
use super::signals::{HANG_UP_CODE, HANG_UP_GRACE};
use super::tty::{self, Readiness};
use signal_hook::consts::SIGWINCH;
use signal_hook::low_level::{pipe, unregister};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Multiplexers report a resize in bursts: the size is read when they have been quiet for this long.
const RESIZE_QUIET: Duration = Duration::from_millis(40);

/// What comes from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key, and when it was read.
    Key(Chord, Instant),
    /// Pasted text as one clean line; never keys.
    Paste(String),
    /// The terminal has another size: columns, rows.
    Resize(u16, u16),
    /// Its window gained or lost the focus. Not a sign of life: never act on it.
    Focus(bool),
    /// The terminal is gone. Nothing follows, and the process ends within [`HANG_UP_GRACE`].
    TtyGone,
}

/// A running pump.
#[derive(Debug)]
pub struct Pump {
    stop: UnixStream,
    thread: JoinHandle<()>,
}

impl Pump {
    /// Starts reading standard input. `esc_wait` as in [`Decoder::new`].
    ///
    /// # Errors
    /// The system gives no descriptors or no thread.
    pub fn start(esc_wait: Duration, tell: impl Fn(Input) + Send + 'static) -> io::Result<Pump> {
        let (stop, stopped) = UnixStream::pair()?;
        let (resized, resize_end) = UnixStream::pair()?;
        resized.set_nonblocking(true)?;
        let mut pumping = Pumping {
            tty: File::from(io::stdin().as_fd().try_clone_to_owned()?),
            stopped,
            resized,
            resize_at: None,
            size: tty::size(),
            decoder: Decoder::new(esc_wait, Instant::now()),
        };
        let handler = pipe::register(SIGWINCH, resize_end)?;
        let thread = thread::Builder::new().name("terminal-input".into()).spawn(move || {
            let ended = pumping.run(&tell);
            unregister(handler);
            if ended.is_err() {
                guard::end_within(HANG_UP_GRACE, HANG_UP_CODE);
                tell(Input::TtyGone);
            }
        })?;
        Ok(Pump { stop, thread })
    }

    /// Ends the thread. What was typed and not read yet stays in the terminal.
    pub fn stop(self) {
        drop(self.stop);
        // A panic of the thread was told by the hook; there is nothing else to hear from it.
        let _ = self.thread.join();
    }
}

/// What the thread owns.
struct Pumping {
    tty: File,
    stopped: UnixStream,
    resized: UnixStream,
    resize_at: Option<Instant>,
    size: (u16, u16),
    decoder: Decoder,
}

impl Pumping {
    /// Until it is stopped; an error is the end of the terminal.
    fn run(&mut self, tell: &dyn Fn(Input)) -> io::Result<()> {
        let fds = [self.stopped.as_raw_fd(), self.tty.as_raw_fd(), self.resized.as_raw_fd()];
        loop {
            let until = self.decoder.deadline().into_iter().chain(self.resize_at).min();
            let [stopped, tty, resized] = tty::wait_readable(fds, until)?;
            if stopped != Readiness::Idle {
                self.decoder.give_up(&mut |input| tell(input));
                return Ok(());
            }
            let now = Instant::now();
            match tty {
                Readiness::Ready => self.read(now, tell)?,
                Readiness::Gone => return Err(io::ErrorKind::BrokenPipe.into()),
                Readiness::Idle => self.decoder.expire(now, &mut |input| tell(input)),
            }
            if resized == Readiness::Ready {
                // Only that it was written to matters, not how often.
                let _ = self.resized.read(&mut [0; 64]);
                self.resize_at = Some(now + RESIZE_QUIET);
            }
            self.settle_size(now, tell);
        }
    }

    fn read(&mut self, now: Instant, tell: &dyn Fn(Input)) -> io::Result<()> {
        let mut bytes = [0; 4096];
        match self.tty.read(&mut bytes) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => {
                self.decoder.feed(&bytes[..n], now, &mut |input| tell(input));
                Ok(())
            }
            // Somebody else was faster, or a signal came.
            Err(e)
                if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) =>
            {
                Ok(())
            }
            Err(e) => Err(e),
        }
    }

    fn settle_size(&mut self, now: Instant, tell: &dyn Fn(Input)) {
        if self.resize_at.is_none_or(|at| at > now) {
            return;
        }
        self.resize_at = None;
        let size = tty::size();
        if size != self.size {
            self.size = size;
            tell(Input::Resize(size.0, size.1));
        }
    }
}
