//! The demo cluster behaves as an API server does, as far as it claims to: through a `kube::Client`, request by request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};
use wheelhouse::app::cluster::survey;
use wheelhouse::app::demo::{DemoCluster, Deny, Failure, SECRET_MARK, registry};
use wheelhouse::state::rules::stuck::{Held, Life, Ruling};
use wheelhouse::state::time::Epoch;

/// 2026-11-20T09:00:00Z
const START: i64 = 1_795_165_200;

struct Lab {
    cluster: DemoCluster,
    client: kube::Client,
    clock: Arc<AtomicI64>,
}

struct Answer {
    code: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }
}

fn cluster(seed: u64) -> (DemoCluster, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(START * 1000));
    let read = clock.clone();
    let now = move || Timestamp::from_millisecond(read.load(Ordering::SeqCst)).unwrap();
    (DemoCluster::new(seed, Arc::new(now)), clock)
}

fn lab() -> Lab {
    let (cluster, clock) = cluster(7);
    Lab { client: cluster.client(), cluster, clock }
}

impl Lab {
    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
        self.cluster.expire();
    }

    /// Ticks of 700 ms each.
    fn live(&self, ticks: usize) {
        for _ in 0..ticks {
            self.clock.fetch_add(700, Ordering::SeqCst);
            self.cluster.tick();
        }
    }

    async fn send(&self, method: &str, path: &str, kind: &str, body: &Value) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .header("accept", "application/vnd.kubernetes.protobuf,application/json")
            .body(Body::from(body))
            .unwrap();
        let response = self.client.send(request).await.unwrap();
        let (code, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer { code, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", &Value::Null).await
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.code, 200, "{path}: {}", answer.text);
        answer.json()
    }

    async fn items(&self, path: &str) -> Vec<Value> {
        self.read(path).await["items"].as_array().unwrap().clone()
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, "application/json", &body).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, "application/json", &body).await
    }

    async fn patch(&self, path: &str, kind: &str, body: Value) -> Answer {
        self.send("PATCH", path, &format!("application/{kind}-patch+json"), &body).await
    }

    async fn delete(&self, path: &str, body: Value) -> Answer {
        self.send("DELETE", path, "application/json", &body).await
    }

    async fn open(&self, path: &str) -> Stream {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.client.send(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        Stream { body: response.into_body(), rest: Vec::new() }
    }

    async fn version(&self) -> String {
        let list = self.read("/api/v1/namespaces?limit=1").await;
        list["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
    }

    /// Every pod of an app, by name.
    async fn pods(&self, namespace: &str, app: &str) -> Vec<Value> {
        self.items(&format!(
            "/api/v1/namespaces/{namespace}/pods?labelSelector=app.kubernetes.io/name%3D{app}"
        ))
        .await
    }
}

struct Stream {
    body: Body,
    rest: Vec<u8>,
}

impl Stream {
    /// The next event, `None` at the end of the stream, an error when it broke.
    async fn next(&mut self) -> Result<Option<Value>, String> {
        loop {
            if let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Ok(Some(serde_json::from_slice(&line).unwrap()));
            }
            let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame()).await;
            match frame.expect("nothing came for 20 s") {
                None if self.rest.is_empty() => return Ok(None),
                None => return Err("ended in the middle of an object".into()),
                Some(Err(e)) => return Err(e.to_string()),
                Some(Ok(frame)) => self.rest.extend(frame.into_data().unwrap()),
            }
        }
    }

    async fn event(&mut self) -> Value {
        self.next().await.expect("broke").expect("ended")
    }

    /// Whether nothing is to be read now.
    fn is_quiet(&mut self) -> bool {
        self.rest.is_empty() && self.body.frame().now_or_never().is_none()
    }
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

fn config(name: &str) -> Value {
    json!({"metadata": {"name": name}, "data": {"k": "v"}})
}

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";

// --- reading ---

#[tokio::test]
async fn every_object_is_what_its_type_says_and_of_a_served_kind() {
    let lab = lab();
    lab.live(30);
    let mut count = 0;
    for res in registry::ALL {
        let root = if res.group.is_empty() {
            "/api/v1".into()
        } else {
            format!("/apis/{}", res.api_version())
        };
        let list = lab.read(&format!("{root}/{}", res.plural)).await;
        assert_eq!(list["kind"], format!("{}List", res.kind));
        for object in list["items"].as_array().unwrap() {
            (res.check)(object).unwrap_or_else(|e| panic!("{} {}: {e}", res.kind, name(object)));
            assert!(
                object["metadata"]["uid"].is_string()
                    && object["metadata"]["managedFields"].is_array()
            );
            count += 1;
        }
        assert!(!list["items"].as_array().unwrap().is_empty(), "no {}", res.plural);
    }
    assert_eq!(count, lab.cluster.objects());
}

