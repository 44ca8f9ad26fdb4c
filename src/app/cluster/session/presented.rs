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
use super::transport;

/// The certificate the server presents, where it can be reached without a proxy.
pub(super) async fn certificate(target: &Target) -> Option<CertificateFacts> {
    named(target, target.cluster.tls_server_name.as_deref().filter(|name| !name.is_empty())).await
}

/// The certificate it presents when it is asked for by a name, or by that of its URL.
pub(super) async fn named(target: &Target, name: Option<&str>) -> Option<CertificateFacts> {
    if target.proxy.is_some() {
        return None;
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
            let name = ServerName::try_from(name.to_owned()).ok()?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(name)).enable_http1()
        }
        None => builder.enable_http1(),
    };
    let look = builder.wrap_connector(transport::tcp()).oneshot(target.server.clone());
    // The verifier always fails, so the outcome tells nothing; what it noted does.
    let _ = tokio::time::timeout(Duration::from_secs(5), look).await;
    note.0.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Notes the server's certificate and refuses it.
#[derive(Debug, Default)]
struct Note(Mutex<Option<CertificateFacts>>);

impl ServerCertVerifier for Note {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = CertificateFacts::of_der(leaf);
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
