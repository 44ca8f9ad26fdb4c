//! Looks at what is used, on a server that answers what the test says.

use super::super::{FeedHandle, FeedSpec, spawn};
use super::*;
use crate::app::cluster::mailbox::{Delivery, Mailbox};
use crate::app::cluster::session::{Lock, Meter, gated};
use crate::app::cluster::upstream::system_clock;
use crate::state::kinds::usage::absent;
use crate::state::store::Store;
use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Mutex;
use tower::service_fn;

const GROUP: &str = "/apis/metrics.k8s.io";

#[test]
fn the_more_there_is_the_rarer_it_is_asked_for() {
    assert_eq!(rest(50), EVERY);
    assert_eq!(rest(30_000), 2 * EVERY);
    assert_eq!(rest(150_000), RAREST);
}

/// A server, a session on it, and a store.
struct Rig {
    asked: Arc<Mutex<Vec<String>>>,
    up: Arc<Upstream>,
    mailbox: Mailbox,
    store: Store,
    health: Health,
    feed: Option<FeedHandle>,
}

impl Rig {
    fn new(answer: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static) -> Rig {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = asked.clone();
        let inner = service_fn(move |request: Request<Body>| {
            let path = request.uri().path().to_owned();
            let (status, body) = answer(&path);
            log.lock().unwrap().push(path);
            let response = Response::builder().status(status);
            let response = response.header("content-type", "application/json");
            let body = Body::from(body.to_string().into_bytes());
            std::future::ready(Ok::<_, Infallible>(response.body(body).unwrap()))
        });
        let client = gated(inner, "default", Arc::new(Meter::default()), Lock::new(true));
        Rig {
            asked,
            up: Upstream::new(client, system_clock()),
            mailbox: Mailbox::new(Arc::new(|| ())),
            store: Store::default(),
            health: Health::Off,
            feed: None,
        }
    }

    /// Looks at a table; whoever looked before does not any more.
    fn open(&mut self, table: &str) {
        self.feed = None;
        let index = self.store.table_index(table).unwrap();
        let (id, table) = (self.store.open_feed(index, 0, None), self.store.table_at(index).spec);
        let spec = FeedSpec { id, table, kind: 0, namespace: None };
        self.feed = Some(spawn(spec, &self.up, &self.mailbox));
    }

    async fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            sleep(Duration::from_millis(100)).await;
            for delivery in self.mailbox.drain(usize::MAX) {
                match delivery {
                    Delivery::Rows(parcel) => drop(self.store.apply(&parcel)),
                    Delivery::Health(id, health) => {
                        self.health = health.clone();
                        self.store.set_health(id, health);
                    }
                }
            }
        }
    }

    /// How often a path was asked for.
    fn times(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }

    /// Containers with their requests and use, in order.
    fn containers(&self) -> Vec<String> {
        let rows = self.store.rows("containers");
        let cell = |row: crate::state::row::Row<'_>, id: &str| {
            let column = row.table.spec.column(id).unwrap();
            (column.cell)(row, self.now()).value.words(self.now()).into_owned()
        };
        let words = ["name", "container", "cpu_requests", "cpu_used"];
        let mut rows: Vec<_> = rows.map(|row| words.map(|id| cell(row, id)).join(" ")).collect();
        rows.sort();
        rows
    }

    fn now(&self) -> Epoch {
        (self.up.clock)()
    }
}

fn refusal(code: u16, message: &str) -> (u16, Value) {
    (code, json!({"kind": "Status", "status": "Failure", "code": code, "message": message}))
}

fn pods() -> (u16, Value) {
    let asks = |cpu: &str| json!({"requests": {"cpu": cpu}});
    let pod = |name: &str, phase: &str| {
        json!({"metadata": {"namespace": "shop", "name": name}, "status": {"phase": phase}, "spec": {
            "containers": [{"name": "web", "resources": asks("200m")}],
            "initContainers": [{"name": "setup", "resources": asks("1")},
                {"name": "mesh", "restartPolicy": "Always", "resources": asks("50m")}],
            "ephemeralContainers": [{"name": "debugger-x"}]}})
    };
    let items = [pod("web-1", "Running"), pod("done", "Succeeded")];
    (
        200,
        json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items}),
    )
}

fn group(versions: &[&str]) -> (u16, Value) {
    let versions: Vec<Value> = versions.iter().map(|v| json!({"version": v})).collect();
    (200, json!({"kind": "APIGroup", "name": "metrics.k8s.io", "versions": versions}))
}

fn samples(containers: &[&str]) -> (u16, Value) {
    let now = (system_clock())().rfc3339();
    let all: Vec<Value> = containers
        .iter()
        .map(|name| json!({"name": name, "usage": {"cpu": "100m", "memory": "1Mi"}}))
        .collect();
    let item = json!({"metadata": {"namespace": "shop", "name": "web-1"}, "timestamp": now,
        "window": "14.3s", "containers": all});
    let items = if containers.is_empty() { vec![] } else { vec![item] };
    (
        200,
        json!({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items}),
    )
}

