//! The journal as an operator and another process meet it: through the built program and files on disk.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use wheelhouse::app::journal::{Journal, Run, Trouble};
use wheelhouse::state::journal::{Began, Fate, How, Intent, Outcome, Standing, Story, report};

/// Text as a cluster under somebody else's control may send it.
const HOSTILE: &str = "a|b\n| c | `x` <img src=//evil> [l](//evil) \u{1b}[2J\u{202e}\\| *y*";

struct Home {
    dir: tempfile::TempDir,
    journal: Journal,
}

fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::at(dir.path().join("wheelhouse/journal"));
    Home { dir, journal }
}

impl Home {
    fn run(&self, args: &[&str]) -> Output {
        wheelhouse(self.dir.path(), args)
    }

    fn put(&self, run: &str, text: &str) {
        std::fs::create_dir_all(self.journal.folder()).unwrap();
        std::fs::write(self.journal.folder().join(format!("{run}.jsonl")), text).unwrap();
    }
}

fn wheelhouse(state: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    command.arg("journal").args(args).env_clear().env("XDG_STATE_HOME", state);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn began() -> Began {
    let (action, title) = ("cordon".into(), "cordon 2 nodes".into());
    Began { action, title, context: "prod-eu-1".into(), ..Began::default() }
}

fn intent(step: u64) -> Intent {
    Intent {
        step,
        words: format!("cordon node-{step}"),
        method: "PATCH".into(),
        path: format!("/api/v1/nodes/node-{step}"),
        kind: "Node".into(),
        namespace: String::new(),
        name: format!("node-{step}"),
        uid: format!("uid-{step}"),
        body: Value::Null,
        undo: None,
    }
}

fn done(step: u64) -> Outcome {
    Outcome {
        step,
        result: Fate::Done,
        status: 200,
        words: String::new(),
        rv: String::new(),
        audit_id: format!("audit-{step}"),
        warnings: vec![],
    }
}

fn recorded(journal: &Journal) -> Run {
    let mut run = journal.begin(began()).unwrap();
    run.intent(intent(1)).unwrap();
    run.outcome(done(1)).unwrap();
    run.intent(intent(2)).unwrap();
    run
}

#[test]
fn another_process_sees_who_writes_and_then_what_is_left() {
    let home = home();
    let run = recorded(&home.journal);
    let state = || {
        let out = home.run(&["list", "-o", "json"]);
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        let runs: Value = serde_json::from_slice(&out.stdout).unwrap();
        runs[0].clone()
    };
    let alive = state();
    assert_eq!(
        (&alive["state"], &alive["alive"]["pid"]),
        (&json!("alive"), &json!(std::process::id()))
    );
    assert_eq!(alive["run"], run.id());
    drop(run);
    let left = state();
    assert_eq!((&left["state"], &left["unknown"]), (&json!("interrupted"), &json!(1)));
    assert_eq!(left["alive"]["pid"], Value::Null);
}

/// Runs this very test in another process, which records and waits, and kills it.
#[test]
fn a_process_that_is_killed_leaves_its_run_to_the_next_one() {
    const FOLDER: &str = "JOURNAL_OF_THE_KILLED";
    let name = "a_process_that_is_killed_leaves_its_run_to_the_next_one";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let run = recorded(&Journal::at(folder.into()));
        println!("\nrecorded {}", run.id());
        // Ends with the one who waits for it, should that one fail.
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let home = home();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(FOLDER, home.journal.folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ids = lines.filter_map(|l| Some(l.unwrap().strip_prefix("recorded ")?.to_owned()));
    let run = ids.next().expect("the other process records");
    match home.journal.resume(&run) {
        Err(Trouble::Locked { pid, .. }) => assert_eq!(pid, child.id()),
        other => panic!("{other:?}"),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(home.journal.read(&run).unwrap().standing(), Standing::Interrupted);
    let (story, mut run) = home.journal.resume(&run).unwrap();
    assert_eq!((story.open_intents().count(), story.next_step()), (1, 3));
    run.end(How::Aborted, "").unwrap();
}

#[test]
fn a_killed_writer_loses_no_whole_record_wherever_it_was() {
    let home = home();
    let mut run = recorded(&home.journal);
    run.note("seen", json!({ "pods": 3 })).unwrap();
    run.end(How::Incomplete, "1 of 2").unwrap();
    let whole = std::fs::read_to_string(run.path()).unwrap();
    drop(run);
    let mut resumed = 0;
    for cut in 0..=whole.len() {
        home.put("cut", &whole[..cut]);
        let lines = whole[..cut].matches('\n').count();
        let story = home.journal.read("cut").unwrap();
        assert_eq!(records(&story), lines, "cut at {cut}");
        assert_eq!(story.torn, !whole[..cut].is_empty() && !whole[..cut].ends_with('\n'));
        match home.journal.resume("cut") {
            Ok((before, run)) => {
                assert_eq!(records(&before), lines, "cut at {cut}");
                drop(run);
                let after = home.journal.read("cut").unwrap();
                assert_eq!(records(&after), lines + 1 - usize::from(before.end.is_some()));
                assert!(!after.torn && after.damaged.is_empty(), "cut at {cut}");
                resumed += 1;
            }
            Err(trouble) => assert_eq!(lines, 0, "cut at {cut}: {trouble}"),
        }
    }
    assert_eq!(resumed, whole.len() - whole.find('\n').unwrap());
}

/// How many records a story holds.
fn records(story: &Story) -> usize {
    let outcomes = story.entries.iter().filter(|entry| entry.outcome.is_some()).count();
    let ends = usize::from(story.has_header()) + usize::from(story.end.is_some());
    ends + story.entries.len() + outcomes + story.notes.len()
}

#[test]
fn what_cannot_be_read_is_listed_with_the_reason() {
    let home = home();
    drop(recorded(&home.journal));
    home.put("newer", "{\"at\":1,\"record\":\"began\",\"version\":99}\n");
    std::fs::create_dir(home.journal.folder().join("folder.jsonl")).unwrap();
    std::os::unix::fs::symlink("/nowhere", home.journal.folder().join("gone.jsonl")).unwrap();
    let states: Vec<_> = home.journal.runs().unwrap().into_iter().map(|r| r.standing).collect();
    assert_eq!(states.len(), 4);
    assert!(states.contains(&Standing::Newer(99)) && states.contains(&Standing::Interrupted));
    let out = home.run(&[]);
    assert_eq!(out.status.code(), Some(4));
    for words in ["newer", "format 99", "folder", "not a regular file", "gone"] {
        assert!(text(&out.stderr).contains(words), "{words}: {}", text(&out.stderr));
    }
    assert!(text(&out.stdout).contains("cordon 2 nodes"));
    let out = home.run(&["show", "newer"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("Use the version that wrote it"));
}

#[test]
fn a_run_is_shown_by_last_and_by_the_beginning_of_its_name() {
    let home = home();
    assert_eq!(home.run(&["show", "last"]).status.code(), Some(2));
    let run = recorded(&home.journal);
    let id = run.id().to_owned();
    drop(run);
    for word in ["last", &id[..10], &id] {
        let out = home.run(&["show", word]);
        let shown = text(&out.stdout);
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        let unknown = shown.find("Unknown: check these first").unwrap();
        assert!(unknown < shown.find("cordon node-1").unwrap(), "{shown}");
    }
    let out = home.run(&["show", "last", "-o", "json"]);
    let told: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(told["steps"][0]["audit_id"], "audit-1");
    assert_eq!(
        (&told["steps"][1]["result"], &told["steps"][1]["status"]),
        (&json!("unknown"), &Value::Null)
    );
    let keys: Vec<_> = told.as_object().unwrap().keys().cloned().collect();
    insta::assert_snapshot!("show_keys", keys.join("\n"));
}

#[test]
fn a_report_is_written_to_a_new_file_only() {
    let home = home();
    drop(recorded(&home.journal));
    let file = home.dir.path().join("ticket.md");
    let args = ["report", "last", "-o", file.to_str().unwrap()];
    assert_eq!(home.run(&args).status.code(), Some(0));
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, text(&home.run(&["report", "last"]).stdout));
    let again = home.run(&args);
    assert_eq!(again.status.code(), Some(3));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
}

#[test]
fn without_a_home_or_a_folder_the_reason_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let out = wheelhouse(Path::new("relative"), &[]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("HOME"));
    std::fs::write(dir.path().join("wheelhouse"), "").unwrap();
    let out = wheelhouse(dir.path(), &[]);
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stdout));
    assert!(text(&out.stderr).contains("Not a directory"), "{}", text(&out.stderr));
}

