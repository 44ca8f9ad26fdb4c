//! Orders of the engine as requests: what is sent, recorded, and put back by an undo.

use super::budget::{Requirement, Selector};
use super::facts::{NodeFacts, Taint};
use super::later::KEY;
use super::orders::{PodRequest, Request};
use crate::actions::cordon;
use crate::actions::plan::{Method, NoUid, Step, Write};
use crate::state::kinds::{nodes, pods};
use crate::state::ui::document::Target;
use serde_json::{Value, json};

/// The annotation of a node that is being drained: which run, who, from where, and when it last said so.
pub const MARK: &str = "wheelhouse.dev/drain";

/// What requests of a drain carry beside what the engine says.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// The cordon's annotation: who, why, since when.
    pub note: String,
    /// [`MARK`]'s text.
    pub mark: String,
}

impl Wire {
    /// The request, in words, with what puts it back. `node`: as last seen, where the request is about a taint.
    ///
    /// # Errors
    /// [`NoUid`].
    pub fn step(&self, request: &Request, node: Option<&NodeFacts>) -> Result<Step, NoUid> {
        let words = request.words();
        match request {
            Request::Cordon { node, uid } => {
                let target = Target::named(&nodes::TABLE.kinds[0].gvk, "", node, uid);
                let body = json!({
                    "metadata": {"annotations": {cordon::NOTE: self.note, MARK: self.mark}},
                    "spec": {"unschedulable": true},
                });
                let write = |method, body| Write { method, target: target.clone(), sub: "", body };
                let back = write(Method::JsonPatch, cordon::lift(Some(&self.note)));
                let undo = Some((format!("uncordon {node}"), back));
                Step::new(words, &write(Method::MergePatch, body), undo)
            }
            Request::Uncordon { node, uid } => {
                let body = cordon::lift(Some(&self.note));
                self.node(words, node, uid, Method::JsonPatch, body)
            }
            Request::Prefer { node: name, uid } => {
                let taints = node.map(|n| &n.taints[..]).unwrap_or_default();
                self.node(words, name, uid, Method::JsonPatch, add_taint(taints))
            }
            Request::Unprefer { node: name, uid } => {
                let taints = node.map(|n| &n.taints[..]).unwrap_or_default();
                self.node(words, name, uid, Method::JsonPatch, remove_taint(taints))
            }
            Request::Evict(pod) => evict(words, pod),
            Request::Delete(pod) => {
                let mut body = json!({"propagationPolicy": "Background"});
                if let Some(grace) = pod.grace {
                    body["gracePeriodSeconds"] = grace.into();
                }
                let write = Write { method: Method::Delete, target: of_pod(pod), sub: "", body };
                Step::new(words, &write, None)
            }
        }
    }

    /// The mark renewed, or taken off.
    ///
    /// # Errors
    /// [`NoUid`].
    pub fn mark(node: &str, uid: &str, mark: Option<&str>) -> Result<Step, NoUid> {
        let target = Target::named(&nodes::TABLE.kinds[0].gvk, "", node, uid);
        let body = json!({"metadata": {"annotations": {MARK: mark}}});
        let write = Write { method: Method::MergePatch, target, sub: "", body };
        let what = if mark.is_some() { "mark" } else { "take the mark off" };
        Step::new(format!("{what} {node}"), &write, None)
    }

    fn node(
        &self,
        words: String,
        name: &str,
        uid: &str,
        method: Method,
        body: Value,
    ) -> Result<Step, NoUid> {
        let target = Target::named(&nodes::TABLE.kinds[0].gvk, "", name, uid);
        Step::new(words, &Write { method, target, sub: "", body }, None)
    }
}

fn evict(words: String, pod: &PodRequest) -> Result<Step, NoUid> {
    let mut body = json!({
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": pod.name, "namespace": pod.namespace},
    });
    if let Some(grace) = pod.grace {
        body["deleteOptions"]["gracePeriodSeconds"] = grace.into();
    }
    let write = Write { method: Method::Create, target: of_pod(pod), sub: "eviction", body };
    Step::new(words, &write, None)
}

