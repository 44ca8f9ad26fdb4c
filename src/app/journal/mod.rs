//! The journal on disk: one file of JSON lines per run, in `$XDG_STATE_HOME/wheelhouse/journal`.
//!
//! A run's file is locked (flock) as long as its process lives, so a run without an end and without a lock was
//! interrupted. All of this blocks: callers run it off the UI thread.

mod backup;
pub mod feed;
mod lock;
mod name;
mod prune;
mod run;
mod summary;
mod trouble;

pub use name::who;
pub use run::Run;
pub use summary::{Listing, Summary};
pub use trouble::Trouble;

use crate::app::terminal::clipboard::state_folder;
use crate::state::journal::{Began, Record, Story, VERSION};
use lock::{Gate, Held};
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder of runs.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: PathBuf,
    /// Runs that begin here are recorded nowhere: that was asked for.
    off: bool,
}

/// How the name of a run begins that is recorded nowhere.
const UNRECORDED: &str = "unrecorded-";

/// Whether a run of this name is in a journal.
pub fn is_recorded(run: &str) -> bool {
    !run.is_empty() && !run.starts_with(UNRECORDED)
}

impl Journal {
    /// The journal in a folder. It need not exist.
    pub fn at(folder: PathBuf) -> Journal {
        Journal { folder, off: false }
    }

    /// No journal: runs begin and are recorded nowhere. For operators who say so in so many words (`--no-journal`).
    pub fn off() -> Journal {
        // What is backed up before it is changed is kept all the same.
        let folder = Journal::home().map(|home| home.folder);
        let folder =
            folder.unwrap_or_else(|_| std::env::temp_dir().join("wheelhouse").join("journal"));
        Journal { folder, off: true }
    }

    /// The operator's journal, by the base directory specification.
    ///
    /// # Errors
    /// [`Trouble::NoHome`].
    pub fn home() -> Result<Journal, Trouble> {
        Journal::from_env(&|name| std::env::var(name).ok())
    }

    fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Result<Journal, Trouble> {
        Ok(Journal::at(state_folder(env).ok_or(Trouble::NoHome)?.join("journal")))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins a run. `version`, `run` and `pid` are set here, `host` and `login` if they are empty. The header and the
    /// file's name are on disk when this returns.
    ///
    /// # Errors
    /// [`Trouble::NotBegun`]: nothing may be sent.
    pub fn begin(&self, began: Began) -> Result<Run, Trouble> {
        if self.off {
            let id = format!("{UNRECORDED}{}", name::fresh(name::now()));
            return Ok(Run::nowhere(id.clone(), self.path(&id)));
        }
        let fault = |path: &Path| {
            let path = path.to_owned();
            move |why| Trouble::NotBegun { path, why }
        };
        self.make_folder().map_err(fault(&self.folder))?;
        let (id, path, file) = self.create().map_err(fault(&self.folder))?;
        let mut run = Run::on(id.clone(), path.clone(), file, name::now);
        let began = introduce(began, id);
        run.record(Record::Began(Box::new(began)), true).map_err(|trouble| match trouble {
            Trouble::NotRecorded { path, why, .. } => Trouble::NotBegun { path, why },
            other => other,
        })?;
        // The file's name is as much a part of the record as its text.
        sync_folder(&self.folder).map_err(fault(&self.folder))?;
        // Never a reason not to begin: what could not be removed now is looked at again next time.
        let _ = self.prune(name::now());
        Ok(run)
    }

    /// Whether a run could begin, as far as can be told without beginning one: the folder, or the nearest one above it
    /// that exists, can be written to.
    ///
    /// # Errors
    /// [`Trouble::NotBegun`].
    pub fn check(&self) -> Result<(), Trouble> {
        let there = self.folder.ancestors().find(|p| p.symlink_metadata().is_ok());
        let there = there.unwrap_or(Path::new("/"));
        let fault = |why| Trouble::NotBegun { path: there.to_owned(), why };
        if !std::fs::metadata(there).map_err(fault)?.is_dir() {
            return Err(fault(io::Error::from(io::ErrorKind::NotADirectory)));
        }
        let path = std::ffi::CString::new(there.as_os_str().as_encoded_bytes());
        let path = path.map_err(|e| fault(e.into()))?;
        // SAFETY: the path ends in a zero and lives as long as the call.
        match unsafe { libc::access(path.as_ptr(), libc::W_OK | libc::X_OK) } {
            0 => Ok(()),
            _ => Err(fault(io::Error::last_os_error())),
        }
    }

    fn make_folder(&self) -> io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        self.folder.ancestors().skip(1).take(2).filter(|p| p.is_dir()).try_for_each(sync_folder)
    }

