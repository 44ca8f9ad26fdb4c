//! The UI thread: the sole owner of the state and the terminal.
//!
//! Invariant: nothing here waits but for the next message or the next due frame.

use crate::app::cli::{Cli, exit};
use crate::app::cluster::feed;
use crate::app::cluster::session::{Lock, PluginStdio};
use crate::app::connect::Origin;
use crate::app::effects::{Ask, Effects, Post};
use crate::app::keymap::Keymap;
use crate::app::msg::{Msg, Now};
use crate::app::pacer::{Cause, Pacer};
use crate::app::preferences;
use crate::app::terminal::{Screen, clipboard, profile};
use crate::app::update::App;
use crate::state::cell::Role;
use crate::views::{self, paint, theme::Theme};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// Time a turn may spend on taking in rows before a key is looked at again.
const TURN: Duration = Duration::from_millis(4);
/// Rows taken from the mailboxes at once, and rows worked on in one slice of the lens.
const ROWS: usize = 1024;
const SLICE: usize = 8192;

/// Why the cockpit could not be opened.
pub struct Failure {
    /// Exit code.
    pub code: u8,
    /// What to tell.
    pub words: String,
}

/// Opens the cockpit and runs it to its end.
///
/// # Errors
/// What stood in the way before a screen was drawn, or broke it.
pub fn run(cli: &Cli) -> Result<(), Failure> {
    let refused = |code: u8| move |words: String| Failure { code, words };
    let wishes = profile::Wishes { ascii: cli.screen.ascii, link: cli.screen.link };
    let profile = profile::of_process(&wishes).map_err(|e| refused(exit::USAGE)(e.to_string()))?;
    let config = preferences::folder(&|name| std::env::var(name).ok());
    let keymap = keymap(config.as_deref()).map_err(refused(exit::USAGE))?;
    let columns = config
        .as_deref()
        .map(preferences::read_columns)
        .transpose()
        .map_err(refused(exit::USAGE))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime =
        runtime.map_err(|e| refused(exit::FAILED)(format!("no threads could be started: {e}")))?;
    let origin = Origin::of(&cli.common).map_err(|f| refused(exit::FAILED)(f.paragraph()))?;
    let lock = Lock::new(cli.common.read_only);
    let opened = runtime.block_on(origin.open(lock.clone(), PluginStdio::Inherit));
    let mut connection = opened.map_err(|f| refused(exit::FAILED)(f.paragraph()))?;
    connection.cluster.namespace = cli.common.connect.namespace.clone();

    let (tx, rx) = channel();
    let post: Post = post_to(tx.clone());
    let mut app = App::new(keymap, home(cli));
    app.state.ui.columns = columns.unwrap_or_default();
    let cluster = connection.cluster.clone();
    let clipboard = clipboard::Clipboard::new(&profile);
    let screen = Screen::enter(&profile, input_to(tx))
        .map_err(|e| refused(exit::FAILED)(format!("the terminal could not be taken: {e}")))?;
    let effects = Effects::new(runtime.handle().clone(), post, connection, lock, clipboard, config);
    let theme = Theme { colour: profile.colour(), ascii: profile.ascii(), bar: profile.bar() };
    let mut ui = Loop { app, effects, screen, rx, pacer: Pacer::default(), theme };
    let mut fx = vec![];
    ui.app.enter(cluster, &mut fx);
    let ended = ui.perform(fx).is_none().then(|| ui.turns());
    drop(ui);
    // Watches and probes need no farewell.
    runtime.shutdown_background();
    ended.unwrap_or(Ok(()))
}

fn keymap(config: Option<&std::path::Path>) -> Result<Keymap, String> {
    let file = config.map(|folder| folder.join("keymap.toml"));
    let Some(file) = file.filter(|file| file.exists()) else { return Keymap::new(None) };
    let name = file.display().to_string();
    let text = std::fs::read_to_string(&file).map_err(|e| format!("{name} cannot be read: {e}"))?;
    Keymap::new(Some((&name, &text)))
}

fn home(cli: &Cli) -> &'static str {
    let asked = cli.view.as_deref().and_then(views::named);
    asked.unwrap_or(views::ALL[0]).id
}

fn post_to(tx: Sender<Msg>) -> Post {
    let tx = std::sync::Mutex::new(tx);
    Arc::new(move |msg| {
        // After the loop has ended nobody listens, and nothing is lost by that.
        let _ = tx.lock().map(|tx| tx.send(msg));
    })
}

