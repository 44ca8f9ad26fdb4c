//! Samples find the rows they are about.

use super::testing::{NOW, cell, put, row, store, words};
use super::{node_usage, pod_usage, usage};
use crate::state::cell::{HEIGHTS, NOT_MEASURED, Role, Value, share_heights};
use crate::state::health::Health;
use crate::state::parcel::{Look, Parcel};
use crate::state::store::Store;
use crate::state::time::Epoch;
use serde_json::{Value as Json, json};

fn pod(name: &str, uid: &str, created: &str) -> Json {
    json!({
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": uid, "creationTimestamp": created},
        "spec": {"nodeName": "n1", "containers": [
            {"name": "web", "resources": {"requests": {"cpu": "200m", "memory": "256Mi"},
                "limits": {"cpu": "400m", "memory": "512Mi"}}},
            {"name": "side", "resources": {"limits": {"memory": "512Mi"}}},
        ]},
        "status": {"phase": "Running"},
    })
}

fn sample(name: &str, at: &str, cpu: &str, memory: &str) -> Json {
    json!({
        "kind": "PodMetrics", "metadata": {"name": name, "namespace": "shop", "creationTimestamp": at},
        "timestamp": at, "window": "15s",
        "containers": [
            {"name": "web", "usage": {"cpu": cpu, "memory": memory}},
            {"name": "side", "usage": {"cpu": "1n", "memory": "1Mi"}},
        ],
    })
}

const LONG_AGO: &str = "2027-01-14T08:00:00Z";
const UID: &str = "aaaaaaaa-0000-4000-8000-000000000001";

#[test]
fn a_pods_use_is_the_sum_of_its_containers_beside_requests_and_limits() {
    let mut store = store();
    put(&mut store, &[pod("web-1", UID, LONG_AGO)]);
    put(&mut store, &[sample("web-1", "2027-01-15T07:59:50Z", "100000000n", "130048Ki")]);
    let r = row(&store, "pods", "web-1");
    assert_eq!(words(r, "cpu_used memory_used measured"), "101m | 128Mi | 10s");
    assert_eq!(words(r, "cpu_request_pct memory_request_pct memory_limit_pct"), "50 | 50 | 12");
    // One container has no CPU limit, so nothing limits the pod.
    assert_eq!(words(r, "cpu_limit_pct cpu_limits memory_limits"), "- | - | 1Gi");
    assert!(store.rows("pod_usage").next().is_none(), "samples take no rows");
}

#[test]
fn a_new_version_of_a_pod_keeps_what_was_measured() {
    let mut store = store();
    put(&mut store, &[pod("web-1", UID, LONG_AGO)]);
    put(&mut store, &[sample("web-1", "2027-01-15T07:59:50Z", "50m", "1Gi")]);
    let mut changed = pod("web-1", UID, LONG_AGO);
    changed["status"]["phase"] = json!("Succeeded");
    put(&mut store, &[changed]);
    let r = row(&store, "pods", "web-1");
    assert_eq!(words(r, "phase cpu_used memory_used"), "Succeeded | 51m | 1.0Gi");
}

#[test]
fn a_sample_of_the_pod_before_is_not_one_of_the_pod_that_has_its_name_now() {
    let mut store = store();
    put(&mut store, &[pod("db-0", UID, "2027-01-15T07:59:55Z")]);
    put(&mut store, &[sample("db-0", "2027-01-15T07:59:50Z", "50m", "1Gi")]);
    assert_eq!(words(row(&store, "pods", "db-0"), "cpu_used measured"), "- | -");
}

#[test]
fn a_pod_that_takes_a_name_after_samples_came_is_found_and_one_that_went_is_not() {
    let mut store = store();
    put(&mut store, &[pod("db-0", UID, LONG_AGO), pod("db-1", "", LONG_AGO)]);
    put(&mut store, &[sample("db-0", "2027-01-15T07:59:50Z", "50m", "1Gi")]);
    let feed = store.feeds.iter().find(|f| f.table == store.table_index("pods").unwrap()).unwrap();
    let mut gone = Parcel::new(feed.id, 0, store.table("pods").spec);
    gone.gone.push(row(&store, "pods", "db-0").key());
    store.apply(&gone);
    put(&mut store, &[pod("db-0", "aaaaaaaa-0000-4000-8000-000000000002", LONG_AGO)]);
    put(&mut store, &[sample("db-0", "2027-01-15T07:59:58Z", "70m", "1Gi")]);
    put(&mut store, &[sample("nobody", "2027-01-15T07:59:58Z", "70m", "1Gi")]);
    assert_eq!(words(row(&store, "pods", "db-0"), "cpu_used"), "71m");
    assert_eq!(words(row(&store, "pods", "db-1"), "cpu_used"), "-");
}

