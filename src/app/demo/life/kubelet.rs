//! What a kubelet does to its pods: the way from bound to ready, crashes, back-off and completion.
//!
//! A pod's next step depends on its own status, its play and the time only, so there is nothing to remember.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::cast::apps::play;
use super::super::object::{
    self, Condition, condition, holds, items, set_condition, since, stamp, text, unset,
};
use super::super::rng::hash;

/// What a step was worth an event for: type, reason, message.
pub type Told = (&'static str, &'static str, String);

/// Pods with one of these flags may change though they are ready.
pub const RESTLESS: u32 = play::OOM | play::JOB;

/// Longest back-off of a crash loop; the real kubelet goes up to 300 s.
const BACK_OFF: i64 = 40;

/// Binds a pod to a node, as the scheduler does; the address is what the node's kubelet will report.
pub fn bind(pod: &mut Value, node: &Value, now: Timestamp) {
    pod["spec"]["nodeName"] = node["metadata"]["name"].clone();
    let host = &node["status"]["addresses"][0]["address"];
    pod["status"]["hostIP"] = host.clone();
    pod["status"]["hostIPs"] = json!([{"ip": host}]);
    is(pod, "PodScheduled", true, "", now);
}

/// Lets a bound pod run through its start at once, for the past of the cast.
pub fn settle(pod: &mut Value, plays: u32, from: Timestamp) {
    let mut now = from;
    for _ in 0..30 {
        now += Duration::from_secs(5);
        step(pod, plays, now);
    }
}

fn is(pod: &mut Value, kind: &str, holds: bool, reason: &str, now: Timestamp) {
    let status = if holds { "True" } else { "False" };
    set_condition(pod, Condition { kind, status, reason, message: "" }, now);
}

/// The next step of a bound pod, if it is time for one. `Some` when the pod changed, with what to tell about it.
pub fn step(pod: &mut Value, plays: u32, now: Timestamp) -> Option<Vec<Told>> {
    let phase = text(&pod["status"]["phase"]);
    if object::is_deleting(pod) || matches!(phase, "Succeeded" | "Failed") {
        return None;
    }
    if items(&pod["status"]["containerStatuses"]).is_empty() {
        return Some(accept(pod, now));
    }
    if !holds(pod, "Initialized") {
        return next_init(pod, plays, now);
    }
    let first = &pod["status"]["containerStatuses"][0]["state"];
    if let Some(waiting) = first["waiting"]["reason"].as_str() {
        return match waiting {
            "ContainerCreating" | "PodInitializing" => create(pod, plays, now),
            "CrashLoopBackOff" => back_again(pod, now),
            _ => pull_again(pod, now),
        };
    }
    if first["terminated"].is_object() {
        return back_off(pod, now);
    }
    let running = since(&first["running"]["startedAt"], now);
    if holds(pod, "Ready") {
        work(pod, plays, running, now)
    } else {
        warm_up(pod, plays, running, now)
    }
}

/// The kubelet saw the pod: addresses, and containers waiting.
fn accept(pod: &mut Value, now: Timestamp) -> Vec<Told> {
    let inits = items(&pod["spec"]["initContainers"]).len();
    let wait = if inits > 0 { "PodInitializing" } else { "ContainerCreating" };
    let (containers, init_containers) =
        (pod["spec"]["containers"].clone(), pod["spec"]["initContainers"].clone());
    let status = &mut pod["status"];
    status["startTime"] = json!(stamp(now));
    status["containerStatuses"] = waiting(&containers, wait);
    if inits > 0 {
        status["initContainerStatuses"] = waiting(&init_containers, "PodInitializing");
    }
    is(pod, "PodReadyToStartContainers", false, "", now);
    is(
        pod,
        "Initialized",
        inits == 0,
        if inits > 0 { "ContainersNotInitialized" } else { "" },
        now,
    );
    is(pod, "Ready", false, "ContainersNotReady", now);
    is(pod, "ContainersReady", false, "ContainersNotReady", now);
    Vec::new()
}

fn waiting(containers: &Value, reason: &str) -> Value {
    let all = items(containers).iter().map(|c| {
        json!({"name": c["name"], "image": c["image"], "imageID": "", "ready": false, "started": false,
            "restartCount": 0, "state": {"waiting": {"reason": reason}}, "lastState": {}})
    });
    all.collect()
}

