//! Approve certificate requests.

use super::ActionSpec;
use super::change::{By, Draft, Seen};
use super::decide::{self, Decide, Decision};
use super::plan::{Danger, Note, Plan};
use crate::state::rules::csr::{Colour, Verdict, World};

/// Approves the request under the cursor, or those that are marked.
pub static APPROVE: Decide = Decide {
    spec: &ActionSpec {
        id: "approve",
        word: "approve",
        help: "approve the certificate request; a red one takes typing its name, and only alone",
        tables: &["certificatesigningrequests"],
        shown: true,
    },
    all: None,
    plan: |on, argument, by, world| plan(on, argument, by, world, Colour::Red),
};

/// The plan to approve what is not worse than `worst`. A red request is approved alone or not at all.
///
/// # Errors
/// None of them may be approved; each with its reason.
pub fn plan(
    on: &[Seen],
    argument: &str,
    by: &By,
    world: &World,
    worst: Colour,
) -> Result<Plan, String> {
    let mut draft = Draft::new("approve", Danger::Disruptive);
    let worst = if on.len() > 1 { worst.min(Colour::Amber) } else { worst };
    let (mut approved, mut amber) = (0, 0);
    decide::each(&mut draft, on, world, |draft, seen, verdict| {
        let name = &seen.target.name;
        if verdict.colour > worst {
            return draft.skip(format!("{name} is {}: {}", verdict.colour.word(), verdict.why()));
        }
        let words = format!("{}, {}", verdict.colour.word(), verdict.why());
        draft.step(decide::step(seen, Decision::Approve, argument, &words, by));
        approved += 1;
        amber += usize::from(verdict.colour == Colour::Amber);
        tell(draft, name, &verdict, on.len() == 1);
        if verdict.colour == Colour::Red {
            draft.raise(Danger::Destructive(name.clone()));
        }
    });
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
