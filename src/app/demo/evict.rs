//! POST of an eviction, decided by budgets as `pkg/registry/core/pod/storage/eviction.go` (kubernetes v1.36) decides it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;
use super::answer::Answer;
use super::delete::{DeleteOptions, preconditions, remove};
use super::list;
use super::object::{self, Condition, holds, is_deleting, set_condition, stamp, text};
use super::refusal::{Outcome, Refusal};
use super::registry::{BUDGETS, PODS};
use super::route::{Ask, Target};
use super::select::Labels;
use super::store::Object;

/// Evicts a pod: 201 when it is on its way, 429 when a budget has nothing to spare, 500 when two budgets claim it.
pub fn evict(world: &mut World, ask: &Ask, target: &Target, now: Timestamp) -> Outcome<Answer> {
    let eviction = read(ask, &target.name)?;
    let options = DeleteOptions::read(&eviction["deleteOptions"], ask)?;
    let pod = list::get(&world.store, target)?.clone();
    preconditions(&PODS, &pod, &options)?;
    if !ignores_budgets(&pod)
        && let Some(budget) = the_budget(world, &pod)?
    {
        let may_go_free = !holds(&pod, "Ready") && spares_unhealthy(&budget);
        if !may_go_free {
            spend(world, &budget, &target.name, options.dry, now)?;
        }
    }
    let mut leaving = Value::clone(&pod);
    set_condition(&mut leaving, DISRUPTED, now);
    let leaving = if options.dry { leaving.into() } else { world.store.put(&PODS, leaving) };
    // The resourceVersion the caller saw is not the one after our own condition.
    remove(world, &PODS, &leaving, &DeleteOptions { version: String::new(), ..options }, now)?;
    let done = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(Answer::Json(201, done.to_string()))
}

const DISRUPTED: Condition<'static> = Condition {
    kind: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
};

fn read(ask: &Ask, name: &str) -> Outcome<Value> {
    let eviction: Value = serde_json::from_slice(&ask.body)
        .map_err(|e| Refusal::bad_request(format!("the eviction is not JSON: {e}")))?;
    let known = ["kind", "apiVersion", "metadata", "deleteOptions"];
    let stranger =
        eviction.as_object().into_iter().flatten().find(|(k, _)| !known.contains(&k.as_str()));
    if let (Some((key, _)), "Strict") = (stranger, ask.query.get("fieldValidation")) {
        return Err(Refusal::bad_request(format!(
            "strict decoding error: unknown field \"{key}\""
        )));
    }
    match object::name(&eviction) {
        "" => Ok(eviction),
        other if other != name => {
            Err(Refusal::bad_request("name in URL does not match name in Eviction object"))
        }
        _ => Ok(eviction),
    }
}

fn ignores_budgets(pod: &Value) -> bool {
    is_deleting(pod) || matches!(text(&pod["status"]["phase"]), "Succeeded" | "Failed" | "Pending")
}

/// The budget that selects the pod; two of them are an error of the server's own making (HTTP 500).
fn the_budget(world: &World, pod: &Value) -> Outcome<Option<Object>> {
    let namespace = object::namespace(pod);
    let selects = |b: &&Object| {
        object::namespace(b) == namespace
            && Labels::of(&b["spec"]["selector"]).is_some_and(|l| l.matches(pod))
    };
    let mut found = world.store.table(&BUDGETS).values().filter(selects);
    let first = found.next().cloned();
    if found.next().is_some() {
        return Err(Refusal::new(
            500,
            "InternalError",
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        ));
    }
    Ok(first)
}

/// KEP-3017: whether a pod that is not Ready may go without spending budget.
fn spares_unhealthy(budget: &Value) -> bool {
    let number = |key: &str| budget["status"][key].as_i64().unwrap_or(0);
    let (healthy, desired) = (number("currentHealthy"), number("desiredHealthy"));
    match text(&budget["spec"]["unhealthyPodEvictionPolicy"]) {
        "AlwaysAllow" => true,
        "" | "IfHealthyBudget" => healthy >= desired && desired > 0,
        _ => false,
    }
}

fn spend(world: &mut World, budget: &Object, pod: &str, dry: bool, now: Timestamp) -> Outcome<()> {
    let (name, status) = (object::name(budget), &budget["status"]);
    let number = |key: &str| status[key].as_i64().unwrap_or(0);
    if number("observedGeneration") < budget["metadata"]["generation"].as_i64().unwrap_or(0) {
        let cause = format!("The disruption budget {name} is still being processed by the server.");
        return Err(blocked(cause).after(10));
    }
    if number("disruptionsAllowed") <= 0 {
        return Err(blocked(format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            number("desiredHealthy"),
            number("currentHealthy")
        )));
    }
    if !dry {
        let mut new = Value::clone(budget);
        new["status"]["disruptionsAllowed"] = json!(number("disruptionsAllowed") - 1);
        new["status"]["disruptedPods"][pod] = json!(stamp(now));
        world.store.put(&BUDGETS, new);
    }
    Ok(())
}

fn blocked(cause: String) -> Refusal {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    Refusal::new(429, "TooManyRequests", message).cause("DisruptionBudget", cause, "")
}
