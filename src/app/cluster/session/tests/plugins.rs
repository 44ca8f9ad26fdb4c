//! Credential plugins as small shell scripts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::server::{Authority, Reply, Seen, Server, kubernetes, status};
use super::*;

struct World {
    dir: tempfile::TempDir,
    ca: Authority,
    server: Server,
}

impl World {
    fn new(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> World {
        let ca = Authority::new("the cluster CA");
        let tls = ca.server(&ca.issue("127.0.0.1", 2090), None);
        let server = Server::start(Some(tls), answer);
        World { dir: tempfile::tempdir().unwrap(), ca, server }
    }

    /// A pinned user whose plugin is a script that also counts its runs in the file `runs`. The
    /// shell reads it: executing a file just written fails while another test's fork holds it open.
    fn pinned(&self, script: &str, more: &[&str]) -> Pinned {
        let text = format!("cd \"$(dirname \"$0\")\"\necho run >> runs\n{script}\n");
        let path = write(self.dir.path(), "plugin", &text);
        let args = format!("  args: [{}, login]", path.display());
        self.pinned_to("/bin/sh", &[&[args.as_str()], more].concat())
    }

    fn pinned_to(&self, command: &str, more: &[&str]) -> Pinned {
        let command = format!("  command: {command}");
        let user = ["exec:", "  apiVersion: client.authentication.k8s.io/v1", &command];
        let cluster = [
            format!("server: https://{}", self.server.address),
            format!("certificate-authority-data: {}", STANDARD.encode(&self.ca.pem)),
        ];
        pinned(self.dir.path(), &one(&[&cluster[0], &cluster[1]], &[&user, more].concat()))
    }

    fn runs(&self) -> usize {
        let runs = std::fs::read_to_string(self.dir.path().join("runs"));
        runs.map_or(0, |runs| runs.lines().count())
    }
}

const ISSUE: &str =
    r#"echo '{"kind":"ExecCredential","status":{"token":"t'"$(wc -l < runs | tr -d ' ')"'"}}'"#;

async fn open(pinned: &Pinned) -> Result<Session, StartFault> {
    Session::connect(pinned, Lock::default(), PluginStdio::Captured).await
}

async fn refused(pinned: &Pinned) -> StartFault {
    open(pinned).await.map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn a_plugin_runs_once_and_its_token_is_sent() {
    let world = World::new(kubernetes);
    let session = open(&world.pinned(ISSUE, &[])).await.unwrap();
    get(&session.client, "/version", session.deadline()).await.unwrap();
    assert_eq!(world.runs(), 1);
    assert_eq!(world.server.headers("authorization"), vec![Some("Bearer t1".to_owned()); 3]);
}

#[tokio::test]
async fn a_plugin_is_told_what_client_go_tells_it() {
    let world = World::new(kubernetes);
    let script = format!("echo \"$KUBERNETES_EXEC_INFO\" > info\necho \"$1 $WHO\" > args\n{ISSUE}");
    let more = ["  env: [{name: WHO, value: jane}]", "  provideClusterInfo: true"];
    open(&world.pinned(&script, &more)).await.unwrap();
    let read = |name: &str| std::fs::read_to_string(world.dir.path().join(name)).unwrap();
    assert_eq!(read("args").trim(), "login jane");
    let info: serde_json::Value = serde_json::from_str(&read("info")).unwrap();
    assert_eq!(info["kind"], "ExecCredential");
    assert_eq!(info["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(info["spec"]["interactive"], false);
    assert_eq!(info["spec"]["cluster"]["server"], format!("https://{}", world.server.address));
    assert!(info["spec"]["cluster"]["certificate-authority-data"].is_string());
}

#[tokio::test]
async fn a_401_has_the_plugin_run_again_under_the_same_client() {
    let world = World::new(|seen| match seen.header("authorization") {
        Some("Bearer t1") if seen.path() == "/version" => status(401, "Unauthorized", "no"),
        _ => kubernetes(seen),
    });
    let session = open(&world.pinned(ISSUE, &[])).await.unwrap();
    assert_eq!((world.runs(), session.version.is_some()), (2, true));
    session.renew(PluginStdio::Captured).await.unwrap();
    get(&session.client, "/version", session.deadline()).await.unwrap();
    assert_eq!(world.server.headers("authorization").last().unwrap().as_deref(), Some("Bearer t3"));
}

#[tokio::test]
async fn a_client_certificate_from_a_plugin_is_presented() {
    let world = World::new(kubernetes);
    let identity = world.ca.issue("robot", 2090);
    let credential = serde_json::json!({ "kind": "ExecCredential", "status": {
        "clientCertificateData": identity.certificate, "clientKeyData": identity.key } });
    write(world.dir.path(), "credential.json", &credential.to_string());
    let session = open(&world.pinned("cat credential.json", &[])).await.unwrap();
    let facts = session.client_certificate().unwrap();
    assert_eq!(facts.subject, "CN=test of robot");
    assert_eq!(world.server.headers("authorization"), [None, None]);
}

#[tokio::test]
async fn a_failing_plugin_is_quoted_without_its_secrets() {
    let world = World::new(kubernetes);
    let script = "echo \"$(printf '\\033')[31mlogin expired, token=hunter2secret\" >&2; exit 3";
    let fault = refused(&world.pinned(script, &["  interactiveMode: Never"])).await;
    let said = fault.paragraph();
    assert!(
        said.contains("'/bin/sh' failed (exit status: 3): [31mlogin expired, token=[redacted]"),
        "{said}"
    );
    assert!(!fault.needs_terminal() && !said.contains('\u{1b}'));
    assert!(world.server.paths().is_empty(), "nothing is sent without credentials");
    let asking = refused(&world.pinned(script, &["  interactiveMode: IfAvailable"])).await;
    assert!(asking.needs_terminal(), "with the terminal it may succeed");
}

#[tokio::test]
async fn a_plugin_that_must_ask_is_not_run_without_a_terminal() {
    let world = World::new(kubernetes);
    let fault = refused(&world.pinned(ISSUE, &["  interactiveMode: Always"])).await;
    assert!(fault.needs_terminal() && fault.paragraph().contains("must ask"), "{fault}");
    assert_eq!(world.runs(), 0);
}

#[tokio::test]
async fn a_plugin_in_the_background_has_no_terminal_to_write_to() {
    let world = World::new(kubernetes);
    let script = format!("if (: > /dev/tty) 2>/dev/null; then exit 9; fi\n{ISSUE}");
    open(&world.pinned(&script, &[])).await.unwrap();
}

#[tokio::test]
async fn a_missing_plugin_and_nonsense_are_told() {
    let world = World::new(kubernetes);
    let said = refused(&world.pinned("echo hello there", &[])).await.paragraph();
    assert!(said.contains("not an ExecCredential"), "{said}");
    let missing = world.pinned_to("./no-such", &["  installHint: get it at example.com"]);
    let said = refused(&missing).await.paragraph();
    assert!(said.contains("is not installed") && said.contains("get it at example.com"), "{said}");
}

#[tokio::test]
async fn a_failed_renewal_leaves_working_credentials_in_use() {
    let world = World::new(kubernetes);
    let script = format!("if [ -e broken ]; then echo no >&2; exit 1; fi\n{ISSUE}");
    let session = open(&world.pinned(&script, &[])).await.unwrap();
    write(world.dir.path(), "broken", "");
    let fault = session.renew(PluginStdio::Captured).await.unwrap_err();
    assert!(matches!(&fault, Fault::Unauthenticated { needs_terminal: true, .. }), "{fault:?}");
    get(&session.client, "/version", session.deadline()).await.unwrap();
}
