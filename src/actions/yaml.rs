//! The object as the server has it.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::ui::document::Form;

/// Opens the YAML.
pub struct Yaml;

impl Action for Yaml {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "yaml",
            word: "yaml",
            help: "the object as YAML; managed fields folded, Secret values masked",
            tables: &[],
            shown: true,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Open(ask.target.clone(), Form::Yaml))
    }
}
