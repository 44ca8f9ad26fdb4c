//! From a wish to a confirmed plan: what has to be typed, the preview, the answer, and what became of it.
//!
//! Invariant: only keys that were read after the preview was on screen are looked at, and Enter never says yes. One change
//! at a time, on the cluster it was planned on.

use super::App;
use crate::actions::plan::{Answer, Danger, Plan, Weight};
use crate::actions::{self, Wish};
use crate::app::execute::Report;
use crate::app::msg::{Effect, Now, SessionId};
use crate::app::terminal::chord::{Chord, Key};
use crate::state::cell::Role;
use crate::state::cluster::UNRECORDED;
use crate::state::ui::Overlay;
use crate::state::ui::prompt::{Asking, Prompt};
use crate::state::ui::proposal::{Proposal, Wanted};
use std::time::{Duration, Instant};

/// What disturbs something must have been on screen this long before a `y` counts.
const READ: Duration = Duration::from_millis(300);

/// Objects of one plan at most: each is read before the preview, and a longer list is read by nobody.
const MOST: usize = 500;

impl App {
    /// A change was asked for: types what it needs, or has it planned.
    pub(super) fn wish(&mut self, wish: Wish, now: Now, fx: &mut Vec<Effect>) {
        if let Some(why) = self.not_now() {
            return self.say(now, Role::Warn, why);
        }
        if wish.targets.len() > MOST {
            let n = wish.targets.len();
            let words = format!("{n} objects are marked; at most {MOST} are changed by one plan");
            return self.say(now, Role::Warn, words);
        }
        let argument =
            actions::named(wish.action).and_then(|a| a.change()).and_then(|c| c.argument());
        match argument {
            Some(argument) => {
                self.wish = Some(wish);
                let asking = Asking::Argument(argument.label, argument.example);
                self.state.ui.prompt = Some(Prompt::new(asking, ""));
            }
            None => self.prepare(wish, now, fx),
        }
    }

    /// What had to be typed was typed.
    pub(super) fn argument(&mut self, line: String, now: Now, fx: &mut Vec<Effect>) {
        if self.unlock_typed(&line, now, fx) || self.drain_typed(&line, now, fx) {
            return;
        }
        let Some(wish) = self.wish.take() else { return };
        self.prepare(Wish { argument: line, ..wish }, now, fx);
    }

    /// What is wrong with what is being typed for a change.
    pub(super) fn argument_is_wrong(&self, text: &str) -> Option<String> {
        let change = actions::named(self.wish.as_ref()?.action)?.change()?;
        (!text.is_empty()).then(|| change.check(text).err()).flatten()
    }

    fn prepare(&mut self, wish: Wish, now: Now, fx: &mut Vec<Effect>) {
        // What was being typed took a while.
        if let Some(why) = self.not_now() {
            return self.say(now, Role::Warn, why);
        }
        self.say(now, Role::Dim, "reading what it is about");
        fx.push(Effect::Prepare(wish));
    }

    /// What a run did, or what was done last, is to be put back.
    pub(super) fn undo(&mut self, run: Option<String>, now: Now, fx: &mut Vec<Effect>) {
        match self.not_now() {
            Some(why) => self.say(now, Role::Warn, why),
            None if self.state.cluster.read_only => self.say(now, Role::Warn, "undo: read-only"),
            None => fx.push(Effect::PrepareUndo(run)),
        }
    }

    /// Why no change can begin at this moment.
    pub(super) fn not_now(&self) -> Option<String> {
        if self.running.is_some() {
            return Some("another change is being made; esc ends it after its next step".into());
        }
        // It would be planned on one cluster and previewed on the other.
        let there = self.state.cluster.switching.as_ref()?;
        Some(format!("nothing is changed while {there} is being connected"))
    }

    pub(super) fn prepared(&mut self, id: SessionId, plan: Result<Box<Plan>, String>, now: Now) {
        let plan = match plan {
            Ok(plan) => plan,
            Err(why) => return self.say(now, Role::Warn, format!("nothing was done: {why}")),
        };
        let why = match &self.state.ui.overlay {
            _ if id != self.session => "it was planned on the cluster before this one",
            _ if self.running.is_some() => "another change is being made",
            Overlay::Plan => "another change is on screen",
            // It must not slip under fingers that are typing something else.
            _ if self.state.ui.prompt.is_some() => {
                self.held = Some((id, plan));
                return;
            }
            _ => return self.show(*plan),
        };
        self.say(now, Role::Warn, format!("{} was left: {why}; nothing was done", plan.title));
    }

