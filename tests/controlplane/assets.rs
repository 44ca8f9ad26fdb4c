//! Finds the programs of the control plane, or says in one line why the tests that need them are skipped.
//!
//! Order: `KUBEBUILDER_ASSETS` when it has what is needed, the cache of `build.sh`, a build when Go is there.

use super::Component;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The folder that holds the programs.
#[derive(Clone, Debug)]
pub struct Assets {
    bin: PathBuf,
}

impl Assets {
    /// The path of a program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// kwok's own stages, as `build.sh` copied them from the pinned module.
    pub fn kwok_stages(&self) -> String {
        std::fs::read_to_string(self.bin.join("kwok-stages.yaml"))
            .expect("build.sh writes the stages")
    }

    fn has(&self, components: &[Component]) -> bool {
        let stages = components.contains(&Component::Kwok).then_some("kwok-stages.yaml");
        let programs = components.iter().map(|c| c.program());
        programs.chain(["kubectl"]).chain(stages).all(|name| self.program(name).exists())
    }
}

/// The programs for these components, or `None` after one printed line.
pub fn find(components: &[Component]) -> Option<Assets> {
    if let Some(bin) = std::env::var_os("KUBEBUILDER_ASSETS") {
        let given = Assets { bin: bin.into() };
        if given.has(components) {
            return Some(given);
        }
    }
    static OURS: OnceLock<Option<Assets>> = OnceLock::new();
    OURS.get_or_init(ours).clone()
}

fn ours() -> Option<Assets> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/controlplane/build.sh");
    let found = cached(&script).or_else(|| has_go().then(|| build(&script))?);
    if found.is_none() {
        let skipped = "no control plane: the tests against a real API server are skipped. To get it: put Go 1.26 or \
             newer on the PATH and run tests/controlplane/build.sh (8 minutes, once), or set KUBEBUILDER_ASSETS";
        assert!(
            !required(),
            "{skipped}; this run requires it (CI=true or WHEELHOUSE_CONTROL_PLANE=required)"
        );
        say(skipped);
    }
    found
}

/// A run that must not be green without the control plane.
fn required() -> bool {
    let is = |name, value| std::env::var(name).is_ok_and(|v| v == value);
    is("CI", "true") || is("WHEELHOUSE_CONTROL_PLANE", "required")
}

fn cached(script: &Path) -> Option<Assets> {
    let out = Command::new(script).arg("--path").stderr(Stdio::null()).output().ok()?;
    let bin = String::from_utf8(out.stdout).ok()?;
    out.status.success().then(|| Assets { bin: bin.trim_end().into() })
}

fn has_go() -> bool {
    let version =
        Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

fn build(script: &Path) -> Option<Assets> {
    let log =
        std::env::temp_dir().join(format!("wheelhouse-controlplane-{}.log", std::process::id()));
    let path = log.display();
    say(&format!(
        "building the control plane for the tests, about 8 minutes, once; its output is in {path}"
    ));
    let file = std::fs::File::create(&log).expect("the temporary folder is writable");
    let out = Command::new(script).stderr(file).output().expect("build.sh is executable");
    if !out.status.success() {
        let why = format!("building the control plane failed ({}); {path} tells why", out.status);
        assert!(!required(), "{why}");
        say(&why);
        return None;
    }
    std::fs::remove_file(&log).expect("the log was written above");
    cached(script)
}

/// Writes past the test harness, which keeps what `eprintln!` prints in a passing test to itself.
fn say(line: &str) {
    let mut stderr = std::io::stderr().lock();
    // Nothing can be told to someone who closed stderr.
    let _ = writeln!(stderr, "{line}");
}
