//! The UI thread: the sole owner of the state and the terminal.
//!
//! Invariant: nothing here waits but for the next event or the next due frame. A program that borrows the terminal is
//! waited for on another thread, and rows are taken in meanwhile.

use crate::app::cli::{Cli, Failure, exit};
use crate::app::cluster::session::{Lock, PluginStdio};
use crate::app::connect::{Connection, Origin};
use crate::app::effects::{Ask, Effects, Errand, Post};
use crate::app::keymap::Keymap;
use crate::app::msg::{Effect, Msg, Note, Now};
use crate::app::pacer::{Cause, Pacer};
use crate::app::terminal::clipboard::{self, Clipboard, Outcome, Route};
use crate::app::terminal::guard;
use crate::app::terminal::input::Input;
use crate::app::terminal::profile::{Asked, CursorStyle, Depth, Glyphs, TermProfile, detect};
use crate::app::terminal::signals::{HANG_UP_CODE, HANG_UP_GRACE, Signal};
use crate::app::terminal::writer::Ready;
use crate::app::terminal::{Event, Terminal, tty};
use crate::app::update::App;
use crate::app::{nap, preferences};
use crate::state::cell::Role;
use crate::views::{self, paint, theme::Theme};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, Runtime};

/// Time a turn may spend on taking in rows before a key is looked at again.
const TURN: Duration = Duration::from_millis(4);
/// Rows taken from the mailbox at once, and rows worked on in one slice of the lens.
const ROWS: usize = 1024;
const SLICE: usize = 8192;
/// Rows written in one slice of a table that is saved.
const WRITTEN: usize = 512;
/// News of objects that trickle in wait this long for more, so that a turn is worth its while; lists and floods do not.
const GATHER: Duration = Duration::from_millis(50);
/// An hour: as good as never for a wait that every event ends.
const IDLE: Duration = Duration::from_secs(3600);
/// How a Rust program ends after a panic.
const PANICKED: u8 = 101;

/// What wakes the UI thread.
enum Wake {
    Terminal(Event),
    Core(Box<Msg>),
}

/// How the cockpit ended.
struct Ended {
    code: u8,
    words: Option<String>,
}

impl Ended {
    fn with(code: u8) -> Ended {
        Ended { code, words: None }
    }

    fn lost(why: &std::io::Error) -> Ended {
        let words = Some(format!("the terminal could not be taken back: {why}"));
        Ended { code: exit::FAILED, words }
    }
}

/// Opens the cockpit and runs it to its end; the exit code.
///
/// # Errors
/// What stood in the way before a screen was drawn, or broke it.
pub fn run(cli: &Cli) -> Result<u8, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    let asked = Asked { ascii: cli.screen.ascii, link: cli.screen.link, tty: tty::is_tty() };
    let profile = detect(&env, asked).map_err(|e| Failure::usage(e.to_string()))?;
    let config = preferences::folder(&env);
    let keymap = Keymap::of_folder(config.as_deref()).map_err(Failure::usage)?;
    let columns = config.as_deref().map(preferences::read_columns).transpose();
    let columns = columns.map_err(Failure::usage)?.unwrap_or_default();
    let runtime = nap::runtime();
    let runtime = runtime.map_err(|e| Failure::failed(format!("the system refuses: {e}")))?;
    let lock = Lock::new(cli.common.read_only);
    let connection = connect(cli, &runtime, lock.clone())?;

    let cluster = connection.cluster.clone();
    let mut app = App::new(keymap, home(cli));
    app.state.ui.columns = columns;
    let (tx, rx) = channel();
    let (terminal, clipboard) = take_terminal(&profile, &tx)
        .map_err(|e| Failure::failed(format!("the terminal could not be taken: {e}")))?;
    let handle =
        drive(runtime).map_err(|e| Failure::failed(format!("no thread to be had: {e}")))?;
    let effects = Effects::new(handle, post_to(tx.clone()), connection, lock, clipboard, config);
    let theme = Theme {
        colour: profile.depth != Depth::Mono,
        ascii: profile.glyphs == Glyphs::Ascii,
        bar: profile.cursor == CursorStyle::Bar,
    };
    let (pacer, gathers) = (Pacer::default(), Instant::now());
    let mut ui = Loop { app, effects, terminal, tx, rx, pacer, theme, gathers, news: false };
    let mut fx = vec![];
    ui.app.enter(cluster, &mut fx);
    let ended = ui.perform(fx).unwrap_or_else(|| ui.turns());
    drop(ui);
    match ended.words {
        None => Ok(ended.code),
        Some(words) => Err(Failure { code: ended.code, words }),
    }
}

