//! FlowSchemas as the server matches them (`flowcontrol.apiserver.k8s.io/v1`).

use crate::state::time::{Epoch, parse_rfc3339};
use serde_json::Value;

/// A FlowSchema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// `metadata.name`
    pub name: String,
    /// `metadata.uid`, which responses name in `X-Kubernetes-PF-FlowSchema-UID`.
    pub uid: String,
    /// `metadata.resourceVersion`
    pub version: String,
    /// `metadata.creationTimestamp`
    pub created: Epoch,
    /// The level it leads to.
    pub level: String,
    /// `spec.matchingPrecedence`: lower is asked first, ties by name.
    pub precedence: i64,
    /// `ByUser`, `ByNamespace`, or empty: one flow for all.
    pub distinguisher: String,
    /// Rules; any of them matches.
    pub rules: Vec<Rule>,
}

/// `PolicyRulesWithSubjects`.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named as in the API")]
pub struct Rule {
    pub subjects: Vec<Subject>,
    pub resources: Vec<ResourceRule>,
    pub paths: Vec<PathRule>,
}

/// Whose requests.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "named as in the API")]
pub enum Subject {
    User(String),
    Group(String),
    /// Namespace and name.
    ServiceAccount(String, String),
    /// A kind that this program does not know; it matches nobody, as in the server.
    Other(String),
}

/// `ResourcePolicyRule`.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named as in the API")]
pub struct ResourceRule {
    pub verbs: Vec<String>,
    pub groups: Vec<String>,
    /// `pods` or `pods/status`.
    pub resources: Vec<String>,
    pub cluster_scope: bool,
    pub namespaces: Vec<String>,
}

/// `NonResourcePolicyRule`.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named as in the API")]
pub struct PathRule {
    pub verbs: Vec<String>,
    pub paths: Vec<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> Vec<String> {
    items(value).map(text).collect()
}

impl Schema {
    /// Reads a FlowSchema.
    pub fn of(object: &Value) -> Schema {
        let spec = &object["spec"];
        Schema {
            name: text(&object["metadata"]["name"]),
            uid: text(&object["metadata"]["uid"]),
            version: text(&object["metadata"]["resourceVersion"]),
            created: parse_rfc3339(&text(&object["metadata"]["creationTimestamp"]))
                .unwrap_or_default(),
            level: text(&spec["priorityLevelConfiguration"]["name"]),
            // Absent means 1000: `FlowSchemaDefaultMatchingPrecedence` in `flowcontrol/v1/types.go`.
            precedence: spec["matchingPrecedence"].as_i64().unwrap_or(1000),
            distinguisher: text(&spec["distinguisherMethod"]["type"]),
            rules: items(&spec["rules"]).map(rule).collect(),
        }
    }

    /// The rules in a line.
    pub fn words(&self) -> String {
        let rules: Vec<String> = self.rules.iter().map(Rule::words).collect();
        if rules.is_empty() { "matches nothing".into() } else { rules.join("; ") }
    }
}

fn rule(rule: &Value) -> Rule {
    let subject = |s: &Value| match s["kind"].as_str().unwrap_or_default() {
        "User" => Subject::User(text(&s["user"]["name"])),
        "Group" => Subject::Group(text(&s["group"]["name"])),
        "ServiceAccount" => {
            let account = &s["serviceAccount"];
            Subject::ServiceAccount(text(&account["namespace"]), text(&account["name"]))
        }
        other => Subject::Other(other.to_owned()),
    };
    let resource = |r: &Value| ResourceRule {
        verbs: texts(&r["verbs"]),
        groups: texts(&r["apiGroups"]),
        resources: texts(&r["resources"]),
        cluster_scope: r["clusterScope"].as_bool().unwrap_or_default(),
        namespaces: texts(&r["namespaces"]),
    };
    let path =
        |p: &Value| PathRule { verbs: texts(&p["verbs"]), paths: texts(&p["nonResourceURLs"]) };
    Rule {
        subjects: items(&rule["subjects"]).map(subject).collect(),
        resources: items(&rule["resourceRules"]).map(resource).collect(),
        paths: items(&rule["nonResourceRules"]).map(path).collect(),
    }
}

impl Rule {
    fn words(&self) -> String {
        let who: Vec<String> = self.subjects.iter().map(Subject::words).collect();
        let any = |list: &[String], all: &str| match list {
            list if list.iter().any(|t| t == "*") => all.to_owned(),
            list => list.join(","),
        };
        let resources = self.resources.iter().map(|r| {
            let place = match (r.cluster_scope, any(&r.namespaces, "any namespace")) {
                (true, ns) if ns.is_empty() => "cluster-wide".to_owned(),
                (true, ns) => format!("in {ns} and cluster-wide"),
                (false, ns) => format!("in {ns}"),
            };
            let core = r.groups.iter().map(|g| if g.is_empty() { "core" } else { g.as_str() });
            let core: Vec<String> = core.map(str::to_owned).collect();
            let of = any(&core, "any group");
            let (verbs, what) = (any(&r.verbs, "any verb"), any(&r.resources, "any resource"));
            format!("{verbs} on {what} of {of} {place}")
        });
        let paths = self
            .paths
            .iter()
            .map(|p| format!("{} on {}", any(&p.verbs, "any verb"), any(&p.paths, "any path")));
        let what: Vec<String> = resources.chain(paths).collect();
        format!("{}: {}", who.join(", "), what.join(" | "))
    }
}

impl Subject {
    fn words(&self) -> String {
        match self {
            Subject::User(name) if name == "*" => "everybody".into(),
            Subject::User(name) => format!("user {name}"),
            Subject::Group(name) => format!("group {name}"),
            Subject::ServiceAccount(namespace, name) => format!("account {namespace}/{name}"),
            Subject::Other(kind) => format!("{kind} (unknown, matches nobody)"),
        }
    }
}
