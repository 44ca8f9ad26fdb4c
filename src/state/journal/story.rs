//! A run's lines put together: what was intended, what became of it, and what nobody knows.

use super::{Began, Fate, How, Intent, Line, Outcome, Record, VERSION};
use serde_json::Value;

/// What one run's file tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    /// The header. If it is missing ([`Story::has_header`]) only its `run` is set.
    pub began: Began,
    /// When it began, in seconds since 1970.
    pub at: f64,
    /// Every request that was intended, in the order of the file.
    pub entries: Vec<Entry>,
    /// What was noted.
    pub notes: Vec<Remark>,
    /// How it ended; `None` if something was recorded after an end, as when a run is resumed.
    pub end: Option<End>,
    /// The last line has no newline: its writer was killed, or still writes.
    pub torn: bool,
    /// Whole lines that could not be understood.
    pub damaged: Vec<Damage>,
    /// Numbers of whole lines that record something this version does not know, from 1. They may tell of requests.
    pub strange: Vec<usize>,
    /// Bytes up to and with the last newline: what stays when a torn tail is cut off.
    pub whole: u64,
    /// A living process writes this run. Set by who asked for the file's lock; the lines cannot tell.
    pub alive: bool,
}

/// A request that was intended, and its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When it was about to be sent, in seconds since 1970.
    pub at: f64,
    /// What was about to be sent.
    pub intent: Intent,
    /// When the outcome was recorded, and the outcome. The last one counts: a later look may settle an unknown one.
    pub outcome: Option<(f64, Outcome)>,
}

/// A note.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark {
    /// When, in seconds since 1970.
    pub at: f64,
    /// In words.
    pub words: String,
    /// For the engine that resumes.
    pub data: Value,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// When, in seconds since 1970.
    pub at: f64,
    /// How.
    pub how: How,
    /// In words.
    pub words: String,
}

/// A line that is whole and says nothing that can be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its number in the file, from 1.
    pub line: usize,
    /// Why.
    pub why: String,
}

/// The file was written by a program with a later format; guessing at it could call undone what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newer {
    /// The file's version.
    pub version: u64,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A process has it open.
    Alive {
        /// The process; 0 if it has not yet written who it is.
        pid: u32,
        /// Its host.
        host: String,
    },
    /// It came to its end.
    Ended(How),
    /// It has no end and nobody has it open.
    Interrupted,
    /// Written by a later version of this program.
    Newer(u64),
    /// The file cannot be read, and why.
    Unreadable(String),
}

impl End {
    /// How it ended, and what was said of it.
    pub fn told(&self, how: How) -> String {
        match &*self.words {
            "" => how.words().to_owned(),
            // A change that went well says so itself.
            words if words.starts_with(&format!("{}:", how.words())) => words.to_owned(),
            words => format!("{}: {words}", how.words()),
        }
    }
}

impl Standing {
    /// One word that other programs may rely on.
    pub fn id(&self) -> &'static str {
        match self {
            Standing::Alive { .. } => "alive",
            Standing::Ended(how) => how.words(),
            Standing::Interrupted => "interrupted",
            Standing::Newer(_) => "newer",
            Standing::Unreadable(_) => "unreadable",
        }
    }

    /// In words, for people.
    pub fn words(&self) -> String {
        match self {
            Standing::Alive { pid: 0, .. } => "running".to_owned(),
            Standing::Alive { pid, host } => format!("running as process {pid} on {host}"),
            Standing::Newer(version) => format!("not read: written in format {version}"),
            Standing::Unreadable(why) => format!("not read: {why}"),
            known => known.id().to_owned(),
        }
    }
}

impl Entry {
    /// What became of it. An intent without an outcome may or may not have been done.
    pub fn fate(&self) -> Fate {
        self.outcome.as_ref().map_or(Fate::Unknown, |(_, outcome)| outcome.result)
    }

    /// Seconds from the intent to its outcome; `None` without an outcome. A clock set back makes it 0.
    pub fn took(&self) -> Option<f64> {
        self.outcome.as_ref().map(|(at, _)| (at - self.at).max(0.0))
    }
}

impl Story {
    /// Reads a run's file. Only a later format is an error: a torn tail and damaged lines are part of the story.
    ///
    /// # Errors
    /// [`Newer`], with nothing read.
    pub fn parse(run: &str, bytes: &[u8]) -> Result<Story, Newer> {
        let mut story = Story { began: named(run), ..Story::default() };
        for (n, line) in bytes.split_inclusive(|&b| b == b'\n').enumerate() {
            let Some((b'\n', line)) = line.split_last() else {
                story.torn = true;
                break;
            };
            story.whole += line.len() as u64 + 1;
            if n == 0 {
                refuse_newer(line)?;
            }
            let told = match serde_json::from_slice::<Line>(line) {
                Ok(line) => story.hear(n, line),
                Err(why) => Err(why.to_string()),
            };
            if let Err(why) = told {
                story.damaged.push(Damage { line: n + 1, why });
                // What is not understood may have been more work.
                story.end = None;
            }
        }
        Ok(story)
    }

