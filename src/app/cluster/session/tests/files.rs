//! Kubeconfig files, flags and the environment, resolved.

use secrecy::ExposeSecret as _;

use super::super::credentials;
use super::*;

const FIRST: &str = "
clusters:
- {name: prod, cluster: {server: 'https://prod:6443/base/path', certificate-authority: pki/ca.crt}}
users:
- {name: ann, user: {client-certificate: ann.crt, client-key: /abs/ann.key}}
- {name: exec, user: {exec: {apiVersion: v1, command: ./bin/plugin}}}
contexts:
- {name: prod-eu, context: {cluster: prod, user: ann, namespace: shop}}
";
const SECOND: &str = "
clusters:
- {name: prod, cluster: {server: 'https://other'}}
- name: lab
  cluster: {server: 'https://lab', tls-server-name: lab.local, proxy-url: 'http://u:p@proxy:3128'}
users:
- {name: ann, user: {token: second}}
- {name: bob, user: {tokenFile: bob.token, token: inline}}
contexts:
- {name: lab-1, context: {cluster: lab, user: bob}}
- {name: orphan, context: {cluster: nowhere, user: bob}}
- {name: nobody, context: {cluster: lab, user: ghost}}
current-context: lab-1
";

/// `$KUBECONFIG` with a missing file, an empty entry and two files in different folders.
fn merged(dir: &Path) -> Environment {
    let first = write(dir, "one/config", FIRST);
    let second = write(dir, "two/config", SECOND);
    let list = format!("{}/missing:{}::{}", dir.display(), first.display(), second.display());
    Environment { kubeconfig: Some(list.into()), ..bare() }
}

fn load(args: &ConnectArgs, environment: Environment) -> Pinned {
    Pinned::load(args, environment).unwrap_or_else(|fault| panic!("{fault}"))
}

fn fail(args: &ConnectArgs, environment: Environment) -> String {
    Pinned::load(args, environment).map(|_| ()).unwrap_err().paragraph()
}

fn context(name: &str) -> ConnectArgs {
    ConnectArgs { context: Some(name.into()), ..ConnectArgs::default() }
}

#[test]
fn files_merge_first_wins_and_missing_ones_are_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let lab = load(&ConnectArgs::default(), merged(dir.path()));
    let about = lab.about();
    assert_eq!((about.context.as_str(), about.server.as_str()), ("lab-1", "https://lab"));
    assert_eq!(about.files, [dir.path().join("one/config"), dir.path().join("two/config")]);
    assert_eq!(about.namespace, "default");
    assert_eq!(about.proxy.as_deref(), Some("http://[redacted]@proxy:3128"));
    let names: Vec<_> = lab.contexts().into_iter().map(|c| (c.name, c.current)).collect();
    let names: Vec<_> = names.iter().map(|(name, current)| (name.as_str(), *current)).collect();
    assert_eq!(names, [("prod-eu", false), ("lab-1", true), ("orphan", false), ("nobody", false)]);

    let prod = load(&context("prod-eu"), merged(dir.path()));
    let about = prod.about();
    assert_eq!(about.server, "https://prod:6443/base/path");
    assert_eq!((about.user.as_str(), about.namespace.as_str()), ("ann", "shop"));
    assert!(prod.target.auth.token.is_none(), "the second file's ann is discarded whole");
}

#[test]
fn relative_paths_are_resolved_from_the_file_that_holds_them() {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &str| Some(dir.path().join(path).to_str().unwrap().to_owned());
    let prod = load(&context("prod-eu"), merged(dir.path()));
    assert_eq!(prod.target.cluster.certificate_authority, at("one/pki/ca.crt"));
    assert_eq!(prod.target.auth.client_certificate, at("one/ann.crt"));
    assert_eq!(prod.target.auth.client_key.as_deref(), Some("/abs/ann.key"));
    let lab = load(&context("lab-1"), merged(dir.path()));
    assert_eq!(lab.target.auth.token_file, at("two/bob.token"));
    let exec = ConnectArgs { user: Some("exec".into()), ..context("lab-1") };
    let command = load(&exec, merged(dir.path())).target.auth.exec.clone().unwrap().command;
    assert_eq!(command, at("one/./bin/plugin"));
}

#[test]
fn an_explicit_file_must_exist_and_is_the_only_one() {
    let dir = tempfile::tempdir().unwrap();
    let args = ConnectArgs { kubeconfig: Some(dir.path().join("nope")), ..ConnectArgs::default() };
    let said = fail(&args, merged(dir.path()));
    assert!(said.contains("nope cannot be used: No such file"), "{said}");
    let only =
        ConnectArgs { kubeconfig: Some(dir.path().join("one/config")), ..context("prod-eu") };
    assert_eq!(load(&only, merged(dir.path())).contexts().len(), 1);
}

