//! What the pods and containers of a node use, beside what they ask for and what limits them: where no metrics API is, this
//! node's kubelet knows.

use super::super::describe::page::{Cell, Page, items, plain, str_at, text};
use super::{Seen, full, number};
use crate::state::cell::{Role, bytes, cores, grouped};
use crate::state::metrics::{Scrape, Value as Metric};
use crate::state::quantity;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Lines at most: a node runs 110 pods by default, and 250 where it is large.
const MOST: usize = 1000;

/// CPU in thousandths of a core and memory in bytes, as far as they are known.
type Amounts = [Option<i64>; 2];

/// Someone who uses something.
struct User {
    name: String,
    used: Amounts,
    /// Requests, then limits.
    asked: [Amounts; 2],
}

/// A pod and its containers.
struct Pod {
    of: User,
    containers: Vec<User>,
}

/// What the node can give to pods: CPU and memory.
pub(super) fn allocatable(seen: &Seen) -> Amounts {
    let Ok(node) = &seen.object else { return [None; 2] };
    amounts(&node["status"]["allocatable"])
}

/// ` of 4 allocatable (12 %)`; nothing where either is not known.
pub(super) fn of_allocatable(
    used: i64,
    of: Option<i64>,
    words: fn(i64) -> String,
) -> (Role, String) {
    match of.filter(|of| *of > 0) {
        None => (Role::Plain, String::new()),
        Some(of) => {
            let percent = i128::from(used) * 100 / i128::from(of);
            (full(used, of), format!(" of {} allocatable ({percent} %)", words(of)))
        }
    }
}

/// Everyone by CPU, then memory, as the summary tells it.
pub(super) fn summary(page: &mut Page, summary: &Value, seen: &Seen) {
    let amounts = |value: &Value| {
        let cpu = number(value, "/cpu/usageNanoCores").map(up_to_milli);
        [cpu, number(value, "/memory/workingSetBytes")]
    };
    let of_pod = |pod: &Value| {
        let place = (str_at(pod, "/podRef/namespace"), str_at(pod, "/podRef/name"));
        let containers = items(pod, "/containers").iter();
        let containers = containers.map(|c| (str_at(c, "/name").to_owned(), amounts(c))).collect();
        joined(place, amounts(pod), containers, seen)
    };
    let pods = items(summary, "/pods").iter().map(of_pod).collect();
    table(page, "Pods and containers by CPU, then memory", pods);
}

/// Everyone by memory, as `/metrics/resource` tells it: CPU is a counter there, and one look gives no rate.
pub(super) fn resource(page: &mut Page, scrape: &Scrape, seen: &Seen) {
    if let Some(used) = scrape.number("node_memory_working_set_bytes", &[]) {
        let (role, of) = of_allocatable(used as i64, allocatable(seen)[1], bytes);
        page.field_as("Memory", role, format!("{} working set{of}", bytes(used as i64)));
    }
    let words =
        "not told: without the summary there is a counter alone, and one look at it gives no rate";
    page.field_as("CPU", Role::Dim, words);
    let all =
        scrape.grouped("container_memory_working_set_bytes", &["namespace", "pod", "container"]);
    let mut pods: BTreeMap<(String, String), Vec<(String, Amounts)>> = BTreeMap::new();
    for (key, value) in &all {
        let Metric::Number(n) = value else { continue };
        let pod = pods.entry((key[0].clone(), key[1].clone())).or_default();
        pod.push((key[2].clone(), [None, Some(*n as i64)]));
    }
    let pods = pods.into_iter().map(|((namespace, name), containers)| {
        let sum = containers.iter().filter_map(|(_, used)| used[1]).fold(0, i64::saturating_add);
        joined((&namespace, &name), [None, Some(sum)], containers, seen)
    });
    table(page, "Pods and containers by memory", pods.collect());
}

/// What is used is not nothing.
fn up_to_milli(nanos: i64) -> i64 {
    nanos / 1_000_000 + i64::from(nanos % 1_000_000 > 0)
}