    fn show(&mut self, plan: Plan) {
        self.state.ui.toast = None;
        self.state.ui.proposal = Some(proposal(&plan, self.state.cluster.unrecorded));
        self.state.ui.overlay = Overlay::Plan;
        self.shown_at = None;
        self.plan = Some(plan);
    }

    /// Shows the plan that waited for the end of what was being typed.
    pub(super) fn show_held(&mut self, now: Now) {
        if self.state.ui.prompt.is_none()
            && let Some((id, plan)) = self.held.take()
        {
            self.prepared(id, Ok(plan), now);
        }
    }

    /// Nothing that was meant for another cluster is left.
    pub(super) fn forget_changes(&mut self) {
        self.wish = None;
        self.unlocking = false;
        self.drain_unasked();
        self.held = None;
        self.plan = None;
        self.shown_at = None;
        self.state.ui.proposal = None;
    }

    /// A frame was drawn.
    pub fn drawn(&mut self, at: Instant) {
        if self.state.ui.overlay == Overlay::Plan {
            self.shown_at.get_or_insert(at);
        }
    }

    /// A key while a change is on screen.
    pub(super) fn plan_key(
        &mut self,
        chord: Chord,
        read_at: Instant,
        now: Now,
        fx: &mut Vec<Effect>,
    ) {
        let page = isize::from(self.state.ui.size.1.saturating_sub(6) as i16);
        let Some(proposal) = &mut self.state.ui.proposal else { return };
        let types = matches!(proposal.wanted, Wanted::Typed(_));
        let seen = self.shown_at.is_some_and(|shown| read_at >= shown);
        match chord.key {
            Key::Esc => self.drop_plan(now),
            Key::Char('c') if chord.ctrl => self.drop_plan(now),
            Key::Char('y') if !chord.ctrl && !chord.alt && proposal.is_ready() => {
                self.yes(read_at, now, fx);
            }
            // Typed at something else, before this was on screen.
            _ if !seen => {}
            Key::Down => proposal.scroll(1),
            Key::Up => proposal.scroll(-1),
            Key::PageDown => proposal.scroll(page),
            Key::PageUp => proposal.scroll(-page),
            Key::Backspace => drop(proposal.typed.pop()),
            Key::Char(c) if types && !chord.ctrl && !chord.alt => proposal.typed.push(c),
            Key::Space if types => proposal.typed.push(' '),
            Key::Char('j') => proposal.scroll(1),
            Key::Char('k') => proposal.scroll(-1),
            Key::Enter => self.say(now, Role::Warn, "Enter does not confirm; esc leaves"),
            _ => {}
        }
    }

    fn drop_plan(&mut self, now: Now) {
        self.close_plan();
        self.say(now, Role::Dim, "nothing was done");
    }

    fn close_plan(&mut self) -> Option<(Plan, String)> {
        self.state.ui.overlay = Overlay::None;
        self.shown_at = None;
        let typed = self.state.ui.proposal.take().map(|p| p.typed).unwrap_or_default();
        self.plan.take().map(|plan| (plan, typed))
    }

    fn yes(&mut self, read_at: Instant, now: Now, fx: &mut Vec<Effect>) {
        let Some(plan) = &self.plan else { return };
        let wait = if plan.danger == Danger::Reversible { Duration::ZERO } else { READ };
        // A key from before the frame was typed at something else.
        if self.shown_at.is_none_or(|shown| read_at < shown + wait) {
            return self.say(
                now,
                Role::Warn,
                "that y came before this could be read; look, then press it again",
            );
        }
        let Some((plan, typed)) = self.close_plan() else { return };
        let answer = if typed.is_empty() { Answer::Yes } else { Answer::Typed(typed) };
        let steps = plan.steps.len();
        match plan.confirm(&answer) {
            Ok(armed) => {
                self.say(now, Role::Accent, format!("{}...", armed.plan().title));
                match &armed.plan().drain {
                    Some(drain) => {
                        let nodes = drain.mandate.nodes.iter().map(|n| n.name.clone());
                        self.drain_begins(nodes.collect());
                    }
                    None => self.running = Some(steps),
                }
                fx.push(Effect::Execute(armed));
            }
            Err(_) => self.say(now, Role::Warn, "nothing was done: the answer was another one"),
        }
    }

