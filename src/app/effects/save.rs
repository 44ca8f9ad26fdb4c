//! Files that a key asks for: a run's report, a drain's plan, a page.

use super::Effects;
use crate::app::drain::saved::Saved;
use crate::app::files::{NotWritten, typed, write_new};
use crate::app::journal::Journal;
use crate::app::msg::{Msg, Note};
use crate::state::cell::Role;
use crate::state::journal::report;

/// Files of one name beside each other.
const TAKEN: usize = 99;

impl Effects {
    /// Saves the plan of a drain.
    pub(super) fn save_drain(&self, file: String, plan: Box<Saved>) {
        self.save(move || {
            let path = typed(&file);
            plan.write(&path).map_err(|why| why.to_string())?;
            let path = path.display();
            Ok(format!("nothing was done; wheelhouse drain --plan {path} does this"))
        });
    }

    /// Saves a run's report into the folder this was started in.
    pub(super) fn save_report(&self, run: String) {
        self.save(move || {
            let story = Journal::home().and_then(|journal| journal.read(&run));
            let text = report(&story.map_err(|why| why.to_string())?);
            let path = typed(&format!("wheelhouse-{run}.md"));
            match write_new(&path, &text) {
                Ok(()) => Ok(format!("the report is in {}", path.display())),
                // A report does not change once its run is over.
                Err(NotWritten::Exists(_)) => {
                    Err(format!("{} exists and was kept; move it away first", path.display()))
                }
                Err(why) => Err(why.to_string()),
            }
        });
    }

    /// Saves a page, or what was counted.
    pub(super) fn save_text(&self, file: String, text: String, what: String) {
        self.save(move || {
            let (stem, end) = file.rsplit_once('.').unwrap_or((&file, "txt"));
            // What was saved before is kept: the next one gets a number.
            let names = std::iter::once(file.clone())
                .chain((2..=TAKEN).map(|n| format!("{stem}-{n}.{end}")));
            let mut last = String::new();
            for name in names {
                let path = typed(&name);
                match write_new(&path, &text) {
                    Ok(()) => return Ok(format!("{}: {what}", path.display())),
                    Err(NotWritten::Exists(path)) => last = path.display().to_string(),
                    Err(why) => return Err(why.to_string()),
                }
            }
            Err(format!("{last} exists, and so do all before it; move them away first"))
        });
    }

    fn save(&self, work: impl FnOnce() -> Result<String, String> + Send + 'static) {
        let post = self.post.clone();
        self.runtime.spawn_blocking(move || {
            post(Msg::Said(match work() {
                Ok(text) => Note { role: Role::Ok, text },
                Err(text) => Note { role: Role::Warn, text },
            }));
        });
    }
}
