//! Calls the API server makes of webhooks, as it counts them.
//!
//! Who is called is told by name and type: `validating` or `admit` (apiserver `pkg/admission/metrics/metrics.go`; a
//! configuration of each sort may hold a webhook of one name), or [`CONVERSION`] with the name of the resource definition
//! (apiextensions-apiserver `pkg/apiserver/conversion/metrics.go`).

use super::{Line, Verdict, Writes};
use crate::state::cell::grouped;
use crate::state::time::{Epoch, span};
use std::collections::BTreeMap;

/// The type of webhooks that convert between versions of a custom resource.
pub const CONVERSION: &str = "conversion";
/// Seconds after which a success with one API server outweighs an older failure with another.
const SERVERS: i64 = 60;
/// Failures older than this are told with their age.
const FRESH: i64 = 20;
/// Failures remembered; the names are the cluster's.
const KEPT: usize = 500;

/// Name and type of a webhook.
pub type Called = (String, String);

/// Calls of a webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// All that were made.
    pub called: f64,
    /// Those that failed; a webhook that refuses does its work and is not among them.
    pub failed: f64,
}

/// What the API server counted between two scrapes of one process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls {
    /// Which process: the bits of its start time.
    pub process: u64,
    /// Seconds between the scrapes.
    pub seconds: f64,
    /// Calls by webhook.
    pub by: BTreeMap<Called, Count>,
    /// Writes to etcd.
    pub writes: Writes,
}

/// The last calls of a webhook that failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub at: Epoch,
    pub count: Count,
    seconds: f64,
    process: u64,
}

/// Webhooks whose last calls failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failures(BTreeMap<Called, Failure>);

impl Failures {
    pub(super) fn of(&self, called: &Called) -> Option<&Failure> {
        self.0.get(called)
    }

    /// What was counted in a span that ended at this time. One that was not called is as it was.
    pub(super) fn take_in(&mut self, calls: &Calls, at: Epoch) {
        let Calls { process, seconds, .. } = *calls;
        for (called, count) in &calls.by {
            let outweighs = |old: &Failure| old.process == process || old.at.age(at) > SERVERS;
            if count.failed > 0.0 {
                let count = Count { called: count.called.max(count.failed), ..*count };
                self.0.insert(called.clone(), Failure { at, count, seconds, process });
            } else if count.called > 0.0 && self.0.get(called).is_some_and(outweighs) {
                self.0.remove(called);
            }
        }
        while self.0.len() > KEPT {
            self.0.pop_first();
        }
    }
}

impl Failure {
    /// Whether none of those calls succeeded.
    pub fn is_all(&self) -> bool {
        self.count.failed >= self.count.called
    }

    /// `3 of 3,000 calls of that failed in 15 s`, with an age once it has one.
    pub fn words(&self, place: &str, now: Epoch) -> String {
        let Count { called, failed } = self.count;
        let number = |n: f64| grouped(n.round() as i64);
        let n = match self.is_all() {
            true if failed < 1.5 => "the only call".to_owned(),
            true => format!("all {} calls", number(failed)),
            false => format!("{} of {} calls", number(failed), number(called)),
        };
        let age = match self.at.age(now) {
            ..FRESH => String::new(),
            age => format!(", {} ago, and none is known to have succeeded since", span(age)),
        };
        format!("{n} of {place} failed in {:.0} s{age}", self.seconds)
    }
}

/// What was heard of calls.
pub(super) struct Heard<'a> {
    /// What was counted last, unless that is old.
    pub calls: Option<(Epoch, &'a Calls)>,
    pub failures: &'a Failures,
    /// Whether `/metrics` cannot be read.
    pub is_deaf: bool,
    pub now: Epoch,
}

impl Heard<'_> {
    /// Seconds between the last two scrapes.
    pub fn seconds(&self) -> f64 {
        self.calls.map_or(0.0, |(_, calls)| calls.seconds)
    }

    /// Why nothing can be said of what takes two scrapes.
    pub fn silence(&self) -> &'static str {
        match self.is_deaf {
            true => "the API server's /metrics would tell, and cannot be read",
            false => {
                "it takes two looks at the API server's /metrics, 15 s apart, as `wheelhouse health --watch` and the screen take them"
            }
        }
    }

    /// Calls of it in the last span, if there were any.
    pub fn count(&self, called: &Called) -> Option<(Epoch, Count)> {
        let (at, calls) = self.calls?;
        calls.by.get(called).filter(|count| count.called > 0.0).map(|count| (at, *count))
    }
}

/// A line for each resource definition whose objects were converted, or should have been.
pub(super) fn conversions(heard: &Heard<'_>) -> Vec<Line> {
    let last = heard.calls.iter().flat_map(|(_, calls)| calls.by.keys());
    let mut all: Vec<&Called> =
        heard.failures.0.keys().chain(last).filter(|(_, kind)| kind == CONVERSION).collect();
    all.sort();
    all.dedup();
    all.into_iter().filter_map(|called| conversion(called, heard)).collect()
}

fn conversion(called: &Called, heard: &Heard<'_>) -> Option<Line> {
    let name = &called.0;
    let place = format!("{name}'s conversion webhook");
    let (verdict, at, why) = match (heard.failures.of(called), heard.count(called)) {
        (Some(failure), _) => {
            let words = failure.words(&place, heard.now);
            let verdict = if failure.is_all() { Verdict::Bad } else { Verdict::Warn };
            let then = "objects stored in another version can be neither read, listed nor written, and whoever watches them \
                        stands still; look at the service in the definition's spec.conversion";
            (verdict, failure.at, format!("{words}: {then}"))
        }
        (None, Some((at, count))) => {
            let n = grouped(count.called.round() as i64);
            (Verdict::Ok, at, format!("none of {n} calls failed in {:.0} s", heard.seconds()))
        }
        (None, None) => return None,
    };
    Some(Line { at, ..Line::new("webhook", format!("{CONVERSION}/{name}"), verdict, why) })
}
