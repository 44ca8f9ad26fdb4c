//! The API server and etcd board on a real control plane, by the built binary, against reads that are not ours; and on pages
//! that real servers wrote once. Skipped without a control plane, see `control_plane.rs`.

mod controlplane;

use controlplane::{ControlPlane, Options, User, fresh, output_within};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use wheelhouse::state::metrics::apiserver::limits::{Limits, Verdict};
use wheelhouse::state::metrics::apiserver::{Etcd, Facts, Measured, Section, board, names};
use wheelhouse::state::metrics::{Parser, Quantile, Scrape, Span};

fn run(lab: &ControlPlane, user: User, args: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    command.args(args).arg("--kubeconfig").arg(lab.kubeconfig(user)).env("HOME", home.path());
    command.env_remove("KUBECONFIG").env_remove("XDG_CONFIG_HOME");
    let out = output_within(command, "", Duration::from_secs(60));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().expect("it was not killed"), text(&out.stdout), text(&out.stderr))
}

fn rows(lab: &ControlPlane, more: &[&str]) -> Vec<Value> {
    let args = [&["print", "apiserver", "-o", "json"], more].concat();
    let (code, out, err) = run(lab, User::Admin, &args);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).expect("an array")
}

fn row<'a>(rows: &'a [Value], section: &str, name: &str) -> &'a Value {
    let found = rows.iter().find(|r| r["section"] == section && r["name"] == name);
    found.unwrap_or_else(|| panic!("no {section} {name}"))
}

