//! The health board on a real control plane whose parts are stopped, filled and broken: how soon it is told, and in what
//! words. Skipped without a control plane, see `control_plane.rs`.

mod controlplane;

use controlplane::{Component, ControlPlane, Options, User, fresh, output_within};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// What the board must tell within.
const SOON: Duration = Duration::from_secs(10);
/// Two scrapes of `/metrics`, and what a busy machine adds.
const TWO_LOOKS: Duration = Duration::from_secs(35);

fn command(lab: &ControlPlane, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wheelhouse"));
    command.arg("health").args(args).arg("--kubeconfig").arg(lab.kubeconfig(User::Admin));
    command.env("HOME", lab.dir()).env_remove("KUBECONFIG");
    command
}

/// `wheelhouse health --watch` at work.
struct Watch {
    child: Child,
    lines: Receiver<Value>,
    heard: Vec<Value>,
}

impl Watch {
    /// Begins, and waits for the end of the first look.
    fn begin(lab: &ControlPlane) -> Watch {
        let mut command = command(lab, &["--watch", "-o", "json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // Nobody listens once the test is over.
                let _ = tell.send(serde_json::from_str(&line).expect("an object a line"));
            }
        });
        let mut watch = Watch { child, lines, heard: vec![] };
        // No cloud has one here, and every first look tells of what it cannot tell.
        watch.until("unknown", "leader", "kube-controller-manager", Duration::from_secs(30));
        watch
    }

    /// Waits for a verdict; how long that took, and its words.
    fn until(
        &mut self,
        verdict: &str,
        part: &str,
        name: &str,
        limit: Duration,
    ) -> (Duration, String) {
        let began = Instant::now();
        loop {
            let left = limit.saturating_sub(began.elapsed());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no `{verdict} {part} {name}` within {limit:?}: {:#?}", self.heard);
            };
            let is = |key: &str, value: &str| line[key].as_str() == Some(value);
            let found = is("verdict", verdict) && is("part", part) && is("name", name);
            let words = line["why"].as_str().unwrap_or_default().to_owned();
            self.heard.push(line);
            if found {
                eprintln!("{verdict} {part} {name} after {:?}: {words}", began.elapsed());
                return (began.elapsed(), words);
            }
        }
    }

    fn told(&self, part: &str, verdict: &str) -> bool {
        self.heard.iter().any(|line| line["part"] == part && line["verdict"] == verdict)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Exit code and the words on standard error.
fn once(lab: &ControlPlane) -> (i32, String, String) {
    let out = output_within(command(lab, &[]), "", Duration::from_secs(60));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().expect("it was not killed"), text(&out.stdout), text(&out.stderr))
}

