//! The kubelets of the demo, as far as the node proxy reaches them: summary, metrics, configuration and health, made up
//! from the pods of the node.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::metrics::Page;
use super::object::{self, items, stamp, text};
use super::refusal::{Outcome, Refusal};
use super::registry::{NODES, PODS};
use super::rng::hash;
use super::store::Store;
use super::usage::container;

/// Answers `GET /api/v1/nodes/NODE/proxy/PATH`. A kubelet that is not ready does not answer at all.
pub fn answer(store: &Store, name: &str, path: &str, now: Timestamp) -> Outcome<Answer> {
    let node = store.get(&NODES, "", name).ok_or_else(|| Refusal::not_found(&NODES, name))?;
    if !object::holds(node, "Ready") {
        let words =
            format!("error trying to reach service: dial tcp: connection to {name} refused");
        return Err(Refusal::new(503, "ServiceUnavailable", words));
    }
    let on_node = |p: &&super::store::Object| {
        p["spec"]["nodeName"] == name && p["status"]["phase"] == "Running"
    };
    let pods: Vec<&Value> = store.table(&PODS).values().filter(on_node).map(|p| &**p).collect();
    Ok(match path {
        "healthz" => Answer::Text(200, "ok".into()),
        "stats/summary" => Answer::Json(200, summary(name, &pods, now).to_string()),
        "metrics" => Answer::Text(200, own(name, &pods, now)),
        "metrics/resource" => Answer::Text(200, resource(&pods, now)),
        "metrics/cadvisor" => Answer::Text(200, cadvisor(&pods)),
        "metrics/probes" => Answer::Text(200, probes(&pods)),
        "configz" => Answer::Json(200, config().to_string()),
        _ => Answer::Text(404, "404 page not found\n".into()),
    })
}

fn of(pod: &Value) -> (&str, &str) {
    (object::namespace(pod), object::name(pod))
}

fn summary(name: &str, pods: &[&Value], now: Timestamp) -> Value {
    let time = stamp(now);
    let all: Vec<Value> = pods.iter().map(|pod| of_pod(pod, now)).collect();
    let sum = |at: &str| all.iter().filter_map(|p| p.pointer(at)?.as_i64()).sum::<i64>();
    let (cpu, memory) = (sum("/cpu/usageNanoCores"), sum("/memory/workingSetBytes"));
    let stored = sum("/ephemeral-storage/usedBytes");
    let psi = |n: u64| {
        let some = (hash(name) % 40 * n) as f64 / 10.0;
        let one = |share: f64| json!({"total": 9_000_000, "avg10": share, "avg60": share, "avg300": share / 2.0});
        json!({"some": one(some), "full": one(some / 4.0)})
    };
    let fs = |used: i64, of: i64| {
        json!({"time": time, "usedBytes": used, "capacityBytes": of, "availableBytes": of - used,
            "inodes": 6_553_600, "inodesFree": 6_100_000, "inodesUsed": 453_600})
    };
    json!({
        "node": {
            "nodeName": name,
            "cpu": {"time": time, "usageNanoCores": cpu + 120_000_000, "psi": psi(2)},
            "memory": {"time": time, "workingSetBytes": memory + (700 << 20), "availableBytes": 11_i64 << 30,
                "rssBytes": memory / 2, "psi": psi(1)},
            "io": {"time": time, "psi": psi(3)},
            "fs": fs(stored + (18 << 30), 100 << 30),
            "runtime": {"imageFs": fs(41 << 30, 100 << 30), "containerFs": fs(stored, 100 << 30)},
            "rlimit": {"time": time, "maxpid": 4_194_304, "curproc": 900 + pods.len() as i64 * 7},
        },
        "pods": all,
    })
}

