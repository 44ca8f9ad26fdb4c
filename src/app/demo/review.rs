//! What the demo's user may do and who it is: answers from the same deny rules that requests meet.

use serde_json::{Value, json};

use super::USER;
use super::answer::Answer;
use super::faults::FaultBook;
use super::object::text;
use super::refusal::{Outcome, Refusal};
use super::registry;

/// Answers a self review, which is never stored.
pub(super) fn answer(book: &FaultBook, plural: &str, body: &[u8]) -> Outcome<Answer> {
    let mut review: Value = serde_json::from_slice(body)
        .map_err(|e| Refusal::bad_request(format!("the review is not JSON: {e}")))?;
    let (group, kind) = match plural {
        "selfsubjectaccessreviews" => ("authorization.k8s.io", "SelfSubjectAccessReview"),
        "selfsubjectrulesreviews" => ("authorization.k8s.io", "SelfSubjectRulesReview"),
        _ => ("authentication.k8s.io", "SelfSubjectReview"),
    };
    if !review.is_object() {
        return Err(Refusal::bad_request("the review is no object"));
    }
    review["kind"] = json!(kind);
    review["apiVersion"] = json!(format!("{group}/v1"));
    review["status"] = match plural {
        "selfsubjectaccessreviews" => access(book, &review["spec"]),
        "selfsubjectrulesreviews" => rules(book, text(&review["spec"]["namespace"])),
        _ => {
            json!({"userInfo": {"username": USER, "groups": ["demo:operators", "system:authenticated"]}})
        }
    };
    Ok(Answer::Json(201, review.to_string()))
}

fn access(book: &FaultBook, spec: &Value) -> Value {
    let asked = &spec["resourceAttributes"];
    let path = &spec["nonResourceAttributes"];
    let allowed = if asked.is_object() {
        let (plural, sub) = (text(&asked["resource"]), text(&asked["subresource"]));
        let resource = if sub.is_empty() { plural.into() } else { format!("{plural}/{sub}") };
        book.allows(text(&asked["verb"]), &resource, text(&asked["namespace"]))
    } else {
        book.allows(text(&path["verb"]), text(&path["path"]), "")
    };
    match allowed {
        true => json!({"allowed": true, "reason": "RBAC: allowed by ClusterRoleBinding \"demo\""}),
        false => json!({"allowed": false}),
    }
}

const VERBS: [&str; 8] =
    ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

fn rules(book: &FaultBook, namespace: &str) -> Value {
    let mut rules = Vec::new();
    for res in registry::ALL {
        let subs = res.subs.iter().map(|sub| format!("{}/{sub}", res.plural));
        for resource in std::iter::once(res.plural.to_owned()).chain(subs) {
            let verbs: Vec<_> =
                VERBS.iter().filter(|verb| book.allows(verb, &resource, namespace)).collect();
            if !verbs.is_empty() {
                rules.push(
                    json!({"verbs": verbs, "apiGroups": [res.group], "resources": [resource]}),
                );
            }
        }
    }
    json!({
        "resourceRules": rules, "incomplete": false,
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
    })
}
