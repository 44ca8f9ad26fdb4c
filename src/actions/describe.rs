//! The object explained: conditions, containers, events.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::ui::document::Form;

/// Opens a description.
pub struct Describe;

impl Action for Describe {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "describe",
            word: "describe",
            help: "the object explained, with its events",
            tables: &[],
            shown: true,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Open(ask.target.clone(), Form::Describe))
    }
}
