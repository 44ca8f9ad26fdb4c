//! A scripted API server behind a `kube::Client`, and a store fed from it, in virtual time.
#![allow(dead_code, missing_docs)]

use super::encode::*;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, header};
use http_body::Frame;
use http_body_util::StreamBody;
use kube::client::Body;
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout};
use wheelhouse::app::cluster::decode::Encoding;
use wheelhouse::app::cluster::feed::{self, FeedHandle, FeedSpec};
use wheelhouse::app::cluster::mailbox::{Delivery, Mailbox};
use wheelhouse::app::cluster::session::Permit;
use wheelhouse::app::cluster::upstream::Upstream;
use wheelhouse::state::health::{FeedId, Health};
use wheelhouse::state::kinds::pods;
use wheelhouse::state::store::Store;
use wheelhouse::state::time::Epoch;

/// A piece of a body, or what breaks it.
type Piece = Result<Bytes, std::io::Error>;

/// How a request is answered.
pub enum Reply {
    /// Code, headers, body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// 200, and what is sent through the line; the body ends when the line is dropped.
    Open(&'static str, mpsc::UnboundedReceiver<Piece>),
    /// The connection is refused.
    Refused,
    /// Nothing, ever.
    Hang,
}

/// The server's end of an open response.
#[derive(Clone)]
pub struct Line(mpsc::UnboundedSender<Piece>);

impl Line {
    pub fn say(&self, bytes: impl Into<Bytes>) {
        // Whether somebody still listens is for the test to find out otherwise.
        let _ = self.0.send(Ok(bytes.into()));
    }

    pub fn tear(&self) {
        let _ = self.0.send(Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)));
    }

    pub fn is_open(&self) -> bool {
        !self.0.is_closed()
    }
}

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: Duration,
    pub path: String,
    pub query: String,
    pub accept: String,
    pub accept_encoding: String,
    pub permit: Option<Permit>,
}

impl Asked {
    pub fn param(&self, name: &str) -> Option<&str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(k, _)| *k == name).map(|(_, v)| v)
    }

    pub fn is_watch(&self) -> bool {
        self.param("watch").is_some()
    }

    pub fn is_stream(&self) -> bool {
        self.param("sendInitialEvents").is_some()
    }
}

/// How one encoding is written, so that each scenario runs in both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speech(pub Encoding);

pub const SPEECHES: [Speech; 2] = [Speech(Encoding::Protobuf), Speech(Encoding::Json)];

impl Speech {
    fn content_type(self) -> &'static str {
        match self.0 {
            Encoding::Protobuf => "application/vnd.kubernetes.protobuf",
            Encoding::Json => "application/json",
        }
    }

    fn raw(pod: &Value) -> Vec<u8> {
        Schema::of(&pods::TABLE, 0).encode(pod, &mut Plain)
    }

    pub fn list(self, pods: &[Value], version: &str, next: &str) -> Reply {
        let more = (!next.is_empty()).then_some(7);
        let body = match self.0 {
            Encoding::Protobuf => {
                let raw: Vec<_> = pods.iter().map(Self::raw).collect();
                pb_list(&raw, version, next, more)
            }
            Encoding::Json => json_list(pods, version, next, more),
        };
        Reply::Whole(200, vec![("content-type", self.content_type().into())], body)
    }

    pub fn event(self, verb: &str, pod: &Value) -> Vec<u8> {
        match self.0 {
            Encoding::Protobuf => pb_event(verb, "Pod", &Self::raw(pod)),
            Encoding::Json => json_event(verb, pod),
        }
    }

    pub fn bookmark(self, version: &str, initial_end: bool) -> Vec<u8> {
        match self.0 {
            Encoding::Protobuf => pb_event("BOOKMARK", "Pod", &pb_bookmark(version, initial_end)),
            Encoding::Json => json_event("BOOKMARK", &json_bookmark(version, initial_end)),
        }
    }

    pub fn error(self, code: u16, message: &str) -> Vec<u8> {
        match self.0 {
            Encoding::Protobuf => pb_event("ERROR", "Status", &pb_status(code, message, 0)),
            Encoding::Json => json_event("ERROR", &json_status(code, message)),
        }
    }

    pub fn refusal(self, code: u16, message: &str) -> Reply {
        let body = match self.0 {
            Encoding::Protobuf => envelope("Status", &pb_status(code, message, 0)),
            Encoding::Json => json_status(code, message).to_string().into_bytes(),
        };
        Reply::Whole(code, vec![("content-type", self.content_type().into())], body)
    }

    /// An answer that stays open, and the line to send it through.
    pub fn open(self) -> (Reply, Line) {
        let (tx, rx) = mpsc::unbounded_channel();
        (Reply::Open(self.content_type(), rx), Line(tx))
    }

    /// An answer that says this and stays open for as long as the line is kept.
    pub fn saying(self, parts: &[Vec<u8>]) -> (Reply, Line) {
        let (reply, line) = self.open();
        parts.iter().for_each(|part| line.say(part.clone()));
        (reply, line)
    }

    /// A watch that says this and ends.
    pub fn ending(self, parts: &[Vec<u8>]) -> Reply {
        self.saying(parts).0
    }
}

