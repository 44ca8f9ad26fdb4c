//! `wheelhouse apf`: priority and fairness of the API server. Its tables are those of the screen, printed.

use super::format::{Format, clean_lines, json_text, page_text};
use super::print::{PrintArgs, print};
use super::stream::stream;
use super::{Common, Failure};
use crate::app::cluster::fairness;
use crate::app::effects::fairness::{Configured, configured, me};
use crate::state::doc::{Folds, whatif, yaml_text};
use crate::state::export::csv_line;
use crate::state::fairness::catch::{Asked, Step};
use crate::state::fairness::question::{ME, Question, answer};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::io::Write;
use tokio::time::Instant;

/// Priority and fairness.
#[derive(Args, Debug, Clone)]
pub struct ApfArgs {
    #[command(subcommand)]
    #[allow(missing_docs, reason = "its variants are documented")]
    pub page: Page,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table, global = true)]
    pub output: Format,
    /// Do not end: the whole table after each look, every 15 s; what only dumps tell is not looked at again by itself
    #[arg(short, long, global = true)]
    pub watch: bool,
}

/// What is told.
#[derive(Subcommand, Debug, Clone)]
pub enum Page {
    /// Priority levels: seats, what executes and waits now, counters since the server began, and a verdict; rates and waits take two
    /// looks (--watch), or a server that has just begun
    Levels,
    /// Queues that hold something, the fullest first
    Queues,
    /// What waits and executes now, by user or by flow, the largest first, or each of them
    Requests {
        /// Group by
        #[arg(long, value_enum, default_value_t = By::User)]
        by: By,
    },
    /// Flow schemas in the order the server asks them, their rules in words
    Schemas,
    /// A debug dump as the server wrote it; it holds the dispatcher's lock, so do not loop it
    Dump {
        /// Which
        #[arg(value_enum)]
        of: Dumped,
    },
    /// Which schema catches a request, and why each one before it does not
    Whatif {
        /// User; system:serviceaccount:NAMESPACE:NAME for a service account; `me` for oneself
        #[arg(id = "for-user", long, value_name = "USER", default_value = ME)]
        user: String,
        /// Groups beside those that the server adds by itself
        #[arg(long = "for-group", value_name = "GROUP")]
        groups: Vec<String>,
        /// Verb: get, list, watch, create, update, patch, delete, deletecollection
        #[arg(long)]
        verb: String,
        /// `RESOURCE[.GROUP][/SUBRESOURCE]`, in the namespace of -n or cluster-wide; or a `/path`
        what: String,
        /// Name; of meaning for namespaces alone, which the server takes to be in themselves
        #[arg(default_value = "", hide_default_value = true)]
        name: String,
    },
}

/// What the server dumps.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dumped {
    /// Priority levels.
    Levels,
    /// All queues.
    Queues,
    /// Requests that wait and execute, with details.
    Requests,
}

/// How requests are grouped.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By user.
    User,
    /// By schema and distinguisher.
    Flow,
    /// Not at all.
    Request,
}

/// The page, and what is missing from it. With `--watch` tables are written to `out` until the reader goes away.
///
/// # Errors
/// Usage (2) before anything is sent; a cluster that cannot be read (1).
pub async fn apf(
    common: &Common,
    args: &ApfArgs,
    out: &mut dyn Write,
) -> Result<(String, Option<Failure>), Failure> {
    let table = |view: &str, filter: &str| PrintArgs {
        view: view.to_owned(),
        output: args.output,
        filter: filter.to_owned(),
        sort: None,
        columns: vec![],
        watch: args.watch,
        count: false,
    };
    let table = match &args.page {
        Page::Levels => table("levels", ""),
        Page::Queues => table("queues", ""),
        Page::Schemas => table("flowschemas", ""),
        Page::Requests { by: By::User } => table("flows", "by:=user"),
        Page::Requests { by: By::Flow } => table("flows", "by:=flow"),
        Page::Requests { by: By::Request } => table("requests", ""),
        Page::Dump { of } => {
            if args.watch || args.output != Format::Table {
                return Err(Failure::usage("a dump is told once, as it came".into()));
            }
            return Ok((dump(common, *of).await?, None));
        }
        Page::Whatif { user, groups, verb, what, name } => {
            if args.watch {
                return Err(Failure::usage("whatif is asked once, without --watch".into()));
            }
            let namespace = common.connect.namespace.clone().unwrap_or_default();
            let (user, verb, groups) = (user.clone(), verb.clone(), groups.clone());
            let asked = Asked { user, groups, verb, ..Asked::default() };
            let question =
                Question::typed(asked, what, name, &namespace).map_err(Failure::usage)?;
            return Ok((asked_about(common, question, args.output).await?, None));
        }
    };
    match args.watch {
        true => stream(common, &table, out).await.map(|()| (String::new(), None)),
        false => print(common, &table).await,
    }
}

async fn dump(common: &Common, of: Dumped) -> Result<String, Failure> {
    let connection = common.open_to_read().await?;
    let page = match of {
        Dumped::Levels => fairness::Page::Levels,
        Dumped::Queues => fairness::Page::Queues,
        Dumped::Requests => fairness::Page::Requests,
    };
    let up = &connection.upstream;
    let taken = up.dumps.take(&up.client, page, Instant::now(), &*up.clock).await;
    let taken = taken.map_err(|fault| Failure::failed(fairness::words(&fault)))?;
    // No line of it acts on a terminal.
    Ok(clean_lines(&taken.text))
}

async fn asked_about(
    common: &Common,
    question: Question,
    output: Format,
) -> Result<String, Failure> {
    let connection = common.open_to_read().await?;
    let known = configured(&connection.client).await;
    let known = known.map_err(|fault| Failure::failed(fault.to_string()))?;
    let ours = known.ours(&connection.meter).filter(|_| question.is_me);
    let question = question.whole(&me(&connection));
    Ok(match output {
        Format::Table | Format::Wide => {
            page_text(&whatif(&question, &known.schemas, &known.level_names(), ours.as_ref()))
        }
        other => rows(&question.asked, &known, other),
    })
}

/// The schemas that were asked, one after the other.
fn rows(asked: &Asked, known: &Configured, output: Format) -> String {
    let (words, steps) = answer(asked, &known.schemas, &known.level_names());
    let row = |s: &Step| {
        json!({
            "name": s.schema, "precedence": s.precedence, "level": s.level, "catches": s.catches, "why": s.why,
        })
    };
    let none = Value::Null;
    let nobody =
        json!({"name": none, "precedence": none, "level": none, "catches": false, "why": words});
    let rows = match &steps[..] {
        [] => vec![nobody],
        steps => steps.iter().map(row).collect(),
    };
    match output {
        Format::Yaml => yaml_text(&Value::Array(rows), Folds::default()),
        Format::Csv => {
            const KEYS: [&str; 5] = ["name", "precedence", "level", "catches", "why"];
            let head = csv_line(KEYS.into_iter().map(Value::from));
            let line = |row: &Value| csv_line(KEYS.into_iter().map(|key| row[key].clone()));
            rows.iter().fold(head, |out, row| out + &line(row))
        }
        Format::Name => {
            let caught = steps.iter().filter(|step| step.catches);
            caught
                .map(|s| format!("flowschema.flowcontrol.apiserver.k8s.io/{}\n", s.schema))
                .collect()
        }
        _ => json_text(&Value::Array(rows)),
    }
}
