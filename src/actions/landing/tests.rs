//! Placing, predicate by predicate, and its promises.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const ZONE: &str = "topology.kubernetes.io/zone";
const HOST: &str = "kubernetes.io/hostname";

/// A node of 1 core, 1Gi and 10 pods in a zone.
fn node(name: &str, zone: &str) -> Value {
    json!({
        "metadata": { "name": name, "labels": { HOST: name, ZONE: zone } },
        "status": { "allocatable": { "cpu": "1", "memory": "1Gi", "pods": "10" } },
    })
}

/// A pod of `shop`, on a node if one is named.
fn pod(name: &str, at: &str, cpu: &str) -> Value {
    let container = json!({ "name": "a", "resources": { "requests": { "cpu": cpu } } });
    json!({
        "metadata": { "namespace": "shop", "name": name, "uid": name, "labels": { "app": "web" } },
        "spec": { "nodeName": at, "containers": [container] },
    })
}

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object["spec"][field] = value;
    object
}

fn labelled(mut object: Value, labels: Value) -> Value {
    object["metadata"]["labels"] = labels;
    object
}

fn required(kind: &str, terms: Value) -> Value {
    json!({ kind: { "requiredDuringSchedulingIgnoredDuringExecution": terms } })
}

fn web(key: &str) -> Value {
    json!([{ "labelSelector": { "matchLabels": { "app": "web" } }, "topologyKey": key }])
}

