//! What is used, on a real API server: samples out of custom resources that stand in for `metrics.k8s.io`, the API absent,
//! dead and refused; and the pages of a test kubelet behind the node proxy. Skipped without a control plane, see
//! `control_plane.rs`.

#[path = "support/binary.rs"]
mod binary;
mod controlplane;

use binary::wheelhouse;
use controlplane::{Component, ControlPlane, Options, User, fresh, output_within, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use wheelhouse::state::quantity;
use wheelhouse::state::time::Epoch;

const SOON: Duration = Duration::from_secs(60);
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const APISERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";

fn run(kubeconfig: &Path, args: &[&str]) -> (i32, String, String) {
    let out = wheelhouse(kubeconfig, args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().expect("it was not killed"), text(&out.stdout), text(&out.stderr))
}

fn admin(lab: &ControlPlane, args: &[&str]) -> (i32, String, String) {
    run(&lab.kubeconfig(User::Admin), args)
}

fn rows(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("an array of objects")
}

fn status(lab: &ControlPlane, path: &str) -> u16 {
    lab.request("GET", path, "", b"").map_or(0, |reply| reply.status)
}

/// Seconds before now, as the machine has it, in RFC 3339.
fn ago(seconds: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
    Epoch(now.as_secs() as i64 - seconds).rfc3339()
}

fn node(lab: &ControlPlane, name: &str) {
    lab.api_create("/api/v1/nodes", &json!({"metadata": {"name": name}}));
    let status = json!({"status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}});
    lab.api_patch(&format!("/api/v1/nodes/{name}/status"), &status);
}

fn pod(lab: &ControlPlane, name: &str, app: &str) {
    let object = json!({
        "metadata": {"name": name, "labels": {"app": app}},
        "spec": {"nodeName": "n1", "containers": [
            {"name": "web", "image": "x", "resources": {"requests": {"cpu": "200m", "memory": "256Mi"},
                "limits": {"cpu": "400m", "memory": "512Mi"}}},
            {"name": "side", "image": "x", "resources": {"limits": {"cpu": "100m", "memory": "512Mi"}}},
        ]},
    });
    lab.api_create("/api/v1/namespaces/shop/pods", &object);
}

/// Custom resources of the paths and shapes of `metrics.k8s.io`.
fn stand_in(lab: &ControlPlane) {
    for (plural, kind, scope) in
        [("nodes", "NodeMetrics", "Cluster"), ("pods", "PodMetrics", "Namespaced")]
    {
        let loose = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        let version = |name: &str, storage: bool| json!({"name": name, "served": true, "storage": storage, "schema": loose});
        let crd = json!({
            "metadata": {"name": format!("{plural}.metrics.k8s.io"),
                "annotations": {"api-approved.kubernetes.io": "unapproved, test only"}},
            "spec": {"group": "metrics.k8s.io", "scope": scope, "names": {"plural": plural, "kind": kind},
                "versions": [version("v1beta1", true), version("v1", false)]},
        });
        lab.api_create(CRDS, &crd);
        let path = format!("/apis/metrics.k8s.io/v1beta1/{plural}");
        wait_until("the stand-in is served", SOON, || status(lab, &path) == 200);
    }
}

fn sample(lab: &ControlPlane, pod: &str, cpu: &str, memory: &str) {
    let object = json!({
        "apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics", "metadata": {"name": pod},
        "timestamp": ago(0), "window": "15s",
        "containers": [{"name": "web", "usage": {"cpu": cpu, "memory": memory}},
            {"name": "side", "usage": {"cpu": "0", "memory": "1Mi"}}],
    });
    lab.api_create("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods", &object);
}

#[test]
fn use_is_told_where_it_is_measured_and_its_absence_in_words() {
    let Some(lab) = fresh(Options::api()) else { return };
    node(&lab, "n1");
    for (name, app) in [("web-1", "web"), ("web-2", "web"), ("db-0", "db")] {
        pod(&lab, name, app);
    }

    // Nothing measures: requests alone, in words, and the views are whole all the same.
    let (code, out, err) = admin(&lab, &["top", "pods", "-A"]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("metrics API not available"), "{err}");
    assert!(out.contains("CPU REQ") && out.contains("web-1") && !out.contains("%CPU/R"), "{out}");
    let (code, out, err) = admin(&lab, &["print", "nodes"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(!out.contains("CPU USED"), "{out}");
    containers_alone(&lab, User::Admin, "metrics API not available");
    // Whoever may not list samples hears of the missing API, and not of a right that would change nothing.
    containers_alone(&lab, User::Viewer, "metrics API not available");
    // A program finds the same keys as ever.
    let (_, out, _) = admin(&lab, &["top", "pods", "-A", "-o", "json"]);
    assert!(
        rows(&out).iter().all(|pod| pod["cpu_used"].is_null() && pod.get("measured").is_some())
    );

    // A server of it that is dead.
    lab.api_create("/api/v1/namespaces", &json!({"metadata": {"name": "ops"}}));
    lab.api_create(
        "/api/v1/namespaces/ops/services",
        &json!({"metadata": {"name": "gone"}, "spec": {"type": "ExternalName", "externalName": "localhost"}}),
    );
    let dead = json!({"metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": {
        "service": {"name": "gone", "namespace": "ops", "port": 9}, "group": "metrics.k8s.io", "version": "v1beta1",
        "insecureSkipTLSVerify": true, "groupPriorityMinimum": 100, "versionPriority": 100}});
    lab.api_create(APISERVICES, &dead);
    let path = "/apis/metrics.k8s.io/v1beta1/nodes";
    wait_until("the API answers 503", SOON, || status(&lab, path) == 503);
    let (code, out, err) = admin(&lab, &["top", "nodes"]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("the metrics API fails") && out.contains("n1"), "{out}{err}");
    containers_alone(&lab, User::Admin, "the metrics API fails");
    lab.api_delete(&format!("{APISERVICES}/v1beta1.metrics.k8s.io"), &json!({}));
    wait_until("the dead API is gone", SOON, || status(&lab, path) == 404);

    // Something measures, and has just begun.
    stand_in(&lab);
    let (code, out, err) = admin(&lab, &["top", "nodes"]);
    assert!(
        code == 4 && err.contains("not available yet") && out.contains("n1"),
        "{code} {out}{err}"
    );
    lab.api_create(
        "/apis/metrics.k8s.io/v1beta1/nodes",
        &json!({"apiVersion": "metrics.k8s.io/v1beta1", "kind": "NodeMetrics", "metadata": {"name": "n1"},
            "timestamp": ago(0), "window": "15s", "usage": {"cpu": "1500m", "memory": "2Gi"}}),
    );
    sample(&lab, "web-1", "100m", "128Mi");
    sample(&lab, "db-0", "390m", "63Mi");
    measured(&lab);

    // The newer version alone.
    for plural in ["nodes", "pods"] {
        let path = format!("{CRDS}/{plural}.metrics.k8s.io");
        let mut crd = lab.api_get(&path);
        let versions = crd["spec"]["versions"].as_array_mut().expect("two versions");
        versions.iter_mut().for_each(|v| v["served"] = json!(v["name"] == "v1"));
        lab.api_patch(&path, &json!({"spec": {"versions": versions}}));
        let old = format!("/apis/metrics.k8s.io/v1beta1/{plural}");
        wait_until("the old version is gone", SOON, || status(&lab, &old) == 404);
        let new = format!("/apis/metrics.k8s.io/v1/{plural}");
        wait_until("the new version is served", SOON, || status(&lab, &new) == 200);
    }
    let (code, out, err) = admin(&lab, &["top", "nodes", "-o", "json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(rows(&out)[0]["cpu_used"], 1500);

    // Whoever may not list samples still sees pods, and which rule is missing.
    let (code, out, err) = run(&lab.kubeconfig(User::Viewer), &["top", "pods", "-n", "shop"]);
    assert_eq!(code, 4, "{err}");
    assert!(
        err.contains("no right to list pods.metrics.k8s.io") && out.contains("db-0"),
        "{out}{err}"
    );
    containers_alone(&lab, User::Viewer, "no right to list pods.metrics.k8s.io");
}

/// Containers stand with what they ask for, and why there is nothing else is said.
fn containers_alone(lab: &ControlPlane, user: User, why: &str) {
    let (code, out, err) = run(&lab.kubeconfig(user), &["top", "containers", "-n", "shop"]);
    assert_eq!(code, 4, "{out}{err}");
    assert!(err.contains(why), "{err}");
    assert!(out.contains("CPU REQ") && !out.contains("MEASURED"), "{out}");
    let asked =
        |line: &&str| line.contains("web-1") && line.contains("200m") && line.contains("256Mi");
    assert_eq!(out.lines().filter(asked).count(), 1, "{out}");
}

/// Samples of the metrics API by namespace and name: thousandths of a core and bytes of all containers together.
fn samples(lab: &ControlPlane, plural: &str) -> BTreeMap<(String, String), (i64, i64)> {
    let list = lab.api_get(&format!("/apis/metrics.k8s.io/v1beta1/{plural}"));
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let of = |usage: &Value| {
        // Rounded up, as a quantity that is asked for its thousandths is (apimachinery `resource.Quantity.MilliValue`).
        let (cpu, memory) = (text(&usage["cpu"]), text(&usage["memory"]));
        let nano = cpu.strip_suffix('n').and_then(|n| n.parse::<i64>().ok());
        let cpu = nano.map(|n| (n + 999_999) / 1_000_000).or_else(|| quantity::milli(&cpu));
        (cpu.unwrap_or(0), quantity::whole(&memory).unwrap_or(0))
    };
    let items = list["items"].as_array().cloned().unwrap_or_default();
    items
        .iter()
        .map(|item| {
            let name = (text(&item["metadata"]["namespace"]), text(&item["metadata"]["name"]));
            let containers = item["containers"].as_array().cloned().unwrap_or_default();
            let all = match containers.is_empty() {
                true => of(&item["usage"]),
                false => containers
                    .iter()
                    .map(|c| of(&c["usage"]))
                    .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
            };
            (name, all)
        })
        .collect()
}

#[test]
fn what_metrics_server_measures_is_what_is_shown_and_its_silence_is_told() {
    let Some(lab) = fresh(Options::full().with_metrics()) else { return };
    lab.wait_for_default_service_account();
    lab.apply(include_str!("controlplane/objects/workloads.yaml"));
    let busy = |all: &BTreeMap<_, (i64, i64)>| all.values().filter(|(cpu, _)| *cpu > 0).count();
    // Its first values take two scrapes of the fake kubelets.
    wait_until("nodes and pods are measured", SOON * 3, || {
        busy(&samples(&lab, "nodes")) >= 3 && busy(&samples(&lab, "pods")) >= 5
    });
    for (what, args) in [("nodes", &["top", "nodes"][..]), ("pods", &["top", "pods", "-A"])] {
        let same = || {
            // It measures again every 15 s: what is shown must be what it said before or after.
            let before = samples(&lab, what);
            let (code, out, err) = admin(&lab, &[args, &["-o", "json"]].concat());
            let after = samples(&lab, what);
            assert_eq!(code, 0, "{err}");
            let shown = rows(&out);
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            let fits = |row: &Value| {
                let key = (text(&row["namespace"]), text(&row["name"]));
                let told = row["cpu_used"].as_i64().zip(row["memory_used"].as_i64());
                let said = [before.get(&key).copied(), after.get(&key).copied()];
                said.contains(&told)
            };
            let measured = shown.iter().filter(|row| !row["cpu_used"].is_null()).count();
            shown.iter().all(fits) && measured >= busy(&before).min(3)
        };
        // A pod that came or went in between is another story; the next look has it.
        wait_until(&format!("{what} are shown as they were measured"), SOON, same);
    }
    let (code, out, err) = admin(&lab, &["top", "containers", "-A", "-o", "json"]);
    assert!(code == 0 && rows(&out).iter().any(|c| c["cpu_used"] == 120), "{out}{err}");

    // Behind the aggregator it hangs, then it is gone: 503, told in words, with requests in its place.
    lab.kill(Component::MetricsServer);
    let path = "/apis/metrics.k8s.io/v1beta1/nodes";
    wait_until("the API answers 503", SOON, || status(&lab, path) == 503);
    let (code, out, err) = admin(&lab, &["top", "nodes"]);
    assert!(code == 4 && err.contains("the metrics API fails"), "{code} {err}");
    assert!(out.contains("CPU REQUESTED") && !out.contains("CPU USED"), "{out}");
    lab.start_component(Component::MetricsServer);
    let back = || admin(&lab, &["top", "nodes"]).0 == 0;
    wait_until("it measures again", SOON * 3, back);
}

fn measured(lab: &ControlPlane) {
    let (code, out, err) = admin(lab, &["top", "pods", "-A", "-o", "json"]);
    assert_eq!(code, 0, "{err}");
    let pods = rows(&out);
    let of = |name: &str| pods.iter().find(|p| p["name"] == name).expect("a row of that name");
    assert_eq!(of("web-1")["cpu_used"], 100);
    assert_eq!(of("web-1")["memory_used"], 129 << 20);
    // The server gives the other container a request of 100m, its limit.
    assert_eq!(of("web-1")["cpu_request_pct"], 33);
    assert_eq!(of("db-0")["cpu_limit_pct"], 78);
    assert_eq!(of("web-2")["cpu_used"], Value::Null, "nothing was measured of it");
    assert_eq!(pods[0]["name"], "db-0", "the most first");

    let (_, out, _) =
        admin(lab, &["top", "pods", "-n", "shop", "--sort-by", "memory", "--no-headers"]);
    assert!(out.starts_with("web-1"), "{out}");
    let (_, out, _) = admin(lab, &["top", "pods", "-A", "-l", "app in (db)", "-o", "csv"]);
    assert!(out.contains("db-0") && !out.contains("web-"), "{out}");

    let (code, out, err) = admin(lab, &["top", "containers", "-n", "shop", "-o", "json"]);
    assert_eq!(code, 0, "{err}");
    let all = rows(&out);
    assert_eq!(all.len(), 4);
    let web = all.iter().find(|c| c["name"] == "web-1" && c["container"] == "web").expect("a row");
    assert_eq!(
        (&web["cpu_used"], &web["cpu_requests"], &web["cpu_limits"]),
        (&json!(100), &json!(200), &json!(400))
    );
    assert_eq!(web["memory_limit_pct"], 25);

    let (code, out, err) = admin(lab, &["print", "nodes", "-o", "json"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(rows(&out)[0]["memory_used"], 2_i64 << 30);
}

const HOST: &str = "198.51.100.1";
const INSIDE: &str = "WHEELHOUSE_TEST_NAMESPACE";

/// The API server proxies to no loopback address (CVE-2022-3294), so this test runs itself once more in a network namespace
/// whose loopback interface has another address.
#[test]
fn a_kubelet_is_read_through_the_proxy_and_a_missing_right_is_explained() {
    if std::env::var_os(INSIDE).is_some() {
        return kubelet_pages();
    }
    let myself = std::env::current_exe().expect("a test has a program");
    let up = format!("ip link set lo up && ip addr add {HOST}/32 dev lo && exec \"$0\" \"$@\"");
    let able = |args: &[&str]| {
        let mut try_it = Command::new("unshare");
        try_it.args(["--net", "sh", "-c"]).args(args);
        try_it.output().is_ok_and(|out| out.status.success())
    };
    if !able(&[&up, "true"]) {
        let words = "no network namespace can be made here (unshare --net, ip): the kubelet's pages are not read";
        assert!(std::env::var_os("CI").is_none(), "{words}");
        eprintln!("skipped: {words}");
        return;
    }
    let mut inner = Command::new("unshare");
    inner.args(["--net", "sh", "-c", &up]).arg(myself).args(["--exact", "--nocapture"]);
    inner
        .arg("a_kubelet_is_read_through_the_proxy_and_a_missing_right_is_explained")
        .env(INSIDE, "1");
    let out = output_within(inner, "", Duration::from_secs(300));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(out.status.success(), "{}\n{}", text(&out.stdout), text(&out.stderr));
}

fn kubelet_pages() {
    let Some(lab) = fresh(Options::api()) else { return };
    let port = kubelet();
    lab.api_create("/api/v1/nodes", &json!({"metadata": {"name": "n1"}}));
    let status = json!({"status": {
        "allocatable": {"cpu": "4", "memory": "8Gi"},
        "addresses": [{"type": "InternalDNS", "address": HOST}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }});
    lab.api_patch("/api/v1/nodes/n1/status", &status);
    let volumes = json!([{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}]);
    let object = json!({"metadata": {"name": "web-1"}, "spec": {"nodeName": "n1", "volumes": volumes,
        "containers": [{"name": "web", "image": "x", "resources": {"requests": {"cpu": "200m", "memory": "64Mi"},
            "limits": {"cpu": "400m", "memory": "128Mi"}}}]}});
    let pod = lab.api_create("/api/v1/namespaces/shop/pods", &object);
    UID.set(pod["metadata"]["uid"].as_str().expect("a uid").to_owned()).expect("once");

    let (code, out, err) = admin(&lab, &["kubelet", "n1"]);
    assert_eq!(code, 0, "{out}{err}");
    for words in [
        "Kubelet of n1",
        "600Mi",
        "scratch",
        "58 %",
        "some 12.5 %, full 3.0 %",
        "1,200 of 32,768",
        "shop/web-1 web",
        "50 %",
        "Readiness",
        "imagefs.available=15%",
        "31 running, 34 wanted here",
        "3 (1.5 %)",
        "250m in use of 4 allocatable (6 %)",
        "1Gi working set of 8Gi allocatable (12 %)",
        "120m  200m     400m     96Mi    64Mi     128Mi",
        "1,234",
        "1 container measured",
    ] {
        assert!(out.contains(words) || err.contains(words), "`{words}` is not in\n{out}{err}");
    }
    let (code, out, _) = run(&lab.kubeconfig(User::Lister), &["kubelet", "n1"]);
    assert_eq!(code, 1);
    for words in ["get nodes/proxy", "runs commands", "KubeletFineGrainedAuthz"] {
        assert!(out.contains(words), "`{words}` is not in\n{out}");
    }
}

/// The uid of the pod that the test kubelet speaks of.
static UID: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Starts a kubelet that serves pages, and ends with the process.
fn kubelet() -> u16 {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der())
        .expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("they belong together");
    let config = Arc::new(config);
    let listener = TcpListener::bind((HOST, 0)).expect("the namespace has the address");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = rustls::ServerConnection::new(config.clone()).expect("a session");
            std::thread::spawn(move || serve(rustls::StreamOwned::new(session, stream)));
        }
    });
    port
}

fn serve(stream: rustls::StreamOwned<rustls::ServerConnection, std::net::TcpStream>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, kind, body) = match path.as_str() {
        "/healthz" => ("200 OK", "text/plain", "ok".to_owned()),
        "/stats/summary" => ("200 OK", "application/json", summary().to_string()),
        "/metrics" => ("200 OK", "text/plain", OWN.to_owned()),
        "/metrics/cadvisor" => ("200 OK", "text/plain", CADVISOR.to_owned()),
        "/metrics/resource" => ("200 OK", "text/plain", RESOURCE.to_owned()),
        "/metrics/probes" => ("200 OK", "text/plain", PROBES.to_owned()),
        "/configz" => {
            let config = json!({"kubeletconfig": {"maxPods": 110, "evictionHard": {"imagefs.available": "15%"}}});
            ("200 OK", "application/json", config.to_string())
        }
        _ => ("404 Not Found", "text/plain", "404 page not found".to_owned()),
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let stream = stream.get_mut();
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

fn summary() -> Value {
    let pressure = json!({"some": {"avg10": 1.0, "avg60": 12.5, "avg300": 4.0},
        "full": {"avg10": 0.0, "avg60": 3.0, "avg300": 1.0}});
    json!({
        "node": {"nodeName": "n1", "cpu": {"time": ago(3), "usageNanoCores": 250_000_000, "psi": pressure},
            "memory": {"workingSetBytes": 1 << 30, "availableBytes": 3_i64 << 30},
            "fs": {"usedBytes": 40_i64 << 30, "capacityBytes": 100_i64 << 30, "availableBytes": 60_i64 << 30},
            "rlimit": {"maxpid": 32_768, "curproc": 1_200}},
        "pods": [{"podRef": {"name": "web-1", "namespace": "shop", "uid": UID.get()},
            "cpu": {"usageNanoCores": 120_000_000}, "memory": {"workingSetBytes": 96 << 20},
            "containers": [{"name": "web", "cpu": {"usageNanoCores": 120_000_000}, "memory": {"workingSetBytes": 96 << 20}}],
            "ephemeral-storage": {"usedBytes": 700 << 20},
            "volume": [{"name": "scratch", "usedBytes": 600 << 20, "inodesUsed": 1234}, {"name": "kube-api-access", "usedBytes": 12_288}]}],
    })
}

const OWN: &str = "\
# TYPE kubelet_running_pods gauge
kubelet_running_pods 31
# TYPE kubelet_desired_pods gauge
kubelet_desired_pods{static=\"\"} 30
kubelet_desired_pods{static=\"true\"} 4
# TYPE kubelet_runtime_operations_total counter
kubelet_runtime_operations_total{operation_type=\"create_container\"} 200
# TYPE kubelet_runtime_operations_errors_total counter
kubelet_runtime_operations_errors_total{operation_type=\"create_container\"} 3
";
const RESOURCE: &str = "\
# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{container=\"web\",namespace=\"shop\",pod=\"web-1\"} 1.00663296e+08
# TYPE node_memory_working_set_bytes gauge
node_memory_working_set_bytes 1.073741824e+09
# TYPE resource_scrape_error gauge
resource_scrape_error 0
";
const CADVISOR: &str = "\
# TYPE container_cpu_cfs_periods_total counter
container_cpu_cfs_periods_total{container=\"web\",namespace=\"shop\",pod=\"web-1\"} 200
# TYPE container_cpu_cfs_throttled_periods_total counter
container_cpu_cfs_throttled_periods_total{container=\"web\",namespace=\"shop\",pod=\"web-1\"} 100
";
const PROBES: &str = "\
# TYPE prober_probe_total counter
prober_probe_total{container=\"web\",namespace=\"shop\",pod=\"web-1\",probe_type=\"Readiness\",result=\"failed\"} 7
";
