//! `wheelhouse stuck`, `finalizers remove`, `cleanup pods`, `force-delete`: the desk of what does not go, without a screen.

use super::act::{DryRun, Way, carry_out};
use super::format::{clean_lines, json_line, page_text};
use super::{Common, Failure, exit};
use crate::actions::cleanup::{self, Around};
use crate::actions::plan::{Danger, Plan};
use crate::actions::{Wish, remove_finalizer};
use crate::app::cluster::session::Fault;
use crate::app::cluster::survey::{self, Asked, Discovered, Pace, Progress, Survey};
use crate::app::connect::Connection;
use crate::app::effects::change::prepare;
use crate::state::decl::Gvk;
use crate::state::kinds::pods;
use crate::state::rules::stuck::{Evidence, Held, Ruling};
use crate::state::text::clean;
use crate::state::time::{parse_span, span};
use crate::state::ui::document::Target;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};

/// What does not go, and what is done about it.
#[derive(Subcommand, Debug, Clone)]
pub enum Desk {
    /// Everything that is being deleted and does not go: who holds it, whether that one lives, what to do first.
    Stuck(StuckArgs),
    /// Finalizers of what is being deleted.
    #[command(subcommand)]
    Finalizers(Finalizers),
    /// Delete what has ended or lost its node.
    #[command(subcommand)]
    Cleanup(Cleanup),
    /// Remove pods' objects at once although their containers may still run; says what that gives up.
    ForceDelete {
        /// Pods, in the namespace of `-n` or of the context
        #[arg(required = true)]
        pods: Vec<String>,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        how: Way,
    },
}

/// What is surveyed and how it is told.
#[derive(Args, Debug, Clone)]
pub struct StuckArgs {
    /// One object, KIND/NAME, explained; without it all kinds of the cluster are surveyed, or of `-n`
    pub object: Option<String>,
    /// Survey Secrets as well: their metadata, never their values
    #[arg(long)]
    pub include_secrets: bool,
    /// Requests a second at most
    #[arg(long, default_value_t = survey::RATE, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub rate: u32,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Shape::Words)]
    pub output: Shape,
}

/// How a survey is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// In words.
    Words,
    /// As one JSON object.
    Json,
}

/// What is done with finalizers.
#[derive(Subcommand, Debug, Clone)]
pub enum Finalizers {
    /// Take one finalizer away from objects that are being deleted, in the namespace of `-n` or of the context.
    Remove {
        /// KIND/NAME
        #[arg(required = true)]
        objects: Vec<String>,
        /// The finalizer; a namespace's own is `kubernetes` and also takes `--confirm NAME`
        #[arg(long)]
        finalizer: String,
        /// Also from objects whose controller is at work
        #[arg(long)]
        even_alive: bool,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        how: Way,
    },
}

/// What is cleaned up.
#[derive(Subcommand, Debug, Clone)]
pub enum Cleanup {
    /// Pods by state and age, in all namespaces or in that of `-n`.
    Pods {
        /// Succeeded, Failed, a reason as Evicted, NodeLost, NodeAffinity, OutOfcpu, NodeShutdown; Orphaned: the node is gone
        #[arg(long, value_delimiter = ',', required = true)]
        state: Vec<String>,
        /// Only those that ended so long ago: 90s, 30m, 1h, 2d
        #[arg(long, default_value = "1h", value_parser = age)]
        older_than: i64,
        /// Pods at most, those that ended first
        #[arg(long, default_value_t = 500)]
        at_most: usize,
        #[command(flatten)]
        #[allow(missing_docs, reason = "its fields are documented")]
        how: Way,
    },
}

fn age(text: &str) -> Result<i64, String> {
    parse_span(text).ok_or_else(|| "an age is written 90s, 30m, 1h, 2d".to_owned())
}

type Told = Result<(String, Option<Failure>), Failure>;

