//! What can come between a wish and its confirmation: other keys, other changes, another cluster.

#[path = "support/scenes.rs"]
mod scenes;
#[path = "support/stage.rs"]
mod stage;

use serde_json::{Value, json};
use stage::Stage;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use wheelhouse::actions::Wish;
use wheelhouse::actions::change::{By, Seen};
use wheelhouse::actions::named;
use wheelhouse::actions::plan::{Answer as Yes, Danger, Plan, Request, Step};
use wheelhouse::app::cluster::session::{
    Answer, ArmedId, Fault, Lock, Meter, Permit, Unreachable, gated, get,
};
use wheelhouse::app::cluster::upstream::Upstream;
use wheelhouse::app::demo::DemoCluster;
use wheelhouse::app::effects::change::{prepare, send, undo_from};
use wheelhouse::app::execute::{Report, Server, execute};
use wheelhouse::app::journal::Journal;
use wheelhouse::app::msg::{Effect, Msg, SessionId};
use wheelhouse::state::cluster::Cluster;
use wheelhouse::state::journal::{Began, Fate, How, Intent, Outcome, Undo};
use wheelhouse::state::kinds;
use wheelhouse::state::parcel::Key;
use wheelhouse::state::time::Epoch;
use wheelhouse::state::ui::document::Target;

