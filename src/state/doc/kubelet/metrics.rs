//! What the exposition pages of a kubelet say of its containers. Counters count since each container began.

use super::{Cell, ROWS, count, first, grouped, plain, span};
use crate::state::cell::Role;
use crate::state::doc::describe::page::Page;
use crate::state::metrics::{Scrape, Value as Metric};

pub(super) fn resource(page: &mut Page, scrape: &Scrape) {
    let containers = scrape.each("container_memory_working_set_bytes").count();
    let failed =
        ["resource_scrape_error", "scrape_error"].iter().find_map(|name| scrape.number(name, &[]));
    let words = match failed {
        Some(n) if n > 0.0 => {
            (Role::Bad, "the kubelet could not measure its containers".to_owned())
        }
        _ => (Role::Plain, format!("{} measured", count(containers, "container"))),
    };
    page.field_as("Resource metrics", words.0, words.1);
}

/// `shop/web-1 nginx` of a series.
fn container(key: &[String]) -> String {
    format!("{}/{} {}", key[0], key[1], key[2])
}

const OF_CONTAINER: [&str; 3] = ["namespace", "pod", "container"];

fn of_value(value: &Metric) -> f64 {
    match value {
        Metric::Number(n) => *n,
        Metric::Histogram(h) => h.count,
    }
}

pub(super) fn cadvisor(page: &mut Page, scrape: &Scrape) {
    let grouped_by = |family: &str| scrape.grouped(family, &OF_CONTAINER);
    let periods = grouped_by("container_cpu_cfs_periods_total");
    let throttled = grouped_by("container_cpu_cfs_throttled_periods_total");
    let seconds = grouped_by("container_cpu_cfs_throttled_seconds_total");
    let mut rows: Vec<(f64, [Cell; 3])> = throttled
        .iter()
        // Without a container's name it is the sum over its pod.
        .filter(|(key, n)| !key[2].is_empty() && of_value(n) > 0.0)
        .filter_map(|(key, n)| {
            let share = of_value(n) / periods.get(key).map(of_value).filter(|n| *n > 0.0)?;
            let waited = seconds.get(key).map_or(String::new(), |s| span(of_value(s) as i64));
            let role = if share >= 0.25 { Role::Warn } else { Role::Plain };
            let share_words = (role, format!("{:.0} %", share * 100.0));
            Some((share, [plain(container(key)), share_words, plain(waited)]))
        })
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    match rows.len() {
        0 if scrape.has("container_cpu_cfs_periods_total") => {
            page.field("Throttled", "no container so far")
        }
        0 => page.field(
            "Throttled",
            "not told: no container has a CPU limit, or the runtime does not say",
        ),
        all => {
            first(page, "Throttled at the CPU limit, since each container began", all);
            let rows: Vec<[Cell; 3]> = rows.into_iter().take(ROWS).map(|(_, row)| row).collect();
            page.table(["CONTAINER", "PERIODS", "WAITED"], &rows);
            page.indent = 0;
        }
    }
    // Without a container's name it is the sum over its pod, or over all of them.
    let killed = grouped_by("container_oom_events_total").into_iter();
    let mut killed: Vec<(Vec<String>, f64)> = killed
        .map(|(key, n)| (key, of_value(&n)))
        .filter(|(key, n)| !key[2].is_empty() && *n > 0.0)
        .collect();
    killed.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let more = killed.len().saturating_sub(ROWS);
    let mut killed: Vec<String> =
        killed.iter().take(ROWS).map(|(key, n)| format!("{} {n}x", container(key))).collect();
    if more > 0 {
        killed.push(format!("and {} more", grouped(more as i64)));
    }
    match killed.is_empty() {
        true if scrape.has("container_oom_events_total") => {
            page.field("Out of memory", "no container")
        }
        true => {}
        false => page.field_as("Out of memory", Role::Bad, killed.join("\n")),
    }
}

pub(super) fn probes(page: &mut Page, scrape: &Scrape) {
    let by = ["namespace", "pod", "container", "probe_type", "result"];
    let all = scrape.grouped("prober_probe_total", &by);
    let mut failed: Vec<(&Vec<String>, f64)> = all
        .iter()
        .map(|(key, n)| (key, of_value(n)))
        .filter(|(key, n)| key[4] == "failed" && *n > 0.0)
        .collect();
    failed.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let failed: Vec<[Cell; 3]> = failed
        .into_iter()
        .map(|(key, n)| {
            [plain(container(key)), plain(key[3].clone()), (Role::Warn, grouped(n as i64))]
        })
        .collect();
    if failed.is_empty() {
        let words = if all.is_empty() { "none told" } else { "none has failed" };
        return page.field("Probes", words);
    }
    first(page, "Probes that failed, since each container began", failed.len());
    page.table(["CONTAINER", "PROBE", "FAILED"], &failed[..failed.len().min(ROWS)]);
    page.indent = 0;
}
