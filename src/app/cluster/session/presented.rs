//! A second look at a server whose certificate was refused, only to tell the operator which
//! certificate it was. It shows no credentials, sends no request, and never accepts the connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tower::ServiceExt as _;

use super::certificate::CertificateFacts;
use super::pinned::Target;
use super::redact::tidy;
use super::transport;

/// The longest wait for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Certificates looked at between the server's own and an authority; a chain has one or two.
const BETWEEN: usize = 8;

/// The certificate the server presents, where it can be reached without a proxy.
pub(super) async fn certificate(target: &Target) -> Option<CertificateFacts> {
    chain(target).await.ok()?.into_iter().next()
}

/// The certificates the server presents, its own first.
///
/// # Errors
/// Why none is to be seen, for people.
pub(super) async fn chain(target: &Target) -> Result<Vec<CertificateFacts>, String> {
    named(target, target.cluster.tls_server_name.as_deref().filter(|name| !name.is_empty())).await
}

/// Those it presents when it is asked for by a name, or by that of its URL.
///
/// # Errors
/// As those of [`chain`].
pub(super) async fn named(
    target: &Target,
    name: Option<&str>,
) -> Result<Vec<CertificateFacts>, String> {
    if target.proxy.is_some() {
        return Err("it is reached through a proxy, and looked at only without one".into());
    }
    transport::install_crypto();
    let note = Arc::new(Note::default());
    let tls = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(note.clone())
        .with_no_client_auth();
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
    let builder = match name {
        Some(name) => {
            let name = ServerName::try_from(name.to_owned())
                .map_err(|_| "the name to ask it by is no name of a server".to_owned())?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(name)).enable_http1()
        }
        None => builder.enable_http1(),
    };
    let look = builder.wrap_connector(transport::tcp()).oneshot(target.server.clone());
    let outcome = tokio::time::timeout(HANDSHAKE, look).await;
    // The verifier always fails: what it noted tells, and the outcome only if that is nothing.
    let seen = std::mem::take(&mut *note.0.lock().unwrap_or_else(PoisonError::into_inner));
    match outcome {
        _ if !seen.is_empty() => Ok(seen),
        Err(_) => Err(format!("no handshake within {} s", HANDSHAKE.as_secs())),
        Ok(Err(error)) => Err(format!("the handshake failed: {}", tidy(&error.to_string(), 200))),
        Ok(Ok(_)) => Err("what it showed is no certificate".into()),
    }
}

/// Notes the server's certificates, its own first, and refuses them.
#[derive(Debug, Default)]
struct Note(Mutex<Vec<CertificateFacts>>);

impl ServerCertVerifier for Note {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // Without the server's own the others say nothing.
        let own = CertificateFacts::of_der(leaf);
        let between = between.iter().take(BETWEEN).filter_map(|der| CertificateFacts::of_der(der));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            own.map(|own| std::iter::once(own).chain(between).collect()).unwrap_or_default();
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = rustls::crypto::ring::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}
