//! GETs whose answers arrive in pieces.

use super::decode::Encoding;
use super::session::{Fault, Permit};
use http::{HeaderMap, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, Limited};
use kube::Client;
use kube::client::Body;
use std::time::Duration;

/// Longest wait for the beginning of an answer. The API server begins to answer lists and watches at once.
pub const HEADERS: Duration = Duration::from_secs(25);
/// A refusal is a few hundred bytes; whoever sends more is no API server.
pub(super) const REFUSAL_MAX: usize = 64 << 10;
/// Longest wait for the words of a refusal whose code has arrived.
pub(super) const REFUSAL_WAIT: Duration = Duration::from_secs(5);

/// Which encodings are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// Protobuf, or JSON where the server does not speak it: custom resources, some aggregated APIs.
    Any,
    /// JSON.
    Json,
    /// The metadata of a list's objects alone (meta/v1 `PartialObjectMetadataList`), which every kind has in protobuf.
    Metadata,
}

/// A GET under [`Permit::Read`].
///
/// # Errors
/// [`Fault::Bug`] if `path` is no URL path: a namespace given on the command line may be anything.
pub fn read(path: &str, accept: Accept) -> Result<Request<Body>, Fault> {
    let request = Request::get(path).body(Body::empty());
    let mut request = request.map_err(|error| Fault::Bug(format!("GET {path}: {error}")))?;
    request.extensions_mut().insert(Permit::Read);
    let accept = HeaderValue::from_static(match accept {
        Accept::Any => "application/vnd.kubernetes.protobuf,application/json",
        Accept::Json => "application/json",
        Accept::Metadata => {
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,\
             application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
        }
    });
    request.headers_mut().insert(header::ACCEPT, accept);
    Ok(request)
}

/// Asks for an uncompressed answer. A 1.37 server compresses each event of a WatchList on its own, and tower-http
/// reads only the first of them (kube-rs #2079).
pub fn uncompressed(mut request: Request<Body>) -> Request<Body> {
    let identity = HeaderValue::from_static("identity");
    request.headers_mut().insert(header::ACCEPT_ENCODING, identity);
    request
}

/// Sends a request and waits until an answer begins, no longer than [`HEADERS`].
///
/// # Errors
/// Every status other than 2xx, a body that is neither protobuf nor JSON, and whatever kept an answer from coming.
pub async fn open(client: &Client, request: Request<Body>) -> Result<(Encoding, Body), Fault> {
    let path = request.uri().path().to_owned();
    let sent = tokio::time::timeout(HEADERS, client.send(request)).await;
    let response = sent.map_err(|_| Fault::Timeout { after: HEADERS })?;
    let response = response.map_err(|error| Fault::of_error(&error))?;
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        let words = tokio::time::timeout(REFUSAL_WAIT, Limited::new(body, REFUSAL_MAX).collect());
        let words = words.await.ok().and_then(Result::ok);
        let words = words.map(|words| words.to_bytes()).unwrap_or_default();
        return Err(Fault::of_answer(&Method::GET, &path, head.status, &head.headers, &words));
    }
    match encoding(&head.headers) {
        Some(encoding) => Ok((encoding, body)),
        None => Err(Fault::Foreign(format!("GET {path} answered neither protobuf nor JSON"))),
    }
}

fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    Encoding::of(headers.get(header::CONTENT_TYPE)?.to_str().ok()?)
}

/// Text as part of a URL's query (RFC 3986: all but the unreserved characters are percent-encoded).
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
