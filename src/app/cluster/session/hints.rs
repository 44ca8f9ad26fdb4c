//! Keys and certificates that openssl takes and rustls does not, explained where its own words
//! would mislead.

use kube::client::RustlsTlsError;

use super::certificate::CertificateFacts;
use super::plugin::CredentialFault;
use super::redact::tidy;

/// Why the TLS settings of a user or cluster cannot be used, and what would do instead.
pub(super) fn unusable_tls(
    error: &kube::Error,
    certificate: Option<&CertificateFacts>,
) -> CredentialFault {
    if let Some(facts) = certificate.filter(|facts| facts.version_1) {
        return CredentialFault::new(format!(
            "the client certificate ({}) is of X.509 version 1, which the TLS library refuses; \
             have a version 3 certificate issued, or use a token",
            facts.subject
        ));
    }
    let kube::Error::RustlsTls(tls) = error else {
        return CredentialFault::new(tidy(&error.to_string(), 300));
    };
    CredentialFault::new(match tls {
        RustlsTlsError::InvalidPrivateKey(rustls::Error::InconsistentKeys(_)) => {
            "the client key does not belong to the client certificate".to_owned()
        }
        RustlsTlsError::InvalidPrivateKey(why) => format!(
            "the client certificate or key cannot be used ({}); keys may be RSA of at least 2048 \
             bits, P-256, P-384 or Ed25519, unencrypted",
            tidy(&why.to_string(), 120)
        ),
        RustlsTlsError::UnknownPrivateKeyFormat | RustlsTlsError::MissingPrivateKey => {
            "the client key is not an unencrypted PEM private key (PKCS#8, PKCS#1 or SEC1)"
                .to_owned()
        }
        RustlsTlsError::MissingCertificate => {
            "the client certificate data holds no PEM certificate".to_owned()
        }
        RustlsTlsError::AddRootCertificate(why) => format!(
            "a certificate authority cannot be used ({}); it must be an X.509 version 3 \
             certificate",
            tidy(&why.to_string(), 120)
        ),
        other => tidy(&other.to_string(), 300),
    })
}
