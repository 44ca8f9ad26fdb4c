//! What goes into the drain engine and what comes out of it.

use super::budget::{BudgetFacts, BudgetId};
use super::classify::{Choice, Class, Known, Overrides, Switches};
use super::facts::{NodeFacts, PodFacts, Tick};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much a drain may do at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// Nodes that are started and not done.
    pub parallel_nodes: usize,
    /// Of these, nodes of one zone; nodes without a zone share one.
    pub per_zone: usize,
    /// Requests without an answer.
    pub in_flight: usize,
}

impl Default for Caps {
    fn default() -> Caps {
        Caps { parallel_nodes: 1, per_zone: 1, in_flight: 16 }
    }
}

/// A node that may be drained.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MandateNode {
    /// Name.
    pub name: String,
    /// The uid that was seen: another node of the same name is not touched.
    pub uid: String,
    /// Zone, empty if it has none.
    pub zone: String,
    /// It starts when every node of a lower wave is done.
    pub wave: usize,
}

/// What the operator confirmed: nothing beyond it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// The nodes.
    pub nodes: Vec<MandateNode>,
    /// kubectl's flags.
    pub switches: Switches,
    /// Decisions per class and pod.
    pub overrides: Overrides,
    /// What is known beyond a pod, by its uid.
    pub known: BTreeMap<String, Known>,
    /// How much at once.
    pub caps: Caps,
    /// Nodes of later waves get a soft taint (`later.rs`).
    #[serde(default)]
    pub prefer: bool,
    /// Budgets can be listed and watched. If not, a refused eviction is tried again by a timer alone.
    pub budgets_readable: bool,
}

/// A drain as it is confirmed: what may be done, why, and which interrupted run it goes on with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrainRun {
    /// What may be done.
    pub mandate: Mandate,
    /// Why, as `cordon` takes it: words, `ticket=`, `owner=`.
    pub reason: String,
    /// The interrupted run to go on with; `None` begins a new one.
    pub resume: Option<String>,
}

/// What became of a request, as the caller read it from the answer (semantics A4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// 2xx.
    Accepted,
    /// 404.
    Gone,
    /// 409: the uid is another one.
    Replaced,
    /// 429 with the cause `DisruptionBudget`, without Retry-After.
    BudgetClosed {
        /// The status's message.
        message: String,
        /// The cause's message: it names the budget.
        cause: String,
    },
    /// 429: the budget is still being processed.
    BudgetStale {
        /// Retry-After in milliseconds.
        retry_after: u64,
    },
    /// 429 of API priority and fairness.
    FlowControl {
        /// Retry-After in milliseconds.
        retry_after: u64,
    },
    /// 500: more than one budget selects the pod.
    TwoBudgets(String),
    /// An admission webhook refused.
    Webhook {
        /// Its message.
        message: String,
        /// Retry-After in milliseconds; 0 where it gave none.
        #[serde(default)]
        retry_after: u64,
    },
    /// 403: no right to it.
    Forbidden {
        /// The status's message.
        message: String,
    },
    /// 403 with the cause `NamespaceTerminating`.
    NamespaceTerminating,
    /// Anything else that the server answered: nothing was changed.
    Failed {
        /// HTTP status.
        status: u16,
        /// The status's message.
        message: String,
    },
    /// No answer: it may or may not have been done.
    Unknown {
        /// Why.
        message: String,
    },
}

/// What a command is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Every node.
    All,
    /// One.
    Node(String),
}

/// What the operator says while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cmd {
    /// Nothing is sent until resumed. What was accepted goes on.
    Pause(Scope),
    /// Go on.
    Resume(Scope),
    /// Leave this pod where it is.
    Skip {
        /// Its uid.
        uid: String,
    },
    /// Stop for good. Accepted evictions cannot be taken back.
    Abort {
        /// What.
        scope: Scope,
        /// Uncordon the nodes that this drain cordoned.
        uncordon: bool,
    },
    /// Decide a pod, or change its decision.
    Decide {
        /// Its uid.
        uid: String,
        /// How.
        choice: Choice,
    },
    /// Decide a class, for pods that appear later too.
    DecideClass {
        /// Which.
        class: Class,
        /// How.
        choice: Choice,
    },
    /// Try refused requests again now.
    Retry(Scope),
}

