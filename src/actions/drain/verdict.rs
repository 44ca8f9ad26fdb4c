//! Why a pod is not gone yet, in words, and what would help.

use super::budget::{BudgetFacts, BudgetId};
use super::classify::Class;
use crate::state::text::clean;
use serde::{Deserialize, Serialize};

/// What keeps a pod from counting as healthy to its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lack {
    /// It is not ready.
    Unready,
    /// It is on its way out.
    Terminating,
    /// It was evicted, its deletion was not seen yet.
    Disrupted,
}

/// A pod that keeps a budget short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// `namespace/name`.
    pub pod: String,
    /// Why.
    pub lack: Lack,
}

/// Why a pod is not gone yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing was asked of the server yet, because.
    Waiting(String),
    /// A request is under way.
    Sent,
    /// The answer was lost; it is read again.
    Unsure(String),
    /// The pods of its node cannot be listed.
    Unlisted(String),
    /// The operator has to decide, for each of these.
    Undecided(Vec<Class>),
    /// Its budget lets nothing pass now.
    BudgetShort {
        /// Which.
        budget: BudgetId,
        /// `maxUnavailable: 1`.
        spec: String,
        /// Pods that have to be healthy.
        wanted: i64,
        /// Pods that are.
        healthy: i64,
        /// `disruptionsAllowed`.
        allowed: i64,
        /// Pods that keep it short, as far as they are known.
        holders: Vec<Holder>,
        /// Pods that it expects and that do not exist; none while not all of its pods are known.
        missing: Option<i64>,
    },
    /// Other evictions of this drain use its budget.
    BudgetTurn(BudgetId),
    /// Its budget cannot let anything pass as it is.
    BudgetNever {
        /// Which.
        budget: BudgetId,
        /// `maxUnavailable: 0`.
        spec: String,
    },
    /// The budget is known from the server's refusal only.
    BudgetUnseen {
        /// Which; its name may be empty.
        budget: BudgetId,
        /// What the server said.
        cause: String,
        /// Budgets can be read; this one was not seen yet.
        readable: bool,
    },
    /// The status of its budget is of an earlier spec.
    BudgetStale(BudgetId),
    /// The status of its budget cannot be worked out.
    BudgetFailed {
        /// Which.
        budget: BudgetId,
        /// The controller's words.
        message: String,
    },
    /// More than one budget selects it: names, or the server's words.
    TwoBudgets(String),
    /// The server asks everybody for fewer requests.
    FlowControl,
    /// An admission webhook refused.
    Webhook(String),
    /// No right to it.
    Forbidden(String),
    /// Refused for another reason: HTTP status and message.
    Failed(u16, String),
    /// Its namespace is being deleted.
    NamespaceTerminating(String),
    /// It ended or was given its time, and these keep the object.
    Finalizer(Vec<String>),
    /// Its node does not answer: nobody ends it.
    NodeDead {
        /// The node.
        node: String,
        /// Seconds past its grace.
        past: u64,
    },
    /// It is ending; seconds of its grace that are left.
    GraceLeft(u64),
    /// It should have ended; seconds past its grace.
    Overdue(u64),
    /// The eviction was accepted, and the pod is not seen to end.
    NotSeenEnding,
}

