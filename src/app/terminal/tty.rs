//! The few calls to the kernel that the terminal needs, on standard input and output.
//!
//! Invariant: the only unsafe code of the terminal layer; nothing here keeps state.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

/// The modes of the line discipline.
pub(super) type Attributes = libc::termios;

/// Whether both ends are terminals: we read keys from one and draw on the other.
pub fn is_tty() -> bool {
    use std::io::IsTerminal as _;
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Columns and rows; a terminal that does not know its size counts as 80x24.
pub fn size() -> (u16, u16) {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: TIOCGWINSZ fills the struct it is given; zeroes are a valid one if it fails.
    let size = unsafe {
        libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, size.as_mut_ptr());
        size.assume_init()
    };
    match (size.ws_col, size.ws_row) {
        (0, _) | (_, 0) => (80, 24),
        known => known,
    }
}

/// The modes in force.
pub(super) fn attributes() -> io::Result<Attributes> {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: the struct is read only after tcgetattr(3) said that it filled it.
    unsafe {
        done(libc::tcgetattr(libc::STDIN_FILENO, attributes.as_mut_ptr()))?;
        Ok(attributes.assume_init())
    }
}

/// Sets modes at once; what was typed and not read yet is kept.
pub(super) fn set_attributes(attributes: &Attributes) -> io::Result<()> {
    // SAFETY: reads the struct it is given.
    done(unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, attributes) })
}

/// The same modes with line editing, echo, signals by key and output processing off.
pub(super) fn raw(attributes: &Attributes) -> Attributes {
    let mut raw = *attributes;
    // SAFETY: changes the struct it is given.
    unsafe { libc::cfmakeraw(&mut raw) };
    raw
}

/// What poll(2) said of one descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// Nothing.
    Idle,
    /// A read or write will not block.
    Ready,
    /// The other side is gone.
    Gone,
}

/// Waits until one of the descriptors can be read, or until the deadline.
pub(super) fn wait_readable<const N: usize>(
    fds: [RawFd; N],
    until: Option<Instant>,
) -> io::Result<[Readiness; N]> {
    wait(fds, libc::POLLIN, until.map(|at| at.saturating_duration_since(Instant::now())))
}

/// Waits until a descriptor takes bytes again.
pub(super) fn wait_writable(fd: RawFd) -> io::Result<()> {
    wait([fd], libc::POLLOUT, None).map(|_| ())
}

/// Whether the terminal is gone: hung up, or its other side closed. Never blocks.
pub(super) fn hung_up() -> bool {
    let look = wait([libc::STDIN_FILENO], 0, Some(Duration::ZERO));
    !matches!(look, Ok([Readiness::Idle | Readiness::Ready]))
}

fn wait<const N: usize>(
    fds: [RawFd; N],
    events: i16,
    timeout: Option<Duration>,
) -> io::Result<[Readiness; N]> {
    let mut polled = fds.map(|fd| libc::pollfd { fd, events, revents: 0 });
    // Rounded up: waking before the deadline would only mean another turn.
    let millis = timeout.map_or(-1, |t| t.as_micros().div_ceil(1000).min(i32::MAX as u128) as i32);
    // SAFETY: the array lives through the call and its length is passed.
    match done(unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, millis) }) {
        Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok([Readiness::Idle; N]),
        outcome => outcome?,
    }
    Ok(polled.map(|p| match p.revents {
        0 => Readiness::Idle,
        r if r & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0 => Readiness::Gone,
        _ => Readiness::Ready,
    }))
}

/// Stops this process as a shell's job; returns when it is continued.
pub(super) fn stop_here() {
    // SAFETY: no memory is involved.
    unsafe { libc::raise(libc::SIGSTOP) };
}

/// Sends SIGTSTP to the whole job, as the terminal would for its suspend key, so that a wrapper script stops too.
///
/// # Errors
/// Our group is that of the session's leader (`ssh host wheelhouse`, a window of its own, a script without job control in
/// one): nobody would continue us.
pub(super) fn stop_job() -> io::Result<()> {
    // SAFETY: no memory is involved.
    unsafe {
        if libc::getsid(0) == libc::getpgrp() {
            return Err(io::Error::other(
                "there is no shell to go back to: this terminal was opened for wheelhouse alone",
            ));
        }
        done(libc::kill(0, libc::SIGTSTP))
    }
}

/// Ends the process at once, without destructors or exit handlers.
pub(super) fn end(code: i32) -> ! {
    // SAFETY: does not return.
    unsafe { libc::_exit(code) }
}

fn done(returned: libc::c_int) -> io::Result<()> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
