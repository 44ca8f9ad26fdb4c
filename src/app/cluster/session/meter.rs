//! What this session costs the API server and how long ago it answered, countable from any thread
//! without a lock but for the level.

use http::HeaderMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// No answer yet, and no clock comparison yet.
const NEVER: u64 = u64::MAX;
const UNKNOWN: i64 = i64::MIN;

/// Counters shared by all requests of a session.
#[derive(Debug)]
pub struct Meter {
    start: Instant,
    requests: AtomicU64,
    bytes: AtomicU64,
    answered_ms: AtomicU64,
    skew_s: AtomicI64,
    caught: Mutex<Option<(String, String)>>,
}

impl Default for Meter {
    fn default() -> Meter {
        Meter {
            start: Instant::now(),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            answered_ms: AtomicU64::new(NEVER),
            skew_s: AtomicI64::new(UNKNOWN),
            caught: Mutex::default(),
        }
    }
}

impl Meter {
    /// Requests sent so far, refused ones not counted.
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Body bytes received so far, after decompression.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// How long ago the server last sent anything, a watch event included; `None` before its first
    /// answer.
    pub fn silence(&self) -> Option<Duration> {
        let at = self.answered_ms.load(Relaxed);
        let now = self.elapsed_ms();
        (at != NEVER).then(|| Duration::from_millis(now.saturating_sub(at)))
    }

    /// Server clock minus ours in seconds, from the latest answer's `Date` header (which is cut to
    /// the second, so values of -1 to 1 mean nothing).
    pub fn skew_seconds(&self) -> Option<i64> {
        let skew = self.skew_s.load(Relaxed);
        (skew != UNKNOWN).then_some(skew)
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(super) fn count_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Relaxed);
        self.answered_ms.store(self.elapsed_ms(), Relaxed);
    }

    pub(super) fn answered(&self, date: Option<i64>, now: i64) {
        self.answered_ms.store(self.elapsed_ms(), Relaxed);
        if let Some(date) = date {
            self.skew_s.store(date - now, Relaxed);
        }
    }

    /// UIDs of the flow schema and the priority level of the latest answer that named them (`X-Kubernetes-PF-FlowSchema-UID`,
    /// `X-Kubernetes-PF-PriorityLevel-UID`, apiserver `pkg/server/filters/priority-and-fairness.go`); `None` where the server does
    /// without priority and fairness.
    pub fn caught(&self) -> Option<(String, String)> {
        self.caught.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn hear_level(&self, headers: &HeaderMap) {
        let uid = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let schema = uid("x-kubernetes-pf-flowschema-uid");
        if let Some((schema, level)) = schema.zip(uid("x-kubernetes-pf-prioritylevel-uid")) {
            let mut caught = self.caught.lock().unwrap_or_else(PoisonError::into_inner);
            if caught.as_ref().is_none_or(|(s, l)| s != schema || l != level) {
                *caught = Some((schema.to_owned(), level.to_owned()));
            }
        }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}
