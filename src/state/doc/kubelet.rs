//! One node as its kubelet sees it: what is used, by whom, and what it was told to do.
//!
//! Kubernetes: `k8s.io/kubelet/pkg/apis/stats/v1alpha1/types.go` (v0.37) for the summary; `/metrics`, `/metrics/cadvisor`
//! and `/metrics/probes` are its exposition pages. What a kubelet does not say is left out, never shown as zero.

use super::describe::page::{Cell, Page, count, join, pairs, plain, str_at, text};
use super::{Doc, Line};
use crate::state::cell::{Role, bytes, cores, grouped};
use crate::state::metrics::Scrape;
use crate::state::time::{Epoch, parse_rfc3339, span};
use serde_json::Value;

mod metrics;
pub mod own;
mod used;
mod volumes;

/// Rows of a table at most; the headings say of how many.
const ROWS: usize = 20;

/// Why a page of the kubelet was not read.
#[derive(Clone, Debug, PartialEq)]
pub enum Unread {
    /// The API server refused: the right that is missing, and its words.
    Denied(String),
    /// The kubelet refused the API server.
    Distrusted(String),
    /// Anything else, in words.
    Failed(String),
}

/// A page of the kubelet.
pub type Answer<T> = Result<T, Unread>;

/// What was read.
#[derive(Debug)]
pub struct Seen {
    /// The node.
    pub node: String,
    /// `/healthz`.
    pub health: Answer<String>,
    /// `/stats/summary`.
    pub summary: Answer<Value>,
    /// `/metrics`.
    pub own: Answer<Scrape>,
    /// `/metrics/resource`.
    pub resource: Answer<Scrape>,
    /// `/metrics/cadvisor`.
    pub cadvisor: Answer<Scrape>,
    /// `/metrics/probes`.
    pub probes: Answer<Scrape>,
    /// `/configz`.
    pub config: Answer<Value>,
    /// The node itself, to tell what it can give.
    pub object: Result<Value, String>,
    /// Pods of the node: what they ask for, and which volumes are emptyDirs.
    pub pods: Result<Vec<Value>, String>,
    /// Requests sent, and bytes read.
    pub cost: (u32, u64),
}

/// The page.
pub fn kubelet(seen: &Seen, now: Epoch) -> Doc {
    let mut page = Page::default();
    let parts: [Option<&Unread>; 7] = [
        seen.health.as_ref().err(),
        seen.summary.as_ref().err(),
        seen.own.as_ref().err(),
        seen.resource.as_ref().err(),
        seen.cadvisor.as_ref().err(),
        seen.probes.as_ref().err(),
        seen.config.as_ref().err(),
    ];
    refusal(&mut page, &parts);
    match &seen.health {
        Ok(words) if words.trim() == "ok" => page.field_as("Health", Role::Ok, "ok"),
        Ok(words) => page.field_as("Health", Role::Bad, words.trim()),
        Err(why) => unread(&mut page, "Health", why),
    }
    match &seen.summary {
        Ok(summary) => {
            of_node(&mut page, summary, seen, now);
            used::summary(&mut page, summary, seen);
            volumes::of_pods(&mut page, summary);
            volumes::volumes(&mut page, summary, seen);
        }
        Err(why) => unread(&mut page, "Summary", why),
    }
    match &seen.own {
        Ok(scrape) => own::page(&mut page, scrape, now),
        Err(why) => unread(&mut page, "Metrics", why),
    }
    match &seen.resource {
        Ok(scrape) => {
            metrics::resource(&mut page, scrape);
            if seen.summary.is_err() {
                used::resource(&mut page, scrape, seen);
            }
        }
        Err(why) => unread(&mut page, "Resource metrics", why),
    }
    match &seen.cadvisor {
        Ok(scrape) => metrics::cadvisor(&mut page, scrape),
        Err(why) => unread(&mut page, "cAdvisor", why),
    }
    match &seen.probes {
        Ok(scrape) => metrics::probes(&mut page, scrape),
        Err(why) => unread(&mut page, "Probes", why),
    }
    match &seen.config {
        Ok(config) => configuration(&mut page, config),
        Err(why) => unread(&mut page, "Configuration", why),
    }
    page.lines.push(Line::default());
    let (requests, read) = seen.cost;
    let cost = format!(
        "{}, {} read; asked once, r asks again",
        count(requests as usize, "request"),
        bytes(read as i64)
    );
    page.line(Role::Dim, &cost);
    Doc { title: format!("Kubelet of {}", seen.node), lines: page.lines }
}

