//! What is known about the cluster and the session, apart from its objects.

use super::time::Epoch;

/// A session that its operator locked while it ran.
pub const LOCKED: &str = "locked";

/// What `--no-journal` gives up.
pub const UNRECORDED: &str =
    "nothing of this is recorded (--no-journal): no report, no undo, no going on after a crash";

/// The first line of the screen.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Name of the context (or `in-cluster`).
    pub context: String,
    /// Name of the cluster.
    pub name: String,
    /// Server URL.
    pub server: String,
    /// Who we are to the server, or as the kubeconfig calls it.
    pub user: String,
    /// Server version, empty until it is known.
    pub version: String,
    /// The namespace looked at; `None` is all.
    pub namespace: Option<String>,
    /// The context's own namespace.
    pub home: String,
    /// Writes are refused where requests leave the process.
    pub read_only: bool,
    /// What asks for that: `--read-only`, `config.toml line 7`, [`LOCKED`].
    pub read_only_by: String,
    /// What is done here is recorded nowhere (`--no-journal`).
    pub unrecorded: bool,
    /// Confirmation takes one level more here.
    pub protected: bool,
    /// The server's certificate is not checked.
    pub insecure: bool,
    /// The embedded demo cluster.
    pub demo: bool,
    /// Server clock minus ours, in seconds; `None` until an answer told it.
    pub skew: Option<i64>,
    /// Requests of the last minute.
    pub requests: u32,
    /// The priority level that our own requests are in, empty until it is known.
    pub level: String,
    /// What is odd about the kubeconfig, a sentence each.
    pub notes: Vec<String>,
    /// Contexts that can be switched to.
    pub contexts: Vec<String>,
    /// A switch of context is under way, to this one.
    pub switching: Option<String>,
}

impl Cluster {
    /// The server's time, given ours: ages are told by the server's clock.
    pub fn server_time(&self, local: Epoch) -> Epoch {
        Epoch(local.0 + self.skew.unwrap_or(0))
    }

    /// Seconds of skew worth telling.
    pub fn told_skew(&self) -> Option<i64> {
        self.skew.filter(|s| s.abs() >= 5)
    }
}
