//! Leader election by leases (client-go `tools/leaderelection`): the holder renews every 2 s by default and gives up after
//! 10 s without success (renewDeadline); others take over after leaseDurationSeconds, 15 s by default.

use super::{Line, Verdict};
use crate::state::time::{Epoch, parse_rfc3339, span};
use serde_json::Value;

/// The renew deadline of client-go: a leader that has not renewed for so long has given up.
const RENEW: i64 = 10;
/// Of a longer lease that share of it is the deadline; of the default 15 s both are the same.
const SHARE: (i64, i64) = (2, 3);
/// Seconds that a read takes, and what the rounding of times adds.
const READ: i64 = 2;
/// Seconds after which a component that may or may not be there is taken for gone, and not for lost.
const LEFT: i64 = 86_400;

/// API servers renew theirs every 10 s, and one that is an hour old is deleted (apiserver `controller/lease` and
/// `controlplane/controller/apiserverleasegc`, KEP-1965).
const SILENT: i64 = 60;
/// Seconds after which one that is silent while another lives is taken for replaced.
const REPLACED: i64 = 300;

/// Who leads in a cluster, what does not happen without, and whether every cluster has one.
const LEADERS: [(&str, &str, bool); 3] = [
    ("kube-scheduler", "new pods are not placed on nodes", true),
    (
        "kube-controller-manager",
        "nothing is rolled out, replaced, scaled, cleaned up or deleted with what it owns",
        true,
    ),
    ("cloud-controller-manager", "new nodes and load balancers are not set up", false),
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
    /// Seconds before that within which it changed: since the look before. None if there was no such look.
    pub moved: Option<i64>,
}

impl Watched {
    /// A lease after another look; the looks before it with their time.
    pub fn after(lease: Lease, before: Option<(Epoch, &[Watched])>, at: Epoch) -> Watched {
        let was = before.and_then(|(then, all)| {
            all.iter().find(|was| was.lease.name == lease.name).map(|was| (then, was))
        });
        match was {
            Some((_, was))
                if (was.lease.renewed, &was.lease.holder) == (lease.renewed, &lease.holder) =>
            {
                Watched { lease, ..was.clone() }
            }
            was => {
                let moved = was.map(|(then, _)| then.age(at) + READ);
                Watched { lease, since: at, moved }
            }
        }
    }

    /// Seconds from its last renewal to a look at it, by our clock and by the server's. Its own time is believed as far as it
    /// agrees with what was seen: a holder whose clock is wrong is not lost.
    ///
    /// The times must be those of the look: while leases cannot be read nothing is known of their age.
    pub fn age(&self, at: Epoch, there: Epoch) -> Option<i64> {
        let told = there.0 - self.lease.renewed.0;
        let seen = self.since.age(at);
        match (self.lease.renewed.is_set(), self.moved) {
            (false, _) => None,
            (true, Some(gap)) if (seen..=seen + gap).contains(&told) => Some(told),
            (true, Some(_)) => Some(seen),
            (true, None) => Some(told.max(seen)),
        }
    }
}

/// Whether a leader is late: it has not renewed for a third of its lease, and the lease has not run out. What becomes of it
/// is told by the second, so the next look must come soon.
pub fn is_late(all: &[Watched], at: Epoch, there: Epoch) -> bool {
    let leads = |w: &&Watched| LEADERS.iter().any(|(name, ..)| *name == w.lease.name);
    let late = |w: &Watched| (w.lease.duration / 3).max(1)..=w.lease.duration;
    all.iter().filter(leads).any(|w| w.age(at, there).is_some_and(|age| late(w).contains(&age)))
}

/// Names of leaders that are known to live.
pub fn alive(all: &[Watched], at: Epoch, there: Epoch) -> Vec<String> {
    let lives = |w: &&Watched| {
        !w.lease.holder.is_empty() && w.age(at, there).is_some_and(|age| age < w.lease.duration)
    };
    all.iter().filter(lives).map(|w| w.lease.name.clone()).collect()
}

