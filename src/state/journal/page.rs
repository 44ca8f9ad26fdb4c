//! A run as a page to be read on screen. The report for a ticket is Markdown ([`super::report()`]); both tell the same.

use super::report::{seconds, time};
use super::{Entry, Fate, Standing, Story};
use crate::state::cell::Role;
use crate::state::doc::{Doc, Line};

/// The page of a run. `undo` says what can be put back, in words.
pub fn page(story: &Story, undo: &str) -> Doc {
    let began = &story.began;
    let title = if began.title.is_empty() { &began.run } else { &began.title };
    let mut lines = vec![];
    warn(&mut lines, story);
    facts(&mut lines, story, undo);
    let open: Vec<&Entry> = story.open_intents().collect();
    steps(&mut lines, "Unknown: look at these first", Role::Bad, &open);
    steps(&mut lines, "Steps", Role::Accent, &story.entries.iter().collect::<Vec<_>>());
    if story.entries.is_empty() {
        lines.push(Line::default());
        lines.push(Line::of(Role::Dim, "No request was sent."));
    }
    if !story.notes.is_empty() {
        head(&mut lines, Role::Accent, "Notes");
        for note in &story.notes {
            let mut line = Line::of(Role::Dim, format!("  {}  ", time(note.at)));
            line.push(Role::Plain, note.words.as_str());
            lines.push(line);
        }
    }
    Doc { title: format!("Run {title}"), lines }
}

fn head(lines: &mut Vec<Line>, role: Role, text: &str) {
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    lines.push(Line::of(role, text));
}

fn warn(lines: &mut Vec<Line>, story: &Story) {
    match story.standing() {
        Standing::Alive { .. } => {
            lines.push(Line::of(Role::Warn, "Still running: this is not all of it."));
        }
        Standing::Interrupted => lines.push(Line::of(
            Role::Bad,
            "Unfinished: its process ended before the run did. What is listed was recorded; nothing goes on by itself.",
        )),
        _ => {}
    }
    match story.open_intents().count() {
        0 => {}
        1 => lines.push(Line::of(
            Role::Bad,
            "1 result is unknown: it may or may not have been done. Look at the object.",
        )),
        n => lines.push(Line::of(
            Role::Bad,
            format!(
                "{n} results are unknown: each may or may not have been done. Look at the objects."
            ),
        )),
    }
    lines.extend(story.remarks().into_iter().map(|remark| Line::of(Role::Warn, remark)));
}

fn facts(lines: &mut Vec<Line>, story: &Story, undo: &str) {
    let began = &story.began;
    let (ended, result) = match (&story.end, story.standing()) {
        (Some(end), Standing::Ended(how)) => {
            let after = format!("{}, after {}", time(end.at), seconds(end.at - story.at));
            (after, end.told(how))
        }
        (_, standing) => (String::new(), standing.words()),
    };
    let facts = [
        ("What", began.title.clone()),
        ("Why", began.reason.clone()),
        ("Result", result),
        ("Undo", undo.to_owned()),
        ("By", began.login.clone()),
        ("On host", began.host.clone()),
        ("As", began.user.clone()),
        ("Context", began.context.clone()),
        ("Server", began.server.clone()),
        ("Began", if story.has_header() { time(story.at) } else { String::new() }),
        ("Ended", ended),
        ("Run", began.run.clone()),
    ];
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    for (name, text) in facts.into_iter().filter(|(_, text)| !text.is_empty()) {
        let mut line = Line::of(Role::Dim, format!("{name:<10}"));
        line.push(Role::Plain, text);
        lines.push(line);
    }
}

fn steps(lines: &mut Vec<Line>, title: &str, role: Role, entries: &[&Entry]) {
    if entries.is_empty() {
        return;
    }
    head(lines, role, title);
    for entry in entries {
        let (intent, fate) = (&entry.intent, entry.fate());
        let role = match fate {
            Fate::Done => Role::Ok,
            Fate::Refused | Fate::NotSent => Role::Warn,
            Fate::Unknown => Role::Bad,
        };
        let mut line = Line::of(Role::Dim, format!("{:>4}  ", intent.step));
        line.push(role, format!("{:<14}  ", fate.words()));
        line.push(Role::Plain, intent.words.as_str());
        lines.push(line);
        let outcome = entry.outcome.as_ref().map(|(_, outcome)| outcome);
        if let Some(outcome) = outcome {
            let warnings = outcome.warnings.iter().map(|w| format!("Warning: {w}"));
            let said = std::iter::once(outcome.words.clone()).filter(|words| !words.is_empty());
            lines.extend(
                said.chain(warnings).map(|text| Line::of(Role::Warn, format!("      {text}"))),
            );
        }
        let status = outcome.map(|o| o.status).filter(|status| *status != 0);
        let parts = [
            object(entry),
            status.map(|status| format!("status {status}")).unwrap_or_default(),
            entry.took().map(|took| format!("took {}", seconds(took))).unwrap_or_default(),
            time(entry.at),
            outcome
                .map(|o| o.audit_id.as_str())
                .filter(|id| !id.is_empty())
                .map(|id| format!("audit {id}"))
                .unwrap_or_default(),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        lines.push(Line::of(Role::Dim, format!("      {}", parts.join("  "))));
    }
}

/// `Pod shop/web-0, uid 1234`.
fn object(entry: &Entry) -> String {
    let intent = &entry.intent;
    let slash = if intent.namespace.is_empty() { "" } else { "/" };
    let uid = if intent.uid.is_empty() { String::new() } else { format!(", uid {}", intent.uid) };
    format!("{} {}{slash}{}{uid}", intent.kind, intent.namespace, intent.name)
}
