//! What grew between two scrapes of the same process: rates over real time, and quantiles of what was observed meanwhile.

use super::scrape::{Histogram, MORE, Scrape, Value, is_exact};
use std::collections::{BTreeMap, BTreeSet};

/// Observations below which no high quantile is told: fewer say nothing about one in a hundred.
pub const FEW: f64 = 20.0;

/// Why two scrapes cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// They come from two processes: a restart, or another server behind the same address.
    OtherProcess,
    /// One of them does not say which process it is of.
    Unidentified,
    /// No time passed.
    NoTime,
}

/// Seconds of the longest span that tells how things are now: a little more than what etcd is looked at over.
const RECENT: f64 = 960.0;

/// Two scrapes of one process.
#[derive(Clone, Copy)]
pub struct Span<'a> {
    before: &'a Scrape,
    now: &'a Scrape,
    /// Seconds between them.
    pub seconds: f64,
    whole: bool,
}

/// How much a series grew in a span.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// By how much: of a histogram, observations.
    pub count: f64,
    /// Seconds it took.
    pub seconds: f64,
    /// What was observed meanwhile.
    pub observed: Option<Histogram>,
}

/// A quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantile {
    /// About this much.
    At(f64),
    /// More than the highest finite bound: at least this much.
    AtLeast(f64),
    /// So few observations that it says nothing.
    Few(u64),
}

impl<'a> Span<'a> {
    /// A span, if both scrapes are of one process. `seconds` is the time that really passed between them.
    ///
    /// # Errors
    /// Why they cannot be compared.
    pub fn new(before: &'a Scrape, now: &'a Scrape, seconds: f64) -> Result<Span<'a>, Break> {
        match (before.started, now.started) {
            (Some(a), Some(b)) if a == b && seconds > 0.0 => {
                Ok(Span { before, now, seconds, whole: false })
            }
            (Some(a), Some(b)) if a == b => Err(Break::NoTime),
            (Some(_), Some(_)) => Err(Break::OtherProcess),
            _ => Err(Break::Unidentified),
        }
    }

    /// From the start of the process, `born`, to a scrape of it `seconds` later.
    pub fn since_start(born: &'a Scrape, now: &'a Scrape, seconds: f64) -> Option<Span<'a>> {
        (seconds > 0.0).then_some(Span { before: born, now, seconds, whole: true })
    }

    /// Since an earlier scrape, and while there is none since the start of the process, which `born` is, by the server's
    /// clock: `date` is what it showed at the scrape, seconds since 1970.
    pub fn of(
        before: Option<(&'a Scrape, f64)>,
        born: &'a Scrape,
        now: &'a Scrape,
        date: Option<i64>,
    ) -> Option<Span<'a>> {
        let between = before.and_then(|(before, seconds)| Span::new(before, now, seconds).ok());
        between.or_else(|| Span::since_start(born, now, date? as f64 - now.started?))
    }

    /// Whether what grew tells how things are now. What a process counted since its start, or while nobody looked, says
    /// nothing of whether it still goes on.
    pub fn is_recent(&self) -> bool {
        !self.whole && self.seconds <= RECENT
    }

    /// Whether it is since the start of the process.
    pub fn is_since_start(&self) -> bool {
        self.whole
    }

    /// The growth of a family by some labels. A series that is new began at zero, since the process is the same; one that
    /// shrank was reset (`DELETE /metrics`) and counts from zero too. One that is no number then or now did not grow by
    /// anything that is known: it is left out.
    pub fn grown(&self, family: &str, by: &[&str]) -> BTreeMap<Vec<String>, Growth> {
        let mut now: BTreeMap<Labels<'_>, Value> = self.now.each(family).collect();
        let mut before: BTreeMap<Labels<'_>, Value> = self.before.each(family).collect();
        gather(&mut before, &mut now);
        let mut groups: BTreeMap<Vec<String>, Growth> = BTreeMap::new();
        // Series by series, and only then added up: one that was reset is not hidden by those that were not.
        for (labels, value) in now {
            let was = before.remove(&labels);
            if is_folded(&labels) && was.as_ref().is_some_and(|was| value.count() < was.count()) {
                continue;
            }
            let growth = self.growth(was, value);
            if !growth.count.is_finite() {
                continue;
            }
            let key = by.iter().map(|name| valued(&labels, name)).collect();
            match groups.get_mut(&key) {
                Some(sum) => sum.add(&growth),
                None => drop(groups.insert(key, growth)),
            }
        }
        groups
    }

    /// The growth of a whole family; `None` if the process does not have it.
    pub fn total(&self, family: &str) -> Option<Growth> {
        self.grown(family, &[]).into_values().next()
    }

    fn growth(&self, before: Option<Value>, now: Value) -> Growth {
        let seconds = self.seconds;
        match (before, now) {
            (Some(Value::Number(was)), Value::Number(is)) => {
                Growth { count: since(was, is), seconds, observed: None }
            }
            (_, Value::Number(is)) => Growth { count: is, seconds, observed: None },
            (Some(Value::Histogram(was)), Value::Histogram(is)) => {
                let observed = is.since(&was);
                Growth { count: observed.count, seconds, observed: Some(observed) }
            }
            (_, Value::Histogram(is)) => Growth { count: is.count, seconds, observed: Some(is) },
        }
    }
}

/// The labels of a series, sorted by name.
type Labels<'a> = Vec<(&'a str, &'a str)>;

fn valued(labels: &[(&str, &str)], name: &str) -> String {
    labels.iter().find(|(n, _)| *n == name).map_or(String::new(), |(_, v)| (*v).to_owned())
}

