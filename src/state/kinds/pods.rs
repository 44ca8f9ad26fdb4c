//! Pods: what `kubectl get pods -o wide` prints, and what they ask of their node.

use super::{pods_columns, usage};
use crate::state::cell::Role;
use crate::state::decl::{Gvk, Hit, Kind, TableSpec, Word};
use crate::state::intern::Sym;
use crate::state::parcel::{Draft, Item, Text};
use crate::state::quantity;
use crate::state::row::Row;
use crate::state::rules::pod_requests;
use crate::state::rules::pod_status::{self, Container, Facts};
use crate::state::tally::{self, MAX_SUMS, Tally};
use crate::state::time::Epoch;
use crate::{paths, words};

words! { WORDS:
    /// Labels.
    LABELS = Set;
    /// STATUS as the server's table prints it.
    STATUS = Sym;
    /// `status.phase`: see [`phase`].
    PHASE = Num;
    /// Ready containers.
    READY = Num;
    /// Containers, sidecars included.
    CONTAINERS = Num;
    /// Restarts.
    RESTARTS = Num;
    /// End of the last finished run.
    RESTARTED = Time;
    /// `spec.nodeName`.
    NODE = Sym;
    /// Controller as `Kind/name`.
    OWNER = Sym;
    /// `status.nominatedNodeName`.
    NOMINATED = Sym;
    /// Readiness gates: true ones in the upper 16 bits, all in the lower.
    GATES = Num;
    /// First pod IP.
    IP = Ip;
    /// `status.qosClass`.
    QOS = Sym;
    /// CPU requested, in thousandths of a core.
    CPU = Num;
    /// Memory requested, in bytes.
    MEMORY = Wide;
    /// `metadata.deletionTimestamp`: when the grace period ends.
    DELETED = Time;
    /// 1 if the Ready condition is True.
    IS_READY = Num;
    /// CPU that its containers may use together, in thousandths of a core; 0 if one of them has no limit.
    CPU_LIMIT = Num;
    /// The same of memory, in KiB.
    MEMORY_LIMIT = Num;
    /// Thousandths of a core in use; measured, see [`usage`].
    CPU_USED = Num;
    /// KiB in use; measured.
    MEMORY_USED = Num;
    /// End of the window both were measured in.
    MEASURED = Time;
}

