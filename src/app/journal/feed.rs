//! The journal as a feed: the rows of `state/kinds/journal.rs`, read from disk and not from a server.
//!
//! The folder is looked at every few seconds as long as somebody looks at the rows; files that did not change are not
//! read again, and nothing is sent to the screen unless something changed.

use super::{Journal, Listing, Summary, Trouble};
use crate::app::cluster::decode::{Encoding, Plan};
use crate::app::cluster::mailbox::{Outbox, PARCEL_ROWS};
use crate::app::cluster::upstream::Clock;
use crate::state::decl::TableSpec;
use crate::state::health::{FeedId, Health};
use crate::state::journal::Standing;
use crate::state::parcel::{Draft, Parcel};
use crate::state::text::clean;
use crate::state::time::Epoch;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Time between two looks at the folder.
const PAUSE: Duration = Duration::from_secs(2);
/// Rows that did not change are said to be live so often.
const TELL: Duration = Duration::from_secs(30);

/// What was read last.
#[derive(Default)]
struct Reader {
    listing: Listing,
    list: Option<Vec<Summary>>,
}

impl Reader {
    /// Reads the folder; the list if it is another one than before.
    fn look(&mut self) -> Result<Option<Vec<Summary>>, Trouble> {
        let list = self.listing.read(&Journal::home()?)?;
        if self.list.as_ref() == Some(&list) {
            return Ok(None);
        }
        self.list = Some(list.clone());
        Ok(Some(list))
    }
}

/// Follows the operator's journal until it is dropped.
pub async fn follow(feed: FeedId, table: &'static TableSpec, clock: Clock, mut out: Outbox) {
    let mut reader = Reader::default();
    let mut generation = 0u8;
    let mut told: Option<Instant> = None;
    loop {
        let looked = tokio::task::spawn_blocking(move || {
            let news = reader.look();
            (reader, news)
        });
        // A reader that panicked begins anew.
        let (back, news) = looked.await.unwrap_or_else(|_| (Reader::default(), Ok(None)));
        reader = back;
        let now = clock();
        match news {
            Ok(Some(list)) => {
                generation = generation.wrapping_add(1);
                for parcel in parcels(feed, table, generation, &list) {
                    out.bulk(parcel).await;
                }
                told = None;
            }
            Ok(None) => {}
            Err(why) => {
                let fault = clean(&why.to_string()).into_owned();
                out.health(Health::Down { fault, retry: Epoch(now.0 + PAUSE.as_secs() as i64) });
                // Whatever comes next is news.
                reader.list = None;
                sleep(PAUSE).await;
                continue;
            }
        }
        if told.is_none_or(|at| at.elapsed() >= TELL) {
            out.health(Health::Live(now));
            told = Some(Instant::now());
        }
        sleep(PAUSE).await;
    }
}

/// Runs as rows, the last parcel sweeping what is not among them.
pub fn parcels(
    feed: FeedId,
    table: &'static TableSpec,
    generation: u8,
    runs: &[Summary],
) -> Vec<Parcel> {
    let plan = Plan::new(table, 0);
    let mut draft = Draft::default();
    let mut all = vec![];
    let mut parcel = Parcel::new(feed, generation, table);
    for run in runs {
        // What is written here is read here: it has a name and is JSON.
        if plan.read(Encoding::Json, object(run).to_string().as_bytes(), &mut draft).is_ok() {
            parcel.push(&draft, table);
        }
        if parcel.len() >= PARCEL_ROWS {
            all.push(std::mem::replace(&mut parcel, Parcel::new(feed, generation, table)));
        }
    }
    parcel.sweep = true;
    all.push(parcel);
    all
}

/// A run as an object, as far as its row goes. Its version is the size of its file, which only grows.
pub fn object(run: &Summary) -> Value {
    let time = |at: Option<f64>| at.map(|at| Epoch(at as i64).rfc3339());
    let alive = matches!(run.standing, Standing::Alive { .. });
    let remark = match &run.standing {
        Standing::Newer(_) | Standing::Unreadable(_) => run.standing.words(),
        _ => run.remarks.join("; "),
    };
    json!({
        "metadata": {
            "name": run.run,
            "creationTimestamp": time(run.at),
            "resourceVersion": run.size.to_string(),
        },
        "run": {
            "action": run.action,
            "title": run.title,
            "reason": run.reason,
            "context": run.context,
            "server": run.server,
            "who": run.who,
            "host": run.host,
            "targets": run.targets,
            "result": run.standing.id(),
            "undo": run.undo_words(),
            "undoSteps": if alive { 0 } else { run.undo },
            "unknown": run.unknown,
            "ended": time(run.ended),
            "remark": remark,
        },
    })
}