#[test]
fn the_home_folder_is_the_default_and_its_absence_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let home = || Environment { home: Some(dir.path().into()), ..bare() };
    let said = fail(&ConnectArgs::default(), home());
    assert!(said.starts_with("Cannot connect: there is no kubeconfig (looked at "), "{said}");
    assert!(said.contains(".kube/config") && said.contains("--demo"), "{said}");
    write(dir.path(), ".kube/config", SECOND);
    assert_eq!(load(&ConnectArgs::default(), home()).about().cluster, "lab");
    let empty_variable = Environment { kubeconfig: Some("::".into()), ..home() };
    assert_eq!(load(&ConnectArgs::default(), empty_variable).about().cluster, "lab");
}

#[tokio::test]
async fn inside_a_pod_the_service_account_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let pod = || Environment {
        home: Some(dir.path().into()),
        service: Some(("fd00::1".into(), "443".into())),
        service_account: dir.path().join("sa"),
        ..bare()
    };
    assert!(fail(&ConnectArgs::default(), pod()).contains("there is no kubeconfig"));
    write(dir.path(), "sa/token", "secret\n");
    write(dir.path(), "sa/namespace", "ops\n");
    let inside = load(&ConnectArgs::default(), pod());
    let about = inside.about();
    assert!(about.in_cluster);
    assert_eq!((about.server.as_str(), about.namespace.as_str()), ("https://[fd00::1]:443", "ops"));
    let credentials = credentials::obtain(&inside.target, PluginStdio::Captured).await.unwrap();
    assert_eq!(credentials.auth.token.unwrap().expose_secret(), "secret");
    write(dir.path(), ".kube/config", SECOND);
    assert!(!load(&ConnectArgs::default(), pod()).about().in_cluster, "a kubeconfig wins");
}

#[test]
fn names_that_do_not_exist_are_answered_with_the_nearest() {
    let dir = tempfile::tempdir().unwrap();
    let said = fail(&context("prod-us"), merged(dir.path()));
    assert!(said.contains("there is no context named 'prod-us'"), "{said}");
    assert!(said.ends_with("Next: name one that exists; nearest of 4: prod-eu."), "{said}");
    let said = fail(&context("orphan"), merged(dir.path()));
    assert!(
        said.contains("there is no cluster named 'nowhere'") && said.contains("prod, lab"),
        "{said}"
    );
    let user = ConnectArgs { user: Some("anne".into()), ..ConnectArgs::default() };
    let said = fail(&user, merged(dir.path()));
    assert!(said.contains("there is no user named 'anne'") && said.contains("ann."), "{said}");
    let first =
        ConnectArgs { kubeconfig: Some(dir.path().join("one/config")), ..ConnectArgs::default() };
    let said = fail(&first, bare());
    assert!(said.contains("no current context") && said.ends_with("--context: prod-eu."), "{said}");
    let ghost = load(&context("nobody"), merged(dir.path()));
    assert!(ghost.about().notes[0].contains("'ghost'"), "{:?}", ghost.about().notes);
}

#[test]
fn a_broken_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "broken", "clusters: {]");
    let args = ConnectArgs { kubeconfig: Some(file), ..ConnectArgs::default() };
    let said = fail(&args, bare());
    assert!(
        said.contains("broken cannot be used") && said.ends_with("with --kubeconfig."),
        "{said}"
    );
}

#[test]
fn flags_override_as_kubectls_do() {
    let dir = tempfile::tempdir().unwrap();
    let target = |args: ConnectArgs| load(&args, merged(dir.path())).target;
    let prod = || context("prod-eu");
    let insecure = target(ConnectArgs { insecure_skip_tls_verify: true, ..prod() });
    assert!(insecure.about.insecure && insecure.cluster.certificate_authority.is_none());
    let ca = ConnectArgs { certificate_authority: Some("/x/ca".into()), ..prod() };
    assert_eq!(target(ca).cluster.certificate_authority.as_deref(), Some("/x/ca"));
    let server = target(ConnectArgs { server: Some("https://moved".into()), ..context("lab-1") });
    assert_eq!(server.about.server, "https://moved");
    assert_eq!(server.cluster.tls_server_name, None, "--server clears the kubeconfig's name");
    let token = target(ConnectArgs { token: Some("flag".into()), ..context("lab-1") });
    assert_eq!(token.auth.token.as_ref().unwrap().expose_secret(), "flag");
    assert_eq!(token.auth.token_file, None);
    let acting = target(ConnectArgs {
        as_user: Some("jane".into()),
        as_group: vec!["a".into(), "b".into()],
        as_uid: Some("7".into()),
        ..prod()
    });
    assert_eq!(acting.about.acting_as.as_deref(), Some("jane"));
    assert_eq!(acting.auth.impersonate_groups.as_deref(), Some(&["a".to_owned(), "b".into()][..]));
    let namespace = target(ConnectArgs { namespace: Some("ops".into()), ..prod() });
    assert_eq!(namespace.about.namespace, "ops");
    let alone = ConnectArgs { server: Some("lab:8080".into()), ..ConnectArgs::default() };
    assert_eq!(load(&alone, bare()).about().server, "http://lab:8080");
    let crossed = ConnectArgs { cluster: Some("prod".into()), ..context("lab-1") };
    assert_eq!(target(crossed).about.server, "https://prod:6443/base/path");
}

