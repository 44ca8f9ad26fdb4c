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
    /// What it shows beside that: authorities between its own and one that is trusted.
    Between,
    /// What the API server shows itself.
    Loopback,
    /// What we show the server.
    Client,
    /// An authority the kubeconfig trusts.
    Authority,
}

/// What was to be seen.
pub struct Seen {
    /// Certificates, the server's first.
    pub all: Vec<(Place, CertificateFacts)>,
    /// Why the server's are not among them, if they should be.
    pub hidden: Option<String>,
}

/// A session's certificates.
pub struct Papers {
    pub(super) wire: Arc<Wire>,
}

impl Papers {
    /// All that are to be seen now. Makes two handshakes that end before anything is sent, which the server's log mentions;
    /// none through a proxy.
    pub async fn look(&self) -> Seen {
        let target = self.wire.target();
        let mut seen = Seen { all: vec![], hidden: None };
        if target.server.scheme_str() == Some("https") {
            match presented::chain(target).await {
                Ok(chain) => seen.all.extend(placed(chain)),
                Err(reason) => seen.hidden = Some(reason),
            }
            let loopback = presented::named(target, Some(LOOPBACK)).await.unwrap_or_default();
            // A proxy or load balancer in front answers to any name with the same.
            let loopback = loopback.into_iter().next().filter(|f| f.subject.contains(LOOPBACK));
            seen.all.extend(loopback.map(|facts| (Place::Loopback, facts)));
        }
        seen.all.extend(self.wire.certificate().map(|facts| (Place::Client, facts)));
        let (data, file) = {
            let cluster = &target.cluster;
            (cluster.certificate_authority_data.clone(), cluster.certificate_authority.clone())
        };
        // A file: on a thread that may wait for it.
        let read = tokio::task::spawn_blocking(move || inline("certificate authority", data, file));
        if let Ok(Ok(Some(pem))) = read.await {
            let all = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
            let facts = all.filter_map(|der| CertificateFacts::of_der(&der)).take(AUTHORITIES);
            seen.all.extend(facts.map(|facts| (Place::Authority, facts)));
        }
        seen
    }
}

/// A chain by place. A root in it is left out: whoever connects trusts its own copy of that.
fn placed(chain: Vec<CertificateFacts>) -> impl Iterator<Item = (Place, CertificateFacts)> {
    let places = std::iter::once(Place::Serving).chain(std::iter::repeat(Place::Between));
    let root = |(place, facts): &(Place, CertificateFacts)| {
        *place == Place::Between && facts.subject == facts.issuer
    };
    places.zip(chain).filter(move |placed| !root(placed))
}
