//! The board of levels: their objects, the session's scrapes, and dumps for what scrapes do not tell.

use super::{configured, next, reading, several, span, take};
use crate::app::cluster::fairness::{EVERY, Page, Taken, words};
use crate::app::cluster::feed::measured::{Fill, Look};
use crate::app::cluster::scrape::Reading;
use crate::app::cluster::session::Fault;
use crate::app::cluster::upstream::Upstream;
use crate::state::fairness::board::{Line, Sources, lines};
use crate::state::fairness::dump::{LevelNow, RequestNow};
use crate::state::fairness::metrics::level;
use crate::state::fairness::seats::Level;
use crate::state::health::Health;
use crate::state::kinds::priority_levels;
use crate::state::metrics::{Histories, History};
use crate::state::parcel::{Draft, Parcel};
use crate::state::store::Store;
use crate::state::time::Epoch;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A dump is of this moment for so long.
const FRESH: Duration = Duration::from_secs(3);
/// A scrape that is older than a dump by more than this is of another moment.
const APART: Duration = Duration::from_secs(1);
/// Whose requests wait is asked again after this, as long as any wait.
const RENEW: Duration = Duration::from_secs(60);

/// What is known from one look to the next.
#[derive(Default)]
pub(super) struct Known {
    who: Who,
    trends: Trends,
}

/// The dump of requests that verdicts name flows from.
#[derive(Default)]
struct Who {
    tried: Option<Instant>,
    /// Levels that waited when it was taken, whether it tells of them or not: the dump may be another server's.
    answered: BTreeSet<String>,
}

impl Who {
    /// Since when the dump must be that names whose requests wait in these levels: since somebody asked; or since now, if a level
    /// has begun to wait after the last one was taken, or that one is old.
    fn since(&mut self, waiting: &BTreeSet<String>, asked: Instant) -> Instant {
        self.answered.retain(|level| waiting.contains(level));
        let age = self.tried.map_or(Duration::ZERO, |tried| tried.elapsed());
        let is_due = age >= RENEW || age >= EVERY && !waiting.is_subset(&self.answered);
        let since = if is_due { Instant::now() } else { asked };
        if self.tried.is_none_or(|tried| tried < since) {
            self.tried = Some(Instant::now());
            self.answered.clone_from(waiting);
        }
        since
    }
}

/// What waited and executed in each level, by the process that said so: servers are never mixed.
#[derive(Default)]
struct Trends {
    of: Histories,
    reading: Option<u64>,
    dump: Option<Epoch>,
}

impl Trends {
    /// Takes in what was read, unless it was taken in already, and tells the process's history.
    fn note(
        &mut self,
        reading: Option<&Reading>,
        dump: Option<Epoch>,
        at: Epoch,
        lines: &[Line],
    ) -> &History {
        let number = reading.map(|r| r.number);
        let is_new = match dump {
            Some(_) => dump != self.dump,
            None => number != self.reading || number.is_none(),
        };
        self.dump = dump.or(self.dump);
        self.reading = number.or(self.reading);
        let history = self.of.of(reading.and_then(|r| r.now.started));
        if is_new {
            history.push(at, lines.iter().map(|line| (&*line.level.name, busy(line))));
        }
        history
    }
}

fn busy(line: &Line) -> Option<f64> {
    let (waiting, executing) = (line.now.waiting, line.now.executing);
    waiting.or(executing)?;
    Some(waiting.unwrap_or(0) as f64 + executing.unwrap_or(0) as f64)
}

/// Levels in which requests wait, by what serves for the numbers and by the metrics.
fn waiting(levels: &[Level], rows: &[LevelNow], page: Option<&Reading>) -> BTreeSet<String> {
    let waits = |n: Option<i64>| n.is_some_and(|n| n > 0);
    let dumped = rows.iter().filter(|now| waits(now.waiting)).map(|now| now.name.clone());
    let counted =
        levels.iter().filter(|l| page.is_some_and(|r| waits(level(&l.name, &r.now).waiting)));
    dumped.chain(counted.map(|l| l.name.clone())).collect()
}

impl Known {
    pub(super) async fn look(&mut self, up: &Arc<Upstream>, since: Instant) -> Result<Look, Fault> {
        let levels = configured(up).await?;
        let (reading, dumped) = tokio::join!(reading(up), take(up, Page::Levels, since));
        let page = reading.as_deref().ok();
        // Of several servers behind one address the dump may be another's.
        let alone = page.is_none_or(|page| page.servers <= 1);
        let serves = dumped.as_ref().ok();
        let serves = serves.filter(|taken| page.is_none() || taken.age() < FRESH && alone);
        let rows = serves.map(|taken| taken.dump.levels());
        // Only a level that queues needs the second dump.
        let waiting = waiting(&levels, rows.as_deref().unwrap_or_default(), page);
        let requests = match waiting.is_empty() || dumped.is_err() {
            true => None,
            false => Some(take(up, Page::Requests, self.who.since(&waiting, since)).await),
        };
        let told = requests.as_ref().and_then(|requests| requests.as_ref().ok());
        let said: Vec<RequestNow> = told.map(|taken| taken.dump.requests()).unwrap_or_default();
        let born = page.map(|page| page.now.born()).unwrap_or_default();
        let lines = lines(&Sources {
            levels: &levels,
            dump: rows.as_deref(),
            is_page_older: serves
                .zip(page)
                .is_some_and(|(dump, page)| page.age() > dump.age() + APART),
            requests: &said,
            requests_age: told.map_or(0, |taken| taken.age().as_secs() as i64),
            page: page.map(|page| &*page.now),
            span: page.and_then(|page| span(page, &born)),
        });
        let at = moment(up, serves, page);
        let history = self.trends.note(page, serves.map(|taken| taken.at), at, &lines);
        let trends: Vec<_> = lines.iter().map(|line| history.heights(&line.level.name)).collect();
        let mut unread = doubts(&dumped);
        unread.extend(requests.iter().flat_map(doubts));
        unread.extend(reading.as_ref().err().cloned());
        unread.extend(several(
            up,
            "each look is one server's, the dump of requests may be another's",
        ));
        let rows = lines.into_iter().zip(trends).enumerate();
        let rows = rows.map(|(place, (line, trend))| fill(line, place, at, trend));
        Ok(Look { rows: rows.collect(), unread, next: next(reading.as_ref()) })
    }
}

