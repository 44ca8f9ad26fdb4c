//! The health board: what of the control plane is not well, worst first.

use super::spec::{Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::kinds::health;
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "health",
    aliases: &["healthz", "readyz", "livez", "componentstatuses", "cs"],
    table: "health",
    also: &[],
    columns: &["verdict", "part", "name", "read", "why"],
    wide: &["labels"],
    narrow: &["uid", "labels", "age", "read", "why", "part"],
    sort: ("verdict", false),
    enter: ("what it is about", enter),
    summary,
    detail: health::detail,
    help: "Worst first, looked at every few seconds and only while this view is in use: each check of /readyz and /livez, who \
           leads (`not renewed` from 10 s, `lost` once the lease ran out), API servers by the leases they keep, APIs that are not available, webhooks that fail or \
           have nothing behind them, whether writes reach etcd, certificates that run out, nodes, versions. READ is the age \
           of what is shown; a part that cannot be read says so, with the right it takes, and is never shown as well. \
           Enter leads to the nodes, the events of a lease holder's namespace or the metrics behind a line. Headless: \
           wheelhouse health, exit code 1 when something is not well.",
};

/// From a line to where more is to be seen.
fn enter(row: Row<'_>) -> Option<Jump> {
    match (row.text(health::PART), &*row.name()) {
        ("node", "(all)") => Some(Jump::filtered("nodes", "")),
        ("node", name) => Some(Jump::to("nodes", "", name)),
        ("version", name) if name.starts_with("kubelet") => Some(Jump::filtered("nodes", "")),
        ("component", name) => Some(Jump::to("pods", "kube-system", name)),
        ("leader", name) => Some(Jump::filtered("pods", &format!("namespace:=kube-system {name}"))),
        ("webhook", _) => Some(Jump::filtered("apiserver", "section:=webhooks")),
        ("etcd", _) => Some(Jump::filtered("apiserver", "section:=etcd")),
        _ => None,
    }
}

fn summary(state: &State) -> Vec<Part> {
    let (mut bad, mut warn, mut unknown, mut ok) = (0, 0, 0, 0);
    for row in state.store.rows(VIEW.id) {
        match row.text(health::VERDICT) {
            "bad" => bad += 1,
            "warn" => warn += 1,
            "unknown" => unknown += 1,
            _ => ok += 1,
        }
    }
    let link = |filter: &str| Some(Jump::filtered(VIEW.id, filter));
    let mut parts = vec![
        Part::count(bad, "not well", Role::Bad, link("verdict:=bad")),
        Part::count(warn, "worth a look", Role::Warn, link("verdict:=warn")),
        Part::count(unknown, "cannot be told", Role::Plain, link("verdict:=unknown")),
        Part::count(ok, "well", Role::Ok, link("verdict:=ok")),
    ];
    if bad + warn + unknown + ok > 0 && bad + warn == 0 {
        parts.insert(0, Part { role: Role::Ok, ..Part::say("all that can be seen is well") });
    }
    parts
}
