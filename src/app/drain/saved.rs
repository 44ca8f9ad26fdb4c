//! A plan of a drain in a file: made and looked at today, run tomorrow if the cluster is still the same.

use crate::actions::drain::orders::Mandate;
use crate::actions::drain::plan::DrainPlan;
use crate::app::files::{NotWritten, write_new};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// The format that is written. Older ones are read as long as there are any.
const VERSION: u32 = 1;

/// A plan as it stands in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    version: u32,
    /// Server that it was made on.
    pub server: String,
    /// What was decided.
    pub mandate: Mandate,
    /// Why the nodes are drained, for their notes.
    pub reason: String,
    /// What it would do, to be compared with what it would do then.
    pub plan: DrainPlan,
}

impl Saved {
    /// A plan that is to be written.
    pub fn new(server: String, mandate: Mandate, reason: String, plan: DrainPlan) -> Saved {
        Saved { version: VERSION, server, mandate, reason, plan }
    }

    /// Writes it into a new file, for its owner alone.
    ///
    /// # Errors
    /// [`NotWritten`]: a file of that name is kept.
    pub fn write(&self, file: &Path) -> Result<(), NotWritten> {
        let text = serde_json::to_string_pretty(self);
        let text = text.map_err(|e| NotWritten::Failed(file.to_owned(), e.to_string()))?;
        write_new(file, &(text + "\n"))
    }

    /// Reads one.
    ///
    /// # Errors
    /// In words: it cannot be read, is no plan, or one of a newer wheelhouse.
    pub fn read(file: &Path) -> Result<Saved, String> {
        let name = file.display();
        let text = std::fs::read_to_string(file).map_err(|e| format!("{name}: {e}"))?;
        let saved: Value = serde_json::from_str(&text).map_err(|e| format!("{name}: {e}"))?;
        match saved["version"].as_u64() {
            Some(v) if v == u64::from(VERSION) => {}
            Some(v) => return Err(format!("{name}: format {v} is of a newer wheelhouse")),
            None => return Err(format!("{name} is no saved plan")),
        }
        serde_json::from_value(saved).map_err(|e| format!("{name}: {e}"))
    }
}
