//! The dumps of priority and fairness as servers of three minors wrote them (`tests/golden/make.sh`), and what their metrics
//! say of the same moment: one request executes, five wait, one was turned away.

use std::collections::BTreeSet;
use wheelhouse::state::fairness::dump::{Dump, QueueNow, RequestNow, grouped};
use wheelhouse::state::fairness::metrics;
use wheelhouse::state::metrics::Parser;
use wheelhouse::state::time::Epoch;

/// By minor: when the request that executes arrived and when the last of those that wait did, in seconds since 1970 (by
/// `date -d ... +%s` of the cells); requests dispatched from the exempt level, by the dump and by the metrics after it.
const MINORS: [(&str, [i64; 2], [i64; 2]); 3] = [
    ("1.34", [1_795_457_221, 1_795_457_221], [704, 708]),
    ("1.36", [1_795_457_294, 1_795_457_295], [692, 696]),
    ("1.37", [1_795_457_377, 1_795_457_377], [717, 721]),
];

fn text(name: &str) -> String {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn dump(minor: &str, page: &str) -> Dump {
    let dump = Dump::parse(&text(&format!("apf-{minor}/{page}.txt"))).expect("a dump");
    assert_eq!((dump.odd, dump.doubtful), (0, 0), "{minor} {page}");
    dump
}

#[test]
fn levels_of_three_minors() {
    for (minor, _, [dispatched, _]) in MINORS {
        let levels = dump(minor, "levels").levels();
        let names: Vec<&str> = levels.iter().map(|l| l.name.as_str()).collect();
        let suggested = ["node-high", "system", "workload-high", "workload-low"];
        let all = [
            &["catch-all", "exempt", "global-default", "leader-election", "narrow"][..],
            &suggested,
        ];
        assert_eq!(names, all.concat(), "{minor}");
        let of = |name: &str| {
            let l = levels.iter().find(|l| l.name == name).expect("it is listed");
            [l.waiting, l.executing, l.dispatched, l.rejected, l.timed_out, l.cancelled]
        };
        assert_eq!(of("narrow"), [5, 1, 3, 1, 0, 0].map(Some), "{minor}");
        assert_eq!(of("exempt"), [0, 1, dispatched, 0, 0, 0].map(Some), "{minor}");
        assert_eq!(of("global-default"), [0, 0, 100, 0, 0, 0].map(Some), "{minor}");
        // What no dump holds is not made up.
        let narrow = levels.iter().find(|l| l.name == "narrow").expect("it is listed");
        assert_eq!((narrow.nominal, narrow.current, narrow.seats_taken), (None, None, None));
    }
}

#[test]
fn queues_of_three_minors() {
    for (minor, ..) in MINORS {
        let queues = dump(minor, "queues").queues();
        // 128 each of global-default, workload-high and workload-low, 64 of node-high and system, 16 of leader-election, one.
        assert_eq!(queues.len(), 529, "{minor}");
        let busy = |q: &&QueueNow| q.waiting != Some(0) || q.executing != Some(0);
        let expected = QueueNow {
            level: "narrow".into(),
            index: Some(0),
            waiting: Some(5),
            executing: Some(1),
            seats: Some(1),
        };
        assert_eq!(queues.iter().filter(busy).collect::<Vec<_>>(), [&expected], "{minor}");
        let places: BTreeSet<(&str, Option<i64>)> =
            queues.iter().map(|q| (q.level.as_str(), q.index)).collect();
        assert_eq!(places.len(), queues.len(), "{minor}: a queue has one row");
    }
}

fn seed(name: &str) -> Dump {
    let path = format!("{}/fuzz/corpus/dumps/{name}", env!("CARGO_MANIFEST_DIR"));
    Dump::parse(&std::fs::read_to_string(path).expect("a seed")).expect("a dump")
}

#[test]
fn commas_in_users_paths_and_names_part_no_user_from_its_requests() {
    let dump = seed("commas-in-paths");
    assert_eq!(dump.doubts(), Vec::<String>::new());
    let told = |dump: &Dump| -> Vec<[String; 4]> {
        let cells = |r: RequestNow| [r.user, r.verb, r.path, r.namespace];
        dump.requests().into_iter().map(cells).collect()
    };
    let greedy = ["greedy", "get", "/api/v1/namespaces/shop/pods/a,b", "shop"];
    let ann = ["CN=ann, O=dev,get", "get", "/api/v1/namespaces/shop/pods/c, d,/x", "shop"];
    assert_eq!(told(&dump), [greedy, ann, greedy]);
    // Where columns do not stand in line, the user still ends where verb and path begin.
    let loose = |line: &str| {
        let head = text("apf-1.37/details.txt").lines().next().expect("a heading").to_owned();
        let dump = Dump::parse(&format!("{head}\n{line}\n")).expect("a dump");
        assert_eq!((dump.odd, dump.doubtful), (0, 1), "{line}");
        let request = dump.requests().remove(0);
        [request.flow, request.user, request.verb, request.path]
    };
    let before = "narrow, narrow, 0, 0, f, 2026-11-23T18:09:37Z, 1, 0, 0s, 0001-01-01T00:00:00Z";
    let line = format!("{before}, CN=a,O=b, get, /api/v1/pods/x,y, shop, n, v1, pods, ");
    assert_eq!(loose(&line), ["f", "CN=a,O=b", "get", "/api/v1/pods/x,y"]);
    let nothing = format!("{before}, CN=a,O=b, GET, x, , , , , ");
    assert_eq!(loose(&nothing), ["f", "CN=a,O=b", "GET", "x"]);
}

#[test]
fn a_line_break_in_a_path_is_told() {
    let dump = seed("line-breaks-in-paths");
    // The row that was cut off, and one that is made up; what follows stands elsewhere than the heading.
    assert_eq!((dump.odd, dump.doubtful), (1, 2));
    assert_eq!(dump.doubts().len(), 2);
    // One that knows where the columns are still has no place in a queue.
    let sound = text("apf-1.37/details.txt");
    let forged = sound.lines().nth(1).expect("a row").replace("greedy", "victim");
    let dump = Dump::parse(&format!("{sound}{forged}\n")).expect("a dump");
    assert_eq!((dump.odd, dump.doubtful), (0, 1));
    assert!(dump.doubts()[0].starts_with("1 rows of the dump may be a client's text"));
}

fn narrow(requests: &[RequestNow], waiting: bool) -> Vec<&RequestNow> {
    requests.iter().filter(|r| r.level == "narrow" && r.waiting == waiting).collect()
}

#[test]
fn requests_of_three_minors_with_and_without_details() {
    for (minor, [first, last], _) in MINORS {
        for (page, detailed) in [("requests", false), ("details", true)] {
            let requests = dump(minor, page).requests();
            assert_eq!(requests.len(), 7, "{minor} {page}");
            let (waits, runs) = (narrow(&requests, true), narrow(&requests, false));
            assert_eq!((waits.len(), runs.len()), (5, 1), "{minor} {page}");
            assert_eq!(runs[0].arrived, Some(Epoch(first)), "{minor} {page}");
            assert_eq!(waits[4].arrived, Some(Epoch(last)), "{minor} {page}");
            for r in waits.iter().chain(&runs) {
                let told = (r.schema.as_str(), r.queue, r.seats, r.flow.as_str());
                // The schema's method is ByUser, but with one queue the server does not work the distinguisher out.
                assert_eq!(told, ("narrow", Some(0), Some(1), ""), "{minor} {page}");
                let what = (r.verb.as_str(), r.path.as_str(), r.namespace.as_str());
                let maps = ("create", "/api/v1/namespaces/default/configmaps", "default");
                assert_eq!(what, if detailed { maps } else { ("", "", "") }, "{minor} {page}");
            }
            // The request for the dump is in it, without a queue.
            let own = requests.iter().find(|r| r.level == "exempt").expect("our own");
            let path = "/debug/api_priority_and_fairness/dump_requests";
            let told = (own.waiting, own.queue, own.user.as_str(), own.path.as_str());
            let expected = if detailed { ("root", path) } else { ("", "") };
            assert_eq!(told, (false, Some(-1), expected.0, expected.1), "{minor} {page}");
        }
        // A user with a comma in it is one user.
        let requests = dump(minor, "details").requests();
        let users = grouped(&requests, |r| r.user.clone());
        let told: Vec<(&str, i64, i64)> =
            users.iter().map(|g| (g.name.as_str(), g.waiting, g.executing)).collect();
        assert_eq!(told, [("greedy", 3, 1), ("CN=ann,O=dev", 2, 0), ("root", 0, 1)], "{minor}");
    }
}

#[test]
fn metrics_of_the_same_moment_say_the_same() {
    for (minor, _, [_, dispatched]) in MINORS {
        let mut parser = Parser::new(&metrics::WANTS);
        parser.feed(text(&format!("kube-apiserver-{minor}.prom")).as_bytes());
        let page = parser.end();
        assert_eq!(page.cost.malformed, 0, "{minor}");
        let narrow = metrics::level("narrow", &page);
        let told = [narrow.waiting, narrow.executing, narrow.dispatched, narrow.rejected];
        assert_eq!(told, [5, 1, 3, 1].map(Some), "{minor}");
        let seats = [narrow.nominal, narrow.current, narrow.seats_taken];
        assert_eq!(seats, [Some(1); 3], "{minor}");
        assert_eq!(metrics::level("exempt", &page).dispatched, Some(dispatched), "{minor}");
        // A level without any limit in the page has none, which is no zero.
        assert_eq!(metrics::level("gone", &page).nominal, None, "{minor}");
    }
}
