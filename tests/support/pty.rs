//! Runs a program on a terminal of its own and looks at what it does to it.
//!
//! Invariants: every wait has a deadline and ends with the screen in words; the terminal is read all the time, so a
//! program never waits for this side; the program sees no variable of the machine's own; it dies with [`Pty`].

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vt100::{Callbacks, Parser, Screen};

/// Generous: it only has to tell a hang from slowness.
pub const LIMIT: Duration = Duration::from_secs(30);

/// The program under test.
pub const WHEELHOUSE: &str = env!("CARGO_BIN_EXE_wheelhouse");

/// Runs `"$@"` as the program of a terminal that was in use before and stays in use after it: its number is shown
/// before it starts and its exit code after it ends. The shell stays, because the kernel resets the modes of a terminal
/// whose session ends.
const IN_USE: &str = r#"echo "earlier text"
sh -c 'echo "pid $$."; exec "$@"' sh "$@"
echo "ended $?."
read line"#;

/// A program that is about to start.
pub struct Start {
    words: Vec<String>,
    env: BTreeMap<String, String>,
    size: (u16, u16),
    controlled: bool,
}

impl Start {
    /// Any program, as the leader of its session.
    pub fn program(words: &[&str]) -> Start {
        let env = [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let words = words.iter().map(|&w| w.to_owned()).collect();
        Start { words, env: BTreeMap::from(env), size: (100, 30), controlled: true }
    }

    /// `wheelhouse ARGS` in a terminal opened for it alone.
    pub fn alone(args: &[&str]) -> Start {
        Start::program(&[&[WHEELHOUSE], args].concat())
    }

    /// A program in a terminal that was in use before: [`Pty::pid_shown`] and [`Pty::code_shown`] tell of it.
    pub fn in_use(words: &[&str]) -> Start {
        Start::program(&[&["sh", "-c", IN_USE, "sh"], words].concat())
    }

    pub fn env(mut self, name: &str, value: &str) -> Start {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn without(mut self, name: &str) -> Start {
        self.env.remove(name);
        self
    }

    pub fn size(mut self, columns: u16, rows: u16) -> Start {
        self.size = (columns, rows);
        self
    }

    /// The terminal does not control the session: the kernel sends no signals on its behalf.
    pub fn uncontrolled(mut self) -> Start {
        self.controlled = false;
        self
    }

    pub fn go(self) -> Pty {
        let home = tempfile::tempdir().unwrap();
        let pair = native_pty_system().openpty(pty_size(self.size)).unwrap();
        let found = termios(pair.master.as_raw_fd().unwrap());
        let mut command =
            CommandBuilder::from_argv(self.words.into_iter().map(Into::into).collect());
        command.env_clear();
        command.set_controlling_tty(self.controlled);
        command.cwd(home.path());
        command.env("HOME", home.path());
        self.env.iter().for_each(|(name, value)| command.env(name, value));
        let mut child = pair.slave.spawn_command(command).unwrap();
        let pid = child.process_id().unwrap() as i32;
        drop(pair.slave);

        let seen = Arc::new(Shared::new(self.size));
        let (stop, stopped) = UnixStream::pair().unwrap();
        let (tty, shared) = (duplicate(&*pair.master), Arc::clone(&seen));
        let reader = thread::spawn(move || read_all(tty, &stopped, &shared));
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            let status = child.wait().unwrap();
            shared.change(|seen| seen.ended = Some(status));
        });
        let open = Open { master: pair.master, stop, reader };
        Pty { open: Some(open), seen, pid, found, home }
    }
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn duplicate(master: &dyn MasterPty) -> File {
    // SAFETY: the descriptor is open for as long as `master` is borrowed.
    let fd = unsafe { BorrowedFd::borrow_raw(master.as_raw_fd().unwrap()) };
    File::from(fd.try_clone_to_owned().unwrap())
}

/// What a terminal remembers of its line discipline, in comparable form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modes {
    flags: [libc::tcflag_t; 4],
    characters: Vec<libc::cc_t>,
}

