//! The terminal: entering and leaving it, writing to it within a byte budget, reading from it.
//!
//! Invariant: the UI thread owns [`Terminal`] and never waits for the other end: a writer thread writes, an input thread
//! reads, a signal thread listens, and all of them tell by one [`Event`] channel. What is drawn while the terminal is
//! not ours is not lost: it is drawn whole when it comes back.
//!
//! ```text
//! keys -> input (decode) --Event-+                       +-> writer (bucket) -> guard's gate -> tty
//! signals --------------- Event -+-> UI thread: Terminal -+-- lend, stop, leave -> guard ------> tty
//! writer: written, gone - Event -+        draw -> backend (cells to bytes)
//! ```

pub mod backend;
pub mod bucket;
pub mod chord;
pub mod clipboard;
pub mod colour;
pub mod decode;
pub mod guard;
pub mod input;
pub mod profile;
pub mod signals;
pub mod tty;
pub mod writer;

use backend::Lean;
use input::{Input, Pump};
use profile::TermProfile;
use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use signals::{HANG_UP_CODE, HANG_UP_GRACE, Signal};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use writer::{Aside, FrameId, Ready, Writer, Wrote};

/// What the terminal's threads tell the UI thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// From the keyboard, or the terminal's end.
    Input(Input),
    /// A frame was handed to the terminal at this instant.
    Written(FrameId, Instant),
    /// A signal.
    Signal(Signal),
    /// Another thread panicked; its message. End the program: print it after the terminal is left.
    Panicked(String),
}

/// Who takes events. Called from several threads; must not block.
type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// How long the last frame may take to leave before the terminal is given away.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whose the terminal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Us,
    Borrower,
    Shell,
}

/// The terminal in our hands. Dropping it leaves the terminal as it was found.
pub struct Terminal {
    screen: ratatui::Terminal<Lean>,
    writer: Writer,
    pump: Option<Pump>,
    holder: Holder,
    esc_wait: Duration,
    tell: Tell,
}

impl Terminal {
    /// Enters the terminal and starts its threads. To be called once, on the UI thread, before other threads matter:
    /// panics are told apart by thread.
    ///
    /// # Errors
    /// The terminal refuses, or the system gives no threads; the terminal is then as before.
    pub fn open(
        profile: &TermProfile,
        tell: impl Fn(Event) + Send + Sync + 'static,
    ) -> io::Result<Terminal> {
        let tell: Tell = Arc::new(tell);
        let (width, height) = tty::size();
        let lean = Lean::new(Size { width, height }, profile.depth);
        let Ok(screen) = ratatui::Terminal::new(lean);
        let told = Arc::clone(&tell);
        let writer = Writer::start(guard::gate()?, profile.budget, move |wrote| match wrote {
            Wrote::Frame(id, at) => told(Event::Written(id, at)),
            Wrote::Gone => {
                guard::end_within(HANG_UP_GRACE, HANG_UP_CODE);
                told(Event::Input(Input::TtyGone));
            }
        })?;
        let told = Arc::clone(&tell);
        signals::watch(move |signal| told(Event::Signal(signal)))?;
        let told = Arc::clone(&tell);
        guard::install_panic_hook(move |message| told(Event::Panicked(message)));
        let (holder, esc_wait) = (Holder::Shell, profile.esc_wait);
        let mut terminal = Terminal { screen, writer, pump: None, holder, esc_wait, tell };
        terminal.take()?;
        Ok(terminal)
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let Ok(size) = self.screen.size();
        (size.width, size.height)
    }

    /// Whether a frame drawn now could be written. Ask before drawing.
    pub fn ready(&self, now: Instant) -> Ready {
        if self.holder == Holder::Us { self.writer.ready(now) } else { Ready::Later }
    }

    /// Draws a frame and hands what changed to the writer. `None` when nothing changed: then nothing is written and the
    /// last frame still stands.
    pub fn draw(&mut self, paint: impl FnOnce(&mut Frame<'_>)) -> Option<FrameId> {
        if self.holder != Holder::Us {
            return None;
        }
        let Ok(_) = self.screen.draw(paint);
        let bytes = self.screen.backend_mut().take_frame();
        (!bytes.is_empty()).then(|| self.writer.frame(bytes))
    }

    /// The terminal has another size. The next frame is drawn whole.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.screen.backend_mut().set_size(Size { width, height });
        self.repaint();
    }

    /// The next frame is drawn whole, because something else may have written to the screen.
    pub fn repaint(&mut self) {
        let (width, height) = self.size();
        self.screen.backend_mut().forget();
        let Ok(()) = self.screen.resize(Rect::new(0, 0, width, height));
    }

    /// A way to write between frames, for the clipboard.
    pub fn aside(&self) -> Aside {
        self.writer.aside()
    }

    /// Gives the terminal, as it was found, to a program that we started or are about to start. Until
    /// [`Terminal::take_back`] nothing is read or written, and Ctrl-C, Ctrl-\ and Ctrl-Z are the borrower's. Start it in
    /// our process group, or it is stopped when it reads.
    pub fn lend(&mut self) {
        if self.holder == Holder::Us {
            signals::set_lent(true);
            self.holder = Holder::Borrower;
            self.stop_threads();
            guard::leave();
        }
    }

    /// Takes the terminal back from the borrower. The next frame is drawn whole.
    ///
    /// # Errors
    /// The terminal refuses.
    pub fn take_back(&mut self) -> io::Result<()> {
        if self.holder != Holder::Borrower {
            return Ok(());
        }
        signals::set_lent(false);
        self.take()
    }

    /// Lends the terminal for as long as `run` takes, on this thread.
    ///
    /// # Errors
    /// The terminal cannot be taken back.
    pub fn lend_to<T>(&mut self, run: impl FnOnce() -> T) -> io::Result<T> {
        self.lend();
        let outcome = run();
        self.take_back()?;
        Ok(outcome)
    }

    /// The suspend key: asks the whole job to stop, as the terminal does for other programs. [`Signal::Stop`] follows.
    ///
    /// # Errors
    /// There is no shell that could continue us; in words.
    pub fn suspend(&self) -> io::Result<()> {
        tty::stop_job()
    }

    /// On [`Signal::Stop`]: gives the terminal to the shell and stops the process. [`Signal::Continue`] follows.
    pub fn stop(&mut self) {
        if self.holder == Holder::Us {
            self.holder = Holder::Shell;
            self.stop_threads();
            guard::stop();
        }
    }

    /// On [`Signal::Continue`]: takes the terminal, or takes it once more if nobody warned us before we were stopped. The
    /// next frame is drawn whole.
    ///
    /// # Errors
    /// The terminal refuses.
    pub fn resume(&mut self) -> io::Result<()> {
        if self.holder == Holder::Borrower { Ok(()) } else { self.take() }
    }

    fn take(&mut self) -> io::Result<()> {
        guard::enter()?;
        self.holder = Holder::Us;
        let (width, height) = tty::size();
        self.resize(width, height);
        if self.pump.is_none() {
            let tell = Arc::clone(&self.tell);
            self.pump = Some(Pump::start(self.esc_wait, move |input| tell(Event::Input(input)))?);
        }
        Ok(())
    }

    fn stop_threads(&mut self) {
        if let Some(pump) = self.pump.take() {
            pump.stop();
        }
        self.writer.drain(PATIENCE);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.holder == Holder::Us {
            self.stop_threads();
        }
        guard::leave();
    }
}