/// A run as a hostile cluster would have it, with fixed times.
fn hostile() -> String {
    let line = |at: f64, record: &str, mut value: Value| {
        value["at"] = at.into();
        value["record"] = record.into();
        value.to_string() + "\n"
    };
    let mut one = serde_json::to_value(intent(1)).unwrap();
    (one["words"], one["namespace"], one["name"]) = (json!(HOSTILE), json!("shop"), json!("a|b"));
    let two = serde_json::to_value(intent(2)).unwrap();
    let mut refused = serde_json::to_value(done(1)).unwrap();
    (refused["result"], refused["status"]) = (json!("refused"), json!(403));
    (refused["words"], refused["warnings"]) = (json!(HOSTILE), json!(["deprecated | v1"]));
    let header = json!({
        "version": 1, "run": "ignored", "action": "cordon", "title": HOSTILE, "context": "prod|eu",
        "server": "https://10.0.0.1:6443", "user": "op", "login": "op@desk, process 7",
        "host": "desk", "pid": 7, "reason": "OPS-1 | disk",
    });
    [
        line(1_795_399_496.0, "began", header),
        line(1_795_399_497.0, "intent", one),
        line(1_795_399_497.25, "outcome", refused),
        line(1_795_399_498.0, "noted", json!({ "words": HOSTILE })),
        line(1_795_399_499.0, "intent", two),
        "{\"at\":1795399500,\"rec".to_owned(),
    ]
    .concat()
}

#[test]
fn a_report_stays_a_report_whatever_the_cluster_says() {
    let story = Story::parse("20261123T020456.000Z-k3xz", hostile().as_bytes()).unwrap();
    let text = report(&story);
    let cells = |line: &&str| line.starts_with('|') && ![3, 9].contains(&line.matches('|').count());
    assert_eq!(text.lines().filter(cells).collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(!text.contains(['\u{1b}', '\u{202e}', '<']), "{text}");
    insta::assert_snapshot!("hostile_report", text);
}

#[test]
fn a_terminal_is_safe_from_what_the_cluster_said() {
    let home = home();
    home.put("h", &hostile().replace("\\u001b", "\\u009b"));
    for args in
        [&["list"][..], &["list", "-o", "json"], &["show", "h"], &["show", "h", "-o", "json"]]
    {
        let out = home.run(args);
        let shown = text(&out.stdout);
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{args:?}: {shown}");
        assert!(shown.contains("a|b"), "{args:?}: {shown}");
    }
}
