//! The sections of the board, one function each.

use super::limits::{self, Verdict};
use super::names::{self, Naming};
use super::{Facts, Grown, Measured, Section, cache, itself, stored};
use crate::state::metrics::growth::Growth;
use crate::state::metrics::scrape::{MORE, Value};
use std::collections::BTreeMap;

/// All of them, the overview first.
pub(super) fn all(facts: &Facts<'_>) -> Vec<Measured> {
    let mut rows = vec![];
    requests(facts, &mut rows);
    open(facts, &mut rows);
    watches(facts, &mut rows);
    webhooks(facts, &mut rows);
    stored::storage(facts, &mut rows);
    stored::etcd(facts, &mut rows);
    deprecated(facts, &mut rows);
    itself::itself(facts, &mut rows);
    rows
}

/// A row of the overview that says why there is nothing to read.
pub(super) fn absent(
    facts: &Facts<'_>,
    rows: &mut Vec<Measured>,
    name: &str,
    naming: &Naming,
    hint: &str,
) {
    let source = naming.of(facts.now);
    let mut row = Measured::new(Section::Overview, name, source.unwrap_or(naming.names[0].0));
    row.why = match (source, hint) {
        (Some(_), _) => "nothing to compare with yet: it takes two scrapes of one process".into(),
        (None, "") => naming.absent(),
        (None, hint) => format!("{}; {hint}", naming.absent()),
    };
    rows.push(row);
}

/// Adds up growths by a part of their labels.
pub(super) fn added(
    grown: &Grown,
    key: impl Fn(&[String]) -> Option<String>,
) -> BTreeMap<String, Growth> {
    let mut sums: BTreeMap<String, Growth> = BTreeMap::new();
    for (labels, growth) in grown {
        let Some(key) = key(labels) else { continue };
        match sums.get_mut(&key) {
            Some(sum) => sum.add(growth),
            None => drop(sums.insert(key, growth.clone())),
        }
    }
    sums
}

pub(super) fn total(grown: &Grown, which: impl Fn(&[String]) -> bool) -> Option<Growth> {
    added(grown, |labels| which(labels).then(String::new)).into_values().next()
}

/// `deployments.apps/scale`, as rules and `kubectl` name it.
fn resource(group: &str, resource: &str, sub: &str) -> String {
    if [group, resource].contains(&MORE) {
        return MORE.to_owned();
    }
    // Before 1.34 the group stood in the same label.
    let has = resource.strip_suffix(group).is_some_and(|rest| rest.ends_with('.'));
    let name = match (group, resource) {
        ("", _) | (_, "") => resource.to_owned(),
        _ if has => resource.to_owned(),
        _ => format!("{resource}.{group}"),
    };
    match (resource, sub) {
        (_, "") => name,
        // Paths that are no resources stand there by themselves.
        ("", path) => path.to_owned(),
        (_, sub) => format!("{name}/{sub}"),
    }
}

/// A group and a resource, which stood in a third label once: as a kind, a Go type or a path in etcd.
pub(super) fn named(labels: &[String]) -> String {
    let text = |i: usize| labels.get(i).map_or("", String::as_str);
    match text(1) {
        "" => resource(text(0), text(2).rsplit('/').next().unwrap_or_default(), ""),
        name => resource(text(0), name, ""),
    }
}

/// Whether an answer's code is the server's failure: its own errors, and those it turned away.
fn is_failure(code: &str) -> bool {
    code.starts_with('5') || code == "429"
}

fn request(labels: &[String]) -> String {
    let what = resource(&labels[1], &labels[2], &labels[3]);
    format!("{} {what}", labels[0])
}

