//! Changes without a screen: the same plans, the same preview, the same journal.

use super::{Common, Failure, exit};
use crate::actions::Wish;
use crate::actions::plan::{Answer, Danger, Plan};
use crate::app::cluster::gather::each;
use crate::app::cluster::request::encode;
use crate::app::cluster::session::{Fault, get};
use crate::app::connect::Connection;
use crate::app::effects::change::{Reach, began, journal_of, prepare, run_plan, undo};
use crate::state::text::clean;
use crate::state::ui::document::Target;
use clap::{Args, Subcommand, ValueEnum};
use std::io::{BufRead, IsTerminal, Write};
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::runtime::Handle;

mod asked;
mod told;

use asked::{Asked, asked};
use told::preview;

/// What changes something.
#[derive(Subcommand, Debug, Clone)]
pub enum Act {
    /// Keep new pods off nodes, with a reason that stands on them.
    Cordon {
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        nodes: Nodes,
        /// Why
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// The ticket it belongs to
        #[arg(long)]
        ticket: Option<String>,
        /// Who is responsible for it
        #[arg(long)]
        owner: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        how: Way,
    },
    /// Let new pods on nodes again.
    Uncordon {
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        nodes: Nodes,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        why: Because,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        how: Way,
    },
    /// Add (key=value:Effect) and remove (key:Effect-, key-) taints: `taint nodes NODE... SPEC...`
    Taint(Words),
    /// Set labels (key=value) and remove them (key-): `label KIND NAME... PAIR...`
    Label(Words),
    /// Set annotations (key=value) and remove them (key-): `annotate KIND NAME... PAIR...`
    Annotate(Words),
    /// Delete objects: `delete KIND NAME...`
    Delete(Words),
    /// Ask pods to go, as far as disruption budgets allow.
    Evict {
        /// Pods, in the namespace of `-n` or of the context
        #[arg(required = true)]
        pods: Vec<String>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        why: Because,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        how: Way,
    },
    /// Roll a workload's pods: `restart KIND NAME...` or KIND/NAME
    Restart(Words),
    /// Another number of replicas: `scale KIND NAME --replicas N` or KIND/NAME
    Scale {
        /// How many
        #[arg(long)]
        replicas: u32,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        words: Words,
    },
    /// Other shares and limits of priority levels, with the seats of all levels worked out before: `limits LEVEL... NAME=NUMBER...`
    /// with shares, lendable, borrowing, queues, hand-size, queue-length
    Limits(Words),
    /// Put back what a run did, as far as nobody changed it since; without a name the last one.
    Undo {
        /// The run, as `wheelhouse journal` names it
        run: Option<String>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        why: Because,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        how: Way,
    },
}

/// Nodes by name or label.
#[derive(Args, Debug, Clone)]
pub struct Nodes {
    /// Nodes
    #[arg(required_unless_present = "selector")]
    pub nodes: Vec<String>,
    /// All nodes with these labels
    #[arg(short = 'l', long, conflicts_with = "nodes")]
    pub selector: Option<String>,
}

/// A kind, names, and what the action takes beside them.
#[derive(Args, Debug, Clone)]
pub struct Words {
    /// Kind, names and what the action takes
    #[arg(required = true, allow_hyphen_values = false)]
    pub words: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub why: Because,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub how: Way,
}

/// What stands in the journal beside it.
#[derive(Args, Debug, Clone)]
pub struct Because {
    /// Why: it stands in the journal and in the report
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Whether and how it is done.
#[derive(Args, Debug, Clone)]
pub struct Way {
    /// Do it without asking. Without a terminal nothing is done unless this is given
    #[arg(short, long)]
    pub yes: bool,
    /// What has to be typed on a protected context, or to give something up: the plan says it
    #[arg(long, value_name = "WORD")]
    pub confirm: Option<String>,
    /// client: say what would be sent; server: send it so that the server only checks it
    #[arg(long, value_enum, default_value_t = DryRun::None, num_args = 0..=1, default_missing_value = "server")]
    pub dry_run: DryRun,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Output::Words)]
    pub output: Output,
}

