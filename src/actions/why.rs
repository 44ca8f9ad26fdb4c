//! Why a pod is pending: each node's reason, from the landing simulator.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::kinds::pods;
use crate::state::ui::document::Form;

/// Explains why no node takes a pod.
pub struct Why;

impl Action for Why {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "why",
            word: "why pending",
            help: "why no node takes the pod, node by node, beside the scheduler's own words",
            tables: &["pods"],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.row.map(|row| row.text(pods::NODE)).filter(|node| !node.is_empty()) {
            Some(node) => Offer::No(format!("it is on node {node}")),
            None => Offer::Yes,
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Open(ask.target.clone(), Form::Why))
    }
}