paths! { PATHS:
    P_DELETED = Time [1, 9] "metadata.deletionTimestamp";
    OWNER_REF = Item [1, 13] "metadata.ownerReferences";
    OWNER_KIND = Text [1, 13, 1] "metadata.ownerReferences.kind";
    OWNER_NAME = Text [1, 13, 3] "metadata.ownerReferences.name";
    OWNER_IS_CONTROLLER = Bool [1, 13, 6] "metadata.ownerReferences.controller";
    P_NODE = Text [2, 10] "spec.nodeName";
    GATE = Item [2, 28] "spec.readinessGates";
    GATE_TYPE = Text [2, 28, 1] "spec.readinessGates.conditionType";
    SPEC = Item [2, 2] "spec.containers";
    SPEC_NAME = Text [2, 2, 1] "spec.containers.name";
    SPEC_REQUESTS = Quantities [2, 2, 8, 2] "spec.containers.resources.requests";
    SPEC_LIMITS = Quantities [2, 2, 8, 1] "spec.containers.resources.limits";
    INIT = Item [2, 20] "spec.initContainers";
    INIT_NAME = Text [2, 20, 1] "spec.initContainers.name";
    INIT_REQUESTS = Quantities [2, 20, 8, 2] "spec.initContainers.resources.requests";
    INIT_LIMITS = Quantities [2, 20, 8, 1] "spec.initContainers.resources.limits";
    INIT_RESTART = Text [2, 20, 24] "spec.initContainers.restartPolicy";
    OVERHEAD = Quantities [2, 32] "spec.overhead";
    POD_REQUESTS = Quantities [2, 40, 2] "spec.resources.requests";
    POD_LIMITS = Quantities [2, 40, 1] "spec.resources.limits";
    P_PHASE = Text [3, 1] "status.phase";
    P_REASON = Text [3, 4] "status.reason";
    P_NOMINATED = Text [3, 11] "status.nominatedNodeName";
    P_IP = Text [3, 12, 1] "status.podIPs.ip";
    P_QOS = Text [3, 9] "status.qosClass";
    CONDITION = Item [3, 2] "status.conditions";
    CONDITION_TYPE = Text [3, 2, 1] "status.conditions.type";
    CONDITION_STATUS = Text [3, 2, 2] "status.conditions.status";
    CONDITION_REASON = Text [3, 2, 5] "status.conditions.reason";
    RUN = Item [3, 8] "status.containerStatuses";
    RUN_NAME = Text [3, 8, 1] "status.containerStatuses.name";
    RUN_WAITING = Item [3, 8, 2, 1] "status.containerStatuses.state.waiting";
    RUN_WAITING_REASON = Text [3, 8, 2, 1, 1] "status.containerStatuses.state.waiting.reason";
    RUN_RUNNING = Item [3, 8, 2, 2] "status.containerStatuses.state.running";
    RUN_ENDED = Item [3, 8, 2, 3] "status.containerStatuses.state.terminated";
    RUN_EXIT = Int [3, 8, 2, 3, 1] "status.containerStatuses.state.terminated.exitCode";
    RUN_SIGNAL = Int [3, 8, 2, 3, 2] "status.containerStatuses.state.terminated.signal";
    RUN_END_REASON = Text [3, 8, 2, 3, 3] "status.containerStatuses.state.terminated.reason";
    RUN_LAST_END = Time [3, 8, 3, 3, 6] "status.containerStatuses.lastState.terminated.finishedAt";
    RUN_READY = Bool [3, 8, 4] "status.containerStatuses.ready";
    RUN_RESTARTS = Int [3, 8, 5] "status.containerStatuses.restartCount";
    RUN_STARTED = Bool [3, 8, 9] "status.containerStatuses.started";
    // The same fields of init containers, in the same order: `fold` counts on it.
    PRE = Item [3, 10] "status.initContainerStatuses";
    PRE_NAME = Text [3, 10, 1] "status.initContainerStatuses.name";
    PRE_WAITING = Item [3, 10, 2, 1] "status.initContainerStatuses.state.waiting";
    PRE_WAITING_REASON = Text [3, 10, 2, 1, 1] "status.initContainerStatuses.state.waiting.reason";
    PRE_RUNNING = Item [3, 10, 2, 2] "status.initContainerStatuses.state.running";
    PRE_ENDED = Item [3, 10, 2, 3] "status.initContainerStatuses.state.terminated";
    PRE_EXIT = Int [3, 10, 2, 3, 1] "status.initContainerStatuses.state.terminated.exitCode";
    PRE_SIGNAL = Int [3, 10, 2, 3, 2] "status.initContainerStatuses.state.terminated.signal";
    PRE_END_REASON = Text [3, 10, 2, 3, 3] "status.initContainerStatuses.state.terminated.reason";
    PRE_LAST_END = Time [3, 10, 3, 3, 6] "status.initContainerStatuses.lastState.terminated.finishedAt";
    PRE_READY = Bool [3, 10, 4] "status.initContainerStatuses.ready";
    PRE_RESTARTS = Int [3, 10, 5] "status.initContainerStatuses.restartCount";
    PRE_STARTED = Bool [3, 10, 9] "status.initContainerStatuses.started";
}

