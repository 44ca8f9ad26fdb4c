//! What selects what: label selectors, node selectors, taints and tolerations.
//!
//! Kubernetes (v1.37): `apimachinery/pkg/labels/selector.go`, `component-helpers/scheduling/corev1` (node affinity and
//! `ToleratesTaint`). An operator that is not known matches nothing: a pod is rather called unplaceable by one node than
//! placed where the scheduler would not.

use serde_json::Value;
use std::collections::BTreeMap;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// One condition on labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
    Unknown,
}

impl Need {
    fn of(expression: &Value) -> Need {
        let operator = match text(&expression["operator"]) {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            "Gt" => Operator::Gt,
            "Lt" => Operator::Lt,
            _ => Operator::Unknown,
        };
        let values = items(&expression["values"]).iter().map(|v| text(v).to_owned()).collect();
        Need { key: text(&expression["key"]).to_owned(), operator, values }
    }

    fn holds(&self, value: Option<&str>) -> bool {
        match self.operator {
            Operator::In => value.is_some_and(|v| self.values.iter().any(|w| w == v)),
            Operator::NotIn => value.is_none_or(|v| self.values.iter().all(|w| w != v)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => self.numbers(value).is_some_and(|(v, w)| v > w),
            Operator::Lt => self.numbers(value).is_some_and(|(v, w)| v < w),
            Operator::Unknown => false,
        }
    }

    /// The label's number and the one it is compared to.
    fn numbers(&self, value: Option<&str>) -> Option<(i64, i64)> {
        Some((value?.parse().ok()?, self.values.first()?.parse().ok()?))
    }
}

/// A `metav1.LabelSelector`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// There is none: nothing is selected.
    Nothing,
    /// All of these must hold; of none, everything is selected.
    All(Vec<Need>),
}

impl Selector {
    /// Reads a selector. `null` selects nothing, `{}` everything.
    pub fn of(selector: &Value) -> Selector {
        if !selector.is_object() {
            return Selector::Nothing;
        }
        let equals = selector["matchLabels"].as_object().into_iter().flatten();
        let equals = equals.map(|(key, value)| equal(key, text(value)));
        let more = items(&selector["matchExpressions"]).iter().map(Need::of);
        Selector::All(equals.chain(more).collect())
    }

    /// Adds that a label must have this value, as `matchLabelKeys` does.
    pub fn and(&mut self, key: &str, value: &str) {
        if let Selector::All(needs) = self {
            needs.push(equal(key, value));
        }
    }

    /// Whether labels are selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        match self {
            Selector::Nothing => false,
            Selector::All(needs) => {
                needs.iter().all(|n| n.holds(labels.get(&n.key).map(String::as_str)))
            }
        }
    }
}

fn equal(key: &str, value: &str) -> Need {
    let values = vec![value.to_owned()];
    Need { key: key.to_owned(), operator: Operator::In, values }
}

/// A `NodeSelectorTerm`: labels and fields must all match; an empty term matches nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeTerm {
    labels: Vec<Need>,
    fields: Vec<Need>,
}

impl NodeTerm {
    /// The terms of a `NodeSelector`. `None` if there is no selector, which any node satisfies.
    pub fn all(selector: &Value) -> Option<Vec<NodeTerm>> {
        selector.is_object().then(|| {
            let needs = |list: &Value| items(list).iter().map(Need::of).collect();
            let term = |term: &Value| NodeTerm {
                labels: needs(&term["matchExpressions"]),
                fields: needs(&term["matchFields"]),
            };
            items(&selector["nodeSelectorTerms"]).iter().map(term).collect()
        })
    }

    /// Whether a node of that name and with these labels matches. The only field there is is `metadata.name`.
    pub fn matches(&self, name: &str, labels: &Labels) -> bool {
        if self.labels.is_empty() && self.fields.is_empty() {
            return false;
        }
        let field = |need: &Need| need.key == "metadata.name" && need.holds(Some(name));
        self.labels.iter().all(|n| n.holds(labels.get(&n.key).map(String::as_str)))
            && self.fields.iter().all(field)
    }
}

/// A taint of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    /// Key.
    pub key: String,
    /// Value, often empty.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule`, `NoExecute`.
    pub effect: String,
}

impl Taint {
    /// Reads a taint.
    pub fn of(taint: &Value) -> Taint {
        let field = |name: &str| text(&taint[name]).to_owned();
        Taint { key: field("key"), value: field("value"), effect: field("effect") }
    }

    /// What a cordon puts on a node.
    pub fn unschedulable() -> Taint {
        let (key, effect) =
            ("node.kubernetes.io/unschedulable".to_owned(), "NoSchedule".to_owned());
        Taint { key, value: String::new(), effect }
    }

    /// Whether it keeps pods away that do not tolerate it.
    pub fn repels(&self) -> bool {
        matches!(self.effect.as_str(), "NoSchedule" | "NoExecute")
    }

