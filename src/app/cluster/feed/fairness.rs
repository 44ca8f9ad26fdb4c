//! The tables of priority and fairness: levels and schemas from their objects and the session's scrapes every 15 s, queues,
//! flows and requests from dumps, which are taken on opening and when the operator asks.

use super::measured::{Fill, Look, Looking, Source};
use crate::app::cluster::fairness::{EVERY, Page, Taken, all, words};
use crate::app::cluster::scrape::{EVERY as SCRAPES, Reading};
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::fairness::board::{Sources, flow, lines, user};
use crate::state::fairness::catch::{in_order, is_dangling};
use crate::state::fairness::dump::{Group, RequestNow, grouped};
use crate::state::fairness::metrics::{Flowing, level, schema_flow};
use crate::state::fairness::schema::Schema;
use crate::state::fairness::seats::Level;
use crate::state::kinds::{flow_schemas, flows, priority_levels, queues, requests};
use crate::state::metrics::{History, Span};
use crate::state::time::Epoch;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Where the objects are.
pub const LEVELS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations";
/// Where the objects are.
pub const SCHEMAS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
/// A dump is of this moment for so long.
const FRESH: Duration = Duration::from_secs(3);
/// What is looked at only when asked for is not looked at by itself.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Which table.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Levels,
    Schemas,
    Queues,
    Flows,
    Requests,
}

/// A table of priority and fairness.
pub(super) struct Fairness {
    of: Of,
    /// When somebody last asked for a look.
    asked: Option<(u64, Instant)>,
    history: History,
}

impl Fairness {
    pub(super) fn new(of: Of) -> Fairness {
        Fairness { of, asked: None, history: History::default() }
    }

    /// Since when a dump must be: who opens the table takes what is there.
    fn since(&mut self, up: &Upstream) -> Instant {
        let (number, at) = up.nudged();
        let now = Instant::now();
        let since = match self.asked {
            None => now.checked_sub(EVERY).unwrap_or(now),
            Some((seen, _)) if seen != number => at.unwrap_or(now),
            Some((_, since)) => since,
        };
        self.asked = Some((number, since));
        since
    }
}

impl Source for Fairness {
    fn look<'a>(&'a mut self, up: &'a Arc<Upstream>) -> Looking<'a> {
        Box::pin(async move {
            let since = self.since(up);
            match self.of {
                Of::Levels => self.levels(up, since).await,
                Of::Schemas => schemas(up).await,
                Of::Queues => in_queues(up, since).await,
                Of::Flows => by_flow(up, since).await,
                Of::Requests => each_request(up, since).await,
            }
        })
    }
}

async fn take(up: &Upstream, page: Page, since: Instant) -> Result<Arc<Taken>, Fault> {
    up.dumps.take(&up.client, page, since, &*up.clock).await
}

/// The latest scrape, or the next if it is too old.
async fn reading(up: &Upstream) -> Result<Arc<Reading>, String> {
    let reading = up.scrapes.next(&up.client, 0).await;
    reading.map_err(|fault| {
        format!(
            "the metrics could not be read: {fault}. Seats are worked out from the shares for a server with the usual 600"
        )
    })
}

fn next(reading: Result<&Arc<Reading>, &String>) -> Instant {
    let age = reading.map_or(Duration::ZERO, |reading| reading.age());
    Instant::now() + SCRAPES.saturating_sub(age)
}

/// What grew since the scrape before, or else since the server's start.
fn span<'a>(reading: &'a Reading, born: &'a crate::state::metrics::Scrape) -> Option<Span<'a>> {
    reading.span_or_since_start(born)
}

impl Fairness {
    async fn levels(&mut self, up: &Arc<Upstream>, since: Instant) -> Result<Look, Fault> {
        let levels: Vec<Level> = all(&up.client, LEVELS).await?.iter().map(Level::of).collect();
        let (reading, dumped) = tokio::join!(reading(up), take(up, Page::Levels, since));
        let page = reading.as_ref().ok().map(|reading| &reading.now);
        let waits = |n: Option<i64>| n.is_some_and(|n| n > 0);
        let fresh = dumped.as_ref().ok().filter(|taken| taken.age() < FRESH);
        let rows = fresh.map(|taken| taken.dump.levels());
        // Only a level that queues needs the second dump.
        let queueing = rows.iter().flatten().any(|now| waits(now.waiting))
            || page.is_some_and(|page| levels.iter().any(|l| waits(level(&l.name, page).waiting)));
        let requests = match (queueing, &dumped) {
            (true, Ok(_)) => Some(take(up, Page::Requests, since).await),
            _ => None,
        };
        let (told, age) = match &requests {
            Some(Ok(taken)) => (taken.dump.requests(), taken.age().as_secs() as i64),
            _ => (vec![], 0),
        };
        // Of several servers behind one address the dump may be another's.
        let alone = reading.as_ref().map_or(true, |reading| reading.servers <= 1);
        let old = dumped.as_ref().ok().filter(|_| page.is_none()).map(|t| t.dump.levels());
        let dump = rows.filter(|_| alone || page.is_none()).or(old);
        let born = page.map(|page| page.born()).unwrap_or_default();
        let span = reading.as_ref().ok().and_then(|reading| span(reading, &born));
        let over = ((up.clock)(), span.map_or(0.0, |span| span.seconds));
        let lines = lines(&Sources {
            levels: &levels,
            dump: dump.as_deref(),
            requests: &told,
            requests_age: age,
            page: page.map(|page| &**page),
            span,
        });
        let busy = |line: &crate::state::fairness::board::Line| {
            let (a, b) = (line.now.waiting, line.now.executing);
            a.or(b).map(|_| (a.unwrap_or(0) + b.unwrap_or(0)) as f64)
        };
        self.history.push(over.0, lines.iter().map(|line| (&*line.level.name, busy(line))));
        let mut unread = vec![];
        unread.extend(dumped.as_ref().err().map(words));
        unread.extend(requests.iter().filter_map(|r| r.as_ref().err().map(words)));
        unread.extend(reading.as_ref().err().cloned());
        if let Ok(reading) = &reading
            && reading.servers > 1
        {
            unread.push(format!(
                "{} API servers answer at this address: each look is one server's, the dump of requests may be another's",
                reading.servers
            ));
        }
        let trends: Vec<_> =
            lines.iter().map(|line| self.history.heights(&line.level.name)).collect();
        let rows = lines.into_iter().zip(trends).enumerate();
        let rows = rows.map(|(place, (line, trend))| -> Fill {
            Box::new(move |draft| priority_levels::fill(draft, &line, place, over, trend))
        });
        Ok(Look { rows: rows.collect(), unread, next: next(reading.as_ref()) })
    }
}

