//! What the board says of pages written by hand.

use super::*;
use crate::state::metrics::Parser;

fn scrape(text: &str) -> Scrape {
    let mut parser = Parser::new(&[names::wants(), names::etcd::wants()].concat());
    parser.feed(format!("process_start_time_seconds 1\n{text}").as_bytes());
    parser.end()
}

fn rows(before: &str, now: &str) -> Vec<Measured> {
    let (before, now) = (scrape(before), scrape(now));
    let span = Some(Span::new(&before, &now, 10.0).unwrap());
    let limits = Limits::default();
    let etcd = Some(Ok(Etcd { now: &now, span }));
    board(&Facts { now: &now, span, etcd, limits: &limits })
}

fn row<'a>(rows: &'a [Measured], name: &str) -> &'a Measured {
    rows.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("no {name} in {rows:#?}"))
}

const COUNT: &str = "apiserver_request_duration_seconds_count{verb=\"LIST\",resource=\"pods\"}";
const DURATION: &str = "apiserver_request_duration_seconds_bucket{verb=\"LIST\",resource=\"pods\"";

#[test]
fn requests_by_verb_and_resource_with_errors_and_quantiles() {
    let before = format!(
        "apiserver_request_total{{verb=\"LIST\",resource=\"pods\",code=\"200\"}} 100\n\
         {DURATION},le=\"1\"}} 100\n{DURATION},le=\"+Inf\"}} 100\n{COUNT} 100\n"
    );
    let now = format!(
        "apiserver_request_total{{verb=\"LIST\",resource=\"pods\",code=\"200\"}} 140\n\
         apiserver_request_total{{verb=\"LIST\",resource=\"pods\",code=\"429\"}} 10\n\
         apiserver_request_total{{verb=\"PATCH\",group=\"apps\",resource=\"deployments\",subresource=\"scale\",code=\"200\"}} 5\n\
         {DURATION},le=\"1\"}} 140\n{DURATION},le=\"+Inf\"}} 140\n{COUNT} 140\n"
    );
    let rows = rows(&before, &now);
    let list = row(&rows, "LIST pods");
    assert_eq!((list.rate, list.errors, list.seen), (Some(5.0), Some(1.0), Some(40.0)));
    let Some(Quantile::At(p99)) = list.p99 else { panic!() };
    assert!((p99 - 0.99).abs() < 1e-9);
    assert_eq!(row(&rows, "PATCH deployments.apps/scale").rate, Some(0.5));
    let all = row(&rows, "all requests");
    assert_eq!((all.rate, all.errors, all.verdict), (Some(5.5), Some(1.0), Verdict::Bad));
    assert_eq!(rows[0].section, Section::Overview);
}

#[test]
fn what_is_not_exposed_is_said_to_be_absent_and_is_no_zero() {
    let rows = rows("", "");
    for name in [
        "all requests",
        "in flight",
        "long-running",
        "watch events",
        "webhooks",
        "objects",
        "leases",
        "database file",
        "etcd requests",
        "etcd bookmarks",
        "etcd leases",
    ] {
        let row = row(&rows, name);
        assert!(row.why.contains("not exposed: "), "{name}: {}", row.why);
        let values = [row.rate, row.errors, row.now, row.bytes, row.seen];
        assert_eq!((values, row.p99), ([None; 5], None), "{name}");
    }
    assert_eq!(row(&rows, "deprecated APIs").now, None);
}

#[test]
fn each_minor_s_names_are_read() {
    let cases = [
        "apiserver_resource_objects{group=\"apps\",resource=\"deployments\"} 7\n",
        "apiserver_storage_objects{resource=\"deployments.apps\"} 7\n",
        "etcd_object_counts{resource=\"deployments.apps\"} 7\n",
        // Where both are, the newer one holds.
        "apiserver_resource_objects{group=\"apps\",resource=\"deployments\"} 7\napiserver_storage_objects{resource=\"x\"} 9\n",
    ];
    for case in cases {
        let rows = rows("", case);
        assert_eq!(row(&rows, "deployments.apps").now, Some(7.0), "{case}");
        assert_eq!(row(&rows, "objects").now, Some(7.0), "{case}");
    }
    for name in [
        "apiserver_storage_size_bytes{storage_cluster_id=\"etcd-0\"}",
        "apiserver_storage_size_bytes{cluster=\"a\"}",
        "apiserver_storage_db_total_size_in_bytes{endpoint=\"e\"}",
        "etcd_db_total_size_in_bytes{endpoint=\"e\"}",
    ] {
        assert_eq!(row(&rows("", &format!("{name} 4096\n")), "database file").bytes, Some(4096.0));
    }
    for (labels, name) in [
        ("group=\"\",resource=\"pods\"", "get pods"),
        ("type=\"/registry/pods\"", "get pods"),
        ("type=\"*core.Pod\"", "get *core.Pod"),
    ] {
        let text =
            format!("etcd_request_duration_seconds_count{{operation=\"get\",{labels}}} 20\n");
        assert_eq!(row(&rows("", &text), name).rate, Some(2.0), "{labels}");
    }
}

