//! The page of a node.

use super::page::{Page, count, entries, items, join, plain, scalar, str_at, text, yes};
use crate::state::cell::{Role, bytes};
use crate::state::quantity;
use crate::state::rules::node_status;
use crate::state::time::Epoch;
use serde_json::Value;

/// What a kubelet tells of its machine (`NodeSystemInfo` in `core/v1/types.go`).
const SYSTEM: [(&str, &str); 9] = [
    ("Kubelet", "kubeletVersion"),
    ("Runtime", "containerRuntimeVersion"),
    ("OS image", "osImage"),
    ("OS", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Kernel", "kernelVersion"),
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
];

pub(super) fn summary(page: &mut Page, object: &Value, _now: Epoch) {
    let ready = items(object, "/status/conditions").iter().find(|c| str_at(c, "/type") == "Ready");
    let ready = ready.map(|c| str_at(c, "/status"));
    let status = node_status::words(ready, yes(object, "/spec/unschedulable"));
    page.field_as("Status", node_status::role(status), status);
    page.list("Taints", items(object, "/spec/taints").iter().map(taint));
    let addresses = items(object, "/status/addresses");
    let address = |a: &Value| format!("{} {}", str_at(a, "/address"), str_at(a, "/type"));
    page.list("Addresses", addresses.iter().map(address));
    page.field("Pod networks", pod_networks(object));
    page.field("Provider", str_at(object, "/spec/providerID"));
}

pub(super) fn details(page: &mut Page, object: &Value, _now: Epoch) {
    resources(page, object);
    page.heading("System");
    page.indent = 2;
    for (label, field) in SYSTEM {
        page.field(label, text(object, &format!("/status/nodeInfo/{field}")));
    }
    page.indent = 0;
    let images = items(object, "/status/images");
    let size: i64 = images.iter().filter_map(|i| i["sizeBytes"].as_i64()).sum();
    page.heading("Held");
    page.indent = 2;
    page.field("Images", format!("{}, {}", count(images.len(), "image"), bytes(size)));
    let attached = items(object, "/status/volumesAttached").iter();
    page.list("Attached volumes", attached.map(|v| str_at(v, "/name")));
    page.indent = 0;
}

fn taint(taint: &Value) -> String {
    let (key, effect) = (str_at(taint, "/key"), str_at(taint, "/effect"));
    match str_at(taint, "/value") {
        "" => format!("{key}:{effect}"),
        value => format!("{key}={value}:{effect}"),
    }
}

fn pod_networks(object: &Value) -> String {
    match items(object, "/spec/podCIDRs") {
        [] => text(object, "/spec/podCIDR"),
        many => join(many.iter().map(scalar)),
    }
}

fn resources(page: &mut Page, object: &Value) {
    let row = |(name, capacity): (&str, &Value)| {
        let allocatable = object.pointer("/status/allocatable").and_then(|a| a.get(name));
        let allocatable = allocatable.map_or(String::new(), |v| amount(name, &scalar(v)));
        [plain(name), plain(amount(name, &scalar(capacity))), (Role::Plain, allocatable)]
    };
    let rows: Vec<_> = entries(object, "/status/capacity").map(row).collect();
    if !rows.is_empty() {
        page.heading("Resources");
        page.indent = 2;
        page.table(["RESOURCE", "CAPACITY", "ALLOCATABLE"], &rows);
        page.indent = 0;
    }
}

/// Kubelets write memory in Ki or bytes; people read Gi.
fn amount(resource: &str, text: &str) -> String {
    let sized =
        ["memory", "ephemeral-storage"].contains(&resource) || resource.starts_with("hugepages-");
    match quantity::whole(text).filter(|_| sized) {
        Some(n) => bytes(n),
        None => text.to_owned(),
    }
}
