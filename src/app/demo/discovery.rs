//! What the server says it serves: derived from the registry, in the plain and in the aggregated form (KEP-3352).

use serde_json::{Value, json};

use super::VERSION;
use super::answer::Answer;
use super::refusal::{Outcome, Refusal};
use super::registry::{ALL, Resource};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Answers `/version` and everything below `/api` and `/apis` that is no resource.
pub fn answer(path: &str, accept: &str) -> Outcome<Answer> {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let aggregated = accept.contains("as=APIGroupDiscoveryList") && accept.contains("v=v2");
    let body = match parts.as_slice() {
        ["version"] => version(),
        ["api"] if aggregated => return Ok(aggregate(&[("", "v1")])),
        ["apis"] if aggregated => return Ok(aggregate(&groups())),
        ["api"] => {
            json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
        }
        ["apis"] => json!({
            "kind": "APIGroupList", "apiVersion": "v1",
            "groups": groups().iter().map(|(g, v)| group(g, v)).collect::<Vec<_>>(),
        }),
        ["apis", name] => {
            let found = groups().into_iter().find(|(g, _)| g == name);
            let (g, v) = found.ok_or_else(Refusal::no_such_path)?;
            let mut group = group(g, v);
            group["kind"] = json!("APIGroup");
            group["apiVersion"] = json!("v1");
            group
        }
        ["api", version] => resources("", version)?,
        ["apis", group, version] => resources(group, version)?,
        _ => return Err(Refusal::no_such_path()),
    };
    Ok(Answer::Json(200, body.to_string()))
}

fn version() -> Value {
    let mut parts = VERSION.trim_start_matches('v').split('.');
    json!({
        "major": parts.next(), "minor": parts.next(), "gitVersion": VERSION, "gitTreeState": "clean",
        "gitCommit": "0000000000000000000000000000000000000000", "buildDate": "2026-06-10T00:00:00Z",
        "goVersion": "go1.26.0", "compiler": "gc", "platform": "linux/amd64",
    })
}

/// Every group but the core one, in registry order; metrics.k8s.io is served without being stored.
fn groups() -> Vec<(&'static str, &'static str)> {
    let mut groups: Vec<_> =
        ALL.iter().filter(|r| !r.group.is_empty()).map(|r| (r.group, r.version)).collect();
    groups.dedup();
    groups.extend([
        ("authentication.k8s.io", "v1"),
        ("authorization.k8s.io", "v1"),
        ("metrics.k8s.io", "v1beta1"),
    ]);
    groups
}

fn group(name: &str, version: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/{version}"), "version": version});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

/// One served name: plural or `plural/sub`, whether namespaced, kind with group and version of what it takes, verbs.
struct Served {
    name: String,
    namespaced: bool,
    kind: &'static str,
    of: (&'static str, &'static str),
    verbs: &'static [&'static str],
}

/// What is answered without being stored: name, namespaced, kind, verb list.
fn unstored(group: &str) -> &'static [(&'static str, bool, &'static str, &'static [&'static str])] {
    match group {
        "metrics.k8s.io" => &[
            ("nodes", false, "NodeMetrics", &["get", "list"]),
            ("pods", true, "PodMetrics", &["get", "list"]),
        ],
        "authentication.k8s.io" => {
            &[("selfsubjectreviews", false, "SelfSubjectReview", &["create"])]
        }
        "authorization.k8s.io" => &[
            ("selfsubjectaccessreviews", false, "SelfSubjectAccessReview", &["create"]),
            ("selfsubjectrulesreviews", false, "SelfSubjectRulesReview", &["create"]),
        ],
        _ => &[],
    }
}

fn served(group: &str, version: &str) -> Vec<Served> {
    let Some((group, version)) =
        groups().into_iter().chain([("", "v1")]).find(|gv| *gv == (group, version))
    else {
        return Vec::new();
    };
    let of = (group, version);
    let unstored = unstored(group).iter().map(|(name, namespaced, kind, verbs)| Served {
        name: (*name).to_owned(),
        namespaced: *namespaced,
        kind,
        of,
        verbs,
    });
    let stored = ALL.iter().filter(|r| (r.group, r.version) == of).flat_map(|r| {
        let name = r.plural.to_owned();
        let own = Served { name, namespaced: r.namespaced, kind: r.kind, of, verbs: &VERBS };
        std::iter::once(own).chain(r.subs.iter().map(|sub| sub_resource(r, sub)))
    });
    stored.chain(unstored).collect()
}

fn sub_resource(res: &Resource, sub: &str) -> Served {
    let (kind, of, verbs): (_, _, &'static [&'static str]) = match sub {
        "eviction" => ("Eviction", ("policy", "v1"), &["create"]),
        "scale" => ("Scale", ("autoscaling", "v1"), &["get", "patch", "update"]),
        "log" => (res.kind, (res.group, res.version), &["get"]),
        "finalize" => (res.kind, (res.group, res.version), &["update"]),
        _ => (res.kind, (res.group, res.version), &["get", "patch", "update"]),
    };
    let name = format!("{}/{sub}", res.plural);
    Served { name, namespaced: res.namespaced, kind, of, verbs }
}

fn singular(served: &Served) -> String {
    if served.name.contains('/') { String::new() } else { served.kind.to_lowercase() }
}

fn resources(group: &str, version: &str) -> Outcome<Value> {
    let served = served(group, version);
    if served.is_empty() {
        return Err(Refusal::no_such_path());
    }
    let list: Vec<Value> = served
        .iter()
        .map(|s| {
            let mut one = json!({
                "name": s.name, "singularName": singular(s), "namespaced": s.namespaced, "kind": s.kind,
                "verbs": s.verbs,
            });
            if s.of.0 != group {
                one["group"] = json!(s.of.0);
                one["version"] = json!(s.of.1);
            }
            one
        })
        .collect();
    let gv = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Ok(
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": list}),
    )
}

fn aggregate(groups: &[(&str, &str)]) -> Answer {
    let mut items: Vec<Value> = groups
        .iter()
        .map(|(group, version)| {
            let served = served(group, version);
            let own = served.iter().filter(|s| !s.name.contains('/'));
            let resources: Vec<Value> = own.map(|s| aggregated_resource(s, &served)).collect();
            let version =
                json!({"version": version, "freshness": "Current", "resources": resources});
            json!({"metadata": {"name": group, "creationTimestamp": null}, "versions": [version]})
        })
        .collect();
    if groups.iter().any(|(group, _)| !group.is_empty()) {
        // What an APIService without a server behind it leaves in the list.
        let stale = json!({"version": "v1alpha1", "freshness": "Stale", "resources": []});
        items.push(json!({"metadata": {"name": "legacy.example"}, "versions": [stale]}));
    }
    let list = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    Answer::Typed(AGGREGATED, list.to_string())
}

fn aggregated_resource(own: &Served, all: &[Served]) -> Value {
    let kind = |s: &Served| json!({"group": s.of.0, "version": s.of.1, "kind": s.kind});
    let subs: Vec<Value> = all
        .iter()
        .filter_map(|s| Some((s.name.strip_prefix(&own.name)?.strip_prefix('/')?, s)))
        .map(|(sub, s)| json!({"subresource": sub, "responseKind": kind(s), "verbs": s.verbs}))
        .collect();
    json!({
        "resource": own.name, "responseKind": kind(own), "scope": if own.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": singular(own), "verbs": own.verbs, "subresources": subs,
    })
}
