//! Small clusters for views and flows, as the API would write their objects.

#![allow(dead_code, reason = "each test crate uses its part of the stage")]

use crate::stage::{NOON, Stage};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wheelhouse::app::cluster::decode::{Encoding, Plan};
use wheelhouse::app::msg::Msg;
use wheelhouse::state::decl::Gvk;
use wheelhouse::state::fairness::board::{Sources, flow, lines, queues_of, user};
use wheelhouse::state::fairness::dump::{LevelNow, QueueNow, RequestNow, grouped};
use wheelhouse::state::fairness::metrics::Flowing;
use wheelhouse::state::fairness::schema::{PathRule, Rule, Schema, Subject};
use wheelhouse::state::fairness::seats::Level;
use wheelhouse::state::health::Health;
use wheelhouse::state::kinds;
use wheelhouse::state::metrics::apiserver::limits::Limits;
use wheelhouse::state::metrics::apiserver::{Facts, Measured, Section, board as measure, names};
use wheelhouse::state::metrics::{Parser, Span};
use wheelhouse::state::parcel::{Draft, Parcel};
use wheelhouse::state::rules::health;
use wheelhouse::state::rules::stuck::{Evidence, Held, Lease, Workload, judge};
use wheelhouse::state::time::Epoch;

/// A time so many seconds before noon.
pub fn ago(secs: i64) -> String {
    Epoch(NOON.0 - secs).rfc3339()
}

/// Every scene a view is shown in.
pub const SCENES: [&str; 7] =
    ["starting", "empty", "typical", "filtered", "denied", "stale", "hostile"];

impl Stage {
    /// Feeds objects of one kind of a table, as a list would.
    pub fn put(&mut self, table: &str, kind: &str, objects: &[Value]) -> &mut Stage {
        let store = &self.app.state.store;
        let Some(index) = store.table_index(table) else { panic!("no table {table}") };
        let spec = store.table_at(index).spec;
        let at = spec.kinds.iter().position(|k| k.gvk.kind == kind).unwrap() as u8;
        let Some(feed) = store.feeds.iter().find(|f| f.table == index && f.kind == at) else {
            return self;
        };
        let plan = Plan::new(spec, at);
        let (mut draft, mut parcel) = (Draft::default(), Parcel::new(feed.id, 1, spec));
        for object in objects {
            let bytes = serde_json::to_vec(object).unwrap();
            plan.read(Encoding::Json, &bytes, &mut draft).unwrap();
            parcel.push(&draft, spec);
        }
        self.send(Msg::Rows(parcel))
    }

    /// Feeds everything of the typical cluster that the open feeds take.
    pub fn typical(&mut self) -> &mut Stage {
        self.put("nodes", "Node", &nodes());
        self.put("pods", "Pod", &pods());
        self.put("namespaces", "Namespace", &namespaces());
        self.put("poddisruptionbudgets", "PodDisruptionBudget", &budgets());
        self.put("events", "Event", &events());
        self.put("certificatesigningrequests", "CertificateSigningRequest", &requests());
        self.put("journal", "Run", &runs());
        for kind in ["Deployment", "StatefulSet", "DaemonSet", "Job"] {
            let of_kind: Vec<_> = workloads().into_iter().filter(|w| w["kind"] == kind).collect();
            self.put("workloads", kind, &of_kind);
        }
        self.stuck();
        self.containers(&samples(), true);
        self.boards("");
        self.live()
    }

    /// What containers use, and what they ask for if that is known.
    pub fn containers(&mut self, samples: &[Value], known: bool) {
        let plan = Plan::new(&kinds::containers::TABLE, 0);
        let asked = [250, 256 << 20, 500, 512 << 20];
        let rows: Vec<(Vec<u8>, usize)> = samples
            .iter()
            .flat_map(|sample| {
                let containers = sample["containers"].as_array().map_or(0, Vec::len);
                (0..containers).map(move |i| (sample.to_string().into_bytes(), i))
            })
            .collect();
        self.looked("containers", &rows, |draft, _, (sample, i)| {
            plan.read(Encoding::Json, sample, draft).unwrap();
            let told = |_: &str, pod: &str, _: &str| {
                Some(asked).filter(|_| known && !pod.starts_with("db"))
            };
            assert!(kinds::containers::turn(draft, *i, told));
        });
    }

    /// Feeds what nodes and pods use.
    pub fn used(&mut self) -> &mut Stage {
        let nodes: Vec<_> = (17..20)
            .map(|i| sample("", &format!("node-000{i}"), &[("", "5500m", &format!("{}Gi", 6 * i))]))
            .map(|mut sample| {
                sample["usage"] = sample["containers"][0]["usage"].clone();
                sample
            })
            .collect();
        self.put("node_usage", "NodeMetrics", &nodes);
        self.put("pod_usage", "PodMetrics", &samples())
    }

