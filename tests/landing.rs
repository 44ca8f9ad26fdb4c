//! The landing simulator against the real scheduler, on small random clusters.
//!
//! Each cluster has a namespace, and nodes with a label and a taint of its own, so that all of them live in one control
//! plane and do not mix. The scheduler fills them; then some nodes are cordoned, the pods on them are deleted and made
//! anew, and what became of each is compared with what was foretold. `LANDING_CLUSTERS` says how many clusters there
//! are (10), `LANDING_SEED` which (1).

mod controlplane;

use controlplane::{ControlPlane, Options, fresh, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use wheelhouse::actions::landing::{Lists, PodSpec, Why, World, why_pending};

const SOON: Duration = Duration::from_secs(60);
const ZONE: &str = "topology.kubernetes.io/zone";
const HOST: &str = "kubernetes.io/hostname";
/// A priority class: its pods have others evicted.
const URGENT: &str = "urgent";

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// The same seed always gives the same clusters.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }
}

/// A cluster to be made.
struct Cluster {
    name: String,
    nodes: Vec<Value>,
    pods: Vec<Value>,
    /// Nodes that will be drained.
    leaving: Vec<String>,
}

fn cluster(i: u64, random: &mut Random) -> Cluster {
    let name = format!("lab-{i}");
    let nodes: Vec<Value> = (0..3 + random.below(4)).map(|n| node(&name, n, random)).collect();
    let pods = (0..10 + random.below(12)).map(|p| pod(&name, p, random)).collect();
    let names = nodes.iter().map(|n| text(&n["metadata"]["name"]));
    let leaving = names.take(1 + random.below(2) as usize).collect();
    Cluster { name, nodes, pods, leaving }
}

fn node(cluster: &str, n: u64, random: &mut Random) -> Value {
    let name = format!("{cluster}-n{n}");
    let zone = format!("z{}", random.below(3));
    let mut taints = vec![json!({ "key": "cluster", "value": cluster, "effect": "NoSchedule" })];
    if random.percent(20) {
        taints.push(json!({ "key": "dedicated", "value": "gpu", "effect": "NoSchedule" }));
    }
    let cpu = format!("{}", 1 + random.below(4));
    let capacity = json!({
        "cpu": cpu, "memory": format!("{}Gi", 1 + random.below(4)),
        "pods": format!("{}", 5 + random.below(8)), "example.com/gpu": format!("{}", random.below(3)),
    });
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "annotations": { "kwok.x-k8s.io/node": "fake" },
            "labels": {
                "cluster": cluster, HOST: name, ZONE: zone, "cores": cpu, "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
            },
        },
        "spec": { "taints": taints },
        "status": { "allocatable": capacity, "capacity": capacity },
    })
}

/// A pod of one of three groups with some of the rules that bind pods.
fn pod(cluster: &str, p: u64, random: &mut Random) -> Value {
    let group = format!("g{}", random.below(3));
    let same = json!({ "matchLabels": { "app": group } });
    let mut requests = json!({
        "cpu": format!("{}m", random.below(9) * 100), "memory": format!("{}Mi", random.below(9) * 80),
    });
    if random.percent(10) {
        requests["example.com/gpu"] = json!("1");
    }
    let mut container = json!({
        "name": "app", "image": "registry.example/app:1",
        "resources": { "requests": requests, "limits": { "example.com/gpu": requests["example.com/gpu"] } },
    });
    if requests["example.com/gpu"].is_null() {
        container["resources"]["limits"] = json!({});
    }
    if random.percent(15) {
        container["ports"] = json!([{ "containerPort": 80, "hostPort": 8000 + random.below(2) }]);
    }
    let mut spec = json!({
        "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "nodeSelector": { "cluster": cluster },
        "tolerations": [{ "key": "cluster", "operator": "Equal", "value": cluster, "effect": "NoSchedule" }],
    });
    if random.percent(10) {
        let request = json!({ "cpu": format!("{}m", random.below(12) * 100) });
        spec["initContainers"] = json!([
            { "name": "init", "image": "registry.example/init:1", "resources": { "requests": request } },
        ]);
    }
    if random.percent(15) {
        let gpu = json!({ "key": "dedicated", "operator": "Exists" });
        spec["tolerations"].as_array_mut().unwrap().push(gpu);
    }
    if random.percent(5) {
        spec["tolerations"] = json!([{ "operator": "Exists" }]);
    }
    if random.percent(10) {
        spec["nodeSelector"][ZONE] = json!(format!("z{}", random.below(3)));
    }
    affinities(&mut spec, &same, random);
    if random.percent(20) {
        let key = if random.percent(60) { ZONE } else { HOST };
        let taints = if random.percent(50) { "Honor" } else { "Ignore" };
        let mut constraint = json!({
            "maxSkew": 1 + random.below(2), "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": same, "nodeTaintsPolicy": taints,
        });
        if random.percent(30) {
            constraint["matchLabelKeys"] = json!(["revision"]);
        }
        if random.percent(20) {
            constraint["minDomains"] = json!(2 + random.below(2));
        }
        spec["topologySpreadConstraints"] = json!([constraint]);
    }
    if random.percent(12) {
        spec["priorityClassName"] = json!(URGENT);
    }
    if random.percent(10) {
        let claim = json!({ "claimName": format!("claim-{}", random.below(2)) });
        spec["volumes"] = json!([{ "name": "data", "persistentVolumeClaim": claim }]);
    }
    let labels = json!({ "app": group, "revision": format!("{}", random.below(2)) });
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "namespace": cluster, "name": format!("p{p}"), "labels": labels },
        "spec": spec,
    })
}

