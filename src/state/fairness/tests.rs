//! Tests of priority and fairness.

use super::board::Sources;
use super::catch::{Asked, What, catch};
use super::dump::{Dump, LevelNow, RequestNow, grouped};
use super::schema::Schema;
use super::seats::{Level, likely, total};
use super::verdict::{State, verdict};
use crate::state::metrics::{Quantile, Span};
use serde_json::{Value, json};

#[test]
fn columns_are_found_by_name_and_what_is_missing_is_absent() {
    let text = "PriorityLevelName, WaitingRequests, New,   ExecutingRequests\n\
                exempt,            <none>,          x,     <none>\n\
                tight,             4,               y,     1\nodd, 1\n";
    let dump = Dump::parse(text).unwrap();
    let levels = dump.levels();
    assert_eq!((levels.len(), dump.odd, dump.doubtful), (2, 1, 0));
    assert_eq!(
        (levels[0].waiting, levels[1].waiting, levels[1].executing),
        (None, Some(4), Some(1))
    );
    assert_eq!(levels[1].dispatched, None);
    for text in ["", "<html><body>Log in, please</body></html>\n<p>a, b, c</p>\n"] {
        assert!(Dump::parse(text).unwrap_err().contains("PriorityLevelName"));
    }
}

#[test]
fn commas_in_users_and_flows_stay_in_their_columns() {
    let head = "PriorityLevelName, FlowSchemaName, QueueIndex, RequestIndexInQueue, FlowDistingsher, ArriveTime, \
                InitialSeats, FinalSeats, AdditionalLatency, StartTime";
    let line = "tight, lab, 0, 2, CN=a,O=b, 2026-11-23T10:00:00.5Z, 1, 0, 0s, 0001-01-01T00:00:00Z";
    let dump = Dump::parse(&format!("{head}\n{line}\n")).unwrap();
    assert_eq!(dump.requests()[0].flow, "CN=a,O=b");
    let head = format!(
        "{head}, UserName, Verb, APIPath, Namespace, Name, APIVersion, Resource, SubResource"
    );
    let line = format!("{line}, CN=a,O=b, list, /api/v1/pods, , , v1, pods, ");
    let running = "tight, lab, -1, -1, n, 2026-11-23T10:00:01Z, 1, 0, 0s, 2026-11-23T10:00:01Z, \
                   n, get, /api, , , , , ";
    let requests = Dump::parse(&format!("{head}\n{line}\n{running}\n")).unwrap().requests();
    let (r, run) = (&requests[0], &requests[1]);
    assert_eq!(
        (r.user.as_str(), r.verb.as_str(), r.path.as_str()),
        ("CN=a,O=b", "list", "/api/v1/pods")
    );
    assert_eq!((r.waiting, run.waiting, run.user.as_str()), (true, false, "n"));
    let groups = grouped(&requests, |r| r.user.clone());
    assert_eq!((groups[0].waiting + groups[1].waiting, groups[0].name.as_str()), (1, "CN=a,O=b"));
}

#[test]
fn a_name_of_nothing_but_commas_costs_no_more_than_its_length() {
    let head = "PriorityLevelName, FlowDistingsher, ArriveTime, StartTime, UserName, Verb";
    let time = "2026-11-23T10:00:00Z";
    let many = ",".repeat(200_000);
    // No place of the times is right, so every one is tried.
    let odd = Dump::parse(&format!("{head}\nlow, {many}, x, y, {many}, get\n")).unwrap();
    assert_eq!((odd.odd, odd.requests().len()), (1, 0));
    let sound = format!("{head}\nlow, {many}, {time}, {time}, {many}, get\n");
    let requests = Dump::parse(&sound).unwrap().requests();
    assert_eq!((requests[0].flow.len(), requests[0].user.len()), (many.len(), many.len()));
    assert_eq!(requests[0].verb, "get");
}

