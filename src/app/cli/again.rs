//! `wheelhouse print VIEW --watch` where a view is measured: the whole table again after each look.

use super::format::{Format, format, json_line, objects};
use super::print::{PrintArgs, Wanted, check, ordered, settle};
use super::{Common, Failure, is_read};
use crate::app::cluster::inflow::Inflow;
use crate::app::cluster::mailbox::Delivery;
use crate::state::health::Health;
use crate::state::store::Store;
use crate::state::time::Epoch;
use std::io::{self, Write};

/// Writes tables until the reader goes away: with a blank line after each, `-o json` one array a line, `-o csv` one heading for all.
///
/// # Errors
/// Usage (2) before anything is sent; a cluster that cannot be read at first, or no longer may be (1).
pub async fn again(common: &Common, args: &PrintArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let wanted = check(args)?;
    let connection = common.open_to_read().await?;
    let (mut store, view) = (Store::default(), wanted.view);
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
            let now = connection.now();
            if !matches!(health, Health::Surveyed { .. }) {
                tracing::warn!("{}: {}", view.id, health.words(now).1);
                continue;
            }
            let first = !std::mem::replace(&mut began, true);
            if !is_read(write(&store, &wanted, args.output, now, first, out))? {
                return Ok(());
            }
        }
    }
}

fn write(
    store: &Store,
    wanted: &Wanted,
    output: Format,
    now: Epoch,
    first: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rows = ordered(store, wanted, now);
    let text = || format(&rows, &wanted.columns, output, now);
    match output {
        Format::Json => {
            write!(out, "{}", json_line(&objects(&rows, &wanted.columns, now)))?;
        }
        // One table that grows: its heading once.
        Format::Csv => {
            let text = text();
            let from = if first { 0 } else { text.find('\n').map_or(0, |end| end + 1) };
            write!(out, "{}", &text[from..])?;
        }
        _ => writeln!(out, "{}", text())?,
    }
    out.flush()
}
