//! Copies the node of a pod.

use super::{Action, ActionSpec, Ask, Offer, Order, if_any};
use crate::state::kinds::pods;

/// Copies the node of a pod.
pub struct CopyNode;

impl Action for CopyNode {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "copy-node",
            word: "copy node",
            help: "copy the name of the node",
            tables: &["pods"],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        if_any(node(ask), "this pod is not bound to a node")
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Copy("node", node(ask).to_owned()))
    }
}

/// The node of the pod asked about, empty if it has none.
pub(super) fn node<'a>(ask: &Ask<'a>) -> &'a str {
    ask.row.map_or("", |row| row.text(pods::NODE))
}
