//! The feeds of a real session through what happens to a real API server: crashes, compaction, pauses, missing rights.
//! Whatever it is, the screen never becomes empty, says how it is, and ends up equal to a fresh list.
//!
//! `tests/feeds.rs` plays the same through with a scripted server and says exactly what is asked when; here is shown that
//! the script is true. Skipped without a control plane, see `control_plane.rs`.

mod controlplane;
#[path = "support/live.rs"]
mod live;

use controlplane::{Component, ControlPlane, Options, Size, User, fixtures, fresh};
use live::{Asked, Live, Relay, Seen};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use wheelhouse::state::cell::Value as Cell;
use wheelhouse::state::health::Health;
use wheelhouse::state::kinds::{self, pods};
use wheelhouse::state::store::Store;
use wheelhouse::state::time::Epoch;

const PODS: &str = "/api/v1/pods";
const SIZE: Size = Size { nodes: 20, pods: 600 };

#[test]
fn a_crashed_api_server_is_told_and_followed_again_where_the_watch_was() {
    let Some(lab) = fresh(Options::api().seeded(SIZE)) else { return };
    let mut live = Live::open(lab.kubeconfig(User::Admin), None);
    live.check = tally_is_what_its_rows_say;
    live.follow("pods", None);
    live.follow("nodes", None);
    live.until_live();
    assert_eq!(live.pods(), listed(&lab));
    let kept = create(&lab, "kept", None);
    live.fewest = None;

    lab.kill(Component::ApiServer);
    live.until("both feeds are down", |live| {
        live.healths().all(|health| matches!(health, Health::Down { .. }))
    });
    for health in live.healths() {
        let Health::Down { fault, retry } = health else { panic!("{health:?}") };
        assert!(!fault.is_empty() && (0..=31).contains(&(retry.0 - now().0)), "{health:?}");
    }
    live.during(|| lab.start_component(Component::ApiServer));
    // Before any feed can have noticed.
    let gone: Vec<Seen> = listed(&lab).into_iter().rev().take(3).collect();
    gone.iter().for_each(|pod| delete(&lab, &pod.namespace, &pod.name));
    let made = create(&lab, "made", Some("node-00003.zone-a.example.internal"));

    equal(&mut live, &lab);
    live.until_live();
    let shown: BTreeSet<String> = live.pods().into_iter().map(|pod| pod.uid).collect();
    assert!(shown.contains(&made) && shown.contains(&kept));
    assert!(gone.iter().all(|pod| !shown.contains(&pod.uid)));
    assert!(live.fewest.unwrap() >= SIZE.pods - gone.len(), "{:?}", live.fewest);
    let lists = [live.lists(PODS), live.lists("/api/v1/nodes")];
    assert!(lists.iter().all(|&lists| lists <= 2), "{lists:?} lists: {:#?}", live.asked());
    assert!(live.asked().len() <= 30, "{:#?}", live.asked());
    let without_right = |h: &Health| matches!(h, Health::Polled { .. } | Health::Denied { .. });
    assert!(!live.told.iter().any(|(_, h)| without_right(h)), "none was lost: {:#?}", live.told);
    assert_eq!(shown_per_node(&live), pods_per_node(&lab));
    as_kubectl(&mut live, &lab);
}

#[test]
fn a_watch_from_before_a_compaction_lists_anew_over_the_rows_shown() {
    let Some(lab) = fresh(Options::api().seeded(SIZE)) else { return };
    let relay = Relay::to(&lab.api_url());
    let mut live = Live::open(lab.kubeconfig(User::Admin), Some(relay.url()));
    live.follow("pods", None);
    live.until_live();
    equal(&mut live, &lab);
    live.fewest = None;

    relay.cut();
    live.until("down", |live| live.healths().all(|h| matches!(h, Health::Down { .. })));
    let gone: Vec<Seen> = listed(&lab).into_iter().take(5).collect();
    gone.iter().for_each(|pod| delete(&lab, &pod.namespace, &pod.name));
    let made = create(&lab, "made", None);
    lab.etcd().compact();
    // The restarted server has nothing older than its own first list in its watch cache.
    live.during(|| lab.restart(Component::ApiServer));
    assert_eq!(live.pods().len(), SIZE.pods, "nothing vanishes while nothing is known");
    relay.mend();

    equal(&mut live, &lab);
    live.until_live();
    let shown: BTreeSet<String> = live.pods().into_iter().map(|pod| pod.uid).collect();
    assert!(shown.contains(&made) && gone.iter().all(|pod| !shown.contains(&pod.uid)));
    assert!(live.fewest.unwrap() > SIZE.pods - gone.len(), "{:?}", live.fewest);
    let asked = live.asked();
    assert!(asked.iter().any(Asked::is_resumed), "{asked:#?}");
    assert!((2..=3).contains(&live.lists(PODS)), "{asked:#?}");
}