fn plan(title: &str, danger: Danger) -> Box<Plan> {
    let step = Step {
        words: title.into(),
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
    Box::new(Plan {
        action: "cordon".into(),
        title: title.into(),
        steps: vec![step],
        notes: vec![],
        danger,
        drain: None,
        reason: String::new(),
    })
}

/// A plan arrives and is painted.
fn arrives(stage: &mut Stage, title: &str, danger: Danger) {
    let id = stage.app.session;
    stage.send(Msg::Prepared(id, Ok(plan(title, danger))));
    stage.app.drawn(Instant::now());
}

/// Keys that were read long after the last frame.
fn later(stage: &mut Stage, keys: &str) {
    for key in keys.chars() {
        let at = Instant::now() + Duration::from_secs(1);
        stage.send(Msg::Key(key.to_string().parse().unwrap(), at));
    }
}

fn executed(stage: &Stage) -> Vec<String> {
    let armed = stage.effects.iter().filter_map(|e| match e {
        Effect::Execute(armed) => Some(armed.plan().title.clone()),
        _ => None,
    });
    armed.collect()
}

fn wishes(stage: &Stage) -> Vec<Vec<String>> {
    let asked = stage.effects.iter().filter_map(|e| match e {
        Effect::Prepare(wish) => Some(wish.targets.iter().map(|t| t.name.clone()).collect()),
        _ => None,
    });
    asked.collect()
}

#[test]
fn a_word_that_was_typed_ahead_is_not_the_word_that_was_asked_for() {
    let mut stage = Stage::scene("pods", "typical", (120, 24));
    let early = Instant::now();
    arrives(&mut stage, "delete web-0", Danger::Destructive("3".into()));
    stage.send(Msg::Key("3".parse().unwrap(), early));
    later(&mut stage, "y");
    assert_eq!(executed(&stage), [""; 0], "the 3 was typed at something else");
    let mut stage = Stage::scene("pods", "typical", (120, 24));
    arrives(&mut stage, "delete web-0", Danger::Destructive("3".into()));
    later(&mut stage, "3y");
    assert_eq!(executed(&stage), ["delete web-0"]);
}

#[test]
fn a_plan_waits_until_what_is_being_typed_is_done() {
    let mut stage = Stage::scene("pods", "typical", (120, 24));
    stage.press("/");
    arrives(&mut stage, "cordon n1", Danger::Reversible);
    later(&mut stage, "gateway");
    assert_eq!(executed(&stage), [""; 0]);
    assert!(stage.lines().last().unwrap().contains("/gateway"), "{}", stage.text());
    stage.press("<enter>");
    assert!(stage.text().contains("cordon n1"), "{}", stage.text());
    stage.app.drawn(Instant::now());
    later(&mut stage, "y");
    assert_eq!(executed(&stage), ["cordon n1"]);
}

#[test]
fn a_plan_that_waited_is_not_shown_on_another_cluster() {
    let mut stage = Stage::scene("pods", "typical", (120, 24));
    stage.press(":");
    arrives(&mut stage, "cordon n1", Danger::Reversible);
    stage.press("ctx staging<enter>");
    assert!(stage.text().contains("the cluster before this one"), "{}", stage.text());
    later(&mut stage, "y");
    assert_eq!(executed(&stage), [""; 0]);
}

#[test]
fn a_plan_of_the_cluster_before_is_never_shown_under_the_name_of_this_one() {
    let mut stage = Stage::scene("pods", "typical", (120, 24));
    let before = stage.app.session;
    stage.press(":ctx staging<enter>");
    let cluster = Cluster { context: "staging".into(), ..Cluster::default() };
    stage.send(Msg::Connected(stage.app.session, Ok(cluster)));
    stage.send(Msg::Prepared(before, Ok(plan("delete web-0", Danger::Reversible))));
    stage.app.drawn(Instant::now());
    let text = stage.text();
    assert!(text.contains("delete web-0 was left: it was planned on the cluster before"), "{text}");
    later(&mut stage, "y");
    assert_eq!(executed(&stage), [""; 0]);
}

#[test]
fn a_plan_on_screen_goes_with_its_cluster() {
    let mut stage = Stage::scene("pods", "typical", (120, 24));
    stage.app.session = SessionId(4);
    arrives(&mut stage, "delete web-0", Danger::Reversible);
    stage.send(Msg::Connected(SessionId(4), Ok(Cluster::default())));
    later(&mut stage, "y");
    assert_eq!(executed(&stage), [""; 0]);
    assert!(stage.app.state.ui.proposal.is_none());
}

#[test]
fn nothing_is_planned_while_another_cluster_is_being_connected() {
    let mut stage = Stage::scene("pods", "typical", (120, 24));
    stage.press(":ctx staging<enter>e");
    assert_eq!(wishes(&stage).len(), 0);
    assert!(stage.text().contains("while staging is being connected"), "{}", stage.text());
    stage.press("xz");
    assert!(!stage.effects.contains(&Effect::PrepareUndo(None)));
}

#[test]
fn one_change_at_a_time() {
    let mut stage = Stage::scene("pods", "typical", (120, 24));
    arrives(&mut stage, "evict first", Danger::Reversible);
    arrives(&mut stage, "evict second", Danger::Reversible);
    assert!(stage.text().contains("evict first"), "the one that is being read stays");
    later(&mut stage, "y");
    arrives(&mut stage, "evict third", Danger::Reversible);
    later(&mut stage, "y");
    stage.press("xz");
    assert_eq!(executed(&stage), ["evict first"], "the others were left while it ran");
    assert!(!stage.effects.contains(&Effect::PrepareUndo(None)));
    let report = Report { title: "evict first".into(), ..Report::default() };
    stage.send(Msg::Executed(Box::new(report)));
    stage.press("<esc>xz");
    assert!(stage.effects.contains(&Effect::PrepareUndo(None)), "afterwards it can be undone");
}

#[test]
fn undo_is_not_offered_when_read_only() {
    let mut stage = Stage::scene("pods", "typical", (120, 24));
    stage.app.state.cluster.read_only = true;
    stage.press("xz");
    assert!(!stage.effects.contains(&Effect::PrepareUndo(None)));
    assert!(stage.text().contains("undo: read-only"));
}

#[test]
fn marks_that_a_filter_hides_are_acted_on_and_the_cursor_is_not() {
    let mut stage = Stage::scene("pods", "typical", (120, 24));
    stage.press("<space><space>");
    let table = stage.app.state.ui.table().unwrap();
    let marked: Vec<String> =
        (0..2).map(|i| table.row(&stage.app.state.store, i).unwrap().name().into_owned()).collect();
    assert!(!marked.iter().any(|name| name.starts_with("cart-55c9d")), "{marked:?}");
    stage.press("/cart-55c9d<enter>");
    assert!(stage.lines()[1].contains("2 marked"), "{}", stage.lines()[1]);
    stage.press("e");
    let mut asked = wishes(&stage).pop().unwrap();
    asked.sort_unstable();
    let mut wanted = marked;
    wanted.sort_unstable();
    assert_eq!(asked, wanted);
}

#[test]
fn an_undo_asks_one_level_more_on_a_protected_context_whoever_calls() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::at(home.path().to_owned());
    let began = Began { action: "cordon".into(), server: "here".into(), ..Began::default() };
    let mut run = journal.begin(began).unwrap();
    run.intent(Intent {
        step: 1,
        words: "cordon n1".into(),
        method: "PATCH".into(),
        path: "/api/v1/nodes/n1".into(),
        kind: "Node".into(),
        namespace: String::new(),
        name: "n1".into(),
        uid: "u".into(),
        body: json!({}),
        undo: Some(Undo {
            words: "uncordon n1".into(),
            method: "PATCH".into(),
            path: "/api/v1/nodes/n1".into(),
            content_type: "application/json-patch+json".into(),
            body: json!([]),
        }),
    })
    .unwrap();
    run.outcome(Outcome {
        step: 1,
        result: Fate::Done,
        status: 200,
        words: String::new(),
        rv: String::new(),
        audit_id: String::new(),
        warnings: vec![],
    })
    .unwrap();
    run.end(How::Done, "done").unwrap();
    drop(run);
    let plain = Cluster { server: "here".into(), context: "prod".into(), ..Cluster::default() };
    let danger = |cluster: &Cluster| undo_from(&journal, None, cluster).unwrap().danger;
    assert_eq!(danger(&plain), Danger::Disruptive);
    let protected = Cluster { protected: true, ..plain };
    assert_eq!(danger(&protected), Danger::Destructive("prod".into()));
}