/// Sandbox and network are up: the pod has an address.
fn connect(pod: &mut Value, now: Timestamp) {
    let uid = hash(object::uid(pod));
    let ip = match (pod["spec"]["hostNetwork"] == true, text(&pod["status"]["hostIP"])) {
        (true, host) => host.to_owned(),
        _ => format!("10.{}.{}.{}", 100 + uid % 3, (uid >> 8) % 24, 2 + (uid >> 16) % 250),
    };
    pod["status"]["podIP"] = json!(ip);
    pod["status"]["podIPs"] = json!([{"ip": ip}]);
    is(pod, "PodReadyToStartContainers", true, "", now);
}

fn image_id(image: &Value) -> String {
    let part = |salt: u64| hash(text(image)) ^ hash(&salt.to_string());
    let name = text(image).split(':').next().unwrap_or_default();
    format!("{name}@sha256:{:016x}{:016x}{:016x}{:016x}", part(1), part(2), part(3), part(4))
}

fn start(status: &mut Value, started: bool, now: Timestamp) {
    status["state"] = json!({"running": {"startedAt": stamp(now)}});
    status["started"] = json!(started);
    status["imageID"] = json!(image_id(&status["image"]));
    status["containerID"] =
        json!(format!("containerd://{:032x}", hash(&stamp(now)) ^ hash(text(&status["name"]))));
}

/// Ends the run of a container.
pub fn end(status: &mut Value, exit: i64, reason: &str, now: Timestamp) {
    let started = match &status["state"]["running"]["startedAt"] {
        Value::Null => json!(stamp(now)),
        at => at.clone(),
    };
    status["state"] = json!({"terminated": {
        "exitCode": exit, "reason": reason, "startedAt": started, "finishedAt": stamp(now),
        "containerID": status["containerID"].as_str().unwrap_or_default(),
    }});
    status["ready"] = json!(false);
    status["started"] = json!(false);
}

fn next_init(pod: &mut Value, plays: u32, now: Timestamp) -> Option<Vec<Told>> {
    let bound = since(&condition(pod, "PodScheduled")["lastTransitionTime"], now);
    let all = items(&pod["status"]["initContainerStatuses"]);
    let Some(at) = all.iter().position(|c| c["state"]["terminated"]["exitCode"] != 0) else {
        is(pod, "Initialized", true, "", now);
        for status in object::list_mut(pod, "status", "containerStatuses") {
            status["state"] = json!({"waiting": {"reason": "PodInitializing"}});
        }
        return Some(Vec::new());
    };
    let state = all[at]["state"].clone();
    let ran = since(&state["running"]["startedAt"], now);
    if state["waiting"].is_object() && bound >= 2 {
        if at == 0 {
            connect(pod, now);
        }
        start(&mut pod["status"]["initContainerStatuses"][at], true, now);
    } else if state["running"].is_object() && ran >= 4 && plays & play::STUCK_INIT == 0 {
        end(&mut pod["status"]["initContainerStatuses"][at], 0, "Completed", now);
        pod["status"]["initContainerStatuses"][at]["ready"] = json!(true);
    } else {
        return None;
    }
    Some(Vec::new())
}

fn create(pod: &mut Value, plays: u32, now: Timestamp) -> Option<Vec<Told>> {
    if since(&condition(pod, "Initialized")["lastTransitionTime"], now) < 3 {
        return None;
    }
    connect(pod, now);
    let image = text(&pod["spec"]["containers"][0]["image"]).to_owned();
    if plays & play::BAD_IMAGE != 0 {
        return Some(vec![pull_failed(pod, &image)]);
    }
    let mut told = vec![(
        "Normal",
        "Pulled",
        format!("Container image \"{image}\" already present on machine"),
    )];
    for status in object::list_mut(pod, "status", "containerStatuses") {
        start(status, true, now);
        told.push(("Normal", "Started", format!("Container started: {}", text(&status["name"]))));
    }
    pod["status"]["phase"] = json!("Running");
    Some(told)
}

fn pull_failed(pod: &mut Value, image: &str) -> Told {
    let message = format!(
        "failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
    );
    pod["status"]["containerStatuses"][0]["state"] =
        json!({"waiting": {"reason": "ErrImagePull", "message": message}});
    ("Warning", "Failed", format!("Failed to pull image \"{image}\": {message}"))
}

