//! A page about one object: who it is, how it is, what it is made of, what happened to it.
//!
//! Invariant: a page never holds a value of a Secret or of an environment variable.

mod certificate;
mod container;
mod events;
mod generic;
mod identity;
mod node;
pub(super) mod page;
mod pod;
mod pod_spec;
mod small;
mod workload;

pub use certificate::certificate_request;

use super::{Doc, title};
use crate::state::rules::condition;
use crate::state::rules::csr::World;
use crate::state::store::Store;
use crate::state::time::Epoch;
use page::{Cell, Page, ago, items, plain, str_at, time};
use serde_json::Value;

/// The page of an object. `events` are core/v1 Events about it in any order; `None` where they were not read.
pub fn describe(object: &Value, events: Option<&[Value]>, now: Epoch) -> Doc {
    let mut page = Page::default();
    let (summary, details) = sections(object);
    identity::write(&mut page, object, now);
    summary(&mut page, object, now);
    conditions(&mut page, object, now);
    details(&mut page, object, now);
    events::write(&mut page, events, now);
    Doc { title: title(object), lines: page.lines }
}

/// The page of an object, where it is told by comparing it with others of the same cluster.
pub fn describe_in(store: &Store, object: &Value, events: Option<&[Value]>, now: Epoch) -> Doc {
    match (str_at(object, "/apiVersion"), str_at(object, "/kind")) {
        ("certificates.k8s.io/v1", "CertificateSigningRequest") => {
            certificate_request(object, &World::of(store), now)
        }
        _ => describe(object, events, now),
    }
}

/// A part of a page.
type Section = fn(&mut Page, &Value, Epoch);

/// What stands before and what after the conditions.
fn sections(object: &Value) -> (Section, Section) {
    match (str_at(object, "/apiVersion"), str_at(object, "/kind")) {
        ("v1", "Pod") => (pod::summary, pod::details),
        ("v1", "Node") => (node::summary, node::details),
        ("v1", "Namespace") => (small::namespace, small::nothing),
        ("policy/v1", "PodDisruptionBudget") => (small::budget, small::nothing),
        ("apps/v1", "Deployment" | "StatefulSet" | "DaemonSet") => {
            (workload::replicated, workload::template)
        }
        ("batch/v1", "Job") => (workload::job, workload::template),
        _ => (small::nothing, generic::write),
    }
}

fn conditions(page: &mut Page, object: &Value, now: Epoch) {
    let row = |c: &Value| -> [Cell; 5] {
        let (kind, status) = (str_at(c, "/type"), str_at(c, "/status"));
        [
            plain(kind),
            (condition::role(kind, status), status.to_owned()),
            plain(ago(time(c, "/lastTransitionTime"), now)),
            plain(str_at(c, "/reason")),
            plain(str_at(c, "/message")),
        ]
    };
    let rows: Vec<_> = items(object, "/status/conditions").iter().map(row).collect();
    if !rows.is_empty() {
        page.heading("Conditions");
        page.indent = 2;
        page.table(["TYPE", "STATUS", "CHANGED", "REASON", "MESSAGE"], &rows);
        page.indent = 0;
    }
}
