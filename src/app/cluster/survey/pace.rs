//! A budget of requests: a survey asks for much that nobody waits for, and leaves the server to those who work.

use crate::app::cluster::decode::{Encoding, ListReader};
use crate::app::cluster::request::{Accept, HEADERS, encode, open, read};
use crate::app::cluster::session::{Answer, Fault, Permit, call};
use http::{HeaderValue, Request, header};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// Requests a second, unless the operator says otherwise.
pub const RATE: u32 = 20;
/// Objects of a page.
const PAGE: u32 = 500;
/// Longest wait for one answer.
const DEADLINE: Option<Duration> = Some(Duration::from_secs(60));
/// How often a server that asks to slow down is asked again.
const PATIENCE: u32 = 4;
/// Longest pause that a server may ask for.
const PAUSE: Duration = Duration::from_secs(30);

/// Takes an object of a list in the encoding it came in.
pub type Take<'a> = dyn FnMut(Encoding, &[u8]) -> Result<(), Fault> + Send + 'a;

/// A client that keeps to a rate.
pub struct Pace {
    /// Where requests go.
    pub client: Client,
    every: Duration,
    next: Instant,
    /// Requests so far.
    pub sent: usize,
}

impl Pace {
    /// At most `rate` requests a second; 0 is taken for 1.
    pub fn new(client: Client, rate: u32) -> Pace {
        let every = Duration::from_secs(1) / rate.max(1);
        Pace { client, every, next: Instant::now(), sent: 0 }
    }

    async fn turn(&mut self) {
        tokio::time::sleep_until(self.next).await;
        self.next = Instant::now() + self.every;
        self.sent += 1;
    }

    /// A GET with an `Accept` of its own; a server that asks to slow down is obeyed.
    ///
    /// # Errors
    /// Whatever kept the answer from coming.
    pub async fn get(&mut self, path: &str, accept: &'static str) -> Result<Answer, Fault> {
        let mut tries = 0;
        loop {
            self.turn().await;
            let request =
                Request::get(path).header(header::ACCEPT, HeaderValue::from_static(accept));
            let request = request.body(Body::empty());
            let request = request.map_err(|error| Fault::Bug(format!("GET {path}: {error}")))?;
            let answer = call(&self.client, Permit::Read, request, DEADLINE).await;
            tries += 1;
            match slow_down(&answer, tries) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return answer,
            }
        }
    }

    /// A GET of an object or a small list in JSON.
    ///
    /// # Errors
    /// As [`Pace::get`].
    pub async fn json(&mut self, path: &str) -> Result<Value, Fault> {
        let answer = self.get(path, "application/json").await?;
        serde_json::from_slice(&answer.body).map_err(|_| {
            Fault::Foreign(format!("{path} was asked for in JSON and came as something else"))
        })
    }

    /// Every object of a collection in JSON, page by page. At most `pages`; whether that was all.
    ///
    /// # Errors
    /// As [`Pace::get`]. Objects may have been seen before that.
    pub async fn each(
        &mut self,
        path: &str,
        pages: usize,
        mut take: impl FnMut(Value),
    ) -> Result<bool, Fault> {
        let mut next = String::new();
        for _ in 0..pages {
            let mut page = self.json(&page_of(path, &next)).await?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                items.into_iter().for_each(&mut take);
            }
            let more = page.pointer("/metadata/continue").and_then(Value::as_str);
            next = more.unwrap_or_default().to_owned();
            if next.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The metadata of every object of a collection, page by page, each in the encoding it came in. A list that expires on
    /// the way is read again from its beginning once; `take` then sees objects twice.
    ///
    /// # Errors
    /// As [`Pace::get`], and answers that cannot be read. Objects may have been seen before that.
    pub async fn metadata(&mut self, path: &str, take: &mut Take<'_>) -> Result<(), Fault> {
        let (mut next, mut tries) = (String::new(), 0);
        loop {
            self.turn().await;
            match self.page(&page_of(path, &next), take).await {
                Ok(more) if more.is_empty() => return Ok(()),
                Ok(more) => next = more,
                Err(Fault::Throttled { after, message }) => {
                    tries += 1;
                    let fault: Result<(), Fault> = Err(Fault::Throttled { after, message });
                    match slow_down(&fault, tries) {
                        Some(pause) => tokio::time::sleep(pause).await,
                        None => return fault,
                    }
                }
                Err(Fault::Gone { .. }) if tries < PATIENCE => {
                    tries = PATIENCE;
                    next.clear();
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    async fn page(&self, path: &str, take: &mut Take<'_>) -> Result<String, Fault> {
        let bad = |why: String| Fault::Foreign(format!("{path}: {why}"));
        let request = read(path, Accept::Metadata)?;
        let (encoding, mut body) = open(&self.client, request).await?;
        let mut reader = ListReader::new(encoding);
        while let Some(frame) = tokio::time::timeout(HEADERS, body.frame())
            .await
            .map_err(|_| Fault::Timeout { after: HEADERS })?
        {
            let frame = frame.map_err(|error| Fault::of_error(&error))?;
            if let Ok(data) = frame.into_data() {
                reader.push(&data);
                while let Some(item) = reader.next_item().map_err(|e| bad(e.to_string()))? {
                    take(encoding, item)?;
                }
            }
        }
        Ok(reader.end().map_err(|e| bad(e.to_string()))?.next)
    }
}

/// Never with `resourceVersion=0`: the server would then ignore the limit.
fn page_of(path: &str, next: &str) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    let with = if next.is_empty() { String::new() } else { format!("&continue={}", encode(next)) };
    format!("{path}{mark}limit={PAGE}{with}")
}

/// How long to wait before it is asked again, if it is.
fn slow_down<T>(answer: &Result<T, Fault>, tries: u32) -> Option<Duration> {
    match answer {
        // An APIService whose server is gone answers 503 as well; it is not asked for long.
        Err(Fault::Throttled { after: Some(after), .. }) if tries < PATIENCE => {
            Some((*after).min(PAUSE))
        }
        _ => None,
    }
}
