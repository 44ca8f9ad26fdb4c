//! One kind in one scope, listed and then watched for as long as somebody wants it.
//!
//! Invariants: no delta is dropped; after a list rows that it did not mention are swept, and not before; a feed never
//! ends by itself, and what keeps it from following is told as its health. Lists and watches have no deadline as a
//! whole, only for silence. Reads are tried again with growing, scattered pauses; nothing here writes.

mod apiserver;
mod asked;
pub(in crate::app::cluster) mod backoff;
mod discovered;
pub mod fairness;
pub(in crate::app::cluster) mod health;
mod intake;
mod list;
pub mod measured;
mod run;
mod survey;
mod usage;
mod watch;

pub use discovered::Known;

use super::mailbox::Mailbox;
use super::upstream::Upstream;
use crate::state::decl::{Gvk, Kind, TableSpec};
use crate::state::health::FeedId;
use crate::state::kinds::usage::is_usage;
use crate::state::store::Store;
use std::sync::Arc;
use tokio::sync::watch::{Sender, channel};
use tokio::task::AbortHandle;

/// What to follow.
#[derive(Clone)]
pub struct FeedSpec {
    /// As the store knows it.
    pub id: FeedId,
    /// The table its rows are for.
    pub table: &'static TableSpec,
    /// Which of the table's kinds.
    pub kind: u8,
    /// Only this namespace; `None`: everywhere. Of no meaning for kinds without namespaces.
    pub namespace: Option<String>,
}

impl FeedSpec {
    fn gvk(&self) -> &'static Gvk {
        &self.table.kinds[usize::from(self.kind)].gvk
    }
}

/// Makes a store ready for all that fills a table, one feed for each of its kinds: of one namespace, or of all.
pub fn specs(store: &mut Store, table: u8, scope: Option<&str>) -> Vec<FeedSpec> {
    let spec = store.table_at(table).spec;
    let feed = |(kind, declared): (usize, &Kind)| {
        let kind = kind as u8;
        let namespace = scope.filter(|_| declared.gvk.namespaced).map(str::to_owned);
        let id = store.open_feed(table, kind, namespace.clone());
        FeedSpec { id, table: spec, kind, namespace }
    };
    spec.kinds.iter().enumerate().map(feed).collect()
}

/// A running feed. Dropping it ends the feed; what it delivered before may still wait in the mailbox.
#[derive(Debug)]
pub struct FeedHandle {
    task: AbortHandle,
    awake: Sender<bool>,
}

impl FeedHandle {
    /// Whether somebody looks at its rows. A feed that asks the server again and again, as those of measured tables do, asks
    /// nothing while nobody does; its rows stay. Watches go on: what they missed would have to be listed anew.
    pub fn look(&self, somebody: bool) {
        self.awake.send_if_modified(|awake| std::mem::replace(awake, somebody) != somebody);
    }
}

impl Drop for FeedHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a feed. Must be called within a tokio runtime.
pub fn spawn(spec: FeedSpec, upstream: &Arc<Upstream>, mailbox: &Mailbox) -> FeedHandle {
    let outbox = mailbox.outbox(spec.id, spec.table);
    let upstream = upstream.clone();
    let (awake, looked) = channel(true);
    // Objects of any kind are found by going through all kinds, which nobody should do all the time; runs of the journal
    // are read from this machine.
    let task = match spec.gvk() {
        &Gvk::ANY => tokio::spawn(survey::Surveyor::new(spec, upstream, outbox, looked).run()),
        gvk if gvk.is_local() => {
            let clock = upstream.clock.clone();
            tokio::spawn(crate::app::journal::feed::follow(spec.id, spec.table, clock, outbox))
        }
        _ if spec.table.is_looked_at() => {
            tokio::spawn(measured::run(spec, upstream, outbox, looked))
        }
        gvk if is_usage(gvk) => tokio::spawn(usage::Samples::new(spec, upstream, outbox).run()),
        _ => tokio::spawn(run::Feed::new(spec, upstream, outbox).run()),
    };
    FeedHandle { task: task.abort_handle(), awake }
}
