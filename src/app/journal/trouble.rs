//! What keeps a journal from being written or read, in words for the operator: what happened, what was not done, what to do.

use std::io;
use std::path::PathBuf;

/// Why a run was not begun, recorded, resumed or read.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The environment names no folder.
    #[error(
        "neither XDG_STATE_HOME nor HOME names a folder for the journal. Nothing was sent: without a journal nothing is \
         changed. Set one of them to an absolute path, or say --no-journal to change things that nothing remembers"
    )]
    NoHome,
    /// The folder cannot be made or written to, or a run's file in it cannot be made or locked.
    #[error("{}: {why}. No run was begun and nothing was sent. {}; --no-journal changes things that nothing \
             remembers", path.display(), advice(why))]
    NotBegun {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// A record did not get to the disk, now or earlier in this run.
    #[error(
        "{}: {why}. What was about to be recorded is not on disk; no request follows it and this run sends no more. What it \
         did before is in the journal: wheelhouse journal show {run}. {}", path.display(), advice(why)
    )]
    NotRecorded {
        /// The run.
        run: String,
        /// Its file.
        path: PathBuf,
        /// What the system said at the first failure.
        why: io::Error,
    },
    /// The folder or a file cannot be read.
    #[error("{}: {why}. It was not read, and nothing was changed", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// Another process has the run open.
    #[error(
        "run {run} belongs to process {pid} on {host}, which is still at it. Nothing was done. Wait for it, or end that \
         process and try again"
    )]
    Locked {
        /// The run.
        run: String,
        /// The process.
        pid: u32,
        /// Its host.
        host: String,
    },
    /// Written by a later version.
    #[error(
        "run {run} is written in format {version}, this program reads up to {}. It was not read. Use the version that \
         wrote it",
        crate::state::journal::VERSION
    )]
    Newer {
        /// The run.
        run: String,
        /// Its version.
        version: u64,
    },
    /// Lines that are whole cannot be understood, so what was done is not known.
    #[error(
        "run {run}, line {line}: {why}. It was not resumed, as that line may tell of a request. Read wheelhouse journal show \
         {run} and check its objects by hand"
    )]
    Damaged {
        /// The run.
        run: String,
        /// The first such line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// There is no header, so nothing was sent.
    #[error("run {run} ended before its header was written. It sent nothing; begin it anew")]
    Empty {
        /// The run.
        run: String,
    },
    /// No run is called that.
    #[error("there is no run {word}. wheelhouse journal lists them")]
    NoSuchRun {
        /// What was asked for.
        word: String,
    },
    /// Several runs are called that.
    #[error("{word} could be any of {}. Give more of it", runs.join(", "))]
    Ambiguous {
        /// What was asked for.
        word: String,
        /// Runs it could be.
        runs: Vec<String>,
    },
}

/// What to do about a folder or disk that takes no writes.
fn advice(why: &io::Error) -> &'static str {
    use io::ErrorKind as Kind;
    match why.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => "Free some space and try again",
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::NotADirectory => {
            "Make the folder writable, or set XDG_STATE_HOME to one that is"
        }
        Kind::Unsupported => "This file system has no locks: set XDG_STATE_HOME to a local one",
        _ => "Mend that, or set XDG_STATE_HOME to another folder",
    }
}

/// The same error again, to be told a second time.
pub(super) fn again(why: &io::Error) -> io::Error {
    match why.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(why.kind(), why.to_string()),
    }
}