fn of_pod(pod: &Value, now: Timestamp) -> Value {
    let uid = object::uid(pod);
    let (namespace, name) = of(pod);
    let (cpu, memory) = items(&pod["spec"]["containers"])
        .iter()
        .map(|c| container(uid, c, now))
        .fold((0, 0), |(cpu, memory), (c, m)| (cpu + c, memory + m));
    let volumes: Vec<Value> = items(&pod["spec"]["volumes"])
        .iter()
        .filter_map(|v| {
            let used = (hash(&format!("{uid}{}", text(&v["name"]))) % 900) as i64 * (1 << 20);
            let mut volume = json!({"name": v["name"], "usedBytes": used, "capacityBytes": 100_i64 << 30,
                "availableBytes": 60_i64 << 30, "inodesUsed": used / 65_536});
            if let Some(claim) = v["persistentVolumeClaim"]["claimName"].as_str() {
                volume["pvcRef"] = json!({"name": claim, "namespace": namespace});
            }
            (v["emptyDir"].is_object() || v["persistentVolumeClaim"].is_object()).then_some(volume)
        })
        .collect();
    let dirs: i64 = volumes
        .iter()
        .filter(|v| v["pvcRef"].is_null())
        .filter_map(|v| v["usedBytes"].as_i64())
        .sum();
    let own = (hash(uid) % 300) as i64 * (1 << 20);
    json!({
        "podRef": {"name": name, "namespace": namespace, "uid": uid},
        "cpu": {"usageNanoCores": cpu}, "memory": {"workingSetBytes": memory},
        "volume": volumes,
        "ephemeral-storage": {"usedBytes": own + dirs, "inodesUsed": 40 + (hash(uid) % 900) as i64},
        "process_stats": {"process_count": 2 + (hash(name) % 30) as i64},
    })
}

/// One series of a container.
fn line(family: &str, pod: &Value, c: &Value, more: &str, n: impl std::fmt::Display) -> String {
    let (namespace, name) = of(pod);
    let container = text(&c["name"]);
    format!(
        "{family}{{container=\"{container}\",namespace=\"{namespace}\",pod=\"{name}\"{more}}} {n}\n"
    )
}

fn each<'a>(pods: &'a [&'a Value]) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    pods.iter().flat_map(|pod| items(&pod["spec"]["containers"]).iter().map(move |c| (*pod, c)))
}

/// What the kubelet says of its own work. Some nodes have a runtime that is slow and fails at times.
fn own(name: &str, pods: &[&Value], now: Timestamp) -> String {
    let mut page = Page::new(now);
    let gauge = |page: &mut Page, family: &str, labels: &str, n: f64| {
        page.family(family, "gauge");
        page.sample(family, labels, n);
    };
    let (containers, volumes) = (each(pods).count() as f64, pods.len() as f64 * 2.0);
    let slow = if hash(name).is_multiple_of(4) { 30.0 } else { 1.0 };
    gauge(&mut page, "kubelet_running_pods", "", pods.len() as f64);
    gauge(&mut page, "kubelet_desired_pods", "static=\"\"", pods.len() as f64);
    gauge(&mut page, "kubelet_running_containers", "container_state=\"running\"", containers);
    page.sample(
        "kubelet_running_containers",
        "container_state=\"exited\"",
        (containers / 6.0).floor(),
    );
    gauge(&mut page, "kubelet_pleg_last_seen_seconds", "", now.as_second() as f64 - 1.0);
    gauge(&mut page, "kubelet_certificate_manager_client_ttl_seconds", "", 21.0 * 86_400.0);
    for (family, rate, middle, high) in [
        ("kubelet_pleg_relist_duration_seconds", 1.0, 0.008, 0.06 * slow),
        ("kubelet_pleg_relist_interval_seconds", 1.0, 1.0, 1.1 + 0.06 * slow),
        ("kubelet_pod_start_sli_duration_seconds", 0.004, 1.4, 6.5),
        ("kubelet_pod_worker_duration_seconds", 0.4, 0.02, 1.8),
    ] {
        page.family(family, "histogram");
        page.histogram(family, "", rate, middle, high);
    }
    const CALLS: [(&str, f64, f64, f64); 6] = [
        ("list_containers", 1.3, 0.004, 0.03),
        ("container_status", 0.9, 0.002, 0.02),
        ("podsandbox_status", 0.8, 0.002, 0.02),
        ("exec_sync", 0.5, 0.06, 0.4),
        ("create_container", 0.02, 0.09, 0.7),
        ("pull_image", 0.006, 3.1, 21.0),
    ];
    let call = |call: &str| format!("operation_type=\"{call}\"");
    page.family("kubelet_runtime_operations_total", "counter");
    CALLS.iter().for_each(|c| page.counter("kubelet_runtime_operations_total", &call(c.0), c.1));
    page.family("kubelet_runtime_operations_duration_seconds", "histogram");
    for (name, rate, middle, high) in CALLS {
        page.histogram(
            "kubelet_runtime_operations_duration_seconds",
            &call(name),
            rate,
            middle,
            high,
        );
    }
    page.family("kubelet_runtime_operations_errors_total", "counter");
    page.counter("kubelet_runtime_operations_errors_total", &call("pull_image"), 0.000_04 * slow);
    page.family("volume_manager_total_volumes", "gauge");
    for state in ["desired_state_of_world", "actual_state_of_world"] {
        let labels = format!("plugin_name=\"kubernetes.io/projected\",state=\"{state}\"");
        page.sample("volume_manager_total_volumes", &labels, volumes);
    }
    page.end()
}

