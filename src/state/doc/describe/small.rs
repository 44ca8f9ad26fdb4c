//! Pages that need a few lines only: namespaces and disruption budgets.

use super::page::{Page, ago, count, entries, int, items, join, scalar, str_at, text};
use crate::state::cell::Role;
use crate::state::rules::budget_status;
use crate::state::time::{Epoch, parse_rfc3339};
use serde_json::Value;

/// For kinds that have nothing to say there.
pub(super) fn nothing(_: &mut Page, _: &Value, _: Epoch) {}

pub(super) fn namespace(page: &mut Page, object: &Value, _now: Epoch) {
    let phase = str_at(object, "/status/phase");
    let role = if phase == "Active" { Role::Plain } else { Role::Warn };
    page.field_as("Status", role, phase);
    page.list("Held by", items(object, "/spec/finalizers").iter().map(scalar));
}

pub(super) fn budget(page: &mut Page, object: &Value, now: Epoch) {
    let n = |at: &str| int(object, at);
    let condition = items(object, "/status/conditions");
    let condition = condition.iter().find(|c| str_at(c, "/type") == "DisruptionAllowed");
    let word = budget_status::word(&budget_status::Facts {
        generation: n("/metadata/generation"),
        observed: n("/status/observedGeneration"),
        allowed: n("/status/disruptionsAllowed"),
        healthy: n("/status/currentHealthy"),
        wanted: n("/status/desiredHealthy"),
        expected: n("/status/expectedPods"),
        reason: condition.map_or("", |c| str_at(c, "/reason")),
    });
    let pods = count(n("/status/disruptionsAllowed") as usize, "pod");
    page.field_as("Status", budget_status::role(word), format!("{word}: {pods} may go now"));
    page.field("Min available", text(object, "/spec/minAvailable"));
    page.field("Max unavailable", text(object, "/spec/maxUnavailable"));
    page.field(
        "Healthy",
        format!("{} of {} wanted", n("/status/currentHealthy"), n("/status/desiredHealthy")),
    );
    page.field("Pods covered", text(object, "/status/expectedPods"));
    page.field("Selector", selector(object));
    page.field("Unhealthy pods", str_at(object, "/spec/unhealthyPodEvictionPolicy"));
    let going = entries(object, "/status/disruptedPods").map(|(pod, at)| {
        let at = at.as_str().and_then(parse_rfc3339).unwrap_or_default();
        format!("{pod}, let go {}", ago(at, now))
    });
    page.list("On their way", going);
}

/// `spec.selector` in words, of any kind that has one.
pub(super) fn selector(object: &Value) -> String {
    let labels = super::page::pairs(object, "/spec/selector/matchLabels");
    let expressions = items(object, "/spec/selector/matchExpressions").iter().map(expression);
    join(labels.into_iter().chain(expressions))
}

/// `tier in (a, b)`, `!old`: a requirement of a selector, an affinity term or a spread constraint.
pub(super) fn expression(e: &Value) -> String {
    let key = str_at(e, "/key");
    let values = join(items(e, "/values").iter().map(scalar));
    match str_at(e, "/operator") {
        "In" => format!("{key} in ({values})"),
        "NotIn" => format!("{key} notin ({values})"),
        "Exists" => key.to_owned(),
        "DoesNotExist" => format!("!{key}"),
        "Gt" => format!("{key} > {values}"),
        "Lt" => format!("{key} < {values}"),
        other => format!("{key} {other} ({values})"),
    }
}