impl Verdict {
    /// A word that other programs may rely on.
    pub fn id(&self) -> &'static str {
        match self {
            Verdict::Waiting(_) => "waiting",
            Verdict::Sent => "sent",
            Verdict::Unsure(_) => "unsure",
            Verdict::Unlisted(_) => "unlisted",
            Verdict::Undecided(_) => "undecided",
            Verdict::BudgetShort { .. } => "budget-short",
            Verdict::BudgetTurn(_) => "budget-turn",
            Verdict::BudgetNever { .. } => "budget-never",
            Verdict::BudgetUnseen { .. } => "budget-unseen",
            Verdict::BudgetStale(_) => "budget-stale",
            Verdict::BudgetFailed { .. } => "budget-failed",
            Verdict::TwoBudgets(_) => "two-budgets",
            Verdict::FlowControl => "flow-control",
            Verdict::Webhook(_) => "webhook",
            Verdict::Forbidden(_) => "forbidden",
            Verdict::Failed(..) => "failed",
            Verdict::NamespaceTerminating(_) => "namespace-terminating",
            Verdict::Finalizer(_) => "finalizer",
            Verdict::NodeDead { .. } => "node-dead",
            Verdict::GraceLeft(_) => "grace-left",
            Verdict::Overdue(_) => "overdue",
            Verdict::NotSeenEnding => "not-seen-ending",
        }
    }

    /// Whether nothing goes on until something changes outside the drain, or the operator decides.
    pub fn blocks(&self) -> bool {
        !matches!(
            self,
            Verdict::Waiting(_)
                | Verdict::Sent
                | Verdict::Unsure(_)
                | Verdict::BudgetTurn(_)
                | Verdict::FlowControl
                | Verdict::GraceLeft(_)
                | Verdict::NotSeenEnding
        )
    }

    /// Why, in words that may be shown.
    pub fn words(&self) -> String {
        let words = match self {
            Verdict::Waiting(why) => why.clone(),
            Verdict::Sent => "its eviction is sent".to_owned(),
            Verdict::Unsure(why) => format!("no answer ({why}): it is read again"),
            Verdict::Unlisted(why) => format!("the pods of its node cannot be listed: {why}"),
            Verdict::Undecided(classes) => format!("to be decided: {}", reasons(classes)),
            Verdict::BudgetShort { .. } => self.short(),
            Verdict::BudgetTurn(id) => {
                format!("other evictions of this drain use what budget {id} allows")
            }
            Verdict::BudgetNever { budget, spec } => {
                format!("budget {budget} ({spec}) never lets it be evicted")
            }
            Verdict::BudgetUnseen { budget, cause, readable } => unseen(budget, cause, *readable),
            Verdict::BudgetStale(id) => format!("the server is still working budget {id} out"),
            Verdict::BudgetFailed { budget, message } => {
                format!("the controller cannot work budget {budget} out: {message}")
            }
            Verdict::TwoBudgets(names) => {
                format!("more than one budget selects it, the server cannot evict it: {names}")
            }
            Verdict::FlowControl => "the server asks for fewer requests: all wait".to_owned(),
            Verdict::Webhook(message) => format!("an admission webhook refuses: {message}"),
            Verdict::Forbidden(message) => format!("forbidden: {message}"),
            Verdict::Failed(status, message) => format!("the server answers {status}: {message}"),
            Verdict::NamespaceTerminating(ns) => format!("namespace {ns} is being deleted"),
            Verdict::Finalizer(names) => format!("finalizers hold it: {}", names.join(", ")),
            Verdict::NodeDead { node, past } => {
                format!("node {node} is not ready; {past} s past its grace, nobody ends it")
            }
            Verdict::GraceLeft(left) => format!("it is ending, {left} s left"),
            Verdict::Overdue(past) => format!("it should have ended {past} s ago"),
            Verdict::NotSeenEnding => "accepted, not seen to end yet".to_owned(),
        };
        clean(&words).into_owned()
    }

    /// What would help, in words that may be shown; empty if waiting does.
    pub fn unblock(&self) -> String {
        let words = match self {
            Verdict::Undecided(classes) => {
                let flags: Vec<&str> = classes.iter().filter_map(|c| c.flag()).collect();
                format!("decide it: evict, delete, leave (kubectl: {})", flags.join(" "))
            }
            Verdict::BudgetShort { holders, missing, .. } => match (&holders[..], *missing) {
                ([one], Some(0)) => format!("it moves when {} is healthy again", one.pod),
                ([], Some(n)) if n > 0 => {
                    "it moves when the missing pods run: see why they do not".into()
                }
                _ => "it moves when enough of its pods are healthy".to_owned(),
            },
            Verdict::BudgetNever { .. } => {
                "change the budget, add replicas, or decide to delete the pod past it".to_owned()
            }
            Verdict::BudgetFailed { .. } => {
                "mend the budget (its pods need one controller that scales), or delete the pod"
                    .to_owned()
            }
            Verdict::TwoBudgets(_) => {
                "let one budget alone select it, or decide to delete the pod past both".to_owned()
            }
            Verdict::Webhook(_) => "ask who runs the webhook; it is tried again".to_owned(),
            Verdict::Forbidden(_) => "get the right, then retry".to_owned(),
            Verdict::Finalizer(_) => "see why their controllers do not finish; x f takes one away".to_owned(),
            Verdict::NodeDead { .. } => {
                "bring the node back, or tell the cluster that it is out of service; ! removes its pods' objects".to_owned()
            }
            Verdict::Overdue(_) => "see what its kubelet says".to_owned(),
            Verdict::Unlisted(_) => "the right to list pods, or a server that answers".to_owned(),
            _ => String::new(),
        };
        clean(&words).into_owned()
    }

    fn short(&self) -> String {
        let Verdict::BudgetShort { budget, spec, wanted, healthy, allowed, holders, missing } =
            self
        else {
            return String::new();
        };
        let mut words = format!(
            "budget {budget} ({spec}) allows {allowed} now: {healthy} healthy, {wanted} wanted"
        );
        let state = |h: &Holder| format!("{} ({})", h.pod, h.lack.word());
        let some = list(holders.iter().map(state));
        words += &match (holders.len(), *missing) {
            (0, None | Some(0)) => String::new(),
            (_, None) => format!("; unhealthy, as far as its pods are known: {some}"),
            (1, Some(0)) => format!("; held by {some}"),
            (_, Some(0)) => format!("; unhealthy: {some}"),
            (0, Some(n)) => format!("; {n} of its pods do not exist"),
            (_, Some(n)) => format!("; unhealthy: {some}; {n} do not exist"),
        };
        words
    }
}

impl Lack {
    fn word(self) -> &'static str {
        match self {
            Lack::Unready => "not ready",
            Lack::Terminating => "ending",
            Lack::Disrupted => "just evicted",
        }
    }
}

/// Names of which a few are written out.
pub(super) fn list(names: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 4;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn reasons(classes: &[Class]) -> String {
    classes.iter().map(|c| c.words()).collect::<Vec<_>>().join("; ")
}

fn unseen(id: &BudgetId, cause: &str, readable: bool) -> String {
    let name =
        if id.name.is_empty() { "a disruption budget".into() } else { format!("budget {id}") };
    match readable {
        true => format!("{name} refuses: {cause}"),
        false => {
            format!("{name} refuses: {cause}; budgets cannot be read, so it is tried every 20 s")
        }
    }
}

/// The verdict that a budget gives, if nothing passes it.
pub fn of_budget(facts: &BudgetFacts, holders: Vec<Holder>, missing: Option<i64>) -> Verdict {
    let budget = facts.id.clone();
    if let Some(message) = &facts.sync_failed {
        return Verdict::BudgetFailed { budget, message: message.clone() };
    }
    if !facts.current() {
        return Verdict::BudgetStale(budget);
    }
    if facts.never() {
        return Verdict::BudgetNever { budget, spec: facts.spec() };
    }
    Verdict::BudgetShort {
        budget,
        spec: facts.spec(),
        wanted: facts.wanted,
        healthy: facts.healthy,
        allowed: facts.allowed,
        holders,
        missing,
    }
}