/// Answers every write with one fault, and every look with one object.
struct Faulty(Fault, Option<Value>);

impl Server for Faulty {
    fn write(&self, _: ArmedId, _: &Request) -> Result<Answer, Fault> {
        Err(self.0.clone())
    }

    fn look(&self, _: &str) -> Option<Result<Value, Fault>> {
        self.1.clone().map(Ok)
    }
}

fn run_on(server: &dyn Server) -> Report {
    let home = tempfile::tempdir().unwrap();
    let journal = Ok(Journal::at(home.path().to_owned()));
    let armed = plan("cordon n1", Danger::Reversible).confirm(&Yes::Yes).unwrap();
    let go = AtomicBool::new(false);
    execute(&armed, ArmedId(1), server, &journal, Began::default(), &mut |_| {}, &go)
}

fn fate(fault: Fault) -> Fate {
    run_on(&Faulty(fault, None)).steps[0].fate
}

#[test]
fn only_what_is_known_not_to_be_stored_is_called_refused() {
    let refused = |code, message: &str| {
        fate(Fault::Rejected { code, reason: String::new(), message: message.into() })
    };
    assert_eq!(refused(500, "etcdserver: request timed out"), Fate::Unknown);
    assert_eq!(refused(504, "Timeout: request did not complete"), Fate::Unknown);
    assert_eq!(refused(502, ""), Fate::Unknown);
    let webhook = "Internal error occurred: failed calling webhook \"x\": timeout";
    assert_eq!(refused(500, webhook), Fate::Refused);
    let budgets = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    assert_eq!(refused(500, budgets), Fate::Refused);
    assert_eq!(refused(422, "spec.x: Invalid value"), Fate::Refused);
    assert_eq!(fate(Fault::Bug("the answer is longer than 64 MiB".into())), Fate::Unknown);
    assert_eq!(fate(Fault::Unreachable(Unreachable::Refused)), Fate::NotSent);
    assert_eq!(fate(Fault::Unreachable(Unreachable::Dropped)), Fate::Unknown);
}

