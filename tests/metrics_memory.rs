//! What a page of 50 MB costs in memory, counted by the allocator: the peak while it is parsed, beside the two scrapes that are
//! kept to compare it with.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use wheelhouse::app::cluster::bases::Bases;
use wheelhouse::app::cluster::upstream::wants;
use wheelhouse::state::metrics::apiserver::limits::Limits;
use wheelhouse::state::metrics::apiserver::{Facts, board};
use wheelhouse::state::metrics::{Parser, Scrape, Span};

/// Counts the bytes that are in use.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only numbers are kept.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const RESOURCES: usize = 320;
const VERBS: [&str; 6] = ["GET", "LIST", "WATCH", "POST", "PATCH", "DELETE"];
const BOUNDS: [&str; 24] = [
    "0.005", "0.025", "0.05", "0.1", "0.2", "0.4", "0.6", "0.8", "1", "1.25", "1.5", "2", "3", "4",
    "5", "6", "8", "10", "15", "20", "30", "45", "60", "+Inf",
];

/// Codes, and how often each resource and verb was answered so.
const CODES: [(&str, f64); 4] = [("200", 700.0), ("404", 20.0), ("429", 3.0), ("500", 2.0)];

fn labels(resource: usize, verb: &str) -> String {
    format!(
        "component=\"apiserver\",dry_run=\"\",group=\"group{}.example.com\",resource=\"things{resource}\",scope=\"resource\",subresource=\"\",verb=\"{verb}\",version=\"v1\"",
        resource % 40
    )
}

/// Feeds a page as a cluster with hundreds of custom resources writes it, in pieces, until so many bytes are reached.
fn feed(parser: &mut Parser, bytes: usize) -> usize {
    let (mut piece, mut fed) = (String::with_capacity(64 << 10), 0);
    let mut flush = |piece: &mut String, parser: &mut Parser| {
        parser.feed(piece.as_bytes());
        fed += piece.len();
        piece.clear();
        fed >= bytes
    };
    // Families that are not wanted are most of a page.
    for family in [
        "apiserver_request_duration_seconds",
        "apiserver_request_sli_duration_seconds",
        "apiserver_response_sizes",
        "apiserver_request_body_size_bytes",
    ] {
        for resource in 0..RESOURCES {
            for verb in VERBS {
                let labels = labels(resource, verb);
                for (i, le) in BOUNDS.iter().enumerate() {
                    let _ = writeln!(piece, "{family}_bucket{{{labels},le=\"{le}\"}} {}", i * 100);
                }
                let _ = writeln!(
                    piece,
                    "{family}_sum{{{labels}}} 12.5\n{family}_count{{{labels}}} 2300"
                );
                if flush(&mut piece, parser) {
                    return fed;
                }
            }
        }
        if family != "apiserver_request_duration_seconds" {
            continue;
        }
        // As servers sort them: by code first.
        for (code, each) in CODES {
            for resource in 0..RESOURCES {
                for verb in VERBS {
                    let labels = labels(resource, verb);
                    let _ = writeln!(
                        piece,
                        "apiserver_request_total{{code=\"{code}\",{labels}}} {each}"
                    );
                }
            }
            flush(&mut piece, parser);
        }
    }
    // What each of many flow schemas adds.
    for schema in 0..200 {
        let of =
            format!("flow_schema=\"schema-{schema}\",priority_level=\"level-{}\"", schema % 40);
        for family in
            ["current_executing_requests", "current_inqueue_requests", "dispatched_requests_total"]
        {
            let _ = writeln!(piece, "apiserver_flowcontrol_{family}{{{of}}} 3");
        }
        for reason in ["queue-full", "concurrency-limit", "time-out"] {
            let family = "apiserver_flowcontrol_rejected_requests_total";
            let _ = writeln!(piece, "{family}{{{of},reason=\"{reason}\"}} 3");
        }
        let family = "apiserver_flowcontrol_request_wait_duration_seconds";
        for le in BOUNDS {
            let _ = writeln!(piece, "{family}_bucket{{execute=\"true\",{of},le=\"{le}\"}} 7");
        }
        let _ = writeln!(
            piece,
            "{family}_sum{{execute=\"true\",{of}}} 1\n{family}_count{{execute=\"true\",{of}}} 7"
        );
        if flush(&mut piece, parser) {
            return fed;
        }
    }
    while !flush(&mut piece, parser) {
        for i in 0..200 {
            let _ = writeln!(
                piece,
                "workqueue_unfinished_work_seconds{{name=\"queue-with-a-long-name-{i}\"}} 0.000123"
            );
        }
    }
    fed
}

