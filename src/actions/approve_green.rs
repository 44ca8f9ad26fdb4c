//! Approve all green: of the requests on screen those that every rule found a proof for.

use super::decide::Decide;
use super::{ActionSpec, approve};
use crate::state::kinds::certificate_requests::VERDICT;
use crate::state::rules::csr::Colour;

/// Approves the green requests on screen.
pub static APPROVE_GREEN: Decide = Decide {
    spec: &ActionSpec {
        id: "approve-green",
        word: "approve all green",
        help: "approve every green request on screen; the preview lists them, and what is not green is left out",
        tables: &["certificatesigningrequests"],
        shown: true,
    },
    all: Some((|row| row.text(VERDICT) == Colour::Green.word(), "no request here is green")),
    plan: |on, argument, by, world| approve::plan(on, argument, by, world, Colour::Green),
};
