//! Objects as they were before a change, kept beside the journal: `$XDG_STATE_HOME/wheelhouse/backup/RUN/N-KIND-NAME.yaml`.
//!
//! Invariant: a file is readable by its owner alone and never written over; it is on disk when its path is told.

use super::{Run, sync_folder};
use crate::app::files::create_private;
use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Bytes of a file's name that come from an object, at most: file systems take 255.
const LONGEST: usize = 180;

impl Run {
    /// Keeps the text of an object that step number `step` is about to change. The file is on disk when this returns.
    ///
    /// # Errors
    /// It could not be written: the change must not be sent.
    pub fn keep(&self, step: u64, object: &[String; 4], text: &str) -> io::Result<PathBuf> {
        let [kind, namespace, name, _] = object;
        let journal = self.path().parent().unwrap_or(Path::new("."));
        let folder = journal.parent().unwrap_or(journal).join("backup").join(self.id());
        if !folder.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            folder.ancestors().skip(1).take(2).try_for_each(sync_folder)?;
        }
        let place = if namespace.is_empty() { String::new() } else { format!("{namespace}.") };
        let path =
            folder.join(format!("{step:04}-{}.yaml", plain(&format!("{kind}-{place}{name}"))));
        let mut file = create_private(&path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_folder(&folder)?;
        Ok(path)
    }
}

/// A name that is a name on any file system.
fn plain(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.chars().take(LONGEST).map(|c| if fits(c) { c } else { '_' }).collect()
}
