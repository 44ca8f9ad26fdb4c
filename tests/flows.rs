//! Key scripts: state, keys, state and frame.

#[path = "support/scenes.rs"]
mod scenes;
#[path = "support/stage.rs"]
mod stage;

use scenes::{pod, pods};
use serde_json::json;
use stage::Stage;
use std::time::Instant;
use wheelhouse::actions::Kubectl;
use wheelhouse::actions::plan::{Danger, Plan, Request, Step};
use wheelhouse::app::execute::{Did, Report};
use wheelhouse::app::msg::{Effect, Msg};
use wheelhouse::state::fairness::question::written;
use wheelhouse::state::journal::Fate;
use wheelhouse::state::parcel::{Key, Parcel};
use wheelhouse::state::ui::document::{Fetched, Form};

fn pods_page() -> Stage {
    Stage::scene("pods", "typical", (120, 24))
}

fn names(stage: &Stage) -> Vec<String> {
    let table = stage.app.state.ui.table().unwrap();
    (0..table.lens.rows().len())
        .map(|i| table.row(&stage.app.state.store, i).unwrap().name().into_owned())
        .collect()
}

/// Takes an object of the pods table away, as a watch would.
fn delete(stage: &mut Stage, name: &str) {
    let store = &stage.app.state.store;
    let row = store.rows("pods").find(|r| r.name() == name).unwrap();
    let feed = store.feeds.iter().find(|f| store.table_at(f.table).spec.id == "pods").unwrap().id;
    let mut parcel = Parcel::new(feed, 1, row.table.spec);
    parcel.gone.push(row.key());
    stage.send(Msg::Rows(parcel));
}

#[test]
fn a_filter_works_while_it_is_typed_and_escape_restores_it() {
    let mut stage = pods_page();
    let all = names(&stage).len();
    stage.press("/crash");
    assert_eq!(names(&stage), ["cart-55c9d-9k2lm"]);
    stage.press("<esc>");
    assert_eq!(names(&stage).len(), all);
    stage.press("/!status:running<enter>");
    assert!(names(&stage).len() < all && stage.lines()[1].contains("/!status:running"));
    stage.press("<esc>");
    assert_eq!(names(&stage).len(), all, "escape takes the filter away");
}

#[test]
fn a_wrong_filter_is_explained_and_the_one_before_comes_back() {
    let mut stage = pods_page();
    let all = names(&stage).len();
    stage.press("/statsu:x");
    let last = stage.lines().pop().unwrap();
    assert!(last.contains("status"), "names what would be right: {last}");
    stage.press("<enter>");
    assert_eq!(names(&stage).len(), all);
    assert!(stage.text().contains("filter unchanged"));
}

#[test]
fn the_cursor_follows_its_object_while_rows_move() {
    let mut stage = pods_page();
    stage.press("jjj");
    let before = stage.cursor_line();
    stage.put(
        "pods",
        "Pod",
        &[pod("aaa", "first-1-1", "node-00017", "Running", json!({"running": {}}))],
    );
    assert_eq!(stage.cursor_line(), before);
    stage.press("I");
    assert_eq!(stage.cursor_line(), before, "also when the order is turned round");
}

#[test]
fn until_it_is_moved_the_cursor_stays_on_top() {
    let mut stage = pods_page();
    stage.put(
        "pods",
        "Pod",
        &[pod("aaa", "first-1-1", "node-00017", "Running", json!({"running": {}}))],
    );
    assert!(stage.cursor_line().contains("first-1-1"));
}

#[test]
fn when_the_object_under_the_cursor_goes_the_cursor_says_so() {
    let mut stage = pods_page();
    stage.press("<esc>j");
    let row = stage.app.state.ui.table().unwrap().seen(&stage.app.state.store).unwrap();
    let name = row.name().into_owned();
    delete(&mut stage, &name);
    assert!(stage.app.state.ui.table().unwrap().disarmed);
    assert!(stage.text().contains("gone"));
    stage.press("j");
    assert!(!stage.app.state.ui.table().unwrap().disarmed);
}