/// Does what is asked: what is to be written to standard output, and what went wrong.
///
/// # Errors
/// Usage (2); the cluster cannot be reached (1); nothing was done because it was not confirmed or need not be done (3).
pub async fn desk(common: &Common, desk: &Desk) -> Told {
    let writes = !matches!(desk, Desk::Stuck(_));
    let connection = match writes {
        true => common.open().await?,
        false => common.open_to_read().await?,
    };
    match desk {
        Desk::Stuck(args) => match &args.object {
            Some(object) => explain(common, &connection, object, args.output).await,
            None => stuck(common, &connection, args).await,
        },
        Desk::Finalizers(Finalizers::Remove { objects, finalizer, even_alive, how }) => {
            let argument = match even_alive {
                true => format!("{finalizer} {}", remove_finalizer::EVEN_ALIVE),
                false => finalizer.clone(),
            };
            let mut targets = vec![];
            let served = discovered(&connection).await?;
            for object in objects {
                targets.push(target(common, &connection, &served, object).await?.0);
            }
            let wish = Wish { action: "remove-finalizer", targets, argument };
            let plan = planned(&connection, wish).await?;
            let finalizes = plan.steps.iter().any(|step| step.request.path.contains("/finalize?"));
            if finalizes {
                named(&plan, how)?
            }
            carry_out(&connection, plan, how).await
        }
        Desk::ForceDelete { pods, how } => {
            let served = discovered(&connection).await?;
            let mut targets = vec![];
            for pod in pods {
                targets.push(target(common, &connection, &served, &format!("pods/{pod}")).await?.0);
            }
            let wish = Wish { action: "force-delete", targets, argument: String::new() };
            let plan = planned(&connection, wish).await?;
            named(&plan, how)?;
            carry_out(&connection, plan, how).await
        }
        Desk::Cleanup(Cleanup::Pods { state, older_than, at_most, how }) => {
            let asked = cleanup::Asked {
                states: state.clone(),
                older: *older_than,
                most: *at_most,
                now: connection.now(),
            };
            let plan = clean_up(common, &connection, &asked).await?;
            carry_out(&connection, plan, how).await
        }
    }
}

fn failed(fault: Fault) -> Failure {
    Failure::failed(fault.to_string())
}

async fn planned(connection: &Connection, wish: Wish) -> Result<Plan, Failure> {
    let plan = prepare(&connection.upstream, &wish, &connection.cluster, connection.now()).await;
    plan.map_err(|words| Failure { code: exit::REFUSED, words })
}

/// Something this final takes the word itself: a `--yes` that stands in a script is no look at it.
fn named(plan: &Plan, way: &Way) -> Result<(), Failure> {
    let Danger::Destructive(word) = &plan.danger else { return Ok(()) };
    if way.dry_run != DryRun::None || !way.yes || way.confirm.as_ref() == Some(word) {
        return Ok(());
    }
    let notes: String = plan.notes.iter().map(|n| format!("{}\n", clean(&n.words))).collect();
    let words = format!("{notes}nothing was done: it takes --yes --confirm {}", clean(word));
    Err(Failure { code: exit::REFUSED, words })
}

async fn discovered(connection: &Connection) -> Result<Discovered, Failure> {
    let mut pace = Pace::new(connection.client.clone(), survey::RATE);
    survey::discover(&mut pace).await.map_err(failed)
}

/// The object that KIND/NAME means, as it is now.
async fn target(
    common: &Common,
    connection: &Connection,
    served: &Discovered,
    word: &str,
) -> Result<(Target, Value), Failure> {
    let (kind, name) = word
        .split_once('/')
        .ok_or_else(|| Failure::usage(format!("`{}` is not KIND/NAME", clean(word))))?;
    let gvk: &'static Gvk = served.kind(kind).map_err(Failure::usage)?;
    let home = common.connect.namespace.clone();
    let home = home.unwrap_or_else(|| connection.cluster.home.clone());
    let namespace = if gvk.namespaced { home } else { String::new() };
    let path = gvk.object(&namespace, &crate::app::cluster::request::encode(name));
    let mut pace = Pace::new(connection.client.clone(), survey::RATE);
    let object = pace.json(&path).await.map_err(failed)?;
    Ok((Target::of(gvk, &object), object))
}

async fn explain(common: &Common, connection: &Connection, word: &str, shape: Shape) -> Told {
    let served = discovered(connection).await?;
    let (target, object) = target(common, connection, &served, word).await?;
    let mut pace = Pace::new(connection.client.clone(), survey::RATE);
    let judged = survey::judged(&mut pace, target.gvk, &object, connection.now()).await;
    let Some((held, ruling, seen)) = judged else {
        let words = format!("{} {} is not being deleted", target.gvk.kind, target.path());
        return Err(Failure { code: exit::REFUSED, words });
    };
    let text = match shape {
        Shape::Json => json_line(&as_json(&held, &ruling, &seen)),
        Shape::Words => page_text(&crate::state::doc::stuck(&held, &ruling, &seen)),
    };
    Ok((text, missing(&seen)))
}

