//! What scrapes are compared with: an earlier one of the same process, told by `process_start_time_seconds`. Behind one
//! address there may be several; others wait aside until they answer again.

use crate::state::metrics::Scrape;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Processes remembered; more do not stand behind one address.
const SERVERS: usize = 9;
/// Bytes of all that is kept; a page of 50 MB leaves some 700 kB. The process that answered last is kept whatever it takes.
const BYTES: usize = 3 << 20;

/// The scrapes that later ones are compared with, bounded in number and in bytes.
#[derive(Debug)]
pub struct Bases {
    window: Duration,
    steps: u32,
    processes: BTreeMap<u64, Base>,
}

/// Those of one process, the oldest first.
#[derive(Debug)]
struct Base {
    /// The wants they answer: what was not kept of the older one would look as if it had begun at zero.
    covers: usize,
    kept: VecDeque<(Instant, Arc<Scrape>)>,
}

/// An earlier scrape, and the seconds that passed since.
pub type Before = (Arc<Scrape>, f64);

impl Bases {
    /// Growth is told over about `window`, as soon as it has passed: at least over all but one of its `steps`. A scrape is
    /// kept each step, so there are two steps or more.
    pub fn new(window: Duration, steps: u32) -> Bases {
        Bases { window, steps: steps.max(2), processes: BTreeMap::new() }
    }

    /// Processes whose scrapes are kept.
    pub fn servers(&self) -> usize {
        self.processes.len()
    }

    /// Notes a scrape taken `at` with wants told apart by `covers`, and returns an earlier one of the same process. `None`
    /// for the first one, and for a process that does not say which it is.
    pub fn compare(&mut self, at: Instant, now: &Arc<Scrape>, covers: usize) -> Option<Before> {
        let id = now.started?.to_bits();
        let fresh = || Base { covers, kept: VecDeque::new() };
        let crowd = self.processes.keys().any(|other| *other != id);
        let base = self.processes.entry(id).or_insert_with(fresh);
        if base.covers != covers {
            *base = fresh();
        }
        let oldest = base.kept.front();
        let before = oldest.map(|(then, scrape)| (scrape.clone(), seconds(*then, at)));
        let before = before.filter(|(_, seconds)| *seconds > 0.0);
        // After a pause the next growth is that of a step, and not of the pause once more.
        if before.as_ref().is_some_and(|(_, s)| *s >= 2.0 * self.window.as_secs_f64()) {
            base.kept.clear();
        }
        // One scrape each is enough where several answer in turn.
        base.advance(at, now, self.window, if crowd { 1 } else { self.steps });
        if crowd {
            self.shed(id);
        }
        before
    }

    /// Lets go of what takes too much room, the process that was not heard of for longest first.
    fn shed(&mut self, newest: u64) {
        for (_, base) in self.processes.iter_mut().filter(|(id, _)| **id != newest) {
            let spare = base.kept.len().saturating_sub(1);
            base.kept.drain(..spare);
        }
        while self.processes.len() > SERVERS || self.size() > BYTES {
            let others = self.processes.iter().filter(|(id, _)| **id != newest);
            let stalest = others.min_by_key(|(_, base)| base.kept.back().map(|(at, _)| *at));
            let Some(stalest) = stalest.map(|(id, _)| *id) else { return };
            self.processes.remove(&stalest);
        }
    }

    fn size(&self) -> usize {
        let kept = self.processes.values().flat_map(|base| &base.kept);
        kept.map(|(_, scrape)| scrape.size()).sum()
    }
}

impl Base {
    fn advance(&mut self, at: Instant, now: &Arc<Scrape>, window: Duration, steps: u32) {
        let due = |last: &(Instant, _)| at.duration_since(last.0) >= window / steps;
        if self.kept.back().is_none_or(due) {
            self.kept.push_back((at, now.clone()));
        }
        let old = |first: &(Instant, _)| at.duration_since(first.0) >= window;
        while self.kept.len() > 1 && self.kept.front().is_some_and(old) {
            self.kept.pop_front();
        }
    }
}

fn seconds(from: Instant, to: Instant) -> f64 {
    to.duration_since(from).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::metrics::{Parser, Span, Want};

    fn scrape(started: u32, x: u32) -> Arc<Scrape> {
        let mut parser = Parser::new(&[Want::total("x")]);
        parser.feed(format!("process_start_time_seconds {started}\nx {x}\n").as_bytes());
        Arc::new(parser.end())
    }

    /// What grew, and over how many seconds.
    type Grown = Option<(f64, f64)>;

    fn keep(bases: &mut Bases, at: Instant, (started, x): (u32, u32)) -> Grown {
        let now = scrape(started, x);
        let (before, seconds) = bases.compare(at, &now, 0)?;
        let span = Span::new(&before, &now, seconds).ok()?;
        span.total("x").map(|grown| (grown.count, grown.seconds))
    }

    #[test]
    fn servers_behind_one_address_are_never_mixed() {
        let (mut bases, began) = (Bases::new(Duration::from_secs(60), 2), Instant::now());
        let mut at = 0;
        let mut keep = |started, x| {
            at += 15;
            let grown = keep(&mut bases, began + Duration::from_secs(at), (started, x));
            (grown, bases.servers())
        };
        // Two servers answer in turn; then the first is restarted.
        assert_eq!(keep(100, 1000), (None, 1));
        assert_eq!(keep(200, 5), (None, 2));
        assert_eq!(keep(100, 1030), (Some((30.0, 30.0)), 2));
        assert_eq!(keep(200, 65), (Some((60.0, 30.0)), 2));
        assert_eq!(keep(300, 0), (None, 3));
        // The window ends after a minute or so, and what is kept is bounded.
        assert_eq!(keep(100, 1090), (Some((90.0, 75.0)), 3));
        assert_eq!(keep(100, 1100), (Some((10.0, 15.0)), 3));
        for i in 0..100 {
            assert!(keep(1000 + i, 0).1 <= SERVERS);
        }
    }

    #[test]
    fn growth_is_over_the_window_and_after_a_pause_not_over_the_pause_for_long() {
        let (mut bases, began) = (Bases::new(Duration::from_secs(60), 2), Instant::now());
        let mut seconds = |at: u64| {
            let grown = keep(&mut bases, began + Duration::from_secs(at), (100, at as u32));
            grown.map(|(_, seconds)| seconds)
        };
        assert_eq!([0, 15, 30, 45, 60].map(&mut seconds), [0.0, 15.0, 30.0, 45.0, 60.0].map(some));
        assert_eq!([75, 90, 105].map(&mut seconds), [45.0, 60.0, 45.0].map(Some));
        // Back after an hour: the first look covers it, the next ones begin anew.
        assert_eq!([3600, 3615, 3630].map(&mut seconds), [3540.0, 15.0, 30.0].map(Some));
    }

    fn some(seconds: f64) -> Option<f64> {
        (seconds > 0.0).then_some(seconds)
    }

    #[test]
    fn a_long_window_is_kept_in_steps() {
        let (mut bases, began) = (Bases::new(Duration::from_secs(900), 3), Instant::now());
        let mut over = vec![];
        for at in (0..7200).step_by(15) {
            let grown = keep(&mut bases, began + Duration::from_secs(at), (100, at as u32));
            over.extend(grown.filter(|_| at > 900).map(|(_, seconds)| seconds));
        }
        assert!(over.iter().all(|s| (600.0..=900.0).contains(s)), "{over:?}");
        let kept = bases.processes.values().map(|base| base.kept.len()).sum::<usize>();
        assert!(kept <= 4, "{kept}");
    }
}
