//! Everything that can go wrong with a request, sorted by what can be done about it. Texts from
//! servers are redacted and cleaned here, so that whoever shows a fault need not think of it.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};
use kube::core::Status;

use super::redact::tidy;
use super::status;

/// Longest piece of a server's own words that is quoted.
const QUOTE: usize = 500;

/// Why a request had no success, by remedy. [`Fault::Timeout`], [`Fault::Unreachable`] and a
/// [`Fault::Rejected`] with a code from 500 on leave it open whether a write took effect.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// No answer came back: the network, the proxy or TLS.
    #[error("{0}")]
    Unreachable(Unreachable),
    /// 401, or credentials that could not be obtained: log in again.
    #[error("the server does not accept these credentials: {message}")]
    Unauthenticated {
        /// In whose words.
        message: String,
        /// The credential plugin wants to ask something: lend it the terminal and renew.
        needs_terminal: bool,
    },
    /// 403: a rule is missing.
    #[error("not allowed to {verb} {what}: {message}")]
    Forbidden {
        /// The verb an RBAC rule would need.
        verb: String,
        /// The resource, its group and scope, as the server named them.
        what: String,
        /// The server's words.
        message: String,
    },
    /// 404: the object or the API is not there.
    #[error("not found: {message}")]
    NotFound {
        /// The server's words.
        message: String,
    },
    /// 410: the list or watch position has expired; list again.
    #[error("expired on the server: {message}")]
    Gone {
        /// The server's words.
        message: String,
    },
    /// 409 Conflict: the object changed since it was seen; look again.
    #[error("changed since it was read: {message}")]
    Stale {
        /// The server's words.
        message: String,
    },
    /// Any other 409: something of that name exists, or another operation is under way.
    #[error("in conflict with what is there: {message}")]
    Conflict {
        /// The server's words.
        message: String,
    },
    /// 429 by flow control, or 503: come back later.
    #[error("the server asks to slow down: {message}")]
    Throttled {
        /// `Retry-After`, when given.
        after: Option<Duration>,
        /// The server's words.
        message: String,
    },
    /// 429 of an eviction that a disruption budget does not permit.
    #[error("held by a disruption budget: {message}")]
    Blocked {
        /// The server's hint when to try again.
        after: Option<Duration>,
        /// The budget's words.
        message: String,
    },
    /// Any other refusal by the API server: invalid, denied by admission, an internal error.
    #[error("refused with {code} {reason}: {message}")]
    Rejected {
        /// HTTP status.
        code: u16,
        /// `Status.reason`, or the HTTP one.
        reason: String,
        /// The server's words.
        message: String,
    },
    /// No complete answer within the deadline. A write may have taken effect.
    #[error("no answer within {} s; whether it took effect is unknown", .after.as_secs_f32())]
    Timeout {
        /// The deadline.
        after: Duration,
    },
    /// The cockpit is read-only; nothing was sent.
    #[error("the cockpit is read-only: {0} was not sent")]
    ReadOnly(String),
    /// The answer is not one of a Kubernetes API server.
    #[error("the answer is not one of a Kubernetes API server: {0}")]
    Foreign(String),
    /// A mistake of this program; nothing was sent, or an answer could not be understood.
    #[error("this should not happen, please report it: {0}")]
    Bug(String),
}

/// What kept an answer from coming.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unreachable {
    /// The host's name has no address.
    #[error("the name {host} does not resolve ({why})")]
    Name {
        /// The name asked for: the server's, or the proxy's.
        host: String,
        /// The resolver's words.
        why: String,
    },
    /// Nothing listens there.
    #[error("the connection was refused: nothing listens at that address and port")]
    Refused,
    /// No sign of life from the address.
    #[error("no connection within 10 s: packets are lost or dropped on the way")]
    Silent,
    /// No way to the network or host.
    #[error("there is no route to the server")]
    NoRoute,
    /// The connection broke before the answer was complete.
    #[error("the connection was closed before an answer came")]
    Dropped,
    /// The proxy did not make the connection.
    #[error("the proxy did not make the connection ({0})")]
    Proxy(String),
    /// TLS did not come about.
    #[error("{0}")]
    Tls(TlsFault),
    /// Anything else, in the system's words.
    #[error("{0}")]
    Other(String),
}

/// Why TLS did not come about.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TlsFault {
    /// The server's certificate is signed by an authority we do not trust.
    #[error("the server's certificate is signed by an authority that is not trusted here")]
    UnknownIssuer,
    /// The server's certificate is for other names.
    #[error("the server's certificate is not for {expected} but for {presented}")]
    WrongName {
        /// The name connected to.
        expected: String,
        /// The names in the certificate.
        presented: String,
    },
    /// The server's certificate has expired.
    #[error("the server's certificate expired{}", since(.not_after))]
    Expired {
        /// When, if known.
        not_after: Option<jiff::Timestamp>,
    },
    /// The server's certificate is not valid yet: a clock is wrong.
    #[error("the server's certificate is not valid yet (is this machine's clock right?)")]
    NotYetValid,
    /// The server refused our client certificate, with this TLS alert.
    #[error("the server refused the client certificate ({0})")]
    ClientRefused(String),
    /// The other side does not speak TLS.
    #[error("what listens there does not speak TLS")]
    NotTls,
    /// Anything else, in rustls's words.
    #[error("TLS failed: {0}")]
    Other(String),
}

