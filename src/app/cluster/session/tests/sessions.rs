//! Whole sessions against TLS servers on loopback, good ones and bad ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::server::{Authority, Identity, Reply, Seen, Server, kubernetes, status};
use super::*;

const VALID: i32 = 2090;
const PAST: i32 = 2021;

struct World {
    dir: tempfile::TempDir,
    ca: Authority,
}

impl World {
    fn new() -> World {
        World { dir: tempfile::tempdir().unwrap(), ca: Authority::new("the cluster CA") }
    }

    fn serve(&self, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
        let tls = self.ca.server(&self.ca.issue("127.0.0.1", VALID), None);
        Server::start(Some(tls), answer)
    }

    /// A kubeconfig for `server` that trusts this world's CA.
    fn pinned(&self, server: &Server, path: &str, user: &[&str]) -> Pinned {
        let cluster = [
            format!("server: https://{}{path}", server.address),
            format!("certificate-authority-data: {}", STANDARD.encode(&self.ca.pem)),
        ];
        pinned(self.dir.path(), &one(&[&cluster[0], &cluster[1]], user))
    }
}

fn presenting(identity: &Identity) -> Vec<String> {
    vec![
        format!("client-certificate-data: {}", STANDARD.encode(&identity.certificate)),
        format!("client-key-data: {}", STANDARD.encode(&identity.key)),
    ]
}

async fn open(pinned: &Pinned) -> Result<Session, StartFault> {
    Session::connect(pinned, Lock::default(), PluginStdio::Captured).await
}

async fn refused(pinned: &Pinned) -> (Cause, String) {
    let fault = open(pinned).await.map(|_| ()).unwrap_err();
    let said = fault.paragraph();
    assert!(said.contains(&pinned.about().server) && said.contains("context 'it'"), "{said}");
    assert!(said.contains("Next: ") && !said.contains(char::is_control), "{said}");
    (fault.cause().clone(), said)
}

