//! `wheelhouse csr`: the desk of certificate requests without a screen, with the same rules, plans and journal.

use super::act::{DryRun, Output, Way, carry_out};
use super::format::{Format, page_text};
use super::print::{self, PrintArgs};
use super::{Common, Failure, exit};
use crate::actions::plan::{Danger, Plan};
use crate::actions::{Wish, decide};
use crate::app::cluster::fetch::get_object;
use crate::app::cluster::gather::each;
use crate::app::cluster::reread::reread;
use crate::app::cluster::session::Fault;
use crate::app::connect::Connection;
use crate::app::effects::change::prepare;
use crate::app::enrol::{settled, words};
use crate::state::decl::Gvk;
use crate::state::doc::certificate_request;
use crate::state::kinds::certificate_requests::TABLE;
use crate::state::rules::csr::pkcs10::chain;
use crate::state::rules::csr::{Asked, World, judge};
use crate::state::text::clean;
use crate::state::ui::document::Target;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::time::Duration;

mod create;

/// The arguments of `wheelhouse csr`; without any it is the view.
#[derive(Args, Debug, Clone)]
pub struct CsrArgs {
    #[command(subcommand)]
    #[allow(missing_docs, reason = "its variants are documented")]
    pub what: Option<What>,
}

/// What is done with certificate requests.
#[derive(Subcommand, Debug, Clone)]
pub enum What {
    /// The requests with their verdicts.
    List {
        /// Only rows that match: 'verdict:red', 'condition:pending signer:serving'
        #[arg(long, value_name = "QUERY", default_value = "", hide_default_value = true)]
        filter: String,
        /// Output format
        #[arg(short, long, value_enum, default_value_t = Format::Table)]
        output: Format,
    },
    /// One request: what it asks for, every finding with what it stands on, and what was issued.
    Show {
        /// The request
        name: String,
    },
    /// Approve requests, each judged anew. A red one takes `--confirm NAME`, and only alone.
    Approve(Decide),
    /// Deny requests.
    Deny(Decide),
    /// Make a user: a key that stays here, a request for it, and a kubeconfig once it is signed.
    Create(Box<create::Create>),
}

/// Which requests, and why.
#[derive(Args, Debug, Clone)]
pub struct Decide {
    /// Requests
    #[arg(required_unless_present_any = ["green", "superseded"])]
    pub names: Vec<String>,
    /// approve: every pending request that is green. Exit code 4 if some were not
    #[arg(long, conflicts_with_all = ["names", "superseded"])]
    pub green: bool,
    /// deny: every pending request that a newer one of the same node supersedes
    #[arg(long, conflicts_with = "names")]
    pub superseded: bool,
    /// What stands in the condition's message
    #[arg(long, default_value = "", hide_default_value = true)]
    pub message: String,
    /// What stands as the condition's reason, one word
    #[arg(long)]
    pub reason: Option<String>,
    /// How long to wait for certificates after an approval, in seconds
    #[arg(long, default_value_t = 15)]
    pub wait: u64,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub how: Way,
}

/// What is to be written to standard output, and what went wrong.
///
/// # Errors
/// Usage (2); nothing was done (3); the cluster cannot be reached (1).
pub async fn csr(common: &Common, args: &CsrArgs) -> Result<(String, Option<Failure>), Failure> {
    let Some(what) = &args.what else { return Err(Failure::usage("csr what?".into())) };
    match what {
        What::List { filter, output } => {
            let args = PrintArgs {
                view: TABLE.id.into(),
                output: *output,
                filter: filter.clone(),
                sort: None,
                columns: vec![],
                watch: false,
                count: false,
            };
            print::print(common, &args).await
        }
        What::Show { name } => show(common, name).await.map(|page| (page, None)),
        What::Approve(decide) if decide.superseded => {
            Err(Failure::usage("--superseded is for deny: what is superseded is of no use".into()))
        }
        What::Deny(decide) if decide.green => Err(Failure::usage("--green is for approve".into())),
        What::Approve(decide) => {
            let action = if decide.green { "approve-green" } else { "approve" };
            decided(common, decide, action).await
        }
        What::Deny(decide) => {
            let action = if decide.superseded { "deny-superseded" } else { "deny" };
            decided(common, decide, action).await
        }
        What::Create(create) => create::create(common, create).await,
    }
}

fn gvk() -> &'static Gvk {
    &TABLE.kinds[0].gvk
}

/// A request by its name alone: the first reading says which object that is.
fn named(name: &str) -> Target {
    Target::in_table(&TABLE, "", name, "")
}

