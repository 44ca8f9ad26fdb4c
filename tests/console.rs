//! The operator's own house: the journal on screen, what it leads to, the lock, and plans kept for later.

#[path = "support/scenes.rs"]
mod scenes;
#[path = "support/stage.rs"]
mod stage;

use serde_json::json;
use stage::Stage;
use wheelhouse::actions::drain::facts::NodeFacts;
use wheelhouse::actions::drain::plan::Facts;
use wheelhouse::actions::plan::Danger;
use wheelhouse::actions::plan::Plan;
use wheelhouse::app::msg::{Effect, Msg};
use wheelhouse::state::cluster::LOCKED;
use wheelhouse::state::ui::proposal::Wanted;

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

/// The journal with the run of this action under the cursor.
fn journal(size: (u16, u16), run: &str) -> Stage {
    let mut stage = Stage::scene("nodes", "typical", size);
    stage.press("H");
    stage.open_feeds();
    stage.live();
    stage.put("journal", "Run", &scenes::runs());
    stage.settle();
    stage.press(&format!("/{run}<enter>"));
    stage
}

fn plan() -> Box<Plan> {
    Box::new(Plan {
        action: "label".into(),
        title: "label n1".into(),
        steps: vec![],
        notes: vec![],
        danger: Danger::Reversible,
        drain: None,
        reason: String::new(),
    })
}

#[test]
fn the_journal_is_a_table_at_every_size() {
    for (w, h) in SIZES {
        let mut stage = journal((w, h), "result:!done");
        stage.press("<esc>");
        insta::assert_snapshot!(format!("journal-{w}x{h}"), stage.text());
    }
}

#[test]
fn a_run_leads_to_its_report_a_copy_a_file_and_its_undo() {
    let mut stage = journal((120, 24), "cordon");
    let run = "20261123T110000.001Z-a2b3";
    stage.press("v");
    assert!(stage.effects.contains(&Effect::PrepareUndo(Some(run.into()))), "{}", stage.text());
    stage.press("xr");
    assert!(stage.effects.contains(&Effect::SaveReport(run.into())), "{}", stage.text());
    stage.press("xy");
    let copied = |e: &Effect| matches!(e, Effect::FetchToCopy(target) if target.name == run);
    assert!(stage.effects.iter().any(copied));
    stage.press("<enter>");
    let read = |e: &Effect| matches!(e, Effect::Fetch(_, target, _) if target.name == run);
    assert!(stage.effects.iter().any(read));
    stage.effects.clear();
    // On the report the same keys are about the same run.
    stage.press("xr");
    assert!(stage.effects.contains(&Effect::SaveReport(run.into())));
}

#[test]
fn what_cannot_be_put_back_says_why() {
    for (run, why) in
        [("label", "put back already"), ("scale", "nothing of it"), ("reason:kernel", "running")]
    {
        let mut stage = journal((120, 24), run);
        stage.press("v");
        assert!(stage.text().contains(why), "{run}: {}", stage.text());
        assert!(!stage.effects.iter().any(|e| matches!(e, Effect::PrepareUndo(_))), "{run}");
    }
    let mut stage = journal((120, 24), "cordon");
    stage.app.state.cluster.server = "https://elsewhere".into();
    stage.press("v");
    assert!(stage.text().contains("not here"), "{}", stage.text());
}

#[test]
fn nothing_that_changes_a_cluster_is_offered_on_a_run() {
    let mut stage = journal((120, 24), "cordon");
    stage.effects.clear();
    stage.press("L");
    assert!(stage.app.state.ui.prompt.is_none() && stage.effects.is_empty(), "{}", stage.text());
}

