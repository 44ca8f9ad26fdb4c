//! A small HTTPS server on loopback, with certificates made for each test.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// One request as the server saw it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub line: String,
    pub headers: Vec<(String, String)>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

/// Status, content type and body.
pub type Reply = (u16, &'static str, String);

pub struct Server {
    pub address: SocketAddr,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the accept loop, which then sees the flag.
        let _ = TcpStream::connect(self.address);
    }
}

impl Server {
    pub fn start(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            stop: Arc::default(),
        };
        let (seen, stop, answer) = (server.seen.clone(), server.stop.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { return };
                let (tls, seen, answer) = (tls.clone(), seen.clone(), answer.clone());
                std::thread::spawn(move || match tls {
                    None => serve(stream, &seen, &*answer),
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        serve(StreamOwned::new(connection, stream), &seen, &*answer);
                    }
                });
            }
        });
        server
    }

    pub fn paths(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| seen.path().to_owned()).collect()
    }

    pub fn headers(&self, name: &str) -> Vec<Option<String>> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|seen| seen.header(name).map(str::to_owned)).collect()
    }
}

fn serve(stream: impl Read + Write, seen: &Mutex<Vec<Seen>>, answer: &dyn Fn(&Seen) -> Reply) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read(&mut stream) else {
        // What Go's server says to something that is not HTTP.
        let _client_may_be_gone = stream.get_mut().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        return;
    };
    let (status, kind, body) = answer(&request);
    seen.lock().unwrap().push(request);
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let stream = stream.get_mut();
    let _client_may_be_gone =
        stream.write_all((head + &body).as_bytes()).and_then(|()| stream.flush());
}

fn read(stream: &mut impl std::io::BufRead) -> Option<Seen> {
    let mut seen = Seen::default();
    let mut line = String::new();
    while stream.read_line(&mut line).ok()? > 0 {
        let text = std::mem::take(&mut line).trim_end().to_owned();
        match (seen.line.is_empty(), text.split_once(": ")) {
            (true, _) => seen.line = text,
            (false, Some((name, value))) => seen.headers.push((name.to_lowercase(), value.into())),
            (false, None) => {
                let length = seen.header("content-length").and_then(|n| n.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                stream.read_exact(&mut body).ok()?;
                return Some(seen);
            }
        }
    }
    None
}

/// A certificate authority and what it issues.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, both PEM.
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// An authority that this one vouches for.
    pub fn between(&self, name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// Issues a certificate for a DNS name or address, valid until the end of the given year.
    pub fn issue(&self, name: &str, year: i32) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("test of {name}"));
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Identity { certificate, key: key.serialize_pem() }
    }

    /// A TLS server with a certificate of this authority; `clients` issues the certificates it
    /// insists on.
    pub fn server(&self, identity: &Identity, clients: Option<&Authority>) -> Arc<ServerConfig> {
        super::super::transport::install_crypto();
        let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
        let builder = match clients {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(clients) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(clients.pem.as_bytes()).unwrap()).unwrap();
                let verifier = rustls::server::WebPkiClientVerifier::builder(roots.into());
                ServerConfig::builder().with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }
}

/// What an API server answers to a first contact.
pub fn kubernetes(seen: &Seen) -> Reply {
    let path = seen.path();
    let body = if path.ends_with("/version") {
        r#"{"major":"1","minor":"36","gitVersion":"v1.36.2"}"#
    } else if path.ends_with("/selfsubjectreviews") {
        r#"{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"jane","groups":["ops"]}}}"#
    } else {
        return status(404, "NotFound", "the server could not find the requested resource");
    };
    (200, "application/json", body.into())
}

pub fn status(code: u16, reason: &str, message: &str) -> Reply {
    let body = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code, "reason": reason, "message": message,
    });
    (code, "application/json", body.to_string())
}
