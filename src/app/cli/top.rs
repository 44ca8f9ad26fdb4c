//! `wheelhouse top nodes|pods|containers`: what is used, with kubectl's flags, beside requests, limits and allocatable.
//!
//! Without a metrics API the requests are printed, standard error says why there is nothing else, and the exit code is 4.

use super::again::{self, Page};
use super::format::{Format, format};
use super::print::{PrintArgs, Reading, Wanted, check, is_laid_out, ordered, settle};
use super::{Common, Failure, exit, is_read};
use crate::actions::drain::budget::Selector;
use crate::actions::drain::selector;
use crate::app::cluster::inflow::Inflow;
use crate::state::decl::Column;
use crate::state::health::Health;
use crate::state::kinds::usage::{self, is_sampled};
use crate::state::row::Row;
use crate::state::store::Store;
use crate::state::time::Epoch;
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::io::Write;

/// Of what.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Nodes: use and requests of what they can allocate.
    #[value(alias = "node", alias = "no")]
    Nodes,
    /// Pods: use of requests and limits.
    #[value(alias = "pod", alias = "po")]
    Pods,
    /// Containers: use of requests and limits.
    #[value(alias = "container", alias = "co")]
    Containers,
}

/// What to print and how.
#[derive(Args, Debug, Clone)]
pub struct TopArgs {
    /// Of what.
    #[arg(value_enum)]
    pub what: What,
    /// Only this one.
    pub name: Option<String>,
    /// Label selector: 'app=web,tier!=db'
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<String>,
    /// Order by `cpu` or `memory`, the most first, or by any column, as `COL[:desc]`
    #[arg(long, value_name = "COL")]
    pub sort_by: Option<String>,
    /// Pods by container, as `top containers`
    #[arg(long)]
    pub containers: bool,
    /// Without the heading.
    #[arg(long)]
    pub no_headers: bool,
    /// Output format; numbers are thousandths of a core and bytes.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// Do not end: the table again after each look, an empty line after it; `-o json` an array a line, `-o csv` one heading
    /// and the time of each look
    #[arg(short, long)]
    pub watch: bool,
}

/// Prints one look after the other, or one; what is missing from it. While it goes on, what is missing from each look is said on
/// `err` when it changes, and ends nothing.
///
/// # Errors
/// Usage (2) before anything is sent; a cluster that cannot be read (1).
pub async fn top(
    common: &Common,
    args: &TopArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Option<Failure>, Failure> {
    let mut wanted = check(&as_print(args))?;
    let selector = match args.selector.as_deref() {
        None => None,
        Some(text) => Some(selector::parse(text).map_err(Failure::usage)?),
    };
    let connection = common.open_to_read().await?;
    let named = common.connect.namespace.clone();
    // As kubectl: pods of the context's namespace unless others are asked for.
    let home = Some(connection.cluster.home.clone()).filter(|home| !home.is_empty());
    let scope =
        named.or(home).filter(|_| !common.connect.all_namespaces && args.what != What::Nodes);
    if scope.is_some() && is_laid_out(args.output) {
        wanted.columns.retain(|c| c.id != "namespace");
    }
    let look = Look { args, wanted, selector };
    let mut store = Store::default();
    let mut reading = Reading::new(&connection, look.wanted.view, scope);
    reading.all(&mut store, true).await?;
    if args.watch {
        let now = || connection.now();
        return watch(&now, &look, store, &reading.inflow, (out, err)).await.map(|()| None);
    }
    let now = connection.now();
    let (rows, missing) = (look.rows(&store, now)?, look.missing(&store));
    let mut text = format(&rows, &look.columns(&store), args.output, now);
    let headed = is_laid_out(args.output) || args.output == Format::Csv;
    if args.no_headers && headed {
        text = text.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned());
    }
    is_read(write!(out, "{text}").and_then(|()| out.flush()))?;
    Ok((!missing.is_empty()).then_some(Failure { code: exit::INCOMPLETE, words: missing }))
}

/// Writes what is there, and again after each look at what is measured, be it a failed one.
async fn watch(
    clock: &dyn Fn() -> Epoch,
    look: &Look<'_>,
    mut store: Store,
    inflow: &Inflow,
    (out, err): (&mut dyn Write, &mut dyn Write),
) -> Result<(), Failure> {
    let (mut headed, mut told) = (!look.args.no_headers, String::new());
    let output = look.args.output;
    loop {
        let (now, columns) = (clock(), look.columns(&store));
        let (rows, mut missing) = (look.rows(&store, now), look.missing(&store));
        if let Err(nothing) = &rows {
            missing = format!("{missing}\n{}", nothing.words);
        }
        if missing != told && !missing.is_empty() {
            // Whoever does not read it any more has lost nothing but these words.
            let _ = writeln!(err, "wheelhouse: {}", missing.trim());
        }
        told = missing;
        let page = Page { rows: rows.unwrap_or_default(), columns: &columns, now };
        let text = match look.args.no_headers && is_laid_out(output) {
            true => headless(&page, output),
            false => None,
        };
        let written = match text {
            Some(text) => writeln!(out, "{text}").and_then(|()| out.flush()),
            None => again::write(&page, output, std::mem::take(&mut headed), out),
        };
        if !is_read(written)? {
            return Ok(());
        }
        let ends_look = |store: &Store, id, health: &Health| {
            let feed = store.feeds.iter().find(|feed| feed.id == id);
            let sampled = feed.is_some_and(|f| is_sampled(store.table_at(f.table).spec.id));
            Ok(sampled && !matches!(health, Health::Starting { .. } | Health::Off))
        };
        while !again::take_in(inflow, &mut store, ends_look).await? {}
    }
}

