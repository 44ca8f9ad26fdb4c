//! The page of a kubelet, out of what was read.

use super::*;
use crate::state::metrics::{Parser, Want};
use serde_json::json;

fn scrape(wants: &[Want], text: &str) -> Scrape {
    let mut parser = Parser::new(wants);
    parser.feed(text.as_bytes());
    parser.end()
}

fn failed<T>() -> Answer<T> {
    Err(Unread::Failed("busy".into()))
}

/// A node of four cores with two pods, nothing of which was read but what belongs to the node itself.
fn seen() -> Seen {
    let container = |name: &str, cpu: &str, limit: &str| json!({"name": name, "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}, "limits": {"memory": limit}}});
    let pods = vec![
        json!({"metadata": {"namespace": "shop", "name": "web-1", "uid": "u1"}, "spec": {
            "containers": [container("web", "200m", "512Mi"), container("side", "50m", "64Mi")],
            "volumes": [{"name": "scratch", "emptyDir": {}}]}}),
        json!({"metadata": {"namespace": "shop", "name": "db-0", "uid": "u2"}, "spec": {
            "containers": [container("db", "1", "100Mi")]}}),
    ];
    Seen {
        node: "n1".into(),
        health: Ok("ok".into()),
        summary: failed(),
        own: failed(),
        resource: failed(),
        cadvisor: failed(),
        probes: failed(),
        config: failed(),
        object: Ok(json!({"status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}})),
        pods: Ok(pods),
        cost: (9, 1000),
    }
}

fn text(seen: &Seen) -> String {
    let page = kubelet(seen, Epoch(1_800_000_000));
    page.lines.iter().map(|line| line.text() + "\n").collect()
}

fn line<'a>(page: &'a str, with: &str) -> Vec<&'a str> {
    let line = page.lines().find(|line| line.contains(with));
    line.unwrap_or_else(|| panic!("`{with}` is not in\n{page}")).split_whitespace().collect()
}

fn summary() -> Value {
    let used = |cpu: i64, memory: i64| json!({"cpu": {"usageNanoCores": cpu * 1_000_000}, "memory": {"workingSetBytes": memory << 20}});
    let with = |mut value: Value, key: &str, more: Value| {
        value[key] = more;
        value
    };
    let container = |name: &str, cpu, memory| with(used(cpu, memory), "name", json!(name));
    let pod = |name: &str, uid: &str, cpu, memory, containers: Value| {
        let about = json!({"namespace": "shop", "name": name, "uid": uid});
        with(with(used(cpu, memory), "podRef", about), "containers", containers)
    };
    let web = json!([container("side", 10, 8), container("web", 90, 120)]);
    let volume = json!([{"name": "scratch", "usedBytes": 4096, "inodesUsed": 1234}]);
    json!({
        "node": with(used(1000, 2048), "fs", json!({"capacityBytes": 10, "availableBytes": -5, "inodes": 1, "inodesFree": i64::MIN})),
        "pods": [with(pod("web-1", "u1", 100, 128, web), "volume", volume),
            pod("db-0", "u2", 300, 95, json!([container("db", 300, 95)]))],
    })
}

#[test]
fn pods_and_containers_stand_by_cpu_beside_what_they_ask_for() {
    let page = text(&Seen { summary: Ok(summary()), ..seen() });
    assert!(page.contains("1 in use of 4 allocatable (25 %)"), "{page}");
    assert!(page.contains("2Gi working set of 8Gi allocatable (25 %)"), "{page}");
    // Of one container the pod says it all; no CPU limit anywhere, so there is no such column.
    assert_eq!(line(&page, "shop/db-0"), ["shop/db-0", "db", "300m", "1", "95Mi", "64Mi", "100Mi"]);
    assert_eq!(
        line(&page, "shop/web-1"),
        ["shop/web-1", "100m", "250m", "128Mi", "128Mi", "576Mi"]
    );
    let order =
        ["shop/db-0", "shop/web-1", "  web ", "  side "].map(|name| page.find(name).unwrap());
    assert!(order.is_sorted(), "{page}");
    assert_eq!(line(&page, "scratch").last(), Some(&"1,234"), "inodes of an emptyDir");
}

#[test]
fn without_a_summary_memory_is_told_and_why_cpu_is_not() {
    let wants = [
        Want::total("node_memory_working_set_bytes"),
        Want::by("container_memory_working_set_bytes", &["namespace", "pod", "container"]),
    ];
    let told = "node_memory_working_set_bytes 1073741824\n\
                container_memory_working_set_bytes{namespace=\"shop\",pod=\"web-1\",container=\"web\"} 104857600\n\
                container_memory_working_set_bytes{namespace=\"shop\",pod=\"web-1\",container=\"side\"} 1048576\n\
                container_memory_working_set_bytes{namespace=\"shop\",pod=\"db-0\",container=\"db\"} 209715200\n";
    let page = text(&Seen { resource: Ok(scrape(&wants, told)), ..seen() });
    assert!(page.contains("1Gi working set of 8Gi allocatable (12 %)"), "{page}");
    assert!(page.contains("a counter alone"), "{page}");
    assert_eq!(line(&page, "shop/db-0"), ["shop/db-0", "db", "1", "200Mi", "64Mi", "100Mi"]);
    assert!(page.find("shop/db-0").unwrap() < page.find("shop/web-1").unwrap(), "{page}");
}

#[test]
fn the_worst_comes_first_and_sums_over_pods_are_not_counted_again() {
    let of = &["namespace", "pod", "container"];
    let killed: String = (0..30)
        .map(|i| format!("container_oom_events_total{{namespace=\"shop\",pod=\"p-{i:02}\",container=\"c\"}} {}\n", i + 1))
        .collect();
    let killed =
        killed + "container_oom_events_total{namespace=\"shop\",pod=\"p-00\",container=\"\"} 99\n";
    let cadvisor = scrape(&[Want::by("container_oom_events_total", of)], &killed);
    let by = &["namespace", "pod", "container", "probe_type", "result"];
    let probe = |pod: &str, n: i64| {
        format!(
            "prober_probe_total{{namespace=\"shop\",pod=\"{pod}\",container=\"c\",probe_type=\"Liveness\",result=\"failed\"}} {n}\n"
        )
    };
    let probes = scrape(&[Want::by("prober_probe_total", by)], &(probe("a", 2) + &probe("b", 70)));
    let page = text(&Seen { cadvisor: Ok(cadvisor), probes: Ok(probes), ..seen() });
    assert!(line(&page, "Out of memory").ends_with(&["shop/p-29", "c", "30x"]), "{page}");
    assert!(page.contains("and 10 more") && !page.contains("99x"), "{page}");
    assert!(page.find("shop/b c").unwrap() < page.find("shop/a c").unwrap(), "{page}");
}
