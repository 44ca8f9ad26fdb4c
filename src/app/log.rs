//! `--log-file`: what happened, without what must not be told.
//!
//! Invariant: every line passes `redact`. kube logs whole responses when they do not parse, so its own log is limited to
//! errors.

use crate::app::cluster::session::redact;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// Starts the log, if one is wanted.
///
/// # Errors
/// The file cannot be opened.
pub fn start(file: Option<&Path>) -> Result<(), String> {
    let Some(path) = file else { return Ok(()) };
    let opened = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    let file = opened.map_err(|e| format!("--log-file {}: {e}", path.display()))?;
    let lines = Redacted(Arc::new(Mutex::new(file)));
    let levels = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("wheelhouse", LevelFilter::DEBUG)
        .with_target("kube_client", LevelFilter::ERROR);
    let layer = tracing_subscriber::fmt::layer().with_writer(lines).with_ansi(false);
    let log = tracing_subscriber::registry().with(levels).with(layer);
    tracing::subscriber::set_global_default(log).map_err(|e| format!("--log-file: {e}"))
}

#[derive(Clone)]
struct Redacted(Arc<Mutex<File>>);

impl<'a> MakeWriter<'a> for Redacted {
    type Writer = Redacted;

    fn make_writer(&'a self) -> Redacted {
        self.clone()
    }
}

impl Write for Redacted {
    /// The formatter hands over one whole line at a time, so nothing secret is split between two writes.
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = redact(&String::from_utf8_lossy(line));
        let mut file = self.0.lock().map_err(|_| std::io::Error::other("the log is broken"))?;
        file.write_all(text.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
