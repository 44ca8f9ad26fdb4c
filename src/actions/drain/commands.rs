//! What the operator says while a drain runs.

use super::engine::Drain;
use super::node::Phase;
use super::orders::{Cmd, Outcome, Scope};
use super::pod::Refusal;

impl Scope {
    fn holds(&self, node: &str) -> bool {
        matches!(self, Scope::All) || matches!(self, Scope::Node(name) if name == node)
    }
}

impl Cmd {
    /// In words, for the journal.
    pub fn words(&self) -> String {
        let of = |scope: &Scope| match scope {
            Scope::All => "all".to_owned(),
            Scope::Node(name) => name.clone(),
        };
        match self {
            Cmd::Pause(scope) => format!("the operator pauses {}", of(scope)),
            Cmd::Resume(scope) => format!("the operator goes on with {}", of(scope)),
            Cmd::Skip { uid } => format!("the operator leaves pod {uid} where it is"),
            Cmd::Abort { scope, uncordon: true } => {
                format!("the operator ends {} and uncordons", of(scope))
            }
            Cmd::Abort { scope, .. } => format!("the operator ends {}", of(scope)),
            Cmd::Decide { uid, choice } => {
                format!("the operator decides pod {uid}: {}", choice.words())
            }
            Cmd::DecideClass { class, choice } => {
                format!("the operator decides ({}): {}", class.words(), choice.words())
            }
            Cmd::Retry(scope) => format!("the operator tries {} again", of(scope)),
        }
    }
}

impl Drain {
    pub(super) fn obey(&mut self, cmd: Cmd) {
        match cmd {
            Cmd::Pause(scope) => self.set_pause(&scope, Some("paused by the operator".to_owned())),
            Cmd::Resume(scope) => self.set_pause(&scope, None),
            Cmd::Skip { uid } => self.skip(&uid),
            Cmd::Abort { scope, uncordon } => self.abort(&scope, uncordon),
            Cmd::Decide { uid, choice } => {
                self.mandate.overrides.pods.insert(uid.clone(), choice);
                self.decide_again(&uid);
            }
            Cmd::DecideClass { class, choice } => {
                self.mandate.overrides.classes.insert(class, choice);
                for uid in self.pods.keys().cloned().collect::<Vec<_>>() {
                    self.decide_again(&uid);
                }
            }
            Cmd::Retry(scope) => self.retry(&scope),
        }
    }

    fn decide_again(&mut self, uid: &str) {
        self.classify(uid);
        self.unsettle(uid);
    }

    fn set_pause(&mut self, scope: &Scope, why: Option<String>) {
        if *scope == Scope::All {
            self.paused.clone_from(&why);
        }
        let one = matches!(scope, Scope::Node(_));
        let now = self.now;
        for node in self.nodes.iter_mut().filter(|n| scope.holds(&n.mandate.name)) {
            // A pause of all leaves the nodes' own pauses; the end of it ends them.
            if one || why.is_none() {
                node.paused.clone_from(&why);
            }
            // Its cordon may have been taken off meanwhile: back to where that is made good.
            let lost = why.is_none() && !node.cordoned();
            if lost && matches!(node.phase, Phase::Draining | Phase::Settling) {
                node.phase = Phase::Cordoning;
                node.retry_at = now;
            }
        }
    }

    fn skip(&mut self, uid: &str) {
        match self.pods.get_mut(uid) {
            Some(pod) => pod.skipped = true,
            // Told again when resuming, before the pod was seen.
            None => {
                let leave = super::classify::Choice::Leave;
                self.mandate.overrides.pods.insert(uid.to_owned(), leave);
            }
        }
    }

    /// Nothing more is sent for these nodes, but the uncordon if it is wished for.
    fn abort(&mut self, scope: &Scope, uncordon: bool) {
        let here = |n: &super::node::Node| scope.holds(&n.mandate.name) && !n.over();
        let names: Vec<String> =
            self.nodes.iter().filter(|n| here(n)).map(|n| n.mandate.name.clone()).collect();
        for node in self.nodes.iter_mut().filter(|n| names.contains(&n.mandate.name)) {
            node.phase = Phase::Aborted;
        }
        for name in names.iter().filter(|_| uncordon) {
            self.uncordon(name);
        }
    }

    /// Pauses after refusals end now. Budgets are not asked sooner: they are tried when they move.
    fn retry(&mut self, scope: &Scope) {
        let now = self.now;
        for pod in self.pods.values_mut().filter(|p| scope.holds(&p.facts.node)) {
            if !matches!(pod.refusal, Some(Refusal::Budget(_))) {
                pod.retry_at = now;
                pod.tries = 0;
            }
        }
        for node in self.nodes.iter_mut().filter(|n| scope.holds(&n.mandate.name)) {
            node.retry_at = now;
            node.tries = 0;
        }
    }
}

impl Outcome {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Outcome::Accepted => "accepted".to_owned(),
            Outcome::Gone => "it is gone".to_owned(),
            Outcome::Replaced => "another object has its name now".to_owned(),
            Outcome::BudgetClosed { cause, message } if cause.is_empty() => message.clone(),
            Outcome::BudgetClosed { cause, .. } => cause.clone(),
            Outcome::BudgetStale { .. } => {
                "its disruption budget is still being processed".to_owned()
            }
            Outcome::FlowControl { .. } => "the server asks for fewer requests".to_owned(),
            Outcome::TwoBudgets(message) => message.clone(),
            Outcome::Webhook { message, .. } => {
                format!("refused by an admission webhook: {message}")
            }
            Outcome::Forbidden { message } => format!("forbidden: {message}"),
            Outcome::NamespaceTerminating => "its namespace is being deleted".to_owned(),
            Outcome::Failed { status, message } => format!("{status}: {message}"),
            Outcome::Unknown { message } => format!("no answer: {message}"),
        }
    }
}
