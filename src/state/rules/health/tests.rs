//! The board from facts made by hand.

use super::*;
use crate::state::kinds::testing::draft;
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
    let lines = board(&facts(vec![]), NOW);
    assert_eq!(find(&lines, "leader", "kube-controller-manager").verdict, Verdict::Unknown);
    // A longer lease has a longer deadline.
    for (ago, verdict) in [(39, Verdict::Ok), (40, Verdict::Warn), (60, Verdict::Bad)] {
        let long = Lease { duration: 60, ..lease("kube-scheduler", ago) };
        let lines = board(&facts(vec![long]), NOW);
        assert_eq!(find(&lines, "leader", "kube-scheduler").verdict, verdict, "{ago}");
    }
}

#[test]
fn a_handover_has_some_seconds() {
    for (ago, verdict) in [(1, Verdict::Warn), (9, Verdict::Warn), (10, Verdict::Bad)] {
        // As client-go leaves it (`tools/leaderelection`, release).
        let released = Lease { holder: String::new(), duration: 1, ..lease("kube-scheduler", ago) };
        let lines = board(&facts(vec![released]), NOW);
        let line = find(&lines, "leader", "kube-scheduler");
        let words = format!("nobody leads: the last holder gave it up {ago}s ago");
        assert!(line.verdict == verdict && line.why.starts_with(&words), "{line:?}");
    }
}

#[test]
fn a_leader_that_misses_renewals_is_looked_at_again_soon_until_it_is_lost() {
    let late = |name, ago| facts(vec![lease(name, ago)]).is_leader_late();
    let seen = [2, 4, 5, 12, 15, 16].map(|ago| late("kube-scheduler", ago));
    assert_eq!(seen, [false, false, true, true, true, false]);
    assert!(!late("somebody-else", 12));
    // One of a longer lease renews less often.
    let long = Lease { duration: 137, ..lease("kube-scheduler", 26) };
    assert!(!facts(vec![long]).is_leader_late());
}

#[test]
fn ages_stand_still_while_leases_are_not_read() {
    let server = Lease { is_server: true, ..lease("apiserver-x", 5) };
    let mut facts = facts(vec![lease("kube-scheduler", 2), server]);
    let later = Epoch(NOW.0 + 30);
    facts.put_leases(Err(Trouble::Failed("no answer within 6 s".into())), later);
    let lines = board(&facts, later);
    let line = find(&lines, "leader", "kube-scheduler");
    assert!(line.verdict == Verdict::Ok && line.why.contains("renewed 2s ago"), "{line:?}");
    assert_eq!(line.at, NOW, "it says when that was");
    assert_eq!(find(&lines, "etcd", "writes").verdict, Verdict::Ok);
    assert_eq!(find(&lines, "reading", "leases").verdict, Verdict::Warn);
    let lines = board(&facts, Epoch(NOW.0 + 60));
    assert_eq!(find(&lines, "etcd", "writes").verdict, Verdict::Unknown, "that is too long ago");
}

#[test]
fn a_leader_that_died_while_nobody_looked_is_lost() {
    let mut facts = facts(vec![lease("kube-scheduler", 2)]);
    facts.version.put(Ok("v1.36.2".into()), NOW);
    facts.rest();
    assert!(!facts.is_whole() && facts.version.seen.is_none(), "what was read is read anew");
    let back = Epoch(NOW.0 + 600);
    let lines = board(&facts, back);
    assert!(lines.iter().all(|line| line.part != "leader"), "nothing old is shown as now");
    // It renewed once more, 8 s after we had looked away.
    facts.put_leases(Ok(vec![lease("kube-scheduler", -8)]), back);
    let lines = board(&facts, back);
    let line = find(&lines, "leader", "kube-scheduler");
    assert!(line.verdict == Verdict::Bad && line.why.contains("not renewed for 9m52s"), "{line:?}");
}

