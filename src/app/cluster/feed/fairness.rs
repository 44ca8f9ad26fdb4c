//! The tables of priority and fairness: levels and schemas from their objects and the session's scrapes every 15 s, queues,
//! flows and requests from dumps, which are taken when somebody begins to look and when the operator asks.

mod dumped;
mod levels;

use super::measured::{Fill, Look, Looking, Source};
use crate::app::cluster::fairness::{EVERY, Page, Taken, all};
use crate::app::cluster::scrape::{EVERY as SCRAPES, Reading};
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::fairness::board::is_lately;
use crate::state::fairness::catch::{in_order, is_dangling};
use crate::state::fairness::metrics::{Flowing, schema_flow};
use crate::state::fairness::schema::Schema;
use crate::state::fairness::seats::Level;
use crate::state::kinds::flow_schemas;
use crate::state::metrics::{Scrape, Span};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

pub(in crate::app::cluster) use levels::planned;

/// Where the objects are.
pub const LEVELS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations";
/// Where the objects are.
pub const SCHEMAS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";

/// Which table.
#[derive(Clone, Copy, PartialEq)]
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
    /// When somebody last asked for a look; none if nobody looked since.
    asked: Option<(u64, Instant)>,
    levels: levels::Known,
}

impl Fairness {
    pub(super) fn new(of: Of) -> Fairness {
        Fairness { of, asked: None, levels: levels::Known::default() }
    }

    /// Since when a dump must be: who begins to look takes what is there.
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
                Of::Levels => self.levels.look(up, since).await,
                Of::Schemas => schemas(up).await,
                Of::Queues => dumped::in_queues(up, since).await,
                Of::Flows => dumped::by_flow(up, since).await,
                Of::Requests => dumped::each_request(up, since).await,
            }
        })
    }

    fn rest(&mut self) {
        self.asked = None;
    }

    fn is_of_the_moment(&self) -> bool {
        // Schemas are as their objects and the session's scrapes are; a look at them shows nothing else.
        self.of != Of::Schemas
    }
}

async fn take(up: &Upstream, page: Page, since: Instant) -> Result<Arc<Taken>, Fault> {
    up.dumps.take(&up.client, page, since, &*up.clock).await
}

/// The levels as they are configured.
async fn configured(up: &Upstream) -> Result<Vec<Level>, Fault> {
    Ok(all(&up.client, LEVELS).await?.iter().map(Level::of).collect())
}

/// The latest scrape, or the next if it is too old.
async fn reading(up: &Upstream) -> Result<Arc<Reading>, String> {
    let reading = up.scrapes.next(&up.client, 0).await;
    reading.map_err(|fault| {
        format!(
            "the metrics could not be read: {fault}. Seats are worked out from the shares for a server with the usual 600; what \
             waits and executes is as old as READ says, look-again takes another dump"
        )
    })
}

fn next(reading: Result<&Arc<Reading>, &String>) -> Instant {
    let age = reading.map_or(Duration::ZERO, |reading| reading.age());
    Instant::now() + SCRAPES.saturating_sub(age)
}

/// What grew lately: since the scrape before, or else since the server's start.
fn span<'a>(reading: &'a Reading, born: &'a Scrape) -> Option<Span<'a>> {
    reading.span_or_since_start(born).filter(is_lately)
}

/// What there is to say where several servers answer, as far as scrapes have told.
fn several(up: &Upstream, what: &str) -> Option<String> {
    let servers = up.scrapes.servers();
    (servers > 1).then(|| format!("{servers} API servers answer at this address: {what}"))
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
    let unread = unread.map(str::to_owned).into_iter().chain(levels);
    let unread = unread.chain(several(up, "what is counted is one server's")).collect();
    Ok(Look { rows, unread, next: next(reading.as_ref()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::demo::{DemoCluster, Deny, Failure};
    use crate::state::decl::TableSpec;
    use crate::state::kinds::{priority_levels, queues};
    use crate::state::parcel::{Draft, Parcel};
    use crate::state::store::Store;
    use crate::state::time::Epoch;

    fn upstream(demo: &DemoCluster) -> Arc<Upstream> {
        let began = Instant::now();
        Upstream::new(
            demo.client(),
            Arc::new(move || Epoch(began.elapsed().as_secs() as i64 + 1000)),
        )
    }

    /// What a look shows, as rows, and what it says is missing.
    async fn shown(
        source: &mut Fairness,
        up: &Arc<Upstream>,
        spec: &'static TableSpec,
    ) -> (Store, String) {
        let look = source.look(up).await.unwrap();
        let mut store = Store::default();
        let feed = store.open_feed(store.table_index(spec.id).unwrap(), 0, None);
        let (mut parcel, mut draft) = (Parcel::new(feed, 1, spec), Draft::default());
        for fill in look.rows {
            draft.reset(spec, 0);
            fill(&mut draft);
            draft.settle();
            parcel.push(&draft, spec);
        }
        store.apply(&parcel);
        (store, look.unread.join("\n"))
    }

    #[tokio::test(start_paused = true)]
    async fn without_metrics_the_dump_serves_as_of_its_own_time() {
        let demo = DemoCluster::today();
        demo.faults().deny(Deny::everywhere("get", "/metrics"));
        let (up, mut source) = (upstream(&demo), Fairness::new(Of::Levels));
        for _ in 0..3 {
            let (store, unread) = shown(&mut source, &up, &priority_levels::TABLE).await;
            let rows: Vec<_> = store.rows(priority_levels::TABLE.id).collect();
            assert!(
                rows.len() > 5 && rows.iter().all(|r| r.time(priority_levels::AT) == Epoch(1000))
            );
            assert!(unread.contains("as old as READ says"), "{unread}");
            tokio::time::advance(SCRAPES).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn queues_are_shown_without_whose_they_are_and_what_is_no_dump_is_told() {
        let demo = DemoCluster::today();
        let answer = |path: &str, code, body: &str| Failure {
            verb: String::new(),
            path: path.into(),
            times: 1,
            code,
            body: body.into(),
            retry_after: None,
        };
        demo.faults().fail(answer(Page::Requests.path().split('?').next().unwrap(), 500, "no"));
        let (up, mut source) = (upstream(&demo), Fairness::new(Of::Queues));
        let (store, unread) = shown(&mut source, &up, &queues::TABLE).await;
        let rows: Vec<_> = store.rows(queues::TABLE.id).collect();
        assert!(!rows.is_empty() && rows.iter().all(|r| r.text(queues::TOP).is_empty()));
        assert!(unread.contains("the dump could not be read"), "{unread}");
        demo.faults().fail(answer(Page::Queues.path(), 200, "<html>Log in</html>"));
        tokio::time::advance(EVERY).await;
        up.nudge();
        let why = source.look(&up).await.err().unwrap().to_string();
        assert!(why.contains("no heading with PriorityLevelName"), "{why}");
    }
}
