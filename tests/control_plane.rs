//! The cockpit against a real API server, and the control plane that carries these tests.
//!
//! Where the demo server and these tests disagree, the demo is wrong. Without a control plane they do nothing, and one
//! printed line says so; under CI that is a failure (`controlplane/assets.rs`).

#[path = "support/binary.rs"]
mod binary;
mod controlplane;

use binary::wheelhouse;
use controlplane::{
    Component, ControlPlane, Options, Row, Size, User, fixtures, fresh, wait_until,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

const SOON: Duration = Duration::from_secs(60);

// ---- The control plane itself ----

#[test]
fn kubectl_and_server_are_of_one_version() {
    let Some(lab) = controlplane::shared_api() else { return };
    let out = lab.kubectl(&["version", "-o", "json"]);
    let versions: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(versions["clientVersion"]["gitVersion"], versions["serverVersion"]["gitVersion"]);
}

#[test]
fn odd_pods_print_as_their_fixtures_say() {
    let Some(lab) = fixtures::shared_odd() else { return };
    let rows = by_name(lab.kubectl_rows("pods", true));
    let pods = fixtures::pods();
    assert!(pods.len() >= 30, "{}", pods.len());
    for pod in pods {
        let row = &rows[pod.name];
        assert_eq!(
            (row["STATUS"].as_str(), row["READY"].as_str()),
            (pod.status, pod.ready),
            "{}",
            pod.name
        );
    }
    let added = &rows["restarts-add-up"]["RESTARTS"];
    assert!(added.starts_with("5 (") && added.ends_with(" ago)"), "{added}");
    assert_eq!(rows["restarted-at-some-time"]["RESTARTS"], "2");
    assert_eq!(rows["readiness-gates"]["READINESS GATES"], "1/3");
    assert_eq!(rows["two-addresses"]["IP"], "10.7.0.1");
    assert_eq!(rows["nominated"]["NOMINATED NODE"], "odd-cordoned");
    assert_eq!(rows["no-phase"]["STATUS"], "");
}

#[test]
fn odd_nodes_print_as_their_fixtures_say() {
    let Some(lab) = fixtures::shared_odd() else { return };
    let rows = by_name(lab.kubectl_rows("nodes", true));
    let nodes = fixtures::nodes();
    assert!(nodes.len() >= 12, "{}", nodes.len());
    for node in nodes {
        let row = &rows[node.name];
        assert_eq!(
            (row["STATUS"].as_str(), row["ROLES"].as_str()),
            (node.status, node.roles),
            "{}",
            node.name
        );
    }
    assert_eq!(rows["odd-external"]["EXTERNAL-IP"], "198.51.100.7");
    assert_eq!(rows["odd-no-addresses"]["INTERNAL-IP"], "<none>");
    assert_eq!(rows["odd-bare"]["VERSION"], "");
}

#[test]
fn users_may_do_what_the_roles_say() {
    let Some(lab) = controlplane::shared_api() else { return };
    let can = |user, args: &[&str]| lab.kubectl_as(user, args, "").status.success();
    assert!(can(User::Admin, &["get", "pods", "-A"]));
    for viewer in [User::Viewer, User::ViewerToken] {
        assert!(can(viewer, &["get", "pods", "-n", "shop"]));
        assert!(!can(viewer, &["get", "pods", "-A"]));
    }
    assert!(can(User::Lister, &["get", "pods", "-A"]));
    assert!(!can(User::Lister, &["auth", "can-i", "watch", "pods", "-A"]));
    assert!(!can(User::Nobody, &["get", "pods", "-n", "shop"]));
    for refused in [User::BadToken, User::Expired, User::WrongCa] {
        assert!(!can(refused, &["get", "pods", "-n", "shop"]), "{refused:?}");
    }
}

#[test]
fn an_issued_certificate_works_until_it_expires() {
    let Some(lab) = controlplane::shared_api() else { return };
    let short = lab.issue("short", "lab:admins", SystemTime::now() + Duration::from_secs(10));
    let path = short.to_str().unwrap();
    let works = || lab.kubectl(&["get", "namespaces", "--kubeconfig", path]).status.success();
    assert!(works());
    wait_until("the certificate expires", SOON, || !works());
}

#[test]
fn a_paused_and_a_crashed_api_server_come_back() {
    let Some(lab) = fresh(Options::api()) else { return };
    let answers = || {
        let reply = lab.request_within(Duration::from_secs(2), "GET", "/version", "", b"");
        reply.is_ok_and(|r| r.status == 200)
    };
    lab.signal(Component::ApiServer, libc::SIGSTOP);
    assert!(!answers());
    lab.signal(Component::ApiServer, libc::SIGCONT);
    wait_until("the server answers again", SOON, answers);

    let config_map = json!({"metadata": {"name": "kept"}, "data": {"a": "b"}});
    lab.api_create("/api/v1/namespaces/shop/configmaps", &config_map);
    let before = lab.pid(Component::ApiServer);
    lab.restart(Component::ApiServer);
    assert_ne!(lab.pid(Component::ApiServer), before);
    assert_eq!(lab.api_get("/api/v1/namespaces/shop/configmaps/kept")["data"]["a"], "b");
}

#[test]
fn a_watch_from_before_a_compaction_gets_410() {
    let Some(lab) = fresh(Options::api()) else { return };
    let version = lab.api_get("/api/v1/pods")["metadata"]["resourceVersion"].clone();
    for i in 0..3 {
        let config_map = json!({"metadata": {"name": format!("later-{i}")}});
        lab.api_create("/api/v1/namespaces/shop/configmaps", &config_map);
    }
    lab.etcd().compact();
    // The restarted server has nothing older than its own first list in its watch cache.
    lab.restart(Component::ApiServer);
    let path = format!("/api/v1/pods?watch=1&timeoutSeconds=5&resourceVersion={}", text(&version));
    let reply = lab.request("GET", &path, "", b"").unwrap();
    let event = reply.json();
    let gone = reply.status == 410 || (event["type"] == "ERROR" && event["object"]["code"] == 410);
    assert!(gone, "{} {event}", reply.status);
}

/// Runs one test of this program again in a process of its own.
fn run_again(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a running program has a path"));
    command
        .args(["--exact", "--nocapture", test])
        .env_remove("CI")
        .env_remove("KUBEBUILDER_ASSETS");
    command.env_remove("WHEELHOUSE_CONTROL_PLANE");
    command
}

#[test]
fn a_killed_test_process_takes_its_control_plane_along() {
    const CHILD: &str = "WHEELHOUSE_LAB_CHILD";
    let Some(lab) = fresh(Options::api()) else { return };
    if std::env::var_os(CHILD).is_some() {
        println!("\npid {}", lab.pid(Component::ApiServer).unwrap());
        // Until the parent kills this process.
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let mut command = run_again("a_killed_test_process_takes_its_control_plane_along");
    let mut child =
        command.env(CHILD, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let pid =
        lines.map_while(Result::ok).find_map(|line| line.strip_prefix("pid ").map(str::to_owned));
    let process = format!("/proc/{}", pid.expect("the child told its API server's pid"));
    assert!(Path::new(&process).exists());
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the API server of a killed process ends", SOON, || !Path::new(&process).exists());
}

#[test]
fn a_missing_control_plane_is_told_in_one_line_and_is_a_failure_under_ci() {
    let empty = tempfile::tempdir().unwrap();
    let run = |ci: &str| {
        let mut command = run_again("kubectl_and_server_are_of_one_version");
        command.env("PATH", empty.path()).env("XDG_CACHE_HOME", empty.path()).env("CI", ci);
        controlplane::output_within(command, "", SOON)
    };
    let skipped = run("false");
    assert!(skipped.status.success());
    assert_eq!(stderr(&skipped).lines().count(), 1, "{}", stderr(&skipped));
    assert!(stderr(&skipped).contains("tests/controlplane/build.sh"));
    assert!(!run("true").status.success());
}

#[test]
fn control_planes_are_apart_and_leave_no_process() {
    let (Some(one), Some(two)) = (fresh(Options::api()), fresh(Options::api())) else { return };
    assert_ne!(one.api_url(), two.api_url());
    assert_ne!(one.dir(), two.dir());
    let pids: Vec<u32> = [&one, &two].iter().flat_map(|lab| lab.pid(Component::Etcd)).collect();
    drop((one, two));
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "etcd with pid {pid} is still there");
    }
}

#[test]
fn seeded_objects_are_valid_and_churn_is_seen_by_watches() {
    let Some(lab) = fresh(Options::api().seeded(Size { nodes: 60, pods: 3000 })) else { return };
    let pods = lab.api_get("/api/v1/pods");
    let pods = items(&pods);
    assert_eq!(pods.len(), 3000);
    assert_eq!(items(&lab.api_get("/api/v1/nodes")).len(), 60);
    let namespaces: std::collections::BTreeSet<_> =
        pods.iter().map(|p| p["metadata"]["namespace"].as_str()).collect();
    assert!(namespaces.len() > 100, "pods are spread over {} namespaces", namespaces.len());

    // Bypassing admission must not have made objects that the API server would refuse: it takes a sample back unchanged.
    for pod in pods.iter().step_by(101) {
        let meta = &pod["metadata"];
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}",
            meta["namespace"].as_str().unwrap(),
            meta["name"].as_str().unwrap()
        );
        lab.api_patch(&path, &json!({"metadata": {"annotations": {"lab.test/seen": "yes"}}}));
        lab.api_patch(&format!("{path}/status"), &json!({"status": pod["status"]}));
    }
    for node in ["node-00000.zone-a.example.internal", "node-00042.zone-a.example.internal"] {
        lab.api_patch(
            &format!("/api/v1/nodes/{node}"),
            &json!({"metadata": {"annotations": {"lab.test/seen": "yes"}}}),
        );
    }

    let restarts = |lab: &ControlPlane| -> u64 {
        let pods = lab.api_get("/api/v1/pods");
        let counts = items(&pods).iter();
        counts.filter_map(|p| p["status"]["containerStatuses"][0]["restartCount"].as_u64()).sum()
    };
    let before = restarts(&lab);
    let written = lab.churn(200, Duration::from_secs(2));
    assert!((200..=400).contains(&written), "{written} changes in 2 s at 200 per second");
    assert_eq!(restarts(&lab), before + written as u64);
}

