//! `wheelhouse top nodes|pods|containers`: what is used, with kubectl's flags, beside requests, limits and allocatable.
//!
//! Without a metrics API the requests are printed, standard error says why there is nothing else, and the exit code is 4.

use super::format::{Format, format};
use super::print::{PrintArgs, Reading, Wanted, check, ordered};
use super::{Common, Failure, exit, is_read};
use crate::actions::drain::budget::Selector;
use crate::actions::drain::selector;
use crate::app::connect::Connection;
use crate::state::kinds::usage;
use crate::state::row::Row;
use crate::state::store::Store;
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// Time between two looks: the window of a usual metrics-server.
const EVERY: Duration = Duration::from_secs(15);

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
    /// Do not end: look again every 15 s, each look after an empty line
    #[arg(short, long)]
    pub watch: bool,
}

/// Prints one look after the other, or one; what is missing from the last.
///
/// # Errors
/// Usage (2) before anything is sent; a cluster that cannot be read (1).
pub async fn top(
    common: &Common,
    args: &TopArgs,
    out: &mut dyn Write,
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
    if scope.is_some() && args.output == Format::Table {
        wanted.columns.retain(|c| c.id != "namespace");
    }
    let mut first = true;
    loop {
        let (text, missing) =
            look(&connection, args, &mut wanted, selector.as_ref(), &scope).await?;
        let gap = if first || args.output != Format::Table { "" } else { "\n" };
        let written = write!(out, "{gap}{text}").and_then(|()| out.flush());
        if !is_read(written)? || !args.watch {
            return Ok(missing);
        }
        first = false;
        tokio::time::sleep(EVERY).await;
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

async fn look(
    connection: &Connection,
    args: &TopArgs,
    wanted: &mut Wanted,
    selector: Option<&Selector>,
    scope: &Option<String>,
) -> Result<(String, Option<Failure>), Failure> {
    let mut store = Store::default();
    let mut reading = Reading::new(connection, wanted.view, scope.clone());
    reading.all(&mut store, true).await?;
    let mut missing = std::mem::take(&mut reading.missing);
    drop(reading);
    if let Some(why) = usage::absent(&store, wanted.view.table) {
        missing.push(why);
        wanted.columns.retain(|column| !usage::is_column(column.id));
    }
    let labels = store.table(wanted.view.table).spec.labels;
    let fits = |row: &Row<'_>| {
        let named = args.name.as_deref().is_none_or(|name| row.name() == name);
        let pairs = || row.set(labels).filter_map(|pair| pair.split_once('='));
        let labels =
            || pairs().map(|(k, v)| (k.to_owned(), v.to_owned())).collect::<BTreeMap<_, _>>();
        named && selector.is_none_or(|selector| selector.matches(&labels()))
    };
    let now = connection.now();
    let mut rows = ordered(&store, wanted, now);
    rows.retain(fits);
    if let (true, Some(name)) = (rows.is_empty(), args.name.as_deref()) {
        return Err(Failure::failed(format!("there is no use of {name} here")));
    }
    let mut text = format(&rows, &wanted.columns, args.output, now);
    let headed = matches!(args.output, Format::Table | Format::Wide | Format::Csv);
    if args.no_headers && headed {
        text = text.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned());
    }
    let missing = (!missing.is_empty())
        .then(|| Failure { code: exit::INCOMPLETE, words: missing.join("\n") });
    Ok((text, missing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cli::{Cli, Command};
    use crate::app::nap;
    use clap::Parser;
    use std::io;

    /// What `| head` leaves behind.
    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn watching_ends_when_nobody_reads_it() {
        let cli = Cli::parse_from(["wheelhouse", "--demo", "top", "nodes", "--watch"]);
        let Some(Command::Top(args)) = &cli.command else { panic!("{:?}", cli.command) };
        nap::runtime().unwrap().block_on(top(&cli.common, args, &mut Gone)).unwrap();
    }
}
