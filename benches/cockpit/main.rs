//! The whole cockpit at the size it is made for: `cargo bench --bench cockpit`.
//!
//! Boots the control plane of the tests with 5,000 nodes and 150,000 pods in it (`PODS=n` for another size), runs the
//! release binary in a terminal of 200x50, presses keys, and prints one table: each budget, what was measured in three
//! runs (`RUNS=n`), and whether it holds. Times are of this machine as it was: nothing else should be at work on it.
//!
//! `SOAK=minutes` adds that long a churn of 200 updates/s. `BESIDE='command'` times another program on the same
//! cluster in the same run: `READY='regex'` is what its screen shows once it is usable, `KEY=j` a key to press;
//! `KUBECONFIG` leads it to the cluster.

mod beside;
#[path = "../clock/mod.rs"]
mod clock;
#[path = "../../tests/controlplane/mod.rs"]
mod controlplane;
mod figures;
mod load;
#[allow(dead_code, reason = "the other bench needs the rest")]
#[path = "../terminal/mod.rs"]
mod terminal;
mod tour;

use clock::cpu_time;
use controlplane::{ControlPlane, Options, Size, User, fresh};
use figures::Figures;
use http_body_util::BodyExt as _;
use std::process::Command;
use std::time::{Duration, Instant};
use terminal::{Cockpit, Link, percentile};
use wheelhouse::app::cluster::request::{Accept, open, read};
use wheelhouse::app::cluster::session::{ConnectArgs, Environment, Lock, Pinned, PluginStdio};
use wheelhouse::app::connect::Origin;
use wheelhouse::app::nap;

const KEYS: [&str; 6] = ["j", "k", "\x1b[6~", "G", "g", "j"];

/// The binary that is measured: the one built beside the bench, or `PROGRAM`, such as the static one.
fn wheelhouse() -> String {
    std::env::var("PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_wheelhouse").to_owned())
}

fn main() {
    // `cargo test --benches` runs this too; it has nothing to show without its cluster.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse().ok());
    let pods = number("PODS").unwrap_or(150_000);
    let Some(lab) = fresh(Options::api()) else { return };
    let seeded = lab.seed(Size { nodes: pods / 30, pods });
    println!("{pods} pods, {} nodes, {} bytes in storage", pods / 30, seeded.bytes);
    // Straight after the seeding the server's cache is still filling: what it serves then is not what it will.
    let mut before = 0;
    loop {
        let size = bare(&lab, &mut Figures::default());
        if size == before {
            break;
        }
        before = size;
    }
    let mut figures = Figures::default();
    for run in 1..=number("RUNS").unwrap_or(3) {
        eprintln!("run {run}");
        bare(&lab, &mut figures);
        sync_and_keys(&lab, pods, &mut figures);
        print_nodes(&lab, &mut figures);
        if let Ok(command) = std::env::var("BESIDE") {
            beside::measure(&command, &lab, &mut figures);
        }
    }
    if let Some(minutes) = number("SOAK") {
        tour::soak(&lab, &total(pods), minutes, &mut figures);
    }
    let failed = figures.print();
    println!("{failed} of the budgets do not hold");
}

/// What the same bytes cost a client that does nothing with them: the measure of the server and of TLS. How many.
fn bare(lab: &ControlPlane, figures: &mut Figures) -> usize {
    let started = (Instant::now(), cpu_time());
    let runtime = nap::runtime().expect("an event queue");
    let bytes = runtime.block_on(async {
        let args =
            ConnectArgs { kubeconfig: Some(lab.kubeconfig(User::Admin)), ..ConnectArgs::default() };
        let pinned = Pinned::load(&args, Environment::of_process());
        let origin = Origin::pinned(pinned.unwrap_or_else(|f| panic!("{}", f.paragraph())));
        let opened = origin.open(Lock::new(true), PluginStdio::Captured).await;
        let connection = opened.unwrap_or_else(|f| panic!("{}", f.paragraph()));
        let request = read("/api/v1/pods?resourceVersion=0", Accept::Any).expect("a path");
        let (_, mut body) = open(&connection.client, request).await.expect("a list");
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            bytes += frame.expect("a whole list").data_ref().map_or(0, |data| data.len());
        }
        bytes
    });
    figures.note("bare protobuf LIST: wall", "s", None, started.0.elapsed().as_secs_f64());
    figures.note("bare protobuf LIST: CPU", "s", None, (cpu_time() - started.1).as_secs_f64());
    figures.note("bare protobuf LIST: size", "MB", None, bytes as f64 / 1e6);
    bytes
}

