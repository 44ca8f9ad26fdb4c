//! Deny the older requests of nodes that have asked again: a kubelet waits for its newest one only.

use super::change::{Argument, By, Change, Seen};
use super::decide;
use super::plan::Plan;
use super::{Action, ActionSpec, Ask, Offer, Order, approve, deny};
use crate::state::kinds::certificate_requests::NEWER;
use crate::state::row::Row;
use crate::state::rules::csr::World;
use crate::state::store::Store;

/// Denies the superseded requests on screen.
pub struct DenySuperseded;

fn is_superseded(row: Row<'_>) -> bool {
    !row.text(NEWER).is_empty()
}

impl Action for DenySuperseded {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "deny-superseded",
            word: "deny superseded",
            help: "deny the older requests of nodes that asked again",
            tables: &["certificatesigningrequests"],
            shown: false,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        decide::offer_all(ask, is_superseded, "no request here is superseded")
    }

    fn order(&self, ask: &Ask<'_>) -> Option<Order> {
        decide::order("deny-superseded", ask, is_superseded)
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for DenySuperseded {
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
        deny::plan(on, argument, by, &World::unread(), true)
    }

    fn plan_among(
        &self,
        on: &[Seen],
        argument: &str,
        by: &By,
        among: &Store,
    ) -> Result<Plan, String> {
        deny::plan(on, argument, by, &World::of(among), true)
    }
}