/// A table without its first line.
fn headless(page: &Page<'_>, output: Format) -> Option<String> {
    let text = format(&page.rows, page.columns, output, page.now);
    text.split_once('\n').map(|(_, rest)| rest.to_owned())
}

/// What each look shows.
struct Look<'a> {
    args: &'a TopArgs,
    wanted: Wanted,
    selector: Option<Selector>,
}

impl Look<'_> {
    /// The columns: those of use go where there is none, unless a program reads them.
    fn columns(&self, store: &Store) -> Vec<&'static Column> {
        let absent = usage::absent(store, self.wanted.view.table).is_some();
        let goes = |id: &str| absent && is_laid_out(self.args.output) && usage::is_column(id);
        self.wanted.columns.iter().copied().filter(|column| !goes(column.id)).collect()
    }

    /// The rows that are asked for.
    ///
    /// # Errors
    /// One is asked for by name, and is not there.
    fn rows<'s>(&self, store: &'s Store, now: Epoch) -> Result<Vec<Row<'s>>, Failure> {
        let (view, name) = (self.wanted.view, self.args.name.as_deref());
        let labels = store.table(view.table).spec.labels;
        let fits = |row: &Row<'_>| {
            let named = name.is_none_or(|name| row.name() == name);
            let pairs = || row.set(labels).filter_map(|pair| pair.split_once('='));
            let labels =
                || pairs().map(|(k, v)| (k.to_owned(), v.to_owned())).collect::<BTreeMap<_, _>>();
            named && self.selector.as_ref().is_none_or(|selector| selector.matches(&labels()))
        };
        let mut rows = ordered(store, &self.wanted, now);
        rows.retain(fits);
        match name.filter(|_| rows.is_empty()) {
            Some(name) => Err(Failure::failed(format!("there is no use of {name} here"))),
            None => Ok(rows),
        }
    }

    /// What could not be read, in words, a line each.
    fn missing(&self, store: &Store) -> String {
        let (view, mut missing) = (self.wanted.view, vec![]);
        for feed in &store.feeds {
            if let Err(failure) = settle(store, view, feed.id, &feed.health, &mut missing) {
                missing.push(failure.words);
            }
        }
        missing.extend(usage::absent(store, view.table));
        missing.join("\n")
    }
}

fn as_print(args: &TopArgs) -> PrintArgs {
    let (view, columns, order): (_, &[&str], _) = match args.what {
        What::Nodes => ("nodes", &NODES, "cpu_used:desc"),
        What::Pods if !args.containers => ("pods", &PODS, "cpu_used:desc"),
        What::Pods | What::Containers => ("containers", &CONTAINERS, "cpu_used:desc"),
    };
    let sort = match args.sort_by.as_deref() {
        None if args.what == What::Nodes => "name".to_owned(),
        None => order.to_owned(),
        Some("cpu") => "cpu_used:desc".to_owned(),
        Some("memory") => "memory_used:desc".to_owned(),
        Some(other) => other.to_owned(),
    };
    PrintArgs {
        view: view.to_owned(),
        output: args.output,
        filter: String::new(),
        sort: Some(sort),
        columns: columns.iter().map(|id| (*id).to_owned()).collect(),
        watch: false,
        count: false,
    }
}

const NODES: [&str; 8] = [
    "name",
    "cpu_used",
    "memory_used",
    "cpu_requested",
    "memory_requested",
    "cpu_allocatable_pct",
    "memory_allocatable_pct",
    "measured",
];

const PODS: [&str; 12] = [
    "namespace",
    "name",
    "cpu_used",
    "cpu_requests",
    "cpu_request_pct",
    "cpu_limit_pct",
    "memory_used",
    "memory_requests",
    "memory_request_pct",
    "memory_limit_pct",
    "node",
    "measured",
];

const CONTAINERS: [&str; 14] = [
    "namespace",
    "name",
    "container",
    "cpu_used",
    "cpu_requests",
    "cpu_limits",
    "cpu_request_pct",
    "cpu_limit_pct",
    "memory_used",
    "memory_requests",
    "memory_limits",
    "memory_request_pct",
    "memory_limit_pct",
    "measured",
];

#[cfg(test)]
#[path = "top_tests.rs"]
mod tests;
