//! Whether writes reach etcd. A full etcd (alarm NOSPACE) answers reads and `/readyz` and refuses every write but deletes,
//! and nothing the API server says of itself tells so; a dry run does not go to etcd. Two things do tell without writing:
//! how many of the API server's own calls of etcd failed between two scrapes, and the lease by which each API server says
//! every 10 s that it lives (KEP-1965; kubernetes `pkg/controlplane/apiserver/server.go`, on since 1.26).

use super::calls::Heard;
use super::{Line, Verdict, Watched};
use crate::state::time::{Epoch, span};

/// Seconds after which an API server that works has renewed its lease at least once, with one try missed.
const OVERDUE: i64 = 25;
/// Failures that are no accident, and the share of all writes that makes them `writes fail`, or worth a look.
const FEW: f64 = 3.0;
const NEARLY_ALL: f64 = 0.9;
const SOME: f64 = 0.05;

/// What became of writes to etcd between two scrapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Writes {
    /// Creates and updates. Deletes pass when etcd is full.
    pub tried: f64,
    /// Those that failed.
    pub failed: f64,
    /// Seconds between the scrapes.
    pub seconds: f64,
}

const NEXT: &str = "etcd is full (alarm NOSPACE), has lost its quorum or its disk; ask `etcdctl alarm list` and `endpoint \
                    status`, then compact, defragment and disarm, or raise the quota";

/// What tells of writes, each with when it was read, as far as that is not long ago.
pub(super) struct Signs<'a> {
    /// Whether the check of etcd passes.
    pub etcd: Option<(Epoch, bool)>,
    /// Leases of kube-system.
    pub leases: Option<(Epoch, &'a [Watched])>,
    pub heard: &'a Heard<'a>,
    /// Seconds the server's clock is ahead of ours.
    pub skew: i64,
}

impl Signs<'_> {
    /// How long ago an API server renewed its lease, as of when that was read.
    fn renewed(&self) -> Option<(Epoch, i64)> {
        let (at, leases) = self.leases?;
        let servers = leases.iter().filter(|w| w.lease.is_server);
        let there = Epoch(at.0 + self.skew);
        servers.filter_map(|w| w.age(at, there)).min().map(|age| (at, age))
    }
}

/// The line about writes.
pub(super) fn line(signs: &Signs<'_>) -> Line {
    let writes = signs.heard.calls.map(|(at, calls)| (at, &calls.writes));
    let (at, verdict, why) = failing(signs, writes).unwrap_or_else(|| passing(signs, writes));
    Line { at, ..Line::new("etcd", "writes", verdict, why) }
}

fn failing(
    signs: &Signs<'_>,
    writes: Option<(Epoch, &Writes)>,
) -> Option<(Epoch, Verdict, String)> {
    if let Some((at, false)) = signs.etcd {
        let why = "writes fail: the API server does not reach etcd".to_owned();
        return Some((at, Verdict::Bad, why));
    }
    let many = writes.filter(|(_, w)| w.failed >= FEW);
    if let Some((at, Writes { tried, failed, seconds })) = many
        && failed / tried >= NEARLY_ALL
    {
        let of = if failed < tried {
            format!("{failed:.0} of {tried:.0}")
        } else {
            format!("all {failed:.0}")
        };
        let why = format!("writes fail: {of} in the last {seconds:.0} s, while reads pass: {NEXT}");
        return Some((at, Verdict::Bad, why));
    }
    if let Some((at, age)) = signs.renewed().filter(|(_, age)| *age >= OVERDUE) {
        let span = span(age);
        let why = format!(
            "writes fail: the API server has not renewed its own lease for {span} (every 10 s), while reads pass: {NEXT}"
        );
        return Some((at, Verdict::Bad, why));
    }
    let (at, Writes { tried, failed, seconds }) =
        many.filter(|(_, w)| w.failed / w.tried > SOME)?;
    let why = format!(
        "{failed:.0} of {tried:.0} writes to etcd failed in {seconds:.0} s; its log says why"
    );
    Some((at, Verdict::Warn, why))
}

fn passing(signs: &Signs<'_>, writes: Option<(Epoch, &Writes)>) -> (Epoch, Verdict, String) {
    match (writes.filter(|(_, w)| w.tried > w.failed), signs.renewed()) {
        (Some((at, Writes { tried, failed, seconds })), _) => {
            let failed = match *failed > 0.0 {
                true => format!("{failed:.0} failed"),
                false => "none failed".to_owned(),
            };
            (at, Verdict::Ok, format!("{tried:.0} writes to etcd in {seconds:.0} s, {failed}"))
        }
        (None, Some((at, age))) => {
            (at, Verdict::Ok, format!("the API server renewed its own lease {} ago", span(age)))
        }
        (None, None) => {
            let silence = signs.heard.silence();
            let why = format!(
                "cannot be told yet: {silence}; no lease of an API server is to be seen, which would tell too"
            );
            (Epoch::default(), Verdict::Unknown, why)
        }
    }
}