#[test]
fn what_was_left_behind_is_not_lost() {
    let verdict = |name: &str, ago| {
        let lines = board(&facts(vec![lease(name, ago)]), NOW);
        find(&lines, "leader", name).verdict
    };
    assert_eq!(verdict("cloud-controller-manager", 3600), Verdict::Bad);
    assert_eq!(verdict("cloud-controller-manager", 90_000), Verdict::Unknown);
    assert_eq!(verdict("kube-scheduler", 90_000), Verdict::Bad, "every cluster has one");
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
    // One that stays silent while another lives was replaced, it seems; alone it is worth a look for longer.
    let lines = board(&facts(vec![server("apiserver-a", 1), server("apiserver-b", 400)]), NOW);
    assert_eq!(find(&lines, "server", "apiserver-b").verdict, Verdict::Unknown);
    let lines = board(&facts(vec![server("apiserver-b", 400)]), NOW);
    assert_eq!(find(&lines, "server", "apiserver-b").verdict, Verdict::Warn);
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
    facts.put_leases(Ok(vec![lease("kube-scheduler", 118)]), at(14));
    assert_eq!(verdict(&facts, at(14)), Verdict::Warn);
    facts.put_leases(Ok(vec![lease("kube-scheduler", 118)]), at(19));
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
        facts.put_calls(Ok(calls), NOW);
        find(&board(&facts, NOW), "etcd", "writes").clone()
    };
    let writes = |tried, failed| Some(Writes { tried, failed, seconds: 15.0 });
    for (leases, writes, verdict, words) in [
        (vec![], None, Verdict::Unknown, "cannot be told"),
        (vec![server(3)], None, Verdict::Ok, "renewed its own lease 3s ago"),
        (vec![server(40)], None, Verdict::Bad, "writes fail: the API server has not renewed"),
        // One that is gone leaves its lease for an hour; another one lives.
        (vec![server(3000), server(3)], None, Verdict::Ok, "renewed"),
        (vec![server(3)], writes(3.0, 3.0), Verdict::Bad, "writes fail: all 3 in the last 15 s"),
        (
            vec![server(3)],
            writes(40.0, 36.0),
            Verdict::Bad,
            "writes fail: 36 of 40 in the last 15 s",
        ),
        // Two are too few to tell by; the lease tells.
        (vec![server(3)], writes(2.0, 2.0), Verdict::Ok, "renewed its own lease"),
        (vec![server(40)], writes(2.0, 2.0), Verdict::Bad, "writes fail: the API server has not"),
        (vec![server(3)], writes(40.0, 4.0), Verdict::Warn, "4 of 40"),
        (vec![server(3)], writes(40.0, 1.0), Verdict::Ok, "40 writes"),
        (vec![server(3)], writes(0.0, 0.0), Verdict::Ok, "renewed"),
    ] {
        let line = told(leases, writes);
        assert!(line.verdict == verdict && line.why.contains(words), "{line:?}");
    }
}

#[test]
fn what_decided_gives_a_line_its_time_and_old_figures_decide_nothing() {
    let at = |seconds| Epoch(NOW.0 + seconds);
    let writes = Writes { tried: 40.0, failed: 40.0, seconds: 15.0 };
    let mut facts = facts(vec![]);
    facts.put_calls(Ok(Some(Calls { writes, ..Calls::default() })), at(5));
    let line = |facts: &Facts, now| find(&board(facts, now), "etcd", "writes").clone();
    assert_eq!((line(&facts, at(8)).verdict, line(&facts, at(8)).at), (Verdict::Bad, at(5)));
    facts.put_calls(Err(Trouble::Denied("get /metrics".into())), at(20));
    assert_eq!(line(&facts, at(45)).verdict, Verdict::Bad);
    let late = line(&facts, at(46));
    assert!(late.verdict == Verdict::Unknown && late.why.contains("cannot be read"), "{late:?}");
    facts.readyz.put(Ok("[-]etcd failed".into()), at(50));
    assert_eq!((line(&facts, at(52)).verdict, line(&facts, at(52)).at), (Verdict::Bad, at(50)));
    facts.readyz.put(Err(Trouble::Failed("no answer".into())), at(60));
    assert_eq!(line(&facts, at(100)).verdict, Verdict::Unknown);
}

