//! `wheelhouse health`: the health board without a screen, for people, scripts and probes.

use super::format::{Format, format, json_line, object};
use super::print::{PrintArgs, Wanted, check, ordered, settle};
use super::{Common, Failure, exit, is_read};
use crate::app::cluster::inflow::Inflow;
use crate::app::cluster::mailbox::Delivery;
use crate::app::cluster::upstream::Upstream;
use crate::app::connect::Connection;
use crate::state::health::Health;
use crate::state::kinds::health::{PART, TABLE, VERDICT, WHY};
use crate::state::query::Query;
use crate::state::row::Row;
use crate::state::rules::health::NOT_YET;
use crate::state::store::Store;
use crate::state::text::clean;
use crate::state::time::Epoch;
use clap::Args;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest that any part may take, 30 s, and the pace in which it is told.
const PATIENCE: Duration = Duration::from_secs(31);

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
    let missing = look(&connection.upstream, &mut store, &wanted).await?;
    let now = connection.now();
    let text = format(&ordered(&store, &wanted, now), &wanted.columns, args.output, now);
    Ok((text, not_well(&store).or(missing)))
}

/// Reads the board until every part was heard of, or had all the time it has; what could not be read.
async fn look(
    upstream: &Arc<Upstream>,
    store: &mut Store,
    wanted: &Wanted,
) -> Result<Option<Failure>, Failure> {
    let mut inflow = Inflow::new(upstream);
    inflow.open(store, TABLE.id, None);
    let (until, mut missing, mut whole) = (Instant::now() + PATIENCE, vec![], false);
    while !whole {
        let Ok(news) = timeout_at(until, inflow.news()).await else { break };
        for delivery in news {
            match delivery {
                Delivery::Rows(parcel) => drop(store.apply(&parcel)),
                Delivery::Health(feed, health) => {
                    // What is missing from the last look, whatever is heard of the server meanwhile.
                    if matches!(health, Health::Surveyed { .. }) {
                        (missing, whole) = (vec![], is_whole(store));
                    }
                    settle(store, wanted.view, feed, &health, &mut missing)?;
                    store.set_health(feed, health);
                }
            }
        }
    }
    let words = missing.join("\n");
    Ok((!words.is_empty()).then_some(Failure { code: exit::INCOMPLETE, words }))
}

/// Whether something was heard of every part.
fn is_whole(store: &Store) -> bool {
    !store.rows(TABLE.id).any(|row| row.text(PART) == "reading" && row.text(WHY) == NOT_YET)
}

/// What is not well, whatever the filter shows: names first, so that a log of exit codes says which. What could not be read is
/// not known to be unwell, but for the checks of the API server itself: silence about those is bad news.
fn not_well(store: &Store) -> Option<Failure> {
    let is_told =
        |row: &Row<'_>| row.text(PART) != "reading" || matches!(&*row.name(), "readyz" | "livez");
    let ill = |row: &Row<'_>| matches!(row.text(VERDICT), "bad" | "warn") && is_told(row);
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
    let mut told = Told::default();
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
        if !whole {
            continue;
        }
        let now = connection.now();
        let text = told.changes(&store, wanted, output, now);
        if !is_read(out.write_all(text.as_bytes()).and_then(|()| out.flush()))? {
            return Ok(());
        }
    }
}

/// What was told of each row, by part and name: its verdict, and whether the filter let it through.
#[derive(Default)]
struct Told(BTreeMap<(String, String), (String, bool)>);

