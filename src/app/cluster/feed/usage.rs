//! What nodes and pods use, asked for now and then: `metrics.k8s.io` can be listed and not watched, and metrics-server
//! measures every 15 s at most. It knows no pages (a limit is ignored); what stands in for it may, so pages are followed.
//!
//! The answer is read as it arrives and never held whole. The more there is to read, the rarer it is asked for. Containers that
//! nothing measures are shown with what they ask for.

use super::FeedSpec;
use super::asked::{Requests, Rows};
use super::backoff::{Backoff, scatter};
use super::discovered::versions;
use super::run::Trouble;
use crate::app::cluster::decode::{ListReader, Plan};
use crate::app::cluster::mailbox::{Outbox, is_full};
use crate::app::cluster::request::{Accept, encode, open, read};
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::health::Health;
use crate::state::kinds::containers;
use crate::state::kinds::usage::WINDOW;
use crate::state::parcel::{Draft, Look, Parcel};
use crate::state::time::Epoch;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Time between two looks, the window of a usual metrics-server; also of feeds that follow each other.
const EVERY: Duration = Duration::from_secs(15);
/// Samples from which looks are rarer: each further so many cost 15 s.
const MANY: u64 = 20_000;
/// Longest time between two looks.
const RAREST: Duration = Duration::from_secs(60);
/// Time between two tries where the API is missing or refused: both change when somebody does something.
const ABSENT: Duration = Duration::from_secs(60);
/// Longest silence within an answer.
const SILENCE: Duration = Duration::from_secs(30);
/// Items of a page, where there are pages.
const PAGE: u32 = 5000;

/// A feed of samples.
pub(super) struct Samples {
    spec: FeedSpec,
    up: Arc<Upstream>,
    out: Outbox,
    plan: Plan,
    draft: Draft,
    generation: u8,
    /// What containers ask for, where samples are told by container.
    requests: Option<Requests>,
    /// The rows that were delivered last are those of requests alone.
    alone: bool,
    /// How not even that is to be had, if it is not.
    unread: Option<Health>,
    /// The longest window of this look.
    window: i64,
    /// The longest that a look took, with what was read beside it.
    slowest: Duration,
}

impl Samples {
    pub fn new(spec: FeedSpec, up: Arc<Upstream>, out: Outbox) -> Samples {
        let plan = Plan::new(spec.table, spec.kind);
        let requests = (spec.table.id == containers::TABLE.id).then(Requests::default);
        let draft = Draft::default();
        Samples {
            plan,
            spec,
            up,
            out,
            draft,
            generation: 0,
            requests,
            alone: false,
            unread: None,
            window: 0,
            slowest: Duration::ZERO,
        }
    }

    /// Looks for ever.
    pub async fn run(mut self) {
        let (mut backoff, mut first) = (Backoff::default(), true);
        self.out.health(Health::Starting { have: 0, of: None });
        loop {
            let began = Instant::now();
            // Rows are on screen before the metrics API answers, or if it never does.
            self.read_requests(first).await;
            if first {
                self.wait_for_turn().await;
            }
            let (pause, health) = match self.look().await {
                Ok(samples) => {
                    backoff.reset();
                    let pause = if std::mem::take(&mut first) { EVERY } else { rest(samples) };
                    self.slowest = self.slowest.max(began.elapsed());
                    self.end_look(samples, pause).await;
                    let unread = self.requests.iter().filter_map(|r| r.fault.as_deref());
                    let unread = unread.map(|why| format!("requests and limits: {why}")).collect();
                    (pause, Health::Surveyed { at: self.now(), unread })
                }
                Err(trouble) => self.fault(trouble, &mut backoff),
            };
            let failed = !matches!(health, Health::Surveyed { .. });
            if failed {
                self.fall_back().await;
            }
            let unread = self.unread.clone().filter(|_| failed);
            self.out.health(unread.unwrap_or(health));
            sleep(pause + scatter(pause / 10)).await;
        }
    }

    /// How a failed look is told, and how long to wait after it.
    fn fault(&self, trouble: Trouble, backoff: &mut Backoff) -> (Duration, Health) {
        match trouble {
            Trouble::Fault(verb, Fault::Forbidden { message, .. }) => {
                let resource = self.spec.gvk().resource();
                (ABSENT, Health::Denied { verb, resource, message })
            }
            Trouble::Fault(_, Fault::NotFound { .. }) => (ABSENT, Health::Missing),
            trouble => {
                let pause = backoff.next().max(Duration::from_secs(5));
                let retry = Epoch(self.now().0 + pause.as_secs() as i64);
                (pause, Health::Down { fault: trouble.words(), retry })
            }
        }
    }

    fn now(&self) -> Epoch {
        (self.up.clock)()
    }

    /// Who comes back to a view does not have everything listed again at once.
    async fn wait_for_turn(&self) {
        let scope = self.spec.namespace.as_deref();
        if let Some(last) = self.up.usage.last(self.spec.table.id, scope) {
            sleep_until(last + EVERY).await;
        }
    }

    /// One look at everything; how many samples there were. The version that answered last is asked first; where it fails the
    /// server is asked which it has, and the first that answers is taken.
    async fn look(&mut self) -> Result<u64, Trouble> {
        self.generation = self.generation.wrapping_add(1);
        self.window = 0;
        let mut fault = None;
        if let Some(version) = self.up.usage.version() {
            match self.list(version).await {
                Err(trouble) if !trouble.is_refusal() => fault = Some(trouble),
                done => return done,
            }
            self.up.usage.found(None);
        }
        let served =
            versions(&self.up.client).await.map_err(|fault| Trouble::Fault("get", fault))?;
        for version in served {
            match self.list(version).await {
                Err(trouble) if !trouble.is_refusal() => drop(fault.get_or_insert(trouble)),
                done => {
                    self.up.usage.found(Some(version).filter(|_| done.is_ok()));
                    return done;
                }
            }
        }
        Err(fault.unwrap_or(Trouble::Cut("no version of the metrics API answers")))
    }

