//! One request, one answer, one deadline. Watches, logs and shells do not go this way; everything
//! else does.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use kube::Client;
use kube::client::Body;

use super::fault::Fault;
use super::gate::{self, Permit};
use super::redact::tidy;

/// No single object comes near this; a list that does belongs on a feed.
const LARGEST: usize = 64 << 20;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// `Content-Type`; empty when the server sent none.
    pub content_type: String,
    /// The body, decompressed.
    pub body: Bytes,
    /// The server's clock, seconds since 1970.
    pub date: Option<i64>,
    /// `Audit-Id`: finds this request in the server's audit log.
    pub audit_id: Option<String>,
    /// `Warning` headers (deprecations, ignored fields), cleaned.
    pub warnings: Vec<String>,
}

/// Sends a request under a permit and waits for the whole answer, no longer than `deadline`
/// (`None`: for ever). JSON is asked for and declared unless the request says otherwise.
///
/// # Errors
/// Every status other than 2xx, and everything that kept an answer from coming, as a [`Fault`].
pub async fn call<B: Into<Body>>(
    client: &Client,
    permit: Permit,
    request: Request<B>,
    deadline: Option<Duration>,
) -> Result<Answer, Fault> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let (answer, headers) = exchange(client, permit, request, deadline).await?;
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(Fault::of_answer(&method, &path, answer.status, &headers, &answer.body))
}

/// A GET of `path` under [`Permit::Read`].
///
/// # Errors
/// As [`call`].
pub async fn get(client: &Client, path: &str, deadline: Option<Duration>) -> Result<Answer, Fault> {
    let request = Request::get(path).body(Body::empty());
    let request = request.map_err(|error| Fault::Bug(format!("GET {path}: {error}")))?;
    call(client, Permit::Read, request, deadline).await
}

/// A POST of a JSON document under [`Permit::Review`].
pub(super) async fn review(
    client: &Client,
    path: &str,
    document: &serde_json::Value,
    deadline: Option<Duration>,
) -> Result<serde_json::Value, Fault> {
    let request = Request::builder().method(Method::POST).uri(path);
    let request = request.body(document.to_string().into_bytes());
    let request = request.map_err(|error| Fault::Bug(format!("POST {path}: {error}")))?;
    let answer = call(client, Permit::Review, request, deadline).await?;
    serde_json::from_slice(&answer.body)
        .map_err(|_| Fault::Foreign(format!("{path} answered something that is not JSON")))
}

async fn exchange<B: Into<Body>>(
    client: &Client,
    permit: Permit,
    request: Request<B>,
    deadline: Option<Duration>,
) -> Result<(Answer, HeaderMap), Fault> {
    let whole = send(client, prepared(permit, request));
    match deadline.filter(|limit| !limit.is_zero()) {
        None => whole.await,
        Some(limit) => {
            tokio::time::timeout(limit, whole).await.unwrap_or(Err(Fault::Timeout { after: limit }))
        }
    }
}

fn prepared<B: Into<Body>>(permit: Permit, request: Request<B>) -> Request<Body> {
    let mut request = request.map(Into::into);
    request.extensions_mut().insert(permit);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let headers = request.headers_mut();
    headers.entry(header::ACCEPT).or_insert(JSON);
    if !reads {
        headers.entry(header::CONTENT_TYPE).or_insert(JSON);
    }
    request
}

async fn send(client: &Client, request: Request<Body>) -> Result<(Answer, HeaderMap), Fault> {
    let response = client.send(request).await.map_err(|error| Fault::of_error(&error))?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, LARGEST).collect().await.map_err(|error| {
        match error.downcast::<kube::Error>() {
            Ok(error) => Fault::of_error(&error),
            Err(_) => Fault::Bug(format!("the answer is longer than {} MiB", LARGEST >> 20)),
        }
    })?;
    let text = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.map(|value| tidy(value, 200))
    };
    let warnings = head.headers.get_all(header::WARNING);
    let answer = Answer {
        status: head.status,
        content_type: text("content-type").unwrap_or_default(),
        body: body.to_bytes(),
        date: gate::date(&head.headers),
        audit_id: text("audit-id"),
        warnings: warnings.iter().filter_map(|value| value.to_str().ok()).map(warning).collect(),
    };
    Ok((answer, head.headers))
}

/// The text of a `Warning: 299 - "text"` header (apimachinery `util/net`, NewWarningHeader).
fn warning(value: &str) -> String {
    let quoted = value.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
    tidy(&quoted.map_or(value, |(text, _)| text).replace("\\\"", "\""), 300)
}
