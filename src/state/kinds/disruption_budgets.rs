//! Disruption budgets: how many pods each lets go, and why one lets none.

use super::common::{self, text_column};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, TableSpec};
use crate::state::parcel::{Draft, Item};
use crate::state::rules::budget_status::{self, Facts};
use crate::{column, paths, words};

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// `spec.minAvailable`, a number or a percentage.
    MIN = Sym;
    /// `spec.maxUnavailable`, a number or a percentage.
    MAX = Sym;
    /// `status.disruptionsAllowed`.
    ALLOWED = Num;
    /// `status.currentHealthy`.
    HEALTHY = Num;
    /// `status.desiredHealthy`.
    WANTED = Num;
    /// `status.expectedPods`.
    EXPECTED = Num;
    /// The selector as `labelSelector=` takes it; `(all pods)` for an empty one.
    SELECTOR = Sym;
    /// `spec.unhealthyPodEvictionPolicy`.
    POLICY = Sym;
    /// See [`budget_status::word`].
    STATUS = Sym;
    /// Reason of the DisruptionAllowed condition.
    REASON = Sym;
}

paths! { PATHS:
    GENERATION = Int [1, 7] "metadata.generation";
    P_MIN = IntOrString [2, 1] "spec.minAvailable";
    P_SELECTOR = Item [2, 2] "spec.selector";
    MATCH_LABELS = Pairs [2, 2, 1] "spec.selector.matchLabels";
    EXPRESSION = Item [2, 2, 2] "spec.selector.matchExpressions";
    EXPRESSION_KEY = Text [2, 2, 2, 1] "spec.selector.matchExpressions.key";
    EXPRESSION_OPERATOR = Text [2, 2, 2, 2] "spec.selector.matchExpressions.operator";
    EXPRESSION_VALUE = Text [2, 2, 2, 3] "spec.selector.matchExpressions.values";
    P_MAX = IntOrString [2, 3] "spec.maxUnavailable";
    P_POLICY = Text [2, 4] "spec.unhealthyPodEvictionPolicy";
    OBSERVED = Int [3, 1] "status.observedGeneration";
    P_ALLOWED = Int [3, 3] "status.disruptionsAllowed";
    P_HEALTHY = Int [3, 4] "status.currentHealthy";
    P_WANTED = Int [3, 5] "status.desiredHealthy";
    P_EXPECTED = Int [3, 6] "status.expectedPods";
    CONDITION = Item [3, 7] "status.conditions";
    CONDITION_TYPE = Text [3, 7, 1] "status.conditions.type";
    CONDITION_REASON = Text [3, 7, 5] "status.conditions.reason";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (P_SELECTOR | EXPRESSION | CONDITION, Hit::Open) => d.open(path),
        (GENERATION | OBSERVED, Hit::Int(n)) => {
            d.open(path);
            d.item().num[0] = n;
        }
        (MATCH_LABELS, Hit::Pair(key, value)) => {
            d.open(path);
            d.note(0, &format!("{key}={value}"));
        }
        (P_MIN, Hit::Int(n)) => d.put(MIN, &n.to_string()),
        (P_MAX, Hit::Int(n)) => d.put(MAX, &n.to_string()),
        (P_MIN, Hit::Text(t)) => d.put(MIN, t),
        (P_MAX, Hit::Text(t)) => d.put(MAX, t),
        (P_POLICY, Hit::Text(t)) => d.put(POLICY, t),
        (P_ALLOWED, Hit::Int(n)) => d.set(ALLOWED, n),
        (P_HEALTHY, Hit::Int(n)) => d.set(HEALTHY, n),
        (P_WANTED, Hit::Int(n)) => d.set(WANTED, n),
        (P_EXPECTED, Hit::Int(n)) => d.set(EXPECTED, n),
        (EXPRESSION_KEY | CONDITION_TYPE, Hit::Text(t)) => d.note(0, t),
        (EXPRESSION_OPERATOR | CONDITION_REASON, Hit::Text(t)) => d.note(1, t),
        (EXPRESSION_VALUE, Hit::Text(t)) => {
            let values = d.item().txt[2];
            let all = match d.text(values) {
                "" => t.to_owned(),
                before => format!("{before},{t}"),
            };
            d.note(2, &all);
        }
        _ => {}
    }
}

fn finish(d: &mut Draft) {
    let items = std::mem::take(&mut d.items);
    let of = |tag: usize| items.iter().filter(move |i| i.tag == tag);
    let number = |tag: usize| of(tag).next().map_or(0, |i| i.num[0]);
    let condition = of(CONDITION).find(|c| d.text(c.txt[0]) == "DisruptionAllowed");
    let reason = condition.map(|c| c.txt[1]).unwrap_or_default();
    let word = budget_status::word(&Facts {
        generation: number(GENERATION),
        observed: number(OBSERVED),
        allowed: d.get(ALLOWED),
        healthy: d.get(HEALTHY),
        wanted: d.get(WANTED),
        expected: d.get(EXPECTED),
        reason: d.text(reason),
    });
    let selector = selector(d, &items);
    d.put(STATUS, word);
    d.point(REASON, reason);
    d.put(SELECTOR, &selector);
    if d.word(POLICY).is_empty() {
        // What an absent policy means: `UnhealthyPodEvictionPolicyType` in `policy/v1/types.go`.
        d.put(POLICY, "IfHealthyBudget");
    }
    d.items = items;
}

