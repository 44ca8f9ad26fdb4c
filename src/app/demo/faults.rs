//! Faults a test can switch on: what goes wrong in real clusters, on demand and at once.

use std::sync::Arc;

use super::Shared;
use super::refusal::{Outcome, Refusal};
use super::route::{Ask, Route};

/// A rule that forbids something to the demo's user.
#[derive(Clone, Debug)]
pub struct Deny {
    /// A verb as RBAC knows it, or `*`.
    pub verb: String,
    /// A plural, with its sub-resource if that is meant (`pods/eviction`), a path, or `*`.
    pub resource: String,
    /// The one namespace where the rule does not apply; `None` forbids everywhere.
    pub except: Option<String>,
}

impl Deny {
    /// Forbids a verb on a resource everywhere.
    pub fn everywhere(verb: &str, resource: &str) -> Deny {
        Deny { verb: verb.into(), resource: resource.into(), except: None }
    }

    /// Forbids a verb on a resource in all namespaces but one, and at the cluster scope.
    pub fn outside(namespace: &str, verb: &str, resource: &str) -> Deny {
        Deny { except: Some(namespace.into()), ..Deny::everywhere(verb, resource) }
    }

    fn covers(&self, verb: &str, resource: &str, namespace: &str) -> bool {
        (self.verb == "*" || self.verb == verb)
            && (self.resource == "*" || self.resource == resource)
            && self.except.as_ref().is_none_or(|n| n != namespace)
    }
}

/// An answer to give instead of the real one.
#[derive(Clone, Debug)]
pub struct Failure {
    /// A verb as RBAC knows it; empty for any.
    pub verb: String,
    /// What the path starts with.
    pub path: String,
    /// How many requests fail before the rule is spent.
    pub times: u32,
    /// HTTP status.
    pub code: u16,
    /// The body, JSON or plain text.
    pub body: String,
    /// Seconds for a `Retry-After` header.
    pub retry_after: Option<u32>,
}

/// What is switched on.
#[derive(Debug, Default)]
pub(super) struct FaultBook {
    pub(super) watch_list_off: bool,
    pub(super) gone_over_http: bool,
    /// Counts up: a watch that was opened at a lower count ends.
    pub(super) closed: u64,
    /// Counts up: a watch that was opened at a lower count breaks in the middle of an object.
    pub(super) cut: u64,
    denied: Vec<Deny>,
    failures: Vec<Failure>,
}

impl FaultBook {
    /// Whether the demo's user may do this; `resource` is `plural` or `plural/sub`.
    pub(super) fn allows(&self, verb: &str, resource: &str, namespace: &str) -> bool {
        !self.denied.iter().any(|d| d.covers(verb, resource, namespace))
    }

    /// The first failure that fits, which is used up by one.
    pub(super) fn fail(&mut self, ask: &Ask) -> Option<Failure> {
        let fits = |f: &&mut Failure| {
            f.times > 0
                && (f.verb.is_empty() || f.verb == ask.verb())
                && ask.path.starts_with(&f.path)
        };
        let failure = self.failures.iter_mut().find(fits)?;
        failure.times -= 1;
        Some(failure.clone())
    }
}

/// Refuses what a deny rule covers, in the words of the real authorizer
/// (apiserver `endpoints/handlers/responsewriters/errors.go`).
pub(super) fn authorize(book: &FaultBook, user: &str, ask: &Ask) -> Outcome<()> {
    let verb = ask.verb();
    let (group, plural, namespace, name, sub) = match &ask.route {
        Route::Object(t) => {
            let namespace = if t.res.plural == "namespaces" { &t.name } else { &t.namespace };
            (t.res.group, t.res.plural, namespace.as_str(), t.name.as_str(), t.sub.as_str())
        }
        Route::Usage(plural, ns, name) => {
            ("metrics.k8s.io", plural.as_str(), ns.as_str(), name.as_str(), "")
        }
        Route::Kubelet(node, _) => ("", "nodes", "", node.as_str(), "proxy"),
        Route::Review(_) => return Ok(()),
        Route::Other if book.allows(verb, &ask.path, "") => return Ok(()),
        Route::Other => {
            let message = format!("forbidden: User \"{user}\" cannot get path \"{}\"", ask.path);
            return Err(Refusal::new(403, "Forbidden", message));
        }
    };
    let resource = if sub.is_empty() { plural.to_owned() } else { format!("{plural}/{sub}") };
    if book.allows(verb, &resource, namespace) {
        return Ok(());
    }
    let qualified = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
    let what = if name.is_empty() { qualified } else { format!("{qualified} \"{name}\"") };
    let place = match namespace {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace \"{namespace}\""),
    };
    let message = format!(
        "{what} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}"
    );
    let mut refusal = Refusal::new(403, "Forbidden", message);
    refusal.status["details"] = serde_json::json!({"group": group, "kind": plural, "name": name});
    Err(refusal)
}

/// The switches. Cheap to clone; all clones act on the same cluster.
#[derive(Clone)]
pub struct Faults {
    pub(super) shared: Arc<Shared>,
}

impl Faults {
    fn change(&self, f: impl FnOnce(&mut FaultBook)) {
        f(&mut self.shared.world().faults);
        self.shared.wake();
    }

    /// Answers matching requests with this failure instead, until it is spent.
    pub fn fail(&self, failure: Failure) {
        self.change(|b| b.failures.push(failure));
    }

    /// Forbids something, to requests and to access reviews alike.
    pub fn deny(&self, rule: Deny) {
        self.change(|b| b.denied.push(rule));
    }

    /// Lifts all deny rules.
    pub fn allow_all(&self) {
        self.change(|b| b.denied.clear());
    }

    /// Ends every open watch, politely, between two events.
    pub fn close_watches(&self) {
        self.change(|b| b.closed += 1);
    }

    /// Breaks every open watch in the middle of an object, as a dying connection does.
    pub fn cut_watches(&self) {
        self.change(|b| b.cut += 1);
    }

    /// Forgets all history: continue tokens and versions from before are answered with 410.
    pub fn compact(&self) {
        self.shared.world().store.compact();
    }

    /// Whether a watch below the history is refused with HTTP 410, as aggregated servers do, instead of an ERROR event.
    pub fn gone_over_http(&self, on: bool) {
        self.change(|b| b.gone_over_http = on);
    }

    /// Whether streamed lists are spoken; off, they are refused with 422 as by servers without the feature.
    pub fn watch_list(&self, on: bool) {
        self.change(|b| b.watch_list_off = !on);
    }

    /// Stops answering: requests hang and open watches fall silent, until [`Faults::release`].
    pub fn stall(&self) {
        self.shared.stalled.send_replace(true);
    }

    /// Answers again, what hung included.
    pub fn release(&self) {
        self.shared.stalled.send_replace(false);
    }
}
