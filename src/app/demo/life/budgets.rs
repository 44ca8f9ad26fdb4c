//! Disruption budgets: how many pods may go, kept up to date as `pkg/controller/disruption` (kubernetes v1.36) does.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::object::{self, Condition, holds, set_condition, since, text};
use super::super::registry::{BUDGETS, PODS};
use super::super::select::Labels;
use super::super::store::Object;
use super::owned::is_active;

/// After this many seconds an eviction that led to nothing no longer counts.
const DISRUPTION_TIMEOUT: i64 = 120;

/// Recomputes the status of every budget.
pub fn sync(world: &mut World, now: Timestamp) {
    let budgets: Vec<Object> = world.store.table(&BUDGETS).values().cloned().collect();
    for old in budgets {
        let labels = Labels::of(&old["spec"]["selector"]);
        let matched = |p: &&Object| {
            object::namespace(p) == object::namespace(&old)
                && labels.as_ref().is_some_and(|l| l.matches(p))
        };
        let pods: Vec<&Object> = world.store.table(&PODS).values().filter(matched).collect();
        let mut new = Value::clone(&old);
        judge(&mut new, &pods, now);
        if new != *old {
            world.store.put(&BUDGETS, new);
        }
    }
}

fn judge(budget: &mut Value, pods: &[&Object], now: Timestamp) {
    let expected = pods.iter().filter(|p| is_active(p)).count() as i64;
    let disrupted = still_disrupted(budget, pods, now);
    let healthy = pods
        .iter()
        .filter(|p| is_active(p) && holds(p, "Ready") && disrupted[object::name(p)].is_null());
    let healthy = healthy.count() as i64;
    let spec = &budget["spec"];
    let desired = if spec["maxUnavailable"].is_null() {
        amount(&spec["minAvailable"], expected)
    } else {
        (expected - amount(&spec["maxUnavailable"], expected)).max(0)
    };
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let generation = budget["metadata"]["generation"].clone();
    let status = &mut budget["status"];
    status["expectedPods"] = json!(expected);
    status["desiredHealthy"] = json!(desired);
    status["currentHealthy"] = json!(healthy);
    status["disruptionsAllowed"] = json!(allowed);
    status["observedGeneration"] = generation;
    if disrupted.as_object().is_some_and(|m| !m.is_empty()) {
        status["disruptedPods"] = disrupted;
    } else {
        object::unset(status, "disruptedPods");
    }
    let (status, reason) =
        if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let is = Condition { kind: "DisruptionAllowed", status, reason, message: "" };
    set_condition(budget, is, now);
}

/// Evictions that were let through and whose pod is still there, not yet being deleted.
fn still_disrupted(budget: &Value, pods: &[&Object], now: Timestamp) -> Value {
    let noted = budget["status"]["disruptedPods"].as_object().into_iter().flatten();
    let pending = noted.filter(|(name, at)| {
        let waiting = pods.iter().any(|p| object::name(p) == *name && is_active(p));
        waiting && since(at, now) < DISRUPTION_TIMEOUT
    });
    Value::Object(pending.map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// A number, or a percentage of the pods, rounded up.
fn amount(value: &Value, of: i64) -> i64 {
    match value.as_i64() {
        Some(n) => n,
        None => {
            let percent = text(value).trim_end_matches('%').parse::<i64>().unwrap_or(0);
            (of * percent + 99) / 100
        }
    }
}

/// Whether any budget selects the pod, for the scenes that take pods away.
pub fn is_guarded(world: &World, pod: &Value) -> bool {
    let selects = |b: &Object| {
        object::namespace(b) == object::namespace(pod)
            && Labels::of(&b["spec"]["selector"]).is_some_and(|l| l.matches(pod))
    };
    world.store.table(&BUDGETS).values().any(selects)
}
