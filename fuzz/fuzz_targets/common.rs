//! Reading whatever bytes as a list or a watch, in chunks whose size the bytes choose, down to applied rows.
#![allow(dead_code)]

use std::sync::LazyLock;
use wheelhouse::app::cluster::decode::{
    Bookmark, Encoding, ListReader, Malformed, Plan, Verb, WatchReader, status,
};
use wheelhouse::state::fairness::dump::{Dump, grouped};
use wheelhouse::state::health::FeedId;
use wheelhouse::state::kinds::{apiserver, pods};
use wheelhouse::state::metrics::apiserver::limits::Limits;
use wheelhouse::state::metrics::apiserver::{Facts, board, names};
use wheelhouse::state::metrics::scrape::BUDGET;
use wheelhouse::state::metrics::{Parser, Span, Value, Want};
use wheelhouse::state::parcel::{Draft, Parcel};
use wheelhouse::state::store::Store;
use wheelhouse::state::time::Epoch;

static PLAN: LazyLock<Plan> = LazyLock::new(|| Plan::new(&pods::TABLE, 0));

/// Bytes that rows may take per byte read: each part of an object costs a fixed note while it is read.
const BLOW_UP: usize = 4;
const FLOOR: usize = 64 << 10;

struct Sink {
    draft: Draft,
    parcel: Parcel,
}

impl Sink {
    fn new() -> Sink {
        let parcel = Parcel::new(FeedId(1), 1, &pods::TABLE);
        Sink { draft: Draft::default(), parcel }
    }

    fn take(&mut self, encoding: Encoding, object: &[u8]) -> Result<(), Malformed> {
        PLAN.read(encoding, object, &mut self.draft)?;
        self.parcel.push(&self.draft, PLAN.spec);
        Ok(())
    }

    fn end(self, read: usize) {
        let size = self.parcel.size();
        // A row has a fixed size however few bytes it was read from; the rest follows the bytes.
        let fixed = self.parcel.len() * 512;
        assert!(size <= BLOW_UP * read + fixed + FLOOR, "{size} bytes of rows from {read} read");
        let mut store = Store::new(&[&pods::TABLE]);
        store.open_feed(0, 0, None);
        store.apply(&self.parcel);
    }
}

fn chunks(data: &[u8]) -> (usize, &[u8]) {
    data.split_first().map_or((1, data), |(&step, rest)| (usize::from(step) + 1, rest))
}

pub fn object(encoding: Encoding, data: &[u8]) {
    let mut sink = Sink::new();
    let _ = sink.take(encoding, data);
    sink.end(data.len());
}

pub fn list(encoding: Encoding, data: &[u8]) {
    let (step, body) = chunks(data);
    let mut sink = Sink::new();
    let mut reader = ListReader::new(encoding);
    let mut read = || -> Result<(), Malformed> {
        for chunk in body.chunks(step) {
            reader.push(chunk);
            while let Some(item) = reader.next_item()? {
                sink.take(encoding, item)?;
            }
        }
        Ok(())
    };
    if read().is_ok() {
        let _ = reader.end();
    }
    sink.end(body.len());
}

pub fn watch(encoding: Encoding, data: &[u8]) {
    let (step, body) = chunks(data);
    let mut sink = Sink::new();
    let mut reader = WatchReader::new(encoding);
    let mut read = || -> Result<(), Malformed> {
        for chunk in body.chunks(step) {
            reader.push(chunk);
            while let Some(event) = reader.next_event()? {
                match event.verb {
                    Verb::Put | Verb::Gone => sink.take(encoding, event.object)?,
                    Verb::Bookmark => drop(Bookmark::read(encoding, event.object)?),
                    Verb::Error => drop(status(encoding, event.object)?),
                }
            }
        }
        Ok(())
    };
    let _ = read();
    sink.end(body.len());
}

/// The text of metrics, in chunks whose size the bytes choose: the same whichever way it is cut, and no larger than what
/// was read.
pub fn metrics(data: &[u8]) {
    let (step, body) = chunks(data);
    let wants = [names::wants(), names::etcd::wants(), vec![Want::all("x")]].concat();
    let read = |step: usize| {
        let mut parser = Parser::new(&wants);
        body.chunks(step).for_each(|chunk| parser.feed(chunk));
        parser.end()
    };
    let (cut, whole) = (read(step), read(body.len().max(1)));
    assert_eq!((cut.cost, cut.series()), (whole.cost, whole.series()));
    assert!(whole.series() <= body.len());
    // A label of one byte costs its place among the texts, and a series its key.
    assert!(
        whole.size() <= (body.len() * 64 + FLOOR).min(BUDGET + (256 << 10)),
        "{} bytes",
        whole.size()
    );
    for want in &wants {
        for (_, value) in whole.each(want.family) {
            if let Value::Histogram(h) = value {
                let _ = (h.quantile(0.5), h.quantile(0.99));
            }
        }
    }
    let span = Span::since_start(&cut, &whole, 1.0);
    let etcd = None;
    let rows = board(&Facts { now: &whole, span, etcd, limits: &Limits::default() });
    let mut draft = Draft::default();
    for (place, row) in rows.iter().enumerate() {
        draft.reset(&apiserver::TABLE, 0);
        apiserver::fill(&mut draft, row, place, Epoch(1), [0; 12]);
        draft.settle();
    }
}

/// A dump of priority and fairness, as text that may be anything: every line is a row or is counted as odd, no row says
/// more than its line, and the groups hold every request once.
pub fn dumps(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(dump) = Dump::parse(&text) else { return };
    let lines = text.lines().filter(|l| !l.trim().is_empty()).count().saturating_sub(1);
    let (levels, queues, requests) = (dump.levels(), dump.queues(), dump.requests());
    for rows in [levels.len(), queues.len(), requests.len()] {
        assert_eq!(rows + dump.odd, lines);
    }
    // Columns do not overlap, but a heading may name several of them alike.
    for r in &requests {
        for cell in [&r.level, &r.schema, &r.flow, &r.user, &r.verb, &r.path, &r.namespace] {
            assert!(text.contains(cell.as_str()));
        }
    }
    for group in [grouped(&requests, |r| r.user.clone()), grouped(&requests, |r| r.flow.clone())] {
        let held: i64 = group.iter().map(|g| g.waiting + g.executing).sum();
        assert_eq!(held, requests.len() as i64);
        assert!(group.iter().all(|g| g.oldest.is_none() || g.waiting > 0));
    }
}
