//! Everything that some tables hold, read once and now: for plans that compare an object with the rest of the cluster.

use super::Client;
use super::feed::{self, FeedSpec};
use super::mailbox::{Delivery, Mailbox};
use super::upstream::{Upstream, system_clock};
use crate::state::health::{FeedId, Health};
use crate::state::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Longest wait. What has not come by then counts as unknown.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store that holds what these tables held a moment ago, over all namespaces. What could not be read is told by the
/// health of its feed; rules take it for unknown.
pub async fn reread(client: &Client, tables: &[&str], server: &str) -> Store {
    let mut store = Store::default();
    store.server = server.to_owned();
    let upstream = Upstream::new(client.clone(), system_clock());
    let woken = Arc::new(Notify::new());
    let wake = woken.clone();
    let mailbox = Mailbox::new(Arc::new(move || wake.notify_one()));
    let (mut waiting, mut handles): (Vec<FeedId>, Vec<_>) = (vec![], vec![]);
    for id in tables {
        let Some(table) = store.table_index(id) else { continue };
        let spec = store.table_at(table).spec;
        for kind in 0..spec.kinds.len() as u8 {
            let id = store.open_feed(table, kind, None);
            let spec = FeedSpec { id, table: spec, kind, namespace: None };
            handles.push(feed::spawn(spec, &upstream, &mailbox));
            waiting.push(id);
        }
    }
    let read = async {
        while !waiting.is_empty() {
            woken.notified().await;
            for delivery in mailbox.drain(usize::MAX) {
                match delivery {
                    Delivery::Rows(parcel) => drop(store.apply(&parcel)),
                    Delivery::Health(id, health) => {
                        if !matches!(health, Health::Starting { .. } | Health::Off) {
                            waiting.retain(|feed| *feed != id);
                        }
                        store.set_health(id, health);
                    }
                }
            }
        }
    };
    // Too late is unknown, and unknown is never green.
    let _ = tokio::time::timeout(PATIENCE, read).await;
    store
}
