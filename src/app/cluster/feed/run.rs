//! The life of a feed: what it does next, and what it does about trouble.

use super::FeedSpec;
use super::backoff::{Backoff, scatter};
use crate::app::cluster::decode::{Malformed, Plan};
use crate::app::cluster::mailbox::Outbox;
use crate::app::cluster::pulse::Beat;
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::health::Health;
use crate::state::parcel::{Draft, Parcel};
use crate::state::time::Epoch;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Time between lists where watching is not allowed.
const POLL: Duration = Duration::from_secs(30);
/// Lists before it is tried again whether watching is allowed by now.
const POLLS: u32 = 10;
/// Pause after a refusal that only a person can lift.
const DENIED: Duration = Duration::from_secs(60);
/// Pause before looking again for a kind that the server does not know.
const MISSING: Duration = Duration::from_secs(300);
/// Longest pause a server may ask for.
const RETRY_AFTER: Duration = Duration::from_secs(300);
/// Refusals of one watch position after which everything is listed again. A server restored from a backup refuses
/// positions of its former life for ever, and not with 410.
const STUCK: u32 = 4;
/// Refusals after which a right once granted is believed to be gone: a restarted server answers before it has read its
/// rules, and refuses everybody meanwhile (a matter of seconds; the pauses add up to at least 12).
const DOUBTS: u32 = 6;

/// A running feed.
pub(super) struct Feed {
    pub spec: FeedSpec,
    pub up: Arc<Upstream>,
    pub plan: Plan,
    pub out: Outbox,
    pub draft: Draft,
    pub beats: watch::Receiver<Beat>,
    /// Rows of a list on their way to being a full parcel.
    pub pending: Parcel,
    pub flushed: Instant,
    /// Counts lists that delivered something, so that the sweep knows what it did not mention.
    pub generation: u8,
    pub delivered: bool,
    /// Rows of this list so far, and in all if the server told.
    pub have: u64,
    pub of: Option<u64>,
    /// The position a watch goes on from; empty until a list was received whole.
    pub version: String,
    /// Whether rows follow the cluster, as far as was told.
    pub live: bool,
    /// When a health that changes by itself was told last.
    pub told: Instant,
    /// Lists are repeated because watching is refused.
    pub polls: bool,
    /// Whether this server sends bookmarks on this kind's watches.
    pub bookmarked: bool,
    /// Whether this kind's initial list may be asked for as a WatchList.
    pub streams: bool,
    /// Protobuf of this kind was not readable once.
    pub json_only: bool,
    /// The verbs that were allowed when they were asked for last, `list` and `watch`.
    pub granted: Vec<&'static str>,
    pub backoff: Backoff,
    pub refusals: u32,
}

/// What a feed does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    List,
    Watch,
    /// List again after a while, so many times before watching is tried again.
    Poll(u32),
}

/// What ended a list or a watch before its time.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A `list` or `watch` was refused, or the server could not be reached.
    Fault(&'static str, Fault),
    Malformed(Malformed),
    /// The connection ended, or fell silent, in the middle of something.
    Cut(&'static str),
    /// The server begins WatchLists and does not finish them.
    Unstreamed,
}

impl Trouble {
    /// Whether a rule is missing.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Trouble::Fault(_, Fault::Forbidden { .. }))
    }

    /// What happened.
    pub fn words(&self) -> String {
        match self {
            Trouble::Fault(_, fault) => fault.to_string(),
            Trouble::Malformed(malformed) => malformed.to_string(),
            Trouble::Cut(words) => (*words).to_owned(),
            Trouble::Unstreamed => "the first list was not finished".to_owned(),
        }
    }
}

impl From<Malformed> for Trouble {
    fn from(malformed: Malformed) -> Trouble {
        Trouble::Malformed(malformed)
    }
}

impl Feed {
    pub fn new(spec: FeedSpec, up: Arc<Upstream>, out: Outbox) -> Feed {
        let now = Instant::now();
        Feed {
            plan: Plan::new(spec.table, spec.kind),
            pending: Parcel::new(spec.id, 0, spec.table),
            beats: up.pulse.beats(),
            draft: Draft::default(),
            flushed: now,
            generation: 0,
            delivered: true,
            have: 0,
            of: None,
            version: String::new(),
            live: false,
            told: now,
            polls: false,
            bookmarked: false,
            streams: true,
            json_only: false,
            granted: vec![],
            backoff: Backoff::default(),
            refusals: 0,
            spec,
            up,
            out,
        }
    }

    pub async fn run(mut self) {
        let mut next = Next::List;
        loop {
            let outcome = match next {
                Next::List => self.start().await,
                Next::Watch => self.follow().await,
                Next::Poll(left) => self.poll(left).await,
            };
            next = match outcome {
                Ok(next) => next,
                Err(trouble) => self.recover(trouble).await,
            };
        }
    }