/// A paused process: its kernel goes on acknowledging, and new connections are even accepted.
#[test]
fn a_paused_api_server_is_stale_after_15_s_and_nothing_is_lost() {
    let Some(lab) = fresh(Options::api().seeded(SIZE)) else { return };
    let mut live = Live::open(lab.kubeconfig(User::Admin), None);
    let feeds = [live.follow("pods", None), live.follow("nodes", None)];
    live.until_live();
    equal(&mut live, &lab);
    live.fewest = None;
    let (key, pod) = lab.etcd().range("/registry/pods/team-", 1).remove(0);

    lab.signal(Component::ApiServer, libc::SIGSTOP);
    let stopped = Instant::now();
    let mut changed: Value = serde_json::from_slice(&pod).expect("seeded pods are JSON");
    changed["spec"]["nodeName"] = json!("moved-while-away");
    lab.etcd().put_all([(key.as_str(), changed.to_string().as_str())]);
    live.until("no feed says live", |live| {
        live.healths().all(|health| !matches!(health, Health::Live(_)))
    });
    assert!(stopped.elapsed() <= Duration::from_secs(16), "{:?}", stopped.elapsed());
    for feed in feeds {
        assert!(matches!(live.health(feed), Health::Stale(_)), "{:?}", live.health(feed));
    }
    // Long enough for another question to the server, which is not answered either.
    let quiet = stopped + Duration::from_secs(24);
    let live_again = |live: &Live| live.healths().any(|h| matches!(h, Health::Live(_)));
    assert!(!live.seen_by(quiet, live_again), "{:#?}", live.told);
    assert_eq!(live.pods().len(), SIZE.pods);

    lab.signal(Component::ApiServer, libc::SIGCONT);
    live.until_live();
    equal(&mut live, &lab);
    assert!(live.pods().iter().any(|pod| pod.node == "moved-while-away"));
    assert_eq!(live.fewest, Some(SIZE.pods));
    assert_eq!(live.lists(PODS), 1, "the watch goes on: {:#?}", live.asked());
}

#[test]
fn rights_on_one_namespace_are_enough_for_its_feed() {
    let Some(lab) = fixtures::shared_odd() else { return };
    for user in [User::Viewer, User::ViewerToken] {
        let mut live = Live::open(lab.kubeconfig(user), None);
        let (all, one) = (live.follow("pods", None), live.follow("pods", Some("shop")));
        let nodes = live.follow("nodes", None);
        live.until("told", |live| {
            let denied = |id| matches!(live.health(id), Health::Denied { .. });
            denied(all) && denied(nodes) && matches!(live.health(one), Health::Live(_))
        });
        for (id, plural) in [(all, "pods"), (nodes, "nodes")] {
            let Health::Denied { verb, resource, message } = live.health(id) else { panic!() };
            assert_eq!((*verb, resource.as_str()), ("list", plural));
            assert!(message.contains("viewer"), "in the server's words: {message}");
        }
        let expected: BTreeSet<Seen> =
            listed(lab).into_iter().filter(|pod| pod.namespace == "shop").collect();
        assert!(!expected.is_empty());
        assert_eq!(live.pods(), expected);
    }
}