#[test]
fn leases_are_counted_by_either_name_and_bookmarks_without_requests_to_etcd() {
    for (name, of) in [
        ("apiserver_resource_objects{group=\"coordination.k8s.io\",resource=\"leases\"}", "7"),
        ("apiserver_storage_objects{resource=\"leases.coordination.k8s.io\"}", "7"),
    ] {
        assert_eq!(row(&rows("", &format!("{name} {of}\n")), "leases").now, Some(7.0));
        let unknown = rows("", &format!("{name} -1\n"));
        assert_eq!(row(&unknown, "leases").now, None);
    }
    for name in ["etcd_bookmark_total", "etcd_bookmark_counts"] {
        let rows = rows("", &format!("{name}{{group=\"\",resource=\"pods\"}} 20\n"));
        assert_eq!(row(&rows, "etcd bookmarks").rate, Some(2.0));
        assert_eq!(row(&rows, "bookmarks pods").rate, Some(2.0));
    }
}

#[test]
fn what_waits_is_counted_and_not_the_most_of_the_last_second() {
    let old = "apiserver_current_inqueue_requests{request_kind=\"readOnly\"} 1\n\
               apiserver_current_inqueue_requests{request_kind=\"mutating\"} 0\n";
    let new = "apiserver_flowcontrol_current_inqueue_requests{flow_schema=\"s\",priority_level=\"l\"} 5\n";
    let of = |text: &str| row(&rows("", text), "in queues").clone();
    assert_eq!((of(old).now, of(&format!("{old}{new}")).now), (Some(1.0), Some(5.0)));
    assert!(of(old).why.contains("at most 1 reading, 0 writing"), "{}", of(old).why);
}

#[test]
fn objects_that_could_not_be_counted_are_unknown() {
    let rows = rows("", "apiserver_resource_objects{group=\"x.io\",resource=\"things\"} -1\n");
    let things = row(&rows, "things.x.io");
    assert_eq!((things.now, things.verdict), (None, Verdict::Warn));
    assert!(row(&rows, "objects").why.contains("1 resources could not be counted"));
}

#[test]
fn a_full_database_and_a_slow_disk_are_said_with_their_source() {
    let text = "etcd_mvcc_db_total_size_in_bytes 96\netcd_server_quota_backend_bytes 100\n\
                etcd_disk_wal_fsync_duration_seconds_bucket{le=\"1\"} 0\n\
                etcd_disk_wal_fsync_duration_seconds_bucket{le=\"2\"} 30\n\
                etcd_disk_wal_fsync_duration_seconds_bucket{le=\"+Inf\"} 30\n\
                etcd_server_has_leader 0\n";
    let rows = rows("", text);
    let quota = row(&rows, "database");
    assert!(quota.verdict == Verdict::Bad && quota.why.contains("96 % of the quota"), "{quota:?}");
    let fsync = row(&rows, "wal fsync");
    assert!(
        fsync.verdict == Verdict::Bad && fsync.why.contains("etcdHighFsyncDurations"),
        "{fsync:?}"
    );
    assert_eq!(row(&rows, "leader changes").verdict, Verdict::Bad);
    assert!(row(&rows, "gRPC latency").why.contains("--metrics=extensive"));
}

#[test]
fn deprecated_apis_say_what_removes_them() {
    let text = "apiserver_requested_deprecated_apis{group=\"flowcontrol.apiserver.k8s.io\",version=\"v1beta3\",resource=\"flowschemas\",subresource=\"\",removed_release=\"1.32\"} 1\n";
    let rows = rows("", text);
    let old = row(&rows, "flowschemas.flowcontrol.apiserver.k8s.io v1beta3");
    assert_eq!((old.why.as_str(), old.section), ("removed in 1.32", Section::Deprecated));
    let all = row(&rows, "deprecated APIs");
    assert_eq!((all.now, all.verdict), (Some(1.0), Verdict::Warn));
}

