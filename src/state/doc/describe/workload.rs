//! Pages of Deployments, StatefulSets, DaemonSets and Jobs.

use super::page::{Page, ago, int, join, str_at, text, time, when, when_so, yes};
use super::pod_spec;
use super::small::selector;
use crate::state::cell::Role;
use crate::state::time::{Epoch, span};
use serde_json::Value;

/// The counts a workload's status gives, each under its field's name in any of the three kinds.
const COUNTS: [(&str, &str); 12] = [
    ("/spec/replicas", "wanted"),
    ("/status/desiredNumberScheduled", "wanted"),
    ("/status/replicas", "there"),
    ("/status/currentNumberScheduled", "there"),
    ("/status/updatedReplicas", "updated"),
    ("/status/updatedNumberScheduled", "updated"),
    ("/status/readyReplicas", "ready"),
    ("/status/numberReady", "ready"),
    ("/status/availableReplicas", "available"),
    ("/status/numberAvailable", "available"),
    ("/status/unavailableReplicas", "unavailable"),
    ("/status/numberMisscheduled", "on nodes that should have none"),
];

pub(super) fn replicated(page: &mut Page, object: &Value, _now: Epoch) {
    let counts = COUNTS.iter().filter_map(|(at, word)| {
        let n = object.pointer(at)?.as_i64()?;
        (n != 0 || *word == "wanted").then(|| format!("{n} {word}"))
    });
    page.field("Pods", join(counts));
    page.field_as(
        "Paused",
        Role::Warn,
        when_so(yes(object, "/spec/paused"), "yes: no rollout starts"),
    );
    if int(object, "/status/observedGeneration") < int(object, "/metadata/generation") {
        page.field_as("Observed", Role::Warn, "no: the status does not answer the spec yet");
    }
    page.field("Selector", selector(object));
    page.field("Strategy", strategy(object));
    page.field("Min ready", seconds(object, "/spec/minReadySeconds"));
    page.field("Deadline", seconds(object, "/spec/progressDeadlineSeconds"));
    page.field("Pod order", str_at(object, "/spec/podManagementPolicy"));
    page.field("Service", str_at(object, "/spec/serviceName"));
    let (now, next) =
        (str_at(object, "/status/currentRevision"), str_at(object, "/status/updateRevision"));
    page.field(
        "Revision",
        if now == next { now.to_owned() } else { format!("{now}, rolling to {next}") },
    );
}

fn strategy(object: &Value) -> String {
    ["/spec/strategy", "/spec/updateStrategy"]
        .into_iter()
        .filter_map(|at| object.pointer(at))
        .map(|s| {
            let limit = |word: &str, field: &str| {
                let value = text(s, &format!("/rollingUpdate/{field}"));
                when_so(!value.is_empty(), format!("{word} {value}"))
            };
            join([
                str_at(s, "/type").to_owned(),
                limit("max unavailable", "maxUnavailable"),
                limit("max surge", "maxSurge"),
                limit("partition", "partition"),
            ])
        })
        .collect()
}

fn seconds(object: &Value, at: &str) -> String {
    match int(object, at) {
        0 => String::new(),
        n => span(n),
    }
}

pub(super) fn job(page: &mut Page, object: &Value, now: Epoch) {
    let n = |at: &str| int(object, at) as usize;
    let wanted = text(object, "/spec/completions");
    let wanted = if wanted.is_empty() { "any".to_owned() } else { wanted };
    page.field("Completions", format!("{} of {wanted}", n("/status/succeeded")));
    page.field(
        "Pods",
        join([
            format!("{} active", n("/status/active")),
            format!("{} ready", n("/status/ready")),
            format!("{} failed", n("/status/failed")),
        ]),
    );
    page.field_as("Suspended", Role::Warn, when_so(yes(object, "/spec/suspend"), "yes"));
    page.field("Parallelism", text(object, "/spec/parallelism"));
    page.field("Retries", text(object, "/spec/backoffLimit"));
    page.field("Deadline", seconds(object, "/spec/activeDeadlineSeconds"));
    page.field("Kept when done", seconds(object, "/spec/ttlSecondsAfterFinished"));
    let (start, end) = (time(object, "/status/startTime"), time(object, "/status/completionTime"));
    page.field("Started", when(start, now));
    if end.is_set() {
        page.field("Finished", format!("{}, took {}", ago(end, now), span(end.0 - start.0)));
    }
    page.field("Selector", selector(object));
}

pub(super) fn template(page: &mut Page, object: &Value, now: Epoch) {
    if let Some(template) = object.pointer("/spec/template") {
        pod_spec::containers(page, template, now);
        pod_spec::placement(page, template);
    }
}
