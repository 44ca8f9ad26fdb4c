//! A survey of everything that is being deleted: every kind that can be listed is listed once, metadata only, in pages, within
//! a budget of requests. Nothing is watched.
//!
//! There is no field selector for `deletionTimestamp`, so every object's metadata is read; of objects that are not being
//! deleted only the uids of their owners are kept, as counts.

pub mod discovery;
mod look;
mod pace;
mod scan;

pub use discovery::{Discovered, discover};
pub use look::{content, look};
pub use pace::{Pace, RATE};

use crate::app::cluster::session::Fault;
use crate::state::decl::Gvk;
use crate::state::rules::stuck::{Evidence, Held, Ruling, judge};
use crate::state::time::Epoch;
use scan::Scan;
use serde_json::Value;

/// Objects that are read whole at most; the rest is judged by metadata alone.
const CLOSELY: usize = 500;

/// Kinds whose objects come and go by themselves, or that another kind shows as well.
const LEFT_OUT: [(&str, &str); 6] = [
    ("", "events"),
    ("events.k8s.io", "events"),
    ("", "componentstatuses"),
    ("coordination.k8s.io", "leases"),
    ("metrics.k8s.io", "nodes"),
    ("metrics.k8s.io", "pods"),
];

/// What is surveyed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Only this namespace, and what has none.
    pub namespace: Option<String>,
    /// Secrets as well: their metadata, never their values.
    pub secrets: bool,
    /// Requests a second; 0 means [`RATE`].
    pub rate: u32,
}

/// How far a survey is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Kinds that were listed.
    pub kinds: usize,
    /// Kinds there are.
    pub of: usize,
    /// Objects whose metadata was read.
    pub objects: usize,
    /// Objects found that are being deleted.
    pub held: usize,
}

/// What a survey found.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Objects that are being deleted, with what is thought of them, the longest first.
    pub found: Vec<(Held, Ruling)>,
    /// What the rulings are made from.
    pub evidence: Evidence,
    /// Kinds and objects that were read.
    pub progress: Progress,
    /// Requests it took.
    pub requests: usize,
}

/// Surveys the cluster. Dropping the future ends it. `told` hears how far it is after each page.
///
/// # Errors
/// The server does not say what it serves. Kinds that cannot be listed are told in [`Evidence::unread`].
pub async fn survey(
    pace: &mut Pace,
    asked: &Asked,
    now: Epoch,
    told: &(dyn Fn(Progress) + Sync),
) -> Result<Survey, Fault> {
    let served = discover(pace).await?;
    let mut scan = Scan::new(asked.namespace.clone());
    let wanted = |gvk: &Gvk| {
        !LEFT_OUT.contains(&(gvk.group, gvk.plural))
            && (asked.secrets || (gvk.group, gvk.plural) != ("", "secrets"))
    };
    let kinds: Vec<&'static Gvk> =
        served.kinds.iter().map(|k| k.gvk).filter(|gvk| wanted(gvk)).collect();
    scan.progress.of = kinds.len();
    for gvk in kinds {
        scan.list(pace, gvk, told).await;
        scan.progress.kinds += 1;
        told(scan.progress);
    }
    let (mut held, progress) = (scan.held(), scan.progress);
    for object in held.iter_mut().take(CLOSELY) {
        read(pace, object).await;
    }
    if held.len() > CLOSELY {
        scan.unread.push(format!(
            "{} of the {} objects were read whole; the rest is judged by its metadata",
            CLOSELY,
            held.len()
        ));
    }
    let mut evidence = look(pace, &held, now).await;
    evidence.stale_groups = served.stale;
    evidence.content = scan.content;
    let stale = evidence
        .stale_groups
        .iter()
        .map(|g| format!("{g} does not answer: what it holds is unknown"));
    let unread: Vec<String> = scan.unread.into_iter().chain(stale).collect();
    evidence.unread.splice(0..0, unread);
    let mut found: Vec<(Held, Ruling)> = held
        .into_iter()
        .map(|held| {
            let ruling = judge(&held, &evidence);
            (held, ruling)
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| {
        (a.since(), &a.namespace, &a.name).cmp(&(b.since(), &b.namespace, &b.name))
    });
    Ok(Survey { found, evidence, progress, requests: pace.sent })
}

/// Reads an object whole; a Secret's values are not asked for. What cannot be read stays as it is.
pub async fn read(pace: &mut Pace, held: &mut Held) {
    let path = held.gvk.object(&held.namespace, &held.name);
    let accept = match (held.gvk.group, held.gvk.plural) {
        ("", "secrets") => {
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
        }
        _ => "application/json",
    };
    let Ok(answer) = pace.get(&path, accept).await else { return };
    let Ok(object) = serde_json::from_slice::<Value>(&answer.body) else { return };
    if object.pointer("/metadata/uid").and_then(Value::as_str) == Some(&held.uid)
        && let Some(now) = Held::of(held.gvk, &object)
    {
        *held = Held { dependents: held.dependents, ..now };
    }
}

/// One object that is being deleted, judged from what the cluster shows now; `None` if it is not being deleted.
pub async fn judged(
    pace: &mut Pace,
    gvk: &'static Gvk,
    object: &Value,
    now: Epoch,
) -> Option<(Held, Ruling, Evidence)> {
    let held = Held::of(gvk, object)?;
    let mut evidence = look(pace, std::slice::from_ref(&held), now).await;
    if gvk.group.is_empty() && gvk.kind == "Namespace" {
        let left = content(pace, &held.name).await;
        evidence.content.insert(held.name.clone(), left);
    }
    let ruling = judge(&held, &evidence);
    Some((held, ruling, evidence))
}
