//! When an event happened last, when first, and how often.
//!
//! Kubernetes writes one event in three ways (`core/v1/types.go`, v0.37): the old recorder counts in `count` between
//! `firstTimestamp` and `lastTimestamp`; the new one writes `eventTime` and, once it repeats, a `series`; and some write
//! neither. Every reader has to decide; this is the one place that does.

use crate::state::time::Epoch;

/// The times and numbers an event carries, each unset or 0 where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// `series.lastObservedTime`.
    pub series: Epoch,
    /// `lastTimestamp`.
    pub last: Epoch,
    /// `eventTime`.
    pub event: Epoch,
    /// `firstTimestamp`.
    pub first: Epoch,
    /// `metadata.creationTimestamp`.
    pub created: Epoch,
    /// `series.count`.
    pub series_count: i64,
    /// `count`.
    pub count: i64,
}

impl Times {
    /// The last occurrence: the series' last observation, else `lastTimestamp`, `eventTime`, `firstTimestamp`, creation.
    /// Unset only if all of them are.
    pub fn last(&self) -> Epoch {
        first_set([self.series, self.last, self.event, self.first, self.created])
    }

    /// The first occurrence: `firstTimestamp`, else `eventTime`, creation, and whatever the last one is taken from. Never
    /// after the last.
    pub fn first(&self) -> Epoch {
        let first = first_set([self.first, self.event, self.created, self.last, self.series]);
        Epoch(first.0.min(self.last().0))
    }

    /// How often it was seen: the series' count, else `count`, else once.
    pub fn count(&self) -> i64 {
        [self.series_count, self.count].into_iter().find(|n| *n > 0).unwrap_or(1)
    }
}

fn first_set(times: [Epoch; 5]) -> Epoch {
    times.into_iter().find(|t| t.is_set()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_occurrence_is_the_first_of_five_that_is_set() {
        let mut t = Times {
            series: Epoch(50),
            last: Epoch(40),
            event: Epoch(30),
            first: Epoch(20),
            created: Epoch(10),
            ..Times::default()
        };
        let mut seen = vec![];
        for field in 0..6 {
            seen.push(t.last().0);
            match field {
                0 => t.series = Epoch(0),
                1 => t.last = Epoch(0),
                2 => t.event = Epoch(0),
                3 => t.first = Epoch(0),
                _ => t.created = Epoch(0),
            }
        }
        assert_eq!(seen, [50, 40, 30, 20, 10, 0]);
    }

    #[test]
    fn the_first_is_never_after_the_last_and_once_is_the_least() {
        let odd = Times { first: Epoch(90), last: Epoch(40), ..Times::default() };
        assert_eq!((odd.first(), odd.last(), odd.count()), (Epoch(40), Epoch(40), 1));
        let both = Times { series_count: 7, count: 3, ..Times::default() };
        assert_eq!(both.count(), 7);
        assert_eq!(Times { count: 3, ..Times::default() }.count(), 3);
        // A Job controller's event without any time but its creation (kubectl sorts it before everything else).
        let bare = Times { created: Epoch(5), ..Times::default() };
        assert_eq!((bare.first(), bare.last()), (Epoch(5), Epoch(5)));
    }
}
