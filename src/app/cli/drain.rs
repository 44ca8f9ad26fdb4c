//! `wheelhouse drain`: the same plan, engine and journal as on screen, in kubectl's words.

use super::act::{DryRun, Output, Way, answer, unconfirmed, writable};
use super::{Common, Failure, exit};
use crate::actions::drain::board::plan_lines;
use crate::actions::drain::classify::{Decision, Overrides, Switches};
use crate::actions::drain::landing::land;
use crate::actions::drain::orders::{Caps, Cmd, Mandate, PodRequest, Request, Scope};
use crate::actions::drain::plan::{DrainPlan, Facts, diff};
use crate::actions::drain::selector;
use crate::actions::drain::wire::Wire;
use crate::actions::plan::{Danger, Plan};
use crate::app::cluster::gather::{self, each};
use crate::app::cluster::request::encode;
use crate::app::cluster::session::{Permit, parse_timeout};
use crate::app::connect::Connection;
use crate::app::drain::saved::Saved;
use crate::app::drain::{Job, drive, facts, reins, unfinished};
use crate::app::effects::change::{began, journal_of, next_id, send};
use crate::app::journal::who;
use crate::state::text::clean;
use clap::{Args, ValueEnum};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;

mod lines;

/// Drain nodes: evict their pods as far as disruption budgets allow, explained while it runs.
#[derive(Args, Debug, Clone)]
pub struct DrainArgs {
    /// Nodes
    pub nodes: Vec<String>,
    /// All nodes with these labels
    #[arg(short = 'l', long, conflicts_with = "nodes")]
    pub selector: Option<String>,
    /// Leave the pods of DaemonSets where they are
    #[arg(long)]
    pub ignore_daemonsets: bool,
    /// Go on although emptyDir data are lost
    #[arg(long, alias = "delete-local-data")]
    pub delete_emptydir_data: bool,
    /// Go on although pods have no controller that makes them again
    #[arg(long)]
    pub force: bool,
    /// Seconds each pod gets to end; negative is its own. 0 needs --allow-grace-zero
    #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
    pub grace_period: i64,
    /// Let --grace-period=0 remove pods without waiting for their kubelets
    #[arg(long)]
    pub allow_grace_zero: bool,
    /// Longest time per node, as 90s or 5m; 0 waits for ever
    #[arg(long, default_value = "0", value_parser = parse_timeout)]
    pub timeout: Option<Duration>,
    /// Only pods with these labels
    #[arg(long)]
    pub pod_selector: Option<String>,
    /// Delete instead of evict: no disruption budget is asked
    #[arg(long)]
    pub disable_eviction: bool,
    /// Do not wait for pods that are deleted for longer than so many seconds; 0 waits
    #[arg(long, default_value_t = 0)]
    pub skip_wait_for_delete_timeout: u64,
    /// Nodes at once
    #[arg(long, default_value_t = 1)]
    pub parallel: usize,
    /// Nodes of one zone at once; as many as --parallel if not given
    #[arg(long)]
    pub per_zone: Option<usize>,
    /// When it pauses itself (a moved pod finds no node, a budget stays short, other nodes fail): stop leaves it to be
    /// resumed, wait waits for somebody, go-on goes on
    #[arg(long, value_enum, default_value_t = OnPause::Stop)]
    pub on_pause: OnPause,
    /// Why, for the nodes and the journal
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
    /// The ticket it belongs to
    #[arg(long)]
    pub ticket: Option<String>,
    /// Write the plan to this file and do nothing; an existing file is kept and refused
    #[arg(long, value_name = "FILE")]
    pub plan_out: Option<PathBuf>,
    /// Do what this plan says, unless the cluster has changed since
    #[arg(long, value_name = "FILE", conflicts_with_all = ["nodes", "selector"])]
    pub plan: Option<PathBuf>,
    /// Go on with an interrupted drain: the newest, or this run
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["nodes", "selector", "plan"])]
    pub resume: Option<String>,
    /// Say of an interrupted drain that nobody goes on with it; nothing is sent
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["nodes", "selector", "plan", "resume"])]
    pub abandon: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub how: Way,
}

