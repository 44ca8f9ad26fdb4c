//! Keys while twenty nodes are drained at once: `cargo bench --bench drains`.
//!
//! Boots the control plane of the tests with its controllers, its scheduler and fake kubelets: 24 nodes, 200 pods of 20
//! owners under budgets that let all of them go, so that the twenty nodes are one wave; a pod takes 45 s to end. The
//! release binary (or `PROGRAM`) in a terminal of 200x50 marks twenty nodes and drains them all at once; keys are
//! pressed on its board while pods move, and keys before and after. Prints one table. `LOOK=1` prints the preview and
//! the board too. Everything shares the machine with the cockpit, so the times are of all of it.

#[path = "../tests/controlplane/mod.rs"]
mod controlplane;
#[allow(dead_code, reason = "the other benches need the rest")]
mod terminal;

use controlplane::{ControlPlane, Options, User, fresh, wait_until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use terminal::{Cockpit, percentile};

const SOON: Duration = Duration::from_secs(90);
const NODES: usize = 20;
const SPARE: usize = 4;
const OWNERS: usize = 20;
const REPLICAS: usize = 10;
const BOARD: [&str; 6] = ["j", "j", "\x1b[6~", "k", "G", "g"];

fn main() {
    // `cargo test --benches` runs this too; it has nothing to show without its cluster.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let Some(lab) = fresh(Options::full()) else { return };
    build(&lab);
    let program = std::env::var("PROGRAM");
    let program = program.unwrap_or_else(|_| env!("CARGO_BIN_EXE_wheelhouse").to_owned());
    let mut cockpit = Cockpit::start(&program, &["nodes"], &lab.kubeconfig(User::Admin));
    cockpit.until("node-19");
    cockpit.until(" live ");
    cockpit.settle(Duration::from_secs(3));
    println!(
        "| when | keys | p50 ms | p90 ms | p99 ms | worst ms | CPU of the cockpit, % of a core |"
    );
    println!("|---|---|---|---|---|---|---|");
    measure(&mut cockpit, "the node table, before", || 120);
    begin(&mut cockpit);
    let began = Instant::now();
    let left = || if bound(&lab) > 0 { usize::MAX } else { 0 };
    measure(&mut cockpit, "the board, while 20 nodes are drained at once", left);
    println!("the nodes were empty {:.0} s after the start", began.elapsed().as_secs_f64());
    cockpit.settle(Duration::from_secs(8));
    measure(&mut cockpit, "the board, after the drain", || 120);
    println!("{}", cockpit.contents().lines().take(12).collect::<Vec<_>>().join("\n"));
    cockpit.press("ZZ");
}

/// Marks the nodes, opens the board, sets all of them to go at once, confirms.
fn begin(cockpit: &mut Cockpit) {
    for keys in ["/node-", "\r", "*", "D"] {
        cockpit.press(keys);
        cockpit.settle(Duration::from_millis(700));
    }
    cockpit.settle(Duration::from_secs(2));
    for _ in 0..NODES {
        cockpit.press("+");
        cockpit.settle(Duration::from_millis(50));
    }
    cockpit.press("S");
    cockpit.settle(Duration::from_millis(700));
    cockpit.press("\r");
    // A confirmation counts only once the preview was on screen for a moment.
    cockpit.settle(Duration::from_secs(3));
    if std::env::var_os("LOOK").is_some() {
        println!("{}", cockpit.contents());
    }
    cockpit.press("y");
    cockpit.settle(Duration::from_secs(2));
    if std::env::var_os("LOOK").is_some() {
        println!("{}", cockpit.contents());
    }
}

/// Presses keys until so many were pressed; it is asked from time to time how many that is.
fn measure(cockpit: &mut Cockpit, when: &str, mut wanted: impl FnMut() -> usize) {
    let deadline = Instant::now() + Duration::from_secs(180);
    let mut took: Vec<Duration> = vec![];
    let (cpu, began) = (cockpit.cpu(), Instant::now());
    while Instant::now() < deadline && took.len() < wanted() {
        for key in BOARD {
            took.push(cockpit.answer(key));
            cockpit.settle(Duration::from_millis(60));
        }
    }
    took.sort();
    let ms = |percent| percentile(&took, percent).as_secs_f64() * 1e3;
    let share = (cockpit.cpu() - cpu).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0;
    println!(
        "| {when} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {share:.1} |",
        took.len(),
        ms(50),
        ms(90),
        ms(99),
        ms(100)
    );
}

fn items(list: Value) -> Vec<Value> {
    list["items"].as_array().cloned().unwrap_or_default()
}

/// Pods on nodes that are drained.
fn bound(lab: &ControlPlane) -> usize {
    let pods = items(lab.api_get("/api/v1/namespaces/default/pods"));
    let leaving =
        |p: &&Value| p["spec"]["nodeName"].as_str().is_some_and(|n| n.starts_with("node-"));
    pods.iter().filter(leaving).count()
}

fn build(lab: &ControlPlane) {
    lab.wait_for_default_service_account();
    let spare = |n: usize| format!("spare-{n}");
    for name in (0..NODES).map(|n| format!("node-{n:02}")).chain((0..SPARE).map(spare)) {
        let room = json!({"cpu": "64", "memory": "256Gi", "pods": "110"});
        let node = json!({
            "metadata": {"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "status": {"allocatable": room, "capacity": room},
        });
        lab.api_create("/api/v1/nodes", &node);
    }
    let untainted = |n: &Value| n["spec"]["taints"].as_array().is_none_or(Vec::is_empty);
    wait_until("nodes that are ready", SOON, || {
        let nodes = items(lab.api_get("/api/v1/nodes"));
        nodes.len() == NODES + SPARE && nodes.iter().all(untainted)
    });
    cordon_spare(lab, true);
    for owner in 0..OWNERS {
        workload(lab, &format!("app-{owner:02}"));
    }
    let all = "/apis/apps/v1/namespaces/default/deployments";
    wait_until("pods that are ready", SOON, || {
        items(lab.api_get(all)).iter().all(|d| d["status"]["readyReplicas"] == REPLICAS)
    });
    cordon_spare(lab, false);
}

/// So that every pod begins on a node that is drained.
fn cordon_spare(lab: &ControlPlane, on: bool) {
    for n in 0..SPARE {
        let patch = json!({"spec": {"unschedulable": on}});
        lab.api_patch(&format!("/api/v1/nodes/spare-{n}"), &patch);
    }
}

fn workload(lab: &ControlPlane, name: &str) {
    let labels = json!({"app": name});
    let deployment = json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": REPLICAS, "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {"lab/stop-after": "45s"}},
                "spec": {
                    "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 60,
                    "containers": [{"name": "app", "image": "registry.test/app:1"}],
                },
            },
        },
    });
    lab.api_create("/apis/apps/v1/namespaces/default/deployments", &deployment);
    let budget = json!({
        "metadata": {"name": name},
        "spec": {"maxUnavailable": REPLICAS, "selector": {"matchLabels": labels}},
    });
    lab.api_create("/apis/policy/v1/namespaces/default/poddisruptionbudgets", &budget);
}
