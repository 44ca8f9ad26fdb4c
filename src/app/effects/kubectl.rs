//! kubectl in the lent terminal, until the cockpit has logs and shells of its own.
//!
//! It is pinned by a private copy of the kubeconfig as it was at start: a `use-context` elsewhere cannot move it, and no
//! token stands on a command line where others on the bastion could read it.

use crate::app::connect::{Connection, Origin};
use secrecy::ExposeSecret;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// A program for the lent terminal, with a file that goes when it is done.
#[derive(Debug)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    private: PathBuf,
}

impl Command {
    pub(super) fn new(connection: &Connection, args: Vec<String>) -> Result<Command, String> {
        let Origin::Pinned(pinned) = &connection.origin else {
            return Err("the demo cluster lives inside this process; kubectl cannot reach it".into());
        };
        let program = on_path("kubectl")
            .ok_or("there is no kubectl on the PATH; logs and shells are its work until the cockpit has its own")?;
        let folder = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let private = folder.join(format!("wheelhouse-{}-{}.yaml", std::process::id(), args.len()));
        // A file left by a killed process of the same number is replaced, never followed.
        let _ = std::fs::remove_file(&private);
        let text = pinned.kubeconfig().map_err(|why| format!("kubectl was not started: {why}"))?;
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&private);
        file.and_then(|mut file| file.write_all(text.expose_secret().as_bytes()))
            .map_err(|e| format!("kubectl was not started: {} cannot be written: {e}", private.display()))?;
        let mut argv = vec![program.into_os_string(), "--kubeconfig".into(), private.clone().into()];
        argv.extend(args.into_iter().map(OsString::from));
        Ok(Command { argv, private })
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        // If it cannot be removed it is still readable by its owner alone.
        let _ = std::fs::remove_file(&self.private);
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}