/// The sum of a family's samples that hold some text, read without our parser.
fn raw(page: &str, family: &str, holds: &[&str]) -> f64 {
    let all = |l: &str| holds.iter().all(|h| l.contains(h));
    let mine = |l: &&str| l.starts_with(&format!("{family}{{")) && all(l);
    page.lines().filter(mine).filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[test]
fn the_board_says_what_the_server_s_own_page_says() {
    let Some(lab) = fresh(Options::api()) else { return };
    lab.api_create("/api/v1/namespaces", &json!({"metadata": {"name": "board"}}));
    for i in 0..30 {
        let map = json!({"metadata": {"name": format!("m{i}")}, "data": {"k": "v"}});
        lab.api_create("/api/v1/namespaces/board/configmaps", &map);
    }
    let page = || {
        let answer = lab.request("GET", "/metrics", "", b"").expect("an answer");
        String::from_utf8(answer.body).expect("text")
    };
    let before = page();
    let rows = rows(&lab, &[]);
    let after = page();
    let posted = row(&rows, "requests", "POST configmaps");
    let holds = ["verb=\"POST\"", "resource=\"configmaps\""];
    let counted = |page: &str| raw(page, "apiserver_request_duration_seconds_count", &holds);
    let seen = posted["seen"].as_f64().expect("a number");
    assert!(seen >= 30.0 && seen >= counted(&before) && seen <= counted(&after), "{posted}");
    assert_eq!(posted["errors"], 0.0);
    assert!(posted["p99"].as_f64().is_some_and(|s| s > 0.0 && s < 60.0), "{posted}");
    // What moves lies between the pages read before and after.
    let all = row(&rows, "overview", "all requests");
    let rate = all["rate"].as_f64().expect("a rate") * all["window"].as_f64().expect("a window");
    let of = |page: &str| raw(page, "apiserver_request_total", &[]);
    let slack = rate * 0.5 + 50.0;
    assert!(rate >= of(&before) - slack && rate <= of(&after) + slack, "{rate} {}", of(&before));
    let long = row(&rows, "overview", "long-running")["now"].as_f64().expect("a number");
    let open = raw(&after, "apiserver_longrunning_requests", &[]);
    assert!((long - open).abs() <= 5.0, "{long} {open}");
    // 1.37 hides apiserver_storage_objects; its successor is read.
    let objects = row(&rows, "overview", "objects");
    assert_eq!(objects["source"], "apiserver_resource_objects");
    let bytes = row(&rows, "overview", "database file")["bytes"].as_f64().expect("a size");
    assert!(bytes > 100_000.0, "{bytes}");
    assert!(row(&rows, "overview", "etcd requests")["rate"].as_f64().is_some_and(|r| r > 0.0));
    // Nothing was called and nobody asked: absent, not zero.
    let hooks = row(&rows, "overview", "webhooks");
    assert!(
        hooks["rate"].is_null()
            && hooks["why"].as_str().unwrap_or_default().contains("not exposed")
    );
    assert!(row(&rows, "overview", "deprecated APIs")["now"].is_null());
    let hidden = row(&rows, "etcd-own", "etcd itself")["why"].as_str().unwrap_or_default();
    assert!(hidden.contains("not visible from here"), "{hidden}");
    let cost = row(&rows, "overview", "this scrape");
    assert!(cost["bytes"].as_f64().is_some_and(|b| b > 500_000.0), "{cost}");

    etcd_itself(&lab);
    denied(&lab);
}

fn etcd_itself(lab: &ControlPlane) {
    let url = format!("http://127.0.0.1:{}", lab.etcd_port());
    let rows = rows(lab, &["--etcd-metrics", &url]);
    let database = row(&rows, "etcd-own", "database");
    let why = database["why"].as_str().unwrap_or_default();
    assert!(why.contains("of the quota of 8Gi"), "{why}");
    assert!(row(&rows, "etcd-own", "backend commit")["seen"].as_f64().is_some_and(|n| n > 0.0));
    let rows = self::rows(lab, &["--etcd-metrics", "http://127.0.0.1:9"]);
    let why = row(&rows, "etcd-own", "etcd itself")["why"].as_str().unwrap_or_default();
    assert!(why.contains("not to be had"), "{why}");
}

fn denied(lab: &ControlPlane) {
    let (code, out, err) = run(lab, User::Viewer, &["print", "apiserver"]);
    assert_eq!(code, 1, "{out}");
    assert!(err.contains("/metrics"), "{err}");
}

fn golden(name: &str, wants: &[wheelhouse::state::metrics::Want]) -> Scrape {
    let path = format!("{}/tests/golden/{name}.prom", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read(&path).expect("it is in the repository");
    let mut parser = Parser::new(wants);
    text.chunks(4093).for_each(|piece| parser.feed(piece));
    let scrape = parser.end();
    assert_eq!((scrape.cost.malformed, scrape.cost.folded), (0, 0), "{name}");
    scrape
}

/// What one minor's page holds, each number by `grep` and `awk` over the file (sums of `$NF`), not by our parser.
struct Page {
    minor: &'static str,
    /// `^apiserver_request_total`, and of it `code="(5..|429)"`.
    requests: [f64; 2],
    /// Distinct verb, group, resource, subresource of it.
    kinds: usize,
    long: f64,
    events: f64,
    /// `apiserver_resource_objects`: sum and series.
    objects: (f64, usize),
    /// `apiserver_resource_size_estimate_bytes` without the -1 of events, which no server estimates.
    bytes: f64,
    file: f64,
    /// `etcd_request_duration_seconds_count`, `etcd_bookmark_counts` or `etcd_bookmark_total`, and
    /// `etcd_lease_object_counts_count`.
    etcd: [f64; 3],
    bookmarks: &'static str,
    /// Of the 25 answers to `POST pods` those within the first bound, 5 ms; all are within the second, 25 ms.
    fast: f64,
}

const PAGES: [Page; 3] = [
    Page {
        minor: "1.34",
        requests: [761.0, 28.0],
        kinds: 67,
        long: 36.0,
        events: 428.0,
        objects: (335.0, 56),
        bytes: 174_461.0,
        file: 335_872.0,
        etcd: [305.0, 115.0, 1.0],
        bookmarks: "etcd_bookmark_counts",
        fast: 17.0,
    },
    Page {
        minor: "1.36",
        requests: [744.0, 39.0],
        kinds: 45,
        long: 40.0,
        events: 476.0,
        objects: (333.0, 58),
        bytes: 174_216.0,
        file: 344_064.0,
        etcd: [307.0, 123.0, 3.0],
        bookmarks: "etcd_bookmark_total",
        fast: 10.0,
    },
    Page {
        minor: "1.37",
        requests: [769.0, 47.0],
        kinds: 44,
        long: 41.0,
        events: 485.0,
        objects: (336.0, 62),
        bytes: 167_159.0,
        file: 352_256.0,
        etcd: [307.0, 116.0, 2.0],
        bookmarks: "etcd_bookmark_total",
        fast: 20.0,
    },
];

/// The board of a page by itself, over a minute since the process began.
fn since_start(server: &Scrape, etcd: Option<Result<&Scrape, String>>) -> Vec<Measured> {
    let born = server.born();
    let span = Span::since_start(&born, server, 60.0);
    let read = etcd.as_ref().and_then(|own| own.as_ref().ok());
    let own_born = read.map(|own| own.born()).unwrap_or_default();
    let span_of = |own| Span::since_start(&own_born, own, 60.0);
    let etcd = etcd.map(|own| own.map(|now| Etcd { now, span: span_of(now) }));
    board(&Facts { now: server, span, etcd, limits: &Limits::default() })
}

fn of<'a>(rows: &'a [Measured], name: &str) -> &'a Measured {
    rows.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("no row {name}"))
}

