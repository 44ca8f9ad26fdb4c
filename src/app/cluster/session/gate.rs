//! The one door: every request of every client made here passes it, whatever is behind it (a real
//! server or the demo's in-process one). What carries no permit, or one that does not cover it,
//! does not leave the process.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use jiff::Timestamp;
use kube::client::Body;
use tower::{BoxError, Service};

use super::meter::Meter;

/// The user agent of every request; it shows in audit logs and flow control dumps.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("wheelhouse/", env!("CARGO_PKG_VERSION")));

/// The number of the confirmed plan a write belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArmedId(pub u64);

/// What a request is allowed to do. It travels in the request's `http` extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// GET, HEAD and watch; not exec, attach or port-forward, which are GETs too.
    Read,
    /// POST of a self-subject review: asks about our own rights and changes nothing.
    Review,
    /// A write with `dryRun=All`: admission runs, nothing is stored.
    DryRun,
    /// A write of a confirmed plan.
    Write(ArmedId),
    /// exec, attach and port-forward.
    Shell,
}

/// Who closed a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It was closed from the beginning, by `--read-only`.
    Start,
    /// It was closed on the way, by the operator.
    Later,
    /// A rule closed it for this connection.
    Rule,
}

/// The read-only switch of a cockpit. Clones share one state; each connection may be closed beside it, for good.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    /// 0 open, 1 closed from the beginning, 2 closed later.
    cockpit: Arc<AtomicU8>,
    connection: Arc<AtomicBool>,
}

impl Lock {
    /// A lock that starts closed (read-only) or open.
    pub fn new(read_only: bool) -> Lock {
        Lock { cockpit: Arc::new(AtomicU8::new(read_only.into())), connection: Arc::default() }
    }

    /// Closes (read-only) or opens it for all holders. What closed one connection for good stays.
    pub fn set(&self, read_only: bool) {
        match read_only {
            // One that was closed from the beginning stays that.
            true => drop(self.cockpit.compare_exchange(0, 2, Ordering::SeqCst, Ordering::SeqCst)),
            false => self.cockpit.store(0, Ordering::SeqCst),
        }
    }

    /// The same lock for one more connection.
    pub fn of_connection(&self) -> Lock {
        Lock { cockpit: self.cockpit.clone(), connection: Arc::default() }
    }

    /// Closes it for this connection alone, for as long as that lives.
    pub fn close_connection(&self) {
        self.connection.store(true, Ordering::SeqCst);
    }

    /// Who closed it, if somebody did.
    pub fn closed(&self) -> Option<Closed> {
        match self.cockpit.load(Ordering::SeqCst) {
            _ if self.connection.load(Ordering::SeqCst) => Some(Closed::Rule),
            0 => None,
            1 => Some(Closed::Start),
            _ => Some(Closed::Later),
        }
    }

    /// Whether only reads and reviews may pass.
    pub fn is_read_only(&self) -> bool {
        self.closed().is_some()
    }
}

/// Why the gate did not let a request through. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The cockpit is read-only.
    #[error("the cockpit is read-only: {0} was not sent")]
    ReadOnly(String),
    /// The code that made the request did not say what it may do.
    #[error("{0} carries no permit and was not sent")]
    NoPermit(String),
    /// The permit does not cover the request.
    #[error("{0} is not covered by its permit and was not sent")]
    NotCovered(String),
}

/// A client whose every request passes the gate before `inner` sees it. Must be called within a
/// tokio runtime (`kube::Client` starts a worker).
pub fn gated<S, B>(inner: S, default_namespace: &str, meter: Arc<Meter>, lock: Lock) -> kube::Client
where
    S: Service<Request<Body>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    kube::Client::new(Gate { inner, meter, lock }, default_namespace)
}

struct Gate<S> {
    inner: S,
    meter: Arc<Meter>,
    lock: Lock,
}

impl<S, B> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Send + 'static,
{
    type Response = Response<Metered<B>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Err(refusal) = check(&request, self.lock.is_read_only()) {
            return Box::pin(std::future::ready(Err(refusal.into())));
        }
        request.headers_mut().insert(header::USER_AGENT, USER_AGENT);
        self.meter.count_request();
        let meter = self.meter.clone();
        let told = format!("{} {}", request.method(), request.uri());
        let probe = is_probe(request.uri().path());
        let asked = Instant::now();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await.map_err(Into::into).inspect_err(|why| {
                tracing::warn!("{told}: {why}");
            })?;
            tracing::debug!("{told}: {} after {:?}", response.status(), asked.elapsed());
            meter.answered(date(response.headers()), Timestamp::now().as_second());
            if !probe {
                meter.hear_level(response.headers());
            }
            Ok(response.map(|body| Metered { body, meter }))
        })
    }
}

/// Whether a path is one that every server lets pass, whoever asks (flow schema `probes`): that level says nothing of ours.
fn is_probe(path: &str) -> bool {
    ["/readyz", "/livez", "/healthz"].iter().any(|probe| path.starts_with(probe))
}

/// The rules, in one place.
fn check(request: &Request<Body>, read_only: bool) -> Result<(), Refusal> {
    let told = || format!("{} {}", request.method(), request.uri().path());
    let Some(permit) = request.extensions().get::<Permit>() else {
        return Err(Refusal::NoPermit(told()));
    };
    if read_only && matches!(permit, Permit::DryRun | Permit::Write(_) | Permit::Shell) {
        return Err(Refusal::ReadOnly(told()));
    }
    if covers(*permit, request) { Ok(()) } else { Err(Refusal::NotCovered(told())) }
}

fn covers(permit: Permit, request: &Request<Body>) -> bool {
    let path = request.uri().path();
    let upgrades = request.headers().contains_key(header::UPGRADE);
    match permit {
        // An upgrade through a proxy subresource reaches the kubelet's exec; a plain GET cannot.
        Permit::Read => {
            matches!(*request.method(), Method::GET | Method::HEAD) && !upgrades && !is_shell(path)
        }
        Permit::Review => request.method() == Method::POST && is_self_review(path),
        Permit::DryRun => request.uri().query().is_some_and(|query| {
            query.split('&').any(|pair| pair == "dryRun=All") && !is_shell(path)
        }),
        Permit::Write(_) => !upgrades && !is_shell(path),
        Permit::Shell => is_shell(path),
    }
}

fn is_shell(path: &str) -> bool {
    let mut parts = path.trim_matches('/').split('/');
    let pods = parts.nth(4) == Some("pods");
    pods && matches!(parts.nth(1), Some("exec" | "attach" | "portforward"))
}

fn is_self_review(path: &str) -> bool {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts[..] {
        ["apis", "authorization.k8s.io", _, kind] => {
            matches!(kind, "selfsubjectaccessreviews" | "selfsubjectrulesreviews")
        }
        ["apis", "authentication.k8s.io", _, kind] => kind == "selfsubjectreviews",
        _ => false,
    }
}

/// The `Date` header as seconds since 1970.
pub(in crate::app::cluster) fn date(headers: &HeaderMap) -> Option<i64> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(at.as_second())
}

/// A response body that counts what flows through it.
struct Metered<B> {
    body: B,
    meter: Arc<Meter>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Metered<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.meter.count_bytes(data.len());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
