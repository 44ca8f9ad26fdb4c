//! `wheelhouse journal`: what was changed from here, what became of it, and what nobody knows.

use super::format::{aligned, json_text};
use super::{Failure, exit};
use crate::app::files::{NotWritten, write_new};
use crate::app::journal::{Journal, Summary, Trouble};
use crate::state::decl::Align;
use crate::state::journal::{Entry, Fate, Standing, Story, report};
use crate::state::text::clean;
use crate::state::time::Epoch;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What to show of the journal. Without a word: the list.
#[derive(Args, Debug, Clone)]
#[command(args_conflicts_with_subcommands = true)]
pub struct JournalArgs {
    #[command(subcommand)]
    #[allow(missing_docs, reason = "its variants are documented")]
    pub command: Option<JournalCommand>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub list: ListArgs,
}

/// What to do with it.
#[derive(Subcommand, Debug, Clone)]
pub enum JournalCommand {
    /// List all runs, newest first.
    List(ListArgs),
    /// Show one run, step by step.
    Show {
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        run: RunArg,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        how: ListArgs,
    },
    /// Print one run as Markdown, for a ticket.
    Report {
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        run: RunArg,
        /// Write it to this file instead; an existing file is kept and refused
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// How to print.
#[derive(Args, Debug, Clone)]
pub struct ListArgs {
    /// Output format.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// Which run.
#[derive(Args, Debug, Clone)]
pub struct RunArg {
    /// A run's name, the beginning of it, or `last`.
    #[arg(value_name = "RUN")]
    pub run: String,
}

/// An output format.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Table,
    /// For programs: times are RFC 3339, absent is null.
    Json,
}

/// The text to print, and what is missing from it.
///
/// # Errors
/// Usage (2) if no or more than one run is meant; a journal or run that cannot be read (1); a report's file that exists (3).
pub fn journal(
    journal: &Journal,
    args: &JournalArgs,
) -> Result<(String, Option<Failure>), Failure> {
    match &args.command {
        None => list(journal, args.list.output),
        Some(JournalCommand::List(how)) => list(journal, how.output),
        Some(JournalCommand::Show { run, how }) => {
            let story = read(journal, &run.run)?;
            let text = match how.output {
                Output::Json => json_text(&told(&story)),
                Output::Table => shown(&story),
            };
            Ok((text, None))
        }
        Some(JournalCommand::Report { run, output }) => {
            let text = report(&read(journal, &run.run)?);
            match output {
                Some(path) => Ok(write_new(path, &text).map(|()| (String::new(), None))?),
                None => Ok((text, None)),
            }
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        let code = match trouble {
            Trouble::NoSuchRun { .. } | Trouble::Ambiguous { .. } => exit::USAGE,
            Trouble::Locked { .. } | Trouble::NotBegun { .. } => exit::REFUSED,
            Trouble::Empty { .. } | Trouble::Damaged { .. } => exit::REFUSED,
            _ => exit::FAILED,
        };
        Failure { code, words: clean(&trouble.to_string()).into_owned() }
    }
}

impl From<NotWritten> for Failure {
    fn from(why: NotWritten) -> Failure {
        let code = match why {
            NotWritten::Exists(_) => exit::REFUSED,
            NotWritten::Failed(..) => exit::FAILED,
        };
        Failure { code, words: clean(&why.to_string()).into_owned() }
    }
}

fn read(journal: &Journal, word: &str) -> Result<Story, Failure> {
    Ok(journal.read(&journal.find(word)?)?)
}

fn list(journal: &Journal, output: Output) -> Result<(String, Option<Failure>), Failure> {
    let runs = journal.runs()?;
    let unread =
        |run: &&Summary| matches!(run.standing, Standing::Newer(_) | Standing::Unreadable(_));
    let words: Vec<String> = runs
        .iter()
        .filter(unread)
        .map(|run| clean(&format!("run {} was {}", run.run, run.standing.words())).into_owned())
        .collect();
    let missing = Some(words.join("\n"))
        .filter(|words| !words.is_empty())
        .map(|words| Failure { code: exit::INCOMPLETE, words });
    let text = match output {
        Output::Json => json_text(&runs.iter().map(listed).collect::<Value>()),
        Output::Table if runs.is_empty() => {
            clean(&format!("No runs in {}", journal.folder().display())).into_owned() + "\n"
        }
        Output::Table => list_table(&runs),
    };
    Ok((text, missing))
}

fn list_table(runs: &[Summary]) -> String {
    let head =
        ["RUN", "BEGAN", "STATE", "UNKNOWN", "UNDO", "CONTEXT", "WHO", "TITLE"].map(str::to_owned);
    let rows = runs.iter().map(|run| {
        let remarks: String = run.remarks.iter().map(|r| format!(" ({r})")).collect();
        [
            run.run.clone(),
            run.at.map(time).unwrap_or_default(),
            run.standing.id().to_owned(),
            if run.unknown == 0 { String::new() } else { run.unknown.to_string() },
            if run.at.is_some() { run.undo_words() } else { String::new() },
            run.context.clone(),
            run.who.clone(),
            run.title.clone() + &remarks,
        ]
    });
    columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn listed(run: &Summary) -> Value {
    let mut object = json!({
        "run": run.run,
        "state": run.standing.id(),
        "began": run.at.map(time),
        "action": run.action,
        "title": run.title,
        "context": run.context,
        "server": run.server,
        "who": run.who,
        "host": run.host,
        "reason": run.reason,
        "targets": run.targets,
        "ended": run.ended.map(time),
        "undo": { "steps": run.undo, "of": run.undoable, "words": run.undo_words() },
        "unknown": run.unknown,
        "remarks": run.remarks,
    });
    stand(&mut object, &run.standing);
    object
}

/// What a state carries beside its name; the keys are there whatever the state.
fn stand(object: &mut Value, standing: &Standing) {
    let (mut pid, mut host, mut why) = (Value::Null, Value::Null, Value::Null);
    match standing {
        Standing::Alive { pid: by, host: on } => (pid, host) = (json!(by), json!(on)),
        Standing::Newer(_) | Standing::Unreadable(_) => why = standing.words().into(),
        Standing::Ended(_) | Standing::Interrupted => {}
    }
    object["alive"] = json!({ "pid": pid, "host": host });
    object["unread"] = why;
}

/// A story with stable keys. Documents sent are left out: they are in the run's file.
fn told(story: &Story) -> Value {
    let began = &story.began;
    let mut object = json!({
        "run": began.run,
        "state": story.standing().id(),
        "began": story.has_header().then(|| time(story.at)),
        "action": began.action,
        "title": began.title,
        "context": began.context,
        "server": began.server,
        "user": began.user,
        "login": began.login,
        "host": began.host,
        "pid": began.pid,
        "reason": began.reason,
        "unknown": story.open_intents().count(),
        "remarks": story.remarks(),
        "ended": story.end.as_ref().map(|end| {
            json!({ "at": time(end.at), "how": end.how, "words": end.words })
        }),
        "torn": story.torn,
        "steps": story.entries.iter().map(step).collect::<Vec<_>>(),
        "notes": story.notes.iter()
            .map(|note| json!({ "at": time(note.at), "words": note.words }))
            .collect::<Vec<_>>(),
    });
    stand(&mut object, &story.standing());
    object
}

fn step(entry: &Entry) -> Value {
    let intent = &entry.intent;
    let outcome = entry.outcome.as_ref().map(|(_, outcome)| outcome);
    json!({
        "step": intent.step,
        "at": time(entry.at),
        "words": intent.words,
        "method": intent.method,
        "path": intent.path,
        "kind": intent.kind,
        "namespace": intent.namespace,
        "name": intent.name,
        "uid": intent.uid,
        "undo": intent.undo.as_ref().map(|undo| undo.words.clone()),
        "result": entry.fate(),
        "took": entry.took(),
        "status": outcome.map(|o| o.status).filter(|status| *status != 0),
        "why": outcome.map(|o| o.words.clone()),
        "rv": outcome.map(|o| o.rv.clone()),
        "audit_id": outcome.map(|o| o.audit_id.clone()),
        "warnings": outcome.map(|o| o.warnings.clone()).unwrap_or_default(),
    })
}

/// A run for people, at a terminal.
fn shown(story: &Story) -> String {
    let began = &story.began;
    let end = story.end.as_ref().map_or("", |end| &end.words);
    let facts = [
        ("run", began.run.clone()),
        ("title", began.title.clone()),
        ("why", began.reason.clone()),
        ("context", began.context.clone()),
        ("server", began.server.clone()),
        ("as", began.user.clone()),
        ("by", began.login.clone()),
        ("began", if story.has_header() { time(story.at) } else { String::new() }),
        ("ended", story.end.as_ref().map(|end| time(end.at)).unwrap_or_default()),
        ("state", format!("{} {end}", story.standing().words())),
        ("remark", story.remarks().join("; ")),
    ];
    let facts = facts.into_iter().filter(|(_, text)| !text.is_empty());
    let facts: Vec<_> = facts.map(|(name, text)| [name.to_owned(), text]).collect();
    let mut out = columns(&facts);
    let open: Vec<_> = story.open_intents().map(line).collect();
    let all: Vec<_> = story.entries.iter().map(line).collect();
    for (title, lines) in [("Unknown: check these first", open), ("Steps", all)] {
        if !lines.is_empty() {
            let head = ["STEP", "RESULT", "STATUS", "TOOK", "WHAT", "WHY"].map(str::to_owned);
            let rows: Vec<_> = std::iter::once(head).chain(lines).collect();
            out.push_str(&format!("\n{title}\n{}", columns(&rows)));
        }
    }
    if !story.notes.is_empty() {
        let notes: Vec<_> = story.notes.iter().map(|n| [time(n.at), n.words.clone()]).collect();
        out.push_str(&format!("\nNotes\n{}", columns(&notes)));
    }
    out
}

fn line(entry: &Entry) -> [String; 6] {
    let outcome = entry.outcome.as_ref().map(|(_, outcome)| outcome);
    let why = outcome.map(|o| {
        let words = Some(o.words.clone()).filter(|words| !words.is_empty());
        let warnings = o.warnings.iter().map(|warning| format!("Warning: {warning}"));
        words.into_iter().chain(warnings).collect::<Vec<_>>().join("; ")
    });
    let unknown = || "no outcome was recorded: it may or may not have been done".to_owned();
    [
        entry.intent.step.to_string(),
        entry.fate().words().to_owned(),
        outcome.map(|o| o.status).filter(|s| *s != 0).map(|s| s.to_string()).unwrap_or_default(),
        entry.took().map(|secs| format!("{secs:.1}s")).unwrap_or_default(),
        entry.intent.words.clone(),
        why.unwrap_or_else(
            || if entry.fate() == Fate::Unknown { unknown() } else { String::new() },
        ),
    ]
}

fn time(at: f64) -> String {
    Epoch(at as i64).rfc3339()
}

fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    aligned(|| rows.iter(), |_| Align::Left, 2)
}
