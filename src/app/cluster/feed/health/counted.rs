//! What the API server counts of its own calls: of etcd, and of webhooks.

use super::{Shared, pause, trouble};
use crate::app::cluster::scrape::{EVERY, Reading};
use crate::app::cluster::upstream::Upstream;
use crate::state::metrics::{Scrape, Span, Want};
use crate::state::rules::health::{CONVERSION, Called, Calls, Count, Writes};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const ETCD: &str = "etcd_request_duration_seconds";
const ETCD_ERRORS: &str = "etcd_request_errors_total";
/// A histogram: its count is the number of calls, whatever came of them.
const CALLED: &str = "apiserver_admission_webhook_admission_duration_seconds";
const REFUSED: &str = "apiserver_admission_webhook_rejection_count";
const PASSED: &str = "apiserver_admission_webhook_fail_open_count";
/// A histogram by whether the conversion succeeded; servers have it once a definition names a webhook.
const CONVERTED: &str = "apiserver_crd_conversion_webhook_duration_seconds";
/// Operations that need room in etcd (apiserver `pkg/storage/etcd3/store.go`; a patch is an update). Deletes pass when it is
/// full.
const WRITES: [&str; 2] = ["create", "update"];

/// What its parts want of each scrape.
pub(in crate::app::cluster) fn wants() -> [Want; 6] {
    [
        Want::by(ETCD, &["operation"]),
        Want::by(ETCD_ERRORS, &["operation"]),
        Want::by(CALLED, &["name", "type"]),
        Want::by(REFUSED, &["name", "type", "error_type"]),
        Want::by(PASSED, &["name", "type"]),
        Want::by(CONVERTED, &["crd_name", "succeeded"]),
    ]
}

/// What changed from one scrape of a process to its next, over and over.
pub(super) async fn calls(up: Arc<Upstream>, shared: Arc<Shared>) {
    let mut before: Vec<Taken> = vec![];
    let mut seen = 0;
    loop {
        let look = up.scrapes.next(&up.client, seen).await;
        let wait = look.as_ref().err().map(|fault| pause(Some(fault), EVERY, Duration::ZERO));
        let look = look.map_err(trouble).map(|reading| {
            seen = reading.number;
            let now = Taken::of(&reading);
            let same = |old: &Taken| old.scrape.started == now.scrape.started;
            let last = before.iter().position(same).map(|at| before.remove(at));
            let grown = last.and_then(|last| grown(&last, &now));
            before.push(now);
            // More servers than that do not stand behind one address.
            if before.len() > 9 {
                before.remove(0);
            }
            grown
        });
        shared.facts().put_calls(look, (up.clock)());
        shared.news.notify_one();
        if let Some(wait) = wait {
            sleep(wait).await;
        }
    }
}

/// A scrape and when it was taken; not the whole reading, which keeps the one it was compared with.
struct Taken {
    scrape: Arc<Scrape>,
    at: Instant,
}

impl Taken {
    fn of(reading: &Reading) -> Taken {
        Taken { scrape: reading.now.clone(), at: Instant::now() - reading.age() }
    }
}

fn grown(before: &Taken, now: &Taken) -> Option<Calls> {
    let seconds = now.at.duration_since(before.at).as_secs_f64();
    let span = Span::new(&before.scrape, &now.scrape, seconds).ok()?;
    let process = now.scrape.started.map_or(0, f64::to_bits);
    let writes = Writes { seconds, ..writes(&span, &now.scrape) };
    Some(Calls { process, seconds, by: counts(&span), writes })
}

