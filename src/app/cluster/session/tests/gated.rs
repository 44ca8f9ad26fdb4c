//! The gate over an in-process service, as the demo cluster uses it.

use std::convert::Infallible;
use std::sync::Mutex;

use http::{Request, Response};
use kube::client::Body;
use tower::service_fn;

use super::*;

/// A client over a service that notes what reaches it, and answers every request the same way.
fn client(lock: &Lock) -> (Client, Arc<Meter>, Arc<Mutex<Vec<String>>>) {
    let reached: Arc<Mutex<Vec<String>>> = Arc::default();
    let notes = reached.clone();
    let inner = service_fn(move |request: Request<Body>| {
        let agent = request.headers()["user-agent"].to_str().unwrap().to_owned();
        notes.lock().unwrap().push(format!("{} {} {agent}", request.method(), request.uri()));
        let response = Response::builder().header("date", "Fri, 01 Jan 2100 00:00:00 GMT");
        std::future::ready(Ok::<_, Infallible>(response.body(Body::from(b"{}".to_vec())).unwrap()))
    });
    let meter = Arc::new(Meter::default());
    (gated(inner, "default", meter.clone(), lock.clone()), meter, reached)
}

fn request(method: &str, path: &str) -> Request<Vec<u8>> {
    Request::builder().method(method).uri(path).body(Vec::new()).unwrap()
}

const EXEC: &str = "/api/v1/namespaces/a/pods/p/exec?command=sh";
const EVICT: &str = "/api/v1/namespaces/a/pods/p/eviction";
const REVIEW: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const WHOAMI: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

#[tokio::test]
async fn a_permit_covers_what_it_says_and_nothing_else() {
    let write = Permit::Write(ArmedId(1));
    let table = [
        (Permit::Read, "GET", "/api/v1/pods?watch=true", true),
        (Permit::Read, "HEAD", "/healthz", true),
        (Permit::Read, "GET", "/api/v1/nodes/n/proxy/stats/summary", true),
        (Permit::Read, "GET", "/api/v1/namespaces/a/pods/exec", true),
        (Permit::Read, "POST", "/api/v1/pods", false),
        (Permit::Read, "DELETE", "/api/v1/namespaces/a/pods/p", false),
        (Permit::Read, "GET", EXEC, false),
        (Permit::Read, "GET", "/api/v1/namespaces/a/pods/p/attach", false),
        (Permit::Read, "GET", "/api/v1/namespaces/a/pods/p/portforward", false),
        (Permit::Review, "POST", REVIEW, true),
        (Permit::Review, "POST", WHOAMI, true),
        (Permit::Review, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", false),
        (Permit::Review, "POST", EVICT, false),
        (Permit::Review, "GET", REVIEW, false),
        (Permit::DryRun, "POST", "/api/v1/x?fieldValidation=Strict&dryRun=All", true),
        (Permit::DryRun, "POST", "/api/v1/x", false),
        (Permit::DryRun, "POST", "/api/v1/x?dryRun=", false),
        (Permit::DryRun, "POST", "/api/v1/namespaces/a/pods/p/exec?dryRun=All", false),
        (write, "POST", EVICT, true),
        (write, "PATCH", "/api/v1/nodes/n", true),
        (write, "POST", EXEC, false),
        (Permit::Shell, "POST", EXEC, true),
        (Permit::Shell, "GET", "/api/v1/namespaces/a/pods/p/portforward", true),
        (Permit::Shell, "DELETE", "/api/v1/namespaces/a/pods/p", false),
    ];
    let (client, meter, reached) = client(&Lock::default());
    let mut sent = 0;
    for (permit, method, path, passes) in table {
        let outcome = call(&client, permit, request(method, path), None).await;
        sent += u64::from(passes);
        match outcome {
            Ok(_) => assert!(passes, "{permit:?} let {method} {path} through"),
            Err(fault) => {
                assert!(!passes, "{permit:?} stopped {method} {path}: {fault}");
                assert!(matches!(fault, Fault::Bug(_)), "{fault:?}");
            }
        }
        assert_eq!((meter.requests(), reached.lock().unwrap().len() as u64), (sent, sent));
    }
}

#[tokio::test]
async fn nothing_leaves_without_a_permit() {
    let (client, meter, reached) = client(&Lock::default());
    let error = client.send(request("GET", "/api/v1/pods").map(Body::from)).await.unwrap_err();
    assert!(matches!(Fault::of_error(&error), Fault::Bug(text) if text.contains("no permit")));
    assert!(client.request_text(request("GET", "/api/v1/pods")).await.is_err());
    assert_eq!((meter.requests(), reached.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn an_upgrade_is_not_a_read() {
    let (client, ..) = client(&Lock::default());
    let mut upgrade = request("GET", "/api/v1/nodes/n/proxy/exec/a/p/c?command=sh");
    upgrade.headers_mut().insert("upgrade", "websocket".parse().unwrap());
    assert!(matches!(call(&client, Permit::Read, upgrade, None).await, Err(Fault::Bug(_))));
}

#[tokio::test]
async fn read_only_stops_writes_dry_runs_and_shells_until_it_is_left() {
    let lock = Lock::new(true);
    let (client, meter, _) = client(&lock);
    let asked = |permit, method, path| call(&client, permit, request(method, path), None);
    let write = Permit::Write(ArmedId(7));
    for (permit, path) in [(write, EVICT), (Permit::DryRun, "/x?dryRun=All"), (Permit::Shell, EXEC)]
    {
        let fault = asked(permit, "POST", path).await.unwrap_err();
        assert!(matches!(&fault, Fault::ReadOnly(what) if what.starts_with("POST /")), "{fault:?}");
    }
    assert_eq!(meter.requests(), 0);
    asked(Permit::Read, "GET", "/api/v1/pods").await.unwrap();
    asked(Permit::Review, "POST", REVIEW).await.unwrap();
    lock.set(false);
    asked(write, "POST", EVICT).await.unwrap();
    assert_eq!(meter.requests(), 3);
}

#[tokio::test]
async fn the_meter_and_the_user_agent() {
    let (client, meter, reached) = client(&Lock::default());
    assert_eq!((meter.silence(), meter.skew_seconds(), meter.bytes()), (None, None, 0));
    let answer = get(&client, "/api/v1/pods", None).await.unwrap();
    assert_eq!(answer.date, Some(4_102_444_800));
    assert_eq!(meter.bytes(), 2);
    assert!(meter.silence().unwrap() < Duration::from_secs(60));
    let skew = 4_102_444_800 - jiff::Timestamp::now().as_second();
    assert!((meter.skew_seconds().unwrap() - skew).abs() <= 60);
    let expected = concat!("GET /api/v1/pods wheelhouse/", env!("CARGO_PKG_VERSION"));
    assert_eq!(reached.lock().unwrap()[..], [expected]);
}

#[tokio::test]
async fn what_every_server_lets_pass_says_nothing_of_our_level() {
    let inner = service_fn(|request: Request<Body>| {
        let response = Response::builder()
            .header("X-Kubernetes-PF-FlowSchema-UID", "schema")
            .header("X-Kubernetes-PF-PriorityLevel-UID", request.uri().path());
        std::future::ready(Ok::<_, Infallible>(response.body(Body::empty()).unwrap()))
    });
    let meter = Arc::new(Meter::default());
    let client = gated(inner, "default", meter.clone(), Lock::default());
    for path in ["/readyz?verbose", "/api/v1/nodes", "/livez/etcd", "/healthz"] {
        get(&client, path, None).await.unwrap();
    }
    assert_eq!(meter.caught(), Some(("schema".into(), "/api/v1/nodes".into())));
}
