//! Lines put together into a story, and what is asked of it.

use super::super::{Undo, report};
use super::*;
use serde_json::json;

fn intent(step: u64, body: &str, undo: Option<&str>) -> Intent {
    Intent {
        step,
        words: format!("{body} node-{step}"),
        method: "PATCH".into(),
        path: "/api/v1/nodes/n".into(),
        kind: "Node".into(),
        namespace: String::new(),
        name: "n".into(),
        uid: "u".into(),
        body: json!(body),
        undo: undo.map(|body| Undo {
            words: body.into(),
            method: "PATCH".into(),
            path: "/api/v1/nodes/n".into(),
            content_type: "application/json-patch+json".into(),
            body: json!(body),
        }),
    }
}

fn planned(intent: Intent) -> Record {
    Record::Intent(Box::new(intent))
}

fn outcome(step: u64, result: Fate) -> Record {
    Record::Outcome(Outcome {
        step,
        result,
        status: 200,
        words: String::new(),
        rv: String::new(),
        audit_id: String::new(),
        warnings: vec![],
    })
}

fn header() -> Record {
    let run = "r".to_owned();
    Record::Began(Box::new(Began { version: VERSION, run, pid: 7, ..Began::default() }))
}

fn text(records: Vec<Record>) -> Vec<u8> {
    let mut text = vec![];
    for (n, record) in records.into_iter().enumerate() {
        serde_json::to_writer(&mut text, &Line { at: 100.5 + n as f64, record }).unwrap();
        text.push(b'\n');
    }
    text
}

fn story(records: Vec<Record>) -> Story {
    Story::parse("r", &text(records)).unwrap()
}

fn steps(entries: Vec<&Entry>) -> Vec<u64> {
    entries.iter().map(|entry| entry.intent.step).collect()
}

#[test]
fn intents_meet_their_outcomes_and_the_rest_is_unknown() {
    let told = story(vec![
        header(),
        planned(intent(1, "a", None)),
        outcome(1, Fate::Done),
        planned(intent(2, "b", None)),
        outcome(2, Fate::Unknown),
        planned(intent(3, "c", None)),
        planned(intent(4, "d", None)),
        outcome(4, Fate::Refused),
    ]);
    assert_eq!(steps(told.open_intents().collect()), [2, 3]);
    assert_eq!(told.entries[2].fate().words(), "unknown, check");
    assert_eq!((told.entries[0].took(), told.entries[2].took()), (Some(1.0), None));
    assert_eq!((told.next_step(), told.standing()), (5, Standing::Interrupted));
    assert_eq!((told.at, told.damaged.len(), told.torn), (100.5, 0, false));
}

#[test]
fn an_unknown_result_can_be_settled_later() {
    let told = story(vec![
        header(),
        planned(intent(1, "a", None)),
        outcome(1, Fate::Unknown),
        outcome(1, Fate::Done),
    ]);
    assert_eq!((told.open_intents().count(), told.entries[0].fate()), (0, Fate::Done));
}

#[test]
fn undo_goes_backwards_over_what_was_done_and_not_yet_put_back() {
    let mut records = vec![header()];
    for (step, fate) in [(1, Fate::Done), (2, Fate::Refused), (3, Fate::Unknown), (4, Fate::Done)] {
        let undo = format!("undo-{step}");
        records.push(planned(intent(step, "do", Some(&undo))));
        records.push(outcome(step, fate));
    }
    records.extend([planned(intent(5, "final", None)), outcome(5, Fate::Done)]);
    assert_eq!(steps(story(records.clone()).undo_steps()), [4, 1]);
    // Put back, but nobody knows whether it arrived: it stays.
    records.push(planned(intent(6, "undo-4", None)));
    assert_eq!(steps(story(records.clone()).undo_steps()), [4, 1]);
    records.push(outcome(6, Fate::Done));
    assert_eq!(steps(story(records).undo_steps()), [1]);
}