#[tokio::test]
async fn the_cast_looks_like_a_working_day() {
    let lab = lab();
    lab.live(40);
    let nodes = lab.items("/api/v1/nodes").await;
    assert_eq!(nodes.len(), 24);
    assert_eq!(nodes.iter().filter(|n| n["spec"]["unschedulable"] == true).count(), 1);
    let pods = lab.items("/api/v1/pods").await;
    assert!((300..400).contains(&pods.len()), "{} pods", pods.len());
    let waiting: BTreeSet<&str> = pods
        .iter()
        .filter_map(|p| p["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].as_str())
        .collect();
    assert!(
        waiting.contains("CrashLoopBackOff") || waiting.contains("ImagePullBackOff"),
        "{waiting:?}"
    );
    let unschedulable =
        pods.iter().filter_map(|p| p["status"]["conditions"][0]["message"].as_str());
    let why: Vec<&str> =
        unschedulable.filter(|m| m.starts_with("0/24 nodes are available: ")).collect();
    assert!(!why.is_empty());
    let ready = pods.iter().filter(|p| {
        p["status"]["conditions"]
            .as_array()
            .is_some_and(|c| c.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
    });
    assert!(ready.count() > 280);
    for qos in ["Guaranteed", "Burstable", "BestEffort"] {
        assert!(pods.iter().any(|p| p["status"]["qosClass"] == qos), "{qos}");
    }
    let deployments = lab.items("/apis/apps/v1/deployments").await;
    let web = deployments.iter().find(|d| name(d) == "web").unwrap();
    assert_eq!(web["status"]["readyReplicas"], 18, "{}", web["status"]);
    let blue = lab.read("/api/v1/namespaces/team-blue").await;
    assert_eq!(blue["status"]["phase"], "Terminating");
    assert!(blue["status"].to_string().contains("forges.foundry.example has 3 resource instances"));
}

#[tokio::test]
async fn pages_show_one_state_though_the_cluster_moves() {
    let lab = lab();
    let whole: Vec<String> =
        lab.items("/api/v1/pods").await.iter().map(|p| name(p).to_owned()).collect();
    let (mut seen, mut token, mut versions) = (Vec::new(), String::new(), BTreeSet::new());
    loop {
        let page = lab.read(&format!("/api/v1/pods?limit=50&continue={token}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|p| name(p).to_owned()));
        versions.insert(page["metadata"]["resourceVersion"].to_string());
        let left = page["metadata"]["remainingItemCount"].as_u64().unwrap_or(0);
        assert_eq!(seen.len() as u64 + left, whole.len() as u64);
        token = page["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            break;
        }
        lab.live(2);
        let gone =
            format!("/api/v1/namespaces/shop/pods/{}", name(&lab.pods("shop", "web").await[0]));
        lab.delete(&gone, json!({"gracePeriodSeconds": 0})).await;
    }
    assert_eq!(seen, whole);
    assert_eq!(versions.len(), 1);
    let now: Vec<String> =
        lab.items("/api/v1/pods").await.iter().map(|p| name(p).to_owned()).collect();
    assert_ne!(seen, now);
}

#[tokio::test]
async fn a_continue_token_of_compacted_history_is_refused_with_410() {
    let lab = lab();
    let page = lab.read("/api/v1/pods?limit=10").await;
    let token = page["metadata"]["continue"].as_str().unwrap().to_owned();
    lab.live(3);
    lab.cluster.faults().compact();
    let answer = lab.get(&format!("/api/v1/pods?limit=10&continue={token}")).await;
    assert_eq!((answer.code, answer.json()["reason"].as_str()), (410, Some("Expired")));
    let answer = lab.get("/api/v1/pods?limit=10&continue=nonsense").await;
    assert_eq!(answer.code, 400);
    let newer = lab.get("/api/v1/pods?resourceVersion=999999999").await;
    assert_eq!(newer.code, 504);
}

#[tokio::test]
async fn selectors_select() {
    let lab = lab();
    let all = lab.items("/api/v1/pods").await;
    let on = |n: &str| all.iter().filter(|p| p["spec"]["nodeName"] == n).count();
    let path = "/api/v1/pods?fieldSelector=spec.nodeName%3Ddemo-a-01";
    assert_eq!(lab.items(path).await.len(), on("demo-a-01"));
    assert!(on("demo-a-01") > 0);
    let running = lab.items("/api/v1/pods?fieldSelector=status.phase!%3DRunning").await;
    assert!(!running.is_empty() && running.iter().all(|p| p["status"]["phase"] != "Running"));
    let query = "labelSelector=app.kubernetes.io/name%20in%20(web,cart),!nothing,app.kubernetes.io/part-of!%3Dops";
    assert_eq!(lab.items(&format!("/api/v1/pods?{query}")).await.len(), 24);
    let tls = lab.items("/api/v1/secrets?fieldSelector=type%3Dkubernetes.io/tls").await;
    assert_eq!(tls.len(), 1);
    let warnings =
        lab.items("/api/v1/events?fieldSelector=type!%3DNormal,involvedObject.kind%3DPod").await;
    assert!(!warnings.is_empty());
    let wrong = lab.get("/api/v1/pods?fieldSelector=spec.colour%3Dred").await;
    assert_eq!(wrong.code, 400);
    assert!(wrong.message().contains("field label not supported: spec.colour"), "{}", wrong.text);
}

#[tokio::test]
async fn answers_look_like_a_server_s() {
    let lab = lab();
    let answer = lab.get("/api/v1/namespaces/shop/pods/none").await;
    assert_eq!(answer.code, 404);
    assert_eq!(answer.message(), "pods \"none\" not found");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["date"], "Fri, 20 Nov 2026 09:00:00 GMT");
    assert!(answer.headers.contains_key("audit-id"));
    let answer = lab.get("/apis/apps/v1/namespaces/shop/deployments/none").await;
    assert_eq!(answer.message(), "deployments.apps \"none\" not found");
    assert_eq!(lab.get("/apis/nobody.example/v1/things").await.code, 404);
    assert_eq!(lab.get("/readyz").await.text, "ok");
    assert!(lab.get("/livez?verbose").await.text.contains("[+]etcd ok\n"));
    let levels = lab.get("/debug/api_priority_and_fairness/dump_priority_levels").await.text;
    assert!(levels.starts_with("PriorityLevelName, ActiveQueues, IsIdle, "), "{levels}");
    let requests = lab
        .get("/debug/api_priority_and_fairness/dump_requests?includeRequestDetails=1")
        .await
        .text;
    assert!(
        requests.lines().next().unwrap().contains("FlowDistingsher,")
            && requests.contains("UserName,")
    );
}

#[tokio::test]
async fn discovery_names_what_is_served() {
    let lab = lab();
    let found = kube::Discovery::new(lab.client.clone()).run_aggregated().await.unwrap();
    let plain = kube::Discovery::new(lab.client.clone()).run().await.unwrap();
    for res in registry::ALL {
        let gvk = kube::core::GroupVersionKind::gvk(res.group, res.version, res.kind);
        for (how, found) in [("aggregated", &found), ("plain", &plain)] {
            let (api, capabilities) =
                found.resolve_gvk(&gvk).unwrap_or_else(|| panic!("{how}: no {}", res.kind));
            assert_eq!(api.plural, res.plural);
            assert_eq!(capabilities.scope == kube::discovery::Scope::Namespaced, res.namespaced);
            assert!(capabilities.supports_operation("watch"));
        }
    }
    let core = lab.read("/api/v1").await;
    let served = core["resources"].as_array().unwrap();
    let eviction = served.iter().find(|r| r["name"] == "pods/eviction").unwrap();
    assert_eq!(
        (eviction["group"].as_str(), eviction["version"].as_str()),
        (Some("policy"), Some("v1"))
    );
    assert_eq!(lab.client.apiserver_version().await.unwrap().git_version, "v1.36.2");
}

#[tokio::test]
async fn logs_and_usage_are_there() {
    let lab = lab();
    let pod = lab.pods("shop", "web").await.remove(0);
    let path = format!("/api/v1/namespaces/shop/pods/{}/log", name(&pod));
    let log = lab.get(&format!("{path}?tailLines=5&timestamps=true")).await;
    assert_eq!(log.text.lines().count(), 5);
    assert!(log.text.starts_with("2026-11-"), "{}", log.text);
    assert_eq!(lab.get(&format!("{path}?container=nobody")).await.code, 400);
    let before = lab.items("/apis/metrics.k8s.io/v1beta1/nodes").await;
    assert_eq!(before.len(), 23, "a silent kubelet reports nothing");
    lab.pass(60);
    let after = lab.items("/apis/metrics.k8s.io/v1beta1/nodes").await;
    assert_ne!(before[3]["usage"]["cpu"], after[3]["usage"]["cpu"]);
    let usage = lab.items("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods").await;
    assert!(
        usage
            .iter()
            .all(|u| u["containers"][0]["usage"]["memory"].as_str().unwrap().ends_with("Ki"))
    );
}

// --- watching ---

#[tokio::test]
async fn a_watch_resumes_where_it_was_and_gets_410_when_that_is_gone() {
    let lab = lab();
    let from = lab.version().await;
    let path = format!("{MAPS}?watch=true&resourceVersion={from}");
    let mut watch = lab.open(&path).await;
    assert!(watch.is_quiet());
    lab.post(MAPS, config("one")).await;
    let added = watch.event().await;
    assert_eq!((added["type"].as_str(), name(&added["object"])), (Some("ADDED"), "one"));
    assert_eq!(added["object"]["kind"], "ConfigMap");
    lab.patch(&format!("{MAPS}/one"), "merge", json!({"data": {"k": "w"}})).await;
    lab.delete(&format!("{MAPS}/one"), Value::Null).await;
    assert_eq!(watch.event().await["type"], "MODIFIED");
    let deleted = watch.event().await;
    assert_eq!(
        (deleted["type"].as_str(), deleted["object"]["data"]["k"].as_str()),
        (Some("DELETED"), Some("w"))
    );

    let version = added["object"]["metadata"]["resourceVersion"].as_str().unwrap();
    let mut resumed = lab.open(&format!("{MAPS}?watch=true&resourceVersion={version}")).await;
    assert_eq!(resumed.event().await["type"], "MODIFIED");
    assert_eq!(resumed.event().await["type"], "DELETED");
    assert!(resumed.is_quiet());

    lab.cluster.faults().compact();
    let mut late = lab.open(&path).await;
    let error = late.event().await;
    assert_eq!(
        (error["type"].as_str(), error["object"]["code"].as_u64()),
        (Some("ERROR"), Some(410))
    );
    assert_eq!(late.next().await.unwrap(), None);
    lab.cluster.faults().gone_over_http(true);
    assert_eq!(lab.get(&path).await.code, 410);
}

#[tokio::test]
async fn history_is_bounded() {
    let lab = lab();
    let from = lab.version().await;
    lab.live(1_000);
    let mut watch = lab.open(&format!("/api/v1/pods?watch=true&resourceVersion={from}")).await;
    assert_eq!(watch.event().await["object"]["code"], 410);
}

#[tokio::test]
async fn a_watch_with_a_selector_sees_objects_come_and_go() {
    let lab = lab();
    lab.post(MAPS, config("mine")).await;
    let from = lab.version().await;
    let mut watch = lab
        .open(&format!("{MAPS}?watch=1&labelSelector=colour%3Dred&resourceVersion={from}"))
        .await;
    let path = format!("{MAPS}/mine");
    for colour in ["red", "red", "blue"] {
        let n = lab.version().await;
        lab.patch(&path, "merge", json!({"metadata": {"labels": {"colour": colour, "n": n}}}))
            .await;
    }
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(watch.event().await["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds, ["ADDED", "MODIFIED", "DELETED"]);
}

#[tokio::test]
async fn watch_lists_stream_what_is_there_and_say_when_that_was_all() {
    let lab = lab();
    let path = "/api/v1/nodes?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan\
                &allowWatchBookmarks=true&resourceVersion=";
    let mut watch = lab.open(path).await;
    for _ in 0..24 {
        assert_eq!(watch.event().await["type"], "ADDED");
    }
    let end = watch.event().await;
    assert_eq!(end["type"], "BOOKMARK");
    assert_eq!(end["object"]["kind"], "Node");
    assert_eq!(end["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    assert!(watch.is_quiet());
    lab.cluster.faults().watch_list(false);
    let refused = lab.get(path).await;
    assert_eq!((refused.code, refused.json()["reason"].as_str()), (422, Some("Invalid")));
    assert!(refused.message().contains("unless the WatchList feature gate is enabled"));
}

#[tokio::test]
async fn bookmarks_come_once_a_minute_and_time_outs_end_a_watch() {
    let lab = lab();
    let from = lab.version().await;
    let path = format!("{MAPS}?watch=true&resourceVersion={from}&timeoutSeconds=150");
    let mut watch = lab.open(&format!("{path}&allowWatchBookmarks=true")).await;
    let mut plain = lab.open(&path).await;
    lab.pass(50);
    assert!(watch.is_quiet());
    lab.post("/api/v1/namespaces/ops/configmaps", config("elsewhere")).await;
    lab.pass(20);
    let mark = watch.event().await;
    assert_eq!(mark["type"], "BOOKMARK");
    assert_eq!(mark["object"]["metadata"]["resourceVersion"], lab.version().await);
    assert!(watch.is_quiet() && plain.is_quiet());
    lab.pass(90);
    assert_eq!(plain.next().await.unwrap(), None);
    assert_eq!(watch.next().await.unwrap(), None);
}

// --- writing ---

#[tokio::test]
async fn names_are_taken_once_and_generated_when_asked() {
    let lab = lab();
    let made = lab.post(MAPS, config("twice")).await;
    assert_eq!(made.code, 201);
    let meta = &made.json()["metadata"];
    assert_eq!(
        (meta["namespace"].as_str(), meta["creationTimestamp"].as_str()),
        (Some("shop"), Some("2026-11-20T09:00:00Z"))
    );
    let again = lab.post(MAPS, config("twice")).await;
    assert_eq!((again.code, again.json()["reason"].as_str()), (409, Some("AlreadyExists")));
    let made = lab.post(MAPS, json!({"metadata": {"generateName": "one-of-"}})).await.json();
    assert!(name(&made).starts_with("one-of-") && name(&made).len() == 12);
    assert_eq!(lab.post(MAPS, json!({"metadata": {}})).await.code, 422);
    assert_eq!(
        lab.post(MAPS, json!({"metadata": {"name": "x"}, "data": {"n": 1}})).await.code,
        400
    );
    assert_eq!(lab.post("/api/v1/namespaces/nowhere/configmaps", config("x")).await.code, 404);
    let ending = lab.post("/api/v1/namespaces/team-blue/configmaps", config("x")).await;
    assert_eq!(ending.code, 403);
    assert_eq!(ending.json()["details"]["causes"][0]["reason"], "NamespaceTerminating");
}

#[tokio::test]
async fn a_write_with_an_old_version_is_a_conflict() {
    let lab = lab();
    let first = lab.post(MAPS, config("c")).await.json();
    let path = format!("{MAPS}/c");
    let mut mine = first.clone();
    mine["data"]["k"] = json!("mine");
    assert_eq!(lab.put(&path, mine.clone()).await.code, 200);
    let late = lab.put(&path, mine).await;
    assert_eq!((late.code, late.json()["reason"].as_str()), (409, Some("Conflict")));
    assert!(late.message().contains("the object has been modified"));
    let version = &first["metadata"]["resourceVersion"];
    let patch = json!({"metadata": {"resourceVersion": version}, "data": {"k": "theirs"}});
    assert_eq!(lab.patch(&path, "merge", patch).await.code, 409);
    let other = json!({"metadata": {"name": "c", "uid": "another"}, "data": {}});
    assert_eq!(lab.put(&path, other).await.code, 409);
    let unconditional = lab.put(&path, config("c")).await;
    assert_eq!(unconditional.code, 200);
    let same = lab.put(&path, unconditional.json()).await.json();
    assert_eq!(
        same["metadata"]["resourceVersion"],
        unconditional.json()["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn patches_of_all_kinds_apply() {
    let lab = lab();
    let node = "/api/v1/nodes/demo-a-01";
    let uid = lab.read(node).await["metadata"]["uid"].clone();
    let patch = json!([
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "add", "path": "/metadata/labels/a.b~1c~0d", "value": "x"},
    ]);
    let patched = lab.patch(node, "json", patch).await.json();
    assert_eq!(patched["metadata"]["labels"]["a.b/c~d"], "x");
    let wrong = json!([{"op": "test", "path": "/metadata/uid", "value": "another"}]);
    let refused = lab.patch(node, "json", wrong).await;
    assert_eq!((refused.code, refused.json()["reason"].as_str()), (422, Some("Invalid")));

    let web = "/apis/apps/v1/namespaces/shop/deployments/web";
    let image =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "new"}]}}}});
    let patched = lab.patch(web, "strategic-merge", image.clone()).await.json();
    let container = &patched["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "new");
    assert!(
        container["resources"]["requests"]["cpu"].is_string(),
        "the rest of the container stays"
    );
    assert_eq!(patched["metadata"]["generation"], 2);
    let replaced = lab.patch(web, "merge", image).await;
    let spec = &replaced.json()["spec"]["template"]["spec"];
    assert!(spec["containers"][0]["resources"].is_null(), "a merge patch replaces the list");
    assert_eq!(lab.send("PATCH", web, "application/apply-patch+yaml", &json!({})).await.code, 415);
}

#[tokio::test]
async fn status_is_written_through_its_sub_resource_only() {
    let lab = lab();
    let path = "/apis/apps/v1/namespaces/shop/deployments/cart";
    let patch = json!({"status": {"readyReplicas": 99}, "spec": {"paused": true}});
    let patched = lab.patch(path, "merge", patch.clone()).await.json();
    assert_eq!(
        (patched["spec"]["paused"].as_bool(), patched["status"]["readyReplicas"].as_u64()),
        (Some(true), Some(6))
    );
    let patch = json!({"status": {"readyReplicas": 3}, "spec": {"paused": false}});
    let patched = lab.patch(&format!("{path}/status"), "merge", patch).await.json();
    assert_eq!(
        (patched["spec"]["paused"].as_bool(), patched["status"]["readyReplicas"].as_u64()),
        (Some(true), Some(3))
    );
}

#[tokio::test]
async fn scaling_makes_and_removes_pods() {
    let lab = lab();
    let path = "/apis/apps/v1/namespaces/payments/deployments/webhooks/scale";
    assert_eq!(lab.read(path).await["spec"]["replicas"], 3);
    assert_eq!(lab.patch(path, "merge", json!({"spec": {"replicas": 5}})).await.code, 200);
    lab.live(40);
    assert_eq!(lab.pods("payments", "webhooks").await.len(), 5);
    assert_eq!(lab.read(path).await["status"]["replicas"], 5);
    lab.patch(path, "merge", json!({"spec": {"replicas": 1}})).await;
    lab.live(60);
    assert_eq!(lab.pods("payments", "webhooks").await.len(), 1);
    assert_eq!(lab.patch(path, "merge", json!({"spec": {"replicas": -1}})).await.code, 422);
}

#[tokio::test]
async fn deletes_happen_to_the_object_that_was_meant_or_not_at_all() {
    let lab = lab();
    let made = lab.post(MAPS, config("d")).await.json();
    let path = format!("{MAPS}/d");
    let wrong = lab.delete(&path, json!({"preconditions": {"uid": "another"}})).await;
    assert_eq!(wrong.code, 409);
    assert!(wrong.message().contains("the UID in the precondition (another) does not match"));
    let wrong = lab.delete(&path, json!({"preconditions": {"resourceVersion": "1"}})).await;
    assert_eq!(wrong.code, 409);
    let meta = &made["metadata"];
    let right =
        json!({"preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}});
    let done = lab.delete(&path, right).await;
    assert_eq!((done.code, done.json()["status"].as_str()), (200, Some("Success")));
    assert_eq!(lab.get(&path).await.code, 404);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let lab = lab();
    let pod = lab.pods("shop", "web").await.remove(0);
    let pod = format!("/api/v1/namespaces/shop/pods/{}", name(&pod));
    let before = (lab.version().await, lab.cluster.objects());
    let labels = json!({"metadata": {"labels": {"a": "b"}}});
    let web = "/apis/apps/v1/namespaces/shop/deployments/web";
    let codes = [
        lab.post(&format!("{MAPS}?dryRun=All"), config("dry")).await.code,
        lab.patch("/api/v1/nodes/demo-a-01?dryRun=All", "merge", labels).await.code,
        lab.put(&format!("{web}?dryRun=All"), lab.read(web).await).await.code,
        lab.patch(&format!("{web}/scale?dryRun=All"), "merge", json!({"spec": {"replicas": 0}}))
            .await
            .code,
        lab.delete(&format!("{pod}?dryRun=All"), Value::Null).await.code,
        lab.delete(&pod, json!({"dryRun": ["All"], "gracePeriodSeconds": 0})).await.code,
        lab.post(&format!("{pod}/eviction?dryRun=All"), json!({})).await.code,
        lab.delete("/api/v1/namespaces/ops/pods?dryRun=All", Value::Null).await.code,
    ];
    assert_eq!(codes, [201, 200, 200, 200, 200, 200, 201, 200]);
    assert_eq!((lab.version().await, lab.cluster.objects()), before);
    assert_eq!(lab.post(&format!("{MAPS}?dryRun=Some"), config("dry")).await.code, 422);
}

#[tokio::test]
async fn finalizers_hold_an_object_until_the_last_is_removed() {
    let lab = lab();
    let mut held = config("held");
    held["metadata"]["finalizers"] = json!(["a.example/one", "a.example/two"]);
    lab.post(MAPS, held).await;
    let path = format!("{MAPS}/held");
    assert_eq!(lab.delete(&path, Value::Null).await.json()["kind"], "ConfigMap");
    lab.live(3);
    let kept = lab.read(&path).await;
    assert_eq!(kept["metadata"]["deletionTimestamp"], "2026-11-20T09:00:00Z");
    let more =
        json!({"metadata": {"finalizers": ["a.example/one", "a.example/two", "a.example/three"]}});
    let refused = lab.patch(&path, "merge", more).await;
    assert_eq!(refused.code, 422);
    assert!(
        refused.message().contains("no new finalizers can be added if the object is being deleted")
    );
    let remove = |value: &str| {
        json!([{"op": "test", "path": "/metadata/finalizers/0", "value": value},
            {"op": "remove", "path": "/metadata/finalizers/0"}])
    };
    assert_eq!(lab.patch(&path, "json", remove("a.example/two")).await.code, 422);
    assert_eq!(lab.patch(&path, "json", remove("a.example/one")).await.code, 200);
    assert_eq!(lab.get(&path).await.code, 200);
    assert_eq!(lab.patch(&path, "json", remove("a.example/two")).await.code, 200);
    assert_eq!(lab.get(&path).await.code, 404);
}

#[tokio::test]
async fn a_stuck_namespace_goes_when_its_content_may_go() {
    let lab = lab();
    for forge in ["anvil", "bellows", "crucible"] {
        let path = format!("/apis/foundry.example/v1/namespaces/team-blue/forges/{forge}");
        let patch = json!([{"op": "remove", "path": "/metadata/finalizers/0"}]);
        assert_eq!(lab.patch(&path, "json", patch).await.code, 200);
        assert_eq!(lab.get(&path).await.code, 404);
    }
    assert_eq!(lab.get("/api/v1/namespaces/team-blue").await.code, 200);
    lab.live(2);
    assert_eq!(lab.get("/api/v1/namespaces/team-blue").await.code, 404);
    lab.delete("/api/v1/namespaces/auth", Value::Null).await;
    assert_eq!(lab.read("/api/v1/namespaces/auth").await["status"]["phase"], "Terminating");
    lab.live(60);
    assert_eq!(lab.get("/api/v1/namespaces/auth").await.code, 404);
    assert_eq!(lab.items("/api/v1/namespaces/auth/pods").await.len(), 0);
}

#[tokio::test]
async fn a_pod_goes_when_its_grace_is_over_and_not_before() {
    let lab = lab();
    let pod = lab.pods("ops", "dash").await.remove(0);
    let path = format!("/api/v1/namespaces/ops/pods/{}", name(&pod));
    let left = lab.delete(&path, Value::Null).await.json();
    assert_eq!(left["metadata"]["deletionTimestamp"], "2026-11-20T09:00:20Z");
    assert_eq!(left["metadata"]["deletionGracePeriodSeconds"], 20);
    lab.delete(&path, json!({"gracePeriodSeconds": 300})).await;
    lab.pass(19);
    assert_eq!(lab.get(&path).await.code, 200, "a second delete does not lengthen the grace");
    lab.pass(1);
    assert_eq!(lab.get(&path).await.code, 404);

    let pod = lab.pods("ops", "dash").await.remove(0);
    let path = format!("/api/v1/namespaces/ops/pods/{}", name(&pod));
    lab.delete(&path, json!({"gracePeriodSeconds": 0})).await;
    assert_eq!(lab.get(&path).await.code, 404);
}

#[tokio::test]
async fn pods_of_a_silent_node_stay_until_they_are_forced() {
    let lab = lab();
    lab.live(50);
    let path = "/api/v1/pods?fieldSelector=spec.nodeName%3Ddemo-c-05";
    let pods = lab.items(path).await;
    let stuck = pods
        .iter()
        .find(|p| p["metadata"]["deletionTimestamp"].is_string())
        .expect("a stranded pod");
    let namespace = stuck["metadata"]["namespace"].as_str().unwrap();
    let path = format!("/api/v1/namespaces/{namespace}/pods/{}", name(stuck));
    lab.delete(&path, json!({"gracePeriodSeconds": 0})).await;
    assert_eq!(lab.get(&path).await.code, 404);
}

// --- evicting ---

async fn evict(lab: &Lab, namespace: &str, pod: &str, body: Value) -> Answer {
    lab.post(&format!("/api/v1/namespaces/{namespace}/pods/{pod}/eviction"), body).await
}

#[tokio::test]
async fn evictions_spend_budgets_and_stop_when_they_are_spent() {
    let lab = lab();
    let pods = lab.pods("shop", "cart").await;
    let first =
        evict(&lab, "shop", name(&pods[0]), json!({"metadata": {"name": name(&pods[0])}})).await;
    assert_eq!((first.code, first.json()["status"].as_str()), (201, Some("Success")));
    let path = format!("/api/v1/namespaces/shop/pods/{}", name(&pods[0]));
    let leaving = lab.read(&path).await;
    assert!(leaving["metadata"]["deletionTimestamp"].is_string());
    assert!(leaving["status"].to_string().contains("EvictionByEvictionAPI"));

    let second = evict(&lab, "shop", name(&pods[1]), json!({})).await;
    assert_eq!(second.code, 429);
    assert!(second.headers.get("retry-after").is_none());
    let status = second.json();
    assert_eq!(status["reason"], "TooManyRequests");
    assert_eq!(status["details"]["causes"][0]["reason"], "DisruptionBudget");
    let cause = status["details"]["causes"][0]["message"].as_str().unwrap();
    assert_eq!(cause, "The disruption budget cart needs 5 healthy pods and has 6 currently");

    lab.live(60);
    let now = lab.pods("shop", "cart").await;
    assert_eq!(now.len(), 6, "the controller replaced it");
    assert!(
        now.iter().all(|p| p["spec"]["nodeName"] != "demo-b-03"),
        "nothing lands on a cordoned node"
    );
    assert_eq!(evict(&lab, "shop", name(&pods[1]), json!({})).await.code, 201);
}

#[tokio::test]
async fn evictions_are_refused_for_the_reasons_a_server_has() {
    let lab = lab();
    let ledger = lab.pods("payments", "ledger").await.remove(0);
    assert_eq!(evict(&lab, "payments", name(&ledger), json!({})).await.code, 429);
    let catalog = lab.pods("shop", "catalog").await.remove(0);
    let twice = evict(&lab, "shop", name(&catalog), json!({})).await;
    assert_eq!(twice.code, 500);
    assert!(twice.message().contains("more than one PodDisruptionBudget"));
    let web = lab.pods("shop", "web").await.remove(0);
    let body = json!({"deleteOptions": {"preconditions": {"uid": "another"}}});
    assert_eq!(evict(&lab, "shop", name(&web), body).await.code, 409);
    assert_eq!(
        evict(&lab, "shop", name(&web), json!({"metadata": {"name": "other"}})).await.code,
        400
    );
    let path =
        format!("/api/v1/namespaces/shop/pods/{}/eviction?fieldValidation=Strict", name(&web));
    let typo = lab.post(&path, json!({"delete_options": {}})).await;
    assert_eq!(typo.code, 400, "the key kube's own evict sends");
    assert_eq!(evict(&lab, "shop", "none", json!({})).await.code, 404);
    let pending = lab.pods("data", "backfill").await.remove(0);
    assert_eq!(evict(&lab, "data", name(&pending), json!({})).await.code, 201);
}

#[tokio::test]
async fn certificates_are_issued_once_approved_and_decisions_are_final() {
    let lab = lab();
    let path = "/apis/certificates.k8s.io/v1/certificatesigningrequests/csr-8xk2p";
    let decide = |mut request: Value, kind: &str| {
        request["status"]["conditions"] =
            json!([{"type": kind, "status": "True", "reason": "Test"}]);
        request
    };
    let request = lab.read(path).await;
    let old = decide(request.clone(), "Approved");
    let approved = lab.put(&format!("{path}/approval"), old.clone()).await;
    assert_eq!(approved.code, 200);
    assert_eq!(lab.put(&format!("{path}/approval"), old).await.code, 409);
    let denied = decide(approved.json(), "Denied");
    assert_eq!(lab.put(&format!("{path}/approval"), denied).await.code, 422);
    lab.live(2);
    assert!(lab.read(path).await["status"]["certificate"].is_string());
}

// --- reviews and faults ---

#[tokio::test]
async fn denials_show_in_requests_and_in_reviews() {
    let lab = lab();
    let review = |verb: &str, namespace: &str| json!({"spec": {"resourceAttributes": {"verb": verb, "resource": "pods", "namespace": namespace}}});
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    assert_eq!(lab.post(path, review("list", "")).await.json()["status"]["allowed"], true);
    lab.cluster.faults().deny(Deny::outside("shop", "list", "pods"));
    lab.cluster.faults().deny(Deny::everywhere("create", "pods/eviction"));
    assert_eq!(lab.post(path, review("list", "")).await.json()["status"]["allowed"], false);
    assert_eq!(lab.post(path, review("list", "shop")).await.json()["status"]["allowed"], true);
    let refused = lab.get("/api/v1/pods").await;
    assert_eq!(refused.code, 403);
    assert_eq!(
        refused.message(),
        "pods is forbidden: User \"demo-operator\" cannot list resource \"pods\" in API group \"\" at the cluster scope"
    );
    assert!(
        lab.get("/api/v1/namespaces/ops/pods")
            .await
            .message()
            .ends_with("in the namespace \"ops\"")
    );
    let pod = lab.pods("shop", "web").await.remove(0);
    let evicted = evict(&lab, "shop", name(&pod), json!({})).await;
    assert!(
        evicted.message().contains("cannot create resource \"pods/eviction\""),
        "{}",
        evicted.text
    );
    lab.cluster.faults().allow_all();
    assert_eq!(lab.get("/api/v1/pods").await.code, 200);
    let me = lab.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({})).await.json();
    assert_eq!(me["status"]["userInfo"]["username"], "demo-operator");
    let rules = json!({"spec": {"namespace": "shop"}});
    let rules =
        lab.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", rules).await.json();
    assert_eq!(rules["status"]["incomplete"], false);
    assert!(rules["status"]["resourceRules"].as_array().unwrap().len() > 20);
}

#[tokio::test]
async fn requests_fail_as_often_as_they_are_told_to() {
    let lab = lab();
    let too_many = Failure {
        verb: "list".into(),
        path: "/api/v1/pods".into(),
        times: 2,
        code: 429,
        body: "Too many requests, please try again later.".into(),
        retry_after: Some(3),
    };
    lab.cluster.faults().fail(too_many);
    assert_eq!(lab.get("/api/v1/nodes").await.code, 200);
    for _ in 0..2 {
        let answer = lab.get("/api/v1/pods").await;
        assert_eq!((answer.code, &answer.headers["retry-after"]), (429, &"3".parse().unwrap()));
        assert_eq!(answer.headers["content-type"], "text/plain");
        assert_eq!(answer.text, "Too many requests, please try again later.");
    }
    assert_eq!(lab.get("/api/v1/pods").await.code, 200);
}

#[tokio::test]
async fn watches_close_and_break_when_told_to() {
    let lab = lab();
    let from = lab.version().await;
    let path = format!("/api/v1/nodes?watch=true&resourceVersion={from}");
    let mut closed = lab.open(&path).await;
    assert!(closed.is_quiet());
    lab.cluster.faults().close_watches();
    assert_eq!(closed.next().await, Ok(None));
    let mut cut = lab.open(&path).await;
    assert!(cut.is_quiet());
    lab.cluster.faults().cut_watches();
    assert!(cut.next().await.is_err());
    assert!(!cut.rest.is_empty(), "half an object was sent");
    assert!(lab.open(&path).await.is_quiet(), "later watches are whole");
}

#[tokio::test]
async fn a_stalled_server_answers_nothing_and_then_everything() {
    let lab = lab();
    let mut watch =
        lab.open(&format!("{MAPS}?watch=true&resourceVersion={}", lab.version().await)).await;
    assert!(watch.is_quiet());
    lab.cluster.faults().stall();
    let client = lab.client.clone();
    let hanging = tokio::spawn(async move {
        client
            .send(Request::get("/api/v1/nodes").body(Body::empty()).unwrap())
            .await
            .unwrap()
            .status()
    });
    tokio::task::yield_now().await;
    lab.live(3);
    tokio::task::yield_now().await;
    assert!(!hanging.is_finished() && watch.is_quiet());
    lab.cluster.faults().release();
    assert_eq!(hanging.await.unwrap(), 200);
    lab.post(MAPS, config("after")).await;
    assert_eq!(name(&watch.event().await["object"]), "after");
}

// --- life ---

#[tokio::test]
async fn a_rollout_replaces_pods_one_by_one_and_never_lacks_many() {
    let lab = lab();
    let path = "/apis/apps/v1/namespaces/auth/deployments/tokens";
    let patch =
        json!({"spec": {"template": {"metadata": {"annotations": {"restartedAt": "now"}}}}});
    let before: BTreeSet<String> =
        lab.pods("auth", "tokens").await.iter().map(|p| name(p).to_owned()).collect();
    lab.patch(path, "strategic-merge", patch).await;
    let mut least = 99;
    for _ in 0..200 {
        lab.live(1);
        least = least.min(lab.read(path).await["status"]["readyReplicas"].as_u64().unwrap());
    }
    assert!((2..=4).contains(&least), "{least}");
    let after: BTreeSet<String> =
        lab.pods("auth", "tokens").await.iter().map(|p| name(p).to_owned()).collect();
    assert_eq!(after.len(), 4);
    assert!(before.is_disjoint(&after));
    let status = lab.read(path).await["status"].clone();
    assert_eq!(
        (status["updatedReplicas"].as_u64(), status["observedGeneration"].as_u64()),
        (Some(4), Some(2))
    );
}

#[tokio::test]
async fn a_cordon_is_followed_by_its_taint() {
    let lab = lab();
    let path = "/api/v1/nodes/demo-a-04";
    lab.patch(path, "strategic-merge", json!({"spec": {"unschedulable": true}})).await;
    lab.live(1);
    let node = lab.read(path).await;
    assert_eq!(node["spec"]["taints"][0]["key"], "node.kubernetes.io/unschedulable");
    lab.patch(path, "strategic-merge", json!({"spec": {"unschedulable": null}})).await;
    lab.live(1);
    assert_eq!(lab.read(path).await["spec"]["taints"], json!([]));
}

#[tokio::test]
async fn hours_of_life_leave_the_cluster_as_large_as_it_was() {
    let lab = lab();
    lab.live(200);
    let count = |pods: &[Value]| {
        let mut by_app: BTreeMap<String, usize> = BTreeMap::new();
        for pod in pods {
            let app = pod["metadata"]["labels"]["app.kubernetes.io/name"].as_str().unwrap_or("-");
            *by_app.entry(app.to_owned()).or_default() += 1;
        }
        by_app
    };
    let (objects, pods) = (lab.cluster.objects(), lab.items("/api/v1/pods").await);
    lab.live(1_500);
    let (later, pods_later) = (lab.cluster.objects(), lab.items("/api/v1/pods").await);
    let apps = (count(&pods), count(&pods_later));
    assert!(later < objects + 450, "{objects} objects became {later}");
    assert!(
        pods_later.len().abs_diff(pods.len()) < 25,
        "{} -> {}: {apps:?}",
        pods.len(),
        pods_later.len()
    );
    for res in registry::ALL {
        let root = if res.group.is_empty() {
            "/api/v1".into()
        } else {
            format!("/apis/{}", res.api_version())
        };
        for object in lab.items(&format!("{root}/{}", res.plural)).await {
            (res.check)(&object).unwrap_or_else(|e| panic!("{} {}: {e}", res.kind, name(&object)));
        }
    }
    let restarted =
        pods_later.iter().filter(|p| p["metadata"]["labels"]["app.kubernetes.io/name"] == "banner");
    let restarts: u64 = restarted
        .map(|p| p["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap())
        .sum();
    assert!(restarts > 80, "the crash loop goes on: {restarts}");
}

#[tokio::test]
async fn the_same_seed_lives_the_same_life() {
    let mut lives = Vec::new();
    for seed in [7, 7, 8] {
        let (cluster, clock) = cluster(seed);
        let lab = Lab { client: cluster.client(), cluster, clock };
        lab.live(400);
        lives.push(lab.get("/api/v1/pods").await.text + &lab.get("/api/v1/events").await.text);
    }
    assert!(lives[0] == lives[1]);
    assert!(lives[0] != lives[2]);
}

#[tokio::test]
async fn secrets_hold_the_mark_that_must_never_be_seen() {
    let lab = lab();
    let secrets = lab.items("/api/v1/secrets").await;
    let encoded = |text: &str| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    assert!(secrets.iter().any(|s| s["data"]["tls.key"] == encoded(SECRET_MARK)));
    assert!(secrets.len() > 5);
}

#[tokio::test]
async fn the_desk_of_what_does_not_go_finds_an_instance_of_each_case() {
    let lab = lab();
    // The namespace controller writes its conditions.
    lab.live(1);
    let asked = survey::Asked::default();
    let mut pace = survey::Pace::new(lab.client.clone(), 200);
    let found = survey::survey(&mut pace, &asked, Epoch(START), &|_| {}).await.unwrap();
    let of = |kind: &str, name: &str| {
        let fits =
            |(held, _): &&(Held, Ruling)| held.gvk.kind == kind && held.name.starts_with(name);
        let (_, ruling) = found.found.iter().find(fits).unwrap_or_else(|| panic!("{kind} {name}"));
        (ruling.life, ruling.words.clone(), ruling.next.clone())
    };
    let (life, words, _) = of("Forge", "anvil");
    assert!(
        life == Life::Gone && words.contains("ops/foundry-operator is scaled to zero"),
        "{words}"
    );
    let (life, words, _) = of("ConfigMap", "pipeline-lock");
    assert!(life == Life::Gone && words.contains("no workload here is named like it"), "{words}");
    let (life, words, _) = of("PersistentVolumeClaim", "scratch-old");
    assert!(life == Life::Works && words.contains("scratch-reader"), "{words}");
    let (_, words, _) = of("Namespace", "team-blue");
    assert!(words.contains("3 forges.foundry.example"), "{words}");
    let (_, words, next) = of("Namespace", "team-green");
    assert!(words.contains("APIService v1alpha1.legacy.example"), "{words}");
    assert!(next.contains("delete the APIService"), "{next}");
    let (life, words, _) = of("Pod", "");
    assert!(life == Life::Gone && words.contains("is not ready"), "{words}");
    let unread = found.evidence.unread.join("\n");
    assert!(unread.contains("legacy.example/v1alpha1 does not answer"), "{unread}");
    let secrets = |held: &Held| held.gvk.kind == "Secret";
    assert!(!found.found.iter().any(|(held, _)| secrets(held)));
}
