//! Approve all green: of the requests on screen those that every rule found a proof for, judged anew before the preview.

use super::change::{Argument, By, Change, Seen};
use super::decide;
use super::plan::Plan;
use super::{Action, ActionSpec, Ask, Offer, Order, approve};
use crate::state::kinds::certificate_requests::VERDICT;
use crate::state::row::Row;
use crate::state::rules::csr::{Colour, World};
use crate::state::store::Store;

/// Approves the green requests on screen.
pub struct ApproveGreen;

fn is_green(row: Row<'_>) -> bool {
    row.text(VERDICT) == Colour::Green.word()
}

impl Action for ApproveGreen {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "approve-green",
            word: "approve all green",
            help: "approve every green request on screen; the preview lists them, and what is not green is left out",
            tables: &["certificatesigningrequests"],
            shown: true,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        decide::offer_all(ask, is_green, "no request here is green")
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        decide::order("approve-green", ask, is_green)
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for ApproveGreen {
    fn argument(&self) -> Option<Argument> {
        Some(approve::ARGUMENT)
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "approval")
    }

    fn more_rights(&self, on: &[Seen]) -> Vec<[String; 4]> {
        decide::signer_rights(on)
    }

    fn rereads(&self) -> &'static [&'static str] {
        decide::AMONG
    }

    fn plan(&self, on: &[Seen], argument: &str, by: &By) -> Result<Plan, String> {
        approve::plan("approve", on, argument, by, &World::unread(), Colour::Green)
    }

    fn plan_among(
        &self,
        on: &[Seen],
        argument: &str,
        by: &By,
        among: &Store,
    ) -> Result<Plan, String> {
        approve::plan("approve", on, argument, by, &World::of(among), Colour::Green)
    }
}
