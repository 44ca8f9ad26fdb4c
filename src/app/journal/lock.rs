//! Who has a run's file open: flock, which the kernel releases however a process ends.
//!
//! To ask whether a file is locked is to lock it for a moment. A gate, one lock for the folder, is held meanwhile, so that
//! nobody takes the one who asks for the one who writes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Not a run's name: those end in `.jsonl`.
const GATE: &str = ".gate";

/// Whose a lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Nobody else's.
    Free,
    /// Another process's, or another run's of this one.
    Elsewhere,
}

/// The folder's gate, passed by one at a time.
pub(super) struct Gate(Option<File>);

impl Gate {
    /// Passes the gate, waiting for who is in it; it is never held for longer than a few system calls.
    ///
    /// # Errors
    /// It cannot be made or locked.
    pub(super) fn make(folder: &Path) -> io::Result<Gate> {
        let mut how = OpenOptions::new();
        let file = how.append(true).create(true).mode(0o600).open(folder.join(GATE))?;
        file.lock()?;
        Ok(Gate(Some(file)))
    }

    /// Passes the gate if there is one that can be passed: a folder that cannot be written can still be read.
    pub(super) fn find(folder: &Path) -> Gate {
        let own = Gate::make(folder).ok();
        let other = || {
            let file = File::open(folder.join(GATE)).ok()?;
            file.lock().ok().map(|()| Gate(Some(file)))
        };
        own.or_else(other).unwrap_or(Gate(None))
    }

    /// Locks a new file, which nobody else can have locked.
    pub(super) fn take(&self, file: &File) -> io::Result<()> {
        match self.seize(file)? {
            Held::Free => Ok(()),
            Held::Elsewhere => Err(io::ErrorKind::ResourceBusy.into()),
        }
    }

    /// Locks a file unless somebody has.
    pub(super) fn seize(&self, file: &File) -> io::Result<Held> {
        match file.try_lock() {
            Ok(()) => Ok(Held::Free),
            Err(TryLockError::WouldBlock) => Ok(Held::Elsewhere),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }

    /// Whether somebody has locked a file. It stays as it is.
    pub(super) fn held(&self, file: &File) -> io::Result<Held> {
        match file.try_lock_shared() {
            Ok(()) => file.unlock().map(|()| Held::Free),
            Err(TryLockError::WouldBlock) => Ok(Held::Elsewhere),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }
}

impl Drop for Gate {
    /// Opened by hand, as a child between fork and exec holds the same open file for a moment.
    fn drop(&mut self) {
        if let Some(file) = self.0.take() {
            // A gate that does not open goes with the process.
            let _ = file.unlock();
        }
    }
}
