//! The certificates of a session that can be seen without asking anybody for more than a handshake: the server's, the
//! user's own, the authorities' that are trusted.

use super::certificate::CertificateFacts;
use super::credentials::inline;
use super::presented;
use super::wire::Wire;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::sync::Arc;

/// By this name the API server shows the certificate it uses towards itself (apiserver `pkg/server/config.go`,
/// LoopbackClientServerNameOverride). It lives a year from the start of the process, and nothing renews it but a restart.
const LOOPBACK: &str = "apiserver-loopback-client";
/// Authorities looked at; a bundle of the system's size says nothing about a cluster.
const AUTHORITIES: usize = 8;

/// Where a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// What the server shows us.
    Serving,
    /// What the API server shows itself.
    Loopback,
    /// What we show the server.
    Client,
    /// An authority the kubeconfig trusts.
    Authority,
}

/// A session's certificates.
pub struct Papers {
    pub(super) wire: Arc<Wire>,
}

impl Papers {
    /// All that are to be seen now. Makes two handshakes that end before anything is sent, which the server's log mentions;
    /// none through a proxy.
    pub async fn look(&self) -> Vec<(Place, CertificateFacts)> {
        let target = self.wire.target();
        let mut found = vec![];
        if target.server.scheme_str() == Some("https") {
            let serving = presented::certificate(target).await;
            let loopback = presented::named(target, Some(LOOPBACK)).await;
            // A proxy or load balancer in front answers to any name with the same.
            let loopback = loopback.filter(|facts| facts.subject.contains(LOOPBACK));
            found.extend(serving.map(|facts| (Place::Serving, facts)));
            found.extend(loopback.map(|facts| (Place::Loopback, facts)));
        }
        found.extend(self.wire.certificate().map(|facts| (Place::Client, facts)));
        let (data, file) = {
            let cluster = &target.cluster;
            (cluster.certificate_authority_data.clone(), cluster.certificate_authority.clone())
        };
        // A file: on a thread that may wait for it.
        let read = tokio::task::spawn_blocking(move || inline("certificate authority", data, file));
        if let Ok(Ok(Some(pem))) = read.await {
            let all = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
            let facts = all.filter_map(|der| CertificateFacts::of_der(&der)).take(AUTHORITIES);
            found.extend(facts.map(|facts| (Place::Authority, facts)));
        }
        found
    }
}
