//! Events of a real API server on their way to the desk and to `wheelhouse print events`. Skipped without a control
//! plane, see `control_plane.rs`; what the demo cluster shows needs none.

#[path = "support/binary.rs"]
mod binary;
mod controlplane;
#[allow(dead_code, reason = "a test uses its part of it")]
#[path = "support/live.rs"]
mod live;

use binary::wheelhouse;
use controlplane::{Component, ControlPlane, Options, User, fresh};
use live::{Live, Relay};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use wheelhouse::state::health::Health;
use wheelhouse::state::kinds::events;
use wheelhouse::state::text::harmless;
use wheelhouse::state::time::Epoch;

fn at(secs_ago: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Epoch(now.as_secs() as i64 - secs_ago).rfc3339()
}

/// An event of the old recorder, in a namespace of its own.
fn event(
    name: &str,
    about: Value,
    reason: &str,
    message: &str,
    secs_ago: i64,
    count: u32,
) -> Value {
    json!({
        "metadata": { "name": name }, "involvedObject": about, "reason": reason, "message": message, "type": "Warning",
        "firstTimestamp": at(secs_ago + 600), "lastTimestamp": at(secs_ago), "count": count,
        "source": { "component": "kubelet", "host": "n1" },
    })
}

fn pod(name: &str) -> Value {
    json!({ "kind": "Pod", "apiVersion": "v1", "namespace": "shop", "name": name })
}

fn say(lab: &ControlPlane, event: &Value) -> Value {
    let namespace = event["involvedObject"]["namespace"].as_str().unwrap_or("default");
    lab.api_create(&format!("/api/v1/namespaces/{namespace}/events"), event)
}

/// What the built binary prints of events, as JSON.
fn printed(lab: &ControlPlane, user: User, args: &[&str]) -> (i32, Vec<Value>, String) {
    let all: Vec<&str> = ["print", "events", "-o", "json"].iter().chain(args).copied().collect();
    let out = wheelhouse(&lab.kubeconfig(user), &all);
    let rows = serde_json::from_slice(&out.stdout).unwrap_or_default();
    (out.status.code().unwrap(), rows, String::from_utf8_lossy(&out.stderr).into_owned())
}

#[test]
fn events_are_summed_up_filtered_and_harmless() {
    let Some(lab) = fresh(Options::api()) else { return };
    say(&lab, &event("a1", pod("web-1"), "BackOff", "older words", 900, 5));
    say(&lab, &event("a2", pod("web-1"), "BackOff", "\u{1b}[2Jnewest \u{9b}words", 60, 7));
    let mut series = event("a3", pod("web-2"), "Unhealthy", "a series", 0, 0);
    for field in ["firstTimestamp", "lastTimestamp", "count", "source"] {
        series.as_object_mut().unwrap().remove(field);
    }
    series["eventTime"] = json!(at(500).replace('Z', ".000000Z"));
    series["series"] = json!({ "count": 9, "lastObservedTime": at(20).replace('Z', ".123456Z") });
    (series["action"], series["reportingComponent"], series["reportingInstance"]) =
        (json!("Probe"), json!("lab/kubelet"), json!("n1"));
    say(&lab, &series);
    let (code, rows, err) = printed(&lab, User::Admin, &["--filter", "namespace:=shop"]);
    assert_eq!((code, rows.len()), (0, 2), "{err}");
    let words = |row: &Value, id: &str| row[id].to_string();
    assert_eq!(
        (words(&rows[0], "name"), words(&rows[0], "count")),
        ("\"web-2\"".into(), "9".into())
    );
    assert_eq!(words(&rows[0], "source"), "\"lab/kubelet\"");
    assert_eq!((words(&rows[1], "count"), words(&rows[1], "events")), ("12".into(), "2".into()));
    assert!(rows[1]["message"].as_str().unwrap().contains("newest"));
    let all = ["print", "events", "--filter", "kind:pod reason:backoff age:<5m source:kubelet"];
    let out = wheelhouse(&lab.kubeconfig(User::Admin), &all);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        text.contains("[2Jnewest") && text.contains("web-1") && !text.contains("web-2"),
        "{text}"
    );
    assert!(text.chars().all(|c| c == '\n' || harmless(c)), "{text:?}");
}