/// As the second line tells it once all of them are there.
fn total(pods: usize) -> String {
    format!("{},{:03} pods", pods / 1000, pods % 1000)
}

fn sync_and_keys(lab: &ControlPlane, pods: usize, figures: &mut Figures) {
    let config = twice(lab);
    let before = load::Load::of(lab);
    let mut cockpit = Cockpit::start(&wheelhouse(), &["nodes"], &config);
    let first = cockpit.until("node-0");
    figures.note("start to first rows", "s", Some(0.15), first.as_secs_f64());
    cockpit.until(&total(pods));
    let all = cockpit.until(" live ");
    figures.note("start to all rows", "s", None, all.as_secs_f64());
    let bare = figures.0.iter().find(|f| f.what == "bare protobuf LIST: wall");
    let bare = bare.and_then(|f| f.runs.last().copied()).unwrap_or(f64::NAN);
    figures.note("start to all rows / bare LIST", "x", Some(1.15), all.as_secs_f64() / bare);
    figures.note("CPU to sync", "s", Some(2.0), cockpit.cpu().as_secs_f64());
    figures.note("resident after sync", "MB", Some(64.0), cockpit.resident());
    load::Load::of(lab).start(&before, figures);

    keys(&mut cockpit, figures, "key to first byte, quiet: p50", "key to first byte, quiet: p99");
    let bytes = cockpit.press_for_bytes("j");
    figures.note("cursor step with the bar", "B", Some(450.0), bytes as f64);
    let bytes = cockpit.press_for_bytes("\x1b[6~");
    figures.note("page down", "B", Some(4096.0), bytes as f64);
    idle(&mut cockpit, lab, figures);
    tour::every_feature(&mut cockpit, &total(pods), figures);
    churn(&mut cockpit, lab, figures);
    cockpit.press("ZZ");
    slow(lab, &config, &total(pods), figures);
}

/// A kubeconfig with a second context of the same cluster, to switch to.
fn twice(lab: &ControlPlane) -> std::path::PathBuf {
    let text = std::fs::read_to_string(lab.kubeconfig(User::Admin)).expect("it was written");
    let again = "contexts: [{name: again, context: {cluster: lab, user: admin}}, ";
    let path = lab.dir().join("twice.conf");
    std::fs::write(&path, text.replace("contexts: [", again)).expect("the slot's folder is ours");
    path
}

fn idle(cockpit: &mut Cockpit, lab: &ControlPlane, figures: &mut Figures) {
    cockpit.settle(Duration::from_secs(5));
    let (cpu, started, before) = (cockpit.cpu(), Instant::now(), load::Load::of(lab));
    let (total, in_vain) =
        cockpit.watch(Duration::from_secs(if std::env::var("QUICK").is_ok() { 3 } else { 60 }));
    figures.note("CPU idle", "% of a core", Some(0.3), share(cockpit, cpu, started));
    figures.note("idle minute: bytes to the terminal", "B", None, total as f64);
    figures.note(
        "idle minute: bytes that changed nothing on screen",
        "B",
        Some(0.0),
        in_vain as f64,
    );
    load::Load::of(lab).idle(&before, figures);
}

fn share(cockpit: &Cockpit, cpu: Duration, started: Instant) -> f64 {
    (cockpit.cpu() - cpu).as_secs_f64() / started.elapsed().as_secs_f64() * 100.0
}

