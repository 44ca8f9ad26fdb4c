//! Documents about runs of the journal: read from disk, off the UI thread.

use crate::app::journal::{Journal, Listing, Trouble, feed};
use crate::state::journal::{Story, page, report};
use crate::state::ui::document::{Fetched, Form, Target};

/// A run as a document.
///
/// # Errors
/// It cannot be read, in words.
pub(super) async fn run(target: &Target, form: Form) -> Result<Fetched, String> {
    let name = target.name.clone();
    aside(move || {
        let (story, object, undo) = read(&name)?;
        let page = (form != Form::Yaml).then(|| page(&story, &undo));
        Ok(Fetched { object, events: Ok(vec![]), page })
    })
    .await
}

/// A run's report as Markdown.
///
/// # Errors
/// As [`run`].
pub(super) async fn report_of(target: &Target) -> Result<String, String> {
    let name = target.name.clone();
    aside(move || Ok(report(&read(&name)?.0))).await
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|why| format!("the journal was not read: {why}"))?.map_err(|why| why.to_string())
}

/// A run, the same as an object, and whether it can be put back.
fn read(name: &str) -> Result<(Story, serde_json::Value, String), Trouble> {
    let journal = Journal::home()?;
    let story = journal.read(name)?;
    // Whether it was put back stands in the runs after it.
    let list = Listing::default().read(&journal)?;
    let summary = list.into_iter().find(|summary| summary.run == name);
    let summary = summary.ok_or_else(|| Trouble::NoSuchRun { word: name.to_owned() })?;
    let mut object = feed::object(&summary);
    object["steps"] = story.entries.iter().map(|entry| {
        serde_json::json!({ "intent": entry.intent, "outcome": entry.outcome.as_ref().map(|o| &o.1) })
    }).collect();
    object["plan"] = story.began.plan.clone();
    Ok((story, object, summary.undo_words()))
}
