//! An interrupted drain, read back from its journal.

use crate::actions::drain::orders::{Entry, Mandate, Outcome, PodRequest, Request};
use crate::actions::drain::past::Past;
use crate::state::journal::{Fate, Intent, Story};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the header of a drain's run holds beside its title.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// What was confirmed.
    pub mandate: Mandate,
    /// The annotation of its cordons.
    pub note: String,
}

/// A note's data that carries an engine's entry.
pub fn data(entry: &Entry) -> Value {
    json!({ "drain": entry })
}

/// Reads what a run had confirmed and done.
///
/// # Errors
/// It is no drain, or was written by another version.
pub fn read(story: &Story) -> Result<(Header, Past), String> {
    let run = &story.began.run;
    if story.began.action != "drain" {
        return Err(format!("{run} is no drain: {}", story.began.title));
    }
    let header: Header = serde_json::from_value(story.began.plan.clone())
        .map_err(|why| format!("{run}: its plan cannot be read: {why}"))?;
    let mut entries = vec![];
    for entry in &story.entries {
        let Some(request) = request(&entry.intent) else { continue };
        let step = entry.intent.step;
        entries.push(Entry::Intent { step, request });
        if let Some((_, outcome)) = &entry.outcome {
            entries.push(Entry::Outcome { step, outcome: fate(outcome.result, &outcome.words) });
        }
    }
    let told = story.notes.iter().filter_map(|note| note.data.get("drain"));
    entries.extend(told.filter_map(|entry| serde_json::from_value(entry.clone()).ok()));
    let mut past = Past::read(&entries);
    past.next_step = past.next_step.max(story.next_step());
    Ok((header, past))
}

/// The engine's order behind a recorded request.
fn request(intent: &Intent) -> Option<Request> {
    let (node, uid) = (intent.name.clone(), intent.uid.clone());
    if intent.kind == "Node" {
        let cordons = intent.body["spec"]["unschedulable"] == true;
        let of = |op: &str, path: &str| {
            let ops = intent.body.as_array().into_iter().flatten();
            ops.into_iter()
                .any(|o| o["op"] == op && o["path"].as_str().is_some_and(|p| p.starts_with(path)))
        };
        return match () {
            () if cordons => Some(Request::Cordon { node, uid }),
            () if of("remove", "/spec/unschedulable") => Some(Request::Uncordon { node, uid }),
            () if of("add", "/spec/taints") => Some(Request::Prefer { node, uid }),
            () if of("remove", "/spec/taints") => Some(Request::Unprefer { node, uid }),
            () => None,
        };
    }
    let pod = PodRequest {
        namespace: intent.namespace.clone(),
        name: intent.name.clone(),
        uid: intent.uid.clone(),
        grace: None,
    };
    match intent.method.as_str() {
        "POST" => Some(Request::Evict(pod)),
        "DELETE" => Some(Request::Delete(pod)),
        _ => None,
    }
}

fn fate(fate: Fate, words: &str) -> Outcome {
    match fate {
        Fate::Done => Outcome::Accepted,
        Fate::Unknown => Outcome::Unknown { message: words.to_owned() },
        Fate::Refused | Fate::NotSent => Outcome::Failed { status: 0, message: words.to_owned() },
    }
}
