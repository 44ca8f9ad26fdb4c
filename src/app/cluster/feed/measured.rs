//! Tables whose rows are measured and not watched: a [`Source`] takes a look now and then, for as long as somebody wants the
//! table. A table of that sort has one kind without paths ([`crate::state::decl::TableSpec::is_looked_at`]); its source is a line
//! in `source`.

use super::FeedSpec;
use super::backoff::Backoff;
use super::fairness::{Fairness, Of};
use crate::app::cluster::mailbox::{Outbox, is_full};
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
use tokio::time::{Instant, sleep, sleep_until};

/// Time between two tries while a rule is missing.
const DENIED: Duration = Duration::from_secs(60);

/// A look on its way.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Result<Look, Fault>> + Send + 'a>>;

/// Where the rows of a measured table come from.
pub trait Source: Send {
    /// Takes a look. Called again as soon as the look's `next` has come; dropped when nobody looks at the table any more.
    fn look<'a>(&'a mut self, upstream: &'a Arc<Upstream>) -> Looking<'a>;
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

/// Looks for ever.
pub(super) async fn run(spec: FeedSpec, up: Arc<Upstream>, mut out: Outbox) {
    let Some(mut source) = source(spec.table) else { return };
    let (mut backoff, mut draft, mut generation) = (Backoff::default(), Draft::default(), 0_u8);
    let mut nudges = up.nudges();
    out.health(Health::Starting { have: 0, of: None });
    loop {
        match source.look(&up).await {
            Ok(look) => {
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
                out.health(Health::Surveyed { at: (up.clock)(), unread: look.unread });
                // Also at once when the operator asks; what may be asked of the server how often is the source's business.
                tokio::select! {
                    () = sleep_until(look.next) => {}
                    _ = nudges.changed() => {}
                }
            }
            Err(Fault::Forbidden { verb, what, message }) => {
                let verb = if verb == "list" { "list" } else { "get" };
                out.health(Health::Denied { verb, resource: named(&what), message });
                tokio::select! {
                    () = sleep(DENIED) => {}
                    _ = nudges.changed() => {}
                }
            }
            Err(fault) => {
                let pause = backoff.next();
                let retry = Epoch((up.clock)().0 + pause.as_secs_f32().ceil() as i64);
                out.health(Health::Down { fault: fault.to_string(), retry });
                sleep(pause).await;
            }
        }
    }
}

/// What was refused, as other feeds name it: the server says `flowschemas in API group x at the cluster scope`.
fn named(what: &str) -> String {
    what.split(" in API group ").next().unwrap_or(what).to_owned()
}
