//! Everything that some tables hold, read once and now: for plans that compare an object with the rest of the cluster.

use super::feed::fairness::planned;
use super::inflow::Inflow;
use super::upstream::Upstream;
use crate::state::kinds::priority_levels;
use crate::state::store::Store;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait. What has not come by then counts as unknown.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store that holds what these tables held a moment ago, over all namespaces. What could not be read is told by the
/// health of its feed; rules take it for unknown.
///
/// What costs the server something is the session's: metrics that it has read serve, and no dump is taken.
pub async fn reread(upstream: &Arc<Upstream>, tables: &[&str], server: &str) -> Store {
    let mut store = Store::default();
    store.server = server.to_owned();
    let mut inflow = Inflow::new(upstream);
    let (levels, others): (Vec<&str>, Vec<&str>) =
        tables.iter().partition(|id| **id == priority_levels::TABLE.id);
    others.iter().for_each(|id| inflow.open(&mut store, id, None));
    let read = inflow.settled(&mut store, |_, _, _| Ok::<_, Infallible>(()));
    // Too late is unknown, and unknown is never green.
    let _ = tokio::time::timeout(PATIENCE, read).await;
    if !levels.is_empty() {
        let _ = tokio::time::timeout(PATIENCE, planned(upstream, &mut store)).await;
    }
    store
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cluster::session::{Lock, Meter, gated};
    use crate::app::cluster::upstream::system_clock;
    use crate::app::demo::DemoCluster;
    use crate::state::kinds::priority_levels::{NOMINAL, TOLD};

    #[tokio::test(start_paused = true)]
    async fn previews_of_limits_take_no_dump_and_share_one_scrape() {
        let meter = Arc::new(Meter::default());
        let client = gated(DemoCluster::today(), "default", meter.clone(), Lock::new(true));
        let upstream = Upstream::new(client, system_clock());
        for previews in 1..=3 {
            let store = reread(&upstream, &[priority_levels::TABLE.id], "").await;
            let rows: Vec<_> = store.rows(priority_levels::TABLE.id).collect();
            assert!(rows.len() > 5 && rows.iter().all(|r| r.num(TOLD) == 1 && r.num(NOMINAL) >= 0));
            // The list of levels each time, and the metrics once.
            assert_eq!(meter.requests(), previews + 1);
        }
    }
}
