//! Certificates that run out, as far as they can be seen from here.

use super::{Line, Verdict};
use crate::state::time::{Epoch, span};

const DAY: i64 = 86_400;

/// A certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// Which one: `serving (API server)`.
    pub name: String,
    /// Whose it is.
    pub subject: String,
    /// First and last moment it is valid.
    pub valid: (Epoch, Epoch),
    /// What no longer works without it, and who renews it.
    pub then: &'static str,
}

/// A line each. A certificate made for a year is named 30 days before its end; one that lives for days has its own measure:
/// a fifth of its life, and a twentieth.
pub fn lines(all: &[Certificate], there: Epoch) -> Vec<Line> {
    let line = |certificate: &Certificate| {
        let Certificate { name, subject, valid: (from, until), then } = certificate;
        let (left, life) = (until.0 - there.0, until.0 - from.0);
        let date = until.rfc3339();
        let (verdict, words) = match left {
            ..0 => (Verdict::Bad, format!("expired {} ago ({date})", span(-left))),
            _ if from.0 > there.0 => (Verdict::Bad, format!("not valid before {}", from.rfc3339())),
            _ if left < (life / 20).min(7 * DAY) => {
                (Verdict::Bad, format!("expires in {} ({date})", span(left)))
            }
            _ if left < (life / 5).min(30 * DAY) => {
                (Verdict::Warn, format!("expires in {} ({date})", span(left)))
            }
            _ => (Verdict::Ok, format!("valid for {} (until {date})", span(left))),
        };
        let why = match verdict {
            Verdict::Ok => format!("{words}; {subject}"),
            _ => format!("{words}: {then}; {subject}"),
        };
        Line::new("certificate", name.as_str(), verdict, why)
    };
    all.iter().map(line).collect()
}
