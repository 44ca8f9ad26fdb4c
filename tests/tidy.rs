//! The rules of the house that a compiler does not check.

use std::path::{Path, PathBuf};

/// Lines of a file outside its tests, at most.
const LONGEST: usize = 400;

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The text before the file's own tests.
    fn code(&self) -> &str {
        self.text.split("\n#[cfg(test)]").next().unwrap_or_default()
    }

    /// Code without comments, as (line number, line).
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code().lines().enumerate().map(|(i, l)| (i + 1, l));
        lines.filter(|(_, l)| !l.trim_start().starts_with("//"))
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs")
            || self.path.contains("/tests/")
            || self.path.ends_with("testing.rs")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn sources(folder: &str) -> Vec<Source> {
    let mut found = vec![];
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push(Source { path: name, text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no source");
    found
}

/// Every line of `folder` that holds one of `words`, unless its file is excused.
fn offenders(folder: &str, words: &[&str], excused: &[&str]) -> Vec<String> {
    let mut bad = vec![];
    for source in sources(folder) {
        if source.is_test() || excused.iter().any(|e| source.path.starts_with(e)) {
            continue;
        }
        for (n, line) in source.lines() {
            if let Some(word) = words.iter().find(|w| line.contains(**w)) {
                bad.push(format!("{}:{n}: `{word}`", source.path));
            }
        }
    }
    bad
}

fn none(bad: Vec<String>, rule: &str) {
    assert!(bad.is_empty(), "{rule}:\n{}", bad.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let io =
        ["kube::", "tokio::", "ratatui::", "crossterm::", "std::fs", "std::process", "std::thread"];
    none(offenders("src/state", &io, &[]), "state does no I/O and knows no runtime or terminal");
    let clocks = ["SystemTime", "Instant::now", "Timestamp::now", "std::env"];
    none(offenders("src/state", &clocks, &[]), "time reaches state as a value");
    let up = ["crate::app", "crate::views", "crate::actions"];
    none(offenders("src/state", &up, &[]), "state knows nothing of what is built on it");
}

#[test]
fn views_and_actions_only_read_and_return() {
    let io =
        ["kube::", "tokio::", "crossterm::", "std::fs", "Instant::now", "SystemTime", "crate::app"];
    none(offenders("src/views", &io, &[]), "a view reads the state and writes a buffer");
    none(offenders("src/views", &["RefCell", "Mutex", "Cell::new"], &[]), "a view mutates nothing");
    let more = ["ratatui::"];
    none(
        offenders("src/actions", &[&io[..], &more].concat(), &[]),
        "an action turns facts into an order",
    );
}

#[test]
fn kubernetes_is_reached_through_one_folder() {
    let edges = ["src/app/cluster", "src/app/demo"];
    none(
        offenders("src", &["kube::", "k8s_openapi::"], &edges),
        "app/cluster is the only edge to Kubernetes",
    );
    none(
        offenders("src", &["Api::<", "kube::Api", ".evict("], &[]),
        "writes carry permits; kube's typed calls do not",
    );
}

#[test]
fn the_terminal_is_touched_in_one_folder() {
    none(
        offenders("src", &["crossterm::"], &["src/app/terminal"]),
        "crossterm stays in app/terminal",
    );
    none(
        offenders("src", &["println!", "eprintln!", "dbg!"], &[]),
        "nothing prints past the screen",
    );
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut bad = vec![];
    for source in sources("src") {
        let lines = source.code().lines().count();
        if lines > LONGEST && !source.is_test() {
            bad.push(format!("{}: {lines} lines", source.path));
        }
        if !source.text.starts_with("//!") {
            bad.push(format!("{}: does not begin with what it is", source.path));
        }
    }
    none(bad, "at most 400 lines outside tests, and `//!` first");
}

#[test]
fn nothing_is_left_undone_or_hidden() {
    none(offenders("src", &["todo!", "unimplemented!", ".unwrap()"], &[]), "no holes in the code");
    // The words are spelled in pieces, or this file would find itself.
    let hidden = [
        concat!("#[ign", "ore"),
        concat!("#[should_", "panic"),
        concat!("thread::", "sleep"),
        concat!("time::", "sleep("),
    ];
    let mut bad = vec![];
    for source in sources("tests").iter().chain(&sources("src")) {
        for (n, line) in source.text.lines().enumerate() {
            let test = source.path.starts_with("tests") || source.is_test();
            let words = if test { &hidden[..] } else { &hidden[..2] };
            if let Some(word) = words.iter().find(|w| line.contains(**w)) {
                bad.push(format!("{}:{}: `{word}`", source.path, n + 1));
            }
        }
    }
    none(bad, "tests neither sleep nor hide");
}

#[test]
fn every_file_in_a_list_s_folder_is_in_the_list() {
    // What is not in the list is what all of the folder share, and is declared by hand. A folder below has a list of
    // its own.
    for folder in ["src/views", "src/actions", "src/state/kinds"] {
        for source in sources(folder) {
            let path = root().join(&source.path);
            let module = path.file_name().is_some_and(|n| n == "mod.rs");
            let path = if module { path.parent().unwrap() } else { &path };
            if path == root().join(folder) {
                continue;
            }
            let name = path.file_stem().unwrap().to_str().unwrap();
            let list = std::fs::read_to_string(path.with_file_name("mod.rs")).unwrap();
            let listed = [format!("{name};"), format!("{name}::"), format!("mod {name}")];
            let known = listed.iter().any(|l| list.contains(l));
            assert!(known, "{} is not in the list of its folder's mod.rs", source.path);
        }
    }
}
