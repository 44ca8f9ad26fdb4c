//! Copies the object as YAML.

use super::{Action, ActionSpec, Ask, Offer, Order};

/// Copies the object as YAML.
pub struct CopyYaml;

impl Action for CopyYaml {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "copy-yaml",
            word: "copy yaml",
            help: "copy the whole text of a document, or the YAML of the row",
            tables: &[],
            shown: false,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(match &ask.text {
            // A run's report is copied as it goes into a ticket.
            Some(_) if ask.target.gvk.is_local() => Order::CopyYaml(ask.target.clone()),
            Some(text) => Order::Copy("document", text.clone()),
            None => Order::CopyYaml(ask.target.clone()),
        })
    }
}
