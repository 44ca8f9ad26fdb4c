//! The feeds against a scripted API server: whatever it does, rows end up equal to the cluster and health tells how
//! they are. Time is virtual.

mod encode;
mod upstream;

use encode::pod;
use serde_json::{Value, json};
use std::time::Duration;
use upstream::*;
use wheelhouse::app::cluster::session::Permit;
use wheelhouse::state::health::Health;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn pods(numbers: std::ops::Range<usize>) -> Vec<Value> {
    numbers.map(pod).collect()
}

/// Pod `i` in a later version.
fn changed(i: usize, version: u64) -> Value {
    let mut pod = pod(i);
    pod["metadata"]["resourceVersion"] = json!(version.to_string());
    pod["status"]["phase"] = json!("Failed");
    pod
}

/// A WatchList of these pods, up to its end at `version`.
fn initial(speech: Speech, pods: &[Value], version: &str) -> Vec<Vec<u8>> {
    let events = pods.iter().map(|pod| speech.event("ADDED", pod));
    events.chain([speech.bookmark(version, true)]).collect()
}

fn names(rows: &[&str]) -> Vec<String> {
    rows.iter().map(|&row| row.to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_watch_list_is_followed_on_one_connection() {
    for speech in SPEECHES {
        let (reply, line) = speech.saying(&initial(speech, &pods(0..3), "2000"));
        let mut rig = Rig::scripted(vec![reply]).follow();
        rig.until_live().await;
        assert_eq!(rig.rows(), names(&["0@1000", "1@1001", "2@1002"]));
        line.say(
            [speech.event("MODIFIED", &changed(1, 2001)), speech.event("DELETED", &pod(0))]
                .concat(),
        );
        line.say(speech.event("ADDED", &pod(7)));
        rig.until("the events are applied", |rig| {
            rig.rows() == names(&["1@2001", "2@1002", "7@1007"])
        })
        .await;

        let asked = rig.asked();
        let [first] = &asked[..] else { panic!("one request, not {asked:?}") };
        assert_eq!(first.path, "/api/v1/pods");
        assert_eq!(first.accept, "application/vnd.kubernetes.protobuf,application/json");
        assert_eq!(first.accept_encoding, "identity");
        assert_eq!(first.permit, Some(Permit::Read));
        assert!(first.is_stream() && first.param("allowWatchBookmarks") == Some("true"));
        assert_eq!(first.param("resourceVersionMatch"), Some("NotOlderThan"));
        assert_eq!(first.param("resourceVersion"), None);
        let timeout: u64 = first.param("timeoutSeconds").unwrap().parse().unwrap();
        assert!((180..=200).contains(&timeout), "{timeout}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_watch_lists_pages_are_listed_and_the_session_remembers() {
    for speech in SPEECHES {
        let (watch, _line) = speech.open();
        let (second, _other) = speech.open();
        let forbidden =
            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        let mut rig = Rig::scripted(vec![
            speech.refusal(422, forbidden),
            speech.list(&pods(0..2), "50", "to/ken="),
            speech.list(&pods(2..3), "50", ""),
            watch,
            speech.list(&pods(0..0), "60", ""),
            second,
        ])
        .follow();
        rig.until_live().await;
        assert_eq!(rig.rows().len(), 3);
        let starting = Health::Starting { have: 0, of: None };
        assert_eq!(rig.healths[0].1, starting, "progress is told from the beginning");
        rig.spawn(Some("quiet"));
        rig.until("the other feed is live", |rig| {
            matches!(rig.store.feeds[1].health, Health::Live(_))
        })
        .await;

        let asked = rig.asked();
        assert!(asked[0].is_stream());
        assert_eq!(asked[1].query, "limit=500");
        assert_eq!(asked[2].query, "limit=5000&continue=to%2Fken%3D");
        assert_eq!(asked[3].param("resourceVersion"), Some("50"));
        assert!(!asked[4].is_watch() && asked[4].path == "/api/v1/namespaces/quiet/pods");
        assert_eq!(asked.len(), 6);
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_page_lists_anew_and_nothing_vanishes_before_the_sweep() {
    for speech in SPEECHES {
        let (watch, _line) = speech.open();
        let mut rig = Rig::scripted(vec![
            speech.refusal(422, "sendInitialEvents is forbidden"),
            speech.list(&pods(0..3), "50", "token"),
            speech.refusal(410, "The provided continue parameter is too old"),
            speech.list(&pods(1..2), "70", "again"),
            speech.list(&pods(5..6), "70", ""),
            watch,
        ])
        .follow();
        rig.until_live().await;
        assert_eq!(rig.rows(), names(&["1@1001", "5@1005"]));
        assert_eq!(rig.fewest, Some(2), "rows of the first attempt stay until the second ends");
        assert_eq!(rig.asked().last().unwrap().param("resourceVersion"), Some("70"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_position_lists_anew_whichever_way_it_is_told() {
    for speech in SPEECHES {
        for in_stream in [true, false] {
            let mut gone = vec![speech.ending(&initial(speech, &pods(0..4), "2000"))];
            match in_stream {
                true => gone.push(speech.ending(&[speech.error(410, "too old resource version")])),
                false => gone.push(speech.refusal(410, "too old resource version")),
            }
            let (again, _line) = speech.saying(&initial(speech, &pods(2..6), "3000"));
            gone.push(again);
            let mut rig = Rig::scripted(gone).follow();
            rig.until("listed twice", |rig| rig.rows().contains(&"5@1005".into())).await;
            rig.until_live().await;
            assert_eq!(rig.rows(), names(&["2@1002", "3@1003", "4@1004", "5@1005"]));
            assert_eq!(rig.fewest, Some(4), "the screen was never empty");
            let asked = rig.asked();
            assert_eq!(asked[1].param("resourceVersion"), Some("2000"));
            assert!(asked[2].is_stream() && asked[2].at - asked[1].at < secs(1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_expires_everything_is_not_hammered() {
    let speech = SPEECHES[0];
    let mut rig = Rig::new(move |asked| match asked.is_stream() {
        true => speech.ending(&initial(speech, &pods(0..1), "1")),
        false => speech.refusal(410, "too old"),
    })
    .follow();
    rig.pass(secs(600)).await;
    let lists = rig.asked().iter().filter(|a| a.is_stream()).count();
    assert!((10..60).contains(&lists), "{lists} lists in ten minutes");
    assert_eq!(rig.rows().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_watching_is_refused_lists_are_repeated() {
    for speech in SPEECHES {
        let mut lists = 0;
        let mut rig = Rig::new(move |asked| {
            if asked.is_watch() {
                return speech
                    .refusal(403, "pods is forbidden: User \"x\" cannot watch resource \"pods\"");
            }
            lists += 1;
            speech.list(&pods(lists..lists + 2), "50", "")
        })
        .follow();
        rig.until("polled", |rig| matches!(rig.health(), Health::Polled { every: 30, .. })).await;
        assert_eq!(rig.rows(), names(&["1@1001", "2@1002"]));
        let before = rig.now();
        rig.until("listed again", |rig| rig.rows() == names(&["2@1002", "3@1003"])).await;
        let pause = rig.now() - before;
        assert!(pause >= secs(30) && pause < secs(35), "{pause:?}");
        assert_eq!(rig.fewest, Some(2));
        rig.pass(secs(600)).await;
        let watches = rig.asked().iter().filter(|a| a.is_watch()).count();
        assert!((2..4).contains(&watches), "watching is tried again now and then: {watches}");
        let told = rig.healths.iter().filter(|(_, h)| matches!(h, Health::Polled { .. })).count();
        assert!(told > 15, "each list tells its time: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_refused_after_pages_is_polled_too() {
    let speech = SPEECHES[1];
    let mut rig = Rig::new(move |asked| match (asked.is_stream(), asked.is_watch()) {
        (true, _) => speech.refusal(400, "sendInitialEvents is unknown"),
        (_, true) => speech.refusal(403, "cannot watch"),
        _ => speech.list(&pods(0..1), "50", ""),
    })
    .follow();
    rig.until("polled", |rig| matches!(rig.health(), Health::Polled { .. })).await;
    assert_eq!(rig.rows().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_verb_and_resource_and_is_tried_again_slowly() {
    for speech in SPEECHES {
        let mut rig = Rig::new(move |_| speech.refusal(403, "pods is forbidden: no rule")).follow();
        rig.until("denied", |rig| matches!(rig.health(), Health::Denied { .. })).await;
        let Health::Denied { verb, resource, message } = rig.health().clone() else { panic!() };
        assert_eq!((verb, &*resource, &*message), ("list", "pods", "pods is forbidden: no rule"));
        rig.pass(secs(600)).await;
        let lists = rig.asked().iter().filter(|a| !a.is_watch()).count();
        assert!((8..=11).contains(&lists), "{lists} lists in ten minutes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_once_granted_is_not_given_up_at_the_first_refusal() {
    // An API server that starts answers before it has read its rules, and refuses everybody.
    for speech in SPEECHES {
        let (watch, _line) = speech.saying(&[speech.event("ADDED", &pod(5))]);
        let no = || speech.refusal(403, "pods is forbidden: RBAC: clusterrole not found");
        let first = speech.ending(&initial(speech, &pods(0..2), "2000"));
        let mut rig = Rig::scripted(vec![first, no(), no(), no(), watch]).follow();
        rig.until("the watch goes on", |rig| rig.rows().len() == 3).await;
        rig.until_live().await;
        assert_eq!(rig.asked()[4].param("resourceVersion"), Some("2000"));
        assert_eq!(rig.asked().len(), 5, "nothing is listed");
        let down = |h: &Health| matches!(h, Health::Down { fault, .. } if fault.contains("RBAC"));
        assert!(rig.healths.iter().any(|(_, health)| down(health)), "{:?}", rig.healths);
        assert!(rig.healths.iter().all(|(_, h)| !matches!(h, Health::Polled { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_that_was_taken_away_is_told_within_a_minute() {
    for speech in SPEECHES {
        for may_list in [true, false] {
            let mut first = Some(speech.ending(&initial(speech, &pods(0..2), "2000")));
            let mut rig = Rig::new(move |asked| {
                let list = || speech.list(&pods(0..2), "2000", "");
                let refused = || speech.refusal(403, "pods is forbidden: no rule");
                let allowed = (may_list && !asked.is_watch()).then(list);
                first.take().or(allowed).unwrap_or_else(refused)
            })
            .follow();
            rig.until("told", |rig| match rig.health() {
                Health::Polled { .. } => may_list,
                Health::Denied { .. } => !may_list,
                _ => false,
            })
            .await;
            assert!(rig.now() < secs(60), "{:?}", rig.now());
            rig.pass(secs(120)).await;
            let last = rig.health().clone();
            match may_list {
                true => assert!(matches!(last, Health::Polled { .. }), "{last:?}"),
                false => assert!(matches!(last, Health::Denied { verb: "list", .. }), "{last:?}"),
            }
            assert!(rig.asked().len() < 30, "{:#?}", rig.asked());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_in_the_middle_is_said_and_mended() {
    for speech in SPEECHES {
        let Reply::Whole(code, headers, mut page) = speech.list(&pods(0..9), "50", "") else {
            panic!()
        };
        page.truncate(page.len() - 700);
        let half = speech.event("MODIFIED", &changed(0, 900));
        let (watch, _line) = speech.open();
        let mut rig = Rig::scripted(vec![
            speech.refusal(422, "sendInitialEvents is forbidden"),
            Reply::Whole(code, headers, page),
            speech.list(&pods(0..9), "60", ""),
            speech.ending(&[speech.event("ADDED", &pod(11)), half[..half.len() / 2].to_vec()]),
            watch,
        ])
        .follow();
        let down = |rig: &Rig, words: &str| {
            rig.healths
                .iter()
                .any(|(_, h)| matches!(h, Health::Down { fault, .. } if fault.contains(words)))
        };
        rig.until("a cut list", |rig| down(rig, "the list was cut off")).await;
        rig.until("a cut watch", |rig| down(rig, "in the middle of an event")).await;
        rig.until_live().await;
        assert_eq!(rig.rows().len(), 10);
        assert!(rig.rows().contains(&"0@1000".to_owned()), "half an event changes nothing");
        assert_eq!(rig.asked().last().unwrap().param("resourceVersion"), Some("1011"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_torn_connection_is_mended_from_where_it_was() {
    let speech = SPEECHES[0];
    let (first, line) = speech.saying(&initial(speech, &pods(0..2), "2000"));
    let (second, _line) = speech.open();
    let mut rig = Rig::scripted(vec![first, Reply::Refused, second]).follow();
    rig.until_live().await;
    line.tear();
    rig.until("down", |rig| matches!(rig.health(), Health::Down { .. })).await;
    rig.until_live().await;
    assert_eq!(rig.asked()[2].param("resourceVersion"), Some("2000"));
    assert_eq!(rig.rows().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_server_s_wish_for_patience_is_honoured() {
    for code in [429, 503] {
        let wait = vec![("retry-after", "17".to_owned())];
        let speech = SPEECHES[1];
        let (watch, _line) = speech.saying(&initial(speech, &pods(0..1), "9"));
        let mut rig =
            Rig::scripted(vec![Reply::Whole(code, wait, b"slow down".to_vec()), watch]).follow();
        rig.until("down", |rig| matches!(rig.health(), Health::Down { .. })).await;
        let Health::Down { fault, retry } = rig.health().clone() else { panic!() };
        assert!(fault.contains("slow down") && retry.0 >= DAWN + 17, "{fault} {retry:?}");
        rig.until_live().await;
        assert!(rig.asked()[1].at >= secs(17));
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_goes_on_from_the_last_bookmark() {
    for speech in SPEECHES {
        let (first, line) = speech.saying(&initial(speech, &pods(0..1), "100"));
        let (second, _second) = speech.open();
        let mut rig = Rig::scripted(vec![first, second]).follow();
        rig.until_live().await;
        line.say([speech.event("ADDED", &pod(3)), speech.bookmark("5000", false)].concat());
        for _ in 0..3 {
            rig.pass(secs(60)).await;
            line.say(speech.bookmark("6000", false));
        }
        drop(line);
        rig.until("asked again", |rig| rig.asked().len() == 2).await;
        assert_eq!(rig.asked()[1].param("resourceVersion"), Some("6000"));
        rig.pass(secs(1)).await;
        assert!(matches!(rig.health(), Health::Live(_)));
        let down = rig
            .healths
            .iter()
            .find(|(_, h)| !matches!(h, Health::Starting { .. } | Health::Live(_)));
        assert_eq!(down, None, "an ordinary end is no trouble");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_always_ends_at_once_is_not_opened_in_a_hurry() {
    let speech = SPEECHES[1];
    let mut rig = Rig::new(move |asked| match asked.is_stream() {
        true => speech.ending(&initial(speech, &pods(0..1), "100")),
        false => speech.ending(&[]),
    })
    .follow();
    rig.pass(secs(600)).await;
    let watches = rig.asked().len();
    assert!((10..60).contains(&watches), "{watches} in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_server_is_stale_within_15_s_and_live_when_it_goes_on() {
    for speech in SPEECHES {
        let (reply, line) = speech.saying(&initial(speech, &pods(0..2), "100"));
        let mut replies = vec![reply];
        let mut rig = Rig::bare(move |_| replies.pop().unwrap_or(Reply::Hang)).follow();
        rig.until_live().await;
        let stopped = rig.now();
        rig.until("stale", |rig| matches!(rig.health(), Health::Stale(_))).await;
        assert!(rig.now() - stopped < secs(15), "{:?}", rig.now() - stopped);
        let Health::Stale(since) = *rig.health() else { panic!() };
        assert!((since.0 - DAWN - stopped.as_secs() as i64).abs() <= 1, "{since:?}");
        rig.pass(secs(60)).await;
        assert!(matches!(rig.health(), Health::Stale(_)), "nothing was heard");
        let probes = rig.probes();
        assert!(probes.windows(2).all(|two| two[1] - two[0] >= secs(10)), "{probes:?}");
        assert!((6..=8).contains(&probes.len()), "{probes:?}");

        line.say(speech.event("ADDED", &pod(5)));
        rig.until_live().await;
        assert_eq!(rig.rows().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn many_quiet_feeds_ask_no_more_often_than_one_and_stay_live() {
    let speech = SPEECHES[0];
    let lines = std::sync::Arc::new(std::sync::Mutex::new(vec![]));
    let keep = lines.clone();
    let mut rig = Rig::new(move |_| {
        let (reply, line) = speech.saying(&initial(speech, &[], "100"));
        keep.lock().unwrap().push(line);
        reply
    })
    .follow();
    for _ in 0..5 {
        rig.spawn(None);
    }
    rig.pass(secs(60)).await;
    let probes = rig.probes();
    assert!((4..=6).contains(&probes.len()), "{probes:?}");
    assert_eq!(rig.asked().len(), 6);
    let live = rig
        .store
        .feeds
        .iter()
        .filter(|f| matches!(f.health, Health::Live(at) if at.0 >= DAWN + 50));
    assert_eq!(live.count(), 6, "answers to probes count as heard");
    drop(lines);
}

#[tokio::test(start_paused = true)]
async fn while_events_come_nothing_is_asked() {
    let speech = SPEECHES[0];
    let (reply, line) = speech.saying(&initial(speech, &pods(0..1), "100"));
    let mut rig = Rig::scripted(vec![reply]).follow();
    for i in 0..20 {
        line.say(speech.event("MODIFIED", &changed(0, 101 + i)));
        rig.pass(secs(5)).await;
    }
    assert!(rig.probes().is_empty());
    assert!(matches!(rig.health(), Health::Live(at) if at.0 >= DAWN + 80), "{:?}", rig.health());
    assert!(
        rig.healths.len() < 16,
        "an unchanged health is told every ten seconds: {}",
        rig.healths.len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_connection_to_a_living_server_is_opened_anew() {
    let speech = SPEECHES[0];
    let (first, line) = speech.saying(&initial(speech, &pods(0..1), "100"));
    let (second, _line) = speech.open();
    let mut rig = Rig::scripted(vec![first, second]).follow();
    rig.until_live().await;
    line.say(speech.bookmark("200", false));
    rig.until("opened anew", |rig| rig.asked().len() == 2).await;
    assert!(rig.now() >= secs(90) && rig.now() < secs(95), "{:?}", rig.now());
    rig.until_live().await;
    assert!(!line.is_open(), "the dead connection was dropped");
    assert_eq!(rig.asked()[1].param("resourceVersion"), Some("200"));
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_told_with_the_way_out() {
    let speech = SPEECHES[1];
    let (watch, _line) = speech.saying(&initial(speech, &pods(0..1), "100"));
    let mut rig = Rig::scripted(vec![speech.refusal(401, "Unauthorized"), watch]).follow();
    rig.until("down", |rig| matches!(rig.health(), Health::Down { .. })).await;
    let Health::Down { fault, .. } = rig.health().clone() else { panic!() };
    assert!(fault.contains("does not accept these credentials"), "{fault}");
    assert!(fault.contains(":login"), "{fault}");
    rig.until_live().await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kind_is_looked_for_again_after_minutes() {
    let speech = SPEECHES[0];
    let mut rig =
        Rig::new(move |_| speech.refusal(404, "the server could not find the requested resource"));
    rig.spawn(None);
    rig.until("missing", |rig| *rig.health() == Health::Missing).await;
    rig.pass(secs(700)).await;
    assert_eq!(rig.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_server_is_asked_with_growing_scattered_pauses() {
    let mut rig = Rig::new(|_| Reply::Refused).follow();
    rig.pass(secs(600)).await;
    let asked = rig.asked();
    assert!((20..60).contains(&asked.len()), "{} in ten minutes", asked.len());
    let pauses: Vec<_> = asked.windows(2).map(|two| two[1].at - two[0].at).collect();
    assert!(pauses[0] < secs(1) && pauses.iter().all(|p| *p < secs(31)), "{pauses:?}");
    assert!(pauses.iter().skip(10).any(|p| *p != pauses[9]), "all alike: {pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_says_nothing_is_down_after_25_s() {
    let mut rig = Rig::new(|_| Reply::Hang).follow();
    rig.until("down", |rig| matches!(rig.health(), Health::Down { .. })).await;
    assert!(rig.now() >= secs(25) && rig.now() < secs(27), "{:?}", rig.now());
}

#[tokio::test(start_paused = true)]
async fn protobuf_that_cannot_be_read_is_asked_for_in_json() {
    let (pb, js) = (SPEECHES[0], SPEECHES[1]);
    let (watch, _line) = js.saying(&initial(js, &pods(0..1), "100"));
    let absurd = vec![0xff; 64];
    let mut rig = Rig::scripted(vec![pb.ending(&[absurd]), watch]).follow();
    rig.until_live().await;
    assert_eq!(rig.asked()[1].accept, "application/json");
    assert!(
        rig.healths.iter().any(
            |(_, h)| matches!(h, Health::Down { fault, .. } if fault.contains("cannot be read"))
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_position_the_server_does_not_know_is_given_up_after_a_while() {
    // An API server over a restored etcd: "Too large resource version" is a 504, for ever.
    let speech = SPEECHES[0];
    let mut streams = 0;
    let mut rig = Rig::new(move |asked| {
        if !asked.is_stream() {
            return speech.refusal(504, "Timeout: Too large resource version: 900, current: 5");
        }
        streams += 1;
        speech.ending(&initial(speech, &pods(streams..streams + 1), "900"))
    })
    .follow();
    rig.until("listed anew", |rig| rig.rows() == names(&["2@1002"])).await;
    assert!(rig.asked().len() <= 7, "{:?}", rig.asked());
}

#[tokio::test(start_paused = true)]
async fn a_watch_list_that_is_not_finished_gives_way_to_pages() {
    for speech in SPEECHES {
        let (held_back, _line) = speech.saying(&[speech.event("ADDED", &pod(0))]);
        for unfinished in [held_back, speech.ending(&[speech.event("ADDED", &pod(0))])] {
            let (watch, _watch) = speech.open();
            let mut rig =
                Rig::scripted(vec![unfinished, speech.list(&pods(1..2), "50", ""), watch]).follow();
            rig.until_live().await;
            assert_eq!(rig.rows(), names(&["1@1001"]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_slow_list_do_not_wait_for_its_end() {
    for speech in SPEECHES {
        let (reply, line) = speech.open();
        let mut rig = Rig::scripted(vec![reply]).follow();
        line.say(speech.event("ADDED", &pod(0)));
        rig.until("the first row is there", |rig| rig.rows().len() == 1).await;
        assert!(rig.now() < secs(1), "{:?}", rig.now());
        line.say(initial(speech, &pods(1..3), "100").concat());
        rig.until_live().await;
        assert_eq!(rig.rows().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_handle_ends_the_feed() {
    let speech = SPEECHES[0];
    let (reply, line) = speech.saying(&initial(speech, &pods(0..1), "100"));
    let mut rig = Rig::scripted(vec![reply]).follow();
    rig.until_live().await;
    rig.feeds.clear();
    rig.pass(secs(120)).await;
    assert!(!line.is_open());
    assert_eq!((rig.asked().len(), rig.probes().len()), (1, 0), "and nothing is asked for it");
}
