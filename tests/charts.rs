//! Charts and what is saved of them, by keys: state, keys, frames.

#[path = "support/scenes.rs"]
mod scenes;
#[path = "support/stage.rs"]
mod stage;

use scenes::pods;
use stage::{NOON, Stage};
use wheelhouse::app::msg::{Effect, Msg};
use wheelhouse::state::health::Health;
use wheelhouse::state::metrics::apiserver::{Measured, Section};
use wheelhouse::state::parcel::{Draft, Parcel};
use wheelhouse::state::time::Epoch;
use wheelhouse::views::theme::Theme;

/// Minutes of looks at the board of the API server, one each 15 s, with a feed that fails for a while.
fn looked(size: (u16, u16)) -> Stage {
    let mut stage = Stage::at("apiserver", size);
    for i in 0..120 {
        stage.now = Epoch(NOON.0 + 15 * i);
        match i {
            60..90 => down(&mut stage),
            _ => look(&mut stage, i),
        }
    }
    stage
}

fn look(stage: &mut Stage, i: i64) {
    let store = &stage.app.state.store;
    let index = store.table_index("apiserver").unwrap();
    let feed = store.feeds.iter().find(|f| f.table == index).unwrap().id;
    let spec = store.table_at(index).spec;
    let (mut draft, mut parcel) = (Draft::default(), Parcel::new(feed, i as u8, spec));
    let mut row = Measured::new(Section::Overview, "all requests", "apiserver_request_total");
    // A hill that repeats, and one spike.
    let hill = ((i as f64 / 9.0).sin() + 1.2) * 60.0;
    row.rate = Some(if i == 40 { 310.0 } else { hill });
    row.errors = Some(f64::from(u8::from(i % 30 == 0)));
    row.bytes = Some((3 << 30) as f64 + hill * 1e6);
    draft.reset(spec, 0);
    let trend = [0; 12];
    row.window = Some(15.0);
    wheelhouse::state::kinds::apiserver::fill(&mut draft, &row, 0, stage.now, trend);
    draft.settle();
    parcel.push(&draft, spec);
    parcel.sweep = true;
    stage.send(Msg::Rows(parcel));
    let at = stage.now;
    stage.send(Msg::Health(feed, Health::Surveyed { at, unread: vec![] }));
}

fn down(stage: &mut Stage) {
    let feed = stage.app.state.store.feeds.last().unwrap().id;
    let retry = Epoch(stage.now.0 + 15);
    stage.send(Msg::Health(feed, Health::Down { fault: "connection refused".into(), retry }));
}

fn both(stage: &Stage) -> String {
    format!("{}\n--- roles\n{}", stage.text(), stage.roles())
}

#[test]
fn a_chart_shows_what_was_noted_since_the_table_was_first_looked_at() {
    for size in [(80, 24), (200, 50)] {
        let mut stage = looked(size);
        stage.press("V");
        stage.app.state.ui.toast = None;
        insta::assert_snapshot!(format!("chart-{}x{}", size.0, size.1), both(&stage));
        stage.theme = Theme { colour: false, ascii: true, bar: false };
        assert!(stage.text().is_ascii(), "{}", stage.text());
        insta::assert_snapshot!(format!("chart-ascii-{}x{}", size.0, size.1), stage.text());
    }
}

#[test]
fn keys_go_through_the_numbers_of_the_row_and_change_the_time_shown() {
    let mut stage = looked((120, 30));
    stage.press("V");
    assert!(stage.lines()[1].contains("all requests"), "{}", stage.lines()[1]);
    assert!(stage.lines()[1].contains("since 12:00:00 UTC, 29m"), "{}", stage.lines()[1]);
    assert!(stage.lines()[2].contains("[RATE]"), "{}", stage.lines()[2]);
    assert!(stage.lines()[3].contains("most 310/s"), "{}", stage.lines()[3]);
    assert!(stage.text().contains("not measured"), "{}", stage.text());
    stage.press("<right>");
    assert!(stage.lines()[2].contains("[ERR/S]"), "{}", stage.lines()[2]);
    stage.press("h<left>");
    assert!(!stage.lines()[2].contains("[RATE]"), "it goes round: {}", stage.lines()[2]);
    stage.press("l<tab><tab>");
    assert!(stage.lines()[2].contains("[BYTES]"), "{}", stage.lines()[2]);
    assert!(stage.text().contains(" 0 ┤") || stage.text().contains(" 0 "), "from zero");
    stage.press("0");
    assert!(!stage.text().contains(" 2Gi ┤"), "near the least: {}", stage.text());
    stage.press("+");
    assert!(stage.text().contains("-4h"), "6 hours: {}", stage.text());
    stage.press("+++");
    assert!(stage.text().contains("-4m"), "5 minutes: {}", stage.text());
    assert!(!stage.text().contains("not measured"), "{}", stage.text());
    stage.press("<esc>");
    assert!(stage.cursor_line().contains("all requests"));
}