#[test]
fn a_user_without_the_right_to_watch_sees_changes_at_the_next_list() {
    let Some(lab) = fresh(Options::api().seeded(SIZE)) else { return };
    let mut live = Live::open(lab.kubeconfig(User::Lister), None);
    let feed = live.follow("pods", None);
    live.until("polled", |live| matches!(live.health(feed), Health::Polled { every: 30, .. }));
    assert_eq!(live.pods(), listed(&lab));
    live.fewest = None;
    create(&lab, "made", None);
    let gone = listed(&lab).pop_last().unwrap();
    delete(&lab, &gone.namespace, &gone.name);
    equal(&mut live, &lab);
    assert!(matches!(live.health(feed), Health::Polled { .. }));
    assert!(live.fewest.unwrap() >= SIZE.pods, "{:?}", live.fewest);
}

#[test]
fn without_any_right_every_kind_names_the_missing_one() {
    let Some(lab) = controlplane::shared_api() else { return };
    let mut live = Live::open(lab.kubeconfig(User::Nobody), None);
    let served = kinds::ALL.iter().filter(|table| !table.is_local());
    let tables: Vec<&str> = served.map(|table| table.id).collect();
    for table in tables {
        live.follow(table, None);
    }
    live.until("all are told", |live| {
        live.healths().all(|health| !matches!(health, Health::Starting { .. }))
    });
    assert!(live.store.feeds.len() > kinds::ALL.len(), "some tables hold several kinds");
    for feed in &live.store.feeds {
        let gvk = &live.store.table_at(feed.table).spec.kinds[usize::from(feed.kind)].gvk;
        match &feed.health {
            // Discovery, which anybody may read, says that no metrics server stands behind this API server.
            Health::Missing if gvk.group == "metrics.k8s.io" => continue,
            // What is measured names the right that its look takes.
            Health::Denied { verb: "get", resource, .. } if gvk.is_measured() => {
                assert!(resource.starts_with('/'), "{resource}");
                continue;
            }
            Health::Surveyed { unread, .. } if gvk.is_measured() => {
                assert!(unread.iter().any(|what| what.contains("the right to")), "{unread:?}");
                continue;
            }
            _ => {}
        }
        if let Health::Surveyed { unread, .. } = &feed.health {
            // A survey goes on over what it may not list, and tells it kind by kind.
            let told = |words: &str| unread.iter().any(|kind| kind.contains(words));
            assert!(told("rule for list pods is missing"), "{unread:?}");
            assert!(told("rule for list deployments.apps is missing"), "{unread:?}");
            continue;
        }
        let Health::Denied { verb, resource, message } = &feed.health else {
            panic!("{}: {:?}", gvk.plural, feed.health)
        };
        assert_eq!((*verb, resource.as_str()), ("list", gvk.plural));
        assert!(message.contains("cannot list resource"), "in the server's words: {message}");
    }
}

#[test]
fn pods_per_node_are_exact_at_every_moment_while_pods_move() {
    const MOVERS: usize = 3;
    const MOVES: usize = 60;
    let Some(lab) = fresh(Options::api().seeded(SIZE)) else { return };
    let mut live = Live::open(lab.kubeconfig(User::Admin), None);
    live.follow("pods", None);
    live.follow("nodes", None);
    live.check = tally_is_what_its_rows_say;
    live.until_live();
    assert_eq!(shown_per_node(&live), pods_per_node(&lab));
    let nodes: Vec<String> = live.store.rows("nodes").map(|row| row.name().into()).collect();

    let pushed = live.told.len();
    live.during(|| {
        std::thread::scope(|scope| {
            for mover in 0..MOVERS {
                let (lab, nodes) = (&lab, &nodes);
                scope.spawn(move || (0..MOVES).for_each(|i| lead_a_life(lab, nodes, mover, i)));
            }
            scope.spawn(|| lab.churn(100, Duration::from_secs(4)));
        });
    });
    equal(&mut live, &lab);
    let counted = pods_per_node(&lab);
    assert_eq!(shown_per_node(&live), counted);
    assert!(counted.values().sum::<u64>() > 400, "{counted:?}");
    for (feed, health) in &live.told[pushed..] {
        assert!(matches!(health, Health::Live(_)), "{feed:?} {health:?}");
    }
    assert_eq!(live.lists(PODS), 1);
}

