//! The real control plane that the tests talk to: etcd and kube-apiserver, on demand with kube-controller-manager,
//! kube-scheduler, kwok (fake kubelets) and metrics-server.
//!
//! Invariants: everything listens on 127.0.0.1 on the ports of a slot that is locked for as long as the control plane
//! lives; every process it starts dies with it, and with the test process even after a SIGKILL; processes are stopped
//! by their pid only; every wait has a deadline and ends early, with the end of the log, when the process is gone.
//!
//! ```ignore
//! mod controlplane;
//! let Some(lab) = controlplane::shared_api() else { return }; // the one printed line says what was skipped
//! lab.kubectl(&["get", "nodes"]);
//! ```
// Each test crate uses its own part of this module.
#![allow(dead_code, unused_imports)]

mod assets;
mod client;
mod etcd;
pub mod fixtures;
mod http;
mod pki;
mod process;
mod rows;
mod seed;
mod slot;

pub use client::wait_until;
pub use etcd::TXN_PUTS;
pub use http::Reply;
pub use pki::User;
pub use process::output_within;
pub use rows::Row;
pub use seed::Size;

use assets::Assets;
use process::Process;
use slot::Slot;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Duration;

/// How long a component may take to become ready. Generous: a test machine compiles meanwhile.
pub const START_TIMEOUT: Duration = Duration::from_secs(90);

/// A part of the control plane: one process, named after its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    Etcd,
    ApiServer,
    ControllerManager,
    Scheduler,
    Kwok,
    MetricsServer,
}

use Component::{ApiServer, ControllerManager, Etcd, Kwok, MetricsServer, Scheduler};

impl Component {
    /// In starting order; stopping goes the other way.
    pub const ALL: [Component; 6] =
        [Etcd, ApiServer, ControllerManager, Scheduler, Kwok, MetricsServer];

    /// The name of the program, of its `flags/` file, its log and its pid file.
    pub fn program(self) -> &'static str {
        match self {
            Etcd => "etcd",
            ApiServer => "kube-apiserver",
            ControllerManager => "kube-controller-manager",
            Scheduler => "kube-scheduler",
            Kwok => "kwok",
            MetricsServer => "metrics-server",
        }
    }
}

/// What to start. `Options::api()` or `Options::full()`, then the builder methods.
pub struct Options {
    components: Vec<Component>,
    api_flags: Vec<String>,
    flags: Vec<(Component, String)>,
    seed: Option<Size>,
}

impl Options {
    /// etcd and kube-apiserver: every object stays as it was written, since no controller and no kubelet changes it.
    /// The two admission plugins that would wait for a controller are off (reference/controlplane.md §3).
    pub fn api() -> Options {
        let admission = "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition";
        Options {
            components: vec![Etcd, ApiServer],
            api_flags: vec![admission.to_owned()],
            flags: vec![],
            seed: None,
        }
    }

    /// All of it but metrics-server: Deployments roll out, pods are scheduled and run on fake kubelets.
    pub fn full() -> Options {
        Options {
            components: vec![Etcd, ApiServer, ControllerManager, Scheduler, Kwok],
            api_flags: Vec::new(),
            flags: vec![],
            seed: None,
        }
    }

    /// Adds metrics-server behind the aggregator (needs `full`). First values come after two scrapes, about 30 s.
    pub fn with_metrics(mut self) -> Options {
        self.components.push(MetricsServer);
        self
    }

    /// Adds a flag to kube-apiserver's, such as `--min-request-timeout=60`.
    pub fn api_flag(mut self, flag: &str) -> Options {
        self.api_flags.push(flag.to_owned());
        self
    }

    /// Adds a component to those that are started.
    pub fn with(mut self, component: Component) -> Options {
        self.components.push(component);
        self
    }

    /// Adds a flag to a component's; of one given twice the last holds.
    pub fn flag(mut self, component: Component, flag: &str) -> Options {
        self.flags.push((component, flag.to_owned()));
        self
    }

    /// Writes that many objects into etcd before the API server starts, see [`ControlPlane::seed`].
    pub fn seeded(mut self, size: Size) -> Options {
        self.seed = Some(size);
        self
    }
}

/// A running control plane. Dropping it kills its processes, removes its data and frees its slot; logs and the rest of
/// its folder stay for inspection until the slot is used again.
pub struct ControlPlane {
    assets: Assets,
    slot: Slot,
    pki: pki::Pki,
    api_flags: Vec<String>,
    flags: Vec<(Component, String)>,
    running: Mutex<BTreeMap<Component, Process>>,
}

/// The `api` control plane of this test process, started at the first call. `None` when the machine has none.
/// Shared: do not stop or pause its parts, use [`fresh`] for that.
pub fn shared_api() -> Option<&'static ControlPlane> {
    static SHARED: OnceLock<Option<ControlPlane>> = OnceLock::new();
    SHARED.get_or_init(|| fresh(Options::api())).as_ref()
}

/// The `full` control plane of this test process with the nodes and workloads of `objects/workloads.yaml`.
pub fn shared_full() -> Option<&'static ControlPlane> {
    static SHARED: OnceLock<Option<ControlPlane>> = OnceLock::new();
    let start = || {
        let lab = fresh(Options::full())?;
        lab.wait_for_default_service_account();
        lab.apply(include_str!("objects/workloads.yaml"));
        Some(lab)
    };
    SHARED.get_or_init(start).as_ref()
}

