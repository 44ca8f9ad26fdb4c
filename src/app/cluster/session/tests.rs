//! The session against files, scripts and servers on loopback.

mod answers;
mod files;
mod gated;
mod plugins;
mod proxies;
mod server;
mod sessions;

use std::path::Path;

use super::*;

/// An environment with nothing in it, so that the machine's own kubeconfig never leaks into a test.
fn bare() -> Environment {
    Environment::default()
}

fn write(dir: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// A kubeconfig with one context `it`, from the lines of its cluster and user entries.
fn one(cluster: &[&str], user: &[&str]) -> String {
    let lines = |lines: &[&str]| match lines {
        [] => "{}".to_owned(),
        _ => lines.iter().map(|line| format!("\n    {line}")).collect(),
    };
    format!(
        "clusters:\n- name: it\n  cluster: {}\nusers:\n- name: me\n  user: {}\n\
         contexts: [{{name: it, context: {{cluster: it, user: me}}}}]\ncurrent-context: it\n",
        lines(cluster),
        lines(user)
    )
}

fn pinned(dir: &Path, config: &str) -> Pinned {
    let args = ConnectArgs {
        kubeconfig: Some(write(dir, "config", config)),
        request_timeout: Some(Duration::from_secs(10)),
        ..ConnectArgs::default()
    };
    Pinned::load(&args, bare()).unwrap()
}