#[test]
fn an_action_hits_the_row_that_was_painted_and_not_the_one_that_slid_under_the_cursor() {
    let mut stage = pods_page();
    stage.press("G");
    let seen = stage.app.state.ui.table().unwrap().seen(&stage.app.state.store).unwrap();
    let (name, key) = (seen.name().into_owned(), seen.key());
    // Rows arrive between the frame and the key: nothing is laid out again.
    let now = wheelhouse::app::msg::Now { server: stage.now, instant: Instant::now() };
    let spec = stage.app.state.store.table("pods").spec;
    let mut parcel = Parcel::new(stage.app.state.store.feeds[0].id, 1, spec);
    parcel.gone.push(Key::of("", "", ""));
    stage.app.update(Msg::Rows(parcel), now);
    stage.press("y");
    let asked = stage.effects.iter().find_map(|e| match e {
        Effect::Fetch(_, target, Form::Yaml) => Some(target.clone()),
        _ => None,
    });
    let asked = asked.unwrap();
    assert_eq!((asked.name, asked.key), (name, key));
}

#[test]
fn enter_on_a_node_shows_its_pods_and_escape_comes_back() {
    let mut stage = Stage::scene("nodes", "typical", (120, 24));
    stage.press("j<enter>");
    assert!(stage.lines()[1].contains("on node node-00017"), "{}", stage.lines()[1]);
    let shown = names(&stage);
    let here = pods().iter().filter(|p| p["spec"]["nodeName"] == "node-00017").count();
    assert_eq!(shown.len(), here);
    stage.press("<esc>");
    assert!(stage.cursor_line().contains("node-00017"));
    stage.press("]");
    assert!(stage.lines()[1].contains("on node"), "and forth again");
}

#[test]
fn a_pod_leads_to_its_node_and_its_owner() {
    let mut stage = Stage::scene("workloads", "typical", (140, 24));
    stage.press(":pods<enter>");
    stage.open_feeds();
    stage.typical();
    stage.press("/web-7d9f8b-x0<enter>o");
    stage.open_feeds();
    stage.typical();
    assert!(stage.cursor_line().contains("node-00017"), "{}", stage.text());
    stage.press("<esc>J");
    assert!(
        stage.cursor_line().contains("Deployment") && stage.cursor_line().contains("web"),
        "{}",
        stage.text()
    );
}

#[test]
fn the_palette_completes_and_names_what_is_near() {
    let mut stage = pods_page();
    stage.press(":nod<tab>");
    assert!(stage.text().contains("nodes"));
    stage.press("<enter>");
    assert_eq!(stage.app.state.ui.route().unwrap().view, "nodes");
    stage.press(":podz<enter>");
    assert!(stage.text().contains("did you mean"), "{}", stage.text());
}

#[test]
fn contexts_and_namespaces_are_switched_from_the_palette() {
    let mut stage = pods_page();
    stage.press(":ctx nowhere<enter>");
    assert!(stage.text().contains("no context `nowhere`"));
    stage.press(":ctx stag<enter>");
    assert!(stage.effects.contains(&Effect::SwitchContext("staging".into(), false)));
    assert!(stage.lines()[0].contains("connecting to staging"));
    stage.press(":ns shop<enter>");
    assert!(stage.effects.contains(&Effect::SwitchNamespace(Some("shop".into()))));
    stage.press(":ns all<enter>");
    assert!(stage.effects.contains(&Effect::SwitchNamespace(None)));
}

#[test]
fn a_switch_leaves_nothing_of_the_old_cluster() {
    let mut stage = pods_page();
    stage.press(":ctx staging<enter>");
    let cluster =
        wheelhouse::state::cluster::Cluster { context: "staging".into(), ..Default::default() };
    stage.send(Msg::Connected(stage.app.session, Ok(cluster)));
    assert!(stage.effects.contains(&Effect::Adopt));
    let text = stage.text();
    assert!(
        text.contains("staging") && !text.contains("prod-eu-1") && !text.contains("web-"),
        "{text}"
    );
}

