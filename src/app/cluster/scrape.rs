//! Scrapes of `/metrics`: streamed, filtered while they arrive, at most one every [`EVERY`] for all who look, and only while
//! somebody asks.
//!
//! How it is used: `upstream.scrapes.want(WANTS)` once, then `upstream.scrapes.next(&client, seen).await` as often as one
//! likes: it returns when there is a reading newer than number `seen`, and two who wait share one scrape.
//!
//! Behind one address there may be several API servers: a reading is compared only with readings of the same process
//! ([`super::bases`]).

use super::bases::Bases;
use super::raw;
use super::session::Fault;
use crate::state::metrics::{Parser, Scrape, Span, Want};
use kube::Client;
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// Time between two scrapes.
pub const EVERY: Duration = Duration::from_secs(15);
/// Rates and quantiles are over about this long, as soon as it has passed.
const WINDOW: Duration = Duration::from_secs(60);
/// Scrapes by which the processes that answer are counted: two minutes of them.
const SEEN: usize = 8;
/// A metrics page longer than this is not read to its end.
const LIMIT: u64 = 512 << 20;
/// Longest time for one page, from the request to its last byte: whoever looks waits for it.
const DEADLINE: Duration = Duration::from_secs(60);
/// Where the API server has them.
const PATH: &str = "/metrics";

/// One scrape, with what it can be compared with.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Counts readings of this session.
    pub number: u64,
    /// What was read.
    pub now: Arc<Scrape>,
    /// An earlier scrape of the same process, and the seconds between.
    pub before: Option<(Arc<Scrape>, f64)>,
    /// From the request to the last byte.
    pub took: Duration,
    /// The server's clock, seconds since 1970.
    pub date: Option<i64>,
    /// Processes that answer at this address, by the last few scrapes.
    pub servers: usize,
    /// Scrapes of this session, and the bytes of all of them.
    pub spent: (u64, u64),
    at: Instant,
    covers: usize,
}

impl Reading {
    /// What grew since the earlier scrape; `None` while there is none.
    pub fn span(&self) -> Option<Span<'_>> {
        let (before, seconds) = self.before.as_ref()?;
        Span::new(before, &self.now, *seconds).ok()
    }

    /// The same, or while there is none what grew since the start of the process, `born` being [`Scrape::born`].
    pub fn span_or_since_start<'a>(&'a self, born: &'a Scrape) -> Option<Span<'a>> {
        let before = self.before.as_ref().map(|(before, seconds)| (&**before, *seconds));
        Span::of(before, born, &self.now, self.date)
    }

    /// How long ago it was taken.
    pub fn age(&self) -> Duration {
        self.at.elapsed()
    }
}

/// The scrapes of a session.
#[derive(Default)]
pub struct Scrapes {
    wants: Mutex<Vec<Want>>,
    state: tokio::sync::Mutex<State>,
    servers: AtomicUsize,
}

struct State {
    latest: Option<Arc<Reading>>,
    /// When the last one began, whatever became of it.
    tried: Option<Instant>,
    failed: Option<(u64, Fault)>,
    number: u64,
    bytes: u64,
    bases: Bases,
    seen: VecDeque<Sighting>,
}

/// A process that answered: when it was started, and its clock then, both in seconds since 1970.
type Sighting = (f64, Option<i64>);

/// Processes that answer. One that was last seen before another was started is most likely the same server before its restart.
fn servers(seen: &VecDeque<Sighting>) -> usize {
    let last: BTreeMap<u64, &Sighting> = seen.iter().map(|one| (one.0.to_bits(), one)).collect();
    // Dates are cut to the second.
    let before =
        |date: Option<i64>, start: f64| date.is_some_and(|date| start + 1.0 >= date as f64);
    let restarted = |(started, date): &Sighting| {
        let mut others = last.values().filter(|other| other.0 > *started);
        others.any(|other| before(*date, other.0))
    };
    last.values().filter(|one| !restarted(one)).count()
}

impl Default for State {
    fn default() -> State {
        let bases = Bases::new(WINDOW, 2);
        let seen = VecDeque::new();
        State { latest: None, tried: None, failed: None, number: 0, bytes: 0, bases, seen }
    }
}

impl Scrapes {
    /// Says what is to be kept of each scrape from now on.
    pub fn want(&self, wants: &[Want]) {
        let mut all = self.wants.lock().unwrap_or_else(PoisonError::into_inner);
        for want in wants {
            match all.iter().position(|known| known.family == want.family) {
                Some(at) => all[at] = all[at].joined(want),
                None => all.push(want.clone()),
            }
        }
    }

