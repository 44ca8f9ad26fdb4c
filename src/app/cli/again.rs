//! `wheelhouse print VIEW --watch` where a view is measured: the whole table again after each look.

use super::format::{Format, format, object};
use super::print::{PrintArgs, check, lens_of, settle};
use super::{Common, Failure};
use crate::app::cluster::inflow::Inflow;
use crate::app::cluster::mailbox::Delivery;
use crate::app::connect::Connection;
use crate::state::health::Health;
use crate::state::lens::{Budget, Progress};
use crate::state::store::Store;
use std::io::{self, Write};

/// Writes tables until the reader goes away: with a blank line after each, `-o json` one array a line, `-o csv` one heading for all.
///
/// # Errors
/// Usage (2) before anything is sent; a cluster that cannot be read at first, or no longer may be (1).
pub async fn again(common: &Common, args: &PrintArgs, out: &mut dyn Write) -> Result<(), Failure> {
    check(args)?;
    let connection = common.open_to_read().await?;
    let (mut store, view) = (Store::default(), check(args)?.view);
    let mut inflow = Inflow::new(&connection.upstream);
    inflow.open(&mut store, view.table, None);
    let mut began = false;
    loop {
        for delivery in inflow.news().await {
            let (id, health) = match delivery {
                Delivery::Rows(parcel) => {
                    store.apply(&parcel);
                    continue;
                }
                Delivery::Health(id, health) => (id, health),
            };
            // What was never to be had is a failure; a server that goes away comes back.
            if !began || matches!(health, Health::Denied { .. }) {
                settle(&store, view, id, &health, &mut vec![])?;
            }
            if !matches!(health, Health::Surveyed { .. }) {
                tracing::warn!("{}: {}", view.id, health.words(connection.now()).1);
                continue;
            }
            let first = !std::mem::replace(&mut began, true);
            match write(&store, args, &connection, first, out) {
                Ok(Err(e)) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                Ok(Err(e)) => return Err(Failure::failed(format!("standard output: {e}"))),
                Ok(Ok(())) => {}
                Err(failure) => return Err(failure),
            }
        }
    }
}

fn write(
    store: &Store,
    args: &PrintArgs,
    connection: &Connection,
    first: bool,
    out: &mut dyn Write,
) -> Result<io::Result<()>, Failure> {
    let (wanted, now) = (check(args)?, connection.now());
    let mut lens = lens_of(store, &wanted);
    while lens.work(store, now, Budget { rows: usize::MAX }) == Progress::More {}
    let table = store.table_index(wanted.view.table).unwrap_or_default();
    let rows: Vec<_> = lens.rows().iter().map(|&slot| store.row(table, slot)).collect();
    let text = match args.output {
        Format::Json => {
            let rows: Vec<_> = rows.iter().map(|r| object(*r, &wanted.columns, now)).collect();
            serde_json::Value::Array(rows).to_string()
        }
        // One table that grows: its heading once.
        Format::Csv => {
            let text = format(&rows, &wanted.columns, Format::Csv, now);
            let from = if first { 0 } else { text.find('\n').map_or(0, |end| end + 1) };
            return Ok(write!(out, "{}", &text[from..]).and_then(|()| out.flush()));
        }
        other => format(&rows, &wanted.columns, other, now),
    };
    Ok(writeln!(out, "{text}").and_then(|()| out.flush()))
}
