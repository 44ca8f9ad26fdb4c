//! What was read of the control plane, part by part, with what kept a later look from it.

use super::leases::is_late;
use super::{
    ApiService, Calls, Certificate, Component, Failures, Holder, Lease, Node, Status, Watched,
    Webhook,
};
use crate::state::time::Epoch;

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

impl Trouble {
    /// What that means for a thing, as the rest of a sentence about it.
    pub(super) fn words(&self) -> String {
        match self {
            Trouble::Denied(right) => {
                format!(
                    "is not visible: it takes the right to {right}; ask for a rule that allows it"
                )
            }
            Trouble::Missing => "is not visible: the server does not have it".to_owned(),
            Trouble::Failed(words) => format!("could not be read: {words}"),
        }
    }
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

    pub(super) fn value(&self) -> Option<&T> {
        self.seen.as_ref().map(|(_, value)| value)
    }

    /// What was read, and when, unless that is longer ago than so many seconds.
    pub(super) fn within(&self, seconds: i64, now: Epoch) -> Option<(Epoch, &T)> {
        let (at, value) = self.seen.as_ref()?;
        (at.age(now) <= seconds).then_some((*at, value))
    }
}

/// Certificates as they were looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Papers {
    /// Those that were seen, each with its time.
    pub all: Vec<(Epoch, Certificate)>,
    /// Why the server's own were not to be seen, if they were not.
    pub hidden: Option<String>,
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
    /// Webhooks whose last calls failed.
    pub failures: Failures,
    /// Nodes.
    pub nodes: Part<Vec<Node>>,
    /// The API server's `gitVersion`.
    pub version: Part<String>,
    /// Control plane pods.
    pub components: Part<Vec<Component>>,
    /// Certificates that can be seen from here.
    pub certificates: Part<Papers>,
    /// Seconds the server's clock is ahead of ours.
    pub skew: i64,
    /// The leases as they were read last, and when, though nobody may have looked since.
    pub(super) watched: Option<(Epoch, Vec<Watched>)>,
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

    /// Nobody looks any more. What is true when somebody does again has to be read again; what was learned of clocks, of
    /// holders of leases and of failures serves to judge it.
    pub fn rest(&mut self) {
        *self = Facts {
            skew: self.skew,
            watched: self.watched.take(),
            failures: std::mem::take(&mut self.failures),
            ..Facts::default()
        };
    }

    /// Takes in a look at the leases of kube-system. When each of them was seen to change is remembered: the clocks of its
    /// holder, the server and this machine need not agree.
    pub fn put_leases(&mut self, look: Result<Vec<Lease>, Trouble>, at: Epoch) {
        let look = look.map(|leases| {
            let before = self.watched.as_ref().map(|(at, all)| (*at, all.as_slice()));
            let watched = leases.into_iter().map(|lease| Watched::after(lease, before, at));
            let watched: Vec<Watched> = watched.collect();
            self.watched = Some((at, watched.clone()));
            watched
        });
        self.leases.put(look, at);
    }

    /// Whether a leader has missed renewals, and what becomes of it is yet to be seen.
    pub fn is_leader_late(&self) -> bool {
        let late = |(at, all): &(Epoch, Vec<Watched>)| is_late(all, *at, Epoch(at.0 + self.skew));
        self.watched.as_ref().is_some_and(late)
    }

    /// Takes in what was counted between two scrapes. Who failed is remembered until a call succeeds: nobody may call for
    /// a while.
    pub fn put_calls(&mut self, look: Result<Option<Calls>, Trouble>, at: Epoch) {
        if let Ok(Some(calls)) = &look {
            self.failures.take_in(calls, at);
        }
        self.calls.put(look, at);
    }

    /// Takes in a look at certificates. What the server showed before stays when it shows nothing now.
    pub fn put_certificates(&mut self, look: Papers, at: Epoch) {
        let mut look = look;
        if look.hidden.is_some()
            && let Some((_, before)) = self.certificates.seen.take()
        {
            let is_new = |holder| look.all.iter().any(|(_, new)| new.holder == holder);
            let stays = |holder| holder == Holder::Server || holder == Holder::Loopback;
            let mut all = before.all;
            all.retain(|(_, old)| stays(old.holder) && !is_new(old.holder));
            all.append(&mut look.all);
            look.all = all;
        }
        self.certificates.put(Ok(look), at);
    }

    /// Seconds until a certificate ends that has not ended when it was last seen: it may have been renewed by then.
    pub fn certificate_ends_in(&self, now: Epoch) -> Option<i64> {
        let there = Epoch(now.0 + self.skew);
        let all = self.certificates.value()?.all.iter();
        let left = all.map(|(_, certificate)| certificate.valid.1.0 - there.0);
        left.filter(|left| *left > 0).min()
    }
}
