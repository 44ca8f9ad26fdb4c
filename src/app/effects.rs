//! Performs what the core asks for. Everything slow runs elsewhere and comes back as a message.

mod feeds;
mod kubectl;

use crate::app::cluster::fetch;
use crate::app::cluster::session::{Lock, PluginStdio};
use crate::app::connect::{Connection, Origin};
use crate::app::msg::{Effect, Msg, Note, SessionId};
use crate::app::preferences;
use crate::app::terminal::clipboard::Clipboard;
use crate::app::update::App;
use crate::state::cell::Role;
use crate::state::ui::RouteId;
use crate::state::ui::document::{Fetched, Form, Target};
use feeds::Feeds;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Handle;

pub use kubectl::Command;

/// Sends a message to the UI thread.
pub type Post = Arc<dyn Fn(Msg) + Send + Sync>;

/// What the loop itself has to do, because it owns the terminal.
#[derive(Debug)]
pub enum Ask {
    /// Repaint every cell.
    Repaint,
    /// To the shell.
    Suspend,
    /// Lend the terminal to a program.
    Lend(Box<Command>),
    /// End.
    Quit,
}

/// A connection on its way to the UI thread.
type Arriving = Arc<Mutex<Option<(SessionId, Connection)>>>;

/// Performs effects.
pub struct Effects {
    runtime: Handle,
    post: Post,
    connection: Connection,
    arriving: Arriving,
    feeds: Feeds,
    lock: Lock,
    clipboard: Clipboard,
    config: Option<PathBuf>,
    pulse: Option<tokio::task::JoinHandle<()>>,
}

impl Effects {
    /// Effects on an open connection.
    pub fn new(
        runtime: Handle,
        post: Post,
        connection: Connection,
        lock: Lock,
        clipboard: Clipboard,
        config: Option<PathBuf>,
    ) -> Effects {
        let feeds = Feeds::new(runtime.clone(), &connection, post.clone());
        let arriving = Arriving::default();
        let mut effects = Effects {
            runtime,
            post,
            connection,
            arriving,
            feeds,
            lock,
            clipboard,
            config,
            pulse: None,
        };
        effects.start_pulse(SessionId::default());
        effects
    }

    /// The mailboxes' news, at most about so many rows.
    pub fn drain(&self, rows: usize) -> Vec<Msg> {
        self.feeds.drain(rows)
    }

    /// Performs an effect; what only the loop can do is returned.
    pub fn perform(&mut self, effect: Effect, app: &mut App) -> Option<Ask> {
        match effect {
            Effect::Follow(tables) => self.feeds.follow(app, &tables),
            Effect::Adopt => self.adopt(app),
            Effect::Fetch(route, target, form) => self.fetch(route, target, form),
            Effect::FetchToCopy(target) => self.fetch_to_copy(target),
            Effect::Copy(what, text) => self.copy(what, text),
            Effect::Kubectl(args) => return self.kubectl(args),
            Effect::SwitchContext(name) => self.switch_context(app.session, name),
            Effect::SwitchNamespace(_) => self.feeds.rescope(app),
            Effect::Lock => self.lock.set(true),
            Effect::SavePreferences => self.save_preferences(app),
            Effect::Repaint => return Some(Ask::Repaint),
            Effect::Suspend => return Some(Ask::Suspend),
            Effect::Quit => return Some(Ask::Quit),
        }
        None
    }

    fn adopt(&mut self, app: &mut App) {
        let arrived = self.arriving.lock().map(|mut slot| slot.take()).unwrap_or_default();
        if let Some((id, connection)) = arrived.filter(|(id, _)| *id == app.session) {
            self.feeds = Feeds::new(self.runtime.clone(), &connection, self.post.clone());
            self.connection = connection;
            self.start_pulse(id);
        }
    }

    /// Tells our own request rate and the server's clock once a second, when they changed.
    fn start_pulse(&mut self, id: SessionId) {
        let (meter, post) = (self.connection.meter.clone(), self.post.clone());
        let task = async move {
            let mut counts = std::collections::VecDeque::from([meter.requests()]);
            let mut told = None;
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                counts.push_back(meter.requests());
                if counts.len() > 61 {
                    counts.pop_front();
                }
                let first = counts.front().copied().unwrap_or_default();
                let rate = meter.requests().saturating_sub(first) as u32;
                let news = Some((rate, meter.skew_seconds()));
                if news != told {
                    told = news;
                    post(Msg::Pulse(id, rate, meter.skew_seconds()));
                }
            }
        };
        if let Some(old) = self.pulse.replace(self.runtime.spawn(task)) {
            old.abort();
        }
    }

    fn fetch(&self, route: RouteId, target: Target, form: Form) {
        let (client, post) = (self.connection.client.clone(), self.post.clone());
        self.runtime.spawn(async move {
            let events = async {
                match form {
                    Form::Yaml => Ok(vec![]),
                    Form::Describe => {
                        fetch::events_of(&client, &target).await.map_err(|f| f.to_string())
                    }
                }
            };
            let (object, events) = futures_util::join!(fetch::get_object(&client, &target), events);
            let fetched = object.map(|object| Fetched { object, events });
            post(Msg::Fetched(route, fetched.map_err(|fault| fault.to_string())));
        });
    }

    fn fetch_to_copy(&self, target: Target) {
        let (client, post) = (self.connection.client.clone(), self.post.clone());
        self.runtime.spawn(async move {
            let object = fetch::get_object(&client, &target).await;
            // What is copied is masked like what is shown: a clipboard travels far.
            let yaml = object.map(|o| crate::state::doc::yaml_text(&o, Default::default()));
            post(Msg::FetchedToCopy(target, yaml.map_err(|fault| fault.to_string())));
        });
    }

    fn copy(&self, what: &'static str, text: String) {
        let post = self.post.clone();
        self.clipboard.copy(text, move |outcome| {
            let role = if outcome.is_ok() { Role::Ok } else { Role::Warn };
            let words = outcome.map_or_else(|why| why, |way| way);
            post(Msg::Said(Note { role, text: format!("{what}: {words}") }));
        });
    }

    fn kubectl(&self, args: Vec<String>) -> Option<Ask> {
        match Command::new(&self.connection, args) {
            Ok(command) => Some(Ask::Lend(Box::new(command))),
            Err(why) => {
                (self.post)(Msg::Said(Note { role: Role::Warn, text: why }));
                None
            }
        }
    }

    fn switch_context(&self, id: SessionId, name: String) {
        let (origin, lock, post) =
            (self.connection.origin.clone(), self.lock.clone(), self.post.clone());
        let slot = self.arriving.clone();
        self.runtime.spawn(async move {
            let opened = open_elsewhere(&origin, &name, lock).await;
            let outcome = opened.map(|connection| {
                let cluster = connection.cluster.clone();
                if let Ok(mut slot) = slot.lock() {
                    *slot = Some((id, connection));
                }
                cluster
            });
            post(Msg::Connected(id, outcome));
        });
    }

    fn save_preferences(&self, app: &App) {
        let Some(folder) = self.config.clone() else { return };
        let (columns, post) = (app.state.ui.columns.clone(), self.post.clone());
        self.runtime.spawn_blocking(move || {
            if let Err(text) = preferences::write_columns(&folder, &columns) {
                post(Msg::Said(Note { role: Role::Warn, text }));
            }
        });
    }
}

async fn open_elsewhere(origin: &Origin, name: &str, lock: Lock) -> Result<Connection, String> {
    let there = origin.at(name).map_err(|fault| fault.paragraph())?;
    there.open(lock, PluginStdio::Captured).await.map_err(|fault| fault.paragraph())
}
