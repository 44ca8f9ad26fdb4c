//! Recognises what broke a connection from the chain of errors under a `kube::Error`. Types decide,
//! not texts, except where hyper-util keeps its types to itself.

use std::error::Error as StdError;
use std::io::ErrorKind;

use jiff::Timestamp;
use rustls::{AlertDescription, CertificateError};

use super::fault::{Fault, TlsFault, Unreachable};
use super::gate::Refusal;
use super::plugin::CredentialFault;
use super::redact::tidy;
use super::transport::NameFault;

impl Fault {
    /// Classifies an error of a [`kube::Client`] made by this module.
    pub fn of_error(error: &kube::Error) -> Fault {
        if let kube::Error::Api(status) = error {
            return Fault::of_status(status);
        }
        let links = links(error);
        let fault = links.iter().rev().find_map(|link| known(*link));
        fault.unwrap_or_else(|| Fault::Unreachable(Unreachable::Other(tidy(&spelled(&links), 300))))
    }
}

/// The chain from outermost to innermost, including what `io::Error` wraps (which its own `source`
/// skips).
fn links<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut links = Vec::new();
    let mut next = Some(error);
    while let Some(link) = next {
        links.push(link);
        let io = link.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        next = io.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| link.source());
    }
    links
}

fn spelled(links: &[&(dyn StdError + 'static)]) -> String {
    let mut parts: Vec<String> = links.iter().map(ToString::to_string).collect();
    // Many layers repeat their source's text.
    parts.dedup_by(|later, earlier| earlier.contains(later.as_str()));
    parts.join(": ")
}

fn known(link: &(dyn StdError + 'static)) -> Option<Fault> {
    if let Some(refusal) = link.downcast_ref::<Refusal>() {
        return Some(match refusal {
            Refusal::ReadOnly(what) => Fault::ReadOnly(what.clone()),
            other => Fault::Bug(other.to_string()),
        });
    }
    if let Some(fault) = link.downcast_ref::<CredentialFault>() {
        let CredentialFault { text, needs_terminal } = fault.clone();
        return Some(Fault::Unauthenticated { message: text, needs_terminal });
    }
    if let Some(auth) = link.downcast_ref::<kube::client::AuthError>() {
        let message = tidy(&auth.to_string(), 300);
        return Some(Fault::Unauthenticated { message, needs_terminal: false });
    }
    unreachable(link).map(Fault::Unreachable)
}

fn unreachable(link: &(dyn StdError + 'static)) -> Option<Unreachable> {
    if let Some(NameFault { host, why }) = link.downcast_ref() {
        return Some(Unreachable::Name { host: tidy(host, 120), why: tidy(why, 120) });
    }
    if let Some(tls) = link.downcast_ref::<rustls::Error>() {
        return Some(Unreachable::Tls(tls_fault(tls)));
    }
    if let Some(io) = link.downcast_ref::<std::io::Error>() {
        return of_io(io.kind());
    }
    if let Some(hyper) = link.downcast_ref::<hyper::Error>()
        && (hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled())
    {
        return Some(Unreachable::Dropped);
    }
    // hyper-util exports neither TunnelError nor SocksError.
    let text = link.to_string();
    let proxy = text.strip_prefix("tunnel error: ").or(text.strip_prefix("SOCKS error: "));
    proxy.map(|why| Unreachable::Proxy(tidy(why, 120)))
}

fn of_io(kind: ErrorKind) -> Option<Unreachable> {
    Some(match kind {
        ErrorKind::ConnectionRefused => Unreachable::Refused,
        ErrorKind::TimedOut => Unreachable::Silent,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Unreachable::NoRoute,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Unreachable::Dropped,
        _ => return None,
    })
}

fn tls_fault(error: &rustls::Error) -> TlsFault {
    match error {
        rustls::Error::InvalidCertificate(why) => server_certificate(why),
        rustls::Error::AlertReceived(alert) if is_about_client(*alert) => {
            TlsFault::ClientRefused(format!("TLS alert {alert:?}"))
        }
        rustls::Error::InvalidMessage(_) => TlsFault::NotTls,
        other => TlsFault::Other(tidy(&other.to_string(), 200)),
    }
}

fn server_certificate(why: &CertificateError) -> TlsFault {
    match why {
        CertificateError::UnknownIssuer => TlsFault::UnknownIssuer,
        CertificateError::Expired => TlsFault::Expired { not_after: None },
        CertificateError::ExpiredContext { not_after, .. } => {
            let seconds = i64::try_from(not_after.as_secs()).ok();
            TlsFault::Expired { not_after: seconds.and_then(|at| Timestamp::from_second(at).ok()) }
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsFault::NotYetValid
        }
        CertificateError::NotValidForNameContext { expected, presented } => TlsFault::WrongName {
            expected: expected.to_str().into_owned(),
            presented: match presented.is_empty() {
                true => "no name at all".into(),
                false => {
                    tidy(&presented.iter().map(|n| bare(n)).collect::<Vec<_>>().join(", "), 300)
                }
            },
        },
        other => TlsFault::Other(tidy(&format!("the server's certificate: {other}"), 200)),
    }
}

/// rustls spells names as `DnsName("api.example.com")`.
fn bare(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

/// Alerts a server sends about the certificate we showed, or did not show (RFC 8446 §6.2).
fn is_about_client(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::CertificateRequired
    )
}
