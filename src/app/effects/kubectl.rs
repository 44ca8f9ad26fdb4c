//! kubectl in the lent terminal, until the cockpit has logs and shells of its own.
//!
//! It is pinned by a private copy of the kubeconfig as it was at start: a `use-context` elsewhere cannot move it, and no
//! token stands on a command line where others on the bastion could read it.

use super::Errand;
use crate::actions::Kubectl;
use crate::app::connect::{Connection, Way};
use crate::app::files::create_private;
use crate::app::terminal::signals;
use secrecy::{ExposeSecret, SecretString};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};

/// Runs a kubectl command against the cluster of this connection.
///
/// # Errors
/// There is no such cluster, no kubectl, or no place for its kubeconfig.
pub(super) fn errand(connection: &Connection, command: Kubectl) -> Result<Errand, String> {
    let Way::Pinned(pinned) = &connection.origin.way else {
        return Err("the demo cluster lives inside this process; kubectl cannot reach it".into());
    };
    let program = on_path("kubectl").ok_or(
        "there is no kubectl on the PATH; logs and shells are its work until the cockpit has its own",
    )?;
    let text = pinned.kubeconfig().map_err(|why| format!("kubectl was not started: {why}"))?;
    let config = Private::write(&text)?;
    Ok(Box::new(move || {
        signals::interrupted();
        let mut child = Command::new(&program);
        let ended = child.arg("--kubeconfig").arg(&config.0).args(&command.args).status();
        drop(config);
        match ended {
            Err(why) => Some(format!("{} could not be started: {why}", program.display())),
            Ok(status) => {
                if !(signals::interrupted() || command.session && status.success()) {
                    wait_for_reader(status);
                }
                None
            }
        }
    }))
}

/// What kubectl wrote goes with the screen, so whoever has not ended it has to have read it.
fn wait_for_reader(status: ExitStatus) {
    let how = match status.code() {
        Some(0) => "ended".to_owned(),
        Some(code) => format!("ended with exit code {code}"),
        None => "was ended by a signal".to_owned(),
    };
    let mut out = std::io::stdout();
    let told = write!(out, "\nwheelhouse: kubectl {how}. Enter comes back. ");
    // On a terminal that is gone nobody reads, and nobody presses Enter.
    if told.and_then(|()| out.flush()).is_ok() {
        let _ = std::io::stdin().read_line(&mut String::new());
    }
}

/// A file readable by its owner alone, which goes when it is no longer needed.
struct Private(PathBuf);

impl Private {
    fn write(text: &SecretString) -> Result<Private, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder =
            std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("wheelhouse-{}-{count}.yaml", std::process::id()));
        // A file left by a killed process of the same number is replaced, never followed.
        let _ = std::fs::remove_file(&path);
        let written = create_private(&path)
            .and_then(|mut file| file.write_all(text.expose_secret().as_bytes()));
        written.map_err(|e| {
            format!("kubectl was not started: {} cannot be written: {e}", path.display())
        })?;
        Ok(Private(path))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // If it cannot be removed it is still readable by its owner alone.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}
