//! The API server and etcd: how much is asked, how long it takes, what fails, what fills etcd.

use super::spec::{Jump, Part, TableView};
use crate::state::State;
use crate::state::cell::Role;
use crate::state::kinds::apiserver;
use crate::state::row::Row;

/// The view.
pub static VIEW: TableView = TableView {
    id: "apiserver",
    aliases: &["metrics", "etcd", "api"],
    table: "apiserver",
    also: &[],
    columns: &[
        "section", "name", "rate", "errors", "p50", "p99", "seen", "now", "bytes", "trend", "why",
    ],
    wide: &["verdict", "window", "source", "age"],
    narrow: &[
        "uid", "labels", "age", "source", "window", "verdict", "seen", "bytes", "section", "why",
        "trend", "p50",
    ],
    sort: ("section", false),
    enter: ("its rows", enter),
    summary,
    detail: apiserver::detail,
    help: "One server's /metrics, streamed and filtered while parsed, every 15 s while this view is on screen. Rates \
           and quantiles are over the last minute or so (OVER) of one process, at first since its start, and then not judged; \
           another server behind the same address is never mixed in. `-` is what this server does not expose, `?` a p99 of \
           fewer than 20 (SEEN), `>` more than the highest bucket, of which JSON and CSV have the bound. ERR/S counts 5xx and \
           429, of the watch cache reads it did not answer, of webhooks failed calls. etcd's own figures need --etcd-metrics \
           URL and are over ten to fifteen minutes. Enter on a row of the overview shows the rows behind it; TREND is the time since this view was opened, an hour at most, and `print apiserver --watch -o csv` keeps every look for a plot. Thresholds and who \
           says so: limits.toml beside the keymap.",
};

/// From a matter of the overview to the rows behind it.
fn enter(row: Row<'_>) -> Option<Jump> {
    let section = match (row.text(apiserver::SECTION), &*row.name()) {
        ("overview", "all requests" | "reads" | "writes") => "requests",
        ("overview", "long-running") => "long-running",
        ("overview", "watch events" | "watch cache") => "watches",
        ("overview", "webhooks") => "webhooks",
        ("overview", "objects") => "storage",
        ("overview", "etcd requests") => "etcd",
        ("overview", "database file") => "etcd-own",
        ("overview", "deprecated APIs") => "deprecated",
        _ => return None,
    };
    Some(Jump::filtered(VIEW.id, &format!("section:={section}")))
}

fn summary(state: &State) -> Vec<Part> {
    let mut parts = vec![];
    let (mut bad, mut warn) = (0, 0);
    for row in state.store.rows(VIEW.id) {
        match row.text(apiserver::VERDICT) {
            "bad" => bad += 1,
            "warn" => warn += 1,
            _ => {}
        }
        if &*row.name() == apiserver::SCRAPE {
            parts.push(Part { role: Role::Dim, ..Part::say(row.text(apiserver::WHY)) });
        }
    }
    let link = |filter: &str| Some(Jump::filtered(VIEW.id, filter));
    let counts = [
        Part::count(bad, "not well", Role::Bad, link("verdict:=bad")),
        Part::count(warn, "worth a look", Role::Warn, link("verdict:=warn")),
        Part { text: "overview".into(), role: Role::Plain, link: link("section:=overview") },
    ];
    parts.splice(0..0, counts);
    parts
}