/// ErrImagePull and ImagePullBackOff take turns, by the clock.
fn pull_again(pod: &mut Value, now: Timestamp) -> Option<Vec<Told>> {
    let turn = (now.as_second() + (hash(object::uid(pod)) % 60) as i64) % 60;
    let failing =
        pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ErrImagePull";
    let image = text(&pod["spec"]["containers"][0]["image"]).to_owned();
    match (failing, turn < 15) {
        (false, true) => Some(vec![pull_failed(pod, &image)]),
        (true, false) => {
            let message = format!("Back-off pulling image \"{image}\"");
            pod["status"]["containerStatuses"][0]["state"] =
                json!({"waiting": {"reason": "ImagePullBackOff", "message": message}});
            Some(vec![("Warning", "BackOff", message)])
        }
        _ => None,
    }
}

/// Running, not yet ready.
fn warm_up(pod: &mut Value, plays: u32, running: i64, now: Timestamp) -> Option<Vec<Told>> {
    if plays & play::CRASH != 0 && running >= 6 {
        return Some(crash(pod, 1, "Error", now));
    }
    // Counted from the last transition too, so that a pod whose probe failed takes a while to recover.
    let unready = since(&condition(pod, "Ready")["lastTransitionTime"], now);
    let takes = if plays & play::SLOW != 0 { 25 } else { 5 };
    if plays & play::CRASH != 0 || running < takes || unready < takes {
        return None;
    }
    for status in object::list_mut(pod, "status", "containerStatuses") {
        status["ready"] = json!(true);
    }
    is(pod, "ContainersReady", true, "", now);
    is(pod, "Ready", true, "", now);
    Some(Vec::new())
}

/// Ready: most pods stay so.
fn work(pod: &mut Value, plays: u32, running: i64, now: Timestamp) -> Option<Vec<Told>> {
    let own = hash(object::uid(pod));
    if plays & play::OOM != 0 && own.is_multiple_of(3) && running >= 60 + (own >> 8) as i64 % 120 {
        return Some(crash(pod, 137, "OOMKilled", now));
    }
    if plays & play::JOB != 0 && running >= 20 + (own >> 8) as i64 % 40 {
        for status in object::list_mut(pod, "status", "containerStatuses") {
            end(status, 0, "Completed", now);
        }
        pod["status"]["phase"] = json!("Succeeded");
        is(pod, "Ready", false, "PodCompleted", now);
        is(pod, "ContainersReady", false, "PodCompleted", now);
        return Some(Vec::new());
    }
    None
}

fn crash(pod: &mut Value, exit: i64, reason: &str, now: Timestamp) -> Vec<Told> {
    end(&mut pod["status"]["containerStatuses"][0], exit, reason, now);
    unready(pod, now);
    Vec::new()
}

/// The pod is no longer ready, whatever the reason.
pub fn unready(pod: &mut Value, now: Timestamp) {
    pod["status"]["containerStatuses"][0]["ready"] = json!(false);
    is(pod, "ContainersReady", false, "ContainersNotReady", now);
    is(pod, "Ready", false, "ContainersNotReady", now);
}

fn back_off(pod: &mut Value, now: Timestamp) -> Option<Vec<Told>> {
    let status = &pod["status"]["containerStatuses"][0];
    if since(&status["state"]["terminated"]["finishedAt"], now) < 3 {
        return None;
    }
    let name = text(&status["name"]).to_owned();
    let wait = wait_of(status);
    let message =
        format!("back-off {wait}s restarting failed container={name} pod={}", object::name(pod));
    let status = &mut pod["status"]["containerStatuses"][0];
    status["lastState"] = json!({"terminated": status["state"]["terminated"].take()});
    status["state"] = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
    unset(status, "containerID");
    Some(vec![("Warning", "BackOff", format!("Back-off restarting failed container {name}"))])
}

fn wait_of(status: &Value) -> i64 {
    let restarts = status["restartCount"].as_i64().unwrap_or(0);
    (10i64 << restarts.clamp(0, 8)).min(BACK_OFF)
}

fn back_again(pod: &mut Value, now: Timestamp) -> Option<Vec<Told>> {
    let status = &pod["status"]["containerStatuses"][0];
    if since(&status["lastState"]["terminated"]["finishedAt"], now) < wait_of(status) {
        return None;
    }
    let restarts = status["restartCount"].as_i64().unwrap_or(0) + 1;
    let status = &mut pod["status"]["containerStatuses"][0];
    status["restartCount"] = json!(restarts);
    start(status, true, now);
    Some(vec![(
        "Normal",
        "Started",
        format!("Container started: {}", text(&pod["spec"]["containers"][0]["name"])),
    )])
}
