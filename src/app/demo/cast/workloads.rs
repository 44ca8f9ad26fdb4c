//! Workloads with their pods, placed by the demo's own scheduler and started by its own kubelets, in the past.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::life::{deployments::set_of, owned::template_hash, scheduler::Load};
use super::super::life::{events, kubelet, owned, plays, scheduler};
use super::super::object::{self, stamp};
use super::super::registry::{
    BUDGETS, CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, JOBS, NODES, PODS, REPLICA_SETS, Resource,
    SERVICES, STATEFUL_SETS,
};
use super::super::rng::hash;
use super::super::store::Object;
use super::apps::{APP_LABEL, APPS, App, By, image, play};
use super::nodes::SILENT;
use super::{add, ago, platform};

/// The nodes and what is already on them.
struct Ground {
    nodes: Vec<Object>,
    load: Load,
}

/// Adds every workload, its service, its budget and its pods.
pub fn add_all(world: &mut World, now: Timestamp) {
    let nodes: Vec<Object> = world.store.table(&NODES).values().cloned().collect();
    let mut ground = Ground { nodes, load: scheduler::load(world) };
    for app in APPS {
        let born = ago(now, 86_400 * (20 + hash(app.name) % 240));
        match app.by {
            By::Deployment => add_deployment(world, app, &mut ground, born, now),
            By::Set => add_stateful_set(world, app, &mut ground, born, now),
            By::Daemon => add_daemon_set(world, app, &mut ground, born, now),
        }
        add_service(world, app, born);
    }
    add_tasks(world, &mut ground, now);
    add_budgets(world, now);
}

fn meta(app: &App) -> Value {
    let applied =
        format!("{{\"kind\":\"{:?}\",\"metadata\":{{\"name\":\"{}\"}}}}", app.by, app.name);
    json!({
        "name": app.name, "namespace": app.namespace, "labels": app.selector(),
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied},
    })
}

fn add_deployment(
    world: &mut World,
    app: &App,
    ground: &mut Ground,
    born: Timestamp,
    now: Timestamp,
) {
    let deployment = add(
        world,
        &DEPLOYMENTS,
        json!({
            "metadata": meta(app),
            "spec": {"replicas": app.replicas, "selector": {"matchLabels": app.selector()},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
                "revisionHistoryLimit": 2, "template": app.template()},
            "status": {"observedGeneration": 1},
        }),
        born,
    );
    let hash = template_hash(&deployment["spec"]["template"]);
    let name = format!("{}-{hash}", app.name);
    let mut set = set_of(&deployment, &name, &hash, 1);
    set["spec"]["replicas"] = json!(app.replicas);
    let set = add(world, &REPLICA_SETS, set, born);
    // Of one app some pods were on the node that fell silent; they are replaced, and nobody confirms that they went.
    let silent = ground.nodes.iter().find(|n| object::name(n) == SILENT).cloned();
    let stranded = if app.name == "thumbnails" { 3 } else { 0 };
    for n in 0..app.replicas + stranded {
        let name = format!("{name}-{}", world.rng.suffix(5));
        let node = silent.as_ref().filter(|_| n >= app.replicas);
        add_pod(world, &REPLICA_SETS, &set, &name, node, ground, now);
    }
}

fn add_stateful_set(
    world: &mut World,
    app: &App,
    ground: &mut Ground,
    born: Timestamp,
    now: Timestamp,
) {
    let claim =
        json!({"metadata": {"name": "data"}, "spec": platform::claim_spec("fast", "100Gi")});
    let set = add(
        world,
        &STATEFUL_SETS,
        json!({
            "metadata": meta(app),
            "spec": {"replicas": app.replicas, "serviceName": app.name, "selector": {"matchLabels": app.selector()},
                "template": app.template(), "volumeClaimTemplates": [claim]},
            "status": {"replicas": 0},
        }),
        born,
    );
    for n in 0..app.replicas {
        let name = format!("{}-{n}", app.name);
        platform::add_volume(world, app.namespace, &format!("data-{name}"), born);
        add_pod(world, &STATEFUL_SETS, &set, &name, None, ground, now);
    }
}

