//! What nodes and pods use, asked for now and then: `metrics.k8s.io` can be listed and not watched, and metrics-server
//! measures every 15 s at most. It knows no pages (a limit is ignored); what stands in for it may, so pages are followed.
//!
//! The answer is read as it arrives and never held whole. The more there is to read, the rarer it is asked for.

use super::FeedSpec;
use super::asked::Requests;
use super::backoff::{Backoff, scatter};
use super::run::Trouble;
use crate::app::cluster::decode::{ListReader, Plan};
use crate::app::cluster::mailbox::{Outbox, is_full};
use crate::app::cluster::request::{Accept, encode, open, read};
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::health::Health;
use crate::state::kinds::containers;
use crate::state::kinds::usage::{GROUP, VERSIONS};
use crate::state::parcel::{Draft, Parcel};
use crate::state::time::Epoch;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Time between two looks, the window of a usual metrics-server.
const EVERY: Duration = Duration::from_secs(15);
/// Samples from which looks are rarer: each further so many cost 15 s.
const MANY: u64 = 20_000;
/// Longest time between two looks: samples older than that say nothing.
const RAREST: Duration = Duration::from_secs(60);
/// The second look comes soon: what the first one brought may have been for rows that were still on their way.
const SOON: Duration = Duration::from_secs(4);
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
    version: Option<&'static str>,
    generation: u8,
    /// What containers ask for, where samples are told by container.
    requests: Option<Requests>,
    /// A container of the last look was not among them.
    missing: bool,
    /// What could not be read, in words.
    unread: Vec<String>,
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
            version: None,
            generation: 0,
            requests,
            missing: false,
            unread: vec![],
        }
    }

    /// Looks for ever.
    pub async fn run(mut self) {
        let (mut backoff, mut first) = (Backoff::default(), true);
        self.out.health(Health::Starting { have: 0, of: None });
        loop {
            let pause = match self.look().await {
                Ok(samples) => {
                    backoff.reset();
                    let unread = std::mem::take(&mut self.unread);
                    self.out.health(Health::Surveyed { at: self.now(), unread });
                    if std::mem::take(&mut first) { SOON } else { rest(samples) }
                }
                Err(Trouble::Fault(verb, Fault::Forbidden { message, .. })) => {
                    let resource = self.spec.gvk().resource();
                    self.out.health(Health::Denied { verb, resource, message });
                    ABSENT
                }
                Err(Trouble::Fault(_, Fault::NotFound { .. })) => {
                    self.version = None;
                    self.out.health(Health::Missing);
                    ABSENT
                }
                Err(trouble) => {
                    self.version = None;
                    let pause = backoff.next().max(Duration::from_secs(5));
                    let retry = Epoch(self.now().0 + pause.as_secs() as i64);
                    self.out.health(Health::Down { fault: words(trouble), retry });
                    pause
                }
            };
            sleep(pause + scatter(pause / 10)).await;
        }
    }

    fn now(&self) -> Epoch {
        (self.up.clock)()
    }

    /// One look at everything; how many samples there were.
    async fn look(&mut self) -> Result<u64, Trouble> {
        let collection = match self.version {
            Some(version) => self.collection(version),
            None => self.find_version().await?,
        };
        self.read_requests().await;
        self.generation = self.generation.wrapping_add(1);
        let (mut have, mut next) = (0, String::new());
        loop {
            let query = match &*next {
                "" => format!("limit={PAGE}"),
                next => format!("limit={PAGE}&continue={}", encode(next)),
            };
            let (samples, more) = self.page(&format!("{collection}?{query}")).await?;
            have += samples;
            if more.is_empty() {
                return Ok(have);
            }
            next = more;
        }
    }

    /// Reads what containers ask for, if that is told and not known.
    async fn read_requests(&mut self) {
        let Some(requests) = &mut self.requests else { return };
        if !requests.due(std::mem::take(&mut self.missing)) {
            return;
        }
        if let Err(trouble) = requests.refresh(&self.up, self.spec.namespace.as_deref()).await {
            self.unread.push(format!("requests and limits: {}", words(trouble)));
        }
    }

    /// Adds what was read: a row, or one for each container.
    fn push(&mut self, parcel: &mut Parcel) {
        let Some(requests) = &self.requests else {
            return parcel.push(&self.draft, self.spec.table);
        };
        let mut i = 0;
        let missing = std::cell::Cell::new(false);
        let asked = |namespace: &str, pod: &str, container: &str| {
            let asked = requests.of(namespace, pod, container);
            missing.set(missing.get() || asked.is_none());
            asked
        };
        while containers::turn(&mut self.draft, i, asked) {
            parcel.push(&self.draft, self.spec.table);
            i += 1;
        }
        self.missing |= missing.get();
    }

    /// The first version that the server has. An API whose server is dead answers 503, one that is not there 404.
    async fn find_version(&mut self) -> Result<String, Trouble> {
        let mut missing = None;
        for version in VERSIONS {
            let path = self.collection(version);
            let request = read(&format!("{path}?limit=1"), Accept::Json);
            let request = request.map_err(|fault| Trouble::Fault("list", fault))?;
            match open(&self.up.client, request).await {
                Ok(_) => {
                    self.version = Some(version);
                    return Ok(path);
                }
                Err(fault @ Fault::NotFound { .. }) => missing = Some(fault),
                Err(fault) => return Err(Trouble::Fault("list", fault)),
            }
        }
        let fault = missing.unwrap_or(Fault::NotFound { message: GROUP.into() });
        Err(Trouble::Fault("list", fault))
    }

    fn collection(&self, version: &'static str) -> String {
        let gvk = crate::state::decl::Gvk { version, ..*self.spec.gvk() };
        gvk.collection(self.spec.namespace.as_deref())
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
        parcel.sweep = meta.next.is_empty();
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

fn words(trouble: Trouble) -> String {
    match trouble {
        Trouble::Fault(_, fault) => fault.to_string(),
        Trouble::Malformed(malformed) => malformed.to_string(),
        Trouble::Cut(words) => words.to_owned(),
        Trouble::Unstreamed => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_there_is_the_rarer_it_is_asked_for() {
        assert_eq!(rest(50), EVERY);
        assert_eq!(rest(30_000), 2 * EVERY);
        assert_eq!(rest(150_000), RAREST);
    }
}