impl Told {
    /// A line for each verdict that is another than it was, if the filter lets the row through as it is or as it was; of the
    /// first look, for what is not well. What is gone and was not well is told once and forgotten.
    fn changes(&mut self, store: &Store, wanted: &Wanted, output: Format, now: Epoch) -> String {
        let key = |row: &Row<'_>| (row.text(PART).to_owned(), row.name().to_string());
        let matched: BTreeSet<_> = ordered(store, wanted, now).iter().map(key).collect();
        let (mut text, mut seen) = (String::new(), BTreeMap::new());
        let all = Wanted { filter: Query::default(), columns: wanted.columns.clone(), ..*wanted };
        for row in ordered(store, &all, now) {
            let (key, verdict) = (key(&row), row.text(VERDICT).to_owned());
            let matches = matched.contains(&key);
            let (was, matched) = self.0.get(&key).map_or(("ok", false), |(v, m)| (v.as_str(), *m));
            if was != verdict && (matches || matched) {
                text += &match output {
                    Format::Json => json_line(&object(row, &wanted.columns, now)),
                    _ => line(&verdict, &key, row.text(WHY), now),
                };
            }
            seen.insert(key, (verdict, matches));
        }
        let told = std::mem::replace(&mut self.0, seen);
        for (key, (was, matched)) in told {
            if matched && was != "ok" && !self.0.contains_key(&key) {
                text += &gone(&key, &was, wanted, output, now);
            }
        }
        text
    }
}

fn line(verdict: &str, (part, name): &(String, String), why: &str, now: Epoch) -> String {
    let line = format!("{} {verdict:<7} {part} {name}: {why}", now.rfc3339());
    format!("{}\n", clean(&line))
}

