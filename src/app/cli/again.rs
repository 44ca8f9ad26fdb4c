//! `wheelhouse print VIEW --watch`: the whole table again after each look where a view is measured, and every 15 s where it is
//! followed and recorded as CSV or JSON. `wheelhouse top --watch` writes its looks as these are written.

use super::format::{Format, format, json_line, objects};
use super::print::{PrintArgs, Reading, check, ordered, settle};
use super::{Common, Failure, is_read};
use crate::app::cluster::inflow::Inflow;
use crate::app::cluster::mailbox::Delivery;
use crate::state::decl::Column;
use crate::state::export::{csv_head, csv_row};
use crate::state::health::{FeedId, Health};
use crate::state::row::Row;
use crate::state::series::is_heard;
use crate::state::store::Store;
use crate::state::time::Epoch;
use std::io::{self, Write};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Time between two tables of what is followed, as between two looks at what is measured.
const EVERY: Duration = Duration::from_secs(15);

/// Writes tables until the reader goes away: with a blank line after each, `-o json` one array a line, `-o csv` one heading for all
/// and the time of each before its rows.
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
        let heard = |store: &Store, id, health: &Health| {
            // What was never to be had is a failure; a server that goes away comes back.
            if !began || matches!(health, Health::Denied { .. }) {
                settle(store, view, id, health, &mut vec![])?;
            }
            let looked = matches!(health, Health::Surveyed { .. });
            if !looked {
                tracing::warn!("{}: {}", view.id, health.words(connection.now()).1);
            }
            Ok(looked)
        };
        if !take_in(&inflow, &mut store, heard).await? {
            continue;
        }
        let (first, now) = (!std::mem::replace(&mut began, true), connection.now());
        let page = Page { rows: ordered(&store, &wanted, now), columns: &wanted.columns, now };
        if !is_read(write(&page, args.output, first, out))? {
            return Ok(());
        }
    }
}

/// Waits for what comes next and takes it in; `heard` is told of each health before the store is, and whether it said of one that
/// a look is over is returned.
pub(super) async fn take_in(
    inflow: &Inflow,
    store: &mut Store,
    mut heard: impl FnMut(&Store, FeedId, &Health) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let mut looked = false;
    for delivery in inflow.news().await {
        match delivery {
            Delivery::Rows(parcel) => drop(store.apply(&parcel)),
            Delivery::Health(id, health) => {
                looked |= heard(store, id, &health)?;
                store.set_health(id, health);
            }
        }
    }
    Ok(looked)
}

/// Writes a followed table as CSV or JSON every 15 s until the reader goes away. While it cannot be followed nothing is written: a gap.
///
/// # Errors
/// Usage (2) before anything is sent; a cluster that cannot be read at first, or no longer may be (1).
pub async fn record(common: &Common, args: &PrintArgs, out: &mut dyn Write) -> Result<(), Failure> {
    record_every(EVERY, common, args, out).await
}

async fn record_every(
    every: Duration,
    common: &Common,
    args: &PrintArgs,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let wanted = check(args)?;
    let connection = common.open_to_read().await?;
    let mut store = Store::default();
    let mut reading = Reading::new(&connection, wanted.view, common.scope());
    reading.all(&mut store, wanted.uses()).await?;
    reading.missing.drain(..).for_each(|words| tracing::warn!("{words}"));
    let table = store.table_index(wanted.view.table).unwrap_or_default();
    let (mut first, mut next) = (true, Instant::now());
    loop {
        if is_heard(&store, table) {
            let now = connection.now();
            let page = Page { rows: ordered(&store, &wanted, now), columns: &wanted.columns, now };
            if !is_read(write(&page, args.output, first, out))? {
                return Ok(());
            }
            first = false;
        }
        next = after(next, every);
        let heard = |store: &Store, id, health: &Health| {
            if matches!(health, Health::Denied { .. }) {
                settle(store, wanted.view, id, health, &mut vec![])?;
            }
            Ok(false)
        };
        while let Ok(taken) = timeout_at(next, take_in(&reading.inflow, &mut store, heard)).await {
            taken?;
        }
    }
}