#[test]
fn an_api_that_hangs_is_told_though_it_is_called_available() {
    let api = |name: &str, answer| ApiService {
        name: name.into(),
        service: "ops/adapter".into(),
        path: format!("/apis/{name}"),
        available: ("True".into(), "Passed".into(), String::new()),
        answer,
    };
    let mut facts = Facts::default();
    let all = vec![api("a", Answer::Came), api("b", Answer::Failed("no answer within 4 s".into()))];
    facts.services.put(Ok(all), NOW);
    let lines = board(&facts, NOW);
    let line = find(&lines, "api", "b");
    assert_eq!(line.verdict, Verdict::Bad);
    for words in
        ["though its condition still says", "GET /apis/b: no answer within 4 s", "ops/adapter"]
    {
        assert!(line.why.contains(words), "{line:?}");
    }
    assert_eq!(find(&lines, "api", "(all)").why, "1 of 2 are not available");
    facts.services.put(Ok(vec![api("a", Answer::Came), api("c", Answer::Unasked)]), NOW);
    let lines = board(&facts, NOW);
    let words = "all 2 are available, 2 by a service; 1 of these were not asked themselves";
    assert_eq!(find(&lines, "api", "(all)").why, words);
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
    let webhook = |facts: &Facts| {
        find(&board(facts, NOW), "webhook", "validating/guard/pods.guard.example").clone()
    };
    let line = webhook(&facts);
    assert!(line.verdict == Verdict::Bad && line.why.contains("refused (CREATE pods)"), "{line:?}");
    facts.webhooks.put(Ok(webhooks("Ignore", Backend::NoService)), NOW);
    let line = webhook(&facts);
    assert!(
        line.verdict == Verdict::Warn && line.why.contains("there is no service ops/guard"),
        "{line:?}"
    );
    facts.webhooks.put(Ok(webhooks("Fail", Backend::Ready(2))), NOW);
    let line = webhook(&facts);
    assert!(line.verdict == Verdict::Ok && line.why.contains("15 s apart"), "{line:?}");
    // What could not be looked into says which right it takes.
    let denied = Trouble::Denied("list endpointslices".into());
    facts.webhooks.put(Ok(webhooks("Fail", Backend::Unread(denied))), NOW);
    let line = webhook(&facts);
    assert!(
        line.verdict == Verdict::Unknown && line.why.contains("the right to list endpointslices"),
        "{line:?}"
    );
}

/// A webhook of a configuration of its own with a URL.
fn far(config: &str, kind: &'static str) -> Webhook {
    Webhook {
        name: "guard.example".into(),
        config: config.into(),
        kind,
        url: "https://far.example/".into(),
        fails: true,
        about: "CREATE pods".into(),
        ..Webhook::default()
    }
}

fn counted(kind: &str, called: f64, failed: f64) -> Calls {
    let by = [(("guard.example".to_owned(), kind.to_owned()), Count { called, failed })].into();
    Calls { seconds: 15.0, by, process: 1, writes: Writes::default() }
}