#[test]
fn node_events_are_found_by_kind_and_name_whatever_uid_they_carry() {
    let Some(lab) = fresh(Options::api()) else { return };
    let node = lab.api_create("/api/v1/nodes", &json!({ "metadata": { "name": "n1" } }));
    for (i, uid) in
        [node["metadata"]["uid"].clone(), json!("n1"), json!("")].into_iter().enumerate()
    {
        let about = json!({ "kind": "Node", "apiVersion": "v1", "name": "n1", "uid": uid });
        say(&lab, &event(&format!("e{i}"), about, "NodeNotReady", "x", 30, 1));
    }
    let (code, rows, err) = printed(&lab, User::Admin, &["--filter", "kind:=Node name:=n1"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["count"], &rows[0]["events"]), (&json!(3), &json!(3)));
}

#[test]
fn who_may_not_list_events_is_told_the_rule() {
    let Some(lab) = fresh(Options::api()) else { return };
    say(&lab, &event("a1", pod("web-1"), "BackOff", "x", 60, 7));
    let (code, _, err) = printed(&lab, User::Lister, &[]);
    assert_eq!(code, 1);
    assert!(err.contains("missing rule: list events in all namespaces"), "{err}");
    assert!(err.contains("cannot list resource \"events\""), "in the server's words too: {err}");
    let (code, rows, err) = printed(&lab, User::Viewer, &["-n", "shop"]);
    assert_eq!((code, rows.len()), (0, 1), "{err}");
}

#[test]
fn an_expired_watch_and_forgotten_events_lose_nothing_of_the_ring() {
    let Some(lab) = fresh(Options::api()) else { return };
    for i in 0..6 {
        say(&lab, &event(&format!("e{i}"), pod(&format!("web-{i}")), "BackOff", "x", 60 + i, 2));
    }
    let relay = Relay::to(&lab.api_url());
    let mut live = Live::open(lab.kubeconfig(User::Admin), Some(relay.url()));
    live.follow("events", None);
    live.until_live();
    let held = |live: &Live| live.store.rows("events").filter(|r| r.namespace() == "shop").count();
    assert_eq!(held(&live), 6);
    // One is forgotten while it is watched: no news.
    lab.api_delete("/api/v1/namespaces/shop/events/e0", &json!({}));
    say(&lab, &event("e6", pod("web-6"), "BackOff", "x", 5, 1));
    live.until("the next one came", |live| held(live) == 7);

    relay.cut();
    live.until("down", |live| live.healths().all(|h| matches!(h, Health::Down { .. })));
    for i in 1..4 {
        lab.api_delete(&format!("/api/v1/namespaces/shop/events/e{i}"), &json!({}));
    }
    say(&lab, &event("e7", pod("web-7"), "BackOff", "x", 1, 1));
    lab.etcd().compact();
    live.during(|| lab.restart(Component::ApiServer));
    relay.mend();
    live.until("what happened meanwhile came", |live| held(live) == 8);
    live.until_live();
    assert!(live.lists("/api/v1/events") >= 2, "it was listed anew: {:#?}", live.asked());
    assert_eq!(held(&live), 8, "four of them exist no more, and all are still there");
    let twice = live.store.rows("events").filter(|r| r.num(events::COUNT) == 2).count();
    assert_eq!(twice, 6, "a relist is no occurrence");
}