    /// Rows that are looked at and not watched.
    fn looked<T>(&mut self, table: &str, rows: &[T], fill: impl Fn(&mut Draft, usize, &T)) {
        let store = &self.app.state.store;
        let index = store.table_index(table).expect("a table");
        let Some(feed) = store.feeds.iter().find(|f| f.table == index) else { return };
        let (mut draft, spec) = (Draft::default(), store.table_at(index).spec);
        let mut parcel = Parcel::new(feed.id, 1, spec);
        for (place, row) in rows.iter().enumerate() {
            draft.reset(spec, 0);
            fill(&mut draft, place, row);
            draft.settle();
            parcel.push(&draft, spec);
        }
        self.send(Msg::Rows(parcel));
    }

    /// The boards; each text of theirs that a cluster has a hand in ends with `more`.
    pub fn boards(&mut self, more: &str) {
        self.measured(more);
        self.fairness(more);
    }

    /// What two scrapes of an API server said, and what the control plane says of itself.
    fn measured(&mut self, more: &str) {
        let trend = [0, 1, 2, 4, 8, 15, 12, 9, 7, 6, 6, 5];
        let (mut rows, mut lines) = (board(), health_lines());
        rows.iter_mut().for_each(|row| end(more, [&mut row.name, &mut row.why]));
        lines.iter_mut().for_each(|line| end(more, [&mut line.name, &mut line.why]));
        self.looked("apiserver", &rows, |draft, place, row| {
            kinds::apiserver::fill(draft, row, place, NOON, trend);
        });
        self.looked("health", &lines, |draft, place, line| {
            kinds::health::fill(draft, line, place);
        });
    }

    /// A level that is short of seats, and who holds them.
    fn fairness(&mut self, more: &str) {
        let (mut levels, mut dump, mut asked) = (levels(), level_dump(), asked());
        levels.iter_mut().for_each(|level| end(more, [&mut level.name]));
        dump.iter_mut().for_each(|now| end(more, [&mut now.name]));
        for request in &mut asked {
            let RequestNow { level, schema, user, verb, path, flow, .. } = request;
            end(more, [level, schema, user, verb, path, flow]);
        }
        let mut schemas = schemas();
        for schema in &mut schemas {
            end(more, [&mut schema.name, &mut schema.distinguisher]);
            if let Some(Subject::Group(name)) = schema.rules[0].subjects.first_mut() {
                end(more, [name]);
            }
        }
        let lines = lines(&Sources {
            levels: &levels,
            dump: Some(&dump),
            requests: &asked,
            requests_age: 12,
            ..Sources::default()
        });
        let trend = [0, 0, 0, 0, 2, 4, 8, 11, 15, 15, 14, 15];
        self.looked("prioritylevelconfigurations", &lines, |draft, place, line| {
            kinds::priority_levels::fill(draft, line, place, NOON, trend);
        });
        self.looked("flowschemas", &schemas, |draft, place, schema| {
            let counted =
                (Flowing { dispatched: Some(12.5), ..Flowing::default() }, Some(0), Some(3));
            kinds::flow_schemas::fill(draft, schema, place, schema.level == "gone", &counted, NOON);
        });
        let queues = [("workload-low", 5, 50, 6), ("workload-low", 37, 12, 6), ("system", 3, 0, 2)];
        let holder = RUNNER.to_owned() + more;
        self.looked("queues", &queues, |draft, _, (level, index, waiting, executing)| {
            let queue = QueueNow {
                level: format!("{level}{more}"),
                index: Some(*index),
                waiting: Some(*waiting),
                executing: Some(*executing),
                seats: Some(*executing),
            };
            kinds::queues::fill(draft, &queue, Some(50), &holder, NOON);
        });
        let of_level = queues_of(&levels);
        let flow = |r: &RequestNow| flow(r, &of_level);
        let groups = [("user", grouped(&asked, user)), ("flow", grouped(&asked, flow))];
        let groups: Vec<_> = groups
            .into_iter()
            .flat_map(|(by, all)| all.into_iter().map(move |g| (by, g)))
            .collect();
        self.looked("flows", &groups, |draft, place, (by, group)| {
            kinds::flows::fill(draft, (by, group), place, asked.len(), &asked[0], NOON);
        });
        self.looked("requests", &asked, |draft, place, request| {
            kinds::requests::fill(draft, request, &flow(request), place, NOON);
        });
    }

    /// What a survey found.
    pub fn stuck(&mut self) {
        let store = &self.app.state.store;
        let index = store.table_index("stuck").expect("a table");
        let Some(feed) = store.feeds.iter().find(|f| f.table == index) else { return };
        let (mut draft, spec) = (Draft::default(), store.table_at(index).spec);
        let mut parcel = Parcel::new(feed.id, 1, spec);
        for (gvk, object) in held() {
            let held = Held::of(gvk, &object).expect("it is being deleted");
            let ruling = judge(&held, &shown());
            kinds::stuck::push(&mut parcel, &mut draft, &held, &ruling);
        }
        self.send(Msg::Rows(parcel));
    }