#[test]
fn an_object_whose_answer_never_came_is_read_again_by_its_uid() {
    let lost = Fault::Timeout { after: Duration::from_secs(65) };
    let words = |object: Value| run_on(&Faulty(lost.clone(), Some(object))).steps[0].why.clone();
    assert!(words(json!({"metadata": {"uid": "uid"}})).contains("read again"));
    assert!(words(json!({"metadata": {"uid": "another"}})).contains("it is gone"));
    let refused = Faulty(Fault::NotFound { message: String::new() }, Some(json!({})));
    assert!(!run_on(&refused).steps[0].why.contains("read again"), "what is known is not asked");
}

#[test]
fn the_word_to_type_is_for_what_is_done_and_not_for_what_was_left_out() {
    let seen = |name: &str, rest: Value| {
        let mut object = json!({"metadata": {"name": name}});
        json_patch::merge(&mut object, &rest);
        let mut kinds = kinds::ALL.iter().flat_map(|table| table.kinds).map(|kind| &kind.gvk);
        let gvk = kinds.find(|gvk| gvk.kind == "Pod").unwrap();
        let key = Key::of("61cc42d4-094b-4c40-a0ef-4aa7dd7f4aec", "shop", name);
        let (namespace, name) = ("shop".to_owned(), name.to_owned());
        Seen {
            target: Target { table: "", gvk, namespace, name, key, rv: 1 },
            object,
            pods: Ok(vec![]),
            evidence: None,
        }
    };
    let going = json!({"metadata": {"deletionTimestamp": "t"}});
    let on = [seen("bare", json!({})), seen("going", going)];
    let evict = named("evict").unwrap().change().unwrap();
    let plan = evict.plan(&on, "", &By::default()).unwrap();
    assert_eq!(plan.danger, Danger::Destructive("bare".into()));
}

#[tokio::test]
async fn a_scale_from_nothing_does_not_undo_what_somebody_else_scaled_meanwhile() {
    let client =
        gated(DemoCluster::today(), "default", Arc::new(Meter::default()), Lock::new(false));
    let read = async |path: &str| -> Value {
        serde_json::from_slice(&get(&client, path, None).await.unwrap().body).unwrap()
    };
    let list = read("/apis/apps/v1/deployments?limit=1").await;
    let meta = &list["items"][0]["metadata"];
    let field = |name: &str| meta[name].as_str().unwrap().to_owned();
    let (namespace, name, uid) = (field("namespace"), field("name"), field("uid"));
    let mut kinds = kinds::ALL.iter().flat_map(|table| table.kinds).map(|kind| &kind.gvk);
    let gvk = kinds.find(|gvk| gvk.kind == "Deployment").unwrap();
    let key = Key::of(&uid, &namespace, &name);
    let path = gvk.object(&namespace, &name);
    let target = Target { table: "", gvk, namespace, name, key, rv: 0 };
    let upstream = Upstream::new(client.clone(), Arc::new(|| Epoch(0)));
    let planned = async |to: &str| {
        let targets = vec![target.clone()];
        let wish = Wish { action: "scale", targets, argument: to.into() };
        let plan = prepare(&upstream, &wish, &Cluster::default(), Epoch(0)).await.unwrap();
        plan.steps[0].request.clone()
    };
    let permit = Permit::Write(ArmedId(1));
    send(&client, permit, &planned("0").await).await.unwrap();
    let late = planned("2").await;
    send(&client, permit, &planned("5").await).await.unwrap();
    let refused = send(&client, permit, &late).await.unwrap_err();
    assert!(matches!(refused, Fault::Rejected { code: 422, .. }), "{refused:?}");
    assert_eq!(read(&path).await["spec"]["replicas"], 5);
}
