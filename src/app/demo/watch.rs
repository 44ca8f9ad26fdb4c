//! WATCH: the changes after a revision, line by line, as they happen.
//!
//! A watch holds no queue: it remembers how far in the history it is. When the history it needs is gone it says 410 and
//! ends, as the real server does. Time moves only when the cluster ticks, so bookmarks and time-outs do too.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::BoxError;

use super::list::{filter, number};
use super::object;
use super::refusal::{Outcome, Refusal};
use super::registry::Resource;
use super::route::{Query, Target};
use super::select::Filter;
use super::store::{Change, Object};
use super::{Shared, World};

/// The real server sends bookmarks about once a minute (apiserver `cacher.go`, `bookmarkFrequency`).
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// Used when the client names no `timeoutSeconds`; the real server draws 30 to 60 minutes.
const DEFAULT_TIMEOUT: u64 = 1_800;
/// Events of a streamed initial list per chunk.
const CHUNK: usize = 64;

/// One open watch.
pub struct Watch {
    shared: Arc<Shared>,
    moved: tokio::sync::watch::Receiver<u64>,
    res: &'static Resource,
    filter: Filter,
    cursor: u64,
    initial: VecDeque<String>,
    bookmarks: bool,
    next_bookmark: Timestamp,
    deadline: Timestamp,
    closed: u64,
    cut: u64,
    ending: Ending,
}

/// How far a watch is from its end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Open,
    /// Half an object was sent: the next thing is an error.
    Breaking,
    Over,
}

/// What a watch finds when it looks.
enum Look {
    Send(String),
    /// Send this and be in another state afterwards.
    Last(String, Ending),
    Wait,
    End,
}

impl Watch {
    /// Opens a watch. 422 for a streamed list where that is switched off; 410 over HTTP only when a fault says so.
    pub fn open(
        shared: &Arc<Shared>,
        world: &World,
        target: &Target,
        query: &Query,
        now: Timestamp,
    ) -> Outcome<Watch> {
        let asked = number(query.get("resourceVersion"))?;
        let streamed = wants_initial(query, world.faults.watch_list_off)?;
        if asked > 0 && !streamed && asked < world.store.floor() && world.faults.gone_over_http {
            return Err(too_old(asked, world.store.floor()));
        }
        let seconds = query.number("timeoutSeconds").unwrap_or(DEFAULT_TIMEOUT);
        let mut watch = Watch {
            shared: shared.clone(),
            moved: shared.moved.subscribe(),
            res: target.res,
            filter: filter(target, query)?,
            cursor: asked,
            initial: VecDeque::new(),
            bookmarks: query.is("allowWatchBookmarks"),
            next_bookmark: now + BOOKMARK_EVERY,
            deadline: now + Duration::from_secs(seconds),
            closed: world.faults.closed,
            cut: world.faults.cut,
            ending: Ending::Open,
        };
        // Without a version a watch starts with what is there, marked or not ("get state and start at any").
        if streamed || asked == 0 && query.get("sendInitialEvents") != "false" {
            watch.begin(world, streamed);
        } else if asked == 0 {
            watch.cursor = world.store.revision();
        }
        Ok(watch)
    }

    fn begin(&mut self, world: &World, marked: bool) {
        self.cursor = world.store.revision();
        let objects = world.store.table(self.res).values().filter(|o| self.filter.matches(o));
        let events: Vec<String> = objects.map(|o| line("ADDED", self.res, o)).collect();
        self.initial = events.chunks(CHUNK).map(<[String]>::concat).collect();
        if marked && self.bookmarks {
            self.initial.push_back(self.bookmark(true));
        }
    }