#[test]
fn news_of_an_old_session_are_dropped() {
    let mut stage = pods_page();
    stage.press(":ctx staging<enter>");
    let old = wheelhouse::app::msg::SessionId(0);
    stage.send(Msg::Connected(old, Err("too late".into())));
    assert!(!stage.text().contains("too late"));
}

#[test]
fn sorting_by_any_column_shows_an_arrow_and_turns_round() {
    let mut stage = pods_page();
    stage.press(":sort restarts<enter>");
    let head = stage.lines()[2].clone();
    assert!(head.contains("RESTARTS ↑"), "{head}");
    assert!(names(&stage).last().unwrap().starts_with("cart"));
    stage.press("I");
    assert!(names(&stage)[0].starts_with("cart"));
    stage.press("N");
    assert!(stage.lines()[2].contains("NAME ↑"));
}

#[test]
fn columns_are_chosen_and_saved() {
    let mut stage = pods_page();
    assert!(stage.lines()[2].contains("RESTARTS"));
    stage.press("Cjjjj<space><esc>");
    assert!(!stage.lines()[2].contains("RESTARTS"), "{}", stage.lines()[2]);
    assert!(stage.effects.contains(&Effect::SavePreferences));
    stage.press("Cr<esc>");
    assert!(stage.lines()[2].contains("RESTARTS"));
}

#[test]
fn marks_are_kept_by_object_and_dropped_first() {
    let mut stage = pods_page();
    stage.press("<space><space>");
    assert!(stage.lines()[1].contains("2 marked"));
    stage.press("I");
    assert_eq!(stage.lines().iter().filter(|l| l.get(1..2) == Some("*")).count(), 2);
    stage.press("<esc>");
    assert!(!stage.lines()[1].contains("marked"));
}

#[test]
fn counts_of_the_second_line_lead_to_their_rows() {
    let mut stage = Stage::scene("nodes", "typical", (120, 24));
    let line = stage.lines()[1].clone();
    assert!(line.contains("1 not ready[1]"), "{line}");
    stage.press("1");
    assert_eq!(names(&stage), ["node-00019"]);
}

#[test]
fn copying_says_what_and_a_refusal_says_why() {
    let mut stage = pods_page();
    stage.press("/gateway<enter>xn");
    assert!(stage.effects.contains(&Effect::Copy("name", "gateway-6f7b-p8r2c".into())));
    stage.press("xo");
    assert!(stage.text().contains("not bound to a node"));
    stage.press("x");
    assert!(stage.text().contains("copy-uid"), "what may follow is listed");
}

#[test]
fn a_document_waits_arrives_folds_and_searches() {
    let mut stage = pods_page();
    stage.press("/cart<enter>y");
    assert!(stage.text().contains("asking the server"));
    let route = stage.app.state.ui.route().unwrap().id;
    let mut object =
        pods().into_iter().find(|p| p["metadata"]["name"] == "cart-55c9d-9k2lm").unwrap();
    object["metadata"]["managedFields"] = json!([{"manager": "kubectl-edit"}]);
    stage.send(Msg::Fetched(route, Ok(Fetched { object, events: Ok(vec![]), page: None })));
    let text = stage.text();
    assert!(text.contains("CrashLoopBackOff") || text.contains("cart-55c9d"), "{text}");
    assert!(!text.contains("kubectl-edit"));
    stage.press("m");
    let open: String =
        stage.app.state.ui.document().unwrap().doc.lines.iter().map(|l| l.text() + "\n").collect();
    assert!(open.contains("kubectl-edit"));
    stage.press("/restartCount<enter>");
    assert!(stage.text().contains("restartCount: 7"), "{}", stage.text());
}

#[test]
fn a_page_about_the_whole_cluster_tells_how_far_it_is_and_ends_when_it_is_left() {
    let mut stage = pods_page();
    stage.press("/gateway<enter>W");
    let route = stage.app.state.ui.route().unwrap().id;
    stage.send(Msg::Reading(route, 43_000));
    assert!(stage.text().contains("43,000 pods so far"), "{}", stage.text());
    assert!(!stage.effects.contains(&Effect::StopReading));
    stage.press("<esc>");
    stage.send(Msg::Reading(route, 44_000));
    assert!(stage.effects.contains(&Effect::StopReading), "nobody looks at it any more");
    stage.press("]");
    assert!(stage.text().contains("left before it was read"), "{}", stage.text());
}