fn schema(name: &str, level: &str, precedence: i64, subject: Value, rule: Value) -> Schema {
    let mut rule = rule;
    rule["subjects"] = json!([subject]);
    Schema::of(&json!({ "metadata": { "name": name }, "spec": {
        "matchingPrecedence": precedence, "priorityLevelConfiguration": { "name": level }, "rules": [rule],
    } }))
}

fn on(resource: &str, namespaces: &[&str], cluster: bool) -> Value {
    json!({ "resourceRules": [{ "verbs": ["*"], "apiGroups": [""], "resources": [resource],
        "namespaces": namespaces, "clusterScope": cluster }] })
}

fn ask(user: &str, verb: &str, resource: &str, sub: &str, namespace: &str) -> Asked {
    let what = What::Resource {
        group: String::new(),
        resource: resource.into(),
        sub: sub.into(),
        namespace: namespace.into(),
    };
    Asked { user: user.into(), groups: vec![], verb: verb.into(), what }.with_usual_groups()
}

fn caught(asked: &Asked, schemas: &[Schema]) -> String {
    let steps = catch(asked, schemas, &["low".into()]);
    steps.last().map(|s| s.schema.clone()).unwrap_or_default()
}

#[test]
fn precedence_ties_scope_subresources_and_dangling_schemas_decide_as_in_the_server() {
    let anyone = || json!({ "kind": "User", "user": { "name": "*" } });
    let account =
        json!({ "kind": "ServiceAccount", "serviceAccount": { "namespace": "ci", "name": "*" } });
    let all = [
        schema("gone", "nowhere", 1, anyone(), on("*", &["*"], true)),
        schema("b-tie", "low", 5, anyone(), on("pods", &["shop"], false)),
        schema("a-tie", "low", 5, anyone(), on("pods", &["shop"], false)),
        schema("accounts", "low", 6, account, on("*", &["*"], false)),
        schema("wide", "low", 7, anyone(), on("pods", &["*"], true)),
    ];
    assert_eq!(caught(&ask("u", "get", "pods", "", "shop"), &all), "a-tie");
    assert_eq!(caught(&ask("u", "list", "pods", "", ""), &all), "wide");
    assert_eq!(caught(&ask("u", "update", "pods", "status", "shop"), &all), "catch-all");
    assert_eq!(
        caught(&ask("system:serviceaccount:ci:x", "get", "secrets", "", "a"), &all),
        "accounts"
    );
    assert_eq!(
        caught(&ask("system:serviceaccount:cd:x", "get", "secrets", "", "a"), &all),
        "catch-all"
    );
    assert_eq!(caught(&ask("u", "get", "pods", "log", "shop"), &all), "");
    let steps = catch(&ask("u", "list", "pods", "", ""), &all, &["low".into()]);
    assert_eq!(steps[0].why, "dangling: there is no level nowhere");
    assert!(steps[1].why.contains("clusterScope"), "{}", steps[1].why);
}

#[test]
fn a_path_means_what_is_below_it_too() {
    let anyone = json!({ "kind": "Group", "group": { "name": "system:unauthenticated" } });
    let rule =
        json!({ "nonResourceRules": [{ "verbs": ["get"], "nonResourceURLs": ["/healthz"] }] });
    let all = [schema("probes", "exempt", 2, anyone, rule)];
    let at = |path: &str| Asked {
        user: "system:anonymous".into(),
        verb: "get".into(),
        what: What::Path(path.into()),
        ..Asked::default()
    };
    for (path, schema) in
        [("/healthz", "probes"), ("/healthz/etcd", "probes"), ("/healthzy", "catch-all")]
    {
        assert_eq!(caught(&at(path).with_usual_groups(), &all), schema, "{path}");
    }
}

