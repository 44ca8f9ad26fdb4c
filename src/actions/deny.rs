//! Deny certificate requests: whoever asked may ask again.

use super::change::{Argument, By, Change, Draft, Seen};
use super::decide::{self, Decision};
use super::plan::{Danger, Note, Plan};
use super::{Action, ActionSpec, Ask, Offer, approve};
use crate::state::rules::csr::{Asked, World, judge};
use crate::state::store::Store;

/// Denies the request under the cursor, or those that are marked.
pub struct Deny;

impl Action for Deny {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "deny",
            word: "deny",
            help: "deny the certificate request, or all that are marked",
            tables: &["certificatesigningrequests"],
            shown: true,
        }
    }

    fn offer(&self, ask: &Ask<'_>) -> Offer {
        decide::offer(ask)
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Deny {
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
        plan(on, argument, by, &World::unread(), false)
    }

    fn plan_among(
        &self,
        on: &[Seen],
        argument: &str,
        by: &By,
        among: &Store,
    ) -> Result<Plan, String> {
        plan(on, argument, by, &World::of(among), false)
    }
}

/// The plan to deny requests, or only those that a newer one of the same node supersedes.
///
/// # Errors
/// None of them can be denied; each with its reason.
pub fn plan(
    on: &[Seen],
    argument: &str,
    by: &By,
    world: &World,
    superseded: bool,
) -> Result<Plan, String> {
    let mut draft = Draft::new("deny", Danger::Disruptive);
    for seen in on {
        let (name, asked) = (&seen.target.name, Asked::of(&seen.object));
        if let Some(why) = decide::decided(&asked) {
            draft.skip(format!("{name} {why}"));
            continue;
        }
        let verdict = judge(&asked, world);
        if superseded && verdict.superseded.is_none() {
            draft.skip(format!("{name} is not superseded any more"));
            continue;
        }
        let words = match &verdict.superseded {
            Some(newer) if superseded => format!("superseded by {newer}"),
            _ => format!("{}, {}", verdict.colour.word(), verdict.why()),
        };
        draft.note(Note::plain(format!("{name}: {words}")));
        draft.step(decide::step(seen, Decision::Deny, argument, &words, by));
    }
    draft.note(Note::warn("a denial is final for this request; whoever asked may ask again"));
    draft.finish(on, "request")
}
