//! What a number was since start, at most so many points of it: the oldest go first.

use crate::state::time::Epoch;
use std::collections::VecDeque;

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
}