#[test]
fn a_locked_session_changes_nothing_until_the_context_is_typed() {
    let mut stage = Stage::scene("nodes", "typical", (120, 24));
    stage.press("<ctrl-r>");
    assert!(stage.effects.contains(&Effect::Lock), "where requests leave is told, too");
    let cluster = &stage.app.state.cluster;
    assert!(cluster.read_only && cluster.read_only_by == LOCKED);
    assert!(stage.lines()[0].contains("read-only"), "{}", stage.lines()[0]);
    for key in ["c", "D", "xz"] {
        stage.effects.clear();
        stage.press(key);
        let idle = |e: &Effect| matches!(e, Effect::ReadDrain(..) | Effect::Follow(_));
        assert!(stage.effects.iter().all(idle), "{key}: {:?}", stage.effects);
        assert!(stage.app.state.ui.prompt.is_none(), "{key}");
        stage.press("<esc>");
    }
    stage.press("xwstaging<enter>");
    assert!(stage.app.state.cluster.read_only && stage.text().contains("still locked"));
    stage.press("xwprod-eu-1<enter>");
    assert!(stage.effects.contains(&Effect::Unlock) && !stage.app.state.cluster.read_only);
}

#[test]
fn what_a_flag_or_a_file_closed_no_key_opens() {
    let mut stage = Stage::scene("nodes", "typical", (120, 24));
    stage.app.state.cluster.read_only = true;
    stage.app.state.cluster.read_only_by = "config.toml line 7".into();
    for _ in 0..2 {
        stage.press("xw");
        assert!(stage.app.state.ui.prompt.is_none());
        assert!(stage.text().contains("config.toml line 7"), "{}", stage.text());
        stage.press("<ctrl-r>");
    }
    assert!(stage.app.state.cluster.read_only && !stage.effects.contains(&Effect::Unlock));
}

fn planned(size: (u16, u16)) -> Stage {
    let mut stage = Stage::scene("nodes", "typical", size);
    stage.press("D");
    let node = NodeFacts::read(&json!({
        "metadata": {"name": "node-00017", "uid": "uid-node-00017"},
        "spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }));
    let facts = Facts { nodes: vec![node], budgets: Some(vec![]), ..Facts::default() };
    let route = stage.app.state.ui.route().unwrap().id;
    stage.send(Msg::DrainRead(route, Ok(Box::new(facts))));
    stage
}

#[test]
fn a_plan_is_saved_from_the_board_and_nothing_is_begun() {
    let mut stage = planned((120, 24));
    stage.press("w");
    let typed = stage.app.state.ui.prompt.as_ref().unwrap().text.clone();
    assert!(typed.starts_with("drain-") && typed.ends_with(".json"), "{typed}");
    stage.press("<ctrl-u>/tmp/tonight.json<enter>");
    let saved = stage.effects.iter().find_map(|e| match e {
        Effect::SaveDrain(file, plan) => Some((file.clone(), plan.clone())),
        _ => None,
    });
    let (file, plan) = saved.expect("it is saved");
    assert_eq!((&*file, &*plan.server), ("/tmp/tonight.json", "https://10.0.0.1:6443"));
    assert_eq!(plan.mandate.nodes[0].uid, "uid-node-00017");
    assert!(!stage.effects.iter().any(|e| matches!(e, Effect::Execute(_))));
    // A prompt that was left is no answer to the next one.
    stage.press("w<esc>S");
    stage.press("disk<enter>");
    assert!(stage.app.state.ui.proposal.is_some(), "{}", stage.text());
}

#[test]
fn a_drain_of_a_protected_context_takes_one_level_more() {
    let wanted = |protected: bool| {
        let mut stage = planned((120, 24));
        stage.app.state.cluster.protected = protected;
        stage.press("Sdisk<enter>");
        let proposal = stage.app.state.ui.proposal.clone().expect("a preview");
        (proposal.wanted, stage.lines()[0].contains("PROTECTED"))
    };
    assert_eq!(wanted(false), (Wanted::Yes, false));
    assert_eq!(wanted(true), (Wanted::Typed("prod-eu-1".into()), true));
}

#[test]
fn without_a_journal_every_screen_and_preview_says_so() {
    for size in SIZES {
        let mut stage = Stage::scene("nodes", "typical", size);
        stage.app.state.cluster.unrecorded = true;
        assert!(stage.lines()[0].contains("NO JOURNAL"), "{}", stage.lines()[0]);
        let session = stage.app.session;
        stage.send(Msg::Prepared(session, Ok(plan())));
        let text = stage.text();
        assert!(text.contains("recorded") && text.contains("no way back by undo"), "{text}");
    }
}