/// What a missing right is, once for all pages.
fn refusal(page: &mut Page, parts: &[Option<&Unread>]) {
    let denied = parts.iter().flatten().any(|why| matches!(why, Unread::Denied(_)));
    let distrusted = parts.iter().flatten().any(|why| matches!(why, Unread::Distrusted(_)));
    if denied {
        page.field_as("Missing rule", Role::Bad, "get nodes/proxy (API group \"\")");
        for line in [
            "Through the API server every page of a kubelet takes nodes/proxy. The finer rules nodes/stats, nodes/metrics,",
            "nodes/healthz, nodes/configz and nodes/pods (KubeletFineGrainedAuthz, by default from 1.33, GA in 1.36) hold only",
            "for those who talk to the kubelet's own port.",
        ] {
            page.line(Role::Plain, line);
        }
        for line in [
            "Think before you grant it: get nodes/proxy is no read-only right. Over a websocket it runs commands in every",
            "container of the node, past admission and past the audit of pods/exec (kubernetes #119640). For use alone",
            "metrics.k8s.io is enough.",
        ] {
            page.line(Role::Warn, line);
        }
    }
    if distrusted {
        let words = "the kubelet does not let the API server in: the client certificate of the API server \
                     (--kubelet-client-certificate) lacks nodes/proxy, or nodes/stats, nodes/metrics, nodes/healthz and \
                     nodes/configz where the kubelet checks these";
        page.field_as("Refused", Role::Bad, words);
    }
}

fn unread(page: &mut Page, label: &str, why: &Unread) {
    let (Unread::Denied(words) | Unread::Distrusted(words) | Unread::Failed(words)) = why;
    page.field_as(label, Role::Warn, format!("not read: {words}"));
}

fn of_node(page: &mut Page, summary: &Value, seen: &Seen, now: Epoch) {
    let node = &summary["node"];
    let [cpu, memory] = used::allocatable(seen);
    let measured = parse_rfc3339(str_at(node, "/cpu/time")).filter(|at| at.is_set());
    page.field(
        "Measured",
        measured.map_or(String::new(), |at| format!("{} ago", span(at.age(now)))),
    );
    if let Some(nanos) = node.pointer("/cpu/usageNanoCores").and_then(Value::as_i64) {
        let (role, of) = used::of_allocatable(nanos / 1_000_000, cpu, cores);
        page.field_as("CPU", role, format!("{} in use{of}", cores(nanos / 1_000_000)));
    }
    let working = number(node, "/memory/workingSetBytes");
    let (role, of) =
        working.map_or((Role::Plain, String::new()), |n| used::of_allocatable(n, memory, bytes));
    let working = working.map_or(String::new(), |n| format!("{} working set{of}", bytes(n)));
    let others = [("availableBytes", "available"), ("rssBytes", "resident")];
    let others = amounts(&node["memory"], &others);
    page.field_as("Memory", role, join([working, others].into_iter().filter(|w| !w.is_empty())));
    page.field(
        "Swap",
        amounts(&node["swap"], &[("swapUsageBytes", "used"), ("swapAvailableBytes", "available")]),
    );
    for (label, at) in [
        ("CPU pressure", "/cpu/psi"),
        ("Memory pressure", "/memory/psi"),
        ("I/O pressure", "/io/psi"),
    ] {
        pressure(page, label, node.pointer(at));
    }
    if let (Some(used), Some(most)) =
        (number(node, "/rlimit/curproc"), number(node, "/rlimit/maxpid"))
    {
        let role = full(used, most);
        page.field_as("Processes", role, format!("{} of {}", grouped(used), grouped(most)));
    }
    let systems = [
        ("node", &node["fs"]),
        ("images", &node["runtime"]["imageFs"]),
        ("containers", &node["runtime"]["containerFs"]),
    ];
    let rows: Vec<[Cell; 5]> = systems
        .iter()
        .filter(|(_, fs)| fs.is_object())
        .map(|(name, fs)| filesystem(name, fs))
        .collect();
    if !rows.is_empty() {
        page.heading("File systems");
        page.indent = 2;
        page.table(["", "USED", "CAPACITY", "FULL", "INODES FREE"], &rows);
        page.indent = 0;
    }
}

