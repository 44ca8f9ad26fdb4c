//! The way between a cockpit and its API server, in plain HTTP, with everything that can go wrong on it.
//!
//! `kubectl proxy` does TLS towards the server; this stands before it, so that single requests can be answered wrongly
//! and single frames can be forged.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How long a stream must be quiet before a forged frame is put into it: between two chunks of the server's.
const QUIET: Duration = Duration::from_millis(400);

/// What the wire does.
#[derive(Default)]
pub struct Faults {
    /// How much later each byte arrives.
    pub delay: Duration,
    /// Bytes per second towards the cockpit.
    pub rate: Option<usize>,
    /// Nothing is passed on, in either direction, while everything stays connected.
    pub silent: bool,
    /// Answers cut after so many bytes, one for each connection that gets there.
    pub cut_after: VecDeque<usize>,
    /// Answers in place of the server's, for requests whose line holds the text.
    pub answers: VecDeque<(&'static str, Vec<u8>)>,
    /// Bytes put into each open watch, then the connection ends or goes on.
    pub forged: Option<(Vec<u8>, bool)>,
    /// Counts forgeries, so that each stream takes each once.
    forgery: u64,
    /// Counts cuts: connections older than the last one end.
    cuts: u64,
    /// When each request came, and its first line.
    pub asked: Vec<(Instant, String)>,
}

/// The wire.
pub struct Wire {
    address: SocketAddr,
    faults: Arc<Mutex<Faults>>,
}

impl Wire {
    /// A port of the loopback address that leads to another port of it.
    pub fn to(port: u16) -> Wire {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        let faults = Arc::new(Mutex::new(Faults::default()));
        let shared = faults.clone();
        std::thread::spawn(move || {
            for here in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || connect(here, port, &shared));
            }
        });
        Wire { address, faults }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The faults, to be set or read.
    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    /// Ends all connections of now.
    pub fn cut(&self) {
        self.faults().cuts += 1;
    }

    /// Puts bytes into every watch that is open, as a chunk of its own; whether the stream ends with it.
    pub fn forge(&self, frame: &[u8], ends: bool) {
        let mut faults = self.faults();
        let chunk = [format!("{:x}\r\n", frame.len()).as_bytes(), frame, b"\r\n"].concat();
        faults.forged = Some((chunk, ends));
        faults.forgery += 1;
    }
}

fn lock(faults: &Mutex<Faults>) -> MutexGuard<'_, Faults> {
    faults.lock().expect("nobody panics while holding it")
}

fn connect(here: TcpStream, port: u16, faults: &Arc<Mutex<Faults>>) {
    let Ok(there) = TcpStream::connect(("127.0.0.1", port)) else { return };
    let pieces = (here.try_clone(), there.try_clone());
    let (Ok(here_too), Ok(there_too)) = pieces else { return };
    let watches = Arc::new(Mutex::new(false));
    let (born, noted) = (lock(faults).cuts, watches.clone());
    let shared = faults.clone();
    let asking = std::thread::spawn(move || {
        let _ = ask(&here, &there, &shared, &noted);
        let _ = (here.shutdown(Shutdown::Both), there.shutdown(Shutdown::Both));
    });
    let _ = answer(&there_too, &here_too, faults, born, &watches);
    let _ = (here_too.shutdown(Shutdown::Both), there_too.shutdown(Shutdown::Both));
    let _ = asking.join();
}

/// Passes requests on, or answers them here.
fn ask(
    mut here: &TcpStream,
    mut there: &TcpStream,
    faults: &Mutex<Faults>,
    watches: &Mutex<bool>,
) -> std::io::Result<()> {
    let mut bytes = [0; 16_384];
    loop {
        let n = here.read(&mut bytes)?;
        if n == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes[..n]);
        let line = text.lines().next().unwrap_or_default().to_owned();
        // A head comes in one piece on loopback; bodies are passed on as they come.
        let is_head = line.ends_with("HTTP/1.1");
        while lock(faults).silent {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        if is_head {
            *watches.lock().expect("nobody panics while holding it") = line.contains("watch=1");
            let mut faults = lock(faults);
            faults.asked.push((Instant::now(), line.clone()));
            if let Some(at) = faults.answers.iter().position(|(text, _)| line.contains(text)) {
                let (_, answer) = faults.answers.remove(at).expect("it was found");
                drop(faults);
                return here.write_all(&answer);
            }
        }
        let delay = lock(faults).delay;
        std::thread::park_timeout(delay);
        there.write_all(&bytes[..n])?;
    }
}

/// Passes answers on, as far as the faults let them.
fn answer(
    mut there: &TcpStream,
    mut here: &TcpStream,
    faults: &Mutex<Faults>,
    born: u64,
    watches: &Mutex<bool>,
) -> std::io::Result<()> {
    there.set_read_timeout(Some(Duration::from_millis(50)))?;
    let mut bytes = vec![0; 65_536];
    let (mut passed, mut last) = (0, Instant::now());
    let mut forged = lock(faults).forgery;
    loop {
        let read = there.read(&mut bytes);
        let (delay, rate, silent, cut) = {
            let mut f = lock(faults);
            let reached = f.cut_after.front().is_some_and(|&after| passed > after);
            if reached {
                f.cut_after.pop_front();
            }
            (f.delay, f.rate, f.silent, f.cuts > born || reached)
        };
        if cut {
            return Ok(());
        }
        while silent && lock(faults).silent && lock(faults).cuts == born {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        match read {
            Ok(0) => return Ok(()),
            Ok(n) => {
                std::thread::park_timeout(delay);
                for piece in bytes[..n].chunks(rate.map_or(n, |rate| (rate / 20).max(1))) {
                    here.write_all(piece)?;
                    if rate.is_some() {
                        std::thread::park_timeout(Duration::from_millis(50));
                    }
                }
                (passed, last) = (passed + n, Instant::now());
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let is_watch = *watches.lock().expect("nobody panics while holding it");
                let f = lock(faults);
                if is_watch && f.forgery > forged && last.elapsed() > QUIET {
                    forged = f.forgery;
                    let (chunk, ends) = f.forged.clone().unwrap_or_default();
                    drop(f);
                    here.write_all(&chunk)?;
                    if ends {
                        return Ok(());
                    }
                }
            }
            Err(e) => return Err(e),
        }
    }
}
