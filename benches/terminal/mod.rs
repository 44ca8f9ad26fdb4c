//! A program in a terminal of 200x50, timed: when its first byte came, what it cost, what it holds.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use vt100::Parser;

/// A hang ends the bench.
const LIMIT: Duration = Duration::from_secs(180);

/// The program at work.
pub struct Cockpit {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<(Instant, Vec<u8>)>,
    screen: Parser,
    started: Instant,
    pid: u32,
    _terminal: Box<dyn MasterPty + Send>,
}

impl Cockpit {
    pub fn start(program: &str, args: &[&str], kubeconfig: &Path) -> Cockpit {
        let size = PtySize { rows: 50, cols: 200, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.cwd("/");
        for (name, value) in [("TERM", "xterm"), ("LANG", "C.UTF-8"), ("HOME", "/")] {
            command.env(name, value);
        }
        command.env("KUBECONFIG", kubeconfig);
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("the product runs");
        let pid = child.process_id().expect("a running child has a number");
        let mut reader = pair.master.try_clone_reader().expect("a terminal can be read");
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 65_536];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                if send.send((Instant::now(), bytes[..n].to_vec())).is_err() {
                    return;
                }
            }
        });
        let keyboard = pair.master.take_writer().expect("a terminal can be typed on");
        let cells = |n| NonZeroU16::new(n).expect("not zero");
        let screen = Parser::new(cells(50), cells(200), 0);
        Cockpit { child, keyboard, output, screen, started, pid, _terminal: pair.master }
    }

    /// Waits until the screen shows a text; how long after the start that was.
    pub fn until(&mut self, text: &str) -> Duration {
        let deadline = Instant::now() + LIMIT;
        let mut at = Instant::now();
        while !self.screen.screen().contents().contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok((when, bytes)) => {
                    self.screen.process(&bytes);
                    at = when;
                }
                Err(_) => panic!("never saw {text:?}:\n{}", self.screen.screen().contents()),
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

    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
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
