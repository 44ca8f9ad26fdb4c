//! `wheelhouse print`: a view without a screen, from the same feeds, columns, filter and order.

use super::format::{Format, format};
use super::{Common, Failure, exit, view_names};
use crate::app::cluster::inflow::Inflow;
use crate::app::cluster::upstream::system_clock;
use crate::app::connect::Connection;
use crate::app::effects::events::deeds;
use crate::app::journal::{Journal, feed::parcels};
use crate::state::cell::grouped;
use crate::state::decl::Column;
use crate::state::health::{FeedId, Health};
use crate::state::kinds::usage::{self, is_lent, is_sampled, lent};
use crate::state::kinds::{containers, events, journal};
use crate::state::lens::{Budget, Lens, Progress};
use crate::state::nearest;
use crate::state::query::Query;
use crate::state::row::Row;
use crate::state::store::Store;
use crate::state::time::Epoch;
use crate::state::timeline::Deed;
use crate::views::{self, spec::TableView};
use clap::Args;

/// What to print and how.
#[derive(Args, Debug, Clone)]
pub struct PrintArgs {
    /// The view.
    #[arg(value_parser = view_names())]
    pub view: String,
    /// Output format.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// Only rows that match, in the words of the screen's filter: 'status:crash !namespace:kube-system'
    #[arg(long, value_name = "QUERY", default_value = "", hide_default_value = true)]
    pub filter: String,
    /// Order by this column; `:desc` turns it round
    #[arg(long, value_name = "COL[:desc]")]
    pub sort: Option<String>,
    /// These columns, by id, in this order
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Do not end: a line for each event that passes, `-o json` an object a line; of what is measured (apiserver), the
    /// whole table after each look; of all else the table every 15 s, `-o csv` to be plotted, `-o json` an array a line
    #[arg(short, long)]
    pub watch: bool,
    /// Only how many there are, in all and by namespace, without listing them
    #[arg(long, conflicts_with_all = ["watch", "filter", "sort", "columns"])]
    pub count: bool,
}