/// Slots of an [`Item`]'s numbers. A finding outside any element (overhead, pod-level requests) has items of its own.
mod num {
    pub const READY: usize = 0;
    pub const RESTARTS: usize = 1;
    pub const STARTED: usize = 2;
    pub const ENDED: usize = 3;
    pub const EXIT: usize = 4;
    pub const SIGNAL: usize = 5;
    pub const WAITING: usize = 6;
    pub const RUNNING: usize = 7;
    pub const LAST_END: usize = 8;
    pub const CPU: usize = 0;
    pub const MEMORY: usize = 1;
    pub const SIDECAR: usize = 2;
    pub const CPU_LIMIT: usize = 3;
    pub const MEMORY_LIMIT: usize = 4;
    pub const CONTROLLER: usize = 0;
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    let field = if path >= PRE { path - PRE + RUN } else { path };
    match (field, hit) {
        (RUN, Hit::Open) => d.open(path),
        (OWNER_REF | GATE | SPEC | INIT | CONDITION, Hit::Open) => d.open(path),
        (OVERHEAD | POD_REQUESTS, Hit::Pair(resource, amount)) => {
            d.open(path);
            request(d.item(), resource, amount);
        }
        (SPEC_REQUESTS | INIT_REQUESTS, Hit::Pair(resource, amount)) => {
            request(d.item(), resource, amount)
        }
        (POD_LIMITS, Hit::Pair(resource, amount)) => {
            d.open(path);
            limit(d.item(), resource, amount);
        }
        (SPEC_LIMITS | INIT_LIMITS, Hit::Pair(resource, amount)) => {
            limit(d.item(), resource, amount)
        }
        (INIT_RESTART, Hit::Text("Always")) => d.item().num[num::SIDECAR] = 1,
        (OWNER_IS_CONTROLLER, Hit::Int(yes)) => d.item().num[num::CONTROLLER] = yes,
        (P_DELETED, Hit::Time(at)) => d.set(DELETED, at.0),
        (P_NODE, Hit::Text(t)) => d.put(NODE, t),
        (P_NOMINATED, Hit::Text(t)) => d.put(NOMINATED, t),
        (P_QOS, Hit::Text(t)) => d.put(QOS, t),
        (P_IP, Hit::Text(t)) if d.word(IP).is_empty() => d.put(IP, t),
        (P_PHASE | P_REASON, Hit::Text(t)) => {
            d.open(path);
            d.note(0, t);
        }
        (
            OWNER_KIND | GATE_TYPE | SPEC_NAME | INIT_NAME | CONDITION_TYPE | RUN_NAME,
            Hit::Text(t),
        ) => {
            d.note(0, t);
        }
        (OWNER_NAME | CONDITION_STATUS | RUN_WAITING_REASON, Hit::Text(t)) => d.note(1, t),
        (CONDITION_REASON | RUN_END_REASON, Hit::Text(t)) => d.note(2, t),
        (RUN_WAITING, Hit::Open) => d.item().num[num::WAITING] = 1,
        (RUN_RUNNING, Hit::Open) => d.item().num[num::RUNNING] = 1,
        (RUN_ENDED, Hit::Open) => d.item().num[num::ENDED] = 1,
        (RUN_EXIT, Hit::Int(n)) => d.item().num[num::EXIT] = n,
        (RUN_SIGNAL, Hit::Int(n)) => d.item().num[num::SIGNAL] = n,
        (RUN_LAST_END, Hit::Time(at)) => d.item().num[num::LAST_END] = at.0,
        (RUN_READY, Hit::Int(n)) => d.item().num[num::READY] = n,
        (RUN_RESTARTS, Hit::Int(n)) => d.item().num[num::RESTARTS] = n,
        (RUN_STARTED, Hit::Int(n)) => d.item().num[num::STARTED] = n,
        _ => {}
    }
}

fn request(item: &mut Item, resource: &str, amount: &str) {
    match resource {
        "cpu" => item.num[num::CPU] = quantity::milli(amount).unwrap_or(0),
        "memory" => item.num[num::MEMORY] = quantity::whole(amount).unwrap_or(0),
        _ => {}
    }
}

fn limit(item: &mut Item, resource: &str, amount: &str) {
    match resource {
        "cpu" => item.num[num::CPU_LIMIT] = quantity::milli(amount).unwrap_or(0),
        "memory" => item.num[num::MEMORY_LIMIT] = quantity::whole(amount).unwrap_or(0),
        _ => {}
    }
}

fn finish(d: &mut Draft) {
    let items = std::mem::take(&mut d.items);
    let (status, owner, numbers) = decide(d, &items);
    d.put(STATUS, &status);
    d.put(OWNER, &owner);
    for (word, value) in numbers {
        d.set(word, value);
    }
    d.items = items;
}

