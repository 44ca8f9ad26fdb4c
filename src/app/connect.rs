//! Opening a cluster, real or embedded, as one value the rest of the program uses.

use crate::app::cli::Common;
use crate::app::cluster::Client;
use crate::app::cluster::session::{
    Environment, Lock, Meter, Pinned, PluginStdio, Session, StartFault, gated,
};
use crate::app::cluster::upstream::{Upstream, system_clock};
use crate::app::demo::{self, DemoCluster};
use crate::state::cluster::Cluster;
use crate::state::time::Epoch;
use std::sync::Arc;

/// A way to a cluster that can be opened, and opened again elsewhere.
#[derive(Clone)]
pub enum Origin {
    /// A kubeconfig as it was at start.
    Pinned(Pinned),
    /// The embedded demo cluster.
    Demo,
}

/// An open cluster.
pub struct Connection {
    /// Sends requests that carry a permit.
    pub client: Client,
    /// What its feeds share.
    pub upstream: Arc<Upstream>,
    /// Its requests, bytes and clock.
    pub meter: Arc<Meter>,
    /// What the first line of the screen says.
    pub cluster: Cluster,
    /// The session, if the cluster is real.
    pub session: Option<Arc<Session>>,
    /// Where contexts are switched from.
    pub origin: Origin,
    _life: Option<Life>,
}

/// The demo cluster lives as long as somebody looks at it.
struct Life(tokio::task::JoinHandle<()>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Origin {
    /// What the command line asks for. Reads kubeconfig files; from then on they are pinned.
    ///
    /// # Errors
    /// One paragraph on what stands in the way.
    pub fn of(common: &Common) -> Result<Origin, StartFault> {
        if common.demo {
            return Ok(Origin::Demo);
        }
        Pinned::load(&common.connect, Environment::of_process()).map(Origin::Pinned)
    }

    /// The same kubeconfig at another context.
    ///
    /// # Errors
    /// One paragraph on what stands in the way.
    pub fn at(&self, context: &str) -> Result<Origin, StartFault> {
        match self {
            Origin::Pinned(pinned) => Ok(Origin::Pinned(pinned.with_context(context, None)?)),
            Origin::Demo => Ok(Origin::Demo),
        }
    }

    /// Opens it. Must run in a tokio runtime.
    ///
    /// # Errors
    /// One paragraph on what stands in the way.
    pub async fn open(&self, lock: Lock, stdio: PluginStdio) -> Result<Connection, StartFault> {
        match self {
            Origin::Demo => Ok(open_demo(lock)),
            Origin::Pinned(pinned) => {
                let read_only = lock.is_read_only();
                let session = Session::connect(pinned, lock, stdio).await?;
                let cluster = describe(&session, read_only);
                let Cluster { context, server, user, version, .. } = &cluster;
                tracing::info!(
                    "connected: context {context}, server {server}, user {user}, {version}"
                );
                Ok(Connection {
                    upstream: upstream(&session.client),
                    client: session.client.clone(),
                    meter: session.meter.clone(),
                    cluster,
                    session: Some(Arc::new(session)),
                    origin: self.clone(),
                    _life: None,
                })
            }
        }
    }
}

/// Credentials that were refused are renewed beneath the client, so feeds have nothing to do about it.
fn upstream(client: &Client) -> Arc<Upstream> {
    Upstream::new(client.clone(), system_clock())
}

fn describe(session: &Session, read_only: bool) -> Cluster {
    let about = &session.about;
    let context = match (about.context.as_str(), about.in_cluster) {
        ("", true) => "in-cluster".to_owned(),
        ("", false) => about.server.clone(),
        (context, _) => context.to_owned(),
    };
    Cluster {
        context,
        name: about.cluster.clone(),
        server: about.server.clone(),
        user: session.identity.name.clone(),
        version: session.version.clone().unwrap_or_default(),
        namespace: None,
        home: about.namespace.clone(),
        read_only,
        protected: session.pinned().protects(&about.context),
        insecure: about.insecure,
        demo: false,
        skew: session.meter.skew_seconds(),
        requests: 0,
        contexts: session.pinned().contexts().into_iter().map(|c| c.name).collect(),
        notes: about.notes.clone(),
        switching: None,
    }
}

fn open_demo(lock: Lock) -> Connection {
    let demo = DemoCluster::today();
    let meter = Arc::new(Meter::default());
    let read_only = lock.is_read_only();
    let client = gated(demo.clone(), "default", meter.clone(), lock);
    let life = Life(tokio::spawn(demo.live()));
    let cluster = Cluster {
        context: "demo".into(),
        name: "demo".into(),
        server: "in this process".into(),
        user: demo::USER.into(),
        version: demo::VERSION.into(),
        home: "default".into(),
        read_only,
        demo: true,
        contexts: vec!["demo".into()],
        ..Cluster::default()
    };
    Connection {
        upstream: upstream(&client),
        client,
        meter,
        cluster,
        session: None,
        origin: Origin::Demo,
        _life: Some(life),
    }
}

impl Connection {
    /// The server's time, as far as an answer told it.
    pub fn now(&self) -> Epoch {
        Epoch((self.upstream.clock)().0 + self.meter.skew_seconds().unwrap_or(0))
    }
}