#[test]
fn a_refused_document_says_why() {
    let mut stage = pods_page();
    stage.press("d");
    let route = stage.app.state.ui.route().unwrap().id;
    stage.send(Msg::Fetched(route, Err("not allowed to get pods: nope".into())));
    assert!(stage.text().contains("not allowed to get pods"));
}

#[test]
fn pasted_text_never_runs_as_keys() {
    let mut stage = pods_page();
    let before = stage.cursor_line();
    stage.send(Msg::Paste("jjjj\r:quit\r".into()));
    assert_eq!(stage.cursor_line(), before);
    assert!(stage.text().contains("ignored"));
    stage.press("/");
    stage.send(Msg::Paste("cra\nsh".into()));
    assert!(!stage.effects.contains(&Effect::Quit));
    assert!(stage.lines().last().unwrap().contains("cra sh"));
}

#[test]
fn without_the_right_to_list_everywhere_the_home_namespace_is_shown() {
    let mut stage = pods_page();
    let feed = stage.app.state.store.feeds.iter().find(|f| f.table == 1).map(|f| f.id);
    let denied = wheelhouse::state::health::Health::Denied {
        verb: "list",
        resource: "pods".into(),
        message: "no".into(),
    };
    stage.send(Msg::Health(feed.unwrap_or(stage.app.state.store.feeds[0].id), denied));
    assert!(stage.effects.contains(&Effect::SwitchNamespace(Some("default".into()))));
    assert!(stage.text().contains("you may not list pods in all namespaces"));
}

/// The command that the action under the key would start.
fn reviewed(stage: &mut Stage, key: &str) -> Kubectl {
    stage.press(key);
    let asked = stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::Review(command) => Some(command.clone()),
        _ => None,
    });
    asked.expect("a review comes before kubectl")
}

#[test]
fn kubectl_starts_on_the_object_seen_once_a_review_allows_it() {
    let mut stage = pods_page();
    let command = reviewed(&mut stage, "/cart<enter>l");
    assert_eq!(command.target.name, "cart-55c9d-9k2lm");
    assert_eq!(command.right, ("get", "pods/log"));
    stage.send(Msg::Reviewed(command.clone(), Ok(())));
    assert!(stage.effects.contains(&Effect::Kubectl(command)));
}

#[test]
fn a_review_that_says_no_warns_and_can_be_overruled() {
    let mut stage = pods_page();
    let command = reviewed(&mut stage, "s");
    let started = Effect::Kubectl(command.clone());
    let no = || Err("You may not create pods/exec in shop.".to_owned());
    stage.send(Msg::Reviewed(command.clone(), no()));
    assert!(stage.text().contains("may not create pods/exec in shop"), "{}", stage.text());
    stage.press("<enter>");
    assert!(!stage.effects.contains(&started), "Enter confirms nothing");
    stage.send(Msg::Reviewed(command.clone(), no()));
    stage.press("<esc>t");
    assert!(!stage.effects.contains(&started), "what was left is forgotten");
    stage.send(Msg::Reviewed(command, no()));
    stage.press("t");
    assert!(stage.effects.contains(&started));
    assert!(!stage.text().contains("review"));
}

#[test]
fn read_only_is_shown_and_takes_the_shell_away() {
    let mut stage = pods_page();
    stage.press("<ctrl-r>");
    assert!(stage.effects.contains(&Effect::Lock));
    assert!(stage.lines()[0].contains("read-only"));
    stage.press("s");
    assert!(stage.text().contains("read-only: a shell could change anything"));
}

#[test]
fn the_chain_of_escapes_ends_with_a_hint() {
    let mut stage = pods_page();
    stage.press("?<esc>");
    assert!(!stage.text().contains("On this row"));
    stage.press("<esc>");
    assert!(stage.text().contains("ctrl-c leaves"));
}

// ---- Changes ----