#[test]
fn webhooks_are_judged_by_how_many_of_their_calls_fail() {
    let at = |seconds| Epoch(NOW.0 + seconds);
    let mut facts = Facts::default();
    facts.webhooks.put(Ok(vec![far("guard", "validating")]), NOW);
    let line = |facts: &Facts, now| {
        find(&board(facts, now), "webhook", "validating/guard/guard.example").clone()
    };
    for (second, calls, verdict, words) in [
        (0, counted("validating", 0.0, 0.0), Verdict::Unknown, "not called in 15 s"),
        (15, counted("validating", 12.0, 0.0), Verdict::Ok, "none of 12 calls failed in 15 s"),
        (
            30,
            counted("validating", 3000.0, 3.0),
            Verdict::Warn,
            "3 of 3,000 calls of https://far.example/ failed in 15 s",
        ),
        (
            45,
            counted("validating", 4.0, 4.0),
            Verdict::Bad,
            "all 4 calls of https://far.example/ failed in 15 s",
        ),
        // Nobody calls it any more: that does not mend it.
        (
            75,
            counted("validating", 0.0, 0.0),
            Verdict::Bad,
            "30s ago, and none is known to have succeeded since",
        ),
        (90, counted("validating", 1.0, 0.0), Verdict::Ok, "none of 1 calls failed"),
        // Another server's namesake of the other sort is somebody else.
        (105, counted("admit", 4.0, 4.0), Verdict::Unknown, "not called"),
    ] {
        facts.put_calls(Ok(Some(calls)), at(second));
        let line = line(&facts, at(second));
        assert!(line.verdict == verdict && line.why.contains(words), "{second}: {line:?}");
    }
    facts.put_calls(Ok(Some(counted("validating", 4.0, 4.0))), at(120));
    assert_eq!(line(&facts, at(130)).at, at(120), "the calls decided");
    // Another process behind the same address succeeds: of the first that says nothing yet.
    let other = Calls { process: 2, ..counted("validating", 4.0, 0.0) };
    facts.put_calls(Ok(Some(other.clone())), at(135));
    assert_eq!(line(&facts, at(135)).verdict, Verdict::Bad);
    facts.put_calls(Ok(Some(other)), at(190));
    assert_eq!(line(&facts, at(190)).verdict, Verdict::Ok);
}

#[test]
fn webhooks_of_one_name_are_told_apart_as_far_as_they_can_be() {
    let mut facts = Facts::default();
    let all = vec![far("guard", "validating"), far("guard", "mutating"), far("gate", "validating")];
    facts.webhooks.put(Ok(all), NOW);
    facts.put_calls(Ok(Some(counted("admit", 2.0, 2.0))), NOW);
    let lines = board(&facts, NOW);
    let verdict = |name: &str| find(&lines, "webhook", name).verdict;
    assert_eq!(verdict("mutating/guard/guard.example"), Verdict::Bad);
    assert_eq!(verdict("validating/guard/guard.example"), Verdict::Unknown);
    facts.put_calls(Ok(Some(counted("validating", 2.0, 2.0))), NOW);
    let lines = board(&facts, NOW);
    for name in ["validating/guard/guard.example", "validating/gate/guard.example"] {
        let line = find(&lines, "webhook", name);
        assert!(line.why.contains("one of the 2 configurations"), "{line:?}");
    }
}

#[test]
fn a_conversion_that_fails_is_told_by_its_definition() {
    let mut facts = Facts::default();
    facts.put_calls(Ok(Some(counted(CONVERSION, 3.0, 3.0))), NOW);
    let lines = board(&facts, NOW);
    let line = find(&lines, "webhook", "conversion/guard.example");
    assert!(line.verdict == Verdict::Bad && line.why.contains("all 3 calls"), "{line:?}");
    facts.put_calls(Ok(Some(counted(CONVERSION, 3.0, 0.0))), NOW);
    let lines = board(&facts, NOW);
    assert_eq!(find(&lines, "webhook", "conversion/guard.example").verdict, Verdict::Ok);
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
        let mut facts = Facts::default();
        facts.put_certificates(papers(vec![certificate("x", Holder::Server, valid)], None), NOW);
        let lines = board(&facts, NOW);
        assert_eq!(find(&lines, "certificate", "x").verdict, verdict, "{life} {left}");
    }
}

/// One signed by `CN=ca`.
fn certificate(name: &str, holder: Holder, valid: (Epoch, Epoch)) -> Certificate {
    let subject = format!("CN={name}");
    Certificate {
        name: name.into(),
        holder,
        subject,
        issuer: "CN=ca".into(),
        valid,
        then: "all is lost",
    }
}

fn papers(all: Vec<Certificate>, hidden: Option<&str>) -> Papers {
    let all = all.into_iter().map(|certificate| (NOW, certificate)).collect();
    Papers { all, hidden: hidden.map(str::to_owned) }
}

