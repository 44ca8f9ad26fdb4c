//! What happens beside a drain: webhooks with moods, a rollout, a long grace, a kubelet that stops.

use crate::controlplane::{Component, wait_until};
use crate::hook::{Hook, Mood};
use crate::scene::{SOON, Scene};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const HOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

impl Scene {
    /// Puts a webhook in front of this test's evictions, and waits until the server asks it.
    fn hooked(&self, hook: &Hook, seconds: u32) {
        self.lab.plane.api_create(HOOKS, &hook.configuration(self.name, seconds));
        let probe = self.pod("probe", &self.nodes[0], |_| {});
        let name = probe["metadata"]["name"].as_str().unwrap();
        let path = format!("/api/v1/namespaces/{}/pods/{name}/eviction", self.name);
        let eviction = json!({
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"name": name, "namespace": self.name},
            // Nothing is evicted by this, and a webhook without side effects is asked all the same.
            "deleteOptions": {"dryRun": ["All"]},
        });
        let body = eviction.to_string();
        wait_until("a webhook that is asked", SOON, || {
            let _ = self.lab.plane.request(
                "POST",
                &format!("{path}?dryRun=All"),
                "application/json",
                body.as_bytes(),
            );
            hook.asked() > 0
        });
        self.delete("/api/v1", &format!("pods/{name}"));
        let gone = || !self.pods().iter().any(|p| p["metadata"]["name"] == name);
        wait_until("the probe to be gone", SOON, gone);
    }

    fn unhooked(&self) {
        self.lab.plane.api_delete(&format!("{HOOKS}/{}.lab.test", self.name), &Value::Null);
    }

    /// What a drain leaves behind, without what differs between two runs.
    pub fn left(&self, node: &str) -> Value {
        let object = self.node(node);
        let names = |at: &Value| {
            let keys = at.as_object().into_iter().flatten().map(|(key, _)| key.clone());
            keys.filter(|k| !k.contains("kubernetes.io/"))
                .collect::<std::collections::BTreeSet<_>>()
        };
        let pods = self.pods();
        let away = pods.iter().filter(|p| p["spec"]["nodeName"] != *node).count();
        let mut taints: Vec<String> = object["spec"]["taints"]
            .as_array()
            .into_iter()
            .flatten()
            // It holds the lane's name.
            .filter(|t| t["key"] != "scene")
            .map(|t| format!("{}={}:{}", t["key"], t["value"], t["effect"]))
            .collect();
        taints.sort();
        json!({
            "unschedulable": object["spec"]["unschedulable"],
            "annotations": names(&object["metadata"]["annotations"]),
            "labels": names(&object["metadata"]["labels"]),
            "taints": taints,
            "pods here": pods.len() - away,
            "pods away": away,
        })
    }
}

#[test]
fn a_webhook_that_sleeps_is_named_and_is_no_budget() {
    let Some(scene) = Scene::open("asleep", 2) else { return };
    scene.deployment("web", 2, |_| {});
    scene.budget("web", 1);
    let hook = Hook::start(Mood::Sleeps);
    scene.hooked(&hook, 1);
    let node = scene.nodes[0].clone();
    let mut drain = scene.drain(&[&node, "--yes"]);
    let words = drain.blocked("webhook")["message"].as_str().unwrap().to_owned();
    assert!(words.contains("gate.asleep.lab.test") && !words.contains("budget"), "{words}");
    assert!(words.contains("deadline") || words.contains("timeout"), "{words}");
    hook.be(Mood::Allows);
    drain.drained();
    scene.once();
    scene.unhooked();
}

#[test]
fn a_webhook_that_says_429_is_told_from_a_budget_and_its_retry_after_is_kept() {
    let Some(scene) = Scene::open("busy", 2) else { return };
    scene.deployment("web", 2, |_| {});
    scene.budget("web", 1);
    let hook = Hook::start(Mood::TooMany(12));
    scene.hooked(&hook, 5);
    let node = scene.nodes[0].clone();
    let before = hook.asked();
    let mut drain = scene.drain(&[&node, "--yes"]);
    let words = drain.blocked("webhook")["message"].as_str().unwrap().to_owned();
    let first = Instant::now();
    assert!(words.contains("gate.busy.lab.test") && !words.contains("budget"), "{words}");
    wait_until("the second request", SOON, || hook.asked() > before + 1);
    // Without Retry-After the first pause is of five seconds.
    assert!(first.elapsed() > Duration::from_secs(11), "{:?}", first.elapsed());
    hook.be(Mood::Allows);
    drain.drained();
    scene.once();
    scene.unhooked();
}

