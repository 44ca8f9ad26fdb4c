//! A run that is being recorded: its file, its lock, and what happens when the disk does not take a line.
//!
//! Invariant: after a line that may not be on disk as a whole, nothing more is written to the file.

use super::trouble::{Trouble, again};
use crate::state::journal::{How, Intent, Line, Outcome, Record};
use serde_json::Value;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What lines are written on; a test brings its own.
pub(super) trait Paper: Write + Send {
    /// Returns when all that was written would survive a loss of power.
    fn settle(&mut self) -> io::Result<()>;
}

impl Paper for Arc<File> {
    fn settle(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// What is written on it is gone.
struct Nothing;

impl Write for Nothing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper for Nothing {
    fn settle(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A run being recorded. Its file is locked as long as this lives.
pub struct Run {
    id: String,
    path: PathBuf,
    paper: Box<dyn Paper>,
    lock: Option<Arc<File>>,
    clock: fn() -> f64,
    /// The first failure. The file may end in half a line, so nothing may follow it.
    broken: Option<io::Error>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("id", &self.id).field("broken", &self.broken).finish()
    }
}

impl Run {
    /// Records on a locked file that is open for appending.
    pub(super) fn on(id: String, path: PathBuf, file: Arc<File>, clock: fn() -> f64) -> Run {
        let lock = Some(file.clone());
        Run { id, path, paper: Box::new(file), lock, clock, broken: None }
    }

    /// Records nothing, as was asked for.
    pub(super) fn nowhere(id: String, path: PathBuf) -> Run {
        Run { id, path, paper: Box::new(Nothing), lock: None, clock: || 0.0, broken: None }
    }

    /// The run's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The run's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records what is about to be sent. It is on disk when this returns; only then may it be sent.
    ///
    /// # Errors
    /// [`Trouble::NotRecorded`]: the request must not be sent, nor any after it.
    pub fn intent(&mut self, intent: Intent) -> Result<(), Trouble> {
        self.record(Record::Intent(Box::new(intent)), true)
    }

    /// Records what became of a request. The next intent or the end takes it to the disk: if it is lost, its result reads
    /// as unknown, which is checked before anything else is done.
    ///
    /// # Errors
    /// [`Trouble::NotRecorded`]: nothing more may be sent.
    pub fn outcome(&mut self, outcome: Outcome) -> Result<(), Trouble> {
        self.record(Record::Outcome(outcome), false)
    }

    /// Records something that was seen or decided, and what an engine needs to go on from there. On disk when this
    /// returns.
    ///
    /// # Errors
    /// [`Trouble::NotRecorded`]: nothing more may be sent.
    pub fn note(&mut self, words: impl Into<String>, data: Value) -> Result<(), Trouble> {
        self.record(Record::Noted { words: words.into(), data }, true)
    }

    /// Records the end. On disk when this returns; the lock is released when the run is dropped.
    ///
    /// # Errors
    /// [`Trouble::NotRecorded`]: the run will be listed as interrupted.
    pub fn end(&mut self, how: How, words: impl Into<String>) -> Result<(), Trouble> {
        self.record(Record::Ended { how, words: words.into() }, true)
    }

    pub(super) fn record(&mut self, record: Record, settle: bool) -> Result<(), Trouble> {
        if self.broken.is_none() {
            let line = Line { at: (self.clock)(), record };
            self.broken = self.write(&line, settle).err();
        }
        let Some(why) = &self.broken else { return Ok(()) };
        Err(Trouble::NotRecorded { run: self.id.clone(), path: self.path.clone(), why: again(why) })
    }

    fn write(&mut self, line: &Line, settle: bool) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.paper.write_all(&text)?;
        if settle { self.paper.settle() } else { Ok(()) }
    }
}

impl Drop for Run {
    /// Closing is not enough: a child between fork and exec holds the same open file for a moment.
    fn drop(&mut self) {
        if let Some(file) = self.lock.take() {
            // Nothing can be done about a lock that does not open; it goes with the process.
            let _ = file.unlock();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A disk with so many bytes left. What fits of a write stays, as on a real one.
    struct Disk {
        left: usize,
        text: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let fits = bytes.len().min(self.left);
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.left -= fits;
            self.text.lock().unwrap().extend(&bytes[..fits]);
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper for Disk {
        fn settle(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A disk that takes everything and then says that it did not get there.
    struct Liar;

    impl Write for Liar {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper for Liar {
        fn settle(&mut self) -> io::Result<()> {
            Err(io::Error::from_raw_os_error(libc::EIO))
        }
    }

    fn run_on(paper: Box<dyn Paper>) -> Run {
        let (id, path) = ("r".to_owned(), PathBuf::from("/j/r.jsonl"));
        Run { id, path, paper, lock: None, clock: || 1.5, broken: None }
    }

    #[test]
    fn a_full_disk_stops_the_run_wherever_it_fills_up() {
        let line = |n| format!("{{\"at\":1.5,\"record\":\"noted\",\"words\":\"{n}\"}}\n");
        let size = line(0).len();
        for left in 0..3 * size {
            let text = Arc::default();
            let mut run = run_on(Box::new(Disk { left, text: Arc::clone(&text) }));
            let told: Vec<bool> =
                (0..3).map(|n| run.note(n.to_string(), Value::Null).is_ok()).collect();
            let whole = left / size;
            assert_eq!(told, [whole > 0, whole > 1, whole > 2], "{left} bytes");
            let all: String = (0..3).map(line).collect();
            assert_eq!(*text.lock().unwrap(), all.as_bytes()[..left], "{left} bytes");
        }
    }

    #[test]
    fn a_failure_is_told_again_each_time_and_says_what_to_do() {
        let text = Arc::default();
        let mut run = run_on(Box::new(Disk { left: 10, text: Arc::clone(&text) }));
        for _ in 0..2 {
            let words = run.end(How::Done, "").unwrap_err().to_string();
            assert!(words.contains("/j/r.jsonl") && words.contains("Free some space"), "{words}");
        }
        assert_eq!(text.lock().unwrap().len(), 10);
    }

    #[test]
    fn what_the_disk_does_not_confirm_is_not_recorded() {
        let mut run = run_on(Box::new(Liar));
        assert!(matches!(run.note("", Value::Null), Err(Trouble::NotRecorded { why, .. })
            if why.raw_os_error() == Some(libc::EIO)));
    }
}