/// Whether series without one of their own were added to this one.
fn is_folded(labels: &[(&str, &str)]) -> bool {
    labels.iter().any(|(_, value)| *value == MORE)
}

/// Pages are sorted, so a series that is new can push another one out of its place into a folded one, whose value then jumps
/// by all that was ever counted. What has a place of its own in one scrape only is therefore taken as folded in both; a
/// folded series that seems to shrink nevertheless is one of which nothing is known.
fn gather<'a>(before: &mut BTreeMap<Labels<'a>, Value>, now: &mut BTreeMap<Labels<'a>, Value>) {
    if before.is_empty() {
        return;
    }
    let both = before.keys().chain(now.keys()).filter(|labels| is_folded(labels));
    let folded: BTreeSet<Labels<'a>> = both.cloned().collect();
    if folded.is_empty() {
        return;
    }
    let alone = |of: &BTreeMap<Labels<'a>, Value>, other: &BTreeMap<Labels<'a>, Value>| {
        let mine = of.keys().filter(|labels| !is_folded(labels) && !other.contains_key(*labels));
        mine.cloned().collect::<Vec<_>>()
    };
    let (gone, new) = (alone(before, now), alone(now, before));
    for (of, labels) in [(before, gone), (now, new)] {
        for labels in labels {
            let Some(into) = place(&labels, &folded) else { continue };
            if let Some(value) = of.remove(&labels) {
                match of.get_mut(into) {
                    Some(sum) => sum.add(value),
                    None => drop(of.insert(into.clone(), value)),
                }
            }
        }
    }
}

/// The folded series that one would be added to: rather one that keeps what is exact than one that keeps nothing.
fn place<'f, 'a>(
    labels: &[(&str, &str)],
    folded: &'f BTreeSet<Labels<'a>>,
) -> Option<&'f Labels<'a>> {
    let fits = |(name, value): &(&str, &str)| {
        *value == MORE || (is_exact(name) && valued(labels, name) == *value)
    };
    let fitting = folded.iter().filter(|into| into.iter().all(fits));
    fitting.max_by_key(|into| exact(into))
}

/// How many labels of a folded series still say something.
fn exact(labels: &[(&str, &str)]) -> usize {
    labels.iter().filter(|(_, value)| *value != MORE).count()
}

/// From a counter's value to a later one.
fn since(was: f64, is: f64) -> f64 {
    if is < was { is } else { is - was }
}

impl Growth {
    /// A second.
    pub fn rate(&self) -> f64 {
        self.count / self.seconds
    }

    /// A quantile of what was observed; `None` for what is no histogram or saw nothing.
    pub fn quantile(&self, q: f64) -> Option<Quantile> {
        self.observed.as_ref()?.quantile(q)
    }

    /// The mean of what was observed; `None` if nothing was.
    pub fn mean(&self) -> Option<f64> {
        let observed = self.observed.as_ref()?;
        (observed.count > 0.0)
            .then(|| observed.sum / observed.count)
            .filter(|mean| mean.is_finite())
    }

    /// Adds another growth of the same span: observations are added up, quantiles never.
    pub fn add(&mut self, other: &Growth) {
        self.count += other.count;
        if let (Some(a), Some(b)) = (&self.observed, &other.observed) {
            let mut sum = Value::Histogram(a.clone());
            sum.add(Value::Histogram(b.clone()));
            if let Value::Histogram(sum) = sum {
                self.observed = Some(sum);
            }
        }
    }
}

impl Histogram {
    /// What was observed since an earlier state of it.
    fn since(&self, was: &Histogram) -> Histogram {
        if self.count < was.count {
            return self.clone();
        }
        // Lists by bound: a family may have got another bound meanwhile.
        let before = |bound: f64| {
            let at = was.bounds.iter().position(|b| *b == bound);
            at.map_or(0.0, |at| was.counts[at])
        };
        let pairs = self.bounds.iter().zip(&self.counts);
        Histogram {
            bounds: self.bounds.clone(),
            counts: pairs.map(|(bound, count)| (count - before(*bound)).max(0.0)).collect(),
            sum: self.sum - was.sum,
            count: self.count - was.count,
        }
    }

    /// The quantile by linear interpolation within its bucket, from 0 in the first (as Prometheus' `histogram_quantile`,
    /// promql/quantile.go). Buckets are taken as rising: scrapes are not atomic. Without a bucket that holds all there is
    /// none, since nobody knows how many are above the last.
    pub fn quantile(&self, q: f64) -> Option<Quantile> {
        self.bounds.last().filter(|bound| bound.is_infinite())?;
        let mut cumulative = 0.0_f64;
        let mut counts: Vec<f64> = vec![];
        for count in &self.counts {
            cumulative = cumulative.max(*count);
            counts.push(cumulative);
        }
        let total = counts.last().copied()?;
        if total <= 0.0 || total.is_nan() {
            return None;
        }
        if total < FEW && q > 0.5 {
            return Some(Quantile::Few(total as u64));
        }
        let rank = q * total;
        let at = counts.iter().position(|count| *count >= rank)?;
        let highest = self.bounds.iter().rev().find(|b| b.is_finite()).copied();
        if self.bounds[at].is_infinite() {
            return highest.map(Quantile::AtLeast);
        }
        let (lower, below) = match at {
            0 => (0.0, 0.0),
            at => (self.bounds[at - 1], counts[at - 1]),
        };
        let upper = self.bounds[at];
        if at == 0 && upper <= 0.0 {
            return Some(Quantile::At(upper));
        }
        let share = if counts[at] > below { (rank - below) / (counts[at] - below) } else { 1.0 };
        Some(Quantile::At(lower + (upper - lower) * share))
    }
}

#[cfg(test)]
#[path = "growth_tests.rs"]
mod tests;