    pub(super) fn progress(&mut self, n: usize, now: Now) {
        if let Some(all) = self.running.filter(|&all| all > 1) {
            self.say(now, Role::Accent, format!("{n} of {all} done; esc ends it after the next"));
        }
    }

    pub(super) fn executed(&mut self, report: &Report, now: Now) {
        self.running = None;
        if let Some(table) = self.state.ui.table_mut()
            && report.done() == report.all
        {
            table.marks.clear();
        }
        let (role, words) = match report.done() == report.all {
            true if report.undo => (Role::Ok, format!("{}; :undo puts it back", report.words())),
            true => (Role::Ok, report.words()),
            false => (Role::Bad, report.words()),
        };
        let room = usize::from(self.state.ui.size.0).saturating_sub(4);
        if words.len() > room {
            self.state.ui.notice(report.title.clone(), details(report));
        } else {
            self.say(now, role, words);
        }
    }
}

/// Everything that did not go as planned.
fn details(report: &Report) -> String {
    let mut lines = vec![format!("{} of {} steps done.", report.done(), report.all)];
    let open = report.steps.iter().filter(|s| s.fate != crate::state::journal::Fate::Done);
    lines.extend(open.map(|step| format!("{}: {}", step.words, step.why)));
    lines.extend(report.stopped.clone());
    if !report.run.is_empty() {
        lines.push(format!("wheelhouse journal show {} has all of it.", report.run));
    }
    lines.join("\n")
}

fn proposal(plan: &Plan, unrecorded: bool) -> Proposal {
    let heading = |text: &str| (Role::Dim, text.to_owned());
    let mut lines = vec![];
    if unrecorded {
        lines.push((Role::Warn, UNRECORDED.to_owned()));
    }
    for note in &plan.notes {
        let role = match note.weight {
            Weight::Plain => Role::Plain,
            Weight::Warn => Role::Warn,
            Weight::Bad => Role::Bad,
        };
        lines.push((role, note.words.clone()));
    }
    if !lines.is_empty() {
        lines.push(heading(""));
    }
    if plan.drain.is_some() {
        return Proposal {
            title: plan.title.clone(),
            lines,
            wanted: wanted(&plan.danger),
            typed: String::new(),
            top: 0,
        };
    }
    lines.push(heading(if plan.steps.len() == 1 {
        "what is sent"
    } else {
        "what is sent, one after the other"
    }));
    for step in &plan.steps {
        lines.push((Role::Plain, format!("  {}", step.words)));
        if plan.steps.len() == 1 {
            let request = &step.request;
            lines.push((Role::Dim, format!("    {} {}", request.method, request.path)));
            lines.push((Role::Dim, format!("    {}", request.body)));
        }
    }
    lines.push(heading(""));
    let back = plan.steps.iter().filter(|step| step.undo.is_some()).count();
    lines.push(match back {
        _ if unrecorded => (Role::Warn, "there is no way back by undo".into()),
        0 => (Role::Warn, "there is no way back by undo".into()),
        n if n == plan.steps.len() => (
            Role::Plain,
            "undo: :undo puts it back as it was, unless somebody changes it meanwhile".into(),
        ),
        n => (Role::Warn, format!("undo: {n} of {} steps can be put back", plan.steps.len())),
    });
    let wanted = wanted(&plan.danger);
    Proposal { title: plan.title.clone(), lines, wanted, typed: String::new(), top: 0 }
}

fn wanted(danger: &Danger) -> Wanted {
    match danger {
        Danger::Destructive(word) => Wanted::Typed(word.clone()),
        Danger::Reversible | Danger::Disruptive => Wanted::Yes,
    }
}
