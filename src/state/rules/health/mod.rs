//! How the control plane is, as lines an operator can act on: pure rules from what was read to verdicts, worst first.
//!
//! Every part was read on its own and may be old, refused or never answered; a part that says nothing is told as such and
//! never as well.

mod certificates;
mod checks;
mod leases;
mod nodes;
mod services;
#[cfg(test)]
mod tests;
mod versions;
mod writes;

pub use certificates::Certificate;
pub use leases::{Lease, Watched};
pub use nodes::{Node, SHAPE};
pub use services::{ApiService, Backend, Calls, Webhook};
pub use versions::{Component, Status};
pub use writes::Writes;

use super::super::time::{Epoch, span};

/// How well something is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It does not work, or not for long.
    Bad,
    /// It needs a look.
    Warn,
    /// It cannot be told from here.
    Unknown,
    /// It is well.
    Ok,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Bad => "bad",
            Verdict::Warn => "warn",
            Verdict::Unknown => "unknown",
            Verdict::Ok => "ok",
        }
    }
}

/// One matter and its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The part of the board: `readyz`, `leader`, `webhook`.
    pub part: &'static str,
    /// What it is about; with the part unique.
    pub name: String,
    /// How well it is.
    pub verdict: Verdict,
    /// What is so, what it means and what to do about it.
    pub why: String,
    /// When it was read.
    pub at: Epoch,
}

impl Line {
    fn new(part: &'static str, name: impl Into<String>, verdict: Verdict, why: String) -> Line {
        Line { part, name: name.into(), verdict, why, at: Epoch::default() }
    }
}

/// Why a part could not be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// A rule is missing: its verb and resource, as the server named them.
    Denied(String),
    /// The server has no such thing.
    Missing,
    /// No answer, or one that is of no use.
    Failed(String),
}

/// What was read of a part, and what kept a later look from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<T> {
    /// What was read last, and when.
    pub seen: Option<(Epoch, T)>,
    /// Why it was not read again since then.
    pub trouble: Option<(Epoch, Trouble)>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Part { seen: None, trouble: None }
    }
}

impl<T> Part<T> {
    /// Takes in a look. What was seen before stays when a look fails.
    pub fn put(&mut self, look: Result<T, Trouble>, at: Epoch) {
        match look {
            Ok(value) => (self.seen, self.trouble) = (Some((at, value)), None),
            Err(trouble) => {
                // Since when it cannot be read, not when that was last tried.
                let since = self.trouble.as_ref().map_or(at, |(since, _)| *since);
                self.trouble = Some((since, trouble));
            }
        }
    }

    /// Whether it was tried at all.
    pub fn is_tried(&self) -> bool {
        self.seen.is_some() || self.trouble.is_some()
    }

    fn value(&self) -> Option<&T> {
        self.seen.as_ref().map(|(_, value)| value)
    }
}

/// Everything that was read.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The text of `/readyz?verbose`.
    pub readyz: Part<String>,
    /// The text of `/livez?verbose`.
    pub livez: Part<String>,
    /// Leases of kube-system.
    pub leases: Part<Vec<Watched>>,
    /// `componentstatuses`.
    pub statuses: Part<Vec<Status>>,
    /// Registered APIs.
    pub services: Part<Vec<ApiService>>,
    /// Webhooks with what stands behind them.
    pub webhooks: Part<Vec<Webhook>>,
    /// What calls of webhooks and writes came to between two scrapes of one process; `None` after a first one.
    pub calls: Part<Option<Calls>>,
    /// Nodes.
    pub nodes: Part<Vec<Node>>,
    /// The API server's `gitVersion`.
    pub version: Part<String>,
    /// Control plane pods.
    pub components: Part<Vec<Component>>,
    /// Certificates that can be seen from here.
    pub certificates: Part<Vec<Certificate>>,
    /// Seconds the server's clock is ahead of ours.
    pub skew: i64,
}