#[test]
fn pages_of_three_minors_fill_the_board_by_the_same_code() {
    for page in PAGES {
        let server = golden(&format!("kube-apiserver-{}", page.minor), &names::wants());
        let rows = since_start(&server, None);
        let find = |name: &str| of(&rows, name);
        // Sums are over the minute that the test says has passed.
        let sum = |rate: Option<f64>| rate.map(|r| (r * 60.0).round());
        let some = |n: f64| Some(n);
        let all = find("all requests");
        assert_eq!([sum(all.rate), sum(all.errors)], page.requests.map(some), "{}", page.minor);
        let of_section = |section: Section| rows.iter().filter(move |r| r.section == section);
        assert_eq!(of_section(Section::Requests).count(), page.kinds, "{}", page.minor);
        // One holds the seat of the narrow level and one asks for the page; five wait.
        let open = [find("in flight").now, find("in queues").now, find("leases").now];
        assert_eq!(open, [2.0, 5.0, 1.0].map(some), "{}", page.minor);
        assert_eq!(find("long-running").now, some(page.long), "{}", page.minor);
        assert_eq!(sum(find("watch events").rate), some(page.events), "{}", page.minor);
        let cache = find("watch cache");
        assert_eq!([sum(cache.rate), sum(cache.errors)], [82.0, 0.0].map(some), "{}", page.minor);
        let hooks = find("webhooks");
        // Two calls that were refused for want of an answer, one that was passed over.
        assert_eq!([sum(hooks.rate), sum(hooks.errors)], [some(3.0); 2], "{}", page.minor);
        let objects = find("objects");
        assert_eq!((objects.now, objects.bytes), (some(page.objects.0), some(page.bytes)));
        assert_eq!(objects.source, "apiserver_resource_objects", "{}", page.minor);
        assert_eq!(of_section(Section::Storage).count(), page.objects.1, "{}", page.minor);
        assert_eq!(find("database file").bytes, some(page.file), "{}", page.minor);
        let (bookmarks, leases) = (find("etcd bookmarks"), find("etcd leases"));
        let told = [find("etcd requests").seen, sum(bookmarks.rate), leases.now];
        assert_eq!(told, page.etcd.map(some), "{}", page.minor);
        assert_eq!(bookmarks.source, page.bookmarks);
        // Two are deprecated (endpoints and componentstatuses), and no release removes them.
        let deprecated = find("deprecated APIs");
        assert_eq!((deprecated.now, deprecated.verdict), (some(0.0), Verdict::None));
        assert_eq!(of_section(Section::Deprecated).count(), 2, "{}", page.minor);
        assert_eq!(sum(find("given up").rate), some(1.0), "{}", page.minor);

        // Quantiles by hand: rank 24.75 of 25 lies in (5 ms, 25 ms], 12.5 in the bucket that holds the middle.
        let post = find("POST pods");
        let within = |rank: f64| match rank <= page.fast {
            true => 0.005 * rank / page.fast,
            false => 0.005 + 0.020 * (rank - page.fast) / (25.0 - page.fast),
        };
        for (quantile, by_hand) in [(post.p99, within(24.75)), (post.p50, within(12.5))] {
            let Some(Quantile::At(seconds)) = quantile else { panic!("{}: {post:?}", page.minor) };
            assert!((seconds - by_hand).abs() < 1e-12, "{}: {seconds} {by_hand}", page.minor);
        }

        // No minor counts errors of etcd before the first; none of them shows etcd itself: absent, not zero.
        assert_eq!(find("etcd requests").errors, None, "{}", page.minor);
        let hidden = find("etcd itself");
        assert!(hidden.why.starts_with("not visible from here") && hidden.verdict == Verdict::None);
        // Where somebody said where it is, its silence is worth a look.
        let silent = since_start(&server, Some(Err("etcd does not answer".into())));
        let silent = of(&silent, "etcd itself");
        assert_eq!((&*silent.why, silent.verdict), ("etcd does not answer", Verdict::Warn));
        assert!(rows.iter().all(|r| r.name != "wal fsync"));
    }
}

