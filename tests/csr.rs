//! Certificate requests on a real API server and its signer, decided by the built binary and checked by reads that are not
//! ours. Skipped without a control plane, see `control_plane.rs`.

mod controlplane;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use controlplane::{Component, ControlPlane, Options, User, fresh, output_within};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const SERVING: &str = "kubernetes.io/kubelet-serving";
const CLIENT: &str = "kubernetes.io/kube-apiserver-client";

/// Nodes; the last three of them ask for what is not theirs.
const NODES: usize = 143;
const HONEST: usize = NODES - 3;
/// Users that ask for nothing special.
const USERS: usize = 53;

fn pem(cn: &str, group: &str, names: &[&str]) -> String {
    let key = KeyPair::generate().expect("a key");
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, group);
    parameters.distinguished_name.push(DnType::CommonName, cn);
    let name = |name: &&str| match name.parse() {
        Ok(ip) => SanType::IpAddress(ip),
        Err(_) => SanType::DnsName((*name).try_into().expect("a name")),
    };
    parameters.subject_alt_names = names.iter().map(name).collect();
    parameters.serialize_request(&key).and_then(|r| r.pem()).expect("a request")
}

struct Bench {
    lab: ControlPlane,
    home: tempfile::TempDir,
}

impl Bench {
    fn open() -> Option<Bench> {
        let lab = fresh(Options::api())?;
        lab.start_component(Component::ControllerManager);
        Some(Bench { lab, home: tempfile::tempdir().expect("a folder") })
    }

    fn run(&self, kubeconfig: &Path, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
        command.args(args).arg("--kubeconfig").arg(kubeconfig).env("HOME", self.home.path());
        for name in ["KUBECONFIG", "XDG_STATE_HOME", "WHEELHOUSE_PROTECT"] {
            command.env_remove(name);
        }
        command.current_dir(self.home.path());
        let out = output_within(command, "", Duration::from_secs(120));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code().expect("it was not killed"), text(&out.stdout), text(&out.stderr))
    }

    fn admin(&self, args: &[&str]) -> (i32, String, String) {
        self.run(&self.lab.kubeconfig(User::Admin), args)
    }

    fn node(&self, name: &str, ip: &str) {
        self.lab.api_create("/api/v1/nodes", &json!({"metadata": {"name": name}}));
        let addresses =
            json!([{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}]);
        let status = json!({"status": {"addresses": addresses,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}});
        self.lab.api_patch(&format!("/api/v1/nodes/{name}/status"), &status);
    }

    /// Creates a request as whoever asks; root may impersonate, and the headers ride behind the content type.
    fn ask(&self, name: &str, signer: &str, who: Option<&str>, pem: &str) {
        let usage = if signer == SERVING { "server auth" } else { "client auth" };
        let object = json!({
            "metadata": {"name": name},
            "spec": {"request": STANDARD.encode(pem), "signerName": signer,
                "usages": ["digital signature", usage]},
        });
        let kind = match who {
            Some(user) => format!(
                "application/json\r\nImpersonate-User: {user}\r\nImpersonate-Group: system:nodes\r\n\
                 Impersonate-Group: system:authenticated"
            ),
            None => "application/json".into(),
        };
        let reply = self.lab.request("POST", REQUESTS, &kind, object.to_string().as_bytes());
        let reply = reply.expect("an answer");
        assert_eq!(reply.status, 201, "{name}: {}", reply.json());
    }

    fn serving(&self, name: &str, node: &str, ip: &str) {
        let user = format!("system:node:{node}");
        self.ask(name, SERVING, Some(&user), &pem(&user, "system:nodes", &[node, ip]));
    }

    fn request(&self, name: &str) -> Value {
        self.lab.api_get(&format!("{REQUESTS}/{name}"))
    }

    /// Names of the requests that have this condition.
    fn with(&self, condition: &str) -> Vec<String> {
        let all = self.lab.api_get(REQUESTS)["items"].as_array().cloned().expect("a list");
        let has = |object: &&Value| {
            let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
            conditions.clone().any(|c| c["type"] == condition)
        };
        let name = |o: &Value| o["metadata"]["name"].as_str().expect("a name").to_owned();
        all.iter().filter(has).map(name).collect()
    }
}

