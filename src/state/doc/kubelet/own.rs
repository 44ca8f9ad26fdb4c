//! What a kubelet's own `/metrics` says of its work: is it keeping up, does the container runtime answer, are volumes
//! mounted. Counters and histograms count since the kubelet began.
//!
//! Names: `pkg/kubelet/metrics/metrics.go`, `pkg/kubelet/volumemanager/metrics`, `pkg/volume/util/metrics.go`, the same in
//! 1.34 to 1.37 (read in the source of 1.34.4, 1.36.3 and 1.37.2). They are ALPHA but the one of starting pods, so each may go
//! in any release; what a kubelet lacks is said to be absent.

use super::{Cell, grouped, plain, span};
use crate::state::cell::Role;
use crate::state::doc::describe::page::Page;
use crate::state::metrics::apiserver::seconds;
use crate::state::metrics::{Quantile, Scrape, Value as Metric, Want};
use crate::state::time::Epoch;

/// Names that a family had, the newest first.
type Names = &'static [&'static str];

const PODS: Names = &["kubelet_running_pods", "kubelet_running_pod_count"];
const CONTAINERS: Names = &["kubelet_running_containers", "kubelet_running_container_count"];
/// Pods that the API server wants here.
const DESIRED: Names = &["kubelet_desired_pods"];
const RELIST: Names = &["kubelet_pleg_relist_duration_seconds"];
const RELIST_EVERY: Names = &["kubelet_pleg_relist_interval_seconds"];
/// When a relist was finished last, in seconds since 1970.
const RELISTED: Names = &["kubelet_pleg_last_seen_seconds"];
const STARTS: Names = &["kubelet_pod_start_sli_duration_seconds"];
const WORKERS: Names = &["kubelet_pod_worker_duration_seconds"];
const CALLS: Names = &["kubelet_runtime_operations_total"];
const CALL_TIMES: Names = &["kubelet_runtime_operations_duration_seconds"];
const CALL_ERRORS: Names = &["kubelet_runtime_operations_errors_total"];
const VOLUMES: Names = &["volume_manager_total_volumes"];
const STORAGE: Names = &["storage_operation_duration_seconds"];
const EVICTIONS: Names = &["kubelet_evictions"];
const POD_ERRORS: Names = &["kubelet_started_pods_errors_total"];
const CONTAINER_ERRORS: Names = &["kubelet_started_containers_errors_total"];
const CERTIFICATE: Names = &["kubelet_certificate_manager_client_ttl_seconds"];
const RENEWALS: Names = &["kubelet_certificate_manager_client_expiration_renew_errors"];

/// Everything that is read, by the labels that matter.
const READ: [(Names, &[&str]); 18] = [
    (PODS, &[]),
    (CONTAINERS, &["container_state"]),
    (DESIRED, &[]),
    (RELIST, &[]),
    (RELIST_EVERY, &[]),
    (RELISTED, &[]),
    (STARTS, &[]),
    (WORKERS, &[]),
    (CALLS, &["operation_type"]),
    (CALL_TIMES, &["operation_type"]),
    (CALL_ERRORS, &["operation_type"]),
    (VOLUMES, &["state"]),
    (STORAGE, &["operation_name", "status"]),
    (EVICTIONS, &["eviction_signal"]),
    (POD_ERRORS, &[]),
    (CONTAINER_ERRORS, &["code"]),
    (CERTIFICATE, &[]),
    (RENEWALS, &[]),
];

/// What is to be kept of a scrape.
pub fn wants() -> Vec<Want> {
    let all = READ.iter().flat_map(|(names, labels)| names.iter().map(move |n| (*n, *labels)));
    all.map(|(name, labels)| Want::by(name, labels)).collect()
}

/// A relist that takes this long, or is this old, keeps the node from being Ready (`pkg/kubelet/pleg/generic.go`,
/// relistThreshold: 3 minutes).
const RELIST_BAD: f64 = 180.0;
/// It is done every second; a kubelet whose relist takes this long reacts late to whatever its containers do.
const RELIST_SLOW: f64 = 1.0;

/// The name that this kubelet uses.
fn name(scrape: &Scrape, names: Names) -> Option<&'static str> {
    names.iter().copied().find(|name| scrape.has(name))
}