#[test]
fn a_stopped_etcd_is_told_within_10_s() {
    let Some(lab) = fresh(Options::api()) else { return };
    let (code, out, err) = once(&lab);
    assert_eq!(code, 0, "all that is there is well: {out}{err}");
    for words in ["checks pass", "API server, serving", "API server, loopback", "client, of this"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let mut watch = Watch::begin(&lab);
    assert!(!watch.told("readyz", "bad"));
    lab.signal(Component::Etcd, libc::SIGSTOP);
    let (_, words) = watch.until("bad", "readyz", "(all)", SOON);
    assert!(words.contains("etcd"), "{words}");
    let (code, out, err) = once(&lab);
    assert!(
        code == 1 && err.contains("not well") && out.contains("writes fail"),
        "{code} {out}{err}"
    );
    lab.signal(Component::Etcd, libc::SIGCONT);
    watch.until("ok", "readyz", "(all)", Duration::from_secs(30));
}

#[test]
fn a_dead_webhook_and_a_dead_api_are_told_within_10_s() {
    let Some(lab) = fresh(Options::api()) else { return };
    let service = |name: &str| {
        let object = json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 443}]}});
        lab.api_create("/api/v1/namespaces/default/services", &object);
    };
    service("guard");
    service("adapter");
    let slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    let slice = json!({
        "metadata": {"name": "guard-1", "labels": {"kubernetes.io/service-name": "guard"}},
        "addressType": "IPv4", "ports": [{"port": 443}],
        "endpoints": [{"addresses": ["198.51.100.7"], "conditions": {"ready": true}}],
    });
    lab.api_create(slices, &slice);
    let webhook = |name: &str, config: Value| {
        let object = json!({"metadata": {"name": name}, "webhooks": [{
            "name": format!("{name}.lab.test"), "clientConfig": config, "failurePolicy": "Fail",
            "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 1,
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}],
        }]});
        let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
        lab.api_create(path, &object);
    };
    webhook("guard", json!({"service": {"namespace": "default", "name": "guard"}}));
    let mut watch = Watch::begin(&lab);
    assert!(!watch.told("webhook", "bad") && !watch.told("api", "bad"));

    lab.api_delete(&format!("{slices}/guard-1"), &json!({}));
    let (_, words) = watch.until("bad", "webhook", "validating/guard/guard.lab.test", SOON);
    assert!(words.contains("no ready endpoint") && words.contains("CREATE secrets"), "{words}");

    let api = json!({
        "metadata": {"name": "v1.dead.lab.test"},
        "spec": {"group": "dead.lab.test", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 15,
            "insecureSkipTLSVerify": true, "service": {"namespace": "default", "name": "adapter"}},
    });
    lab.api_create("/apis/apiregistration.k8s.io/v1/apiservices", &api);
    let (_, words) = watch.until("bad", "api", "v1.dead.lab.test", SOON);
    assert!(words.contains("default/adapter") && words.contains("503"), "{words}");

    // One with a URL is known by the calls that fail, so by two scrapes.
    let gone = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/guard";
    lab.api_delete(gone, &json!({}));
    webhook("far", json!({"url": "https://127.0.0.1:1/"}));
    let secret = json!({"metadata": {"generateName": "s-"}}).to_string();
    let refused = || {
        let path = "/api/v1/namespaces/default/secrets";
        let reply = lab.request("POST", path, "application/json", secret.as_bytes());
        reply.is_ok_and(|reply| reply.status == 500)
    };
    controlplane::wait_until("the webhook is called", SOON, refused);
    let (_, words) = watch.until("bad", "webhook", "validating/far/far.lab.test", TWO_LOOKS);
    assert!(words.contains("of https://127.0.0.1:1/ failed"), "{words}");
}

#[test]
fn an_api_that_no_longer_answers_is_told_within_10_s_though_it_is_called_available() {
    let Some(lab) = fresh(Options::api()) else { return };
    let (port, hangs) = aggregated();
    // An address of this machine is no endpoint; a name is.
    let service = json!({"metadata": {"name": "near"}, "spec": {"type": "ExternalName", "externalName": "localhost"}});
    lab.api_create("/api/v1/namespaces/default/services", &service);
    let api = json!({
        "metadata": {"name": "v1.near.lab.test"},
        "spec": {"group": "near.lab.test", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 15,
            "insecureSkipTLSVerify": true, "service": {"namespace": "default", "name": "near", "port": port}},
    });
    let path = "/apis/apiregistration.k8s.io/v1/apiservices";
    lab.api_create(path, &api);
    let available = || {
        let reply = lab.request("GET", &format!("{path}/v1.near.lab.test"), "", b"");
        reply.is_ok_and(|reply| {
            let object = reply.json();
            let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            conditions.iter().any(|c| c["type"] == "Available" && c["status"] == "True")
        })
    };
    controlplane::wait_until("the API is available", Duration::from_secs(60), available);
    let mut watch = Watch::begin(&lab);
    assert!(!watch.told("api", "bad"), "{:#?}", watch.heard);
    hangs.store(true, Ordering::Relaxed);
    let (_, words) = watch.until("bad", "api", "v1.near.lab.test", SOON);
    for part in
        ["does not answer", "GET /apis/near.lab.test/v1", "no answer within 4 s", "default/near"]
    {
        assert!(words.contains(part), "{words}");
    }
    hangs.store(false, Ordering::Relaxed);
    watch.until("gone", "api", "v1.near.lab.test", Duration::from_secs(60));
}