    async fn list(&mut self, version: &'static str) -> Result<u64, Trouble> {
        let gvk = crate::state::decl::Gvk { version, ..*self.spec.gvk() };
        let collection = gvk.collection(self.spec.namespace.as_deref());
        let (mut have, mut next) = (0, String::new());
        loop {
            let query = match &*next {
                "" => format!("limit={PAGE}"),
                next => format!("limit={PAGE}&continue={}", encode(next)),
            };
            let (samples, more) = self.page(&format!("{collection}?{query}")).await?;
            have += samples;
            if more.is_empty() {
                self.up.usage.looked(self.spec.table.id, self.spec.namespace.as_deref());
                return Ok(have);
            }
            next = more;
        }
    }

    /// What was not seen goes, and what was seen lasts at least until the next look is over.
    async fn end_look(&mut self, samples: u64, pause: Duration) {
        let pause = (self.slowest + pause).as_secs_f64() * 1.1;
        let (at, window) = (self.now(), self.window);
        let mut parcel = Parcel::new(self.spec.id, self.generation, self.spec.table);
        parcel.look = Some(Look { at, samples, window, pause: pause.ceil() as i64 });
        // A server that has just begun measures nothing: what containers ask for stays.
        let nothing = samples == 0 && self.requests.is_some();
        parcel.sweep = !nothing;
        self.out.bulk(parcel).await;
        self.requests.iter_mut().for_each(Requests::looked);
        match nothing {
            true => self.fall_back().await,
            false => self.alone = false,
        }
    }

    /// Shows what containers ask for alone.
    async fn fall_back(&mut self) {
        let settled = self.alone || self.unread.is_some();
        if !settled || self.requests.as_ref().is_some_and(Requests::due) {
            self.ask(true).await;
        }
    }

    /// Reads what containers ask for, if that is told and it is time; with rows of nothing else, if they are wanted.
    async fn read_requests(&mut self, rows: bool) {
        if self.requests.as_ref().is_some_and(Requests::due) {
            self.ask(rows).await;
        }
    }

    /// Reads it now.
    async fn ask(&mut self, rows: bool) {
        let Some(requests) = &mut self.requests else { return };
        self.generation = self.generation.wrapping_add(u8::from(rows));
        let out = rows.then_some((self.generation, &mut self.out));
        let read = requests.refresh(&self.up, Rows { spec: &self.spec, out }).await;
        self.alone |= rows && read.is_ok();
        self.unread = read.err().map(|trouble| match trouble {
            Trouble::Fault(verb, Fault::Forbidden { message, .. }) => {
                Health::Denied { verb, resource: "pods".into(), message }
            }
            trouble => {
                let retry = Epoch(self.now().0 + ABSENT.as_secs() as i64);
                Health::Down {
                    fault: format!("{}: {}", containers::UNREAD, trouble.words()),
                    retry,
                }
            }
        });
    }

    /// Adds what was read: a row, or one for each container.
    fn push(&mut self, parcel: &mut Parcel) {
        let Some(requests) = &mut self.requests else {
            self.window = self.window.max(self.draft.get(WINDOW));
            return parcel.push(&self.draft, self.spec.table);
        };
        self.window = self.window.max(self.draft.get(containers::WINDOW));
        let mut i = 0;
        let mut asked =
            |namespace: &str, pod: &str, container: &str| requests.of(namespace, pod, container);
        while containers::turn(&mut self.draft, i, &mut asked) {
            parcel.push(&self.draft, self.spec.table);
            i += 1;
        }
    }

    /// One page: its samples, and how to go on.
    async fn page(&mut self, path: &str) -> Result<(u64, String), Trouble> {
        let fault = |fault| Trouble::Fault("list", fault);
        let request = read(path, Accept::Json).map_err(fault)?;
        let (encoding, mut body) = open(&self.up.client, request).await.map_err(fault)?;
        let mut reader = ListReader::new(encoding);
        let (id, generation, table) = (self.spec.id, self.generation, self.spec.table);
        let empty = || Parcel::new(id, generation, table);
        let (mut parcel, mut have) = (empty(), 0);
        loop {
            let frame = tokio::time::timeout(SILENCE, body.frame()).await;
            let frame = frame.map_err(|_| Trouble::Cut("the connection fell silent"))?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|e| fault(Fault::of_error(&e)))?;
            let Ok(data) = frame.into_data() else { continue };
            self.up.pulse.heard();
            reader.push(&data);
            while let Some(item) = reader.next_item()? {
                self.plan.read(encoding, item, &mut self.draft)?;
                have += 1;
                self.push(&mut parcel);
                if is_full(&parcel) {
                    self.out.bulk(std::mem::replace(&mut parcel, empty())).await;
                }
            }
        }
        let end = reader.end_unversioned();
        let meta = end.map_err(|_| Trouble::Cut("the list was cut off before its end"))?;
        if !parcel.is_empty() {
            self.out.bulk(parcel).await;
        }
        Ok((have, meta.next))
    }
}

/// Time until the next look after one that brought so many samples.
fn rest(samples: u64) -> Duration {
    (EVERY * (1 + (samples / MANY) as u32)).min(RAREST)
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
