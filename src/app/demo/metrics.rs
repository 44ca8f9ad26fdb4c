//! `/metrics` of the demo's API server, as a 1.36 server would write it: counters that grow with the clock, histograms around
//! a middle, and the true number of objects. One webhook is slow, and somebody uses an API that goes away.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::dumps::{self, LevelNow};
use super::registry::{self, Resource};
use super::store::Store;
use crate::state::metrics::STARTED;

/// Seconds between two restarts of the demo's server, by the calendar.
const LIFE: i64 = 1_000_000;

/// A page being written.
pub struct Page {
    text: String,
    /// Seconds since the server started.
    up: f64,
}

impl Page {
    /// The page of a server that runs since a while.
    pub fn new(now: Timestamp) -> Page {
        let started = (now.as_second() - 100_000).div_euclid(LIFE) * LIFE;
        let up = (now.as_millisecond() as f64) / 1e3 - started as f64;
        let mut page = Page { text: String::new(), up };
        page.family(STARTED, "gauge");
        page.sample(STARTED, "", started as f64);
        page
    }

    /// The text.
    pub fn end(self) -> String {
        self.text
    }

    /// Begins a family.
    pub fn family(&mut self, name: &str, kind: &str) {
        let _ = writeln!(self.text, "# HELP {name} Of the demo.\n# TYPE {name} {kind}");
    }

    /// A sample.
    pub fn sample(&mut self, name: &str, labels: &str, value: f64) {
        let _ = match labels {
            "" => writeln!(self.text, "{name} {value}"),
            labels => writeln!(self.text, "{name}{{{labels}}} {value}"),
        };
    }

    /// What a counter of so many a second has come to. It swings by half and never falls.
    pub fn counted(&self, rate: f64) -> f64 {
        let phase = (rate * 1000.0) % 240.0;
        let at = (self.up + phase) / 240.0 * std::f64::consts::TAU;
        (rate * (self.up + 19.0 * at.sin())).floor()
    }

    /// A counter of so many a second.
    pub fn counter(&mut self, name: &str, labels: &str, rate: f64) {
        let value = self.counted(rate);
        self.sample(name, labels, value);
    }

    /// A histogram of so many a second, half of them below `middle` and one in a hundred above `high`, in seconds.
    pub fn histogram(&mut self, name: &str, labels: &str, rate: f64, middle: f64, high: f64) {
        const BOUNDS: [f64; 14] =
            [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0];
        let all = self.counted(rate);
        let comma = if labels.is_empty() { "" } else { "," };
        let steep = 99_f64.ln() / (high / middle).ln();
        for bound in BOUNDS {
            let share = 1.0 / (1.0 + (-steep * (bound / middle).ln()).exp());
            let count = (all * share).floor();
            self.sample(
                &format!("{name}_bucket"),
                &format!("{labels}{comma}le=\"{bound}\""),
                count,
            );
        }
        self.sample(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"+Inf\""), all);
        self.sample(&format!("{name}_sum"), labels, all * middle * 1.3);
        self.sample(&format!("{name}_count"), labels, all);
    }
}

/// Verb, group, resource, subresource, requests a second, middle and high latency in seconds, failures a second.
type Traffic = (&'static str, &'static str, &'static str, &'static str, f64, f64, f64, f64);

const TRAFFIC: [Traffic; 14] = [
    ("GET", "", "pods", "", 21.0, 0.003, 0.03, 0.0),
    ("LIST", "", "pods", "", 3.4, 0.12, 1.6, 0.05),
    ("PATCH", "", "pods", "status", 9.5, 0.008, 0.07, 0.0),
    ("POST", "", "pods", "binding", 0.6, 0.007, 0.05, 0.0),
    ("POST", "", "events", "", 7.2, 0.006, 0.05, 0.0),
    ("LIST", "", "events", "", 0.3, 0.9, 12.0, 0.02),
    ("GET", "", "nodes", "", 4.1, 0.002, 0.02, 0.0),
    ("PATCH", "", "nodes", "status", 1.8, 0.009, 0.06, 0.0),
    ("PUT", "coordination.k8s.io", "leases", "", 12.5, 0.006, 0.04, 0.0),
    ("GET", "", "configmaps", "", 5.7, 0.003, 0.02, 0.0),
    ("LIST", "", "secrets", "", 0.8, 0.04, 0.4, 0.0),
    ("POST", "apps", "deployments", "", 0.4, 1.1, 2.8, 0.01),
    ("PATCH", "apps", "deployments", "scale", 0.2, 0.9, 2.6, 0.0),
    ("GET", "apps", "deployments", "", 2.2, 0.004, 0.03, 0.0),
];

