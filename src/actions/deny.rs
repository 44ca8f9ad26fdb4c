//! Deny certificate requests: whoever asked may ask again.

use super::ActionSpec;
use super::change::{By, Draft, Seen};
use super::decide::{self, Decide, Decision};
use super::plan::{Danger, Note, Plan};
use crate::state::rules::csr::World;

/// Denies the request under the cursor, or those that are marked.
pub static DENY: Decide = Decide {
    spec: &ActionSpec {
        id: "deny",
        word: "deny",
        help: "deny the certificate request, or all that are marked",
        tables: &["certificatesigningrequests"],
        shown: true,
    },
    all: None,
    plan: |on, argument, by, world| plan(on, argument, by, world, false),
};

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
    decide::each(&mut draft, on, world, |draft, seen, verdict| {
        let name = &seen.target.name;
        if superseded && verdict.superseded.is_none() {
            return draft.skip(format!("{name} is not superseded any more"));
        }
        let words = match &verdict.superseded {
            Some(newer) if superseded => format!("superseded by {newer}"),
            _ => format!("{}, {}", verdict.colour.word(), verdict.why()),
        };
        draft.note(Note::plain(format!("{name}: {words}")));
        draft.step(decide::step(seen, Decision::Deny, argument, &words, by));
    });
    draft.note(Note::warn("a denial is final for this request; whoever asked may ask again"));
    draft.finish(on, "request")
}
