//! Puts back what a run of the journal did, as far as nobody changed it since.

use super::{Action, ActionSpec, Ask, Offer, Order};
use crate::state::kinds::journal as runs;

/// Puts back what a run did.
pub struct UndoRun;

impl Action for UndoRun {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "undo-run",
            word: "undo it",
            help: "put back what the run did, after a preview",
            tables: &["journal"],
            shown: true,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        let Some(row) = ask.row else { return Offer::No("the run is gone".into()) };
        let no = |why: &str| Offer::No(why.to_owned());
        match row.text(runs::UNDO) {
            _ if ask.table.is_some_and(|table| !table.marks.is_empty()) => {
                no("one run at a time; esc takes the marks away")
            }
            "no" => no("nothing of it can be put back"),
            "undone" => no("it was put back already"),
            "still running" => no("it is still running"),
            _ if row.text(runs::SERVER) != ask.cluster.server => {
                Offer::No(format!("it was on {}, not here", row.text(runs::CONTEXT)))
            }
            _ => ask.may_write(),
        }
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        Some(Order::Undo(ask.target.name.clone()))
    }
}
