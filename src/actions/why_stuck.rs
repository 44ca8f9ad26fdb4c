//! Why an object that was deleted does not go: who holds it, and whether that one lives.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::ui::document::Form;

/// Explains what holds an object that is being deleted.
pub struct WhyStuck;

impl Action for WhyStuck {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "why-stuck",
            word: "why stuck",
            help: "why an object that was deleted does not go: who holds it, whether that one lives, what to do first",
            tables: &[],
            shown: false,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Open(ask.target.clone(), Form::Stuck))
    }
}
