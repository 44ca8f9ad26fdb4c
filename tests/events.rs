//! The events desk: key scripts over the core.

#[path = "support/scenes.rs"]
mod scenes;
#[path = "support/stage.rs"]
mod stage;

use scenes::{event, pods};
use stage::{NOON, Stage};
use wheelhouse::app::msg::{Effect, Msg, SessionId};
use wheelhouse::state::parcel::Parcel;
use wheelhouse::state::text::harmless;
use wheelhouse::state::time::Epoch;
use wheelhouse::state::timeline::Deed;
use wheelhouse::state::ui::document::Form;

fn desk(size: (u16, u16)) -> Stage {
    Stage::scene("events", "typical", size)
}

fn objects(stage: &Stage) -> Vec<String> {
    let table = stage.app.state.ui.table().unwrap();
    let row = |i| table.row(&stage.app.state.store, i).unwrap().name().into_owned();
    (0..table.lens.rows().len()).map(row).collect()
}

fn shop(name: &str, reason: &str, last: i64, count: u32) -> serde_json::Value {
    event(("Pod", "shop", name), ("Warning", reason, "once more"), last, count)
}

#[test]
fn it_opens_on_what_is_not_normal_and_a_key_shows_the_rest() {
    let mut stage = desk((140, 24));
    let notable = objects(&stage);
    assert_eq!(notable.first().unwrap(), "cart-55c9d-9k2lm", "the newest first");
    assert_eq!(notable.len(), 6);
    assert!(stage.lines()[1].contains("6 of 9"), "{}", stage.lines()[1]);
    stage.press("n");
    assert_eq!(objects(&stage).len(), 9);
    stage.press("n");
    assert_eq!(objects(&stage), notable);
    stage.press("/backoff<enter>");
    assert_eq!(objects(&stage), ["cart-55c9d-9k2lm"], "what is typed is one more term");
    stage.press("<esc>");
    assert_eq!(objects(&stage), notable, "escape comes back to what the view opened with");
}

#[test]
fn rows_of_one_second_stand_in_the_order_they_came() {
    let stage = desk((140, 24));
    let at = |name: &str| objects(&stage).iter().position(|n| n == name).unwrap();
    assert!(at("web-7d9f8b-x3x4q") < at("web-7d9f8b-x1x4q"), "the later arrival is the newer one");
}

#[test]
fn the_second_line_counts_and_leads_to_the_reason_that_comes_up_most() {
    let mut stage = desk((160, 24));
    let second = stage.lines()[1].clone();
    assert!(second.contains("6 warnings[1]") && second.contains("3 normal[2]"), "{second}");
    assert!(second.contains("38 BackOff[3]"), "{second}");
    stage.press("3");
    assert_eq!(objects(&stage), ["cart-55c9d-9k2lm"]);
}

#[test]
fn rows_stand_still_while_they_are_read_and_then_go_on() {
    let mut stage = desk((140, 24));
    stage.press("jjP");
    let before = objects(&stage);
    let line = stage.cursor_line();
    stage.put(
        "events",
        "Event",
        &[shop("fresh-1-abcde", "Killing", 1, 1), shop("cart-55c9d-9k2lm", "BackOff", 1, 1)],
    );
    assert_eq!(objects(&stage), before);
    assert_eq!(stage.cursor_line(), line);
    assert!(stage.lines()[1].contains("PAUSED, 2 changed since"), "{}", stage.lines()[1]);
    stage.press("jk");
    assert_eq!(stage.cursor_line(), line, "keys go on working");
    stage.press("P");
    assert_eq!(objects(&stage).len(), before.len() + 1);
    assert!(!stage.lines()[1].contains("PAUSED"));
}

#[test]
fn the_cursor_stays_on_its_line_while_newer_events_come_in_above() {
    let mut stage = desk((140, 24));
    stage.press("jj");
    let line = stage.cursor_line();
    for i in 0..40 {
        stage.put("events", "Event", &[shop(&format!("fresh-1-{i:05}"), "Killing", 1, 1)]);
    }
    assert_eq!(stage.cursor_line(), line);
}

#[test]
fn enter_leads_to_the_object_and_to_nothing_if_it_is_gone() {
    let mut stage = desk((140, 24));
    stage.press("<enter>");
    stage.open_feeds();
    stage.typical();
    assert_eq!(stage.app.state.ui.route().unwrap().view, "pods");
    assert_eq!(objects(&stage), ["cart-55c9d-9k2lm"]);
    stage.press("<esc>");
    assert!(stage.cursor_line().contains("cart-55c9d-9k2lm"), "escape shows its neighbours");
    // A pod that has no row any more is not mistaken for another.
    let mut stage = desk((140, 24));
    stage.put("events", "Event", &[shop("gone-1-abcde", "Killing", 0, 1)]);
    stage.press("g<enter>");
    stage.open_feeds();
    stage.typical();
    assert!(
        objects(&stage).is_empty() && stage.text().contains("no row matches"),
        "{}",
        stage.text()
    );
}

