//! The journal in folders of its own.

use super::*;
use crate::state::journal::{Fate, How, Intent, Outcome, Standing};
use std::os::unix::fs::PermissionsExt;

fn began() -> Began {
    Began { action: "cordon".into(), title: "cordon 1 node".into(), ..Began::default() }
}

fn intent(step: u64) -> Intent {
    Intent {
        step,
        words: "cordon node-1".into(),
        method: "PATCH".into(),
        path: "/api/v1/nodes/node-1".into(),
        kind: "Node".into(),
        namespace: String::new(),
        name: "node-1".into(),
        uid: "u".into(),
        body: json!([{ "op": "add", "path": "/spec/unschedulable", "value": true }]),
        undo: None,
    }
}

fn outcome(step: u64) -> Outcome {
    Outcome {
        step,
        result: Fate::Done,
        status: 200,
        words: String::new(),
        rv: "42".into(),
        audit_id: "a-1".into(),
        warnings: vec!["old".into()],
    }
}

fn folder() -> (tempfile::TempDir, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::at(dir.path().join("wheelhouse/journal"));
    (dir, journal)
}

fn summary(journal: &Journal, run: &str) -> Summary {
    journal.runs().unwrap().into_iter().find(|summary| summary.run == run).unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_run_reads_as_it_was_recorded() {
    let (_dir, journal) = folder();
    assert_eq!(journal.runs().unwrap(), []);
    let mut run = journal.begin(began()).unwrap();
    let id = run.id().to_owned();
    run.intent(intent(1)).unwrap();
    run.outcome(outcome(1)).unwrap();
    run.note("waited", json!({ "for": "a budget" })).unwrap();
    run.end(How::Done, "1 of 1").unwrap();
    assert_eq!((mode(journal.folder()), mode(run.path())), (0o700, 0o600));
    drop(run);
    let story = journal.read(&id).unwrap();
    assert_eq!((&story.began.run, story.began.pid), (&id, std::process::id()));
    assert!(!story.began.login.is_empty() && story.at > 1.7e9);
    assert_eq!(story.entries[0].intent, intent(1));
    assert_eq!(story.entries[0].outcome.as_ref().unwrap().1, outcome(1));
    assert_eq!(story.notes[0].data, json!({ "for": "a budget" }));
    assert_eq!(story.standing(), Standing::Ended(How::Done));
    assert_eq!(story.remarks(), Vec::<String>::new());
}

#[test]
fn a_run_is_alive_until_its_writer_is_gone_and_nobody_else_gets_it() {
    let (_dir, journal) = folder();
    let run = journal.begin(began()).unwrap();
    let id = run.id().to_owned();
    let (pid, host) = (std::process::id(), name::host());
    for _ in 0..2 {
        assert_eq!(summary(&journal, &id).standing, Standing::Alive { pid, host: host.clone() });
        let words = journal.resume(&id).unwrap_err().to_string();
        assert!(words.contains(&format!("process {pid}")), "{words}");
    }
    drop(run);
    assert_eq!(summary(&journal, &id).standing, Standing::Interrupted);
    let (_, mut run) = journal.resume(&id).unwrap();
    assert!(matches!(journal.resume(&id), Err(Trouble::Locked { .. })));
    run.end(How::Aborted, "").unwrap();
    drop(run);
    assert_eq!(summary(&journal, &id).standing, Standing::Ended(How::Aborted));
}

#[test]
fn a_torn_line_is_told_and_cut_off_by_who_resumes() {
    let (_dir, journal) = folder();
    let mut run = journal.begin(began()).unwrap();
    let (id, path) = (run.id().to_owned(), run.path().to_owned());
    run.intent(intent(1)).unwrap();
    drop(run);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..], b"{\"at\":1,\"record\":\"outc"].concat()).unwrap();
    assert!(summary(&journal, &id).remarks[0].contains("torn"));
    let (story, mut run) = journal.resume(&id).unwrap();
    assert_eq!((story.open_intents().count(), story.next_step()), (1, 2));
    run.outcome(outcome(1)).unwrap();
    drop(run);
    let story = journal.read(&id).unwrap();
    assert!(!story.torn && story.damaged.is_empty(), "{:?}", story.remarks());
    assert_eq!(story.entries[0].fate(), Fate::Done);
    assert!(std::fs::read(&path).unwrap().starts_with(&whole));
    assert!(story.notes[0].words.starts_with("resumed by "));
}

