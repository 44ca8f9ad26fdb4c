//! The transport under a living client. Credentials that expire, rotate or are refused are replaced
//! in place: the `kube::Client` that feeds and effects hold stays the same one for the whole
//! session.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use kube::client::Body;
use tower::{BoxError, Service, ServiceExt as _};

use super::certificate::CertificateFacts;
use super::credentials::{self, Credentials};
use super::pinned::Target;
use super::plugin::{CredentialFault, PluginStdio};
use super::transport::{self, Incoming, Stack};

/// Credentials are renewed this long before they expire (kube and client-go leave a like margin).
const MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// Credential files are looked at this often (client-go re-reads token files once a minute).
const LOOK: Duration = Duration::from_secs(60);
/// After a plugin ran, successfully or not, its next run waits this long, so that it is not run for
/// every request.
const HOLD: Duration = Duration::from_secs(10);

/// One server, one user, and the stack that currently reaches it.
pub(super) struct Wire {
    target: Arc<Target>,
    current: Mutex<Current>,
    /// Held while renewing, so that a plugin runs once however many requests wait.
    renewing: tokio::sync::Mutex<()>,
}

struct Current {
    stack: Stack,
    credentials: Credentials,
    /// Counts renewals, so that a late 401 of old credentials does not condemn the new ones.
    generation: u64,
    refused: bool,
    /// The files are no longer those the credentials came from.
    rotated: bool,
    looked: Instant,
    renewed: Instant,
    failure: Option<CredentialFault>,
}

