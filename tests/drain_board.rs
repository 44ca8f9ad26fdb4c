//! The board of a drain: every state of it on small and large screens, and the way from a node to a running drain by keys.

#[path = "support/scenes.rs"]
mod scenes;
#[path = "support/stage.rs"]
mod stage;

use serde_json::{Value, json};
use stage::{PLAIN, Stage};
use std::time::{Duration, Instant};
use wheelhouse::actions::drain::budget::{BudgetFacts, BudgetId};
use wheelhouse::actions::drain::classify::{Class, Known};
use wheelhouse::actions::drain::facts::{NodeFacts, PodFacts};
use wheelhouse::actions::drain::landing::Outlook;
use wheelhouse::actions::drain::orders::{Cmd, How, Scope};
use wheelhouse::actions::drain::plan::{Facts, ServiceFacts};
use wheelhouse::actions::drain::progress::{Eta, NodeRow, NodeState, PodRow, PodState, Progress};
use wheelhouse::actions::drain::verdict::{Holder, Lack, Verdict};
use wheelhouse::app::drain::{Ended, Told};
use wheelhouse::app::msg::{Effect, Msg};
use wheelhouse::views::theme::Theme;

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];
const MONO: Theme = Theme { colour: false, ascii: true, bar: false };

fn pod(name: &str, node: &str, more: Value) -> PodFacts {
    let mut pod = json!({
        "metadata": {
            "namespace": "shop", "name": name, "uid": format!("00000000-0000-4000-8000-{:0>12}", name.len() * 7919 + name.as_bytes()[0] as usize),
            "labels": {"app": name.split('-').next().unwrap()},
            "ownerReferences": [{"kind": "ReplicaSet", "apiVersion": "apps/v1", "name": "rs", "uid": "rs", "controller": true}],
        },
        "spec": {"nodeName": node},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    });
    merge(&mut pod, &more);
    PodFacts::read(&pod)
}

fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            more.iter().for_each(|(key, value)| {
                merge(into.entry(key.clone()).or_insert(Value::Null), value)
            });
        }
        (into, more) => *into = more.clone(),
    }
}