fn churn(cockpit: &mut Cockpit, lab: &ControlPlane, figures: &mut Figures) {
    std::thread::scope(|scope| {
        scope.spawn(|| lab.churn(500, Duration::from_secs(28)));
        cockpit.settle(Duration::from_secs(5));
        let (cpu, started) = (cockpit.cpu(), Instant::now());
        cockpit.settle(Duration::from_secs(20));
        let share = share(cockpit, cpu, started);
        figures.note("CPU at 500 updates/s", "% of a core", Some(3.0), share);
    });
    std::thread::scope(|scope| {
        scope.spawn(|| lab.churn(1000, Duration::from_secs(35)));
        cockpit.settle(Duration::from_secs(3));
        let (p50, p99) = ("key at 1,000 updates/s: p50", "key at 1,000 updates/s: p99");
        keys(cockpit, figures, p50, p99);
    });
    figures.note("resident after churn", "MB", Some(64.0), cockpit.resident());
}

/// 20 KB/s and 300 ms there and back, while 500 pods change each second: letters typed into a filter.
fn slow(lab: &ControlPlane, config: &std::path::Path, total: &str, figures: &mut Figures) {
    let args = ["pods", "--link", "slow"];
    // Bytes are counted where nothing delays them.
    let mut near = Cockpit::start(&wheelhouse(), &args, config);
    near.until(total);
    near.until(" live ");
    near.settle(Duration::from_secs(3));
    near.press_for_bytes("j");
    let bytes = near.press_for_bytes("j");
    figures.note("cursor step with the marker", "B", Some(150.0), bytes as f64);
    near.press("ZZ");
    drop(near);
    let link = Link { rate: 20_000, delay: Duration::from_millis(150) };
    let mut slow = Cockpit::start_behind(Some(link), &wheelhouse(), &args, config);
    slow.until(total);
    slow.until(" live ");
    slow.settle(Duration::from_secs(3));
    let mut took = vec![];
    std::thread::scope(|scope| {
        scope.spawn(|| lab.churn(500, Duration::from_secs(45)));
        for word in ["/status:crash", "/team-042", "/web frontend", "/restarts>3"] {
            for (i, letter) in word.char_indices() {
                let echo = slow.echo(&letter.to_string(), &word[..i + letter.len_utf8()]);
                took.extend((i > 0).then_some(echo));
                slow.settle(Duration::from_millis(100));
            }
            slow.press("\x1b");
            slow.settle(Duration::from_millis(1500));
        }
    });
    took.sort();
    let p99 = percentile(&took, 99).as_secs_f64() * 1e3;
    figures.note("letter's echo, 20 KB/s and 300 ms, churn: p99", "ms", Some(500.0), p99);
    slow.press("ZZ");
}

fn keys(cockpit: &mut Cockpit, figures: &mut Figures, p50: &'static str, p99: &'static str) {
    let mut took: Vec<Duration> = (0..204)
        .map(|i| {
            let took = cockpit.answer(KEYS[i % KEYS.len()]);
            cockpit.settle(Duration::from_millis(60));
            took
        })
        .collect();
    took.sort();
    figures.note(p50, "ms", Some(4.0), percentile(&took, 50).as_secs_f64() * 1e3);
    figures.note(p99, "ms", Some(16.0), percentile(&took, 99).as_secs_f64() * 1e3);
}

fn print_nodes(lab: &ControlPlane, figures: &mut Figures) {
    let started = Instant::now();
    let mut print = Command::new(wheelhouse());
    print.args(["print", "nodes", "--kubeconfig"]).arg(lab.kubeconfig(User::Admin));
    let mut child = print.stdout(std::process::Stdio::null()).spawn().expect("the product runs");
    let mut peak: f64 = 0.0;
    while child.try_wait().expect("a child can be waited for").is_none() {
        peak = peak.max(terminal::status(child.id(), "VmHWM"));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    figures.note("print nodes: wall", "s", Some(5.0), started.elapsed().as_secs_f64());
    figures.note("print nodes: resident", "MB", Some(64.0), peak);
}
