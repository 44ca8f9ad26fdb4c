//! Leader election by leases (client-go `tools/leaderelection`): the holder renews every 2 s by default and gives up after
//! 10 s without success (renewDeadline); others take over after leaseDurationSeconds, 15 s by default.

use super::{Line, Verdict};
use crate::state::time::{Epoch, parse_rfc3339, span};
use serde_json::Value;

/// The renew deadline of client-go: a leader that has not renewed for so long has given up.
const RENEW: i64 = 10;
/// Seconds by which an observed change may be later than the change: looks are that far apart.
const BETWEEN: i64 = 6;

/// API servers renew theirs every 10 s, and one that is an hour old is deleted (apiserver `controller/lease` and
/// `controlplane/controller/apiserverleasegc`, KEP-1965).
const SILENT: i64 = 60;

/// Who must lead for a cluster to work, and what does not happen without.
const LEADERS: [(&str, &str); 3] = [
    ("kube-scheduler", "new pods are not placed on nodes"),
    (
        "kube-controller-manager",
        "nothing is rolled out, replaced, scaled, cleaned up or deleted with what it owns",
    ),
    ("cloud-controller-manager", "new nodes and load balancers are not set up"),
];

/// A lease (coordination.k8s.io/v1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lease {
    /// Its name.
    pub name: String,
    /// Who holds it; empty: it was released.
    pub holder: String,
    /// Seconds after which others may take it.
    pub duration: i64,
    /// When it was renewed last, by its holder's clock.
    pub renewed: Epoch,
    /// Whether it tells that an API server lives (KEP-1965).
    pub is_server: bool,
}

impl Lease {
    /// Reads the object.
    pub fn of(object: &Value) -> Lease {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        Lease {
            name: text("/metadata/name").to_owned(),
            holder: text("/spec/holderIdentity").to_owned(),
            duration: object
                .pointer("/spec/leaseDurationSeconds")
                .and_then(Value::as_i64)
                .unwrap_or(15),
            renewed: parse_rfc3339(text("/spec/renewTime")).unwrap_or_default(),
            is_server: text("/metadata/labels/apiserver.kubernetes.io~1identity")
                == "kube-apiserver",
        }
    }
}

/// A lease, and when it was seen to change.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// As it was read last.
    pub lease: Lease,
    /// When it was first seen as it is, by our clock.
    pub since: Epoch,
    /// Whether it was seen otherwise before.
    pub moved: bool,
}

impl Watched {
    /// A lease after another look.
    pub fn after(lease: Lease, before: &[Watched], at: Epoch) -> Watched {
        match before.iter().find(|was| was.lease.name == lease.name) {
            Some(was)
                if (was.lease.renewed, &was.lease.holder) == (lease.renewed, &lease.holder) =>
            {
                Watched { lease, ..was.clone() }
            }
            was => Watched { lease, since: at, moved: was.is_some() },
        }
    }

    /// Seconds since it was renewed. Its own time is believed as far as it agrees with what was seen: a holder whose clock is
    /// wrong is not lost.
    pub fn age(&self, now: Epoch, there: Epoch) -> Option<i64> {
        let told = there.0 - self.lease.renewed.0;
        let seen = self.since.age(now);
        match (self.lease.renewed.is_set(), self.moved) {
            (false, _) => None,
            (true, true) if (seen..=seen + BETWEEN).contains(&told) => Some(told),
            (true, true) => Some(seen),
            (true, false) => Some(told.max(seen)),
        }
    }
}

/// Names of leaders that are known to live.
pub fn alive(all: &[Watched], now: Epoch, there: Epoch) -> Vec<String> {
    let lives = |w: &&Watched| {
        !w.lease.holder.is_empty() && w.age(now, there).is_some_and(|age| age < w.lease.duration)
    };
    all.iter().filter(lives).map(|w| w.lease.name.clone()).collect()
}

/// A line for each component that must lead.
pub fn lines(all: &[Watched], now: Epoch, there: Epoch) -> Vec<Line> {
    let mut lines = vec![];
    for (name, without) in LEADERS {
        match all.iter().find(|w| w.lease.name == name) {
            Some(watched) => lines.push(judged(watched, without, now, there)),
            // Most clusters have no cloud controller, and managed ones hide it.
            None if name.starts_with("cloud") => {}
            None => {
                let why = "has no lease in kube-system: it runs without leader election, elsewhere, or not at all";
                lines.push(Line::new("leader", name, Verdict::Unknown, why.to_owned()));
            }
        }
    }
    lines
}

/// The API servers, each by the lease it keeps: one line about those that renew it, one about each that does not. None at
/// all where servers keep no leases.
pub fn servers(all: &[Watched], now: Epoch, there: Epoch) -> Vec<Line> {
    let mut servers: Vec<&Watched> = all.iter().filter(|w| w.lease.is_server).collect();
    servers.sort_by(|a, b| a.lease.name.cmp(&b.lease.name));
    let lives = |w: &Watched| w.age(now, there).is_some_and(|age| age < SILENT);
    let (alive, silent): (Vec<&Watched>, Vec<&Watched>) =
        servers.into_iter().partition(|w| lives(w));
    let mut lines = vec![];
    if !alive.is_empty() {
        let names: Vec<&str> = alive.iter().map(|w| w.lease.name.as_str()).collect();
        let (n, s) = (names.len(), if names.len() == 1 { "" } else { "s" });
        let why = format!("{n} API server{s} renewed within the last minute: {}", names.join(", "));
        lines.push(Line::new("server", "leases", Verdict::Ok, why));
    }
    for watched in silent {
        let since = watched.age(now, there).map_or("ever".to_owned(), span);
        let why = format!(
            "not renewed for {since} (every 10 s): this API server stopped, was replaced, or its writes fail; an hour after \
             the last renewal its lease is deleted"
        );
        lines.push(Line::new("server", watched.lease.name.as_str(), Verdict::Warn, why));
    }
    lines
}

fn judged(watched: &Watched, without: &str, now: Epoch, there: Epoch) -> Line {
    let Lease { name, holder, duration, .. } = &watched.lease;
    let age = watched.age(now, there);
    let (verdict, why) = match age {
        _ if holder.is_empty() => (
            Verdict::Bad,
            format!(
                "nobody leads: the last holder gave it up; {without}; start {name} or look why it waits"
            ),
        ),
        None => (Verdict::Unknown, format!("held by {holder}, which does not say since when")),
        Some(age) if age >= *duration => (
            Verdict::Bad,
            format!(
                "lost: not renewed for {} (lease {duration} s), last held by {holder}; {without}; look at its process \
                 and whether it reaches the API server",
                span(age)
            ),
        ),
        Some(age) if age >= RENEW => (
            Verdict::Warn,
            format!(
                "not renewed for {age} s (lease {duration} s) by {holder}: it hangs, or its writes fail"
            ),
        ),
        Some(age) => (Verdict::Ok, format!("held by {holder}, renewed {} ago", span(age))),
    };
    Line::new("leader", name.as_str(), verdict, why)
}
