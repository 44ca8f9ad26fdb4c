//! Performs what the core asks for. Everything slow runs elsewhere and comes back as a message.

pub mod change;
mod drain;
mod enrol;
pub mod events;
pub mod fairness;
mod feeds;
pub mod insight;
mod journal;
mod kubectl;
mod kubelets;
mod pulse;
mod save;
mod switch;

use crate::actions::plan::Armed;
use crate::actions::{Kubectl, Wish, make_user};
use crate::app::cluster::session::{Fault, Lock, PluginStdio, Review, may};
use crate::app::cluster::{Client, fetch};
use crate::app::connect::Connection;
use crate::app::drain::Reins;
use crate::app::execute::Report;
use crate::app::memory;
use crate::app::msg::{Effect, Msg, Note, SessionId};
use crate::app::preferences;
use crate::app::terminal::clipboard::Clipboard;
use crate::app::update::App;
use crate::state::cell::Role;
use crate::state::time::Epoch;
use crate::state::ui::RouteId;
use crate::state::ui::document::{Fetched, Form, Target};
use change::Reach;
use feeds::Feeds;
use kubelets::Kubelets;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use switch::{Arriving, Switch};
use tokio::runtime::Handle;

/// What is done while the terminal is lent; what went wrong, in words.
pub type Errand = Box<dyn FnOnce() -> Option<String> + Send>;

/// Sends a message to the UI thread.
pub type Post = Arc<dyn Fn(Msg) + Send + Sync>;

