//! The health board's source: every part is read on its own, in its own time, with its own age and trouble, so that one that
//! hangs holds up no other. All of it ends when nobody looks any more.

mod called;
mod counted;
mod read;

pub(in crate::app::cluster) use counted::wants;

use super::measured::{Fill, Look, Looking, Source};
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::kinds::health;
use crate::state::rules::health::{Facts, Part, Trouble, board};
use crate::state::time::Epoch;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long the first look waits for parts that are slow to answer.
const FIRST: Duration = Duration::from_secs(6);
/// Time between two tries while a rule is missing, and the longest that a server's wish to be left alone is heeded.
const DENIED: Duration = Duration::from_secs(60);
/// Rows are told this often at most, and this seldom at least, because ages move.
const PACE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(2));

/// What the parts have found out.
#[derive(Default)]
struct Shared {
    facts: Mutex<Facts>,
    news: Notify,
}

impl Shared {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The board at work.
#[derive(Default)]
pub(super) struct Board {
    shared: Arc<Shared>,
    parts: JoinSet<()>,
}

impl Source for Board {
    fn look<'a>(&'a mut self, up: &'a Arc<Upstream>) -> Looking<'a> {
        Box::pin(async move {
            if self.parts.is_empty() {
                read::all(&mut Parts { set: &mut self.parts, up, shared: &self.shared });
                let until = Instant::now() + FIRST;
                while !self.shared.facts().is_whole() {
                    if timeout_at(until, self.shared.news.notified()).await.is_err() {
                        break;
                    }
                }
            } else {
                // An age that moved is as good a reason as news.
                let _ = timeout(PACE.1, self.shared.news.notified()).await;
            }
            let lines = board(&self.shared.facts(), (up.clock)());
            let unread = lines.iter().filter(|line| line.part == "reading");
            let unread = unread.map(|line| format!("{}: {}", line.name, line.why)).collect();
            let rows = lines.into_iter().enumerate().map(|(place, line)| -> Fill {
                Box::new(move |draft| health::fill(draft, &line, place))
            });
            Ok(Look { rows: rows.collect(), unread, next: Instant::now() + PACE.0 })
        })
    }

    fn rest(&mut self) {
        self.parts = JoinSet::new();
        self.shared.facts().rest();
    }
}

/// A read on its way.
type Reading<T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;

/// Where parts are started.
struct Parts<'a> {
    set: &'a mut JoinSet<()>,
    up: &'a Arc<Upstream>,
    shared: &'a Arc<Shared>,
}

impl Parts<'_> {
    /// Reads a part again and again, so often, each time for no longer than that.
    fn every<T: Send + 'static>(
        &mut self,
        pace: (Duration, Duration),
        part: fn(&mut Facts) -> &mut Part<T>,
        read: fn(Arc<Upstream>) -> Reading<T>,
    ) {
        self.put(pace, read, move |facts, look, at| {
            part(facts).put(look, at);
            None
        });
    }

    /// As [`Parts::every`], with what becomes of a look, and in what time at the latest there must be another.
    fn put<T: Send + 'static>(
        &mut self,
        (period, limit): (Duration, Duration),
        read: fn(Arc<Upstream>) -> Reading<T>,
        put: impl Fn(&mut Facts, Result<T, Trouble>, Epoch) -> Option<Duration> + Send + 'static,
    ) {
        let (up, shared) = (self.up.clone(), self.shared.clone());
        self.set.spawn(async move {
            loop {
                let began = Instant::now();
                let look = timeout(limit, read(up.clone())).await;
                let look = look.unwrap_or(Err(Fault::Timeout { after: limit }));
                let pause = pause(look.as_ref().err(), period, began.elapsed());
                let sooner = put(&mut shared.facts(), look.map_err(trouble), (up.clock)());
                shared.news.notify_one();
                sleep(sooner.map_or(pause, |sooner| pause.min(sooner))).await;
            }
        });
    }
}

/// Time until the next look: looks are a period apart, unless the last one was not wanted.
fn pause(fault: Option<&Fault>, period: Duration, took: Duration) -> Duration {
    match fault {
        Some(Fault::Forbidden { .. }) => DENIED,
        Some(Fault::Throttled { after, .. }) => period.max(after.unwrap_or_default().min(DENIED)),
        _ => period.saturating_sub(took).max(PACE.0),
    }
}

/// A fault as the board tells it.
fn trouble(fault: Fault) -> Trouble {
    match fault {
        Fault::Forbidden { verb, what, .. } => Trouble::Denied(format!("{verb} {what}")),
        Fault::NotFound { .. } => Trouble::Missing,
        Fault::Timeout { after } => {
            Trouble::Failed(format!("no answer within {} s", after.as_secs()))
        }
        fault => Trouble::Failed(fault.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_no_is_left_alone() {
        let seconds = Duration::from_secs;
        let throttled = |after| Fault::Throttled { after, message: String::new() };
        let denied =
            Fault::Forbidden { verb: "list".into(), what: "leases".into(), message: String::new() };
        for (fault, want) in [
            (None, 3),
            (Some(Fault::Timeout { after: seconds(1) }), 3),
            (Some(denied), 60),
            (Some(throttled(None)), 4),
            (Some(throttled(Some(seconds(17)))), 17),
            (Some(throttled(Some(seconds(86_400)))), 60),
        ] {
            assert_eq!(pause(fault.as_ref(), seconds(4), seconds(1)), seconds(want), "{fault:?}");
        }
        assert_eq!(pause(None, seconds(4), seconds(9)), PACE.0, "never without a pause");
    }
}