#[test]
fn what_cannot_be_resumed_says_why() {
    let (_dir, journal) = folder();
    drop(journal.begin(began()).unwrap());
    let put = |run: &str, text: &str| std::fs::write(journal.path(run), text).unwrap();
    put("empty", "");
    put("torn", "{\"at\":1,");
    put("damaged", "moon\n");
    put("newer", "{\"at\":1,\"record\":\"began\",\"version\":99}\n");
    for run in ["empty", "torn"] {
        assert!(matches!(journal.resume(run), Err(Trouble::Empty { .. })), "{run}");
    }
    assert!(matches!(journal.resume("damaged"), Err(Trouble::Damaged { line: 1, .. })));
    assert!(matches!(journal.resume("newer"), Err(Trouble::Newer { version: 99, .. })));
    assert!(matches!(journal.resume("../journal/empty"), Err(Trouble::NoSuchRun { .. })));
    assert_eq!(std::fs::read_to_string(journal.path("torn")).unwrap(), "{\"at\":1,");
}

#[test]
fn nothing_begins_where_nothing_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let trouble = Journal::at(file.join("journal")).begin(began()).unwrap_err();
    let words = trouble.to_string();
    assert!(matches!(trouble, Trouble::NotBegun { .. }), "{words}");
    assert!(words.contains("nothing was sent") && words.contains("XDG_STATE_HOME"), "{words}");
    assert!(matches!(Journal::at(file).runs(), Err(Trouble::Unreadable { .. })));
}

#[test]
fn home_follows_the_base_directory_rules() {
    let set = |name: &str| (name == "HOME").then(|| "/home/op".to_owned());
    let home = Journal::from_env(&set).unwrap();
    assert_eq!(home.folder(), Path::new("/home/op/.local/state/wheelhouse/journal"));
    assert!(matches!(Journal::from_env(&|_| None), Err(Trouble::NoHome)));
}

#[test]
fn a_word_means_one_run_or_is_refused() {
    let (_dir, journal) = folder();
    assert!(matches!(journal.find("last"), Err(Trouble::NoSuchRun { .. })));
    std::fs::create_dir_all(journal.folder()).unwrap();
    for run in ["2026a", "2026ab", "2025x"] {
        std::fs::write(journal.path(run), "").unwrap();
    }
    for (word, run) in
        [("last", "2026ab"), ("2026a", "2026a"), ("2026ab", "2026ab"), ("2025", "2025x")]
    {
        assert_eq!(journal.find(word).unwrap(), run, "{word}");
    }
    assert!(
        matches!(journal.find("2026"), Err(Trouble::Ambiguous { runs, .. }) if runs.len() == 2)
    );
    for none in ["", "moon"] {
        assert!(matches!(journal.find(none), Err(Trouble::NoSuchRun { .. })), "{none}");
    }
}

/// A run that ended, under a name that begins with this day.
fn old(journal: &Journal, name: &str, lines: &[Record]) {
    std::fs::create_dir_all(journal.folder()).unwrap();
    let began = Record::Began(Box::new(introduce(began(), name.to_owned())));
    let records = std::iter::once(began).chain(lines.iter().cloned());
    let text: String = records
        .map(|record| {
            serde_json::to_string(&crate::state::journal::Line { at: 1.0, record }).unwrap() + "\n"
        })
        .collect();
    std::fs::write(journal.path(name), text).unwrap();
}

fn over() -> Record {
    Record::Ended { how: How::Done, words: String::new() }
}

