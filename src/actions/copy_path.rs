//! Copies `namespace/name`.

use super::{Action, ActionSpec, Ask, Offer, Order};

/// Copies `namespace/name`.
pub struct CopyPath;

impl Action for CopyPath {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "copy-path",
            word: "copy path",
            help: "copy namespace/name",
            tables: &[],
            shown: false,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Copy("namespace/name", ask.target.path()))
    }
}