#[test]
fn events_are_counted_without_a_list() {
    let Some(lab) = fresh(Options::api()) else { return };
    for i in 0..30 {
        say(&lab, &event(&format!("e{i}"), pod("web-1"), "BackOff", "x", 60, 2));
    }
    let about = json!({ "kind": "Node", "apiVersion": "v1", "name": "n1" });
    say(&lab, &event("n", about, "NodeNotReady", "x", 30, 1));
    let out =
        wheelhouse(&lab.kubeconfig(User::Admin), &["print", "events", "--count", "-o", "json"]);
    let counts: Value = serde_json::from_slice(&out.stdout).unwrap();
    let of = |name: &str| {
        let all = counts[0]["namespaces"].as_array().unwrap();
        all.iter().find(|n| n["namespace"] == name).map(|n| n["count"].as_u64().unwrap())
    };
    assert_eq!(of("shop"), Some(30), "{counts}");
    let total = counts[0]["total"].as_u64().unwrap();
    assert!(total >= 31 && of("default").unwrap() >= 1, "{counts}");
    let out =
        wheelhouse(&lab.kubeconfig(User::Viewer), &["print", "events", "--count", "-n", "shop"]);
    assert_eq!(String::from_utf8(out.stdout).unwrap().trim(), "30  events");
}

#[test]
fn a_watch_streams_a_line_for_each_thing_that_happens() {
    let Some(lab) = fresh(Options::api()) else { return };
    say(&lab, &event("e0", pod("web-0"), "BackOff", "x", 60, 2));
    let args = ["--filter", "namespace:=shop !reason:noise", "--watch", "-o", "json"];
    let mut child = watch(&lab.kubeconfig(User::Admin), &args);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["name"], "web-0", "what is there comes first");
    say(&lab, &event("e1", pod("web-1"), "Noise", "x", 3, 1));
    let made = say(&lab, &event("e2", pod("web-2"), "BackOff", "\u{1b}[31mred\u{202e}", 2, 1));
    let line = next();
    assert_eq!((&line["name"], &line["count"]), (&json!("web-2"), &json!(1)));
    assert_eq!(line["message"], "\u{1b}[31mred\u{202e}", "escaped on the way, not lost");
    let path =
        format!("/api/v1/namespaces/shop/events/{}", made["metadata"]["name"].as_str().unwrap());
    lab.api_patch(&path, &json!({ "count": 5, "lastTimestamp": at(0) }));
    assert_eq!(next()["count"], 5, "what repeats is told again");
    // It has no other end.
    child.kill().unwrap();
    child.wait().unwrap();
    let out = wheelhouse(&lab.kubeconfig(User::Lister), &["print", "events", "--watch"]);
    assert_eq!(out.status.code(), Some(1), "it does not wait for a right");
    let out = wheelhouse(&lab.kubeconfig(User::Lister), &["print", "pods", "--watch"]);
    assert_eq!(out.status.code(), Some(2));
}

