//! Whole objects of a collection, followed: listed in pages, then watched, for whoever needs more of a few objects than a
//! row holds. Tables are fed by [`super::feed`].
//!
//! Invariant: every object of the collection is told once per list and again whenever it changes; one that is gone is told
//! so, also when that happened between two watches.

use super::decode::{Bookmark, Verb, WatchReader, status};
use super::feed::backoff::{Backoff, scatter};
use super::request::{Accept, encode, open, read, uncompressed};
use super::session::{Fault, get};
use http_body_util::BodyExt as _;
use kube::Client;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Objects of a page.
const PAGE: u32 = 500;
/// Longest wait for one.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(60));
/// Longest silence of a watch: it gets a bookmark about every minute.
const SILENCE: Duration = Duration::from_secs(90);
/// A watch that was open this long was a success, whatever ends it.
const LASTED: Duration = Duration::from_secs(10);

/// What is told of a collection.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// An object as it is now.
    Put(Value),
    /// An object that is gone: as it was last, or its name, namespace and uid alone if that is all that is known.
    Gone(Value),
    /// Every object there is was told.
    Listed,
    /// It cannot be followed at the moment, in words; it is tried again.
    Trouble(String),
}

/// Follows a collection for ever. `path` may carry a selector as its query.
pub async fn follow(client: &Client, path: &str, mut take: impl FnMut(Told) + Send) {
    let mut follower = Follower { client, path, known: BTreeMap::new(), version: String::new() };
    let mut backoff = Backoff::default();
    loop {
        let begun = Instant::now();
        let outcome = match follower.version.is_empty() {
            true => follower.list(&mut take).await,
            false => follower.watch(&mut take).await,
        };
        if outcome.is_ok() || begun.elapsed() >= LASTED {
            backoff.reset();
        }
        match outcome {
            Ok(()) => continue,
            Err(Fault::Gone { .. }) => follower.version.clear(),
            Err(fault) => take(Told::Trouble(fault.to_string())),
        }
        sleep(backoff.next()).await;
    }
}

struct Follower<'a> {
    client: &'a Client,
    path: &'a str,
    /// What is known to be there: its identity by uid.
    known: BTreeMap<String, Value>,
    /// Where a watch goes on; empty if everything has to be listed.
    version: String,
}

impl Follower<'_> {
    fn url(&self, query: &str) -> String {
        let mark = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{mark}{query}", self.path)
    }

    async fn list(&mut self, take: &mut (impl FnMut(Told) + Send)) -> Result<(), Fault> {
        let (mut next, mut seen) = (String::new(), BTreeMap::new());
        let version = loop {
            let more = match next.as_str() {
                "" => String::new(),
                token => format!("&continue={}", encode(token)),
            };
            let url = self.url(&format!("limit={PAGE}{more}"));
            let answer = get(self.client, &url, DEADLINE).await?;
            let mut page: Value =
                serde_json::from_slice(&answer.body).map_err(|_| foreign(&url))?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                for object in items {
                    seen.insert(uid(&object), identity(&object));
                    take(Told::Put(object));
                }
            }
            let text = |at: &str| page.pointer(at).and_then(Value::as_str).unwrap_or_default();
            next = text("/metadata/continue").to_owned();
            if next.is_empty() {
                break text("/metadata/resourceVersion").to_owned();
            }
        };
        for (uid, identity) in std::mem::replace(&mut self.known, seen) {
            if !self.known.contains_key(&uid) {
                take(Told::Gone(identity));
            }
        }
        take(Told::Listed);
        self.version = version;
        Ok(())
    }

    async fn watch(&mut self, take: &mut (impl FnMut(Told) + Send)) -> Result<(), Fault> {
        let seconds = (Duration::from_secs(180) + scatter(Duration::from_secs(20))).as_secs();
        let url = self.url(&format!(
            "watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={}",
            encode(&self.version)
        ));
        let begun = Instant::now();
        let request = uncompressed(read(&url, Accept::Json)?);
        let (encoding, mut body) = open(self.client, request).await?;
        let mut reader = WatchReader::new(encoding);
        loop {
            let Ok(frame) = timeout(SILENCE, body.frame()).await else {
                return Err(Fault::Timeout { after: SILENCE });
            };
            let Some(frame) = frame else { break };
            let Ok(chunk) = frame.map_err(|e| Fault::of_error(&e))?.into_data() else { continue };
            reader.push(&chunk);
            loop {
                let event = reader.next_event().map_err(|e| Fault::Foreign(e.to_string()))?;
                let Some(event) = event else { break };
                match event.verb {
                    Verb::Bookmark => {
                        let bookmark = Bookmark::read(encoding, event.object);
                        let bookmark = bookmark.map_err(|e| Fault::Foreign(e.to_string()))?;
                        self.version = bookmark.version;
                    }
                    Verb::Error => {
                        let status = status(encoding, event.object);
                        let status = status.map_err(|e| Fault::Foreign(e.to_string()))?;
                        return Err(Fault::of_status(&status));
                    }
                    verb => {
                        let object =
                            serde_json::from_slice(event.object).map_err(|_| foreign(&url))?;
                        self.took(verb, object, take);
                    }
                }
            }
        }
        // A server that ends each watch as it begins must not be asked in a circle.
        match begun.elapsed() < Duration::from_secs(1) {
            true => Err(Fault::Foreign("the server ends the watch as soon as it begins".into())),
            false => Ok(()),
        }
    }

    fn took(&mut self, verb: Verb, object: Value, take: &mut (impl FnMut(Told) + Send)) {
        if let Some(version) = object.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
            version.clone_into(&mut self.version);
        }
        let uid = uid(&object);
        if verb == Verb::Gone {
            self.known.remove(&uid);
            return take(Told::Gone(object));
        }
        self.known.insert(uid, identity(&object));
        take(Told::Put(object));
    }
}

fn uid(object: &Value) -> String {
    object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What is kept of an object to tell its end.
fn identity(object: &Value) -> Value {
    let meta = &object["metadata"];
    serde_json::json!({"metadata": {
        "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
    }})
}

fn foreign(url: &str) -> Fault {
    Fault::Foreign(format!("{url} was asked for in JSON and came as something else"))
}
