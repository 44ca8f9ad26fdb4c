//! A namespace that does not go, by the conditions that kube-controller-manager writes on it.
//!
//! Kubernetes v1.37: `pkg/controller/namespace/deletion/{namespaced_resources_deleter,status_condition_utils}.go`. From
//! 1.33 on (OrderedNamespaceDeletion) pods go first, and while one is left the conditions say that all content is removed.

use super::evidence::{ApiService, Evidence};
use super::{Held, Holder, Life, PATIENCE, Veto, long, text};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is left in a namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// Objects by `resource.group`.
    pub objects: BTreeMap<String, usize>,
    /// Groups and kinds that could not be listed, with the reason.
    pub unknown: Vec<String>,
    /// Some of the objects.
    pub examples: Vec<Named>,
}

/// An object by its kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// `resource.group`.
    pub resource: String,
    /// Name.
    pub name: String,
    /// Its finalizers.
    pub finalizers: Vec<String>,
}

/// A condition that is true.
fn condition<'v>(held: &'v Held, kind: &str) -> Option<(&'v str, &'v str)> {
    let all = held.object.pointer("/status/conditions")?.as_array()?;
    let found = all.iter().find(|c| text(c, "/type") == kind && text(c, "/status") == "True")?;
    Some((text(found, "/reason"), text(found, "/message")))
}

