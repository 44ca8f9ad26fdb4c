//! The board from facts made by hand.

use super::*;
use serde_json::json;

const NOW: Epoch = Epoch(1_800_000_000);

fn find<'a>(lines: &'a [Line], part: &str, name: &str) -> &'a Line {
    let line = lines.iter().find(|l| l.part == part && l.name == name);
    line.unwrap_or_else(|| panic!("no {part} {name} in {lines:#?}"))
}

fn lease(name: &str, ago: i64) -> Lease {
    let renewed = Epoch(NOW.0 - ago);
    Lease { name: name.into(), holder: "cp-a".into(), duration: 15, renewed, is_server: false }
}

fn facts(leases: Vec<Lease>) -> Facts {
    let mut facts = Facts::default();
    facts.put_leases(Ok(leases), NOW);
    facts
}

#[test]
fn checks_are_told_each_and_in_sum() {
    let mut facts = Facts::default();
    let text = "[+]ping ok\n[-]etcd failed: reason withheld\n[+]etcd-readiness excluded: ok\nreadyz check failed\n";
    facts.readyz.put(Ok(text.into()), NOW);
    facts.livez.put(Ok("ok".into()), NOW);
    let lines = board(&facts, NOW);
    let all = find(&lines, "readyz", "(all)");
    assert!(
        all.verdict == Verdict::Bad && all.why.starts_with("1 of 3 checks fail (etcd)"),
        "{all:?}"
    );
    let etcd = find(&lines, "readyz", "etcd");
    assert!(etcd.why.contains("no answer from etcd"), "{etcd:?}");
    assert_eq!(find(&lines, "readyz", "etcd-readiness").verdict, Verdict::Ok);
    assert_eq!(find(&lines, "livez", "(all)").verdict, Verdict::Ok);
    let writes = find(&lines, "etcd", "writes");
    assert!(
        writes.why.starts_with("writes fail: the API server does not reach etcd"),
        "{writes:?}"
    );
    assert!(lines.is_sorted_by_key(|line| line.verdict), "worst first");
    assert!(checks::passes("[-]etcdish failed", "etcd"), "another check of a longer name");
    assert!(!checks::passes("[-]etcd-readiness failed", "etcd"));
}

#[test]
fn a_leader_ages_from_10_s_and_is_lost_after_its_lease() {
    for (ago, verdict, words) in [
        (0, Verdict::Ok, "held by cp-a, renewed 0s ago"),
        (9, Verdict::Ok, "renewed 9s ago"),
        (10, Verdict::Warn, "not renewed for 10 s (lease 15 s) by cp-a"),
        (14, Verdict::Warn, "not renewed for 14 s"),
        (15, Verdict::Bad, "lost: not renewed for 15s"),
        (4000, Verdict::Bad, "new pods are not placed on nodes"),
    ] {
        let lines = board(&facts(vec![lease("kube-scheduler", ago)]), NOW);
        let line = find(&lines, "leader", "kube-scheduler");
        assert!(line.verdict == verdict && line.why.contains(words), "{ago}: {line:?}");
    }
    let released = Lease { holder: String::new(), ..lease("kube-scheduler", 1) };
    let lines = board(&facts(vec![released]), NOW);
    assert!(find(&lines, "leader", "kube-scheduler").why.starts_with("nobody leads"));
    assert_eq!(find(&lines, "leader", "kube-controller-manager").verdict, Verdict::Unknown);
}

#[test]
fn api_servers_are_told_by_their_own_leases() {
    let server = |name: &str, ago| Lease { is_server: true, ..lease(name, ago) };
    let lines = board(&facts(vec![server("apiserver-b", 8), server("apiserver-a", 59)]), NOW);
    let line = find(&lines, "server", "leases");
    assert_eq!(
        (line.verdict, line.why.as_str()),
        (Verdict::Ok, "2 API servers renewed within the last minute: apiserver-a, apiserver-b")
    );
    let lines = board(&facts(vec![server("apiserver-a", 1), server("apiserver-b", 60)]), NOW);
    let line = find(&lines, "server", "apiserver-b");
    assert_eq!(line.verdict, Verdict::Warn);
    assert!(line.why.starts_with("not renewed for 60s (every 10 s)"), "{}", line.why);
    // Where they keep none there is nothing to tell.
    assert!(board(&facts(vec![lease("x", 1)]), NOW).iter().all(|l| l.part != "server"));
}