fn number(scrape: &Scrape, names: Names, labels: &[(&str, &str)]) -> Option<f64> {
    scrape.number(name(scrape, names)?, labels).filter(|n| n.is_finite())
}

fn whole(n: f64) -> String {
    grouped(n as i64)
}

/// A quantile since the kubelet began, as words and in seconds; `None` without an observation.
fn quantile(value: &Metric, q: f64) -> Option<(String, f64)> {
    let Metric::Histogram(h) = value else { return None };
    Some(match h.quantile(q)? {
        Quantile::At(s) => (seconds(s), s),
        Quantile::AtLeast(s) => (format!("over {}", seconds(s)), s),
        Quantile::Few(n) => (format!("of {n} no p{:.0}", q * 100.0), 0.0),
    })
}

/// The whole of a histogram: p50, p99, and whether the p99 is slow.
fn timed(page: &mut Page, scrape: &Scrape, label: &str, names: Names, slow: f64, bad: f64) {
    let Some(family) = name(scrape, names) else { return absent(page, label, names) };
    let all = scrape.grouped(family, &[]).into_values().next();
    let Some(all) = all else { return };
    let (Some((p50, _)), Some((p99, high))) = (quantile(&all, 0.5), quantile(&all, 0.99)) else {
        return page.field(label, "none so far");
    };
    let role = match high {
        s if s >= bad => Role::Bad,
        s if s >= slow => Role::Warn,
        _ => Role::Plain,
    };
    page.field_as(label, role, format!("p50 {p50}, p99 {p99}"));
}

fn absent(page: &mut Page, label: &str, names: Names) {
    page.field_as(label, Role::Dim, format!("not exposed: {}", names.join(", ")));
}

/// Counts by a label, the largest first: `3 memory.available, 1 nodefs.available`.
fn by_label(scrape: &Scrape, family: &str, label: &'static str) -> Vec<(String, f64)> {
    let groups = scrape.grouped(family, &[label]).into_iter();
    let count = |value: &Metric| match value {
        Metric::Number(n) => *n,
        Metric::Histogram(h) => h.count,
    };
    let mut all: Vec<(String, f64)> = groups
        .map(|(key, value)| (key.concat(), count(&value)))
        .filter(|(_, n)| *n > 0.0)
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all
}

fn listed(of: &[(String, f64)]) -> String {
    of.iter().map(|(key, n)| format!("{} {key}", whole(*n))).collect::<Vec<_>>().join(", ")
}

pub(super) fn page(page: &mut Page, scrape: &Scrape, now: Epoch) {
    page.heading("The kubelet itself");
    page.indent = 2;
    if let Some(started) = scrape.started {
        page.field("Running for", span(Epoch(started as i64).age(now)));
    }
    pods(page, scrape);
    relists(page, scrape, now);
    timed(page, scrape, "Pods started in", STARTS, 5.0, 60.0);
    timed(page, scrape, "Pods synced in", WORKERS, 10.0, 120.0);
    failures(page, scrape);
    volumes(page, scrape);
    certificate(page, scrape);
    page.indent = 0;
    calls(page, scrape);
}

fn pods(page: &mut Page, scrape: &Scrape) {
    match number(scrape, PODS, &[]) {
        None => absent(page, "Pods", PODS),
        Some(running) => {
            let desired = number(scrape, DESIRED, &[]);
            let of = desired.map_or(String::new(), |n| format!(", {} wanted here", whole(n)));
            page.field("Pods", format!("{} running{of}", whole(running)));
        }
    }
    match name(scrape, CONTAINERS) {
        None => absent(page, "Containers", CONTAINERS),
        Some(family) => {
            page.field("Containers", listed(&by_label(scrape, family, "container_state")))
        }
    }
}

/// The loop that asks the runtime what its containers do (pod lifecycle event generator).
fn relists(page: &mut Page, scrape: &Scrape, now: Epoch) {
    timed(page, scrape, "PLEG relist", RELIST, RELIST_SLOW, RELIST_BAD);
    timed(page, scrape, "PLEG interval", RELIST_EVERY, 10.0, RELIST_BAD);
    if let Some(last) = number(scrape, RELISTED, &[]).filter(|at| *at > 0.0) {
        let age = Epoch(last as i64).age(now);
        if age as f64 >= 30.0 {
            let role = if age as f64 >= RELIST_BAD { Role::Bad } else { Role::Warn };
            let words = format!(
                "finished {} ago: the container runtime hangs; from 3 minutes on the node is NotReady",
                span(age)
            );
            page.field_as("Last relist", role, words);
        }
    }
}

