//! Classes, rounds and the page, on facts made here.

use super::*;
use crate::actions::landing::{Lists, World};
use serde_json::{Value, json};
use std::collections::HashMap;

fn pod(name: &str, rest: Value) -> Value {
    let mut pod = json!({
        "metadata": {"namespace": "shop", "name": name, "uid": format!("uid-{name}"), "labels": {"app": "web"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "rs", "controller": true}]},
        "spec": {"nodeName": "n1", "containers": [{"name": "app"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    });
    json_patch::merge(&mut pod, &rest);
    pod
}

fn node(name: &str) -> Value {
    json!({"metadata": {"name": name}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "10"}}})
}

fn budget(allowed: i64, healthy: i64, desired: i64, expected: i64) -> Value {
    json!({
        "metadata": {"namespace": "shop", "name": "web", "generation": 2},
        "spec": {"minAvailable": desired, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"observedGeneration": 2, "disruptionsAllowed": allowed, "currentHealthy": healthy,
            "desiredHealthy": desired, "expectedPods": expected},
    })
}

fn look(pods: &[Value], nodes: &[Value], budgets: &[Value]) -> Outlook {
    let world = World::of(&Lists { nodes, pods, ..Lists::default() });
    outlook(&Facts {
        nodes: vec!["n1".into()],
        pods: pods.iter().map(PodFacts::of).filter(|p| p.node == "n1").collect(),
        budgets: Ok(budgets.iter().map(Budget::of).collect()),
        ready_elsewhere: HashMap::new(),
        world: &world,
    })
}

#[test]
fn every_property_is_told_and_the_decisive_one_decides() {
    let verdict = |rest: Value| classify(&PodFacts::of(&pod("p", rest)), false);
    let owner = |kind: &str| json!({"metadata": {"ownerReferences": [{"kind": kind, "name": "x", "uid": "u", "controller": true}]}});
    assert_eq!(verdict(json!({})), (vec![], Verdict::Evict));
    assert_eq!(verdict(owner("DaemonSet")), (vec![Class::DaemonSet], Verdict::Stay));
    let mut ended = owner("DaemonSet");
    ended["status"]["phase"] = "Failed".into();
    assert_eq!(verdict(ended).1, Verdict::Evict, "kubectl evicts what has ended, whatever made it");
    let mirror = json!({"metadata": {"ownerReferences": null, "annotations": {"kubernetes.io/config.mirror": "h"}}});
    assert_eq!(verdict(mirror), (vec![Class::Mirror], Verdict::Stay));
    let volumes = json!([{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}, {"name": "d", "hostPath": {"path": "/d"}}]);
    let bare =
        verdict(json!({"metadata": {"ownerReferences": null}, "spec": {"volumes": volumes}}));
    let wanted = [
        Class::Bare,
        Class::EmptyDir(vec!["tmp (at most 1Gi)".into()]),
        Class::HostPath(vec!["/d".into()]),
    ];
    assert_eq!(bare, (wanted.to_vec(), Verdict::Ask), "all of them at once, and not the first");
    let keep = json!({"metadata": {"annotations": {"karpenter.sh/do-not-disrupt": "true"}}});
    assert_eq!(verdict(keep).1, Verdict::Ask);
    let tolerant = json!({"spec": {"tolerations": [{"operator": "Exists"}]}});
    assert_eq!(verdict(tolerant), (vec![Class::ComesBack], Verdict::Evict));
    assert_eq!(classify(&PodFacts::of(&pod("p", json!({}))), true).0, [Class::LastReady]);
}

#[test]
fn a_budget_makes_rounds_or_says_why_it_makes_none() {
    let pods = [pod("a", json!({})), pod("b", json!({})), pod("c", json!({}))];
    let rounds =
        |budget: Value| look(&pods, &[node("n1")], &[budget]).hurdles.unwrap()[0].rounds.clone();
    assert_eq!(rounds(budget(3, 12, 9, 12)), Rounds::Of(1));
    assert_eq!(rounds(budget(1, 12, 11, 12)), Rounds::Of(3));
    assert_eq!(rounds(budget(0, 10, 11, 12)), Rounds::NotNow);
    assert_eq!(rounds(budget(0, 12, 12, 12)), Rounds::Never);
    let mut stale = budget(3, 12, 9, 12);
    stale["metadata"]["generation"] = 3.into();
    assert!(matches!(rounds(stale), Rounds::Unknown(_)));
    // Pods that wait for a node, and those that are on their way out, pass a budget.
    let waiting = [pod("a", json!({"status": {"phase": "Pending"}}))];
    assert_eq!(look(&waiting, &[node("n1")], &[budget(0, 1, 1, 1)]).hurdles, Ok(vec![]));
}

#[test]
fn the_page_names_what_stands_in_the_way() {
    let big =
        json!({"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "3"}}}]}});
    let daemon = json!({"metadata": {"labels": {"app": "agent"},
        "ownerReferences": [{"kind": "DaemonSet", "name": "agent", "uid": "ds", "controller": true}]}});
    let bare = json!({"metadata": {"labels": {"app": "x"}, "ownerReferences": null}});
    let pods = [pod("a", big.clone()), pod("b", big), pod("agent", daemon), pod("bare", bare)];
    let second = json!({
        "metadata": {"namespace": "shop", "name": "all"}, "spec": {"maxUnavailable": 1, "selector": {}},
        "status": {"disruptionsAllowed": 1, "currentHealthy": 4, "desiredHealthy": 3, "expectedPods": 4},
    });
    let outlook = look(&pods, &[node("n1"), node("n2")], &[budget(0, 2, 2, 2), second]);
    insta::with_settings!({snapshot_path => "../../../tests/snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("drain_outlook", page(&outlook).text());
    });
}
