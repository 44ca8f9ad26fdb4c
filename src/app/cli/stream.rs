//! `wheelhouse print events --watch`: a line for each thing that happens, as it happens.

use super::format::{Format, json_line, object};
use super::print::{PrintArgs, Wanted, add_deeds, check, settle};
use super::{Common, Failure, is_read};
use crate::app::cluster::inflow::Inflow;
use crate::app::cluster::mailbox::Delivery;
use crate::state::health::{FeedId, Health};
use crate::state::kinds::{events, journal};
use crate::state::query::Bound;
use crate::state::row::Row;
use crate::state::store::{Changed, Store};
use crate::state::table::What;
use crate::state::text::clean;
use crate::state::time::Epoch;
use std::io::{self, Write};

/// Writes lines until the reader goes away.
///
/// # Errors
/// Usage (2) before anything is sent; a cluster that cannot be read, or no longer may be (1).
pub async fn stream(common: &Common, args: &PrintArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let wanted = check(args)?;
    if wanted.view.table != events::TABLE.id {
        let view = wanted.view.id;
        if Store::default().table(wanted.view.table).spec.is_looked_at() {
            return super::again::again(common, args, out).await;
        }
        // The journal is a folder and no feed.
        let recorded = matches!(args.output, Format::Csv | Format::Json);
        if recorded && wanted.view.table != journal::TABLE.id {
            return super::again::record(common, args, out).await;
        }
        let words = format!(
            "--watch works on events and on what is measured; {view} are printed once, or recorded with -o csv or -o json"
        );
        return Err(Failure::usage(words));
    }
    if !matches!(args.output, Format::Table | Format::Wide | Format::Json) {
        return Err(Failure::usage("--watch writes lines: -o table, or -o json".into()));
    }
    let connection = common.open_to_read().await?;
    let mut store = Store::default();
    let mut inflow = Inflow::new(&connection.upstream);
    inflow.open(&mut store, events::TABLE.id, common.scope().as_deref());
    add_deeds(&connection, &mut store);
    let mut lines = Lines::new(wanted, args.output);
    loop {
        let changed = take_in(&mut store, &mut lines, inflow.news().await)?;
        if !lines.began {
            continue;
        }
        if !is_read(lines.write(&store, &changed, connection.now(), out))? {
            return Ok(());
        }
    }
}

/// Takes in what waits; the first whole list begins the lines.
fn take_in(store: &mut Store, lines: &mut Lines, news: Vec<Delivery>) -> Result<Changed, Failure> {
    let mut changed = Changed::default();
    for delivery in news {
        match delivery {
            Delivery::Rows(parcel) => {
                let more = store.apply(&parcel);
                changed.rows.extend(more.rows.into_iter().filter(|_| lines.began));
            }
            Delivery::Health(feed, health) => heard(store, lines, feed, health, &mut changed)?,
        }
    }
    Ok(changed)
}

fn heard(
    store: &mut Store,
    lines: &mut Lines,
    feed: FeedId,
    health: Health,
    changed: &mut Changed,
) -> Result<(), Failure> {
    // A server that goes away comes back, and what happened meanwhile with it; one that was never there is a failure.
    if !lines.began || matches!(health, Health::Denied { .. } | Health::Missing) {
        settle(store, lines.wanted.view, feed, &health, &mut vec![])?;
    }
    if let Health::Down { fault, .. } = &health {
        tracing::warn!("events: {fault}");
    }
    if matches!(health, Health::Live(_) | Health::Polled { .. }) && !lines.began {
        lines.began = true;
        let slots = store.rows(events::TABLE.id).map(|row| row.slot);
        let table = store.table_index(events::TABLE.id).unwrap_or_default();
        let new =
            |slot| crate::state::store::Touch { table, slot, mask: u64::MAX, what: What::New };
        changed.rows = slots.map(new).collect();
    }
    store.set_health(feed, health);
    Ok(())
}

/// Turns changes into lines.
struct Lines {
    wanted: Wanted,
    output: Format,
    filter: Bound,
    began: bool,
}

impl Lines {
    fn new(wanted: Wanted, output: Format) -> Lines {
        let filter = wanted.filter.bind(Epoch::default());
        Lines { wanted, output, filter, began: false }
    }

    /// The rows that something happened to, in the order of time.
    fn write(
        &mut self,
        store: &Store,
        changed: &Changed,
        now: Epoch,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        // What was forgotten for want of room changes numbers too, and is no news.
        let news = events::LAST.bit() | events::ARRIVAL.bit();
        let news = changed.rows.iter().filter(|t| t.what != What::Gone && t.mask & news != 0);
        let mut slots: Vec<(u8, u32)> = news.map(|touch| (touch.table, touch.slot)).collect();
        slots.sort_unstable();
        slots.dedup();
        let rows = slots.into_iter().map(|(table, slot)| store.row(table, slot));
        let mut rows: Vec<Row<'_>> = rows.filter(|r| r.table.alive(r.slot)).collect();
        rows.sort_by_key(|row| (row.num(events::LAST), row.num(events::ARRIVAL)));
        self.filter.now = now;
        rows.retain(|row| self.filter.test(*row));
        for row in rows {
            let line = match self.output {
                Format::Json => json_line(&object(row, &self.wanted.columns, now)),
                _ => text(row),
            };
            out.write_all(line.as_bytes())?;
        }
        out.flush()
    }
}

/// One line, whatever the cluster wrote.
fn text(row: Row<'_>) -> String {
    let place = match row.namespace() {
        "" => String::new(),
        namespace => format!("{namespace}/"),
    };
    let times = match row.num(events::COUNT) {
        0 | 1 => String::new(),
        n => format!("x{n} "),
    };
    let line = format!(
        "{} {:<8} {:<20} {} {place}{} {times}{}",
        row.time(events::LAST).rfc3339(),
        row.text(events::TYPE),
        row.text(events::REASON),
        row.text(events::KIND),
        row.name(),
        row.text(events::MESSAGE).trim(),
    );
    clean(&line).into_owned() + "\n"
}