fn watch(kubeconfig: &Path, args: &[&str]) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    command.args(["print", "events"]).args(args).arg("--kubeconfig").arg(kubeconfig);
    command.env("HOME", "/nonexistent").env_remove("XDG_STATE_HOME").env_remove("KUBECONFIG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Events straight into etcd, as the API server would store them in JSON.
fn storm(lab: &ControlPlane, some: std::ops::Range<usize>, secs_ago: i64) {
    let mut etcd = lab.etcd();
    let all: Vec<usize> = some.collect();
    for batch in all.chunks(100) {
        let entries: Vec<(String, String)> = batch.iter().map(|n| stored(*n, secs_ago)).collect();
        etcd.put_all(entries.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    }
}

fn stored(n: usize, secs_ago: i64) -> (String, String) {
    let name = format!("app-{:04}-6f7b8c9d-{n:05}.{n:x}", n % 1000);
    let mut object = event(
        &name,
        pod(&format!("app-{:04}-6f7b8c9d-{n:05}", n % 1000)),
        "BackOff",
        "",
        secs_ago,
        3,
    );
    object["message"] = json!(format!("Back-off restarting failed container app in pod {name}"));
    object["kind"] = json!("Event");
    object["apiVersion"] = json!("v1");
    let namespace = format!("team-{:02}", n % 40);
    object["involvedObject"]["namespace"] = json!(namespace);
    object["metadata"] = json!({
        "name": name, "namespace": namespace, "uid": format!("00000000-0000-4000-8000-{n:012x}"),
        "creationTimestamp": at(secs_ago + 600),
    });
    (format!("/registry/events/{namespace}/{name}"), object.to_string())
}

#[test]
fn fifty_thousand_events_are_one_list_and_one_watch_and_a_storm_asks_nothing_more() {
    let Some(lab) = fresh(Options::api()) else { return };
    // The oldest come last in the order of names and are the ones that find no room.
    storm(&lab, 0..3_000, 3_000);
    storm(&lab, 3_000..55_000, 900);
    let mut live = Live::open(lab.kubeconfig(User::Admin), None);
    live.follow("events", None);
    live.until_live();
    let kept = |live: &Live| live.store.timeline().ring.len();
    assert_eq!(kept(&live), 50_000, "of some more");
    let rows = || live.store.rows("events").filter(|r| r.namespace().starts_with("team-"));
    assert!(rows().count() > 49_000);
    assert!(rows().all(|r| r.time(events::LAST).0 > Epoch::default().0));
    let old = rows().filter(|r| r.text(events::MESSAGE).contains("-00001.1")).count();
    assert_eq!(old, 0, "the oldest make room");
    let asked = live.asked().len();
    assert!(asked <= 3, "{:#?}", live.asked());
    let symbols = live.store.syms.len();
    let out = wheelhouse(&lab.kubeconfig(User::Admin), &["print", "events", "-o", "name"]);
    assert_eq!(out.status.code(), Some(4), "what was left out is said");
    let err = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(err.contains("the newest 50,000 events"), "{err}");
    // About a thousand a second for some seconds.
    live.during(|| storm(&lab, 100_000..104_000, 1));
    let newest = |live: &Live| {
        live.store.rows("events").filter(|r| r.text(events::MESSAGE).contains("-10")).count()
            >= 4_000
    };
    live.until("the whole storm was taken in", newest);
    assert_eq!(kept(&live), 50_000);
    assert_eq!(live.asked().len(), asked, "nothing more is asked: {:#?}", live.asked());
    assert!(live.store.syms.len() <= symbols + 1_100, "{} of {symbols}", live.store.syms.len());
}

// ---- The demo cluster ----

#[test]
fn the_demo_cluster_has_an_hour_behind_it() {
    let none = Path::new("/nonexistent/kubeconfig");
    let run = |args: &[&str]| {
        let all: Vec<&str> = ["print", "events", "--demo"].iter().chain(args).copied().collect();
        let out = wheelhouse(none, &all);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let rows: Vec<Value> = serde_json::from_str(&run(&["-o", "json"])).unwrap();
    let has = |kind: &str, reason: &str| {
        rows.iter()
            .find(|r| r["kind"] == kind && r["reason"] == reason)
            .cloned()
            .unwrap_or_default()
    };
    assert!(has("Node", "FreeDiskSpaceFailed")["count"].as_i64() > Some(5));
    assert!(has("Pod", "FailedScheduling")["count"].as_i64() > Some(5), "of a series");
    assert!(has("Pod", "Unhealthy")["count"].as_i64() > Some(10));
    let bars = has("Pod", "Unhealthy")["last_hour"].as_array().unwrap().len();
    assert_eq!(bars, 12);
    let text = run(&["--filter", "!type:=Normal"]);
    assert!(text.contains("BackOff") && !text.contains(" Normal "), "{text}");
    assert!(
        text.chars().all(|c| c == '\n' || harmless(c)),
        "its messages try to reach the terminal"
    );
    assert!(run(&["--count"]).contains("events"));
}
