//! What one scrape found of the wanted families, compact: label texts are kept once, histograms as one list of counts.

use super::{By, STARTED, Want};
use std::collections::{BTreeMap, HashMap};

/// Series of one family at most, of numbers and of histograms; what comes after is added up in one series whose labels all
/// say [`MORE`].
pub const SERIES: usize = 4096;
/// A histogram takes as much room as twenty numbers.
pub const HISTOGRAMS: usize = 1024;
/// The label of what found no series of its own.
pub const MORE: &str = "(more)";

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
struct Counts {
    counts: Vec<f64>,
    sum: f64,
    count: f64,
}

#[derive(Clone, Debug)]
enum Kept {
    Number(f64),
    Counts(Counts),
}

/// A family of series, added up by the labels asked for.
#[derive(Clone, Debug, Default)]
pub struct Family {
    /// As declared.
    pub kind: Type,
    bounds: Vec<f64>,
    series: HashMap<Box<[u32]>, Kept>,
}

/// What a scrape cost and what was odd about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Bytes of text read.
    pub bytes: u64,
    /// Lines of text read.
    pub lines: u64,
    /// Samples that were wanted.
    pub kept: u64,
    /// Lines that are no sample and no comment.
    pub malformed: u64,
    /// Samples that found no series of their own ([`SERIES`]).
    pub folded: u64,
}

/// One scrape of one process.
#[derive(Clone, Debug, Default)]
pub struct Scrape {
    /// When the process started, seconds since 1970, as it says itself: its identity.
    pub started: Option<f64>,
    /// What it cost.
    pub cost: Cost,
    texts: Vec<Box<str>>,
    known: HashMap<Box<str>, u32>,
    families: HashMap<&'static str, Family>,
}

/// Where a sample belongs.
pub(super) enum Part {
    Value,
    Bucket(f64),
    Sum,
    Count,
}

impl Scrape {
    /// The process at its start, when every counter was zero.
    pub fn born(&self) -> Scrape {
        Scrape { started: self.started, ..Scrape::default() }
    }

    /// Whether the process exposes the family. A family without any series counts as absent: Go registers vectors long
    /// before their first series.
    pub fn has(&self, family: &str) -> bool {
        self.families.get(family).is_some_and(|f| !f.series.is_empty())
    }

    /// The family's type as declared.
    pub fn kind(&self, family: &str) -> Option<Type> {
        Some(self.families.get(family)?.kind)
    }

    /// Series over all families.
    pub fn series(&self) -> usize {
        self.families.values().map(|f| f.series.len()).sum()
    }

    /// Every series of a family as its labels, sorted by name, and its value; in no order.
    pub fn each(&self, family: &str) -> impl Iterator<Item = (Vec<(&str, &str)>, Value)> {
        let family = self.families.get(family);
        family.into_iter().flat_map(move |f| {
            f.series.iter().map(move |(key, kept)| (self.labels(key), f.value(kept)))
        })
    }

    /// The one series with these labels among others, or the sum of those that have them; `None` if there is none.
    pub fn number(&self, family: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let fits = |has: &[(&str, &str)]| labels.iter().all(|l| has.contains(l));
        let numbers = self.each(family).filter(|(has, _)| fits(has)).map(|(_, v)| match v {
            Value::Number(n) => n,
            Value::Histogram(h) => h.count,
        });
        numbers.reduce(|a, b| a + b)
    }

    /// The family added up by some labels: their values in the order asked for (empty where a series lacks one).
    pub fn grouped(&self, family: &str, by: &[&str]) -> BTreeMap<Vec<String>, Value> {
        let mut groups: BTreeMap<Vec<String>, Value> = BTreeMap::new();
        for (labels, value) in self.each(family) {
            let of = |name: &&str| {
                let label = labels.iter().find(|(n, _)| n == name);
                label.map_or(String::new(), |(_, v)| (*v).to_owned())
            };
            let key: Vec<String> = by.iter().map(of).collect();
            match groups.get_mut(&key) {
                Some(sum) => sum.add(value),
                None => drop(groups.insert(key, value)),
            }
        }
        groups
    }