/// A line for each component that must lead.
pub fn lines(all: &[Watched], at: Epoch, there: Epoch) -> Vec<Line> {
    let mut lines = vec![];
    for (name, without, is_needed) in LEADERS {
        match all.iter().find(|w| w.lease.name == name) {
            Some(watched) => {
                let age = watched.age(at, there).filter(|age| *age > LEFT && !is_needed);
                lines.push(match age {
                    Some(age) => left(name, age),
                    None => judged(watched, without, at, there),
                });
            }
            // Most clusters have no cloud controller, and managed ones hide it.
            None if !is_needed => {}
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
pub fn servers(all: &[Watched], at: Epoch, there: Epoch) -> Vec<Line> {
    let mut servers: Vec<&Watched> = all.iter().filter(|w| w.lease.is_server).collect();
    servers.sort_by(|a, b| a.lease.name.cmp(&b.lease.name));
    let lives = |w: &Watched| w.age(at, there).is_some_and(|age| age < SILENT);
    let (alive, silent): (Vec<&Watched>, Vec<&Watched>) =
        servers.into_iter().partition(|w| lives(w));
    let mut lines = vec![];
    if !alive.is_empty() {
        let names: Vec<&str> = alive.iter().map(|w| w.lease.name.as_str()).collect();
        let (n, s) = (names.len(), if names.len() == 1 { "" } else { "s" });
        let why = format!("{n} API server{s} renewed within the last minute: {}", names.join(", "));
        lines.push(Line::new("server", "leases", Verdict::Ok, why));
    }
    let is_alone = lines.is_empty();
    for watched in silent {
        let age = watched.age(at, there);
        let since = age.map_or("ever".to_owned(), span);
        let (verdict, why) = match age {
            Some(REPLACED..) if !is_alone => (
                Verdict::Unknown,
                format!(
                    "left behind, it seems: not renewed for {since}, while another API server lives; this one was replaced or \
                     stays down; an hour after the last renewal its lease is deleted"
                ),
            ),
            _ => (
                Verdict::Warn,
                format!(
                    "not renewed for {since} (every 10 s): this API server stopped, was replaced, or its writes fail; an hour \
                     after the last renewal its lease is deleted"
                ),
            ),
        };
        lines.push(Line::new("server", watched.lease.name.as_str(), verdict, why));
    }
    lines
}

fn left(name: &str, age: i64) -> Line {
    let why = format!(
        "left behind, it seems: not renewed for {}; not every cluster has one; if yours should, look at its process, else \
         delete the lease {name} in kube-system",
        span(age)
    );
    Line::new("leader", name, Verdict::Unknown, why)
}

fn judged(watched: &Watched, without: &str, at: Epoch, there: Epoch) -> Line {
    let Lease { name, holder, duration, .. } = &watched.lease;
    let age = watched.age(at, there);
    let overdue = RENEW.max(duration * SHARE.0 / SHARE.1);
    let (verdict, why) = match age {
        _ if holder.is_empty() => released(watched, without, at, there),
        None => (Verdict::Unknown, format!("held by {holder}, which does not say since when")),
        Some(age) if age >= *duration => (
            Verdict::Bad,
            format!(
                "lost: not renewed for {} (lease {duration} s), last held by {holder}; {without}; look at its process \
                 and whether it reaches the API server",
                span(age)
            ),
        ),
        Some(age) if age >= overdue => (
            Verdict::Warn,
            format!(
                "not renewed for {age} s (lease {duration} s) by {holder}: it hangs, or its writes fail"
            ),
        ),
        Some(age) => (Verdict::Ok, format!("held by {holder}, renewed {} ago", span(age))),
    };
    Line::new("leader", name.as_str(), verdict, why)
}

/// A holder that ends in order gives its lease up (client-go ReleaseOnCancel), and another takes it within seconds.
fn released(watched: &Watched, without: &str, at: Epoch, there: Epoch) -> (Verdict, String) {
    let name = &watched.lease.name;
    let age = watched.age(at, there).unwrap_or_else(|| watched.since.age(at));
    let ago = span(age);
    match age {
        ..RENEW => (
            Verdict::Warn,
            format!(
                "nobody leads: the last holder gave it up {ago} ago; another should take it within seconds"
            ),
        ),
        _ => (
            Verdict::Bad,
            format!(
                "nobody leads: the last holder gave it up {ago} ago; {without}; start {name} or look why it waits"
            ),
        ),
    }
}
