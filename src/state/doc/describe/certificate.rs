//! The page of a certificate request: what it asks for, every finding with what it stands on, and what was issued.

use super::page::{Page, ago, count, join, str_at, when};
use super::{Doc, conditions, identity, title};
use crate::state::cell::Role;
use crate::state::doc::Line;
use crate::state::rules::csr::pkcs10::{Issued, Pkcs10, Signature, chain};
use crate::state::rules::csr::{Asked, Colour, Finding, Standing, Verdict, World, judge, signer};
use crate::state::time::{Epoch, span};
use serde_json::Value;

/// The page of a CertificateSigningRequest.
pub fn certificate_request(object: &Value, world: &World, now: Epoch) -> Doc {
    let mut page = Page::default();
    let asked = Asked::of(object);
    let verdict = judge(&asked, world);
    identity::write(&mut page, object, now);
    answer(&mut page, &asked, &verdict);
    page.heading("Asked for");
    page.indent = 2;
    asked_for(&mut page, &asked);
    page.indent = 0;
    findings(&mut page, &asked, &verdict);
    certificate(&mut page, object, &asked, now);
    conditions(&mut page, object, now);
    Doc { title: title(object), lines: page.lines }
}

fn answer(page: &mut Page, asked: &Asked, verdict: &Verdict) {
    let standing = match asked.standing {
        Standing::Pending => "Pending",
        Standing::Approved if asked.issued => "Approved, issued",
        Standing::Approved => "Approved, not issued so far",
        Standing::Denied => "Denied",
        Standing::Failed => "Failed: the signer refused it",
    };
    let role = if asked.standing == Standing::Failed { Role::Bad } else { Role::Plain };
    page.field_as("Condition", role, standing);
    let words = format!("{}: {}", verdict.colour.word(), verdict.why());
    let decided = if asked.is_open() { "Verdict" } else { "Verdict now" };
    page.field_as(decided, verdict.colour.role(), words);
    if asked.is_open() {
        page.field("Approving", meaning(asked));
    }
}

/// What an approval gives away.
fn meaning(asked: &Asked) -> String {
    let Ok(request) = &asked.request else { return "gives nothing: it cannot be signed".into() };
    let life = match asked.seconds {
        0 => "as long as the signer grants, a year unless set otherwise".to_owned(),
        seconds => span(seconds),
    };
    match &*asked.signer {
        signer::KUBELET_SERVING => {
            format!("lets whoever has the key answer as {} for {life}", request.names())
        }
        signer::CLIENT | signer::KUBELET_CLIENT => {
            let groups = match &request.organizations[..] {
                [] => String::new(),
                groups => format!(" in {}", groups.join(", ")),
            };
            format!(
                "lets whoever has the key act as {}{groups} for {life}; nothing takes it back before",
                request.common_name
            )
        }
        other => format!("asks {other} to sign; what that is good for is its own affair"),
    }
}

fn asked_for(page: &mut Page, asked: &Asked) {
    page.field("Asked by", asked.user.as_str());
    page.field("in groups", join(&asked.groups));
    page.field("Signer", asked.signer.as_str());
    page.field("Usages", join(&asked.usages));
    let life = if asked.seconds == 0 { "none asked for".into() } else { span(asked.seconds) };
    page.field("Duration", life);
    match &asked.request {
        Ok(request) => decoded(page, request),
        Err(why) => page.field_as("Request", Role::Bad, format!("cannot be read: {why}")),
    }
}

fn decoded(page: &mut Page, request: &Pkcs10) {
    page.field("Subject", request.subject());
    page.field("DNS names", join(&request.dns));
    page.field("Addresses", join(request.ips.iter().map(ToString::to_string)));
    page.field("Other names", join(request.emails.iter().chain(&request.uris).chain(&request.odd)));
    let signature = match request.signature {
        Signature::Valid => "signature valid",
        Signature::Invalid => "SIGNATURE NOT VALID",
        Signature::Unchecked => "signature not checked",
    };
    page.field("Key", join([request.key.as_str(), signature]));
    page.field("Key SHA-256", request.fingerprint.as_str());
    let dropped = join(&request.dropped);
    if !dropped.is_empty() {
        page.field_as("Left out", Role::Warn, format!("{dropped}: its signer does not sign that"));
    }
}

fn findings(page: &mut Page, asked: &Asked, verdict: &Verdict) {
    let n = verdict.findings.len();
    page.heading(&format!("{}, each with what it stands on", count(n, "finding")));
    page.indent = 2;
    for finding in &verdict.findings {
        let (mark, role) = match finding.colour() {
            Colour::Green => ("proof", Role::Ok),
            Colour::Amber => ("OPEN", Role::Warn),
            Colour::Red => ("FAILS", Role::Bad),
        };
        told(page, finding, mark, role);
    }
    if asked.signer == signer::KUBELET_SERVING {
        page.line(
            Role::Dim,
            "A Node's addresses are its kubelet's own word, unless a cloud provider writes them.",
        );
    }
    page.indent = 0;
}

fn told(page: &mut Page, finding: &Finding, mark: &str, role: Role) {
    let mut line = Line::of(Role::Plain, " ".repeat(page.indent));
    line.push(role, format!("{mark:7}"));
    line.push(Role::Dim, format!("{:16}", finding.rule));
    line.push(if role == Role::Ok { Role::Plain } else { role }, finding.words());
    page.lines.push(line);
    page.line(Role::Dim, &format!("{:23}{}", "", finding.source));
}

fn certificate(page: &mut Page, object: &Value, asked: &Asked, now: Epoch) {
    let chain = chain(str_at(object, "/status/certificate"));
    if chain.is_empty() {
        return;
    }
    page.heading("Certificate");
    page.indent = 2;
    issued(page, &chain[0], now);
    if asked.request.as_ref().is_ok_and(|r| r.fingerprint != chain[0].fingerprint) {
        page.field_as("Key", Role::Bad, "another key than the one that was asked for");
    }
    for (i, above) in chain.iter().enumerate().skip(1) {
        let ends = when(Epoch(above.not_after), now);
        page.field(
            &format!("Chain {i}"),
            format!("{}, serial {}, ends {ends}", above.subject, above.serial),
        );
    }
    page.indent = 0;
}

fn issued(page: &mut Page, cert: &Issued, now: Epoch) {
    page.field("Subject", cert.subject.as_str());
    page.field("Issuer", cert.issuer.as_str());
    page.field("Serial", cert.serial.as_str());
    page.field("Valid from", when(Epoch(cert.not_before), now));
    let end = Epoch(cert.not_after);
    let role = if end < now { Role::Bad } else { Role::Plain };
    page.field_as("Valid until", role, format!("{}, {}", end.rfc3339(), ago(end, now)));
}