    /// Processes that answer at this address, as far as scrapes have told; 0 before the first.
    pub fn servers(&self) -> usize {
        self.servers.load(Ordering::Relaxed)
    }

    /// A reading with a number above `seen`, as soon as one may be had.
    ///
    /// # Errors
    /// What kept it from being read. The next try waits for its turn like any other.
    pub async fn next(&self, client: &Client, seen: u64) -> Result<Arc<Reading>, Fault> {
        let mut state = self.state.lock().await;
        let wants = self.wants.lock().map(|w| w.clone()).unwrap_or_default();
        if let Some(latest) = &state.latest
            && latest.number > seen
            && latest.age() < EVERY
            && latest.covers == fingerprint(&wants)
        {
            return Ok(latest.clone());
        }
        if let Some((number, fault)) = &state.failed
            && *number > seen
            && state.tried.is_some_and(|tried| tried.elapsed() < EVERY)
        {
            return Err(fault.clone());
        }
        if let Some(tried) = state.tried {
            sleep_until(tried + EVERY).await;
        }
        let began = Instant::now();
        state.tried = Some(began);
        state.number += 1;
        match scrape(client, PATH, &wants).await {
            Ok(taken) => {
                state.failed = None;
                let reading = state.keep(taken, began, fingerprint(&wants));
                self.servers.store(reading.servers, Ordering::Relaxed);
                Ok(reading)
            }
            Err(fault) => {
                state.failed = Some((state.number, fault.clone()));
                Err(fault)
            }
        }
    }
}

/// Tells lists of wants apart.
fn fingerprint(wants: &[Want]) -> usize {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    for want in wants {
        format!("{want:?}").hash(&mut hasher);
    }
    hasher.finish() as usize
}

impl State {
    fn keep(&mut self, taken: Taken, at: Instant, covers: usize) -> Arc<Reading> {
        let now = Arc::new(taken.scrape);
        self.bytes += now.cost.bytes;
        if let Some(started) = now.started {
            self.seen.push_back((started, taken.date));
            self.seen.drain(..self.seen.len().saturating_sub(SEEN));
        }
        let before = self.bases.compare(at, &now, covers);
        let reading = Arc::new(Reading {
            number: self.number,
            now,
            before,
            took: taken.took,
            date: taken.date,
            servers: servers(&self.seen),
            spent: (self.number, self.bytes),
            at,
            covers,
        });
        self.latest = Some(reading.clone());
        reading
    }
}

/// One scrape of one page.
pub struct Taken {
    /// What was read.
    pub scrape: Scrape,
    /// From the request to the last byte.
    pub took: Duration,
    /// The server's clock, seconds since 1970.
    pub date: Option<i64>,
}

/// Reads any page of metrics (a kubelet's through the proxy, etcd's own): streamed, filtered, once, now.
///
/// # Errors
/// Whatever kept it from coming whole within a minute, a page that was cut off, and one that is no metrics at all.
pub async fn scrape(client: &Client, path: &str, wants: &[Want]) -> Result<Taken, Fault> {
    let page = page(client, path, wants, LIMIT);
    timeout(DEADLINE, page).await.map_err(|_| Fault::Timeout { after: DEADLINE })?
}

