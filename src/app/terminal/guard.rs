//! Entering the terminal and leaving it as it was found.
//!
//! Invariant: nothing is written but between [`enter`] and [`leave`], and `leave` undoes `enter` whoever calls it: the
//! end of the program, a panic, a signal, a child that borrows the terminal.

use super::tty;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use crossterm::queue;
use crossterm::style::ResetColor;
use crossterm::terminal::{EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long leaving waits for a write that is under way.
const PATIENCE: Duration = Duration::from_millis(500);

static ENTERED: AtomicBool = AtomicBool::new(false);
/// Held while bytes go out, so that what `leave` writes lands behind a whole frame.
static WRITING: Mutex<()> = Mutex::new(());
/// The line discipline before we changed it.
static FOUND: Mutex<Option<tty::Attributes>> = Mutex::new(None);

fn found() -> MutexGuard<'static, Option<tty::Attributes>> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}

fn entering() -> io::Result<Vec<u8>> {
    let mut out = vec![];
    queue!(out, EnterAlternateScreen, Hide, EnableBracketedPaste, EnableFocusChange)?;
    Ok(out)
}

fn leaving() -> io::Result<Vec<u8>> {
    let mut out = vec![];
    queue!(out, EndSynchronizedUpdate, ResetColor, DisableFocusChange, DisableBracketedPaste)?;
    queue!(out, LeaveAlternateScreen, Show)?;
    Ok(out)
}

/// Takes the terminal: raw mode, alternate screen, cursor hidden, bracketed paste, focus reports. Called again while
/// entered, it sets all that once more.
///
/// # Errors
/// The terminal refuses; then it is as before.
pub fn enter() -> io::Result<()> {
    let mut found = found();
    let before = match *found {
        Some(before) => before,
        None => *found.insert(tty::attributes()?),
    };
    tty::set_attributes(&tty::raw(&before))?;
    ENTERED.store(true, SeqCst);
    let written = entering().and_then(|bytes| write_all(&mut output()?, &bytes));
    if written.is_err() {
        ENTERED.store(false, SeqCst);
        // The first error is the one worth telling.
        let _ = tty::set_attributes(&before);
    }
    written
}

/// Gives the terminal back. Does nothing unless entered. Writes nothing to a terminal that is gone.
pub fn leave() {
    if !ENTERED.swap(false, SeqCst) {
        return;
    }
    let quiet = wait_for_writer();
    if !tty::hung_up() {
        // Nobody is left to tell: the modes below are restored in any case.
        let _ = leaving().and_then(|bytes| write_all(&mut output()?, &bytes));
    }
    drop(quiet);
    restore_attributes();
}

fn restore_attributes() {
    if let Some(before) = *found() {
        // Fails only on a terminal that is gone.
        let _ = tty::set_attributes(&before);
    }
}

/// Gives the terminal to the shell and stops; returns, still outside, when the process is continued.
pub(super) fn stop() {
    leave();
    // The shell may change the modes meanwhile, and what it set is what we shall find.
    *found() = None;
    tty::stop_here();
}

/// The writer thread holds this lock while it writes; on a stalled line it may hold it for ever, so we go on without.
fn wait_for_writer() -> Option<MutexGuard<'static, ()>> {
    let until = Instant::now() + PATIENCE;
    loop {
        match WRITING.try_lock() {
            Ok(lock) => return Some(lock),
            Err(std::sync::TryLockError::Poisoned(lock)) => return Some(lock.into_inner()),
            Err(_) if Instant::now() > until => return None,
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// What the writer thread writes with: bytes reach the terminal only while it is ours, and are dropped otherwise.
///
/// # Errors
/// Standard output cannot be duplicated.
pub(super) fn gate() -> io::Result<impl FnMut(&[u8]) -> io::Result<()> + Send + 'static> {
    let mut out = output()?;
    Ok(move |bytes: &[u8]| {
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        if ENTERED.load(SeqCst) { write_all(&mut out, bytes) } else { Ok(()) }
    })
}

/// Standard output without the line buffer of the standard library, which would cut a frame into pieces.
fn output() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// `write_all`, but patient with a descriptor that an earlier program left non-blocking.
fn write_all(out: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => tty::wait_writable(out.as_raw_fd())?,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// A panic of this thread (the UI's) gives the terminal back before the message is printed. A panic of another thread
/// would print over the screen that the UI still draws: its message is told instead, and the UI ends the program.
pub fn install_panic_hook(tell: impl Fn(String) + Send + Sync + 'static) {
    let ui = thread::current().id();
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == ui || !ENTERED.load(SeqCst) {
            leave();
            return print(info);
        }
        let thread = thread::current();
        let name = thread.name().unwrap_or("unnamed").to_owned();
        let trace = std::backtrace::Backtrace::capture();
        let trace = match trace.status() {
            std::backtrace::BacktraceStatus::Captured => format!("\n{trace}"),
            _ => String::new(),
        };
        tell(format!("thread '{name}' {info}{trace}"));
    }));
}

/// Ends the process after `limit`, whatever hangs: for a terminal that is gone or a session that is over. Only the first
/// call counts.
pub fn end_within(limit: Duration, code: i32) {
    static ARMED: Once = Once::new();
    ARMED.call_once(|| {
        let ended = thread::Builder::new().name("watchdog".into()).spawn(move || {
            thread::sleep(limit);
            // A write that is stuck cannot be helped, but the modes can be restored beside it.
            restore_attributes();
            tty::end(code)
        });
        if ended.is_err() {
            tty::end(code);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_that_is_entered_is_left() {
        let entered = String::from_utf8(entering().unwrap()).unwrap();
        let left = String::from_utf8(leaving().unwrap()).unwrap();
        for mode in ["?1049", "?2004", "?1004"] {
            assert!(entered.contains(&format!("{mode}h")), "{entered:?}");
            assert!(left.contains(&format!("{mode}l")), "{left:?}");
        }
        assert!(entered.contains("?25l") && left.contains("?25h"));
        assert!(left.starts_with("\x1b[?2026l\x1b[0m"), "an unfinished frame is ended first");
    }
}
