//! Whether writes reach etcd. A full etcd (alarm NOSPACE) answers reads and `/readyz` and refuses every write but deletes,
//! and nothing the API server says of itself tells so; a dry run does not go to etcd. Two things do tell without writing:
//! how many of the API server's own calls of etcd failed between two scrapes, and the lease by which each API server says
//! every 10 s that it lives (KEP-1965; kubernetes `pkg/controlplane/apiserver/server.go`, on since 1.26).

use super::{Line, Verdict, Watched};
use crate::state::time::{Epoch, span};

/// Seconds after which an API server that works has renewed its lease at least once, with one try missed.
const OVERDUE: i64 = 25;

/// What became of writes to etcd between two scrapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Writes {
    /// Creates, updates and deletes.
    pub tried: f64,
    /// Those that failed.
    pub failed: f64,
    /// Seconds between the scrapes.
    pub seconds: f64,
}

const NEXT: &str = "etcd is full (alarm NOSPACE), has lost its quorum or its disk; ask `etcdctl alarm list` and `endpoint \
                    status`, then compact, defragment and disarm, or raise the quota";

/// The line about writes.
pub fn lines(
    writes: Option<&Writes>,
    leases: &[Watched],
    etcd: Option<bool>,
    now: Epoch,
    there: Epoch,
) -> Vec<Line> {
    let servers = leases.iter().filter(|w| w.lease.is_server);
    let renewed = servers.filter_map(|w| w.age(now, there)).min();
    let (verdict, why) = match (etcd, writes, renewed) {
        (Some(false), _, _) => {
            (Verdict::Bad, "writes fail: the API server does not reach etcd".to_owned())
        }
        (_, Some(Writes { tried, failed, seconds }), _) if *failed > 0.0 && failed >= tried => (
            Verdict::Bad,
            format!("writes fail: all {failed:.0} of the last {seconds:.0} s, while reads pass: {NEXT}"),
        ),
        (_, _, Some(age)) if age >= OVERDUE => (
            Verdict::Bad,
            format!(
                "writes fail: the API server has not renewed its own lease for {} (every 10 s), while reads pass: {NEXT}",
                span(age)
            ),
        ),
        (_, Some(Writes { tried, failed, seconds }), _)
            if *failed >= 3.0 && failed / tried > 0.05 =>
        {
            (
                Verdict::Warn,
                format!("{failed:.0} of {tried:.0} writes to etcd failed in {seconds:.0} s; its log says why"),
            )
        }
        (_, Some(Writes { tried, seconds, .. }), _) if *tried > 0.0 => {
            (Verdict::Ok, format!("{tried:.0} writes to etcd in {seconds:.0} s, none refused for want of space"))
        }
        (_, _, Some(age)) => {
            (Verdict::Ok, format!("the API server renewed its own lease {} ago", span(age)))
        }
        _ => (
            Verdict::Unknown,
            "cannot be told yet: it takes two scrapes of /metrics, 15 s apart, or an API server that keeps a lease".to_owned(),
        ),
    };
    vec![Line::new("etcd", "writes", verdict, why)]
}