    /// As kubectl writes it: `dedicated=gpu:NoSchedule`.
    pub fn words(&self) -> String {
        let equals = if self.value.is_empty() { "" } else { "=" };
        format!("{}{equals}{}:{}", self.key, self.value, self.effect)
    }
}

/// A toleration of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toleration {
    key: String,
    /// `None` is an operator that only newer servers know (`Lt`, `Gt`): it tolerates nothing.
    exists: Option<bool>,
    value: String,
    effect: String,
}

impl Toleration {
    /// Reads a toleration.
    pub fn of(toleration: &Value) -> Toleration {
        let field = |name: &str| text(&toleration[name]).to_owned();
        let exists = match text(&toleration["operator"]) {
            "Exists" => Some(true),
            "" | "Equal" => Some(false),
            _ => None,
        };
        Toleration { key: field("key"), exists, value: field("value"), effect: field("effect") }
    }

    /// Whether it tolerates the taint.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        (self.effect.is_empty() || self.effect == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && match self.exists {
                Some(true) => true,
                Some(false) => !self.key.is_empty() && self.value == taint.value,
                None => false,
            }
    }
}

/// The first taint that keeps a pod with these tolerations away.
pub fn repelled<'t>(taints: &'t [Taint], tolerations: &[Toleration]) -> Option<&'t Taint> {
    taints.iter().find(|taint| taint.repels() && !tolerations.iter().any(|t| t.tolerates(taint)))
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A map of texts.
pub(super) fn labels(value: &Value) -> Labels {
    let pairs = value.as_object().into_iter().flatten();
    pairs.map(|(k, v)| (k.clone(), text(v).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn some(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_selector_without_conditions_selects_all_and_none_at_all_nothing() {
        assert!(Selector::of(&json!({})).matches(&some(&[])));
        assert!(!Selector::of(&Value::Null).matches(&some(&[("a", "b")])));
    }

    #[test]
    fn label_operators_mean_what_kubernetes_means() {
        let gold = some(&[("tier", "gold"), ("cores", "8")]);
        for (operator, key, values, expected) in [
            ("In", "tier", json!(["gold"]), true),
            ("In", "none", json!(["gold"]), false),
            ("NotIn", "tier", json!(["gold"]), false),
            ("NotIn", "none", json!(["gold"]), true),
            ("Exists", "tier", json!([]), true),
            ("Exists", "none", json!([]), false),
            ("DoesNotExist", "none", json!([]), true),
            ("DoesNotExist", "tier", json!([]), false),
            ("Gt", "cores", json!(["7"]), true),
            ("Gt", "cores", json!(["8"]), false),
            ("Gt", "tier", json!(["7"]), false),
            ("Lt", "cores", json!(["9"]), true),
            ("Lt", "none", json!(["9"]), false),
            ("Near", "tier", json!(["gold"]), false),
        ] {
            let expression = json!({ "key": key, "operator": operator, "values": values });
            let selector = json!({ "nodeSelectorTerms": [{ "matchExpressions": [expression] }] });
            let terms = NodeTerm::all(&selector).unwrap();
            assert_eq!(terms[0].matches("n", &gold), expected, "{operator} {key}");
        }
    }

    #[test]
    fn terms_match_fields_and_an_empty_one_matches_nothing() {
        let field = json!({ "key": "metadata.name", "operator": "In", "values": ["n1"] });
        let selector = json!({ "nodeSelectorTerms": [{ "matchFields": [field] }, {}] });
        let terms = NodeTerm::all(&selector).unwrap();
        assert!(terms[0].matches("n1", &some(&[])) && !terms[0].matches("n2", &some(&[])));
        assert!(!terms[1].matches("n1", &some(&[])));
        assert_eq!(NodeTerm::all(&Value::Null), None);
    }

    #[test]
    fn taints_are_tolerated_by_key_value_and_effect() {
        let gpu = Taint::of(&json!({ "key": "dedicated", "value": "gpu", "effect": "NoSchedule" }));
        assert_eq!(gpu.words(), "dedicated=gpu:NoSchedule");
        for (toleration, expected) in [
            (json!({ "operator": "Exists" }), true),
            (json!({ "key": "dedicated", "operator": "Exists" }), true),
            (json!({ "key": "dedicated", "operator": "Exists", "effect": "NoExecute" }), false),
            (json!({ "key": "dedicated", "value": "gpu" }), true),
            (json!({ "key": "dedicated", "value": "db" }), false),
            (json!({ "key": "other", "operator": "Exists" }), false),
            (json!({ "value": "gpu" }), false),
            (json!({ "key": "dedicated", "operator": "Gt", "value": "1" }), false),
        ] {
            assert_eq!(Toleration::of(&toleration).tolerates(&gpu), expected, "{toleration}");
        }
        let soft = Taint::of(&json!({ "key": "a", "effect": "PreferNoSchedule" }));
        assert_eq!(repelled(&[soft, gpu.clone()], &[]), Some(&gpu));
    }
}