fn requests(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    let Some((source, counts)) = facts.grown(&names::REQUESTS) else {
        return absent(facts, rows, "all requests", &names::REQUESTS, "");
    };
    let times = facts.grown(&names::DURATION).map(|(_, grown)| grown).unwrap_or_default();
    let failed = total(&counts, |l| is_failure(&l[4])).map_or(0.0, |g| g.rate());
    let mut all = Measured::new(Section::Overview, "all requests", source);
    if let Some(sum) = total(&counts, |_| true) {
        all = all.grown(&sum);
        all.errors = Some(failed);
        let share = if sum.rate() > 0.0 { failed / sum.rate() } else { 0.0 };
        if facts.judges() {
            let verdict = facts.limits.judge(&limits::ERRORS, share);
            all.warn(verdict, || {
                let (over, source) = facts.limits.get(&limits::ERRORS).reached(verdict);
                let (share, over) = (share * 100.0, over * 100.0);
                format!("{share:.1} % of the answers are 5xx or 429, over {over} %: {source}")
            });
        }
    }
    if let Some(sum) = total(&times, |_| true) {
        all = all.timed(&sum);
    }
    rows.push(all);
    for (name, verbs) in [
        ("reads", &["GET", "LIST"][..]),
        ("writes", &["POST", "PUT", "PATCH", "DELETE", "APPLY", "DELETECOLLECTION"]),
    ] {
        let mine = |l: &[String]| verbs.contains(&l[0].as_str());
        let mut row = Measured::new(Section::Overview, name, source);
        let Some(sum) = total(&counts, mine) else { continue };
        row = row.grown(&sum);
        row.errors =
            Some(total(&counts, |l| mine(l) && is_failure(&l[4])).map_or(0.0, |g| g.rate()));
        if let Some(sum) = total(&times, mine) {
            row = row.timed(&sum);
        }
        // Lists have a limit of their own, so reads are judged one by one.
        let row = if name == "writes" { facts.judged(row, &limits::SINGLE) } else { row };
        rows.push(row);
    }
    by_request(facts, source, &counts, &times, rows);
}

fn by_request(
    facts: &Facts<'_>,
    source: &'static str,
    counts: &Grown,
    times: &Grown,
    rows: &mut Vec<Measured>,
) {
    let errors = added(counts, |l| is_failure(&l[4]).then(|| request(l)));
    let times = added(times, |l| Some(request(l)));
    for (name, sum) in added(counts, |l| Some(request(l))) {
        let mut row = Measured::new(Section::Requests, &name, source).grown(&sum);
        row.errors = Some(errors.get(&name).map_or(0.0, Growth::rate));
        if let Some(times) = times.get(&name) {
            let limit = if name.starts_with("LIST ") || name.starts_with("DELETECOLLECTION ") {
                &limits::MANY
            } else {
                &limits::SINGLE
            };
            row = facts.judged(row.timed(times), limit);
        }
        rows.push(row);
    }
}

/// What is open at this moment.
fn open(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    for (name, naming) in [("in flight", &names::IN_FLIGHT), ("in queues", &names::IN_QUEUE)] {
        let Some(source) = naming.of(facts.now) else {
            absent(facts, rows, name, naming, "");
            continue;
        };
        let mut row = Measured::new(Section::Overview, name, source);
        row.now = facts.now.number(source, &[]);
        // By kind only the older family tells: the most of a second, which is not what there is now.
        let kind = |kind: &str| facts.now.number(source, &[("request_kind", kind)]);
        if let Some((reads, writes)) = kind("readOnly").zip(kind("mutating")) {
            row.why = format!("within the last second at most {reads} reading, {writes} writing");
        }
        rows.push(row);
    }
    let Some(source) = names::LONG_RUNNING.of(facts.now) else {
        return absent(facts, rows, "long-running", &names::LONG_RUNNING, "");
    };
    let mut row = Measured::new(Section::Overview, "long-running", source);
    row.now = facts.now.number(source, &[]);
    row.why =
        "watches, logs, shells and forwards that are open; under no priority and fairness".into();
    rows.push(row);
    for (labels, value) in facts.now.grouped(source, &["verb", "group", "resource", "subresource"])
    {
        let mut row = Measured::new(Section::LongRunning, request(&labels), source);
        row.now = number(&value);
        rows.push(row);
    }
    if let Some((source, grown)) = facts.grown(&names::TERMINATED)
        && let Some(sum) = total(&grown, |_| true)
    {
        let mut row = Measured::new(Section::Overview, "given up", source).grown(&sum);
        row.why = "requests that the server ended before they were answered".into();
        rows.push(row);
    }
}

pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => Some(*n).filter(|n| n.is_finite()),
        Value::Histogram(h) => Some(h.count),
    }
}

fn watches(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    match facts.grown(&names::WATCH_EVENTS) {
        None => absent(facts, rows, "watch events", &names::WATCH_EVENTS, ""),
        Some((source, grown)) => {
            if let Some(sum) = total(&grown, |_| true) {
                let mut row = Measured::new(Section::Overview, "watch events", source).grown(&sum);
                row.why = "events sent to all watchers".into();
                rows.push(row);
            }
            for (name, growth) in added(&grown, |l| Some(named(l))) {
                rows.push(
                    Measured::new(Section::Watches, format!("events {name}"), source)
                        .grown(&growth),
                );
            }
        }
    }
    cache::cache(facts, rows);
}

fn webhooks(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    let Some((source, grown)) = facts.grown(&names::WEBHOOKS) else {
        return absent(
            facts,
            rows,
            "webhooks",
            &names::WEBHOOKS,
            "none was called since the server started",
        );
    };
    let failed = facts.grown(&names::REJECTIONS).map(|(_, grown)| grown).unwrap_or_default();
    let opened = facts.grown(&names::FAIL_OPEN).map(|(_, grown)| grown).unwrap_or_default();
    // A refusal is a webhook's work; what fails says which way.
    let failing = |l: &[String]| !matches!(l[1].as_str(), "" | "no_error");
    let all = total(&grown, |_| true);
    if let Some(sum) = all {
        let row = Measured::new(Section::Overview, "webhooks", source).grown(&sum);
        let mut row = facts.judged(row, &limits::WEBHOOK);
        row.errors = Some(
            total(&failed, failing).map_or(0.0, |g| g.rate())
                + total(&opened, |_| true).map_or(0.0, |g| g.rate()),
        );
        rows.push(row);
    }
    for (name, sum) in added(&grown, |l| Some(l[0].clone())) {
        let row = Measured::new(Section::Webhooks, &name, source).grown(&sum);
        let mut row = facts.judged(row, &limits::WEBHOOK);
        let failures = total(&failed, |l| l[0] == name && failing(l)).map_or(0.0, |g| g.rate());
        let passed = total(&opened, |l| l[0] == name).map_or(0.0, |g| g.rate());
        row.errors = Some(failures + passed);
        if !facts.judges() {
            // A call that failed once since the server's start is no trouble of now.
        } else if failures > 0.0 {
            row.warn(Verdict::Bad, || "calls fail or time out, and with them the requests".into());
        } else if passed > 0.0 {
            row.warn(Verdict::Warn, || {
                "calls fail and are passed over (failurePolicy Ignore)".into()
            });
        }
        rows.push(row);
    }
}

fn deprecated(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    let mut all = Measured::new(Section::Overview, "deprecated APIs", names::DEPRECATED.names[0].0);
    let Some(source) = names::DEPRECATED.of(facts.now) else {
        // A gauge without series until the first such request: absent says that nobody asked.
        all.why = "none was asked for since this server started".into();
        return rows.push(all);
    };
    let asked = facts.now.grouped(source, names::DEPRECATED.labels);
    let goes = |labels: &&Vec<String>| !labels[4].is_empty();
    let (going, all_of) = (asked.keys().filter(goes).count(), asked.len());
    all.now = Some(going as f64);
    if going > 0 {
        all.warn(Verdict::Warn, || {
            "asked for since this server started; a later release removes them".into()
        });
    }
    if all_of > going {
        let rest = all_of - going;
        all.why = match going {
            0 => format!("{rest} asked for since this server started; no release removes them yet"),
            _ => format!("{}; {rest} more that no release removes yet", all.why),
        };
    }
    rows.push(all);
    for labels in asked.into_keys() {
        let name = resource(&labels[0], &labels[2], &labels[3]);
        let mut row = Measured::new(Section::Deprecated, format!("{name} {}", labels[1]), source);
        match labels[4].as_str() {
            "" => row.why = "deprecated; no release removes it yet".into(),
            release => row.warn(Verdict::Warn, || format!("removed in {release}")),
        }
        rows.push(row);
    }
}
