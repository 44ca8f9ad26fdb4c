//! ClusterRoleBindings: who has which role everywhere.

use super::common::{self, text_column};
use crate::state::cell::{Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, TableSpec};
use crate::state::parcel::Draft;
use crate::{column, paths, words};

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// Name of the ClusterRole.
    ROLE = Sym;
    /// `Kind name` or `ServiceAccount namespace/name`, a line each.
    SUBJECTS = Sym;
}

paths! { PATHS:
    SUBJECT = Item [2] "subjects";
    SUBJECT_KIND = Text [2, 1] "subjects.kind";
    SUBJECT_NAME = Text [2, 3] "subjects.name";
    SUBJECT_NAMESPACE = Text [2, 4] "subjects.namespace";
    P_ROLE = Text [3, 3] "roleRef.name";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (SUBJECT, Hit::Open) => d.open(path),
        (SUBJECT_KIND, Hit::Text(t)) => d.note(0, t),
        (SUBJECT_NAME, Hit::Text(t)) => d.note(1, t),
        (SUBJECT_NAMESPACE, Hit::Text(t)) => d.note(2, t),
        (P_ROLE, Hit::Text(t)) => d.put(ROLE, t),
        _ => {}
    }
}

fn finish(d: &mut Draft) {
    let line = |item: &crate::state::parcel::Item| {
        let [kind, name, namespace, _] = item.txt.map(|t| d.text(t));
        match namespace {
            "" => format!("{kind} {name}"),
            namespace => format!("{kind} {namespace}/{name}"),
        }
    };
    let lines: Vec<String> = d.items.iter().map(line).collect();
    d.put(SUBJECTS, &lines.join("\n"));
}

static COLUMNS: &[Column] = &[
    common::NAME,
    text_column!("role" "ROLE" 40 ROLE),
    column!("subjects" "SUBJECTS" Left 60 SUBJECTS.bit(),
        |r, _| Value::text(r.text(SUBJECTS).replace('\n', ", ")).into(),
        |r| Sort::Text(r.text(SUBJECTS), "")),
    common::AGE,
    common::LABELS,
    common::UID,
];

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "clusterrolebindings",
    kinds: &[Kind {
        gvk: Gvk {
            group: "rbac.authorization.k8s.io",
            version: "v1",
            kind: "ClusterRoleBinding",
            plural: "clusterrolebindings",
            namespaced: false,
        },
        paths: PATHS,
        fold,
        finish,
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};

#[cfg(test)]
mod tests {
    use crate::state::kinds::testing::{row, store_of, words};
    use serde_json::json;

    #[test]
    fn subjects_are_told_with_their_kind() {
        let store = store_of(&[
            json!({"kind": "ClusterRoleBinding", "metadata": {"name": "admins"},
            "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "ops"},
                {"kind": "ServiceAccount", "name": "ci", "namespace": "build"}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}}),
        ]);
        let shown = words(row(&store, "clusterrolebindings", "admins"), "role subjects");
        assert_eq!(shown, "cluster-admin | Group ops, ServiceAccount build/ci");
    }
}