/// How much is really done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// All of it.
    None,
    /// Nothing is sent.
    Client,
    /// It is sent with dryRun=All.
    Server,
}

/// How the outcome is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// In words.
    Words,
    /// As one JSON object.
    Json,
}

impl Act {
    fn way(&self) -> &Way {
        match self {
            Act::Cordon { how, .. }
            | Act::Uncordon { how, .. }
            | Act::Evict { how, .. }
            | Act::Undo { how, .. } => how,
            Act::Taint(words) | Act::Label(words) | Act::Annotate(words) | Act::Limits(words) => {
                &words.how
            }
            Act::Delete(words) | Act::Restart(words) | Act::Scale { words, .. } => &words.how,
        }
    }

    /// Why, as far as it was given and is not part of the change itself, as it is of a cordon.
    fn reason(&self) -> Option<String> {
        let why = match self {
            Act::Cordon { .. } => return None,
            Act::Uncordon { why, .. } | Act::Evict { why, .. } | Act::Undo { why, .. } => why,
            Act::Taint(words) | Act::Label(words) | Act::Annotate(words) | Act::Limits(words) => {
                &words.why
            }
            Act::Delete(words) | Act::Restart(words) | Act::Scale { words, .. } => &words.why,
        };
        why.reason.clone().filter(|reason| !reason.is_empty())
    }
}

/// Does it: what is to be written to standard output, and what went wrong.
///
/// # Errors
/// Usage (2); nothing was done because it was not confirmed (3); the cluster cannot be reached (1).
pub async fn act(common: &Common, act: &Act) -> Result<(String, Option<Failure>), Failure> {
    let asked = asked(act)?;
    let connection = common.open().await?;
    let refused = |words: String| Failure { code: exit::REFUSED, words };
    let mut plan = match (&asked, act) {
        (None, Act::Undo { run, .. }) => {
            undo(run.as_deref(), &connection.cluster).map_err(refused)?
        }
        (Some(asked), _) => {
            let wish = wish(&connection, common, asked, act).await?;
            prepare(&connection.upstream, &wish, &connection.cluster, connection.now())
                .await
                .map_err(refused)?
        }
        (None, _) => return Err(Failure::usage("nothing was asked for".into())),
    };
    if let Some(why) = act.reason() {
        plan.reason = why;
    }
    carry_out(&connection, plan, act.way()).await
}

/// Shows, asks, and does what a plan says.
///
/// # Errors
/// Nothing was done because it was not confirmed (3), or the work ended early (1).
pub(super) async fn carry_out(
    connection: &Connection,
    mut plan: Plan,
    way: &Way,
) -> Result<(String, Option<Failure>), Failure> {
    let refused = |words: String| Failure { code: exit::REFUSED, words };
    if connection.cluster.protected {
        // `--yes` stands in scripts and histories; the context's name does not come by itself.
        plan.danger = Danger::Destructive(connection.cluster.context.clone());
    }
    writable(connection, way)?;
    match way.dry_run {
        DryRun::Client => return Ok(told::client_dry(connection, &plan, way.output)),
        DryRun::Server => return Ok(told::server_dry(connection, &plan, way.output).await),
        DryRun::None => {}
    }
    let answer = answer(&plan, way, connection)?;
    let armed = plan.confirm(&answer).map_err(|plan| refused(unconfirmed(&plan)))?;
    // Requests are sent from a thread that may wait for the disk between them.
    let reach = Reach { runtime: Handle::current(), client: connection.client.clone() };
    let (began, journal) = (began(&connection.cluster), journal_of(&connection.cluster));
    let work = move || {
        let report =
            run_plan(&armed, &reach, &journal, began, &mut |_| {}, &AtomicBool::new(false));
        (report, armed)
    };
    let done = tokio::task::spawn_blocking(work).await;
    let (report, armed) = done.map_err(|e| Failure::failed(format!("it ended early: {e}")))?;
    Ok(told::told(&report, armed.plan(), way.output))
}

