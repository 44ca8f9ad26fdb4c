//! The API server and etcd board: what a reading says, as rows. First an overview, one row a matter, then the rows behind it
//! by section, the busiest first. What a server does not expose is a row that says so.

mod cache;
mod itself;
pub mod limits;
pub mod names;
mod sections;
mod stored;

use super::growth::{Growth, Quantile};
use super::{Scrape, Span};
use limits::{Limit, Limits, Verdict};
use std::collections::BTreeMap;

/// A part of the board, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// One row a matter.
    Overview,
    /// By verb and resource.
    Requests,
    /// Open requests by resource.
    LongRunning,
    /// Events to watchers and the watch cache, by resource.
    Watches,
    /// By webhook.
    Webhooks,
    /// Objects and bytes by resource.
    Storage,
    /// etcd by operation and type, as the API server sees it.
    Etcd,
    /// etcd about itself.
    EtcdItself,
    /// Deprecated APIs in use.
    Deprecated,
}

impl Section {
    /// Its word, in columns and filters.
    pub fn word(self) -> &'static str {
        match self {
            Section::Overview => "overview",
            Section::Requests => "requests",
            Section::LongRunning => "long-running",
            Section::Watches => "watches",
            Section::Webhooks => "webhooks",
            Section::Storage => "storage",
            Section::Etcd => "etcd",
            Section::EtcdItself => "etcd-own",
            Section::Deprecated => "deprecated",
        }
    }
}

/// One row. What is `None` is absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Where it stands.
    pub section: Section,
    /// What it is about.
    pub name: String,
    /// A second.
    pub rate: Option<f64>,
    /// Failures a second.
    pub errors: Option<f64>,
    /// Seconds.
    pub p50: Option<Quantile>,
    /// Seconds.
    pub p99: Option<Quantile>,
    /// Observations behind the quantiles.
    pub seen: Option<f64>,
    /// Seconds that the rates, the quantiles and what was seen are over.
    pub window: Option<f64>,
    /// How many there are now.
    pub now: Option<f64>,
    /// Bytes now.
    pub bytes: Option<f64>,
    /// Against its threshold.
    pub verdict: Verdict,
    /// What there is to say.
    pub why: String,
    /// The metric it comes from, by the name this server uses.
    pub source: &'static str,
}

impl Measured {
    /// A row that says nothing yet.
    pub fn new(section: Section, name: impl Into<String>, source: &'static str) -> Measured {
        Measured {
            section,
            name: name.into(),
            rate: None,
            errors: None,
            p50: None,
            p99: None,
            seen: None,
            window: None,
            now: None,
            bytes: None,
            verdict: Verdict::None,
            why: String::new(),
            source,
        }
    }

    /// With what grew.
    fn grown(mut self, growth: &Growth) -> Measured {
        (self.rate, self.window) = (Some(growth.rate()), Some(growth.seconds));
        if growth.observed.is_some() {
            self = self.timed(growth);
        }
        self
    }

    /// With how long it took.
    fn timed(mut self, growth: &Growth) -> Measured {
        self.p50 = growth.quantile(0.5);
        self.p99 = growth.quantile(0.99);
        (self.seen, self.window) = (Some(growth.count), Some(growth.seconds));
        self
    }

    /// Compared with a threshold, by its p99.
    fn judged(mut self, limits: &Limits, limit: &Limit) -> Measured {
        let (slow, least) = match self.p99 {
            Some(Quantile::At(s)) => (s, ""),
            Some(Quantile::AtLeast(s)) => (s, "at least "),
            Some(Quantile::Few(_)) | None => return self,
        };
        let verdict = limits.judge(limit, slow);
        self.warn(verdict, || {
            let limit = limits.get(limit);
            let (over, source) = limit.reached(verdict);
            format!("p99 of {least}{} is over {over} {}: {source}", seconds(slow), limit.unit)
        });
        self
    }

    /// Takes a verdict if it is worse than the one it has; words only where something is to be said.
    fn warn(&mut self, verdict: Verdict, words: impl FnOnce() -> String) {
        if verdict > self.verdict {
            self.verdict = verdict;
            if verdict >= Verdict::Warn {
                self.why = words();
            }
        }
    }
}

/// `350 ms`, `1.2 s`.
pub fn seconds(s: f64) -> String {
    match s {
        s if s < 0.001 => format!("{:.0} us", s * 1e6),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s => format!("{s:.1} s"),
    }
}

/// What the board is made from.
pub struct Facts<'a> {
    /// The newest scrape.
    pub now: &'a Scrape,
    /// An earlier one of the same process, or the process' own start.
    pub span: Option<Span<'a>>,
    /// etcd's own metrics, or why they are not to be had; `None` if nobody said where they are.
    pub etcd: Option<Result<Etcd<'a>, String>>,
    /// In force.
    pub limits: &'a Limits,
}

/// etcd's own metrics.
pub struct Etcd<'a> {
    /// The newest scrape.
    pub now: &'a Scrape,
    /// An earlier one.
    pub span: Option<Span<'a>>,
}

/// The board's rows in their order: sections, within them the busiest first.
pub fn board(facts: &Facts<'_>) -> Vec<Measured> {
    let mut rows = sections::all(facts);
    let weight = |row: &Measured| {
        let busy = row.rate.or(row.bytes).or(row.now).unwrap_or(-1.0);
        (busy * 1e6) as i64
    };
    // The overview stands as it was written; the sort is stable.
    rows.sort_by(|a, b| {
        a.section.cmp(&b.section).then_with(|| match a.section {
            Section::Overview | Section::EtcdItself => std::cmp::Ordering::Equal,
            _ => weight(b).cmp(&weight(a)).then_with(|| a.name.cmp(&b.name)),
        })
    });
    rows
}

/// Growth by some labels: of the naming this server uses.
type Grown = BTreeMap<Vec<String>, Growth>;

impl Facts<'_> {
    /// What grew of what this server exposes. `None`: it exposes none of it, or there is nothing to compare with;
    /// [`sections::absent`] tells which.
    fn grown(&self, naming: &names::Naming) -> Option<(&'static str, Grown)> {
        let name = naming.of(self.now)?;
        Some((name, self.span?.grown(name, naming.labels)))
    }

    /// Whether what grew may be judged.
    fn judges(&self) -> bool {
        self.span.is_some_and(|span| span.is_recent())
    }

    /// A row compared with a threshold by its p99, if that tells how things are now.
    fn judged(&self, row: Measured, limit: &Limit) -> Measured {
        if self.judges() { row.judged(self.limits, limit) } else { row }
    }
}

impl Etcd<'_> {
    fn judges(&self) -> bool {
        self.span.is_some_and(|span| span.is_recent())
    }
}

#[cfg(test)]
mod tests;
