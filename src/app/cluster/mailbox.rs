//! Between the feeds and the UI thread: what feeds read waits here until the UI thread has time for it.
//!
//! Invariants: each feed's parcels come out in the order they went in. Lists wait for room, so they take bounded
//! memory; live deltas never wait, but once they pile up only the newest of each object is kept, so they take
//! memory in proportion to distinct objects. No lock is held longer than a push or a swap takes.

use crate::state::decl::TableSpec;
use crate::state::health::{FeedId, Health};
use crate::state::parcel::{Draft, Key, Parcel};
use hashbrown::HashSet;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[cfg(test)]
mod tests;

/// Rows of one parcel at most.
pub const PARCEL_ROWS: usize = 1024;
/// Bytes after which a parcel counts as full although it holds few rows.
const PARCEL_BYTES: usize = 4 << 20;
/// Parcels of a list that may wait per feed.
const BULK: usize = 8;
/// Live deltas that may wait before superseded ones are thrown out.
const BACKLOG: usize = 8 * PARCEL_ROWS;

/// Whether a parcel should be sent before another row is added.
pub fn is_full(parcel: &Parcel) -> bool {
    parcel.len() + parcel.gone.len() >= PARCEL_ROWS || parcel.size() >= PARCEL_BYTES
}

/// What a feed has to say.
#[derive(Debug)]
pub enum Delivery {
    /// Rows, for [`crate::state::store::Store::apply`].
    Rows(Parcel),
    /// A feed's health, true once everything delivered before it was applied.
    Health(FeedId, Health),
}

/// Called whenever something waits that did not before. Must not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// The UI thread's end: one per session.
pub struct Mailbox {
    lanes: Mutex<Lanes>,
    rung: Arc<AtomicBool>,
    wake: Wake,
}

#[derive(Default)]
struct Lanes {
    all: Vec<Arc<Lane>>,
    next: usize,
}

struct Lane {
    feed: FeedId,
    queue: Mutex<VecDeque<Waiting>>,
    room: Arc<Semaphore>,
}

enum Waiting {
    /// A parcel of a list, and the room it takes until it is drained.
    Bulk(
        Parcel,
        #[allow(dead_code, reason = "gives the room back when dropped")] OwnedSemaphorePermit,
    ),
    Live(Parcel),
    Health(Health),
}

/// A poisoned lock means that another thread panicked while pushing; what it guards is a plain queue.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mailbox {
    /// An empty mailbox that calls `wake` from any thread.
    pub fn new(wake: Wake) -> Mailbox {
        Mailbox { lanes: Mutex::default(), rung: Arc::default(), wake }
    }

    /// The end a feed writes to. What it wrote is still delivered after it is dropped.
    pub fn outbox(&self, feed: FeedId, spec: &'static TableSpec) -> Outbox {
        let room = Arc::new(Semaphore::new(BULK));
        let lane = Arc::new(Lane { feed, queue: Mutex::default(), room });
        lock(&self.lanes).all.push(lane.clone());
        let (rung, wake) = (self.rung.clone(), self.wake.clone());
        Outbox { lane, spec, rung, wake, backlog: BACKLOG, waiting: 0, kept: 0 }
    }

    /// Whether all that waits is a few live deltas: they may wait a little longer, until there are more of them.
    pub fn trickles(&self) -> bool {
        let lanes = lock(&self.lanes);
        let few = |waiting: &Waiting| match waiting {
            Waiting::Live(parcel) => parcel.len() + parcel.gone.len() < PARCEL_ROWS / 4,
            Waiting::Bulk(..) | Waiting::Health(_) => false,
        };
        let mut some = false;
        let all_few = lanes.all.iter().all(|lane| {
            let queue = lock(&lane.queue);
            some |= !queue.is_empty();
            queue.len() <= 1 && queue.front().is_none_or(few)
        });
        some && all_few
    }

    /// Takes deliveries of about `max_rows` rows, from all feeds in turn. What is left calls for another turn by
    /// itself.
    pub fn drain(&self, max_rows: usize) -> Vec<Delivery> {
        self.rung.store(false, Ordering::SeqCst);
        let mut lanes = lock(&self.lanes);
        let mut out = vec![];
        let (mut rows, mut idle) = (0, 0);
        while rows < max_rows && idle < lanes.all.len() {
            lanes.next = (lanes.next + 1) % lanes.all.len();
            let lane = &lanes.all[lanes.next];
            let taken = lock(&lane.queue).pop_front();
            match taken {
                None => idle += 1,
                Some(Waiting::Health(health)) => {
                    out.push(Delivery::Health(lane.feed, health));
                    idle = 0;
                }
                Some(Waiting::Bulk(parcel, _) | Waiting::Live(parcel)) => {
                    rows += parcel.len() + parcel.gone.len();
                    out.push(Delivery::Rows(parcel));
                    idle = 0;
                }
            }
        }
        // A lane whose feed is gone has no other owner; it goes once it is empty.
        lanes.all.retain(|lane| Arc::strong_count(lane) > 1 || !lock(&lane.queue).is_empty());
        let more = lanes.all.iter().any(|lane| !lock(&lane.queue).is_empty());
        drop(lanes);
        if more && !self.rung.swap(true, Ordering::SeqCst) {
            (self.wake)();
        }
        out
    }
}

