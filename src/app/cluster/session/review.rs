//! Questions to the API server about ourselves. An answer of "no" is a warning and never a proof:
//! some gateways answer reviews wrongly, and only a 403 settles it.

use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};

use super::call;
use super::fault::Fault;
use super::redact::tidy;

/// Long enough for a busy server, short enough for a preview.
const DEADLINE: Duration = Duration::from_secs(10);

/// The answer of a SelfSubjectAccessReview.
#[derive(Clone, Debug, PartialEq)]
pub enum Review {
    /// A rule allows it.
    Allowed,
    /// No rule allows it, with the authorizer's reason if it gave one. Warn, and offer to try
    /// anyway.
    Denied(String),
    /// The question could not be answered.
    Unknown(Fault),
}

/// Who the server says we are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Identity {
    /// The user name, or the kubeconfig's when the server would not say.
    pub name: String,
    /// The groups, as far as known.
    pub groups: Vec<String>,
    /// Whether the server said so.
    pub confirmed: bool,
}

/// Asks whether we may do `verb` on `resource` (`pods`, or with a subresource `pods/eviction`) of
/// the API group `group` (empty for core) in `namespace` (`None`: in all of them, or cluster-wide).
/// Uses `authorization.k8s.io/v1`.
pub async fn may(
    client: &Client,
    verb: &str,
    group: &str,
    resource: &str,
    namespace: Option<&str>,
) -> Review {
    ask(client, verb, group, resource, namespace, "").await
}

/// Asks whether we may do `verb` on the one cluster-scoped `resource` of this name: what rules with `resourceNames` allow.
pub async fn may_named(
    client: &Client,
    verb: &str,
    group: &str,
    resource: &str,
    name: &str,
) -> Review {
    ask(client, verb, group, resource, None, name).await
}

async fn ask(
    client: &Client,
    verb: &str,
    group: &str,
    resource: &str,
    namespace: Option<&str>,
    name: &str,
) -> Review {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let question = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "namespace": namespace.unwrap_or_default(),
            "name": name,
        }},
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    match call::review(client, path, &question, Some(DEADLINE)).await {
        Ok(answer) => verdict(&answer["status"]),
        Err(fault) => Review::Unknown(fault),
    }
}

fn verdict(status: &Value) -> Review {
    let words = |field: &str| tidy(status[field].as_str().unwrap_or_default(), 200);
    match status["allowed"].as_bool() {
        Some(true) => Review::Allowed,
        Some(false) if words("reason").is_empty() => Review::Denied(words("evaluationError")),
        Some(false) => Review::Denied(words("reason")),
        None => Review::Unknown(Fault::Foreign("an access review without a verdict".into())),
    }
}

/// Asks who we are (`authentication.k8s.io/v1` SelfSubjectReview, Kubernetes 1.28 and later).
pub(super) async fn whoami(client: &Client, deadline: Option<Duration>) -> Result<Identity, Fault> {
    let question = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer = call::review(client, path, &question, deadline).await?;
    let user = &answer["status"]["userInfo"];
    let name = user["username"].as_str().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Fault::Foreign("a self review without a user name".into()))?;
    let groups = user["groups"].as_array().into_iter().flatten();
    let groups = groups.filter_map(|group| group.as_str()).map(|group| tidy(group, 120));
    Ok(Identity { name: tidy(name, 200), groups: groups.collect(), confirmed: true })
}