#[test]
fn groups_without_a_user_to_act_as_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let args = ConnectArgs { as_group: vec!["system:masters".into()], ..context("prod-eu") };
    assert!(fail(&args, merged(dir.path())).contains("--as, which is missing"));
}

#[test]
fn a_kubectl_can_be_given_exactly_what_is_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let args = ConnectArgs {
        token: Some("flag".into()),
        as_user: Some("jane".into()),
        namespace: Some("ops".into()),
        ..context("prod-eu")
    };
    let pinned = load(&args, merged(dir.path()));
    let text = pinned.kubeconfig().unwrap();
    let file = write(dir.path(), "for-kubectl", text.expose_secret());
    let alone = ConnectArgs { kubeconfig: Some(file), ..ConnectArgs::default() };
    let again = load(&alone, bare());
    let files = pinned.about().files.clone();
    assert_eq!(About { files, ..again.about().clone() }, *pinned.about());
    assert_eq!(again.target.auth.token.as_ref().unwrap().expose_secret(), "flag");
    let ca = &pinned.target.cluster.certificate_authority;
    assert_eq!((&again.target.cluster.certificate_authority, again.contexts().len()), (ca, 1));
}

#[test]
fn contradictions_and_unusable_urls_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let table = [
        (
            vec![
                "server: https://a",
                "insecure-skip-tls-verify: true",
                "certificate-authority: ca",
            ],
            "both",
        ),
        (vec!["server: ftp://a"], "not an http or https URL"),
        (vec!["server: ''"], "names no server"),
        (vec!["server: https://a", "proxy-url: gopher://p"], "scheme other than"),
    ];
    for (cluster, expected) in table {
        let file = write(dir.path(), "config", &one(&cluster, &[]));
        let args = ConnectArgs { kubeconfig: Some(file), ..ConnectArgs::default() };
        let said = fail(&args, bare());
        assert!(said.contains(expected), "{cluster:?}: {said}");
    }
}

#[test]
fn credentials_are_not_sent_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let plain = pinned(dir.path(), &one(&["server: http://a"], &["token: secret", "as: jane"]));
    assert!(plain.target.auth.token.is_none());
    assert_eq!(plain.target.auth.impersonate.as_deref(), Some("jane"));
    assert!(plain.about().notes[0].contains("plain http"));
}

#[tokio::test]
async fn the_token_file_wins_over_the_inline_token_which_remains_a_fall_back() {
    let dir = tempfile::tempdir().unwrap();
    let lab = load(&context("lab-1"), merged(dir.path()));
    let token = async || {
        let credentials = credentials::obtain(&lab.target, PluginStdio::Captured).await.unwrap();
        credentials.auth.token.unwrap().expose_secret().to_owned()
    };
    assert_eq!(token().await, "inline");
    write(dir.path(), "two/bob.token", "  from-file\n");
    assert_eq!(token().await, "from-file");
}

#[tokio::test]
async fn missing_credential_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let table = [
        (&["tokenFile: gone"][..], "gone cannot be read"),
        (&["client-certificate: gone.crt", "client-key: k"], "gone.crt cannot be read"),
        (&["client-certificate-data: '%%'", "client-key-data: YQ=="], "not valid base64"),
        (&["client-certificate-data: YQ=="], "no key"),
    ];
    for (user, expected) in table {
        let pinned = pinned(dir.path(), &one(&["server: https://127.0.0.1:1"], user));
        let outcome = Session::connect(&pinned, Lock::default(), PluginStdio::Captured).await;
        let said = outcome.map(|_| ()).unwrap_err().paragraph();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_pinned_session_is_not_moved_by_what_happens_to_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let args = ConnectArgs { token: Some("for lab only".into()), ..ConnectArgs::default() };
    let lab = load(&args, merged(dir.path()));
    write(
        dir.path(),
        "two/config",
        &SECOND.replace("lab-1", "moved").replace("https://lab", "https://evil"),
    );
    std::fs::remove_file(dir.path().join("one/config")).unwrap();

    assert_eq!(lab.about().server, "https://lab");
    let prod = lab.with_context("prod-eu", None).unwrap();
    assert_eq!(prod.about().server, "https://prod:6443/base/path");
    assert_eq!(prod.about().namespace, "shop");
    assert!(prod.target.auth.token.is_none(), "a token for one cluster is not sent to another");
    let back = prod.with_context("lab-1", Some("ops")).unwrap();
    assert_eq!(
        (back.about().server.as_str(), back.about().namespace.as_str()),
        ("https://lab", "ops")
    );
    assert_eq!(back.target.auth.token.as_ref().unwrap().expose_secret(), "for lab only");
    let said = lab.with_context("moved", None).map(|_| ()).unwrap_err().paragraph();
    assert!(said.contains("there is no context named 'moved'"), "{said}");
}