    /// Plays a scene.
    pub fn scene(view: &'static str, scene: &str, size: (u16, u16)) -> Stage {
        let mut stage = Stage::at(view, size);
        match scene {
            "starting" => stage.health(|_| Health::Starting { have: 43_000, of: Some(150_000) }),
            "empty" => drop(stage.live()),
            "typical" => drop(stage.typical()),
            "filtered" => drop(stage.typical().press("<space>/a<enter>")),
            "denied" => stage.health(|resource| Health::Denied {
                verb: "list",
                resource: resource.to_owned(),
                message: format!("{resource} is forbidden: User \"eve\" cannot list resource \"{resource}\" at the cluster scope"),
            }),
            "stale" => {
                stage.typical();
                stage.health(|_| Health::Stale(Epoch(NOON.0 - 14)));
            }
            "hostile" => {
                stage.put("pods", "Pod", &[hostile()]);
                stage.put("nodes", "Node", &[node("節点-00001-\u{1b}[31mred\u{202e}", &[], "True", json!({}))]);
                stage.put("events", "Event", &[hostile_event()]);
                stage.containers(&[sample(EVIL, EVIL, &[(EVIL, "1", "1Gi")])], false);
                stage.boards(EVIL);
                stage.live();
            }
            other => panic!("no scene {other}"),
        }
        stage.settle();
        stage
    }

    fn health(&mut self, health: impl Fn(&str) -> Health) {
        let store = &mut self.app.state.store;
        for i in 0..store.feeds.len() {
            let spec = store.table_at(store.feeds[i].table).spec;
            let plural = spec.kinds[usize::from(store.feeds[i].kind)].gvk.plural;
            store.feeds[i].health = health(plural);
        }
    }
}

/// A text that tries to reach the terminal.
const EVIL: &str = "\u{1b}]52;c;cm0gLXJm\u{7}\u{9b}2J\u{202e}\r\n";

fn end<'a>(more: &str, texts: impl IntoIterator<Item = &'a mut String>) {
    texts.into_iter().for_each(|text| text.push_str(more));
}

/// What the containers of a pod use, or what a node uses: name, CPU, memory.
fn sample(namespace: &str, name: &str, containers: &[(&str, &str, &str)]) -> Value {
    let containers = containers
        .iter()
        .map(|(name, cpu, memory)| json!({"name": name, "usage": {"cpu": cpu, "memory": memory}}));
    json!({"metadata": {"namespace": namespace, "name": name, "uid": uid_of(&format!("use/{namespace}/{name}")),
        "creationTimestamp": ago(20)}, "timestamp": ago(20), "window": "15s", "containers": containers.collect::<Vec<_>>()})
}

/// What the metrics API says of some of the typical pods.
pub fn samples() -> Vec<Value> {
    vec![
        sample("shop", "web-7d9f8b-x0x4q", &[("main", "480m", "214Mi"), ("mesh", "12m", "38Mi")]),
        sample("shop", "web-7d9f8b-x1x4q", &[("main", "131500u", "498Mi")]),
        sample("shop", "db-0", &[("main", "2", "7Gi")]),
    ]
}

/// The rows of two scrapes, a minute apart.
pub fn board() -> Vec<Measured> {
    let scrape = |at: u32| {
        let mut parser = Parser::new(&[names::wants(), names::etcd::wants()].concat());
        parser.feed(page(at).as_bytes());
        parser.end()
    };
    let (before, now) = (scrape(1), scrape(2));
    let span = Span::new(&before, &now, 60.0).ok();
    let etcd = None;
    let mut rows = measure(&Facts { now: &now, span, etcd, limits: &Limits::default() });
    let mut told = Measured::new(Section::Overview, kinds::apiserver::SCRAPE, "/metrics");
    told.why = "server up 5d3h; 12.4Mi in 380 ms, 9120 of 61233 lines kept".into();
    (told.now, told.bytes) = (Some(7.0), Some(13_002_342.0));
    let overview = rows.iter().take_while(|r| r.section == Section::Overview).count();
    rows.insert(overview, told);
    rows
}

