//! The API server and etcd board on a real control plane, by the built binary, against reads that are not ours; and on pages
//! that real servers wrote once. Skipped without a control plane, see `control_plane.rs`.

mod controlplane;

use controlplane::{ControlPlane, Options, User, fresh, output_within};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use wheelhouse::state::metrics::apiserver::limits::Limits;
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

#[test]
fn pages_that_real_servers_wrote_are_read_whole() {
    let server = golden("kube-apiserver-1.37", &names::wants());
    let own = golden("etcd-3.7", &names::etcd::wants());
    let (born, own_born) = (server.born(), own.born());
    let span = Span::since_start(&born, &server, 60.0);
    let etcd = Ok(Etcd { now: &own, span: Span::since_start(&own_born, &own, 60.0) });
    let rows: Vec<Measured> =
        board(&Facts { now: &server, span, etcd, limits: &Limits::default() });
    let find = |name: &str| rows.iter().find(|r| r.name == name).expect(name);
    for name in [
        "all requests",
        "in flight",
        "long-running",
        "watch events",
        "watch cache",
        "objects",
        "database file",
        "etcd requests",
        "etcd bookmarks",
        "etcd leases",
    ] {
        let row = find(name);
        let values = [row.rate, row.now, row.bytes];
        assert!(values.iter().any(Option::is_some), "{row:?}");
    }
    assert!(matches!(find("LIST pods").p50, Some(Quantile::At(_))), "{:?}", find("LIST pods"));
    assert!(find("database").why.contains("quota of 8Gi"));
    assert!(rows.iter().filter(|r| r.section == Section::Storage).count() > 30);
}
