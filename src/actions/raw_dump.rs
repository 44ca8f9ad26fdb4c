//! The dump that a table of priority and fairness was made from, as the server wrote it.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::ui::document::Form;

/// Opens the dump.
pub struct RawDump;

impl Action for RawDump {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "raw-dump",
            word: "dump",
            help: "the server's debug dump behind this table, as it came; save-page keeps it",
            tables: &["prioritylevelconfigurations", "queues", "flows", "requests"],
            shown: false,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Open(ask.target.clone(), Form::Dump))
    }
}