/// When the table after one that was due at a time is due: a reader that was stopped for a while gets one, and not all those
/// that it missed.
fn after(due: Instant, every: Duration) -> Instant {
    (due + every).max(Instant::now())
}

/// One table of many.
pub(super) struct Page<'a> {
    /// Its rows, in order.
    pub rows: Vec<Row<'a>>,
    /// Its columns.
    pub columns: &'a [&'static Column],
    /// When it was read.
    pub now: Epoch,
}

/// Writes one; `headed` if a table that grows begins with it.
pub(super) fn write(
    page: &Page<'_>,
    output: Format,
    headed: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Page { rows, columns, now } = page;
    match output {
        Format::Json => write!(out, "{}", json_line(&objects(rows, columns, *now)))?,
        // One table that grows: its heading once.
        Format::Csv => {
            if headed {
                write!(out, "time,{}", csv_head(columns))?;
            }
            let time = now.rfc3339();
            for row in rows {
                write!(out, "{time},{}", csv_row(*row, columns, *now))?;
            }
        }
        _ => writeln!(out, "{}", format(rows, columns, output, *now))?,
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cli::{Cli, Command};
    use crate::app::nap;
    use clap::Parser;

    /// A reader that leaves after so many lines.
    struct Leaving(Vec<u8>, usize);

    impl Write for Leaving {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            if self.0.iter().filter(|b| **b == b'\n').count() >= self.1 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.0.extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn recorded(view: &str, columns: &str, lines: usize) -> Vec<String> {
        recorded_as("csv", view, columns, lines)
    }

    fn recorded_as(output: &str, view: &str, columns: &str, lines: usize) -> Vec<String> {
        let args =
            ["wheelhouse", "--demo", "print", view, "--watch", "-o", output, "--columns", columns];
        let cli = Cli::parse_from(args);
        let Some(Command::Print(args)) = &cli.command else { panic!("{:?}", cli.command) };
        let mut out = Leaving(vec![], lines);
        nap::runtime().unwrap().block_on(async {
            let every = Duration::from_millis(20);
            let view = crate::views::named(view).unwrap();
            match Store::default().table(view.table).spec.is_looked_at() {
                true => again(&cli.common, args, &mut out).await.unwrap(),
                false => record_every(every, &cli.common, args, &mut out).await.unwrap(),
            }
        });
        String::from_utf8(out.0).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_followed_column_is_recorded_with_the_time_of_each_table_and_one_heading() {
        let lines = recorded("nodes", "name,pods,cpu_used", 60);
        assert_eq!(lines[0], "time,name,pods,cpu_used");
        let cells: Vec<Vec<&str>> = lines[1..].iter().map(|l| l.split(',').collect()).collect();
        let again = cells.iter().filter(|cells| cells[1] == cells0(&lines)).count();
        assert!(again >= 2, "{lines:?}");
        for cells in cells {
            assert!(Epoch::parse(cells[0]).is_some(), "{cells:?}");
            assert!(cells[2].parse::<u32>().is_ok(), "{cells:?}");
        }
    }

    #[test]
    fn a_followed_view_is_an_array_a_line_for_programs() {
        let lines = recorded_as("json", "nodes", "name,cpu_used", 3);
        for line in &lines {
            let rows: Vec<serde_json::Value> = serde_json::from_str(line).unwrap();
            assert!(!rows.is_empty() && rows.iter().all(|row| row.get("cpu_used").is_some()));
        }
        assert!(lines.len() >= 2, "{lines:?}");
    }

    fn cells0(lines: &[String]) -> &str {
        lines[1].split(',').nth(1).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_was_stopped_gets_one_table_and_not_all_it_missed() {
        let due = Instant::now();
        assert_eq!(after(due, EVERY), due + EVERY);
        tokio::time::advance(4 * EVERY).await;
        assert_eq!(after(due, EVERY), due + 4 * EVERY);
    }

    #[test]
    fn a_measured_column_has_the_time_of_its_look() {
        let lines = recorded("apiserver", "name,rate", 4);
        assert_eq!(lines[0], "time,name,rate");
        let time = lines[1].split(',').next().unwrap();
        assert!(Epoch::parse(time).is_some(), "{lines:?}");
    }
}