/// What a drain without a board does when it pauses itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnPause {
    /// Leaves everything as it is, to be resumed.
    Stop,
    /// Waits: for Ctrl-C, or for a pause that ends by itself.
    Wait,
    /// Goes on.
    GoOn,
}

/// Between two evictions of a dry run: they are opt-in, and each is a request to the server.
const DRY_PAUSE: Duration = Duration::from_millis(200);

/// Does it: what is left to be written, and what went wrong.
///
/// # Errors
/// Usage (2); nothing was done because it was not confirmed, not decided, or the cluster changed (3); the cluster cannot
/// be reached (1).
pub async fn drain(
    common: &Common,
    args: &DrainArgs,
) -> Result<(String, Option<Failure>), Failure> {
    let switches = switches(args)?;
    let connection = common.open().await?;
    let cluster = &connection.cluster;
    let named = |word: &String| Some(word.clone()).filter(|w| !w.is_empty());
    if let Some(run) = &args.abandon {
        let run = unfinished::abandon(named(run).as_deref(), cluster).map_err(refused)?;
        return Ok((format!("run {run} is closed; its nodes are as they are\n"), None));
    }
    if args.plan_out.is_none() {
        writable(&connection, &args.how)?;
    }
    let plan = match &args.resume {
        Some(run) => unfinished::plan(named(run).as_deref(), cluster).map_err(refused)?,
        None => {
            let (facts, drain, mandate, reason) = planned(&connection, args, switches).await?;
            let text = board(&drain, &mandate.switches, &connection);
            if let Some(file) = &args.plan_out {
                let server = connection.cluster.server.clone();
                Saved::new(server, mandate, reason, drain).write(file)?;
                let name = file.display();
                let next =
                    format!("\nnothing was done; wheelhouse drain --plan {name} does this\n");
                return Ok((text + &next, None));
            }
            if args.how.dry_run == DryRun::Server {
                return dry(&connection, &facts, &drain, &mandate, text).await;
            }
            let undecided = |why: String| Failure {
                code: exit::REFUSED,
                words: format!("nothing was done: {why}"),
            };
            if args.how.dry_run == DryRun::Client {
                let why = drain.propose(mandate, &reason).err();
                return Ok((text, why.map(undecided)));
            }
            let plan = drain.propose(mandate, &reason).map_err(undecided)?;
            if !args.how.yes {
                let _ = writeln!(std::io::stderr(), "{text}");
            }
            plan
        }
    };
    let plan = raised(plan, &connection);
    let answer = answer(&plan, &args.how, &connection)?;
    let armed = plan.confirm(&answer).map_err(|plan| refused(unconfirmed(&plan)))?;
    let job = Job {
        runtime: Handle::current(),
        client: connection.client.clone(),
        now: connection.now(),
        id: next_id(),
        armed,
        began: began(cluster),
        journal: journal_of(cluster),
        by: who(),
    };
    let (reins, ends) = reins();
    let (on_pause, pause_reins) = (args.on_pause, reins.clone());
    let leaves = tokio::spawn(async move {
        // Ctrl-C and a closed terminal leave everything as it is: it can be resumed.
        interrupted().await;
        reins.leave();
    });
    let json = args.how.output == Output::Json;
    let run = tokio::task::spawn_blocking(move || {
        let mut lines = lines::Lines::new(json);
        let ended = drive(job, ends, &mut |told| {
            lines.tell(&told);
            match on_pause {
                _ if told.progress.paused.is_none() => {}
                OnPause::Stop => pause_reins.leave(),
                OnPause::GoOn => pause_reins.say(Cmd::Resume(Scope::All)),
                OnPause::Wait => {}
            }
        });
        lines.end(&ended);
        ended
    });
    let ended = run.await.map_err(|e| Failure::failed(format!("it ended early: {e}")))?;
    leaves.abort();
    Ok((String::new(), lines::failure(&ended)))
}

