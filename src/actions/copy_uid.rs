//! Copies the uid.

use super::{Action, ActionSpec, Ask, Offer, Order};

/// Copies the uid.
pub struct CopyUid;

impl Action for CopyUid {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "copy-uid",
            word: "copy uid",
            help: "copy the uid",
            tables: &[],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        match ask.target.key.uid() {
            Some(_) => Offer::Yes,
            None => Offer::No("the server gives this object no uid".into()),
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Copy("uid", ask.target.key.uid()?))
    }
}