/// What is asked for, checked before anything is sent.
pub(super) struct Wanted {
    pub view: &'static TableView,
    pub columns: Vec<&'static Column>,
    pub sort: (&'static Column, bool),
    pub filter: Query,
}

impl Wanted {
    /// Whether something that is measured is asked for.
    pub fn uses(&self) -> bool {
        let lent = lent(self.view.table).iter().fold(0, |mask, word| mask | word.bit());
        let columns = self.columns.iter().fold(self.sort.0.needs, |mask, c| mask | c.needs);
        (columns | self.filter.needs()) & lent != 0
    }
}

/// The text to print, and what is missing from it.
///
/// # Errors
/// Usage (2) before anything is sent; a cluster that cannot be read (1).
pub async fn print(
    common: &Common,
    args: &PrintArgs,
) -> Result<(String, Option<Failure>), Failure> {
    let mut wanted = check(args)?;
    if wanted.view.table == journal::TABLE.id {
        return print_journal(&wanted, args);
    }
    let connection = common.open_to_read().await?;
    let scope = common.scope();
    if args.count {
        return super::count::count(&connection, wanted.view, scope, args.output).await;
    }
    let mut store = Store::default();
    let missing = collect(&connection, &mut store, &wanted, scope).await?;
    let absent = usage::absent(&store, wanted.view.table);
    if args.columns.is_empty() && absent.is_some() && is_laid_out(args.output) {
        wanted.columns.retain(|column| !usage::is_column(column.id));
    }
    add_deeds(&connection, &mut store);
    // Nodes and pods are whole without their use; it is what containers are shown for.
    let absent = absent.filter(|_| wanted.view.table == containers::TABLE.id);
    let absent = absent.map(|words| Failure { code: exit::INCOMPLETE, words });
    let missing = missing.or(absent).or_else(|| forgotten(&store));
    Ok((formatted(&store, &wanted, args, connection.now()), missing))
}

/// Whether columns may go that say nothing at the moment: a program finds the same keys in every answer.
pub(super) fn is_laid_out(output: Format) -> bool {
    matches!(output, Format::Table | Format::Wide)
}

/// The journal is on this machine: no cluster is asked.
fn print_journal(wanted: &Wanted, args: &PrintArgs) -> Result<(String, Option<Failure>), Failure> {
    let runs = Journal::home()?.runs()?;
    let mut store = Store::default();
    let table = store.table_index(wanted.view.table).unwrap_or_default();
    let feed = store.open_feed(table, 0, None);
    for parcel in parcels(feed, &journal::TABLE, 1, &runs) {
        store.apply(&parcel);
    }
    Ok((formatted(&store, wanted, args, (system_clock())()), None))
}

fn formatted(store: &Store, wanted: &Wanted, args: &PrintArgs, now: Epoch) -> String {
    format(&ordered(store, wanted, now), &wanted.columns, args.output, now)
}

/// The operator's own actions, where events are shown.
pub(super) fn add_deeds(connection: &Connection, store: &mut Store) {
    let table = store.table_index(events::TABLE.id);
    let Some(feed) = store.feeds.iter().find(|f| Some(f.table) == table) else { return };
    let (id, scope) = (feed.id, feed.namespace.clone());
    let mut deeds = deeds(&connection.cluster, (connection.upstream.clock)());
    deeds.retain(|d| scope.as_ref().is_none_or(|ns| *ns == d.namespace || d.namespace.is_empty()));
    store.apply(&Deed::parcel(id, &deeds));
}

/// What found no room, where events are shown.
fn forgotten(store: &Store) -> Option<Failure> {
    let ring = &store.timeline().ring;
    let (kept, more) = (grouped(ring.len() as i64), grouped(ring.forgotten() as i64));
    let words = format!("the newest {kept} events were taken in, {more} older ones were left out");
    (ring.forgotten() > 0).then_some(Failure { code: exit::INCOMPLETE, words })
}

/// Rows in order, filtered.
pub(super) fn ordered<'a>(store: &'a Store, wanted: &Wanted, now: Epoch) -> Vec<Row<'a>> {
    let table = store.table_index(wanted.view.table).unwrap_or_default();
    let mut lens = Lens::new(table, wanted.sort, Query::default(), wanted.filter.clone());
    while lens.work(store, now, Budget { rows: usize::MAX }) == Progress::More {}
    lens.rows().iter().map(|&slot| store.row(table, slot)).collect()
}

pub(super) fn check(args: &PrintArgs) -> Result<Wanted, Failure> {
    let view = views::named(&args.view)
        .ok_or_else(|| Failure::usage(format!("there is no view {}", args.view)))?;
    let store = Store::default();
    let spec = store.table(view.table).spec;
    let column = |id: &str| {
        let hint = || nearest::hint(id, spec.columns.iter().map(|c| c.id));
        spec.column(id)
            .ok_or_else(|| Failure::usage(format!("{} has no column `{id}`{}", view.id, hint())))
    };
    let columns = match (args.columns.as_slice(), args.output) {
        ([], Format::Table) => view.columns.iter().filter_map(|id| spec.column(id)).collect(),
        ([], Format::Wide) => {
            view.columns.iter().chain(view.wide).filter_map(|id| spec.column(id)).collect()
        }
        ([], _) => spec.columns.iter().collect(),
        (ids, _) => ids.iter().map(|id| column(id)).collect::<Result<_, _>>()?,
    };
    let sort = match args.sort.as_deref() {
        None => (column(view.sort.0)?, view.sort.1),
        Some(text) => match text.split_once(':') {
            None => (column(text)?, false),
            Some((id, "asc")) => (column(id)?, false),
            Some((id, "desc")) => (column(id)?, true),
            Some((_, order)) => {
                return Err(Failure::usage(format!("--sort COL[:desc]: `{order}` is no order")));
            }
        },
    };
    let filter = Query::parse(&args.filter, spec).map_err(|e| {
        let at = args.filter.get(e.at.clone()).unwrap_or_default();
        Failure::usage(format!("--filter, at `{at}`: {}", e.why))
    })?;
    Ok(Wanted { view, columns, sort, filter })
}

