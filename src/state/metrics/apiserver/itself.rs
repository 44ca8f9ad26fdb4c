//! What etcd says about itself.

use super::limits::{self, Verdict};
use super::names::{Naming, etcd as own};
use super::{Etcd, Facts, Measured, Section};

/// Why there is nothing of it where nobody asks.
const HIDDEN: &str =
    "not visible from here: --etcd-metrics URL, with --etcd-cert and --etcd-key, reads it";
const FOREIGN: &str =
    "the page that --etcd-metrics names has no metrics of etcd: is it etcd's URL?";

pub(super) fn itself(facts: &Facts<'_>, rows: &mut Vec<Measured>) {
    let row = |why: &str, verdict| {
        let mut row = Measured::new(Section::EtcdItself, "etcd itself", own::QUOTA.names[0].0);
        (row.why, row.verdict) = (why.to_owned(), verdict);
        row
    };
    let etcd = match &facts.etcd {
        None => return rows.push(row(HIDDEN, Verdict::None)),
        Some(Ok(etcd)) => etcd,
        Some(Err(why)) => return rows.push(row(why, Verdict::Warn)),
    };
    if own::ALL.iter().all(|naming| naming.of(etcd.now).is_none()) {
        return rows.push(row(FOREIGN, Verdict::Warn));
    }
    rows.push(database(facts, etcd));
    for (name, naming, limit) in [
        ("wal fsync", &own::FSYNC, &limits::FSYNC),
        ("backend commit", &own::COMMIT, &limits::COMMIT),
        ("peer round trip", &own::PEER, &limits::PEER),
    ] {
        let row = counted(etcd, name, naming);
        rows.push(if etcd.judges() { row.judged(facts.limits, limit) } else { row });
    }
    rows.push(leaders(facts, etcd));
    let mut failed = counted(etcd, "failed proposals", &own::FAILED);
    if failed.why.is_empty() {
        failed.why =
            "writes that found no majority: lost while the leader changed or members were away"
                .into();
    }
    rows.push(failed);
    grpc(facts, etcd, rows);
}

/// A row of what grew.
fn counted(etcd: &Etcd<'_>, name: &str, naming: &Naming) -> Measured {
    let Some(source) = naming.of(etcd.now) else {
        let mut row = Measured::new(Section::EtcdItself, name, naming.names[0].0);
        row.why = naming.absent();
        return row;
    };
    let row = Measured::new(Section::EtcdItself, name, source);
    match etcd.span.and_then(|span| span.total(source)) {
        Some(growth) => row.grown(&growth),
        None => row,
    }
}

fn gauge(etcd: &Etcd<'_>, naming: &Naming) -> Option<f64> {
    etcd.now.number(naming.of(etcd.now)?, &[])
}

/// How full it is. What it takes to say so may be absent, each by itself.
fn database(facts: &Facts<'_>, etcd: &Etcd<'_>) -> Measured {
    let source = own::SIZE.of(etcd.now).unwrap_or(own::SIZE.names[0].0);
    let mut row = Measured::new(Section::EtcdItself, "database", source);
    row.bytes = gauge(etcd, &own::SIZE);
    let (quota, used) = (gauge(etcd, &own::QUOTA), gauge(etcd, &own::IN_USE));
    let bytes = |n: f64| crate::state::cell::bytes(n as i64);
    let share = row.bytes.zip(quota).filter(|(_, quota)| *quota > 0.0).map(|(size, q)| size / q);
    let mut words = vec![];
    match (row.bytes, quota, share) {
        (None, ..) => words.push(own::SIZE.absent()),
        (_, Some(quota), Some(share)) => {
            words.push(format!("{:.0} % of the quota of {}", share * 100.0, bytes(quota)));
        }
        (_, Some(_), None) => words.push("no quota is set".into()),
        (_, None, _) => words.push(format!("the quota is {}", own::QUOTA.absent())),
    }
    match used {
        Some(used) => words.push(format!("{} in use", bytes(used))),
        None => words.push(format!("what is in use is {}", own::IN_USE.absent())),
    }
    row.why = words.join(", ");
    if let Some(share) = share {
        let said = row.why.clone();
        let verdict = facts.limits.judge(&limits::QUOTA, share);
        row.warn(verdict, || {
            let (over, source) = facts.limits.get(&limits::QUOTA).reached(verdict);
            let over = over * 100.0;
            format!(
                "{said}: at 100 % every write fails; compact and defragment, or raise the quota (over {over:.0} %: {source})"
            )
        });
    }
    row
}

fn leaders(facts: &Facts<'_>, etcd: &Etcd<'_>) -> Measured {
    let mut row = counted(etcd, "leader changes", &own::LEADERS);
    row.now = gauge(etcd, &own::LEADERS);
    let grown = etcd.span.and_then(|span| span.total(own::LEADERS.of(etcd.now)?));
    if let Some(grown) = grown.filter(|_| etcd.judges()) {
        // A span is a quarter of an hour at most: what it saw is not more than what that saw.
        let verdict = facts.limits.judge(&limits::LEADERS, grown.count);
        row.warn(verdict, || {
            let (over, source) = facts.limits.get(&limits::LEADERS).reached(verdict);
            let span = crate::state::time::span(grown.seconds as i64);
            format!("{:.0} within {span}, {over:.0} or more: {source}", grown.count)
        });
    }
    match gauge(etcd, &own::LEADER) {
        Some(0.0) => row.warn(Verdict::Bad, || {
            "this member sees no leader: it answers no consistent read and no write".into()
        }),
        None if row.why.is_empty() => {
            row.why = format!("whether there is a leader is {}", own::LEADER.absent());
        }
        _ => {}
    }
    row
}

fn grpc(facts: &Facts<'_>, etcd: &Etcd<'_>, rows: &mut Vec<Measured>) {
    let Some(source) = own::GRPC.of(etcd.now) else {
        let mut row = Measured::new(Section::EtcdItself, "gRPC latency", own::GRPC.names[0].0);
        row.why = "not exposed: etcd measures it only with --metrics=extensive".into();
        return rows.push(row);
    };
    let Some(span) = etcd.span else { return };
    for (labels, growth) in span.grown(source, own::GRPC.labels) {
        // A stream is as long as somebody listens, and defragmenting takes its time.
        if labels[1] == "unary" && growth.count > 0.0 && labels[0] != "Defragment" {
            let name = format!("gRPC {}", labels[0]);
            let row = Measured::new(Section::EtcdItself, name, source).grown(&growth);
            rows.push(if etcd.judges() { row.judged(facts.limits, &limits::GRPC) } else { row });
        }
    }
}