#[test]
fn of_old_runs_only_those_that_are_over_go() {
    let (_dir, journal) = folder();
    let done = [Record::Intent(Box::new(intent(1))), Record::Outcome(outcome(1)), over()];
    old(&journal, "20200101T000000.000Z-over", &done);
    old(&journal, "20200102T000000.000Z-cut", &done[..2]);
    old(&journal, "20200103T000000.000Z-unknown", &[done[0].clone(), over()]);
    old(&journal, "20200104T000000.000Z-damaged", &done);
    let damaged = journal.path("20200104T000000.000Z-damaged");
    let text = std::fs::read_to_string(&damaged).unwrap();
    std::fs::write(&damaged, format!("moon\n{text}")).unwrap();
    old(&journal, "20200105T000000.000Z-alive", &done);
    let (_, alive) = journal.resume("20200105T000000.000Z-alive").unwrap();
    old(&journal, "20300101T000000.000Z-young", &done);
    let now = 1.8e9;
    assert_eq!(journal.prune_to(0, now).unwrap(), 1);
    let left = journal.recent(9).unwrap();
    let names: Vec<_> = left.iter().map(|name| name.rsplit('-').next().unwrap()).collect();
    assert_eq!(names, ["young", "alive", "damaged", "unknown", "cut"]);
    drop(alive);
}

#[test]
fn what_is_within_the_bound_stays_whatever_its_age() {
    let (_dir, journal) = folder();
    for day in 1..=5 {
        old(&journal, &format!("2020010{day}T000000.000Z-aaaa"), &[over()]);
    }
    assert_eq!(journal.prune_to(3, 1.8e9).unwrap(), 2);
    assert_eq!(journal.prune_to(3, 1.8e9).unwrap(), 0);
    let left = journal.recent(9).unwrap();
    assert_eq!((left.len(), &left[2][..8]), (3, "20200103"));
}

#[test]
fn a_run_that_is_being_put_back_stays() {
    let (_dir, journal) = folder();
    let name = "20200101T000000.000Z-over";
    old(&journal, name, &[over()]);
    let title = format!("undo {name}: cordon 1 node");
    let undo = journal.begin(Began { action: "undo".into(), title, ..began() }).unwrap();
    assert_eq!(journal.prune_to(0, 1.8e9).unwrap(), 0);
    drop(undo);
    assert!(journal.read(name).is_ok());
}

#[test]
fn many_begin_at_once_and_each_has_its_own_run() {
    let (_dir, journal) = folder();
    old(&journal, "20200101T000000.000Z-over", &[over()]);
    let begin = || {
        let mut run = journal.begin(began()).unwrap();
        run.intent(intent(1)).unwrap();
        run.outcome(outcome(1)).unwrap();
        run.end(How::Done, "").unwrap();
        journal.prune_to(40, 1.8e9).unwrap();
        run.id().to_owned()
    };
    let mut ids: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..8).map(|_| scope.spawn(|| [begin(), begin(), begin(), begin()])).collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 32);
    for id in ids {
        let story = journal.read(&id).unwrap();
        assert_eq!(
            (story.standing(), story.entries.len()),
            (Standing::Ended(How::Done), 1),
            "{id}"
        );
        assert!(!story.torn && story.damaged.is_empty(), "{id}");
    }
}

#[test]
fn without_a_journal_nothing_is_written_and_the_run_says_so() {
    let (dir, _) = folder();
    let journal = Journal { folder: dir.path().join("off"), off: true };
    let mut run = journal.begin(began()).unwrap();
    run.intent(intent(1)).unwrap();
    run.end(How::Done, "").unwrap();
    assert!(!is_recorded(run.id()) && is_recorded("20261123T020456.789Z-k3xz"));
    assert!(!journal.folder().exists());
}

#[test]
fn whether_a_run_could_begin_is_known_before() {
    let (dir, journal) = folder();
    journal.check().unwrap();
    assert!(!journal.folder().exists(), "looking makes nothing");
    std::fs::write(dir.path().join("wheelhouse"), "").unwrap();
    let words = journal.check().unwrap_err().to_string();
    assert!(words.contains("wheelhouse") && words.contains("--no-journal"), "{words}");
}
