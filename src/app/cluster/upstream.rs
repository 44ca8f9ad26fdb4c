//! What the feeds of one session share.

use super::fairness::Dumps;
use super::pulse::Pulse;
use super::scrape::Scrapes;
use super::session::{EtcdArgs, Papers};
use crate::state::fairness::metrics as fairness;
use crate::state::metrics::Want;
use crate::state::metrics::apiserver::names;
use crate::state::time::Epoch;
use kube::Client;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;
use tokio::time::Instant;

/// The wall clock.
pub type Clock = Arc<dyn Fn() -> Epoch + Send + Sync>;

/// One session as its feeds see it. The watch over its liveness ends when the last of them is gone.
pub struct Upstream {
    /// Sends requests that carry a permit.
    pub client: Client,
    /// The wall clock, for what is told to people; waiting goes by tokio's clock.
    pub clock: Clock,
    /// Whether the server is heard.
    pub pulse: Pulse,
    /// What `/metrics` says, shared by all who look.
    pub scrapes: Scrapes,
    /// What priority and fairness dumps, shared by all who look.
    pub dumps: Dumps,
    /// What is known of the metrics API.
    pub usage: super::feed::Known,
    /// Where etcd's own metrics are.
    pub etcd: OnceLock<EtcdArgs>,
    /// The session's certificates, where the cluster is real.
    pub papers: OnceLock<Papers>,
    streams: AtomicBool,
    nudges: watch::Sender<(u64, Option<Instant>)>,
}

impl Upstream {
    /// Feeds may be spawned on this. Must be called within a tokio runtime.
    pub fn new(client: Client, clock: Clock) -> Arc<Upstream> {
        let pulse = Pulse::new(clock.clone());
        let streams = AtomicBool::new(true);
        // All of it from the beginning: whoever wants more later waits for its turn, and what was not kept before cannot be
        // compared with.
        let scrapes = Scrapes::default();
        scrapes.want(&wants());
        let upstream = Arc::new(Upstream {
            client,
            clock,
            pulse,
            scrapes,
            dumps: Dumps::default(),
            usage: Default::default(),
            etcd: OnceLock::new(),
            papers: OnceLock::new(),
            streams,
            nudges: watch::Sender::new((0, None)),
        });
        tokio::spawn(super::pulse::watch_over(Arc::downgrade(&upstream)));
        upstream
    }

    /// The operator asks that what is looked at now and then be looked at now.
    pub fn nudge(&self) {
        self.nudges.send_modify(|(number, at)| {
            *number += 1;
            *at = Some(Instant::now());
        });
    }

    /// News of that.
    pub(super) fn nudges(&self) -> watch::Receiver<(u64, Option<Instant>)> {
        self.nudges.subscribe()
    }

    /// How often that happened, and when last.
    pub(super) fn nudged(&self) -> (u64, Option<Instant>) {
        *self.nudges.borrow()
    }

    /// Whether initial lists may be asked for as WatchLists (KEP-3157). Found out by the first feed that tries.
    pub(super) fn streams(&self) -> bool {
        self.streams.load(Ordering::Relaxed)
    }

    /// Notes that the server does not serve WatchLists.
    pub(super) fn stop_streams(&self) {
        self.streams.store(false, Ordering::Relaxed);
    }
}

/// What a session keeps of each scrape, for all that live on them.
pub fn wants() -> Vec<Want> {
    [names::wants(), fairness::WANTS.to_vec(), super::feed::health::wants().to_vec()].concat()
}

/// The wall clock of this machine.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Epoch(since.map_or(0, |s| s.as_secs() as i64))
    })
}