/// A control plane of the caller's own. `None`, after one printed line, when the machine has none.
///
/// # Panics
/// When it must be there (`CI=true` or `WHEELHOUSE_CONTROL_PLANE=required`) and is not, or when a part does not start:
/// a green run must not hide a broken control plane.
pub fn fresh(options: Options) -> Option<ControlPlane> {
    let assets = assets::find(&options.components)?;
    Some(ControlPlane::start(assets, options))
}

impl ControlPlane {
    fn start(assets: Assets, options: Options) -> ControlPlane {
        let slot = Slot::take();
        let pki = pki::Pki::create(slot.dir(), slot.api_url());
        let running = Mutex::new(BTreeMap::new());
        let (api_flags, flags) = (options.api_flags, options.flags);
        let lab = ControlPlane { assets, slot, pki, api_flags, flags, running };
        if options.components.contains(&Kwok) {
            let stages = lab.assets.kwok_stages() + include_str!("objects/stages.yaml");
            fs::write(lab.dir().join("kwok.yaml"), stages).expect("the slot's folder is ours");
        }
        for component in options.components {
            if component == ApiServer
                && let Some(size) = options.seed
            {
                lab.seed(size);
            }
            lab.start_component(component);
            match component {
                ApiServer => lab.apply(include_str!("objects/rbac.yaml")),
                MetricsServer => {
                    lab.apply(&lab.slot.fill(include_str!("objects/metrics.yaml")));
                }
                _ => {}
            }
        }
        lab
    }

    /// Starts a component that is not running and waits until it is ready.
    ///
    /// # Panics
    /// When it is not ready within [`START_TIMEOUT`]; the message holds the end of its log.
    pub fn start_component(&self, component: Component) {
        let mut args = self.slot.flags(component);
        if component == ApiServer {
            args.extend(self.api_flags.iter().cloned());
        }
        let more = self.flags.iter().filter(|(of, _)| *of == component);
        args.extend(more.map(|(_, flag)| flag.clone()));
        let program = self.assets.program(component.program());
        let process = Process::spawn(&program, &args, self.dir());
        self.running().insert(component, process);
        let gone = || {
            let exited = self.running().get_mut(&component).is_none_or(|p| !p.is_alive());
            exited.then(|| format!("it ended; its log says:\n{}", self.log_end(component)))
        };
        if let Err(why) = client::poll(START_TIMEOUT, || self.is_ready(component), gone) {
            panic!(
                "{component:?} on slot {}: {why}\n{}",
                self.slot.number(),
                self.log_end(component)
            );
        }
    }

    /// Sends a signal, such as `libc::SIGSTOP`, to the process of a running component.
    pub fn signal(&self, component: Component, signal: i32) {
        self.running().get(&component).expect("the component runs").signal(signal);
    }

    /// Ends a component with SIGKILL, as a crash would, and waits until its process is gone.
    pub fn kill(&self, component: Component) {
        self.running().remove(&component).expect("the component runs").kill();
    }

    /// Ends a component with SIGTERM and waits until its process is gone; SIGKILL after 10 seconds.
    pub fn stop(&self, component: Component) {
        self.running()
            .remove(&component)
            .expect("the component runs")
            .stop(Duration::from_secs(10));
    }

    /// Crashes a component and starts it again on the same ports and data.
    pub fn restart(&self, component: Component) {
        self.kill(component);
        self.start_component(component);
    }

    /// The process id of a running component.
    pub fn pid(&self, component: Component) -> Option<u32> {
        self.running().get(&component).map(Process::pid)
    }

    /// Where logs (`logs/`), pids (`pids/`), certificates (`pki/`) and kubeconfigs are.
    pub fn dir(&self) -> &Path {
        self.slot.dir()
    }

    /// Where the API server listens: `https://127.0.0.1:PORT`.
    pub fn api_url(&self) -> String {
        self.slot.api_url()
    }

    /// etcd's client port on 127.0.0.1, which also serves its JSON gateway in plain HTTP.
    pub fn etcd_port(&self) -> u16 {
        self.slot.port("ETCD")
    }

    /// The kubeconfig of a user. The context is called `lab-NAME`, the cluster `lab`.
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        self.pki.kubeconfig(user)
    }

    /// Makes a user with a client certificate signed by the cluster's CA, valid until `expires`, and its kubeconfig.
    pub fn issue(&self, name: &str, group: &str, expires: std::time::SystemTime) -> PathBuf {
        self.pki.issue(name, group, expires)
    }

    /// Where a program of the control plane is, such as `kubectl`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.assets.program(name)
    }

    /// The last lines of a component's log.
    pub fn log_end(&self, component: Component) -> String {
        let path = self.dir().join("logs").join(format!("{}.log", component.program()));
        let log = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(2000)..]).into_owned()
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<Component, Process>> {
        self.running.lock().expect("no test panics while it holds this lock")
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        // A test that panicked may have poisoned the lock; its processes end all the same.
        let running = self.running.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        while let Some((_, process)) = running.pop_last() {
            process.kill();
        }
        // Gigabytes after a large seeding; a folder that stays is emptied by the next user of the slot.
        let _ = fs::remove_dir_all(self.dir().join("etcd"));
    }
}