impl Modes {
    /// Lines are edited and echoed, and keys send signals.
    pub fn cooked(&self) -> bool {
        let wanted = libc::ICANON | libc::ECHO | libc::ISIG;
        self.flags[3] & wanted == wanted
    }
}

fn termios(fd: i32) -> Modes {
    let mut modes = std::mem::MaybeUninit::<libc::termios>::uninit();
    // SAFETY: the struct is read only if tcgetattr(3) filled it.
    let modes = unsafe {
        assert_eq!(libc::tcgetattr(fd, modes.as_mut_ptr()), 0);
        modes.assume_init()
    };
    Modes {
        flags: [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag],
        characters: modes.c_cc.to_vec(),
    }
}

/// What a terminal does beside drawing: everything but text, colours and the cursor's way.
#[derive(Default)]
struct Strange(Vec<String>);

impl Callbacks for Strange {
    fn audible_bell(&mut self, _: &mut Screen) {
        self.0.push("bell".to_owned());
    }
    fn visual_bell(&mut self, _: &mut Screen) {
        self.0.push("visual bell".to_owned());
    }
    fn resize(&mut self, _: &mut Screen, size: (u16, u16)) {
        self.0.push(format!("resize to {size:?}"));
    }
    fn set_window_icon_name(&mut self, _: &mut Screen, name: &[u8]) {
        self.0.push(format!("icon {}", name.escape_ascii()));
    }
    fn set_window_title(&mut self, _: &mut Screen, title: &[u8]) {
        self.0.push(format!("title {}", title.escape_ascii()));
    }
    fn copy_to_clipboard(&mut self, _: &mut Screen, to: &[u8], data: &[u8]) {
        self.0.push(format!("copy {} {}", to.escape_ascii(), data.escape_ascii()));
    }
    fn paste_from_clipboard(&mut self, _: &mut Screen, _: &[u8]) {
        self.0.push("paste".to_owned());
    }
    fn unhandled_char(&mut self, _: &mut Screen, c: char) {
        self.0.push(format!("character {c:?}"));
    }
    fn unhandled_control(&mut self, _: &mut Screen, byte: u8) {
        self.0.push(format!("control {byte:#x}"));
    }
    fn unhandled_escape(&mut self, _: &mut Screen, a: Option<u8>, b: Option<u8>, byte: u8) {
        self.0.push(format!("escape {a:?} {b:?} {byte:#x}"));
    }
    fn unhandled_csi(
        &mut self,
        _: &mut Screen,
        a: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        c: char,
    ) {
        let marker = a.map(char::from).unwrap_or(' ');
        self.0.push(format!("csi {marker}{params:?}{c}"));
    }
    fn unhandled_osc(&mut self, _: &mut Screen, params: &[&[u8]]) {
        self.0.push(format!("osc {}", params.concat().escape_ascii()));
    }
}

struct Seen {
    parser: Parser<Strange>,
    raw: Vec<u8>,
    shown: usize,
    ended: Option<ExitStatus>,
}

impl Seen {
    /// Shows what has come since. The emulator takes U+FFFD for an error of its input and does not draw it, so it gets
    /// another glyph of that width.
    fn show(&mut self) {
        let new = &self.raw[self.shown..];
        // A character that is cut by the end of a read waits for its rest.
        let cut = [&b"\xef\xbf"[..], b"\xef"].into_iter().find(|cut| new.ends_with(cut));
        let whole = &new[..new.len() - cut.map_or(0, |cut| cut.len())];
        self.shown += whole.len();
        let mut rest = whole;
        while let Some(at) = rest.windows(3).position(|w| w == "\u{fffd}".as_bytes()) {
            self.parser.process(&rest[..at]);
            self.parser.process("\u{25a1}".as_bytes());
            rest = &rest[at + 3..];
        }
        self.parser.process(rest);
    }
}

struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Shared {
    fn new((columns, rows): (u16, u16)) -> Shared {
        let [rows, columns] = [rows, columns].map(|n| NonZeroU16::new(n).unwrap());
        let parser = Parser::new_with_callbacks(rows, columns, 0, Strange::default());
        let seen = Seen { parser, raw: vec![], shown: 0, ended: None };
        Shared { seen: Mutex::new(seen), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// Until everyone on the other side has closed it, or until stopped.
fn read_all(mut tty: File, stopped: &UnixStream, shared: &Shared) {
    let mut bytes = [0; 65536];
    loop {
        let look = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut fds = [look(tty.as_raw_fd()), look(stopped.as_raw_fd())];
        // SAFETY: the array lives through the call and its length is passed.
        unsafe { libc::poll(fds.as_mut_ptr(), 2, -1) };
        if fds[1].revents != 0 {
            return;
        }
        // Linux says EIO where others say the end.
        let read = tty.read(&mut bytes).unwrap_or(0);
        shared.change(|seen| {
            seen.raw.extend_from_slice(&bytes[..read]);
            seen.show();
        });
        if read == 0 {
            return;
        }
    }
}

struct Open {
    master: Box<dyn MasterPty + Send>,
    stop: UnixStream,
    reader: JoinHandle<()>,
}

/// A program on its terminal.
pub struct Pty {
    open: Option<Open>,
    seen: Arc<Shared>,
    pid: i32,
    found: Modes,
    home: TempDir,
}

impl Pty {
    /// Waits until the screen shows what is wanted.
    pub fn until(&self, what: &str, mut wanted: impl FnMut(&Screen) -> bool) {
        self.until_seen(what, |seen| wanted(seen.parser.screen()));
    }

    /// Waits until the screen shows a text.
    pub fn until_text(&self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    fn until_seen(&self, what: &str, mut wanted: impl FnMut(&Seen) -> bool) {
        let deadline = Instant::now() + LIMIT;
        let mut seen = self.seen.lock();
        while !wanted(&seen) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let contents = seen.parser.screen().contents();
                let end = seen.raw[seen.raw.len().saturating_sub(400)..].escape_ascii().to_string();
                let ended = seen.ended.clone();
                drop(seen);
                panic!("never: {what}\nended: {ended:?}\nlast bytes: {end}\n{contents}");
            }
            seen = self.seen.changed.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// Waits until what was written is what is wanted.
    pub fn until_raw(&self, what: &str, mut wanted: impl FnMut(&[u8]) -> bool) {
        self.until_seen(what, |seen| wanted(&seen.raw));
    }

    /// Lets no output through, as a line that is stuck does, or lets it through again.
    pub fn stall(&self, stuck: bool) {
        let action = if stuck { libc::TCOOFF } else { libc::TCOON };
        // SAFETY: no memory is involved.
        assert_eq!(unsafe { libc::tcflow(self.program_side().as_raw_fd(), action) }, 0);
    }

    /// Waits until the terminal's modes are those from before anything was started.
    pub fn until_modes_found(&self) {
        poll("the modes as they were found", || self.modes() == self.found);
    }

    fn program_side(&self) -> File {
        let master = &self.open.as_ref().unwrap().master;
        File::options().read(true).write(true).open(master.tty_name().unwrap()).unwrap()
    }

    /// Waits until the program has read everything that was typed.
    pub fn until_read(&self) {
        let tty = self.program_side();
        poll("everything typed is read", || {
            let mut unread: libc::c_int = 0;
            // SAFETY: FIONREAD fills the number it is given.
            unsafe { libc::ioctl(tty.as_raw_fd(), libc::FIONREAD, &mut unread) };
            unread == 0
        });
    }

    /// Waits until a process is in a state, as ps(1) shows it.
    pub fn until_state(&self, pid: i32, state: char) {
        poll(&format!("{pid} in state {state}"), || {
            let asked = ["-o", "state=", "-p", &pid.to_string()];
            let said = Command::new("ps").args(asked).output().unwrap().stdout;
            String::from_utf8_lossy(&said).trim().starts_with(state)
        });
    }

    /// How many bytes are written in the time that passes now.
    pub fn written_within(&self, window: Duration) -> usize {
        let seen = self.seen.lock();
        let before = seen.raw.len();
        let over = |seen: &mut Seen| seen.ended.is_none();
        let seen = self.seen.changed.wait_timeout_while(seen, window, over).unwrap().0;
        assert!(seen.ended.is_none(), "it goes on");
        seen.raw.len() - before
    }

    /// Looks at the screen as it is.
    pub fn screen<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        look(self.seen.lock().parser.screen())
    }

    /// The rows of the screen, without blanks at their ends.
    pub fn rows(&self) -> Vec<String> {
        self.screen(rows)
    }

    /// Everything written so far.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.lock().raw.clone()
    }

    /// What the terminal was asked for beside text, colours and the cursor's way, in order.
    pub fn strange(&self) -> Vec<String> {
        self.seen.lock().parser.callbacks().0.clone()
    }

    /// Types bytes, in one write.
    pub fn send(&self, keys: &str) {
        let mut tty = duplicate(&*self.open.as_ref().expect("the terminal is open").master);
        tty.write_all(keys.as_bytes()).unwrap();
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        // The emulator first: what is drawn for the new size must find it.
        let [height, width] = [rows, columns].map(|n| NonZeroU16::new(n).unwrap());
        self.seen.change(|seen| seen.parser.set_size(height, width));
        self.open.as_ref().unwrap().master.resize(pty_size((columns, rows))).unwrap();
    }

    /// The modes now.
    pub fn modes(&self) -> Modes {
        termios(self.open.as_ref().unwrap().master.as_raw_fd().unwrap())
    }

    /// The modes before anything was started.
    pub fn modes_found(&self) -> &Modes {
        &self.found
    }

    /// The home folder of the program.
    pub fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// The number of the program that [`Start::in_use`] runs.
    pub fn pid_shown(&self) -> i32 {
        let raw = String::from_utf8_lossy(&self.raw()).into_owned();
        number_after(&raw, "pid ").expect("it is shown before the program starts")
    }

    /// The exit code of the program that [`Start::in_use`] ran.
    pub fn code_shown(&self) -> i32 {
        self.until("ended", |screen| number_after(&screen.contents(), "ended ").is_some());
        self.screen(|screen| number_after(&screen.contents(), "ended ").unwrap())
    }

    /// Waits until the program that was started has ended.
    pub fn end(&self) -> ExitStatus {
        self.until_seen("the end of the program", |seen| seen.ended.is_some());
        self.seen.lock().ended.clone().unwrap()
    }

    /// Closes this side, as a terminal's window or an SSH connection does, and waits until the program has ended: how
    /// long it took.
    pub fn hang_up(&mut self) -> Duration {
        let started = Instant::now();
        self.close();
        self.until_seen("the end after the terminal is gone", |seen| seen.ended.is_some());
        started.elapsed()
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            drop(open.stop);
            open.reader.join().unwrap();
            drop(open.master);
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // The kernel tells the session that its terminal is gone; what does not listen is ended.
        self.close();
        let seen = self.seen.lock();
        let ended = |seen: &mut Seen| seen.ended.is_none();
        let patience = Duration::from_secs(5);
        let waited = self.seen.changed.wait_timeout_while(seen, patience, ended).unwrap();
        if waited.0.ended.is_none() {
            signal_to(self.pid, libc::SIGKILL);
        }
    }
}

/// Asks again and again; for what nobody tells.
fn poll(what: &str, mut ready: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !ready() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::yield_now();
    }
}

/// The rows of a screen, without blanks at their ends.
pub fn rows(screen: &Screen) -> Vec<String> {
    screen.rows(0, screen.size().1.get()).map(|row| row.trim_end().to_owned()).collect()
}

/// Sends a signal to a process that a test started.
pub fn signal_to(pid: i32, signal: i32) {
    // SAFETY: no memory is involved.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0, "{}", std::io::Error::last_os_error());
}

/// The number between `before` and a full stop.
fn number_after(text: &str, before: &str) -> Option<i32> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once('.')?.0.parse().ok()
}
