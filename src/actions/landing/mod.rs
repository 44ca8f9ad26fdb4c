//! The landing simulator: where evicted pods would go, and why a pod is pending.
//!
//! It applies the filters of kube-scheduler's default plugins (v1.37) to facts read from API objects; it knows neither
//! the scheduler's configuration nor its queue, so whatever it says is an estimate. Invariant: that a pod fits nowhere is
//! claimed only if it holds in whatever order and wherever the other moved pods land, and whomever it may preempt.
//!
//! What makes it fast: a [`World`] keeps free amounts per node and live pods per namespace. For each kind of pod a trial
//! (`trial.rs`) turns every rule about other pods into counts per topology domain, once; a landing pod moves those counts
//! by one, so that asking a node is a few look-ups by number however many pods there are.

mod amounts;
mod facts;
mod fit;
mod pending;
mod place;
mod reason;
mod scene;
mod select;
mod tally;
mod trial;
mod volumes;

#[cfg(test)]
mod tests;

pub use amounts::Amounts;
pub use facts::{HostPort, NodeFacts, PodSpec, Rules, Spread, Term};
pub use fit::{Lists, World};
pub use pending::{Group, why_pending};
pub use place::{Landing, Why};
pub use reason::Reason;
pub use select::{Labels, Need, NodeTerm, Selector, Taint, Toleration};
pub use volumes::{Claimed, Volumes};