/// A plan for the wish that was just asked for, as the shell would make it.
fn prepared(stage: &mut Stage, action: &str, danger: Danger) {
    let step = Step {
        words: format!("{action} it"),
        object: ["Pod", "shop", "web-0", "uid"].map(String::from),
        request: Request {
            method: "PATCH".into(),
            path: "/api/v1/x".into(),
            content_type: String::new(),
            body: json!({}),
        },
        undo: None,
        before: Default::default(),
    };
    let plan = Plan {
        action: action.into(),
        title: format!("{action} web-0"),
        steps: vec![step],
        notes: vec![],
        danger,
        drain: None,
        reason: String::new(),
    };
    let id = stage.app.session;
    stage.send(Msg::Prepared(id, Ok(Box::new(plan))));
}

fn executed(stage: &Stage) -> usize {
    stage.effects.iter().filter(|e| matches!(e, Effect::Execute(_))).count()
}

/// A key that was read a while after the last frame.
fn later(stage: &mut Stage, key: &str) {
    let at = Instant::now() + std::time::Duration::from_secs(1);
    stage.send(Msg::Key(key.parse().unwrap(), at));
}

#[test]
fn a_change_takes_what_was_under_the_cursor_or_marked_and_nothing_else() {
    let mut stage = pods_page();
    stage.press("/cart<enter>e");
    let wish = |stage: &Stage| match stage.effects.last() {
        Some(Effect::Prepare(wish)) => wish.clone(),
        other => panic!("{other:?}\n{}", stage.text()),
    };
    assert_eq!(wish(&stage).action, "evict");
    assert_eq!(wish(&stage).targets[0].name, "cart-55c9d-9k2lm");
    stage.press("<esc><space><space>xd");
    let targets: Vec<String> = wish(&stage).targets.iter().map(|t| t.name.clone()).collect();
    assert_eq!((wish(&stage).action, targets.len()), ("delete", 2), "{targets:?}");
    assert_eq!(targets, names(&stage)[..2]);
}

#[test]
fn an_argument_is_checked_while_it_is_typed_and_a_wrong_one_is_not_taken() {
    let mut stage = Stage::scene("nodes", "typical", (120, 24));
    stage.press("tgpu=a100<enter>");
    let last = stage.lines().pop().unwrap();
    assert!(last.contains("taints: gpu=a100") && last.contains("names no effect"), "{last}");
    assert!(!stage.effects.iter().any(|e| matches!(e, Effect::Prepare(_))));
    stage.press(":NoSchedule<enter>");
    let asked = stage
        .effects
        .iter()
        .any(|e| matches!(e, Effect::Prepare(w) if w.argument == "gpu=a100:NoSchedule"));
    assert!(asked, "{:?}", stage.effects.last());
}

#[test]
fn a_plan_is_confirmed_by_y_and_never_by_enter_or_by_what_was_typed_ahead() {
    let mut stage = pods_page();
    let early = Instant::now();
    prepared(&mut stage, "cordon", Danger::Reversible);
    assert!(stage.text().contains("cordon web-0") && stage.text().contains("prod-eu-1"));
    stage.send(Msg::Key("y".parse().unwrap(), early));
    assert_eq!(executed(&stage), 0, "it was read before the plan was on screen");
    stage.press("<enter>");
    assert_eq!(executed(&stage), 0);
    assert!(stage.text().contains("Enter does not confirm"));
    stage.press("y");
    assert_eq!(executed(&stage), 1);
    stage.press("y");
    assert_eq!(executed(&stage), 1, "one confirmation, one run");
}

#[test]
fn what_disturbs_must_have_been_on_screen_for_a_moment() {
    let mut stage = pods_page();
    prepared(&mut stage, "evict", Danger::Disruptive);
    stage.press("y");
    assert_eq!(executed(&stage), 0, "nobody reads that fast");
    later(&mut stage, "y");
    assert_eq!(executed(&stage), 1);
}

