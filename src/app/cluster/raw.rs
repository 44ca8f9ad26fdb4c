//! Any path of the server, read as text: whole with a limit, or in pieces.
//!
//! Only GET, always: `DELETE /metrics` resets every metric of a server that has profiling on.

use super::request::{HEADERS, REFUSAL_MAX, REFUSAL_WAIT};
use super::session::{Fault, Permit};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, Limited};
use kube::Client;
use kube::client::Body;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Longest silence in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(20);

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Raw {
    /// The body, decompressed.
    pub body: Bytes,
    /// The headers, for those who need to know who answered.
    pub headers: HeaderMap,
    /// From the request to the last byte.
    pub took: Duration,
}

impl Raw {
    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A GET of any path, read at once and no longer than `limit` bytes: the dumps of priority and fairness hold the
/// dispatcher's lock until they are read.
///
/// # Errors
/// Every status other than 2xx, a body longer than `limit`, and whatever kept the answer from coming. The body of
/// `/readyz?verbose` with 500 is in [`answered`].
pub async fn raw(client: &Client, path: &str, limit: usize) -> Result<Raw, Fault> {
    let (status, raw) = answered(client, path, limit).await?;
    if status.is_success() {
        return Ok(raw);
    }
    let bare = path.split('?').next().unwrap_or(path);
    Err(Fault::of_answer(&Method::GET, bare, status, &raw.headers, &raw.body))
}

/// As [`raw`], with any status.
///
/// # Errors
/// A body longer than `limit`, and whatever kept the answer from coming.
pub async fn answered(
    client: &Client,
    path: &str,
    limit: usize,
) -> Result<(http::StatusCode, Raw), Fault> {
    let began = Instant::now();
    let (head, mut body) = begin(client, path).await?;
    let mut all = BytesMut::new();
    while let Some(piece) = piece(&mut body).await? {
        if all.len() + piece.len() > limit {
            return Err(Fault::Bug(format!("GET {path} answered more than {limit} bytes")));
        }
        all.extend_from_slice(&piece);
    }
    let raw = Raw { body: all.freeze(), headers: head.headers, took: began.elapsed() };
    Ok((head.status, raw))
}

/// A GET of any path whose answer is handed on in pieces and never held whole, until whoever takes them breaks off. The
/// headers are returned.
///
/// # Errors
/// Every status other than 2xx, and whatever kept the answer from coming or broke it off.
pub async fn stream(
    client: &Client,
    path: &str,
    mut take: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<HeaderMap, Fault> {
    let (head, mut body) = begin(client, path).await?;
    if !head.status.is_success() {
        let words = tokio::time::timeout(REFUSAL_WAIT, Limited::new(body, REFUSAL_MAX).collect());
        let words = words.await.ok().and_then(Result::ok);
        let words = words.map(|words| words.to_bytes()).unwrap_or_default();
        let bare = path.split('?').next().unwrap_or(path);
        return Err(Fault::of_answer(&Method::GET, bare, head.status, &head.headers, &words));
    }
    while let Some(piece) = piece(&mut body).await? {
        if take(&piece).is_break() {
            break;
        }
    }
    Ok(head.headers)
}

async fn begin(client: &Client, path: &str) -> Result<(http::response::Parts, Body), Fault> {
    let request = Request::get(path).body(Body::empty());
    let mut request = request.map_err(|error| Fault::Bug(format!("GET {path}: {error}")))?;
    request.extensions_mut().insert(Permit::Read);
    // Component-base answers `*/*` with text; health checks and dumps have nothing else.
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/plain, */*;q=0.1"));
    let sent = tokio::time::timeout(HEADERS, client.send(request)).await;
    let response = sent.map_err(|_| Fault::Timeout { after: HEADERS })?;
    let response = response.map_err(|error| Fault::of_error(&error))?;
    Ok(response.into_parts())
}

async fn piece(body: &mut Body) -> Result<Option<Bytes>, Fault> {
    loop {
        let frame = tokio::time::timeout(SILENCE, body.frame()).await;
        match frame.map_err(|_| Fault::Timeout { after: SILENCE })? {
            None => return Ok(None),
            Some(Err(error)) => return Err(Fault::of_error(&error)),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(piece) => return Ok(Some(piece)),
                // Trailers hold nothing for us.
                Err(_) => continue,
            },
        }
    }
}
