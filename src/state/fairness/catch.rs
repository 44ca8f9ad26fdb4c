//! Which schema catches a request: the server's own rules (apiserver `pkg/util/flowcontrol/rule.go` and
//! `apf_controller.go`), with the reason at each schema passed.

use super::schema::{PathRule, ResourceRule, Rule, Schema, Subject};

/// A request as the server's filter sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// User name; `system:serviceaccount:NAMESPACE:NAME` for accounts.
    pub user: String,
    /// Groups, all of them: the server adds `system:authenticated` and those of accounts before it matches.
    pub groups: Vec<String>,
    /// `get`, `list`, `watch`, ...
    pub verb: String,
    /// What is asked for.
    pub what: What,
}

/// A resource or a path.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// An object or a collection.
    Resource {
        /// API group, empty for core.
        group: String,
        /// Plural.
        resource: String,
        /// Subresource, or empty.
        sub: String,
        /// Empty for cluster scope and for all namespaces.
        namespace: String,
    },
    /// A path that is no resource: `/healthz`.
    Path(String),
}

impl Default for What {
    fn default() -> What {
        What::Path("/".into())
    }
}

impl Asked {
    /// Whether the server keeps it out of priority and fairness: long-running and not a watch, whose beginning alone
    /// counts (`BasicLongRunningRequestCheck` with the arguments of `cmd/kube-apiserver`).
    pub fn is_long_running(&self) -> bool {
        match &self.what {
            What::Resource { sub, .. } => {
                let subs = ["attach", "exec", "proxy", "log", "portforward"];
                self.verb == "proxy" || self.verb != "watch" && subs.contains(&sub.as_str())
            }
            What::Path(path) => path.starts_with("/debug/pprof/"),
        }
    }

    /// The groups that the server gives this user by itself, beside those that are named.
    pub fn with_usual_groups(mut self) -> Asked {
        let mut usual = vec![];
        if let Some((namespace, _)) = account(&self.user) {
            usual.push("system:serviceaccounts".to_owned());
            usual.push(format!("system:serviceaccounts:{namespace}"));
        }
        let anonymous = self.user == "system:anonymous";
        let all = if anonymous { "system:unauthenticated" } else { "system:authenticated" };
        usual.push(all.to_owned());
        usual.retain(|g| !self.groups.contains(g));
        self.groups.extend(usual);
        self
    }
}

/// A schema that was asked, and why it passed or caught.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The schema's name.
    pub schema: String,
    /// Its precedence.
    pub precedence: i64,
    /// Its level.
    pub level: String,
    /// Whether it catches.
    pub catches: bool,
    /// Why.
    pub why: String,
}

/// Every schema up to the one that catches, in the order the server asks them. `levels` are the names of those that
/// exist: a schema without one is dangling and not asked.
///
/// An empty answer means that the request is not under priority and fairness.
pub fn catch(asked: &Asked, schemas: &[Schema], levels: &[String]) -> Vec<Step> {
    if asked.is_long_running() {
        return vec![];
    }
    let mut steps = vec![];
    for schema in in_order(schemas) {
        let (catches, why) = if is_dangling(schema, levels) {
            (false, format!("dangling: there is no level {}", schema.level))
        } else {
            why(asked, schema)
        };
        let step = Step {
            schema: schema.name.clone(),
            precedence: schema.precedence,
            level: schema.level.clone(),
            catches,
            why,
        };
        steps.push(step);
        if catches {
            return steps;
        }
    }
    // Absent from the list only for one who may not see it: the server holds it in memory at all times.
    steps.push(Step {
        schema: "catch-all".into(),
        precedence: 10_000,
        level: "catch-all".into(),
        catches: true,
        why: "nothing else matches; the server keeps this one at all times".into(),
    });
    steps
}

/// Schemas in the order the server asks them: by precedence, ties by name.
pub fn in_order(schemas: &[Schema]) -> Vec<&Schema> {
    let mut order: Vec<&Schema> = schemas.iter().collect();
    order.sort_by(|a, b| (a.precedence, &a.name).cmp(&(b.precedence, &b.name)));
    order
}