#[test]
fn connections_torn_while_events_flow_lose_none_of_them() {
    let Some(lab) = fresh(Options::api().seeded(SIZE)) else { return };
    let relay = Relay::to(&lab.api_url());
    let mut live = Live::open(lab.kubeconfig(User::Admin), Some(relay.url()));
    live.check = tally_is_what_its_rows_say;
    live.follow("pods", None);
    live.follow("nodes", None);
    live.until_live();
    let nodes: Vec<String> = live.store.rows("nodes").map(|row| row.name().into()).collect();
    live.fewest = None;
    std::thread::scope(|scope| {
        let mover = scope.spawn(|| (0..100).for_each(|i| lead_a_life(&lab, &nodes, 0, i)));
        let churn = scope.spawn(|| lab.churn(200, Duration::from_secs(5)));
        for _ in 0..5 {
            relay.cut();
            live.until("down", |live| live.healths().all(|h| matches!(h, Health::Down { .. })));
            relay.mend();
            live.until_live();
        }
        live.until("the movers are done", |_| mover.is_finished() && churn.is_finished());
    });
    equal(&mut live, &lab);
    live.until_live();
    assert_eq!(shown_per_node(&live), pods_per_node(&lab));
    assert!(live.fewest.unwrap() >= SIZE.pods, "{:?}", live.fewest);
    assert_eq!(live.lists(PODS), 1, "each watch goes on where the last one was torn");
}

#[test]
fn pods_of_real_controllers_are_followed_through_a_rollout() {
    let Some(lab) = fresh(Options::full()) else { return };
    lab.wait_for_default_service_account();
    let mut live = Live::open(lab.kubeconfig(User::Admin), None);
    live.check = tally_is_what_its_rows_say;
    live.follow("pods", None);
    live.follow("nodes", None);
    live.until_live();
    assert!(live.pods().is_empty());
    live.during(|| lab.apply(include_str!("controlplane/objects/workloads.yaml")));
    let web = "/apis/apps/v1/namespaces/shop/deployments/web";
    let ready = |replicas: u64| lab.api_get(web)["status"]["readyReplicas"] == replicas;
    for replicas in [12, 40, 5] {
        lab.api_patch(web, &json!({"spec": {"replicas": replicas}}));
        live.until("rolled out", |_| ready(replicas));
    }
    // Some pods crash for ever, so a list is only right for a moment.
    live.until("equal", |live| live.pods() == listed(&lab));
    live.until("counted", |live| shown_per_node(live) == pods_per_node(&lab));
    assert_eq!(live.lists(PODS), 1);
}

/// One pod's life, which ends in one of five ways.
fn lead_a_life(lab: &ControlPlane, nodes: &[String], mover: usize, i: usize) {
    // Names come back, as those of a StatefulSet do.
    let name = format!("mover-{mover}-{}", i % 40);
    let path = format!("/api/v1/namespaces/shop/pods/{name}");
    if i >= 40 {
        // Those that were deleted at the end of their first life are not there.
        let now = br#"{"gracePeriodSeconds":0}"#;
        let reply = lab.request("DELETE", &path, "application/json", now).expect("it answers");
        assert!([200, 404].contains(&reply.status), "{path}: {}", reply.status);
    }
    let node = &nodes[(mover * 7 + i) % nodes.len()];
    create(lab, &name, None);
    let target = json!({"apiVersion": "v1", "kind": "Node", "name": node});
    let binding = json!({"metadata": {"name": name}, "target": target});
    lab.api_create(&format!("{path}/binding"), &binding);
    let phase = |phase: &str| {
        lab.api_patch(&format!("{path}/status"), &json!({"status": {"phase": phase}}));
    };
    phase("Running");
    match i % 5 {
        0 => phase("Succeeded"),
        1 => phase("Failed"),
        2 => delete(lab, "shop", &name),
        // Terminating for an hour: it still counts.
        3 => drop(lab.api_delete(&path, &json!({"gracePeriodSeconds": 3600}))),
        _ => {}
    }
}

/// Sums that are carried along are what a count of the rows gives.
fn tally_is_what_its_rows_say(store: &Store) {
    let mut counted: BTreeMap<&str, i64> = BTreeMap::new();
    for pod in store.rows("pods").filter(|&pod| !pods::finished(pod)) {
        *counted.entry(pod.text(pods::NODE)).or_default() += 1;
    }
    for node in store.rows("nodes") {
        let expected = counted.get(&*node.name()).copied().unwrap_or(0);
        assert_eq!(node.sums(pods::ON_NODE)[pods::sum::PODS], expected, "{}", node.name());
    }
}

