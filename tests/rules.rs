//! What an operator's file, flags and disk allow, through the built program and the embedded demo cluster.

use std::path::PathBuf;
use std::process::{Command, Output};

struct Home(tempfile::TempDir);

fn home(config: &str) -> Home {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("config/wheelhouse");
    std::fs::create_dir_all(&folder).unwrap();
    if !config.is_empty() {
        std::fs::write(folder.join("config.toml"), config).unwrap();
    }
    Home(dir)
}

impl Home {
    fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// Runs it on the demo cluster: exit code, standard output, standard error.
    fn run(&self, line: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
        command.args(["--demo"]).args(line.split(' ')).env_clear().current_dir(self.0.path());
        command.env("XDG_STATE_HOME", self.state());
        command.env("XDG_CONFIG_HOME", self.0.path().join("config"));
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }

    fn runs(&self) -> usize {
        std::fs::read_dir(self.state().join("wheelhouse/journal")).map_or(0, |folder| {
            folder
                .filter(|f| f.as_ref().unwrap().path().extension() == Some("jsonl".as_ref()))
                .count()
        })
    }
}

const PROTECTED: &str = "version = 1\n[[context]]\nname = \"de*\"\nprotected = true\n";
const READ_ONLY: &str = "version = 1\n[[context]]\nname = \"demo\"\nread_only = true\n";

#[test]
fn without_a_journal_nothing_is_sent_unless_that_is_said() {
    let home = home("");
    // A file where the folder should be: what a read-only disk is to everybody but root.
    std::fs::write(home.state(), "").unwrap();
    let (code, out, errors) = home.run("cordon demo-a-03 --yes");
    assert_eq!(code, Some(3), "{out} {errors}");
    assert!(errors.contains("nothing was sent") && errors.contains("--no-journal"), "{errors}");
    let (code, _, errors) =
        home.run("drain demo-a-03 --ignore-daemonsets --delete-emptydir-data --force --yes");
    assert!(code == Some(3) && errors.contains("nothing was sent"), "{code:?} {errors}");
    let (code, out, errors) = home.run("cordon demo-a-03 --yes --no-journal");
    assert_eq!(code, Some(0), "{out} {errors}");
    assert!(out.contains("done") && !out.contains("wheelhouse undo"), "{out}");
    let (_, report, _) = home.run("doctor");
    assert!(report.lines().any(|l| l.starts_with("BAD") && l.contains("journal")), "{report}");
}

#[test]
fn a_protected_context_wants_its_name_from_every_command() {
    let home = home(PROTECTED);
    for line in
        ["cordon demo-a-03", "drain demo-a-03 --ignore-daemonsets --delete-emptydir-data --force"]
    {
        let (code, out, errors) = home.run(&format!("{line} --yes"));
        assert_ne!(code, Some(0), "{line}: {out} {errors}");
        assert!(!line.starts_with("d") || !out.contains("done"), "{out}");
    }
    let (code, _, errors) =
        home.run("drain demo-a-03 --ignore-daemonsets --delete-emptydir-data --force --yes");
    assert!(code == Some(3) && errors.contains("--confirm demo"), "{code:?} {errors}");
    let (code, _, errors) = home.run("cordon demo-a-03 --yes --confirm other");
    assert!(code == Some(3), "{errors}");
    assert_eq!(home.runs(), 0);
    let (code, _, errors) = home.run("cordon demo-a-03 --yes --confirm demo");
    assert!(code == Some(0), "{errors}");
    assert_eq!(home.runs(), 1);
    let (_, report, _) = home.run("doctor");
    assert!(report.contains("protected (config.toml line 3)"), "{report}");
}

#[test]
fn a_read_only_context_sends_nothing_that_changes_something() {
    let home = home(READ_ONLY);
    for line in [
        "cordon demo-a-03 --yes",
        "cordon demo-a-03 --dry-run server",
        "drain demo-a-03 --ignore-daemonsets --delete-emptydir-data --force --yes",
    ] {
        let (code, out, errors) = home.run(line);
        assert_eq!(code, Some(3), "{line}: {out} {errors}");
        assert!(errors.contains("read-only here (config.toml line 3)"), "{line}: {errors}");
    }
    assert_eq!(home.runs(), 0);
    let look =
        "drain demo-a-03 --ignore-daemonsets --delete-emptydir-data --force --dry-run client";
    assert_eq!(home.run(look).0, Some(0), "a look is no change");
    let (code, _, errors) = home.run("drain demo-a-03 --plan-out later.json");
    assert_eq!(code, Some(0), "{errors}");
    let (code, out, errors) = home.run("drain demo-b-01 --plan-out later.json");
    assert_eq!((code, &*out), (Some(3), ""), "{errors}");
    assert!(errors.contains("later.json exists and was kept"), "{errors}");
    let (code, out, _) = home.run("print nodes");
    assert!(code == Some(0) && out.contains("demo-a-03"));
    let (_, report, _) = home.run("doctor");
    assert!(report.contains("read-only (config.toml line 3)"), "{report}");
}

#[test]
fn a_mistake_in_the_file_is_shown_with_its_place_before_anything_is_sent() {
    let home = home("version = 1\n\n[[context]]\nname = \"prod-*\"\nprotectd = true\n");
    let (code, _, errors) = home.run("print nodes");
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("line 5, column 1") && errors.contains("protected"), "{errors}");
    // What touches no cluster works all the same.
    assert_eq!(home.run("journal list").0, Some(0));
}
