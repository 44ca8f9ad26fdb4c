//! The desks on a crowded API server: 300 custom kinds, an API that nobody answers, 50,000 events. What they cost is counted
//! by the server. Skipped without a control plane, see `control_plane.rs`.

mod controlplane;

use controlplane::{ControlPlane, Options, User, fresh, output_within, wait_until};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

const KINDS: usize = 300;
const EVENTS: usize = 50_000;
const SOON: Duration = Duration::from_secs(120);
/// Requests a second that the survey is allowed here.
const RATE: usize = 50;

fn define(lab: &ControlPlane) {
    let loose = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    for i in 0..KINDS {
        let (group, plural) = (format!("g{}.crowd.example", i % 6), format!("kind{i:03}s"));
        let crd = json!({
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {
                "group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": format!("Kind{i:03}")},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": loose}}],
            },
        });
        lab.api_create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &crd);
    }
    let served = |i: usize| {
        let path = format!("/apis/g{}.crowd.example/v1/kind{i:03}s", i % 6);
        lab.request("GET", &path, "", b"").is_ok_and(|reply| reply.status == 200)
    };
    wait_until("all kinds are served", SOON, || served(0) && served(KINDS - 1));
    let discovered =
        || lab.api_get("/apis/g5.crowd.example/v1")["resources"].as_array().map_or(0, Vec::len);
    wait_until("all kinds are discovered", SOON, || discovered() == KINDS / 6);
}

/// An API whose service does not exist.
fn dead_api(lab: &ControlPlane) {
    let service = json!({
        "metadata": {"name": "v1alpha1.legacy.example"},
        "spec": {"group": "legacy.example", "version": "v1alpha1", "groupPriorityMinimum": 100, "versionPriority": 15,
            "insecureSkipTLSVerify": true, "service": {"namespace": "default", "name": "legacy-adapter"}},
    });
    lab.api_create("/apis/apiregistration.k8s.io/v1/apiservices", &service);
    let path = "/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.legacy.example";
    wait_until("the API is known to be dead", SOON, || {
        lab.api_get(path)["status"].to_string().contains("\"False\"")
    });
}

fn events(lab: &ControlPlane) {
    let event = |i: usize| {
        let (namespace, name) = (format!("team-{:02}", i % 20), format!("pod-{}.{i:x}", i / 10));
        let at = format!("2026-11-23T0{}:{:02}:{:02}Z", i % 10, i % 60, (i / 60) % 60);
        let (reason, kind) =
            [("BackOff", "Warning"), ("Unhealthy", "Warning"), ("Pulled", "Normal")][i % 3];
        let object = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": name, "namespace": namespace, "uid": format!("00000000-0000-4000-8000-{i:012x}"),
                "creationTimestamp": at},
            "involvedObject": {"kind": "Pod", "namespace": namespace, "name": format!("pod-{}", i / 10), "apiVersion": "v1"},
            "reason": reason, "type": kind,
            "message": format!("the same words as always, for the {i}th time"), "count": 1 + i % 7,
            "firstTimestamp": at, "lastTimestamp": at, "source": {"component": "kubelet"},
        });
        (format!("/registry/events/{namespace}/{name}"), object.to_string())
    };
    let mut etcd = lab.etcd();
    for from in (0..EVENTS).step_by(100) {
        let some: Vec<(String, String)> = (from..from + 100).map(event).collect();
        etcd.put_all(some.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    }
}

/// Requests that ended, as the server counts them: those whose labels hold all of these words.
fn counted(lab: &ControlPlane, words: &[&str]) -> usize {
    let reply = lab.request("GET", "/metrics", "", b"").expect("metrics");
    let text = String::from_utf8(reply.body).expect("text");
    let lines = text.lines().filter(|line| line.starts_with("apiserver_request_total{"));
    let ours = lines.filter(|line| words.iter().all(|word| line.contains(word)));
    let values = ours.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum::<f64>() as usize
}

fn run(lab: &ControlPlane, args: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    command.args(args).arg("--kubeconfig").arg(lab.kubeconfig(User::Admin));
    command.env("HOME", home.path()).env_remove("KUBECONFIG").env_remove("XDG_STATE_HOME");
    let out = output_within(command, "", SOON);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().expect("it was not killed"), text(&out.stdout), text(&out.stderr))
}

#[test]
fn a_crowded_server_is_asked_gently() {
    let Some(lab) = fresh(Options::api()) else { return };
    define(&lab);
    dead_api(&lab);
    events(&lab);

    let listed = || counted(&lab, &["verb=\"LIST\"", ".crowd.example\""]);
    let (before, all_before, began) = (listed(), counted(&lab, &["verb=\"LIST\""]), Instant::now());
    let (code, out, err) = run(&lab, &["stuck", "-o", "json", "--rate", &RATE.to_string()]);
    let took = began.elapsed();
    assert!(code == 4 && err.contains("legacy.example/v1alpha1 does not answer"), "{code} {err}");
    let found: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    assert_eq!(found["objects"].as_array().map(Vec::len), Some(0), "{found}");
    assert_eq!(listed() - before, KINDS, "each kind is listed once");
    let asked = counted(&lab, &["verb=\"LIST\""]) - all_before;
    assert!(asked < KINDS + 200, "{asked} lists for {KINDS} kinds and those of Kubernetes");
    let least = Duration::from_secs_f64((asked - 1) as f64 / RATE as f64 * 0.9);
    assert!(took >= least, "{asked} lists in {took:?} are more than {RATE} a second");

    let of_events =
        |verb: &str| counted(&lab, &[&format!("verb=\"{verb}\""), "resource=\"events\""]);
    let before = (of_events("LIST"), of_events("WATCH"));
    let (code, out, err) = run(&lab, &["print", "events", "-o", "json"]);
    let rows: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {err}"));
    let rows = rows.as_array().or_else(|| rows["rows"].as_array()).expect("rows");
    assert_eq!((code, rows.len()), (0, EVENTS), "a line for each object and reason: {err}");
    let (lists, watches) = (of_events("LIST") - before.0, of_events("WATCH") - before.1);
    assert!(lists <= 1 && watches <= 1, "{lists} lists and {watches} watches for one look");

    let before = of_events("LIST");
    let (code, out, err) = run(&lab, &["print", "events", "--count"]);
    assert!(code == 0 && out.contains("50,000"), "{out} {err}");
    let lists = of_events("LIST") - before;
    assert!(lists <= 8, "{lists} pages of one event to count all and those of each namespace");
}
