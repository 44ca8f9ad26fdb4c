//! The product's own pieces, opened on a real cluster: a session, its feeds on a thread of their own, and a store that
//! this thread fills, as the program does. What the feeds tell and ask is kept.

use http::Request;
use kube::client::Body;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Notify, watch};
use wheelhouse::app::cluster::feed::{self, FeedHandle, FeedSpec};
use wheelhouse::app::cluster::mailbox::{Delivery, Mailbox};
use wheelhouse::app::cluster::session::{ConnectArgs, Environment, Lock, Pinned, PluginStdio};
use wheelhouse::app::cluster::upstream::Upstream;
use wheelhouse::app::connect::{Connection, Origin};
use wheelhouse::state::health::{FeedId, Health};
use wheelhouse::state::store::Store;

/// How long anything may take that is bound to happen.
pub const SOON: Duration = Duration::from_secs(50);

/// A request that a feed sent.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub query: String,
}

impl Asked {
    /// A list, or a watch with a list in front.
    pub fn is_list(&self) -> bool {
        self.path != "/version"
            && (!self.query.contains("watch=1") || self.query.contains("sendInitialEvents"))
    }

    /// A watch that goes on from a position.
    pub fn is_resumed(&self) -> bool {
        self.query.contains("&resourceVersion=")
    }
}

/// A session at work.
pub struct Live {
    pub store: Store,
    /// Every health told, in order.
    pub told: Vec<(FeedId, Health)>,
    /// Fewest pods shown since there were any.
    pub fewest: Option<usize>,
    /// Looks at the store after every delivery.
    pub check: fn(&Store),
    /// How long anything may take.
    pub patience: Duration,
    mailbox: Mailbox,
    bell: Receiver<()>,
    feeds: Vec<(FeedId, FeedHandle)>,
    asked: Arc<Mutex<Vec<Asked>>>,
    upstream: Arc<Upstream>,
    /// Keeps the session open.
    _connection: Connection,
    runtime: Driven,
}

/// A runtime on a thread of its own, as the program has it.
pub struct Driven {
    pub handle: Handle,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Driven {
    pub fn new() -> Driven {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system has a thread to spare");
        let (handle, stop) = (runtime.handle().clone(), Arc::new(Notify::new()));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || runtime.block_on(stopped.notified()));
        Driven { handle, stop, thread: Some(thread) }
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic in there was printed; this test fails by what did not arrive.
            let _ = thread.join();
        }
    }
}

impl Live {
    /// Opens the cluster of a kubeconfig, at another address if `server` says so.
    pub fn open(kubeconfig: std::path::PathBuf, server: Option<String>) -> Live {
        let runtime = Driven::new();
        let args = ConnectArgs { kubeconfig: Some(kubeconfig), server, ..ConnectArgs::default() };
        let pinned = Pinned::load(&args, Environment::default());
        let origin = Origin::pinned(pinned.unwrap_or_else(|e| panic!("{}", e.paragraph())));
        let opened = runtime.handle.block_on(origin.open(Lock::new(true), PluginStdio::Captured));
        let connection = opened.unwrap_or_else(|e| panic!("{}", e.paragraph()));
        let asked = Arc::new(Mutex::new(vec![]));
        let context = runtime.handle.enter();
        let client = noted(&connection, &asked);
        let upstream = Upstream::new(client, connection.upstream.clock.clone());
        drop(context);
        let (ring, bell) = channel();
        Live {
            store: Store::default(),
            told: vec![],
            fewest: None,
            check: |_| {},
            patience: SOON,
            mailbox: Mailbox::new(Arc::new(move || {
                // Nobody listens once the test is over.
                let _ = ring.send(());
            })),
            bell,
            feeds: vec![],
            asked,
            upstream,
            _connection: connection,
            runtime,
        }
    }

    /// Follows every kind of a table, in one namespace or in all.
    pub fn follow(&mut self, table: &str, namespace: Option<&str>) -> FeedId {
        let at = self.store.table_index(table).expect("a declared table");
        let spec = self.store.table_at(at).spec;
        let mut first = None;
        for (kind, declared) in (0..).zip(spec.kinds) {
            let scope = namespace.filter(|_| declared.gvk.namespaced).map(str::to_owned);
            let id = self.store.open_feed(at, kind, scope.clone());
            let wanted = FeedSpec { id, table: spec, kind, namespace: scope };
            let _context = self.runtime.handle.enter();
            self.feeds.push((id, feed::spawn(wanted, &self.upstream, &self.mailbox)));
            first.get_or_insert(id);
        }
        first.expect("a table has a kind")
    }