fn connect(cli: &Cli, runtime: &Runtime, lock: Lock) -> Result<Connection, Failure> {
    let paragraph = |f: crate::app::cluster::session::StartFault| Failure::failed(f.paragraph());
    let origin = Origin::of(&cli.common).map_err(paragraph)?;
    let opened = runtime.block_on(origin.open(lock, PluginStdio::Inherit));
    let mut connection = opened.map_err(paragraph)?;
    connection.cluster.namespace = cli.common.connect.namespace.clone();
    Ok(connection)
}

/// Everything that talks to the cluster runs on one thread beside this one, for as long as the process lives: watches
/// and probes need no farewell.
fn drive(runtime: Runtime) -> std::io::Result<Handle> {
    let handle = runtime.handle().clone();
    let forever = move || runtime.block_on(std::future::pending::<()>());
    thread::Builder::new().name("cluster".into()).spawn(forever)?;
    Ok(handle)
}

fn take_terminal(
    profile: &TermProfile,
    tx: &Sender<Wake>,
) -> std::io::Result<(Terminal, Clipboard)> {
    let events = Mutex::new(tx.clone());
    let terminal = Terminal::open(profile, move |event| send(&events, Wake::Terminal(event)))?;
    let folder = clipboard::state_folder(&|name| std::env::var(name).ok());
    let post = post_to(tx.clone());
    let clipboard =
        Clipboard::start(Route::of(profile), terminal.aside(), folder, move |what, outcome| {
            let failed = matches!(outcome, Outcome::Failed(_));
            let role = if failed { Role::Warn } else { Role::Ok };
            post(Msg::Said(Note { role, text: format!("{what}: {outcome}") }));
        })?;
    Ok((terminal, clipboard))
}

fn post_to(tx: Sender<Wake>) -> Post {
    let tx = Mutex::new(tx);
    Arc::new(move |msg| send(&tx, Wake::Core(Box::new(msg))))
}

fn send(tx: &Mutex<Sender<Wake>>, wake: Wake) {
    // After the loop has ended nobody listens, and nothing is lost by that.
    let _ = tx.lock().map(|tx| tx.send(wake));
}

fn home(cli: &Cli) -> &'static str {
    let asked = cli.view.as_deref().and_then(views::named);
    asked.unwrap_or(views::ALL[0]).id
}

/// The pieces a turn works with.
struct Loop {
    app: App,
    effects: Effects,
    terminal: Terminal,
    tx: Sender<Wake>,
    rx: Receiver<Wake>,
    pacer: Pacer,
    theme: Theme,
    /// Until when news that trickle in are left in the mailbox.
    gathers: Instant,
    /// Whether there are some.
    news: bool,
}

impl Loop {
    fn now(&self) -> Now {
        let server = self.app.state.cluster.server_time(self.effects.clock());
        Now { server, instant: Instant::now() }
    }

    fn turns(&mut self) -> Ended {
        self.pacer.touch(Cause::Key);
        loop {
            let first = match self.rx.recv_timeout(self.wait()) {
                Ok(wake) => Some(wake),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ended::with(exit::DONE),
            };
            if let Some(ended) = self.take_in(first) {
                return ended;
            }
            self.frame();
        }
    }