type Handler = dyn FnMut(&Asked) -> Reply + Send;

/// The server, the session's shared part, and a store that takes in what arrives.
pub struct Rig {
    pub up: Arc<Upstream>,
    pub mailbox: Arc<Mailbox>,
    pub store: Store,
    pub feeds: Vec<(FeedId, FeedHandle)>,
    /// Fewest rows since there were any.
    pub fewest: Option<usize>,
    /// Every health told, in order.
    pub healths: Vec<(Duration, Health)>,
    asked: Arc<Mutex<Vec<Asked>>>,
    woken: Arc<Notify>,
    born: Instant,
}

/// The wall clock at the beginning of every test.
pub const DAWN: i64 = 1_800_000_000;

impl Rig {
    /// A server that answers by `handler`; questions whether it is alive do not reach it and are answered.
    pub fn new(mut handler: impl FnMut(&Asked) -> Reply + Send + 'static) -> Rig {
        Rig::bare(move |asked| match asked.path.as_str() {
            "/version" => Reply::Whole(200, vec![], b"{}".to_vec()),
            _ => handler(asked),
        })
    }

    /// A server that answers everything by `handler`.
    pub fn bare(handler: impl FnMut(&Asked) -> Reply + Send + 'static) -> Rig {
        let born = Instant::now();
        let asked = Arc::new(Mutex::new(vec![]));
        let handler: Arc<Mutex<Handler>> = Arc::new(Mutex::new(handler));
        let log = asked.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let one = note(&request, born.elapsed());
            let reply = (handler.lock().unwrap())(&one);
            log.lock().unwrap().push(one);
            respond(reply)
        });
        let client = kube::Client::new(service, "default");
        let clock = Arc::new(move || Epoch(DAWN + born.elapsed().as_secs() as i64));
        let up = Upstream::new(client, clock);
        let woken = Arc::new(Notify::new());
        let bell = woken.clone();
        let mailbox = Arc::new(Mailbox::new(Arc::new(move || bell.notify_one())));
        Rig {
            up,
            mailbox,
            store: Store::new(&[&pods::TABLE]),
            feeds: vec![],
            fewest: None,
            healths: vec![],
            asked,
            woken,
            born,
        }
    }

    /// The same with answers used up one after the other; then nothing is answered any more.
    pub fn scripted(replies: Vec<Reply>) -> Rig {
        let mut replies = VecDeque::from(replies);
        Rig::new(move |_| replies.pop_front().unwrap_or(Reply::Hang))
    }

    pub fn follow(mut self) -> Rig {
        self.spawn(None);
        self
    }

    pub fn spawn(&mut self, namespace: Option<&str>) {
        let id = self.store.open_feed(0, 0, namespace.map(str::to_owned));
        let namespace = namespace.map(str::to_owned);
        let spec = FeedSpec { id, table: &pods::TABLE, kind: 0, namespace };
        self.feeds.push((id, feed::spawn(spec, &self.up, &self.mailbox)));
    }

    /// Takes in what arrived.
    pub fn drain(&mut self) {
        for delivery in self.mailbox.drain(usize::MAX) {
            match delivery {
                Delivery::Rows(parcel) => drop(self.store.apply(&parcel)),
                Delivery::Health(id, health) => {
                    self.healths.push((self.now(), health.clone()));
                    self.store.set_health(id, health);
                }
            }
            let rows = self.store.table("pods").len();
            if rows > 0 || self.fewest.is_some() {
                self.fewest = Some(self.fewest.unwrap_or(rows).min(rows));
            }
        }
    }

    /// Waits until `seen`, no longer than an hour of virtual time.
    pub async fn until(&mut self, what: &str, seen: impl Fn(&Rig) -> bool) {
        let give_up = Instant::now() + Duration::from_secs(3600);
        loop {
            self.drain();
            if seen(self) {
                return;
            }
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                panic!("never {what}; asked {:#?}; told {:#?}", self.asked(), self.healths);
            }
            let _ = timeout(left.min(Duration::from_secs(1)), self.woken.notified()).await;
        }
    }

    /// Lets so much virtual time pass, taking in what arrives.
    pub async fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let _ = tokio::time::timeout_at(end, self.woken.notified()).await;
            self.drain();
        }
    }

    pub async fn until_live(&mut self) {
        self.until("live", |rig| matches!(rig.health(), Health::Live(_))).await;
    }

    pub fn health(&self) -> &Health {
        &self.store.feeds[0].health
    }

    /// Names of the pods' versions shown, sorted: `3@1003`.
    pub fn rows(&self) -> Vec<String> {
        let uid = |row: wheelhouse::state::row::Row| row.key().uid().unwrap_or_default();
        let number = |uid: String| u32::from_str_radix(&uid[..8], 16).unwrap_or(u32::MAX);
        let mut rows: Vec<_> =
            self.store.rows("pods").map(|r| format!("{}@{}", number(uid(r)), r.rv())).collect();
        rows.sort();
        rows
    }

    pub fn now(&self) -> Duration {
        self.born.elapsed()
    }

    /// Requests so far, questions whether the server is alive left out.
    pub fn asked(&self) -> Vec<Asked> {
        let all = self.asked.lock().unwrap();
        all.iter().filter(|a| a.path != "/version").cloned().collect()
    }

    /// Questions whether the server is alive.
    pub fn probes(&self) -> Vec<Duration> {
        let all = self.asked.lock().unwrap();
        all.iter().filter(|a| a.path == "/version").map(|a| a.at).collect()
    }
}