#[test]
fn deprecated_apis_that_no_release_removes_are_listed_without_a_warning() {
    let of = |resource: &str, release: &str| {
        format!(
            "apiserver_requested_deprecated_apis{{group=\"\",version=\"v1\",resource=\"{resource}\",removed_release=\"{release}\"}} 1\n"
        )
    };
    let both = [of("endpoints", ""), of("componentstatuses", "")].concat();
    let rows = rows("", &both);
    let all = row(&rows, "deprecated APIs");
    assert_eq!((all.now, all.verdict), (Some(0.0), Verdict::None));
    assert_eq!(all.why, "2 asked for since this server started; no release removes them yet");
    assert_eq!(row(&rows, "endpoints v1").verdict, Verdict::None);
    let rows = self::rows("", &(both + &of("things", "1.40")));
    let all = row(&rows, "deprecated APIs");
    assert_eq!((all.now, all.verdict), (Some(1.0), Verdict::Warn));
    assert!(all.why.ends_with("a later release removes them; 2 more that no release removes yet"));
}

/// A histogram whose buckets end at 0.1, 1 and nowhere.
fn buckets(family: &str, labels: &str, counts: [u32; 3]) -> String {
    let comma = if labels.is_empty() { "" } else { "," };
    let line =
        |(le, n): (&str, u32)| format!("{family}_bucket{{{labels}{comma}le=\"{le}\"}} {n}\n");
    let lines: String = ["0.1", "1", "+Inf"].into_iter().zip(counts).map(line).collect();
    format!("{lines}{family}_count{{{labels}}} {}\n", counts[2])
}

#[test]
fn what_was_counted_since_the_start_is_shown_and_not_judged() {
    let text = [
        buckets("apiserver_admission_webhook_admission_duration_seconds", "name=\"w\",type=\"admit\"", [0, 0, 50]),
        "apiserver_admission_webhook_rejection_count{name=\"w\",error_type=\"calling_webhook_error\"} 1\n".into(),
        "apiserver_request_total{verb=\"GET\",resource=\"pods\",code=\"503\"} 9\n".into(),
        "apiserver_watch_cache_consistent_read_total{resource=\"pods\",success=\"true\",fallback=\"true\"} 1\n".into(),
        buckets("etcd_request_duration_seconds", "operation=\"get\",resource=\"pods\"", [0, 30, 30]),
        buckets("etcd_disk_wal_fsync_duration_seconds", "", [0, 0, 30]),
        "etcd_server_leader_changes_seen_total 9\n".into(),
        "etcd_mvcc_db_total_size_in_bytes 96\netcd_server_quota_backend_bytes 100\n".into(),
        "apiserver_resource_objects{resource=\"forges\"} -1\n".into(),
    ]
    .concat();
    let (now, born, limits) = (scrape(&text), Scrape::default(), Limits::default());
    let hour_ago = scrape("");
    let of = |span: Span<'_>| {
        let (span, etcd) = (Some(span), Some(Ok(Etcd { now: &now, span: Some(span) })));
        let rows = board(&Facts { now: &now, span, etcd, limits: &limits });
        let judged = |row: &&Measured| row.verdict >= Verdict::Warn;
        let names = rows.iter().filter(judged).map(|row| row.name.clone()).collect::<Vec<_>>();
        (names, row(&rows, "w").errors, row(&rows, "wal fsync").seen)
    };
    let now_only = ["objects", "forges", "database"];
    // Values are told, over a second each.
    let since_start = Span::since_start(&born, &now, 1.0).unwrap();
    assert_eq!(of(since_start), (now_only.map(str::to_owned).to_vec(), Some(1.0), Some(30.0)));
    // Nobody looked for an hour: the same.
    let over_an_hour = Span::new(&hour_ago, &now, 3600.0).unwrap();
    assert_eq!(of(over_an_hour).0, now_only);
    let of_now = of(Span::new(&hour_ago, &now, 15.0).unwrap()).0;
    for name in [
        "all requests",
        "w",
        "webhooks",
        "watch cache",
        "etcd requests",
        "wal fsync",
        "leader changes",
    ] {
        assert!(of_now.iter().any(|judged| judged == name), "{name}: {of_now:?}");
    }
}

