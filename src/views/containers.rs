//! Containers: what each uses beside what it asked for.

use super::nodes::use_of;
use super::spec::{Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::{Role, bytes, cores, grouped};
use crate::state::kinds::containers;
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "containers",
    aliases: &["co", "container", "top"],
    table: "containers",
    also: &[],
    columns: &[
        "namespace",
        "name",
        "container",
        "cpu_used",
        "cpu_requests",
        "cpu_limits",
        "cpu_limit_pct",
        "memory_used",
        "memory_requests",
        "memory_limits",
        "memory_limit_pct",
        "measured",
    ],
    wide: &["cpu_request_pct", "memory_request_pct", "labels"],
    narrow: &[
        "labels",
        "memory_request_pct",
        "cpu_request_pct",
        "measured",
        "cpu_limits",
        "cpu_requests",
        "memory_requests",
        "cpu_limit_pct",
        "memory_limits",
        "namespace",
        "memory_limit_pct",
        "memory_used",
    ],
    sort: ("cpu_used", true),
    enter: ("pod", enter),
    summary,
    detail,
    help: "What each container uses by the metrics API, read while this is looked at: every 15 s, less often the more there \
           are. A pod one of whose containers has just begun is not measured at all. Where nothing measures, the \
           containers that run are here with what they ask for. ? means that the pod's specification was not read; it \
           is read anew every five minutes. CPU at its limit is throttled, memory at its limit is killed. R: of the request, \
           L: of the limit.",
};

fn enter(row: Row<'_>) -> Option<Jump> {
    Some(Jump::to("pods", row.namespace(), &row.name()))
}

fn summary(state: &State) -> Vec<Part> {
    let rows = grouped(state.store.table("containers").len() as i64);
    let absent = use_of(state, "containers");
    let text = match absent {
        None => format!("{rows} containers measured"),
        Some(_) => format!("{rows} containers by what they ask for"),
    };
    [Some(Part { text, role: Role::Plain, link: None }), absent].into_iter().flatten().collect()
}

fn detail(row: Row<'_>) -> Option<String> {
    let (cpu, memory) = (row.num(containers::CPU), row.num(containers::MEMORY));
    row.time(containers::AT).is_set().then(|| {
        format!(
            "{} uses {} CPU and {} of memory",
            row.text(containers::CONTAINER),
            cores(cpu),
            bytes(memory)
        )
    })
}