/// The selector in the words of `labelSelector=`. In policy/v1 an empty one selects every pod of the namespace, an
/// absent one none.
fn selector(d: &Draft, items: &[Item]) -> String {
    let of = |tag: usize| items.iter().filter(move |i| i.tag == tag);
    let mut parts: Vec<String> = of(MATCH_LABELS).map(|i| d.text(i.txt[0]).to_owned()).collect();
    parts.sort_unstable();
    parts.extend(of(EXPRESSION).map(|e| {
        let (key, values) = (d.text(e.txt[0]), d.text(e.txt[2]));
        match d.text(e.txt[1]) {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            other => format!("{key} {other} ({values})"),
        }
    }));
    match of(P_SELECTOR).next() {
        Some(_) if parts.is_empty() => "(all pods)".to_owned(),
        _ => parts.join(","),
    }
}

static COLUMNS: &[Column] = &[
    common::NAMESPACE,
    common::NAME,
    text_column!("min_available" "MIN AVAILABLE" 13 MIN),
    text_column!("max_unavailable" "MAX UNAVAILABLE" 15 MAX),
    column!("allowed" "ALLOWED" Right 7 ALLOWED.bit() | STATUS.bit(),
        |r, _| Value::Int(r.num(ALLOWED)).role(budget_status::role(r.text(STATUS))),
        |r| Sort::Int(r.num(ALLOWED))),
    column!("healthy" "HEALTHY" Right 9 HEALTHY.bit() | WANTED.bit(),
        |r, _| {
            let (have, of) = (r.num(HEALTHY), r.num(WANTED));
            Value::Count(have, of).role(if have < of { Role::Bad } else { Role::Plain })
        },
        |r| Sort::Int(r.num(HEALTHY))),
    column!("expected" "EXPECTED" Right 8 EXPECTED.bit(),
        |r, _| Value::Int(r.num(EXPECTED)).into(), |r| Sort::Int(r.num(EXPECTED))),
    column!("status" "STATUS" Left 10 STATUS.bit(),
        |r, _| Value::text(r.text(STATUS)).role(budget_status::role(r.text(STATUS))),
        |r| Sort::Text(r.text(STATUS), "")),
    text_column!("reason" "REASON" 18 REASON),
    common::AGE,
    text_column!("selector" "SELECTOR" 60 SELECTOR),
    text_column!("unhealthy_policy" "UNHEALTHY PODS" 16 POLICY),
    common::LABELS,
    common::UID,
];

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "poddisruptionbudgets",
    kinds: &[Kind {
        gvk: Gvk {
            group: "policy",
            version: "v1",
            kind: "PodDisruptionBudget",
            plural: "poddisruptionbudgets",
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
    use super::*;
    use crate::state::kinds::testing::{cell, row, store_of, words};
    use serde_json::{Value as Json, json};

    fn budget(spec: Json, allowed: i64) -> Json {
        json!({
            "kind": "PodDisruptionBudget",
            "metadata": { "name": "web", "namespace": "shop", "generation": 2 },
            "spec": spec,
            "status": {
                "observedGeneration": 2, "disruptionsAllowed": allowed,
                "currentHealthy": 11 + allowed, "desiredHealthy": 12, "expectedPods": 14,
                "conditions": [{ "type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods" }],
            },
        })
    }

    #[test]
    fn numbers_and_percentages_are_shown_as_written() {
        let selector = json!({ "matchLabels": { "app": "web", "a": "b" }, "matchExpressions": [
            { "key": "tier", "operator": "In", "values": ["front", "edge"] },
            { "key": "old", "operator": "DoesNotExist" },
        ] });
        let store = store_of(&[budget(json!({ "minAvailable": "75%", "selector": selector }), 0)]);
        let r = row(&store, "poddisruptionbudgets", "web");
        assert_eq!(
            words(r, "min_available max_unavailable allowed healthy expected status reason"),
            "75% | - | 0 | 11/12 | 14 | short | InsufficientPods"
        );
        assert_eq!(words(r, "selector"), "a=b,app=web,tier in (front,edge),!old");
        assert_eq!(words(r, "unhealthy_policy"), "IfHealthyBudget");
        assert_eq!(cell(r, "status").role, Role::Bad);
    }

    #[test]
    fn an_empty_selector_takes_all_pods_and_an_absent_one_none() {
        let all = json!({ "maxUnavailable": 1, "selector": {}, "unhealthyPodEvictionPolicy": "AlwaysAllow" });
        let store = store_of(&[budget(all, 1)]);
        let r = row(&store, "poddisruptionbudgets", "web");
        let columns = "max_unavailable status selector unhealthy_policy";
        assert_eq!(words(r, columns), "1 | open | (all pods) | AlwaysAllow");
        let store = store_of(&[budget(json!({}), 1)]);
        assert_eq!(words(row(&store, "poddisruptionbudgets", "web"), "selector"), "-");
    }
}