fn decide(d: &Draft, items: &[Item]) -> (String, String, [(Word, i64); 11]) {
    let of = |tag: usize| items.iter().filter(move |i| i.tag == tag);
    let text = |tag: usize| of(tag).next().map_or("", |i| d.text(i.txt[0]));
    let condition = |kind: &str| of(CONDITION).find(|c| d.text(c.txt[0]) == kind);
    let holds = |kind: &str| condition(kind).is_some_and(|c| d.text(c.txt[1]) == "True");
    let sidecar =
        |name: Text| of(INIT).any(|i| i.num[num::SIDECAR] == 1 && d.text(i.txt[0]) == d.text(name));
    let gated =
        |c: &Item| d.text(c.txt[0]) == "PodScheduled" && d.text(c.txt[2]) == "SchedulingGated";
    let facts = Facts {
        phase: text(P_PHASE),
        reason: text(P_REASON),
        gated: of(CONDITION).any(gated),
        initialized: holds("Initialized"),
        ready: holds("Ready"),
        deleting: d.get(DELETED) != 0,
        init_total: of(INIT).count(),
        init: of(PRE).map(|i| container(d, i, sidecar(i.txt[0]))).collect(),
        containers: of(RUN).map(|i| container(d, i, false)).collect(),
    };
    let verdict = pod_status::verdict(&facts);
    let sidecars = of(INIT).filter(|i| i.num[num::SIDECAR] == 1).count();
    let gates_true = of(GATE).filter(|g| holds(d.text(g.txt[0]))).count();
    let owner = of(OWNER_REF)
        .find(|o| o.num[num::CONTROLLER] == 1)
        .map(|o| format!("{}/{}", d.text(o.txt[0]), d.text(o.txt[1])));
    let numbers = [
        (PHASE, phase_code(facts.phase)),
        (READY, verdict.ready),
        (CONTAINERS, (of(SPEC).count() + sidecars) as i64),
        (RESTARTS, verdict.restarts),
        (RESTARTED, verdict.restarted.0),
        (GATES, (gates_true << 16 | of(GATE).count()) as i64),
        (CPU, requested(items, num::CPU)),
        (MEMORY, requested(items, num::MEMORY)),
        (IS_READY, i64::from(facts.ready)),
        (CPU_LIMIT, limited(items, num::CPU_LIMIT)),
        (MEMORY_LIMIT, limited(items, num::MEMORY_LIMIT) / usage::KIB),
    ];
    (verdict.status.into_owned(), owner.unwrap_or_default(), numbers)
}

fn container<'d>(d: &'d Draft, i: &Item, sidecar: bool) -> Container<'d> {
    Container {
        sidecar,
        ready: i.num[num::READY] == 1,
        started: i.num[num::STARTED] == 1,
        restarts: i.num[num::RESTARTS],
        last_finished: Epoch(i.num[num::LAST_END]),
        running: i.num[num::RUNNING] == 1,
        waiting: (i.num[num::WAITING] == 1).then(|| d.text(i.txt[1])),
        terminated: (i.num[num::ENDED] == 1)
            .then(|| (i.num[num::EXIT], i.num[num::SIGNAL], d.text(i.txt[2]))),
    }
}

/// What the scheduler counts for a pod, of one resource.
fn requested(items: &[Item], what: usize) -> i64 {
    let of = |tag: usize| items.iter().filter(move |i| i.tag == tag);
    pod_requests::requested(
        of(INIT).map(|i| (i.num[num::SIDECAR] == 1, i.num[what])),
        of(SPEC).fold(0i64, |sum, c| sum.saturating_add(c.num[what])),
        of(POD_REQUESTS).map(|i| i.num[what]).max(),
        of(OVERHEAD).fold(0i64, |sum, i| sum.saturating_add(i.num[what])),
    )
}

/// What the containers that run together may use of one resource, 0 if nothing keeps one of them from more. A limit of the
/// pod itself (KEP-2837) holds for all of them.
fn limited(items: &[Item], what: usize) -> i64 {
    let of = |tag: usize| items.iter().filter(move |i| i.tag == tag);
    if let Some(own) = of(POD_LIMITS).map(|i| i.num[what]).max().filter(|n| *n > 0) {
        return own;
    }
    let running = of(SPEC).chain(of(INIT).filter(|i| i.num[num::SIDECAR] == 1));
    let sum = running.map(|i| i.num[what]).try_fold(0i64, |sum, n| match n {
        0 => None,
        n => Some(sum.saturating_add(n)),
    });
    sum.unwrap_or(0)
}

