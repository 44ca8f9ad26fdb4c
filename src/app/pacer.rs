//! When a frame is due. Pure: instants come in, a decision goes out.

use std::time::{Duration, Instant};

/// Two frames caused by keys are at least this far apart.
const KEYS: Duration = Duration::from_millis(8);
/// Frames caused by the cluster are at least this far apart.
const FEEDS: Duration = Duration::from_millis(100);

/// Why something on screen may have changed. Later causes are more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The cluster.
    Feed,
    /// The operator.
    Key,
}

/// The frame policy.
#[derive(Debug, Default)]
pub struct Pacer {
    dirty: Option<Cause>,
    last: Option<Instant>,
    text_changes: Option<Instant>,
}

impl Pacer {
    /// Something changed.
    pub fn touch(&mut self, cause: Cause) {
        self.dirty = self.dirty.max(Some(cause));
    }

    /// When the next frame is due; `None` while nothing on screen can have changed.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let caused = self.dirty.map(|cause| {
            let gap = if cause == Cause::Key { KEYS } else { FEEDS };
            self.last.map_or(now, |last| last + gap)
        });
        caused.into_iter().chain(self.text_changes).min()
    }

    /// A frame was drawn; some text on it changes by the clock alone after this long.
    pub fn drawn(&mut self, now: Instant, text_changes: Option<Duration>) {
        self.dirty = None;
        self.last = Some(now);
        self.text_changes = text_changes.map(|after| now + after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_answered_at_once_feeds_wait_and_nothing_means_never() {
        let t = Instant::now();
        let mut pacer = Pacer::default();
        assert_eq!(pacer.due(t), None);
        pacer.touch(Cause::Feed);
        assert_eq!(pacer.due(t), Some(t), "the first frame waits for nothing");
        pacer.drawn(t, None);
        pacer.touch(Cause::Feed);
        assert_eq!(pacer.due(t), Some(t + FEEDS));
        pacer.touch(Cause::Key);
        assert_eq!(pacer.due(t), Some(t + KEYS), "a key overtakes");
        pacer.drawn(t, Some(Duration::from_secs(3)));
        assert_eq!(pacer.due(t), Some(t + Duration::from_secs(3)), "an age changes its text");
    }
}
