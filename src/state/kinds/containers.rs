//! Containers: what each uses by `metrics.k8s.io`, beside what it requests and what limits it.
//!
//! A row is not an object: it is one container of a pod's sample, named by the pod's namespace and name.

use super::{common, usage};
use crate::state::cell::{Role, Sort, Value};
use crate::state::decl::{Column, Gvk, Hit, Kind, TableSpec, Word};
use crate::state::parcel::{Draft, Item};
use crate::state::quantity;
use crate::state::row::Row;
use crate::{column, paths, words};

words! { WORDS:
    /// Labels, as the metrics API copies them from the pod.
    LABELS = Set;
    /// The container's name.
    CONTAINER = Sym;
    /// Thousandths of a core in use.
    CPU = Num;
    /// Bytes in use.
    MEMORY = Wide;
    /// End of the window both were measured in.
    AT = Time;
    /// Thousandths of a core requested.
    CPU_REQUEST = Num;
    /// Bytes requested.
    MEMORY_REQUEST = Wide;
    /// Thousandths of a core it may use, 0 if nothing limits it.
    CPU_LIMIT = Num;
    /// Bytes it may use, 0 if nothing limits it.
    MEMORY_LIMIT = Wide;
    /// 1 if its pod's specification was read.
    KNOWN = Num;
    /// Seconds of the window it was measured over.
    WINDOW = Num;
}

/// The words that are measured; the others are asked for.
pub static MEASURED: [Word; 3] = [CPU, MEMORY, AT];

paths! { PATHS:
    TIMESTAMP = Time [2] "timestamp";
    // A message in protobuf, which is not asked for.
    MEASURED_OVER = Text [3] "window";
    SAMPLE = Item [4] "containers";
    SAMPLE_NAME = Text [4, 1] "containers.name";
    SAMPLE_USAGE = Quantities [4, 2] "containers.usage";
}

fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
    match (path, hit) {
        (TIMESTAMP, Hit::Time(at)) => d.set(AT, at.0),
        (MEASURED_OVER, Hit::Text(t)) => d.set(WINDOW, usage::window(t).unwrap_or(0)),
        (SAMPLE, Hit::Open) => d.open(path),
        (SAMPLE_NAME, Hit::Text(name)) => d.note(0, name),
        (SAMPLE_USAGE, Hit::Pair("cpu", n)) => d.item().num[0] = quantity::milli(n).unwrap_or(0),
        (SAMPLE_USAGE, Hit::Pair("memory", n)) => d.item().num[1] = quantity::whole(n).unwrap_or(0),
        _ => {}
    }
}

fn finish(_: &mut Draft) {}

/// Begins the words of a feed that can tell neither what containers use nor what they ask for.
pub const UNREAD: &str = "pods could not be read";

/// What a container asks for and what limits it: CPU and memory requested, CPU and memory limit.
pub type Asked = [i64; 4];

/// Makes the draft of a pod's sample that of its container `i`; `false` if it has no such. `asked` tells what that container
/// asks for, by namespace, pod and container, where it is known.
pub fn turn(
    d: &mut Draft,
    i: usize,
    mut asked: impl FnMut(&str, &str, &str) -> Option<Asked>,
) -> bool {
    let Some(item) = d.items.get(i).cloned() else { return false };
    let (namespace, pod) = (d.text(d.head.namespace).to_owned(), d.text(d.head.name).to_owned());
    let container = d.text(item.txt[0]).to_owned();
    let known = asked(&namespace, &pod, &container);
    fill(d, [&namespace, &pod, &container], [item.num[0], item.num[1]], known);
    true
}

/// The words of one container: whose it is, CPU and memory it uses, and what it asks for.
fn fill(d: &mut Draft, place: [&str; 3], used: [i64; 2], known: Option<Asked>) {
    let uid = d.keep(&place.join("/"));
    d.head.uid = uid;
    d.put(CONTAINER, place[2]);
    d.set(CPU, used[0]);
    d.set(MEMORY, used[1]);
    let words = [CPU_REQUEST, MEMORY_REQUEST, CPU_LIMIT, MEMORY_LIMIT];
    words.into_iter().zip(known.unwrap_or_default()).for_each(|(word, n)| d.set(word, n));
    d.set(KNOWN, i64::from(known.is_some()));
}