/// What the nodes view shows: only nodes with pods.
fn shown_per_node(live: &Live) -> BTreeMap<String, u64> {
    let column = live.store.table("nodes").spec.column("pods").expect("a declared column");
    let counts = live.store.rows("nodes").map(|row| match (column.cell)(row, now()).value {
        Cell::Count(have, _) => (row.name().into_owned(), have as u64),
        other => panic!("{}: {other:?}", row.name()),
    });
    counts.filter(|(_, have)| *have > 0).collect()
}

/// Bound pods that have not finished, terminating ones included, straight from the pods' own fields.
fn pods_per_node(lab: &ControlPlane) -> BTreeMap<String, u64> {
    let list = lab.api_get(PODS);
    let mut counts = BTreeMap::new();
    for pod in list["items"].as_array().expect("a list has items") {
        let finished = ["Succeeded", "Failed"].map(Value::from).contains(&pod["status"]["phase"]);
        if let (Some(node), false) = (pod["spec"]["nodeName"].as_str(), finished) {
            *counts.entry(node.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

// ---- What the tests share ----

fn now() -> Epoch {
    wheelhouse::app::cluster::upstream::system_clock()()
}

/// The pods of a fresh list, by a client that is not ours.
fn listed(lab: &ControlPlane) -> BTreeSet<Seen> {
    let list = lab.api_get(PODS);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pods = list["items"].as_array().expect("a list has items").iter();
    pods.map(|pod| Seen {
        namespace: text(&pod["metadata"]["namespace"]),
        name: text(&pod["metadata"]["name"]),
        uid: text(&pod["metadata"]["uid"]),
        version: text(&pod["metadata"]["resourceVersion"]).parse().expect("etcd counts"),
        node: text(&pod["spec"]["nodeName"]),
    })
    .collect()
}

/// Waits until what is shown is what a fresh list has.
fn equal(live: &mut Live, lab: &ControlPlane) {
    let expected = listed(lab);
    if !live.seen_by(Instant::now() + live::SOON, |live| live.pods() == expected) {
        let shown = live.pods();
        let (missing, surplus): (Vec<_>, Vec<_>) =
            (expected.difference(&shown).collect(), shown.difference(&expected).collect());
        panic!("missing {missing:#?}\nsurplus {surplus:#?}\ntold {:#?}", live.told);
    }
}

/// Makes a pod in `shop`; returns its uid.
fn create(lab: &ControlPlane, name: &str, node: Option<&str>) -> String {
    let containers = json!([{"name": "app", "image": "registry.test/app:1"}]);
    let mut pod = json!({"metadata": {"name": name}, "spec": {"containers": containers}});
    if let Some(node) = node {
        pod["spec"]["nodeName"] = json!(node);
    }
    let made = lab.api_create("/api/v1/namespaces/shop/pods", &pod);
    made["metadata"]["uid"].as_str().expect("the server gives a uid").to_owned()
}

fn delete(lab: &ControlPlane, namespace: &str, name: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    lab.api_delete(&path, &json!({"gracePeriodSeconds": 0}));
}

/// The pods shown read as kubectl prints them.
fn as_kubectl(live: &mut Live, lab: &ControlPlane) {
    let theirs = lab.kubectl_rows("pods", true);
    let theirs: BTreeSet<_> = theirs
        .iter()
        .map(|row| ["NAMESPACE", "NAME", "STATUS", "NODE"].map(|heading| row[heading].clone()))
        .collect();
    let spec = live.store.table("pods").spec;
    let column = |id| spec.column(id).expect("a declared column");
    let columns = ["namespace", "name", "status", "node"].map(column);
    let ours: BTreeSet<_> = live
        .store
        .rows("pods")
        .map(|row| {
            columns.map(|column| match (column.cell)(row, now()).value {
                Cell::Text(text) if !text.is_empty() => text.into_owned(),
                _ => "<none>".to_owned(),
            })
        })
        .collect();
    assert_eq!(ours, theirs);
}
