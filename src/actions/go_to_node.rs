//! From a pod to its node.

use super::copy_node::node;
use super::{Action, ActionSpec, Ask, Offer, Order, if_any};
use crate::views::spec::Jump;

/// From a pod to its node.
pub struct GoToNode;

impl Action for GoToNode {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "go-to-node",
            word: "node",
            help: "the node of the pod",
            tables: &["pods"],
            shown: true,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        if_any(node(ask), "this pod is not bound to a node")
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Go(Jump::to("nodes", "", node(ask))))
    }
}