/// An aggregated API server that answers everything, and, while it is told to hang, accepts and never answers.
fn aggregated() -> (u16, Arc<AtomicBool>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.expect("a key"))
        .expect("they belong together");
    let (config, hangs) = (Arc::new(config), Arc::new(AtomicBool::new(false)));
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let told = hangs.clone();
    std::thread::spawn(move || {
        let mut held = vec![];
        for stream in listener.incoming().flatten() {
            if told.load(Ordering::Relaxed) {
                held.push(stream);
                continue;
            }
            held.clear();
            let session = rustls::ServerConnection::new(config.clone()).expect("a session");
            std::thread::spawn(move || answer(rustls::StreamOwned::new(session, stream)));
        }
    });
    (port, hangs)
}

/// Answers one request with an empty discovery document.
fn answer(stream: rustls::StreamOwned<rustls::ServerConnection, TcpStream>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let body = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "near.lab.test/v1", "resources": []});
    let (body, stream) = (body.to_string(), stream.get_mut());
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    // Whoever asked may have gone.
    let _ = stream.write_all((head + &body).as_bytes()).and_then(|()| stream.flush());
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

#[test]
fn a_full_etcd_is_told_as_writes_that_fail_within_two_looks() {
    let options = Options::api().flag(Component::Etcd, "--quota-backend-bytes=33554432");
    let Some(lab) = fresh(options) else { return };
    let mut watch = Watch::begin(&lab);
    let filler = "x".repeat(900 << 10);
    let full = (0..80).any(|_| {
        let object = json!({"metadata": {"generateName": "full-"}, "data": {"filler": filler}});
        let path = "/api/v1/namespaces/default/configmaps";
        let reply = lab.request("POST", path, "application/json", object.to_string().as_bytes());
        reply.is_ok_and(|reply| reply.status >= 500)
    });
    assert!(full, "32 MiB are full after 80 times 900 KiB");
    let ready = lab.request("GET", "/readyz", "", b"").expect("an answer");
    assert_eq!(ready.status, 200, "the server calls itself ready");
    let (_, words) = watch.until("bad", "etcd", "writes", TWO_LOOKS);
    for part in ["writes fail", "NOSPACE", "defragment"] {
        assert!(words.contains(part), "{words}");
    }
    assert!(!watch.told("readyz", "bad"), "reads and /readyz pass");
}

#[test]
fn a_stopped_scheduler_ages_from_10_s_and_then_is_lost() {
    let elect =
        Options::api().with(Component::Scheduler).flag(Component::Scheduler, "--leader-elect=true");
    let Some(lab) = fresh(elect) else { return };
    let lease = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler";
    let held = || lab.request("GET", lease, "", b"").is_ok_and(|reply| reply.status == 200);
    controlplane::wait_until("the scheduler leads", Duration::from_secs(60), held);
    let mut watch = Watch::begin(&lab);
    let told = |watch: &Watch| watch.heard.iter().any(|line| line["name"] == "kube-scheduler");
    assert!(!told(&watch), "it leads: {:#?}", watch.heard);
    lab.signal(Component::Scheduler, libc::SIGSTOP);
    let stopped = Instant::now();
    let (_, words) = watch.until("warn", "leader", "kube-scheduler", Duration::from_secs(15));
    assert!(stopped.elapsed() >= Duration::from_secs(7), "a leader renews every 2 s");
    assert!(words.starts_with("not renewed for 1"), "{words}");
    let (_, words) = watch.until("bad", "leader", "kube-scheduler", Duration::from_secs(10));
    assert!(words.starts_with("lost: not renewed for") && words.contains("not placed"), "{words}");
    assert!(stopped.elapsed() <= Duration::from_secs(21), "{:?}", stopped.elapsed());
    lab.signal(Component::Scheduler, libc::SIGCONT);
}