/// Whether its level does not exist. `exempt` and `catch-all` always do.
pub fn is_dangling(schema: &Schema, levels: &[String]) -> bool {
    !["exempt", "catch-all"].contains(&schema.level.as_str()) && !levels.contains(&schema.level)
}

fn why(asked: &Asked, schema: &Schema) -> (bool, String) {
    // The reason nearest to a match says most: verb and place of a rule for this user before "not this user".
    let mut nearest = (0, "it has no rules".to_owned());
    for rule in &schema.rules {
        let (rank, words) = match (subject(asked, rule), wanted(asked, rule)) {
            (None, _) => (1, format!("no rule for user {} or its groups", asked.user)),
            (Some(subject), Ok(())) => return (true, subject),
            (Some(_), Err(words)) => (2, words),
        };
        if rank > nearest.0 {
            nearest = (rank, words);
        }
    }
    (false, nearest.1)
}

/// The subject that is meant, in words.
fn subject(asked: &Asked, rule: &Rule) -> Option<String> {
    rule.subjects.iter().find_map(|subject| match subject {
        Subject::User(name) if name == "*" => Some("any user".into()),
        Subject::User(name) => (*name == asked.user).then(|| format!("user {name}")),
        Subject::Group(name) => {
            let member = name == "*" || asked.groups.contains(name);
            member.then(|| format!("group {name}"))
        }
        Subject::ServiceAccount(namespace, name) => {
            let (ns, account) = account(&asked.user)?;
            let meant = ns == namespace && (name == "*" || account == name);
            meant.then(|| format!("service account {namespace}/{name}"))
        }
        Subject::Other(_) => None,
    })
}

/// Namespace and name of a service account's user (`serviceaccount.SplitUsername`).
fn account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

fn wanted(asked: &Asked, rule: &Rule) -> Result<(), String> {
    match &asked.what {
        What::Resource { .. } => {
            let none = Err("this user's rules are for paths, not resources".to_owned());
            first(rule.resources.iter().map(|r| resource(asked, r)), none)
        }
        What::Path(path) => {
            let none = Err("this user's rules are for resources, not paths".to_owned());
            first(rule.paths.iter().map(|p| self::path(&asked.verb, path, p)), none)
        }
    }
}

/// The first that fits, or else the last reason.
fn first(
    all: impl Iterator<Item = Result<(), String>>,
    none: Result<(), String>,
) -> Result<(), String> {
    all.fold(none, |found, next| if found.is_ok() { found } else { next })
}

fn holds(list: &[String], what: &str) -> bool {
    list.iter().any(|t| t == "*" || t == what)
}

fn resource(asked: &Asked, rule: &ResourceRule) -> Result<(), String> {
    let What::Resource { group, resource, sub, namespace } = &asked.what else { return Ok(()) };
    let name = if sub.is_empty() { resource.clone() } else { format!("{resource}/{sub}") };
    if !holds(&rule.verbs, &asked.verb) {
        return Err(format!("its verbs are {}, not {}", rule.verbs.join(","), asked.verb));
    }
    if !holds(&rule.resources, &name) {
        return Err(format!("its resources are {}, not {name}", rule.resources.join(",")));
    }
    if !holds(&rule.groups, group) {
        let group = if group.is_empty() { "core" } else { group };
        return Err(format!("its API groups do not hold {group}"));
    }
    match namespace.as_str() {
        "" if rule.cluster_scope => Ok(()),
        "" => Err("the request names no namespace and the rule has no clusterScope".into()),
        ns if holds(&rule.namespaces, ns) => Ok(()),
        ns => Err(format!("its namespaces do not hold {ns}")),
    }
}

fn path(verb: &str, path: &str, rule: &PathRule) -> Result<(), String> {
    if !holds(&rule.verbs, verb) {
        return Err(format!("its verbs are {}, not {verb}", rule.verbs.join(",")));
    }
    // `/healthz` also means what is below it, as `/healthz/*` does (seen on 1.37.2).
    let fits = |url: &String| {
        let prefix = url.trim_end_matches('*').trim_end_matches('/');
        url == "*" || url == path || path.starts_with(&format!("{prefix}/"))
    };
    let fits = rule.paths.iter().any(fits);
    fits.then_some(()).ok_or_else(|| format!("its paths are {}, not {path}", rule.paths.join(",")))
}
