//! Objects that are being deleted and do not go: who holds them, whether that one lives, what would be skipped without
//! it, and the least harmful next step.
//!
//! Invariant: pure; a ruling follows from the object and the evidence alone. What could not be read makes a ruling less
//! sure, never more: without the list of workloads nobody is called gone.

pub mod evidence;
mod finalizer;
mod namespace;
mod pod;
#[cfg(test)]
mod tests;

pub use evidence::{
    ApiService, Evidence, Grant, Hook, Lease, NodeSeen, Workload, clients_of, grants, hook_covers,
};
pub use namespace::{Content, Named, resources_in};

use crate::state::decl::Gvk;
use crate::state::time::{Epoch, parse_rfc3339, span};
use serde_json::Value;

/// A controller that lives is given this long before its silence counts against it, in seconds.
pub const PATIENCE: i64 = 900;

/// An object with a deletionTimestamp.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its kind.
    pub gvk: &'static Gvk,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// resourceVersion, 0 if it is no number.
    pub rv: u64,
    /// `metadata.deletionTimestamp`: when its grace is over. For all but pods that is when it was deleted.
    pub due: Epoch,
    /// `metadata.deletionGracePeriodSeconds`.
    pub grace: i64,
    /// `metadata.finalizers`, in the order they stand there: the order is what a patch names them by.
    pub finalizers: Vec<String>,
    /// Objects that name it as their owner, and those of them that block it (`blockOwnerDeletion`); `None` if the survey
    /// did not see all kinds.
    pub dependents: Option<(usize, usize)>,
    /// The whole object as it was read; null if it was not.
    pub object: Value,
}

/// Whether somebody does what a finalizer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Life {
    /// It lives, and has had little time so far.
    Works,
    /// It lives, and does not do it: its errors, or a silence of more than [`PATIENCE`].
    Fails,
    /// It cannot be told.
    Unknown,
    /// It is not there, or not running.
    Gone,
}

impl Life {
    /// One word, for a column and for JSON.
    pub fn word(self) -> &'static str {
        match self {
            Life::Works => "wait",
            Life::Fails => "failing",
            Life::Unknown => "unclear",
            Life::Gone => "gone",
        }
    }
}

/// How it is known whether somebody is dead still, just before something is done because of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Veto {
    /// The workload at this path: it has ready pods again.
    Workload(String),
    /// A workload in the list at this path that runs as this service account has ready pods.
    Account(String, String),
    /// The Lease at this path was renewed since this time.
    Lease(String, Epoch),
}

/// One thing that holds an object: a finalizer, a kubelet, the content of a namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    /// The finalizer; empty for what holds without one.
    pub finalizer: String,
    /// Who should let it go.
    pub owner: String,
    /// Whether that one does.
    pub life: Life,
    /// How that is known.
    pub why: String,
    /// What does not happen if it is let go by hand.
    pub skips: String,
    /// What must still hold when it is let go by hand. Empty if nothing could be watched.
    pub vetoes: Vec<Veto>,
}

/// What is thought of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// The worst of its holders.
    pub life: Life,
    /// Why it does not go, one sentence.
    pub words: String,
    /// The least harmful next step.
    pub next: String,
    /// Everything that holds it.
    pub holders: Vec<Holder>,
    /// What else explains it, a sentence each: conditions, events, errors in its status.
    pub notes: Vec<String>,
}

impl Held {
    /// Reads one out of a whole object or out of its metadata alone; `None` if it is not being deleted.
    pub fn of(gvk: &'static Gvk, object: &Value) -> Option<Held> {
        let text = |at: &str| text(object, at);
        let list = |at: &str| object.pointer(at).and_then(Value::as_array);
        let finalizers = list("/metadata/finalizers").into_iter().flatten();
        Some(Held {
            gvk,
            namespace: text("/metadata/namespace").into(),
            name: text("/metadata/name").into(),
            uid: text("/metadata/uid").into(),
            rv: text("/metadata/resourceVersion").parse().unwrap_or(0),
            due: parse_rfc3339(text("/metadata/deletionTimestamp"))?,
            grace: object
                .pointer("/metadata/deletionGracePeriodSeconds")
                .and_then(Value::as_i64)
                .unwrap_or(0),
            finalizers: finalizers.filter_map(Value::as_str).map(str::to_owned).collect(),
            dependents: None,
            object: object.clone(),
        })
    }

    /// When it was told to go (apiserver `registry/rest/delete.go`: the timestamp is set the grace period ahead).
    pub fn since(&self) -> Epoch {
        Epoch(self.due.0 - self.grace)
    }

    /// `metadata.creationTimestamp`, where the whole object was read.
    pub fn created(&self) -> Epoch {
        parse_rfc3339(text(&self.object, "/metadata/creationTimestamp")).unwrap_or_default()
    }

