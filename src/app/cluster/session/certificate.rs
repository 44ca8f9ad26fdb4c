//! What a certificate says about itself, so that errors can name it: who, by whom, until when.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Version};

use super::redact::tidy;

/// The parts of an X.509 certificate that explain a failed connection.
#[derive(Clone, Debug, PartialEq)]
pub struct CertificateFacts {
    /// Subject, as `CN=..., O=...`.
    pub subject: String,
    /// Issuer, in the same form.
    pub issuer: String,
    /// The first instant it is valid.
    pub not_before: Timestamp,
    /// The last instant it is valid.
    pub not_after: Timestamp,
    /// DNS names and IP addresses it is valid for.
    pub names: Vec<String>,
    /// It is an X.509 version 1 certificate, which rustls refuses.
    pub version_1: bool,
}

impl CertificateFacts {
    /// Reads a DER certificate; `None` when it is not one.
    pub fn of_der(der: &[u8]) -> Option<CertificateFacts> {
        let (_, cert) = X509Certificate::from_der(der).ok()?;
        let at = |seconds: i64| Timestamp::from_second(seconds).ok();
        let names = cert.subject_alternative_name().ok().flatten();
        Some(CertificateFacts {
            subject: tidy(&cert.subject().to_string(), 120),
            issuer: tidy(&cert.issuer().to_string(), 120),
            not_before: at(cert.validity().not_before.timestamp())?,
            not_after: at(cert.validity().not_after.timestamp())?,
            names: names.map_or_else(Vec::new, |san| {
                san.value.general_names.iter().filter_map(name_text).take(20).collect()
            }),
            version_1: cert.version() == X509Version::V1,
        })
    }

    /// Reads the first certificate of a PEM text.
    pub fn of_pem(pem: &[u8]) -> Option<CertificateFacts> {
        let first = CertificateDer::pem_slice_iter(pem).next()?.ok()?;
        CertificateFacts::of_der(&first)
    }

    /// Whether it is no longer valid at `now`.
    pub fn expired(&self, now: Timestamp) -> bool {
        now > self.not_after
    }
}

fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(dns) => Some(tidy(dns, 80)),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| std::net::Ipv4Addr::from(b).to_string()),
            16 => {
                <[u8; 16]>::try_from(*bytes).ok().map(|b| std::net::Ipv6Addr::from(b).to_string())
            }
            _ => None,
        },
        _ => None,
    }
}

/// A point in time as an operator reads it: to the minute, in UTC.
pub(super) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
