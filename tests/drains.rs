//! Drains on a real control plane, run by the built binary and checked by reads that are not ours: pods and nodes by GET,
//! evictions by the server's audit log. Skipped without a control plane, see `control_plane.rs`.

mod controlplane;
#[path = "drains/hook.rs"]
mod hook;
#[path = "drains/kills.rs"]
mod kills;
#[path = "drains/scene.rs"]
mod scene;
#[path = "drains/trials.rs"]
mod trials;

use controlplane::wait_until;
use scene::{SOON, Scene};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const PDB: &str = "/apis/policy/v1";

fn open(name: &'static str, nodes: usize) -> Option<Scene> {
    Scene::open(name, nodes)
}

#[test]
fn a_closed_budget_is_asked_once_explained_and_passed_when_it_opens() {
    let Some(scene) = open("opens", 2) else { return };
    scene.deployment("web", 2, |_| {});
    scene.budget("web", 0);
    let node = scene.nodes[0].clone();
    let mut drain = scene.drain(&[&node, "--yes"]);
    let blocked = drain.blocked("budget-never");
    let words = blocked["message"].as_str().unwrap();
    assert!(words.contains("opens/web") && words.contains("maxUnavailable: 0"), "{words}");
    assert_eq!(scene.node(&node)["spec"]["unschedulable"], true);
    scene.patch(PDB, "poddisruptionbudgets/web", &json!({"spec": {"maxUnavailable": 1}}));
    drain.drained();
    assert!(scene.pods_on(&node).is_empty());
    scene.once();
    let refused: usize = scene.evictions().values().filter_map(|a| a.get(&429)).sum();
    assert!(refused <= 1, "{:?}", scene.evictions());
    let marks = &scene.node(&node)["metadata"]["annotations"];
    assert!(
        marks["wheelhouse.dev/drain"].is_null() && marks["wheelhouse.dev/cordon"].is_string(),
        "{marks}"
    );
}

#[test]
fn who_holds_a_budget_is_named_by_its_ready_condition() {
    let Some(scene) = open("holder", 3) else { return };
    scene.deployment("web", 3, |_| {});
    scene.budget("web", 1);
    let node = scene.nodes[0].clone();
    let elsewhere = scene.pods().into_iter().find(|p| p["spec"]["nodeName"] != *node).unwrap();
    let name = elsewhere["metadata"]["name"].as_str().unwrap();
    // It prints 1/1 Running: only its Ready condition says no.
    let unready = json!({"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady"}]}});
    scene.patch("/api/v1", &format!("pods/{name}/status"), &unready);
    let budget = format!("/apis/policy/v1/namespaces/{}/poddisruptionbudgets/web", scene.name);
    let short = || scene.lab.plane.api_get(&budget)["status"]["disruptionsAllowed"] == 0;
    wait_until("a budget that is short", SOON, short);
    let mut drain = scene.drain(&[&node, "--yes"]);
    drain.until("the name of the pod that holds it", |line| {
        line["verdict"] == "budget-short"
            && line["message"].as_str().is_some_and(|m| m.contains(name))
    });
    let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    scene.patch("/api/v1", &format!("pods/{name}/status"), &ready);
    drain.drained();
    scene.once();
}

#[test]
fn a_pod_under_two_budgets_is_not_asked_for_until_one_is_gone() {
    let Some(scene) = open("two", 2) else { return };
    scene.deployment("web", 2, |_| {});
    scene.budget("web", 1);
    scene.budget_named("also", "web", 1);
    let node = scene.nodes[0].clone();
    let mut drain = scene.drain(&[&node, "--yes"]);
    let words = drain.blocked("two-budgets")["message"].as_str().unwrap().to_owned();
    assert!(words.contains("two/also") && words.contains("two/web"), "{words}");
    assert!(scene.evictions().is_empty(), "the server would answer 500");
    scene.delete(PDB, "poddisruptionbudgets/also");
    drain.drained();
    scene.once();
}

