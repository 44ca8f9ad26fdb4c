//! Changes on a real API server, made by the built binary and checked by reads that are not ours. Skipped without a
//! control plane, see `control_plane.rs`.

mod controlplane;

use controlplane::{ControlPlane, Options, User, fresh, output_within};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// A cluster, and a home whose journal the runs of one test share.
struct Bench {
    lab: ControlPlane,
    home: tempfile::TempDir,
}

impl Bench {
    fn open() -> Option<Bench> {
        let lab = fresh(Options::api())?;
        lab.api_create("/api/v1/namespaces", &json!({"metadata": {"name": "changes"}}));
        for name in ["n1", "n2"] {
            lab.api_create(
                "/api/v1/nodes",
                &json!({"metadata": {"name": name, "labels": {"a": "1"}}}),
            );
        }
        Some(Bench { lab, home: tempfile::tempdir().expect("a folder") })
    }

    fn run(&self, user: User, args: &[&str]) -> (i32, String, String) {
        let out = run(&self.lab.kubeconfig(user), self.home.path(), args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code().expect("it was not killed"), text(&out.stdout), text(&out.stderr))
    }

    /// Runs it and expects that all of it was done.
    fn done(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(User::Admin, args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        out
    }

    fn node(&self, name: &str) -> Value {
        self.lab.api_get(&format!("/api/v1/nodes/{name}"))
    }

    fn pod(&self, name: &str) -> String {
        let pod = json!({
            "metadata": {"name": name, "labels": {"app": "web"}},
            "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "registry.test/app:1"}]},
        });
        let made = self.lab.api_create("/api/v1/namespaces/changes/pods", &pod);
        let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
        self.lab.api_patch(&format!("/api/v1/namespaces/changes/pods/{name}/status"), &ready);
        made["metadata"]["uid"].as_str().expect("a uid").to_owned()
    }

    /// How the API server answers a GET of a pod.
    fn pod_status(&self, name: &str) -> u16 {
        let path = format!("/api/v1/namespaces/changes/pods/{name}");
        self.lab.request("GET", &path, "", b"").expect("an answer").status
    }
}

fn run(kubeconfig: &Path, home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    command.args(args).arg("--kubeconfig").arg(kubeconfig).env("HOME", home);
    command.env_remove("KUBECONFIG").env_remove("XDG_STATE_HOME").env_remove("WHEELHOUSE_PROTECT");
    output_within(command, "", Duration::from_secs(60))
}

#[test]
fn nodes_are_cordoned_with_a_reason_and_put_back_as_they_were() {
    let Some(bench) = Bench::open() else { return };
    let out =
        bench.done(&["cordon", "-l", "a=1", "--reason", "kernel", "--ticket", "CHG-7", "--yes"]);
    assert!(out.contains("done: cordon n1") && out.contains("done: cordon n2"), "{out}");
    let node = bench.node("n1");
    assert_eq!(node["spec"]["unschedulable"], true);
    let note = node["metadata"]["annotations"]["wheelhouse.dev/cordon"].as_str().expect("the note");
    let note: Value = serde_json::from_str(note).expect("JSON");
    assert_eq!((note["reason"].as_str(), note["ticket"].as_str()), (Some("kernel"), Some("CHG-7")));

    let shown = |words: &str| {
        let rows = bench.done(&["print", "nodes", "--columns", "name,cordon_note", "-o", "json"]);
        assert!(rows.contains(words), "{words} is not in {rows}");
    };
    shown("kernel, CHG-7");

    let (code, _, err) = bench.run(User::Admin, &["cordon", "n1", "--yes"]);
    assert!(code == 3 && err.contains("cordoned already"), "{code} {err}");
    bench.done(&["undo", "--yes"]);
    for name in ["n1", "n2"] {
        let node = bench.node(name);
        assert_eq!(node["spec"].get("unschedulable"), None, "{name}");
        assert_eq!(node["metadata"].get("annotations"), None, "{name}");
    }
    // Somebody else's cordon is told by the server's own notes on who set it.
    assert!(bench.lab.kubectl(&["cordon", "n1"]).status.success());
    shown("by kubectl");
    assert!(bench.lab.kubectl(&["uncordon", "n1"]).status.success());
    let journal = bench.done(&["journal", "list", "-o", "json"]);
    assert!(journal.contains("cordon 2 nodes") && journal.contains("undo"), "{journal}");
}

#[test]
fn undo_refuses_what_somebody_changed_since() {
    let Some(bench) = Bench::open() else { return };
    bench.done(&["label", "node", "n1", "a=2", "b=3", "--yes"]);
    bench.lab.api_patch("/api/v1/nodes/n1", &json!({"metadata": {"labels": {"a": "theirs"}}}));
    let (code, out, err) = bench.run(User::Admin, &["undo", "--yes"]);
    assert!(code == 1 && err.contains("changed since you looked"), "{code} {out} {err}");
    assert_eq!(bench.node("n1")["metadata"]["labels"], json!({"a": "theirs", "b": "3"}));
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_done() {
    let Some(bench) = Bench::open() else { return };
    let before = bench.node("n1")["metadata"]["resourceVersion"].clone();
    for args in [
        &["cordon", "n1"][..],
        &["delete", "node", "n1"],
        &["cordon", "n1", "--yes", "--read-only"],
        &["cordon", "n1", "--yes", "--protect", "lab-*"],
        &["cordon", "n1", "--yes", "--protect", "lab-*", "--confirm", "n1"],
        &["cordon", "n1", "--dry-run", "client"],
        &["cordon", "n1", "--dry-run", "server"],
    ] {
        let (code, out, err) = bench.run(User::Admin, args);
        let dry = args.contains(&"--dry-run");
        assert!(
            if dry { code == 0 } else { code == 3 || code == 1 },
            "{args:?}: {code} {out} {err}"
        );
        assert_eq!(bench.node("n1")["metadata"]["resourceVersion"], before, "{args:?}");
    }
    let (code, _, err) = bench.run(User::Admin, &["frobnicate"]);
    assert_eq!(code, 2, "{err}");
}

#[test]
fn taints_are_set_beside_those_of_others() {
    let Some(bench) = Bench::open() else { return };
    bench.done(&["taint", "nodes", "n1", "team=ml:NoSchedule", "--yes"]);
    bench.done(&["taint", "nodes", "n1", "gpu:PreferNoSchedule", "--yes"]);
    bench.done(&["taint", "nodes", "n1", "team=cv:NoSchedule", "--yes"]);
    let taints = bench.node("n1")["spec"]["taints"].clone();
    let wanted = json!([
        {"key": "team", "value": "cv", "effect": "NoSchedule"},
        {"key": "gpu", "effect": "PreferNoSchedule"},
    ]);
    assert_eq!(taints, wanted);
    bench.pod("loose");
    let (_, preview, _) =
        bench.run(User::Admin, &["taint", "nodes", "n1", "out:NoExecute", "--dry-run", "client"]);
    assert!(preview.contains("changes/loose: at once"), "{preview}");
    bench.done(&["taint", "nodes", "n1", "team-", "gpu-", "--yes"]);
    assert_eq!(bench.node("n1")["spec"].get("taints"), None);
}

#[test]
fn an_eviction_asks_the_budget_and_a_delete_names_what_it_gives_up() {
    let Some(bench) = Bench::open() else { return };
    let (kept, free) = (bench.pod("kept"), bench.pod("free"));
    assert_ne!(kept, free);
    let budget = json!({
        "metadata": {"name": "web"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
    });
    let budgets = "/apis/policy/v1/namespaces/changes/poddisruptionbudgets";
    bench.lab.api_create(budgets, &budget);
    let evict = ["evict", "kept", "-n", "changes", "--yes"];
    let (code, out, err) = bench.run(User::Admin, &evict);
    assert!(code == 1 && err.contains("budget"), "{code} {out} {err}");
    assert_eq!(bench.pod_status("kept"), 200, "a closed budget keeps its pod");
    bench.lab.api_delete(&format!("{budgets}/web"), &json!({}));
    bench.done(&evict);
    // No kubelet confirms the end of the pod here: that it is to end is what was asked for.
    let pod = bench.lab.api_get("/api/v1/namespaces/changes/pods/kept");
    assert!(pod["metadata"]["deletionTimestamp"].is_string(), "{pod}");

    let (code, out, err) = bench.run(User::Admin, &["delete", "pod", "free", "-n", "changes"]);
    assert!(code == 3 && err.contains("nothing will make it again"), "{code} {out} {err}");
    bench.done(&["delete", "pod", "free", "-n", "changes", "--yes"]);
    let pod = bench.lab.api_get("/api/v1/namespaces/changes/pods/free");
    assert!(pod["metadata"]["deletionTimestamp"].is_string(), "{pod}");
}

#[test]
fn workloads_are_scaled_restarted_and_scaled_back() {
    let Some(bench) = Bench::open() else { return };
    let labels = json!({"app": "web"});
    let deployment = json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": "registry.test/app:1"}]},
        }},
    });
    let path = "/apis/apps/v1/namespaces/changes/deployments";
    bench.lab.api_create(path, &deployment);
    let read = || bench.lab.api_get(&format!("{path}/web"));
    let scale = |n: &str| {
        bench.done(&["scale", "deploy", "web", "--replicas", n, "-n", "changes", "--yes"])
    };
    scale("0");
    assert_eq!(read()["spec"]["replicas"], 0);
    bench.done(&["undo", "--yes"]);
    assert_eq!(read()["spec"]["replicas"], 3);
    bench.done(&["restart", "deployment/web", "-n", "changes", "--yes"]);
    let annotations = read()["spec"]["template"]["metadata"]["annotations"].clone();
    assert!(annotations["kubectl.kubernetes.io/restartedAt"].is_string(), "{annotations}");
}

