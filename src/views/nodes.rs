//! Nodes, the home view: how many pods each one runs, and which need a person.

use super::spec::{Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::{Role, grouped};
use crate::state::health::Coverage;
use crate::state::intern::Sym;
use crate::state::kinds::{nodes, pods, usage};
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "nodes",
    aliases: &["no", "node"],
    table: "nodes",
    also: &["pods", "node_usage"],
    columns: &[
        "name",
        "status",
        "pressure",
        "roles",
        "pods",
        "pods_not_ready",
        "cpu_requested",
        "memory_requested",
        "cpu_used",
        "memory_used",
        "taints",
        "zone",
        "instance_type",
        "version",
        "internal_ip",
        "age",
    ],
    wide: &[
        "cpu_limits",
        "memory_limits",
        "cpu_allocatable_pct",
        "memory_allocatable_pct",
        "cpu_trend",
        "memory_trend",
        "measured",
        "cordon_note",
        "external_ip",
        "os_image",
        "kernel",
        "container_runtime",
        "taint_list",
        "labels",
    ],
    narrow: &[
        "labels",
        "taint_list",
        "cordon_note",
        "container_runtime",
        "kernel",
        "os_image",
        "external_ip",
        "memory_trend",
        "cpu_trend",
        "memory_limits",
        "cpu_limits",
        "measured",
        "cpu_allocatable_pct",
        "memory_allocatable_pct",
        "internal_ip",
        "instance_type",
        "zone",
        "version",
        "roles",
        "taints",
        "pressure",
        "age",
        "memory_used",
        "cpu_used",
        "memory_requested",
        "cpu_requested",
        "pods_not_ready",
    ],
    sort: ("name", false),
    enter: ("pods", enter),
    summary,
    detail,
    help: "PODS counts bound pods that have not finished, terminating ones included, against what the kubelet \
           allows. NOT READY are those of them whose Ready condition is not True. CPU and MEMORY REQUESTED are \
           what the pods request, USED what the node uses by the metrics API, both out of what it can allocate. \
           Samples older than a minute are dim, older than two are left out; MEASURED is their age; SO FAR is \
           the last quarter of an hour, as far as this view was looked at.",
};

fn enter(row: Row<'_>) -> Option<Jump> {
    let name = row.name();
    Some(Jump::about("pods", format!("on node {name}"), format!("node:={name}")))
}

fn summary(state: &State) -> Vec<Part> {
    if state.store.coverage("nodes") == Coverage::None {
        return pod_counts(state);
    }
    let n = state.store.sums(nodes::IN_ALL, Sym::NONE);
    let mut parts = vec![
        Part::say(format!("{} nodes:", grouped(n[nodes::sum::NODES]))),
        Part::count(
            n[nodes::sum::NOT_READY],
            "not ready",
            Role::Bad,
            Some(Jump::filtered("nodes", "ready:no")),
        ),
        Part::count(
            n[nodes::sum::CORDONED],
            "cordoned",
            Role::Warn,
            Some(Jump::filtered("nodes", "schedulable:no")),
        ),
        Part::default(),
    ];
    parts.extend(pod_counts(state));
    parts.extend(use_of(state, "nodes"));
    parts
}

/// Why the use of a table's rows is not shown, if it is not.
pub fn use_of(state: &State, table: &str) -> Option<Part> {
    let text = usage::absent_briefly(&state.store, table)?;
    Some(Part { text, role: Role::Dim, link: None })
}

/// Pods by phase, for every view that shows them.
pub fn pod_counts(state: &State) -> Vec<Part> {
    if state.store.coverage("pods") == Coverage::None {
        return vec![Part { text: "pods: not readable".into(), role: Role::Dim, link: None }];
    }
    let p = state.store.sums(pods::IN_ALL, Sym::NONE);
    let phase = |code: i64| p[pods::sum::PHASE + code as usize];
    let place = state.cluster.namespace.as_ref().map(|ns| format!(" in {ns}")).unwrap_or_default();
    let link = |filter: &str| Some(Jump::filtered("pods", filter));
    vec![
        Part::say(format!("{} pods{place}:", grouped(p[pods::sum::PODS]))),
        Part {
            text: format!("{} running", grouped(phase(pods::phase::RUNNING))),
            ..Part::default()
        },
        Part::count(phase(pods::phase::PENDING), "pending", Role::Warn, link("phase:pending")),
        Part::count(p[pods::sum::FAILING], "failing", Role::Bad, link("failing:yes")),
        Part::count(
            p[pods::sum::TERMINATING],
            "terminating",
            Role::Plain,
            link("status:terminating"),
        ),
    ]
}

fn detail(row: Row<'_>) -> Option<String> {
    let note = row.text(nodes::CORDON_NOTE);
    if row.num(nodes::CORDONED) == 1 && !note.is_empty() {
        let why = if note.starts_with("by ") { "" } else { "for " };
        return Some(format!("cordoned {why}{note}"));
    }
    let taints = row.text(nodes::TAINT_LIST);
    (!taints.is_empty()).then(|| format!("taints {taints}"))
}
