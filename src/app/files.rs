//! Files that are made here: new ones only, and for nobody else to read. What the operator asks for (a report, a saved plan)
//! never takes the place of a file that is there.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Makes a new file that only its owner reads and writes (mode 0600), never through a link.
///
/// # Errors
/// Those of the system; [`ErrorKind::AlreadyExists`] where there is something of that name.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Why a file was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// There is one of that name.
    #[error("{} exists and was kept. Name another file", .0.display())]
    Exists(PathBuf),
    /// The system says no.
    #[error("{} was not written: {}", .0.display(), .1)]
    Failed(PathBuf, String),
}

/// Writes a new file that only its owner reads. What could not be written whole is taken away again.
///
/// # Errors
/// [`NotWritten`].
pub fn write_new(path: &Path, text: &str) -> Result<(), NotWritten> {
    let failed = |e: io::Error| NotWritten::Failed(path.to_owned(), e.to_string());
    let mut file = create_private(path).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => NotWritten::Exists(path.to_owned()),
        _ => failed(e),
    })?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|e| {
        // Half a plan or report is worse than none; where even that fails, the error says that it is not whole.
        let _ = std::fs::remove_file(path);
        failed(e)
    })
}

/// A path as an operator types it, `~/` being the home folder; with the whole way to it, as nobody remembers where a program was
/// started.
pub fn typed(path: &str) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let path = match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    };
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_new_private_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan.json");
        write_new(&path, "one").unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(write_new(&path, "two"), Err(NotWritten::Exists(path.clone())));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        let nowhere = write_new(&dir.path().join("no/plan.json"), "x").unwrap_err().to_string();
        assert!(nowhere.contains("was not written"), "{nowhere}");
    }
}