#[test]
fn what_is_exposed_and_cannot_be_compared_is_not_said_to_be_absent() {
    let now = scrape("apiserver_request_total{verb=\"GET\",resource=\"pods\",code=\"200\"} 9\n");
    let (limits, etcd) = (Limits::default(), None);
    let rows = board(&Facts { now: &now, span: None, etcd, limits: &limits });
    let all = row(&rows, "all requests");
    assert!(all.why.contains("nothing to compare with yet"), "{}", all.why);
    assert_eq!((all.rate, all.source), (None, "apiserver_request_total"));
    assert!(row(&rows, "webhooks").why.contains("not exposed: "));
}

#[test]
fn a_quantile_beyond_the_last_bucket_is_at_least_that() {
    let now =
        buckets("etcd_request_duration_seconds", "operation=\"get\",resource=\"pods\"", [0, 0, 50]);
    let rows = rows("", &now);
    let get = row(&rows, "get pods");
    assert_eq!(get.p99, Some(Quantile::AtLeast(1.0)));
    assert!(get.why.starts_with("p99 of at least 1.0 s is over 0.5 s: ours"), "{}", get.why);
}

#[test]
fn groups_are_read_from_each_place_they_stood_in() {
    for (labels, name) in [
        (["apps", "deployments", ""], "deployments.apps"),
        (["", "deployments.apps", ""], "deployments.apps"),
        (["apps", "deployments.apps", ""], "deployments.apps"),
        // A name may end like its group.
        (["apps", "myapps", ""], "myapps.apps"),
        (["apps", "", "Deployment"], "Deployment.apps"),
        (["", "", "Pod"], "Pod"),
        (["", "", "/registry/pods"], "pods"),
        (["(more)", "(more)", "(more)"], "(more)"),
        (["", "pods", ""], "pods"),
    ] {
        assert_eq!(sections::named(&labels.map(str::to_owned)), name, "{labels:?}");
    }
    let events = "apiserver_watch_events_total{group=\"apps\",kind=\"Deployment\"} 20\n";
    assert_eq!(row(&rows("", events), "events Deployment.apps").rate, Some(2.0));
}

#[test]
fn several_files_of_etcd_are_not_added_up() {
    let file = |id: &str, n: u32| {
        format!("apiserver_storage_size_bytes{{storage_cluster_id=\"{id}\"}} {n}\n")
    };
    let rows = rows("", &[file("a", 100), file("b", 700), file("c", 300)].concat());
    let all = row(&rows, "database file");
    assert_eq!(all.bytes, Some(700.0));
    assert!(all.why.starts_with("the largest of 3,"), "{}", all.why);
    let one = row(&rows, "database file c");
    assert_eq!((one.bytes, one.section), (Some(300.0), Section::Storage));
}

#[test]
fn reads_that_the_watch_cache_did_not_answer_are_told_apart() {
    let read = |resource: &str, success: &str, fallback: &str| {
        let family = "apiserver_watch_cache_consistent_read_total";
        format!(
            "{family}{{resource=\"{resource}\",success=\"{success}\",fallback=\"{fallback}\"}} 10\n"
        )
    };
    let text = [
        read("pods", "true", "false"),
        read("pods", "true", "true"),
        read("nodes", "false", "skipped"),
        read("secrets", "false", "false"),
        read("leases", "true", "false"),
    ];
    let rows = rows("", &text.concat());
    let of = |name: &str| {
        let row = row(&rows, name);
        (row.rate, row.errors, row.verdict, row.why.clone())
    };
    let some =
        |rate, errors, verdict, why: &str| (Some(rate), Some(errors), verdict, why.to_owned());
    let expected =
        some(2.0, 1.0, Verdict::Warn, "consistent reads fall back to etcd: the cache is behind");
    assert_eq!(of("cache pods"), expected);
    let words = "consistent reads are turned away with 429: the cache is behind";
    assert_eq!(of("cache nodes"), some(1.0, 1.0, Verdict::Warn, words));
    assert_eq!(of("cache secrets"), some(1.0, 1.0, Verdict::Warn, "consistent reads fail"));
    assert_eq!(of("cache leases"), some(1.0, 0.0, Verdict::None, ""));
    assert_eq!((of("watch cache").0, of("watch cache").1), (Some(5.0), Some(3.0)));
}

