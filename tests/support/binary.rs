//! Runs the built `wheelhouse` as a user would, in an environment of its own.

use super::controlplane::output_within;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// The longest a headless command may take here. Generous: it only has to tell a hang from slowness.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `wheelhouse ARGS --kubeconfig FILE` to its end; nothing of the machine's own kubeconfig is seen.
pub fn wheelhouse(kubeconfig: &Path, args: &[&str]) -> Output {
    let home = tempfile::tempdir().expect("the temporary folder is writable");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    command
        .args(args)
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .env("HOME", home.path())
        .env_remove("KUBECONFIG");
    for variable in
        ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "HTTPS_PROXY", "https_proxy"]
    {
        command.env_remove(variable);
    }
    output_within(command, "", LIMIT)
}
