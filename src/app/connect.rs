//! Opening a cluster, real or embedded, as one value the rest of the program uses.

use crate::app::cli::Common;
use crate::app::cluster::Client;
use crate::app::cluster::session::{
    Closed, ConnectArgs, Environment, Lock, Meter, Pinned, PluginStdio, Session, StartFault, gated,
    get,
};
use crate::app::cluster::upstream::{Upstream, system_clock};
use crate::app::config::{Config, Ruling};
use crate::app::demo::{self, DemoCluster};
use crate::state::cluster::{Cluster, LOCKED};
use crate::state::time::Epoch;
use std::sync::Arc;
use std::time::Duration;

/// A way to a cluster that can be opened, and opened again elsewhere, and what the operator asks of contexts.
#[derive(Clone)]
pub struct Origin {
    /// The way.
    pub way: Way,
    config: Arc<Config>,
    protect: Arc<ConnectArgs>,
    unrecorded: bool,
}

/// A way to a cluster.
#[derive(Clone)]
pub enum Way {
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
    /// What the operator's file and flags ask of this context.
    pub ruling: Ruling,
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
        let way = match common.demo {
            true => Way::Demo,
            false => Way::Pinned(Pinned::load(&common.connect, Environment::of_process())?),
        };
        let protect = Arc::new(common.connect.clone());
        Ok(Origin { way, config: common.config.clone(), protect, unrecorded: common.no_journal })
    }

    /// A kubeconfig of which nothing is asked.
    pub fn pinned(pinned: Pinned) -> Origin {
        let (config, protect) = (Arc::default(), Arc::default());
        Origin { way: Way::Pinned(pinned), config, protect, unrecorded: false }
    }

    /// The same kubeconfig at another context.
    ///
    /// # Errors
    /// One paragraph on what stands in the way.
    pub fn at(&self, context: &str) -> Result<Origin, StartFault> {
        let way = match &self.way {
            Way::Pinned(pinned) => Way::Pinned(pinned.with_context(context, None)?),
            Way::Demo => Way::Demo,
        };
        Ok(Origin { way, ..self.clone() })
    }

    /// Opens it. Must run in a tokio runtime. What the operator's rules close for this context is closed when this returns,
    /// before anybody could send something.
    ///
    /// # Errors
    /// One paragraph on what stands in the way.
    pub async fn open(&self, lock: Lock, stdio: PluginStdio) -> Result<Connection, StartFault> {
        let lock = lock.of_connection();
        let mut connection = match &self.way {
            Way::Demo => open_demo(lock.clone(), self.clone()),
            Way::Pinned(pinned) => {
                let session = Session::connect(pinned, lock.clone(), stdio).await?;
                let cluster = describe(&session);
                let Cluster { context, server, user, version, .. } = &cluster;
                tracing::info!(
                    "connected: context {context}, server {server}, user {user}, {version}"
                );
                let upstream = upstream(&session.client);
                let _ = upstream.etcd.set(pinned.etcd().clone());
                let _ = upstream.papers.set(session.papers());
                Connection {
                    upstream,
                    client: session.client.clone(),
                    meter: session.meter.clone(),
                    cluster,
                    session: Some(Arc::new(session)),
                    origin: self.clone(),
                    ruling: Ruling::default(),
                    _life: None,
                }
            }
        };
        self.rule(&mut connection, &lock).await;
        Ok(connection)
    }

    /// Applies what the operator's file and flags ask of the context.
    async fn rule(&self, connection: &mut Connection, lock: &Lock) {
        let context = connection.cluster.context.clone();
        let uid = match self.config.asks_uid(&context) {
            true => cluster_uid(&connection.client).await,
            false => Ok(String::new()),
        };
        let mut ruling = self.config.ruling(&context, &uid);
        if self.protect.protects(&context) {
            ruling.protected.get_or_insert_with(|| "--protect".into());
        }
        if ruling.read_only.is_some() {
            lock.close_connection();
        }
        let cluster = &mut connection.cluster;
        cluster.read_only = lock.is_read_only();
        cluster.read_only_by = match lock.closed() {
            Some(Closed::Rule) => ruling.read_only.clone().unwrap_or_default(),
            Some(Closed::Start) => "--read-only".into(),
            Some(Closed::Later) => LOCKED.into(),
            None => String::new(),
        };
        cluster.protected = ruling.protected.is_some();
        cluster.unrecorded = self.unrecorded;
        cluster.notes.extend(ruling.notes.iter().chain(&self.config.warnings).cloned());
        connection.ruling = ruling;
    }
}

/// The uid of the namespace kube-system, which stands for the cluster: every cluster has one, and it is never recreated.
///
/// # Errors
/// It cannot be read, in words.
pub async fn cluster_uid(client: &Client) -> Result<String, String> {
    let answer = get(client, "/api/v1/namespaces/kube-system", Some(Duration::from_secs(10))).await;
    let answer = answer.map_err(|fault| fault.to_string())?;
    let object: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match object.pointer("/metadata/uid").and_then(serde_json::Value::as_str) {
        Some(uid) => Ok(uid.to_owned()),
        None => Err("the answer holds no uid".into()),
    }
}

/// Credentials that were refused are renewed beneath the client, so feeds have nothing to do about it.
fn upstream(client: &Client) -> Arc<Upstream> {
    Upstream::new(client.clone(), system_clock())
}

fn describe(session: &Session) -> Cluster {
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
        read_only: false,
        read_only_by: String::new(),
        protected: false,
        unrecorded: false,
        insecure: about.insecure,
        demo: false,
        skew: session.meter.skew_seconds(),
        requests: 0,
        level: String::new(),
        contexts: session.pinned().contexts().into_iter().map(|c| c.name).collect(),
        notes: about.notes.clone(),
        switching: None,
    }
}

fn open_demo(lock: Lock, origin: Origin) -> Connection {
    let demo = DemoCluster::today();
    let meter = Arc::new(Meter::default());
    let client = gated(demo.clone(), "default", meter.clone(), lock);
    let life = Life(tokio::spawn(demo.live()));
    let cluster = Cluster {
        context: "demo".into(),
        name: "demo".into(),
        server: "in this process".into(),
        user: demo::USER.into(),
        version: demo::VERSION.into(),
        home: "default".into(),
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
        origin,
        ruling: Ruling::default(),
        _life: Some(life),
    }
}

impl Connection {
    /// The server's time, as far as an answer told it.
    pub fn now(&self) -> Epoch {
        Epoch((self.upstream.clock)().0 + self.meter.skew_seconds().unwrap_or(0))
    }
}
