//! Deny the older requests of nodes that have asked again: a kubelet waits for its newest one only.

use super::decide::Decide;
use super::{ActionSpec, deny};
use crate::state::kinds::certificate_requests::NEWER;

/// Denies the superseded requests on screen.
pub static DENY_SUPERSEDED: Decide = Decide {
    spec: &ActionSpec {
        id: "deny-superseded",
        word: "deny superseded",
        help: "deny the older requests of nodes that asked again",
        tables: &["certificatesigningrequests"],
        shown: false,
    },
    all: Some((|row| !row.text(NEWER).is_empty(), "no request here is superseded")),
    plan: |on, argument, by, world| deny::plan(on, argument, by, world, true),
};
