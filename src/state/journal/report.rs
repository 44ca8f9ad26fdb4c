//! A run as Markdown, to be pasted into a ticket: what is unknown comes first.
//!
//! Every text may come from a cluster or from a damaged file: it is cleaned, and what Markdown would act upon is escaped.

use super::{Entry, Fate, Standing, Story};
use crate::state::text::clean;
use crate::state::time::{Epoch, span};

/// The report of a run.
pub fn report(story: &Story) -> String {
    let began = &story.began;
    let title = if began.title.is_empty() { &began.run } else { &began.title };
    let mut out = format!("# {}\n\n", inline(title));
    warn(&mut out, story);
    facts(&mut out, story);
    let open: Vec<&Entry> = story.open_intents().collect();
    section(&mut out, "Unknown: check these first", &open);
    section(&mut out, "Steps", &story.entries.iter().collect::<Vec<_>>());
    if story.entries.is_empty() {
        out.push_str("\nNo request was sent.\n");
    }
    if !story.notes.is_empty() {
        out.push_str("\n## Notes\n\n");
        for note in &story.notes {
            out.push_str(&format!("- {} {}\n", time(note.at), inline(&note.words)));
        }
    }
    out
}

fn warn(out: &mut String, story: &Story) {
    let mut lines = vec![];
    match story.open_intents().count() {
        0 => {}
        1 => lines.push("**1 result is unknown**: it may or may not have been done".to_owned()),
        n => lines.push(format!("**{n} results are unknown**: each may or may not have been done")),
    }
    match story.standing() {
        Standing::Alive { .. } => lines.push("**Still running**: this is not all of it".to_owned()),
        Standing::Interrupted => lines.push("**Interrupted**: it has no end".to_owned()),
        _ => {}
    }
    lines.extend(story.remarks().iter().map(|remark| inline(remark)));
    for line in &lines {
        out.push_str(&format!("- {line}\n"));
    }
    if !lines.is_empty() {
        out.push('\n');
    }
}

fn facts(out: &mut String, story: &Story) {
    let began = &story.began;
    out.push_str("| | |\n|---|---|\n");
    let mut fact = |name: &str, text: String| {
        if !text.is_empty() {
            out.push_str(&format!("| {name} | {text} |\n"));
        }
    };
    fact("Run", inline(&began.run));
    fact("Action", inline(&began.action));
    fact("Why", inline(&began.reason));
    fact("Context", inline(&began.context));
    fact("Server", inline(&began.server));
    fact("As", inline(&began.user));
    fact("By", inline(&began.login));
    fact("Began", time(story.at));
    match (&story.end, story.standing()) {
        (Some(end), Standing::Ended(how)) => {
            fact("Ended", format!("{}, after {}", time(end.at), seconds(end.at - story.at)));
            fact("Result", inline(&end.told(how)));
        }
        (_, standing) => fact("Result", inline(&standing.words())),
    }
}

fn section(out: &mut String, title: &str, entries: &[&Entry]) {
    if entries.is_empty() {
        return;
    }
    out.push_str(&format!("\n## {title}\n\n"));
    out.push_str("| step | what | object | result | status | took | at | audit id |\n");
    out.push_str("|--:|---|---|---|--:|--:|---|---|\n");
    for entry in entries {
        let intent = &entry.intent;
        let outcome = entry.outcome.as_ref().map(|(_, outcome)| outcome);
        let status = outcome.map(|o| o.status).filter(|status| *status != 0);
        let cells = [
            intent.step.to_string(),
            inline(&intent.words),
            object(entry),
            result(entry),
            status.map(|status| status.to_string()).unwrap_or_default(),
            entry.took().map(seconds).unwrap_or_default(),
            time(entry.at),
            inline(outcome.map_or("", |o| &o.audit_id)),
        ];
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

fn object(entry: &Entry) -> String {
    let intent = &entry.intent;
    let slash = if intent.namespace.is_empty() { "" } else { "/" };
    let uid = if intent.uid.is_empty() { String::new() } else { format!(", uid {}", intent.uid) };
    inline(&format!("{} {}{slash}{}{uid}", intent.kind, intent.namespace, intent.name))
}

fn result(entry: &Entry) -> String {
    let fate = match entry.fate() {
        Fate::Done => "done".to_owned(),
        other => format!("**{}**", other.words()),
    };
    let Some((_, outcome)) = &entry.outcome else { return fate };
    let words = Some(outcome.words.as_str()).filter(|words| !words.is_empty());
    let warnings = outcome.warnings.iter().map(|warning| format!("Warning: {warning}"));
    let said: Vec<String> = words.map(str::to_owned).into_iter().chain(warnings).collect();
    if said.is_empty() { fate } else { format!("{fate}: {}", inline(&said.join("; "))) }
}

/// A time of this machine's clock, to the second.
pub(super) fn time(at: f64) -> String {
    Epoch(at as i64).rfc3339()
}

/// A duration in seconds: tenths while they matter.
pub(super) fn seconds(secs: f64) -> String {
    if secs < 120.0 { format!("{:.1}s", secs.max(0.0)) } else { span(secs as i64) }
}

/// Text inside a line or a table's cell: one line, nothing that Markdown or HTML acts upon. A pipe becomes an entity, as
/// renderers disagree on what `\|` means in a table.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).trim().chars() {
        match c {
            '|' => out.push_str("&#124;"),
            '\\' => out.push_str("&#92;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '`' | '*' | '_' | '[' | ']' | '~' | '#' | '$' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}
