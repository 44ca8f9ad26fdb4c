//! Keys become commands and actions.

use super::{App, data};
use crate::actions::{self, Offer};
use crate::app::keymap::{Hit, Place};
use crate::app::msg::{Effect, Now};
use crate::app::terminal::chord::{Chord, Key};
use crate::state::cell::Role;
use crate::state::ui::prompt::{Asking, Prompt};
use crate::state::ui::{Overlay, Page};
use crate::views::{self, overlay};
use std::time::Instant;

impl App {
    pub(super) fn key(&mut self, chord: Chord, read_at: Instant, now: Now, fx: &mut Vec<Effect>) {
        if self.state.ui.overlay == Overlay::Plan {
            return self.plan_key(chord, read_at, now, fx);
        }
        if self.state.ui.prompt.is_some() {
            self.prompt_key(chord, now, fx);
            return self.show_held(now);
        }
        self.pending.push(chord);
        let place = match self.state.ui.route().map(|r| &r.page) {
            _ if self.state.ui.overlay == Overlay::Doubt => Place::Question,
            Some(Page::Document(_)) => Place::Document,
            Some(Page::Board(_)) => Place::Board,
            Some(Page::Chart(_)) => Place::Chart,
            _ => Place::Table,
        };
        match self.keymap.find(place, &self.pending) {
            Hit::Pending => {
                let mut next = self.keymap.following(place, &self.pending);
                let ask = actions::ask(&self.state);
                next.retain(|(_, id)| match (actions::named(id), &ask) {
                    (Some(action), Some(ask)) => actions::fits(action, ask.target.table),
                    _ => true,
                });
                // The line may be cut: what can be done to this row comes first.
                next.sort_by_key(|(_, id)| match (actions::named(id), &ask) {
                    (Some(action), Some(ask)) => u8::from(action.offer(ask) != Offer::Yes),
                    _ => 2,
                });
                let words = next.iter().map(|(key, id)| format!("{key} {id}"));
                let typed =
                    self.pending.iter().map(|c| c.to_string()).collect::<Vec<_>>().join(" ");
                let text = format!("{typed}  then  {}", words.collect::<Vec<_>>().join("   "));
                self.say(now, Role::Accent, text);
            }
            Hit::Miss => {
                let first = self.pending.len() == 1;
                let typed =
                    self.pending.iter().map(|c| c.to_string()).collect::<Vec<_>>().join(" ");
                self.pending.clear();
                if !(first && self.overlay_key(chord, fx)) {
                    let help = self.state.ui.keys.get("help").cloned().unwrap_or_default();
                    self.say(
                        now,
                        Role::Dim,
                        format!("{typed} does nothing here; {help} shows the keys"),
                    );
                }
            }
            Hit::Id(id) => {
                if self.pending.len() > 1 {
                    self.state.ui.toast = None;
                }
                self.pending.clear();
                self.run(id, now, fx);
            }
        }
    }

    /// Keys that only an overlay knows.
    fn overlay_key(&mut self, chord: Chord, fx: &mut Vec<Effect>) -> bool {
        let reset =
            chord.key == Key::Char('r') && matches!(self.state.ui.overlay, Overlay::Columns(_));
        if reset {
            self.reset_columns(fx);
        }
        reset
    }

    /// Runs a command or an action by its id.
    pub fn run(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) {
        if self.overlay_command(id, fx) {
            return;
        }
        let on_rows = self.state.ui.table().is_some();
        let done = if self.state.ui.board().is_some() {
            self.board_command(id, now, fx)
        } else if self.state.ui.chart().is_some() {
            self.chart_command(id, now, fx)
        } else if on_rows {
            self.table_command(id, now, fx)
        } else {
            self.document_command(id, now, fx)
        };
        if !done && !self.global_command(id, now, fx) {
            self.act(id, now, fx);
        }
    }

    fn overlay_command(&mut self, id: &str, fx: &mut Vec<Effect>) -> bool {
        match self.state.ui.overlay {
            Overlay::None => false,
            Overlay::Columns(at) => self.choose_column(at, id, fx),
            Overlay::Feeds | Overlay::Notice | Overlay::Plan => false,
            Overlay::Doubt => {
                self.state.ui.overlay = Overlay::None;
                let doubted = self.doubted.take().filter(|_| id == "try-anyway");
                fx.extend(doubted.map(Effect::Kubectl));
                matches!(id, "try-anyway" | "back")
            }
            Overlay::Help(top) => {
                let view = self.state.ui.route().and_then(|r| views::named(r.view));
                let page = self.state.ui.size.1.saturating_sub(3);
                let last = (overlay::help_lines(&self.state, view) as u16).saturating_sub(page);
                let to = match id {
                    "up" | "line-up" => top.saturating_sub(1),
                    "down" | "line-down" | "enter" => top + 1,
                    "half-up" | "view-half-up" => top.saturating_sub(page / 2),
                    "half-down" | "view-half-down" => top + page / 2,
                    "page-up" | "view-page-up" => top.saturating_sub(page),
                    "page-down" | "view-page-down" | "mark" => top + page,
                    "top" | "view-top" => 0,
                    "bottom" | "view-bottom" => last,
                    _ => return false,
                };
                self.state.ui.overlay = Overlay::Help(to.min(last));
                true
            }
        }
    }