fn resource(pods: &[&Value], now: Timestamp) -> String {
    let mut out = "# TYPE container_memory_working_set_bytes gauge\n".to_owned();
    for (pod, c) in each(pods) {
        let (_, memory) = container(object::uid(pod), c, now);
        out += &line("container_memory_working_set_bytes", pod, c, "", memory);
    }
    out + "# TYPE resource_scrape_error gauge\nresource_scrape_error 0\n"
}

fn cadvisor(pods: &[&Value]) -> String {
    let family = |name: &str, of: &dyn Fn(u64) -> Option<u64>| {
        let series = each(pods).filter_map(|(pod, c)| {
            let seed = hash(object::uid(pod)) ^ hash(text(&c["name"]));
            Some(line(name, pod, c, "", of(seed)?))
        });
        format!("# TYPE {name} counter\n{}", series.collect::<String>())
    };
    // Some containers run into their limit now and then, one in forty was killed.
    let periods = |_: u64| Some(36_000);
    let throttled = |seed: u64| Some(if seed.is_multiple_of(5) { seed % 17_000 } else { 0 });
    [
        family("container_cpu_cfs_periods_total", &periods),
        family("container_cpu_cfs_throttled_periods_total", &throttled),
        family("container_cpu_cfs_throttled_seconds_total", &|s| Some(throttled(s)? / 20)),
        family("container_oom_events_total", &|seed| Some(u64::from(seed.is_multiple_of(40)))),
    ]
    .concat()
}

fn probes(pods: &[&Value]) -> String {
    let mut out = "# TYPE prober_probe_total counter\n".to_owned();
    for (pod, c) in each(pods) {
        let seed = hash(object::uid(pod)) ^ hash(text(&c["name"]));
        for (result, n) in
            [("successful", 4_000), ("failed", if seed.is_multiple_of(9) { seed % 60 } else { 0 })]
        {
            let more = format!(",probe_type=\"Readiness\",result=\"{result}\"");
            out += &line("prober_probe_total", pod, c, &more, n);
        }
    }
    out
}

fn config() -> Value {
    json!({"kubeletconfig": {
        "maxPods": 110, "podPidsLimit": 4096, "cgroupDriver": "systemd", "cpuManagerPolicy": "none",
        "imageGCHighThresholdPercent": 85, "imageGCLowThresholdPercent": 80, "containerLogMaxSize": "10Mi",
        "failSwapOn": true, "rotateCertificates": true, "serverTLSBootstrap": true,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%",
            "imagefs.available": "15%"},
        "systemReserved": {"cpu": "200m", "memory": "512Mi"},
    }})
}
