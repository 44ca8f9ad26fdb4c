//! How the control plane is, as lines an operator can act on: pure rules from what was read to verdicts, worst first.
//!
//! Every part was read on its own and may be old, refused or never answered; a part that says nothing is told as such and
//! never as well.

mod board;
mod calls;
mod certificates;
mod checks;
mod facts;
mod leases;
mod nodes;
mod services;
#[cfg(test)]
mod tests;
mod versions;
mod webhooks;
mod writes;

pub use board::{NOT_YET, board};
pub use calls::{CONVERSION, Called, Calls, Count, Failures};
pub use certificates::{Certificate, Holder};
pub use facts::{Facts, Papers, Part, Trouble};
pub use leases::{Lease, Watched};
pub use nodes::{Node, SHAPE};
pub use services::{Answer, ApiService};
pub use versions::{Component, Status};
pub use webhooks::{Backend, Webhook};
pub use writes::Writes;

use super::super::time::Epoch;

/// How well something is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It does not work, or not for long.
    Bad,
    /// It needs a look.
    Warn,
    /// It cannot be told from here.
    Unknown,
    /// It is well.
    Ok,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Bad => "bad",
            Verdict::Warn => "warn",
            Verdict::Unknown => "unknown",
            Verdict::Ok => "ok",
        }
    }
}

/// One matter and its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The part of the board: `readyz`, `leader`, `webhook`.
    pub part: &'static str,
    /// What it is about; with the part unique.
    pub name: String,
    /// How well it is.
    pub verdict: Verdict,
    /// What is so, what it means and what to do about it.
    pub why: String,
    /// When it was read.
    pub at: Epoch,
}

impl Line {
    fn new(part: &'static str, name: impl Into<String>, verdict: Verdict, why: String) -> Line {
        Line { part, name: name.into(), verdict, why, at: Epoch::default() }
    }
}