/// Fills a store with what a view needs, and tells what is missing from it.
pub(super) async fn collect(
    connection: &Connection,
    store: &mut Store,
    wanted: &Wanted,
    scope: Option<String>,
) -> Result<Option<Failure>, Failure> {
    let mut reading = Reading::new(connection, wanted.view, scope);
    reading.all(store, wanted.uses()).await?;
    Ok(Some(reading.missing.join("\n"))
        .filter(|w| !w.is_empty())
        .map(|words| Failure { code: exit::INCOMPLETE, words }))
}

/// A view on its way into a store.
pub(super) struct Reading {
    view: &'static TableView,
    scope: Option<String>,
    /// What comes after it was read.
    pub inflow: Inflow,
    /// What could not be read, in words.
    pub missing: Vec<String>,
}

impl Reading {
    pub fn new(
        connection: &Connection,
        view: &'static TableView,
        scope: Option<String>,
    ) -> Reading {
        Reading { view, scope, inflow: Inflow::new(&connection.upstream), missing: vec![] }
    }

    /// Reads what the view lives on, then, if asked, what is measured about it: a sample finds the row it is about only
    /// if that is there.
    pub async fn all(&mut self, store: &mut Store, measured: bool) -> Result<(), Failure> {
        let all = [&[self.view.table], self.view.also].concat();
        let (samples, objects): (Vec<_>, Vec<_>) = all.into_iter().partition(|id| is_lent(id));
        self.read(store, &objects).await?;
        if measured {
            self.read(store, &samples).await?;
        }
        Ok(())
    }

    async fn read(&mut self, store: &mut Store, tables: &[&str]) -> Result<(), Failure> {
        let Reading { view, scope, inflow, missing } = self;
        tables.iter().for_each(|id| inflow.open(store, id, scope.as_deref()));
        let heard =
            |store: &Store, feed, health: &Health| settle(store, view, feed, health, missing);
        inflow.settled(store, heard).await
    }
}

/// Whether a feed of containers has no rows at all, not even of what they ask for.
fn is_unread(health: &Health) -> bool {
    match health {
        Health::Denied { resource, .. } => resource == "pods",
        Health::Down { fault, .. } => fault.starts_with(containers::UNREAD),
        Health::Missing => false,
        _ => true,
    }
}

/// What a feed's end of waiting means: fatal for the view's own table, a gap for one it joins.
pub(super) fn settle(
    store: &Store,
    view: &TableView,
    id: FeedId,
    health: &Health,
    missing: &mut Vec<String>,
) -> Result<(), Failure> {
    let Some(feed) = store.feeds.iter().find(|f| f.id == id) else { return Ok(()) };
    let spec = store.table_at(feed.table).spec;
    if is_lent(spec.id) {
        // Rows are whole without what is measured; whoever asked for that says what became of it.
        return Ok(());
    }
    if is_sampled(spec.id) && !is_unread(health) {
        return Ok(());
    }
    let gvk = &spec.kinds[usize::from(feed.kind)].gvk;
    let words = match health {
        Health::Denied { verb, resource, message } => {
            let place = feed
                .namespace
                .as_ref()
                .map_or("in all namespaces".into(), |ns| format!("in namespace {ns}"));
            let place = match resource.starts_with('/') {
                true => "(nonResourceURLs)".into(),
                false if gvk.namespaced => place,
                false => "in the cluster".into(),
            };
            let hint = if gvk.namespaced && feed.namespace.is_none() {
                " With rights on one namespace, say which: -n NAME."
            } else {
                ""
            };
            format!("missing rule: {verb} {resource} {place}. The server says: {message}.{hint}")
        }
        Health::Surveyed { unread, .. } if unread.is_empty() => return Ok(()),
        Health::Surveyed { unread, .. } => {
            missing.push(unread.join("\n"));
            return Ok(());
        }
        Health::Missing => format!("the server does not know {}.{}", gvk.plural, gvk.group),
        Health::Down { fault, .. } => {
            return Err(Failure::failed(format!("{} could not be read: {fault}", gvk.plural)));
        }
        _ => return Ok(()),
    };
    // Several kinds fill some tables: one of them missing leaves a gap, not nothing.
    if spec.id == view.table && spec.kinds.len() == 1 {
        return Err(Failure::failed(words));
    }
    missing.push(words);
    Ok(())
}
