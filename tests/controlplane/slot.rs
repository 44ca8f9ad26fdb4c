//! A slot: a folder and a set of ports that belong to one control plane at a time.
//!
//! The lock file is held with flock(2), which `up.sh` uses too (slots 0 to 9), so parallel test processes never collide
//! and a crashed one leaves nothing behind that has to be cleaned up by hand.

use super::{Component, START_TIMEOUT, client};
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

const SLOTS: std::ops::Range<u16> = 10..60;
/// The ports of slot 0; each further slot adds 100. None of them meet: their last two digits differ.
const PORTS: [(&str, u16); 7] = [
    ("ETCD", 21379),
    ("PEER", 21380),
    ("API", 21443),
    ("KCM", 21257),
    ("SCHED", 21259),
    ("KWOK", 21247),
    ("MS", 21444),
];

/// A locked slot with an empty folder and free ports.
pub struct Slot {
    number: u16,
    dir: PathBuf,
    _lock: File,
}

impl Slot {
    /// Takes the first slot that nobody holds and empties its folder.
    pub fn take() -> Slot {
        // SAFETY: getuid has no preconditions and cannot fail.
        let uid = unsafe { libc::getuid() };
        let root = std::env::temp_dir().join(format!("wheelhouse-lab-{uid}"));
        fs::create_dir_all(&root).expect("the temporary folder is writable");
        let (number, lock) = SLOTS
            .filter_map(|n| {
                let lock = File::create(root.join(format!("slot-{n}.lock"))).ok()?;
                lock.try_lock().ok().map(|()| (n, lock))
            })
            .next()
            .expect("50 control planes do not run at once");
        let dir = root.join(format!("slot-{number}"));
        if dir.exists() {
            fs::remove_dir_all(&dir).expect("the folder of a free slot can be removed");
        }
        for part in ["pki", "logs", "pids"] {
            fs::create_dir_all(dir.join(part)).expect("the temporary folder is writable");
        }
        let slot = Slot { number, dir, _lock: lock };
        slot.wait_for_ports();
        slot
    }

    /// The number that shifts the ports.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The folder of this slot.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A port by its name in [`PORTS`].
    pub fn port(&self, name: &str) -> u16 {
        let (_, base) = PORTS.iter().find(|(n, _)| *n == name).expect("a port of the table");
        base + 100 * self.number
    }

    /// Where the API server listens.
    pub fn api_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port("API"))
    }

    /// Replaces `@D@` by the folder and `@API@` and the like by the ports.
    pub fn fill(&self, text: &str) -> String {
        let text = text.replace("@D@", &self.dir.display().to_string());
        PORTS.iter().fold(text, |text, (name, _)| {
            text.replace(&format!("@{name}@"), &self.port(name).to_string())
        })
    }

    /// The command line of a component, from the file that `up.sh` reads too.
    pub fn flags(&self, component: Component) -> Vec<String> {
        let template = match component {
            Component::Etcd => include_str!("flags/etcd"),
            Component::ApiServer => include_str!("flags/kube-apiserver"),
            Component::ControllerManager => include_str!("flags/kube-controller-manager"),
            Component::Scheduler => include_str!("flags/kube-scheduler"),
            Component::Kwok => include_str!("flags/kwok"),
            Component::MetricsServer => include_str!("flags/metrics-server"),
        };
        self.fill(template).lines().map(str::to_owned).collect()
    }

    /// The processes of a killed test die with it, but a moment later than its lock.
    fn wait_for_ports(&self) {
        let free =
            || PORTS.iter().all(|(n, _)| TcpListener::bind(("127.0.0.1", self.port(n))).is_ok());
        client::poll(START_TIMEOUT, free, || None).unwrap_or_else(|why| {
            panic!("another program listens on a port of slot {}: {why}", self.number)
        });
    }
}