#[test]
fn what_is_lost_takes_its_name_and_then_y() {
    let mut stage = pods_page();
    prepared(&mut stage, "delete", Danger::Destructive("web-0".into()));
    later(&mut stage, "y");
    assert_eq!(executed(&stage), 0);
    stage.press("<backspace>web-0<enter>");
    assert_eq!(executed(&stage), 0, "Enter confirms nothing");
    assert!(
        stage.lines().iter().any(|l| l.contains("type web-0 and then y: web-0")),
        "{}",
        stage.text()
    );
    later(&mut stage, "y");
    assert_eq!(executed(&stage), 1);
}

#[test]
fn escape_leaves_a_plan_with_nothing_done() {
    let mut stage = pods_page();
    prepared(&mut stage, "delete", Danger::Disruptive);
    stage.press("<esc>");
    assert!(stage.text().contains("nothing was done"));
    later(&mut stage, "y");
    assert_eq!(executed(&stage), 0);
}

#[test]
fn read_only_offers_no_change() {
    let mut stage = pods_page();
    stage.app.state.cluster.read_only = true;
    for key in ["e", "xd", "L"] {
        stage.press(key);
        assert!(stage.text().contains("read-only"), "{key}");
    }
    assert!(!stage.effects.iter().any(|e| matches!(e, Effect::Prepare(_))));
}

#[test]
fn a_change_that_was_not_done_says_what_was_not() {
    let mut stage = pods_page();
    let steps = vec![Did {
        words: "evict web-0".into(),
        fate: Fate::Refused,
        why: "held by a budget".into(),
    }];
    let report = Report { title: "evict 2 pods".into(), steps, all: 2, ..Report::default() };
    stage.send(Msg::Executed(Box::new(report)));
    assert!(
        stage.text().contains("0 of 2 done: evict 2 pods; evict web-0: held by a budget"),
        "{}",
        stage.text()
    );
}

/// What was asked for last, if it is a change.
fn wished(stage: &Stage) -> Option<(&'static str, Vec<String>, String)> {
    stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::Prepare(wish) => {
            let names = wish.targets.iter().map(|t| t.name.clone()).collect();
            Some((wish.action, names, wish.argument.clone()))
        }
        _ => None,
    })
}

#[test]
fn the_worst_request_stands_first_and_says_why() {
    let stage = Stage::scene("certificatesigningrequests", "typical", (160, 24));
    assert_eq!(names(&stage)[0], "contractor");
    assert!(stage.text().contains("group kubeadm:cluster-admins"), "{}", stage.text());
    assert_eq!(stage.app.state.store.rows("certificatesigningrequests").count(), 7);
}

#[test]
fn all_green_are_those_that_the_filter_shows() {
    let mut stage = Stage::scene("certificatesigningrequests", "typical", (160, 24));
    stage.press("xg<enter>");
    let (action, green, _) = wished(&stage).expect("a change");
    assert_eq!(
        (action, green),
        ("approve-green", vec!["ci-bot".to_owned(), "csr-n0d3w".to_owned()])
    );
    let mut stage = Stage::scene("certificatesigningrequests", "typical", (160, 24));
    stage.press("/signer:kubelet<enter>xgchecked<enter>");
    let wish = wished(&stage).expect("a change");
    assert_eq!(wish, ("approve-green", vec!["csr-n0d3w".to_owned()], "checked".to_owned()));
    stage.press("<esc>xs<enter>");
    assert_eq!(wished(&stage).expect("a change").1, ["csr-2h7fd"]);
}

#[test]
fn a_decided_request_is_not_offered_again_and_a_user_is_made_from_one_line() {
    let mut stage = Stage::scene("certificatesigningrequests", "typical", (160, 24));
    stage.press("/condition:denied<enter>a");
    assert!(wished(&stage).is_none() && stage.text().contains("it was decided already"));
    stage.press("xmci-bot colour=red<enter>");
    assert!(wished(&stage).is_none(), "{}", stage.text());
    stage.press("<esc>xmci-bot group=dev<enter>");
    let (action, _, argument) = wished(&stage).expect("a change");
    assert_eq!((action, argument.as_str()), ("make-user", "ci-bot group=dev"));
}

