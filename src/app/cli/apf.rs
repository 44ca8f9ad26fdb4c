//! `wheelhouse apf`: priority and fairness of the API server, from its objects and its debug dumps.

use super::format::quoted;
use super::{Common, Failure, exit};
use crate::app::cluster::gather::each;
use crate::app::cluster::scrape::scrape;
use crate::app::cluster::session::{Fault, Lock, PluginStdio, get};
use crate::app::connect::{Connection, Origin};
use crate::state::fairness::catch::{Asked, What, catch, in_order, is_dangling};
use crate::state::fairness::dump::{Dump, RequestNow, grouped};
use crate::state::fairness::metrics::{WANTS, filled};
use crate::state::fairness::schema::Schema;
use crate::state::fairness::seats::{Level, USUAL_TOTAL};
use crate::state::fairness::verdict::verdict;
use crate::state::text::{clean, width};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::time::Duration;

const LEVELS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations";
const SCHEMAS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
const DUMPS: &str = "/debug/api_priority_and_fairness";
/// A dump holds the dispatcher's lock until it is read, so it is read whole and at once.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(10));

/// Priority and fairness.
#[derive(Args, Debug, Clone)]
pub struct ApfArgs {
    #[command(subcommand)]
    #[allow(missing_docs, reason = "its variants are documented")]
    pub page: Page,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Shape::Table, global = true)]
    pub output: Shape,
}

/// How it is told.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Aligned columns.
    Table,
    /// An array of objects; absent is null.
    Json,
    /// Comma-separated values with a heading.
    Csv,
}

/// What is told.
#[derive(Subcommand, Debug, Clone)]
pub enum Page {
    /// Priority levels: seats, what executes and waits now, counters since the server began, and a verdict
    Levels {
        /// Seats of one API server (--max-requests-inflight plus --max-mutating-requests-inflight), where its
        /// metrics cannot be read
        #[arg(long, default_value_t = USUAL_TOTAL)]
        server_seats: i64,
    },
    /// Queues that hold something, the fullest first
    Queues,
    /// What waits and executes now, by user or by flow, the largest first
    Requests {
        /// Group by
        #[arg(long, value_enum, default_value_t = By::User)]
        by: By,
    },
    /// Flow schemas in the order the server asks them, their rules in words
    Schemas,
    /// Which schema catches a request, and why each one before it does not
    Whatif {
        /// User; system:serviceaccount:NAMESPACE:NAME for a service account
        #[arg(long = "for-user", value_name = "USER")]
        user: String,
        /// Groups beside those that the server adds by itself
        #[arg(long = "for-group", value_name = "GROUP")]
        groups: Vec<String>,
        /// Verb: get, list, watch, create, update, patch, delete, deletecollection
        #[arg(long)]
        verb: String,
        /// `RESOURCE[.GROUP][/SUBRESOURCE]`, in the namespace of -n or cluster-wide; or a `/path`
        what: String,
    },
}

/// How requests are grouped.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By user.
    User,
    /// By schema and distinguisher.
    Flow,
}

type Told = (Vec<Value>, Option<Failure>);

/// The page, and what is missing from it.
///
/// # Errors
/// A cluster that cannot be read (1).
pub async fn apf(common: &Common, args: &ApfArgs) -> Result<(String, Option<Failure>), Failure> {
    let origin = Origin::of(common).map_err(|fault| Failure::failed(fault.paragraph()))?;
    let opened = origin.open(Lock::new(true), PluginStdio::Inherit).await;
    let connection = opened.map_err(|fault| Failure::failed(fault.paragraph()))?;
    let (rows, missing) = match &args.page {
        Page::Levels { server_seats } => levels(&connection, *server_seats).await?,
        Page::Queues => (queues(&connection).await?, None),
        Page::Requests { by } => (requests(&connection, *by).await?, None),
        Page::Schemas => (schemas(&connection).await?, None),
        Page::Whatif { user, groups, verb, what } => {
            let namespace = common.connect.namespace.clone().unwrap_or_default();
            let what = what_of(what, namespace);
            let (user, verb) = (user.clone(), verb.clone());
            let asked = Asked { user, groups: groups.clone(), verb, what }.with_usual_groups();
            (whatif(&connection, &asked).await?, None)
        }
    };
    Ok((told(&rows, args.output), missing))
}