    /// A new file under a name that no other run has, locked before anybody can look at it.
    fn create(&self) -> io::Result<(String, PathBuf, Arc<File>)> {
        let gate = Gate::make(&self.folder)?;
        let mut tries = 0;
        loop {
            let id = name::fresh(name::now());
            let path = self.path(&id);
            match OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    gate.take(&file)?;
                    return Ok((id, path, Arc::new(file)));
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && tries < 16 => tries += 1,
                Err(e) => return Err(e),
            }
        }
    }

    /// All runs, newest first. What cannot be read is listed with the reason.
    ///
    /// # Errors
    /// The folder cannot be read. One that does not exist holds no runs.
    pub fn runs(&self) -> Result<Vec<Summary>, Trouble> {
        Listing::default().read(self)
    }

    /// Names of the newest runs, newest first.
    ///
    /// # Errors
    /// As [`Journal::runs`].
    pub fn recent(&self, most: usize) -> Result<Vec<String>, Trouble> {
        let mut names = self.names()?;
        names.truncate(most);
        Ok(names)
    }

    /// One run as the list shows it; what later runs put back is not known here.
    pub fn summary(&self, run: &str) -> Summary {
        match self.read(run) {
            Ok(story) => Summary::of(&story),
            Err(trouble) => Summary::unread(run, &trouble),
        }
    }

    /// Reads a run, whether or not it is still being written.
    ///
    /// # Errors
    /// [`Trouble::NoSuchRun`], [`Trouble::Unreadable`], [`Trouble::Newer`].
    pub fn read(&self, run: &str) -> Result<Story, Trouble> {
        let path = self.known(run)?;
        let fault = |why| Trouble::Unreadable { path: path.clone(), why };
        let mut file = open(&path, OpenOptions::new().read(true)).map_err(fault)?;
        // Asked before it is read: who ends in between is told as alive, never as interrupted.
        let held = Gate::find(&self.folder).held(&file).map_err(fault)?;
        let mut story = parse(run, &mut file, &path)?;
        story.alive = held == Held::Elsewhere;
        Ok(story)
    }

    /// Takes a run over: locks it, cuts a torn tail off and notes who goes on.
    ///
    /// # Errors
    /// As [`Journal::read`]; [`Trouble::Locked`] if its process lives, [`Trouble::Damaged`] and [`Trouble::Empty`] if what
    /// it did is not known or nothing; [`Trouble::NotRecorded`] if its file cannot be written.
    pub fn resume(&self, run: &str) -> Result<(Story, Run), Trouble> {
        let path = self.known(run)?;
        let unwritten = |why| Trouble::NotRecorded { run: run.to_owned(), path: path.clone(), why };
        let opened = open(&path, OpenOptions::new().read(true).append(true));
        let file = Arc::new(opened.map_err(unwritten)?);
        let gate = Gate::find(&self.folder);
        if gate.seize(&file).map_err(unwritten)? == Held::Elsewhere {
            let (pid, host) = parse(run, &mut &*file, &path)?.owner();
            return Err(Trouble::Locked { run: run.to_owned(), pid, host });
        }
        drop(gate);
        let mut taken = Run::on(run.to_owned(), path.clone(), file.clone(), name::now);
        let story = parse(run, &mut &*file, &path)?;
        resumable(&story)?;
        if story.torn {
            file.set_len(story.whole).and_then(|()| file.sync_all()).map_err(unwritten)?;
        }
        let by = json!({ "resumed": { "pid": std::process::id(), "host": name::host() } });
        taken.note(format!("resumed by {}", name::login()), by)?;
        Ok((story, taken))
    }

    /// The run that a word means: its name, an unambiguous beginning of it, or `last`.
    ///
    /// # Errors
    /// [`Trouble::NoSuchRun`], [`Trouble::Ambiguous`], or the folder cannot be read.
    pub fn find(&self, word: &str) -> Result<String, Trouble> {
        let names = self.names()?;
        let mut fits: Vec<String> = match word {
            "last" => names.into_iter().take(1).collect(),
            exact if names.iter().any(|name| name == exact) => vec![exact.to_owned()],
            "" => vec![],
            prefix => names.into_iter().filter(|name| name.starts_with(prefix)).collect(),
        };
        match fits.len() {
            0 => Err(Trouble::NoSuchRun { word: word.to_owned() }),
            1 => Ok(fits.remove(0)),
            _ => Err(Trouble::Ambiguous { word: word.to_owned(), runs: fits }),
        }
    }

    /// Names of all runs, newest first: they begin with the time.
    fn names(&self) -> Result<Vec<String>, Trouble> {
        let fault = |why| Trouble::Unreadable { path: self.folder.clone(), why };
        let entries = match std::fs::read_dir(&self.folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            entries => entries.map_err(fault)?,
        };
        let mut names = vec![];
        for entry in entries {
            let name = entry.map_err(fault)?.file_name();
            if let Some(run) = name.to_string_lossy().strip_suffix(name::SUFFIX) {
                names.push(run.to_owned());
            }
        }
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names)
    }

    fn path(&self, run: &str) -> PathBuf {
        self.folder.join(format!("{run}{}", name::SUFFIX))
    }

    /// The path of a run that exists; a name is never a way out of the folder.
    fn known(&self, run: &str) -> Result<PathBuf, Trouble> {
        let path = self.path(run);
        let plain = !run.is_empty() && !run.contains('/');
        if plain && path.symlink_metadata().is_ok() {
            return Ok(path);
        }
        Err(Trouble::NoSuchRun { word: run.to_owned() })
    }
}