#[test]
fn what_kubectl_refuses_is_asked_with_its_flags_and_decided_by_them() {
    let Some(scene) = open("classes", 2) else { return };
    let node = scene.nodes[0].clone();
    scene.pod("bare", &node, |_| {});
    scene.pod("scratch", &node, |pod| {
        pod["spec"]["volumes"] = json!([{"name": "tmp", "emptyDir": {}}])
    });
    scene.pod("mirror", &node, |pod| {
        pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = json!("x");
    });
    let (code, _, errors) = scene.drain(&[&node, "--yes"]).end();
    assert_eq!(code, 3, "{errors}");
    for words in ["--force", "--delete-emptydir-data", "classes/scratch", "classes/bare"] {
        assert!(errors.contains(words), "{words}: {errors}");
    }
    assert!(scene.node(&node)["spec"]["unschedulable"].is_null(), "nothing was done");
    let (code, _, errors) = scene.drain(&[&node, "--force", "--delete-emptydir-data"]).end();
    assert!(code == 3 && errors.contains("no terminal"), "{code} {errors}");
    let (code, _, errors) = scene.drain(&[&node, "--force", "--yes", "--grace-period", "0"]).end();
    assert!(code == 3 && errors.contains("--allow-grace-zero"), "{code} {errors}");
    scene.drain(&[&node, "--force", "--delete-emptydir-data", "--yes"]).drained();
    let left: Vec<Value> =
        scene.pods_on(&node).iter().map(|p| p["metadata"]["name"].clone()).collect();
    assert_eq!(left, ["mirror"]);
}

#[test]
fn a_finalizer_is_named_and_the_timeout_says_what_is_left() {
    let Some(scene) = open("held", 2) else { return };
    let node = scene.nodes[0].clone();
    scene.pod("held", &node, |pod| {
        pod["metadata"]["finalizers"] = json!(["lab.test/hold"]);
        pod["spec"]["terminationGracePeriodSeconds"] = json!(1);
    });
    let mut drain = scene.drain(&[&node, "--force", "--yes", "--timeout", "12s"]);
    let words = drain.blocked("finalizer")["message"].as_str().unwrap().to_owned();
    assert!(words.contains("lab.test/hold"), "{words}");
    let (code, _, errors) = drain.end();
    assert!(code == 4 && errors.contains("1 pods left"), "{code} {errors}");
    scene.patch("/api/v1", "pods/held", &json!({"metadata": {"finalizers": null}}));
}

