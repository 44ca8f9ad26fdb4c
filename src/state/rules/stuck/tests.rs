//! A verdict for each case, and that what could not be read makes nobody dead.

use super::*;
use serde_json::json;
use std::collections::BTreeMap;

const NOW: i64 = 1_795_435_200;

fn forge() -> &'static Gvk {
    Gvk::found("foundry.example", "v1", "Forge", "forges", true)
}

fn core(kind: &str, plural: &str, namespaced: bool) -> &'static Gvk {
    Gvk::found("", "v1", kind, plural, namespaced)
}

/// An object that was deleted so many seconds ago.
fn held(gvk: &'static Gvk, ago: i64, rest: Value) -> Held {
    let mut object = json!({
        "metadata": {"name": "anvil", "namespace": "team", "uid": "61cc42d4-094b-4c40-a0ef-4aa7dd7f4aec",
            "resourceVersion": "7", "deletionTimestamp": Epoch(NOW - ago).rfc3339()},
    });
    json_patch::merge(&mut object, &rest);
    Held::of(gvk, &object).expect("it is being deleted")
}

fn with(finalizer: &str) -> Value {
    json!({"metadata": {"finalizers": [finalizer]}})
}

/// A cluster in which everything can be read and nothing runs.
fn empty() -> Evidence {
    Evidence {
        now: Epoch(NOW),
        workloads: Some(vec![]),
        grants: Some(vec![]),
        ..Evidence::default()
    }
}

fn operator(name: &str, wanted: i64, ready: i64) -> Workload {
    let object = json!({
        "metadata": {"name": name, "namespace": "ops"},
        "spec": {"replicas": wanted, "template": {"spec": {"serviceAccountName": name,
            "containers": [{"name": "main"}]}}},
        "status": {"readyReplicas": ready, "conditions": [
            {"type": "Available", "status": "True", "lastTransitionTime": Epoch(NOW - 86_400).rfc3339()}]},
    });
    Workload::of("deployments", &object)
}

fn lease(name: &str, ago: i64) -> Lease {
    Lease::of(&json!({
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"holderIdentity": "cp-a", "leaseDurationSeconds": 15, "renewTime": Epoch(NOW - ago).rfc3339()},
    }))
}

