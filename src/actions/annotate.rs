//! Annotations: keys are set and removed, and nothing else on the object is touched.

use super::change::{Argument, By, Change, Draft, Seen};
use super::label::write;
use super::plan::{Danger, Plan};
use super::qualified::pairs;
use super::{Action, ActionSpec};

/// Sets and removes annotations.
pub struct Annotate;

impl Action for Annotate {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: "annotate",
            word: "annotate",
            help: "set annotations (key=value) and remove them (key-)",
            tables: &[],
            shown: false,
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for Annotate {
    fn argument(&self) -> Option<Argument> {
        Some(Argument { label: "annotations", example: "example.com/note=text old-key-" })
    }

    fn check(&self, argument: &str) -> Result<(), String> {
        pairs(argument, |_| Ok(())).map(|_| ())
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("patch", "")
    }

    fn plan(&self, on: &[Seen], argument: &str, _: &By) -> Result<Plan, String> {
        let wanted = pairs(argument, |_| Ok(()))?;
        let mut draft = Draft::new("annotate", Danger::Reversible);
        write(&mut draft, "annotations", on, &wanted);
        draft.finish(on, "object")
    }
}
