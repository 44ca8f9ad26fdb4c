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