/// Valid for a long time yet, or no longer.
fn life(is_over: bool) -> (Epoch, Epoch) {
    let year = 31_536_000;
    let shift = if is_over { year } else { 0 };
    (Epoch(NOW.0 - year / 2 - shift), Epoch(NOW.0 + year / 2 - shift))
}

#[test]
fn an_expired_authority_that_signed_nothing_shown_is_no_alarm() {
    let server = certificate("server", Holder::Server, life(false));
    let ca = |name: &str, is_over| certificate(name, Holder::Authority, life(is_over));
    let verdict = |all: Vec<Certificate>, hidden, name: &str| {
        let mut facts = Facts::default();
        facts.put_certificates(papers(all, hidden), NOW);
        let line = find(&board(&facts, NOW), "certificate", name).clone();
        (line.verdict, line.why.contains("all is lost"))
    };
    assert_eq!(verdict(vec![server.clone(), ca("ca", true)], None, "ca"), (Verdict::Bad, true));
    let old = vec![server.clone(), ca("ca", false), ca("old", true)];
    assert_eq!(verdict(old, None, "old"), (Verdict::Warn, false));
    // Rolled over under one name.
    let next = Certificate { name: "next".into(), ..ca("ca", false) };
    assert_eq!(verdict(vec![server, ca("ca", true), next], None, "ca"), (Verdict::Warn, false));
    // Where nothing is shown it counts whether any is valid.
    let hidden = Some("a proxy");
    assert_eq!(verdict(vec![ca("ca", true)], hidden, "ca"), (Verdict::Bad, true));
    assert_eq!(verdict(vec![ca("ca", true), ca("b", false)], hidden, "ca"), (Verdict::Warn, false));
}

#[test]
fn a_certificate_that_is_not_to_be_seen_is_said_and_keeps_what_was_seen() {
    let server = certificate("server", Holder::Server, life(false));
    let client = certificate("client", Holder::Client, life(false));
    let mut facts = Facts::default();
    facts.put_certificates(papers(vec![server, client.clone()], None), NOW);
    let later = Epoch(NOW.0 + 900);
    let mut hidden = papers(vec![client], Some("no handshake within 5 s"));
    hidden.all[0].0 = later;
    facts.put_certificates(hidden, later);
    let lines = board(&facts, later);
    let line = find(&lines, "certificate", "API server, now");
    assert_eq!(line.verdict, Verdict::Unknown);
    assert!(
        line.why.contains("no handshake within 5 s") && line.why.contains("earlier"),
        "{line:?}"
    );
    assert_eq!(find(&lines, "certificate", "server").at, NOW);
    assert_eq!(find(&lines, "certificate", "client").at, later);
    assert_eq!(lines.iter().filter(|line| line.name == "client").count(), 1);
}

#[test]
fn a_certificate_is_seen_again_before_it_is_called_expired() {
    let soon = (Epoch(NOW.0 - 1000), Epoch(NOW.0 + 100));
    let mut facts = Facts::default();
    let both = vec![
        certificate("x", Holder::Client, soon),
        certificate("gone", Holder::Client, life(true)),
    ];
    facts.put_certificates(papers(both, None), NOW);
    assert_eq!(facts.certificate_ends_in(NOW), Some(100));
    let verdict = |facts: &Facts| {
        let lines = board(facts, Epoch(NOW.0 + 101));
        find(&lines, "certificate", "x").verdict
    };
    assert_eq!(verdict(&facts), Verdict::Unknown, "it may have been renewed since");
    let mut again = papers(vec![certificate("x", Holder::Client, soon)], None);
    again.all[0].0 = Epoch(NOW.0 + 101);
    facts.put_certificates(again, Epoch(NOW.0 + 101));
    assert_eq!(verdict(&facts), Verdict::Bad);
}

