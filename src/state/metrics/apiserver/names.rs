//! THE table of what the board reads, by every name it had: the first name that a server exposes is taken. Labels were
//! renamed too; each place in a subject lists the labels it is read from.
//!
//! Versions: semantics.md §G3 (kubernetes CHANGELOG; a STABLE metric is hidden three minors after its deprecation, an ALPHA
//! one at once).

use crate::state::metrics::{By, Scrape, Want};
use std::borrow::Cow;

/// Something that servers expose, under one name or several.
pub struct Naming {
    /// Names, the newest first, and the minors of Kubernetes 1.x that expose it (inclusive; 0 and 99: open).
    pub names: &'static [(&'static str, u8, u8)],
    /// The labels that tell its series apart here.
    pub labels: &'static [&'static str],
    /// What is left out.
    pub without: &'static [(&'static str, &'static str)],
}

macro_rules! namings {
    ($($(#[$doc:meta])* $id:ident: [$($name:literal $since:literal-$until:literal),+] $labels:expr $(, without $without:expr)?;)+) => {
        $($(#[$doc])* pub static $id: Naming = Naming {
            names: &[$(($name, $since, $until)),+],
            labels: &$labels,
            without: namings!(@ $($without)?),
        };)+
        /// Every one of them.
        pub static ALL: &[&Naming] = &[$(&$id),+];
    };
    (@) => { &[] };
    (@ $without:expr) => { $without };
}

/// Requests that stay open by design: their duration is no latency.
const LONG: &[(&str, &str)] =
    &[("verb", "WATCH"), ("verb", "WATCHLIST"), ("verb", "CONNECT"), ("verb", "PROXY")];

namings! {
    /// Requests answered.
    REQUESTS: ["apiserver_request_total" 14-99] ["verb", "group", "resource", "subresource", "code"];
    /// How long answers took.
    DURATION: ["apiserver_request_duration_seconds" 14-99] ["verb", "group", "resource", "subresource"], without LONG;
    /// Requests being worked on, counted by priority and fairness; where that is off, the most of the last second.
    IN_FLIGHT: ["apiserver_flowcontrol_current_executing_requests" 20-99, "apiserver_current_inflight_requests" 14-99] ["request_kind"];
    /// Requests waiting in the queues of priority and fairness. The older family holds the most that came within the last
    /// second (`pkg/server/filters/maxinflight.go`): on 1.34 to 1.37 it says 1, 2 and 4 where 5 wait (`tests/golden`).
    IN_QUEUE: ["apiserver_flowcontrol_current_inqueue_requests" 20-99, "apiserver_current_inqueue_requests" 20-99] ["request_kind"];
    /// Watches, logs, shells.
    LONG_RUNNING: ["apiserver_longrunning_requests" 23-99, "apiserver_longrunning_gauge" 14-23] ["verb", "group", "resource", "subresource"];
    /// Requests the server gave up.
    TERMINATED: ["apiserver_request_terminations_total" 20-99] ["code"];
    /// Events sent to watchers. The label was `kind` before it was `resource`.
    WATCH_EVENTS: ["apiserver_watch_events_total" 14-99] ["group", "resource", "kind"];
    /// Consistent reads answered from the watch cache, or passed on to etcd.
    CACHE_READS: ["apiserver_watch_cache_consistent_read_total" 29-99] ["group", "resource", "success", "fallback"];
    /// How long reads waited for the watch cache.
    CACHE_WAIT: ["apiserver_watch_cache_read_wait_seconds" 28-99] ["group", "resource"];
    /// How often a watch cache was filled anew.
    CACHE_INITS: ["apiserver_watch_cache_initializations_total" 21-99] ["group", "resource"];
    /// How long webhooks took.
    WEBHOOKS: ["apiserver_admission_webhook_admission_duration_seconds" 14-99] ["name", "type"];
    /// Requests that webhooks refused or failed on.
    REJECTIONS: ["apiserver_admission_webhook_rejection_count" 16-99] ["name", "error_type"];
    /// Webhooks that failed and were passed over.
    FAIL_OPEN: ["apiserver_admission_webhook_fail_open_count" 24-99] ["name"];
    /// Objects in etcd by resource; -1 where they could not be counted.
    OBJECTS: ["apiserver_resource_objects" 34-99, "apiserver_storage_objects" 21-36, "etcd_object_counts" 0-21] ["group", "resource"];
    /// Bytes in etcd by resource, estimated.
    OBJECT_BYTES: ["apiserver_resource_size_estimate_bytes" 34-99] ["group", "resource"];
    /// The size of etcd's file, not of what is used in it. The label was `cluster` before it was `storage_cluster_id`.
    DATABASE: ["apiserver_storage_size_bytes" 28-99, "apiserver_storage_db_total_size_in_bytes" 26-27, "etcd_db_total_size_in_bytes" 0-25] ["storage_cluster_id", "cluster", "endpoint"];
    /// etcd as the API server sees it, network included. `type` came before `group` and `resource`.
    ETCD: ["etcd_request_duration_seconds" 14-99] ["operation", "group", "resource", "type"];
    /// What etcd refused or failed.
    ETCD_ERRORS: ["etcd_request_errors_total" 27-99] ["operation", "group", "resource", "type"];
    /// Progress notifications of etcd watches.
    BOOKMARKS: ["etcd_bookmark_total" 36-99, "etcd_bookmark_counts" 20-35] ["group", "resource"];
    /// Objects per etcd lease (events live by them).
    LEASES: ["etcd_lease_object_counts" 22-99] [];
    /// APIs in use that a later release removes.
    DEPRECATED: ["apiserver_requested_deprecated_apis" 19-99] ["group", "version", "resource", "subresource", "removed_release"];
}

/// What etcd itself exposes (etcd 3.4 to 3.7, server/etcdserver/metrics.go, server/storage).
pub mod etcd {
    use super::Naming;

    namings! {
        /// Its file.
        SIZE: ["etcd_mvcc_db_total_size_in_bytes" 0-99, "etcd_debugging_mvcc_db_total_size_in_bytes" 0-99] [];
        /// What is used in it.
        IN_USE: ["etcd_mvcc_db_total_size_in_use_in_bytes" 0-99] [];
        /// How large it may grow.
        QUOTA: ["etcd_server_quota_backend_bytes" 0-99] [];
        /// Syncing the write-ahead log.
        FSYNC: ["etcd_disk_wal_fsync_duration_seconds" 0-99] [];
        /// Committing to the file.
        COMMIT: ["etcd_disk_backend_commit_duration_seconds" 0-99] [];
        /// Between members.
        PEER: ["etcd_network_peer_round_trip_time_seconds" 0-99] [];
        /// Leaders seen.
        LEADERS: ["etcd_server_leader_changes_seen_total" 0-99] [];
        /// Whether there is one.
        LEADER: ["etcd_server_has_leader" 0-99] [];
        /// Proposals that failed.
        FAILED: ["etcd_server_proposals_failed_total" 0-99] [];
        /// Its own answers, only with `--metrics=extensive`.
        GRPC: ["grpc_server_handling_seconds" 0-99] ["grpc_method", "grpc_type"];
    }

    /// For a scrape of etcd.
    pub fn wants() -> Vec<crate::state::metrics::Want> {
        super::wants_of(ALL)
    }
}

/// For a scrape of the API server.
pub fn wants() -> Vec<Want> {
    wants_of(ALL)
}

fn wants_of(namings: &[&'static Naming]) -> Vec<Want> {
    let all = namings.iter().flat_map(|naming| naming.names.iter().map(move |n| (naming, n.0)));
    let want = |(naming, family): (&&'static Naming, &'static str)| {
        let labels = naming.labels;
        let by = if labels.is_empty() { By::Total } else { By::Labels(Cow::Borrowed(labels)) };
        Want { family, by, without: naming.without }
    };
    all.map(want).collect()
}

impl Naming {
    /// The name this server uses; `None`: it exposes none of them.
    pub fn of(&self, scrape: &Scrape) -> Option<&'static str> {
        self.names.iter().map(|n| n.0).find(|name| scrape.has(name))
    }

    /// What to say where none is exposed: its names, and which minors of Kubernetes have one that not all have.
    pub fn absent(&self) -> String {
        let name = |(name, since, until): &(&str, u8, u8)| match (since, until) {
            // What is as old as any server that is asked needs no words.
            (..=20, 99) => (*name).to_owned(),
            (since, 99) => format!("{name} (from 1.{since})"),
            (..=20, until) => format!("{name} (to 1.{until})"),
            (since, until) => format!("{name} (1.{since} to 1.{until})"),
        };
        let names: Vec<String> = self.names.iter().map(name).collect();
        format!("not exposed: {}", names.join(", "))
    }
}
