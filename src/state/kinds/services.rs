//! Services, as far as they are compared with: their names and the addresses they answer on.

use super::common::{self, text_column};
use crate::state::cell::{Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, TableSpec};
use crate::state::parcel::Draft;
use crate::{column, paths, words};

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// `spec.type`.
    TYPE = Sym;
    /// Every address it answers on, with blanks between.
    ADDRESSES = Sym;
}

paths! { PATHS:
    CLUSTER_IP = Text [2, 3] "spec.clusterIP";
    P_TYPE = Text [2, 4] "spec.type";
    EXTERNAL_IP = Text [2, 5] "spec.externalIPs";
    CLUSTER_IPS = Text [2, 18] "spec.clusterIPs";
    INGRESS_IP = Text [3, 1, 1, 1] "status.loadBalancer.ingress.ip";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (P_TYPE, Hit::Text(t)) => d.put(TYPE, t),
        // A headless Service has the word None.
        (CLUSTER_IP | CLUSTER_IPS | EXTERNAL_IP | INGRESS_IP, Hit::Text(t)) if t != "None" => {
            d.open(path);
            d.note(0, t);
        }
        _ => {}
    }
}

fn finish(d: &mut Draft) {
    let mut all: Vec<&str> = d.items.iter().map(|item| d.text(item.txt[0])).collect();
    all.sort_unstable();
    all.dedup();
    let all = all.join(" ");
    d.put(ADDRESSES, &all);
}

static COLUMNS: &[Column] = &[
    common::NAMESPACE,
    common::NAME,
    text_column!("type" "TYPE" 12 TYPE),
    text_column!("addresses" "ADDRESSES" 60 ADDRESSES),
    common::AGE,
    common::LABELS,
    common::UID,
];

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "services",
    kinds: &[Kind {
        gvk: Gvk {
            group: "",
            version: "v1",
            kind: "Service",
            plural: "services",
            namespaced: true,
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
    fn every_address_is_told_once_and_a_headless_service_has_none() {
        let store = store_of(&[
            json!({"kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
                "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7", "fd00::7"],
                    "externalIPs": ["203.0.113.9"]},
                "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}}),
            json!({"kind": "Service", "metadata": {"name": "db", "namespace": "shop"},
                "spec": {"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"]}}),
        ]);
        let shown = words(row(&store, "services", "web"), "type addresses");
        assert_eq!(shown, "LoadBalancer | 10.96.0.7 203.0.113.1 203.0.113.9 fd00::7");
        assert_eq!(words(row(&store, "services", "db"), "addresses"), "-");
    }
}