fn role(account: &str, group: &str, resource: &str) -> Vec<Grant> {
    let roles = [json!({"metadata": {"name": "r"}, "rules": [
        {"apiGroups": [group], "resources": [resource], "verbs": ["get", "update"]},
        {"apiGroups": [group], "resources": ["looked-at"], "verbs": ["get"]}]})];
    let bindings = [
        json!({"metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "ops", "name": account}, {"kind": "User", "name": "u"}]}),
    ];
    grants(&roles, &bindings)
}

#[test]
fn a_controller_that_is_scaled_to_zero_is_gone_and_is_watched() {
    let mut seen = empty();
    seen.workloads = Some(vec![operator("foundry-operator", 0, 0), operator("other", 3, 3)]);
    let ruling = judge(&held(forge(), 9000, with("foundry.example/cleanup")), &seen);
    assert_eq!(ruling.life, Life::Gone);
    assert!(
        ruling.words.contains("Deployment ops/foundry-operator is scaled to zero"),
        "{}",
        ruling.words
    );
    assert!(ruling.next.contains("start Deployment ops/foundry-operator again"), "{}", ruling.next);
    let path = "/apis/apps/v1/namespaces/ops/deployments/foundry-operator";
    assert_eq!(ruling.holders[0].vetoes, [Veto::Workload(path.into())]);
}

#[test]
fn a_controller_is_found_by_what_it_may_write_whatever_it_is_called() {
    let mut seen = empty();
    seen.workloads = Some(vec![operator("smith", 1, 1)]);
    seen.grants = Some(role("smith", "foundry.example", "forges/finalizers"));
    let ruling = judge(&held(forge(), 60, with("foundry.example/cleanup")), &seen);
    assert_eq!(ruling.life, Life::Works, "{}", ruling.words);
    assert!(ruling.words.contains("Deployment ops/smith lives (1 ready)"), "{}", ruling.words);
    // The same after a silence.
    let ruling = judge(&held(forge(), 9000, with("foundry.example/cleanup")), &seen);
    assert_eq!(ruling.life, Life::Fails, "{}", ruling.words);
    // What only may look is nobody.
    seen.grants = Some(role("smith", "foundry.example", "sparks"));
    seen.workloads = Some(vec![]);
    let ruling = judge(&held(forge(), 9000, with("foundry.example/cleanup")), &seen);
    assert!(ruling.words.contains("no workload runs as it"), "{}", ruling.words);
}

#[test]
fn a_role_without_anybody_who_runs_as_it_says_who_is_gone() {
    let mut seen = empty();
    seen.grants = Some(role("smith", "foundry.example", "*"));
    let ruling = judge(&held(forge(), 9000, with("foundry.example/cleanup")), &seen);
    assert_eq!(ruling.life, Life::Gone);
    assert!(ruling.words.contains("service account ops/smith"), "{}", ruling.words);
    let list = "/apis/apps/v1/namespaces/ops/deployments".to_owned();
    assert_eq!(ruling.holders[0].vetoes, [Veto::Account(list, "smith".into())]);
}

#[test]
fn without_the_list_of_workloads_or_roles_nobody_is_called_gone() {
    let stuck = held(forge(), 9000, with("foundry.example/cleanup"));
    let blind = Evidence { workloads: None, ..empty() };
    assert_eq!(judge(&stuck, &blind).life, Life::Unknown);
    let blind = Evidence { grants: None, ..empty() };
    assert_eq!(judge(&stuck, &blind).life, Life::Unknown);
    assert_eq!(judge(&stuck, &empty()).life, Life::Gone);
    // Whoever may write everything might be the one.
    let mut seen = empty();
    seen.workloads = Some(vec![operator("deployer", 1, 1)]);
    seen.grants = Some(role("deployer", "*", "*"));
    assert_eq!(judge(&stuck, &seen).life, Life::Unknown);
}

#[test]
fn somebody_who_goes_on_writing_the_status_is_not_called_gone() {
    let mut rest = with("foundry.example/cleanup");
    rest["metadata"]["managedFields"] = json!([
        {"manager": "smith", "time": Epoch(NOW - 1).rfc3339(), "fieldsV1": {"f:status": {"f:phase": {}}}}]);
    let ruling = judge(&held(forge(), 9000, rest), &empty());
    assert_eq!(ruling.life, Life::Unknown);
    assert!(ruling.words.contains("calls itself smith"), "{}", ruling.words);
}

#[test]
fn a_warning_since_it_was_deleted_is_the_controllers_last_word() {
    let mut seen = empty();
    seen.workloads = Some(vec![operator("foundry-operator", 1, 1)]);
    let stuck = held(forge(), 60, with("foundry.example/cleanup"));
    let warning = |at| (Epoch(NOW - at), "QuenchFailed".to_owned(), "no water".to_owned());
    seen.warnings.insert(stuck.uid.clone(), vec![warning(7000)]);
    assert_eq!(judge(&stuck, &seen).life, Life::Works, "it is from before");
    seen.warnings.insert(stuck.uid.clone(), vec![warning(7000), warning(10)]);
    let ruling = judge(&stuck, &seen);
    assert_eq!(ruling.life, Life::Fails);
    assert!(ruling.words.contains("10s ago: QuenchFailed: no water"), "{}", ruling.words);
}

#[test]
fn kubernetes_own_finalizers_go_by_the_lease_of_who_leads() {
    let claim = core("PersistentVolumeClaim", "persistentvolumeclaims", true);
    let stuck = held(claim, 60, with("kubernetes.io/pvc-protection"));
    let life = |leases: Vec<Lease>| judge(&stuck, &Evidence { leases, ..empty() }).life;
    assert_eq!(life(vec![lease("kube-controller-manager", 2)]), Life::Works);
    assert_eq!(life(vec![lease("kube-controller-manager", 200)]), Life::Gone);
    assert_eq!(life(vec![lease("kube-scheduler", 2)]), Life::Unknown);
    let mut used = Evidence { leases: vec![lease("kube-controller-manager", 2)], ..empty() };
    used.users.insert("team/anvil".into(), vec!["reader".into()]);
    let ruling = judge(&held(claim, 9000, with("kubernetes.io/pvc-protection")), &used);
    assert!(ruling.life == Life::Works && ruling.words.contains("reader"), "{}", ruling.words);
    assert!(ruling.next.contains("end the pods that use it, reader first"), "{}", ruling.next);
    let dead = Evidence { leases: vec![lease("kube-controller-manager", 200)], ..empty() };
    let ruling = judge(&stuck, &dead);
    assert!(matches!(ruling.holders[0].vetoes[..], [Veto::Lease(..)]));
    assert!(ruling.holders[0].skips.contains("data is lost"));
}

fn conditions(all: &[(&str, &str)]) -> Value {
    let of = |(kind, message): &(&str, &str)| json!({"type": kind, "status": "True", "reason": "R", "message": message});
    json!({
        "metadata": {"namespace": null, "name": "team"}, "spec": {"finalizers": ["kubernetes"]},
        "status": {"conditions": all.iter().map(of).collect::<Vec<_>>()},
    })
}

fn namespace(ago: i64, all: &[(&str, &str)]) -> Held {
    held(core("Namespace", "namespaces", false), ago, conditions(all))
}

#[test]
fn a_namespace_names_the_api_that_keeps_it() {
    let mut seen = empty();
    seen.services = vec![
        ApiService::of(&json!({
            "metadata": {"name": "v1alpha1.legacy.example"},
            "spec": {"group": "legacy.example", "version": "v1alpha1", "service": {"namespace": "ops", "name": "legacy"}},
            "status": {"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]},
        })),
        ApiService::of(&json!({
            "metadata": {"name": "v1.other.example"},
            "spec": {"group": "other.example", "version": "v1"},
            "status": {"conditions": [{"type": "Available", "status": "False", "reason": "FailedDiscoveryCheck"}]},
        })),
    ];
    let message = "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: \
                   legacy.example/v1alpha1: stale GroupVersion discovery: legacy.example/v1alpha1";
    let ruling = judge(&namespace(60, &[("NamespaceDeletionDiscoveryFailure", message)]), &seen);
    assert_eq!(ruling.life, Life::Fails);
    assert!(ruling.words.contains("APIService v1alpha1.legacy.example (Service ops/legacy) does not answer, MissingEndpoints"), "{}", ruling.words);
    assert!(!ruling.words.contains("other.example"), "{}", ruling.words);
    assert!(
        ruling.next.contains("delete the APIService v1alpha1.legacy.example"),
        "{}",
        ruling.next
    );
}

#[test]
fn a_namespace_with_content_says_what_and_where_to_look() {
    let all = [
        (
            "NamespaceContentRemaining",
            "Some resources are remaining: forges.foundry.example has 3 resource instances",
        ),
        (
            "NamespaceFinalizersRemaining",
            "Some content in the namespace has finalizers remaining: foundry.example/cleanup in 3 resource instances",
        ),
    ];
    let ruling = judge(&namespace(9000, &all), &empty());
    assert!(ruling.words.contains("it is not empty: 3 forges.foundry.example"), "{}", ruling.words);
    assert!(ruling.next.contains("object by object"), "{}", ruling.next);
}

#[test]
fn pods_are_named_although_the_conditions_claim_that_all_is_removed() {
    let mut seen = empty();
    let objects = BTreeMap::from([("pods".to_owned(), 1)]);
    seen.content.insert("team".into(), Content { objects, ..Content::default() });
    let ruling = judge(&namespace(9000, &[]), &seen);
    assert!(ruling.words.contains("1 of its pods are still there"), "{}", ruling.words);
    assert_eq!(ruling.life, Life::Fails);
}

fn pod(ago: i64, rest: Value) -> Held {
    let mut all = json!({
        "metadata": {"deletionGracePeriodSeconds": 30}, "spec": {"nodeName": "n1"},
        "status": {"phase": "Running", "containerStatuses": [{"name": "a", "state": {"running": {}}}]},
    });
    json_patch::merge(&mut all, &rest);
    held(core("Pod", "pods", true), ago, all)
}

#[test]
fn a_pod_waits_for_its_grace_its_node_its_containers_or_its_volume() {
    let on =
        |node: NodeSeen| Evidence { nodes: BTreeMap::from([("n1".to_owned(), node)]), ..empty() };
    let words = |held: &Held, seen: &Evidence| {
        let ruling = judge(held, seen);
        (ruling.life, ruling.words)
    };
    let (life, text) = words(&pod(-20, json!({})), &on(NodeSeen::Ready));
    assert!(life == Life::Works && text.contains("20s of its 30 s of grace"), "{text}");
    let silent = NodeSeen::NotReady("Unknown".into(), Epoch(NOW - 960), false);
    let (life, text) = words(&pod(900, json!({})), &on(silent));
    assert!(life == Life::Gone && text.contains("n1 is not ready (Unknown for 16m)"), "{text}");
    let (life, text) = words(&pod(900, json!({})), &on(NodeSeen::Missing));
    assert!(life == Life::Gone && text.contains("n1 is gone"), "{text}");
    let (life, text) = words(&pod(900, json!({})), &on(NodeSeen::Ready));
    assert!(life == Life::Fails && text.contains("do not end although"), "{text}");
    let over = json!({
        "spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}}]},
        "status": {"containerStatuses": [{"name": "a", "state": {"terminated": {}}}]},
    });
    let (_, text) = words(&pod(900, over), &on(NodeSeen::Ready));
    assert!(text.contains("a volume is not let go (data)"), "{text}");
    let set =
        json!({"metadata": {"ownerReferences": [{"kind": "StatefulSet", "controller": true}]}});
    let ruling = judge(&pod(900, set), &on(NodeSeen::Missing));
    assert!(ruling.holders[0].skips.contains("two may run"), "{}", ruling.holders[0].skips);
}

#[test]
fn a_webhook_that_does_not_answer_is_named() {
    let config = json!({
        "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "gate"},
        "webhooks": [{"name": "gate.foundry.example", "clientConfig": {"service": {"namespace": "ops", "name": "gate"}},
            "rules": [{"apiGroups": ["foundry.example"], "resources": ["forges"], "operations": ["UPDATE"]}]},
            {"name": "made.foundry.example", "clientConfig": {"service": {"namespace": "ops", "name": "gate"}},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "operations": ["CREATE"]}]}],
    });
    let mut seen = empty();
    seen.hooks = clients_of(&config, &|service| Some(format!("{service} has no ready endpoint")));
    assert_eq!(seen.hooks.len(), 1, "what sees no updates does not stand in the way");
    let ruling = judge(&held(forge(), 60, with("foundry.example/cleanup")), &seen);
    let note = ruling.notes.join("\n");
    assert!(
        note.contains("gate.foundry.example") && note.contains("ops/gate has no ready endpoint"),
        "{note}"
    );
}

#[test]
fn what_nothing_holds_goes_by_itself() {
    assert_eq!(judge(&held(forge(), 1, json!({})), &empty()).life, Life::Works);
}
