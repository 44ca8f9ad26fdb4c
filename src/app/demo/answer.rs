//! What the server answers, and how that becomes an HTTP response.

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderValue, Response, header};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use jiff::Timestamp;
use tower::BoxError;

use super::faults::Failure;
use super::refusal::Refusal;
use super::watch::Watch;

/// The body of a response: at once, or as a watch has something to tell.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// An answer before it has headers.
pub enum Answer {
    /// JSON.
    Json(u16, String),
    /// JSON under a content type of its own, as aggregated discovery has.
    Typed(&'static str, String),
    /// Plain text.
    Text(u16, String),
    /// What a fault puts in the place of the real answer.
    Failure(Failure),
    /// An open watch.
    Watch(Box<Watch>),
}

const JSON: &str = "application/json";

/// Fixed date format of HTTP (RFC 9110, 5.6.7).
const DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// The HTTP response.
pub fn respond(
    answer: Result<Answer, Refusal>,
    audit: String,
    now: Timestamp,
) -> http::Result<Response<Body>> {
    let (code, kind, wait, body) = match answer {
        Ok(Answer::Json(code, text)) => (code, JSON, None, full(text)),
        Ok(Answer::Typed(kind, text)) => (200, kind, None, full(text)),
        Ok(Answer::Text(code, text)) => (code, "text/plain", None, full(text)),
        Ok(Answer::Failure(f)) => {
            let kind = if f.body.starts_with('{') { JSON } else { "text/plain" };
            (f.code, kind, f.retry_after, full(f.body))
        }
        Ok(Answer::Watch(watch)) => (200, JSON, None, stream(*watch)),
        Err(refusal) => (refusal.code, JSON, refusal.retry_after, full(refusal.status.to_string())),
    };
    let mut response = Response::builder()
        .status(code)
        .header(header::CONTENT_TYPE, kind)
        .header(header::DATE, now.strftime(DATE).to_string())
        .header("Audit-Id", audit);
    if let Some(seconds) = wait {
        response = response.header(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.body(body)
}

fn full(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync()
}

fn stream(watch: Watch) -> Body {
    let chunks = futures_util::stream::unfold(watch, Watch::next);
    StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))).boxed_unsync()
}