async fn stuck(common: &Common, connection: &Connection, args: &StuckArgs) -> Told {
    let namespace = common.scope();
    let asked = Asked { namespace, secrets: args.include_secrets, rate: args.rate };
    let mut pace = Pace::new(connection.client.clone(), args.rate);
    let watched = std::io::stderr().is_terminal();
    let told = |p: Progress| {
        if watched {
            // Without a standard error there is nobody to tell.
            let _ = write!(std::io::stderr(), "\r{}\x1b[K", far(p));
        }
    };
    let found = survey::survey(&mut pace, &asked, connection.now(), &told).await;
    if watched {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    let found = found.map_err(failed)?;
    let text = match args.output {
        Shape::Json => json_line(&json(&found)),
        Shape::Words => words(&found),
    };
    Ok((text, missing(&found.evidence)))
}

fn far(p: Progress) -> String {
    format!(
        "surveying: {} of {} kinds, {} objects, {} being deleted; ctrl-c ends it",
        p.kinds, p.of, p.objects, p.held
    )
}

fn missing(seen: &Evidence) -> Option<Failure> {
    let words = seen.unread.join("\n");
    (!words.is_empty()).then_some(Failure { code: exit::INCOMPLETE, words })
}

/// A block a line of which stands for an object, its reason and the next step.
fn words(found: &Survey) -> String {
    let now = found.evidence.now;
    let p = found.progress;
    let mut text = String::new();
    for (held, ruling) in &found.found {
        text += &format!(
            "{:8} {} {}, deleted {} ago\n",
            ruling.life.word(),
            held.gvk.kind,
            held.path(),
            span(held.since().age(now))
        );
        text += &format!("         {}\n", ruling.words);
        for holder in &ruling.holders {
            text += &format!("         by hand skips: {}\n", holder.skips);
        }
        for note in &ruling.notes {
            text += &format!("         {note}\n");
        }
        text += &format!("         first: {}\n", ruling.next);
    }
    text += &format!(
        "{} being deleted, of {} objects in {} kinds; {} requests\n",
        found.found.len(),
        p.objects,
        p.kinds,
        found.requests
    );
    clean_lines(&text)
}

fn json(found: &Survey) -> Value {
    let objects: Vec<Value> =
        found.found.iter().map(|(held, ruling)| as_json(held, ruling, &found.evidence)).collect();
    json!({
        "objects": objects, "unread": found.evidence.unread, "kinds": found.progress.kinds,
        "read": found.progress.objects, "requests": found.requests,
    })
}

/// One object. These keys are stable.
fn as_json(held: &Held, ruling: &Ruling, seen: &Evidence) -> Value {
    let holders = ruling.holders.iter().map(|h| {
        json!({
            "finalizer": h.finalizer, "owner": h.owner, "verdict": h.life.word(), "why": h.why,
            "skips": h.skips,
        })
    });
    let left = seen.content.get(&held.name).filter(|_| held.gvk.kind == "Namespace");
    json!({
        "kind": held.gvk.kind, "apiVersion": held.gvk.api_version(), "resource": held.gvk.resource(),
        "namespace": held.namespace, "name": held.name, "uid": held.uid,
        "since": held.since().rfc3339(), "finalizers": held.finalizers,
        "propagation": held.propagation(),
        "owners": held.object.pointer("/metadata/ownerReferences").cloned().unwrap_or(json!([])),
        "dependents": held.dependents.map(|(n, _)| n),
        "verdict": ruling.life.word(), "why": ruling.words, "next": ruling.next,
        "holders": holders.collect::<Vec<_>>(), "notes": ruling.notes,
        "content": left.map(|c| json!(c.objects)),
    })
}

/// Reads pods, nodes and Jobs, and plans.
async fn clean_up(
    common: &Common,
    connection: &Connection,
    asked: &cleanup::Asked,
) -> Result<Plan, Failure> {
    let namespace = common.scope();
    let mut pace = Pace::new(connection.client.clone(), survey::RATE);
    let path = pods::TABLE.kinds[0].gvk.collection(namespace.as_deref());
    // Names of all nodes first: what is asked for afterwards is kept only if it is in such a state.
    let mut around = Around::default();
    let mut names = std::collections::BTreeSet::new();
    let name = |v: &Value| v["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let nodes = pace.each("/api/v1/nodes", usize::MAX, |node| {
        names.insert(name(&node));
    });
    if nodes.await.is_ok() {
        around.nodes = Some(names);
    }
    let mut running = std::collections::BTreeSet::new();
    let done = |job: &Value| {
        let all = job.pointer("/status/conditions").and_then(Value::as_array);
        all.into_iter().flatten().any(|c| {
            c["status"] == "True" && matches!(c["type"].as_str(), Some("Complete" | "Failed"))
        })
    };
    let jobs = pace.each("/apis/batch/v1/jobs", usize::MAX, |job| {
        if !done(&job) {
            running.insert(job["metadata"]["uid"].as_str().unwrap_or_default().to_owned());
        }
    });
    if jobs.await.is_ok() {
        around.running_jobs = Some(running);
    }
    let mut found = vec![];
    let read = pace.each(&path, usize::MAX, |pod| {
        if !cleanup::states(&pod, &around).is_empty() {
            found.push(pod);
        }
    });
    read.await.map_err(failed)?;
    cleanup::plan(&found, asked, &around).map_err(|words| Failure { code: exit::REFUSED, words })
}
