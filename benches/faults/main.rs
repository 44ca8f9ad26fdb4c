//! What can go wrong between the cockpit and a real API server, at the size it is made for: `cargo bench --bench faults`.
//!
//! Boots the control plane of the tests with 150,000 pods (`PODS=n` for another size; `ONLY=server,network,answers,
//! frames,away` for some of the faults), opens the feeds in this process
//! and the release binary in a terminal beside them, and breaks things: the server, the network, the answers, the
//! frames. After each fault the rows are compared with a fresh LIST by a client that is not ours. Prints one table and
//! ends with an error if a row is wrong, a screen was empty, or "live" was said of a server that had not answered for
//! 15 s. Keys and times are reported, not judged: everything shares two cores here.

#[path = "../../tests/controlplane/mod.rs"]
mod controlplane;
#[allow(dead_code, reason = "tests need the rest")]
#[path = "../../tests/support/live.rs"]
mod live;
mod screen;
#[allow(dead_code, reason = "the other bench needs the rest")]
#[path = "../terminal/mod.rs"]
mod terminal;
mod truth;
#[path = "../../tests/support/wire.rs"]
mod wire;

use controlplane::{Component, ControlPlane, Options, Size, User, fresh};
use live::Live;
use screen::Screen;
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use wheelhouse::state::health::Health;
use wire::Wire;

const PODS: &str = "/api/v1/pods";

/// Faults that can be asked for by name.
type Group = (&'static str, fn(&mut Rig));

/// One line of the table.
struct Line {
    fault: &'static str,
    /// Until every feed was live and the rows were those of a fresh list.
    whole: Duration,
    lists: usize,
    requests: usize,
    fewest: usize,
    screen: screen::Seen,
    wrong: Vec<String>,
}

/// What everything happens to.
struct Rig {
    lab: ControlPlane,
    wire: Wire,
    live: Live,
    screen: Screen,
    lines: Vec<Line>,
    _proxy: Proxy,
}

/// `kubectl proxy`, ended by its pid.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let pods = std::env::var("PODS").ok().and_then(|n| n.parse().ok()).unwrap_or(150_000);
    let Some(lab) = fresh(Options::api()) else { return };
    lab.seed(Size { nodes: pods / 30, pods });
    let (proxy, port) = proxy(&lab);
    let wire = Wire::to(port);
    let config = lab.kubeconfig(User::Admin);
    let mut live = Live::open(config.clone(), Some(wire.url()));
    live.patience = Duration::from_secs(300);
    live.follow("pods", None);
    live.follow("nodes", None);
    live.until_live();
    let screen = Screen::open(&config, &wire.url(), pods);
    let mut rig = Rig { lab, wire, live, screen, lines: vec![], _proxy: proxy };
    let only = std::env::var("ONLY").unwrap_or_default();
    let wanted = |group: &str| only.is_empty() || only.split(',').any(|name| name == group);
    let groups: [Group; 5] = [
        ("server", Rig::server),
        ("network", Rig::network),
        ("answers", Rig::answers),
        ("frames", Rig::frames),
        ("away", Rig::lost_while_away),
    ];
    for (_, run) in groups.into_iter().filter(|(name, _)| wanted(name)) {
        run(&mut rig);
    }
    let wrong = rig.print();
    drop(rig);
    std::process::exit(i32::from(wrong > 0));
}