/// From the dump and the metrics; either alone serves, and it is said which one is missing.
async fn levels(c: &Connection, total: i64) -> Result<Told, Failure> {
    let levels: Vec<Level> = all(c, LEVELS).await?.iter().map(Level::of).collect();
    let shares = levels.iter().map(|l| l.shares).sum();
    let dumped = dump(c, "dump_priority_levels").await.map(|dump| dump.levels());
    let page = scrape(&c.client, "/metrics", &WANTS).await.map(|taken| taken.scrape);
    // Only a level that queues needs the second dump.
    let queueing = dumped.iter().flatten().any(|l| l.waiting.is_some_and(|n| n > 0));
    let requests = match queueing {
        true => dump(c, "dump_requests?includeRequestDetails=1").await.map(|d| d.requests()),
        false => Ok(vec![]),
    };
    let row = |level: &Level| {
        let seats = level.seats(total, shares);
        let of_dump = dumped.iter().flatten().find(|n| n.name == level.name).cloned();
        let now = match &page {
            Ok(page) => Some(filled(of_dump.unwrap_or_default(), &level.name, page)),
            Err(_) => of_dump,
        };
        let here = requests.iter().flatten().filter(|r| r.level == level.name);
        let flows = grouped(&here.cloned().collect::<Vec<RequestNow>>(), flow);
        let words = verdict(level, seats, now.as_ref(), &flows);
        let now = now.unwrap_or_default();
        json!({
            "name": level.name, "kind": if level.exempt { "Exempt" } else { "Limited" },
            "shares": level.shares, "nominal": now.nominal.unwrap_or(seats.nominal), "current": now.current,
            "taken": now.seats_taken, "executing": now.executing, "waiting": now.waiting,
            "dispatched": now.dispatched, "rejected": now.rejected, "timed_out": now.timed_out,
            "verdict": words,
        })
    };
    let mut missing = vec![];
    missing.extend(dumped.as_ref().err().map(|f| f.words.clone()));
    missing.extend(requests.as_ref().err().map(|f| f.words.clone()));
    missing.extend(page.as_ref().err().map(|fault| {
        format!(
            "the metrics could not be read: {fault}. Seats are worked out from the shares of a server with {total}"
        )
    }));
    let missing = (!missing.is_empty())
        .then(|| Failure { code: exit::INCOMPLETE, words: missing.join("\n") });
    Ok((levels.iter().map(row).collect(), missing))
}

/// The flow. 1.37.2 leaves the distinguisher empty in its dump; the user, where details are given, is the nearest to it.
fn flow(request: &RequestNow) -> String {
    match (request.flow.as_str(), request.user.as_str()) {
        ("", "") => request.schema.clone(),
        ("", user) => format!("{}/{user}", request.schema),
        (flow, _) => format!("{}/{flow}", request.schema),
    }
}

async fn queues(c: &Connection) -> Result<Vec<Value>, Failure> {
    let mut queues = dump(c, "dump_queues").await?.queues();
    queues.retain(|q| q.waiting.unwrap_or(0) + q.executing.unwrap_or(0) > 0);
    queues.sort_by_key(|q| std::cmp::Reverse((q.waiting, q.executing)));
    let row = |q: &crate::state::fairness::dump::QueueNow| {
        json!({
            "name": format!("{}/{}", q.level, q.index.unwrap_or(-1)), "level": q.level,
            "waiting": q.waiting, "executing": q.executing, "seats": q.seats,
        })
    };
    Ok(queues.iter().map(row).collect())
}

async fn requests(c: &Connection, by: By) -> Result<Vec<Value>, Failure> {
    let requests = dump(c, "dump_requests?includeRequestDetails=1").await?.requests();
    // Details are of the server's grace; without a user the distinguisher is the nearest.
    let user = |r: &RequestNow| if r.user.is_empty() { r.flow.clone() } else { r.user.clone() };
    let groups = match by {
        By::User => grouped(&requests, user),
        By::Flow => grouped(&requests, flow),
    };
    let now = c.now();
    let row = |g: &crate::state::fairness::dump::Group| {
        let of = requests.iter().find(|r| match by {
            By::User => user(r) == g.name,
            By::Flow => flow(r) == g.name,
        });
        json!({
            "name": g.name, "waiting": g.waiting, "executing": g.executing,
            "oldest_seconds": g.oldest.map(|at| at.age(now)),
            "level": of.map(|r| r.level.clone()), "schema": of.map(|r| r.schema.clone()),
            "example": of.map(|r| format!("{} {}", r.verb, r.path)),
        })
    };
    Ok(groups.iter().map(row).collect())
}

async fn schemas(c: &Connection) -> Result<Vec<Value>, Failure> {
    let (schemas, levels) = configured(c).await?;
    let row = |s: &Schema| {
        json!({
            "name": s.name, "precedence": s.precedence, "level": s.level, "flows": s.distinguisher,
            "dangling": is_dangling(s, &levels), "rules": s.words(),
        })
    };
    Ok(in_order(&schemas).into_iter().map(row).collect())
}