    /// How long nothing has to be done unless an event comes.
    fn wait(&self) -> Duration {
        if self.app.busy {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let frame = self.pacer.due(now).and_then(|due| match self.terminal.ready(now) {
            Ready::Now => Some(due),
            Ready::At(paid) => Some(due.max(paid)),
            Ready::Later => None,
        });
        let news = self.news.then_some(self.gathers);
        let sample = self.app.samples().map(|pause| now + pause);
        let until = frame.into_iter().chain(news).chain(sample).min();
        until.map_or(IDLE, |until| until.saturating_duration_since(now))
    }

    /// Takes in events, then rows, for no longer than a turn may last: a flood of either must not keep the screen waiting.
    fn take_in(&mut self, first: Option<Wake>) -> Option<Ended> {
        let until = Instant::now() + TURN;
        let mut next = first;
        while let Some(wake) = next.take().or_else(|| self.rx.try_recv().ok()) {
            let ended = match wake {
                Wake::Terminal(event) => self.terminal_event(event),
                Wake::Core(msg) => self.take(*msg),
            };
            if ended.is_some() {
                return ended;
            }
            if Instant::now() >= until {
                break;
            }
        }
        self.news = Instant::now() < self.gathers && self.effects.trickles();
        if self.news {
            return None;
        }
        loop {
            // What is left in the mailbox after this wakes us again.
            let news = self.effects.drain(ROWS);
            let nothing = news.is_empty();
            for msg in news {
                if let Some(ended) = self.take(msg) {
                    return Some(ended);
                }
            }
            if nothing || Instant::now() >= until {
                self.gathers = Instant::now() + GATHER;
                return None;
            }
        }
    }

    fn terminal_event(&mut self, event: Event) -> Option<Ended> {
        match event {
            Event::Input(Input::Key(chord, at)) => self.take(Msg::Key(chord, at)),
            Event::Input(Input::Paste(text)) => self.take(Msg::Paste(text)),
            Event::Input(Input::Resize(width, height)) => {
                self.terminal.resize(width, height);
                self.take(Msg::Resize(width, height))
            }
            Event::Input(Input::Focus(_)) | Event::Written(..) => None,
            Event::Input(Input::TtyGone) => Some(Ended::with(HANG_UP_CODE as u8)),
            Event::Panicked(words) => Some(Ended { code: PANICKED, words: Some(words) }),
            Event::Signal(signal) => self.signal(signal),
        }
    }

    fn signal(&mut self, signal: Signal) -> Option<Ended> {
        match signal {
            Signal::Terminate(number) => {
                let code = 128 + number;
                guard::end_within(HANG_UP_GRACE, code);
                Some(Ended::with(code as u8))
            }
            Signal::HangUp => Some(Ended::with(HANG_UP_CODE as u8)),
            Signal::Stop => {
                self.terminal.stop();
                None
            }
            Signal::Continue => {
                self.pacer.touch(Cause::Key);
                self.terminal.resume().err().map(|why| Ended::lost(&why))
            }
        }
    }

    fn take(&mut self, msg: Msg) -> Option<Ended> {
        match &msg {
            Msg::Woken => {}
            Msg::Key(..) | Msg::Paste(_) | Msg::Resize(..) => self.pacer.touch(Cause::Key),
            Msg::Returned(_) => {
                self.pacer.touch(Cause::Key);
                if let Err(why) = self.terminal.take_back() {
                    return Some(Ended::lost(&why));
                }
            }
            _ => self.pacer.touch(Cause::Feed),
        }
        let now = self.now();
        let fx = self.app.update(msg, now);
        self.perform(fx)
    }

    fn perform(&mut self, fx: Vec<Effect>) -> Option<Ended> {
        for effect in fx {
            match self.effects.perform(effect, &mut self.app) {
                None => {}
                Some(Ask::Repaint) => self.terminal.repaint(),
                Some(Ask::Suspend) => {
                    if let Err(why) = self.terminal.suspend() {
                        let now = self.now();
                        self.app.say(now, Role::Warn, why.to_string());
                    }
                }
                Some(Ask::Quit) => return Some(Ended::with(exit::DONE)),
                Some(Ask::Lend(errand)) => self.lend(errand),
            }
        }
        None
    }

    /// Lends the terminal for an errand, which runs on a thread of its own and tells when it has returned.
    fn lend(&mut self, errand: Errand) {
        self.terminal.lend();
        let tx = self.tx.clone();
        let run = move || {
            let words = errand();
            // After the loop has ended nobody waits for the terminal.
            let _ = tx.send(Wake::Core(Box::new(Msg::Returned(words))));
        };
        if let Err(why) = thread::Builder::new().name("borrower".into()).spawn(run) {
            let words = Some(format!("not started: the system gives no thread: {why}"));
            let _ = self.tx.send(Wake::Core(Box::new(Msg::Returned(words))));
        }
    }

    /// Draws if a frame is due and can be written.
    fn frame(&mut self) {
        let now = self.now();
        if self.app.busy {
            self.app.work(now, SLICE);
            let saved = self.app.export(now, WRITTEN).into_iter().collect();
            // Nothing that is saved ends the loop.
            let _ = self.perform(saved);
        }
        self.app.observe(now);
        let due = self.pacer.due(now.instant).is_some_and(|due| due <= now.instant);
        if !due || self.terminal.ready(now.instant) != Ready::Now {
            return;
        }
        self.app.state.ui.size = self.terminal.size();
        if let Some(gone) = paint::lay_out(&mut self.app.state, now.server) {
            self.app.say(now, Role::Warn, gone);
        }
        let (state, theme) = (&self.app.state, self.theme);
        let mut changes = None;
        self.terminal.draw(|frame| {
            let area = frame.area();
            changes = paint::paint(state, &theme, now.server, area, frame.buffer_mut());
        });
        let after = changes.map(|secs| Duration::from_secs(secs.max(1) as u64));
        self.pacer.drawn(now.instant, after);
        self.app.drawn(Instant::now());
    }
}