fn tls(cause: &Cause) -> &TlsFault {
    match cause {
        Cause::Contact(Fault::Unreachable(Unreachable::Tls(tls))) => tls,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_session_knows_its_server_and_itself() {
    let world = World::new();
    let server = world.serve(kubernetes);
    let user = ["token: t0ken", "as: jane", "as-groups: [a, b]"];
    let session = open(&world.pinned(&server, "/behind/a/path", &user)).await.unwrap();
    assert_eq!(session.version.as_deref(), Some("v1.36.2"));
    let super::Identity { name, groups, confirmed } = session.identity.clone();
    assert_eq!((name.as_str(), groups, confirmed), ("jane", vec!["ops".to_owned()], true));
    let mut paths = server.paths();
    paths.sort();
    assert_eq!(
        paths,
        [
            "/behind/a/path/apis/authentication.k8s.io/v1/selfsubjectreviews",
            "/behind/a/path/version"
        ]
    );
    let sent = |name: &str, value: &str| {
        assert_eq!(server.headers(name), vec![Some(value.to_owned()); 2], "{name}");
    };
    sent("authorization", "Bearer t0ken");
    sent("impersonate-user", "jane");
    assert_eq!(session.meter.requests(), 2);
    assert_eq!(server.headers("accept-encoding"), [None, None], "no gzip on loopback");
}

#[tokio::test]
async fn the_whole_chain_of_a_server_is_seen_or_why_it_is_not() {
    let world = World::new();
    let between = world.ca.between("the one between");
    let mut identity = between.issue("127.0.0.1", VALID);
    identity.certificate += &between.pem;
    identity.certificate += &world.ca.pem;
    let server = Server::start(Some(world.ca.server(&identity, None)), kubernetes);
    let pinned = world.pinned(&server, "", &["token: t0ken"]);
    let papers = open(&pinned).await.unwrap().papers();
    let seen = papers.look().await;
    let places: Vec<Place> = seen.all.iter().map(|(place, _)| *place).collect();
    assert_eq!(
        places,
        [Place::Serving, Place::Between, Place::Authority],
        "a root is our own copy"
    );
    let [(_, serving), (_, between), (_, authority)] = &seen.all[..] else { panic!() };
    assert_eq!((&serving.issuer, &between.issuer), (&between.subject, &authority.subject));
    assert_eq!(seen.hidden, None);
    drop(server);
    let seen = papers.look().await;
    assert_eq!(seen.all.len(), 1, "the authority is in the kubeconfig");
    let hidden = seen.hidden.unwrap();
    assert!(hidden.starts_with("the handshake failed: "), "{hidden}");
}

#[tokio::test]
async fn a_server_that_keeps_its_version_to_itself_is_no_failure() {
    let world = World::new();
    let server = world.serve(|seen| match seen.path() {
        "/version" => status(403, "Forbidden", "User \"jane\" cannot get path \"/version\""),
        path if path.contains("selfsubject") => status(404, "NotFound", "an older server"),
        _ => kubernetes(seen),
    });
    let session = open(&world.pinned(&server, "", &["token: t"])).await.unwrap();
    assert_eq!(session.version, None);
    assert_eq!((session.identity.name.as_str(), session.identity.confirmed), ("me", false));
}

#[tokio::test]
async fn a_401_is_told_with_the_user_that_was_tried() {
    let world = World::new();
    let server = world.serve(|_| status(401, "Unauthorized", "Unauthorized"));
    let (cause, said) = refused(&world.pinned(&server, "", &["token: secret-token"])).await;
    assert!(matches!(cause, Cause::Contact(Fault::Unauthenticated { .. })), "{cause:?}");
    assert!(said.contains("user 'me'") && said.contains("log in again"), "{said}");
    assert!(!said.contains("secret-token"), "{said}");
}

#[tokio::test]
async fn a_refused_port_is_told() {
    let world = World::new();
    let server = world.serve(kubernetes);
    let gone = world.pinned(&server, "", &[]);
    let address = server.address;
    drop(server);
    // The accept thread closes the listener; until then connections are taken and dropped.
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(address).is_ok() && std::time::Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    let (cause, said) = refused(&gone).await;
    assert_eq!(cause, Cause::Contact(Fault::Unreachable(Unreachable::Refused)));
    assert!(said.contains("nothing listens"), "{said}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told() {
    let dir = tempfile::tempdir().unwrap();
    // A label of more than 63 characters fails in the resolver itself; no query leaves the machine.
    let host = format!("{}.invalid", "a".repeat(70));
    let (cause, said) =
        refused(&pinned(dir.path(), &one(&[&format!("server: http://{host}")], &[]))).await;
    let Cause::Contact(Fault::Unreachable(Unreachable::Name { host: told, .. })) = cause else {
        panic!("{cause:?}");
    };
    assert_eq!(told, host);
    assert!(said.contains("does not resolve") && said.contains("VPN"), "{said}");
}

#[tokio::test]
async fn an_unknown_authority_is_told_with_the_certificate() {
    let world = World::new();
    let other = Authority::new("some other CA");
    let tls_config = other.server(&other.issue("127.0.0.1", VALID), None);
    let server = Server::start(Some(tls_config), kubernetes);
    let (cause, said) = refused(&world.pinned(&server, "", &["token: t"])).await;
    assert_eq!(tls(&cause), &TlsFault::UnknownIssuer);
    assert!(
        said.contains("issued by CN=some other CA") && said.contains("CN=test of 127.0.0.1"),
        "{said}"
    );
    assert!(server.paths().is_empty(), "no request may reach a server that is not trusted");
}

#[tokio::test]
async fn a_wrong_name_and_an_expired_server_certificate_are_told() {
    let world = World::new();
    let server = Server::start(
        Some(world.ca.server(&world.ca.issue("api.example.com", VALID), None)),
        kubernetes,
    );
    let (cause, said) = refused(&world.pinned(&server, "", &[])).await;
    assert!(matches!(tls(&cause), TlsFault::WrongName { .. }), "{cause:?}");
    assert!(said.contains("not for 127.0.0.1 but for api.example.com"), "{said}");
    let named = world.pinned(&server, "", &[]);
    let args = ConnectArgs {
        kubeconfig: Some(named.about().files[0].clone()),
        tls_server_name: Some("api.example.com".into()),
        ..ConnectArgs::default()
    };
    open(&Pinned::load(&args, bare()).unwrap()).await.unwrap();

    let old = world.ca.server(&world.ca.issue("127.0.0.1", PAST), None);
    let server = Server::start(Some(old), kubernetes);
    let (cause, said) = refused(&world.pinned(&server, "", &[])).await;
    assert!(matches!(tls(&cause), TlsFault::Expired { not_after: Some(_) }), "{cause:?}");
    assert!(said.contains("the server's certificate expired on 2021-12-31"), "{said}");
}

#[tokio::test]
async fn skipping_verification_connects_and_says_so() {
    let world = World::new();
    let server = world.serve(kubernetes);
    let url = format!("server: https://{}", server.address);
    let insecure = pinned(world.dir.path(), &one(&[&url, "insecure-skip-tls-verify: true"], &[]));
    assert!(open(&insecure).await.unwrap().about.insecure);
}

#[tokio::test]
async fn an_expired_client_certificate_is_named_with_its_date() {
    let world = World::new();
    let expired = presenting(&world.ca.issue("jane", PAST));
    let user: Vec<&str> = expired.iter().map(String::as_str).collect();
    // The API server asks for a certificate without insisting, and answers 401.
    let lenient = world.serve(|_| status(401, "Unauthorized", "Unauthorized"));
    let (_, said) = refused(&world.pinned(&lenient, "", &user)).await;
    assert!(said.contains("CN=test of jane) expired on 2021-12-31"), "{said}");
    assert!(said.contains("have the client certificate renewed"), "{said}");
    // A gateway in front of it insists, and ends the handshake.
    let strict = world.ca.server(&world.ca.issue("127.0.0.1", VALID), Some(&world.ca));
    let strict = Server::start(Some(strict), kubernetes);
    let (cause, said) = refused(&world.pinned(&strict, "", &user)).await;
    assert!(matches!(tls(&cause), TlsFault::ClientRefused(_)), "{cause:?}");
    assert!(said.contains("expired on 2021-12-31"), "{said}");
    let good = presenting(&world.ca.issue("jane", VALID));
    let user: Vec<&str> = good.iter().map(String::as_str).collect();
    let session = open(&world.pinned(&strict, "", &user)).await.unwrap();
    assert_eq!(session.client_certificate().unwrap().subject, "CN=test of jane");
}

#[tokio::test]
async fn keys_that_do_not_fit_are_explained() {
    let world = World::new();
    let server = world.serve(kubernetes);
    let (a, b) = (world.ca.issue("a", VALID), world.ca.issue("b", VALID));
    let crossed = presenting(&server::Identity { certificate: a.certificate, key: b.key });
    let user: Vec<&str> = crossed.iter().map(String::as_str).collect();
    let (_, said) = refused(&world.pinned(&server, "", &user)).await;
    assert!(said.contains("key does not belong to the client certificate"), "{said}");
    // Made with `openssl x509 -req -signkey`, which issues version 1 as a stock microk8s does.
    let old = Identity {
        certificate: include_str!("version1.crt").into(),
        key: world.ca.issue("x", VALID).key,
    };
    let old = presenting(&old);
    let user: Vec<&str> = old.iter().map(String::as_str).collect();
    let (_, said) = refused(&world.pinned(&server, "", &user)).await;
    assert!(said.contains("(CN=microk8s admin) is of X.509 version 1"), "{said}");
}

#[tokio::test]
async fn what_is_not_kubernetes_is_said_to_be_something_else() {
    let world = World::new();
    let page = || (200, "text/html", "<html>Welcome</html>".to_owned());
    let server = world.serve(move |_| page());
    let (cause, said) = refused(&world.pinned(&server, "", &[])).await;
    assert!(matches!(cause, Cause::Contact(Fault::Foreign(_))), "{cause:?}");
    assert!(
        said.contains("not one of a Kubernetes API server") && said.contains("<html>"),
        "{said}"
    );

    let plain = Server::start(None, move |_| page());
    let (cause, said) = refused(&world.pinned(&plain, "", &[])).await;
    assert_eq!(tls(&cause), &TlsFault::NotTls);
    assert!(said.contains("http://"), "{said}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_at_the_deadline() {
    let dir = tempfile::tempdir().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("server: https://{}", silent.local_addr().unwrap());
    let args = ConnectArgs {
        kubeconfig: Some(write(dir.path(), "config", &one(&[&url], &[]))),
        request_timeout: Some(Duration::from_millis(50)),
        ..ConnectArgs::default()
    };
    let fault = open(&Pinned::load(&args, bare()).unwrap()).await.map(|_| ()).unwrap_err();
    let after = Duration::from_millis(50);
    assert_eq!(fault.cause(), &Cause::Contact(Fault::Timeout { after }));
    assert!(fault.paragraph().contains("did not answer within 0.05 s"), "{fault}");
}

#[tokio::test]
async fn a_proxy_is_asked_with_its_credentials_and_its_refusal_is_told() {
    let world = World::new();
    let server = world.serve(kubernetes);
    let proxy = Server::start(None, |_| (407, "text/plain", String::new()));
    let args = ConnectArgs {
        proxy_url: Some(format!("http://me:p%40ss@{}", proxy.address)),
        kubeconfig: Some(world.pinned(&server, "", &[]).about().files[0].clone()),
        ..ConnectArgs::default()
    };
    let (cause, said) = refused(&Pinned::load(&args, bare()).unwrap()).await;
    assert!(
        matches!(cause, Cause::Contact(Fault::Unreachable(Unreachable::Proxy(_)))),
        "{cause:?}"
    );
    assert!(said.contains("through the proxy http://[redacted]@127.0.0.1"), "{said}");
    let basic = format!("Basic {}", STANDARD.encode("me:p@ss"));
    assert_eq!(proxy.headers("proxy-authorization")[0].as_deref(), Some(basic.as_str()));
    assert!(proxy.seen.lock().unwrap()[0].line.starts_with(&format!("CONNECT {}", server.address)));
}

#[tokio::test]
async fn a_rotated_token_file_is_picked_up_by_the_same_client() {
    let world = World::new();
    write(world.dir.path(), "token", "old");
    let server = world.serve(|seen| match seen.header("authorization") {
        Some("Bearer old") if seen.path() == "/late" => status(401, "Unauthorized", "expired"),
        Some("Bearer new") if seen.path() == "/late" => (200, "application/json", "{}".into()),
        _ => kubernetes(seen),
    });
    let session = open(&world.pinned(&server, "", &["tokenFile: token"])).await.unwrap();
    let late = || get(&session.client, "/late", session.deadline());
    assert!(matches!(late().await, Err(Fault::Unauthenticated { .. })));
    assert!(matches!(late().await, Err(Fault::Unauthenticated { .. })), "nothing was rotated yet");
    write(world.dir.path(), "token", "newer");
    write(world.dir.path(), "token", "new");
    assert!(late().await.is_ok(), "{:?}", server.headers("authorization"));
}