impl TlsFault {
    /// Whether it was the server's certificate that was at fault.
    pub(super) fn is_about_server(&self) -> bool {
        !matches!(self, TlsFault::ClientRefused(_) | TlsFault::NotTls)
    }
}

fn since(not_after: &Option<jiff::Timestamp>) -> String {
    not_after.map(|at| format!(" on {}", super::certificate::minute(at))).unwrap_or_default()
}

impl Fault {
    /// Classifies an answer that is not a success, from all its parts: the request's method and
    /// path help where a gateway answered instead of the API server.
    pub fn of_answer(
        method: &Method,
        path: &str,
        code: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Fault {
        let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        if let Some(mut status) = status::parse(body) {
            status.code = code.as_u16();
            let fault = Fault::of_status(&status).within(after);
            return fault.named(method, path);
        }
        let text = tidy(&String::from_utf8_lossy(&body[..body.len().min(4096)]), QUOTE);
        let html = text.starts_with('<');
        let said = if text.is_empty() { code.to_string() } else { text };
        match code.as_u16() {
            401 => Fault::unauthorized(&said),
            429 | 503 => Fault::Throttled { after, message: said },
            300..=399 => Fault::Foreign(format!("it redirects ({code}){}", location(headers))),
            _ if html => Fault::Foreign(format!("it is a web page ({code}): {said}")),
            _ => Fault::of_code(code.as_u16(), "", said).named(method, path),
        }
    }

    /// The code is told as well: it is what people search for.
    fn unauthorized(said: &str) -> Fault {
        let message = format!("401 {}", said.trim_start_matches("401").trim_start());
        Fault::Unauthenticated { message: message.trim_end().to_owned(), needs_terminal: false }
    }

    /// Classifies a `Status` object, as in a body or in a watch's ERROR event.
    pub fn of_status(status: &Status) -> Fault {
        let message = tidy(&status.message, QUOTE);
        let details = status.details.as_ref();
        let seconds = details.map_or(0, |details| details.retry_after_seconds);
        let after = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
        let mut causes = details.into_iter().flat_map(|details| &details.causes);
        if status.code == 429
            && let Some(cause) = causes.find(|cause| cause.reason == "DisruptionBudget")
        {
            let said = tidy(&cause.message, QUOTE);
            return Fault::Blocked { after, message: if said.is_empty() { message } else { said } };
        }
        Fault::of_code(status.code, &status.reason, message).within(after)
    }

    fn of_code(code: u16, reason: &str, message: String) -> Fault {
        match code {
            401 => Fault::unauthorized(&message),
            403 => {
                let (verb, what) = right(&message).unwrap_or_default();
                Fault::Forbidden { verb, what, message }
            }
            404 => Fault::NotFound { message },
            409 if reason == "Conflict" => Fault::Stale { message },
            409 => Fault::Conflict { message },
            410 => Fault::Gone { message },
            429 | 503 => Fault::Throttled { after: None, message },
            _ => {
                let known =
                    StatusCode::from_u16(code).ok().and_then(|code| code.canonical_reason());
                let reason = if reason.is_empty() { known.unwrap_or_default() } else { reason };
                Fault::Rejected { code, reason: tidy(reason, 60), message }
            }
        }
    }

    /// Fills in the time to wait where only the header knew it.
    fn within(mut self, header: Option<Duration>) -> Fault {
        if let Fault::Throttled { after, .. } | Fault::Blocked { after, .. } = &mut self {
            *after = after.or(header);
        }
        self
    }

    /// Fills in what was refused where the message did not say.
    fn named(mut self, method: &Method, path: &str) -> Fault {
        if let Fault::Forbidden { verb, what, .. } = &mut self
            && verb.is_empty()
        {
            (*verb, *what) = (method.as_str().to_lowercase(), tidy(path, 200));
        }
        self
    }
}

fn location(headers: &HeaderMap) -> String {
    let to = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    to.map(|to| format!(" to {}", tidy(to, 120))).unwrap_or_default()
}

/// Verb and object out of the authorizer's message, e.g. `pods is forbidden: User "jane" cannot
/// list resource "pods" in API group "" in the namespace "default"` (apiserver
/// `endpoints/handlers/responsewriters/errors.go`, forbiddenMessage).
fn right(message: &str) -> Option<(String, String)> {
    let (_, rest) = message.split_once(" cannot ")?;
    let (verb, rest) = rest.split_once(' ')?;
    let rest = rest.split_once(": ").map_or(rest, |(right, _)| right);
    let what = rest.trim_start_matches("resource ").trim_start_matches("path ");
    let what = what.replace(" in API group \"\"", "").replace('"', "");
    Some((verb.to_owned(), what.trim().to_owned()))
}