/// What the loop itself has to do, because it owns the terminal.
pub enum Ask {
    /// Repaint every cell.
    Repaint,
    /// To the shell.
    Suspend,
    /// Lend the terminal.
    Lend(Errand),
    /// End.
    Quit,
}

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
    /// Ends the plan that is being performed before its next step.
    cancelled: Arc<AtomicBool>,
    /// A user who is being made, with the key, and the place for the kubeconfig.
    enrolment: Option<enrol::Enrolling>,
    /// Says things to the drain that runs.
    reins: Option<Reins>,
    /// Reads the whole cluster for a page.
    reading: Option<tokio::task::JoinHandle<()>>,
    /// Reads a kubelet for a page.
    kubelets: Kubelets,
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
            cancelled: Arc::default(),
            enrolment: None,
            reins: None,
            reading: None,
            kubelets: Kubelets::default(),
        };
        effects.start_pulse(SessionId::default());
        effects
    }

    /// The time of this machine.
    pub fn clock(&self) -> Epoch {
        (self.connection.upstream.clock)()
    }

    /// Whether all that waits in the mailboxes is a few live deltas.
    pub fn trickles(&self) -> bool {
        self.feeds.trickles()
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
            Effect::WhichSchema(route, question) => self.which_schema(route, *question),
            Effect::StopReading => self.stop_reading(),
            Effect::FetchToCopy(target) => self.fetch_to_copy(target),
            Effect::Copy(what, text) => self.copy(what, text),
            Effect::Review(command) => self.review(command),
            Effect::Kubectl(command) => return self.kubectl(command),
            Effect::Prepare(wish) if wish.action == make_user::ID => {
                self.prepare_user(app.session, &wish);
            }
            Effect::Prepare(wish) => self.prepare(app.session, wish),
            Effect::PrepareUndo(run) => self.prepare_undo(app.session, run),
            Effect::Execute(armed) => {
                self.enrol(app.session, &armed);
                self.execute(armed);
            }
            Effect::ReadDrain(route, nodes) => self.read_drain(route, nodes),
            Effect::LandDrain(route, plan) => self.land_drain(route, *plan),
            Effect::SaveDrain(file, plan) => self.save_drain(file, plan),
            Effect::SaveReport(run) => self.save_report(run),
            Effect::SayDrain(cmd) => self.reins.iter().for_each(|reins| reins.say(cmd.clone())),
            Effect::LeaveDrain => self.reins.iter().for_each(Reins::leave),
            Effect::FindDrains => self.find_drains(app.session),
            Effect::ResumeDrain => self.resume_drain(app.session),
            Effect::AbandonDrain => self.abandon_drain(),
            Effect::ReadDeeds => self.read_deeds(app.session),
            Effect::LookAgain => self.connection.upstream.nudge(),
            Effect::SaveText(file, text, what) => self.save_text(file, text, what),
            Effect::CountEvents => self.count_events(app.session),
            Effect::Cancel => self.cancelled.store(true, Ordering::SeqCst),
            Effect::LogIn => return self.log_in(),
            Effect::SwitchContext(name, false) => self.switch_context(app.session, name),
            Effect::SwitchContext(name, true) => return self.switch_asking(app.session, name),
            Effect::SwitchNamespace(_) => self.feeds.rescope(app),
            Effect::Lock => self.lock.set(true),
            Effect::Unlock => self.lock.set(false),
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
            // The feeds that were left need a moment to end.
            self.runtime.spawn(async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                tokio::task::spawn_blocking(memory::give_back);
            });
        }
    }

    fn stop_reading(&mut self) {
        if let Some(reading) = self.reading.take() {
            reading.abort();
        }
    }

    fn fetch(&mut self, route: RouteId, target: Target, form: Form) {
        let (client, post) = (self.connection.client.clone(), self.post.clone());
        let now = self.connection.now();
        if form == Form::Dump {
            return self.dump(route, &target);
        }
        let begin =
            if form == Form::Kubelet { self.kubelets.turn(Instant::now()) } else { Instant::now() };
        let task = self.runtime.spawn(async move {
            tokio::time::sleep_until(begin.into()).await;
            let told = |read| post(Msg::Reading(route, read));
            let fetched = match target.gvk.is_local() {
                true => journal::run(&target, form).await,
                false => fetched(&client, &target, form, now, &told)
                    .await
                    .map_err(|fault| fault.to_string()),
            };
            post(Msg::Fetched(route, fetched));
        });
        match form {
            // The whole cluster is read for one page at a time.
            Form::Why | Form::Stuck => {
                if let Some(before) = self.reading.replace(task) {
                    before.abort();
                }
            }
            Form::Kubelet => {
                if let Some(left) = self.kubelets.is_read_by(route, task) {
                    (self.post)(Msg::Fetched(left, Err(kubelets::LEFT.into())));
                }
            }
            _ => {}
        }
    }

    fn fetch_to_copy(&self, target: Target) {
        let (client, post) = (self.connection.client.clone(), self.post.clone());
        self.runtime.spawn(async move {
            if target.gvk.is_local() {
                let report = journal::report_of(&target).await;
                return post(Msg::FetchedToCopy(target, report));
            }
            let object = fetch::get_object(&client, &target).await;
            // What is copied is masked like what is shown: a clipboard travels far.
            let yaml = object.map(|o| crate::state::doc::yaml_text(&o, Default::default()));
            post(Msg::FetchedToCopy(target, yaml.map_err(|fault| fault.to_string())));
        });
    }

    fn copy(&self, what: &'static str, text: String) {
        self.clipboard.copy(what, text);
    }

    fn review(&self, command: Kubectl) {
        let (client, post) = (self.connection.client.clone(), self.post.clone());
        self.runtime.spawn(async move {
            let target = &command.target;
            if let Err(fault) = fetch::get_object(&client, target).await {
                let text = format!("{}: {fault}", target.path());
                return post(Msg::Said(Note { role: Role::Warn, text }));
            }
            let (verb, resource) = command.right;
            let place = Some(target.namespace.as_str());
            let verdict = match may(&client, verb, target.gvk.group, resource, place).await {
                Review::Denied(reason) => Err(denial(&command, &reason)),
                // What cannot be asked is tried.
                Review::Allowed | Review::Unknown(_) => Ok(()),
            };
            post(Msg::Reviewed(command, verdict));
        });
    }

    fn kubectl(&self, command: Kubectl) -> Option<Ask> {
        match kubectl::errand(&self.connection, command) {
            Ok(errand) => Some(Ask::Lend(errand)),
            Err(why) => self.refuse(why),
        }
    }

    fn prepare(&self, id: SessionId, wish: Wish) {
        let (upstream, post) = (self.connection.upstream.clone(), self.post.clone());
        let (cluster, now) = (self.connection.cluster.clone(), self.connection.now());
        self.runtime.spawn(async move {
            let plan = change::prepare(&upstream, &wish, &cluster, now).await;
            post(Msg::Prepared(id, plan.map(Box::new)));
        });
    }

    fn prepare_undo(&self, id: SessionId, run: Option<String>) {
        let (cluster, post) = (self.connection.cluster.clone(), self.post.clone());
        self.runtime.spawn_blocking(move || {
            let plan = change::undo(run.as_deref(), &cluster).map(Box::new);
            post(Msg::Prepared(id, plan));
        });
    }

    fn execute(&mut self, armed: Armed) {
        if armed.plan().drain.is_some() {
            return self.run_drain(armed);
        }
        self.cancelled = Arc::default();
        let reach = Reach { runtime: self.runtime.clone(), client: self.connection.client.clone() };
        let (cluster, cancelled) = (&self.connection.cluster, self.cancelled.clone());
        if let Err(why) = change::perform(armed, reach, cluster, cancelled, self.post.clone()) {
            let report = Report {
                stopped: Some(format!("nothing was sent: the system gives no thread: {why}")),
                ..Report::default()
            };
            (self.post)(Msg::Executed(Box::new(report)));
        }
    }

    fn log_in(&self) -> Option<Ask> {
        let Some(session) = self.connection.session.clone() else {
            return self.refuse("the demo cluster asks for no credentials".into());
        };
        let runtime = self.runtime.clone();
        Some(Ask::Lend(Box::new(move || {
            let renewed = runtime.block_on(session.renew(PluginStdio::Inherit));
            renewed.err().map(|fault| fault.to_string())
        })))
    }

    fn refuse(&self, text: String) -> Option<Ask> {
        (self.post)(Msg::Said(Note { role: Role::Warn, text }));
        None
    }

    fn switch_context(&self, id: SessionId, name: String) {
        let (switch, post) = (self.switch(id, &name), self.post.clone());
        self.runtime.spawn(async move {
            post(match switch.open(PluginStdio::Captured).await {
                Err(fault) if fault.needs_terminal() => Msg::WantsTerminal(id, name),
                Err(fault) => Msg::Connected(id, Err(fault.paragraph())),
                Ok(cluster) => Msg::Connected(id, Ok(cluster)),
            });
        });
    }

    fn switch_asking(&self, id: SessionId, name: String) -> Option<Ask> {
        let (switch, post) = (self.switch(id, &name), self.post.clone());
        let runtime = self.runtime.clone();
        Some(Ask::Lend(Box::new(move || {
            let opened = runtime.block_on(switch.open(PluginStdio::Inherit));
            post(Msg::Connected(id, opened.map_err(|fault| fault.paragraph())));
            None
        })))
    }

    fn switch(&self, id: SessionId, name: &str) -> Switch {
        let (origin, lock) = (self.connection.origin.clone(), self.lock.clone());
        Switch { id, name: name.to_owned(), origin, lock, arriving: self.arriving.clone() }
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

fn denial(command: &Kubectl, reason: &str) -> String {
    let (verb, resource) = command.right;
    let place = &command.target.namespace;
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    format!(
        "You may not {verb} {resource} in {place}{reason}. Some gateways answer reviews wrongly; only the server's \
         refusal of the request itself is proof."
    )
}

/// What a document needs.
async fn fetched(
    client: &Client,
    target: &Target,
    form: Form,
    now: Epoch,
    told: &(dyn Fn(usize) + Sync),
) -> Result<Fetched, Fault> {
    let events = async {
        match form {
            Form::Describe => fetch::events_of(client, target).await.map_err(|f| f.to_string()),
            _ => Ok(vec![]),
        }
    };
    let (object, events) = tokio::join!(fetch::get_object(client, target), events);
    let object = object?;
    let page = match form {
        // Those of no object are made elsewhere.
        Form::Yaml | Form::Describe | Form::WhatIf | Form::Dump => None,
        Form::Why => Some(insight::why_pending(client, &object, now, told).await?),
        Form::Kubelet => Some(insight::kubelet(client, target, now).await),
        Form::Stuck => Some(insight::stuck(client, target, &object, now).await?),
    };
    Ok(Fetched { object, events, page })
}
