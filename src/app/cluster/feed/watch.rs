//! Watches, with or without the initial list in front (WatchList, KEP-3157).

use super::backoff::scatter;
use super::run::{Feed, Next, Trouble};
use crate::app::cluster::decode::{Bookmark, Encoding, Event, Verb, WatchReader, status};
use crate::app::cluster::pulse::QUIET;
use crate::app::cluster::request::encode;
use crate::app::cluster::session::Fault;
use crate::state::health::Health;
use kube::client::Body;
use std::time::Duration;
use tokio::time::Instant;

/// Watches end after 180 to 200 s: load balancers drop connections that live longer, some after 240 s.
const TIMEOUT: Duration = Duration::from_secs(180);
const SPREAD: Duration = Duration::from_secs(20);
/// Longest silence of a watch that gets no bookmarks.
const SILENCE: Duration = Duration::from_secs(210);
/// Longest silence of one that gets them: about every minute.
const BOOKMARKED: Duration = Duration::from_secs(90);
/// Longest silence within an initial list.
const INITIAL: Duration = Duration::from_secs(30);
/// An initial list that takes longer is worth a question how long it will be.
const LONG: Duration = Duration::from_millis(700);
/// A watch that was open this long was a success, whatever ends it.
const LASTED: Duration = Duration::from_secs(10);
/// A watch that ends sooner was not worth opening.
const SHORT: Duration = Duration::from_secs(1);

/// The query of a watch.
fn query(position: &str) -> String {
    let secs = (TIMEOUT + scatter(SPREAD)).as_secs();
    format!("watch=1&allowWatchBookmarks=true&timeoutSeconds={secs}&{position}")
}

impl Feed {
    /// Follows the initial list and everything after it on one connection.
    pub async fn stream(&mut self) -> Result<(), Trouble> {
        self.begin();
        let position = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
        let (encoding, body) = self.ask("watch", &query(position)).await?;
        self.events(encoding, body, true).await
    }

    /// Follows everything after the position known.
    pub async fn follow(&mut self) -> Result<Next, Trouble> {
        let opened = Instant::now();
        let position = format!("resourceVersion={}", encode(&self.version));
        let (encoding, body) = self.ask("watch", &query(&position)).await?;
        self.tell(Health::Live(self.now()));
        let outcome = self.events(encoding, body, false).await;
        if opened.elapsed() >= LASTED {
            self.backoff.reset();
        }
        outcome?;
        if opened.elapsed() < SHORT {
            return Err(Trouble::Cut("the server ends the watch as soon as it begins"));
        }
        self.proved();
        Ok(Next::Watch)
    }

    /// Takes in events until the watch ends. `initial`: the first of them are a list.
    async fn events(
        &mut self,
        encoding: Encoding,
        mut body: Body,
        mut initial: bool,
    ) -> Result<(), Trouble> {
        let mut reader = WatchReader::new(encoding);
        let begun = Instant::now();
        let mut total = None;
        loop {
            let silence = match (initial, self.bookmarked) {
                (true, _) => INITIAL,
                (false, true) => BOOKMARKED,
                (false, false) => SILENCE,
            };
            let chunk = match self.chunk("watch", &mut body, silence).await {
                Err(Trouble::Cut(_)) if initial => return Err(Trouble::Unstreamed),
                // The connection is dead, the server need not be: the next watch will tell.
                Err(Trouble::Cut(_)) => return Ok(()),
                chunk => chunk?,
            };
            let Some(chunk) = chunk else { break };
            reader.push(&chunk);
            while let Some(event) = reader.next_event()? {
                initial = self.event(encoding, event, initial).await?;
            }
            if initial {
                if begun.elapsed() >= LONG {
                    let told = total.get_or_insert_with(|| self.count()).try_recv();
                    self.of = told.ok().or(self.of);
                }
                self.progress();
            } else if self.told.elapsed() >= QUIET {
                self.tell(Health::Live(self.now()));
            }
        }
        match (initial, reader.ends_well()) {
            (true, _) => Err(Trouble::Unstreamed),
            (false, true) => Ok(()),
            (false, false) => Err(Trouble::Cut("the watch was cut off in the middle of an event")),
        }
    }

    /// Takes in one event. Returns whether the initial list still goes on.
    async fn event(
        &mut self,
        encoding: Encoding,
        event: Event<'_>,
        initial: bool,
    ) -> Result<bool, Trouble> {
        match (event.verb, initial) {
            (Verb::Put, true) => self.take(encoding, event.object).await?,
            (Verb::Put, false) => {
                self.plan.read(encoding, event.object, &mut self.draft)?;
                self.out.put(&self.draft, self.generation);
                self.reached();
            }
            (Verb::Gone, true) => {
                self.plan.read(encoding, event.object, &mut self.draft)?;
                self.pending.gone.push(self.draft.key());
                // Within a parcel what is gone goes after its rows, and more rows may follow.
                self.flush().await;
            }
            (Verb::Gone, false) => {
                self.plan.read(encoding, event.object, &mut self.draft)?;
                self.out.gone(self.draft.key(), self.generation);
                self.reached();
            }
            (Verb::Bookmark, _) => {
                let bookmark = Bookmark::read(encoding, event.object)?;
                if initial {
                    if bookmark.initial_end {
                        self.settle(bookmark.version).await;
                        self.tell(Health::Live(self.now()));
                    }
                    return Ok(!bookmark.initial_end);
                }
                self.version = bookmark.version;
                self.bookmarked = true;
                self.proved();
            }
            (Verb::Error, _) => {
                let status = status(encoding, event.object)?;
                return Err(Trouble::Fault("watch", Fault::of_status(&status)));
            }
        }
        Ok(initial)
    }

    /// Notes the position of the event just taken in.
    fn reached(&mut self) {
        let version = self.draft.version();
        if !version.is_empty() {
            self.version.clear();
            self.version.push_str(&version);
        }
        self.proved();
    }
}