#[test]
fn a_holder_whose_clock_is_wrong_is_not_lost() {
    let at = |seconds| Epoch(NOW.0 + seconds);
    // Its clock is two minutes slow.
    let mut facts = facts(vec![lease("kube-scheduler", 120)]);
    let verdict = |facts: &Facts, now| find(&board(facts, now), "leader", "kube-scheduler").verdict;
    assert_eq!(verdict(&facts, NOW), Verdict::Bad);
    facts.put_leases(Ok(vec![lease("kube-scheduler", 118)]), at(4));
    assert_eq!(verdict(&facts, at(4)), Verdict::Ok, "it was seen to renew");
    facts.put_leases(Ok(vec![lease("kube-scheduler", 118)]), at(8));
    assert_eq!(verdict(&facts, at(14)), Verdict::Warn);
    assert_eq!(verdict(&facts, at(19)), Verdict::Bad);
    // The server's clock is ahead of ours, and the lease agrees with it.
    let mut ahead = Facts { skew: 50, ..Facts::default() };
    ahead.put_leases(Ok(vec![lease("kube-scheduler", -50)]), NOW);
    assert_eq!(verdict(&ahead, NOW), Verdict::Ok);
}

#[test]
fn writes_that_fail_are_told_though_reads_pass() {
    let server = |ago| Lease { is_server: true, ..lease("apiserver-x", ago) };
    let told = |leases, writes: Option<Writes>| {
        let mut facts = facts(leases);
        facts.readyz.put(Ok("[+]etcd ok\n".into()), NOW);
        let calls = writes.map(|writes| Calls { writes, ..Calls::default() });
        facts.calls.put(Ok(calls), NOW);
        find(&board(&facts, NOW), "etcd", "writes").clone()
    };
    let writes = |tried, failed| Some(Writes { tried, failed, seconds: 15.0 });
    for (leases, writes, verdict, words) in [
        (vec![], None, Verdict::Unknown, "cannot be told"),
        (vec![server(3)], None, Verdict::Ok, "renewed its own lease 3s ago"),
        (vec![server(40)], None, Verdict::Bad, "writes fail: the API server has not renewed"),
        // One that is gone leaves its lease for an hour; another one lives.
        (vec![server(3000), server(3)], None, Verdict::Ok, "renewed"),
        (vec![server(3)], writes(2.0, 2.0), Verdict::Bad, "writes fail: all 2 of the last 15 s"),
        (vec![server(3)], writes(40.0, 4.0), Verdict::Warn, "4 of 40"),
        (vec![server(3)], writes(40.0, 1.0), Verdict::Ok, "40 writes"),
        (vec![server(3)], writes(0.0, 0.0), Verdict::Ok, "renewed"),
    ] {
        let line = told(leases, writes);
        assert!(line.verdict == verdict && line.why.contains(words), "{line:?}");
    }
}

#[test]
fn apis_and_webhooks_say_what_their_absence_does() {
    let api = |name: &str, status: &str| {
        ApiService::of(&json!({
            "metadata": {"name": name}, "spec": {"service": {"namespace": "ops", "name": "adapter"}},
            "status": {"conditions": [{"type": "Available", "status": status, "reason": "MissingEndpoints",
                "message": "endpoints for service/adapter in \"ops\" have no addresses"}]},
        }))
    };
    let webhooks = |policy: &str, backend| {
        let config = json!({"metadata": {"name": "guard"}, "webhooks": [{
            "name": "pods.guard.example", "failurePolicy": policy,
            "clientConfig": {"service": {"namespace": "ops", "name": "guard"}},
            "rules": [{"operations": ["CREATE"], "resources": ["pods"]}],
        }]});
        let mut all = Webhook::of(&config, "validating");
        all[0].backend = backend;
        all
    };
    let mut facts = Facts::default();
    facts.services.put(Ok(vec![api("v1.a", "True"), api("v1.b", "False")]), NOW);
    facts.webhooks.put(Ok(webhooks("Fail", Backend::Ready(0))), NOW);
    let lines = board(&facts, NOW);
    let line = find(&lines, "api", "v1.b");
    for words in ["MissingEndpoints", "no addresses", "503", "ops/adapter"] {
        assert!(line.why.contains(words), "{line:?}");
    }
    assert_eq!(find(&lines, "api", "(all)").why, "1 of 2 are not available");
    let webhook =
        |facts: &Facts| find(&board(facts, NOW), "webhook", "guard/pods.guard.example").clone();
    let line = webhook(&facts);
    assert!(line.verdict == Verdict::Bad && line.why.contains("refused (CREATE pods)"), "{line:?}");
    facts.webhooks.put(Ok(webhooks("Ignore", Backend::NoService)), NOW);
    let line = webhook(&facts);
    assert!(
        line.verdict == Verdict::Warn && line.why.contains("there is no service ops/guard"),
        "{line:?}"
    );
    facts.webhooks.put(Ok(webhooks("Fail", Backend::Ready(2))), NOW);
    assert_eq!(webhook(&facts).verdict, Verdict::Ok);
    let failed = [("pods.guard.example".to_owned(), 3.0)].into();
    facts.calls.put(Ok(Some(Calls { failed, writes: Writes::default() })), NOW);
    let line = webhook(&facts);
    assert!(line.verdict == Verdict::Bad && line.why.starts_with("3 calls of"), "{line:?}");
}