fn spread(key: &str, more: Value) -> Value {
    let mut constraint = json!({
        "maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": { "matchLabels": { "app": "web" } },
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        constraint[name] = value.clone();
    }
    json!([constraint])
}

fn world(nodes: &[Value], pods: &[Value]) -> World {
    World::of(&Lists { nodes, pods, ..Lists::default() })
}

/// The reasons of a node in words.
fn says(world: &World, pod: &Value, node: &str) -> Vec<String> {
    let reasons = world.reasons(&PodSpec::of(pod), node).unwrap();
    reasons.iter().map(Reason::words).collect()
}

fn moved(pods: &[Value]) -> Vec<PodSpec> {
    pods.iter().map(PodSpec::of).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn requests_must_fit_what_is_free() {
    let w = world(&[node("n1", "a")], &[pod("old", "n1", "880m")]);
    assert_eq!(
        says(&w, &pod("new", "", "500m"), "n1"),
        ["insufficient cpu: needs 500m, 120m free"]
    );
    assert_eq!(says(&w, &pod("new", "", "120m"), "n1"), NONE);
    assert_eq!(
        says(&w, &pod("old", "n1", "880m"), "n1"),
        NONE,
        "a pod does not stand in its own way"
    );
}

#[test]
fn finished_pods_hold_nothing() {
    let mut done = pod("done", "n1", "1");
    done["status"]["phase"] = json!("Succeeded");
    assert_eq!(says(&world(&[node("n1", "a")], &[done]), &pod("new", "", "1"), "n1"), NONE);
}

#[test]
fn a_node_takes_so_many_pods() {
    let mut one = node("n1", "a");
    one["status"]["allocatable"]["pods"] = json!("1");
    let w = world(&[one.clone()], &[pod("old", "n1", "0")]);
    assert_eq!(says(&w, &pod("new", "", "0"), "n1"), ["pods 1/1"]);
    assert_eq!(says(&world(&[one], &[]), &pod("new", "", "0"), "n1"), NONE);
}

#[test]
fn cordons_and_taints_keep_pods_away_that_do_not_tolerate_them() {
    let taints = json!([{ "key": "dedicated", "value": "gpu", "effect": "NoSchedule" }]);
    let cordoned = with(with(node("n1", "a"), "taints", taints), "unschedulable", json!(true));
    let w = world(&[cordoned], &[]);
    let new = pod("new", "", "0");
    assert_eq!(says(&w, &new, "n1"), ["cordoned", "taint dedicated=gpu:NoSchedule"]);
    let all = json!([{ "operator": "Exists" }]);
    assert_eq!(says(&w, &with(new, "tolerations", all), "n1"), NONE);
}

#[test]
fn node_selectors_and_affinity_must_match() {
    let w = world(&[node("n1", "a")], &[]);
    let by_label = |zone: &str| with(pod("p", "", "0"), "nodeSelector", json!({ ZONE: zone }));
    assert_eq!(says(&w, &by_label("a"), "n1"), NONE);
    assert_eq!(says(&w, &by_label("b"), "n1"), ["node affinity"]);
    let by_name = |name: &str| {
        let field = json!({ "key": "metadata.name", "operator": "In", "values": [name] });
        let affinity =
            required("nodeAffinity", json!({ "nodeSelectorTerms": [{ "matchFields": [field] }] }));
        with(pod("p", "", "0"), "affinity", affinity)
    };
    assert_eq!(says(&w, &by_name("n1"), "n1"), NONE);
    assert_eq!(says(&w, &by_name("n2"), "n1"), ["node affinity"]);
}

#[test]
fn host_ports_conflict_by_address_and_protocol() {
    let with_port = |name: &str, at: &str, port: Value| {
        let mut pod = pod(name, at, "0");
        pod["spec"]["containers"][0]["ports"] = json!([port]);
        pod
    };
    let old = with_port("old", "n1", json!({ "hostPort": 8080, "hostIP": "10.0.0.1" }));
    let w = world(&[node("n1", "a")], &[old]);
    let asks = |port: Value| says(&w, &with_port("new", "", port), "n1");
    assert_eq!(asks(json!({ "hostPort": 8080 })), ["host port 8080 taken"]);
    assert_eq!(asks(json!({ "hostPort": 8080, "hostIP": "10.0.0.2" })), NONE);
    assert_eq!(asks(json!({ "hostPort": 8080, "protocol": "UDP" })), NONE);
    assert_eq!(asks(json!({ "hostPort": 8081 })), NONE);
    assert_eq!(asks(json!({ "containerPort": 8080 })), NONE);
    let init = |policy: &str| {
        let ports = json!([{ "hostPort": 8080 }]);
        let init = json!([{ "name": "i", "restartPolicy": policy, "ports": ports }]);
        says(&w, &with(pod("new", "", "0"), "initContainers", init), "n1")
    };
    assert_eq!(init("Always"), ["host port 8080 taken"], "a sidecar keeps its port");
    assert_eq!(init(""), NONE, "other init containers are gone before");
}

#[test]
fn a_pod_keeps_away_from_pods_and_is_kept_away_by_them() {
    let nodes = [node("n1", "a"), node("n2", "a"), node("n3", "b")];
    let guard = with(pod("web-1", "n1", "0"), "affinity", required("podAntiAffinity", web(ZONE)));
    let shy = with(pod("new", "", "0"), "affinity", required("podAntiAffinity", web(ZONE)));
    let other = labelled(pod("new", "", "0"), json!({ "app": "db" }));
    let w = world(&nodes, std::slice::from_ref(&guard));
    assert_eq!(
        says(&w, &shy, "n2"),
        [
            "anti-affinity with shop/web-1 on topology zone",
            "anti-affinity of shop/web-1 on topology zone"
        ]
    );
    assert_eq!(says(&w, &shy, "n3"), NONE);
    assert_eq!(says(&w, &other, "n2"), NONE);
    let mut abroad = guard;
    abroad["metadata"]["namespace"] = json!("elsewhere");
    assert_eq!(says(&world(&nodes, &[abroad]), &shy, "n1"), NONE, "terms are about a namespace");
}

#[test]
fn namespace_selectors_reach_other_namespaces() {
    let mut terms = web(HOST);
    terms[0]["namespaceSelector"] = json!({ "matchLabels": { "team": "x" } });
    let shy = with(pod("new", "", "0"), "affinity", required("podAntiAffinity", terms));
    let mut old = pod("old", "n1", "0");
    old["metadata"]["namespace"] = json!("far");
    let says_with = |team: &str| {
        let far = json!({ "metadata": { "name": "far", "labels": { "team": team } } });
        let (nodes, pods) = ([node("n1", "a")], [old.clone()]);
        let lists = Lists { nodes: &nodes, pods: &pods, namespaces: &[far], ..Lists::default() };
        says(&World::of(&lists), &shy, "n1")
    };
    assert_eq!(says_with("x"), ["anti-affinity with far/old on topology hostname"]);
    assert_eq!(says_with("y"), NONE);
}

#[test]
fn affinity_needs_a_companion_unless_the_pod_is_the_first_of_its_group() {
    let nodes = [node("n1", "a"), node("n2", "b")];
    let social = with(pod("new", "", "0"), "affinity", required("podAffinity", web(ZONE)));
    assert_eq!(says(&world(&nodes, &[]), &social, "n2"), NONE, "the first may be anywhere");
    let w = world(&nodes, &[pod("web-1", "n1", "0")]);
    assert_eq!(says(&w, &social, "n1"), NONE);
    assert_eq!(says(&w, &social, "n2"), ["pod affinity on topology zone"]);
    let stranger = labelled(social, json!({ "app": "db" }));
    let alone = ["pod affinity on topology zone"];
    assert_eq!(says(&world(&nodes, &[]), &stranger, "n1"), alone);
}

#[test]
fn spread_counts_domains_as_the_scheduler_does() {
    let nodes = [node("n1", "a"), node("n2", "a"), node("n3", "b")];
    let old = [pod("w1", "n1", "0"), pod("w2", "n2", "0"), pod("w3", "n3", "0")];
    let even =
        |more: Value| with(pod("new", "", "0"), "topologySpreadConstraints", spread(ZONE, more));
    let w = world(&nodes, &old);
    assert_eq!(says(&w, &even(json!({})), "n1"), ["spread zone: skew would be 2 > 1"]);
    assert_eq!(says(&w, &even(json!({})), "n3"), NONE);
    assert_eq!(says(&w, &even(json!({ "maxSkew": 2 })), "n1"), NONE);
    assert_eq!(says(&w, &even(json!({ "whenUnsatisfiable": "ScheduleAnyway" })), "n1"), NONE);
    let few = ["spread zone: skew would be 2 > 1"];
    assert_eq!(says(&w, &even(json!({ "minDomains": 3 })), "n3"), few, "0 is the least then");
    let mut bare = node("n4", "a");
    bare["metadata"]["labels"] = json!({});
    let no_label = says(&world(&[bare], &[]), &even(json!({})), "n4");
    assert_eq!(no_label, ["no label topology.kubernetes.io/zone to spread by"]);
}

#[test]
fn pods_on_their_way_out_are_not_spread_but_hold_their_room() {
    let nodes = [node("n1", "a"), node("n2", "b")];
    let mut old = pod("w1", "n1", "1");
    old["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let w = world(&nodes, &[old]);
    let new = with(pod("new", "", "1m"), "topologySpreadConstraints", spread(ZONE, json!({})));
    assert_eq!(says(&w, &new, "n1"), ["insufficient cpu: needs 1m, 0 free"]);
}

#[test]
fn a_cordoned_domain_counts_unless_its_taints_are_honored() {
    let nodes = [node("n1", "a"), node("n2", "b"), node("n3", "c")];
    let old: Vec<Value> = [("w1", "n1"), ("w2", "n2"), ("w3", "n3")]
        .into_iter()
        .map(|(name, at)| {
            with(pod(name, at, "0"), "topologySpreadConstraints", spread(ZONE, json!({})))
        })
        .collect();
    let evicted = moved(&old[2..]);
    let landing = world(&nodes, &old).place(&evicted, &["n3"]);
    assert!(matches!(landing.pending[..], [(0, Why::Nowhere(_))]), "{landing:?}");

    let honest = json!({ "nodeTaintsPolicy": "Honor" });
    let honest = with(old[2].clone(), "topologySpreadConstraints", spread(ZONE, honest));
    let landing = world(&nodes, &old).place(&moved(&[honest]), &["n3"]);
    assert_eq!(landing.placed.len(), 1, "{landing:?}");
}

fn claim(name: &str, class: &str, volume: &str) -> Value {
    let bound = json!({ "pv.kubernetes.io/bind-completed": "yes" });
    json!({
        "metadata": { "namespace": "shop", "name": name, "annotations": bound },
        "spec": { "storageClassName": class, "volumeName": volume, "accessModes": ["ReadWriteOncePod"] },
    })
}

fn claiming(name: &str, at: &str, claim: &str) -> Value {
    let volume = json!([{ "name": "v", "persistentVolumeClaim": { "claimName": claim } }]);
    with(pod(name, at, "0"), "volumes", volume)
}

fn stored(pods: &[Value], claims: &[Value]) -> World {
    let in_a = json!({ "key": ZONE, "operator": "In", "values": ["a"] });
    let affinity = json!({ "required": { "nodeSelectorTerms": [{ "matchExpressions": [in_a] }] } });
    let volumes = [
        json!({ "metadata": { "name": "pv-77" }, "spec": { "nodeAffinity": affinity } }),
        json!({ "metadata": { "name": "pv-78", "labels": { ZONE: "b__c" } } }),
    ];
    let class = |name: &str, mode: &str, provisioner: &str| {
        let name = json!({ "name": name });
        json!({ "metadata": name, "volumeBindingMode": mode, "provisioner": provisioner })
    };
    let waits = "WaitForFirstConsumer";
    let classes = [
        class("late", waits, "csi.example.com"),
        class("now", "Immediate", "csi.example.com"),
        class("local", waits, "kubernetes.io/no-provisioner"),
    ];
    let nodes = [node("n1", "a"), node("n2", "b")];
    World::of(&Lists {
        nodes: &nodes,
        pods,
        claims,
        volumes: &volumes,
        classes: &classes,
        ..Lists::default()
    })
}

#[test]
fn bound_volumes_bind_the_pod() {
    let w = stored(&[], &[claim("one", "late", "pv-77"), claim("two", "late", "pv-78")]);
    assert_eq!(says(&w, &claiming("p", "", "one"), "n1"), NONE);
    let conflict = ["volume node affinity conflict pv-77"];
    assert_eq!(says(&w, &claiming("p", "", "one"), "n2"), conflict);
    assert_eq!(says(&w, &claiming("p", "", "two"), "n2"), NONE);
    let zone = ["volume pv-78 is bound to zone b__c"];
    assert_eq!(says(&w, &claiming("p", "", "two"), "n1"), zone);
}

#[test]
fn unbound_claims_wait_or_are_made_where_the_pod_goes() {
    let classes = ["late", "now", "local", "unheard"];
    let claims: Vec<Value> = classes.iter().map(|c| claim(c, c, "")).collect();
    let w = stored(&[], &claims);
    let waits = |claim: &str| w.waits(&PodSpec::of(&claiming("p", "", claim)));
    assert_eq!(waits("late"), None);
    assert_eq!(says(&w, &claiming("p", "", "late"), "n1"), NONE);
    assert_eq!(waits("now").unwrap(), "claim now waits for its volume");
    assert_eq!(waits("lost").unwrap(), "claim lost does not exist");
    assert_eq!(says(&w, &claiming("p", "", "local"), "n1"), ["no volume of class local"]);
    let unknown = w.unknown(&PodSpec::of(&claiming("p", "", "unheard")));
    assert_eq!(unknown.unwrap(), "storage class unheard was not seen");
}

#[test]
fn a_class_reaches_where_its_topologies_or_its_free_volumes_are() {
    let allowed = json!([{ "matchLabelExpressions": [{ "key": ZONE, "values": ["a"] }] }]);
    let late = json!({
        "metadata": { "name": "late" }, "volumeBindingMode": "WaitForFirstConsumer",
        "provisioner": "csi.example.com", "allowedTopologies": allowed,
    });
    let local = json!({
        "metadata": { "name": "local" }, "volumeBindingMode": "WaitForFirstConsumer",
        "provisioner": "kubernetes.io/no-provisioner",
    });
    let field = json!({ "key": "metadata.name", "operator": "In", "values": ["n1"] });
    let term = json!({ "nodeSelectorTerms": [{ "matchFields": [field] }] });
    let disk = json!({
        "metadata": { "name": "disk" }, "status": { "phase": "Available" },
        "spec": { "storageClassName": "local", "nodeAffinity": { "required": term } },
    });
    let nodes = [node("n1", "a"), node("n2", "b")];
    let w = World::of(&Lists {
        nodes: &nodes,
        claims: &[claim("late", "late", ""), claim("local", "local", "")],
        volumes: &[disk],
        classes: &[late, local],
        ..Lists::default()
    });
    assert_eq!(says(&w, &claiming("p", "", "late"), "n1"), NONE);
    let outside = ["outside the topologies of its storage class"];
    assert_eq!(says(&w, &claiming("p", "", "late"), "n2"), outside);
    assert_eq!(says(&w, &claiming("p", "", "local"), "n1"), NONE);
    assert_eq!(says(&w, &claiming("p", "", "local"), "n2"), ["no volume of class local"]);
}

#[test]
fn an_ephemeral_volume_is_made_anew_with_a_moved_pod() {
    let template = json!({ "volumeClaimTemplate": { "spec": { "storageClassName": "late" } } });
    let volume = json!([{ "name": "v", "ephemeral": template }]);
    let old = with(pod("p", "n1", "0"), "volumes", volume);
    // The claim of the pod that is there is bound to zone a; that of the new one is not.
    let w = stored(std::slice::from_ref(&old), &[claim("p-v", "late", "pv-77")]);
    assert_eq!(says(&w, &old, "n2"), NONE);
    let w = stored(&[], &[claim("p-v", "late", "pv-77")]);
    let pending = with(old, "nodeName", json!(""));
    assert_eq!(says(&w, &pending, "n2"), ["volume node affinity conflict pv-77"]);
}

#[test]
fn a_claim_for_one_pod_only_is_busy_while_another_has_it() {
    let w = stored(&[claiming("old", "n1", "one")], &[claim("one", "late", "pv-77")]);
    let busy = ["claim one is in use by shop/old"];
    assert_eq!(says(&w, &claiming("new", "", "one"), "n1"), busy);
    assert_eq!(says(&w, &claiming("old", "n1", "one"), "n1"), NONE);
}

#[test]
fn what_cannot_be_simulated_is_said() {
    let w = world(&[node("n1", "a")], &[]);
    let place = |pod: Value| w.place(&moved(&[pod]), &[]);
    let other = place(with(pod("p", "", "0"), "schedulerName", json!("volcano\u{1b}")));
    assert_eq!(other.unknown, [(0, "scheduled by volcano\u{fffd}".to_owned())]);
    let device = place(with(pod("p", "", "0"), "resourceClaims", json!([{ "name": "gpu" }])));
    assert_eq!(device.unknown.len(), 1);
    let mut extended = pod("p", "", "0");
    extended["status"]["extendedResourceClaimStatus"] = json!({ "resourceClaimName": "p-x" });
    assert_eq!(place(extended).unknown.len(), 1);
    let gated = place(with(pod("p", "", "0"), "schedulingGates", json!([{ "name": "quota" }])));
    assert_eq!(gated.pending, [(0, Why::Waits("scheduling gate quota".to_owned()))]);
}

#[test]
fn moved_pods_leave_room_behind_and_land_elsewhere() {
    let nodes = [node("n1", "a"), node("n2", "b")];
    let old = [pod("p1", "n1", "600m"), pod("p2", "n1", "400m"), pod("stays", "n2", "300m")];
    let landing = world(&nodes, &old).place(&moved(&old[..2]), &["n1"]);
    assert_eq!(landing.placed, [(0, "n2".to_owned())], "the greater one first");
    assert_eq!(landing.contested, [0], "smallest first it has no room");
    let [(1, Why::Packing(groups))] = &landing.pending[..] else { panic!("{landing:?}") };
    let found: Vec<_> = groups.iter().map(|g| (g.count, g.example.as_str())).collect();
    assert_eq!(found, [(1, "cordoned"), (1, "insufficient cpu: needs 400m, 100m free")]);
}

#[test]
fn a_pod_that_tolerates_the_cordon_may_stay() {
    let tolerant = with(pod("p", "n1", "0"), "tolerations", json!([{ "operator": "Exists" }]));
    let landing = world(&[node("n1", "a")], std::slice::from_ref(&tolerant))
        .place(&moved(std::slice::from_ref(&tolerant)), &["n1"]);
    assert_eq!(landing.placed, [(0, "n1".to_owned())]);
}

/// Moved pods of the group raise the emptiest domain, and with it what the others may hold.
#[test]
fn pods_that_land_may_even_out_domains() {
    let nodes = [node("n1", "a"), node("n2", "b"), node("n3", "c")];
    let even = |name: &str, at: &str, zone: &str| {
        let pinned = with(pod(name, at, "0"), "nodeSelector", json!({ ZONE: zone }));
        let any = json!({ "nodeAffinityPolicy": "Ignore", "nodeTaintsPolicy": "Honor" });
        with(pinned, "topologySpreadConstraints", spread(ZONE, any))
    };
    // Zone b has one pod and zone a none: another one in b needs the one in a first.
    let old = [even("w1", "n2", "b"), even("late", "n3", "b"), even("first", "n3", "a")];
    let w = world(&nodes, &old);
    let both = w.place(&moved(&old[1..]), &["n3"]);
    assert_eq!(both.placed, [(0, "n2".to_owned()), (1, "n1".to_owned())], "{both:?}");
    // If the one in a is not moved it stays on n3, which is no domain any more: zone a remains empty.
    let alone = w.place(&moved(&old[1..2]), &["n3"]);
    assert!(matches!(alone.pending[..], [(0, Why::Nowhere(_))]), "{alone:?}");
}

#[test]
fn nowhere_is_claimed_only_without_a_way() {
    let nodes = [node("n1", "a"), node("n2", "b")];
    let big = pod("big", "n1", "900m");
    let why = |pods: &[Value], big: &Value| {
        let landing = world(&nodes, pods).place(&moved(std::slice::from_ref(big)), &["n1"]);
        landing.pending.into_iter().map(|(_, why)| why).next()
    };
    let small = pod("small", "n2", "200m");
    assert!(matches!(why(&[big.clone(), small.clone()], &big), Some(Why::Nowhere(_))));

    let prior = with(big.clone(), "priority", json!(10));
    assert!(matches!(why(&[prior.clone(), small.clone()], &prior), Some(Why::Preempts(_))));
    let meek = with(prior.clone(), "preemptionPolicy", json!("Never"));
    assert!(matches!(why(&[meek.clone(), small.clone()], &meek), Some(Why::Nowhere(_))));

    let mut going = small;
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert!(matches!(why(&[big.clone(), going], &big), Some(Why::Packing(_))));
}

#[test]
fn room_left_by_another_pod_s_victims_makes_nowhere_uncertain() {
    let nodes = [node("n1", "a"), node("n2", "b")];
    let victim = with(pod("victim", "n2", "1"), "priority", json!(-1));
    let urgent = with(pod("urgent", "n1", "300m"), "priority", json!(10));
    let meek = with(pod("meek", "n1", "300m"), "preemptionPolicy", json!("Never"));
    let old = [victim, urgent, meek];
    let landing = world(&nodes, &old).place(&moved(&old[1..]), &["n1"]);
    assert!(
        matches!(landing.pending[..], [(0, Why::Preempts(_)), (1, Why::Packing(_))]),
        "{landing:?}"
    );
    let alone = world(&nodes, &old).place(&moved(&old[2..]), &["n1"]);
    assert!(matches!(alone.pending[..], [(0, Why::Nowhere(_))]), "{alone:?}");
}

#[test]
fn a_companion_that_is_moved_too_is_waited_for() {
    let nodes = [node("n1", "a"), node("n2", "b")];
    let friend = labelled(pod("friend", "n1", "100m"), json!({ "app": "web" }));
    let social = labelled(pod("social", "n1", "500m"), json!({ "app": "db" }));
    let social = with(social, "affinity", required("podAffinity", web(ZONE)));
    let old = [social, friend];
    let landing = world(&nodes, &old).place(&moved(&old), &["n1"]);
    assert_eq!(landing.placed.len(), 2, "{landing:?}");
}

#[test]
fn pending_reasons_are_counted_and_the_most_frequent_comes_first() {
    let mut nodes: Vec<Value> = (0..4).map(|i| node(&format!("n{i}"), "a")).collect();
    nodes[3] = with(nodes[3].clone(), "unschedulable", json!(true));
    let mut stuck = pod("stuck", "", "2");
    stuck["status"]["conditions"] = json!([
        { "type": "PodScheduled", "status": "False", "message": "0/4 nodes\nare available" },
    ]);
    let w = world(&nodes, &[]);
    let groups = why_pending(&w, &PodSpec::of(&stuck));
    let found: Vec<_> =
        groups.iter().map(|g| (g.count, g.node.as_str(), g.words.as_str())).collect();
    assert_eq!(found, [(3, "n0", "insufficient cpu"), (1, "n3", "cordoned")]);
    assert_eq!(groups[0].example, "insufficient cpu: needs 2, 1 free");
    assert_eq!(PodSpec::of(&stuck).message, "0/4 nodes are available");
    assert!(why_pending(&w, &PodSpec::of(&pod("fine", "", "1"))).is_empty());
}

/// A cluster by numbers: zones of nodes, and pods as (node, cpu, group, anti-affine, spread).
type Plan = (Vec<u8>, Vec<(u8, u16, u8, bool, bool)>);

fn plans() -> impl Strategy<Value = Plan> {
    let pods = (0u8..6, 0u16..700, 0u8..3, any::<bool>(), any::<bool>());
    (prop::collection::vec(0u8..3, 1..6), prop::collection::vec(pods, 0..24))
}

fn planned((zones, pods): &Plan) -> (Vec<Value>, Vec<Value>) {
    let zone = |(i, z): (usize, &u8)| node(&format!("n{i}"), &format!("z{z}"));
    let nodes = zones.iter().enumerate().map(zone).collect();
    let made = pods.iter().enumerate().map(|(i, &(at, cpu, group, shy, even))| {
        let app = format!("g{group}");
        let at = format!("n{}", usize::from(at) % zones.len());
        let mut made = pod(&format!("p{i}"), &at, &format!("{cpu}m"));
        made = labelled(made, json!({ "app": app }));
        let selector = json!({ "matchLabels": { "app": app } });
        if shy {
            let terms = json!([{ "labelSelector": selector, "topologyKey": HOST }]);
            made = with(made, "affinity", required("podAntiAffinity", terms));
        }
        if even {
            let rule = spread(ZONE, json!({ "labelSelector": selector }));
            made = with(made, "topologySpreadConstraints", rule);
        }
        made
    });
    (nodes, made.collect())
}

/// The anti-affinities that two pods on one node would break.
fn feud(one: &PodSpec, other: &PodSpec) -> bool {
    let hates = |a: &PodSpec, b: &PodSpec| {
        a.rules.anti_affinity.iter().any(|t| t.selector.matches(&b.labels))
    };
    hates(one, other) || hates(other, one)
}

proptest! {
    #[test]
    fn a_landing_keeps_to_allocatable_and_anti_affinity(plan in plans()) {
        let (nodes, pods) = planned(&plan);
        let w = world(&nodes, &pods);
        let evicted: Vec<PodSpec> = w.on("n0").cloned().collect();
        let landing = w.place(&evicted, &["n0"]);
        prop_assert_eq!(landing.placed.len() + landing.pending.len(), evicted.len());
        for facts in &w.nodes()[1..] {
            let landed: Vec<&PodSpec> =
                landing.placed.iter().filter(|(_, n)| *n == facts.name).map(|(i, _)| &evicted[*i]).collect();
            let old: Vec<&PodSpec> = w.on(&facts.name).collect();
            let sum = |pods: &[&PodSpec]| pods.iter().map(|p| p.asks.cpu).sum::<i64>();
            if landed.iter().any(|p| p.asks.cpu > 0) {
                prop_assert!(sum(&landed) + sum(&old) <= facts.allocatable.cpu);
            }
            if !landed.is_empty() {
                prop_assert!((landed.len() + old.len()) as i64 <= facts.pods);
            }
            for (i, pod) in landed.iter().enumerate() {
                prop_assert!(!old.iter().chain(&landed[i + 1..]).any(|other| feud(pod, other)));
            }
        }
        prop_assert!(landing.placed.iter().all(|(_, n)| n != "n0"), "n0 is cordoned");
    }

    /// What is claimed to fit nowhere fits nowhere in any order: alone in the world that is left it is refused, too.
    #[test]
    fn nowhere_holds_for_every_pod_alone(plan in plans()) {
        let (nodes, pods) = planned(&plan);
        let w = world(&nodes, &pods);
        let evicted: Vec<PodSpec> = w.on("n0").cloned().collect();
        let landing = w.place(&evicted, &["n0"]);
        let kept: Vec<Value> =
            pods.iter().filter(|p| p["spec"]["nodeName"] != "n0").cloned().collect();
        let mut nodes = nodes;
        nodes[0]["spec"]["unschedulable"] = json!(true);
        let rest = world(&nodes, &kept);
        for (i, why) in &landing.pending {
            let alone = why_pending(&rest, &evicted[*i]);
            if matches!(why, Why::Nowhere(_)) {
                prop_assert!(!alone.is_empty(), "{} fits alone", evicted[*i].name);
            }
        }
    }
}