/// Killed while its request hangs; whether the webhook lets the request go on before the resume or after it.
#[test]
fn killed_while_a_request_hangs_no_pod_is_evicted_twice() {
    let Some(scene) = Scene::open("hanging", 4) else { return };
    scene.deployment("web", 4, |_| {});
    scene.budget("web", 1);
    let drained = |node: &str| {
        scene.once();
        scene.wait_ready("web", 4);
        let left = scene.left(node);
        let back = json!({"spec": {"unschedulable": null}, "metadata": {"annotations": {"wheelhouse.dev/cordon": null}}});
        scene.lab.plane.api_patch(&format!("/api/v1/nodes/{node}"), &back);
        left
    };
    let hook = Hook::start(Mood::Allows);
    scene.hooked(&hook, 10);
    scene.drain(&[&scene.nodes[0], "--yes"]).drained();
    let undisturbed = drained(&scene.nodes[0]);
    for early in [true, false] {
        let node = scene.pods()[0]["spec"]["nodeName"].as_str().unwrap().to_owned();
        hook.be(Mood::Sleeps);
        let before = hook.asked();
        let mut drain = scene.drain(&[&node, "--yes"]);
        wait_until("a request that hangs", SOON, || hook.asked() > before);
        drain.kill();
        if early {
            hook.be(Mood::Allows);
        }
        let resumed = scene.drain(&["--resume", "--yes"]);
        if !early {
            wait_until("a second request that hangs", SOON, || hook.asked() > before + 1);
            hook.be(Mood::Allows);
        }
        resumed.drained();
        assert_eq!(drained(&node), undisturbed, "released early: {early}");
    }
    scene.unhooked();
}

#[test]
fn a_rollout_in_the_middle_takes_nothing_from_a_drain() {
    let Some(scene) = Scene::open("rollout", 3) else { return };
    scene.deployment("web", 6, |_| {});
    scene.budget("web", 0);
    let node = scene.nodes[0].clone();
    let old: Vec<Value> =
        scene.pods_on(&node).iter().map(|p| p["metadata"]["uid"].clone()).collect();
    assert_eq!(old.len(), 2);
    let mut drain = scene.drain(&[&node, "--yes"]);
    drain.blocked("budget-never");
    let newer = json!({"spec": {"template": {"metadata": {"annotations": {"revision": "2"}}}}});
    scene.patch("/apis/apps/v1", "deployments/web", &newer);
    // The rollout empties the node. Its surge counts as healthy too, so the budget may open meanwhile: then the drain uses
    // it, and asks for none that is gone.
    let lines = drain.drained();
    assert!(scene.pods_on(&node).is_empty());
    for uid in &old {
        let gone = lines.iter().any(|l| l["uid"] == *uid && l["state"] == "gone");
        assert!(gone, "{uid}: {lines:#?}");
    }
    let asked = scene.evictions();
    assert!(asked.keys().all(|uid| old.iter().any(|o| o == uid)), "{asked:?}");
    scene.once();
    let web = format!("/apis/apps/v1/namespaces/{}/deployments/web", scene.name);
    wait_until("the end of the rollout", SOON, || {
        let status = &scene.lab.plane.api_get(&web)["status"];
        status["updatedReplicas"] == 6 && status["readyReplicas"] == 6 && status["replicas"] == 6
    });
}

#[test]
fn a_grace_of_a_minute_is_counted_down_and_waited_for() {
    let Some(scene) = Scene::open("grace", 2) else { return };
    scene.deployment("slow", 1, |pod| {
        pod["spec"]["terminationGracePeriodSeconds"] = json!(60);
        pod["metadata"]["annotations"] = json!({});
    });
    let pod = scene.pods()[0].clone();
    let (node, uid) = (pod["spec"]["nodeName"].as_str().unwrap(), &pod["metadata"]["uid"]);
    let began = Instant::now();
    let mut drain = scene.drain(&[node, "--yes"]);
    let line = drain.until("the grace that is left", |l| l["verdict"] == "grace-left");
    let words = line["message"].as_str().unwrap();
    let left: u64 = words.split(' ').find_map(|w| w.parse().ok()).unwrap();
    assert!((50..=60).contains(&left) && line["state"] == "terminating", "{line}");
    let here = scene.pods_on(node);
    assert!(here.iter().any(|p| p["metadata"]["uid"] == *uid), "it is still there");
    let lines = drain.drained();
    let took = began.elapsed();
    assert!(took > Duration::from_secs(55) && took < Duration::from_secs(90), "{took:?}");
    assert!(lines.iter().any(|l| l["uid"] == *uid && l["state"] == "gone"), "{lines:#?}");
    assert!(scene.pods_on(node).is_empty());
    scene.once();
}

/// All kubelets are one process here, so this has a control plane of its own.
#[test]
fn a_kubelet_that_stops_is_told_and_waited_for_until_it_goes_on() {
    let Some(scene) = Scene::alone("stopped", 1) else { return };
    let node = scene.nodes[0].clone();
    scene.pod("web", &node, |pod| pod["spec"]["terminationGracePeriodSeconds"] = json!(1));
    scene.lab.plane.signal(Component::Kwok, libc::SIGSTOP);
    let mut drain = scene.drain(&[&node, "--force", "--yes"]);
    let words = drain.blocked("overdue")["message"].as_str().unwrap().to_owned();
    assert!(words.contains("should have ended"), "{words}");
    let words = drain.blocked("node-dead")["message"].as_str().unwrap().to_owned();
    assert!(words.contains(&node) && words.contains("not ready"), "{words}");
    assert_eq!(scene.pods_on(&node).len(), 1, "nothing was forced");
    scene.lab.plane.signal(Component::Kwok, libc::SIGCONT);
    drain.drained();
    assert!(scene.pods_on(&node).is_empty());
    scene.once();
}