fn add_daemon_set(
    world: &mut World,
    app: &App,
    ground: &mut Ground,
    born: Timestamp,
    now: Timestamp,
) {
    let set = add(
        world,
        &DAEMON_SETS,
        json!({
            "metadata": meta(app),
            "spec": {"selector": {"matchLabels": app.selector()}, "template": app.template()},
            "status": {"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0},
        }),
        born,
    );
    for node in ground.nodes.clone() {
        let daemon = json!({"spec": set["spec"]["template"]["spec"]});
        // Taints that came later did not remove a daemon: only lasting ones keep it away.
        if scheduler::tolerates(&daemon, &without_trouble(&node)).is_none() {
            let name = format!("{}-{}", app.name, world.rng.suffix(5));
            add_pod(world, &DAEMON_SETS, &set, &name, Some(&node), ground, now);
        }
    }
}

fn without_trouble(node: &Value) -> Value {
    let mut node = node.clone();
    object::unset(&mut node["spec"], "unschedulable");
    let passing = |t: &Value| object::text(&t["key"]).starts_with("node.kubernetes.io/");
    object::list_mut(&mut node, "spec", "taints").retain(|t| !passing(t));
    node
}

/// One pod, at the point of its life that its play and its age say.
fn add_pod(
    world: &mut World,
    res: &'static Resource,
    owner: &Object,
    name: &str,
    node: Option<&Object>,
    ground: &mut Ground,
    now: Timestamp,
) {
    let age = 900 + world.rng.below(86_400 * 9);
    let born = ago(now, age);
    let mut pod = owned::pod_of(world, res, owner, name, born);
    let plays = plays(&pod);
    let place = match node {
        Some(node) => Ok(node.clone()),
        None => scheduler::place(&ground.nodes, &ground.load, &pod),
    };
    let Ok(node) = place else {
        // It waits for the scheduler of the first tick, which says why.
        world.store.put(&PODS, pod);
        return;
    };
    scheduler::count(&mut ground.load, object::name(&node), &pod);
    kubelet::bind(&mut pod, &node, born);
    kubelet::settle(&mut pod, plays, born);
    wear(&mut pod, plays, age, now);
    if object::name(&node) == SILENT {
        kubelet::unready(&mut pod, ago(now, 21 * 60));
    }
    let pod = world.store.put(&PODS, pod);
    if plays & (play::CRASH | play::BAD_IMAGE) != 0 {
        let told =
            ("Warning", "BackOff", "\u{1b}[31mBack-off\u{1b}[0m restarting failed container");
        events::tell(world, &PODS, &pod, told, "kubelet", ago(now, 240));
    }
}

/// A long life leaves restarts behind.
fn wear(pod: &mut Value, plays: u32, age: u64, now: Timestamp) {
    let restarts = match plays {
        p if p & play::CRASH != 0 => 40 + age / 900,
        p if p & play::OOM != 0 => age / 40_000,
        _ if hash(object::uid(pod)).is_multiple_of(17) => 1 + age / 200_000,
        _ => 0,
    };
    let running = pod["status"]["containerStatuses"][0]["state"]["running"].is_object();
    if restarts == 0 || !(running || plays & play::CRASH != 0) {
        return;
    }
    let (exit, reason) = if plays & play::OOM != 0 { (137, "OOMKilled") } else { (1, "Error") };
    let ended = ago(now, age / (restarts + 1));
    let status = &mut pod["status"]["containerStatuses"][0];
    status["restartCount"] = json!(restarts);
    if running {
        status["lastState"] = json!({"terminated": {
            "exitCode": exit, "reason": reason, "startedAt": stamp(ended - Duration::from_secs(300)),
            "finishedAt": stamp(ended),
        }});
        status["state"]["running"]["startedAt"] = json!(stamp(ended + Duration::from_secs(12)));
    }
}

fn add_service(world: &mut World, app: &App, born: Timestamp) {
    let ip = hash(app.name);
    let mut service = json!({
        "metadata": {"name": app.name, "namespace": app.namespace, "labels": app.selector()},
        "spec": {"type": "ClusterIP", "selector": app.selector(),
            "clusterIP": format!("10.96.{}.{}", ip % 256, (ip >> 8) % 254 + 1),
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]},
        "status": {"loadBalancer": {}},
    });
    if app.name == "ingress" {
        service["spec"]["type"] = json!("LoadBalancer");
        service["status"]["loadBalancer"] = json!({"ingress": [{"ip": "198.51.100.7"}]});
    }
    add(world, &SERVICES, service, born);
}