fn amount(r: Row<'_>, n: i64, of: fn(i64) -> Value<'static>) -> Value<'static> {
    match n {
        _ if r.num(KNOWN) == 0 => Value::Unknown("the pod was not read"),
        0 => Value::Absent,
        n => of(n),
    }
}

/// Percent of a limit from which a container is worth a look: CPU is throttled at it, memory kills.
const FULL: i64 = 90;

static COLUMNS: &[Column] = &[
    common::NAMESPACE,
    common::NAME,
    column!("container" "CONTAINER" Left 40 CONTAINER.bit(),
        |r, _| Value::text(r.text(CONTAINER)).into(), |r| Sort::Text(r.text(CONTAINER), "")),
    column!("cpu_used" "CPU" Right 8 CPU.bit() | AT.bit(),
        |r, now| usage::cell(r, AT, now, Value::Milli(r.num(CPU)), Role::Plain),
        |r| usage::order(r.time(AT), Some(r.num(CPU)))),
    column!("cpu_requests" "CPU REQ" Right 8 CPU_REQUEST.bit() | KNOWN.bit(),
        |r, _| amount(r, r.num(CPU_REQUEST), Value::Milli).into(), |r| Sort::Int(r.num(CPU_REQUEST))),
    column!("cpu_limits" "CPU LIM" Right 8 CPU_LIMIT.bit() | KNOWN.bit(),
        |r, _| amount(r, r.num(CPU_LIMIT), Value::Milli).into(), |r| Sort::Int(r.num(CPU_LIMIT))),
    column!("cpu_request_pct" "%CPU/R" Right 8 CPU.bit() | AT.bit() | CPU_REQUEST.bit(),
        |r, now| usage::share(r, AT, now, (r.num(CPU), r.num(CPU_REQUEST)), i64::MAX),
        |r| usage::order(r.time(AT), usage::percent(r.num(CPU), r.num(CPU_REQUEST)))),
    column!("cpu_limit_pct" "%CPU/L" Right 8 CPU.bit() | AT.bit() | CPU_LIMIT.bit(),
        |r, now| usage::share(r, AT, now, (r.num(CPU), r.num(CPU_LIMIT)), FULL),
        |r| usage::order(r.time(AT), usage::percent(r.num(CPU), r.num(CPU_LIMIT)))),
    column!("memory_used" "MEM" Right 8 MEMORY.bit() | AT.bit(),
        |r, now| usage::cell(r, AT, now, Value::Bytes(r.num(MEMORY)), Role::Plain),
        |r| usage::order(r.time(AT), Some(r.num(MEMORY)))),
    column!("memory_requests" "MEM REQ" Right 8 MEMORY_REQUEST.bit() | KNOWN.bit(),
        |r, _| amount(r, r.num(MEMORY_REQUEST), Value::Bytes).into(), |r| Sort::Int(r.num(MEMORY_REQUEST))),
    column!("memory_limits" "MEM LIM" Right 8 MEMORY_LIMIT.bit() | KNOWN.bit(),
        |r, _| amount(r, r.num(MEMORY_LIMIT), Value::Bytes).into(), |r| Sort::Int(r.num(MEMORY_LIMIT))),
    column!("memory_request_pct" "%MEM/R" Right 8 MEMORY.bit() | AT.bit() | MEMORY_REQUEST.bit(),
        |r, now| usage::share(r, AT, now, (r.num(MEMORY), r.num(MEMORY_REQUEST)), i64::MAX),
        |r| usage::order(r.time(AT), usage::percent(r.num(MEMORY), r.num(MEMORY_REQUEST)))),
    column!("memory_limit_pct" "%MEM/L" Right 8 MEMORY.bit() | AT.bit() | MEMORY_LIMIT.bit(),
        |r, now| usage::share(r, AT, now, (r.num(MEMORY), r.num(MEMORY_LIMIT)), FULL),
        |r| usage::order(r.time(AT), usage::percent(r.num(MEMORY), r.num(MEMORY_LIMIT)))),
    column!("measured" "MEASURED" Right 8 AT.bit(),
        |r, _| Value::time(r.time(AT)).into(), |r| Sort::Int(-r.time(AT).0)),
    common::AGE,
    common::LABELS,
    common::UID,
];