#[test]
fn an_object_without_a_view_is_described_and_an_unknown_kind_says_so() {
    let mut stage = desk((140, 24));
    stage.press("/provisioning<enter><enter>");
    let fetched = stage.effects.iter().rev().find_map(|e| match e {
        Effect::Fetch(_, target, form) => Some((target.clone(), *form)),
        _ => None,
    });
    let (target, form) = fetched.unwrap();
    assert_eq!((target.gvk.plural, form), ("persistentvolumeclaims", Form::Describe));
    assert_eq!(target.path(), "shop/data-db-3");
    // It is not said to be gone because no table knows it.
    let feed = stage.app.state.store.feeds[0].id;
    let spec = stage.app.state.store.table("events").spec;
    stage.send(Msg::Rows(Parcel::new(feed, 1, spec)));
    assert!(!stage.text().contains("gone"), "{}", stage.text());
    let mut stage = desk((140, 24));
    stage.press("/syncfailed<enter><enter>");
    assert!(stage.text().contains("leads to no view"), "{}", stage.text());
}

#[test]
fn from_an_object_to_its_events_by_kind_and_name() {
    let mut stage = Stage::scene("nodes", "typical", (140, 24));
    stage.press("/node-00019<enter>E");
    stage.open_feeds();
    stage.typical();
    assert!(stage.lines()[1].contains("events of Node node-00019"), "{}", stage.lines()[1]);
    assert_eq!(objects(&stage), ["node-00019", "node-00019"], "Normal ones too");
    let mut stage = Stage::scene("pods", "typical", (140, 24));
    assert!(!pods().is_empty());
    stage.press("/cart<enter>E");
    stage.open_feeds();
    stage.typical();
    assert_eq!(objects(&stage).len(), 2);
    // A cluster-scoped object's events are not where a single namespace is looked at.
    let mut stage = Stage::scene("nodes", "typical", (140, 24));
    stage.app.state.cluster.namespace = Some("shop".into());
    stage.press("E");
    assert!(stage.text().contains(":ns all"), "{}", stage.text());
}

#[test]
fn nothing_is_changed_from_a_line_that_only_speaks_of_an_object() {
    let mut stage = desk((140, 24));
    stage.press("<delete>");
    assert!(stage.text().contains("go to the object first"), "{}", stage.text());
    assert!(!stage.effects.iter().any(|e| matches!(e, Effect::Prepare(_))));
}

#[test]
fn what_was_done_from_here_stands_in_the_same_timeline() {
    let mut stage = desk((140, 24));
    assert!(stage.effects.contains(&Effect::ReadDeeds));
    stage.effects.clear();
    stage.send(Msg::Executed(Box::default()));
    assert_eq!(stage.effects, [Effect::LookAgain, Effect::ReadDeeds]);
    let deed = Deed {
        id: "run#1".into(),
        at: Epoch(NOON.0 - 20),
        action: "evict".into(),
        kind: "Pod".into(),
        namespace: "shop".into(),
        name: "web-7d9f8b-x1x4q".into(),
        words: "evict pod shop/web-7d9f8b-x1x4q".into(),
        by: "op-2@bastion".into(),
    };
    stage.send(Msg::Deeds(SessionId::default(), vec![deed.clone()]));
    stage.send(Msg::Deeds(SessionId(7), vec![Deed { id: "of another cluster".into(), ..deed }]));
    let lines = stage.lines();
    let mine: Vec<_> = lines.iter().filter(|l| l.contains(" You ")).collect();
    assert_eq!(mine.len(), 1, "{}", stage.text());
    assert!(mine[0].contains("evict") && mine[0].contains("Pod/web-7d9f8b-x1x4q"));
    assert!(lines[4].contains(" You "), "between 12 s and 45 s: {}", stage.text());
    assert!(lines[1].contains("1 by you"), "{}", lines[1]);
}

#[test]
fn counts_are_asked_for_and_shown() {
    let mut stage = desk((140, 24));
    stage.press("#");
    assert!(stage.effects.contains(&Effect::CountEvents));
    let words = "48,210 in the cluster\n   40,000  shop".to_owned();
    stage.send(Msg::Counted(SessionId::default(), Ok(words)));
    assert!(stage.text().contains("48,210 in the cluster"), "{}", stage.text());
    let mut stage = Stage::scene("pods", "typical", (140, 24));
    stage.press("#");
    assert!(!stage.effects.contains(&Effect::CountEvents), "elsewhere it means nothing");
}

#[test]
fn a_refusal_names_the_rule_and_a_hostile_message_does_nothing() {
    let stage = Stage::scene("events", "denied", (100, 20));
    assert!(stage.text().contains("Missing rule: list on events"), "{}", stage.text());
    let stage = Stage::scene("events", "hostile", (160, 20));
    assert!(stage.text().contains("all is well"), "{}", stage.text());
    assert!(stage.text().chars().all(|c| c == '\n' || harmless(c)));
}

#[test]
fn nothing_but_normal_events_is_said_with_the_key_that_shows_them() {
    let mut stage = Stage::at("events", (120, 20));
    let normal = event(("Pod", "shop", "web-1"), ("Normal", "Pulled", "x"), 10, 1);
    stage.put("events", "Event", &[normal]).live();
    assert!(stage.text().contains("nothing but Normal events; n shows them"), "{}", stage.text());
}

#[test]
fn both_ends_of_terminals() {
    for (w, h) in [(80, 24), (200, 50)] {
        let mut stage = desk((w, h));
        stage.press("n");
        insta::assert_snapshot!(format!("events-desk-{w}x{h}"), stage.text());
    }
}