    /// Its labels, where the whole object was read.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let labels = self.object.pointer("/metadata/labels").and_then(Value::as_object);
        labels.into_iter().flatten().filter_map(|(k, v)| Some((k.as_str(), v.as_str()?)))
    }

    /// `namespace/name`, or the name.
    pub fn path(&self) -> String {
        match self.namespace.as_str() {
            "" => self.name.clone(),
            namespace => format!("{namespace}/{}", self.name),
        }
    }

    /// How its dependents go (apiserver `registry/generic/registry/store.go`, `deletionFinalizersForGarbageCollection`).
    pub fn propagation(&self) -> &'static str {
        match () {
            () if self.finalizers.iter().any(|f| f == "foregroundDeletion") => "Foreground",
            () if self.finalizers.iter().any(|f| f == "orphan") => "Orphan",
            () => "Background",
        }
    }

    /// Who set a finalizer and when, and who wrote anything else last, by the server's own notes.
    fn wrote(&self, finalizer: &str) -> Option<(&str, Epoch)> {
        let entries = self.object.pointer("/metadata/managedFields")?.as_array()?;
        let key = format!("v:\"{finalizer}\"");
        let owns =
            |e: &&Value| !e["fieldsV1"]["f:metadata"]["f:finalizers"][key.as_str()].is_null();
        let entry = entries.iter().rfind(owns)?;
        Some((text(entry, "/manager"), parse_rfc3339(text(entry, "/time")).unwrap_or_default()))
    }

    /// Who wrote its status last, and when.
    fn status_by(&self) -> Option<(&str, Epoch)> {
        let entries = self.object.pointer("/metadata/managedFields")?.as_array()?;
        let of_status = entries.iter().filter(|e| !e["fieldsV1"]["f:status"].is_null());
        let dated =
            of_status.filter_map(|e| Some((text(e, "/manager"), parse_rfc3339(text(e, "/time"))?)));
        dated.max_by_key(|(_, at)| *at)
    }
}

/// What to think of an object that is being deleted.
pub fn judge(held: &Held, seen: &Evidence) -> Ruling {
    let mut holders: Vec<Holder> =
        held.finalizers.iter().map(|f| finalizer::holder(held, f, seen)).collect();
    let mut notes = errors(held);
    match (held.gvk.group, held.gvk.kind) {
        ("", "Pod") => holders.extend(pod::holder(held, seen, &mut notes)),
        ("", "Namespace") => holders.extend(namespace::holder(held, seen, &mut notes)),
        _ => {}
    }
    notes.extend(hooks(held, seen));
    let Some(worst) = holders.iter().max_by_key(|h| h.life).cloned() else {
        return Ruling {
            life: Life::Works,
            words: "nothing holds it any more: it goes by itself".into(),
            next: "wait, and look again".into(),
            holders,
            notes,
        };
    };
    let what = match worst.finalizer.as_str() {
        "" => String::new(),
        finalizer => format!("{finalizer}: "),
    };
    Ruling {
        life: worst.life,
        words: format!("{what}{}", worst.why),
        next: next(held, &worst, seen),
        holders,
        notes,
    }
}

/// The least harmful next step.
fn next(held: &Held, worst: &Holder, seen: &Evidence) -> String {
    if worst.finalizer.is_empty() {
        return match held.gvk.kind {
            "Namespace" => namespace::next(held, seen),
            _ => pod::next(held, worst, seen),
        };
    }
    let owner = &worst.owner;
    if worst.finalizer == "kubernetes.io/pvc-protection" && worst.life != Life::Gone {
        return match seen.users.get(&held.path()).and_then(|pods| pods.first()) {
            Some(pod) => format!("end the pods that use it, {pod} first: the claim then goes by itself"),
            None => "find the pods that use the claim, ended ones too: when they are gone it goes by itself".into(),
        };
    }
    match worst.life {
        Life::Works => format!("wait: {owner} is at work"),
        Life::Fails => format!("look at the log and the events of {owner}; it lives and can still do it itself"),
        Life::Unknown => {
            format!("find out who removes {}: nothing that could be read here tells", worst.finalizer)
        }
        Life::Gone => match worst.vetoes.is_empty() {
            false => format!("start {owner} again; if it is gone for good, do by hand what it would have done and remove the finalizer"),
            true => "install its controller again; if it is gone for good, do by hand what it would have done and remove the finalizer".into(),
        },
    }
}

/// What the object's own conditions say is wrong with it.
fn errors(held: &Held) -> Vec<String> {
    if matches!((held.gvk.group, held.gvk.kind), ("", "Namespace" | "Pod")) {
        return vec![];
    }
    let conditions = held.object.pointer("/status/conditions").and_then(Value::as_array);
    let bad = conditions.into_iter().flatten().filter(|c| {
        text(c, "/status") == "False" && !text(c, "/message").is_empty()
            || text(c, "/type").to_lowercase().contains("fail") && text(c, "/status") == "True"
    });
    bad.map(|c| {
        let (kind, reason) = (text(c, "/type"), text(c, "/reason"));
        format!("its condition {kind} says {reason}: {}", text(c, "/message"))
    })
    .collect()
}

/// Webhooks that a change of the object has to pass and that do not answer.
fn hooks(held: &Held, seen: &Evidence) -> Vec<String> {
    let dead = seen.hooks.iter().filter(|hook| hook.dead.is_some() && hook.fails_closed);
    dead.filter(|hook| hook_covers(hook, held.gvk))
        .map(|hook| {
            let why = hook.dead.as_deref().unwrap_or_default();
            format!(
                "every change of it has to pass the webhook {} ({}), which does not answer: {why}",
                hook.name, hook.config
            )
        })
        .collect()
}

/// How long something has been so.
fn long(since: Epoch, now: Epoch) -> String {
    span(since.age(now))
}

/// The text at a JSON pointer, empty if there is none.
fn text<'v>(value: &'v Value, at: &str) -> &'v str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default()
}