/// A row that is no longer there, in the shape of those that are.
fn gone(key: &(String, String), was: &str, wanted: &Wanted, output: Format, now: Epoch) -> String {
    let why = format!("no longer on the board; it was {was}");
    if output != Format::Json {
        return line("gone", key, &why, now);
    }
    let cell = |id: &str| match id {
        "verdict" => "gone".into(),
        "part" => key.0.as_str().into(),
        "name" => key.1.as_str().into(),
        "why" => why.as_str().into(),
        _ => Value::Null,
    };
    let cells = wanted.columns.iter().map(|column| (column.id.to_owned(), cell(column.id)));
    json_line(&Value::Object(cells.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cluster::session::{Lock, Meter, gated};
    use crate::app::cluster::upstream::system_clock;
    use crate::state::health::FeedId;
    use crate::state::kinds::health::fill;
    use crate::state::parcel::{Draft, Parcel};
    use crate::state::rules::health::{Line, Verdict};
    use http::{Request, Response};
    use kube::client::Body;

    /// A board of rows, looked at again and again.
    struct Looks(Store, FeedId, u8);

    impl Looks {
        fn new() -> Looks {
            let mut store = Store::default();
            let table = store.table_index(TABLE.id).unwrap();
            let feed = store.open_feed(table, 0, None);
            Looks(store, feed, 0)
        }

        fn put(&mut self, rows: &[(&'static str, &str, Verdict)]) -> &Store {
            let Looks(store, feed, generation) = self;
            *generation += 1;
            let (mut parcel, mut draft) =
                (Parcel::new(*feed, *generation, &TABLE), Draft::default());
            for (place, (part, name, verdict)) in rows.iter().enumerate() {
                let (why, at) = ("so it is".to_owned(), Epoch(1));
                let line = Line { part, name: (*name).to_owned(), verdict: *verdict, why, at };
                draft.reset(&TABLE, 0);
                fill(&mut draft, &line, place);
                draft.settle();
                parcel.push(&draft, &TABLE);
            }
            parcel.sweep = true;
            store.apply(&parcel);
            store
        }
    }

    fn wanted(filter: &str) -> Wanted {
        check(&PrintArgs {
            view: TABLE.id.to_owned(),
            output: Format::Json,
            filter: filter.to_owned(),
            sort: None,
            columns: vec![],
            watch: false,
            count: false,
        })
        .unwrap()
    }

    /// Verdicts and names of the lines of a look.
    fn lines(text: &str) -> Vec<(String, String)> {
        let object = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let text_of = |v: &Value| v.as_str().unwrap().to_owned();
        text.lines().map(object).map(|o| (text_of(&o["verdict"]), text_of(&o["name"]))).collect()
    }

    #[test]
    fn a_filter_on_what_is_not_well_lets_recoveries_and_ends_through() {
        let (mut looks, wanted, mut told) = (Looks::new(), wanted("!verdict:ok"), Told::default());
        let mut look = |rows: &[(&'static str, &str, Verdict)], output| {
            told.changes(looks.put(rows), &wanted, output, Epoch(9))
        };
        let pair = |verdict: &str, name: &str| (verdict.to_owned(), name.to_owned());
        let (bad, ok) = (Verdict::Bad, Verdict::Ok);
        let first = look(&[("api", "a", bad), ("api", "b", bad), ("api", "c", ok)], Format::Json);
        assert_eq!(lines(&first), [pair("bad", "a"), pair("bad", "b")]);
        let second = look(&[("api", "a", ok), ("api", "c", ok)], Format::Json);
        assert_eq!(lines(&second), [pair("ok", "a"), pair("gone", "b")]);
        let gone: Value = serde_json::from_str(second.lines().last().unwrap()).unwrap();
        assert_eq!((&gone["part"], &gone["uid"]), (&"api".into(), &Value::Null), "{gone}");
        assert!(gone["why"].as_str().unwrap().contains("it was bad"));
        assert_eq!(look(&[("api", "a", ok), ("api", "c", ok)], Format::Json), "", "told once");
        let third = look(&[("api", "c", bad)], Format::Table);
        assert_eq!(
            third, "1970-01-01T00:00:09Z bad     api c: so it is\n",
            "what was well goes unsaid"
        );
    }

    #[test]
    fn other_rows_than_those_asked_for_are_never_told() {
        let (mut looks, wanted, mut told) = (Looks::new(), wanted("part:=api"), Told::default());
        let rows = [("api", "a", Verdict::Bad), ("node", "n", Verdict::Bad)];
        assert_eq!(
            lines(&told.changes(looks.put(&rows), &wanted, Format::Json, Epoch(9))).len(),
            1
        );
        let gone = told.changes(looks.put(&[]), &wanted, Format::Json, Epoch(9));
        assert_eq!(lines(&gone), [("gone".to_owned(), "a".to_owned())]);
    }

    #[test]
    fn what_could_not_be_read_is_no_alarm_but_the_silence_of_the_server_is() {
        let mut looks = Looks::new();
        let warn = Verdict::Warn;
        assert!(
            not_well(looks.put(&[("reading", "nodes", warn), ("api", "(all)", warn)])).is_none()
        );
        let ill =
            not_well(looks.put(&[("reading", "nodes", warn), ("reading", "readyz", Verdict::Bad)]));
        let ill = ill.unwrap();
        assert_eq!((ill.code, ill.words.as_str()), (exit::FAILED, "1 not well: reading readyz"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_is_slow_is_waited_for_and_one_that_hangs_is_not() {
        let inner = tower::service_fn(|request: Request<Body>| async move {
            let (status, body) = match request.uri().path() {
                "/api/v1/nodes" => {
                    tokio::time::sleep(Duration::from_secs(12)).await;
                    (
                        200,
                        r#"{"kind":"NodeList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#,
                    )
                }
                "/version" => std::future::pending().await,
                _ => (404, "{}"),
            };
            let body = Body::from(body.as_bytes().to_vec());
            let response = Response::builder().status(status);
            let response = response.header("content-type", "application/json").body(body);
            Ok::<_, std::io::Error>(response.unwrap())
        });
        let client = gated(inner, "default", Arc::new(Meter::default()), Lock::new(true));
        let up = Upstream::new(client, system_clock());
        let (mut store, began) = (Store::default(), Instant::now());
        let missing = look(&up, &mut store, &wanted("")).await.unwrap().unwrap();
        assert!(began.elapsed() <= PATIENCE, "{:?}", began.elapsed());
        let row = |name: &str| store.rows(TABLE.id).find(|row| row.name() == name);
        assert_eq!(row("(all)").unwrap().text(PART), "node", "12 s are within its limit");
        assert_eq!((missing.code, missing.words.contains("version: ")), (exit::INCOMPLETE, true));
        assert!(!missing.words.contains("nodes: "), "{}", missing.words);
    }
}