fn amounts(resources: &Value) -> Amounts {
    let of = |key: &str, read: fn(&str) -> Option<i64>| read(&text(resources, key));
    [of("/cpu", quantity::milli), of("/memory", quantity::whole)]
}

/// What was measured of a pod, with what its specification says.
fn joined(
    (namespace, name): (&str, &str),
    used: Amounts,
    measured: Vec<(String, Amounts)>,
    seen: &Seen,
) -> Pod {
    let pods = seen.pods.as_deref().unwrap_or_default();
    let here = |pod: &&Value| {
        str_at(pod, "/metadata/name") == name && str_at(pod, "/metadata/namespace") == namespace
    };
    let spec = pods.iter().find(here);
    let stays = |c: &&Value| str_at(c, "/restartPolicy") == "Always";
    let running = spec.map_or(vec![], |pod| {
        let sidecars = items(pod, "/spec/initContainers").iter().filter(stays);
        items(pod, "/spec/containers").iter().chain(sidecars).collect::<Vec<_>>()
    });
    let asked = |container: &Value| {
        ["requests", "limits"].map(|what| amounts(&container["resources"][what]))
    };
    let containers = measured.into_iter().map(|(name, used)| {
        let spec = running.iter().find(|c| str_at(c, "/name") == name);
        User { asked: spec.map_or([[None; 2]; 2], |c| asked(c)), name, used }
    });
    let all: Vec<_> = running.iter().map(|c| asked(c)).collect();
    let sum = |what: usize, i: usize| {
        let each = all.iter().map(|asked| asked[what][i]);
        // One container without a limit may take it all.
        match what {
            0 => each.flatten().reduce(i64::saturating_add),
            _ => each.reduce(|a, b| Some(a?.saturating_add(b?))).flatten(),
        }
    };
    let of = User {
        name: format!("{namespace}/{name}"),
        used,
        asked: [0, 1].map(|what| [0, 1].map(|i| sum(what, i))),
    };
    let mut containers: Vec<User> = containers.collect();
    containers.sort_by_key(|user| Reverse(user.used));
    Pod { of, containers }
}

fn table(page: &mut Page, title: &str, mut pods: Vec<Pod>) {
    if pods.is_empty() {
        return;
    }
    pods.sort_by(|a, b| b.of.used.cmp(&a.of.used).then_with(|| a.of.name.cmp(&b.of.name)));
    let mut rows: Vec<[Cell; 7]> = vec![];
    for pod in &pods {
        match pod.containers.as_slice() {
            // Of one container the pod says it all.
            [only] => rows.push(row(format!("{} {}", pod.of.name, only.name), &pod.of)),
            all => {
                rows.push(row(pod.of.name.clone(), &pod.of));
                rows.extend(all.iter().map(|user| row(format!("  {}", user.name), user)));
            }
        }
    }
    match rows.len() > MOST {
        true => {
            page.heading(&format!("{title} (the first {MOST} of {})", grouped(rows.len() as i64)))
        }
        false => page.heading(title),
    }
    rows.truncate(MOST);
    page.indent = 2;
    let heads = ["POD, CONTAINER", "CPU", "CPU REQ", "CPU LIM", "MEMORY", "MEM REQ", "MEM LIM"];
    page.table(heads, &rows);
    page.indent = 0;
}

fn row(name: String, user: &User) -> [Cell; 7] {
    let [requests, limits] = user.asked;
    let told = |n: Option<i64>, words: fn(i64) -> String| plain(n.map_or(String::new(), words));
    let used = |i: usize, words: fn(i64) -> String| {
        let role = match user.used[i].zip(limits[i]) {
            Some((used, limit)) => full(used, limit),
            None => Role::Plain,
        };
        (role, user.used[i].map_or(String::new(), words))
    };
    [
        plain(name),
        used(0, cores),
        told(requests[0], cores),
        told(limits[0], cores),
        used(1, bytes),
        told(requests[1], bytes),
        told(limits[1], bytes),
    ]
}