#[test]
fn what_does_not_go_is_explained_and_its_finalizer_asked_for_by_name() {
    let mut stage = Stage::scene("stuck", "typical", (160, 24));
    assert!(stage.cursor_line().contains("anvil"), "{}", stage.text());
    assert!(stage.text().contains("do first: start Deployment ops"), "{}", stage.text());
    stage.press("<enter>");
    let asked = stage.effects.iter().find_map(|e| match e {
        Effect::Fetch(_, target, Form::Stuck) => Some((target.gvk.resource(), target.path())),
        _ => None,
    });
    assert_eq!(asked, Some(("forges.foundry.example".into(), "team-blue/anvil".into())));
    stage.press("<esc>-");
    stage.press("a b<enter>");
    assert!(stage.text().contains("one finalizer at a time"), "{}", stage.text());
    stage.press("<backspace><backspace><enter>");
    let Some(Effect::Prepare(wish)) = stage.effects.last() else { panic!("{:?}", stage.effects) };
    assert_eq!((wish.action, wish.argument.as_str()), ("remove-finalizer", "a"));
    assert_eq!(wish.targets[0].gvk.kind, "Forge");
}

#[test]
fn from_a_matter_of_the_overview_to_its_rows_and_back() {
    let mut stage = Stage::scene("apiserver", "typical", (140, 24));
    let overview = names(&stage);
    assert_eq!(overview[..3], ["all requests", "reads", "writes"]);
    stage.press("<enter>");
    assert_eq!(names(&stage), ["GET pods", "POST events", "LIST pods", "PATCH nodes"]);
    assert!(stage.lines()[1].contains("section:=requests"), "{}", stage.text());
    stage.press("<esc><esc>");
    assert_eq!(names(&stage), overview);
    // What is slow or full is a digit away, and latencies compare.
    stage.press("1");
    assert_eq!(names(&stage), ["writes", "POST events"]);
    stage.press("<esc><esc>/p99:>900ms section:=requests<enter>");
    assert_eq!(names(&stage), ["GET pods", "POST events", "LIST pods"]);
}

#[test]
fn what_is_measured_is_no_object() {
    let mut stage = Stage::scene("apiserver", "typical", (140, 24));
    for keys in ["y", "d", "D", "E"] {
        let fx = stage.press(keys).effects.drain(..).collect::<Vec<_>>();
        let asks = |e: &&Effect| {
            matches!(e, Effect::Fetch(..) | Effect::Prepare(_) | Effect::ReadDrain(..))
        };
        assert_eq!(fx.iter().find(asks), None, "{keys}");
    }
    stage.press("y");
    assert!(stage.text().contains("works on"), "{}", stage.text());
}

#[test]
fn the_health_board_leads_from_what_is_not_well_to_where_it_is_seen() {
    let mut stage = Stage::scene("health", "typical", (160, 24));
    assert!(stage.cursor_line().contains("lost: not renewed for 37s"), "{}", stage.text());
    assert!(stage.lines()[1].contains("not well"), "{}", stage.text());
    stage.press("<enter>");
    assert_eq!(stage.app.state.ui.route().unwrap().view, "pods");
    let mut stage = Stage::scene("health", "typical", (160, 24));
    stage.press("/verdict:=unknown<enter>");
    assert!(stage.cursor_line().contains("it takes the right to list pods"), "{}", stage.text());
}

#[test]
fn samples_are_asked_for_only_while_they_are_looked_at() {
    let mut stage = Stage::scene("nodes", "typical", (200, 24));
    let sampled = |stage: &Stage| {
        let store = &stage.app.state.store;
        let last = stage.effects.iter().rev().find_map(|effect| match effect {
            Effect::Follow(tables) => Some(tables.clone()),
            _ => None,
        });
        let ids = last.unwrap().into_iter().map(|table| store.table_at(table).spec.id);
        ids.filter(|id| id.ends_with("_usage")).collect::<Vec<_>>()
    };
    assert_eq!(sampled(&stage), ["node_usage"]);
    stage.press(":pods<enter>");
    assert_eq!(sampled(&stage), ["pod_usage"], "nodes are in the history, and not looked at");
    stage.press("<esc>");
    assert_eq!(sampled(&stage), ["node_usage"]);
    stage.press("jK");
    let asked = stage
        .effects
        .iter()
        .any(|e| matches!(e, Effect::Fetch(_, t, Form::Kubelet) if t.gvk.kind == "Node"));
    assert!(asked, "the kubelet's page is asked for, once");
    assert_eq!(sampled(&stage), [""; 0]);
}

