//! What is stored, and how etcd does as the API server sees it.

use super::limits::{self, Verdict};
use super::names;
use super::sections::{absent, added, named, number, total};
use super::{Facts, Measured, Section};
use crate::state::metrics::growth::Growth;
use crate::state::metrics::scrape::Value;

/// Leases as a resource.
const LEASES: &str = "leases.coordination.k8s.io";

/// Objects and bytes by resource, and etcd's file.
pub(super) fn storage(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    let sizes = names::OBJECT_BYTES.of(facts.now);
    let sizes =
        sizes.map(|name| facts.now.grouped(name, &["group", "resource"])).unwrap_or_default();
    match names::OBJECTS.of(facts.now) {
        None => {
            absent(facts, rows, "objects", &names::OBJECTS, "");
            absent(facts, rows, "leases", &names::OBJECTS, "");
        }
        Some(source) => {
            let (mut objects, mut unknown, mut bytes) = (0.0, 0, 0.0);
            for (labels, value) in facts.now.grouped(source, &["group", "resource"]) {
                let mut row = Measured::new(Section::Storage, named(&labels), source);
                match number(&value) {
                    // -1 says that it could not be counted.
                    Some(n) if n >= 0.0 => {
                        objects += n;
                        row.now = Some(n);
                    }
                    _ => {
                        unknown += 1;
                        row.warn(Verdict::Warn, || "the server could not count them".into());
                    }
                }
                row.bytes = sizes.get(&labels).and_then(number).filter(|b| *b >= 0.0);
                bytes += row.bytes.unwrap_or_default();
                rows.push(row);
            }
            let mut row = Measured::new(Section::Overview, "objects", source);
            (row.now, row.bytes) = (Some(objects), (!sizes.is_empty()).then_some(bytes));
            if unknown > 0 {
                row.warn(Verdict::Warn, || format!("{unknown} resources could not be counted"));
            } else if sizes.is_empty() {
                row.why = "bytes by resource: from 1.34 on".into();
            }
            rows.push(row);
            leases(source, rows);
        }
    }
    files(facts, rows);
}

/// etcd's files: there may be several, by endpoint or cluster, and their sum says nothing of any.
fn files(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    let Some(source) = names::DATABASE.of(facts.now) else {
        return absent(facts, rows, "database file", &names::DATABASE, "");
    };
    let mut files = vec![];
    for (labels, value) in facts.now.grouped(source, names::DATABASE.labels) {
        let label = labels.iter().find(|l| !l.is_empty()).map_or("", String::as_str);
        let mut row = Measured::new(Section::Storage, format!("database file {label}"), source);
        row.bytes = number(&value).filter(|bytes| *bytes >= 0.0);
        row.why = "allocated by etcd".into();
        files.push(row);
    }
    let mut row = Measured::new(Section::Overview, "database file", source);
    row.bytes = files.iter().filter_map(|file| file.bytes).reduce(f64::max);
    row.why = "allocated by etcd, as the API server sees it; what is in use and the quota only etcd knows".into();
    if files.len() > 1 {
        row.why =
            format!("the largest of {}, each a row of section storage; {}", files.len(), row.why);
        rows.append(&mut files);
    }
    rows.push(row);
}

/// Lease objects, which are renewed all the time.
fn leases(source: &'static str, rows: &mut Vec<Measured>) {
    let mut row = Measured::new(Section::Overview, "leases", source);
    match rows.iter().find(|r| r.section == Section::Storage && r.name == LEASES) {
        Some(found) if found.now.is_none() => row.why = "the server could not count them".into(),
        Some(found) => {
            (row.now, row.bytes) = (found.now, found.bytes);
            row.why =
                "of nodes, leaders and API servers; each renews its own every 2 to 10 s".into();
        }
        None => row.why = format!("not counted: {source} has no series of them"),
    }
    rows.push(row);
}

/// etcd as the API server sees it.
pub(super) fn etcd(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    etcd_requests(facts, rows);
    etcd_watches(facts, rows);
}

fn etcd_requests(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    let Some((source, times)) = facts.grown(&names::ETCD) else {
        return absent(facts, rows, "etcd requests", &names::ETCD, "");
    };
    let errors = facts.grown(&names::ETCD_ERRORS);
    let row = |section, name: String, sum: &Growth, failed: Option<f64>| {
        let mut row = facts.judged(Measured::new(section, name, source).grown(sum), &limits::ETCD);
        // A family of errors without series: none failed, or none is counted. Which, only its version says.
        row.errors = failed;
        row
    };
    if let Some(sum) = total(&times, |_| true) {
        let failed = errors.as_ref().and_then(|(_, e)| total(e, |_| true)).map(|g| g.rate());
        rows.push(row(Section::Overview, "etcd requests".into(), &sum, failed));
    }
    let name = |l: &[String]| Some(format!("{} {}", l[0], named(&l[1..])));
    let failed = errors.as_ref().map(|(_, e)| added(e, name));
    for (subject, sum) in added(&times, name) {
        let failed = failed.as_ref().map(|f| f.get(&subject).map_or(0.0, Growth::rate));
        rows.push(row(Section::Etcd, subject, &sum, failed));
    }
}

/// What keeps watches fresh without events, and what events expire by.
fn etcd_watches(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    match names::BOOKMARKS.of(facts.now) {
        None => absent(facts, rows, "etcd bookmarks", &names::BOOKMARKS, ""),
        Some(source) => {
            let mut row = Measured::new(Section::Overview, "etcd bookmarks", source);
            let grown = facts.grown(&names::BOOKMARKS).map(|(_, grown)| grown);
            if let Some(sum) = grown.as_ref().and_then(|grown| total(grown, |_| true)) {
                row = row.grown(&sum);
            }
            row.why =
                "progress notifications of etcd's watches: what watch caches are fresh by".into();
            rows.push(row);
            for (name, growth) in added(&grown.unwrap_or_default(), |l| Some(named(l))) {
                let row = Measured::new(Section::Watches, format!("bookmarks {name}"), source);
                rows.push(row.grown(&growth));
            }
        }
    }
    let Some(source) = names::LEASES.of(facts.now) else {
        return absent(facts, rows, "etcd leases", &names::LEASES, "");
    };
    if let Some(Value::Histogram(h)) = facts.now.grouped(source, &[]).into_values().next() {
        let mut row = Measured::new(Section::Overview, "etcd leases", source);
        row.now = Some(h.count);
        row.why = match h.count {
            0.0 => "none was used up since the server started".into(),
            n => format!("used up since the server started, {:.0} objects each", h.sum / n),
        };
        rows.push(row);
    }
}