/// Who runs this, where the caller did not say.
fn introduce(began: Began, run: String) -> Began {
    let or = |given: String, own: fn() -> String| if given.is_empty() { own() } else { given };
    Began {
        version: VERSION,
        run,
        pid: std::process::id(),
        host: or(began.host, name::host),
        login: or(began.login, name::login),
        ..began
    }
}

/// Opens a regular file. Anything else (a pipe put there by mistake) could keep the reader waiting for ever.
fn open(path: &Path, how: &OpenOptions) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a regular file"));
    }
    how.open(path)
}

fn parse(run: &str, file: &mut dyn Read, path: &Path) -> Result<Story, Trouble> {
    let mut bytes = vec![];
    let read = file.read_to_end(&mut bytes);
    read.map_err(|why| Trouble::Unreadable { path: path.to_owned(), why })?;
    Story::parse(run, &bytes)
        .map_err(|newer| Trouble::Newer { run: run.to_owned(), version: newer.version })
}

fn resumable(story: &Story) -> Result<(), Trouble> {
    let run = story.began.run.clone();
    match story.damaged.first() {
        Some(damage) => Err(Trouble::Damaged { run, line: damage.line, why: damage.why.clone() }),
        None if !story.strange.is_empty() => Err(Trouble::Damaged {
            run,
            line: story.strange[0],
            why: "a record of a kind that only a later version knows".into(),
        }),
        None if story.has_header() => Ok(()),
        None => Err(Trouble::Empty { run }),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
