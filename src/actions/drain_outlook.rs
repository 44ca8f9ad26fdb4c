//! What a drain of a node would do, before anything is touched.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::ui::document::Form;

/// Shows the outlook of a drain.
pub struct DrainOutlook;

impl Action for DrainOutlook {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "drain-outlook",
            word: "drain?",
            help: "what a drain of the node would do to each pod: decisions, budgets, landing; touches nothing",
            tables: &["nodes"],
            shown: true,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Open(ask.target.clone(), Form::Drain))
    }
}
