//! An admission webhook of a test's own: HTTPS on loopback, which does what it is told to.

use base64::Engine as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A webhook does not hang for longer than this, whatever it was told.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Allows,
    /// Takes the request and says nothing until its mood changes; it allows then.
    Sleeps,
    /// Says 429 without a reason or a cause, with a `Retry-After` of so many seconds.
    TooMany(u32),
    /// Listens no more.
    Gone,
}

#[derive(Default)]
struct Told {
    mood: Mutex<Option<Mood>>,
    changed: Condvar,
    asked: AtomicUsize,
}

impl Told {
    fn mood(&self) -> Mood {
        self.mood.lock().unwrap().unwrap_or(Mood::Allows)
    }
}

pub struct Hook {
    told: Arc<Told>,
    port: u16,
    /// base64 of PEM, as `caBundle` wants it.
    bundle: String,
}

impl Hook {
    pub fn start(mood: Mood) -> Hook {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]);
        let made = made.expect("the parameters are complete");
        let bundle = base64::engine::general_purpose::STANDARD.encode(made.cert.pem());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let chain: Vec<CertificateDer<'static>> = vec![made.cert.der().clone()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|c| c.with_no_client_auth().with_single_cert(chain, key));
        let config = Arc::new(config.expect("a certificate and its key"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let told = Arc::new(Told::default());
        let hook = Hook { told: told.clone(), port, bundle };
        hook.be(mood);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if told.mood() == Mood::Gone {
                    return;
                }
                let (config, told) = (config.clone(), told.clone());
                std::thread::spawn(move || answer(stream, config, &told));
            }
        });
        hook
    }

    /// Changes what it does, also with the requests that it holds.
    pub fn be(&self, mood: Mood) {
        *self.told.mood.lock().unwrap() = Some(mood);
        self.told.changed.notify_all();
    }

    /// How many requests it took.
    pub fn asked(&self) -> usize {
        self.told.asked.load(Ordering::SeqCst)
    }

    /// Its configuration for evictions in a namespace.
    pub fn configuration(&self, namespace: &str, seconds: u32) -> Value {
        json!({
            "metadata": {"name": format!("{namespace}.lab.test")},
            "webhooks": [{
                "name": format!("gate.{namespace}.lab.test"), "admissionReviewVersions": ["v1"],
                "sideEffects": "None", "timeoutSeconds": seconds, "failurePolicy": "Fail",
                "clientConfig": {
                    "url": format!("https://127.0.0.1:{}/gate", self.port), "caBundle": self.bundle,
                },
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                    "resources": ["pods/eviction"],
                }],
            }],
        })
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.be(Mood::Gone);
        // Wakes the one who listens.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// One request of a connection; whoever hung up in the meantime gets nothing.
fn answer(stream: TcpStream, config: Arc<ServerConfig>, told: &Told) {
    let Ok(connection) = ServerConnection::new(config) else { return };
    let mut stream = StreamOwned::new(connection, stream);
    let Some(review) = read(&mut stream) else { return };
    told.asked.fetch_add(1, Ordering::SeqCst);
    let sleeps = |mood: &mut Option<Mood>| *mood == Some(Mood::Sleeps);
    let mood = told.mood.lock().unwrap();
    drop(told.changed.wait_timeout_while(mood, LONGEST, sleeps));
    let mut response = json!({"uid": review["request"]["uid"], "allowed": true});
    if let Mood::TooMany(after) = told.mood() {
        response["allowed"] = json!(false);
        response["status"] = json!({"code": 429, "details": {"retryAfterSeconds": after}});
    }
    let body = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response,
    });
    let body = body.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

fn read(stream: &mut impl Read) -> Option<Value> {
    let (mut all, mut part) = (vec![], [0; 4096]);
    loop {
        let n = stream.read(&mut part).ok().filter(|n| *n > 0)?;
        all.extend_from_slice(&part[..n]);
        let Some(end) = all.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&all[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
        let length: usize = length.trim().parse().ok()?;
        if let Some(body) = all.get(end + 4..end + 4 + length) {
            return serde_json::from_slice(body).ok();
        }
    }
}
