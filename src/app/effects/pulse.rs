//! What the header says once a second: our own rate of requests, and how far the server's clock is from ours.

use super::Effects;
use super::fairness::{Configured, configured};
use crate::app::cluster::Client;
use crate::app::cluster::session::Meter;
use crate::app::msg::{Msg, SessionId};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Shortest time between two readings of the levels' names.
const NAMES: Duration = Duration::from_secs(600);

/// The priority level of our own requests, by name.
struct Level {
    client: Client,
    known: Option<Configured>,
    read: Option<Instant>,
    told: Option<(String, String)>,
}

impl Level {
    fn new(client: Client) -> Level {
        Level { client, known: None, read: None, told: None }
    }

    /// Its name, if it is another than before. The names are read when the server names a level that is not known; who may
    /// not read them is not told, and that is not asked for again and again.
    async fn news(&mut self, meter: &Meter) -> Option<String> {
        let caught = meter.caught()?;
        if self.told.as_ref() == Some(&caught) {
            return None;
        }
        let known = self.known.as_ref().and_then(|known| known.ours(meter));
        let (_, level) = match known {
            Some(known) => known,
            None if self.read.is_some_and(|at| at.elapsed() < NAMES) => return None,
            None => {
                self.read = Some(Instant::now());
                // The rate is told every second, whatever the server does.
                let read = tokio::time::timeout(Duration::from_secs(5), configured(&self.client));
                self.known = read.await.ok().and_then(Result::ok);
                self.known.as_ref()?.ours(meter)?
            }
        };
        self.told = Some(caught);
        Some(level)
    }
}

/// Seconds over which requests are counted.
const WINDOW: usize = 60;

impl Effects {
    /// Tells both when they changed, in place of the connection before.
    pub(super) fn start_pulse(&mut self, id: SessionId) {
        let (meter, post) = (self.connection.meter.clone(), self.post.clone());
        let mut level = Level::new(self.connection.client.clone());
        let task = async move {
            let mut counts = VecDeque::from([meter.requests()]);
            let mut told = None;
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                counts.push_back(meter.requests());
                if counts.len() > WINDOW + 1 {
                    counts.pop_front();
                }
                let first = counts.front().copied().unwrap_or_default();
                let rate = meter.requests().saturating_sub(first) as u32;
                let news = Some((rate, meter.skew_seconds()));
                if news != told {
                    told = news;
                    post(Msg::Pulse(id, rate, meter.skew_seconds()));
                }
                if let Some(name) = level.news(&meter).await {
                    post(Msg::Level(id, name));
                }
            }
        };
        if let Some(old) = self.pulse.replace(self.runtime.spawn(task)) {
            old.abort();
        }
    }
}