fn number(value: &Value, at: &str) -> Option<i64> {
    value.pointer(at).and_then(Value::as_i64)
}

fn amounts(value: &Value, of: &[(&str, &str)]) -> String {
    join(
        of.iter()
            .filter_map(|(key, word)| Some(format!("{} {word}", bytes(value[*key].as_i64()?)))),
    )
}

/// Percent from which something that fills up is worth a look: the kubelet evicts at about 85 to 90 by default.
fn full(used: i64, of: i64) -> Role {
    match (of > 0).then(|| i128::from(used) * 100 / i128::from(of)) {
        Some(95..) => Role::Bad,
        Some(85..) => Role::Warn,
        _ => Role::Plain,
    }
}

fn share(used: i64, of: i64) -> Cell {
    if of <= 0 {
        return plain("");
    }
    (full(used, of), format!("{} %", i128::from(used) * 100 / i128::from(of)))
}

fn filesystem(name: &str, fs: &Value) -> [Cell; 5] {
    let used = fs["usedBytes"].as_i64();
    let of = fs["capacityBytes"].as_i64();
    let free = fs["availableBytes"].as_i64();
    // Used space of an image file system is that of images; what is not available is what fills it.
    let gone = of.zip(free).map(|(of, free)| of.saturating_sub(free));
    let inodes = match (fs["inodesFree"].as_i64(), fs["inodes"].as_i64()) {
        (Some(free), Some(of)) => {
            (full(of.saturating_sub(free), of), format!("{} of {}", grouped(free), grouped(of)))
        }
        _ => plain(""),
    };
    let size = |n: Option<i64>| plain(n.map_or(String::new(), bytes));
    [plain(name), size(used), size(of), share(gone.unwrap_or(0), of.unwrap_or(0)), inodes]
}

/// Pressure stall information (KubeletPSI, GA in 1.36): percent of the time that some, or all, waited.
fn pressure(page: &mut Page, label: &str, psi: Option<&Value>) {
    let Some(psi) = psi.filter(|psi| psi.is_object()) else { return };
    let of = |who: &str, span: &str| psi[who][span].as_f64().unwrap_or(0.0);
    let words = format!(
        "some {:.1} %, full {:.1} % of the last minute; {:.1} % and {:.1} % of the last five",
        of("some", "avg60"),
        of("full", "avg60"),
        of("some", "avg300"),
        of("full", "avg300")
    );
    let role = if of("full", "avg60") >= 10.0 { Role::Warn } else { Role::Plain };
    page.field_as(label, role, words);
}

fn pod_name(pod: &Value) -> String {
    format!("{}/{}", str_at(pod, "/podRef/namespace"), str_at(pod, "/podRef/name"))
}

/// A heading over the first rows of many.
fn first(page: &mut Page, title: &str, all: usize) {
    match all > ROWS {
        true => page.heading(&format!("{title} (the first {ROWS} of {})", grouped(all as i64))),
        false => page.heading(title),
    }
    page.indent = 2;
}

/// What of a configuration decides what happens to pods.
const SETTINGS: [&str; 14] = [
    "maxPods",
    "podPidsLimit",
    "cgroupDriver",
    "cpuManagerPolicy",
    "memoryManagerPolicy",
    "topologyManagerPolicy",
    "failSwapOn",
    "imageGCHighThresholdPercent",
    "imageGCLowThresholdPercent",
    "imageMaximumGCAge",
    "containerLogMaxSize",
    "shutdownGracePeriod",
    "rotateCertificates",
    "serverTLSBootstrap",
];

fn configuration(page: &mut Page, config: &Value) {
    let config = config.get("kubeletconfig").unwrap_or(config);
    page.heading("Configuration");
    page.indent = 2;
    let one = |key: &&str| [plain(*key), plain(text(config, &format!("/{key}")))];
    let mut rows: Vec<[Cell; 2]> = SETTINGS.iter().map(one).collect();
    for key in ["evictionHard", "evictionSoft", "systemReserved", "kubeReserved", "featureGates"] {
        let at = format!("/{key}");
        rows.push([plain(key), plain(pairs(config, &at).join(", "))]);
    }
    rows.retain(|[_, value]| !value.1.is_empty());
    page.table(["SETTING", "VALUE"], &rows);
    page.indent = 0;
}

#[cfg(test)]
mod tests;