async fn show(common: &Common, name: &str) -> Result<String, Failure> {
    let connection = common.open_to_read().await?;
    let object = get_object(&connection.client, &named(name)).await;
    let object = object.map_err(|fault| Failure::failed(format!("{name}: {fault}")))?;
    let store = reread(&connection.upstream, decide::AMONG, &connection.cluster.server).await;
    let page = certificate_request(&object, &World::of(&store), connection.now());
    Ok(page_text(&page))
}

async fn decided(
    common: &Common,
    decide: &Decide,
    action: &'static str,
) -> Result<(String, Option<Failure>), Failure> {
    let connection = common.open().await?;
    let targets = targets(&connection, decide).await?;
    if targets.is_empty() {
        let what = if decide.superseded { "superseded" } else { "pending" };
        return Ok((format!("no certificate request is {what}\n"), None));
    }
    let asked = targets.len();
    let reason = decide.reason.as_ref().map(|r| format!("reason={r} ")).unwrap_or_default();
    let wish = Wish { action, targets, argument: format!("{reason}{}", decide.message) };
    let plan = prepare(&connection.upstream, &wish, &connection.cluster, connection.now()).await;
    let refused = |words: String| Failure { code: exit::REFUSED, words };
    let plan = plan.map_err(|why| refused(format!("nothing was done: {why}")))?;
    must_confirm(&plan, &decide.how)?;
    let left_out = left_out(&plan, asked);
    let approved: Vec<String> = plan.steps.iter().map(|step| step.object[2].clone()).collect();
    let (mut text, mut failure) = carry_out(&connection, plan, &decide.how).await?;
    let dry = decide.how.dry_run != DryRun::None;
    if action.starts_with("approve") && !dry && decide.how.output == Output::Words {
        let done = approved.iter().filter(|name| text.contains(&format!("approve {name}\n")));
        let done: Vec<&String> = done.collect();
        text += &issued(&connection, &done, Duration::from_secs(decide.wait)).await;
    }
    if let (None, Some(words)) = (&failure, left_out.filter(|_| !dry)) {
        failure = Some(Failure { code: exit::INCOMPLETE, words });
    }
    Ok((text, failure))
}

/// The objects: those that were named, or every pending one, for the plan to say why it leaves one out.
async fn targets(connection: &Connection, asked: &Decide) -> Result<Vec<Target>, Failure> {
    let failed = |fault: Fault| Failure::failed(fault.to_string());
    let mut objects: Vec<Value> = vec![];
    if asked.names.is_empty() {
        let path = gvk().collection(None);
        let read = each(&connection.client, &path, |object| objects.push(object)).await;
        read.map_err(failed)?;
        objects.retain(|object| Asked::of(object).is_open());
    }
    if asked.superseded {
        let store = reread(&connection.upstream, decide::AMONG, &connection.cluster.server).await;
        let world = World::of(&store);
        objects.retain(|object| judge(&Asked::of(object), &world).superseded.is_some());
    }
    for name in &asked.names {
        let object = get_object(&connection.client, &named(name)).await;
        objects.push(object.map_err(|fault| Failure::failed(format!("{name}: {fault}")))?);
    }
    Ok(objects.iter().map(|object| Target::of(gvk(), object)).collect())
}

/// `--yes` stands in scripts: what is red, or not proven and many, takes its word too.
fn must_confirm(plan: &Plan, way: &Way) -> Result<(), Failure> {
    match &plan.danger {
        Danger::Destructive(word) if way.yes && way.confirm.is_none() => {
            let notes: String =
                plan.notes.iter().map(|note| format!("{}\n", clean(&note.words))).collect();
            let word = clean(word);
            let words = format!("{notes}nothing was done: it takes --confirm {word} beside --yes");
            Err(Failure { code: exit::REFUSED, words })
        }
        _ => Ok(()),
    }
}

/// What the plan leaves out, each with its reason.
fn left_out(plan: &Plan, asked: usize) -> Option<String> {
    let n = asked - plan.steps.len().min(asked);
    let said = |note: &&crate::actions::plan::Note| note.words.contains("left out: ");
    let notes = plan.notes.iter().filter(said);
    let why: Vec<String> = notes.map(|note| clean(&note.words).replace("; ", "\n  ")).collect();
    (n > 0).then(|| format!("not all were decided: {}", why.join("\n")))
}

/// What became of approved requests.
async fn issued(connection: &Connection, names: &[&String], patience: Duration) -> String {
    let mut text = String::new();
    let end = tokio::time::Instant::now() + patience;
    for name in names {
        let left = end.saturating_duration_since(tokio::time::Instant::now());
        let told = match settled(&connection.client, &gvk().object("", name), left).await {
            Err(why) => why,
            Ok(object) => {
                let chain = chain(object["status"]["certificate"].as_str().unwrap_or_default());
                chain.first().map_or("issued, and cannot be read".into(), words)
            }
        };
        text += &format!("{name}: {}\n", clean(&told));
    }
    text
}