/// A control plane whose scheduler hangs and one of whose webhooks nobody answers.
pub fn health_lines() -> Vec<health::Line> {
    use health::{
        Answer, ApiService, Backend, Calls, Certificate, Lease, Papers, Trouble, Webhook, Writes,
    };
    let mut facts = health::Facts::default();
    let at = Epoch(NOON.0 - 3);
    let checks = "[+]ping ok\n[+]etcd ok\n[+]informer-sync ok\nreadyz check passed\n";
    facts.readyz.put(Ok(checks.into()), at);
    facts.livez.put(Ok(checks.into()), at);
    let lease = |name: &str, seconds: i64| {
        let renewed = Epoch(NOON.0 - seconds);
        Lease {
            name: name.into(),
            holder: "cp-a_5f1c".into(),
            duration: 15,
            renewed,
            is_server: false,
        }
    };
    facts.put_leases(
        Ok(vec![lease("kube-scheduler", 39), lease("kube-controller-manager", 4)]),
        Epoch(NOON.0 - 2),
    );
    let api = |name: &str, status: &str, reason: &str| ApiService {
        name: name.into(),
        service: "kube-system/metrics".into(),
        path: String::new(),
        available: (status.into(), reason.into(), String::new()),
        answer: Answer::Came,
    };
    let apis = [api("v1.apps", "True", "Local"), api("v1beta1.metrics.k8s.io", "True", "Passed")];
    facts.services.put(Ok(apis.into()), at);
    let webhook = |name: &str, fails, backend| Webhook {
        name: format!("{name}.demo.example"),
        config: name.into(),
        kind: "validating",
        service: ("ops".into(), name.into()),
        fails,
        about: "CREATE,UPDATE pods".into(),
        backend,
        ..Webhook::default()
    };
    let webhooks =
        [webhook("mesh", false, Backend::Ready(0)), webhook("policy", true, Backend::Ready(2))];
    facts.webhooks.put(Ok(webhooks.into()), at);
    let writes = Writes { tried: 412.0, failed: 0.0, seconds: 15.0 };
    facts.put_calls(Ok(Some(Calls { writes, seconds: 15.0, ..Calls::default() })), at);
    facts.statuses.put(Err(Trouble::Missing), at);
    facts.version.put(Ok("v1.36.2".into()), at);
    let (plan, mut draft) = (Plan::new(&health::SHAPE, 0), Draft::default());
    let mut node = |object: &Value| {
        plan.read(Encoding::Json, object.to_string().as_bytes(), &mut draft).expect("a node");
        health::Node::of(&draft)
    };
    let nodes = nodes().iter().map(&mut node).collect();
    facts.nodes.put(Ok(nodes), at);
    facts.components.put(Err(Trouble::Denied("list pods in the namespace kube-system".into())), at);
    let day = 86_400;
    let valid = (Epoch(NOON.0 - 340 * day), Epoch(NOON.0 + 25 * day));
    let then = "nobody reaches the API server afterwards; renew it and restart the server";
    let serving = Certificate {
        name: "API server, serving".into(),
        subject: "CN=kube-apiserver".into(),
        valid,
        then,
        ..Certificate::default()
    };
    facts.put_certificates(Papers { all: vec![(at, serving)], hidden: None }, at);
    health::board(&facts, NOON)
}

/// A page of metrics as it stands after so many minutes.
fn page(minutes: u32) -> String {
    let mut text = "process_start_time_seconds 5\n".to_owned();
    let n = |each: u32| each * minutes;
    for (verb, resource, each, failed, slow) in [
        ("LIST", "pods", 240, 12, 1),
        ("GET", "pods", 1800, 0, 0),
        ("POST", "events", 600, 0, 300),
        ("PATCH", "nodes", 12, 0, 0),
    ] {
        let labels = format!("verb=\"{verb}\",group=\"\",resource=\"{resource}\",subresource=\"\"");
        text += &format!("apiserver_request_total{{{labels},code=\"200\"}} {}\n", n(each));
        text += &format!("apiserver_request_total{{{labels},code=\"503\"}} {}\n", n(failed));
        let family = "apiserver_request_duration_seconds";
        for (le, count) in [
            ("0.1", n(each - slow) * 9 / 10),
            ("1", n(each - slow)),
            ("10", n(each)),
            ("+Inf", n(each)),
        ] {
            text += &format!("{family}_bucket{{{labels},le=\"{le}\"}} {count}\n");
        }
        text += &format!("{family}_count{{{labels}}} {}\n", n(each));
    }
    text += "apiserver_current_inflight_requests{request_kind=\"readOnly\"} 9\n";
    text += "apiserver_current_inflight_requests{request_kind=\"mutating\"} 4\n";
    text += "apiserver_longrunning_requests{verb=\"WATCH\",group=\"\",resource=\"pods\"} 38\n";
    text += "apiserver_resource_objects{group=\"\",resource=\"pods\"} 150000\n";
    text += "apiserver_resource_objects{group=\"foundry.example\",resource=\"forges\"} -1\n";
    text += "apiserver_resource_size_estimate_bytes{group=\"\",resource=\"pods\"} 1500000000\n";
    text += "apiserver_storage_size_bytes{storage_cluster_id=\"etcd-0\"} 2100000000\n";
    text += &format!(
        "etcd_request_duration_seconds_bucket{{operation=\"get\",resource=\"pods\",le=\"0.05\"}} {}\n",
        n(300)
    );
    text += &format!(
        "etcd_request_duration_seconds_bucket{{operation=\"get\",resource=\"pods\",le=\"+Inf\"}} {}\n",
        n(300)
    );
    text += &format!(
        "etcd_request_duration_seconds_count{{operation=\"get\",resource=\"pods\"}} {}\n",
        n(300)
    );
    text += "apiserver_requested_deprecated_apis{group=\"flowcontrol.apiserver.k8s.io\",version=\"v1beta3\",resource=\"flowschemas\",removed_release=\"1.32\"} 1\n";
    text
}