/// Two nodes with a pod of each kind that has to be decided or thought about.
fn facts() -> Facts {
    let node = |name: &str, zone: &str| {
        NodeFacts::read(&json!({
            "metadata": {"name": name, "uid": format!("uid-{name}"), "labels": {"topology.kubernetes.io/zone": zone}},
            "spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }))
    };
    let daemon = json!({"metadata": {"ownerReferences": [{"kind": "DaemonSet", "apiVersion": "apps/v1", "name": "agent", "uid": "ds", "controller": true}]}});
    let pods = vec![
        pod("web-7d9f-x2x4q", "node-00017", json!({})),
        pod("web-7d9f-p8r2c1", "node-00018", json!({})),
        pod(
            "cart-55c9d-9k2lm",
            "node-00017",
            json!({"spec": {"terminationGracePeriodSeconds": 300}}),
        ),
        pod("debug-tmp", "node-00018", json!({"metadata": {"ownerReferences": []}})),
        pod(
            "cache-0",
            "node-00018",
            json!({"spec": {"volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "2Gi"}}]}}),
        ),
        pod("agent-aaaa", "node-00017", daemon),
    ];
    let budget = BudgetFacts::read(&json!({
        "metadata": {"namespace": "shop", "name": "web", "generation": 1},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 3},
    }));
    let cart = pods[2].uid.clone();
    Facts {
        nodes: vec![node("node-00017", "eu-1a"), node("node-00018", "eu-1b")],
        known: [(cart.clone(), Known { last_ready: true, ..Known::default() })].into(),
        services: vec![ServiceFacts { path: "shop/cart".into(), ready: [cart].into() }],
        autoscalers: vec![
            "the cluster autoscaler works here: it may add nodes for what moves".into(),
        ],
        budgets: Some(vec![budget]),
        pods,
        ..Facts::default()
    }
}

fn planned(size: (u16, u16)) -> Stage {
    let mut stage = Stage::scene("nodes", "typical", size);
    stage.press("D");
    let route = stage.app.state.ui.route().unwrap().id;
    stage.send(Msg::DrainRead(route, Ok(Box::new(facts()))));
    stage
}

fn both(stage: &mut Stage, name: &str) {
    let (w, h) = stage.size;
    let text = format!("{}\n--- roles\n{}", stage.text(), stage.roles());
    insta::assert_snapshot!(format!("{name}-{w}x{h}"), text);
    stage.theme = MONO;
    insta::assert_snapshot!(format!("{name}-mono-{w}x{h}"), stage.text());
    stage.theme = PLAIN;
}

#[test]
fn a_plan_says_what_has_to_be_decided_and_starts_only_when_it_is() {
    for size in SIZES {
        let mut stage = planned(size);
        both(&mut stage, "drain-undecided");
        stage.press("S");
        assert!(stage.app.state.ui.prompt.is_none(), "nothing starts before it is decided");
        stage.press("imf");
        let route = stage.app.state.ui.route().unwrap().id;
        let landing = Outlook {
            placed: 3,
            pending: vec![("shop/cart-55c9d-9k2lm".into(), "412 nodes: insufficient cpu".into())],
            ..Outlook::default()
        };
        stage.send(Msg::DrainLanded(route, Ok(landing)));
        both(&mut stage, "drain-planned");
        stage.press("Snew kernel ticket=CHG-7<enter>");
        both(&mut stage, "drain-preview");
        assert!(!stage.effects.iter().any(|e| matches!(e, Effect::Execute(_))));
    }
}

#[test]
fn what_is_lost_must_be_typed_and_enter_never_starts_a_drain() {
    let mut stage = planned((120, 30));
    stage.press("imfS<enter>");
    stage.now.0 += 5;
    stage.press("<enter>y");
    let runs = |stage: &Stage| stage.effects.iter().any(|e| matches!(e, Effect::Execute(_)));
    assert!(!runs(&stage), "a bare pod is lost: the number of nodes must be typed");
    assert!(
        stage.text().contains("no controller") || stage.text().contains("without a controller"),
        "{}",
        stage.text()
    );
}

#[test]
fn classes_and_pods_are_decided_under_the_cursor() {
    let mut stage = planned((120, 30));
    stage.press("im");
    let text = stage.text();
    assert!(text.contains("debug-tmp") && text.contains("decide"), "{text}");
    // Down to the class that asks, then leave its pods where they are.
    let line = text.lines().position(|l| l.contains("no controller would make it again")).unwrap();
    let at = text.lines().position(|l| l.contains("pods:")).unwrap();
    stage.press(&"j".repeat(line - at));
    stage.press("s");
    let lines: Vec<String> =
        stage.app.state.ui.board().unwrap().lines.iter().map(|l| l.words()).collect();
    let page = lines.join("\n");
    assert!(
        !page.contains("to be decided first") && page.contains("the operator leaves it"),
        "{page}"
    );
}

fn row(name: &str, state: PodState) -> PodRow {
    PodRow {
        namespace: "shop".into(),
        name: name.into(),
        uid: format!("uid-{name}"),
        classes: vec![],
        state,
    }
}

fn running() -> Told {
    let web = BudgetId { namespace: "shop".into(), name: "web".into() };
    let short = Verdict::BudgetShort {
        budget: web.clone(),
        spec: "maxUnavailable: 1".into(),
        wanted: 12,
        healthy: 11,
        allowed: 0,
        holders: vec![Holder { pod: "shop/web-7d9f-9k2lm".into(), lack: Lack::Unready }],
        missing: Some(0),
    };
    let never = Verdict::BudgetNever {
        budget: BudgetId { namespace: "data".into(), name: "queue".into() },
        spec: "maxUnavailable: 0".into(),
    };
    let blocked = |name: &str, verdict| row(name, PodState::Blocked(verdict));
    let pods = vec![
        blocked("web-7d9f-x2x4q", short.clone()),
        blocked("queue-0", never),
        blocked("two-1", Verdict::TwoBudgets("shop/a, shop/b".into())),
        blocked("hook-1", Verdict::Webhook("admission webhook \"gate\" denied the request".into())),
        blocked("held-1", Verdict::Finalizer(vec!["acme.io/clean".into()])),
        blocked("dead-1", Verdict::NodeDead { node: "node-00018".into(), past: 90 }),
        blocked("right-1", Verdict::Forbidden("not allowed to create pods/eviction".into())),
        row("cart-0", PodState::Terminating(Some(24))),
        row("cart-1", PodState::Evicting(Verdict::Sent)),
        row("turn-1", PodState::Queued(Verdict::BudgetTurn(web))),
        row("ask-1", PodState::Undecided(vec![Class::Bare])),
        row("gone-1", PodState::Gone),
        row(
            "agent-aaaa",
            PodState::Skipped("its DaemonSet would make it again on the same node".into()),
        ),
    ];
    let node = |name: &str, wave, state, gone, left, pods| NodeRow {
        name: name.into(),
        wave,
        state,
        gone,
        left,
        pods,
    };
    let nodes = vec![
        node("node-00017", 0, NodeState::Drained("empty, volumes detached".into()), 42, 0, vec![]),
        node("node-00018", 0, NodeState::Draining, 1, 11, pods),
        node(
            "node-00019",
            0,
            NodeState::Blocked(1, short.clone()),
            3,
            1,
            vec![row("web-7d9f-p8r2c", PodState::Blocked(short))],
        ),
        node("node-00020", 0, NodeState::Cordoning, 0, 0, vec![]),
        node("node-00021", 0, NodeState::Settling(vec!["pv-77".into()]), 12, 0, vec![]),
        node("node-00022", 0, NodeState::Paused("somebody uncordoned it".into()), 0, 7, vec![]),
        node("node-00023", 0, NodeState::Aborted, 0, 7, vec![]),
        node("node-00024", 0, NodeState::Failed("the node is gone".into()), 0, 7, vec![]),
        node("node-00040", 2, NodeState::Planned, 0, 44, vec![]),
    ];
    let homeless =
        vec![("shop/cart-9".into(), 41, "0/9 nodes are available: insufficient cpu".into())];
    let progress = Progress {
        paused: None,
        nodes,
        eta: Some(Eta::Grace(24)),
        homeless,
        twice: 1,
        finished: false,
    };
    Told { run: "7f3a".into(), progress, troubles: vec![], requests: 61 }
}

/// A stage on which a drain of these nodes was confirmed.
fn runs(size: (u16, u16)) -> Stage {
    let mut stage = planned(size);
    stage.press("ims");
    let mut stage = confirmed(stage);
    stage.send(Msg::DrainTold(Box::new(running())));
    stage
}

fn confirmed(mut stage: Stage) -> Stage {
    stage.press("fS<enter>");
    let wanted = stage.app.state.ui.proposal.as_ref().map(|p| p.wanted.clone());
    if let Some(wheelhouse::state::ui::proposal::Wanted::Typed(word)) = wanted {
        stage.press(&word);
    }
    // Read a moment after the preview was on screen.
    let later = Instant::now() + Duration::from_secs(1);
    stage.send(Msg::Key("y".parse().unwrap(), later));
    stage
}

#[test]
fn every_state_of_a_running_drain_is_said_in_words() {
    for size in SIZES {
        let mut stage = runs(size);
        both(&mut stage, "drain-running");
        stage.press("jjjjjjjjjjjjjjj");
        both(&mut stage, "drain-running-on-a-pod");
        let mut told = running();
        told.progress.paused = Some("node node-00099 is not ready any more".into());
        told.troubles = vec!["nodes: no answer within 25 s".into()];
        stage.send(Msg::DrainTold(Box::new(told.clone())));
        both(&mut stage, "drain-paused");
        let how = Some(How::Incomplete(vec![("node-00024".into(), "the node is gone".into())]));
        let ended = Ended { run: "7f3a".into(), progress: Some(told.progress), how, stopped: None };
        stage.send(Msg::DrainEnded(Box::new(ended)));
        both(&mut stage, "drain-ended");
    }
}

#[test]
fn a_drain_that_runs_hears_the_operator_and_is_not_lost_from_sight() {
    let mut stage = runs((120, 30));
    let said = |stage: &Stage| -> Vec<Cmd> {
        let cmds = stage.effects.iter().filter_map(|e| match e {
            Effect::SayDrain(cmd) => Some(cmd.clone()),
            _ => None,
        });
        cmds.collect()
    };
    stage.press("gp");
    assert_eq!(said(&stage), [Cmd::Pause(Scope::All)]);
    stage.press("jj");
    stage.press("p");
    assert_eq!(said(&stage)[1], Cmd::Pause(Scope::Node("node-00018".into())));
    stage.press("<esc><esc>");
    assert!(stage.text().contains("drain 58/"), "{}", stage.text());
    stage.press("D");
    assert!(stage.text().contains("a drain runs"), "{}", stage.text());
    assert!(stage.app.state.ui.board().is_some());
    stage.press("<ctrl-c>");
    assert!(!stage.effects.contains(&Effect::Quit) && stage.text().contains("a drain runs"));
    stage.press("<ctrl-c>");
    assert!(stage.effects.contains(&Effect::Quit) && stage.effects.contains(&Effect::LeaveDrain));
}
