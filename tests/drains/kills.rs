//! The process is killed at each line of its journal; after a resume the end is as if it had not been.
//!
//! Lanes of two nodes each work beside each other. A drain moves a lane's pods from one node to the other, so the next
//! drain of the lane goes back and nothing has to be put in order between two points. `KILL_POINTS=all` kills drains of
//! thirty pods at every line; else it is six pods, and every fourth line.

use crate::controlplane::wait_until;
use crate::scene::{SOON, Scene};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

struct Size {
    pods: usize,
    budget: u32,
    lanes: &'static [&'static str],
    stride: usize,
}

fn size() -> Size {
    match std::env::var_os("KILL_POINTS") {
        Some(_) => Size { pods: 30, budget: 10, lanes: &["kill-a", "kill-b", "kill-c"], stride: 1 },
        None => Size { pods: 6, budget: 3, lanes: &["kill-a", "kill-b"], stride: 4 },
    }
}

#[test]
fn killed_at_any_line_it_goes_on_and_no_pod_is_evicted_twice() {
    let size = size();
    let began = Instant::now();
    // How many lines an undisturbed drain writes, and what it leaves.
    let Some(first) = lane(size.lanes[0], &size) else { return };
    let undisturbed = undisturbed(&first, &size);
    println!("{} lines in a drain of {} pods", undisturbed.lines, size.pods);
    let next = AtomicUsize::new(1);
    let killed = Mutex::new(BTreeSet::new());
    let work = |scene: Scene| {
        loop {
            let point = next.fetch_add(size.stride, Ordering::SeqCst);
            if point > undisturbed.lines {
                return;
            }
            let at = kill_and_resume(&scene, &size, point, &undisturbed.left);
            killed.lock().unwrap().extend(at);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| work(first));
        for name in &size.lanes[1..] {
            scope.spawn(|| work(lane(name, &size).expect("the control plane is there")));
        }
    });
    let killed = killed.into_inner().unwrap();
    println!(
        "killed at {} lines of {} in {:?}: {killed:?}",
        killed.len(),
        undisturbed.lines,
        began.elapsed()
    );
    assert!(killed.len() * size.stride * 2 > undisturbed.lines, "{killed:?}");
}

/// Two nodes, one of them cordoned, and all pods on the other.
fn lane(name: &'static str, size: &Size) -> Option<Scene> {
    let scene = Scene::open(name, 2)?;
    cordon(&scene, &scene.nodes[1], true);
    scene.deployment("web", size.pods, |pod| {
        pod["metadata"]["annotations"]["lab/stop-after"] = json!("200ms");
    });
    scene.budget("web", size.budget);
    cordon(&scene, &scene.nodes[1], false);
    Some(scene)
}

fn cordon(scene: &Scene, node: &str, on: bool) {
    let object = scene.node(node);
    let marks = object["metadata"]["annotations"].as_object().into_iter().flatten();
    let ours = marks.filter(|(key, _)| key.starts_with("wheelhouse.dev/"));
    let none: serde_json::Map<_, _> = ours.map(|(key, _)| (key.clone(), Value::Null)).collect();
    let spec = if on { json!(true) } else { Value::Null };
    let patch = json!({"spec": {"unschedulable": spec}, "metadata": {"annotations": none}});
    scene.lab.plane.api_patch(&format!("/api/v1/nodes/{node}"), &patch);
    // The taint of a cordon follows it.
    let taints = if on { 2 } else { 1 };
    let so = || scene.node(node)["spec"]["taints"].as_array().map_or(0, Vec::len) == taints;
    wait_until("the taint of a cordon", SOON, so);
}

/// Where the lane's pods are.
fn full(scene: &Scene) -> String {
    scene.pods()[0]["spec"]["nodeName"].as_str().expect("a pod that is bound").to_owned()
}

struct Undisturbed {
    lines: usize,
    left: Value,
}

fn undisturbed(scene: &Scene, size: &Size) -> Undisturbed {
    let node = full(scene);
    scene.drain(&[&node, "--yes"]).drained();
    let left = back(scene, size, &node);
    Undisturbed { lines: lines(&scene.journal().expect("a journal")), left }
}

/// What the drain left; the node may be used again after this.
fn back(scene: &Scene, size: &Size, node: &str) -> Value {
    scene.wait_ready("web", size.pods);
    scene.once();
    let left = scene.left(node);
    cordon(scene, node, false);
    left
}

fn lines(run: &Path) -> usize {
    std::fs::read(run).map_or(0, |text| text.iter().filter(|b| **b == b'\n').count())
}

/// Kills a drain once its journal has so many lines. How many it had when it was dead; none if it ended before.
fn kill_and_resume(scene: &Scene, size: &Size, point: usize, undisturbed: &Value) -> Option<usize> {
    let node = full(scene);
    let before = scene.journal();
    let new = || -> Option<PathBuf> { scene.journal().filter(|run| before.as_ref() != Some(run)) };
    let mut drain = scene.drain(&[&node, "--yes"]);
    let (limit, mut run, mut looked) = (Instant::now() + SOON, None, Instant::now());
    let ended = loop {
        run = run.or_else(new);
        if run.as_deref().is_some_and(|run| lines(run) >= point) {
            break false;
        }
        if looked.elapsed() > Duration::from_millis(20) {
            looked = Instant::now();
            if drain.has_ended() {
                break true;
            }
        }
        assert!(Instant::now() < limit, "no line {point} within {SOON:?}");
        // Each line is on disk before the next is written: that takes longer than this.
        std::thread::park_timeout(Duration::from_micros(200));
    };
    drain.kill();
    let at = run.as_deref().map_or(0, lines);
    if !ended {
        let (code, _, errors) = scene.drain(&["--resume", "--yes"]).end();
        // It may have written its last line before it was killed.
        let over = code == 3 && errors.contains("no interrupted drain");
        assert!(code == 0 || over, "killed at line {at}: {code} {errors}");
    }
    assert!(scene.pods_on(&node).is_empty(), "killed at line {at}");
    assert_eq!(back(scene, size, &node), *undisturbed, "killed at line {at}");
    (!ended).then_some(at)
}