/// Codes of [`PHASE`].
pub mod phase {
    /// No phase yet, or one this version does not know.
    pub const UNKNOWN: i64 = 0;
    /// Accepted, not all containers run.
    pub const PENDING: i64 = 1;
    /// Bound and started.
    pub const RUNNING: i64 = 2;
    /// All containers ended well.
    pub const SUCCEEDED: i64 = 3;
    /// All containers ended, one badly.
    pub const FAILED: i64 = 4;
    /// The API's words, by code.
    pub const NAMES: [&str; 5] = ["Unknown", "Pending", "Running", "Succeeded", "Failed"];
}

fn phase_code(text: &str) -> i64 {
    phase::NAMES.iter().position(|n| *n == text).unwrap_or(0) as i64
}

/// Whether a pod has finished: it no longer counts against its node.
pub fn finished(row: Row<'_>) -> bool {
    matches!(row.num(PHASE), phase::SUCCEEDED | phase::FAILED)
}

/// Sums of [`ON_NODE`] and of the other pod tallies.
pub mod sum {
    /// Bound pods that have not finished, terminating ones included.
    pub const PODS: usize = 0;
    /// Of these, pods whose Ready condition is not True.
    pub const NOT_READY: usize = 1;
    /// Thousandths of a core requested.
    pub const CPU: usize = 2;
    /// Bytes requested.
    pub const MEMORY: usize = 3;
    /// Of [`super::ON_NODE`], which has no sums by phase: thousandths of a core that its pods are limited to, as far as all
    /// containers of a pod are.
    pub const CPU_LIMIT: usize = 4;
    /// The same of memory, in bytes.
    pub const MEMORY_LIMIT: usize = 5;
    /// Pods by phase: UNKNOWN, PENDING, RUNNING, SUCCEEDED, FAILED from here.
    pub const PHASE: usize = 4;
    /// Pods whose status is one of harm (`CrashLoopBackOff`, `Error`, ...).
    pub const FAILING: usize = 9;
    /// Pods being deleted.
    pub const TERMINATING: usize = 10;
}

/// Pods per node.
pub const ON_NODE: &str = "pods_on_node";
/// Pods of the cluster, under the empty key.
pub const IN_ALL: &str = "pods_in_all";
/// Pods per namespace.
pub const IN_NAMESPACE: &str = "pods_in_namespace";

static TALLIES: &[Tally] = &[
    Tally {
        id: ON_NODE,
        to: "nodes",
        key: |r| Some(r.sym(NODE)).filter(|node| !node.is_none() && !finished(r)),
        add: add_load,
    },
    Tally { id: IN_ALL, to: "", key: |_| Some(Sym::NONE), add: add_counts },
    Tally { id: IN_NAMESPACE, to: "namespaces", key: |r| Some(r.namespace_sym()), add: add_counts },
];

fn add_load(sums: &mut [i64; MAX_SUMS], r: Row<'_>, sign: i64) {
    sums[sum::PODS] += sign;
    sums[sum::NOT_READY] += sign * i64::from(r.num(IS_READY) == 0);
    tally::add(&mut sums[sum::CPU], sign, r.num(CPU));
    tally::add(&mut sums[sum::MEMORY], sign, r.num(MEMORY));
    tally::add(&mut sums[sum::CPU_LIMIT], sign, r.num(CPU_LIMIT));
    tally::add(&mut sums[sum::MEMORY_LIMIT], sign, r.num(MEMORY_LIMIT) * usage::KIB);
}

fn add_counts(sums: &mut [i64; MAX_SUMS], r: Row<'_>, sign: i64) {
    sums[sum::PODS] += sign;
    sums[sum::PHASE + r.num(PHASE) as usize % 5] += sign;
    sums[sum::FAILING] += sign * i64::from(pod_status::role(r.text(STATUS)) == Role::Bad);
    sums[sum::TERMINATING] += sign * i64::from(r.time(DELETED).is_set());
}

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "pods",
    kinds: &[Kind {
        gvk: Gvk { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true },
        paths: PATHS,
        fold,
        finish,
    }],
    words: WORDS,
    labels: LABELS,
    columns: pods_columns::COLUMNS,
    tallies: TALLIES,
};