    fn global_command(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) -> bool {
        let open = self.state.ui.overlay;
        match id {
            "help" => self.state.ui.overlay = toggled(open, Overlay::Help(0)),
            "feeds" => self.state.ui.overlay = toggled(open, Overlay::Feeds),
            "command" => self.ask(Asking::Command, ""),
            "filter" => match self.state.ui.table().map(|t| t.filter.clone()) {
                // What a view opens with stays unless it is deleted: what is typed is one more term.
                Some(filter) if self.opened_with(&filter) => {
                    self.ask(Asking::Filter, &format!("{filter} "));
                }
                Some(filter) => self.ask(Asking::Filter, &filter),
                None => self.ask(Asking::Search, ""),
            },
            "back" if self.running.is_some() && self.state.ui.overlay == Overlay::None => {
                fx.push(Effect::Cancel);
                self.say(now, Role::Accent, "no further step is begun");
            }
            "back" => {
                self.back(now);
                self.follow(fx);
            }
            "undo" => self.undo(None, now, fx),
            "drain-board" => self.drain_board(now),
            "drain-resume" => self.resume_drain(now, fx),
            "drain-abandon" => fx.push(Effect::AbandonDrain),
            "previous" | "next" => {
                if !self.state.ui.walk(id == "next") {
                    self.say(now, Role::Dim, "there is nothing further in the history");
                }
                self.follow(fx);
                self.busy = true;
            }
            "open-journal" => self.visit_view("journal", fx),
            "whatif" => self.ask(Asking::Command, "whatif me list pods"),
            "refresh" => fx.push(Effect::Repaint),
            "login" => fx.push(Effect::LogIn),
            "lock" => self.lock(now, fx),
            "unlock" => self.unlock(now),
            "suspend" => fx.push(Effect::Suspend),
            "quit" if self.running.take().is_some() => {
                fx.push(Effect::Cancel);
                let words =
                    "a change is being made: it ends after its next step; again leaves at once";
                self.say(now, Role::Warn, words);
            }
            "quit" if self.drain.as_ref().is_some_and(|d| d.runs()) && !self.quits => {
                self.quits = true;
                let words = "a drain runs: leaving ends it where it is, to be resumed at the next start; again leaves";
                self.say(now, Role::Warn, words);
            }
            "quit" => {
                fx.push(Effect::LeaveDrain);
                fx.push(Effect::Quit);
            }
            _ => return false,
        }
        true
    }

    fn ask(&mut self, asking: Asking, text: &str) {
        self.state.ui.prompt = Some(Prompt::new(asking, text));
        self.complete();
    }

    /// Whether the view on screen opens with this filter.
    fn opened_with(&self, filter: &str) -> bool {
        let view = self.state.ui.route().map_or("", |r| r.view);
        views::opening(view).is_some_and(|(opening, _)| opening == filter)
    }

    /// Undoes the nearest thing: overlay, marks, filter, place.
    fn back(&mut self, now: Now) {
        if self.state.ui.overlay != Overlay::None {
            self.state.ui.overlay = Overlay::None;
            return;
        }
        if self.state.ui.toast.take().is_some_and(|t| matches!(t.role, Role::Bad | Role::Danger)) {
            return;
        }
        let table = self.state.ui.table();
        let typed = |filter: &str| !filter.is_empty() && !self.opened_with(filter);
        let (marks, filter) = table.map_or((0, false), |t| (t.marks.len(), typed(&t.filter)));
        if marks > 0 {
            if let Some(table) = self.state.ui.table_mut() {
                table.marks.clear();
            }
        } else if filter {
            let view = self.state.ui.route().map_or("", |r| r.view);
            // What a view opens with parses, as does nothing.
            let _ = self.filter(views::opening(view).map_or("", |(filter, _)| filter));
        } else if self.state.ui.walk(false) {
            self.busy = true;
        } else {
            let quit = self.state.ui.keys.get("quit").cloned().unwrap_or_default();
            self.say(now, Role::Dim, format!("this is the first place; {quit} leaves"));
        }
    }

    fn document_command(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) -> bool {
        let page = i64::from(self.state.ui.size.1.saturating_sub(3));
        let height = self.state.ui.size.1.saturating_sub(3);
        let Some(doc) = self.state.ui.document_mut() else { return false };
        match id {
            "line-up" => doc.scroll(-1, height),
            "line-down" => doc.scroll(1, height),
            "view-half-up" => doc.scroll(-page / 2, height),
            "view-half-down" => doc.scroll(page / 2, height),
            "view-page-up" => doc.scroll(-page, height),
            "view-page-down" => doc.scroll(page, height),
            "view-top" => doc.scroll(i64::MIN / 2, height),
            "view-bottom" => doc.scroll(i64::MAX / 2, height),
            "view-left" => doc.left = doc.left.saturating_sub(8),
            "view-right" => doc.left = (doc.left + 8).min(2000),
            "search-next" | "search-previous" => {
                if !doc.find(id == "search-previous") {
                    let text = if doc.search.is_empty() { "/ searches" } else { "no line matches" };
                    self.say(now, Role::Dim, text);
                }
            }
            "fold" | "reveal" => {
                let open = &mut doc.open;
                let part = if id == "fold" { &mut open.managed } else { &mut open.secrets };
                *part = !*part;
                data::write(doc, &self.state.store, now);
            }
            "reload" => self.reload(fx),
            _ => return false,
        }
        true
    }
}

fn toggled(open: Overlay, wanted: Overlay) -> Overlay {
    if std::mem::discriminant(&open) == std::mem::discriminant(&wanted) {
        Overlay::None
    } else {
        wanted
    }
}
