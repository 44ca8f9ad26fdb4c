//! The page of a pod.

use super::page::{Page, items, join, scalar, str_at, text, time, when, when_so, yes};
use super::pod_spec;
use crate::state::cell::Role;
use crate::state::rules::pod_status::{self, Container, Facts};
use crate::state::time::{Epoch, span};
use serde_json::Value;

pub(super) fn summary(page: &mut Page, object: &Value, now: Epoch) {
    let status = status(object);
    page.field_as("Status", pod_status::role(&status), status);
    page.field("Reason", str_at(object, "/status/reason"));
    page.field("Message", str_at(object, "/status/message"));
    page.field("Node", str_at(object, "/spec/nodeName"));
    page.field("Nominated node", str_at(object, "/status/nominatedNodeName"));
    page.field("Pod IPs", join(items(object, "/status/podIPs").iter().map(|ip| str_at(ip, "/ip"))));
    page.field("Node IP", str_at(object, "/status/hostIP"));
    page.field("Started", when(time(object, "/status/startTime"), now));
    page.field("QoS", str_at(object, "/status/qosClass"));
    let priority = [text(object, "/spec/priority"), text(object, "/spec/priorityClassName")];
    page.field("Priority", join(priority));
    page.field("Service account", str_at(object, "/spec/serviceAccountName"));
    page.field("Restart policy", str_at(object, "/spec/restartPolicy"));
    let grace = object.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64);
    page.field("Grace period", grace.map_or(String::new(), span));
    page.field("Runtime class", str_at(object, "/spec/runtimeClassName"));
    let shared = ["hostNetwork", "hostPID", "hostIPC"];
    page.field(
        "Shares with node",
        join(shared.map(|f| when_so(yes(object, &format!("/spec/{f}")), f))),
    );
    let gates = items(object, "/spec/schedulingGates").iter().map(|g| str_at(g, "/name"));
    page.field_as("Held by gates", Role::Warn, join(gates));
    let gates = items(object, "/spec/readinessGates").iter().map(|g| scalar(&g["conditionType"]));
    page.field("Readiness gates", join(gates));
}

pub(super) fn details(page: &mut Page, object: &Value, now: Epoch) {
    pod_spec::containers(page, object, now);
    pod_spec::placement(page, object);
}

/// STATUS as the table shows it.
fn status(object: &Value) -> String {
    let conditions = items(object, "/status/conditions");
    let condition = |kind: &str| conditions.iter().find(|c| str_at(c, "/type") == kind);
    let holds = |kind: &str| condition(kind).is_some_and(|c| str_at(c, "/status") == "True");
    let init_spec = items(object, "/spec/initContainers");
    let sidecar = |status: &Value| {
        let named = |c: &&Value| str_at(c, "/name") == str_at(status, "/name");
        init_spec.iter().find(named).is_some_and(|c| str_at(c, "/restartPolicy") == "Always")
    };
    let statuses = |at: &str| items(object, at).iter();
    let facts = Facts {
        phase: str_at(object, "/status/phase"),
        reason: str_at(object, "/status/reason"),
        gated: condition("PodScheduled").is_some_and(|c| str_at(c, "/reason") == "SchedulingGated"),
        initialized: holds("Initialized"),
        ready: holds("Ready"),
        deleting: time(object, "/metadata/deletionTimestamp").is_set(),
        init_total: init_spec.len(),
        init: statuses("/status/initContainerStatuses").map(|s| facts(s, sidecar(s))).collect(),
        containers: statuses("/status/containerStatuses").map(|s| facts(s, false)).collect(),
    };
    pod_status::verdict(&facts).status.into_owned()
}

fn facts(status: &Value, sidecar: bool) -> Container<'_> {
    let number = |v: &Value, at: &str| v.pointer(at).and_then(Value::as_i64).unwrap_or(0);
    Container {
        sidecar,
        ready: yes(status, "/ready"),
        started: yes(status, "/started"),
        restarts: number(status, "/restartCount"),
        last_finished: time(status, "/lastState/terminated/finishedAt"),
        running: status.pointer("/state/running").is_some(),
        waiting: status.pointer("/state/waiting").map(|w| str_at(w, "/reason")),
        terminated: status
            .pointer("/state/terminated")
            .map(|t| (number(t, "/exitCode"), number(t, "/signal"), str_at(t, "/reason"))),
    }
}