fn input_to(tx: Sender<Msg>) -> impl Fn(Msg) + Send + Sync + 'static {
    let post = post_to(tx);
    move |msg| post(msg)
}

/// The pieces a turn works with.
struct Loop {
    app: App,
    effects: Effects,
    screen: Screen,
    rx: Receiver<Msg>,
    pacer: Pacer,
    theme: Theme,
}

/// The loop ends.
struct Ended;

impl Loop {
    fn now(&self) -> Now {
        Now { server: self.app.state.cluster.server_time(feed::now()), instant: Instant::now() }
    }

    fn turns(&mut self) -> Result<(), Failure> {
        self.pacer.touch(Cause::Key);
        loop {
            let wait = self.wait();
            let first = match self.rx.recv_timeout(wait) {
                Ok(msg) => Some(msg),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            if self.take_in(first).is_some() {
                return Ok(());
            }
            if let Err(e) = self.frame() {
                return Err(Failure {
                    code: exit::FAILED,
                    words: format!("the terminal could not be written to: {e}"),
                });
            }
        }
    }

    /// How long nothing has to be done unless a message comes.
    fn wait(&self) -> Duration {
        if self.app.busy {
            return Duration::ZERO;
        }
        let now = Instant::now();
        match self.pacer.due(now) {
            // While the last frame is still being written the next one could not be: its end wakes us.
            Some(_) if !self.screen.ready() => Duration::from_millis(50),
            Some(due) => due.saturating_duration_since(now),
            None => Duration::from_secs(3600),
        }
    }

    /// Takes in messages, then rows for no longer than a turn may last.
    fn take_in(&mut self, first: Option<Msg>) -> Option<Ended> {
        let mut next = first;
        while let Some(msg) = next.take().or_else(|| self.rx.try_recv().ok()) {
            if let Some(ended) = self.take(msg) {
                return Some(ended);
            }
        }
        let until = Instant::now() + TURN;
        while Instant::now() < until {
            let news = self.effects.drain(ROWS);
            if news.is_empty() {
                break;
            }
            for msg in news {
                if let Some(ended) = self.take(msg) {
                    return Some(ended);
                }
            }
        }
        None
    }

    fn take(&mut self, msg: Msg) -> Option<Ended> {
        let cause = match &msg {
            Msg::Key(..) | Msg::Paste(_) | Msg::Resize(..) | Msg::Returned(_) => Cause::Key,
            Msg::HungUp => {
                self.screen.abandon();
                return Some(Ended);
            }
            _ => Cause::Feed,
        };
        if !matches!(msg, Msg::Woken) {
            self.pacer.touch(cause);
        }
        let now = self.now();
        let fx = self.app.update(msg, now);
        self.perform(fx)
    }

    fn perform(&mut self, fx: Vec<crate::app::msg::Effect>) -> Option<Ended> {
        for effect in fx {
            match self.effects.perform(effect, &mut self.app) {
                None => {}
                Some(Ask::Repaint) => self.screen.repaint(),
                Some(Ask::Suspend) => self.screen.suspend(),
                Some(Ask::Quit) => return Some(Ended),
                Some(Ask::Lend(command)) => {
                    let outcome = self.screen.lend(&command.argv);
                    let now = self.now();
                    self.app.update(Msg::Returned(outcome.err()), now);
                    self.screen.repaint();
                }
            }
        }
        None
    }

    /// Draws if a frame is due and can be written.
    fn frame(&mut self) -> std::io::Result<()> {
        let instant = Instant::now();
        if self.app.busy {
            let now = self.now();
            self.app.work(now, SLICE);
        }
        if self.pacer.due(instant).is_none_or(|due| due > instant) || !self.screen.ready() {
            return Ok(());
        }
        let now = self.now();
        self.app.state.ui.size = self.screen.size();
        if let Some(gone) = paint::lay_out(&mut self.app.state, now.server) {
            self.app.say(now, Role::Warn, gone);
        }
        let (state, theme) = (&self.app.state, self.theme);
        let mut changes = None;
        self.screen
            .draw(|area, buf| changes = paint::paint(state, &theme, now.server, area, buf))?;
        let after = changes.map(|secs| Duration::from_secs(secs.max(1) as u64));
        self.pacer.drawn(instant, after);
        Ok(())
    }
}
