//! Tables whose rows are measured and not watched: a [`Source`] takes a look now and then, for as long as somebody wants the
//! table. A table of that sort has one kind without paths ([`crate::state::decl::TableSpec::is_looked_at`]); its source is a line
//! in `source`.

use super::FeedSpec;
use super::backoff::Backoff;
use super::fairness::{Fairness, Of};
use crate::app::cluster::mailbox::{Outbox, is_full};
use crate::app::cluster::pulse::Beat;
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::decl::TableSpec;
use crate::state::health::Health;
use crate::state::parcel::{Draft, Parcel};
use crate::state::time::Epoch;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Time between two tries while a rule is missing.
const DENIED: Duration = Duration::from_secs(60);

/// A look on its way.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Result<Look, Fault>> + Send + 'a>>;

/// Where the rows of a measured table come from.
pub trait Source: Send {
    /// Takes a look. Called again as soon as the look's `next` has come; dropped when nobody looks at the table any more.
    fn look<'a>(&'a mut self, upstream: &'a Arc<Upstream>) -> Looking<'a>;

    /// Nobody looks for now: what it asks beside its looks ends. The next look begins anew, with what was known.
    fn rest(&mut self) {}

    /// Whether who comes back is shown a look of that moment, however long the next one would have been off.
    fn is_of_the_moment(&self) -> bool {
        false
    }
}

/// Writes one row into a draft that was reset.
pub type Fill = Box<dyn FnOnce(&mut Draft) + Send>;

/// What was seen.
pub struct Look {
    /// The rows; those of the last look that are not among them go.
    pub rows: Vec<Fill>,
    /// What could not be read, a sentence each.
    pub unread: Vec<String>,
    /// When to look again.
    pub next: Instant,
}

/// The source of a table: THE list of them.
fn source(table: &TableSpec) -> Option<Box<dyn Source>> {
    match table.id {
        "apiserver" => Some(Box::<super::apiserver::Board>::default()),
        "health" => Some(Box::<super::health::Board>::default()),
        "prioritylevelconfigurations" => Some(Box::new(Fairness::new(Of::Levels))),
        "flowschemas" => Some(Box::new(Fairness::new(Of::Schemas))),
        "queues" => Some(Box::new(Fairness::new(Of::Queues))),
        "flows" => Some(Box::new(Fairness::new(Of::Flows))),
        "requests" => Some(Box::new(Fairness::new(Of::Requests))),
        _ => None,
    }
}

/// Looks for as long as somebody looks at the rows.
pub(super) async fn run(
    spec: FeedSpec,
    up: Arc<Upstream>,
    mut out: Outbox,
    mut looked: watch::Receiver<bool>,
) {
    let Some(mut source) = source(spec.table) else { return };
    let (mut backoff, mut draft, mut generation) = (Backoff::default(), Draft::default(), 0_u8);
    let mut nudges = up.nudges();
    let mut last = Health::Starting { have: 0, of: None };
    out.health(last.clone());
    loop {
        if !*looked.borrow() {
            source.rest();
        }
        // Whoever could look is gone with the feed.
        let _ = looked.wait_for(|looked| *looked).await;
        let looking = source.look(&up);
        let next = match unless_silent(&up, &mut out, &last, looking).await {
            Ok(look) => {
                up.pulse.heard();
                backoff.reset();
                generation = generation.wrapping_add(1);
                let mut parcel = Parcel::new(spec.id, generation, spec.table);
                for fill in look.rows {
                    draft.reset(spec.table, 0);
                    fill(&mut draft);
                    draft.settle();
                    parcel.push(&draft, spec.table);
                    if is_full(&parcel) {
                        let empty = Parcel::new(spec.id, generation, spec.table);
                        out.bulk(std::mem::replace(&mut parcel, empty)).await;
                    }
                }
                parcel.sweep = true;
                out.bulk(parcel).await;
                last = Health::Surveyed { at: (up.clock)(), unread: look.unread };
                look.next
            }
            Err(Fault::Forbidden { verb, what, message }) => {
                let verb = if verb == "list" { "list" } else { "get" };
                last = Health::Denied { verb, resource: named(&what), message };
                Instant::now() + DENIED
            }
            Err(fault) => {
                let pause = backoff.next();
                let retry = Epoch((up.clock)().0 + pause.as_secs_f32().ceil() as i64);
                last = Health::Down { fault: fault.to_string(), retry };
                Instant::now() + pause
            }
        };
        out.health(last.clone());
        // Also at once when the operator asks; what may be asked of the server how often is the source's business.
        let renews = source.is_of_the_moment();
        let next = async {
            tokio::select! {
                () = sleep_until(next) => {}
                _ = nudges.changed() => {}
                _ = looked.wait_for(|looked| !*looked), if renews => {}
            }
        };
        unless_silent(&up, &mut out, &last, next).await;
    }
}

