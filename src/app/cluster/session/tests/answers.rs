//! What servers answer, sorted into faults.

use http::{HeaderMap, Method, StatusCode};
use kube::core::Status;

use super::super::transport::NameFault;
use super::*;

fn of(code: u16, headers: &[(&'static str, &str)], body: &str) -> Fault {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let code = StatusCode::from_u16(code).unwrap();
    Fault::of_answer(&Method::GET, "/api/v1/pods", code, &map, body.as_bytes())
}

fn status(code: u16, reason: &str, message: &str) -> String {
    server::status(code, reason, message).2
}

#[test]
fn a_403_names_the_missing_rule() {
    let message = r#"pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "a""#;
    let fault = of(403, &[], &status(403, "Forbidden", message));
    let Fault::Forbidden { verb, what, .. } = &fault else { panic!("{fault:?}") };
    assert_eq!((verb.as_str(), what.as_str()), ("list", "pods in the namespace a"));

    let message = r#"nodes.metrics.k8s.io is forbidden: User "j" cannot get resource "nodes" in API group "metrics.k8s.io" at the cluster scope: why"#;
    let fault = of(403, &[], &status(403, "Forbidden", message));
    let Fault::Forbidden { verb, what, .. } = &fault else { panic!("{fault:?}") };
    assert_eq!(verb, "get");
    assert_eq!(what, "nodes in API group metrics.k8s.io at the cluster scope");

    let fault = of(403, &[], "access denied by gateway");
    let Fault::Forbidden { verb, what, message } = &fault else { panic!("{fault:?}") };
    assert_eq!((verb.as_str(), what.as_str()), ("get", "/api/v1/pods"));
    assert_eq!(message, "access denied by gateway");
}

#[test]
fn the_two_kinds_of_429_are_kept_apart() {
    let flow = of(429, &[("retry-after", "4")], "Too many requests, please try again later.\n");
    let after = Some(Duration::from_secs(4));
    let message = "Too many requests, please try again later.".to_owned();
    assert_eq!(flow, Fault::Throttled { after, message });

    let body = r#"{"kind":"Status","code":429,"reason":"TooManyRequests","message":"Cannot evict pod",
        "details":{"causes":[{"reason":"DisruptionBudget","message":"The disruption budget web needs 2 healthy pods"}]}}"#;
    let blocked = of(429, &[("retry-after", "10")], body);
    let message = "The disruption budget web needs 2 healthy pods".to_owned();
    assert_eq!(blocked, Fault::Blocked { after: Some(Duration::from_secs(10)), message });

    let lag = of(429, &[("retry-after", "1")], &status(429, "TooManyRequests", "wait"));
    assert!(matches!(lag, Fault::Throttled { after: Some(_), .. }), "{lag:?}");
}

#[test]
fn other_answers_by_remedy() {
    let kind =
        |fault: &Fault| format!("{fault:?}").split([' ', '(', '{']).next().unwrap().to_owned();
    let table = [
        (401, status(401, "Unauthorized", "Unauthorized"), "Unauthenticated"),
        (401, "Unauthorized".into(), "Unauthenticated"),
        (404, status(404, "NotFound", "pods \"x\" not found"), "NotFound"),
        (404, "404 page not found".into(), "NotFound"),
        (409, status(409, "Conflict", "the object has been modified"), "Stale"),
        (409, status(409, "AlreadyExists", "exists"), "Conflict"),
        (410, status(410, "Expired", "too old resource version"), "Gone"),
        (503, "service unavailable".into(), "Throttled"),
        (422, status(422, "Invalid", "spec is invalid"), "Rejected"),
        (500, String::new(), "Rejected"),
        (302, String::new(), "Foreign"),
        (403, "<html><title>Sign in</title>".into(), "Foreign"),
    ];
    for (code, body, expected) in table {
        let fault = of(code, &[], &body);
        assert_eq!(kind(&fault), expected, "{code} {body}: {fault:?}");
        assert!(!fault.to_string().is_empty());
    }
}

#[test]
fn a_servers_words_are_cleaned_redacted_and_cut() {
    let message = format!("\u{1b}[2Jno\nBearer abcdefghijkl {}", "x".repeat(5000));
    let text = of(422, &[], &status(422, "Inv\u{7}alid", &message)).to_string();
    assert!(text.starts_with("refused with 422 Inv alid: [2Jno Bearer [redacted] xxx"), "{text}");
    assert!(text.len() < 700 && !text.contains(char::is_control));
}

#[test]
fn an_event_in_a_watch_is_classified_like_an_answer() {
    let status = Status { code: 410, reason: "Expired".into(), ..Status::default() };
    assert_eq!(Fault::of_status(&status), Fault::Gone { message: String::new() });
}

#[test]
fn a_name_that_does_not_resolve_is_recognised_under_any_wrapping() {
    let name = NameFault { host: "api.nowhere".into(), why: "no such host".into() };
    let wrapped = std::io::Error::other(std::io::Error::other(name));
    let fault = Fault::of_error(&kube::Error::Service(Box::new(wrapped)));
    let (host, why) = ("api.nowhere".into(), "no such host".into());
    assert_eq!(fault, Fault::Unreachable(Unreachable::Name { host, why }));
}

#[test]
fn system_errors_are_recognised_by_kind() {
    use std::io::{Error, ErrorKind};
    let of = |kind: ErrorKind| Fault::of_error(&kube::Error::Service(Box::new(Error::from(kind))));
    let table = [
        (ErrorKind::ConnectionRefused, Unreachable::Refused),
        (ErrorKind::TimedOut, Unreachable::Silent),
        (ErrorKind::NetworkUnreachable, Unreachable::NoRoute),
        (ErrorKind::ConnectionReset, Unreachable::Dropped),
    ];
    for (kind, expected) in table {
        assert_eq!(of(kind), Fault::Unreachable(expected));
    }
}

#[tokio::test]
async fn access_reviews_are_answered_in_three_ways() {
    let dir = tempfile::tempdir().unwrap();
    let answers = std::sync::Mutex::new(vec![
        server::status(403, "Forbidden", "no reviews for you"),
        (
            201,
            "application/json",
            r#"{"status":{"allowed":false,"reason":"no\u0007 rule"}}"#.into(),
        ),
        (201, "application/json", r#"{"status":{"allowed":true}}"#.into()),
    ]);
    let server = server::Server::start(None, move |seen| match seen.path() {
        path if path.contains("selfsubjectaccessreviews") => answers.lock().unwrap().pop().unwrap(),
        _ => server::kubernetes(seen),
    });
    let config = one(&[&format!("server: http://{}", server.address)], &[]);
    let pinned = pinned(dir.path(), &config);
    let session = Session::connect(&pinned, Lock::default(), PluginStdio::Captured).await.unwrap();
    let ask = || may(&session.client, "create", "", "pods/eviction", Some("a"));
    assert_eq!(ask().await, Review::Allowed);
    assert_eq!(ask().await, Review::Denied("no rule".into()));
    assert!(matches!(ask().await, Review::Unknown(Fault::Forbidden { .. })));
}
