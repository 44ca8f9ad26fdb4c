//! The events desk: standing still and going on, Normal events, counts, and the operator's own actions.

use super::App;
use crate::app::msg::{Effect, Now, SessionId};
use crate::state::cell::{Role, grouped};
use crate::state::kinds::events;
use crate::state::timeline::Deed;
use crate::views;

impl App {
    /// Whether events are on screen; says so if not.
    fn on_events(&mut self, now: Now) -> bool {
        let here = self.state.ui.route().is_some_and(|r| r.view == views::events::VIEW.id);
        if !here {
            self.say(now, Role::Dim, "this works on events; :events goes there");
        }
        here
    }

    /// Rows stand still so that they can be read, or go on.
    pub(super) fn pause_events(&mut self, now: Now) {
        if !self.on_events(now) {
            return;
        }
        let waiting = self.state.store.timeline().held.as_ref().map(|held| held.table.len());
        match waiting {
            None => {
                self.state.store.hold_events(now.server);
                self.say(now, Role::Accent, "events stand still and are still taken in");
            }
            Some(n) => {
                let changed = self.state.store.release_events();
                self.absorb(&changed);
                let n = grouped(n as i64);
                self.say(now, Role::Dim, format!("events go on; {n} changed meanwhile"));
            }
        }
    }

    /// Leaves Normal events out, or shows them too.
    pub(super) fn toggle_normal(&mut self, now: Now) {
        if !self.on_events(now) {
            return;
        }
        let filter = self.state.ui.table().map(|t| t.filter.clone()).unwrap_or_default();
        // An alternative would be weakened by a term that joins one part only.
        if filter.contains('|') {
            let words = "the filter has alternatives; put !type:=Normal into each by hand";
            return self.say(now, Role::Dim, words);
        }
        let term = views::events::NOTABLE;
        let filter = match filter.contains(term) {
            true => filter.replacen(term, "", 1).trim().to_owned(),
            false => format!("{term} {filter}").trim().to_owned(),
        };
        if let Err(why) = self.filter(&filter) {
            self.say(now, Role::Warn, why.to_string());
        }
    }

    pub(super) fn count_events(&mut self, now: Now, fx: &mut Vec<Effect>) {
        if self.on_events(now) {
            self.say(now, Role::Dim, "asking how many there are");
            fx.push(Effect::CountEvents);
        }
    }

    pub(super) fn counted(&mut self, id: SessionId, words: Result<String, String>, now: Now) {
        if id != self.session {
            return;
        }
        match words {
            Ok(words) => {
                self.state.ui.toast = None;
                self.state.ui.notice("Events, as the server counts them".into(), words);
            }
            Err(why) => self.say(now, Role::Warn, format!("events were not counted: {why}")),
        }
    }

    /// Asks for the operator's own actions, if events are followed.
    pub(super) fn read_deeds(&self, fx: &mut Vec<Effect>) {
        let here = self.state.ui.routes.iter().any(|r| r.view == views::events::VIEW.id);
        if here {
            fx.push(Effect::ReadDeeds);
        }
    }

    /// The operator's own actions join the timeline; those that are there already change nothing.
    pub(super) fn deeds(&mut self, id: SessionId, mut deeds: Vec<Deed>) {
        let store = &self.state.store;
        let table = store.table_index(events::TABLE.id);
        let feed = store.feeds.iter().find(|f| Some(f.table) == table);
        let Some(feed) = feed.filter(|_| id == self.session) else { return };
        // In one namespace only what was done there is of interest.
        let scope = feed.namespace.clone();
        deeds.retain(|d| {
            scope.as_ref().is_none_or(|ns| *ns == d.namespace || d.namespace.is_empty())
        });
        for deed in &mut deeds {
            deed.at = self.state.cluster.server_time(deed.at);
        }
        let parcel = Deed::parcel(feed.id, &deeds);
        self.rows(&parcel);
    }
}