#[test]
fn etcd_s_answers_by_call_worked_by_hand() {
    let call = |method: &str, kind: &str, counts| {
        let labels = format!(
            "grpc_method=\"{method}\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"{kind}\""
        );
        buckets("grpc_server_handling_seconds", &labels, counts)
    };
    let before = [
        call("Range", "unary", [100, 100, 100]),
        call("Txn", "unary", [50, 50, 50]),
        call("Watch", "bidi_stream", [0, 0, 10]),
        call("MemberList", "unary", [1, 1, 1]),
    ];
    let now = [
        // 100 more, all within 0.1 s: rank 99 of 100 is 0.099.
        call("Range", "unary", [200, 200, 200]),
        // 100 more, half of them in (0.1, 1]: rank 99 is 49/50 of the way, 0.982; rank 50 is 0.1.
        call("Txn", "unary", [100, 150, 150]),
        // Open for as long as somebody watches, and slow because it is asked to be.
        call("Watch", "bidi_stream", [0, 0, 900]),
        call("Defragment", "unary", [0, 0, 30]),
        // 19 more are too few.
        call("MemberList", "unary", [20, 20, 20]),
    ];
    let rows = rows(&before.concat(), &now.concat());
    let of = |name: &str| row(&rows, name);
    let at = |q: Option<Quantile>, by_hand: f64| {
        let Some(Quantile::At(is)) = q else { panic!("{q:?}") };
        assert!((is - by_hand).abs() < 1e-12, "{is} {by_hand}");
    };
    at(of("gRPC Range").p99, 0.099);
    at(of("gRPC Txn").p99, 0.982);
    at(of("gRPC Txn").p50, 0.1);
    assert_eq!((of("gRPC Range").rate, of("gRPC Range").verdict), (Some(10.0), Verdict::Ok));
    let txn = of("gRPC Txn");
    assert_eq!((txn.verdict, txn.window), (Verdict::Bad, Some(10.0)));
    assert!(txn.why.contains("milder than etcd-mixin, critical from 0.15 s"), "{}", txn.why);
    let few = of("gRPC MemberList");
    assert_eq!((few.p99, few.verdict), (Some(Quantile::Few(19)), Verdict::None));
    let told = rows.iter().filter(|row| row.name.starts_with("gRPC ")).count();
    assert_eq!(told, 3, "neither a stream nor a defragmentation is latency");
}

#[test]
fn what_etcd_lacks_is_said_and_a_page_that_is_not_etcd_s_too() {
    let rows = rows("", "etcd_server_has_leader 1\n");
    let why = |name: &str| row(&rows, name).why.clone();
    let database = why("database");
    for name in ["etcd_mvcc_db_total_size_in_bytes", "etcd_mvcc_db_total_size_in_use_in_bytes"] {
        assert!(database.contains(name), "{database}");
    }
    assert!(why("leader changes").contains("etcd_server_leader_changes_seen_total"));
    assert!(why("failed proposals").contains("etcd_server_proposals_failed_total"));
    let without = self::rows("", "etcd_mvcc_db_total_size_in_bytes 96\n");
    let database = &row(&without, "database").why;
    assert!(
        database.contains("the quota is not exposed: etcd_server_quota_backend_bytes"),
        "{database}"
    );
    let other = self::rows("", "go_goroutines 7\n");
    assert!(row(&other, "etcd itself").why.contains("no metrics of etcd"));
    assert!(other.iter().all(|row| row.name != "database"));
}

#[test]
fn changes_of_leader_are_counted_and_not_extrapolated() {
    let of =
        |n: u32| format!("etcd_server_leader_changes_seen_total {n}\netcd_server_has_leader 1\n");
    for (changes, verdict) in
        [(1, Verdict::Ok), (2, Verdict::Warn), (3, Verdict::Warn), (4, Verdict::Bad)]
    {
        let rows = rows(&of(5), &of(5 + changes));
        assert_eq!(row(&rows, "leader changes").verdict, verdict, "{changes}");
    }
}

#[test]
fn every_threshold_says_who_says_so() {
    use limits::ALL;
    for limit in ALL {
        for source in [limit.warn_source, limit.bad_source] {
            let theirs = ["etcd-mixin", "kubernetes-mixin", "Kubernetes SLO", "apiserver "];
            assert!(
                source.starts_with("ours: ") || theirs.iter().any(|t| source.contains(t)),
                "{source}"
            );
        }
        assert!(limit.warn <= limit.bad, "{}", limit.id);
    }
    let mut limits = Limits::default();
    limits.set(&limits::FSYNC, 0.1, 0.2);
    assert_eq!(limits.get(&limits::FSYNC).reached(Verdict::Bad), (0.2, "limits.toml"));
}

#[test]
fn every_name_is_wanted_once() {
    let mut wants = names::wants();
    wants.sort_by_key(|w| w.family);
    let before = wants.len();
    wants.dedup_by_key(|w| w.family);
    assert_eq!(wants.len(), before);
}