fn fill(line: Line, place: usize, at: Epoch, trend: [u32; 12]) -> Fill {
    Box::new(move |draft| priority_levels::fill(draft, &line, place, at, trend))
}

/// What there is to say of a dump: why it is not there, or what in it is in doubt.
fn doubts(dump: &Result<Arc<Taken>, Fault>) -> Vec<String> {
    match dump {
        Ok(taken) => taken.dump.doubts(),
        Err(fault) => vec![words(fault)],
    }
}

/// When it was so: the dump's time where it serves, or else the scrape's.
fn moment(up: &Upstream, dump: Option<&Arc<Taken>>, page: Option<&Reading>) -> Epoch {
    let now = (up.clock)();
    match (dump, page) {
        (Some(taken), _) => taken.at,
        (None, Some(page)) => Epoch(now.0 - page.age().as_secs() as i64),
        (None, None) => now,
    }
}

/// Fills the table of levels for a plan: their objects and the session's scrape, without a dump, since a plan needs nothing that
/// only dumps tell.
pub(in crate::app::cluster) async fn planned(up: &Arc<Upstream>, store: &mut Store) {
    let spec = &priority_levels::TABLE;
    let Some(table) = store.table_index(spec.id) else { return };
    let feed = store.open_feed(table, 0, None);
    let levels = match configured(up).await {
        Ok(levels) => levels,
        Err(fault) => {
            let health = Health::Down { fault: fault.to_string(), retry: (up.clock)() };
            store.set_health(feed, health);
            return;
        }
    };
    let reading = reading(up).await;
    let page = reading.as_deref().ok();
    let lines = lines(&Sources {
        levels: &levels,
        page: page.map(|page| &*page.now),
        ..Sources::default()
    });
    let (at, mut draft, mut parcel) =
        (moment(up, None, page), Draft::default(), Parcel::new(feed, 1, spec));
    for (place, line) in lines.into_iter().enumerate() {
        draft.reset(spec, 0);
        fill(line, place, at, [0; 12])(&mut draft);
        draft.settle();
        parcel.push(&draft, spec);
    }
    parcel.sweep = true;
    store.apply(&parcel);
    store.set_health(feed, Health::Surveyed { at, unread: reading.err().into_iter().collect() });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whose_requests_wait_is_asked_again_when_that_has_changed() {
        let (mut who, opened) = (Who::default(), Instant::now());
        let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
        let mut due = |seconds: u64, names: &[&str], asked: Instant| {
            let at = opened + Duration::from_secs(seconds);
            let taken = who.tried;
            (who.since(&set(names), asked), who.tried != taken, at == Instant::now())
        };
        let pass = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        // The first look takes what serves whoever opens the table.
        assert_eq!(due(0, &["low"], opened), (opened, true, true));
        pass(5).await;
        // Another level waits, but 10 s have not passed.
        assert_eq!(due(5, &["low", "high"], opened), (opened, false, true));
        pass(10).await;
        assert_eq!(due(15, &["low", "high"], opened), (Instant::now(), true, true));
        pass(15).await;
        // Nothing new, also where that dump, of another server, tells nothing of them.
        assert_eq!(due(30, &["low", "high"], opened), (opened, false, true));
        pass(15).await;
        assert_eq!(due(45, &["low"], opened), (opened, false, true));
        pass(15).await;
        // It stopped and waits again.
        assert_eq!(due(60, &["low", "high"], opened), (Instant::now(), true, true));
        pass(60).await;
        assert_eq!(due(120, &["low", "high"], opened), (Instant::now(), true, true));
        pass(15).await;
        // The operator asks.
        let pressed = Instant::now();
        assert_eq!(due(135, &["low", "high"], pressed), (pressed, true, true));
    }

    #[test]
    fn a_dump_that_was_seen_already_is_no_news() {
        let line = |waiting| {
            let levels = [Level { name: "low".into(), ..Level::default() }];
            let now =
                [LevelNow { name: "low".into(), waiting: Some(waiting), ..LevelNow::default() }];
            lines(&Sources { levels: &levels, dump: Some(&now), ..Sources::default() })
        };
        let mut trends = Trends::default();
        let mut note = |dump, waiting| {
            let history = trends.note(None, Some(Epoch(dump)), Epoch(dump), &line(waiting));
            history.points("low").collect::<Vec<_>>()
        };
        let one = [(Epoch(100), Some(4.0))];
        assert_eq!(note(100, 4), one);
        assert_eq!(note(100, 4), one);
        assert_eq!(note(110, 2), [one[0], (Epoch(110), Some(2.0))]);
    }
}