#[test]
fn all_green_are_approved_and_none_of_the_others() {
    let Some(bench) = Bench::open() else { return };
    let name = |i: usize| format!("node-{i:03}");
    let ip = |i: usize| format!("10.7.{}.{}", i / 200, i % 200 + 1);
    for i in 0..NODES {
        bench.node(&name(i), &ip(i));
    }
    // Created within one second of each other, requests are ordered by name.
    for i in 0..2 {
        bench.serving(&format!("csr-a-older-{i}"), &name(i), &ip(i));
    }
    for i in 0..HONEST {
        bench.serving(&format!("csr-b-{i:03}"), &name(i), &ip(i));
    }
    for i in HONEST..NODES {
        bench.serving(&format!("csr-c-wrong-{i:03}"), &name(i), &ip(i - 100));
    }
    for i in 0..USERS {
        let user = format!("user-{i:02}");
        bench.ask(&format!("csr-d-{user}"), CLIENT, None, &pem(&user, "dev", &[]));
    }
    bench.ask("csr-e-admin", CLIENT, None, &pem("eve", "kubeadm:cluster-admins", &[]));
    let broken = json!({
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
        "metadata": {"name": "csr-f-broken", "uid": "5f2b0c3e-8f4e-4d43-9a9d-0f6f0f0f0f0f",
            "creationTimestamp": "2026-11-23T00:00:00Z"},
        "spec": {"request": STANDARD.encode("nonsense"), "signerName": CLIENT, "username": "eve",
            "groups": ["system:authenticated"], "usages": ["client auth"]},
        "status": {},
    });
    let key = "/registry/certificatesigningrequests/csr-f-broken";
    bench.lab.etcd().put_all([(key, broken.to_string().as_str())]);

    let (code, out, err) = bench.admin(&["csr", "list", "-o", "json"]);
    assert_eq!(code, 0, "{err}");
    let rows: Vec<Value> = serde_json::from_str(&out).expect("an array");
    assert_eq!(rows.len(), 200);
    let of = |verdict: &str| rows.iter().filter(|row| row["verdict"] == verdict).count();
    assert_eq!((of("green"), of("amber"), of("RED")), (HONEST + USERS, 2, 5));
    for (name, why) in [
        ("csr-c-wrong-140", "10.7.0.41 is node-040's address (node-140 has 10.7.0.141)"),
        ("csr-a-older-0", "superseded by csr-b-000"),
        ("csr-e-admin", "kubeadm:cluster-admins"),
        ("csr-f-broken", "it cannot be read"),
    ] {
        let row = rows.iter().find(|row| row["name"] == name).expect("it is listed");
        assert!(row["why"].as_str().is_some_and(|w| w.contains(why)), "{row}");
    }

    let (code, out, err) = bench.admin(&["csr", "approve", "--green", "--yes"]);
    assert_eq!(code, 4, "seven were left out: {out}{err}");
    for name in ["csr-a-older-1", "csr-c-wrong-142", "csr-e-admin", "csr-f-broken"] {
        assert!(err.contains(name), "{name} is named with its reason: {err}");
    }
    let approved = bench.with("Approved");
    assert_eq!(approved.len(), HONEST + USERS);
    assert!(approved.iter().all(|n| n.starts_with("csr-b-") || n.starts_with("csr-d-")));
    assert!(out.contains("CN=user-07") && out.contains("serial"), "{out}");

    let (code, out, err) = bench.admin(&["csr", "deny", "--superseded", "--yes"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(bench.with("Denied"), ["csr-a-older-0", "csr-a-older-1"]);

    // Red takes its name, whatever else is said.
    let (code, _, err) = bench.admin(&["csr", "approve", "csr-e-admin", "--yes"]);
    assert!(code == 3 && err.contains("--confirm csr-e-admin"), "{code} {err}");
    let (code, _, err) = bench.admin(&["csr", "approve", "csr-e-admin", "csr-f-broken", "--yes"]);
    assert!(code == 3 && err.contains("is RED"), "{code} {err}");
    assert_eq!(bench.with("Approved").len(), HONEST + USERS);
}

#[test]
fn a_request_that_changed_since_it_was_judged_is_refused() {
    let Some(bench) = Bench::open() else { return };
    bench.node("n1", "10.7.0.1");
    bench.serving("mine", "n1", "10.7.0.1");
    let planned = |bench: &Bench| {
        let (code, out, err) = bench.admin(&["csr", "approve", "mine", "--dry-run", "client"]);
        assert_eq!(code, 0, "{err}");
        let body = out.lines().map(str::trim).find(|l| l.starts_with("[{")).expect("the body");
        body.to_owned()
    };
    let send = |bench: &Bench, body: &str| {
        let path = format!("{REQUESTS}/mine/approval");
        let reply =
            bench.lab.request("PATCH", &path, "application/json-patch+json", body.as_bytes());
        reply.expect("an answer").status
    };
    let body = planned(&bench);
    let note = json!({"metadata": {"annotations": {"touched": "yes"}}});
    bench.lab.api_patch(&format!("{REQUESTS}/mine"), &note);
    assert_eq!(send(&bench, &body), 422);
    // Made again under the same name, with another key and another address.
    let body = planned(&bench);
    bench.lab.api_delete(&format!("{REQUESTS}/mine"), &json!({}));
    bench.serving("mine", "n1", "10.7.0.99");
    assert_eq!(send(&bench, &body), 422);
    assert_eq!(bench.request("mine")["status"].get("conditions"), None);
    // As it is now it is red.
    let (code, _, err) = bench.admin(&["csr", "approve", "--green", "--yes"]);
    assert!(code == 3 && err.contains("10.7.0.99 is no address of its Node"), "{code} {err}");
}

#[test]
fn a_user_is_made_whose_kubeconfig_works() {
    let Some(bench) = Bench::open() else { return };
    let rules = json!([{"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["get", "list", "watch"]}]);
    let role = json!({"metadata": {"name": "looker"}, "rules": rules});
    bench.lab.api_create("/apis/rbac.authorization.k8s.io/v1/clusterroles", &role);
    bench.node("n1", "10.7.0.1");
    let file = bench.home.path().join("ci.kubeconfig");
    let path = file.to_str().expect("a path");
    let create = [
        "csr",
        "create",
        "ci-bot",
        "--group",
        "dev",
        "--group",
        "ci",
        "--expires",
        "1h",
        "--approve",
        "--yes",
        "--bind-clusterrole",
        "looker",
        "--file",
        path,
    ];
    let (code, out, err) = bench.admin(&create);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(file.metadata().expect("it is there").permissions().mode() & 0o777, 0o600);
    let written = std::fs::read_to_string(&file).expect("it is there");
    let (code, out, err) = bench.run(&file, &["print", "nodes", "-o", "name"]);
    assert_eq!((code == 0 || code == 4, out.trim()), (true, "node/n1"), "{err}");
    let who =
        bench.run(&file, &["csr", "create", "other", "-o", "kubeconfig", "--yes", "--wait", "1"]);
    assert!(who.0 == 1 && who.2.contains("ci-bot"), "it acts as ci-bot: {who:?}");

    // An existing file is left alone, before anything is sent.
    let before = bench.lab.api_get(REQUESTS)["items"].as_array().map(Vec::len);
    let (code, _, err) = bench.admin(&create);
    assert!(code == 3 && err.contains("is there already"), "{code} {err}");
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), written);
    assert_eq!(bench.lab.api_get(REQUESTS)["items"].as_array().map(Vec::len), before);

    // The key is in that file and nowhere else.
    let key = written.lines().find_map(|l| l.split("client-key-data:").nth(1)).expect("the key");
    let key = key.trim().trim_matches(['"', '\'']);
    assert!(STANDARD.decode(key).is_ok_and(|pem| pem.starts_with(b"-----BEGIN PRIVATE KEY")));
    let mut folders = vec![bench.home.path().to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let at = entry.expect("an entry").path();
            if at.is_dir() {
                folders.push(at);
            } else if at != file {
                seen += 1;
                let text =
                    String::from_utf8_lossy(&std::fs::read(&at).expect("a file")).into_owned();
                let leaks = text.contains("PRIVATE KEY") || text.contains(&key[..40]);
                assert!(!leaks, "the key is in {}", at.display());
            }
        }
    }
    assert!(seen > 0, "there is a journal");

    // To standard output, and a group of administrators takes the user's name.
    let (code, out, err) =
        bench.admin(&["csr", "create", "rosa", "--approve", "--yes", "-o", "kubeconfig"]);
    assert!(code == 0 && out.contains("client-key-data"), "{code} {err}");
    let root = [
        "csr",
        "create",
        "root2",
        "--group",
        "lab:admins",
        "--approve",
        "--yes",
        "-o",
        "kubeconfig",
    ];
    let (code, out, err) = bench.admin(&root);
    assert!(code == 4 && err.contains("--confirm root2") && out.is_empty(), "{code} {out} {err}");
    let (code, _, err) = bench.admin(&["csr", "create", "short", "--expires", "5m"]);
    assert!(code == 2 && err.contains("10m"), "{code} {err}");
}

#[test]
fn without_rights_the_rule_is_named() {
    let Some(bench) = Bench::open() else { return };
    let (code, _, err) = bench.run(&bench.lab.kubeconfig(User::Viewer), &["csr", "list"]);
    assert!(code == 1 && err.contains("list certificatesigningrequests"), "{code} {err}");
}

/// Needs no control plane: the demo cluster holds one of each.
#[test]
fn the_demo_shows_every_colour_and_makes_a_user() {
    let home = tempfile::tempdir().expect("a folder");
    let demo = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
        command.arg("--demo").args(args).env("HOME", home.path()).current_dir(home.path());
        command.env_remove("XDG_STATE_HOME");
        let out = output_within(command, "", Duration::from_secs(60));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code().expect("it was not killed"), text(&out.stdout), text(&out.stderr))
    };
    let (code, out, err) = demo(&["csr", "list", "-o", "json"]);
    assert_eq!(code, 0, "{err}");
    let rows: Vec<Value> = serde_json::from_str(&out).expect("an array");
    let verdict = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name).expect("it is listed");
        format!("{} {}", row["verdict"].as_str().unwrap_or("-"), row["why"].as_str().unwrap_or("-"))
    };
    for (name, wanted) in [
        ("csr-8xk2p", "green"),
        ("csr-n0d3w", "green"),
        ("csr-2h7fd", "amber superseded by csr-8xk2p"),
        ("ci-bot", "amber rosa@demo.example asks for another user, ci-bot"),
        ("csr-b41zz", "RED 10.20.3.15 is demo-c-05's address (demo-b-02 has 10.20.2.12)"),
        ("contractor", "RED group kubeadm:cluster-admins"),
        ("old-laptop", "RED the key is RSA 1024"),
    ] {
        assert!(verdict(name).starts_with(wanted), "{name}: {}", verdict(name));
    }
    let (code, page, err) = demo(&["csr", "show", "csr-b41zz"]);
    assert!(code == 0 && page.contains("FAILS") && page.contains("kubelet.go"), "{page}{err}");
    let (code, out, err) =
        demo(&["csr", "create", "newcomer", "--group", "demo:developers", "--approve", "--yes"]);
    assert!(code == 0 && out.contains("CN=newcomer"), "{code} {out} {err}");
    let file = home.path().join("newcomer.kubeconfig");
    assert_eq!(file.metadata().expect("it is there").permissions().mode() & 0o777, 0o600);
}