fn of_pod(pod: &PodRequest) -> Target {
    Target::named(&pods::TABLE.kinds[0].gvk, &pod.namespace, &pod.name, &pod.uid)
}

/// Appended where there are taints, so that nobody's are overwritten; where there is no list, that is tested.
fn add_taint(there: &[Taint]) -> Value {
    let taint = json!({"key": KEY, "effect": "PreferNoSchedule"});
    match there {
        [] => json!([{"op": "add", "path": "/spec/taints", "value": [taint]}]),
        [first, ..] => json!([
            {"op": "test", "path": "/spec/taints/0/key", "value": first.key},
            {"op": "add", "path": "/spec/taints/-", "value": taint},
        ]),
    }
}

/// By its place in the list, which is tested.
fn remove_taint(there: &[Taint]) -> Value {
    let at = there.iter().position(|t| t.key == KEY).unwrap_or(0);
    json!([
        {"op": "test", "path": format!("/spec/taints/{at}/key"), "value": KEY},
        {"op": "remove", "path": format!("/spec/taints/{at}")},
    ])
}

/// A selector as a query's `labelSelector`.
pub fn label_selector(selector: &Selector) -> String {
    let equal = selector.labels.iter().map(|(key, value)| format!("{key}={value}"));
    let more = selector.expressions.iter().map(|Requirement { key, operator, values }| {
        let values = values.join(",");
        match operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        }
    });
    equal.chain(more).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "00000000-0000-4000-8000-000000000001";

    #[test]
    fn a_pod_is_named_by_its_uid_in_both_ways_out() {
        let pod = PodRequest {
            namespace: "shop".into(),
            name: "web-0".into(),
            uid: UID.into(),
            grace: Some(5),
        };
        let wire = Wire::default();
        let step = wire.step(&Request::Evict(pod.clone()), None).unwrap();
        assert_eq!(step.request.method, "POST");
        assert!(step.request.path.starts_with("/api/v1/namespaces/shop/pods/web-0/eviction?"));
        let options = &step.request.body["deleteOptions"];
        assert_eq!(*options, json!({"gracePeriodSeconds": 5, "preconditions": {"uid": UID}}),);
        let step = wire.step(&Request::Delete(pod), None).unwrap();
        assert_eq!(step.request.body["preconditions"]["uid"], UID);
        assert_eq!(step.request.body["gracePeriodSeconds"], 5);
    }

    #[test]
    fn a_soft_taint_spares_the_others() {
        let request = Request::Prefer { node: "n".into(), uid: UID.into() };
        let other = Taint { key: "gpu".into(), value: String::new(), effect: "NoSchedule".into() };
        let mine = Taint { key: KEY.into(), ..other.clone() };
        let seen = |taints: Vec<Taint>| NodeFacts { taints, ..NodeFacts::default() };
        let wire = Wire::default();
        let step = wire.step(&request, Some(&seen(vec![other.clone()]))).unwrap();
        assert_eq!(step.request.body[2]["path"], "/spec/taints/-");
        let request = Request::Unprefer { node: "n".into(), uid: UID.into() };
        let step = wire.step(&request, Some(&seen(vec![other, mine]))).unwrap();
        assert_eq!(step.request.body[2]["path"], "/spec/taints/1");
        assert_eq!(step.request.body[1]["value"], KEY);
    }

    #[test]
    fn a_selector_is_written_as_the_api_reads_it() {
        let selector = Selector::read(&json!({
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "NotIn", "values": ["a", "b"]},
                {"key": "old", "operator": "DoesNotExist"},
                {"key": "new", "operator": "Exists"},
            ],
        }));
        assert_eq!(label_selector(&selector), "app=web,tier notin (a,b),!old,new");
    }
}
