//! The drain on the desk: read, decided, confirmed, and looked at while it runs. One at a time, of any number of nodes.

use super::App;
use super::desk::{Desk, Stage};
use crate::actions::drain::classify::Choice;
use crate::actions::drain::landing::Outlook;
use crate::actions::drain::orders::{Cmd, How, Scope};
use crate::actions::drain::plan::{DrainPlan, Facts};
use crate::app::drain::unfinished::Unfinished;
use crate::app::drain::{Ended, Told};
use crate::app::msg::{Effect, Now};
use crate::state::cell::Role;
use crate::state::ui::board::About;
use crate::state::ui::document::Form;
use crate::state::ui::{Page, RouteId};

/// Pods of a cluster of which the landing is worked out without being asked for: it reads all of them.
const SMALL: usize = 20_000;

impl App {
    /// Nodes are to be drained: shows what that would mean.
    pub(super) fn drain_nodes(&mut self, nodes: Vec<String>, now: Now, fx: &mut Vec<Effect>) {
        if self.drain.as_ref().is_some_and(Desk::runs) {
            self.say(now, Role::Warn, "a drain runs; this is its board");
            return self.drain_board(now);
        }
        let route = self.visit_board();
        self.drain = Some(Desk::new(route, nodes.clone(), Stage::Reading));
        self.show_board();
        fx.push(Effect::ReadDrain(route, nodes));
        self.follow(fx);
    }

    fn visit_board(&mut self) -> RouteId {
        self.state.ui.visit("drain", String::new(), Page::Board(Box::default()))
    }

    /// Back to the board, wherever it is in the history.
    pub(super) fn drain_board(&mut self, now: Now) {
        let Some(desk) = &self.drain else {
            return self.say(now, Role::Dim, "no drain was begun; D on a node begins one");
        };
        let route = desk.route;
        match self.state.ui.routes.iter().position(|r| r.id == route) {
            Some(at) => self.state.ui.at = at,
            None => {
                let route = self.visit_board();
                if let Some(desk) = &mut self.drain {
                    desk.route = route;
                }
            }
        }
        self.show_board();
    }

    pub(super) fn drain_read(
        &mut self,
        route: RouteId,
        facts: Result<Box<Facts>, String>,
        fx: &mut Vec<Effect>,
    ) {
        let small = self.state.store.table("pods").len() <= SMALL;
        let Some(desk) = self.drain.as_mut().filter(|d| d.route == route && !d.runs()) else {
            return;
        };
        desk.stage = match facts {
            Ok(facts) => {
                let plan = Box::new(DrainPlan::new(&facts, &desk.switches, &desk.overrides));
                if small {
                    fx.push(Effect::LandDrain(route, plan.clone()));
                }
                Stage::Planned { facts, plan, reading: small.then_some(0) }
            }
            Err(why) => Stage::Refused(why),
        };
        self.show_board();
    }

    pub(super) fn drain_landed(&mut self, route: RouteId, landing: Result<Outlook, String>) {
        let Some(desk) = self.drain.as_mut().filter(|d| d.route == route) else { return };
        if let Stage::Planned { plan, reading, .. } = &mut desk.stage {
            *reading = None;
            match landing {
                Ok(landing) => plan.landing = Some(landing),
                Err(why) => plan.notes.push(format!("where pods would land is not known: {why}")),
            }
        }
        self.show_board();
    }

    /// So many pods were read for the landing; whether that is about this board.
    pub(super) fn drain_reading(&mut self, route: RouteId, read: usize) -> bool {
        let Some(desk) = self.drain.as_mut().filter(|d| d.route == route) else { return false };
        if let Stage::Planned { reading: Some(so_far), .. } = &mut desk.stage {
            *so_far = read;
        }
        self.show_board();
        true
    }

    /// A confirmed drain is about to run.
    pub(super) fn drain_begins(&mut self, nodes: Vec<String>) {
        let route = match self.drain.take() {
            Some(desk) if self.state.ui.routes.iter().any(|r| r.id == desk.route) => desk.route,
            _ => self.visit_board(),
        };
        self.drain = Some(Desk::new(route, nodes, Stage::Running(None)));
        self.show_board();
    }

    pub(super) fn drain_told(&mut self, told: Box<Told>, now: Now) {
        let Some(desk) = self.drain.as_mut().filter(|d| d.runs()) else { return };
        let paused = told.progress.paused.clone();
        let news = paused.clone().filter(|why| desk.paused.as_ref() != Some(why));
        desk.paused = paused;
        desk.stage = Stage::Running(Some(told));
        self.show_board();
        if let Some(why) = news {
            self.say(now, Role::Warn, format!("the drain is paused: {why}"));
        }
    }

    pub(super) fn drain_ended(&mut self, ended: Box<Ended>, now: Now) {
        let Some(desk) = &mut self.drain else { return };
        let (role, words) = match (&ended.how, &ended.stopped) {
            (_, Some(why)) => (Role::Bad, why.clone()),
            (Some(How::Drained), _) => (Role::Ok, "drained; B shows it".to_owned()),
            (Some(How::Incomplete(left)), _) => {
                (Role::Warn, format!("the drain ended, {} nodes are not drained", left.len()))
            }
            (None, None) => (Role::Warn, "the drain was left; :drain-resume goes on".to_owned()),
        };
        desk.stage = Stage::Over(ended);
        self.show_board();
        self.say(now, role, words);
    }

