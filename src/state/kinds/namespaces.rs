//! Namespaces, and how their pods are.

use super::{common, pods};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, TALLIED, TableSpec};
use crate::state::parcel::Draft;
use crate::state::row::Row;
use crate::{column, paths, words};

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// `status.phase`.
    PHASE = Sym;
    /// `metadata.deletionTimestamp`.
    DELETED = Time;
}

paths! { PATHS:
    P_DELETED = Time [1, 9] "metadata.deletionTimestamp";
    P_PHASE = Text [3, 1] "status.phase";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (P_DELETED, Hit::Time(at)) => d.set(DELETED, at.0),
        (P_PHASE, Hit::Text(t)) => d.put(PHASE, t),
        _ => {}
    }
}

fn count(r: Row<'_>, what: usize) -> i64 {
    r.sums(pods::IN_NAMESPACE)[what]
}

/// A column that counts pods: nothing to count is dim, the rest has the given role.
macro_rules! pods {
    ($id:literal $title:literal $sum:expr, $role:expr) => {
        column!($id $title Right 9 TALLIED,
            |r, _| {
                let n = count(r, $sum);
                common::of_pods(r, Value::Int(n), if n == 0 { Role::Dim } else { $role })
            },
            |r| Sort::Int(count(r, $sum)))
    };
}

static COLUMNS: &[Column] = &[
    common::NAME,
    column!("status" "STATUS" Left 14 PHASE.bit(),
        |r, _| {
            let phase = r.text(PHASE);
            Value::text(phase).role(if phase == "Active" { Role::Plain } else { Role::Warn })
        },
        |r| Sort::Text(r.text(PHASE), "")),
    pods!("pods" "PODS" pods::sum::PODS, Role::Plain),
    pods!("pods_running" "RUNNING" pods::sum::PHASE + pods::phase::RUNNING as usize, Role::Plain),
    pods!("pods_pending" "PENDING" pods::sum::PHASE + pods::phase::PENDING as usize, Role::Warn),
    pods!("pods_failing" "FAILING" pods::sum::FAILING, Role::Bad),
    pods!("pods_terminating" "TERMINATING" pods::sum::TERMINATING, Role::Warn),
    common::AGE,
    column!("deleted" "DELETED" Right 8 DELETED.bit(),
        |r, _| Value::time(r.time(DELETED)).into(), |r| Sort::Int(r.time(DELETED).0)),
    common::LABELS,
    common::UID,
];

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "namespaces",
    kinds: &[Kind {
        gvk: Gvk {
            group: "",
            version: "v1",
            kind: "Namespace",
            plural: "namespaces",
            namespaced: false,
        },
        paths: PATHS,
        fold,
        finish: |_| {},
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};

#[cfg(test)]
mod tests {
    use crate::state::cell::Role;
    use crate::state::kinds::testing::{cell, row, store_of, words};
    use serde_json::{Value as Json, json};

    fn pod(name: &str, phase: &str, reason: &str) -> Json {
        json!({
            "kind": "Pod", "metadata": { "name": name, "namespace": "shop" },
            "status": { "phase": phase, "reason": reason },
        })
    }

    #[test]
    fn a_namespace_counts_its_pods_by_state() {
        let store = store_of(&[
            json!({ "kind": "Namespace", "metadata": { "name": "shop" }, "status": { "phase": "Active" } }),
            json!({ "kind": "Namespace", "metadata": { "name": "old", "deletionTimestamp": "2027-01-15T07:00:00Z" },
                "status": { "phase": "Terminating" } }),
            pod("a", "Running", ""),
            pod("b", "Pending", ""),
            pod("c", "Failed", "Evicted"),
        ]);
        let counts = "status pods pods_running pods_pending pods_failing deleted";
        let shop = row(&store, "namespaces", "shop");
        assert_eq!(words(shop, counts), "Active | 3 | 1 | 1 | 1 | -");
        assert_eq!(cell(shop, "pods_failing").role, Role::Bad);
        let old = row(&store, "namespaces", "old");
        assert_eq!(words(old, counts), "Terminating | 0 | 0 | 0 | 0 | 60m");
        assert_eq!(cell(old, "status").role, Role::Warn);
    }
}
