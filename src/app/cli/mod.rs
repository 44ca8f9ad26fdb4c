//! The command line: what is asked for, in kubectl's words where kubectl has them.

pub mod act;
pub mod again;
pub mod apf;
pub mod count;
pub mod csr;
pub mod doctor;
pub mod drain;
pub mod format;
pub mod health;
pub mod journal;
pub mod kubelet;
pub mod print;
pub mod stream;
pub mod stuck;
pub mod top;
pub mod why;

use crate::app::cluster::session::{ConnectArgs, Lock, PluginStdio, StartFault};
use crate::app::config::Config;
use crate::app::connect::{Connection, Origin};
use crate::app::terminal::profile::Link;
use crate::views;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Exit codes, the same for every command.
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// Tried and failed.
    pub const FAILED: u8 = 1;
    /// The command line means nothing.
    pub const USAGE: u8 = 2;
    /// Refused with nothing done.
    pub const REFUSED: u8 = 3;
    /// Some of it was done.
    pub const INCOMPLETE: u8 = 4;
}

/// Why a command did nothing, or not everything.
#[derive(Debug)]
pub struct Failure {
    /// Exit code.
    pub code: u8,
    /// Words for standard error.
    pub words: String,
}

impl Failure {
    /// The command line or a user's file means nothing; nothing was sent.
    pub fn usage(words: String) -> Failure {
        Failure { code: exit::USAGE, words }
    }

    /// Tried and failed.
    pub fn failed(words: String) -> Failure {
        Failure { code: exit::FAILED, words }
    }
}

/// Whether somebody still reads what was written: a reader that went away (`| head`) has what it wanted.
///
/// # Errors
/// Standard output fails otherwise (1).
pub fn is_read(written: io::Result<()>) -> Result<bool, Failure> {
    match written {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(Failure::failed(format!("standard output: {e}"))),
    }
}

const EXAMPLES: &str = "\
Examples:
  wheelhouse                                   the cluster kubectl would use, at its nodes
  wheelhouse pods -n shop                      the pods of one namespace
  wheelhouse --demo                            the embedded demo cluster; needs nothing
  wheelhouse --context prod-eu-1 --read-only   look, and change nothing
  wheelhouse print nodes                       pods per node, as a table
  wheelhouse print pods --filter 'status:crash' -o json
  wheelhouse print events --filter 'type:warning age:<10m' --watch
  wheelhouse print apiserver --filter 'verdict:=bad'   what is slow, full or failing in the API server and etcd
  wheelhouse doctor                            what works from here, and what is missing
  wheelhouse stuck                             what is being deleted and does not go, who holds it, what to do first
  wheelhouse health --watch                    what of the control plane is not well, and what changes about it
  wheelhouse journal report last               what the last change did, for a ticket

Keys are listed by ? inside and in docs/keys.md. Exit codes: 0 done, 1 failed, 2 usage, 3 refused with nothing done,
4 incomplete.";

/// A terminal cockpit for people who operate Kubernetes clusters.
#[derive(Parser, Debug)]
#[command(name = "wheelhouse", version, after_help = EXAMPLES, args_conflicts_with_subcommands = false)]
pub struct Cli {
    /// The view to open.
    #[arg(value_parser = view_names())]
    pub view: Option<String>,
    #[command(subcommand)]
    #[allow(missing_docs, reason = "its variants are documented")]
    pub command: Option<Command>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub common: Common,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub screen: Screen,
}

/// Where to, for every command.
#[derive(Args, Debug, Clone, Default)]
pub struct Common {
    /// Use the embedded demo cluster instead of a real one.
    #[arg(long, global = true)]
    pub demo: bool,
    /// Refuse every request that could change something, where requests leave the process.
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Change things without recording them: no report, no undo, no going on with a drain that was interrupted.
    #[arg(long, global = true)]
    pub no_journal: bool,
    /// Write a log to this file. Tokens, keys and Secret values never get into it.
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// The operator's configuration, read before anything is connected.
    #[arg(skip)]
    pub config: Arc<Config>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub connect: ConnectArgs,
}

impl Common {
    /// The cluster that was asked for, opened; to read alone where the command line says so.
    ///
    /// # Errors
    /// It cannot be reached (1), and what stands in the way.
    pub async fn open(&self) -> Result<Connection, Failure> {
        self.open_with(Lock::new(self.read_only)).await
    }

    /// The same for a command that changes nothing: no request that could leaves the process.
    ///
    /// # Errors
    /// As [`Common::open`].
    pub async fn open_to_read(&self) -> Result<Connection, Failure> {
        self.open_with(Lock::new(true)).await
    }

    /// The namespace that was asked for, if it is one.
    fn scope(&self) -> Option<String> {
        self.connect.namespace.clone().filter(|_| !self.connect.all_namespaces)
    }

    async fn open_with(&self, lock: Lock) -> Result<Connection, Failure> {
        let failed = |fault: StartFault| Failure::failed(fault.paragraph());
        let origin = Origin::of(self).map_err(failed)?;
        origin.open(lock, PluginStdio::Inherit).await.map_err(failed)
    }
}

/// How the screen looks.
#[derive(Args, Debug, Clone, Default)]
pub struct Screen {
    /// Draw with ASCII alone (chosen by itself in a C locale).
    #[arg(long)]
    pub ascii: bool,
    /// How much may be written to the terminal: slow 8 KB/s, fast unlimited, auto 32 KB/s over SSH.
    #[arg(long, value_enum, default_value_t = Link::Auto)]
    pub link: Link,
}

/// What runs without a screen.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Print a view: the same columns, filter and order as on screen.
    Print(print::PrintArgs),
    /// What nodes, pods and containers use, beside requests, limits and what can be allocated.
    Top(top::TopArgs),
    /// A node as its kubelet sees it, through the API server's proxy: storage, pressure, throttling, probes, configuration.
    Kubelet(kubelet::KubeletArgs),
    /// Tell what works from here: kubeconfig, connection, rights, terminal, clipboard.
    Doctor,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its variants are documented")]
    Act(act::Act),
    /// Drain nodes: evict their pods as far as disruption budgets allow; explained, resumable, journaled.
    Drain(Box<drain::DrainArgs>),
    /// Certificate requests: list, show, approve and deny them, each with its verdict; make a user.
    Csr(csr::CsrArgs),
    #[command(flatten)]
    #[allow(missing_docs, reason = "its variants are documented")]
    Stuck(stuck::Desk),
    /// Priority and fairness: levels, queues, requests, schemas, and which schema catches a request.
    Apf(apf::ApfArgs),
    /// Why a pod is pending: the reason of every node, beside the scheduler's own words.
    Why(why::WhyArgs),
    /// What of the control plane is not well, worst first; exit code 1 when something is not. The board on screen: `healthz`.
    Health(health::HealthArgs),
    /// What was changed from here: list runs, show one, report one for a ticket.
    Journal(journal::JournalArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// Names and aliases of all views.
pub fn view_names() -> PossibleValuesParser {
    let names = views::ALL
        .iter()
        .map(|v| clap::builder::PossibleValue::new(v.id).aliases(v.aliases.iter().copied()));
    PossibleValuesParser::new(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn views_are_known_by_their_aliases() {
        let cli = Cli::try_parse_from(["wheelhouse", "po", "-n", "shop"]).unwrap();
        assert_eq!(views::named(&cli.view.unwrap()).unwrap().id, "pods");
    }
}
