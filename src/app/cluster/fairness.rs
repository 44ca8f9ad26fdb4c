//! The dumps of priority and fairness, shared by all who look: a dump holds the dispatcher's lock until it is read
//! (`apf_controller_debug.go`), so each is taken when somebody asks for it, at most every [`EVERY`], read whole and at once.

use super::raw::raw;
use super::session::Fault;
use crate::state::fairness::dump::Dump;
use crate::state::time::Epoch;
use kube::Client;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Shortest time between two dumps of a sort. Sorts have turns of their own, since a view may need two of them; there is never more
/// than one on its way.
pub const EVERY: Duration = Duration::from_secs(10);
/// A request is some 300 bytes; a server holds some thousands.
const LIMIT: usize = 64 << 20;

/// A sort of dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Of levels.
    Levels,
    /// Of queues.
    Queues,
    /// Of requests, with details.
    Requests,
}

impl Page {
    /// Its path.
    pub fn path(self) -> &'static str {
        match self {
            Page::Levels => "/debug/api_priority_and_fairness/dump_priority_levels",
            Page::Queues => "/debug/api_priority_and_fairness/dump_queues",
            Page::Requests => {
                "/debug/api_priority_and_fairness/dump_requests?includeRequestDetails=1"
            }
        }
    }
}

/// A dump that was taken.
#[derive(Debug)]
pub struct Taken {
    /// What it says.
    pub dump: Dump,
    /// As it came.
    pub text: String,
    /// When, by the wall clock.
    pub at: Epoch,
    began: Instant,
}

impl Taken {
    /// How long ago it was asked for.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }
}

/// What was taken last of a sort.
#[derive(Default)]
struct Slot {
    tried: Option<Instant>,
    last: Option<Result<Arc<Taken>, Fault>>,
}

/// The dumps of a session.
#[derive(Default)]
pub struct Dumps {
    slots: [Mutex<Slot>; 3],
    /// Held while one is read.
    turn: Mutex<()>,
}

impl Dumps {
    /// A dump that was asked for at `since` or later, as soon as one may be had. Who has just come asks for what was taken
    /// within the last [`EVERY`].
    ///
    /// # Errors
    /// What kept it from being read, also when that was since then.
    pub async fn take(
        &self,
        client: &Client,
        page: Page,
        since: Instant,
        clock: &(dyn Fn() -> Epoch + Send + Sync),
    ) -> Result<Arc<Taken>, Fault> {
        let mut slot = self.slots[page as usize].lock().await;
        if let (Some(tried), Some(last)) = (slot.tried, &slot.last)
            && tried >= since
        {
            return last.clone();
        }
        if let Some(tried) = slot.tried {
            sleep_until(tried + EVERY).await;
        }
        let _turn = self.turn.lock().await;
        let began = Instant::now();
        // Whoever gives up on the way leaves no answer of another time behind.
        *slot = Slot { tried: Some(began), last: None };
        let taken = raw(client, page.path(), LIMIT).await.and_then(|raw| {
            let text = raw.text();
            let foreign =
                |why| Fault::Foreign(format!("GET {} answered no dump: {why}", page.path()));
            let dump = Dump::parse(&text).map_err(foreign)?;
            Ok(Arc::new(Taken { dump, text, at: clock(), began }))
        });
        slot.last = Some(taken.clone());
        taken
    }
}

/// What a refusal means to an operator.
pub fn words(fault: &Fault) -> String {
    let hint = match fault {
        Fault::Forbidden { .. } => {
            ". What waits and executes is not shown by user and flow. The right: get on nonResourceURLs \
             /debug/api_priority_and_fairness/*"
        }
        Fault::NotFound { .. } => ". Priority and fairness may be off on this server",
        _ => "",
    };
    format!("the dump could not be read: {fault}{hint}")
}

/// As [`each`](super::gather::each), all objects of a path.
///
/// # Errors
/// What kept them from being read.
pub async fn all(client: &Client, path: &str) -> Result<Vec<serde_json::Value>, Fault> {
    let mut found = vec![];
    super::gather::each(client, path, |object| found.push(object)).await?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::demo::DemoCluster;

    #[tokio::test(start_paused = true)]
    async fn a_dump_is_taken_every_10_seconds_at_most_however_often_it_is_asked_for() {
        let (demo, dumps) = (DemoCluster::today(), Dumps::default());
        let (client, began) = (demo.client(), Instant::now());
        let clock = || Epoch(1);
        let first = dumps.take(&client, Page::Queues, began, &clock).await.unwrap();
        let same = dumps.take(&client, Page::Queues, began, &clock).await.unwrap();
        assert!(Arc::ptr_eq(&first, &same) && !first.dump.queues().is_empty());
        // A key that is pressed at once waits for its turn, and so does the next.
        for n in 1..4 {
            let pressed = Instant::now() + Duration::from_millis(1);
            dumps.take(&client, Page::Queues, pressed, &clock).await.unwrap();
            assert!(began.elapsed() >= EVERY * n && began.elapsed() < EVERY * (n + 1));
        }
        // Another dump has a turn of its own.
        let now = Instant::now();
        dumps.take(&client, Page::Levels, now, &clock).await.unwrap();
        assert!(now.elapsed() < EVERY);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_no_old_answer_behind() {
        let (demo, dumps) = (DemoCluster::today(), Dumps::default());
        let (client, clock) = (demo.client(), || Epoch(1));
        let old = dumps.take(&client, Page::Levels, Instant::now(), &clock).await.unwrap();
        tokio::time::advance(EVERY * 2).await;
        let pressed = Instant::now();
        // The request is on its way and never waited for.
        let mut given_up = Box::pin(dumps.take(&client, Page::Levels, pressed, &clock));
        tokio::select! {
            biased;
            _ = &mut given_up => panic!("it was answered at once"),
            () = std::future::ready(()) => {}
        }
        drop(given_up);
        let new = dumps.take(&client, Page::Levels, pressed, &clock).await.unwrap();
        assert!(!Arc::ptr_eq(&old, &new) && new.began >= pressed);
    }
}