/// Schedules, and one long job in the middle of its work.
fn add_tasks(world: &mut World, ground: &mut Ground, now: Timestamp) {
    let template = |name: &str| {
        json!({
            "metadata": {"labels": {APP_LABEL: name}},
            "spec": {"restartPolicy": "Never", "containers": [{
                "name": name, "image": image("platform", name, "1.0.4"), "args": ["--once"],
                "resources": {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
            }]},
        })
    };
    for (namespace, name, minutes) in
        [("ops", "report-usage", 2), ("ops", "report-costs", 5), ("data", "compact", 3)]
    {
        let job = json!({"metadata": {"labels": {APP_LABEL: name}},
            "spec": {"parallelism": 1, "completions": 1, "template": template(name)}});
        let cron = json!({
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"schedule": format!("*/{minutes} * * * *"), "concurrencyPolicy": "Forbid", "jobTemplate": job,
                "successfulJobsHistoryLimit": 3},
            "status": {"lastScheduleTime": stamp(ago(now, minutes * 60 - 20))},
        });
        add(world, &CRON_JOBS, cron, ago(now, 86_400 * 60));
    }
    let job = json!({
        "metadata": {"name": "report-year", "namespace": "ops"},
        "spec": {"parallelism": 3, "completions": 60, "template": template("report-year"),
            "ttlSecondsAfterFinished": 300},
        "status": {"startTime": stamp(ago(now, 120))},
    });
    let job = add(world, &JOBS, job, ago(now, 120));
    for _ in 0..3 {
        let name = format!("report-year-{}", world.rng.suffix(5));
        add_pod(world, &JOBS, &job, &name, None, ground, now);
    }
}

/// Healthy, closed for good, closed by sick pods, selecting nothing, and two that claim the same pods.
fn add_budgets(world: &mut World, now: Timestamp) {
    let app = |name: &str| json!({"matchLabels": {APP_LABEL: name}});
    let budgets = [
        ("shop", "web", app("web"), json!({"minAvailable": "80%"})),
        ("shop", "cart", app("cart"), json!({"maxUnavailable": 1})),
        ("shop", "catalog", app("catalog"), json!({"minAvailable": 7})),
        (
            "shop",
            "critical",
            json!({"matchLabels": {"tier": "critical"}}),
            json!({"maxUnavailable": "25%"}),
        ),
        ("shop", "banner", app("banner"), json!({"minAvailable": 1})),
        ("payments", "gateway", app("gateway"), json!({"maxUnavailable": 1})),
        ("payments", "ledger", app("ledger"), json!({"minAvailable": 5})),
        (
            "search",
            "shard",
            app("shard"),
            json!({"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"}),
        ),
        ("data", "broker", app("broker"), json!({"maxUnavailable": 1})),
        ("data", "queue", app("queue"), json!({"maxUnavailable": 0})),
        ("ci", "old-runner", app("runner-v1"), json!({"minAvailable": 1})),
        ("kube-system", "cluster-dns", app("cluster-dns"), json!({"minAvailable": 2})),
    ];
    for (namespace, name, selector, rule) in budgets {
        let mut spec = rule;
        spec["selector"] = selector;
        let budget = json!({
            "metadata": {"name": name, "namespace": namespace}, "spec": spec,
            "status": {"currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0, "disruptionsAllowed": 0},
        });
        add(world, &BUDGETS, budget, ago(now, 86_400 * 100));
    }
}
