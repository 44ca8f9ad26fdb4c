//! What use costs at the size the cockpit is made for: `cargo bench --bench usage`.
//!
//! Boots the control plane of the tests with 5,000 nodes and 150,000 pods (`PODS=n` for another size) and custom resources that
//! stand in for `metrics.k8s.io`, a sample for each of them, written straight into etcd. Prints what the API server needs to list
//! the samples, what the cockpit holds and works for with and without them, and what `print pods` and `top pods` take.

#[path = "../tests/controlplane/mod.rs"]
mod controlplane;
#[allow(dead_code, reason = "other benches need the rest")]
mod terminal;

use controlplane::{ControlPlane, Options, Size, User, fresh};
use serde_json::json;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use terminal::{Cockpit, status};

/// The binary that is measured: the one built beside the bench, or `PROGRAM`.
fn wheelhouse() -> String {
    std::env::var("PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_wheelhouse").to_owned())
}

fn main() {
    // `cargo test --benches` runs this too; it has nothing to show without its cluster.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse().ok());
    let pods = number("PODS").unwrap_or(150_000);
    let Some(lab) = fresh(Options::api()) else { return };
    let seeded = lab.seed(Size { nodes: pods / 30, pods });
    println!("{pods} pods, {} nodes, {} bytes in storage", pods / 30, seeded.bytes);
    let total = format!("{},{:03} pods", pods / 1000, pods % 1000);
    whole(&lab, "/api/v1/pods");
    cockpit(&lab, &total, "without a metrics API");
    print(&lab, &["print", "pods"], "without a metrics API");
    let samples = sampled(&lab, pods);
    stand_in(&lab);
    println!("{samples} samples written");
    let (bytes, took) = whole(&lab, "/apis/metrics.k8s.io/v1beta1/pods");
    println!(
        "one unpaged LIST of the samples by a bare client: {:.1} MB in {:.2} s",
        bytes as f64 / 1e6,
        took.as_secs_f64()
    );
    cockpit(&lab, &total, "with samples");
    print(&lab, &["print", "pods"], "with samples");
    print(&lab, &["top", "pods", "-A"], "with samples");
    print(&lab, &["top", "containers", "-A"], "with samples");
}

/// Waits until a list no longer grows: straight after the objects were written the server's cache is still filling, and what
/// is measured then is the filling. Bytes and time of the last list.
fn whole(lab: &ControlPlane, path: &str) -> (usize, Duration) {
    let mut list = (0, Duration::ZERO);
    controlplane::wait_until(path, Duration::from_secs(180), || {
        let began = Instant::now();
        let forms = "application/vnd.kubernetes.protobuf, application/json";
        let reply = lab.request_as(forms, path).expect("an answer");
        let before = std::mem::replace(&mut list, (reply.body.len(), began.elapsed()));
        reply.status == 200 && list.0 == before.0
    });
    list
}

/// The pods view from its start until what it shows is whole, and half a minute of looking at it.
fn cockpit(lab: &ControlPlane, total: &str, how: &str) {
    let mut cockpit = Cockpit::start(&wheelhouse(), &["pods"], &lab.kubeconfig(User::Admin));
    cockpit.until(total);
    let synced = cockpit.until(" live ");
    let (cpu, held) = (cockpit.cpu(), cockpit.resident());
    if how == "with samples" {
        // The screen has use as soon as the first look is over; it is read as it arrives, so that takes a while.
        cockpit.press("w");
        let used = cockpit.until_seen("use of a pod", |screen| screen.contains("250m"));
        println!("{how}: use on screen after {:.1} s", used.as_secs_f64());
    }
    cockpit.settle(Duration::from_secs(90));
    println!(
        "{how}: synced after {:.1} s with {:.2} s of CPU and {held:.1} MB; 90 s later {:.2} s of CPU and {:.1} MB",
        synced.as_secs_f64(),
        cpu.as_secs_f64(),
        cockpit.cpu().as_secs_f64(),
        cockpit.resident()
    );
    cockpit.press("ZZ");
}

/// A command that prints everything once.
fn print(lab: &ControlPlane, args: &[&str], how: &str) {
    let began = Instant::now();
    let mut command = Command::new(wheelhouse());
    command.args(args).arg("--kubeconfig").arg(lab.kubeconfig(User::Admin));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    let mut peak: f64 = 0.0;
    let code = loop {
        if let Some(code) = child.try_wait().expect("a child can be waited for") {
            break code;
        }
        peak = peak.max(status(child.id(), "VmHWM"));
        std::thread::park_timeout(Duration::from_millis(20));
    };
    println!(
        "{how}: `{}` ends with {code} after {:.1} s, {peak:.1} MB at most",
        args.join(" "),
        began.elapsed().as_secs_f64()
    );
}

/// Custom resources of the paths and shapes of `metrics.k8s.io`.
fn stand_in(lab: &ControlPlane) {
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    for (plural, kind, scope) in
        [("nodes", "NodeMetrics", "Cluster"), ("pods", "PodMetrics", "Namespaced")]
    {
        let loose = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        lab.api_create(crds, &json!({
            "metadata": {"name": format!("{plural}.metrics.k8s.io"),
                "annotations": {"api-approved.kubernetes.io": "unapproved, bench only"}},
            "spec": {"group": "metrics.k8s.io", "scope": scope, "names": {"plural": plural, "kind": kind},
                "versions": [{"name": "v1beta1", "served": true, "storage": true, "schema": loose}]},
        }));
    }
    for plural in ["nodes", "pods"] {
        let path = format!("/apis/metrics.k8s.io/v1beta1/{plural}?limit=1");
        controlplane::wait_until("the stand-in is served", Duration::from_secs(120), || {
            lab.request("GET", &path, "", b"").is_ok_and(|reply| reply.status == 200)
        });
    }
}

/// A sample of each node and pod, new enough to stay so while the bench runs.
fn sampled(lab: &ControlPlane, pods: usize) -> usize {
    let now = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10))
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let usage = json!({"cpu": "250m", "memory": "128Mi"});
    let mut etcd = lab.etcd();
    let mut entries = vec![];
    for key in etcd.keys("/registry/minions/", pods) {
        let name = key.rsplit('/').next().unwrap_or_default();
        let object = json!({"apiVersion": "metrics.k8s.io/v1beta1", "kind": "NodeMetrics",
            "metadata": {"name": name, "uid": name, "creationTimestamp": now}, "timestamp": now, "window": "15s", "usage": usage});
        entries.push((format!("/registry/metrics.k8s.io/nodes/{name}"), object.to_string()));
    }
    for key in etcd.keys("/registry/pods/team-", pods) {
        let [.., namespace, name] = key.split('/').collect::<Vec<_>>()[..] else { continue };
        let object = json!({"apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics",
            "metadata": {"name": name, "namespace": namespace, "uid": name, "creationTimestamp": now},
            "timestamp": now, "window": "15s", "containers": [{"name": "app", "usage": usage}]});
        entries.push((
            format!("/registry/metrics.k8s.io/pods/{namespace}/{name}"),
            object.to_string(),
        ));
    }
    for batch in entries.chunks(controlplane::TXN_PUTS) {
        etcd.put_all(batch.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    }
    entries.len()
}