#[test]
fn nodes_and_versions_are_summed_and_the_ill_named() {
    let node = |name: &str, ready: &str, kubelet: &str, pressure: &str| {
        let pressures = if pressure == "True" { vec!["DiskPressure".to_owned()] } else { vec![] };
        let (reason, since) = ("why".to_owned(), Epoch::default());
        let (name, ready, kubelet) = (name.to_owned(), ready.to_owned(), kubelet.to_owned());
        Node { name, ready, reason, since, pressures, kubelet, ..Node::default() }
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
    assert_eq!(verdict("version", "kubelet v1.33.0"), Verdict::Ok, "3 minors are supported");
    assert_eq!(verdict("version", "kubelet v1.32.9-eks-1"), Verdict::Bad);
    assert_eq!(verdict("version", "kubelet v1.37.0"), Verdict::Bad);
}

#[test]
fn this_program_is_well_with_the_servers_it_is_made_for() {
    for (server, verdict) in [
        ("v1.29.9", Verdict::Warn),
        ("v1.30.0", Verdict::Ok),
        ("v1.33.4-gke.100", Verdict::Ok),
        ("v1.37.2", Verdict::Ok),
        ("v1.40.0", Verdict::Ok),
        ("v1.41.0", Verdict::Warn),
    ] {
        let mut facts = Facts::default();
        facts.version.put(Ok(server.into()), NOW);
        let lines = board(&facts, NOW);
        assert_eq!(find(&lines, "version", "wheelhouse").verdict, verdict, "{server}");
    }
}

#[test]
fn any_condition_of_a_node_that_is_not_as_it_should_be_is_told() {
    let node = |name: &str, created: i64, conditions: &[(&str, &str)]| {
        let condition = |(kind, status): &(&str, &str)| json!({"type": kind, "status": status, "reason": "Because", "message": "it is so"});
        let conditions: Vec<_> = conditions.iter().map(condition).collect();
        let created = Epoch(NOW.0 - created).rfc3339();
        let object = json!({"metadata": {"name": name, "creationTimestamp": created},
            "status": {"conditions": conditions}});
        Node::of(&draft(&SHAPE, 0, &object))
    };
    let day = 86_400;
    let all = vec![
        node(
            "well",
            day,
            &[
                ("Ready", "True"),
                ("KernelDeadlock", "False"),
                ("StorageReady", "True"),
                ("EtcdIsVoter", "True"),
            ],
        ),
        node("drained", day, &[("Ready", "True"), ("Drained", "True")]),
        node("deadlock", day, &[("Ready", "True"), ("KernelDeadlock", "True")]),
        node("storage", day, &[("Ready", "True"), ("StorageReady", "False")]),
        node("network", day, &[("Ready", "True"), ("NetworkUnavailable", "True")]),
        node("new", 59, &[("Ready", "False")]),
        node("silent", 5, &[]),
    ];
    let mut facts = Facts::default();
    facts.nodes.put(Ok(all.clone()), NOW);
    let lines = board(&facts, NOW);
    let told = |name: &str| lines.iter().find(|l| l.part == "node" && l.name == name);
    assert!(told("well").is_none() && told("drained").is_none(), "{lines:?}");
    let words = "KernelDeadlock is True, Because: it is so";
    let line = find(&lines, "node", "deadlock");
    assert!(line.verdict == Verdict::Warn && line.why == words, "{line:?}");
    for name in ["storage", "network", "new", "silent", "(all)"] {
        assert_eq!(find(&lines, "node", name).verdict, Verdict::Warn, "{name}");
    }
    let words = "2 of 7 are not Ready, 1 under pressure, 2 with another condition that is not as it should be";
    assert_eq!(find(&lines, "node", "(all)").why, words);
    // A minute later those are no longer new.
    facts.nodes.put(Ok(all), Epoch(NOW.0 + 60));
    let lines = board(&facts, Epoch(NOW.0 + 60));
    for name in ["new", "silent", "(all)"] {
        assert_eq!(find(&lines, "node", name).verdict, Verdict::Bad, "{name}");
    }
}

#[test]
fn components_that_are_not_to_be_seen_are_not_passed_over() {
    let mut facts = Facts::default();
    facts.components.put(Ok(vec![]), NOW);
    let lines = board(&facts, NOW);
    let line = find(&lines, "component", "(all)");
    assert!(line.verdict == Verdict::Unknown && line.why.starts_with("not visible here"));
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
