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
    let etcd = Ok(Etcd { now: &now, span });
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
    let row = row(&rows, "flowschemas.flowcontrol.apiserver.k8s.io v1beta3");
    assert_eq!((row.why.as_str(), row.section), ("removed in 1.32", Section::Deprecated));
}

#[test]
fn every_name_is_wanted_once() {
    let mut wants = names::wants();
    wants.sort_by_key(|w| w.family);
    let before = wants.len();
    wants.dedup_by_key(|w| w.family);
    assert_eq!(wants.len(), before);
}
