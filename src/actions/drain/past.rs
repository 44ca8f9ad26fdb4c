//! What an interrupted drain had done, read back from its journal.

use super::orders::{Cmd, Entry, Outcome, Request};
use std::collections::{BTreeMap, BTreeSet};

/// What an interrupted drain had done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// uids whose eviction or deletion was accepted.
    pub accepted: BTreeSet<String>,
    /// uids with a request of which nobody knows what became.
    pub unsure: BTreeSet<String>,
    /// Nodes that it cordoned, or may have, and did not uncordon.
    pub cordoned: BTreeSet<String>,
    /// Nodes with the taint of later waves on them, as far as is known.
    pub preferred: BTreeSet<String>,
    /// What the operator had decided, in order; pauses are over.
    pub told: Vec<Cmd>,
    /// The number of the next request.
    pub next_step: u64,
}

impl Past {
    /// Reads a journal's entries, in their order.
    pub fn read<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Past {
        let mut past = Past::default();
        let mut open: BTreeMap<u64, Request> = BTreeMap::new();
        for entry in entries {
            match entry {
                Entry::Intent { step, request } => {
                    past.next_step = past.next_step.max(step + 1);
                    past.began(request);
                    open.insert(*step, request.clone());
                }
                Entry::Outcome { step, outcome } => {
                    if let Some(request) = open.remove(step) {
                        past.ended(&request, outcome);
                    }
                }
                Entry::Told(Cmd::Pause(_) | Cmd::Resume(_) | Cmd::Retry(_)) | Entry::Note(_) => {}
                Entry::Told(cmd) => past.told.push(cmd.clone()),
            }
        }
        past
    }

    /// Until its outcome is read, a request may have been done.
    fn began(&mut self, request: &Request) {
        match request {
            Request::Evict(pod) | Request::Delete(pod) => {
                self.unsure.insert(pod.uid.clone());
            }
            Request::Cordon { node, .. } => {
                self.cordoned.insert(node.clone());
            }
            // An uncordon without an outcome is not sent twice: somebody may have cordoned the node since.
            Request::Uncordon { node, .. } => {
                self.cordoned.remove(node);
            }
            Request::Prefer { node, .. } => {
                self.preferred.insert(node.clone());
            }
            // Taking it off twice is refused by its own test.
            Request::Unprefer { .. } => {}
        }
    }

    fn ended(&mut self, request: &Request, outcome: &Outcome) {
        let done = matches!(outcome, Outcome::Accepted);
        let unknown = matches!(outcome, Outcome::Unknown { .. });
        match request {
            Request::Evict(pod) | Request::Delete(pod) if !unknown => {
                self.unsure.remove(&pod.uid);
                if done {
                    self.accepted.insert(pod.uid.clone());
                }
            }
            Request::Cordon { node, .. } if !done && !unknown => {
                self.cordoned.remove(node);
            }
            Request::Prefer { node, .. } if !done && !unknown => {
                self.preferred.remove(node);
            }
            Request::Unprefer { node, .. } if done => {
                self.preferred.remove(node);
            }
            _ => {}
        }
    }
}