    /// Adds a line; says why it makes no sense where it stands.
    fn hear(&mut self, n: usize, Line { at, record }: Line) -> Result<(), String> {
        match record {
            Record::Began(began) if n == 0 => {
                let run = std::mem::take(&mut self.began.run);
                (self.began, self.at) = (Began { run, ..*began }, at);
                return Ok(());
            }
            Record::Began(_) => return Err("a second header".to_owned()),
            _ if n == 0 => return Err("the first line is no header".to_owned()),
            Record::Intent(intent) => {
                self.entries.push(Entry { at, intent: *intent, outcome: None });
            }
            Record::Outcome(outcome) => {
                let step = outcome.step;
                let entry = self.entries.iter_mut().rfind(|e| e.intent.step == step);
                let entry = entry.ok_or_else(|| format!("an outcome without intent {step}"))?;
                entry.outcome = Some((at, outcome));
            }
            Record::Noted { words, data } => self.notes.push(Remark { at, words, data }),
            Record::Ended { how, words } => {
                self.end = Some(End { at, how, words });
                return Ok(());
            }
            Record::Other => self.strange.push(n + 1),
        }
        self.end = None;
        Ok(())
    }

    /// Whether the header was read. Without one nothing was sent: requests come after a header that is on disk.
    pub fn has_header(&self) -> bool {
        self.began.version != 0
    }

    /// Where the run stands.
    pub fn standing(&self) -> Standing {
        if self.alive {
            let (pid, host) = self.owner();
            return Standing::Alive { pid, host };
        }
        self.end.as_ref().map_or(Standing::Interrupted, |end| Standing::Ended(end.how))
    }

    /// Process and host that wrote last: who began it, or who resumed it since.
    pub fn owner(&self) -> (u32, String) {
        let resumed = self.notes.iter().rev().find_map(|note| {
            let by = note.data.get("resumed")?;
            let pid = u32::try_from(by.get("pid")?.as_u64()?).ok()?;
            Some((pid, by.get("host")?.as_str()?.to_owned()))
        });
        resumed.unwrap_or_else(|| (self.began.pid, self.began.host.clone()))
    }

    /// Intents whose result is unknown: no outcome, or one that says so. Each must be looked at in the cluster.
    pub fn open_intents(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.fate() == Fate::Unknown)
    }

    /// Done steps that can be put back and were not yet, latest first.
    ///
    /// A step counts as put back when a later done one sent exactly what its undo says: same method, path and body. An
    /// undo recorded without its body is not recognized; sending it again is refused by its own test.
    pub fn undo_steps(&self) -> Vec<&Entry> {
        let mut standing: Vec<&Entry> = vec![];
        for entry in self.entries.iter().filter(|entry| entry.fate() == Fate::Done) {
            let sent = &entry.intent;
            let undone = standing.iter().rposition(|earlier| {
                earlier.intent.undo.as_ref().is_some_and(|undo| {
                    (&undo.method, &undo.path, &undo.body) == (&sent.method, &sent.path, &sent.body)
                })
            });
            if let Some(undone) = undone {
                standing.remove(undone);
            }
            if sent.undo.is_some() {
                standing.push(entry);
            }
        }
        standing.reverse();
        standing
    }

    /// The number that the next intent of a resumed run gets.
    pub fn next_step(&self) -> u64 {
        self.entries.iter().map(|entry| entry.intent.step.saturating_add(1)).max().unwrap_or(1)
    }

    /// What is wrong with the file, one line each.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = vec![];
        if !self.alive && !self.has_header() && self.damaged.is_empty() {
            remarks.push("ended before its header was written: nothing was sent".to_owned());
        }
        let damaged = self.damaged.iter();
        remarks.extend(damaged.map(|d| format!("line {} cannot be understood: {}", d.line, d.why)));
        if let Some(first) = self.strange.first() {
            let n = self.strange.len();
            remarks.push(format!(
                "{n} of its records are of a kind that only a later version knows, the first in line {first}"
            ));
        }
        // A living writer may be in the middle of its line.
        if self.torn && !self.alive {
            remarks.push("last line torn: the program was killed while it wrote".to_owned());
        }
        remarks
    }
}

fn named(run: &str) -> Began {
    Began { run: run.to_owned(), ..Began::default() }
}

/// Looks at a header's version alone: a later format may have changed everything else.
fn refuse_newer(header: &[u8]) -> Result<(), Newer> {
    let header: Value = serde_json::from_slice(header).unwrap_or_default();
    match header.get("version").and_then(Value::as_u64) {
        Some(version) if version > u64::from(VERSION) => Err(Newer { version }),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;
