//! Certificates that run out, as far as they can be seen from here.

use super::{Line, Papers, Verdict};
use crate::state::time::{Epoch, span};

const DAY: i64 = 86_400;

/// Whose a certificate is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holder {
    /// The server shows it in a handshake: its own, or one between its own and an authority.
    #[default]
    Server,
    /// The API server shows it to itself.
    Loopback,
    /// We show it.
    Client,
    /// The kubeconfig trusts what it signed.
    Authority,
}

/// A certificate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Certificate {
    /// Which one: `serving (API server)`.
    pub name: String,
    /// Whose it is.
    pub holder: Holder,
    /// The name in it.
    pub subject: String,
    /// The name of who signed it.
    pub issuer: String,
    /// First and last moment it is valid.
    pub valid: (Epoch, Epoch),
    /// What no longer works without it, and who renews it.
    pub then: &'static str,
}

/// A line each, and one if the server's own are not to be seen. `skew` are seconds the server's clock is ahead of ours, `now`
/// is ours.
pub fn lines(papers: &Papers, skew: i64, now: Epoch) -> Vec<Line> {
    let there = |at: Epoch| Epoch(at.0 + skew);
    let mut lines: Vec<Line> = papers
        .all
        .iter()
        .map(|(at, certificate)| {
            let (verdict, words) = measured(certificate, there(*at), there(now));
            let (verdict, then) = match is_needed(certificate, papers, there(now)) {
                true => (verdict, certificate.then),
                // One that was replaced may stay in the bundle for years.
                false => (verdict.max(Verdict::Warn), spare(papers)),
            };
            let subject = &certificate.subject;
            let why = match verdict {
                Verdict::Ok => format!("{words}; {subject}"),
                _ => format!("{words}: {then}; {subject}"),
            };
            Line { at: *at, ..Line::new("certificate", certificate.name.as_str(), verdict, why) }
        })
        .collect();
    if let Some(reason) = &papers.hidden {
        let kept = papers.all.iter().any(|(_, c)| c.holder == Holder::Server);
        let kept = if kept { "; what is shown of it was seen earlier" } else { "" };
        let why = format!("the certificate of the API server is not to be seen: {reason}{kept}");
        lines.push(Line::new("certificate", "API server, now", Verdict::Unknown, why));
    }
    lines
}

/// A certificate made for a year is named 30 days before its end; one that lives for days has its own measure: a fifth of its
/// life, and a twentieth. `seen` is when it was looked at.
fn measured(certificate: &Certificate, seen: Epoch, there: Epoch) -> (Verdict, String) {
    let (from, until) = certificate.valid;
    let (left, life) = (until.0 - there.0, until.0 - from.0);
    let date = until.rfc3339();
    match left {
        ..0 if until >= seen => (
            Verdict::Unknown,
            format!(
                "would have expired {} ago ({date}) if it was not renewed; it is looked at again",
                span(-left)
            ),
        ),
        ..0 => (Verdict::Bad, format!("expired {} ago ({date})", span(-left))),
        _ if from.0 > there.0 => (Verdict::Bad, format!("not valid before {}", from.rfc3339())),
        _ if left < (life / 20).min(7 * DAY) => {
            (Verdict::Bad, format!("expires in {} ({date})", span(left)))
        }
        _ if left < (life / 5).min(30 * DAY) => {
            (Verdict::Warn, format!("expires in {} ({date})", span(left)))
        }
        _ => (Verdict::Ok, format!("valid for {} (until {date})", span(left))),
    }
}

/// What to do about one that is not needed.
fn spare(papers: &Papers) -> &'static str {
    match papers.all.iter().any(|(_, c)| c.holder == Holder::Server) {
        true => {
            "what the server shows does not need it; take it out of the bundle once nothing else does"
        }
        false => {
            "another of the bundle is valid; what the server shows is not to be seen, so which one it needs is not known"
        }
    }
}

/// Whether anything depends on it: an authority is needed if it signed what the server shows and no other of its name is
/// valid, or, where nothing is shown, if none is valid.
fn is_needed(certificate: &Certificate, papers: &Papers, there: Epoch) -> bool {
    if certificate.holder != Holder::Authority {
        return true;
    }
    let all = || papers.all.iter().map(|(_, c)| c);
    let lives = |c: &&Certificate| {
        c.holder == Holder::Authority && c.valid.0 <= there && there <= c.valid.1
    };
    let shown = || all().filter(|c| c.holder == Holder::Server);
    let subject = &certificate.subject;
    let signed = shown().any(|c| c.issuer == *subject) || shown().next().is_none();
    let other =
        |c: &Certificate| c != certificate && (c.subject == *subject || shown().next().is_none());
    signed && !all().filter(lives).any(other)
}
