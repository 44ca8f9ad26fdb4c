//! What lists and watches have in common: asking, hearing, and passing rows on.

use super::run::{Feed, Trouble};
use crate::app::cluster::decode::Encoding;
use crate::app::cluster::mailbox::is_full;
use crate::app::cluster::pulse::Beat;
use crate::app::cluster::request::{Accept, open, read, uncompressed};
use crate::app::cluster::session::Fault;
use crate::state::health::Health;
use crate::state::parcel::Parcel;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use kube::client::Body;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Longest that rows wait for a parcel to fill up.
const FLUSH: Duration = Duration::from_millis(50);
/// Time between two tellings of progress.
const PROGRESS: Duration = Duration::from_millis(100);

impl Feed {
    /// Asks for this feed's collection and waits until an answer begins.
    pub async fn ask(
        &mut self,
        verb: &'static str,
        query: &str,
    ) -> Result<(Encoding, Body), Trouble> {
        let path = self.spec.gvk().collection(self.spec.namespace.as_deref());
        let accept = if self.json_only { Accept::Json } else { Accept::Any };
        let fault = |fault| Trouble::Fault(verb, fault);
        let mut request = read(&format!("{path}?{query}"), accept).map_err(fault)?;
        if verb == "watch" {
            request = uncompressed(request);
        }
        let client = self.up.client.clone();
        let mut answer = std::pin::pin!(open(&client, request));
        let answer = loop {
            tokio::select! {
                answer = &mut answer => break answer,
                _ = self.beats.changed() => self.beat(),
            }
        };
        if !matches!(answer, Err(Fault::Unreachable(_) | Fault::Timeout { .. })) {
            self.up.pulse.heard();
        }
        if answer.is_ok() && !self.granted.contains(&verb) {
            self.granted.push(verb);
        }
        answer.map_err(fault)
    }

    /// The next piece of an answer, `None` at its end.
    pub async fn chunk(
        &mut self,
        verb: &'static str,
        body: &mut Body,
        silence: Duration,
    ) -> Result<Option<Bytes>, Trouble> {
        let silent = Instant::now() + silence;
        loop {
            let rows_wait = !self.pending.is_empty();
            tokio::select! {
                biased;
                frame = body.frame() => {
                    let Some(frame) = frame else { return Ok(None) };
                    let frame = frame.map_err(|e| Trouble::Fault(verb, Fault::of_error(&e)))?;
                    self.up.pulse.heard();
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                _ = self.beats.changed() => self.beat(),
                _ = sleep_until(self.flushed + FLUSH), if rows_wait => self.flush().await,
                _ = sleep_until(silent) => {
                    return Err(Trouble::Cut("the connection fell silent"));
                }
            }
        }
    }

    /// Passes on what is known of the server, which only concerns rows that are said to be live.
    fn beat(&mut self) {
        let beat = *self.beats.borrow_and_update();
        if self.live {
            self.told = Instant::now();
            self.out.health(match beat {
                Beat::Heard(at) => Health::Live(at),
                Beat::Silent(since) => Health::Stale(since),
            });
        }
    }

    /// Begins a list: rows of earlier ones are swept at its end if it does not mention them.
    pub fn begin(&mut self) {
        if std::mem::take(&mut self.delivered) {
            self.generation = self.generation.wrapping_add(1);
        }
        self.pending = Parcel::new(self.spec.id, self.generation, self.spec.table);
        self.version.clear();
        (self.have, self.of) = (0, None);
        if !self.polls {
            self.tell(Health::Starting { have: 0, of: None });
        }
    }

    /// Takes in one object of a list.
    pub async fn take(&mut self, encoding: Encoding, object: &[u8]) -> Result<(), Trouble> {
        self.plan.read(encoding, object, &mut self.draft)?;
        self.pending.push(&self.draft, self.spec.table);
        self.have += 1;
        if is_full(&self.pending) {
            self.flush().await;
        }
        Ok(())
    }

    /// Sends the rows that wait for company.
    pub async fn flush(&mut self) {
        if !self.pending.is_empty() {
            let empty = Parcel::new(self.spec.id, self.generation, self.spec.table);
            let parcel = std::mem::replace(&mut self.pending, empty);
            self.delivered = true;
            self.out.bulk(parcel).await;
        }
        self.flushed = Instant::now();
    }

    /// Ends a list that was received whole, as of `version`.
    pub async fn settle(&mut self, version: String) {
        self.version = version;
        self.pending.sweep = true;
        self.flush().await;
    }

    /// Tells how far the list is, now and then.
    pub fn progress(&mut self) {
        if !self.polls && self.told.elapsed() >= PROGRESS {
            self.tell(Health::Starting {
                have: self.have,
                of: self.of.filter(|&of| of >= self.have),
            });
        }
    }
}