const ALONE: [&str; 2] = ["web-1 mesh 50m -", "web-1 web 200m -"];

#[tokio::test(start_paused = true)]
async fn without_a_metrics_api_containers_stand_with_what_they_ask_for() {
    let mut rig = Rig::new(|path| match path {
        "/api/v1/pods" => pods(),
        _ => refusal(404, "the server could not find the requested resource"),
    });
    rig.open("containers");
    rig.pass(5).await;
    assert_eq!(rig.health, Health::Missing);
    assert_eq!(rig.containers(), ALONE);
    assert!(absent(&rig.store, "containers").unwrap().contains("not available"));
    assert_eq!(rig.times(&format!("{GROUP}/v1beta1/pods")), 0, "it is discovered, not tried");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_as_one_and_so_is_a_dead_server() {
    for (code, words) in [(403, "no right to list pods.metrics.k8s.io"), (503, "metrics API fails")]
    {
        let mut rig = Rig::new(move |path| match path {
            "/api/v1/pods" => pods(),
            GROUP => group(&["v1beta1"]),
            _ => refusal(
                code,
                "User \"x\" cannot list resource \"pods\" in API group \"metrics.k8s.io\"",
            ),
        });
        rig.open("containers");
        rig.pass(5).await;
        assert_eq!(rig.containers(), ALONE, "{code}");
        let why = absent(&rig.store, "containers").unwrap();
        assert!(why.contains(words), "{why}");
        assert_eq!(rig.times("/api/v1/pods"), 1, "once is enough");
    }
}

#[tokio::test(start_paused = true)]
async fn where_neither_is_to_be_had_it_is_the_right_to_list_pods_that_is_told() {
    let mut rig = Rig::new(|path| match path {
        "/api/v1/pods" => {
            refusal(403, "pods is forbidden: User \"x\" cannot list resource \"pods\"")
        }
        _ => refusal(404, "the server could not find the requested resource"),
    });
    rig.open("containers");
    rig.pass(5).await;
    assert!(
        matches!(&rig.health, Health::Denied { resource, .. } if resource == "pods"),
        "{:?}",
        rig.health
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_version_beside_a_live_one_does_no_harm() {
    let mut rig = Rig::new(|path| match path {
        "/api/v1/pods" => pods(),
        GROUP => group(&["v1beta1", "v1"]),
        "/apis/metrics.k8s.io/v1/pods" => samples(&["web", "debugger-x"]),
        _ => refusal(503, "service unavailable"),
    });
    rig.open("containers");
    rig.pass(120).await;
    assert!(matches!(rig.health, Health::Surveyed { .. }), "{:?}", rig.health);
    assert_eq!(rig.containers(), ["web-1 debugger-x - 100m", "web-1 web 200m 100m"]);
    assert_eq!((rig.times(GROUP), rig.times(&format!("{GROUP}/v1beta1/pods"))), (1, 1));
    assert_eq!(rig.times("/api/v1/pods"), 1, "a debugger is known and no reason to list pods");
    assert_eq!(rig.store.table("containers").look.unwrap().window, 15);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_does_not_have_everything_listed_again() {
    let mut rig = Rig::new(|path| match path {
        GROUP => group(&["v1beta1"]),
        _ => samples(&["web"]),
    });
    let list = format!("{GROUP}/v1beta1/pods");
    for _ in 0..3 {
        rig.open("pod_usage");
        rig.pass(3).await;
    }
    assert_eq!((rig.times(GROUP), rig.times(&list)), (1, 1));
    rig.pass(10).await;
    assert_eq!(rig.times(&list), 2, "15 s after the last one");
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_is_no_reason_to_show_nothing() {
    let mut rig = Rig::new(|path| match path {
        "/api/v1/pods" => pods(),
        GROUP => group(&["v1beta1"]),
        _ => samples(&[]),
    });
    rig.open("containers");
    rig.pass(20).await;
    assert!(matches!(rig.health, Health::Surveyed { .. }));
    assert_eq!(rig.containers(), ALONE);
    assert!(absent(&rig.store, "containers").unwrap().contains("not available yet"));
}

#[tokio::test(start_paused = true)]
async fn why_requests_are_not_known_stays_until_they_are() {
    let mut rig = Rig::new(|path| match path {
        "/api/v1/pods" => {
            refusal(403, "pods is forbidden: User \"x\" cannot list resource \"pods\"")
        }
        GROUP => group(&["v1beta1"]),
        _ => samples(&["web"]),
    });
    rig.open("containers");
    for _ in 0..4 {
        rig.pass(20).await;
        let Health::Surveyed { unread, .. } = &rig.health else { panic!("{:?}", rig.health) };
        assert!(unread[0].contains("requests and limits"), "{unread:?}");
    }
    assert_eq!(rig.containers(), ["web-1 web ? 100m"]);
}
