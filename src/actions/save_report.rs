//! Saves the report of a run of the journal, for a ticket.

use super::{Action, ActionSpec, Ask, Offer, Order};

/// Saves the report of a run.
pub struct SaveReport;

impl Action for SaveReport {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "save-report",
            word: "save report",
            help: "save the run's report as Markdown, in the folder this was started in",
            tables: &["journal"],
            shown: true,
        }
    }

    fn offer(&self, _: &Ask<'_>) -> Offer {
        Offer::Yes
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::SaveReport(ask.target.name.clone()))
    }
}