#[test]
fn seats_are_shares_of_the_total_rounded_up_and_the_verdict_names_the_flow() {
    let level = |shares: i64| {
        Level::of(&json!({ "metadata": { "name": "low" }, "spec": { "type": "Limited", "limited": {
            "nominalConcurrencyShares": shares, "lendablePercent": 50, "borrowingLimitPercent": 10,
            "limitResponse": { "type": "Queue" },
        } } }))
    };
    // 600 * 20 / 245 = 48.98; half of 49 is 24.5, away from zero 25.
    let seats = level(20).seats(600, 245);
    assert_eq!((seats.nominal, seats.least, seats.most), (49, 24, Some(54)));
    assert_eq!(level(0).seats(600, 245).nominal, 0);
    // The other way round, from what a server says of its levels.
    let known = [(5, 13), (20, 49), (100, 245), (0, 0)];
    let range = total(&known, 245).expect("a range");
    assert_eq!((range, likely(range)), ((598, 600), 600));
    assert_eq!((likely((1441, 1462)), likely((73, 74)), likely((1290, 1320))), (1450, 74, 1300));
    assert_eq!(total(&[(5, 13), (20, 500)], 245), None);
    let now = super::dump::LevelNow { waiting: Some(3), executing: Some(1), ..Default::default() };
    let flows = [super::dump::Group { name: "x".into(), waiting: 3, executing: 1, oldest: None }];
    let flow = super::metrics::Flowing::default();
    let (state, words) =
        verdict(&level(0), level(0).seats(600, 245), Some(&now), &flow, (&flows, 40));
    assert_eq!(state.word(), "queueing");
    assert_eq!(
        words,
        "queueing: 1 executing on 0 seats, 3 waiting, flow x holds 100 % of the requests (40s ago)"
    );
    // Nothing is let through where nothing executes, nothing may be borrowed, and what comes is queued.
    let shut = |level: &Level, executing, current| {
        let now = LevelNow {
            waiting: Some(3),
            executing: Some(executing),
            current: Some(current),
            ..Default::default()
        };
        let seats = level.seats(600, 245);
        verdict(level, seats, Some(&now), &flow, (&[], 0)).1.contains("nothing is let through")
    };
    let free = Level { borrowing: None, ..level(0) };
    let rejecting = Level { queues: None, ..level(0) };
    assert!(shut(&level(0), 0, 0));
    for (level, executing, current) in [
        (&level(0), 1, 0),
        (&level(0), 0, 3),
        (&free, 0, 0),
        (&rejecting, 0, 0),
        (&level(20), 0, 0),
    ] {
        assert!(!shut(level, executing, current), "{level:?} {executing} {current}");
    }
    // What was refused long ago is told where nothing goes on, too.
    let calm = LevelNow { executing: Some(0), rejected: Some(312), ..Default::default() };
    let (state, words) = verdict(&free, free.seats(600, 245), Some(&calm), &flow, (&[], 0));
    assert_eq!((state, &*words), (State::Idle, "idle, 312 rejected since the server began"));
}

#[test]
fn numbers_of_a_hostile_server_do_not_overflow() {
    let huge = i64::MAX;
    let level = Level {
        shares: huge,
        lendable: huge,
        borrowing: Some(huge),
        queues: Some((huge, huge)),
        ..Level::default()
    };
    assert!(level.seats(huge, huge).nominal > 0);
    assert_eq!(level.seats(huge, -huge).nominal, 0);
    assert_eq!(total(&[(huge, huge), (1, huge), (huge, 1)], huge), None);
    let levels = [level.clone(), level];
    let now = LevelNow { current: Some(i64::MIN), waiting: Some(huge), ..LevelNow::default() };
    let lines =
        super::board::lines(&Sources { levels: &levels, dump: Some(&[now]), ..Sources::default() });
    assert_eq!(lines.iter().map(super::board::Line::room).collect::<Vec<_>>(), [Some(huge); 2]);
    assert!(lines.iter().all(|line| line.moved() >= (None, None)));
}

