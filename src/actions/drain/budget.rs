//! What a drain reads from a PodDisruptionBudget (policy/v1).

use super::facts::{Labels, PodFacts, condition, items, labels, text, texts};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Namespace and name of a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BudgetId {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl fmt::Display for BudgetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// One of `matchExpressions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Label key.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`.
    pub operator: String,
    /// Values of `In` and `NotIn`.
    pub values: Vec<String>,
}

/// A label selector. `{}` selects every pod of the namespace, a missing one none (policy/v1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// There is one.
    pub given: bool,
    /// `matchLabels`.
    pub labels: Labels,
    /// `matchExpressions`.
    pub expressions: Vec<Requirement>,
}

impl Selector {
    /// Reads a selector.
    pub fn read(selector: &Value) -> Selector {
        let requirement = |r: &Value| Requirement {
            key: text(&r["key"]),
            operator: text(&r["operator"]),
            values: texts(&r["values"]),
        };
        Selector {
            given: selector.is_object(),
            labels: labels(&selector["matchLabels"]),
            expressions: items(&selector["matchExpressions"]).iter().map(requirement).collect(),
        }
    }

    /// Whether it selects these labels.
    pub fn matches(&self, labels: &Labels) -> bool {
        let equal = |(key, value): (&String, &String)| labels.get(key) == Some(value);
        self.given
            && self.labels.iter().all(equal)
            && self.expressions.iter().all(|r| r.matches(labels))
    }
}

impl Requirement {
    fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator.as_str() {
            "In" => value.is_some_and(|v| self.values.contains(v)),
            "NotIn" => value.is_none_or(|v| !self.values.contains(v)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            // The server refuses others; one that we do not know must not let an eviction pass.
            _ => true,
        }
    }
}

/// What a drain knows of a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetFacts {
    /// Which.
    pub id: BudgetId,
    /// Its pods.
    pub selector: Selector,
    /// `metadata.generation`.
    pub generation: i64,
    /// `status.observedGeneration`.
    pub observed: i64,
    /// `status.disruptionsAllowed`.
    pub allowed: i64,
    /// `status.currentHealthy`.
    pub healthy: i64,
    /// `status.desiredHealthy`.
    pub wanted: i64,
    /// `status.expectedPods`.
    pub expected: i64,
    /// Names of `status.disruptedPods`: evicted, their deletion not yet seen by the controller.
    pub disrupted: Vec<String>,
    /// `unhealthyPodEvictionPolicy`; empty means `IfHealthyBudget`.
    pub policy: String,
    /// Why the controller could not work it out: the message of `DisruptionAllowed` with reason `SyncFailed`.
    pub sync_failed: Option<String>,
    /// `minAvailable` as written; empty if not given.
    pub min_available: String,
    /// `maxUnavailable` as written; empty if not given.
    pub max_unavailable: String,
}

impl BudgetFacts {
    /// Reads a budget. What is missing reads as empty; nothing fails.
    pub fn read(budget: &Value) -> BudgetFacts {
        let (meta, spec, status) = (&budget["metadata"], &budget["spec"], &budget["status"]);
        let number = |key: &str| status[key].as_i64().unwrap_or(0);
        let failed = condition(budget, "DisruptionAllowed").filter(|c| c["reason"] == "SyncFailed");
        BudgetFacts {
            id: BudgetId { namespace: text(&meta["namespace"]), name: text(&meta["name"]) },
            selector: Selector::read(&spec["selector"]),
            generation: meta["generation"].as_i64().unwrap_or(0),
            observed: number("observedGeneration"),
            allowed: number("disruptionsAllowed"),
            healthy: number("currentHealthy"),
            wanted: number("desiredHealthy"),
            expected: number("expectedPods"),
            disrupted: status["disruptedPods"]
                .as_object()
                .map(|o| o.keys().cloned().collect())
                .unwrap_or_default(),
            policy: text(&spec["unhealthyPodEvictionPolicy"]),
            sync_failed: failed.map(|c| text(&c["message"])),
            min_available: number_or_percent(&spec["minAvailable"]),
            max_unavailable: number_or_percent(&spec["maxUnavailable"]),
        }
    }

    /// Whether it selects this pod.
    pub fn covers(&self, pod: &PodFacts) -> bool {
        self.id.namespace == pod.namespace && self.selector.matches(&pod.labels)
    }

    /// Whether its status is of its present spec. The server answers 429 while it is not.
    pub fn current(&self) -> bool {
        self.observed >= self.generation
    }

    /// Evictions it lets happen now; none while its status is stale.
    pub fn room(&self) -> usize {
        if self.current() { usize::try_from(self.allowed).unwrap_or(0) } else { 0 }
    }

    /// Whether evicting this pod takes a unit of it. A pod that is not ready goes free under `AlwaysAllow`, and while
    /// enough others are healthy; a policy we do not know is taken as the stricter (eviction.go, `EvictionREST.Create`).
    pub fn counts(&self, pod: &PodFacts) -> bool {
        if pod.ignores_budgets() {
            return false;
        }
        let enough = self.current() && self.healthy >= self.wanted && self.wanted > 0;
        match self.policy.as_str() {
            _ if pod.ready => true,
            "AlwaysAllow" => false,
            "" | "IfHealthyBudget" => !enough,
            _ => true,
        }
    }

    /// `maxUnavailable: 0`, as its spec says it.
    pub fn spec(&self) -> String {
        match (self.max_unavailable.as_str(), self.min_available.as_str()) {
            ("", "") => "no limit".to_owned(),
            ("", min) => format!("minAvailable: {min}"),
            (max, _) => format!("maxUnavailable: {max}"),
        }
    }

    /// Whether no eviction can be allowed while its spec and the number of its pods stay as they are.
    pub fn never(&self) -> bool {
        let min = self.min_available.parse::<i64>();
        matches!(self.max_unavailable.as_str(), "0" | "0%")
            || self.min_available == "100%"
            || (self.current() && self.expected > 0 && min.is_ok_and(|min| min >= self.expected))
    }
}

fn number_or_percent(value: &Value) -> String {
    value.as_i64().map_or_else(|| text(value), |n| n.to_string())
}