#[test]
fn without_a_metrics_api_its_columns_go_and_the_summary_says_why() {
    let mut stage = Stage::scene("nodes", "typical", (200, 24));
    assert!(stage.text().contains("CPU USED"));
    let store = &stage.app.state.store;
    let table = store.table_index("node_usage").unwrap();
    let feed = store.feeds.iter().find(|f| f.table == table).unwrap().id;
    stage.send(Msg::Health(feed, wheelhouse::state::health::Health::Missing));
    let text = stage.text();
    assert!(!text.contains("CPU USED") && text.contains("CPU REQUESTED"), "{text}");
    assert!(text.contains("metrics API not available; K: one node's"), "{text}");
    assert!(stage.lines()[0].contains("live"), "the rows are as right as before");
}

#[test]
fn from_a_level_to_who_is_there_to_which_schema_caught_it() {
    let mut stage = Stage::scene("levels", "typical", (160, 24));
    assert!(stage.cursor_line().contains("queueing"), "{}", stage.text());
    stage.press("<enter>");
    assert_eq!(stage.app.state.ui.route().unwrap().view, "flows");
    assert!(stage.lines()[1].contains("level:=workload-low"), "{}", stage.text());
    let mut stage = Stage::scene("flows", "typical", (160, 24));
    stage.press("<enter>");
    assert!(stage.lines()[1].contains("user system:serviceaccount:ci:runner"), "{}", stage.text());
    let mut stage = Stage::scene("requests", "typical", (160, 24));
    stage.press("i");
    let asked = stage.effects.iter().find_map(|effect| match effect {
        Effect::WhichSchema(_, question) => Some(question.clone()),
        _ => None,
    });
    let asked = asked.expect("a question");
    assert_eq!(written(&asked.asked), "system:serviceaccount:ci:runner list pods");
    assert_eq!(asked.put_in.as_deref(), Some("service-accounts"));
    // The same is typed by hand; alone it asks about oneself.
    stage.press("<esc>:whatif jane get nodes -g dev<enter>:whatif<enter>");
    let questions: Vec<_> = stage
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::WhichSchema(_, question) => Some(written(&question.asked)),
            _ => None,
        })
        .collect();
    assert_eq!(questions[1..], ["jane get nodes -g dev", "me list pods"]);
    // Looked at again it is the same question; what is none is refused.
    stage.effects.clear();
    stage.press("u:whatif jane<enter>");
    assert!(stage.text().contains("it is written USER|me VERB"), "{}", stage.text());
}

#[test]
fn what_is_looked_at_is_looked_at_again_by_a_key() {
    let mut stage = Stage::scene("queues", "typical", (160, 24));
    stage.press("u");
    assert!(stage.effects.contains(&Effect::LookAgain) && stage.text().contains("dumps 10 s"));
    let mut stage = Stage::scene("nodes", "typical", (160, 24));
    stage.press("u");
    assert!(!stage.effects.contains(&Effect::LookAgain), "nodes follow the cluster by themselves");
}

#[test]
fn limits_of_a_level_are_asked_for_in_words_and_mandatory_levels_refused() {
    let mut stage = Stage::scene("levels", "typical", (160, 24));
    stage.press("xhshare=4<enter>");
    assert!(stage.text().contains("there is no share: shares, lendable"), "{}", stage.text());
    stage.press("<esc>xhshares=40 lendable=10<enter>");
    let Some(Effect::Prepare(wish)) = stage.effects.last() else { panic!("{:?}", stage.effects) };
    let (wanted, name) = (wish.argument.as_str(), wish.targets[0].name.as_str());
    assert_eq!((wish.action, wanted, name), ("limits", "shares=40 lendable=10", "workload-low"));
    stage.press("/catch<enter>xh");
    assert!(
        stage.text().contains("mandatory: the server refuses it with any other limits"),
        "{}",
        stage.text()
    );
}