#[test]
fn a_missing_right_is_named_before_and_refused_by_the_server() {
    let Some(bench) = Bench::open() else { return };
    let pod = json!({
        "metadata": {"name": "mine"},
        "spec": {"containers": [{"name": "app", "image": "registry.test/app:1"}]},
    });
    bench.lab.api_create("/api/v1/namespaces/shop/pods", &pod);
    let evict = ["evict", "mine", "-n", "shop"];
    let (_, preview, err) =
        bench.run(User::Viewer, &[&evict[..], &["--dry-run", "client"]].concat());
    assert!(preview.contains("you may not create pods/eviction in shop"), "{preview}{err}");
    let (code, out, err) =
        bench.run(User::Viewer, &[&evict[..], &["--yes", "-o", "json"]].concat());
    assert!(code == 1 && err.contains("not allowed to create"), "{code} {err}");
    let report: Value = serde_json::from_str(&out).expect("one JSON object");
    assert_eq!(
        (&report["result"], &report["steps"][0]["result"]),
        (&json!("failed"), &json!("refused"))
    );
}

#[test]
fn why_a_pod_is_pending_is_told_node_by_node() {
    let Some(bench) = Bench::open() else { return };
    let pod = json!({
        "metadata": {"name": "big"},
        "spec": {
            "nodeSelector": {"a": "1"},
            "containers": [{
                "name": "app", "image": "registry.test/app:1",
                "resources": {"requests": {"cpu": "64"}},
            }],
        },
    });
    bench.lab.api_create("/api/v1/namespaces/changes/pods", &pod);
    let out = bench.done(&["why", "big", "-n", "changes"]);
    assert!(
        out.contains("None of the 2 nodes takes it") && out.contains("insufficient cpu"),
        "{out}"
    );
}

