//! Clean-up of pods that have ended or lost their node, by state and age.
//!
//! Each is deleted on its own, by uid and resourceVersion: a pod that was changed since is left alone. A collection delete
//! would have neither, and no preview. PodGC acts above 12,500 ended pods only (`pkg/controller/podgc`).

use super::change::{Draft, Seen, text};
use super::plan::{Danger, Method, Note, Plan, Step, Write};
use crate::state::kinds::pods;
use crate::state::time::{Epoch, parse_rfc3339, span};
use crate::state::ui::document::Target;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Which pods.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// States, as [`states`] names them, in any case.
    pub states: Vec<String>,
    /// Ended at least this long ago, in seconds.
    pub older: i64,
    /// Pods of one plan at most, the oldest first.
    pub most: usize,
    /// The server's time.
    pub now: Epoch,
}

/// What else has to be known.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Names of the nodes there are; `None` if they could not be read.
    pub nodes: Option<BTreeSet<String>>,
    /// Uids of Jobs that have not finished; `None` if they could not be read.
    pub running_jobs: Option<BTreeSet<String>>,
}

/// Every state that a pod is in, of those that can be asked for: its phase where it has ended, why the kubelet refused or
/// ended it (`status.reason`), and `Orphaned` if its node is gone.
pub fn states(pod: &Value, around: &Around) -> Vec<String> {
    let phase = text(pod, "/status/phase");
    let mut found = vec![];
    match phase {
        "Succeeded" => found.extend(["Completed".to_owned(), "Succeeded".to_owned()]),
        "Failed" => found.push("Failed".to_owned()),
        _ => {}
    }
    let reason = text(pod, "/status/reason");
    if !reason.is_empty() && (phase == "Failed" || reason == "NodeLost") {
        found.push(reason.to_owned());
    }
    let node = text(pod, "/spec/nodeName");
    let gone = around.nodes.as_ref().is_some_and(|all| !all.contains(node));
    if !node.is_empty() && gone {
        found.push("Orphaned".to_owned());
    }
    found
}

/// When a pod ended as far as it says so, else when it was made.
fn ended(pod: &Value) -> Epoch {
    let statuses = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    let ends = statuses
        .into_iter()
        .flatten()
        .filter_map(|c| parse_rfc3339(text(c, "/state/terminated/finishedAt")));
    ends.max()
        .or_else(|| parse_rfc3339(text(pod, "/metadata/creationTimestamp")))
        .unwrap_or_default()
}

/// Why a pod is better left alone.
fn keeps(pod: &Value, around: &Around) -> Option<&'static str> {
    let list = |at: &str| pod.pointer(at).and_then(Value::as_array).into_iter().flatten();
    if pod.pointer("/metadata/annotations/kubernetes.io~1config.mirror").is_some() {
        return Some("mirror of a static pod");
    }
    if !text(pod, "/metadata/deletionTimestamp").is_empty() {
        return Some("being deleted already");
    }
    let job = list("/metadata/ownerReferences").find(|o| o["kind"] == "Job");
    match (job, &around.running_jobs) {
        (Some(_), None) => Some("of a Job that could not be read"),
        (Some(job), Some(running)) if running.contains(text(job, "/uid")) => {
            Some("of a Job that counts them and has not finished")
        }
        _ => None,
    }
}

/// The plan.
///
/// # Errors
/// No pod is in such a state, or a state is not known.
pub fn plan(all: &[Value], asked: &Asked, around: &Around) -> Result<Plan, String> {
    if around.nodes.is_none() && asked.states.iter().any(|s| s.eq_ignore_ascii_case("orphaned")) {
        return Err("which pods are orphaned cannot be told: nodes could not be read".into());
    }
    let wanted = |pod: &&Value| {
        let is = states(pod, around);
        let fits = asked.states.iter().any(|s| is.iter().any(|i| i.eq_ignore_ascii_case(s)));
        fits && ended(pod).age(asked.now) >= asked.older
    };
    let mut found: Vec<&Value> = all.iter().filter(wanted).collect();
    if found.is_empty() {
        return Err(format!(
            "no pod is {} for {} or longer",
            asked.states.join(" or "),
            span(asked.older)
        ));
    }
    found.sort_by_key(|pod| ended(pod));
    let mut draft = Draft::new("cleanup", Danger::Destructive(String::new()));
    let (mut kept, mut counts): (BTreeMap<&str, usize>, BTreeMap<String, usize>) =
        Default::default();
    let (mut on, mut more) = (vec![], 0);
    for pod in found {
        if let Some(why) = keeps(pod, around) {
            *kept.entry(why).or_default() += 1;
        } else if on.len() < asked.most {
            let last = states(pod, around).pop().unwrap_or_default();
            *counts.entry(last).or_default() += 1;
            on.push(seen(pod));
        } else {
            more += 1;
        }
    }
    for one in &on {
        let rv = text(&one.object, "/metadata/resourceVersion");
        let body =
            json!({"propagationPolicy": "Background", "preconditions": {"resourceVersion": rv}});
        let write = Write { method: Method::Delete, target: one.target.clone(), sub: "", body };
        let age = span(ended(&one.object).age(asked.now));
        let state = states(&one.object, around).pop().unwrap_or_default();
        let words = format!("delete pod {} ({state} for {age})", one.target.path());
        draft.step(Step::new(words, &write, None));
    }
    let parts: Vec<String> = counts.iter().map(|(state, n)| format!("{n} {state}")).collect();
    draft.note(Note::plain(parts.join(", ")));
    draft.note(Note::bad("their logs go with them, and nothing of it comes back by undo"));
    for (why, n) in &kept {
        draft.note(Note::warn(format!("{n} left alone: {why}")));
    }
    if more > 0 {
        draft.note(Note::warn(format!(
            "{more} more are in such a state; the {} that ended first come first",
            on.len()
        )));
    }
    if on.is_empty() {
        let why: Vec<String> = kept.iter().map(|(why, n)| format!("{n} {why}")).collect();
        return Err(format!("all of them are left alone: {}", why.join("; ")));
    }
    let mut plan = draft.finish(&on, "pod")?;
    plan.title = match on.len() {
        1 => plan.title,
        n => format!("delete {n} pods that are {}", asked.states.join(" or ")),
    };
    Ok(plan)
}

fn seen(pod: &Value) -> Seen {
    let spec = &pods::TABLE;
    Seen {
        target: Target { table: spec.id, ..Target::of(&spec.kinds[0].gvk, pod) },
        object: pod.clone(),
        pods: Ok(vec![]),
        evidence: None,
    }
}