    /// The initial list: streamed if the server can, else in pages.
    async fn start(&mut self) -> Result<Next, Trouble> {
        self.polls = false;
        if self.streams && self.up.streams() {
            let outcome = self.stream().await;
            let listed = !self.version.is_empty();
            match outcome {
                Err(trouble) if listed => return Err(trouble),
                Err(Trouble::Fault(_, Fault::Rejected { code: 400 | 422, .. })) => {
                    self.up.stop_streams();
                }
                Err(Trouble::Unstreamed) => self.streams = false,
                // A WatchList needs the right to watch only; listing may be allowed without it.
                Err(Trouble::Fault(verb, Fault::Forbidden { .. }))
                    if !self.granted.contains(&verb) =>
                {
                    self.list().await?;
                    return Ok(Next::Poll(POLLS));
                }
                outcome => return outcome.map(|()| Next::Watch),
            }
        }
        self.list().await?;
        Ok(Next::Watch)
    }

    async fn poll(&mut self, left: u32) -> Result<Next, Trouble> {
        self.backoff.reset();
        self.polls = true;
        self.tell(Health::Polled { at: self.now(), every: POLL.as_secs() as u32 });
        sleep(POLL + scatter(POLL / 10)).await;
        let Some(left) = left.checked_sub(1) else { return Ok(Next::List) };
        self.list().await?;
        Ok(Next::Poll(left))
    }

    /// Tells what is wrong, waits, and decides how to go on: from the position known, or with a list.
    async fn recover(&mut self, trouble: Trouble) -> Next {
        let refused = matches!(
            trouble,
            Trouble::Fault(_, Fault::Rejected { .. } | Fault::Forbidden { .. })
                | Trouble::Malformed(_)
        );
        self.refusals = if refused { self.refusals + 1 } else { 0 };
        let listed = !self.version.is_empty();
        let (pause, next) = match trouble {
            Trouble::Fault(_, Fault::Gone { .. }) => {
                self.tell(Health::Starting { have: 0, of: None });
                // The first time soon, but not with all the others whose watches expired together.
                let first = self.backoff.is_fresh();
                let pause = self.backoff.next();
                (if first { pause / 2 } else { pause }, Next::List)
            }
            Trouble::Fault(verb, Fault::Forbidden { .. }) if self.doubts(verb) => {
                (self.stumble(trouble), if listed { Next::Watch } else { Next::List })
            }
            Trouble::Fault("watch", Fault::Forbidden { .. }) if listed => {
                return Next::Poll(POLLS);
            }
            Trouble::Fault(verb, Fault::Forbidden { message, .. }) => {
                let resource = self.spec.gvk().plural.to_owned();
                self.tell(Health::Denied { verb, resource, message });
                (DENIED + scatter(DENIED / 10), Next::List)
            }
            Trouble::Fault(_, Fault::NotFound { .. }) => {
                self.tell(Health::Missing);
                (MISSING + scatter(MISSING / 10), Next::List)
            }
            trouble => {
                let pause = self.stumble(trouble);
                (pause, if listed && self.refusals < STUCK { Next::Watch } else { Next::List })
            }
        };
        sleep(pause).await;
        next
    }

    /// Whether the refusal of a verb may pass by itself. Once it is believed, so is the next one at once.
    fn doubts(&mut self, verb: &str) -> bool {
        if self.refusals >= DOUBTS {
            self.granted.retain(|granted| *granted != verb);
        }
        self.granted.contains(&verb)
    }

    /// Tells of trouble that may pass by itself. Returns how long to wait.
    fn stumble(&mut self, trouble: Trouble) -> Duration {
        let mut pause = self.backoff.next();
        let fault = match trouble {
            Trouble::Fault(_, Fault::Timeout { after }) => {
                format!("the server did not begin to answer within {} s", after.as_secs())
            }
            Trouble::Fault(_, fault @ Fault::Unauthenticated { .. }) => {
                format!("{fault}; :login obtains new ones")
            }
            Trouble::Fault(_, fault) => {
                if let Fault::Throttled { after: Some(asked), .. } = &fault {
                    pause = pause.max(*asked).min(RETRY_AFTER);
                }
                fault.to_string()
            }
            Trouble::Malformed(malformed) => {
                self.json_only = true;
                malformed.to_string()
            }
            Trouble::Cut(words) => words.to_owned(),
            Trouble::Unstreamed => "the first list was not finished".to_owned(),
        };
        let retry = Epoch(self.now().0 + pause.as_secs_f32().ceil() as i64);
        self.tell(Health::Down { fault, retry });
        pause
    }

    pub fn now(&self) -> Epoch {
        (self.up.clock)()
    }

    pub fn tell(&mut self, health: Health) {
        let live = matches!(health, Health::Live(_));
        if live != self.live || matches!(health, Health::Down { .. } | Health::Denied { .. }) {
            let kind = self.spec.table.kinds[usize::from(self.spec.kind)].gvk.plural;
            tracing::info!("feed of {kind}: {}", health.words(self.now()).1);
        }
        self.live = live;
        self.told = Instant::now();
        self.out.health(health);
    }

    /// A success: the next failure is a first one again.
    pub fn proved(&mut self) {
        self.backoff.reset();
        self.refusals = 0;
    }
}
