//! Copies the name.

use super::{Action, ActionSpec, Ask, Offer, Order};

/// Copies the name.
pub struct CopyName;

impl Action for CopyName {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "copy-name",
            word: "copy",
            help: "copy the name",
            tables: &[],
            shown: true,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Copy("name", ask.target.name.clone()))
    }
}