#[test]
fn what_is_old_is_dim_and_what_is_older_is_gone() {
    let mut store = store();
    put(&mut store, &[pod("web-1", UID, LONG_AGO)]);
    put(&mut store, &[sample("web-1", "2027-01-15T08:00:00Z", "50m", "1Gi")]);
    let mut aged = |age: i64, look: Option<Look>| {
        end(&mut store, look);
        let r = row(&store, "pods", "web-1");
        let now = Epoch(NOW.0 + age);
        let cell = usage::cell(r, super::pods::MEASURED, now, Value::Int(1), Role::Warn);
        (cell.role, cell.value == Value::Absent)
    };
    assert_eq!(aged(20, None), (Role::Warn, false));
    assert_eq!(aged(90, None), (Role::Dim, false));
    assert!(aged(121, None).1);
    // A server that measures over a minute, and a cluster so large that looks are 66 s apart.
    let minute = look(NOW.0, 60, 16);
    assert_eq!(aged(119, minute), (Role::Warn, false));
    assert_eq!(aged(121, minute), (Role::Dim, false));
    let large = look(NOW.0, 15, 80);
    assert_eq!(aged(94, large), (Role::Warn, false), "no column goes dim before each look");
    assert_eq!([aged(96, large), aged(190, large)], [(Role::Dim, false); 2]);
    assert!(aged(191, large).1);
}

fn look(at: i64, window: i64, pause: i64) -> Option<Look> {
    Some(Look { at: Epoch(at), samples: 1, window, pause })
}

/// Ends a look at pods.
fn end(store: &mut Store, look: Option<Look>) {
    let table = store.table_index("pod_usage").unwrap();
    let feed = store.feeds.iter().find(|f| f.table == table).unwrap().id;
    let mut end = Parcel::new(feed, 0, &pod_usage::TABLE);
    (end.sweep, end.look) = (true, look);
    store.apply(&end);
}

#[test]
fn one_clock_that_is_ahead_takes_the_use_of_nobody_else_away() {
    let mut store = store();
    put(&mut store, &[pod("a", "", LONG_AGO), pod("b", "", LONG_AGO), pod("c", "", LONG_AGO)]);
    put(&mut store, &[sample("a", "2027-01-15T09:00:00Z", "50m", "1Gi")]);
    put(&mut store, &[sample("b", "2027-01-15T07:59:50Z", "50m", "1Gi")]);
    put(&mut store, &[sample("c", "2027-01-15T07:50:00Z", "50m", "1Gi")]);
    end(&mut store, look(NOW.0, 15, 16));
    let used = |name: &str| usage::used(row(&store, "pods", name)).is_some();
    assert_eq!((used("a"), used("b"), used("c")), (true, true, false));
}

#[test]
fn a_sample_waits_for_its_row_until_the_next_look_is_over() {
    let mut store = store();
    put(&mut store, &[sample("web-1", "2027-01-15T07:59:50Z", "50m", "1Gi")]);
    end(&mut store, look(NOW.0, 15, 16));
    put(&mut store, &[pod("web-1", UID, LONG_AGO)]);
    assert_eq!(words(row(&store, "pods", "web-1"), "cpu_used"), "51m");
    put(&mut store, &[sample("web-2", "2027-01-15T07:59:50Z", "50m", "1Gi")]);
    let table = store.table_index("pod_usage").unwrap();
    let feed = store.feeds.iter().find(|f| f.table == table).unwrap().id;
    let mut next = Parcel::new(feed, 1, &pod_usage::TABLE);
    next.sweep = true;
    store.apply(&next);
    put(&mut store, &[pod("web-2", "aaaaaaaa-0000-4000-8000-000000000002", LONG_AGO)]);
    assert_eq!(words(row(&store, "pods", "web-2"), "cpu_used"), "-", "two looks did not see it");
}

#[test]
fn windows_are_read_as_go_writes_durations() {
    let all = ["15s", "1m0.5s", "14.318s", "800ms", "1h2m3s", "", "15", "x"].map(usage::window);
    assert_eq!(all, [Some(15), Some(61), Some(15), Some(1), Some(3723), None, None, None]);
}

#[test]
fn a_look_that_ends_forgets_what_was_not_measured_for_long() {
    let mut store = store();
    put(&mut store, &[pod("a", "", LONG_AGO), pod("b", "", LONG_AGO)]);
    put(&mut store, &[sample("a", "2027-01-15T07:50:00Z", "50m", "1Gi")]);
    put(&mut store, &[sample("b", "2027-01-15T07:59:58Z", "50m", "1Gi")]);
    end(&mut store, None);
    assert!(usage::used(row(&store, "pods", "a")).is_none());
    assert!(usage::used(row(&store, "pods", "b")).is_some());
}

#[test]
fn a_node_is_measured_against_what_it_can_allocate() {
    let mut store = store();
    put(
        &mut store,
        &[
            json!({"kind": "Node", "metadata": {"name": "n1", "uid": ""}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}}),
            json!({"kind": "NodeMetrics", "metadata": {"name": "n1"}, "timestamp": "2027-01-15T07:59:50Z",
                "window": "15s", "usage": {"cpu": "3700m", "memory": "4Gi"}}),
        ],
    );
    let r = row(&store, "nodes", "n1");
    assert_eq!(words(r, "cpu_used memory_used"), "3.7/4  92% | 4/8Gi  50%");
    assert_eq!(cell(r, "cpu_used").role, Role::Warn);
    assert_eq!(words(r, "cpu_allocatable_pct memory_allocatable_pct"), "92 | 50");
}

