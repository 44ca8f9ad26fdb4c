//! Runs as the list shows them. A list that is read again reads only the files that changed.

use super::{Journal, Trouble};
use crate::state::journal::{PutBack, Sent, Standing, Story};
use std::collections::HashMap;
use std::time::SystemTime;

/// Names of objects told of a run; of more only their number.
const NAMED: usize = 3;

/// A run in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The run's name.
    pub run: String,
    /// The action's id. This and all up to `at` are empty if the file could not be read.
    pub action: String,
    /// `cordon 3 nodes`.
    pub title: String,
    /// Why, as the operator gave it.
    pub reason: String,
    /// kubeconfig context.
    pub context: String,
    /// Server URL.
    pub server: String,
    /// Login that ran it: `op@bastion`.
    pub who: String,
    /// Host that ran it.
    pub host: String,
    /// What it was about: up to three names, else how many objects.
    pub targets: String,
    /// When it began, in seconds since 1970.
    pub at: Option<f64>,
    /// When it ended, in seconds since 1970.
    pub ended: Option<f64>,
    /// Where it stands.
    pub standing: Standing,
    /// Requests whose result is unknown.
    pub unknown: usize,
    /// Done steps that had a way back.
    pub undoable: usize,
    /// Of these, how many nobody has put back since.
    pub undo: usize,
    /// What is wrong with its file.
    pub remarks: Vec<String>,
    /// Bytes of its file.
    pub size: u64,
}

impl Summary {
    /// Of a run that was read; what later runs put back is not known here.
    pub fn of(story: &Story) -> Summary {
        let undoable = story.undo_steps().len();
        let began = &story.began;
        Summary {
            run: began.run.clone(),
            action: began.action.clone(),
            title: began.title.clone(),
            reason: began.reason.clone(),
            context: began.context.clone(),
            server: began.server.clone(),
            who: began.login.split(", process ").next().unwrap_or_default().to_owned(),
            host: began.host.clone(),
            targets: targets(story),
            at: story.has_header().then_some(story.at),
            ended: story.end.as_ref().map(|end| end.at),
            standing: story.standing(),
            unknown: story.open_intents().count(),
            undoable,
            undo: undoable,
            remarks: story.remarks(),
            size: story.whole,
        }
    }

    /// Of a run that could not be read.
    pub(super) fn unread(run: &str, trouble: &Trouble) -> Summary {
        let standing = match trouble {
            Trouble::Newer { version, .. } => Standing::Newer(*version),
            Trouble::Unreadable { why, .. } => Standing::Unreadable(why.to_string()),
            other => Standing::Unreadable(other.to_string()),
        };
        Summary { run: run.to_owned(), standing, ..Summary::of(&Story::default()) }
    }

    /// Whether it can be put back, in words.
    pub fn undo_words(&self) -> String {
        match (self.undo, self.undoable) {
            _ if matches!(self.standing, Standing::Alive { .. }) => "still running".to_owned(),
            (_, 0) => "no".to_owned(),
            (0, _) => "undone".to_owned(),
            (left, all) if left == all => "yes".to_owned(),
            (left, all) => format!("{left} of {all} steps"),
        }
    }
}

fn targets(story: &Story) -> String {
    let mut names: Vec<&str> = vec![];
    for entry in &story.entries {
        if !names.contains(&entry.intent.name.as_str()) {
            names.push(&entry.intent.name);
        }
    }
    match names.len() {
        0..=NAMED => names.join(", "),
        n => format!("{n} objects"),
    }
}

/// What a file said when it was read last, as long as it is the same.
struct Known {
    size: u64,
    changed: Option<SystemTime>,
    summary: Summary,
    undos: Vec<Sent>,
    sent: Vec<Sent>,
}

/// The list, and what it was made of.
#[derive(Default)]
pub struct Listing {
    known: HashMap<String, Known>,
}

impl Listing {
    /// All runs, newest first, with what later runs put back. What cannot be read is listed with the reason.
    ///
    /// # Errors
    /// The folder cannot be read. One that does not exist holds no runs.
    pub fn read(&mut self, journal: &Journal) -> Result<Vec<Summary>, Trouble> {
        let names = journal.names()?;
        let mut back = PutBack::default();
        let mut known = HashMap::new();
        let mut list = vec![];
        for run in names {
            let mut found = self.one(journal, &run);
            let left = back.left(&found.undos, found.sent.clone());
            found.summary.undo = left.into_iter().filter(|left| *left).count();
            list.push(found.summary.clone());
            known.insert(run, found);
        }
        self.known = known;
        Ok(list)
    }

    fn one(&mut self, journal: &Journal, run: &str) -> Known {
        let meta = journal.path(run).metadata().ok();
        let (size, changed) =
            (meta.as_ref().map_or(0, |m| m.len()), meta.and_then(|m| m.modified().ok()));
        // A process may end without a line: whether a run lives is asked each time.
        let same = |known: &Known| {
            known.size == size
                && known.changed == changed
                && matches!(known.summary.standing, Standing::Ended(_) | Standing::Interrupted)
        };
        if let Some(known) = self.known.remove(run).filter(same) {
            return known;
        }
        let (summary, undos, sent) = match journal.read(run) {
            Ok(story) => (Summary::of(&story), Sent::undos(&story), Sent::by(&story)),
            Err(trouble) => (Summary::unread(run, &trouble), vec![], vec![]),
        };
        Known { size, changed, summary: Summary { size, ..summary }, undos, sent }
    }
}