#[test]
fn an_end_counts_only_if_nothing_follows() {
    let end = || Record::Ended { how: How::Incomplete, words: "1 of 2".into() };
    let by = json!({ "resumed": { "pid": 9, "host": "h" } });
    let note = Record::Noted { words: "resumed".into(), data: by };
    assert_eq!(story(vec![header(), end()]).standing(), Standing::Ended(How::Incomplete));
    let resumed = story(vec![header(), end(), note.clone()]);
    assert_eq!(resumed.standing(), Standing::Interrupted);
    assert_eq!(resumed.owner(), (9, "h".to_owned()));
    assert_eq!(story(vec![header(), end(), note, end()]).end.unwrap().words, "1 of 2");
}

#[test]
fn every_cut_of_a_file_reads_and_keeps_every_whole_line() {
    let whole = text(vec![
        header(),
        planned(intent(1, "ä", Some("ö"))),
        outcome(1, Fate::Done),
        Record::Noted { words: "seen".into(), data: json!({ "a": [1, 2.5, null] }) },
        planned(intent(2, "b", None)),
        outcome(2, Fate::Done),
        Record::Ended { how: How::Done, words: String::new() },
    ]);
    for cut in 0..=whole.len() {
        let story = Story::parse("r", &whole[..cut]).unwrap();
        let lines = whole[..cut].iter().filter(|&&b| b == b'\n').count();
        let outcomes = story.entries.iter().filter(|e| e.outcome.is_some()).count();
        let kept = usize::from(story.has_header())
            + story.entries.len()
            + outcomes
            + story.notes.len()
            + usize::from(story.end.is_some());
        assert_eq!(kept, lines, "cut at {cut}");
        let end = whole[..cut].iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        assert_eq!((story.whole, story.torn), (end as u64, cut != end), "cut at {cut}");
        assert!(story.damaged.is_empty() && story.began.run == "r", "cut at {cut}");
        assert!(report(&story).contains(if cut == end { "# r" } else { "torn" }), "cut at {cut}");
    }
}

#[test]
fn a_damaged_line_is_told_and_the_others_are_kept() {
    let mut bytes = text(vec![header(), planned(intent(1, "a", None))]);
    bytes.extend(b"\0\0\0\n{\"at\":1,\"record\":\"moon\"}\n\xff\xfe\n");
    bytes.extend(text(vec![outcome(1, Fate::Done), outcome(8, Fate::Done), header()]));
    let story = Story::parse("r", &bytes).unwrap();
    assert_eq!(story.damaged.iter().map(|d| d.line).collect::<Vec<_>>(), [3, 5, 7, 8]);
    assert_eq!(story.strange, [4], "whole, and of a kind that only a later version knows");
    assert_eq!(story.entries[0].fate(), Fate::Done);
    assert_eq!(story.remarks().len(), 5);
}

#[test]
fn a_file_without_header_is_damaged_not_empty() {
    let story = Story::parse("r", &text(vec![planned(intent(1, "a", None))])).unwrap();
    assert!(!story.has_header() && story.damaged.len() == 1);
}

#[test]
fn a_later_format_is_refused_whatever_else_it_says() {
    let newer = b"{\"record\":\"commenced\",\"version\":2,\"moon\":true}\n";
    assert_eq!(Story::parse("r", newer), Err(Newer { version: 2 }));
}

#[test]
fn a_record_of_a_later_kind_is_told_and_hides_neither_end_nor_result() {
    let mut bytes = text(vec![header(), planned(intent(1, "a", Some("b")))]);
    bytes.extend(b"{\"at\":2.5,\"record\":\"heartbeat\",\"by\":{\"pid\":7},\"words\":[1]}\n");
    let end = Record::Ended { how: How::Done, words: String::new() };
    bytes.extend(text(vec![outcome(1, Fate::Done), end]));
    let story = Story::parse("r", &bytes).unwrap();
    assert_eq!((story.strange.as_slice(), story.damaged.len()), (&[3][..], 0));
    assert_eq!(story.standing(), Standing::Ended(How::Done));
    assert_eq!(story.undo_steps().len(), 1);
    assert!(story.remarks()[0].contains("line 3") && report(&story).contains("later version"));
    let page = crate::state::journal::page(&story, "yes").text();
    assert!(page.contains("later version") && page.contains("a node-1"), "{page}");
}