fn affinities(spec: &mut Value, same: &Value, random: &mut Random) {
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let key = |random: &mut Random| if random.percent(50) { ZONE } else { HOST };
    if random.percent(20) {
        let mut term = json!({ "labelSelector": same, "topologyKey": key(random) });
        if random.percent(30) {
            term["matchLabelKeys"] = json!(["revision"]);
        }
        spec["affinity"]["podAntiAffinity"][required] = json!([term]);
    }
    if random.percent(12) {
        let group = format!("g{}", random.below(3));
        let other =
            json!({ "matchExpressions": [{ "key": "app", "operator": "In", "values": [group] }] });
        let term = json!({ "labelSelector": other, "topologyKey": key(random) });
        spec["affinity"]["podAffinity"][required] = json!([term]);
    }
    if random.percent(10) {
        let large = json!({ "key": "cores", "operator": "Gt", "values": ["1"] });
        let not_there = json!({ "key": ZONE, "operator": "NotIn", "values": ["z0"] });
        let expression = if random.percent(50) { large } else { not_there };
        spec["affinity"]["nodeAffinity"][required] =
            json!({ "nodeSelectorTerms": [{ "matchExpressions": [expression] }] });
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(list: Value) -> Vec<Value> {
    list["items"].as_array().cloned().unwrap_or_default()
}

fn path(pod: &Value) -> String {
    let meta = &pod["metadata"];
    format!("/api/v1/namespaces/{}/pods/{}", text(&meta["namespace"]), text(&meta["name"]))
}

/// Pods of the clusters: those of other namespaces are the control plane's.
fn pods(lab: &ControlPlane) -> Vec<Value> {
    let all = items(lab.api_get("/api/v1/pods"));
    all.into_iter().filter(|p| text(&p["metadata"]["namespace"]).starts_with("lab-")).collect()
}

/// Creates namespaces, volumes and nodes, and waits until pods can be made and scheduled.
fn build(lab: &ControlPlane, clusters: &[Cluster]) {
    let urgent = json!({ "metadata": { "name": URGENT }, "value": 1000 });
    lab.api_create("/apis/scheduling.k8s.io/v1/priorityclasses", &urgent);
    for cluster in clusters {
        let name = &cluster.name;
        lab.api_create("/api/v1/namespaces", &json!({ "metadata": { "name": name } }));
        for node in &cluster.nodes {
            lab.api_create("/api/v1/nodes", node);
        }
        for i in 0..2 {
            volume(lab, name, i);
        }
    }
    for cluster in clusters {
        let account = format!("/api/v1/namespaces/{}/serviceaccounts/default", cluster.name);
        let made = || lab.request("GET", &account, "", b"").is_ok_and(|r| r.status == 200);
        wait_until("the service account", SOON, made);
    }
    let own = |taint: &Value| taint["key"] == "cluster" || taint["key"] == "dedicated";
    let settled = |node: &Value| {
        let taints = node["spec"]["taints"].as_array();
        let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
        taints.is_some_and(|t| t.iter().all(own))
            && conditions.clone().any(|c| c["type"] == "Ready" && c["status"] == "True")
    };
    wait_until("nodes are ready", SOON, || items(lab.api_get("/api/v1/nodes")).iter().all(settled));
    let bound = |claim: &Value| claim["status"]["phase"] == "Bound";
    wait_until("claims are bound", SOON, || {
        items(lab.api_get("/api/v1/persistentvolumeclaims")).iter().all(bound)
    });
}

/// A claim bound to a volume that is reached from one zone only.
fn volume(lab: &ControlPlane, namespace: &str, i: u64) {
    let (name, claim) = (format!("pv-{namespace}-{i}"), format!("claim-{i}"));
    let size = json!({ "storage": "1Gi" });
    let zone = json!({ "key": ZONE, "operator": "In", "values": [format!("z{i}")] });
    let affinity = json!({ "required": { "nodeSelectorTerms": [{ "matchExpressions": [zone] }] } });
    let modes = json!(["ReadWriteMany"]);
    let volume = json!({
        "metadata": { "name": name },
        "spec": {
            "capacity": size, "accessModes": modes, "hostPath": { "path": "/data" }, "nodeAffinity": affinity,
            "claimRef": { "namespace": namespace, "name": claim }, "storageClassName": "",
        },
    });
    let claims = format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims");
    let claim = json!({
        "metadata": { "name": claim },
        "spec": { "accessModes": modes, "resources": { "requests": size }, "storageClassName": "", "volumeName": name },
    });
    lab.api_create("/api/v1/persistentvolumes", &volume);
    lab.api_create(&claims, &claim);
}

fn is_bound(pod: &Value) -> bool {
    pod["spec"]["nodeName"].is_string()
}

/// The scheduler has looked at all pods, and nothing has changed for so long: what it could not place at first it tries
/// again when others have landed, after a pause of up to ten seconds.
fn settle(lab: &ControlPlane, quiet: Duration) -> Vec<Value> {
    let mut last = (vec![], Instant::now());
    wait_until("the scheduler is done", SOON, || {
        let now = pods(lab);
        let refused = |p: &Value| !PodSpec::of(p).message.is_empty();
        let seen = now.iter().all(|p| is_bound(p) || refused(p));
        let homes: Vec<String> =
            now.iter().map(|p| path(p) + &text(&p["spec"]["nodeName"])).collect();
        if last.0 != homes {
            last = (homes, Instant::now());
        }
        seen && last.1.elapsed() > quiet
    });
    pods(lab)
}

fn world(lab: &ControlPlane) -> World {
    let list = |path: &str| items(lab.api_get(path));
    World::of(&Lists {
        nodes: &list("/api/v1/nodes"),
        pods: &list("/api/v1/pods"),
        namespaces: &list("/api/v1/namespaces"),
        claims: &list("/api/v1/persistentvolumeclaims"),
        volumes: &list("/api/v1/persistentvolumes"),
        classes: &list("/apis/storage.k8s.io/v1/storageclasses"),
    })
}

/// What was foretold of a pod.
struct Foretold {
    pod: Value,
    word: &'static str,
    why: String,
}

fn foretell(world: &World, cluster: &Cluster, made: &BTreeMap<String, Value>) -> Vec<Foretold> {
    let leaving: Vec<&str> = cluster.leaving.iter().map(String::as_str).collect();
    let moved: Vec<PodSpec> = leaving.iter().flat_map(|n| world.on(n)).cloned().collect();
    let landing = world.place(&moved, &leaving);
    assert!(landing.unknown.is_empty(), "{:?}", landing.unknown);
    let name =
        |i: usize| format!("/api/v1/namespaces/{}/pods/{}", moved[i].namespace, moved[i].name);
    let placed = landing.placed.iter().map(|(i, node)| {
        let contested = landing.contested.contains(i);
        (*i, if contested { "contested" } else { "fits" }, node.clone())
    });
    let pending = landing.pending.iter().map(|(i, why)| {
        let (word, groups) = match why {
            Why::Nowhere(groups) => ("nowhere", groups),
            Why::Packing(groups) => ("packing", groups),
            Why::Preempts(groups) => ("preempts", groups),
            Why::Waits(words) => return (*i, "waits", words.clone()),
        };
        // The nodes of other clusters say the same of every pod.
        let ours = |words: &&str| !words.contains("taint cluster=") && *words != "node affinity";
        let words: Vec<&str> = groups.iter().map(|g| g.words.as_str()).filter(ours).collect();
        (*i, word, words.join(", "))
    });
    let all = placed.chain(pending);
    all.map(|(i, word, why)| Foretold { pod: made[&name(i)].clone(), word, why }).collect()
}

/// The simulator has a reason for every pod that stays pending.
fn pending_pods_have_reasons(lab: &ControlPlane) {
    let none =
        |world: &World, pod: &&PodSpec| pod.node.is_empty() && why_pending(world, pod).is_empty();
    let unexplained = || {
        let world = world(lab);
        let pods = world.pods().iter().filter(|pod| none(&world, pod));
        pods.map(|p| format!("{} would fit, the scheduler says {}", p.path(), p.message))
            .collect::<Vec<_>>()
    };
    wait_until("pending pods have a reason", SOON, || {
        let pods = unexplained();
        pods.iter().for_each(|p| println!("{p}"));
        pods.is_empty()
    });
}

/// Cordons the nodes, deletes the pods, and makes them anew.
fn drain(lab: &ControlPlane, clusters: &[Cluster], foretold: &[Foretold]) {
    for node in clusters.iter().flat_map(|c| &c.leaving) {
        lab.api_patch(
            &format!("/api/v1/nodes/{node}"),
            &json!({ "spec": { "unschedulable": true } }),
        );
    }
    let cordon = |node: &Value| {
        let taints = node["spec"]["taints"].as_array().into_iter().flatten();
        node["spec"]["unschedulable"] != true
            || taints.clone().any(|t| t["key"] == "node.kubernetes.io/unschedulable")
    };
    wait_until("cordons are taints", SOON, || {
        items(lab.api_get("/api/v1/nodes")).iter().all(cordon)
    });
    for Foretold { pod, .. } in foretold {
        lab.api_delete(&path(pod), &json!({ "gracePeriodSeconds": 0 }));
    }
    let gone = |pod: &Value| lab.request("GET", &path(pod), "", b"").is_ok_and(|r| r.status == 404);
    wait_until("evicted pods are gone", SOON, || foretold.iter().all(|f| gone(&f.pod)));
    for Foretold { pod, .. } in foretold {
        let namespace = text(&pod["metadata"]["namespace"]);
        lab.api_create(&format!("/api/v1/namespaces/{namespace}/pods"), pod);
    }
}

#[test]
fn landings_are_what_the_scheduler_makes_of_them() {
    let Some(lab) = fresh(Options::full()) else { return };
    lab.wait_for_default_service_account();
    let mut random = Random(number("LANDING_SEED", 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let clusters: Vec<Cluster> =
        (0..number("LANDING_CLUSTERS", 10)).map(|i| cluster(i, &mut random)).collect();
    build(&lab, &clusters);
    let mut made = BTreeMap::new();
    for pod in clusters.iter().flat_map(|c| &c.pods) {
        let namespace = text(&pod["metadata"]["namespace"]);
        lab.api_create(&format!("/api/v1/namespaces/{namespace}/pods"), pod);
        made.insert(path(pod), pod.clone());
    }
    settle(&lab, Duration::from_secs(3));
    pending_pods_have_reasons(&lab);
    let first = settle(&lab, Duration::ZERO);
    for pod in first.iter().filter(|p| !is_bound(p)) {
        lab.api_delete(&path(pod), &json!({ "gracePeriodSeconds": 0 }));
    }
    let before = world(&lab);
    let foretold: Vec<Foretold> =
        clusters.iter().flat_map(|c| foretell(&before, c, &made)).collect();
    drain(&lab, &clusters, &foretold);
    let after: BTreeMap<String, Value> =
        settle(&lab, Duration::from_secs(11)).into_iter().map(|p| (path(&p), p)).collect();
    compare(&foretold, &after);
}

fn compare(foretold: &[Foretold], after: &BTreeMap<String, Value>) {
    let mut table: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut contradicted, mut disappointed, mut fits) = (vec![], vec![], 0);
    let mut differs: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for Foretold { pod, word, why } in foretold {
        // An urgent pod may have had it evicted after it had landed.
        let now = after.get(&path(pod)).unwrap_or(&Value::Null);
        let landed = is_bound(now) || now.is_null();
        let became =
            if now.is_null() { "evicted" } else { ["pending", "landed"][usize::from(landed)] };
        *table.entry((word, became)).or_default() += 1;
        fits += usize::from(*word == "fits");
        let line = format!(
            "{}: foretold {word} ({why}), now on {:?}, the scheduler says {:?}",
            path(pod),
            text(&now["spec"]["nodeName"]),
            PodSpec::of(now).message
        );
        if landed != matches!(*word, "fits" | "contested") {
            // What spoke against it, or the scheduler's word where nothing did.
            let against = if landed { why.clone() } else { PodSpec::of(now).message };
            *differs.entry((word, against)).or_default() += 1;
        }
        match (*word, landed) {
            ("nowhere" | "waits", true) => contradicted.push(line),
            ("fits", false) => disappointed.push(line),
            _ => {}
        }
    }
    for ((word, became), count) in &table {
        println!("foretold {word}, {became}: {count}");
    }
    for ((word, why), count) in &differs {
        println!("{count} of {word} came otherwise: {why}");
    }
    println!("{}", disappointed.join("\n"));
    assert!(contradicted.is_empty(), "contradicted:\n{}", contradicted.join("\n"));
    assert!(!foretold.is_empty(), "no pod was moved");
    // One of a few is no rate.
    assert!(
        disappointed.len() <= (fits / 20).max(1),
        "{} of {fits} that fit stayed pending:\n{}",
        disappointed.len(),
        disappointed.join("\n")
    );
}