/// Waits for something, and says meanwhile when the server falls silent, and when it is heard again.
async fn unless_silent<T>(
    up: &Upstream,
    out: &mut Outbox,
    last: &Health,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    let mut beats = up.pulse.beats();
    loop {
        tokio::select! {
            done = &mut work => return done,
            Ok(()) = beats.changed() => match (*beats.borrow_and_update(), last) {
                (Beat::Silent(since), Health::Surveyed { .. }) => out.health(Health::Stale(since)),
                (Beat::Heard(_), Health::Surveyed { .. }) => out.health(last.clone()),
                _ => {}
            },
        }
    }
}

/// What was refused, as other feeds name it: the server says `flowschemas in API group x at the cluster scope`.
fn named(what: &str) -> String {
    what.split(" in API group ").next().unwrap_or(what).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{FeedHandle, FeedSpec, spawn};
    use super::*;
    use crate::app::cluster::mailbox::Mailbox;
    use crate::app::cluster::session::{Lock, Meter, gated};
    use crate::app::cluster::upstream::system_clock;
    use crate::app::demo::DemoCluster;
    use crate::state::store::Store;
    use tokio::time::sleep;

    /// A feed of a table on the demo, and its requests.
    fn feed(id: &str) -> (FeedHandle, Arc<Meter>, Arc<Upstream>, Mailbox) {
        let meter = Arc::new(Meter::default());
        let client = gated(DemoCluster::today(), "default", meter.clone(), Lock::new(true));
        let (upstream, mailbox) =
            (Upstream::new(client, system_clock()), Mailbox::new(Arc::new(|| ())));
        let mut store = Store::default();
        let table = store.table_index(id).unwrap();
        let (feed, spec) = (store.open_feed(table, 0, None), store.table_at(table).spec);
        let spec = FeedSpec { id: feed, table: spec, kind: 0, namespace: None };
        (spawn(spec, &upstream, &mailbox), meter, upstream, mailbox)
    }

    /// Seconds in which what arrives is taken in.
    async fn pass(mailbox: &Mailbox, seconds: u64) {
        for _ in 0..seconds {
            sleep(Duration::from_secs(1)).await;
            mailbox.drain(usize::MAX);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_asked_while_nobody_looks() {
        for id in ["apiserver", "health", "prioritylevelconfigurations", "flowschemas"] {
            let (feed, meter, _upstream, mailbox) = feed(id);
            pass(&mailbox, 60).await;
            let busy = meter.requests();
            assert!(busy > 4, "{id}: {busy} in a minute");
            feed.look(false);
            // What was on its way ends.
            pass(&mailbox, 60).await;
            let before = meter.requests();
            pass(&mailbox, 600).await;
            assert_eq!(meter.requests(), before, "{id}");
            feed.look(true);
            pass(&mailbox, 1).await;
            assert!(meter.requests() > before, "{id}: looked at again at once");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_opens_a_dump_again_is_shown_a_new_one() {
        for (id, looks) in [("queues", 3), ("requests", 2), ("flows", 2)] {
            let (feed, meter, _upstream, mailbox) = feed(id);
            pass(&mailbox, 5).await;
            assert_eq!(meter.requests(), looks, "{id}");
            // Within 10 s the dump that is there serves; the levels are read again.
            feed.look(false);
            pass(&mailbox, 2).await;
            feed.look(true);
            pass(&mailbox, 2).await;
            assert_eq!(meter.requests(), looks + 1, "{id}");
            feed.look(false);
            pass(&mailbox, 1200).await;
            let before = meter.requests();
            feed.look(true);
            pass(&mailbox, 2).await;
            assert_eq!(meter.requests(), before + looks, "{id}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn dumps_are_taken_on_opening_and_when_asked_for() {
        let (_feed, meter, upstream, _mailbox) = feed("requests");
        sleep(Duration::from_secs(5)).await;
        // The dump, and the levels that say what an empty distinguisher means.
        assert_eq!(meter.requests(), 2);
        upstream.nudge();
        upstream.nudge();
        sleep(Duration::from_secs(4)).await;
        assert_eq!(meter.requests(), 2, "10 s have not passed");
        // Both ask for the same one; a quiet server is asked whether it is there beside it.
        sleep(Duration::from_millis(1500)).await;
        let taken = meter.requests();
        assert!((4..=5).contains(&taken), "{taken}");
    }
}