/// What the engine is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A pod as it is now: from a watch, or from a list, then before that list's [`Input::PodsListed`].
    Pod(PodFacts),
    /// A pod is gone: seen deleted, not merely missing.
    PodGone {
        /// Its uid.
        uid: String,
    },
    /// A consistent list (no `resourceVersion=0`) of a node's pods, begun after it was ordered.
    PodsListed {
        /// The node.
        node: String,
        /// All of its pods.
        uids: Vec<String>,
    },
    /// The list that was ordered failed.
    ListFailed {
        /// The node.
        node: String,
        /// Why.
        message: String,
    },
    /// A node as it is now, chosen or not.
    Node(NodeFacts),
    /// A node is gone.
    NodeGone {
        /// Its name.
        name: String,
    },
    /// A budget as it is now.
    Budget(BudgetFacts),
    /// A budget is gone.
    BudgetGone {
        /// Which.
        id: BudgetId,
    },
    /// A pod is not among those that are followed any more: deleted, or it has other labels.
    PodLeft {
        /// Its uid.
        uid: String,
    },
    /// A pod that no node takes as it is now, and why, in the scheduler's words.
    Waiting(PodFacts, String),
    /// It does not wait for a node any more.
    Taken {
        /// Its uid.
        uid: String,
    },
    /// All pods of a budget were told by [`Input::Pod`]: who is missing can be said.
    BudgetPodsListed {
        /// Which.
        id: BudgetId,
    },
    /// Volumes that are still attached.
    Attachments {
        /// The node.
        node: String,
        /// Names of persistent volumes, without those of the excepted claims; none if they cannot be read.
        attached: Option<Vec<String>>,
    },
    /// What became of a request.
    Done {
        /// Its number.
        step: u64,
        /// What.
        outcome: Outcome,
    },
    /// The operator.
    Operator(Cmd),
    /// The time of a [`Order::Wake`].
    Timer,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// `spec.unschedulable: true`, guarded by the uid.
    Cordon {
        /// Name.
        node: String,
        /// uid.
        uid: String,
    },
    /// The cordon of this drain put back.
    Uncordon {
        /// Name.
        node: String,
        /// uid.
        uid: String,
    },
    /// The taint `PreferNoSchedule` of `later.rs`: what is moved now should not be moved twice.
    Prefer {
        /// Name.
        node: String,
        /// uid.
        uid: String,
    },
    /// That taint taken off.
    Unprefer {
        /// Name.
        node: String,
        /// uid.
        uid: String,
    },
    /// POST of an eviction.
    Evict(PodRequest),
    /// DELETE, past every budget. Only where the decision says so.
    Delete(PodRequest),
}

/// A pod by its uid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodRequest {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Precondition.
    pub uid: String,
    /// `gracePeriodSeconds`; none for the pod's own.
    pub grace: Option<i64>,
}

impl Request {
    /// In words: `evict shop/web-0`.
    pub fn words(&self) -> String {
        match self {
            Request::Cordon { node, .. } => format!("cordon {node}"),
            Request::Uncordon { node, .. } => format!("uncordon {node}"),
            Request::Prefer { node, .. } => format!("keep moved pods off {node}"),
            Request::Unprefer { node, .. } => format!("let pods on {node} as before"),
            Request::Evict(pod) => format!("evict {}/{}", pod.namespace, pod.name),
            Request::Delete(pod) => format!("delete {}/{}", pod.namespace, pod.name),
        }
    }
}

/// What goes into the journal. Serializable: a resumed drain reads it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A request is about to be sent.
    Intent {
        /// Its number.
        step: u64,
        /// What.
        request: Request,
    },
    /// What became of it.
    Outcome {
        /// Its number.
        step: u64,
        /// What.
        outcome: Outcome,
    },
    /// The operator said.
    Told(Cmd),
    /// Something that explains the rest, in words.
    Note(String),
}

/// How a drain ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// Every node is drained.
    Drained,
    /// Some are not: node and why.
    Incomplete(Vec<(String, String)>),
}

/// What the engine wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Into the journal, on disk before any later order is performed.
    Record(Entry),
    /// Send it once; never retry. Answered by [`Input::Done`].
    Send {
        /// Its number.
        step: u64,
        /// What.
        request: Request,
    },
    /// List the node's pods. Answered by [`Input::PodsListed`] or [`Input::ListFailed`].
    ListPods {
        /// The node.
        node: String,
    },
    /// Look for attached volumes. Answered by [`Input::Attachments`].
    CheckAttachments {
        /// The node.
        node: String,
        /// Namespace and name of claims of pods that stay: theirs do not count.
        except: Vec<(String, String)>,
    },
    /// List and watch the pods of this budget, to say who holds it.
    FollowBudgetPods(BudgetId),
    /// Send [`Input::Timer`] then. Replaces the time said before.
    Wake(Tick),
    /// Every node is done and no answer is open.
    Finished(How),
}
