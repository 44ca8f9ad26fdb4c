//! How the watch cache does: what it answered, what it did not, and how long reads waited for it.

use super::limits::{self, Verdict};
use super::sections::{absent, added, named, total};
use super::{Facts, Grown, Measured, Section, names};
use crate::state::metrics::Growth;
use std::collections::BTreeMap;

/// Consistent reads that the watch cache did not answer, by what became of them (`success` and `fallback`,
/// apiserver `storage/cacher/delegator.go`).
#[derive(Clone, Copy, PartialEq)]
enum Miss {
    /// etcd was asked instead.
    ToEtcd,
    /// The client was told to come again (429): what 1.37 does instead, `skipped`.
    TurnedAway,
    /// Nobody answered.
    Failed,
}

fn miss(labels: &[String]) -> Option<Miss> {
    match (labels[2].as_str(), labels[3].as_str()) {
        (_, "true") => Some(Miss::ToEtcd),
        (_, "skipped") => Some(Miss::TurnedAway),
        ("false", _) => Some(Miss::Failed),
        _ => None,
    }
}

pub(super) fn cache(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    let Some((source, reads)) = facts.grown(&names::CACHE_READS) else {
        return absent(
            facts,
            rows,
            "watch cache",
            &names::CACHE_READS,
            "none was read through the cache yet, or before 1.31",
        );
    };
    let waits = facts.grown(&names::CACHE_WAIT).map(|(_, grown)| grown).unwrap_or_default();
    let inits = facts.grown(&names::CACHE_INITS).and_then(|(_, g)| total(&g, |_| true));
    let row = |section, name: String, reads: &Grown, waited: Option<&Growth>| {
        let mut row = Measured::new(section, name, source);
        if let Some(sum) = total(reads, |_| true) {
            row = row.grown(&sum);
        }
        let missed = [Miss::ToEtcd, Miss::TurnedAway, Miss::Failed]
            .map(|kind| total(reads, |l| miss(l) == Some(kind)).map_or(0.0, |grown| grown.rate()));
        row.errors = Some(missed.iter().sum());
        if let Some(waited) = waited {
            row = facts.judged(row.timed(waited), &limits::CACHE);
        }
        if facts.judges() && missed.iter().any(|rate| *rate > 0.0) {
            row.warn(Verdict::Warn, || unanswered(missed));
        }
        row
    };
    let waited = total(&waits, |_| true);
    let mut all = row(Section::Overview, "watch cache".into(), &reads, waited.as_ref());
    if all.why.is_empty() {
        let inits = inits.map_or(0.0, |g| g.count);
        all.why = format!(
            "consistent reads from it; ERR/S are those it did not answer; {inits:.0} caches filled anew"
        );
    }
    rows.push(all);
    let waits = added(&waits, |l| Some(named(l)));
    let mut resources: BTreeMap<String, Grown> = BTreeMap::new();
    for (labels, growth) in &reads {
        let of = resources.entry(named(&labels[..2])).or_default();
        of.insert(labels.clone(), growth.clone());
    }
    for (name, reads) in resources {
        let waited = waits.get(&name);
        rows.push(row(Section::Watches, format!("cache {name}"), &reads, waited));
    }
}

/// What became of reads that the watch cache did not answer, a second.
fn unanswered([to_etcd, turned_away, failed]: [f64; 3]) -> String {
    let words = [
        (to_etcd, "fall back to etcd: the cache is behind"),
        (turned_away, "are turned away with 429: the cache is behind"),
        (failed, "fail"),
    ];
    let some = words.iter().filter(|(rate, _)| *rate > 0.0).map(|(_, words)| *words);
    format!("consistent reads {}", some.collect::<Vec<_>>().join(", others "))
}