async fn schemas(up: &Arc<Upstream>) -> Result<Look, Fault> {
    let (schemas, levels) = tokio::join!(all(&up.client, SCHEMAS), all(&up.client, LEVELS));
    let schemas: Vec<Schema> = schemas?.iter().map(Schema::of).collect();
    let levels = levels.map(|levels| levels.iter().map(|l| Level::of(l).name).collect::<Vec<_>>());
    let reading = reading(up).await;
    let born = reading.as_ref().ok().map(|reading| reading.now.born()).unwrap_or_default();
    let span = reading.as_ref().ok().and_then(|reading| span(reading, &born));
    let at = (up.clock)();
    let fill = |(place, schema): (usize, &Schema)| -> Fill {
        let counted = match &reading {
            Ok(reading) => schema_flow(&schema.name, &reading.now, span.as_ref()),
            Err(_) => (Flowing::default(), None, None),
        };
        let dangling = levels.as_ref().is_ok_and(|levels| is_dangling(schema, levels));
        let schema = schema.clone();
        Box::new(move |draft| {
            flow_schemas::fill(draft, &schema, place, dangling, &counted, at);
        })
    };
    let rows = in_order(&schemas).into_iter().enumerate().map(fill).collect();
    // The rules are whole without what is counted.
    let unread = reading.as_ref().err().map(|why| why.split(". Seats").next().unwrap_or(why));
    let levels = levels
        .as_ref()
        .err()
        .map(|fault| format!("levels could not be read, so what dangles is not told: {fault}"));
    let unread = unread.map(str::to_owned).into_iter().chain(levels).collect();
    Ok(Look { rows, unread, next: next(reading.as_ref()) })
}

/// A dump that is right only as of its time: it is not taken again by itself.
fn once(rows: Vec<Fill>, odd: usize) -> Look {
    let unread = (odd > 0).then(|| format!("{odd} lines of the dump could not be read"));
    Look { rows, unread: unread.into_iter().collect(), next: Instant::now() + NEVER }
}

async fn in_queues(up: &Arc<Upstream>, since: Instant) -> Result<Look, Fault> {
    let (taken, asked) =
        tokio::try_join!(take(up, Page::Queues, since), take(up, Page::Requests, since))?;
    // What a queue can hold is a help, no need.
    let levels = all(&up.client, LEVELS).await.unwrap_or_default();
    let lengths: HashMap<String, i64> = levels
        .iter()
        .map(Level::of)
        .filter_map(|level| Some((level.name, level.queues?.1)))
        .collect();
    let mut queues = taken.dump.queues();
    queues.retain(|q| q.waiting.unwrap_or(0) + q.executing.unwrap_or(0) > 0);
    let requests = asked.dump.requests();
    let at = taken.at;
    let rows = queues.into_iter().map(|queue| -> Fill {
        let inside = |r: &&RequestNow| r.level == queue.level && r.queue == queue.index;
        let inside: Vec<RequestNow> = requests.iter().filter(inside).cloned().collect();
        let top = grouped(&inside, user).into_iter().next().map(|g| g.name).unwrap_or_default();
        let length = lengths.get(&queue.level).copied();
        Box::new(move |draft| queues::fill(draft, &queue, length, &top, at))
    });
    Ok(once(rows.collect(), taken.dump.odd))
}

async fn by_flow(up: &Arc<Upstream>, since: Instant) -> Result<Look, Fault> {
    let taken = take(up, Page::Requests, since).await?;
    let requests = taken.dump.requests();
    let (all, at) = (requests.len(), taken.at);
    let of = |by: &'static str, name: fn(&RequestNow) -> String| {
        let groups = grouped(&requests, name).into_iter();
        let one = |g: &Group| requests.iter().find(|r| name(r) == g.name).cloned();
        groups.map(|g| (by, one(&g).unwrap_or_default(), g)).collect::<Vec<_>>()
    };
    let groups = [of("user", user), of("flow", flow)].concat();
    let rows = groups.into_iter().enumerate().map(|(place, (by, one, group))| -> Fill {
        Box::new(move |draft| flows::fill(draft, (by, &group), place, all, &one, at))
    });
    Ok(once(rows.collect(), taken.dump.odd))
}

async fn each_request(up: &Arc<Upstream>, since: Instant) -> Result<Look, Fault> {
    let taken = take(up, Page::Requests, since).await?;
    let (mut requests, at) = (taken.dump.requests(), taken.at);
    requests.sort_by_key(|r| (!r.waiting, r.arrived.map_or(i64::MAX, |at: Epoch| at.0)));
    let rows = requests.into_iter().enumerate().map(|(place, request)| -> Fill {
        Box::new(move |draft| requests::fill(draft, &request, place, at))
    });
    Ok(once(rows.collect(), taken.dump.odd))
}
