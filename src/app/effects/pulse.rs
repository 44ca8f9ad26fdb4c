//! What the header says once a second: our own rate of requests, and how far the server's clock is from ours.

use super::Effects;
use crate::app::msg::{Msg, SessionId};
use std::collections::VecDeque;
use std::time::Duration;

/// Seconds over which requests are counted.
const WINDOW: usize = 60;

impl Effects {
    /// Tells both when they changed, in place of the connection before.
    pub(super) fn start_pulse(&mut self, id: SessionId) {
        let (meter, post) = (self.connection.meter.clone(), self.post.clone());
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
            }
        };
        if let Some(old) = self.pulse.replace(self.runtime.spawn(task)) {
            old.abort();
        }
    }
}
