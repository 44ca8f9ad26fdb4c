//! Drain: what taking nodes out of service would mean, and the way to do it. Planned in [`super::drain`], run in
//! `app/drain`.

use super::{Action, ActionSpec, Ask, Offer, Order};

/// Plans a drain.
pub struct DrainNodes;

impl Action for DrainNodes {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "drain",
            word: "drain",
            help: "what a drain of the node, or of all that are marked, would do to each pod; nothing is touched before it is confirmed",
            tables: &["nodes"],
            shown: true,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        let nodes = match &ask.marked[..] {
            [] if ask.table.is_some_and(|table| !table.marks.is_empty()) => return None,
            [] => vec![ask.target.name.clone()],
            marked => marked.iter().map(|target| target.name.clone()).collect(),
        };
        Some(Order::Drain(nodes))
    }
}
