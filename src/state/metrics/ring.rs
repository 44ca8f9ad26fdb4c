//! What a number was since start, at most so many points of it: the oldest go first.

use crate::state::time::Epoch;
use std::collections::{HashMap, VecDeque};

/// Points kept: an hour at one each 15 seconds.
pub const POINTS: usize = 240;

/// A bounded history. A point without a value is a gap, drawn as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ring {
    points: VecDeque<(Epoch, Option<f64>)>,
}

impl Ring {
    /// Adds a point.
    pub fn push(&mut self, at: Epoch, value: Option<f64>) {
        if self.points.len() >= POINTS {
            self.points.pop_front();
        }
        self.points.push_back((at, value.filter(|v| v.is_finite())));
    }

    /// All points, oldest first.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (Epoch, Option<f64>)> + '_ {
        self.points.iter().copied()
    }

    /// The newest value.
    pub fn last(&self) -> Option<f64> {
        self.points.back()?.1
    }

    /// Points held.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The highest value.
    pub fn most(&self) -> Option<f64> {
        self.points.iter().filter_map(|(_, v)| *v).reduce(f64::max)
    }

    /// The last twelve values for a column of bars, scaled to thousandths of the highest; what was not seen is 0.
    pub fn bars(&self) -> [u32; 12] {
        let mut bars = [0; 12];
        let shown = self.points.len().min(12);
        let tail = self.points.iter().skip(self.points.len() - shown);
        let top = tail.clone().filter_map(|(_, v)| *v).fold(0.0, f64::max);
        for (bar, (_, value)) in bars[12 - shown..].iter_mut().zip(tail) {
            if let Some(value) = value.filter(|v| *v > 0.0 && top > 0.0) {
                *bar = (value / top * 1000.0).ceil() as u32;
            }
        }
        bars
    }
}

/// Series of one history at most.
const SERIES: usize = 400;

/// Processes whose histories are kept.
const PROCESSES: usize = 9;

/// Histories by the process they are of, told by when it started: what several servers say is never mixed.
#[derive(Debug, Default)]
pub struct Histories(HashMap<u64, History>);

impl Histories {
    /// Those of a process, seconds since 1970 at its start. A new one of too many begins all anew.
    pub fn of(&mut self, started: Option<f64>) -> &mut History {
        let id = started.map_or(0, f64::to_bits);
        if self.0.len() >= PROCESSES && !self.0.contains_key(&id) {
            self.0.clear();
        }
        self.0.entry(id).or_default()
    }
}

/// The histories of many numbers that are measured at the same times, four bytes a point.
#[derive(Clone, Debug, Default)]
pub struct History {
    times: VecDeque<Epoch>,
    series: HashMap<String, VecDeque<f32>>,
}

impl History {
    /// Adds a point to each series; one that is not mentioned has a gap. The first that come have a history, the rest has
    /// none.
    pub fn push<'a>(&mut self, at: Epoch, values: impl Iterator<Item = (&'a str, Option<f64>)>) {
        if self.times.len() >= POINTS {
            self.times.pop_front();
            for series in self.series.values_mut() {
                series.pop_front();
            }
        }
        let before = self.times.len();
        self.times.push_back(at);
        for (name, value) in values {
            let room = self.series.len() < SERIES;
            let series = match self.series.get_mut(name) {
                Some(series) => series,
                None if room => self.series.entry(name.to_owned()).or_default(),
                None => continue,
            };
            series.resize(before, f32::NAN);
            series.push_back(value.map_or(f32::NAN, |v| v as f32));
        }
        self.series.values_mut().for_each(|s| s.resize(before + 1, f32::NAN));
        self.series.retain(|_, s| s.iter().any(|v| !v.is_nan()));
    }

    /// A series, oldest first; gaps are `None`.
    pub fn points(&self, name: &str) -> impl Iterator<Item = (Epoch, Option<f64>)> {
        let series = self.series.get(name).into_iter().flatten();
        let value = |v: &f32| (!v.is_nan()).then_some(f64::from(*v));
        self.times.iter().copied().zip(series.map(value))
    }

    /// Heights of a series since start in twelve equal parts, below sixteen, each the highest of its part; fewer points than
    /// parts stand at the right. What is there is seen.
    pub fn heights(&self, name: &str) -> [u32; 12] {
        let mut parts = [0.0_f32; 12];
        let Some(series) = self.series.get(name) else { return [0; 12] };
        let (n, first) = (series.len().max(12), 12_usize.saturating_sub(series.len()));
        for (i, value) in series.iter().enumerate() {
            let part = &mut parts[(first + i) * 12 / n];
            *part = part.max(*value);
        }
        let top = parts.iter().copied().fold(0.0, f32::max);
        parts.map(|v| if v > 0.0 { (v / top * 15.0).ceil() as u32 } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_points_go_and_gaps_stay() {
        let mut ring = Ring::default();
        for i in 0..POINTS as i64 + 3 {
            ring.push(Epoch(i), (i % 2 == 0).then_some(i as f64));
        }
        assert_eq!(ring.len(), POINTS);
        assert_eq!(ring.points().next(), Some((Epoch(3), None)));
        assert_eq!(ring.last(), Some((POINTS + 2) as f64));
    }

    #[test]
    fn bars_are_the_last_twelve_scaled_and_right_aligned() {
        let mut ring = Ring::default();
        for v in [2.0, 4.0] {
            ring.push(Epoch(0), Some(v));
        }
        ring.push(Epoch(1), None);
        ring.push(Epoch(2), Some(f64::NAN));
        assert_eq!(ring.bars(), [0, 0, 0, 0, 0, 0, 0, 0, 500, 1000, 0, 0]);
    }

    #[test]
    fn a_history_has_gaps_where_nothing_was_measured() {
        let mut history = History::default();
        history.push(Epoch(1), [("a", Some(1.0))].into_iter());
        history.push(Epoch(2), [("b", Some(30.0))].into_iter());
        history.push(Epoch(3), [("a", Some(2.0)), ("b", None)].into_iter());
        let points: Vec<_> = history.points("a").collect();
        assert_eq!(points, [(Epoch(1), Some(1.0)), (Epoch(2), None), (Epoch(3), Some(2.0))]);
        assert_eq!(history.heights("a"), [0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 15]);
        assert_eq!(history.heights("b")[9..], [0, 15, 0]);
        for i in 4..1000 {
            history.push(Epoch(i), [("a", Some(1.0))].into_iter());
        }
        assert_eq!(history.points("a").count(), POINTS);
        assert_eq!(history.points("b").count(), 0, "what has only gaps is forgotten");
    }
}