fn scrape(process: u32) -> Scrape {
    let mut parser = Parser::new(&wants());
    parser.feed(format!("process_start_time_seconds {process}\n").as_bytes());
    assert!(feed(&mut parser, 50 << 20) >= 50 << 20);
    parser.end()
}

/// What is counted is of the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn a_page_of_50_mb_costs_less_than_4_mb() {
    let _alone = ALONE.lock();
    let base = LIVE.load(Relaxed);
    let kept = [scrape(1), scrape(1)];
    let two = LIVE.load(Relaxed) - base;
    PEAK.store(LIVE.load(Relaxed), Relaxed);
    let third = scrape(1);
    let peak = PEAK.load(Relaxed) - base;
    let series = third.series();
    let words = format!(
        "two scrapes kept: {two} bytes; peak with a third on its way: {peak} bytes; {series} series"
    );
    println!("{words}");
    assert!(peak < 4 << 20, "{words}");
    assert_eq!(kept[0].cost.malformed + third.cost.malformed, 0);
    totals(&third);
}

#[test]
fn three_servers_behind_one_address_cost_less_than_4_mb() {
    let _alone = ALONE.lock();
    let base = LIVE.load(Relaxed);
    PEAK.store(base, Relaxed);
    let (mut bases, began) = (Bases::new(Duration::from_secs(60), 2), Instant::now());
    // The session keeps its last reading for who looks next: the scrape and the one it is compared with.
    let mut latest = None;
    for (look, process) in [1, 1, 2, 3, 3, 1, 2].into_iter().enumerate() {
        let now = Arc::new(scrape(process));
        let at = began + Duration::from_secs(30 * look as u64);
        let before = bases.compare(at, &now, 0);
        latest = Some((now, before));
    }
    let peak = PEAK.load(Relaxed) - base;
    println!("three servers: peak {peak} bytes");
    assert_eq!(bases.servers(), 3);
    assert!(latest.is_some_and(|(_, before)| before.is_some()));
    assert!(peak < 4 << 20, "{peak}");
}

/// However many series found none of their own, all requests are counted, by verb and by code.
fn totals(scrape: &Scrape) {
    assert!(scrape.cost.folded > 1000, "{:?}", scrape.cost);
    let number = |labels: &[(&str, &str)]| scrape.number("apiserver_request_total", labels);
    let (each, all) = (RESOURCES as f64, (RESOURCES * VERBS.len()) as f64);
    for (code, n) in CODES {
        assert_eq!(number(&[("code", code)]), Some(all * n), "{code}");
        assert_eq!(number(&[("code", code), ("verb", "LIST")]), Some(each * n), "{code}");
    }
    let (born, limits) = (scrape.born(), Limits::default());
    let span = Span::since_start(&born, scrape, 10.0);
    let rows = board(&Facts { now: scrape, span, etcd: None, limits: &limits });
    let find = |name: &str| rows.iter().find(|row| row.name == name).expect("a row");
    let (all_of, errors) = (725.0 / 10.0, 5.0 / 10.0);
    for (name, verbs) in [("all requests", 6.0), ("reads", 2.0), ("writes", 3.0)] {
        let row = find(name);
        assert_eq!(row.rate, Some(each * verbs * all_of), "{name}");
        assert_eq!(row.errors, Some(each * verbs * errors), "{name}");
    }
    // Latencies of every verb but those that stay open.
    assert_eq!(find("all requests").seen, Some(each * 5.0 * 2300.0));
}
