//! A table whose rows come from a survey: everything is looked through once, gently, and after that only what was found is
//! looked at again, until it is gone. Nothing is watched.

use super::FeedSpec;
use super::backoff::Backoff;
use crate::app::cluster::mailbox::{Outbox, is_full};
use crate::app::cluster::session::Fault;
use crate::app::cluster::survey::{Asked, Pace, Progress, RATE, Survey, judged, survey};
use crate::app::cluster::upstream::Upstream;
use crate::state::health::Health;
use crate::state::kinds::stuck;
use crate::state::parcel::{Draft, Key, Parcel};
use crate::state::rules::stuck::Held;
use crate::state::time::Epoch;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Time between two surveys.
const EVERY: Duration = Duration::from_secs(600);
/// Time between two looks at what was found.
const AGAIN: Duration = Duration::from_secs(15);
/// Objects of one look.
const LOOKS: usize = 30;

/// A survey at work.
pub(super) struct Surveyor {
    spec: FeedSpec,
    up: Arc<Upstream>,
    out: Outbox,
    draft: Draft,
    generation: u8,
    looked: watch::Receiver<bool>,
}

impl Surveyor {
    pub(super) fn new(
        spec: FeedSpec,
        up: Arc<Upstream>,
        out: Outbox,
        looked: watch::Receiver<bool>,
    ) -> Surveyor {
        Surveyor { spec, up, out, draft: Draft::default(), generation: 0, looked }
    }

    /// Nothing is asked while nobody looks.
    async fn is_looked_at(&mut self) {
        // Whoever could look is gone with the feed.
        let _ = self.looked.wait_for(|looked| *looked).await;
    }

    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            self.is_looked_at().await;
            match self.once().await {
                Ok(found) => {
                    backoff.reset();
                    self.tend(found).await;
                }
                Err(fault) => {
                    let pause = backoff.next();
                    let retry = Epoch(self.now().0 + pause.as_secs_f32().ceil() as i64);
                    self.out.health(Health::Down { fault: fault.to_string(), retry });
                    sleep(pause).await;
                }
            }
        }
    }

    fn now(&self) -> Epoch {
        (self.up.clock)()
    }

    /// Surveys, and sends what was found.
    async fn once(&mut self) -> Result<Survey, Fault> {
        let (told, mut far) = watch::channel(Progress::default());
        let tell = move |p| {
            told.send_replace(p);
        };
        let asked = Asked { namespace: self.spec.namespace.clone(), ..Asked::default() };
        let mut pace = Pace::new(self.up.client.clone(), RATE);
        let now = self.now();
        let mut work = std::pin::pin!(survey(&mut pace, &asked, now, &tell));
        self.out.health(Health::Starting { have: 0, of: None });
        let found = loop {
            tokio::select! {
                found = &mut work => break found?,
                Ok(()) = far.changed() => {
                    let p = *far.borrow_and_update();
                    let of = (p.of > 0).then_some(p.of as u64);
                    self.out.health(Health::Starting { have: p.kinds as u64, of });
                }
            }
        };
        self.generation = self.generation.wrapping_add(1);
        let mut parcel = Parcel::new(self.spec.id, self.generation, self.spec.table);
        for (held, ruling) in &found.found {
            stuck::push(&mut parcel, &mut self.draft, held, ruling);
            if is_full(&parcel) {
                let empty = Parcel::new(self.spec.id, self.generation, self.spec.table);
                self.out.bulk(std::mem::replace(&mut parcel, empty)).await;
            }
        }
        parcel.sweep = true;
        self.out.bulk(parcel).await;
        let unread = found.evidence.unread.clone();
        self.out.health(Health::Surveyed { at: self.now(), unread });
        Ok(found)
    }

    /// Looks at what was found until it is time for another survey.
    async fn tend(&mut self, found: Survey) {
        let until = Instant::now() + EVERY;
        let mut known: Vec<Held> = found.found.into_iter().map(|(held, _)| held).collect();
        let mut next = 0;
        while Instant::now() + AGAIN < until {
            sleep(AGAIN).await;
            self.is_looked_at().await;
            let mut pace = Pace::new(self.up.client.clone(), RATE);
            for _ in 0..known.len().min(LOOKS) {
                next = if next < known.len() { next } else { 0 };
                if self.look(&mut pace, &mut known[next]).await {
                    next += 1;
                } else {
                    known.remove(next);
                }
            }
        }
        sleep(until.saturating_duration_since(Instant::now())).await;
    }

    /// Whether an object is still there. It is judged again when a finalizer of it went.
    async fn look(&mut self, pace: &mut Pace, held: &mut Held) -> bool {
        let read = pace.json(&held.gvk.object(&held.namespace, &held.name)).await;
        let gone = match &read {
            Err(Fault::NotFound { .. }) => true,
            Err(_) => false,
            Ok(object) => object["metadata"]["uid"].as_str() != Some(&held.uid),
        };
        if let (false, Ok(object)) = (gone, &read)
            && object["metadata"]["finalizers"].as_array().map_or(0, Vec::len)
                != held.finalizers.len()
            && let Some((now, ruling, _)) = judged(pace, held.gvk, object, self.now()).await
        {
            *held = now;
            let mut parcel = Parcel::new(self.spec.id, self.generation, self.spec.table);
            stuck::push(&mut parcel, &mut self.draft, held, &ruling);
            self.out.bulk(parcel).await;
        }
        if gone {
            let key = Key::of(&held.uid, &held.namespace, &held.name);
            self.out.gone(key, self.generation);
        }
        !gone
    }
}
