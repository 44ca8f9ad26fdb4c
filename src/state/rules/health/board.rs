//! The board out of what was read: every line has the time of what decided it.

use super::calls::{Heard, conversions};
use super::writes::Signs;
use super::{
    Facts, Line, Part, Trouble, Verdict, certificates, checks, leases, nodes, services, versions,
    webhooks, writes,
};
use crate::state::time::{Epoch, span};

/// What is said of a part that no look has ended of.
pub const NOT_YET: &str = "not read yet";
/// Seconds after which what was counted, and what was said of etcd, says nothing of now: two scrapes and a bit.
const OLD: i64 = 40;

/// One part that is told with its trouble: name, the right or path it needs, whether silence about it is bad news. Lines that
/// do not say when they were read were read with the part.
fn told<T>(
    lines: &mut Vec<Line>,
    name: &'static str,
    part: &Part<T>,
    (silent, now): (Verdict, Epoch),
    rule: impl FnOnce(Epoch, &T) -> Vec<Line>,
) {
    if let Some((at, value)) = &part.seen {
        let dated = |line: Line| Line { at: if line.at.is_set() { line.at } else { *at }, ..line };
        lines.extend(rule(*at, value).into_iter().map(dated));
    }
    let Some((since, trouble)) = &part.trouble else {
        if part.seen.is_none() {
            lines.push(Line::new("reading", name, Verdict::Unknown, NOT_YET.to_owned()));
        }
        return;
    };
    let old = match &part.seen {
        Some((at, _)) => format!("; what is shown of it is {} old", span(at.age(now))),
        None => String::new(),
    };
    let (verdict, why) = match trouble {
        Trouble::Denied(right) => (
            Verdict::Unknown,
            format!(
                "not visible: it takes the right to {right}; ask for a rule that allows it{old}"
            ),
        ),
        Trouble::Missing if part.seen.is_none() => return,
        Trouble::Missing => (Verdict::Unknown, format!("the server no longer has it{old}")),
        Trouble::Failed(words) => {
            let span = span(since.age(now));
            (silent, format!("could not be read for {span}: {words}{old}"))
        }
    };
    lines.push(Line { at: *since, ..Line::new("reading", name, verdict, why) });
}

/// The board, worst first; what is equally well stands in the order of the parts. `now` is our own clock.
pub fn board(facts: &Facts, now: Epoch) -> Vec<Line> {
    use Verdict::{Unknown, Warn};
    let mut lines = vec![];
    let there = |at: Epoch| Epoch(at.0 + facts.skew);
    let heard = heard(facts, now);
    checked(&mut lines, facts, &heard, now);
    told(&mut lines, "leases", &facts.leases, (Warn, now), |at, all| {
        let leaders = leases::lines(all, at, there(at));
        leaders.into_iter().chain(leases::servers(all, at, there(at))).collect()
    });
    told(&mut lines, "API services", &facts.services, (Warn, now), |_, all| services::apis(all));
    told(&mut lines, "webhooks", &facts.webhooks, (Warn, now), |_, all| {
        webhooks::lines(all, &heard)
    });
    lines.extend(conversions(&heard));
    told(&mut lines, "/metrics", &facts.calls, (Warn, now), |_, _| vec![]);
    told(&mut lines, "component statuses", &facts.statuses, (Unknown, now), |_, all| {
        let leases = facts.leases.within(OLD, now);
        let alive = leases.map(|(at, leases)| leases::alive(leases, at, there(at)));
        versions::statuses(all, &alive.unwrap_or_default())
    });
    told(&mut lines, "certificates", &facts.certificates, (Unknown, now), |_, papers| {
        certificates::lines(papers, facts.skew, now)
    });
    told(&mut lines, "nodes", &facts.nodes, (Warn, now), |at, all| nodes::lines(all, there(at)));
    told(&mut lines, "version", &facts.version, (Warn, now), |_, version| {
        let (at, kubelets) =
            facts.nodes.seen.as_ref().map(|(at, all)| (*at, all.as_slice())).unwrap_or_default();
        let kubelets = versions::kubelets(version, kubelets);
        let kubelets = kubelets.into_iter().map(|line| Line { at, ..line });
        versions::lines(version).into_iter().chain(kubelets).collect()
    });
    told(&mut lines, "components", &facts.components, (Unknown, now), |_, all| {
        versions::components(all, facts.version.value().map(String::as_str))
    });
    lines.sort_by_key(|line| line.verdict);
    lines
}

fn heard(facts: &Facts, now: Epoch) -> Heard<'_> {
    let counted = facts.calls.within(OLD, now);
    Heard {
        calls: counted.and_then(|(at, calls)| Some((at, calls.as_ref()?))),
        failures: &facts.failures,
        is_deaf: facts.calls.trouble.is_some(),
        now,
    }
}

/// What the API server says of itself, and whether writes reach etcd.
fn checked(lines: &mut Vec<Line>, facts: &Facts, heard: &Heard<'_>, now: Epoch) {
    let bad = (Verdict::Bad, now);
    told(lines, "readyz", &facts.readyz, bad, |_, text| checks::lines("readyz", text));
    told(lines, "livez", &facts.livez, bad, |_, text| checks::lines("livez", text));
    let passes = |(at, text): (Epoch, &String)| (at, checks::passes(text, "etcd"));
    lines.push(writes::line(&Signs {
        etcd: facts.readyz.within(OLD, now).map(passes),
        leases: facts.leases.within(OLD, now).map(|(at, all)| (at, all.as_slice())),
        heard,
        skew: facts.skew,
    }));
}