/// The groups that a discovery failure names: `unable to retrieve the complete list of server APIs: g/v: why, g/v: why`
/// (client-go `discovery.ErrGroupDiscoveryFailed`).
fn failed_groups(message: &str) -> Vec<String> {
    let words = message.split([' ', ',', '"']).map(|w| w.trim_end_matches(':'));
    let mut found: Vec<String> = words
        .filter(|w| {
            let mut parts = w.split('/');
            let (group, version) =
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            group.contains('.')
                && version.starts_with('v')
                && parts.next().is_none()
                && version[1..].starts_with(|c: char| c.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// `forges.foundry.example has 3 resource instances, pods. has 1 resource instances`, read.
pub fn resources_in(message: &str) -> Vec<(String, usize)> {
    let list = message.rsplit_once(": ").map_or(message, |(_, list)| list);
    list.split(", ")
        .filter_map(|part| {
            let (what, rest) = part.split_once(" has ").or_else(|| part.split_once(" in "))?;
            let n = rest.split(' ').next()?.parse().ok()?;
            Some((what.trim_end_matches('.').to_owned(), n))
        })
        .collect()
}

/// API services that keep the namespace's content from being known.
fn dead<'e>(held: &Held, seen: &'e Evidence) -> Vec<&'e ApiService> {
    let named = condition(held, "NamespaceDeletionDiscoveryFailure")
        .map(|(_, message)| failed_groups(message))
        .unwrap_or_default();
    let down = seen.services.iter().filter(|s| !s.available);
    let blocks = |s: &&ApiService| {
        named.is_empty() || named.iter().any(|gv| *gv == format!("{}/{}", s.group, s.version))
    };
    match condition(held, "NamespaceDeletionDiscoveryFailure") {
        Some(_) => down.filter(blocks).collect(),
        None => vec![],
    }
}

fn service_words(service: &ApiService) -> String {
    let behind = match service.service.as_str() {
        "" => String::new(),
        behind => format!(" (Service {behind})"),
    };
    let message = match service.message.as_str() {
        "" => String::new(),
        message => format!(": {message}"),
    };
    format!("APIService {}{behind} does not answer, {}{message}", service.name, service.reason)
}

fn left(content: &BTreeMap<String, usize>) -> String {
    let parts: Vec<String> = content.iter().map(|(what, n)| format!("{n} {what}")).collect();
    parts.join(", ")
}

/// What holds a namespace by its `spec.finalizers`.
pub(super) fn holder(held: &Held, seen: &Evidence, notes: &mut Vec<String>) -> Option<Holder> {
    let own = held.object.pointer("/spec/finalizers").and_then(Value::as_array);
    let own: Vec<&str> = own.into_iter().flatten().filter_map(Value::as_str).collect();
    if own.is_empty() {
        return None;
    }
    let (life, why) = verdict(held, seen, notes);
    Some(Holder {
        finalizer: String::new(),
        owner: "namespace controller".into(),
        life,
        why,
        skips: "everything that is left in the namespace stays in etcd: it comes back when a namespace of the name is made, with its finalizers, and what it stands for outside is never cleaned up".into(),
        vetoes: manager(seen).map(|l| Veto::Lease(l.path(), l.renewed)).into_iter().collect(),
    })
}

fn manager(seen: &Evidence) -> Option<&super::Lease> {
    seen.leases.iter().find(|l| l.name == "kube-controller-manager" && !l.is_fresh(seen.now))
}

fn verdict(held: &Held, seen: &Evidence, notes: &mut Vec<String>) -> (Life, String) {
    let age = held.since().age(seen.now);
    for kind in ["NamespaceDeletionGroupVersionParsingFailure", "NamespaceDeletionContentFailure"] {
        if let Some((reason, message)) = condition(held, kind) {
            notes.push(format!("{reason}: {message}"));
        }
    }
    let content = seen.content.get(&held.name).cloned().unwrap_or_default();
    notes.extend(content.unknown.iter().cloned());
    let content = &content.objects;
    if !content.is_empty() {
        notes.push(format!("listed in it just now: {}", left(content)));
    }
    if let Some((_, message)) = condition(held, "NamespaceFinalizersRemaining") {
        notes.push(message.to_owned());
    }
    if let Some(lease) = manager(seen) {
        let ago = long(lease.renewed, seen.now);
        return (
            Life::Gone,
            format!(
                "kube-controller-manager does not run: its Lease was renewed {ago} ago, and nobody else empties namespaces"
            ),
        );
    }
    if let Some((_, message)) = condition(held, "NamespaceDeletionDiscoveryFailure") {
        let dead = dead(held, seen);
        let words: Vec<String> = dead.iter().map(|s| service_words(s)).collect();
        notes.push(message.to_owned());
        return (
            Life::Fails,
            match words.is_empty() {
                true => format!("what is in it cannot be known: {message}"),
                false => format!("what is in it cannot be known: {}", words.join("; ")),
            },
        );
    }
    let pods = content.get("pods").copied().unwrap_or(0);
    let remaining = condition(held, "NamespaceContentRemaining");
    if pods > 0 && remaining.is_none() {
        return (
            if age < PATIENCE { Life::Works } else { Life::Fails },
            format!(
                "{pods} of its pods are still there; pods go first since 1.33, and until then its conditions claim that all content is removed"
            ),
        );
    }
    if let Some((_, message)) = remaining {
        let life = if age < PATIENCE { Life::Works } else { Life::Fails };
        let parts: Vec<String> =
            resources_in(message).iter().map(|(what, n)| format!("{n} {what}")).collect();
        let what = if parts.is_empty() { message.to_owned() } else { parts.join(", ") };
        return (life, format!("it is not empty: {what}"));
    }
    if !content.is_empty() {
        let life = if age < PATIENCE { Life::Works } else { Life::Fails };
        return (life, format!("it is not empty: {}", left(content)));
    }
    match age {
        ..PATIENCE => (Life::Works, "the namespace controller is emptying it".into()),
        _ => (
            Life::Unknown,
            format!(
                "nothing is found in it, and it has not gone in {}",
                long(held.since(), seen.now)
            ),
        ),
    }
}

/// The least harmful next step for a namespace.
pub(super) fn next(held: &Held, seen: &Evidence) -> String {
    let dead = dead(held, seen);
    if let Some(service) = dead.first() {
        let behind = match service.service.as_str() {
            "" => "its server".to_owned(),
            behind => format!("Service {behind}"),
        };
        return format!(
            "bring {behind} back, or delete the APIService {} if nothing uses it any more; the namespace then goes by itself",
            service.name
        );
    }
    if condition(held, "NamespaceDeletionDiscoveryFailure").is_some() {
        return "find out which group does not answer: wheelhouse doctor, kubectl get apiservices"
            .into();
    }
    if manager(seen).is_some() {
        return "start kube-controller-manager again".into();
    }
    let content = seen.content.get(&held.name).map(|c| &c.objects);
    let pods = content.and_then(|c| c.get("pods")).copied().unwrap_or(0);
    if pods > 0 {
        return "look at its pods first: they are listed here if they do not go".into();
    }
    if condition(held, "NamespaceFinalizersRemaining").is_some() {
        return "let go what is left in it, object by object: they are listed here with who holds them".into();
    }
    "wait; what is left in it goes first".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discovery_failure_names_its_groups() {
        let message = "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: \
                       legacy.example/v1alpha1: stale GroupVersion discovery: legacy.example/v1alpha1";
        assert_eq!(failed_groups(message), ["legacy.example/v1alpha1"]);
        assert_eq!(failed_groups("see https://x.y/z"), Vec::<String>::new());
    }

    #[test]
    fn counts_are_read_from_what_the_controller_wrote() {
        let message = "Some resources are remaining: forges.foundry.example has 3 resource instances, pods. has 1 resource instances";
        let wanted = [("forges.foundry.example".to_owned(), 3), ("pods".to_owned(), 1)];
        assert_eq!(resources_in(message), wanted);
        let message = "Some content in the namespace has finalizers remaining: foundry.example/cleanup in 3 resource instances";
        assert_eq!(resources_in(message), [("foundry.example/cleanup".to_owned(), 3)]);
    }
}