/// Calls of each webhook, of admission and of conversion.
fn counts(span: &Span<'_>) -> BTreeMap<Called, Count> {
    let mut by = BTreeMap::<Called, Count>::new();
    let mut of = |name: &str, kind: &str, count: Count| {
        let sum = by.entry((name.to_owned(), kind.to_owned())).or_default();
        sum.called += count.called;
        sum.failed += count.failed;
    };
    let failed = |n| Count { called: 0.0, failed: n };
    for (labels, growth) in span.grown(CALLED, &["name", "type"]) {
        of(&labels[0], &labels[1], Count { called: growth.count, failed: 0.0 });
    }
    for (labels, growth) in span.grown(REFUSED, &["name", "type", "error_type"]) {
        // A webhook that refuses does its work; one that cannot be called does not.
        if labels[2] == "calling_webhook_error" || labels[2] == "apiserver_internal_error" {
            of(&labels[0], &labels[1], failed(growth.count));
        }
    }
    for (labels, growth) in span.grown(PASSED, &["name", "type"]) {
        of(&labels[0], &labels[1], failed(growth.count));
    }
    for (labels, growth) in span.grown(CONVERTED, &["crd_name", "succeeded"]) {
        let failed = if labels[1] == "true" { 0.0 } else { growth.count };
        of(&labels[0], CONVERSION, Count { called: growth.count, failed });
    }
    by
}

fn writes(span: &Span<'_>, now: &Scrape) -> Writes {
    let sum = |family| {
        let grown = span.grown(family, &["operation"]).into_iter();
        let writes = grown.filter(|(labels, _)| WRITES.contains(&labels[0].as_str()));
        writes.map(|(_, growth)| growth.count).sum::<f64>()
    };
    match now.has(ETCD) {
        true => Writes { tried: sum(ETCD), failed: sum(ETCD_ERRORS), seconds: 0.0 },
        false => Writes::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::metrics::Parser;

    fn scrape(text: &str) -> Scrape {
        let mut parser = Parser::new(&wants());
        parser.feed(format!("process_start_time_seconds 7\n{text}").as_bytes());
        parser.end()
    }

    /// As kube-apiserver writes them.
    fn page(n: u32) -> Scrape {
        scrape(&format!(
            "apiserver_admission_webhook_admission_duration_seconds_count{{name=\"g\",operation=\"CREATE\",rejected=\"true\",type=\"validating\"}} {}\n\
             apiserver_admission_webhook_admission_duration_seconds_count{{name=\"g\",operation=\"CREATE\",rejected=\"false\",type=\"admit\"}} {}\n\
             apiserver_admission_webhook_rejection_count{{error_type=\"calling_webhook_error\",name=\"g\",operation=\"CREATE\",rejection_code=\"500\",type=\"validating\"}} {}\n\
             apiserver_admission_webhook_rejection_count{{error_type=\"no_error\",name=\"g\",operation=\"CREATE\",rejection_code=\"403\",type=\"validating\"}} {}\n\
             apiserver_admission_webhook_fail_open_count{{name=\"g\",type=\"admit\"}} {}\n\
             apiserver_crd_conversion_webhook_duration_seconds_count{{crd_name=\"w.x\",from_version=\"v1\",succeeded=\"false\",to_version=\"v2\"}} {}\n\
             apiserver_crd_conversion_webhook_duration_seconds_count{{crd_name=\"w.x\",from_version=\"v1\",succeeded=\"true\",to_version=\"v2\"}} {}\n\
             etcd_request_duration_seconds_count{{operation=\"update\"}} {}\n\
             etcd_request_duration_seconds_count{{operation=\"delete\"}} {}\n\
             etcd_request_errors_total{{operation=\"update\"}} {}\n",
            10 * n,
            8 * n,
            3 * n,
            5 * n,
            2 * n,
            4 * n,
            6 * n,
            9 * n,
            100 * n,
            7 * n
        ))
    }

    #[test]
    fn calls_and_failures_are_counted_by_name_and_type() {
        let (before, now) = (page(1), page(2));
        let span = Span::new(&before, &now, 15.0).unwrap();
        let by = counts(&span);
        let count = |name: &str, kind: &str| {
            let Count { called, failed } = by[&(name.to_owned(), kind.to_owned())];
            (called, failed)
        };
        assert_eq!(count("g", "validating"), (10.0, 3.0), "one that refuses does its work");
        assert_eq!(count("g", "admit"), (8.0, 2.0));
        assert_eq!(count("w.x", CONVERSION), (10.0, 4.0));
        let writes = writes(&span, &now);
        assert_eq!((writes.tried, writes.failed), (9.0, 7.0), "deletes pass when etcd is full");
    }
}