async fn whatif(c: &Connection, asked: &Asked) -> Result<Vec<Value>, Failure> {
    let (schemas, levels) = configured(c).await?;
    let steps = catch(asked, &schemas, &levels);
    if steps.is_empty() {
        let why = "long-running: not under priority and fairness";
        let none = Value::Null;
        return Ok(vec![
            json!({ "name": none, "precedence": none, "level": none, "catches": false, "why": why }),
        ]);
    }
    let row = |s: &crate::state::fairness::catch::Step| {
        json!({
            "name": s.schema, "precedence": s.precedence, "level": s.level, "catches": s.catches, "why": s.why,
        })
    };
    Ok(steps.iter().map(row).collect())
}

fn what_of(text: &str, namespace: String) -> What {
    if text.starts_with('/') {
        return What::Path(text.to_owned());
    }
    let (name, sub) = text.split_once('/').unwrap_or((text, ""));
    let (resource, group) = name.split_once('.').unwrap_or((name, ""));
    let own = str::to_owned;
    What::Resource { group: own(group), resource: own(resource), sub: own(sub), namespace }
}

async fn configured(c: &Connection) -> Result<(Vec<Schema>, Vec<String>), Failure> {
    let schemas = all(c, SCHEMAS).await?.iter().map(Schema::of).collect();
    let levels = all(c, LEVELS).await?.iter().map(|l| Level::of(l).name).collect();
    Ok((schemas, levels))
}

async fn all(c: &Connection, path: &str) -> Result<Vec<Value>, Failure> {
    let mut found = vec![];
    let failed = |fault: Fault| Failure::failed(format!("{path} could not be read: {fault}"));
    each(&c.client, path, |object| found.push(object)).await.map_err(failed)?;
    Ok(found)
}

async fn dump(c: &Connection, name: &str) -> Result<Dump, Failure> {
    let failed = |fault: Fault| {
        let hint = match fault {
            Fault::Forbidden { .. } => {
                ". What waits and executes is not shown. The right: get on nonResourceURLs \
                 /debug/api_priority_and_fairness/*"
            }
            Fault::NotFound { .. } => ". Priority and fairness may be off on this server",
            _ => "",
        };
        Failure::failed(format!("the dump could not be read: {fault}{hint}"))
    };
    let answer = get(&c.client, &format!("{DUMPS}/{name}"), DEADLINE).await.map_err(failed)?;
    Ok(Dump::parse(&String::from_utf8_lossy(&answer.body)))
}

fn told(rows: &[Value], shape: Shape) -> String {
    let text = |v: &Value| match v {
        Value::Null => "-".to_owned(),
        Value::String(t) => clean(t).into_owned(),
        other => other.to_string(),
    };
    let first = rows.first().and_then(Value::as_object);
    let keys: Vec<&String> = first.into_iter().flat_map(|o| o.keys()).collect();
    match shape {
        Shape::Json => {
            serde_json::to_string_pretty(rows).expect("values made here are plain JSON") + "\n"
        }
        Shape::Csv => {
            let line = |cells: Vec<String>| cells.join(",") + "\n";
            let cell = |row: &Value, key: &String| match &row[key] {
                Value::Null => String::new(),
                Value::String(t) => quoted(t),
                other => other.to_string(),
            };
            let head = line(keys.iter().map(|k| (*k).clone()).collect());
            rows.iter().fold(head, |out, r| out + &line(keys.iter().map(|k| cell(r, k)).collect()))
        }
        Shape::Table => {
            // The name stands first, long words last; the keys of an object are in order of the alphabet.
            let long = ["verdict", "rules", "why", "example"];
            let mut keys = keys;
            keys.sort_by_key(|k| (*k != "name", long.contains(&k.as_str())));
            let head: Vec<String> =
                keys.iter().map(|k| k.to_uppercase().replace('_', " ")).collect();
            let cells = rows.iter().map(|r| keys.iter().map(|k| text(&r[*k])).collect());
            let lines: Vec<Vec<String>> = std::iter::once(head).chain(cells).collect();
            let widest = |i: usize| lines.iter().map(|l| width(&l[i])).max().unwrap_or(0);
            let widths: Vec<usize> = (0..keys.len()).map(widest).collect();
            let line = |l: &Vec<String>| {
                let pad =
                    |(t, w): (&String, &usize)| format!("{t}{}", " ".repeat(w - width(t) + 3));
                let line: String = l.iter().zip(&widths).map(pad).collect();
                line.trim_end().to_owned() + "\n"
            };
            lines.iter().map(line).collect()
        }
    }
}
