//! The release binary in a terminal while things go wrong: somebody presses keys and reads the first line.

use super::terminal::{Cockpit, percentile};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const WHEELHOUSE: &str = env!("CARGO_BIN_EXE_wheelhouse");
/// After this long without an answer nothing may be called live.
const HONEST: Duration = Duration::from_secs(15);

/// What was seen during one fault.
#[derive(Clone, Default)]
pub struct Seen {
    took: Vec<Duration>,
    empty: usize,
    dishonest: usize,
    ended: bool,
}

impl Seen {
    /// What must not have been seen.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = vec![];
        if self.empty > 0 {
            wrong.push(format!("the screen had no rows {} times", self.empty));
        }
        if self.dishonest > 0 {
            wrong.push(format!("the screen said live {} times of a dead server", self.dishonest));
        }
        if self.ended {
            wrong.push("the cockpit ended".into());
        }
        wrong
    }

    /// How long keys took.
    pub fn keys(&self) -> String {
        let mut took = self.took.clone();
        took.sort();
        let ms = |percent| percentile(&took, percent).as_secs_f64() * 1e3;
        format!("{:.1} / {:.1} ms", ms(50), ms(100))
    }
}

#[derive(Default)]
struct Shared {
    seen: Seen,
    gone_since: Option<Instant>,
}

/// The one who watches.
pub struct Screen(Arc<Mutex<Shared>>);

impl Screen {
    pub fn open(config: &Path, server: &str, pods: usize) -> Screen {
        let mut cockpit = Cockpit::start(WHEELHOUSE, &["nodes", "--server", server], config);
        cockpit.until(&format!("{},{:03} pods", pods / 1000, pods % 1000));
        cockpit.until(" live ");
        let shared = Arc::new(Mutex::new(Shared::default()));
        let mine = shared.clone();
        std::thread::spawn(move || {
            for i in 0.. {
                let took = cockpit.answer(["j", "j", "k", "k"][i % 4]);
                cockpit.settle(Duration::from_millis(120));
                let screen = cockpit.contents();
                let mut shared = mine.lock().expect("nobody panics while holding it");
                shared.seen.took.push(took);
                shared.seen.empty += usize::from(!screen.contains("node-0"));
                let dead = shared.gone_since.is_some_and(|since| since.elapsed() > HONEST);
                let says_live = screen.lines().next().is_some_and(|line| line.contains(" live "));
                shared.seen.dishonest += usize::from(dead && says_live);
                // Whoever opened it is gone.
                if Arc::strong_count(&mine) == 1 {
                    return;
                }
            }
        });
        Screen(shared)
    }

    pub fn begin(&self) {
        self.lock().seen = Seen::default();
    }

    pub fn end(&self) -> Seen {
        self.lock().seen.clone()
    }

    /// From now on the server does not answer, or does again.
    pub fn server_is_gone(&self, gone: bool) {
        self.lock().gone_since = gone.then(Instant::now);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.0.lock().expect("the watcher goes on")
    }
}