#[test]
fn a_dead_node_is_told_from_a_slow_one() {
    let Some(scene) = open("dead", 1) else { return };
    let node = scene.nodes[0].clone();
    scene.pod("web", &node, |pod| {
        // Nobody ends it, as on a node that lost power.
        pod["metadata"]["labels"]["lab/never-stops"] = json!("true");
        pod["spec"]["terminationGracePeriodSeconds"] = json!(1);
    });
    let annotation = json!({"metadata": {"annotations": {"kwok.x-k8s.io/node": null}}});
    let mut drain = scene.drain(&[&node, "--force", "--yes"]);
    drain.blocked("overdue");
    scene.lab.plane.api_patch(&format!("/api/v1/nodes/{node}"), &annotation);
    let gone = json!({"status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}});
    let dead = || {
        // The fake kubelet may say once more that all is well.
        scene.lab.plane.api_patch(&format!("/api/v1/nodes/{node}/status"), &gone);
        !scene::is_ready(&scene.node(&node))
    };
    wait_until("a node that is not ready", SOON, dead);
    let words = drain.blocked("node-dead")["message"].as_str().unwrap().to_owned();
    assert!(words.contains(&node) && words.contains("not ready"), "{words}");
    scene.lab.plane.api_delete(&format!("/api/v1/nodes/{node}"), &Value::Null);
    let (code, _, errors) = drain.end();
    assert!(code == 4 && errors.contains("the node is gone"), "{code} {errors}");
}

#[test]
fn a_webhook_that_does_not_answer_is_named_and_tried_again() {
    let Some(scene) = open("hooked", 2) else { return };
    scene.deployment("web", 2, |_| {});
    let hook = json!({
        "metadata": {"name": "hooked.lab.test"},
        "webhooks": [{
            "name": "gate.hooked.lab.test", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "timeoutSeconds": 1, "failurePolicy": "Fail",
            "clientConfig": {"url": "https://127.0.0.1:9/gate"},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "hooked"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods/eviction"]}],
        }],
    });
    let all = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    scene.lab.plane.api_create(all, &hook);
    let node = scene.nodes[0].clone();
    let mut drain = scene.drain(&[&node, "--yes"]);
    let words = drain.blocked("webhook")["message"].as_str().unwrap().to_owned();
    assert!(words.contains("gate.hooked.lab.test"), "{words}");
    scene.lab.plane.api_delete(&format!("{all}/hooked.lab.test"), &Value::Null);
    drain.drained();
    scene.once();
}

#[test]
fn rights_that_are_withdrawn_are_said_and_not_asked_for_again() {
    let Some(scene) = open("rights", 2) else { return };
    scene.deployment("web", 2, |_| {});
    scene.budget("web", 0);
    let plane = &scene.lab.plane;
    let user =
        plane.issue("drainer", "lab:drainers", SystemTime::now() + Duration::from_secs(3600));
    let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    let rules = json!([
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch", "patch"]},
        {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
    ]);
    plane.api_create(roles, &json!({"metadata": {"name": "drainers"}, "rules": rules}));
    plane.api_create(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        &json!({
            "metadata": {"name": "drainers"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "drainers"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "lab:drainers"}],
        }),
    );
    let node = scene.nodes[0].clone();
    let mut drain = scene.drain_as(&user, &[&node, "--yes", "--timeout", "30s"]);
    drain.blocked("budget-never");
    plane.api_patch(&format!("{roles}/drainers"), &json!({"rules": [rules[0]]}));
    scene.patch(PDB, "poddisruptionbudgets/web", &json!({"spec": {"maxUnavailable": 1}}));
    drain.blocked("forbidden");
    let (code, _, _) = drain.end();
    assert_eq!(code, 4);
    let refused: usize = scene.evictions().values().filter_map(|a| a.get(&403)).sum();
    assert_eq!(refused, 1, "{:?}", scene.evictions());
}

#[test]
fn a_plan_in_a_file_is_done_unless_the_cluster_changed() {
    let Some(scene) = open("saved", 2) else { return };
    scene.deployment("web", 2, |_| {});
    let node = scene.nodes[0].clone();
    let file = scene.home.path().join("plan.json").display().to_string();
    let (code, _, errors) = scene.drain(&[&node, "--plan-out", &file]).end();
    assert_eq!(code, 0, "{errors}");
    assert!(scene.node(&node)["spec"]["unschedulable"].is_null());
    let extra = scene.pod("extra", &node, |_| {});
    let (code, _, errors) = scene.drain(&["--plan", &file, "--yes"]).end();
    assert!(code == 3 && errors.contains("saved/extra is new"), "{code} {errors}");
    assert!(extra["metadata"]["uid"].is_string() && scene.evictions().is_empty());
    scene.delete("/api/v1", "pods/extra");
    wait_until("the pod to be gone", SOON, || scene.pods_on(&node).len() == 1);
    scene.drain(&["--plan", &file, "--yes"]).drained();
    scene.once();
}

/// Twenty nodes, five at once, three replicas of each under `maxUnavailable: 1`.
#[test]
fn twenty_nodes_are_drained_five_at_once_within_their_budgets() {
    let Some(scene) = open("many", 24) else { return };
    for app in 0..10 {
        scene.deployment(&format!("app-{app}"), 3, |_| {});
        scene.budget(&format!("app-{app}"), 1);
    }
    let nodes: Vec<&str> = scene.nodes[..20].iter().map(String::as_str).collect();
    let flags = ["--yes", "--parallel", "5", "--reason", "new kernel"];
    let lines = scene.drain(&[&nodes[..], &flags].concat()).drained();
    for node in &nodes {
        assert!(scene.pods_on(node).is_empty(), "{node}");
        let taints = scene.node(node)["spec"]["taints"].clone();
        assert!(!taints.to_string().contains("drained-later"), "{node}: {taints}");
    }
    let drained = lines.iter().filter(|l| l["pod"] == "" && l["state"] == "drained");
    assert!(drained.count() >= 20);
    scene.once();
}
