//! The series of a family, compact: histograms as one list of counts whose bounds are kept once.

use std::collections::HashMap;

/// Upper bounds of one family at most, beside the infinite one; the API server's longest list has 43.
const BOUNDS: usize = 127;

/// What a family is, as its `# TYPE` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// Only grows while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets.
    Histogram,
    /// Quantiles made by the process; they cannot be added up.
    Summary,
    /// Not said.
    #[default]
    Untyped,
}

/// Counts of observations, cumulative by upper bound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Upper bounds, ascending; the last may be infinite.
    pub bounds: Vec<f64>,
    /// Observations not above each bound.
    pub counts: Vec<f64>,
    /// Sum of what was observed.
    pub sum: f64,
    /// Observations.
    pub count: f64,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a counter, a gauge, or anything untyped.
    Number(f64),
    /// Of a histogram.
    Histogram(Histogram),
}

/// A histogram whose bounds are kept once for its family.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    counts: Vec<f64>,
    sum: f64,
    count: f64,
}

#[derive(Clone, Debug)]
pub(super) enum Kept {
    Number(f64),
    // Numbers are many, and half as large beside a pointer.
    Counts(Box<Counts>),
}

/// A family of series, added up by the labels asked for.
#[derive(Clone, Debug, Default)]
pub struct Family {
    /// As declared.
    pub kind: Type,
    bounds: Vec<f64>,
    pub(super) series: HashMap<Box<[u32]>, Kept>,
}

/// Where a sample belongs.
pub(super) enum Part {
    Value,
    Bucket(f64),
    Sum,
    Count,
}

/// Bytes a text takes: itself, twice a pointer to it, its place in the map.
pub(super) fn text_size(text: &str) -> usize {
    text.len() + 72
}

/// Bytes a series takes beside its counts.
fn series_size(key: &[u32]) -> usize {
    key.len() * 4 + 64
}

impl Kept {
    fn size(&self) -> usize {
        match self {
            Kept::Number(_) => 0,
            Kept::Counts(c) => size_of::<Counts>() + c.counts.capacity() * 8,
        }
    }
}

impl Family {
    /// Bytes on the heap, about.
    pub(super) fn size(&self) -> usize {
        let series = self.series.iter().map(|(key, kept)| series_size(key) + kept.size());
        self.bounds.capacity() * 8 + series.sum::<usize>()
    }

    /// Takes a sample; the bytes it took, or `None` if a bucket found no room.
    pub(super) fn take(
        &mut self,
        key: Box<[u32]>,
        part: &Part,
        value: f64,
        room: bool,
    ) -> Option<usize> {
        let at = match part {
            Part::Bucket(le) => self.bound(*le)?,
            _ => 0,
        };
        let (mut bytes, bounds) = (0, self.bounds.len());
        let kept = self.series.entry(key).or_insert_with_key(|key| {
            let kept = match part {
                Part::Value => Kept::Number(0.0),
                _ => Kept::Counts(Box::default()),
            };
            bytes = series_size(key) + kept.size();
            kept
        });
        match (kept, part) {
            (Kept::Number(n), Part::Value) => *n += value,
            (Kept::Counts(c), Part::Sum) => c.sum += value,
            (Kept::Counts(c), Part::Count) => c.count += value,
            (Kept::Counts(c), Part::Bucket(_)) => {
                if c.counts.len() <= at {
                    if !room {
                        return None;
                    }
                    let before = c.counts.capacity();
                    c.counts.reserve_exact(bounds - c.counts.len());
                    c.counts.resize(at + 1, 0.0);
                    bytes += (c.counts.capacity() - before) * 8;
                }
                c.counts[at] += value;
            }
            // One name is both a number and a histogram: the first holds.
            (Kept::Number(_), _) | (Kept::Counts(_), Part::Value) => {}
        }
        Some(bytes)
    }

    /// The place of a bound; `None` if there are too many. The infinite one, which quantiles need, always has one.
    fn bound(&mut self, le: f64) -> Option<usize> {
        if let Some(known) = self.bounds.iter().position(|b| *b == le) {
            return Some(known);
        }
        let finite = self.bounds.iter().filter(|b| b.is_finite()).count();
        if finite >= BOUNDS && le != f64::INFINITY {
            return None;
        }
        self.bounds.push(le);
        Some(self.bounds.len() - 1)
    }

    pub(super) fn value(&self, kept: &Kept) -> Value {
        match kept {
            Kept::Number(n) => Value::Number(*n),
            Kept::Counts(c) => {
                let pairs = self.bounds.iter().copied().zip(c.counts.iter().copied());
                let mut pairs: Vec<(f64, f64)> = pairs.collect();
                pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
                let (bounds, counts) = pairs.into_iter().unzip();
                Value::Histogram(Histogram { bounds, counts, sum: c.sum, count: c.count })
            }
        }
    }
}

impl Value {
    /// The number, or how often was observed.
    pub fn count(&self) -> f64 {
        match self {
            Value::Number(n) => *n,
            Value::Histogram(h) => h.count,
        }
    }

    /// Adds another series of the same family.
    pub fn add(&mut self, other: Value) {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => *a += b,
            (Value::Histogram(a), Value::Histogram(b)) => {
                // By bound, as `sum by (le)`: series of one family may have been made with other buckets.
                for (bound, count) in b.bounds.into_iter().zip(b.counts) {
                    let at = a.bounds.partition_point(|own| *own < bound);
                    if a.bounds.get(at) != Some(&bound) {
                        a.bounds.insert(at, bound);
                        a.counts.insert(at, 0.0);
                    }
                    a.counts[at] += count;
                }
                a.sum += b.sum;
                a.count += b.count;
            }
            _ => {}
        }
    }
}