fn note(request: &Request<Body>, at: Duration) -> Asked {
    let header = |name| {
        let value = request.headers().get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    Asked {
        at,
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        accept: header(header::ACCEPT),
        accept_encoding: header(header::ACCEPT_ENCODING),
        permit: request.extensions().get::<Permit>().copied(),
    }
}

type Stream = stream::BoxStream<'static, Result<Frame<Bytes>, std::io::Error>>;

async fn respond(reply: Reply) -> Result<Response<StreamBody<Stream>>, std::io::Error> {
    let body = |s: Stream| StreamBody::new(s);
    let built = |builder: http::response::Builder, s: Stream| Ok(builder.body(body(s)).unwrap());
    match reply {
        Reply::Whole(code, headers, bytes) => {
            let mut builder = Response::builder().status(code);
            for (name, value) in headers {
                builder = builder.header(name, value);
            }
            // In several pieces, as the network would.
            let pieces: Vec<_> = bytes.chunks(1000).map(Bytes::copy_from_slice).collect();
            let frames = pieces.into_iter().map(|piece| Ok(Frame::data(piece)));
            built(builder, Box::pin(stream::iter(frames)))
        }
        Reply::Open(content_type, rx) => {
            let builder = Response::builder().header("content-type", content_type);
            let frames = stream::unfold(rx, |mut rx| async move {
                rx.recv().await.map(|piece| (piece.map(Frame::data), rx))
            });
            built(builder, Box::pin(frames))
        }
        Reply::Refused => Err(std::io::ErrorKind::ConnectionRefused.into()),
        Reply::Hang => {
            std::future::pending::<Infallible>().await;
            unreachable!("nothing comes after for ever")
        }
    }
}