    /// Takes in what arrived.
    pub fn drain(&mut self) {
        for delivery in self.mailbox.drain(usize::MAX) {
            match delivery {
                Delivery::Rows(parcel) => drop(self.store.apply(&parcel)),
                Delivery::Health(feed, health) => {
                    self.told.push((feed, health.clone()));
                    self.store.set_health(feed, health);
                }
            }
            (self.check)(&self.store);
            let rows = self.store.table("pods").len();
            if rows > 0 || self.fewest.is_some() {
                self.fewest = Some(self.fewest.unwrap_or(rows).min(rows));
            }
        }
    }

    /// Takes in what arrives until `seen`.
    pub fn until(&mut self, what: &str, seen: impl FnMut(&Live) -> bool) {
        let patience = self.patience;
        if !self.seen_by(Instant::now() + patience, seen) {
            panic!(
                "not within {patience:?}: {what}\ntold {:#?}\nasked {:#?}",
                self.told,
                self.asked()
            );
        }
    }

    /// Takes in what arrives until `seen` or until the deadline. Returns whether it was seen.
    pub fn seen_by(&mut self, deadline: Instant, mut seen: impl FnMut(&Live) -> bool) -> bool {
        loop {
            self.drain();
            if seen(self) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            // Some conditions also depend on the clock, or on another thread.
            let _ = self.bell.recv_timeout(left.min(Duration::from_millis(50)));
        }
    }

    /// Does something that takes time while what arrives is taken in.
    pub fn during<T: Send>(&mut self, act: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let acting = scope.spawn(act);
            self.until("done", |_| acting.is_finished());
            acting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    pub fn until_live(&mut self) {
        self.until("all feeds are live", |live| {
            live.healths().all(|health| matches!(health, Health::Live(_)))
        });
    }

    /// The feeds' healths.
    pub fn healths(&self) -> impl Iterator<Item = &Health> {
        self.store.feeds.iter().map(|feed| &feed.health)
    }

    pub fn health(&self, id: FeedId) -> &Health {
        &self.store.feeds.iter().find(|feed| feed.id == id).expect("an open feed").health
    }

    /// What the feeds asked so far, questions whether the server is alive left out.
    pub fn asked(&self) -> Vec<Asked> {
        let all = self.asked.lock().expect("nobody panics while noting a request");
        all.iter().filter(|asked| asked.path != "/version").cloned().collect()
    }

    /// Lists begun so far of one collection.
    pub fn lists(&self, path: &str) -> usize {
        self.asked().iter().filter(|asked| asked.path == path && asked.is_list()).count()
    }

    /// The pods shown.
    pub fn pods(&self) -> BTreeSet<Seen> {
        use wheelhouse::state::kinds::pods::NODE;
        let pods = self.store.rows("pods");
        let seen = pods.map(|row| Seen {
            namespace: row.namespace().to_owned(),
            name: row.name().into_owned(),
            uid: row.key().uid().unwrap_or_default(),
            version: row.rv(),
            node: row.text(NODE).to_owned(),
        });
        seen.collect()
    }
}

/// A pod as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub version: u64,
    pub node: String,
}

/// A connection's client that notes what it is asked.
fn noted(connection: &Connection, asked: &Arc<Mutex<Vec<Asked>>>) -> kube::Client {
    let (client, log) = (connection.client.clone(), asked.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let uri = request.uri();
        let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
        log.lock().expect("nobody panics while reading it").push(Asked { path, query });
        let client = client.clone();
        async move { client.send(request).await }
    });
    kube::Client::new(service, "default")
}

/// The network between the cockpit and the server, which can be cut.
pub struct Relay {
    address: SocketAddr,
    cut: Arc<watch::Sender<bool>>,
    _runtime: Driven,
}

impl Relay {
    /// A port of the loopback address that leads to `https://ADDRESS`.
    pub fn to(url: &str) -> Relay {
        let target = url.trim_start_matches("https://").parse().expect("ADDRESS:PORT");
        let runtime = Driven::new();
        let listener = runtime.handle.block_on(TcpListener::bind(("127.0.0.1", 0)));
        let listener = listener.expect("the loopback address has free ports");
        let address = listener.local_addr().expect("it is bound");
        let cut = Arc::new(watch::Sender::new(false));
        runtime.handle.spawn(relay(listener, target, cut.clone()));
        Relay { address, cut, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Ends all connections, and each new one at once.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    pub fn mend(&self) {
        self.cut.send_replace(false);
    }
}

async fn relay(listener: TcpListener, target: SocketAddr, cut: Arc<watch::Sender<bool>>) {
    while let Ok((mut here, _)) = listener.accept().await {
        let mut state = cut.subscribe();
        if *state.borrow_and_update() {
            continue;
        }
        tokio::spawn(async move {
            let Ok(mut there) = TcpStream::connect(target).await else { return };
            tokio::select! {
                // However it ends, both connections are closed.
                _ = copy_bidirectional(&mut here, &mut there) => {}
                _ = state.changed() => {}
            }
        });
    }
}