/// Whether anything that changes something could leave here. The gate below refuses it all the same; this says so before a
/// run is begun.
///
/// # Errors
/// Read-only, and what asks for it: nothing was sent (3).
pub(super) fn writable(connection: &Connection, way: &Way) -> Result<(), Failure> {
    let cluster = &connection.cluster;
    if !cluster.read_only || way.dry_run == DryRun::Client {
        return Ok(());
    }
    let words = format!(
        "nothing was sent: {} is read-only here ({})",
        clean(&cluster.context),
        cluster.read_only_by
    );
    Err(Failure { code: exit::REFUSED, words })
}

async fn wish(
    connection: &Connection,
    common: &Common,
    (action, gvk, names, argument): &Asked,
    act: &Act,
) -> Result<Wish, Failure> {
    let failed = |fault: Fault| Failure::failed(fault.to_string());
    let home = common.connect.namespace.clone();
    let home = home.unwrap_or_else(|| connection.cluster.home.clone());
    let namespace = if gvk.namespaced { home } else { String::new() };
    let mut objects = vec![];
    if let Act::Cordon { nodes, .. } | Act::Uncordon { nodes, .. } = act
        && let Some(selector) = &nodes.selector
    {
        let path = format!("/api/v1/nodes?labelSelector={}", encode(selector));
        each(&connection.client, &path, |node| objects.push(node)).await.map_err(failed)?;
        if objects.is_empty() {
            let words = format!("no node has the labels {}", clean(selector));
            return Err(Failure { code: exit::REFUSED, words });
        }
    }
    for name in names {
        let path = gvk.object(&namespace, &encode(name));
        let answer = get(&connection.client, &path, Some(Duration::from_secs(30))).await;
        let answer = answer.map_err(failed)?;
        objects.push(serde_json::from_slice(&answer.body).unwrap_or_default());
    }
    let targets = objects.iter().map(|object| Target::of(gvk, object)).collect();
    Ok(Wish { action, targets, argument: argument.clone() })
}

/// The answer of whoever sits at the terminal, or of the flags.
pub(super) fn answer(plan: &Plan, way: &Way, connection: &Connection) -> Result<Answer, Failure> {
    let word = match &plan.danger {
        Danger::Destructive(word) => Some(word),
        _ => None,
    };
    if way.yes {
        // On a protected context the word is the context's name, and a flag that is always there is no look at it.
        return Ok(match (word, &way.confirm) {
            (Some(_), Some(typed)) => Answer::Typed(typed.clone()),
            (Some(word), None) if !connection.cluster.protected => Answer::Typed(word.clone()),
            _ => Answer::Yes,
        });
    }
    let (input, mut output) = (std::io::stdin(), std::io::stderr());
    if !input.is_terminal() || !output.is_terminal() {
        let words = format!(
            "{}nothing was done: there is no terminal to ask on, and no --yes",
            preview(plan, connection)
        );
        return Err(Failure { code: exit::REFUSED, words });
    }
    let question = match word {
        Some(word) => format!("type {} to do it: ", clean(word)),
        None => "type y to do it: ".to_owned(),
    };
    // Without a standard error there is nobody to ask, and the empty line that follows is no yes.
    let _ = write!(output, "{}{question}", preview(plan, connection));
    let mut line = String::new();
    let _ = input.lock().read_line(&mut line);
    let typed = line.trim();
    Ok(match word {
        None if typed == "y" => Answer::Yes,
        _ => Answer::Typed(typed.to_owned()),
    })
}

pub(super) fn unconfirmed(plan: &Plan) -> String {
    match &plan.danger {
        Danger::Destructive(word) => {
            format!("nothing was done: it takes --yes --confirm {}, or typing that", clean(word))
        }
        _ => "nothing was done: the answer was no y".into(),
    }
}