    /// The interrupted drain is to be gone on with.
    pub(super) fn resume_drain(&mut self, now: Now, fx: &mut Vec<Effect>) {
        match self.not_now() {
            Some(why) => self.say(now, Role::Warn, why),
            None if self.state.cluster.read_only => self.say(now, Role::Warn, "drain: read-only"),
            None if self.drain.as_ref().is_some_and(Desk::runs) => {
                self.say(now, Role::Warn, "a drain runs already");
            }
            None => fx.push(Effect::ResumeDrain),
        }
    }

    /// Interrupted drains were found in the journal.
    pub(super) fn drain_unfinished(&mut self, found: &[Unfinished]) {
        let Some(first) = found.first() else { return };
        let key = |id: &str| self.state.ui.keys.get(id).cloned().unwrap_or_default();
        let more = match found.len() {
            1 => String::new(),
            n => format!(" There are {} more.", n - 1),
        };
        let text = format!(
            "{}.{more}\nNodes: {}.\n:drain-resume goes on after a look and a yes; each pod is read by its uid first. \
             :drain-abandon leaves it as it is. {} uncordons its nodes.",
            first.words(),
            first.nodes.join(" "),
            key("undo")
        );
        self.state.ui.notice("An unfinished drain".into(), text);
    }

    /// Commands of the board.
    pub(super) fn board_command(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) -> bool {
        let height = crate::views::board::height(self.state.ui.size.1.saturating_sub(3));
        let page = i64::from(height);
        let Some(board) = self.state.ui.board_mut() else { return false };
        match id {
            "up" => board.walk(-1, height),
            "down" => board.walk(1, height),
            "half-up" => board.walk(-page / 2, height),
            "half-down" => board.walk(page / 2, height),
            "page-up" => board.walk(-page, height),
            "page-down" => board.walk(page, height),
            "top" => board.walk(i64::MIN / 2, height),
            "bottom" => board.walk(i64::MAX / 2, height),
            "board-open" => self.board_open(now, fx),
            id if id.starts_with("drain-") && !GLOBAL.contains(&id) => self.drain_key(id, now, fx),
            _ => return false,
        }
        true
    }

    fn drain_key(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) {
        let Some(desk) = &mut self.drain else { return };
        match &desk.stage {
            Stage::Planned { .. } => self.plan_command(id, now, fx),
            Stage::Running(_) => self.run_command(id, now, fx),
            _ => self.say(now, Role::Dim, "there is nothing to be done here"),
        }
    }

    /// While it runs.
    fn run_command(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) {
        let here = self.state.ui.board().map(|b| b.here().clone()).unwrap_or_default();
        let Some(desk) = &self.drain else { return };
        let scope = match &here {
            About::Node(name) => Scope::Node(name.clone()),
            _ => Scope::All,
        };
        let uid = match &here {
            About::Pod(uid) => Some(uid.clone()),
            _ => None,
        };
        let cmd = match (id, uid) {
            ("drain-pause", _) if desk.is_paused(&scope) => Cmd::Resume(scope),
            ("drain-pause", _) => Cmd::Pause(scope),
            ("drain-retry", _) => Cmd::Retry(scope),
            ("drain-end", _) => Cmd::Abort { scope, uncordon: false },
            ("drain-uncordon", _) => Cmd::Abort { scope, uncordon: true },
            ("drain-keep", Some(uid)) => Cmd::Skip { uid },
            ("drain-evict", Some(uid)) => Cmd::Decide { uid, choice: Choice::Evict },
            ("drain-delete", _) => return self.escalate("delete", &here, now, fx),
            ("drain-force-delete", _) => return self.escalate("force-delete", &here, now, fx),
            ("drain-finalizer", _) => return self.escalate("remove-finalizer", &here, now, fx),
            ("drain-keep" | "drain-evict", None) => {
                return self.say(now, Role::Dim, "put the cursor on a pod");
            }
            _ => return self.say(now, Role::Dim, "that is for a drain that has not started"),
        };
        self.say(now, Role::Accent, cmd.words());
        fx.push(Effect::SayDrain(cmd));
    }

    fn board_open(&mut self, now: Now, fx: &mut Vec<Effect>) {
        let here = self.state.ui.board().map(|b| b.here().clone()).unwrap_or_default();
        match here {
            About::Pod(uid) => {
                if let Some(target) = self.board_pod(&uid) {
                    self.open(target, Form::Describe, fx);
                }
            }
            _ => self.say(now, Role::Dim, "enter explains the pod under the cursor"),
        }
    }

    /// Makes the board's lines anew, and the words that stand in the frame while a drain runs elsewhere.
    pub(super) fn show_board(&mut self) {
        let Some(desk) = &self.drain else { return };
        self.state.ui.underway = desk.brief();
        let route = self.state.ui.routes.iter_mut().find(|r| r.id == desk.route);
        let Some(Page::Board(board)) = route.map(|r| &mut r.page) else { return };
        desk.paint(board);
        let height = self.state.ui.size.1.saturating_sub(3);
        board.keep(crate::views::board::height(height));
    }
}

/// Commands of boards that work everywhere.
const GLOBAL: [&str; 3] = ["drain-board", "drain-resume", "drain-abandon"];