/// A feed's end. Only one task writes, so order is what it says.
pub struct Outbox {
    lane: Arc<Lane>,
    spec: &'static TableSpec,
    rung: Arc<AtomicBool>,
    wake: Wake,
    backlog: usize,
    /// Live deltas waiting, at most: the UI thread may have taken some.
    waiting: usize,
    /// Of these, how many were left after superseded ones were thrown out last.
    kept: usize,
}

impl Outbox {
    /// The feed that writes here.
    pub fn feed(&self) -> FeedId {
        self.lane.feed
    }

    /// Sends a parcel of a list, once there is room for it.
    pub async fn bulk(&mut self, parcel: Parcel) {
        let room = self.lane.room.clone().acquire_owned().await;
        let room = room.expect("the semaphore is never closed");
        lock(&self.lane.queue).push_back(Waiting::Bulk(parcel, room));
        self.ring();
    }

    /// Sends the newest state of an object.
    pub fn put(&mut self, draft: &Draft, generation: u8) {
        let key = draft.key();
        self.live(generation, |tail| tail.gone.contains(&key), |tail, spec| tail.push(draft, spec));
    }

    /// Sends that an object is gone.
    pub fn gone(&mut self, key: Key, generation: u8) {
        self.live(generation, |_| false, |tail, _| tail.gone.push(key));
    }

    /// Sends how the feed is, true after all that was sent before.
    pub fn health(&mut self, health: Health) {
        let mut queue = lock(&self.lane.queue);
        if let Some(Waiting::Health(last)) = queue.back_mut() {
            *last = health;
        } else {
            queue.push_back(Waiting::Health(health));
        }
        drop(queue);
        self.ring();
    }

    /// Adds to the last live parcel, or to a new one if that is full, or if `clashes`: within a parcel rows are
    /// applied before what is gone.
    fn live(
        &mut self,
        generation: u8,
        clashes: impl Fn(&Parcel) -> bool,
        add: impl FnOnce(&mut Parcel, &'static TableSpec),
    ) {
        let mut queue = lock(&self.lane.queue);
        if queue.is_empty() {
            (self.waiting, self.kept) = (0, 0);
        }
        match queue.back_mut() {
            Some(Waiting::Live(tail))
                if !is_full(tail) && tail.generation == generation && !clashes(tail) =>
            {
                add(tail, self.spec);
            }
            _ => {
                let mut tail = Parcel::new(self.lane.feed, generation, self.spec);
                add(&mut tail, self.spec);
                queue.push_back(Waiting::Live(tail));
            }
        }
        drop(queue);
        self.waiting += 1;
        if self.waiting > 2 * self.kept + self.backlog {
            self.conflate();
        }
        self.ring();
    }

    /// Throws out what a newer delta supersedes. Happens outside the lock: meanwhile the lane looks empty, and as
    /// nobody else writes to it, order is kept.
    fn conflate(&mut self) {
        let all = std::mem::take(&mut *lock(&self.lane.queue));
        let kept = newest(all, self.spec);
        let count = |w: &Waiting| match w {
            Waiting::Live(p) => p.len() + p.gone.len(),
            _ => 0,
        };
        self.kept = kept.iter().map(count).sum();
        self.waiting = self.kept;
        *lock(&self.lane.queue) = kept;
    }

    fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            (self.wake)();
        }
    }
}

/// The same queue with only the newest live delta of each object; lists and healths stay.
fn newest(all: VecDeque<Waiting>, spec: &'static TableSpec) -> VecDeque<Waiting> {
    let mut seen = HashSet::new();
    let mut out = VecDeque::new();
    for waiting in all.into_iter().rev() {
        let Waiting::Live(parcel) = waiting else {
            out.push_front(waiting);
            continue;
        };
        let mut kept = Parcel::new(parcel.feed, parcel.generation, spec);
        // Within a parcel what is gone went after its rows.
        kept.gone = parcel.gone.iter().copied().filter(|key| seen.insert(*key)).collect();
        let mut rows: Vec<usize> = (0..parcel.len()).rev().collect();
        rows.retain(|&i| seen.insert(parcel.row(i).key()));
        for &i in rows.iter().rev() {
            kept.adopt(parcel.row(i), spec);
        }
        if !kept.is_empty() {
            out.push_front(Waiting::Live(kept));
        }
    }
    out
}