#[test]
fn a_trail_has_one_point_a_sample_and_the_highest_of_five_a_bar() {
    let mut trail = crate::state::store::usage::Trail::default();
    for (at, cpu) in [(15, 100), (30, 400), (30, 900), (45, 200)] {
        trail.push(at, (cpu, 1000), (cpu, 0));
    }
    assert_eq!(trail.cpu()[10..], [NOT_MEASURED, 400]);
    assert_eq!(trail.memory(), [NOT_MEASURED; 12], "a share of nothing");
    (4..=8).for_each(|i| trail.push(i * 15, (10, 1000), (1, 2)));
    assert_eq!(trail.cpu()[10..], [400, 10]);
    assert_eq!(trail.memory()[11], 500);
    // Five minutes in which nobody looked stay empty, and are neither joined nor zero.
    trail.push(8 * 15 + 300, (20, 1000), (0, 2));
    assert_eq!(trail.cpu()[7..], [10, NOT_MEASURED, NOT_MEASURED, NOT_MEASURED, 20]);
    assert_eq!(trail.memory()[11], 0);
    trail.push(1_000_000, (1, 1000), (1, 2));
    assert_eq!(trail.cpu()[..11], [NOT_MEASURED; 11]);
}

#[test]
fn a_steady_percent_is_low_and_what_was_not_measured_has_no_height() {
    let mut shares = [10; 12];
    (shares[0], shares[11]) = (NOT_MEASURED, 1000);
    let heights = share_heights(&shares);
    assert_eq!((heights[0], heights[1], heights[11]), (0, 1, HEIGHTS - 1));
    assert_eq!(share_heights(&[0; 12]), [1; 12], "nothing used is measured too");
}

#[test]
fn memory_of_a_node_is_not_cut_at_four_terabytes() {
    let mut store = store();
    put(
        &mut store,
        &[
            json!({"kind": "Node", "metadata": {"name": "n1", "uid": ""}, "status": {"allocatable": {"memory": "24Ti"}}}),
            json!({"kind": "NodeMetrics", "metadata": {"name": "n1"}, "timestamp": "2027-01-15T07:59:50Z",
                "window": "15s", "usage": {"cpu": "1", "memory": "12Ti"}}),
        ],
    );
    let r = row(&store, "nodes", "n1");
    assert_eq!(cell(r, "memory_used").value, Value::Memory(12 << 40, 24 << 40));
    assert_eq!(usage::used(r).map(|(_, memory, _)| memory), Some(12 << 40));
}

#[test]
fn why_nothing_is_measured_is_said_in_words() {
    let words = |health: Health| {
        let mut store = Store::default();
        let table = store.table_index("node_usage").unwrap();
        let feed = store.open_feed(table, 0, None);
        store.set_health(feed, health);
        usage::absent(&store, "nodes")
    };
    assert_eq!(words(Health::Surveyed { at: NOW, unread: vec![] }), None);
    let missing = words(Health::Missing).unwrap();
    assert!(missing.contains("metrics API not available") && missing.contains("requests alone"));
    assert!(missing.contains("the server has no metrics.k8s.io"), "{missing}");
    let resource = "nodes.metrics.k8s.io".to_owned();
    let denied = Health::Denied { verb: "list", resource, message: "no".into() };
    assert!(words(denied).unwrap().contains("no right to list nodes.metrics.k8s.io"));
    let down = Health::Down { fault: "refused with 503".into(), retry: NOW };
    assert!(words(down).unwrap().contains("503"));
}

#[test]
fn a_server_that_has_just_begun_measures_nothing_yet() {
    let mut store = store();
    let mut done = pod("done", UID, LONG_AGO);
    done["status"]["phase"] = json!("Succeeded");
    put(&mut store, &[done]);
    let table = store.table_index("pod_usage").unwrap();
    let feed = store.feeds.iter().find(|f| f.table == table).unwrap().id;
    store.set_health(feed, Health::Surveyed { at: NOW, unread: vec![] });
    let why = |store: &Store| usage::absent(store, "pods");
    end(&mut store, Some(Look { samples: 0, ..look(NOW.0, 0, 16).unwrap() }));
    assert_eq!(why(&store), None, "nothing runs");
    put(&mut store, &[pod("web-1", "aaaaaaaa-0000-4000-8000-000000000002", LONG_AGO)]);
    assert!(why(&store).unwrap().contains("not available yet"));
    end(&mut store, look(NOW.0, 15, 16));
    assert_eq!(why(&store), None);
}

#[test]
fn both_tables_keep_their_words_at_the_same_places() {
    assert_eq!(node_usage::TABLE.words, pod_usage::TABLE.words);
}
