//! Approve certificate requests: each is judged anew, with everything it is compared with read again, before the preview.

use super::change::{Argument, By, Change, Draft, Seen};
use super::decide::{self, Decision};
use super::plan::{Danger, Note, Plan};
use super::{Action, ActionSpec, Ask, Offer};
use crate::state::rules::csr::{Asked, Colour, Verdict, World, judge};
use crate::state::store::Store;

/// Approves the request under the cursor, or those that are marked.
pub struct Approve;

/// What is asked for before a decision.
pub const ARGUMENT: Argument =
    Argument { label: "message", example: "checked with the owner reason=Checked (or nothing)" };

impl Action for Approve {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "approve",
            word: "approve",
            help: "approve the certificate request; a red one takes typing its name, and only alone",
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

impl Change for Approve {
    fn argument(&self) -> Option<Argument> {
        Some(ARGUMENT)
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
        plan("approve", on, argument, by, &World::unread(), Colour::Red)
    }

    fn plan_among(
        &self,
        on: &[Seen],
        argument: &str,
        by: &By,
        among: &Store,
    ) -> Result<Plan, String> {
        plan("approve", on, argument, by, &World::of(among), Colour::Red)
    }
}

/// The plan to approve what is not worse than `worst`. A red request is approved alone or not at all.
///
/// # Errors
/// None of them may be approved; each with its reason.
pub fn plan(
    verb: &str,
    on: &[Seen],
    argument: &str,
    by: &By,
    world: &World,
    worst: Colour,
) -> Result<Plan, String> {
    let mut draft = Draft::new(verb, Danger::Disruptive);
    let worst = if on.len() > 1 { worst.min(Colour::Amber) } else { worst };
    let (mut approved, mut amber) = (0, 0);
    for seen in on {
        let (name, asked) = (&seen.target.name, Asked::of(&seen.object));
        if let Some(why) = decide::decided(&asked) {
            draft.skip(format!("{name} {why}"));
            continue;
        }
        let verdict = judge(&asked, world);
        if verdict.colour > worst {
            draft.skip(format!("{name} is {}: {}", verdict.colour.word(), verdict.why()));
            continue;
        }
        let words = format!("{}, {}", verdict.colour.word(), verdict.why());
        draft.step(decide::step(seen, Decision::Approve, argument, &words, by));
        approved += 1;
        amber += usize::from(verdict.colour == Colour::Amber);
        tell(&mut draft, name, &verdict, on.len() == 1);
        if verdict.colour == Colour::Red {
            draft.raise(Danger::Destructive(name.clone()));
        }
    }
    if amber > 0 && approved > 1 {
        draft.raise(Danger::Destructive(approved.to_string()));
    }
    draft.note(Note::warn(
        "a certificate that is issued is good until its end: nothing takes it back",
    ));
    draft.finish(on, "request")
}

/// The verdict in the preview: every finding of a single request, one line for each of many.
fn tell(draft: &mut Draft<'_>, name: &str, verdict: &Verdict, alone: bool) {
    let note = |colour, words: String| match colour {
        Colour::Green => Note::plain(words),
        Colour::Amber => Note::warn(words),
        Colour::Red => Note::bad(words),
    };
    draft.note(note(
        verdict.colour,
        format!("{name} is {}: {}", verdict.colour.word(), verdict.why()),
    ));
    for finding in verdict.findings.iter().filter(|_| alone) {
        draft.note(note(finding.colour(), format!("  {}: {}", finding.rule, finding.words())));
    }
}