#[test]
fn a_dry_run_of_a_drain_names_decisions_budgets_and_landing() {
    let Some(bench) = Bench::open() else { return };
    bench.pod("bare");
    let budget = json!({
        "metadata": {"name": "web"},
        "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {"app": "web"}}},
    });
    let budgets = "/apis/policy/v1/namespaces/changes/poddisruptionbudgets";
    bench.lab.api_create(budgets, &budget);
    // No controller works its status out here: what it would write is written for it.
    let status = json!({"status": {
        "observedGeneration": 1, "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1,
    }});
    bench.lab.api_patch(&format!("{budgets}/web/status"), &status);
    let before = bench.node("n1")["metadata"]["resourceVersion"].clone();
    let (code, out, err) = bench.run(User::Admin, &["drain", "n1", "--dry-run", "client"]);
    assert!(code == 3 && err.contains("--force"), "{code} {err}");
    for words in [
        "1 pods: 0 to be evicted, 0 stay, 1 need your decision",
        "no controller would make it again",
        "never lets them go by eviction",
        "0 fit elsewhere",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert_eq!(bench.node("n1")["metadata"]["resourceVersion"], before, "it touched nothing");
    let (code, _, err) = bench.run(User::Admin, &["drain", "n9", "--yes"]);
    assert!(code == 1 && err.contains("n9"), "{code} {err}");
}