#[test]
fn certificates_are_measured_by_their_own_life() {
    const DAY: i64 = 86_400;
    for (life, left, verdict) in [
        (365 * DAY, 100 * DAY, Verdict::Ok),
        (365 * DAY, 29 * DAY, Verdict::Warn),
        (365 * DAY, 6 * DAY, Verdict::Bad),
        (365 * DAY, -1, Verdict::Bad),
        (DAY, 6 * 3600, Verdict::Ok),
        (DAY, 4 * 3600, Verdict::Warn),
        (DAY, 3600, Verdict::Bad),
    ] {
        let until = NOW.0 + left;
        let valid = (Epoch(until - life), Epoch(until));
        let one = Certificate { name: "x".into(), subject: "CN=x".into(), valid, then: "gone" };
        let mut facts = Facts::default();
        facts.certificates.put(Ok(vec![one]), NOW);
        let lines = board(&facts, NOW);
        assert_eq!(find(&lines, "certificate", "x").verdict, verdict, "{life} {left}");
    }
}

#[test]
fn nodes_and_versions_are_summed_and_the_ill_named() {
    let node = |name: &str, ready: &str, kubelet: &str, pressure: &str| {
        let pressures = if pressure == "True" { vec!["DiskPressure".to_owned()] } else { vec![] };
        let (reason, since) = ("why".to_owned(), Epoch::default());
        let (name, ready, kubelet) = (name.to_owned(), ready.to_owned(), kubelet.to_owned());
        Node { name, ready, reason, since, pressures, kubelet }
    };
    let mut facts = Facts::default();
    facts.version.put(Ok("v1.36.2".into()), NOW);
    facts.nodes.put(
        Ok(vec![
            node("a", "True", "v1.36.2", "False"),
            node("b", "Unknown", "v1.33.0", "False"),
            node("c", "True", "v1.32.9-eks-1", "True"),
            node("d", "True", "v1.37.0", "False"),
        ]),
        NOW,
    );
    let lines = board(&facts, NOW);
    let verdict = |part, name| find(&lines, part, name).verdict;
    assert_eq!(find(&lines, "node", "(all)").why, "1 of 4 are not Ready, 1 under pressure");
    assert_eq!((verdict("node", "b"), verdict("node", "c")), (Verdict::Bad, Verdict::Warn));
    assert_eq!(verdict("version", "kubelet v1.36.2"), Verdict::Ok);
    assert_eq!(verdict("version", "kubelet v1.33.0"), Verdict::Warn);
    assert_eq!(verdict("version", "kubelet v1.32.9-eks-1"), Verdict::Bad);
    assert_eq!(verdict("version", "kubelet v1.37.0"), Verdict::Bad);
}

#[test]
fn component_statuses_of_another_machine_are_no_alarm_but_etcd_is() {
    let status = |name: &str| {
        Status::of(&json!({"metadata": {"name": name}, "conditions": [
        {"type": "Healthy", "status": "False", "message": "connection refused"}]}))
    };
    let mut facts = facts(vec![lease("kube-scheduler", 1)]);
    let all = ["scheduler", "controller-manager", "etcd-0"].map(status);
    facts.statuses.put(Ok(all.into()), NOW);
    let lines = board(&facts, NOW);
    let verdict = |name| find(&lines, "status", name).verdict;
    assert_eq!(verdict("scheduler"), Verdict::Ok, "its lease is fresh");
    assert_eq!(verdict("controller-manager"), Verdict::Unknown);
    assert_eq!(verdict("etcd-0"), Verdict::Bad);
}

#[test]
fn what_cannot_be_read_is_said_with_the_right_it_takes_and_its_age() {
    let mut facts = Facts::default();
    facts.readyz.put(Ok("[+]ping ok\n".into()), Epoch(NOW.0 - 60));
    facts.readyz.put(Err(Trouble::Failed("no answer within 4 s".into())), Epoch(NOW.0 - 40));
    facts.readyz.put(Err(Trouble::Failed("no answer within 4 s".into())), NOW);
    facts.services.put(Err(Trouble::Denied("list apiservices".into())), NOW);
    facts.webhooks.put(Err(Trouble::Missing), NOW);
    let lines = board(&facts, NOW);
    let line = find(&lines, "reading", "readyz");
    let words = "could not be read for 40s: no answer within 4 s; what is shown of it is 60s old";
    assert!(line.verdict == Verdict::Bad && line.why == words, "{line:?}");
    let line = find(&lines, "reading", "API services");
    assert!(line.verdict == Verdict::Unknown && line.why.contains("the right to list apiservices"));
    assert!(!lines.iter().any(|l| l.name == "webhooks"), "a server without has none");
    assert_eq!(find(&lines, "reading", "leases").why, "not read yet");
    assert!(!facts.is_whole());
}