#[test]
fn an_empty_distinguisher_is_the_users_only_where_the_server_works_none_out() {
    let queues = [("one".to_owned(), 1), ("many".to_owned(), 64), ("none".to_owned(), 0)].into();
    let of = |level: &str, flow: &str, user: &str| {
        let request = RequestNow {
            level: level.into(),
            schema: "s".into(),
            flow: flow.into(),
            user: user.into(),
            ..RequestNow::default()
        };
        super::board::flow(&request, &queues)
    };
    assert_eq!((of("one", "", "ann"), of("none", "", "ann")), ("s/ann".into(), "s/ann".into()));
    assert_eq!((of("many", "", "ann"), of("unknown", "", "ann")), ("s".into(), "s".into()));
    assert_eq!((of("many", "ann", "ann"), of("one", "", "")), ("s/ann".into(), "s".into()));
}

#[test]
fn what_was_counted_since_a_server_began_long_ago_is_no_rate() {
    let levels = [Level { name: "low".into(), shares: 40, ..Level::default() }];
    let (before, now) = (page(0, 0, 0, [0, 0, 0]), page(1300, 35, 4, [60, 90, 100]));
    for (seconds, rate) in [(300.0, Some(1300.0 / 300.0)), (301.0, None)] {
        let span = Span::new(&before, &now, seconds).ok();
        let from = Sources { levels: &levels, page: Some(&now), span, ..Sources::default() };
        let line = &super::board::lines(&from)[0];
        assert_eq!((line.flow.dispatched, line.flow.waited.is_some()), (rate, rate.is_some()));
        assert_eq!(line.window, rate.map_or(0.0, |_| seconds));
        assert!(
            rate.is_some() || line.verdict.ends_with("35 rejected since the server began"),
            "{}",
            line.verdict
        );
    }
}

const PAGE: &str = "process_start_time_seconds 100\n\
    apiserver_flowcontrol_nominal_limit_seats{priority_level=\"low\"} 40\n\
    apiserver_flowcontrol_nominal_limit_seats{priority_level=\"high\"} 60\n\
    apiserver_flowcontrol_current_limit_seats{priority_level=\"low\"} 55\n\
    apiserver_flowcontrol_current_limit_seats{priority_level=\"high\"} 45\n\
    apiserver_flowcontrol_current_executing_seats{flow_schema=\"a\",priority_level=\"low\"} 50\n\
    apiserver_flowcontrol_current_executing_seats{flow_schema=\"b\",priority_level=\"low\"} 5\n\
    apiserver_flowcontrol_current_executing_requests{flow_schema=\"a\",priority_level=\"low\"} 20\n\
    apiserver_flowcontrol_current_inqueue_requests{flow_schema=\"a\",priority_level=\"low\"} 7\n";

/// A page with what was counted by then.
fn page(dispatched: u32, full: u32, late: u32, waited: [u32; 3]) -> crate::state::metrics::Scrape {
    let mut parser = crate::state::metrics::Parser::new(&super::metrics::WANTS);
    parser.feed(PAGE.as_bytes());
    let of = "flow_schema=\"a\",priority_level=\"low\"";
    let [below, above, all] = waited;
    let wait = "apiserver_flowcontrol_request_wait_duration_seconds";
    let text = format!(
        "apiserver_flowcontrol_dispatched_requests_total{{{of}}} {dispatched}\n\
         apiserver_flowcontrol_rejected_requests_total{{{of},reason=\"queue-full\"}} {full}\n\
         apiserver_flowcontrol_rejected_requests_total{{{of},reason=\"time-out\"}} {late}\n\
         # TYPE {wait} histogram\n\
         {wait}_bucket{{execute=\"true\",{of},le=\"1\"}} {below}\n\
         {wait}_bucket{{execute=\"true\",{of},le=\"2\"}} {above}\n\
         {wait}_bucket{{execute=\"true\",{of},le=\"+Inf\"}} {all}\n\
         {wait}_sum{{execute=\"true\",{of}}} 9\n{wait}_count{{execute=\"true\",{of}}} {all}\n\
         {wait}_bucket{{execute=\"false\",{of},le=\"1\"}} {full}\n\
         {wait}_bucket{{execute=\"false\",{of},le=\"+Inf\"}} {full}\n\
         {wait}_sum{{execute=\"false\",{of}}} 0\n{wait}_count{{execute=\"false\",{of}}} {full}\n"
    );
    parser.feed(text.as_bytes());
    parser.end()
}