#[test]
fn the_full_control_plane_runs_workloads() {
    let Some(lab) = controlplane::shared_full() else { return };
    let rolled_out = || {
        let web = lab.api_get("/apis/apps/v1/namespaces/shop/deployments/web");
        web["status"]["readyReplicas"] == 12
    };
    wait_until("12 replicas of shop/web are ready", SOON, rolled_out);
    let nodes = by_name(lab.kubectl_rows("nodes", false));
    assert_eq!(nodes["n00.rack-a"]["STATUS"], "Ready");
    assert_eq!(nodes["n00.rack-a"]["ROLES"], "control-plane");
    let statuses = || by_name(lab.kubectl_rows("pods", false));
    let some = |prefix: &str, status: &str| {
        statuses().iter().any(|(name, row)| name.starts_with(prefix) && row["STATUS"] == status)
    };
    wait_until("typo waits for its image", SOON, || some("typo-", "ImagePullBackOff"));
    wait_until("greedy finds no node", SOON, || some("greedy-", "Pending"));
    wait_until("flaky crashes", SOON, || some("flaky-", "CrashLoopBackOff"));
}

#[test]
fn metrics_come_from_the_aggregated_server() {
    let Some(lab) = fresh(Options::full().with_metrics()) else { return };
    lab.wait_for_default_service_account();
    lab.apply(include_str!("controlplane/objects/workloads.yaml"));
    let usage = || {
        let reply = lab.request("GET", "/apis/metrics.k8s.io/v1beta1/nodes", "", b"");
        reply.is_ok_and(|r| r.json()["items"].as_array().is_some_and(|items| items.len() >= 6))
    };
    wait_until("six nodes have metrics", Duration::from_secs(120), usage);
}