fn refused(words: String) -> Failure {
    Failure { code: exit::REFUSED, words }
}

fn raised(mut plan: Plan, connection: &Connection) -> Plan {
    if connection.cluster.protected {
        plan.danger = Danger::Destructive(connection.cluster.context.clone());
    }
    plan
}

/// Returns once somebody wants this process to end. Without a way to hear of that it never returns, and the signal ends
/// the process as it always does.
async fn interrupted() {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if signal_hook::flag::register(signal, asked.clone()).is_err() {
            std::future::pending::<()>().await;
        }
    }
    while !asked.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn switches(args: &DrainArgs) -> Result<Switches, Failure> {
    if args.grace_period == 0 && !args.allow_grace_zero {
        let words = "nothing was done: --grace-period=0 removes pods without waiting for their kubelets, so that two of a \
                     StatefulSet may run at once; --allow-grace-zero says that this is meant";
        return Err(refused(words.to_owned()));
    }
    let pods = args.pod_selector.as_deref().map(selector::parse).transpose();
    Ok(Switches {
        ignore_daemonsets: args.ignore_daemonsets,
        delete_emptydir_data: args.delete_emptydir_data,
        force: args.force,
        grace_period: (args.grace_period >= 0).then_some(args.grace_period),
        allow_zero: args.allow_grace_zero,
        pod_selector: pods.map_err(Failure::usage)?,
        disable_eviction: args.disable_eviction,
        skip_wait_for_delete_timeout: args.skip_wait_for_delete_timeout,
        timeout: args.timeout.unwrap_or_default().as_secs(),
    })
}

/// What is to be done, from the command line or from a file; from the cluster as it is now.
async fn planned(
    connection: &Connection,
    args: &DrainArgs,
    switches: Switches,
) -> Result<(Facts, DrainPlan, Mandate, String), Failure> {
    let saved = args.plan.as_deref().map(|file| load(file, connection)).transpose()?;
    let nodes = match &saved {
        Some(saved) => saved.mandate.nodes.iter().map(|n| n.name.clone()).collect(),
        None => nodes(connection, args).await?,
    };
    let read = facts::gather(&connection.client, &nodes, connection.now()).await;
    let facts = read.map_err(Failure::failed)?;
    let (switches, overrides, caps, reason) = match &saved {
        Some(s) => (
            s.mandate.switches.clone(),
            s.mandate.overrides.clone(),
            s.mandate.caps,
            // What is given now is about this time.
            Some(why(args)).filter(|why| !why.is_empty()).unwrap_or_else(|| s.reason.clone()),
        ),
        None => {
            let caps = Caps {
                parallel_nodes: args.parallel,
                per_zone: args.per_zone.unwrap_or(args.parallel).max(1),
                ..Caps::default()
            };
            (switches, Overrides::default(), caps, why(args))
        }
    };
    let mut plan = DrainPlan::new(&facts, &switches, &overrides);
    if let Some(saved) = &saved {
        let changed = diff(&saved.plan, &plan);
        if !changed.is_empty() {
            let words = changed.iter().map(|w| format!("  {}\n", clean(w))).collect::<String>();
            return Err(refused(format!(
                "nothing was done: the cluster has changed since the plan was made\n{words}"
            )));
        }
    }
    // Where pods would land is for who reads it: a script that says yes does not wait for the whole cluster.
    if !args.how.yes || args.how.dry_run != DryRun::None {
        match gather::gather(&connection.client, &|_| {}, |_| {}).await {
            Ok(gathered) => {
                let mut landing = land(&plan, &gathered.world);
                landing.unread = gathered.unread;
                plan.landing = Some(landing);
            }
            Err(fault) => plan.notes.push(format!("where pods would land is not known: {fault}")),
        }
    }
    let mandate = plan.mandate(&facts, switches, overrides, caps);
    Ok((facts, plan, mandate, reason))
}