/// What the dumps say, in numbers.
fn fairness(page: &mut Page, store: &Store, now: Timestamp) {
    let levels = dumps::levels_now(store, now);
    let mut each = |name: &str, kind: &str, whose: &dyn Fn(&LevelNow) -> Option<(String, f64)>| {
        let name = format!("apiserver_flowcontrol_{name}");
        page.family(&name, kind);
        for (labels, value) in levels.iter().filter_map(whose) {
            page.sample(&name, &labels, value);
        }
    };
    let level = |l: &LevelNow| format!("priority_level=\"{}\"", l.name);
    let both = |l: &LevelNow| format!("flow_schema=\"{}\",{}", l.schema, level(l));
    each("nominal_limit_seats", "gauge", &|l| Some((level(l), l.seats as f64)));
    // A third of what idle levels have is lent; nobody may borrow it for workloads here.
    each("current_limit_seats", "gauge", &|l| {
        let kept = if l.executing > 2 { l.seats } else { l.seats - l.seats / 3 };
        Some((level(l), kept as f64))
    });
    each("current_executing_seats", "gauge", &|l| Some((both(l), l.executing as f64)));
    each("current_executing_requests", "gauge", &|l| Some((both(l), l.executing as f64)));
    each("current_inqueue_requests", "gauge", &|l| Some((both(l), l.waiting as f64)));
    each("rejected_requests_total", "counter", &|l| {
        let n = dumps::refused(l.name);
        (n > 0).then(|| (format!("{},reason=\"queue-full\"", both(l)), n as f64))
    });
    let name = "apiserver_flowcontrol_dispatched_requests_total";
    page.family(name, "counter");
    levels.iter().for_each(|l| page.counter(name, &both(l), l.rate));
    let name = "apiserver_flowcontrol_request_wait_duration_seconds";
    page.family(name, "histogram");
    for l in &levels {
        let (middle, high) = if l.waiting > 0 { (0.9, 7.0) } else { (0.0002, 0.004) };
        let labels = format!("execute=\"true\",{}", both(l));
        page.histogram(name, &labels, l.rate, middle, high);
    }
}

/// Writes the page.
pub fn page(store: &Store, now: Timestamp) -> String {
    let mut page = Page::new(now);
    requests(&mut page);
    open(&mut page, store);
    watches(&mut page, store);
    webhooks(&mut page);
    objects(&mut page, store);
    etcd(&mut page, store);
    fairness(&mut page, store, now);
    page.family("apiserver_requested_deprecated_apis", "gauge");
    let old = "group=\"flowcontrol.apiserver.k8s.io\",version=\"v1beta3\",resource=\"flowschemas\",subresource=\"\",removed_release=\"1.32\"";
    page.sample("apiserver_requested_deprecated_apis", old, 1.0);
    page.end()
}

fn requests(page: &mut Page) {
    let labels = |t: &Traffic| {
        format!(
            "verb=\"{}\",group=\"{}\",version=\"v1\",resource=\"{}\",subresource=\"{}\",scope=\"cluster\",dry_run=\"\",component=\"apiserver\"",
            t.0, t.1, t.2, t.3
        )
    };
    page.family("apiserver_request_total", "counter");
    for t in &TRAFFIC {
        page.counter("apiserver_request_total", &format!("{},code=\"200\"", labels(t)), t.4);
        if t.7 > 0.0 {
            page.counter("apiserver_request_total", &format!("{},code=\"429\"", labels(t)), t.7);
        }
    }
    page.family("apiserver_request_duration_seconds", "histogram");
    for t in &TRAFFIC {
        page.histogram("apiserver_request_duration_seconds", &labels(t), t.4, t.5, t.6);
    }
}

fn open(page: &mut Page, store: &Store) {
    let wave = |page: &Page, of: f64| (of + of * (page.up / 37.0).sin()).round();
    page.family("apiserver_current_inflight_requests", "gauge");
    for (kind, about) in [("readOnly", 9.0), ("mutating", 4.0)] {
        let labels = format!("request_kind=\"{kind}\"");
        let now = wave(page, about) + 1.0;
        page.sample("apiserver_current_inflight_requests", &labels, now);
    }
    page.family("apiserver_current_inqueue_requests", "gauge");
    for (kind, about) in [("readOnly", 3.0), ("mutating", 0.0)] {
        let now = wave(page, about);
        page.sample("apiserver_current_inqueue_requests", &format!("request_kind=\"{kind}\""), now);
    }
    page.family("apiserver_longrunning_requests", "gauge");
    let nodes = store.table(&registry::NODES).len() as f64;
    for (verb, resource, sub, open) in [
        ("WATCH", "pods", "", nodes + 14.0),
        ("WATCH", "nodes", "", nodes + 6.0),
        ("WATCH", "configmaps", "", nodes * 5.0),
        ("CONNECT", "pods", "log", 2.0),
    ] {
        let labels = format!(
            "verb=\"{verb}\",group=\"\",version=\"v1\",resource=\"{resource}\",subresource=\"{sub}\",scope=\"cluster\",component=\"apiserver\""
        );
        page.sample("apiserver_longrunning_requests", &labels, open);
    }
}