/// One part that is told with its trouble: name, the right or path it needs, whether silence about it is bad news.
fn told<T>(
    lines: &mut Vec<Line>,
    name: &'static str,
    part: &Part<T>,
    (silent, now): (Verdict, Epoch),
    rule: impl FnOnce(&T) -> Vec<Line>,
) {
    if let Some((at, value)) = &part.seen {
        lines.extend(rule(value).into_iter().map(|line| Line { at: *at, ..line }));
    }
    let Some((since, trouble)) = &part.trouble else {
        if part.seen.is_none() {
            let why = "not read yet".to_owned();
            lines.push(Line::new("reading", name, Verdict::Unknown, why));
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
    use Verdict::{Bad, Unknown, Warn};
    let mut lines = vec![];
    let there = Epoch(now.0 + facts.skew);
    let leases = facts.leases.value().map_or(&[][..], Vec::as_slice);
    let calls = facts.calls.value().and_then(Option::as_ref);
    told(&mut lines, "readyz", &facts.readyz, (Bad, now), |text| checks::lines("readyz", text));
    told(&mut lines, "livez", &facts.livez, (Bad, now), |text| checks::lines("livez", text));
    let etcd = facts.readyz.value().map(|text| checks::passes(text, "etcd"));
    let mut writes = writes::lines(calls.map(|c| &c.writes), leases, etcd, now, there);
    let at = facts.leases.seen.as_ref().map_or(Epoch::default(), |(at, _)| *at);
    writes.iter_mut().for_each(|line| line.at = at);
    lines.extend(writes);
    told(&mut lines, "leases", &facts.leases, (Warn, now), |all| {
        let leaders = leases::lines(all, now, there);
        leaders.into_iter().chain(leases::servers(all, now, there)).collect()
    });
    told(&mut lines, "API services", &facts.services, (Warn, now), |all| services::apis(all));
    told(&mut lines, "webhooks", &facts.webhooks, (Warn, now), |all| {
        services::webhooks(all, calls)
    });
    told(&mut lines, "/metrics", &facts.calls, (Warn, now), |_| vec![]);
    told(&mut lines, "component statuses", &facts.statuses, (Unknown, now), |all| {
        versions::statuses(all, &leases::alive(leases, now, there))
    });
    told(&mut lines, "certificates", &facts.certificates, (Unknown, now), |all| {
        certificates::lines(all, there)
    });
    told(&mut lines, "nodes", &facts.nodes, (Warn, now), |all| nodes::lines(all));
    told(&mut lines, "version", &facts.version, (Warn, now), |version| {
        let kubelets = facts.nodes.value().map_or(&[][..], Vec::as_slice);
        versions::lines(version, kubelets)
    });
    told(&mut lines, "components", &facts.components, (Unknown, now), |all| {
        versions::components(all, facts.version.value().map(String::as_str))
    });
    lines.sort_by_key(|line| line.verdict);
    lines
}

impl Facts {
    /// Whether every part was tried at least once.
    pub fn is_whole(&self) -> bool {
        [
            self.readyz.is_tried(),
            self.livez.is_tried(),
            self.leases.is_tried(),
            self.statuses.is_tried(),
            self.services.is_tried(),
            self.webhooks.is_tried(),
            self.calls.is_tried(),
            self.nodes.is_tried(),
            self.version.is_tried(),
            self.components.is_tried(),
            self.certificates.is_tried(),
        ]
        .iter()
        .all(|tried| *tried)
    }

    /// Takes in a look at the leases of kube-system. When each of them was seen to change is remembered: the clocks of its
    /// holder, the server and this machine need not agree.
    pub fn put_leases(&mut self, look: Result<Vec<Lease>, Trouble>, at: Epoch) {
        let before = self.leases.value().cloned().unwrap_or_default();
        let look = look.map(|leases| {
            let watched = leases.into_iter().map(|lease| Watched::after(lease, &before, at));
            watched.collect()
        });
        self.leases.put(look, at);
    }
}
