//! The session locked read-only by its operator, and unlocked again after a question.

use super::App;
use crate::app::msg::{Effect, Now};
use crate::state::cell::Role;
use crate::state::cluster::{Cluster, LOCKED};
use crate::state::ui::prompt::{Asking, Prompt};

impl App {
    /// Nothing that changes something leaves the process from now on, on this context and those after it.
    pub(super) fn lock(&mut self, now: Now, fx: &mut Vec<Effect>) {
        self.locked = true;
        fx.push(Effect::Lock);
        let cluster = &mut self.state.cluster;
        let words = match cluster.read_only && cluster.read_only_by != LOCKED {
            true => {
                format!("read-only already ({}); other contexts are now, too", cluster.read_only_by)
            }
            false => {
                let key = self.state.ui.keys.get("unlock").cloned().unwrap_or_default();
                format!("locked: read-only from now on; {key} unlocks after a question")
            }
        };
        hold(cluster);
        self.say(now, Role::Accent, words);
    }

    /// Asks for the context's name. Only a lock of this session opens: what a flag or a file asks for stays.
    pub(super) fn unlock(&mut self, now: Now) {
        let cluster = &self.state.cluster;
        let words = match (self.locked, &*cluster.read_only_by) {
            (true, by) if by == LOCKED => {
                let example = "this context's name, to change things again";
                self.unlocking = true;
                self.state.ui.prompt = Some(Prompt::new(Asking::Argument("unlock", example), ""));
                return;
            }
            _ if !cluster.read_only => "nothing is locked".to_owned(),
            (_, "--read-only") => {
                "it was started with --read-only; start again without it".to_owned()
            }
            (_, by) => format!("{by} asks for read-only here; change it there and start again"),
        };
        self.say(now, Role::Warn, words);
    }

    /// What was typed for an unlock; whether it was for one.
    pub(super) fn unlock_typed(&mut self, line: &str, now: Now, fx: &mut Vec<Effect>) -> bool {
        if !std::mem::take(&mut self.unlocking) {
            return false;
        }
        let cluster = &mut self.state.cluster;
        if line.trim() != cluster.context {
            let words = format!("still locked: the context is called {}", cluster.context);
            self.say(now, Role::Warn, words);
            return true;
        }
        self.locked = false;
        cluster.read_only = false;
        cluster.read_only_by.clear();
        fx.push(Effect::Unlock);
        self.say(now, Role::Warn, "unlocked: changes are sent again");
        true
    }

    /// A cluster that was connected while the session is locked is locked too.
    pub(super) fn keep_locked(&mut self) {
        if self.locked {
            hold(&mut self.state.cluster);
        }
    }
}

fn hold(cluster: &mut Cluster) {
    if !cluster.read_only {
        cluster.read_only = true;
        cluster.read_only_by = LOCKED.to_owned();
    }
}