    fn labels(&self, key: &[u32]) -> Vec<(&str, &str)> {
        let text = |i: u32| self.texts.get(i as usize).map_or("", |t| &**t);
        key.chunks_exact(2).map(|pair| (text(pair[0]), text(pair[1]))).collect()
    }

    fn key(&mut self, pairs: &[(&str, &str)]) -> Box<[u32]> {
        pairs.iter().flat_map(|(name, value)| [self.text(name), self.text(value)]).collect()
    }

    /// The key of a series that is there: a full family must not fill the texts either.
    fn known(&self, family: &str, pairs: &[(&str, &str)]) -> Option<Box<[u32]>> {
        let texts = pairs.iter().flat_map(|(name, value)| [*name, *value]);
        let key: Option<Box<[u32]>> = texts.map(|t| self.known.get(t).copied()).collect();
        key.filter(|key| self.families.get(family).is_some_and(|f| f.series.contains_key(key)))
    }

    fn text(&mut self, text: &str) -> u32 {
        if let Some(&at) = self.known.get(text) {
            return at;
        }
        let at = self.texts.len() as u32;
        self.texts.push(text.into());
        self.known.insert(text.into(), at);
        at
    }

    /// Notes a family's type.
    pub(super) fn declare(&mut self, family: &'static str, kind: Type) {
        self.families.entry(family).or_default().kind = kind;
    }

    /// Takes a sample of a wanted family; its labels without `le`.
    pub(super) fn take(
        &mut self,
        want: &Want,
        part: &Part,
        labels: &[(String, String)],
        value: f64,
    ) {
        let has = |name: &str| labels.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v);
        if want.without.iter().any(|(name, value)| has(name) == *value) {
            return;
        }
        self.cost.kept += 1;
        if want.family == STARTED {
            self.started = Some(value);
        }
        let mut pairs: Vec<(&str, &str)> = match &want.by {
            By::Total => vec![],
            By::Labels(names) => {
                names.iter().map(|n| (*n, has(n))).filter(|(_, v)| !v.is_empty()).collect()
            }
            By::All => labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect(),
        };
        pairs.sort_unstable();
        let most = if matches!(part, Part::Value) { SERIES } else { HISTOGRAMS };
        let full = self.families.get(want.family).is_some_and(|f| f.series.len() >= most);
        let known = if full { self.known(want.family, &pairs) } else { Some(self.key(&pairs)) };
        let key = known.unwrap_or_else(|| {
            self.cost.folded += 1;
            pairs.iter_mut().for_each(|(_, value)| *value = MORE);
            self.key(&pairs)
        });
        let family = self.families.entry(want.family).or_default();
        family.take(key, part, value);
    }
}

impl Family {
    fn take(&mut self, key: Box<[u32]>, part: &Part, value: f64) {
        let at = match part {
            Part::Bucket(le) => Some(self.bound(*le)),
            _ => None,
        };
        let kept = self.series.entry(key).or_insert_with(|| match part {
            Part::Value => Kept::Number(0.0),
            _ => Kept::Counts(Counts::default()),
        });
        match (kept, part) {
            (Kept::Number(n), Part::Value) => *n += value,
            (Kept::Counts(c), Part::Sum) => c.sum += value,
            (Kept::Counts(c), Part::Count) => c.count += value,
            (Kept::Counts(c), Part::Bucket(_)) => {
                let at = at.unwrap_or_default();
                if c.counts.len() <= at {
                    c.counts.resize(at + 1, 0.0);
                }
                c.counts[at] += value;
            }
            // One name is both a number and a histogram: the first holds.
            (Kept::Number(_), _) | (Kept::Counts(_), Part::Value) => {}
        }
    }

    fn bound(&mut self, le: f64) -> usize {
        let known = self.bounds.iter().position(|b| *b == le);
        known.unwrap_or_else(|| {
            self.bounds.push(le);
            self.bounds.len() - 1
        })
    }

    fn value(&self, kept: &Kept) -> Value {
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
