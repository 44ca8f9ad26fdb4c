//! `wheelhouse health`: the health board without a screen, for people, scripts and probes.

use super::format::{Format, format, json_line, object};
use super::print::{PrintArgs, Wanted, check, collect, ordered, settle};
use super::{Common, Failure, exit, is_read};
use crate::app::cluster::inflow::Inflow;
use crate::app::cluster::mailbox::Delivery;
use crate::app::connect::Connection;
use crate::state::health::Health;
use crate::state::kinds::health::{PART, TABLE, VERDICT, WHY};
use crate::state::row::Row;
use crate::state::store::Store;
use crate::state::text::clean;
use crate::state::time::Epoch;
use clap::Args;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// What to tell and how.
#[derive(Args, Debug, Clone)]
pub struct HealthArgs {
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// Only lines that match, in the words of the screen's filter: '!verdict:ok'
    #[arg(long, value_name = "QUERY", default_value = "", hide_default_value = true)]
    pub filter: String,
    /// Do not end: what is not well now, then a line for each verdict that changes; `-o json` an object a line
    #[arg(short, long)]
    pub watch: bool,
}

/// The board as text, and a failure when something is not well (1) or a part could not be read (4). With `--watch` lines are
/// written to `out` until the reader goes away.
///
/// # Errors
/// Usage (2) before anything is sent; a cluster that is not reached (1).
pub async fn health(
    common: &Common,
    args: &HealthArgs,
    out: &mut dyn Write,
) -> Result<(String, Option<Failure>), Failure> {
    let wanted = check(&PrintArgs {
        view: TABLE.id.to_owned(),
        output: args.output,
        filter: args.filter.clone(),
        sort: None,
        columns: vec![],
        watch: false,
        count: false,
    })?;
    let lines = matches!(args.output, Format::Table | Format::Wide | Format::Json);
    if args.watch && !lines {
        return Err(Failure::usage("--watch writes lines: -o table, or -o json".into()));
    }
    let connection = common.open_to_read().await?;
    if args.watch {
        watch(&connection, &wanted, args.output, out).await?;
        return Ok((String::new(), None));
    }
    let mut store = Store::default();
    let missing = collect(&connection, &mut store, &wanted, None).await?;
    let now = connection.now();
    let text = format(&ordered(&store, &wanted, now), &wanted.columns, args.output, now);
    Ok((text, not_well(&store).or(missing)))
}

/// What is not well, whatever the filter shows: names first, so that a log of exit codes says which.
fn not_well(store: &Store) -> Option<Failure> {
    let ill = |row: &Row<'_>| matches!(row.text(VERDICT), "bad" | "warn");
    // Sums only repeat what is named.
    let ill = store.rows(TABLE.id).filter(ill).filter(|row| &*row.name() != "(all)");
    let ill: Vec<String> = ill.map(named).collect();
    let some = ill.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if ill.len() > 5 { ", ..." } else { "" };
    let words = format!("{} not well: {some}{more}", ill.len());
    (!ill.is_empty()).then_some(Failure { code: exit::FAILED, words })
}

fn named(row: Row<'_>) -> String {
    format!("{} {}", row.text(PART), row.name())
}

/// Tells changes until nobody reads them any more.
async fn watch(
    connection: &Connection,
    wanted: &Wanted,
    output: Format,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut store = Store::default();
    let mut inflow = Inflow::new(&connection.upstream);
    inflow.open(&mut store, TABLE.id, None);
    let mut told = BTreeMap::new();
    loop {
        let mut whole = false;
        for delivery in inflow.news().await {
            match delivery {
                Delivery::Rows(parcel) => drop(store.apply(&parcel)),
                Delivery::Health(feed, health) => {
                    settle(&store, wanted.view, feed, &health, &mut vec![])?;
                    whole |= matches!(health, Health::Surveyed { .. });
                    store.set_health(feed, health);
                }
            }
        }
        let now = connection.now();
        let rows = if whole { ordered(&store, wanted, now) } else { continue };
        if !is_read(changes(&rows, &mut told, wanted, (output, now), out))? {
            return Ok(());
        }
    }
}

/// A line for each verdict that is another than it was; of the first look, for what is not well. What is gone is forgotten.
fn changes(
    rows: &[Row<'_>],
    told: &mut BTreeMap<String, String>,
    wanted: &Wanted,
    (output, now): (Format, Epoch),
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut seen = BTreeMap::new();
    for row in rows {
        let (name, verdict) = (named(*row), row.text(VERDICT).to_owned());
        let was = told.get(&name).map_or("ok", String::as_str);
        if was != verdict {
            match output {
                Format::Json => write!(out, "{}", json_line(&object(*row, &wanted.columns, now)))?,
                _ => {
                    let line = format!("{} {verdict:<7} {name}: {}", now.rfc3339(), row.text(WHY));
                    writeln!(out, "{}", clean(&line))?;
                }
            }
        }
        seen.insert(name, verdict);
    }
    for (name, was) in told.iter().filter(|(name, was)| *was != "ok" && !seen.contains_key(*name)) {
        if output != Format::Json {
            let line = format!("{} gone    {name}, which was {was}", now.rfc3339());
            writeln!(out, "{}", clean(&line))?;
        }
    }
    *told = seen;
    out.flush()
}