fn watches(page: &mut Page, store: &Store) {
    let nodes = store.table(&registry::NODES).len() as f64;
    page.family("apiserver_watch_events_total", "counter");
    for (group, resource, each) in
        [("", "pods", 11.0), ("", "nodes", 2.0), ("coordination.k8s.io", "leases", 1.3)]
    {
        let labels = format!("group=\"{group}\",version=\"v1\",resource=\"{resource}\"");
        page.counter("apiserver_watch_events_total", &labels, each * nodes);
    }
    page.family("apiserver_watch_cache_consistent_read_total", "counter");
    for (resource, fallback, rate) in
        [("pods", "false", 3.3), ("pods", "true", 0.02), ("secrets", "false", 0.8)]
    {
        let success = if fallback == "true" { "false" } else { "true" };
        let labels = format!(
            "group=\"\",resource=\"{resource}\",success=\"{success}\",fallback=\"{fallback}\""
        );
        page.counter("apiserver_watch_cache_consistent_read_total", &labels, rate);
    }
    page.family("apiserver_watch_cache_read_wait_seconds", "histogram");
    page.histogram(
        "apiserver_watch_cache_read_wait_seconds",
        "group=\"\",resource=\"pods\"",
        3.3,
        0.006,
        0.3,
    );
}

fn webhooks(page: &mut Page) {
    const NAME: &str = "apiserver_admission_webhook_admission_duration_seconds";
    page.family(NAME, "histogram");
    for (name, kind, rate, middle, high) in [
        ("policy.demo.example", "validate", 3.1, 0.8, 2.4),
        ("mesh.demo.example", "admit", 1.2, 0.011, 0.09),
    ] {
        let labels =
            format!("name=\"{name}\",operation=\"CREATE\",rejected=\"false\",type=\"{kind}\"");
        page.histogram(NAME, &labels, rate, middle, high);
    }
    page.family("apiserver_admission_webhook_fail_open_count", "counter");
    page.counter(
        "apiserver_admission_webhook_fail_open_count",
        "name=\"policy.demo.example\",type=\"validating\"",
        0.04,
    );
}

/// About how many bytes an object of a resource takes.
fn weight(res: &Resource) -> f64 {
    match res.plural {
        "pods" => 9_200.0,
        "nodes" => 14_800.0,
        "secrets" | "configmaps" => 6_400.0,
        "events" => 900.0,
        _ => 2_100.0,
    }
}

fn objects(page: &mut Page, store: &Store) {
    let labels = |res: &Resource| format!("group=\"{}\",resource=\"{}\"", res.group, res.plural);
    page.family("apiserver_resource_objects", "gauge");
    for res in registry::ALL {
        page.sample("apiserver_resource_objects", &labels(res), store.table(res).len() as f64);
    }
    page.family("apiserver_resource_size_estimate_bytes", "gauge");
    for res in registry::ALL {
        let bytes = store.table(res).len() as f64 * weight(res);
        page.sample("apiserver_resource_size_estimate_bytes", &labels(res), bytes);
    }
    page.family("apiserver_storage_size_bytes", "gauge");
    page.sample("apiserver_storage_size_bytes", "storage_cluster_id=\"etcd-0\"", 412_000_000.0);
}

fn etcd(page: &mut Page, store: &Store) {
    const NAME: &str = "etcd_request_duration_seconds";
    page.family(NAME, "histogram");
    for (operation, group, resource, rate, middle, high) in [
        ("get", "", "pods", 14.0, 0.002, 0.02),
        ("update", "", "pods", 9.5, 0.004, 0.04),
        ("create", "", "events", 7.2, 0.004, 0.05),
        ("update", "coordination.k8s.io", "leases", 12.5, 0.004, 0.03),
        ("list", "", "events", 0.3, 0.16, 1.4),
    ] {
        let labels = format!("operation=\"{operation}\",group=\"{group}\",resource=\"{resource}\"");
        page.histogram(NAME, &labels, rate, middle, high);
    }
    page.family("etcd_bookmark_total", "counter");
    page.counter("etcd_bookmark_total", "group=\"\",resource=\"pods\"", 0.2);
    page.family("etcd_lease_object_counts", "histogram");
    let events = store.table(&registry::EVENTS).len() as f64;
    page.sample("etcd_lease_object_counts_bucket", "le=\"+Inf\"", (events / 40.0).ceil());
    page.sample("etcd_lease_object_counts_sum", "", events);
    page.sample("etcd_lease_object_counts_count", "", (events / 40.0).ceil());
}