fn why(args: &DrainArgs) -> String {
    let ticket = args.ticket.as_ref().map(|t| format!(" ticket={t}")).unwrap_or_default();
    format!("{}{ticket}", args.reason)
}

async fn nodes(connection: &Connection, args: &DrainArgs) -> Result<Vec<String>, Failure> {
    let Some(selector) = &args.selector else {
        let mut nodes = args.nodes.clone();
        nodes.dedup();
        return match nodes.is_empty() {
            true => Err(Failure::usage("drain needs nodes, -l, --plan or --resume".into())),
            false => Ok(nodes),
        };
    };
    let mut found = vec![];
    let path = format!("/api/v1/nodes?labelSelector={}", encode(selector));
    let read = each(&connection.client, &path, |node| {
        found.extend(node["metadata"]["name"].as_str().map(str::to_owned));
    });
    read.await.map_err(|fault| Failure::failed(fault.to_string()))?;
    match found.is_empty() {
        true => Err(refused(format!("no node has the labels {}", clean(selector)))),
        false => Ok(found),
    }
}

/// The plan as it stands on the board.
fn board(plan: &DrainPlan, switches: &Switches, connection: &Connection) -> String {
    let cluster = &connection.cluster;
    let nodes: Vec<&str> = plan.nodes.iter().map(|n| n.name.as_str()).collect();
    let head = format!("drain {} on {} ({})\n", nodes.join(" "), cluster.context, cluster.server);
    let lines = plan_lines(plan, switches).into_iter();
    let lines: String =
        lines.map(|line| format!("{}\n", clean(&line.words()).trim_end())).collect();
    clean(head.trim_end()).into_owned() + "\n" + &lines
}

fn load(file: &Path, connection: &Connection) -> Result<Saved, Failure> {
    let saved = Saved::read(file).map_err(Failure::usage)?;
    if saved.server != connection.cluster.server {
        let name = file.display();
        return Err(refused(format!("{name} was made on {}, not here", saved.server)));
    }
    Ok(saved)
}

/// Asks the server about the cordons and evictions without doing them. It does not count budgets down, so all may be
/// allowed that would not be one after the other (semantics.md A6).
async fn dry(
    connection: &Connection,
    facts: &Facts,
    plan: &DrainPlan,
    mandate: &Mandate,
    mut text: String,
) -> Result<(String, Option<Failure>), Failure> {
    let mut wanted: Vec<Request> = vec![];
    for node in facts.nodes.iter().filter(|n| !n.unschedulable) {
        wanted.push(Request::Cordon { node: node.name.clone(), uid: node.uid.clone() });
    }
    for pod in plan.pods.iter().filter(|p| p.decision == Decision::Evict) {
        wanted.push(Request::Evict(PodRequest {
            namespace: pod.namespace.clone(),
            name: pod.name.clone(),
            uid: pod.uid.clone(),
            grace: mandate.switches.grace(),
        }));
    }
    let wire = Wire::default();
    let mut refusals = vec![];
    for request in wanted {
        let step = wire.step(&request, None).map_err(|e| Failure::failed(e.to_string()))?;
        match send(&connection.client, Permit::DryRun, &step.request.dry()).await {
            Ok(_) => text += &format!("the server would do it: {}\n", clean(&step.words)),
            Err(fault) => refusals.push(format!("{}: {fault}", step.words)),
        }
        tokio::time::sleep(DRY_PAUSE).await;
    }
    let failure = (!refusals.is_empty()).then(|| Failure {
        code: exit::REFUSED,
        words: format!("the server would refuse: {}", refusals.join("; ")),
    });
    Ok((text, failure))
}