fn failures(page: &mut Page, scrape: &Scrape) {
    for (label, names, by) in [
        ("Evicted", EVICTIONS, "eviction_signal"),
        ("Pods not started", POD_ERRORS, ""),
        ("Starts failed", CONTAINER_ERRORS, "code"),
    ] {
        // A vector without a series is one that never counted: it says nothing, which is not zero.
        let Some(family) = name(scrape, names) else { continue };
        let all = by_label(scrape, family, by);
        if !all.is_empty() {
            let words = if by.is_empty() { whole(all[0].1) } else { listed(&all) };
            page.field_as(label, Role::Warn, words);
        }
    }
}

fn volumes(page: &mut Page, scrape: &Scrape) {
    let Some(family) = name(scrape, VOLUMES) else { return absent(page, "Volumes", VOLUMES) };
    let of = |state: &str| scrape.number(family, &[("state", state)]);
    let (desired, actual) =
        (of("desired_state_of_world").unwrap_or(0.0), of("actual_state_of_world").unwrap_or(0.0));
    let waits = match desired - actual {
        n if n > 0.0 => (Role::Warn, format!(", {} not mounted yet", whole(n))),
        n if n < 0.0 => (Role::Plain, format!(", {} to be unmounted", whole(-n))),
        _ => (Role::Plain, String::new()),
    };
    page.field_as(
        "Volumes",
        waits.0,
        format!("{} wanted, {} mounted{}", whole(desired), whole(actual), waits.1),
    );
    let Some(family) = name(scrape, STORAGE) else { return };
    let failed = scrape.grouped(family, &["operation_name", "status"]);
    let failed: Vec<(String, f64)> = failed
        .into_iter()
        .filter(|(key, _)| key[1].starts_with("fail"))
        .filter_map(|(key, value)| match value {
            Metric::Histogram(h) if h.count > 0.0 => Some((key[0].clone(), h.count)),
            _ => None,
        })
        .collect();
    if !failed.is_empty() {
        page.field_as("Volumes failed", Role::Warn, listed(&failed));
    }
}

fn certificate(page: &mut Page, scrape: &Scrape) {
    // +Inf stands for a certificate that the kubelet does not look after.
    if let Some(left) = number(scrape, CERTIFICATE, &[]) {
        let role = match left {
            s if s <= 0.0 => Role::Bad,
            s if s < 7.0 * 86_400.0 => Role::Warn,
            _ => Role::Plain,
        };
        let words = if left > 0.0 {
            format!("of the client, expires in {}", span(left as i64))
        } else {
            "expired".into()
        };
        page.field_as("Certificate", role, words);
    }
    if let Some(n) = number(scrape, RENEWALS, &[]).filter(|n| *n > 0.0) {
        page.field_as("Renewals failed", Role::Bad, whole(n));
    }
}