fn proxy(lab: &ControlPlane) -> (Proxy, u16) {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr());
    let port = port.expect("loopback has free ports").port();
    let mut command = Command::new(lab.program("kubectl"));
    command.arg("--kubeconfig").arg(lab.kubeconfig(User::Root));
    command.args(["proxy", "--port", &port.to_string(), "--reject-paths", "^$"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let proxy = Proxy(child.expect("kubectl runs"));
    controlplane::wait_until("kubectl proxy listens", Duration::from_secs(10), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    (proxy, port)
}

impl Rig {
    /// Does something, waits until all is well again, and notes what that took.
    fn fault(&mut self, fault: &'static str, act: impl FnOnce(&mut Rig)) {
        eprint!("{fault}: ");
        let asked = self.live.asked().len();
        let lists = self.live.lists(PODS);
        self.live.fewest = None;
        self.screen.begin();
        let started = Instant::now();
        act(self);
        self.live.until_live();
        let mut wrong = self.differences();
        if !wrong.is_empty() {
            // What is on its way may still arrive; what is lost will not.
            let until = Instant::now() + Duration::from_secs(60);
            self.live.seen_by(until, |_| false);
            wrong = self.differences();
        }
        let whole = started.elapsed();
        eprintln!("{whole:.1?}");
        let screen = self.screen.end();
        wrong.extend(screen.wrong());
        let now = self.live.store.table("pods").len();
        let fewest = self.live.fewest.unwrap_or(now);
        if fewest + 10_000 < now {
            wrong.push(format!("only {fewest} rows were left at one moment"));
        }
        wrong.iter().for_each(|what| eprintln!("  WRONG: {what}"));
        self.lines.push(Line {
            fault,
            whole,
            lists: self.live.lists(PODS) - lists,
            requests: self.live.asked().len() - asked,
            fewest,
            screen,
            wrong,
        });
    }

    fn differences(&mut self) -> Vec<String> {
        let lab = &self.lab;
        let truth = self.live.during(|| truth::pods(lab));
        let shown: std::collections::BTreeSet<_> =
            self.live.pods().into_iter().map(truth::of).collect();
        let differ = truth.symmetric_difference(&shown);
        let some: Vec<String> = differ.take(3).map(|pod| format!("differs: {pod:?}")).collect();
        some
    }

    fn server(&mut self) {
        self.fault("API server stopped for 20 s and continued", |rig| {
            rig.lab.signal(Component::ApiServer, libc::SIGSTOP);
            rig.screen.server_is_gone(true);
            let stopped = Instant::now();
            let past = |rig: &mut Rig, secs| {
                rig.live.seen_by(stopped + Duration::from_secs(secs), |_| false);
            };
            past(rig, 15);
            let lives = rig.live.healths().filter(|h| matches!(h, Health::Live(_))).count();
            assert_eq!(lives, 0, "a feed said live 15 s after the server had stopped");
            past(rig, 20);
            rig.lab.signal(Component::ApiServer, libc::SIGCONT);
            rig.screen.server_is_gone(false);
        });
        self.fault("API server killed and restarted ten times", |rig| {
            for _ in 0..10 {
                let lab = &rig.lab;
                rig.live.during(|| lab.restart(Component::ApiServer));
                rig.live.until_live();
            }
        });
        self.fault("storage compacted while the API server was down", |rig| {
            rig.lab.kill(Component::ApiServer);
            rig.lab.churn_once(500);
            rig.lab.etcd().compact();
            let lab = &rig.lab;
            rig.live.during(|| lab.start_component(Component::ApiServer));
        });
    }

    fn network(&mut self) {
        self.fault("300 ms more on the way, while 200 pods/s change", |rig| {
            rig.wire.faults().delay = Duration::from_millis(300);
            let lab = &rig.lab;
            rig.live.during(|| lab.churn(200, Duration::from_secs(10)));
            rig.wire.faults().delay = Duration::ZERO;
        });
        self.fault("20 KB/s for 20 s, while 200 pods/s change", |rig| {
            rig.wire.faults().rate = Some(20_000);
            let lab = &rig.lab;
            rig.live.during(|| lab.churn(200, Duration::from_secs(20)));
            rig.wire.faults().rate = None;
        });
        self.fault("connections cut, while 200 pods/s change", |rig| {
            let (lab, wire) = (&rig.lab, &rig.wire);
            rig.live.during(|| {
                std::thread::scope(|scope| {
                    scope.spawn(|| lab.churn(200, Duration::from_secs(15)));
                    for _ in 0..5 {
                        std::thread::park_timeout(Duration::from_secs(3));
                        wire.cut();
                    }
                });
            });
        });
        self.fault("half open for 20 s: connected, and nothing comes", |rig| {
            rig.wire.faults().silent = true;
            rig.screen.server_is_gone(true);
            let until = Instant::now() + Duration::from_secs(20);
            rig.live.seen_by(until, |_| false);
            rig.wire.faults().silent = false;
            rig.screen.server_is_gone(false);
        });
        self.fault("a relist cut in mid-object, twice", |rig| {
            rig.wire.faults().cut_after = [40_000_000, 90_000_123].into();
            rig.expire();
        });
    }

    /// Makes the feeds list anew, over the rows they show.
    fn expire(&mut self) {
        let gone = status(410, "Gone", "too old resource version", "");
        self.wire.faults().answers.extend([("/pods?", gone.clone()), ("/pods?", gone)]);
        self.wire.cut();
        self.live.seen_by(Instant::now() + Duration::from_secs(3), |_| false);
    }

    fn answers(&mut self) {
        let answer = |rig: &mut Rig, bytes: Vec<u8>| {
            rig.wire.faults().answers.extend(std::iter::repeat_n(("/pods?", bytes), 6));
            rig.wire.cut();
            rig.live.seen_by(Instant::now() + Duration::from_secs(12), |_| false);
        };
        self.fault("429 with Retry-After: 2, three times", |rig| {
            answer(rig, status(429, "TooManyRequests", "slow down", "Retry-After: 2\r\n"));
        });
        self.fault("503, three times", |rig| {
            answer(rig, status(503, "ServiceUnavailable", "not now", ""));
        });
        self.fault("401 in mid-watch, three times", |rig| {
            answer(rig, status(401, "Unauthorized", "Unauthorized", ""));
        });
        self.fault("410: the watch position has expired", |rig| rig.expire());
    }

    fn frames(&mut self) {
        let frames: [(&'static str, Vec<u8>); 4] = [
            ("a frame of no meaning", [&12_u32.to_be_bytes()[..], b"\x0a\x05ADDEDgarb!"].concat()),
            ("a frame that says it is 4 GB long", u32::MAX.to_be_bytes().to_vec()),
            ("a frame with lengths beyond its end", {
                [&9_u32.to_be_bytes()[..], b"k8s\0\x0a\xff\xff\xff\x7f"].concat()
            }),
            ("a truncated frame", [&5000_u32.to_be_bytes()[..], b"k8s\0"].concat()),
        ];
        for (name, frame) in frames {
            self.fault(name, |rig| {
                rig.wire.forge(&frame, name.starts_with("a truncated"));
                rig.after_forgery();
            });
        }
        let text: [(&'static str, &[u8]); 3] = [
            ("JSON of no meaning", b"{\"type\":\"ADDED\",\"object\":[[{\n"),
            ("JSON nested without end", &[b'['; 200_000]),
            ("JSON cut short", b"{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"uid\":\"x"),
        ];
        for (name, frame) in text {
            self.fault(name, |rig| {
                rig.wire.forge(frame, name.ends_with("short"));
                rig.after_forgery();
            });
        }
    }

    /// Real events come after a forged one: none of them may be lost in it.
    fn after_forgery(&mut self) {
        self.live.seen_by(Instant::now() + Duration::from_secs(2), |_| false);
        self.lab.churn_once(20);
        self.live.seen_by(Instant::now() + Duration::from_secs(6), |_| false);
    }

    /// 10,000 pods deleted from storage while the API server is down.
    fn lost_while_away(&mut self) {
        let pods = self.live.store.table("pods").len();
        self.fault("10,000 pods deleted in storage while the API server was down", |rig| {
            rig.lab.kill(Component::ApiServer);
            let removed = rig.lab.remove_pods(10_000.min(pods / 2));
            eprintln!("  {removed} removed");
            let lab = &rig.lab;
            rig.live.during(|| lab.start_component(Component::ApiServer));
            rig.live
                .until("they are gone", |live| live.store.table("pods").len() == pods - removed);
        });
        self.fault("three pods, found by a filter typed during the first list", |rig| {
            for name in ["needle-a", "needle-b", "needle-c"] {
                let pod = json!({
                    "metadata": {"name": name},
                    "spec": {"containers": [{"name": "app", "image": "registry.test/app:1"}]},
                });
                rig.lab.api_create("/api/v1/namespaces/default/pods", &pod);
            }
            let config = rig.lab.kubeconfig(User::Admin);
            let program = env!("CARGO_BIN_EXE_wheelhouse");
            rig.live.during(|| {
                let mut cockpit = terminal::Cockpit::start(program, &["pods"], &config);
                cockpit.until("NAMESPACE");
                cockpit.press("/needle-");
                cockpit.until(" live ");
                cockpit.until_seen("all three", |screen| {
                    ["needle-a", "needle-b", "needle-c"].iter().all(|name| screen.contains(name))
                });
            });
        });
    }

    /// Prints the table; how many faults left something wrong.
    fn print(&self) -> usize {
        println!(
            "| fault | whole again | lists of pods | requests | fewest rows | key p50 / worst | |"
        );
        println!("|---|---|---|---|---|---|---|");
        for line in &self.lines {
            let (whole, seen) = (line.whole.as_secs_f64(), &line.screen);
            let verdict = if line.wrong.is_empty() { "right" } else { "WRONG" };
            println!(
                "| {} | {whole:.1} s | {} | {} | {} | {} | {verdict} |",
                line.fault,
                line.lists,
                line.requests,
                line.fewest,
                seen.keys()
            );
        }
        let wire = self.wire.faults();
        let gaps = wire.asked.windows(2).map(|two| two[1].0.duration_since(two[0].0));
        let close = gaps.filter(|gap| *gap < Duration::from_millis(5)).count();
        println!("{} requests reached the wire, {close} within 5 ms of another", wire.asked.len());
        self.lines.iter().filter(|line| !line.wrong.is_empty()).count()
    }
}

/// An answer as the API server words it.
fn status(code: u16, reason: &str, message: &str, header: &str) -> Vec<u8> {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "reason": reason, "message": message, "code": code,
    })
    .to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 {code} {reason}\r\nContent-Type: application/json\r\n{header}Content-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
