//! What the pods of a node keep on its disks.

use super::super::describe::page::{Cell, Page, int, items, plain, str_at, text};
use super::{ROWS, Seen, first, number, pod_name, share};
use crate::state::cell::{Role, bytes, grouped};
use serde_json::Value;

pub(super) fn of_pods(page: &mut Page, summary: &Value) {
    let mut pods: Vec<&Value> = items(summary, "/pods").iter().collect();
    pods.sort_by_key(|pod| std::cmp::Reverse(int(pod, "/ephemeral-storage/usedBytes")));
    let rows: Vec<[Cell; 4]> = pods
        .iter()
        .take(ROWS)
        .map(|pod| {
            let size = |at: &str| plain(number(pod, at).map_or(String::new(), bytes));
            [
                plain(pod_name(pod)),
                size("/ephemeral-storage/usedBytes"),
                plain(number(pod, "/ephemeral-storage/inodesUsed").map_or(String::new(), grouped)),
                plain(number(pod, "/process_stats/process_count").map_or(String::new(), grouped)),
            ]
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    first(page, "Pods by ephemeral storage (logs, writable layers, emptyDirs on disk)", pods.len());
    page.table(["POD", "EPHEMERAL", "INODES", "PROCESSES"], &rows);
    page.indent = 0;
}

/// The emptyDir of that name in a pod, if it has one.
fn empty_dir<'a>(seen: &'a Seen, pod: &Value, volume: &str) -> Option<&'a Value> {
    let uid = str_at(pod, "/podRef/uid");
    let pods = seen.pods.as_ref().ok()?;
    let pod = pods.iter().find(|p| str_at(p, "/metadata/uid") == uid)?;
    let named = |v: &&Value| str_at(v, "/name") == volume;
    items(pod, "/spec/volumes").iter().find(named)?.get("emptyDir")
}

/// Bytes used, and the row that says so.
type Filled = (i64, [Cell; 6]);

pub(super) fn volumes(page: &mut Page, summary: &Value, seen: &Seen) {
    let (mut dirs, mut claims): (Vec<Filled>, Vec<Filled>) = (vec![], vec![]);
    for pod in items(summary, "/pods") {
        for volume in items(pod, "/volume") {
            let used = int(volume, "/usedBytes");
            let name = str_at(volume, "/name");
            let row = |what: String, of: i64| {
                let of_words = if of > 0 { bytes(of) } else { String::new() };
                [
                    plain(pod_name(pod)),
                    plain(what),
                    plain(bytes(used)),
                    plain(of_words),
                    share(used, of),
                    plain(number(volume, "/inodesUsed").map_or(String::new(), grouped)),
                ]
            };
            if let Some(claim) = volume.pointer("/pvcRef/name").and_then(Value::as_str) {
                claims.push((used, row(claim.to_owned(), int(volume, "/capacityBytes"))));
            } else if let Some(dir) = empty_dir(seen, pod, name) {
                let limit = crate::state::quantity::whole(&text(dir, "/sizeLimit")).unwrap_or(0);
                let memory = if str_at(dir, "/medium") == "Memory" { " (memory)" } else { "" };
                dirs.push((used, row(format!("{name}{memory}"), limit)));
            }
        }
    }
    if let Err(why) = &seen.pods {
        page.field_as("emptyDirs", Role::Warn, format!("cannot be told from other volumes: {why}"));
    }
    for (title, heads, rows) in [
        ("emptyDirs", ["POD", "VOLUME", "USED", "LIMIT", "FULL", "INODES"], &mut dirs),
        ("Claims", ["POD", "CLAIM", "USED", "CAPACITY", "FULL", "INODES"], &mut claims),
    ] {
        rows.sort_by_key(|(used, _)| std::cmp::Reverse(*used));
        if rows.is_empty() {
            continue;
        }
        first(page, title, rows.len());
        let rows: Vec<[Cell; 6]> = rows.iter().take(ROWS).map(|(_, row)| row.clone()).collect();
        page.table(heads, &rows);
        page.indent = 0;
    }
}
