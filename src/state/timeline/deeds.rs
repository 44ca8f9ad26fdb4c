//! What the operator did, as rows of the timeline.

use crate::state::health::FeedId;
use crate::state::journal::{Fate, Story};
use crate::state::kinds::events;
use crate::state::parcel::{Draft, Parcel};
use crate::state::time::Epoch;

/// One request of a run, as its journal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The run and the step.
    pub id: String,
    /// When it was sent, by the clock of the machine that sent it.
    pub at: Epoch,
    /// The action's id.
    pub action: String,
    /// What it was about.
    pub kind: String,
    /// Empty for objects without namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What was done, and what became of it.
    pub words: String,
    /// Who did it, and where.
    pub by: String,
}

impl Deed {
    /// What a run did, apart from what was never sent.
    pub fn of(story: &Story) -> Vec<Deed> {
        let began = &story.began;
        let sent = story.entries.iter().filter(|entry| entry.fate() != Fate::NotSent);
        sent.map(|entry| {
            let intent = &entry.intent;
            let words = match entry.fate() {
                Fate::Done => intent.words.clone(),
                fate => format!("{}: {}", intent.words, fate.words()),
            };
            Deed {
                id: format!("{}#{}", began.run, intent.step),
                at: Epoch(entry.at as i64),
                action: began.action.clone(),
                kind: intent.kind.clone(),
                namespace: intent.namespace.clone(),
                name: intent.name.clone(),
                words,
                by: format!("{}@{}", began.login, began.host),
            }
        })
        .collect()
    }

    /// Deeds as the feed of events would tell them. Told again, they change nothing.
    pub fn parcel(feed: FeedId, deeds: &[Deed]) -> Parcel {
        let spec = &events::TABLE;
        let (mut parcel, mut draft) = (Parcel::new(feed, 0, spec), Draft::default());
        for deed in deeds {
            events::of_deed(&mut draft, deed);
            parcel.push(&draft, spec);
        }
        parcel
    }
}
