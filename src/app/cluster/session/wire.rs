//! The transport under a living client. Credentials that expire, rotate or are refused are replaced in place: the
//! `kube::Client` that feeds and effects hold stays the same one for the whole session.

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
/// After a renewal, failed or not, the next one waits this long, so that a plugin is not run for every request.
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

    /// The stack to send on, renewed first if it is due. A renewal that fails matters only once the old credentials are
    /// of no use.
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
        if current.renewed.elapsed() < HOLD && (current.failure.is_some() || current.generation > 0)
        {
            return false;
        }
        let exec = self.target.auth.exec.is_some();
        if exec && (current.refused || current.expires_within(MARGIN, Timestamp::now())) {
            return true;
        }
        if current.refused || current.looked.elapsed() >= LOOK {
            current.looked = Instant::now();
            // Static credentials that were refused stay as they are: sending them again is how a server that has changed
            // its mind is noticed.
            current.refused = exec && current.refused;
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