    /// The next chunk; the stream ends when the watch does.
    pub async fn next(mut self) -> Option<(Result<Bytes, BoxError>, Watch)> {
        loop {
            match self.ending {
                Ending::Open => {}
                Ending::Over => return None,
                Ending::Breaking => {
                    self.ending = Ending::Over;
                    let broken = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
                    return Some((Err(broken.into()), self));
                }
            }
            self.shared.until_answering().await;
            self.moved.borrow_and_update();
            let shared = self.shared.clone();
            let look = self.look(&shared.world(), shared.now());
            match look {
                Look::Send(text) => return Some((Ok(text.into()), self)),
                Look::Last(text, ending) => {
                    self.ending = ending;
                    return Some((Ok(text.into()), self));
                }
                Look::End => return None,
                Look::Wait => self.moved.changed().await.ok()?,
            }
        }
    }

    fn look(&mut self, world: &World, now: Timestamp) -> Look {
        if world.faults.cut > self.cut {
            return Look::Last(self.half_an_event(world), Ending::Breaking);
        }
        if world.faults.closed > self.closed || now >= self.deadline {
            return Look::End;
        }
        if let Some(chunk) = self.initial.pop_front() {
            return Look::Send(chunk);
        }
        let Some(changes) = world.store.since(self.cursor) else {
            let gone = too_old(self.cursor, world.store.floor());
            let error = json!({"type": "ERROR", "object": gone.status}).to_string() + "\n";
            return Look::Last(error, Ending::Over);
        };
        let text: String = changes.filter_map(|c| self.event(c)).collect();
        self.cursor = self.cursor.max(world.store.revision());
        if !text.is_empty() {
            return Look::Send(text);
        }
        if self.bookmarks && now >= self.next_bookmark {
            self.next_bookmark = now + BOOKMARK_EVERY;
            return Look::Send(self.bookmark(false));
        }
        Look::Wait
    }

    /// What a change is to this watch: an object that leaves the selection is deleted for it, one that enters is added
    /// (apiserver `cacher/cache_watcher.go`, `convertToWatchEvent`).
    fn event(&self, change: &Change) -> Option<String> {
        if change.plural != self.res.plural {
            return None;
        }
        let seen = |o: &Option<Object>| o.as_ref().filter(|o| self.filter.matches(o)).cloned();
        match (seen(&change.before), seen(&change.after)) {
            (None, Some(new)) => Some(line("ADDED", self.res, &new)),
            (Some(_), Some(new)) => Some(line("MODIFIED", self.res, &new)),
            (Some(old), None) => {
                let mut last = Value::clone(&old);
                last["metadata"]["resourceVersion"] = json!(change.revision.to_string());
                Some(line("DELETED", self.res, &last))
            }
            (None, None) => None,
        }
    }

    fn bookmark(&self, end_of_initial: bool) -> String {
        let mut meta =
            json!({"resourceVersion": self.cursor.to_string(), "creationTimestamp": null});
        if end_of_initial {
            meta["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        line("BOOKMARK", self.res, &json!({"metadata": meta}))
    }

    fn half_an_event(&self, world: &World) -> String {
        let object = world.store.table(self.res).values().find(|o| self.filter.matches(o));
        let text = object.map_or_else(|| self.bookmark(false), |o| line("MODIFIED", self.res, o));
        text.chars().take(text.chars().count() / 2).collect()
    }
}

fn line(kind: &str, res: &Resource, object: &Value) -> String {
    format!("{{\"type\":\"{kind}\",\"object\":{}}}\n", object::to_json(res, object))
}

fn too_old(asked: u64, floor: u64) -> Refusal {
    Refusal::expired(format!("too old resource version: {asked} ({floor})"))
}

/// Whether the client asks for a streamed list (KEP-3157), and may: apimachinery `internalversion/validation`.
fn wants_initial(query: &Query, switched_off: bool) -> Outcome<bool> {
    let refuse = |what: &str| {
        Err(Refusal::invalid(
            "ListOptions.meta.k8s.io",
            "",
            "sendInitialEvents",
            "FieldValueForbidden",
            &format!("Forbidden: {what}"),
        ))
    };
    if query.get("sendInitialEvents").is_empty() {
        return Ok(false);
    }
    if switched_off {
        return refuse(
            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
        );
    }
    if query.get("resourceVersionMatch") != "NotOlderThan" {
        return refuse("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    Ok(query.is("sendInitialEvents"))
}