#[test]
fn a_level_on_the_board_is_of_one_source_and_says_whose_requests_wait() {
    let level = |name: &str, shares| Level {
        name: name.into(),
        shares,
        queues: Some((1, 400)),
        ..Level::default()
    };
    let levels = [level("high", 60), level("low", 40)];
    let (before, now) = (page(1000, 5, 1, [0, 0, 0]), page(1300, 35, 4, [60, 90, 100]));
    let span = Span::new(&before, &now, 30.0).ok();
    let request = |user: &str, waiting| RequestNow {
        level: "low".into(),
        schema: "a".into(),
        user: user.into(),
        waiting,
        ..RequestNow::default()
    };
    let requests =
        [request("x", true), request("x", true), request("x", false), request("y", true)];
    let told = LevelNow { name: "low".into(), waiting: Some(9), ..LevelNow::default() };
    let dump = [told];
    let of = |dump| Sources {
        levels: &levels,
        dump,
        is_page_older: dump.is_some(),
        requests: &requests,
        requests_age: 40,
        page: Some(&now),
        span,
    };
    // Without a dump of this moment everything is the metrics'; what turns requests away stands first.
    let lines = super::board::lines(&of(None));
    let low = &lines[0];
    assert_eq!((low.level.name.as_str(), low.state), ("low", State::Rejecting));
    assert_eq!(
        (low.now.waiting, low.now.executing, low.now.seats_taken),
        (Some(7), Some(20), Some(55))
    );
    assert_eq!((low.now.rejected, low.now.timed_out), (Some(35), Some(4)));
    assert_eq!((low.seats.nominal, low.moved(), low.room()), (40, (Some(15), Some(0)), Some(400)));
    assert_eq!(
        (low.flow.dispatched, low.flow.rejected, low.flow.timed_out),
        (Some(10.0), Some(1.0), Some(0.1))
    );
    let waited = low.flow.waited.as_ref().expect("it was observed");
    // Half of 100 is the 50th of 60 in the first second.
    assert_eq!(waited.quantile(0.5), Some(Quantile::At(50.0 / 60.0)));
    assert_eq!(waited.quantile(0.99), Some(Quantile::AtLeast(2.0)));
    assert_eq!(
        low.verdict,
        "queueing and rejecting: 55 of 55 seats, 7 waiting, flow a/x holds 75 % of the requests (40s ago), turns away 1.1/s"
    );
    assert_eq!((lines[1].state, lines[1].moved()), (State::Idle, (Some(0), Some(15))));
    // With one, what the dump tells is the dump's, and what it does not tell stays untold; seats are nobody else's.
    let lines = super::board::lines(&of(Some(&dump)));
    assert_eq!((lines[0].now.waiting, lines[0].now.executing), (Some(9), None));
    assert_eq!(lines[0].now.current, Some(55));
    // Seats that were taken before that dump are not held against what waits in it.
    assert_eq!(lines[0].now.seats_taken, None);
    assert!(
        lines[0].verdict.starts_with("queueing and rejecting: 0 executing on 55 seats, 9 waiting"),
        "{}",
        lines[0].verdict
    );
    // With neither, nothing is made up.
    let none = Sources { page: None, span: None, ..of(None) };
    let lines = super::board::lines(&none);
    assert!(lines.iter().all(|l| l.state == State::Unknown && l.now == LevelNow::default()));
    assert_eq!(
        lines.iter().map(|l| l.seats.nominal).collect::<Vec<_>>(),
        [360, 240],
        "of the usual 600"
    );
}
