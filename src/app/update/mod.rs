//! What happens to the state when something happened. No I/O: what has to be done outside is returned as effects.

mod change;
mod chart;
mod data;
mod desk;
mod drain;
mod drain_plan;
mod escalate;
mod events;
mod export;
mod go;
mod keys;
mod lock;
mod prompt;
mod rows;

use crate::actions::plan::Plan;
use crate::actions::{Kubectl, Wish};
use crate::app::keymap::Keymap;
use crate::app::msg::{Effect, Msg, Note, Now, SessionId};
use crate::app::terminal::chord::Chord;
use crate::state::State;
use crate::state::cell::Role;
use crate::state::ui::Overlay;
use std::time::Instant;

/// The state with what a key means.
pub struct App {
    /// Everything the program knows.
    pub state: State,
    /// The keys in force.
    pub keymap: Keymap,
    /// The session whose news count.
    pub session: SessionId,
    /// Keys typed so far of a sequence.
    pub pending: Vec<Chord>,
    /// The view opened at start and after a switch of context.
    pub home: &'static str,
    /// A command that a review says no to.
    pub doubted: Option<Kubectl>,
    /// A change that waits for what has to be typed for it.
    pub(in crate::app) wish: Option<Wish>,
    /// The change on screen.
    pub(in crate::app) plan: Option<Plan>,
    /// A change that was planned while something was being typed: it is shown once that is done.
    pub(in crate::app) held: Option<(SessionId, Box<Plan>)>,
    /// When it was painted for the first time: keys read before that were not meant for it.
    pub(in crate::app) shown_at: Option<Instant>,
    /// Steps of the plan that is being performed, if one is.
    pub(in crate::app) running: Option<usize>,
    /// The drain that is planned, runs, or ran last.
    pub(in crate::app) drain: Option<desk::Desk>,
    /// Leaving was asked for once while a drain runs.
    pub(in crate::app) quits: bool,
    /// The operator locked the session.
    pub(in crate::app) locked: bool,
    /// What is being typed is the answer to an unlock.
    pub(in crate::app) unlocking: bool,
    /// Rows on their way into a file.
    pub(in crate::app) export: Option<export::Export>,
    /// Work on a whole table is left to do in slices.
    pub busy: bool,
    minute: i64,
}

impl App {
    /// An app that shows `home` once it is connected.
    pub fn new(keymap: Keymap, home: &'static str) -> App {
        let mut state = State::default();
        state.ui.keys = keymap.shown().clone();
        let session = SessionId::default();
        App {
            state,
            keymap,
            session,
            pending: vec![],
            home,
            doubted: None,
            wish: None,
            plan: None,
            held: None,
            shown_at: None,
            running: None,
            drain: None,
            quits: false,
            locked: false,
            unlocking: false,
            export: None,
            busy: false,
            minute: 0,
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, msg: Msg, now: Now) -> Vec<Effect> {
        let mut fx = vec![];
        self.forget_toast(now);
        match msg {
            Msg::Key(chord, read_at) => self.key(chord, read_at, now, &mut fx),
            Msg::Paste(text) => self.paste(&text, now),
            Msg::Resize(w, h) => {
                self.state.ui.size = (w, h);
                fx.push(Effect::Repaint);
            }
            Msg::Woken => {}
            Msg::Rows(parcel) => self.rows(&parcel),
            Msg::Health(feed, health) => self.health(feed, health, now, &mut fx),
            Msg::Reading(route, read) => self.reading(route, read, &mut fx),
            Msg::Fetched(route, fetched) => self.fetched(route, fetched, now),
            Msg::FetchedToCopy(target, yaml) => match yaml {
                Ok(report) if target.gvk.is_local() => fx.push(Effect::Copy("report", report)),
                Ok(yaml) => fx.push(Effect::Copy("YAML", yaml)),
                Err(why) => self.say(now, Role::Bad, format!("{}: {why}", target.path())),
            },
            Msg::Said(Note { role, text }) => self.say(now, role, text),
            Msg::Connected(id, outcome) => self.connected(id, outcome, &mut fx),
            Msg::Pulse(id, requests, skew) if id == self.session => {
                self.state.cluster.requests = requests;
                self.state.cluster.skew = skew;
            }
            Msg::Level(id, level) if id == self.session => self.state.cluster.level = level,
            Msg::Pulse(..) | Msg::Level(..) => {}
            // No gate of ours stands between another program and the cluster.
            Msg::Reviewed(command, _)
                if command.right.0 != "get" && self.state.cluster.read_only =>
            {
                self.say(now, Role::Warn, "read-only: kubectl was not started");
            }
            Msg::Reviewed(command, Ok(())) => fx.push(Effect::Kubectl(command)),
            Msg::Reviewed(command, Err(why)) => {
                self.state.ui.notice("An access review says no".into(), why);
                self.state.ui.overlay = Overlay::Doubt;
                self.doubted = Some(command);
            }
            Msg::Prepared(id, plan) => self.prepared(id, plan, now),
            Msg::Progress(n) => self.progress(n, now),
            Msg::DrainRead(route, facts) => self.drain_read(route, facts, &mut fx),
            Msg::DrainLanded(route, landing) => self.drain_landed(route, landing),
            Msg::DrainTold(told) => self.drain_told(told, now),
            Msg::DrainEnded(ended) => {
                self.drain_ended(ended, now);
                self.read_deeds(&mut fx);
            }
            Msg::DrainsLeft(id, found) if id == self.session => self.drain_unfinished(&found),
            Msg::DrainsLeft(..) => {}
            Msg::Executed(report) => {
                self.executed(&report, now);
                // What is measured shows what was changed.
                fx.push(Effect::LookAgain);
                self.read_deeds(&mut fx);
            }
            Msg::Deeds(id, deeds) => self.deeds(id, deeds),
            Msg::Counted(id, words) => self.counted(id, words, now),
            Msg::WantsTerminal(id, name) if id == self.session => {
                fx.push(Effect::SwitchContext(name, true));
            }
            Msg::WantsTerminal(..) => {}
            Msg::Returned(why) => {
                if let Some(why) = why {
                    self.say(now, Role::Warn, why);
                }
                fx.push(Effect::Repaint);
            }
        }
        self.observe(now);
        fx
    }

    /// Shows a message.
    pub fn say(&mut self, now: Now, role: Role, text: impl Into<String>) {
        self.state.ui.say(now.server, role, text);
    }

    fn forget_toast(&mut self, now: Now) {
        if self.state.ui.toast.as_ref().is_some_and(|t| t.until <= now.server) {
            self.state.ui.toast = None;
        }
    }
}
