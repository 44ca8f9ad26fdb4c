//! The embedded demo cluster: a stateful in-process API server behind `kube::Client`.
//!
//! It is a stand-in: what a real API server does is decided by `tests/control_plane.rs`, and where the two disagree the
//! demo is wrong. It speaks JSON only, has no socket, and moves only in [`DemoCluster::tick`]; with the same seed and
//! clock it lives the same life.

mod answer;
mod cast;
mod defaults;
mod delete;
mod discovery;
mod dumps;
mod evict;
mod faults;
mod kubelet;
mod life;
mod list;
mod logs;
mod metrics;
mod object;
mod patch;
mod refusal;
pub mod registry;
mod review;
mod rng;
mod route;
mod select;
mod service;
mod sign;
mod store;
mod usage;
mod watch;
mod write;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

pub use answer::Body;
pub use faults::{Deny, Failure, Faults};

use faults::FaultBook;
use life::Life;
use rng::Rng;
use store::Store;

/// Who every request comes from.
pub const USER: &str = "demo-operator";
/// Stands in every Secret of the demo, so that a test can prove that it is never shown or logged.
pub const SECRET_MARK: &str = "demo-secret-never-to-be-shown";
/// The version the demo claims to be.
pub const VERSION: &str = "v1.36.2";

/// Real time between two ticks of [`DemoCluster::live`].
const BEAT: Duration = Duration::from_millis(700);

/// Where the demo's time comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The demo cluster, itself a `tower::Service` for a `kube::Client` or for a layer in front of one. Clones share one
/// cluster.
#[derive(Clone)]
pub struct DemoCluster {
    shared: Arc<Shared>,
}

/// What clones, open watches and the fault switches share.
struct Shared {
    world: Mutex<World>,
    /// Moves whenever a watch should look again.
    moved: tokio::sync::watch::Sender<u64>,
    stalled: tokio::sync::watch::Sender<bool>,
    clock: Clock,
}

/// The state of the cluster, changed under one lock and never across an await.
struct World {
    store: Store,
    rng: Rng,
    life: Life,
    faults: FaultBook,
}

impl Shared {
    /// A panic of one request leaves the world usable for the others: every change to it is one map operation.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn wake(&self) {
        self.moved.send_modify(|n| *n += 1);
    }

    /// Waits for the end of a stall.
    async fn until_answering(&self) {
        // The sender lives in self, so the channel cannot close while we wait.
        let _ = self.stalled.subscribe().wait_for(|stalled| !stalled).await;
    }
}

impl DemoCluster {
    /// A cluster that is the same for every run with this seed and clock.
    pub fn new(seed: u64, clock: Clock) -> DemoCluster {
        let world = World::new(seed, clock());
        DemoCluster {
            shared: Arc::new(Shared {
                world: Mutex::new(world),
                moved: tokio::sync::watch::Sender::new(0),
                stalled: tokio::sync::watch::Sender::new(false),
                clock,
            }),
        }
    }

    /// The cluster of `wheelhouse --demo`: on the machine's clock.
    pub fn today() -> DemoCluster {
        DemoCluster::new(7, Arc::new(Timestamp::now))
    }

    /// A client for tests, without any layer between. Must be called within a tokio runtime.
    pub fn client(&self) -> kube::Client {
        kube::Client::new(self.clone(), "default")
    }

    /// One step of life: what is due by the clock happens, controllers act, something goes on somewhere.
    pub fn tick(&self) {
        let now = self.shared.now();
        self.shared.world().tick(now);
        self.shared.wake();
    }

    /// Only what is due by the clock: grace periods and time-outs end, nothing else moves.
    pub fn expire(&self) {
        let now = self.shared.now();
        self.shared.world().expire(now);
        self.shared.wake();
    }

    /// Ticks until dropped.
    pub async fn live(self) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            self.tick();
        }
    }

    /// What can go wrong, to be switched on by tests.
    pub fn faults(&self) -> Faults {
        Faults { shared: self.shared.clone() }
    }

    /// How many objects there are, of all resources.
    pub fn objects(&self) -> usize {
        self.shared.world().store.len()
    }
}
