//! A program in a terminal of 200x50, timed: when its first byte came, what it cost, what it holds; behind a slow link
//! if asked for.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use vt100::Parser;

/// A hang ends the bench.
const LIMIT: Duration = Duration::from_secs(180);

/// The way between the program and the eye.
#[derive(Clone, Copy)]
pub struct Link {
    /// Bytes per second towards the eye.
    pub rate: usize,
    /// One way.
    pub delay: Duration,
}

/// The program at work.
pub struct Cockpit {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Sender<(Instant, Vec<u8>)>,
    delay: Duration,
    output: Receiver<(Instant, Vec<u8>)>,
    screen: Parser,
    started: Instant,
    pid: u32,
    _terminal: Box<dyn MasterPty + Send>,
}

impl Cockpit {
    pub fn start(program: &str, args: &[&str], kubeconfig: &Path) -> Cockpit {
        Cockpit::start_behind(None, program, args, kubeconfig)
    }

    pub fn start_behind(
        link: Option<Link>,
        program: &str,
        args: &[&str],
        kubeconfig: &Path,
    ) -> Cockpit {
        let size = PtySize { rows: 50, cols: 200, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.cwd("/");
        for (name, value) in [("TERM", "xterm"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        // What it writes, such as the journal of a drain, goes with the control plane.
        command.env("HOME", kubeconfig.parent().expect("a file is in a folder"));
        command.env("KUBECONFIG", kubeconfig);
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("the product runs");
        let pid = child.process_id().expect("a running child has a number");
        let reader = pair.master.try_clone_reader().expect("a terminal can be read");
        let writer = pair.master.take_writer().expect("a terminal can be typed on");
        let (send, output) = channel();
        std::thread::spawn(move || carry(reader, link, &send));
        let (keyboard, typed) = channel();
        std::thread::spawn(move || type_on(writer, &typed));
        let delay = link.map_or(Duration::ZERO, |link| link.delay);
        let cells = |n| NonZeroU16::new(n).expect("not zero");
        let screen = Parser::new(cells(50), cells(200), 0);
        let _terminal = pair.master;
        Cockpit { child, keyboard, delay, output, screen, started, pid, _terminal }
    }

    /// Waits until the screen shows a text; how long after the start that was.
    pub fn until(&mut self, text: &str) -> Duration {
        self.until_seen(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is as wanted; how long after the start that was.
    pub fn until_seen(&mut self, what: &str, seen: impl Fn(&str) -> bool) -> Duration {
        let deadline = Instant::now() + LIMIT;
        let mut at = Instant::now();
        while !seen(&self.screen.screen().contents()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok((when, bytes)) => {
                    wait_for(when);
                    self.screen.process(&bytes);
                    at = when;
                }
                Err(_) => panic!("never saw {what:?}:\n{}", self.screen.screen().contents()),
            }
        }
        at.duration_since(self.started)
    }

    /// Takes in what comes for a while; how many bytes.
    pub fn settle(&mut self, span: Duration) -> usize {
        let deadline = Instant::now() + span;
        let mut total = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok((_, bytes)) => {
                    total += bytes.len();
                    self.screen.process(&bytes);
                }
                Err(RecvTimeoutError::Timeout) => return total,
                Err(RecvTimeoutError::Disconnected) => panic!("the product ended"),
            }
        }
    }

    /// Takes in what comes for a while: how many bytes, and how many of them changed nothing that can be seen.
    pub fn watch(&mut self, span: Duration) -> (usize, usize) {
        let deadline = Instant::now() + span;
        let (mut total, mut in_vain) = (0, 0);
        while let Ok((_, bytes)) =
            self.output.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            let before = self.screen.screen().contents_formatted();
            self.screen.process(&bytes);
            total += bytes.len();
            let same = before == self.screen.screen().contents_formatted();
            in_vain += if same { bytes.len() } else { 0 };
        }
        (total, in_vain)
    }

    pub fn press(&mut self, keys: &str) {
        let arrives = Instant::now() + self.delay;
        self.keyboard.send((arrives, keys.into())).expect("the terminal takes keys");
    }

    /// Time from a key until the screen shows a text, whatever else comes meanwhile.
    pub fn echo(&mut self, key: &str, text: &str) -> Duration {
        let pressed = Instant::now();
        self.press(key);
        let seen = self.until(text);
        (self.started + seen).saturating_duration_since(pressed)
    }

    /// What the screen shows.
    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Time from a key to the first byte that follows it; a key that changes nothing counts as nothing.
    pub fn answer(&mut self, key: &str) -> Duration {
        while self.output.try_recv().map(|(_, bytes)| self.screen.process(&bytes)).is_ok() {}
        let pressed = Instant::now();
        self.press(key);
        match self.output.recv_timeout(Duration::from_millis(500)) {
            Ok((when, bytes)) => {
                self.screen.process(&bytes);
                when.saturating_duration_since(pressed)
            }
            Err(_) => Duration::ZERO,
        }
    }

    /// Bytes that a key brings.
    pub fn press_for_bytes(&mut self, key: &str) -> usize {
        self.settle(Duration::from_millis(300));
        self.press(key);
        self.settle(Duration::from_millis(60))
    }

    /// CPU time so far, of all threads.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks =
            fields.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// Resident memory in megabytes.
    pub fn resident(&self) -> f64 {
        status(self.pid, "VmRSS")
    }
}

/// Passes on what the program writes, no faster than the link and later by its delay.
fn carry(mut reader: Box<dyn Read + Send>, link: Option<Link>, send: &Sender<(Instant, Vec<u8>)>) {
    let mut bytes = [0; 65_536];
    // A slow link is read in pieces, so that the program feels it.
    let piece = if link.is_some() { 1024 } else { bytes.len() };
    let mut free = Instant::now();
    while let Ok(n @ 1..) = reader.read(&mut bytes[..piece]) {
        let mut at = Instant::now();
        if let Some(link) = link {
            free = free.max(at) + Duration::from_secs_f64(n as f64 / link.rate as f64);
            wait_for(free);
            at = free + link.delay;
        }
        if send.send((at, bytes[..n].to_vec())).is_err() {
            return;
        }
    }
}

fn type_on(mut writer: Box<dyn Write + Send>, typed: &Receiver<(Instant, Vec<u8>)>) {
    while let Ok((at, keys)) = typed.recv() {
        wait_for(at);
        if writer.write_all(&keys).is_err() {
            return;
        }
    }
}

fn wait_for(at: Instant) {
    loop {
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}

impl Drop for Cockpit {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line of `/proc/PID/status` in megabytes; 0 for a process that is gone.
pub fn status(pid: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

/// The value that so many percent of the sorted ones do not exceed.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(at).copied().unwrap_or_default()
}