/// A page of at most so many bytes.
async fn page(client: &Client, path: &str, wants: &[Want], most: u64) -> Result<Taken, Fault> {
    let began = Instant::now();
    let mut parser = Parser::new(wants);
    let mut read = 0;
    let headers = raw::stream(client, path, |piece| {
        read += piece.len() as u64;
        if read > most {
            return ControlFlow::Break(());
        }
        parser.feed(piece);
        ControlFlow::Continue(())
    });
    let headers = headers.await?;
    let whole = parser.is_whole();
    let scrape = parser.end();
    let cost = scrape.cost;
    let foreign = |what: String| Err(Fault::Foreign(format!("GET {path} {what}")));
    if read > most {
        return foreign(format!(
            "answered more than {most} bytes, which were not read to their end"
        ));
    }
    if cost.malformed * 2 > cost.lines {
        return foreign("answered something that is no metrics page".into());
    }
    if !whole {
        return foreign(format!("was cut off after {read} bytes"));
    }
    Ok(Taken { scrape, took: began.elapsed(), date: super::session::date(&headers) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::demo::DemoCluster;

    /// A server whose page has no end: a piece each so often.
    fn endless(pause: Duration) -> Client {
        use crate::app::cluster::session::{Lock, Meter, gated};
        use futures_util::stream::unfold;
        use http_body::Frame;
        use http_body_util::StreamBody;
        let service = tower::service_fn(move |_: http::Request<kube::client::Body>| {
            let pieces = unfold(0_u64, move |i| async move {
                tokio::time::sleep(pause).await;
                let line = bytes::Bytes::from(format!("x{{i=\"{i}\"}} 1\n"));
                Some((Ok::<_, std::convert::Infallible>(Frame::data(line)), i + 1))
            });
            let answer = http::Response::new(StreamBody::new(Box::pin(pieces)));
            std::future::ready(Ok::<_, std::convert::Infallible>(answer))
        });
        gated(service, "default", Arc::new(Meter::default()), Lock::new(true))
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_without_end_is_given_up() {
        let (client, began) = (endless(Duration::from_secs(2)), Instant::now());
        let trickled = scrape(&client, PATH, &[]).await.map(|_| ());
        assert_eq!(trickled, Err(Fault::Timeout { after: DEADLINE }));
        assert_eq!(began.elapsed(), DEADLINE);
        let client = endless(Duration::from_millis(1));
        let Err(Fault::Foreign(why)) = page(&client, PATH, &[], 1000).await else { panic!() };
        assert!(why.contains("more than 1000 bytes"), "{why}");
        assert!(began.elapsed() < DEADLINE * 2, "what floods is not read to its end");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_is_given_up_lets_the_others_look() {
        let scrapes = Scrapes::default();
        let (client, demo) = (endless(Duration::from_secs(2)), DemoCluster::today().client());
        let (given_up, after) = tokio::join!(scrapes.next(&client, 0), scrapes.next(&demo, 1));
        assert!(given_up.is_err() && after.is_ok());
    }

    fn taken(started: u32, x: u32) -> Taken {
        let mut parser = Parser::new(&[Want::total("x")]);
        parser.feed(format!("process_start_time_seconds {started}\nx {x}\n").as_bytes());
        Taken { scrape: parser.end(), took: Duration::ZERO, date: None }
    }

    #[test]
    fn a_server_that_was_restarted_is_not_counted_twice() {
        let count = |seen: &[(f64, Option<i64>)]| servers(&seen.iter().copied().collect());
        assert_eq!(count(&[]), 0);
        // One that is restarted, and again.
        assert_eq!(count(&[(100.5, Some(200)), (230.0, Some(240))]), 1);
        assert_eq!(count(&[(100.5, Some(200)), (230.0, Some(240)), (250.0, Some(260))]), 1);
        // Two that run for long, and a third that is started beside them.
        assert_eq!(count(&[(100.5, Some(1000)), (700.0, Some(1015))]), 2);
        let three = [(700.0, Some(1015)), (1020.0, Some(1030)), (700.0, Some(1045))];
        assert_eq!(count(&three), 2);
        // Without their clocks nobody can tell.
        assert_eq!(count(&[(100.5, None), (230.0, None)]), 2);
        // What answers no more is forgotten.
        let mut state = State::default();
        let began = Instant::now();
        state.keep(taken(100, 0), began, 0);
        for _ in 0..SEEN {
            state.keep(taken(200, 0), began, 0);
        }
        assert_eq!(state.keep(taken(200, 0), began, 0).servers, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_look_share_one_scrape_every_15_seconds() {
        let demo = DemoCluster::today();
        let (client, scrapes) = (demo.client(), Scrapes::default());
        scrapes.want(&[Want::total("apiserver_request_total")]);
        let began = Instant::now();
        let first = scrapes.next(&client, 0).await.unwrap();
        let same = scrapes.next(&client, 0).await.unwrap();
        assert_eq!((first.number, same.number, began.elapsed() < EVERY), (1, 1, true));
        let (a, b) = tokio::join!(scrapes.next(&client, 1), scrapes.next(&client, 1));
        assert_eq!((a.unwrap().number, b.unwrap().number), (2, 2));
        assert!(began.elapsed() >= EVERY && began.elapsed() < EVERY * 2);
        // Who wants more gets it with the next one, and not before its time.
        scrapes.want(&[Want::by("apiserver_resource_objects", &["resource"])]);
        let more = scrapes.next(&client, 0).await.unwrap();
        assert!(more.now.has("apiserver_resource_objects") && began.elapsed() >= EVERY * 2);
        // What was not kept before did not begin at zero meanwhile.
        assert!(more.before.is_none(), "it cannot be compared with a reading of fewer families");
        let next = scrapes.next(&client, more.number).await.unwrap();
        assert!(next.before.is_some());
    }
}