impl Wire {
    /// Obtains credentials and builds the first stack. Connects to nothing.
    pub async fn open(
        target: Arc<Target>,
        stdio: PluginStdio,
    ) -> Result<Arc<Wire>, CredentialFault> {
        let (stack, credentials) = prepare(&target, stdio).await?;
        let now = Instant::now();
        let current = Current {
            stack,
            credentials,
            generation: 0,
            refused: false,
            rotated: false,
            looked: now,
            renewed: now,
            failure: None,
        };
        Ok(Arc::new(Wire {
            target,
            current: Mutex::new(current),
            renewing: tokio::sync::Mutex::new(()),
        }))
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The client certificate in use.
    pub fn certificate(&self) -> Option<CertificateFacts> {
        self.current().credentials.certificate.clone()
    }

    /// Whether renewing can make a difference after a 401.
    pub fn renewable(&self) -> bool {
        self.target.auth.exec.is_some()
            || credentials::fingerprint(&self.target) != self.current().credentials.files
    }

    /// Obtains credentials anew and replaces the stack; requests under way finish on the old one.
    pub async fn renew(&self, stdio: PluginStdio) -> Result<(), CredentialFault> {
        let _one_at_a_time = self.renewing.lock().await;
        self.replace(stdio).await
    }

    async fn replace(&self, stdio: PluginStdio) -> Result<(), CredentialFault> {
        let prepared = prepare(&self.target, stdio).await;
        let mut current = self.current();
        current.renewed = Instant::now();
        match prepared {
            Ok((stack, credentials)) => {
                (current.stack, current.credentials) = (stack, credentials);
                (current.refused, current.rotated, current.failure) = (false, false, None);
                current.generation += 1;
                Ok(())
            }
            Err(fault) => {
                current.failure = Some(fault.clone());
                Err(fault)
            }
        }
    }

    /// The stack to send on, renewed first if it is due. A renewal that fails matters only once the
    /// old credentials are of no use.
    async fn stack(&self) -> Result<(u64, Stack), CredentialFault> {
        if self.due() {
            let before = self.current().generation;
            let _one_at_a_time = self.renewing.lock().await;
            if self.current().generation == before && self.due() {
                // The outcome is kept in `failure`, which is consulted below.
                let _ = self.replace(PluginStdio::Captured).await;
            }
        }
        let current = self.current();
        match &current.failure {
            Some(fault) if current.useless(Timestamp::now()) => Err(fault.clone()),
            _ => Ok((current.generation, current.stack.clone())),
        }
    }

    fn due(&self) -> bool {
        let mut current = self.current();
        let exec = self.target.auth.exec.is_some();
        if exec && current.renewed.elapsed() < HOLD {
            return false;
        }
        if exec && (current.refused || current.expires_within(MARGIN, Timestamp::now())) {
            return true;
        }
        if current.refused || current.looked.elapsed() >= LOOK {
            current.looked = Instant::now();
            // Static credentials that were refused stay as they are: sending them again is how a
            // server that has changed its mind is noticed.
            current.refused = false;
            current.rotated |= credentials::fingerprint(&self.target) != current.credentials.files;
        }
        current.rotated
    }

    fn refused(&self, generation: u64) {
        let mut current = self.current();
        current.refused |= current.generation == generation;
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn expires_within(&self, margin: SignedDuration, now: Timestamp) -> bool {
        self.credentials.expires.is_some_and(|at| now + margin >= at)
    }

    fn useless(&self, now: Timestamp) -> bool {
        self.refused || self.expires_within(SignedDuration::ZERO, now)
    }
}

async fn prepare(
    target: &Arc<Target>,
    stdio: PluginStdio,
) -> Result<(Stack, Credentials), CredentialFault> {
    let credentials = credentials::obtain(target, stdio).await?;
    let target = target.clone();
    // Reading trust stores blocks; the stack must also be built inside the runtime it will run on.
    let built = tokio::task::spawn_blocking(move || {
        transport::build(&target, &credentials).map(|stack| (stack, credentials))
    });
    built.await.unwrap_or_else(|error| Err(CredentialFault::new(error.to_string())))
}

/// The service under the gate.
#[derive(Clone)]
pub(super) struct Wired(pub Arc<Wire>);

impl Service<Request<Body>> for Wired {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let wire = self.0.clone();
        Box::pin(async move {
            let (generation, stack) = wire.stack().await?;
            let response = stack.oneshot(request).await?;
            if response.status() == StatusCode::UNAUTHORIZED {
                wire.refused(generation);
            }
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::cluster::session::{ConnectArgs, Environment, Pinned};

    /// A wire whose plugin issues tokens for 30 s, less than the margin, and fails once `broken`
    /// exists.
    async fn wire(dir: &std::path::Path) -> Arc<Wire> {
        let soon = Timestamp::now() + SignedDuration::from_secs(30);
        let script = format!(
            "cd {}\nif [ -e broken ]; then exit 1; fi\necho run >> runs\n\
             echo '{{\"status\":{{\"token\":\"t\",\"expirationTimestamp\":\"{soon}\"}}}}'\n",
            dir.display()
        );
        let plugin = dir.join("plugin");
        std::fs::write(&plugin, script).unwrap();
        let config = "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n\
             users: [{name: u, user: {exec: {command: sh, args: [PLUGIN]}}}]\n\
             contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n";
        let kubeconfig = dir.join("config");
        let config = config.replace("PLUGIN", plugin.to_str().unwrap());
        std::fs::write(&kubeconfig, config).unwrap();
        let args = ConnectArgs { kubeconfig: Some(kubeconfig), ..ConnectArgs::default() };
        let pinned = Pinned::load(&args, Environment::default()).unwrap();
        Wire::open(pinned.target.clone(), PluginStdio::Captured).await.unwrap()
    }

    /// Lets the time pass after which a plugin may run again.
    fn wait(wire: &Wire) {
        let mut current = wire.current();
        current.renewed = current.renewed.checked_sub(HOLD).unwrap();
    }

    #[tokio::test]
    async fn a_plugin_runs_before_expiry_but_not_for_every_request() {
        let dir = tempfile::tempdir().unwrap();
        let wire = wire(dir.path()).await;
        let runs = || std::fs::read_to_string(dir.path().join("runs")).unwrap().lines().count();
        for expected in [1, 2, 3] {
            for _ in 0..3 {
                wire.stack().await.unwrap();
            }
            assert_eq!(runs(), expected);
            wait(&wire);
        }
    }

    #[tokio::test]
    async fn a_failed_renewal_is_told_once_the_old_credentials_are_of_no_use() {
        let dir = tempfile::tempdir().unwrap();
        let wire = wire(dir.path()).await;
        std::fs::write(dir.path().join("broken"), "").unwrap();
        wait(&wire);
        let (generation, _) = wire.stack().await.unwrap();
        wire.refused(generation + 1);
        assert!(
            wire.stack().await.is_ok(),
            "a 401 of other credentials proves nothing about these"
        );
        wire.refused(generation);
        assert!(wire.stack().await.unwrap_err().needs_terminal);
        std::fs::remove_file(dir.path().join("broken")).unwrap();
        wait(&wire);
        assert_eq!(wire.stack().await.unwrap().0, generation + 1);
    }
}