#[test]
fn samples_are_saved_with_their_times_and_gaps() {
    let mut stage = looked((120, 30));
    stage.press("Vw");
    let saved = stage.effects.iter().rev().find_map(|e| match e {
        Effect::SaveText(file, text, what) => Some((file, text, what)),
        _ => None,
    });
    let (file, text, what) = saved.unwrap();
    assert_eq!(file, "wheelhouse-apiserver-all-requests-20261123T122945Z.csv");
    assert_eq!(what, "90 samples of all requests");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("time,") && lines[0].contains("rate"), "{}", lines[0]);
    let head: Vec<_> = lines[0].split(',').collect();
    let rate = head.iter().position(|id| *id == "rate").unwrap();
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(cells(lines[1])[0], "2026-11-23T12:00:00Z");
    assert_eq!(cells(lines[41])[rate], "310.0", "a second, not thousandths");
    // The feed failed: one line without numbers.
    assert_eq!(cells(lines[61])[1..].concat(), "", "{}", lines[61]);
    assert!(lines[62].starts_with("2026-11-23T12:22:30Z"), "{}", lines[62]);
    assert_eq!(lines.len(), 92);
}

#[test]
fn a_watched_row_is_sampled_from_when_its_chart_is_opened() {
    let mut stage = Stage::scene("nodes", "typical", (120, 30));
    stage.press("jV");
    assert!(stage.lines()[1].contains("1 sample"), "{}", stage.text());
    for i in 1..=10 {
        stage.now = Epoch(NOON.0 + 2 * i);
        stage.send(Msg::Woken);
    }
    assert!(stage.lines()[1].contains("20s, 11 samples"), "{}", stage.lines()[1]);
    // The pods of the node go: so does the line.
    let before = stage.lines()[3].clone();
    let on = stage.lines()[1].split_whitespace().next().unwrap().to_owned();
    let mut moved = pods();
    moved.iter_mut().filter(|p| p["spec"]["nodeName"] == on.as_str()).for_each(|p| {
        p["spec"]["nodeName"] = "node-elsewhere".into();
        p["metadata"]["resourceVersion"] = "999".into();
    });
    stage.put("pods", "Pod", &moved);
    stage.now = Epoch(NOON.0 + 22);
    stage.send(Msg::Woken);
    assert_ne!(stage.lines()[3], before);
    // It is asked to wake while it is charted, and no longer than that.
    assert!(stage.app.samples().is_some());
    stage.press("<esc><enter>");
    assert!(stage.app.samples().is_none(), "another place took its place in the history");
}

#[test]
fn a_row_without_numbers_has_no_chart_and_a_row_that_goes_keeps_its_own() {
    let mut stage = Stage::scene("nodes", "empty", (120, 30));
    stage.press("V");
    assert!(stage.text().contains("no row was on screen yet"), "{}", stage.text());
    let mut stage = Stage::scene("nodes", "typical", (120, 30));
    stage.press("jV");
    let key = stage.app.state.ui.chart().unwrap().target.key;
    let spec = stage.app.state.store.table("nodes").spec;
    let index = stage.app.state.store.table_index("nodes").unwrap();
    let feed = stage.app.state.store.feeds.iter().find(|f| f.table == index).unwrap().id;
    let mut parcel = Parcel::new(feed, 1, spec);
    parcel.gone.push(key);
    stage.now = Epoch(NOON.0 + 4);
    stage.send(Msg::Rows(parcel));
    let text = stage.text();
    assert!(text.contains("gone; this is what was") && text.contains("not measured now"), "{text}");
    stage.press("?");
    assert!(stage.text().contains("(chart-save)"), "{}", stage.text());
}

#[test]
fn the_rows_and_columns_shown_are_saved_as_csv() {
    let mut stage = Stage::scene("pods", "typical", (120, 30));
    stage.press("/shop<enter>x,");
    let saved = stage.effects.iter().rev().find_map(|e| match e {
        Effect::SaveText(file, text, what) => Some((file, text, what)),
        _ => None,
    });
    let (file, text, what) = saved.unwrap();
    let table = stage.app.state.ui.table().unwrap();
    let (rows, columns) = (table.lens.rows().len(), table.columns.len());
    assert_eq!(file, "wheelhouse-pods-20261123T120000Z.csv");
    assert_eq!(*what, format!("{rows} rows of {columns} columns"));
    let mut lines = text.lines();
    let head: Vec<_> = table.columns.iter().map(|c| c.id).collect();
    assert_eq!(lines.next().unwrap(), head.join(","));
    assert!(rows > 0 && lines.clone().count() == rows && lines.all(|l| l.contains("shop")));
    stage.press("/nothing-has-this-name<enter>x,");
    assert!(stage.text().contains("no file was made"), "{}", stage.text());
}

#[test]
fn no_size_breaks_a_chart() {
    let mut stage = looked((120, 40));
    stage.press("V");
    for w in (1..=130).step_by(3) {
        for h in 1..=40 {
            stage.size = (w, h);
            stage.settle();
            stage.text();
        }
    }
}
