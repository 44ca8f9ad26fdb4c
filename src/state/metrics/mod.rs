//! Metrics as servers expose them in text (Prometheus exposition format 0.0.4): parsed while they stream, added up by the
//! labels that matter, and compared between two scrapes of the same process.
//!
//! How it is used: a list of [`Want`]s says which families matter and by which labels; [`Parser`] takes the answer in
//! pieces and ends in a [`Scrape`]; a [`Span`] of two scrapes of one process has rates and, by [`Growth`], quantiles.
//! `app/cluster/scrape.rs` is who fetches.
//!
//! Invariant: what a server does not expose is absent (`None`, no series), never zero.

pub mod apiserver;
mod family;
pub mod growth;
pub mod parse;
pub mod ring;
pub mod scrape;

use std::borrow::Cow;

pub use growth::{Break, Growth, Quantile, Span};
pub use parse::Parser;
pub use ring::{Histories, History, Ring};
pub use scrape::{Cost, Family, Histogram, Scrape, Value};

/// Which labels of a family tell its series apart here; what differs only in others is added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// One number for the whole family.
    Total,
    /// These labels.
    Labels(Cow<'static, [&'static str]>),
    /// Every label.
    All,
}

/// A family that is wanted. Series of gauges are added up like those of counters, so a gauge is asked for by the labels that
/// make its sum meaningful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Its name, without the `_bucket`, `_sum` and `_count` of a histogram.
    pub family: &'static str,
    /// How its series are told apart.
    pub by: By,
    /// Series with one of these label values are left out.
    pub without: &'static [(&'static str, &'static str)],
}

impl Want {
    /// A family as one number.
    pub const fn total(family: &'static str) -> Want {
        Want { family, by: By::Total, without: &[] }
    }

    /// A family by some of its labels.
    pub const fn by(family: &'static str, labels: &'static [&'static str]) -> Want {
        Want { family, by: By::Labels(Cow::Borrowed(labels)), without: &[] }
    }

    /// A family with all of its labels.
    pub const fn all(family: &'static str) -> Want {
        Want { family, by: By::All, without: &[] }
    }

    /// Without series that have one of these label values. Of two that want a family, one wins that leaves nothing out, so
    /// whoever reads leaves them out too.
    pub const fn without(mut self, without: &'static [(&'static str, &'static str)]) -> Want {
        self.without = without;
        self
    }

    /// What serves both: labels of either, and nothing left out that one of them needs.
    pub fn joined(&self, other: &Want) -> Want {
        let by = match (&self.by, &other.by) {
            (By::All, _) | (_, By::All) => By::All,
            (By::Total, by) | (by, By::Total) => by.clone(),
            (By::Labels(a), By::Labels(b)) => {
                let more = b.iter().filter(|l| !a.contains(l));
                By::Labels(a.iter().chain(more).copied().collect())
            }
        };
        let without = if self.without == other.without { self.without } else { &[] };
        Want { family: self.family, by, without }
    }
}

/// Start of the process in seconds since 1970 (client_golang `process_collector.go`): the identity of a process, since it
/// changes with each start and differs between servers behind one address.
pub const STARTED: &str = "process_start_time_seconds";