// ---- The binary: these need `wheelhouse print` ----

/// What kubectl calls a pod column, and what `print pods -o json` calls it.
const POD_COLUMNS: [(&str, &str); 7] = [
    ("READY", "ready"),
    ("STATUS", "status"),
    ("IP", "ip"),
    ("NODE", "node"),
    ("NOMINATED NODE", "nominated_node"),
    ("READINESS GATES", "readiness_gates"),
    ("NAME", "name"),
];

/// The same for nodes. kubectl joins readiness and cordon into STATUS and puts the architecture behind the kernel.
const NODE_COLUMNS: [(&str, &str); 9] = [
    ("NAME", "name"),
    ("STATUS", "status"),
    ("ROLES", "roles"),
    ("VERSION", "version"),
    ("INTERNAL-IP", "internal_ip"),
    ("EXTERNAL-IP", "external_ip"),
    ("OS-IMAGE", "os_image"),
    ("KERNEL-VERSION", "kernel"),
    ("CONTAINER-RUNTIME", "container_runtime"),
];

#[test]
fn pods_are_printed_as_kubectl_prints_them() {
    let Some(lab) = fixtures::shared_odd() else { return };
    let ours = printed(lab, &["pods", "-A"]);
    let theirs = lab.kubectl_rows("pods", true);
    assert_eq!(ours.len(), theirs.len());
    let ours: BTreeMap<_, _> =
        ours.iter().map(|row| ((text(&row["namespace"]), text(&row["name"])), row)).collect();
    let mut wrong = Vec::new();
    for row in &theirs {
        let mine = ours[&(row["NAMESPACE"].clone(), row["NAME"].clone())];
        differences(row, mine, &POD_COLUMNS, &mut wrong);
        let (count, rest) = row["RESTARTS"].split_once(' ').unwrap_or((&row["RESTARTS"], ""));
        if text(&mine["restarts"]) != count || mine["restarted"].is_null() != rest.is_empty() {
            wrong.push(format!(
                "{}: RESTARTS {} is {} {}",
                row["NAME"], row["RESTARTS"], mine["restarts"], mine["restarted"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} cells differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn nodes_are_printed_as_kubectl_prints_them() {
    let Some(lab) = fixtures::shared_odd() else { return };
    let ours: BTreeMap<String, Value> =
        printed(lab, &["nodes"]).into_iter().map(|row| (text(&row["name"]), row)).collect();
    let theirs = lab.kubectl_rows("nodes", true);
    assert_eq!(ours.len(), theirs.len());
    let mut wrong = Vec::new();
    for row in &theirs {
        let mine = &ours[&row["NAME"]];
        differences(row, mine, &NODE_COLUMNS, &mut wrong);
        let (ready, schedulable) = (
            row["STATUS"].split(',').next() == Some("Ready"),
            !row["STATUS"].contains("SchedulingDisabled"),
        );
        if mine["ready"] != ready || mine["schedulable"] != schedulable {
            wrong.push(format!(
                "{}: {} is ready {} schedulable {}",
                row["NAME"], row["STATUS"], mine["ready"], mine["schedulable"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} cells differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn pods_per_node_equal_a_count_of_the_raw_list() {
    let Some(lab) = fixtures::shared_odd() else { return };
    let counted = pods_per_node(lab);
    assert!(counted["odd-ready"] > 20, "most odd pods are on one node");
    let rows = printed(lab, &["nodes"]);
    assert!(!rows.is_empty());
    for row in rows {
        let name = text(&row["name"]);
        assert_eq!(row["pods"], counted.get(&name).copied().unwrap_or(0), "{name}");
    }
    let capacity = lab.api_get("/api/v1/nodes/odd-ready")["status"]["allocatable"]["pods"].clone();
    let row = printed(lab, &["nodes"]).into_iter().find(|r| r["name"] == "odd-ready").unwrap();
    assert_eq!(text(&row["pods_capacity"]), text(&capacity));
}

#[test]
fn pods_per_node_are_exact_on_a_seeded_cluster() {
    let Some(lab) = fresh(Options::api().seeded(Size { nodes: 100, pods: 5000 })) else { return };
    let counted = pods_per_node(&lab);
    let rows = printed(&lab, &["nodes"]);
    assert_eq!(rows.len(), 100);
    for row in rows {
        let name = text(&row["name"]);
        assert_eq!(row["pods"], counted.get(&name).copied().unwrap_or(0), "{name}");
    }
}

#[test]
fn rights_on_one_namespace_print_that_namespace_and_name_the_missing_rule() {
    let Some(lab) = fixtures::shared_odd() else { return };
    for user in [User::Viewer, User::ViewerToken] {
        let rows = print_as(lab, user, &["pods", "-n", "shop"]);
        assert_eq!(
            rows.len(),
            lab.kubectl_rows("pods", false).iter().filter(|r| r["NAMESPACE"] == "shop").count()
        );
        let out = wheelhouse(&lab.kubeconfig(user), &["print", "pods", "-A", "-o", "json"]);
        refused(&out, &["list", "pods", "viewer"]);
        let out = wheelhouse(&lab.kubeconfig(user), &["print", "nodes", "-o", "json"]);
        refused(&out, &["list", "nodes", "viewer"]);
    }
}

#[test]
fn list_without_watch_is_enough_to_print() {
    let Some(lab) = fixtures::shared_odd() else { return };
    let rows = print_as(lab, User::Lister, &["pods", "-A"]);
    assert_eq!(rows.len(), lab.kubectl_rows("pods", false).len());
    assert!(!print_as(lab, User::Lister, &["nodes"]).is_empty());
}

#[test]
fn no_rights_at_all_names_the_missing_rule() {
    let Some(lab) = controlplane::shared_api() else { return };
    let out = wheelhouse(&lab.kubeconfig(User::Nobody), &["print", "pods", "-n", "shop"]);
    refused(&out, &["list", "pods", "shop", "none"]);
}

#[test]
fn an_expired_certificate_is_told_with_its_date() {
    let Some(lab) = controlplane::shared_api() else { return };
    let out = wheelhouse(&lab.kubeconfig(User::Expired), &["print", "nodes"]);
    refused(&out, &["2024-03-07", "certificate", "expired"]);
}

#[test]
fn a_certificate_of_another_authority_is_told() {
    let Some(lab) = controlplane::shared_api() else { return };
    let out = wheelhouse(&lab.kubeconfig(User::WrongCa), &["print", "nodes"]);
    refused(&out, &["certificate", &lab.api_url()]);
}

#[test]
fn an_unknown_token_is_told() {
    let Some(lab) = controlplane::shared_api() else { return };
    let out = wheelhouse(&lab.kubeconfig(User::BadToken), &["print", "nodes"]);
    refused(&out, &["401", "token"]);
    assert!(!stderr(&out).contains("nobody-knows-me"), "the token itself is not printed");
}

#[test]
fn a_server_that_is_gone_is_told() {
    let Some(lab) = fresh(Options::api()) else { return };
    lab.kill(Component::ApiServer);
    let out = wheelhouse(&lab.kubeconfig(User::Admin), &["print", "nodes"]);
    refused(&out, &["refused", &lab.api_url()]);
}

#[test]
fn a_server_that_hangs_is_told() {
    let Some(lab) = fresh(Options::api()) else { return };
    lab.signal(Component::ApiServer, libc::SIGSTOP);
    let out = wheelhouse(&lab.kubeconfig(User::Admin), &["print", "nodes", "--request-timeout=3s"]);
    refused(&out, &[&lab.api_url()]);
}

// ---- What the tests share ----

/// `wheelhouse print WHAT -o json` as the operator.
fn printed(lab: &ControlPlane, what: &[&str]) -> Vec<Value> {
    print_as(lab, User::Admin, what)
}

fn print_as(lab: &ControlPlane, user: User, what: &[&str]) -> Vec<Value> {
    let args = [&["print"], what, &["-o", "json"]].concat();
    let out = wheelhouse(&lab.kubeconfig(user), &args);
    assert!(out.status.success(), "{user:?} {args:?}: {} {}", out.status, stderr(&out));
    serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{args:?} did not print a JSON array: {e}"))
}

/// Failed (1) with nothing on stdout, and a message on stderr that holds these words.
fn refused(out: &Output, words: &[&str]) {
    let told = stderr(out);
    assert_eq!(out.status.code(), Some(1), "{told}");
    assert!(out.stdout.is_empty(), "{}", String::from_utf8_lossy(&out.stdout));
    for word in words {
        assert!(told.contains(word), "the message does not hold {word:?}:\n{told}");
    }
}

fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

/// kubectl writes `<none>` or `<unknown>` where JSON has null.
fn differences(theirs: &Row, ours: &Value, columns: &[(&str, &str)], wrong: &mut Vec<String>) {
    for (heading, key) in columns {
        let cell = theirs[*heading].as_str();
        let expected = if ["<none>", "<unknown>"].contains(&cell) { "" } else { cell };
        let got = text(&ours[*key]);
        if got != expected {
            wrong.push(format!(
                "{}: {heading} is {cell:?}, ours {key} {}",
                theirs["NAME"], ours[*key]
            ));
        }
    }
}

/// A JSON cell as text: null is empty, a list is joined as kubectl joins roles.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(s) => s.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn items(list: &Value) -> &[Value] {
    list["items"].as_array().expect("a list has items")
}

fn by_name(rows: Vec<Row>) -> BTreeMap<String, Row> {
    rows.into_iter().map(|row| (row["NAME"].clone(), row)).collect()
}

/// Bound pods that have not finished, terminating ones included, straight from the pods' own fields.
fn pods_per_node(lab: &ControlPlane) -> BTreeMap<String, u64> {
    let pods = lab.api_get("/api/v1/pods");
    let mut counts = BTreeMap::new();
    for pod in items(&pods) {
        let finished = ["Succeeded", "Failed"].map(Value::from).contains(&pod["status"]["phase"]);
        if let (Some(node), false) = (pod["spec"]["nodeName"].as_str(), finished) {
            *counts.entry(node.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}