/// Calls of the container runtime (CRI): those that failed first, then the slowest.
fn calls(page: &mut Page, scrape: &Scrape) {
    const BY: [&str; 1] = ["operation_type"];
    let Some(family) = name(scrape, CALLS) else { return absent(page, "Runtime", CALLS) };
    let times = name(scrape, CALL_TIMES).map(|f| scrape.grouped(f, &BY)).unwrap_or_default();
    let failed = name(scrape, CALL_ERRORS).map(|f| by_label(scrape, f, BY[0])).unwrap_or_default();
    let mut rows: Vec<(f64, f64, [Cell; 4])> = vec![];
    for (call, n) in by_label(scrape, family, BY[0]) {
        let errors = failed.iter().find(|(name, _)| *name == call).map_or(0.0, |(_, n)| *n);
        let p99 = times.get(std::slice::from_ref(&call)).and_then(|t| quantile(t, 0.99));
        let slow = p99.as_ref().map_or(0.0, |(_, s)| *s);
        let share = errors / n;
        let role = if share >= 0.05 { Role::Warn } else { Role::Plain };
        let errors_words = match errors {
            0.0 => plain(""),
            n => (role, format!("{} ({:.1} %)", whole(n), share * 100.0)),
        };
        let cells =
            [plain(call), plain(whole(n)), errors_words, plain(p99.map_or(String::new(), |p| p.0))];
        rows.push((errors, slow, cells));
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| b.1.total_cmp(&a.1)));
    super::first(page, "Calls of the container runtime, since the kubelet began", rows.len());
    let rows: Vec<[Cell; 4]> = rows.into_iter().take(super::ROWS).map(|r| r.2).collect();
    page.table(["CALL", "CALLS", "FAILED", "P99"], &rows);
    page.indent = 0;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::doc::Doc;
    use crate::state::metrics::Parser;

    fn told(text: &str) -> String {
        let mut parser = Parser::new(&wants());
        parser.feed(text.as_bytes());
        let scrape = parser.end();
        assert_eq!(scrape.cost.malformed, 0);
        let mut out = Page::default();
        page(&mut out, &scrape, Epoch(1_800_000_000));
        let doc = Doc { title: String::new(), lines: out.lines };
        doc.lines.iter().map(|l| format!("{}\n", l.text())).collect()
    }

    fn histogram(name: &str, labels: &str, counts: [u32; 3]) -> String {
        let comma = if labels.is_empty() { "" } else { "," };
        let all = counts[2];
        let lines = ["0.1", "10", "+Inf"].iter().zip(counts);
        let lines: String = lines
            .map(|(le, n)| format!("{name}_bucket{{{labels}{comma}le=\"{le}\"}} {n}\n"))
            .collect();
        format!(
            "# TYPE {name} histogram\n{lines}{name}_sum{{{labels}}} 1\n{name}_count{{{labels}}} {all}\n"
        )
    }

    #[test]
    fn a_kubelet_that_says_nothing_has_no_numbers() {
        let text = told("");
        assert!(!text.chars().any(|c| c.is_ascii_digit()), "{text}");
        assert!(
            text.contains("not exposed: kubelet_running_pods, kubelet_running_pod_count"),
            "{text}"
        );
    }

    #[test]
    fn what_fails_and_what_is_slow_stands_out() {
        let relist = histogram("kubelet_pleg_relist_duration_seconds", "", [90, 100, 100]);
        let text = told(&format!(
            "process_start_time_seconds 1.7999964e9\nkubelet_running_pods 31\nkubelet_desired_pods{{static=\"\"}} 30\n\
             kubelet_desired_pods{{static=\"true\"}} 4\n\
             kubelet_running_containers{{container_state=\"running\"}} 44\nkubelet_running_containers{{container_state=\"exited\"}} 7\n\
             {relist}kubelet_pleg_last_seen_seconds 1.7999998e9\n\
             kubelet_runtime_operations_total{{operation_type=\"create_container\"}} 200\n\
             kubelet_runtime_operations_total{{operation_type=\"version\"}} 9000\n\
             kubelet_runtime_operations_errors_total{{operation_type=\"create_container\"}} 25\n\
             volume_manager_total_volumes{{plugin_name=\"a\",state=\"desired_state_of_world\"}} 12\n\
             volume_manager_total_volumes{{plugin_name=\"a\",state=\"actual_state_of_world\"}} 10\n\
             {}kubelet_evictions{{eviction_signal=\"memory.available\"}} 3\n\
             kubelet_certificate_manager_client_ttl_seconds +Inf\n",
            histogram(
                "storage_operation_duration_seconds",
                "operation_name=\"volume_mount\",status=\"fail-unknown\"",
                [0, 2, 2],
            ),
        ));
        // p99 of 100, 90 of them in (0, 0.1] and 10 in (0.1, 10]: rank 99 is 0.1 + 9.9 * 0.9 = 9.01 s.
        for words in [
            "60m",
            "31 running, 34 wanted here",
            "44 running, 7 exited",
            "p99 9.0 s",
            "finished 3m20s ago",
            "12 wanted, 10 mounted, 2 not mounted yet",
            "2 volume_mount",
            "3 memory.available",
            "25 (12.5 %)",
        ] {
            assert!(text.contains(words), "`{words}` is not in\n{text}");
        }
        // A certificate that is not looked after expires at no time.
        assert!(!text.contains("Certificate"), "{text}");
        let older = told("kubelet_running_pod_count 3\n");
        assert!(older.contains("3 running"), "{older}");
    }
}
