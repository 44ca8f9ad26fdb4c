//! How a session with one cluster is opened: kubeconfig, credentials, transport, permits. Whatever
//! a session resolved at its start is pinned; only credentials are renewed. Read in this order:
//! `args`, `kubeconfig`, `pinned`, `credentials`, `transport`, `wire`, `gate`, `call`, `fault`,
//! `start`.

mod args;
mod aside;
mod call;
mod certificate;
mod chain;
mod contact;
mod credentials;
mod environment;
mod fault;
mod gate;
mod hints;
mod kubeconfig;
mod meter;
mod overrides;
mod papers;
mod pinned;
mod plugin;
mod presented;
mod proxy;
mod redact;
mod review;
mod start;
mod status;
mod transport;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use kube::Client;

pub use args::{ConnectArgs, EtcdArgs, name_matches, parse_timeout};
pub use aside::etcd;
pub use call::{Answer, call, get};
pub use certificate::CertificateFacts;
pub use environment::{Environment, ProxyVariables};
pub use fault::{Fault, TlsFault, Unreachable};
pub(in crate::app::cluster) use gate::date;
pub use gate::{ArmedId, Closed, Lock, Permit, Refusal, gated};
pub use meter::Meter;
pub use papers::{Papers, Place, Seen};
pub use pinned::{About, ContextEntry, Pinned};
pub use plugin::{CredentialFault, PluginStdio};
pub use redact::redact;
pub use review::{Identity, Review, may, may_named};
pub use start::{Cause, StartFault};

use contact::Contact;
use wire::{Wire, Wired};

/// How long the first contact may take when `--request-timeout` does not say.
const FIRST_CONTACT: Duration = Duration::from_secs(15);
/// How long other single requests may take when `--request-timeout` does not say.
const REQUEST: Duration = Duration::from_secs(30);

/// An open session with one cluster as one user.
pub struct Session {
    /// Sends requests that carry a [`Permit`], and refuses others. Stays valid for the whole
    /// session: renewed credentials are exchanged beneath it.
    pub client: Client,
    /// What was resolved from kubeconfig and flags.
    pub about: Arc<About>,
    /// The server's `gitVersion`; `None` when reading it is forbidden.
    pub version: Option<String>,
    /// Who the server says we are.
    pub identity: Identity,
    /// Requests, bytes, silence and clock skew of this session.
    pub meter: Arc<Meter>,
    pinned: Pinned,
    wire: Arc<Wire>,
}

impl Session {
    /// Opens the pinned context: obtains credentials, connects, and asks for the version and for
    /// our name. Credential plugins may use the terminal as `stdio` says; with
    /// [`PluginStdio::Captured`] a fault may say [`StartFault::needs_terminal`], and connecting
    /// again with the terminal lent may succeed.
    ///
    /// # Errors
    /// Whatever stands in the way, as one clear paragraph.
    pub async fn connect(
        pinned: &Pinned,
        lock: Lock,
        stdio: PluginStdio,
    ) -> Result<Session, StartFault> {
        let about = Arc::new(pinned.about().clone());
        let fail = |cause| StartFault::new(About::clone(&about), cause);
        let wire = Wire::open(pinned.target.clone(), stdio).await;
        let wire = wire.map_err(|fault| fail(Cause::Credential(fault)))?;
        let meter = Arc::new(Meter::default());
        let client = gated(Wired(wire.clone()), &about.namespace, meter.clone(), lock);
        match greet(&client, &wire, stdio, deadline(&about, FIRST_CONTACT)).await {
            Ok(Contact { version, identity }) => {
                let unconfirmed = Identity { name: about.user.clone(), ..Identity::default() };
                let identity = identity.unwrap_or(unconfirmed);
                let pinned = pinned.clone();
                Ok(Session { client, about, version, identity, meter, pinned, wire })
            }
            Err(fault) => {
                let theirs = match &fault {
                    Fault::Unreachable(Unreachable::Tls(why)) if why.is_about_server() => {
                        presented::certificate(wire.target()).await
                    }
                    _ => None,
                };
                Err(fail(Cause::Contact(fault)).with_certificates(wire.certificate(), theirs))
            }
        }
    }

    /// Obtains credentials anew and exchanges them under the living client. Happens by itself when
    /// they expire, rotate or are refused; call it after a [`Fault::Unauthenticated`] that needs
    /// the terminal, with the terminal lent.
    ///
    /// # Errors
    /// [`Fault::Unauthenticated`] with what the plugin or file said; the old credentials stay in
    /// use.
    pub async fn renew(&self, stdio: PluginStdio) -> Result<(), Fault> {
        self.wire.renew(stdio).await.map_err(|CredentialFault { text, needs_terminal }| {
            Fault::Unauthenticated { message: text, needs_terminal }
        })
    }

    /// The kubeconfig as it was at start: its contexts, and the way to open another of them.
    pub fn pinned(&self) -> &Pinned {
        &self.pinned
    }

    /// The client certificate in use, to warn before it expires.
    pub fn client_certificate(&self) -> Option<CertificateFacts> {
        self.wire.certificate()
    }

    /// The certificates that can be seen from here.
    pub fn papers(&self) -> Papers {
        Papers { wire: self.wire.clone() }
    }

    /// The deadline for single requests: `--request-timeout`, 30 s without it, `None` if it is
    /// zero.
    pub fn deadline(&self) -> Option<Duration> {
        deadline(&self.about, REQUEST)
    }
}

fn deadline(about: &About, usual: Duration) -> Option<Duration> {
    Some(about.request_timeout.unwrap_or(usual)).filter(|limit| !limit.is_zero())
}

/// The first contact, once more with fresh credentials if a 401 could mean that they were outdated.
async fn greet(
    client: &Client,
    wire: &Wire,
    stdio: PluginStdio,
    deadline: Option<Duration>,
) -> Result<Contact, Fault> {
    match contact::first(client, deadline).await {
        Err(Fault::Unauthenticated { .. }) if wire.renewable() => {
            // A plugin that fails now leaves the 401 in place, which is then what is told.
            let _ = wire.renew(stdio).await;
            contact::first(client, deadline).await
        }
        first => first,
    }
}