fn uid(n: u64) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

/// A uid that depends on the name alone.
fn uid_of(name: &str) -> String {
    uid(name.bytes().fold(1, |h: u64, b| (h * 31 + u64::from(b)) & 0xffff_ffff_ffff))
}

pub fn node(name: &str, roles: &[&str], ready: &str, spec: Value) -> Value {
    let mut labels = json!({"topology.kubernetes.io/zone": "eu-1b", "node.kubernetes.io/instance-type": "m7.8xlarge"});
    for role in roles {
        labels[format!("node-role.kubernetes.io/{role}")] = json!("");
    }
    json!({
        "metadata": {"name": name, "uid": uid_of(name), "resourceVersion": "7", "creationTimestamp": ago(212 * 86_400), "labels": labels},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": "32", "memory": "128Gi", "pods": "110"},
            "conditions": [
                {"type": "MemoryPressure", "status": "False", "lastTransitionTime": ago(9000)},
                {"type": "Ready", "status": ready, "lastTransitionTime": ago(360), "reason": "KubeletReady"}
            ],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.17"}, {"type": "Hostname", "address": name}],
            "nodeInfo": {"kubeletVersion": "v1.36.3", "osImage": "Debian 13", "kernelVersion": "6.12.0", "architecture": "amd64", "containerRuntimeVersion": "containerd://2.1.0"}
        }
    })
}