#[test]
fn a_page_of_etcd_fills_its_part_of_the_board() {
    let server = golden("kube-apiserver-1.37", &names::wants());
    let own = golden("etcd-3.7", &names::etcd::wants());
    let rows = since_start(&server, Some(Ok(&own)));
    assert!(of(&rows, "database").why.contains("quota of 8Gi"));
    assert!(of(&rows, "backend commit").seen.is_some_and(|n| n > 0.0));
}

#[test]
fn a_family_that_a_page_lacks_leaves_no_number_behind() {
    let path = format!("{}/tests/golden/kube-apiserver-1.36.prom", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("it is in the repository");
    for naming in names::ALL {
        let is_of = |line: &&str| {
            let word = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
            let name = word.split(['{', ' ']).next().unwrap_or_default();
            let parts = ["_bucket", "_sum", "_count"];
            let family = parts.iter().find_map(|p| name.strip_suffix(p)).unwrap_or(name);
            naming.names.iter().any(|(n, _, _)| *n == family || *n == name)
        };
        let mut parser = Parser::new(&names::wants());
        let without = text.lines().filter(|line| !is_of(line));
        without.for_each(|line| parser.feed(format!("{line}\n").as_bytes()));
        let scrape = parser.end();
        let rows = since_start(&scrape, None);
        for row in rows.iter().filter(|r| naming.names.iter().any(|(n, _, _)| *n == r.source)) {
            let values = [row.rate, row.errors, row.seen, row.now, row.bytes];
            assert_eq!((values, row.p50, row.p99), ([None; 5], None, None), "{row:?}");
            assert!(!row.why.is_empty(), "{row:?}");
        }
    }
}

#[test]
fn a_family_that_etcd_s_page_lacks_leaves_no_number_behind() {
    let path = format!("{}/tests/golden/etcd-3.7.prom", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("it is in the repository");
    let server = golden("kube-apiserver-1.36", &names::wants());
    for naming in names::etcd::ALL {
        let (of, _, _) = naming.names[0];
        let mut parser = Parser::new(&names::etcd::wants());
        let without = text.lines().filter(|line| {
            let word = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
            let name = word.split(['{', ' ']).next().unwrap_or_default();
            let parts = ["_bucket", "_sum", "_count"];
            let family = parts.iter().find_map(|p| name.strip_suffix(p)).unwrap_or(name);
            !naming.names.iter().any(|(n, _, _)| *n == family || *n == name)
        });
        without.for_each(|line| parser.feed(format!("{line}\n").as_bytes()));
        let own = parser.end();
        let rows = since_start(&server, Some(Ok(&own)));
        let mine =
            |r: &&Measured| r.section == Section::EtcdItself && r.why.contains("not exposed");
        let said: Vec<&Measured> = rows.iter().filter(mine).collect();
        assert!(said.iter().any(|r| r.why.contains(of) || r.source == of), "{of}: {said:#?}");
        for row in rows.iter().filter(|r| r.source == of) {
            let values = [row.rate, row.errors, row.seen, row.now, row.bytes];
            assert_eq!((values, row.p50, row.p99), ([None; 5], None, None), "{row:?}");
        }
    }
}