/// The table.
pub static TABLE: TableSpec = TableSpec {
    id: "containers",
    kinds: &[Kind {
        gvk: Gvk {
            group: usage::GROUP,
            version: usage::VERSIONS[0],
            // Not a kind of its own: the rows are parts of PodMetrics.
            kind: "ContainerMetrics",
            plural: "pods",
            namespaced: true,
        },
        paths: PATHS,
        fold,
        finish,
    }],
    words: WORDS,
    labels: LABELS,
    columns: COLUMNS,
    tallies: &[],
};

/// Pods as far as their containers' requests and limits go: whoever measures containers reads them by the way, and makes rows of
/// them where nothing is measured.
pub mod asked {
    use super::*;

    paths! { PATHS:
        SPEC = Item [2, 2] "spec.containers";
        SPEC_NAME = Text [2, 2, 1] "spec.containers.name";
        SPEC_LIMITS = Quantities [2, 2, 8, 1] "spec.containers.resources.limits";
        SPEC_REQUESTS = Quantities [2, 2, 8, 2] "spec.containers.resources.requests";
        INIT = Item [2, 20] "spec.initContainers";
        INIT_NAME = Text [2, 20, 1] "spec.initContainers.name";
        INIT_LIMITS = Quantities [2, 20, 8, 1] "spec.initContainers.resources.limits";
        INIT_REQUESTS = Quantities [2, 20, 8, 2] "spec.initContainers.resources.requests";
        INIT_RESTART = Text [2, 20, 24] "spec.initContainers.restartPolicy";
        // What `kubectl debug` adds; it can ask for nothing.
        EPHEMERAL = Item [2, 34] "spec.ephemeralContainers";
        EPHEMERAL_NAME = Text [2, 34, 1, 1] "spec.ephemeralContainers.name";
        PHASE = Text [3, 1] "status.phase";
    }

    fn fold(d: &mut Draft, path: usize, hit: Hit<'_>) {
        match (path, hit) {
            (SPEC | INIT | EPHEMERAL, Hit::Open) => d.open(path),
            (SPEC_NAME | INIT_NAME | EPHEMERAL_NAME, Hit::Text(name)) => d.note(0, name),
            (INIT_RESTART, Hit::Text("Always")) => d.item().num[SIDECAR] = 1,
            (PHASE, Hit::Text("Succeeded" | "Failed")) => d.open(path),
            (SPEC_REQUESTS | INIT_REQUESTS, Hit::Pair(what, n)) => put(d.item(), 0, what, n),
            (SPEC_LIMITS | INIT_LIMITS, Hit::Pair(what, n)) => put(d.item(), 2, what, n),
            _ => {}
        }
    }

    fn put(item: &mut Item, from: usize, what: &str, n: &str) {
        match what {
            "cpu" => item.num[from] = quantity::milli(n).unwrap_or(0),
            "memory" => item.num[from + 1] = quantity::whole(n).unwrap_or(0),
            _ => {}
        }
    }

    /// The note that an init container goes on running beside the others.
    const SIDECAR: usize = 4;

    fn asks(item: &Item) -> Asked {
        let [a, b, c, e, ..] = item.num;
        [a, b, c, e]
    }

    /// Each container of a pod that was read.
    pub fn each(d: &Draft) -> impl Iterator<Item = (&str, Asked)> {
        let all = d.items.iter().filter(|item| item.tag != PHASE);
        all.map(|item| (d.text(item.txt[0]), asks(item)))
    }

    /// Makes the draft of a pod that of its container `i`, without any use. Whether that runs beside the others, which those of
    /// a finished pod and init containers that end do not; `None` if it has no such.
    pub fn turn(d: &mut Draft, i: usize) -> Option<bool> {
        let item = d.items.get(i)?.clone();
        let finished = d.items.iter().any(|item| item.tag == PHASE);
        let [namespace, pod, container] =
            [d.head.namespace, d.head.name, item.txt[0]].map(|text| d.text(text).to_owned());
        super::fill(d, [&namespace, &pod, &container], [0, 0], Some(asks(&item)));
        Some(!finished && (item.tag == SPEC || item.num[SIDECAR] == 1))
    }

    /// How they are read.
    pub static SHAPE: TableSpec = TableSpec {
        id: "container_requests",
        kinds: &[Kind {
            gvk: Gvk { group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true },
            paths: PATHS,
            fold,
            finish,
        }],
        words: WORDS,
        labels: LABELS,
        columns: &[],
        tallies: &[],
    };
}
