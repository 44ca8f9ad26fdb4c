//! Feeds into a store for whoever has no screen: commands, and plans that read whole tables.

use super::feed::{self, FeedHandle};
use super::mailbox::{Delivery, Mailbox};
use super::upstream::Upstream;
use crate::state::health::{FeedId, Health};
use crate::state::store::Store;
use std::sync::Arc;
use tokio::sync::Notify;

/// Feeds that run until this is dropped.
pub struct Inflow {
    upstream: Arc<Upstream>,
    mailbox: Mailbox,
    woken: Arc<Notify>,
    waiting: Vec<FeedId>,
    handles: Vec<FeedHandle>,
}

impl Inflow {
    /// No feeds yet.
    pub fn new(upstream: &Arc<Upstream>) -> Inflow {
        let woken = Arc::new(Notify::new());
        let wake = woken.clone();
        let mailbox = Mailbox::new(Arc::new(move || wake.notify_one()));
        Inflow { upstream: upstream.clone(), mailbox, woken, waiting: vec![], handles: vec![] }
    }

    /// Starts the feeds of a table, one for each of its kinds. Must be called within a tokio runtime.
    pub fn open(&mut self, store: &mut Store, id: &str, scope: Option<&str>) {
        let Some(table) = store.table_index(id) else { return };
        for spec in feed::specs(store, table, scope) {
            self.waiting.push(spec.id);
            self.handles.push(feed::spawn(spec, &self.upstream, &self.mailbox));
        }
    }

    /// Waits for what comes next.
    pub async fn news(&self) -> Vec<Delivery> {
        self.woken.notified().await;
        self.mailbox.drain(usize::MAX)
    }

    /// Takes in what comes until each feed that was started knows how it is; `heard` is told before the store is.
    ///
    /// # Errors
    /// Those of `heard`: nothing more is waited for.
    pub async fn settled<E>(
        &mut self,
        store: &mut Store,
        mut heard: impl FnMut(&Store, FeedId, &Health) -> Result<(), E>,
    ) -> Result<(), E> {
        while !self.waiting.is_empty() {
            for delivery in self.news().await {
                match delivery {
                    Delivery::Rows(parcel) => drop(store.apply(&parcel)),
                    Delivery::Health(feed, health) => {
                        heard(store, feed, &health)?;
                        if !matches!(health, Health::Starting { .. } | Health::Off) {
                            self.waiting.retain(|f| *f != feed);
                        }
                        store.set_health(feed, health);
                    }
                }
            }
        }
        Ok(())
    }
}
