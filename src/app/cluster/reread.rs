//! Everything that some tables hold, read once and now: for plans that compare an object with the rest of the cluster.

use super::Client;
use super::inflow::Inflow;
use super::upstream::{Upstream, system_clock};
use crate::state::store::Store;
use std::convert::Infallible;
use std::time::Duration;

/// Longest wait. What has not come by then counts as unknown.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store that holds what these tables held a moment ago, over all namespaces. What could not be read is told by the
/// health of its feed; rules take it for unknown.
pub async fn reread(client: &Client, tables: &[&str], server: &str) -> Store {
    let mut store = Store::default();
    store.server = server.to_owned();
    let upstream = Upstream::new(client.clone(), system_clock());
    let mut inflow = Inflow::new(&upstream);
    tables.iter().for_each(|id| inflow.open(&mut store, id, None));
    let read = inflow.settled(&mut store, |_, _, _| Ok::<_, Infallible>(()));
    // Too late is unknown, and unknown is never green.
    let _ = tokio::time::timeout(PATIENCE, read).await;
    store
}