pub fn nodes() -> Vec<Value> {
    let mut pressed = node("node-00020", &[], "True", json!({}));
    pressed["status"]["conditions"][0]["status"] = json!("True");
    vec![
        node(
            "cp-1",
            &["control-plane"],
            "True",
            json!({"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}),
        ),
        node("node-00017", &["worker"], "True", json!({})),
        node(
            "node-00018",
            &["worker"],
            "True",
            json!({"unschedulable": true, "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}),
        ),
        node(
            "node-00019",
            &["worker"],
            "Unknown",
            json!({"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]}),
        ),
        pressed,
    ]
}

/// A pod of `containers` running containers with the given state of the first.
pub fn pod(namespace: &str, name: &str, node: &str, phase: &str, state: Value) -> Value {
    let stem = name.rsplit_once('-').map_or(name, |(stem, _)| stem);
    let running = state.get("running").is_some();
    let ready = if running { "True" } else { "False" };
    json!({
        "metadata": {
            "name": name, "namespace": namespace, "uid": uid_of(&format!("{namespace}/{name}")), "resourceVersion": "11", "creationTimestamp": ago(7200),
            "labels": {"app": stem.split('-').next(), "tier": "front"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": stem, "controller": true}]
        },
        "spec": {"nodeName": node, "containers": [{"name": "main", "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}}}]},
        "status": {
            "phase": phase, "qosClass": "Burstable", "podIPs": [{"ip": "10.1.2.3"}],
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"name": "main", "ready": running, "started": running, "restartCount": if state.get("waiting").is_some() { 7 } else { 0 }, "state": state,
                "lastState": {"terminated": {"exitCode": 1, "finishedAt": ago(185)}}}]
        }
    })
}

pub fn pods() -> Vec<Value> {
    let up = || json!({"running": {"startedAt": ago(7000)}});
    let waiting = |why: &str| json!({"waiting": {"reason": why}});
    let mut all: Vec<Value> = (0..6)
        .map(|i| {
            pod(
                "shop",
                &format!("web-7d9f8b-x{i}x4q"),
                ["node-00017", "node-00018"][i % 2],
                "Running",
                up(),
            )
        })
        .collect();
    all.push(pod("shop", "cart-55c9d-9k2lm", "node-00017", "Running", waiting("CrashLoopBackOff")));
    all.push(pod("payments", "gateway-6f7b-p8r2c", "", "Pending", json!({})));
    all.push(pod(
        "ops",
        "report-28a-zz9",
        "node-00020",
        "Succeeded",
        json!({"terminated": {"exitCode": 0, "reason": "Completed"}}),
    ));
    let mut leaving = pod("ops", "debug-1c-tmp01", "node-00019", "Running", up());
    leaving["metadata"]["deletionTimestamp"] = json!(ago(-30));
    all.push(leaving);
    all
}

/// A pod whose texts try to reach the terminal.
pub fn hostile() -> Value {
    let mut bad = pod(
        "x\u{1b}]52;c;cm0gLXJm\u{7}",
        "evil-\u{9b}2J-\u{202e}eman",
        "node\u{1b}[2J",
        "Running",
        json!({"waiting": {"reason": "\u{1b}[31mOwned\r\n"}}),
    );
    bad["metadata"]["uid"] = json!("not-a-uuid");
    bad
}

/// Objects that were deleted and are still there.
pub fn held() -> Vec<(&'static Gvk, Value)> {
    let forge = Gvk::found("foundry.example", "v1", "Forge", "forges", true);
    let claim = Gvk::found("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", true);
    let of = |namespace: &str, name: &str, secs: i64, finalizer: &str| {
        json!({"metadata": {"namespace": namespace, "name": name, "uid": uid_of(name), "resourceVersion": "7",
            "creationTimestamp": ago(900_000), "deletionTimestamp": ago(secs), "finalizers": [finalizer]}})
    };
    let namespace = json!({
        "metadata": {"name": "team-blue", "uid": uid_of("ns/team-blue"), "resourceVersion": "8",
            "creationTimestamp": ago(9_000_000), "deletionTimestamp": ago(300_000)},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"conditions": [{"type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain",
            "message": "Some resources are remaining: forges.foundry.example has 1 resource instances"}]},
    });
    vec![
        (forge, of("team-blue", "anvil", 300_000, "foundry.example/cleanup")),
        (claim, of("data", "scratch", 60, "kubernetes.io/pvc-protection")),
        (Gvk::found("", "v1", "Namespace", "namespaces", false), namespace),
    ]
}

/// What the cluster shows of who should have let them go.
fn shown() -> Evidence {
    let operator = json!({"metadata": {"name": "foundry-operator", "namespace": "ops"}, "spec": {"replicas": 0}});
    let leader = json!({"metadata": {"name": "kube-controller-manager", "namespace": "kube-system"},
        "spec": {"holderIdentity": "cp-a", "renewTime": ago(2)}});
    Evidence {
        now: NOON,
        leases: vec![Lease::of(&leader)],
        workloads: Some(vec![Workload::of("deployments", &operator)]),
        grants: Some(vec![]),
        ..Evidence::default()
    }
}

/// Runs of the journal, as its feed makes them.
pub fn runs() -> Vec<Value> {
    let run = |name: &str, secs: i64, words: [&str; 4], more: Value| {
        let [action, title, result, undo] = words;
        let mut run = json!({
            "metadata": {"name": name, "creationTimestamp": ago(secs), "resourceVersion": "700"},
            "run": {
                "action": action, "title": title, "result": result, "undo": undo,
                "context": "prod-eu-1", "server": "https://10.0.0.1:6443", "who": "op@bastion-1",
                "host": "bastion-1", "targets": "node-00018", "unknown": 0, "undoSteps": 0,
            },
        });
        for (key, value) in more.as_object().unwrap() {
            run["run"][key] = value.clone();
        }
        run
    };
    vec![
        run(
            "20261123T115800.120Z-k3xz",
            120,
            ["drain", "drain 2 nodes", "alive", "still running"],
            json!({"targets": "14 objects", "reason": "kernel ticket=CHG-7"}),
        ),
        run(
            "20261123T110000.001Z-a2b3",
            3600,
            ["cordon", "cordon node-00018", "done", "yes"],
            json!({"undoSteps": 1, "reason": "disk"}),
        ),
        run(
            "20261123T100000.001Z-c4d5",
            7200,
            ["drain", "drain 3 nodes", "interrupted", "3 of 41 steps"],
            json!({"undoSteps": 3, "unknown": 1, "targets": "41 objects"}),
        ),
        run(
            "20261122T100000.001Z-e6f7",
            93_600,
            ["scale", "scale shop/web from 0 to 3", "failed", "no"],
            json!({"context": "staging", "server": "https://10.9.9.9:6443", "targets": "web"}),
        ),
        run(
            "20261121T100000.001Z-g8h9",
            180_000,
            ["label", "label node-00018: team=infra", "done", "undone"],
            json!({}),
        ),
    ]
}

pub fn namespaces() -> Vec<Value> {
    let one = |name: &str, phase: &str| json!({"metadata": {"name": name, "uid": uid_of(name), "resourceVersion": "3", "creationTimestamp": ago(9_000_000)}, "status": {"phase": phase}});
    vec![
        one("shop", "Active"),
        one("payments", "Active"),
        one("ops", "Active"),
        one("team-blue", "Terminating"),
    ]
}

pub fn budgets() -> Vec<Value> {
    let one = |name: &str, allowed: i64, healthy: i64| {
        json!({
            "metadata": {"name": name, "namespace": "shop", "uid": uid_of(&format!("pdb/{name}")), "resourceVersion": "5", "creationTimestamp": ago(900_000)},
            "spec": {"minAvailable": 5, "selector": {"matchLabels": {"app": "web"}}},
            "status": {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": 5, "expectedPods": 6,
                "conditions": [{"type": "DisruptionAllowed", "status": if allowed > 0 { "True" } else { "False" }, "reason": if allowed > 0 { "SufficientPods" } else { "InsufficientPods" }}]}
        })
    };
    vec![one("web", 1, 6), one("cart", 0, 5)]
}

/// Certificate requests: those of the demo, in a cluster that has none of its nodes.
pub fn requests() -> Vec<Value> {
    let one = |name: &str, age: i64, signer: &str, user: &str, group: &str, pem: &str| {
        let usage = if signer.ends_with("serving") { "server auth" } else { "client auth" };
        json!({
            "metadata": {"name": name, "uid": uid_of(&format!("csr/{name}")), "resourceVersion": "21", "creationTimestamp": ago(age)},
            "spec": {"request": STANDARD.encode(pem), "signerName": signer, "username": user, "groups": [group],
                "usages": ["digital signature", usage], "expirationSeconds": 86_400},
            "status": {},
        })
    };
    macro_rules! pem {
        ($name:literal) => {
            include_str!(concat!("../../src/app/demo/cast/requests/", $name, ".pem"))
        };
    }
    let (serving, kubelet) =
        ("kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet");
    let client = "kubernetes.io/kube-apiserver-client";
    let mut decided = one("ci-old", 3000, client, "root@corp", "system:masters", pem!("ci-bot"));
    decided["status"] = json!({"conditions": [{"type": "Denied", "status": "True"}]});
    vec![
        one(
            "csr-8xk2p",
            97,
            serving,
            "system:node:demo-a-03",
            "system:nodes",
            pem!("serving-a-03"),
        ),
        one(
            "csr-2h7fd",
            700,
            serving,
            "system:node:demo-a-03",
            "system:nodes",
            pem!("serving-a-03"),
        ),
        one(
            "csr-n0d3w",
            190,
            kubelet,
            "system:bootstrap:4f2k1x",
            "system:bootstrappers",
            pem!("kubelet-c-08"),
        ),
        one("ci-bot", 300, client, "root@corp", "system:masters", pem!("ci-bot")),
        one("vpn", 310, "corp.example/vpn", "rosa@corp", "dev", pem!("serving-c-01")),
        one("contractor", 400, client, "temp@corp", "dev", pem!("contractor")),
        decided,
    ]
}

pub fn workloads() -> Vec<Value> {
    let meta = |name: &str| json!({"name": name, "namespace": "shop", "uid": uid_of(&format!("wl/{name}")), "resourceVersion": "9", "creationTimestamp": ago(900_000), "generation": 2});
    let template =
        json!({"spec": {"containers": [{"name": "main", "image": "registry.example/web:1.2"}]}});
    vec![
        json!({"kind": "Deployment", "metadata": meta("web"), "spec": {"replicas": 6, "template": template},
            "status": {"observedGeneration": 2, "replicas": 6, "readyReplicas": 6, "updatedReplicas": 6, "availableReplicas": 6}}),
        json!({"kind": "Deployment", "metadata": meta("cart"), "spec": {"replicas": 2, "template": template},
            "status": {"observedGeneration": 2, "replicas": 2, "readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1, "unavailableReplicas": 1}}),
        json!({"kind": "StatefulSet", "metadata": meta("db"), "spec": {"replicas": 3, "template": template},
            "status": {"observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 3}}),
        json!({"kind": "DaemonSet", "metadata": meta("agent"), "spec": {"template": template},
            "status": {"observedGeneration": 2, "desiredNumberScheduled": 5, "currentNumberScheduled": 5, "numberReady": 4, "updatedNumberScheduled": 5, "numberAvailable": 4}}),
        json!({"kind": "Job", "metadata": meta("report"), "spec": {"completions": 1, "parallelism": 1, "template": template},
            "status": {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}}),
    ]
}

/// An event about an object: type, reason, message; last seen so many seconds ago, so many times within an hour.
pub fn event(object: (&str, &str, &str), what: (&str, &str, &str), last: i64, count: u32) -> Value {
    let (kind, namespace, name) = object;
    let (weight, reason, message) = what;
    let id = format!("ev/{kind}/{namespace}/{name}/{reason}/{message}");
    let mut involved = json!({"kind": kind, "name": name, "apiVersion": "v1", "uid": uid_of(&format!("{namespace}/{name}"))});
    if !namespace.is_empty() {
        involved["namespace"] = json!(namespace);
    }
    json!({
        "metadata": {"name": format!("{name}.1"), "namespace": if namespace.is_empty() { "default" } else { namespace }, "uid": uid_of(&id),
            "resourceVersion": "21", "creationTimestamp": ago(last + 60 * i64::from(count))},
        "involvedObject": involved, "type": weight, "reason": reason, "message": message, "count": count,
        "source": {"component": "kubelet", "host": "node-00017"},
        "firstTimestamp": ago(last + 60 * (i64::from(count) - 1)), "lastTimestamp": ago(last),
    })
}

pub fn events() -> Vec<Value> {
    let pod = |name| ("Pod", "shop", name);
    vec![
        event(
            pod("web-7d9f8b-x0x4q"),
            (
                "Normal",
                "Pulled",
                "Container image \"registry.example/web:1.2\" already present on machine",
            ),
            700,
            1,
        ),
        event(
            pod("web-7d9f8b-x1x4q"),
            (
                "Warning",
                "Unhealthy",
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
            ),
            45,
            14,
        ),
        event(
            pod("web-7d9f8b-x3x4q"),
            (
                "Warning",
                "Unhealthy",
                "Readiness probe failed: Get \"http://10.1.2.3:8080/ready\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            ),
            45,
            3,
        ),
        event(
            pod("cart-55c9d-9k2lm"),
            (
                "Warning",
                "BackOff",
                "Back-off restarting failed container main in pod cart-55c9d-9k2lm",
            ),
            12,
            38,
        ),
        event(
            pod("cart-55c9d-9k2lm"),
            ("Normal", "Pulled", "Successfully pulled image in 412ms"),
            190,
            7,
        ),
        event(
            ("Node", "", "node-00019"),
            ("Warning", "ImageGCFailed", "Failed to garbage collect required amount of images"),
            1500,
            9,
        ),
        event(
            ("Node", "", "node-00019"),
            ("Normal", "NodeNotReady", "Node node-00019 status is now: NodeNotReady"),
            360,
            1,
        ),
        event(
            ("PersistentVolumeClaim", "shop", "data-db-3"),
            ("Warning", "ProvisioningFailed", "storageclass.storage.k8s.io \"fast\" not found"),
            300,
            22,
        ),
        event(
            ("Widget", "payments", "gateway"),
            ("Warning", "SyncFailed", "no such upstream"),
            80,
            2,
        ),
    ]
}

/// An event whose texts try to reach the terminal.
pub fn hostile_event() -> Value {
    event(
        ("Pod\u{9b}2J", "x\u{1b}]52;c;cm0gLXJm\u{7}", "evil-\u{202e}eman"),
        (
            "Warn\u{7}ing",
            "\u{1b}[31mOwned\r\n",
            "\u{1b}[2J\u{1b}[1;1Hall is well\n\u{1b}]0;title\u{7}",
        ),
        30,
        2,
    )
}

const RUNNER: &str = "system:serviceaccount:ci:runner";

/// Levels with their shares and queues.
fn levels() -> Vec<Level> {
    let level = |name: &str, shares: i64, queues: bool| Level {
        name: name.into(),
        uid: format!("uid-{name}"),
        exempt: shares == 0,
        shares,
        lendable: 50,
        borrowing: Some(100).filter(|_| shares > 20),
        queues: queues.then_some((64, 50)),
        ..Level::default()
    };
    vec![
        level("exempt", 0, false),
        level("catch-all", 5, false),
        level("workload-low", 10, true),
        level("system", 30, true),
        level("global-default", 20, true),
    ]
}

fn level_dump() -> Vec<LevelNow> {
    let now = |name: &str, waiting, executing, rejected| LevelNow {
        name: name.into(),
        waiting: Some(waiting),
        executing: Some(executing),
        dispatched: Some(1_204_551),
        rejected: Some(rejected),
        timed_out: Some(rejected / 40),
        cancelled: Some(0),
        ..LevelNow::default()
    };
    vec![
        now("exempt", 0, 2, 0),
        now("catch-all", 0, 0, 0),
        now("workload-low", 132, 93, 2_311),
        now("system", 0, 4, 0),
        now("global-default", 0, 1, 0),
    ]
}

/// Requests of one that asks for too much, and of two that suffer from it.
fn asked() -> Vec<RequestNow> {
    let request = |i: i64, user: &str, path: &str, waiting| RequestNow {
        level: "workload-low".into(),
        schema: "service-accounts".into(),
        queue: Some(5),
        waiting,
        flow: user.into(),
        arrived: Some(Epoch(NOON.0 - 12 + i)),
        seats: Some(1 + i % 3),
        user: user.into(),
        verb: "list".into(),
        path: path.into(),
        namespace: String::new(),
    };
    let mut asked: Vec<_> = (0..6).map(|i| request(i, RUNNER, "/api/v1/pods", i < 4)).collect();
    asked.insert(4, request(3, "system:serviceaccount:ops:collector", "/api/v1/events", true));
    asked.push(request(6, "CN=eve, O=dev", "/apis/apps/v1/namespaces/shop/deployments", false));
    asked
}

fn schemas() -> Vec<Schema> {
    let schema = |name: &str, precedence, level: &str, who: &str| Schema {
        name: name.into(),
        uid: format!("uid-{name}"),
        level: level.into(),
        precedence,
        distinguisher: "ByUser".into(),
        rules: vec![Rule {
            subjects: vec![Subject::Group(who.into())],
            paths: vec![PathRule { verbs: vec!["*".into()], paths: vec!["*".into()] }],
            ..Rule::default()
        }],
        ..Schema::default()
    };
    vec![
        schema("exempt", 1, "exempt", "system:masters"),
        schema("batch", 800, "gone", "batch"),
        schema("service-accounts", 9000, "workload-low", "system:serviceaccounts"),
    ]
}
