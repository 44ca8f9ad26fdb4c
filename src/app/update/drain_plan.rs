//! A drain before it starts: switches and decisions, its plan in a file, its reason, and the preview.

use super::App;
use super::desk::{Asks, Stage};
use crate::actions::drain::board::class_of;
use crate::actions::drain::classify::{Choice, Overrides};
use crate::actions::drain::plan::DrainPlan;
use crate::app::drain::saved::Saved;
use crate::app::msg::{Effect, Now};
use crate::state::cell::Role;
use crate::state::ui::board::About;
use crate::state::ui::prompt::{Asking, Prompt};

impl App {
    /// While nothing is touched yet.
    pub(super) fn plan_command(&mut self, id: &str, now: Now, fx: &mut Vec<Effect>) {
        let here = self.state.ui.board().map(|b| b.here().clone()).unwrap_or_default();
        let Some(desk) = &mut self.drain else { return };
        let Stage::Planned { plan, reading, .. } = &mut desk.stage else { return };
        match id {
            "drain-daemonsets" => desk.switches.ignore_daemonsets ^= true,
            "drain-emptydir" => desk.switches.delete_emptydir_data ^= true,
            "drain-force" => desk.switches.force ^= true,
            "drain-more" => {
                desk.caps.parallel_nodes = (desk.caps.parallel_nodes + 1).min(desk.nodes.len());
                desk.caps.per_zone = desk.caps.parallel_nodes;
            }
            "drain-fewer" => {
                desk.caps.parallel_nodes = desk.caps.parallel_nodes.saturating_sub(1).max(1);
                desk.caps.per_zone = desk.caps.parallel_nodes;
            }
            "drain-landing" => {
                *reading = Some(0);
                fx.push(Effect::LandDrain(desk.route, plan.clone()));
            }
            "drain-evict" => decide(&mut desk.overrides, &here, Choice::Evict),
            "drain-keep" => decide(&mut desk.overrides, &here, Choice::Leave),
            "drain-delete" => decide(&mut desk.overrides, &here, Choice::Delete),
            "drain-start" => return self.drain_start(now),
            "drain-save" => return self.drain_save(),
            _ => {
                return self.say(
                    now,
                    Role::Dim,
                    "that is for a drain that runs; S starts this one",
                );
            }
        }
        self.plan_again();
    }

    /// The plan under the switches and decisions as they are now; where its pods land was said of all of them.
    fn plan_again(&mut self) {
        let Some(desk) = &mut self.drain else { return };
        if let Stage::Planned { facts, plan, .. } = &mut desk.stage {
            let landing = plan.landing.take();
            **plan = DrainPlan::new(facts, &desk.switches, &desk.overrides);
            plan.landing = landing;
        }
        self.show_board();
    }

    /// Asks for the reason, if nothing is left to be decided.
    fn drain_start(&mut self, now: Now) {
        if let Some(why) = self.not_now() {
            return self.say(now, Role::Warn, why);
        }
        if self.state.cluster.read_only {
            return self.say(now, Role::Warn, "drain: read-only");
        }
        let Some(desk) = &mut self.drain else { return };
        let Stage::Planned { plan, .. } = &desk.stage else { return };
        if !plan.asks.is_empty() {
            let why = plan.undecided();
            return self.say(now, Role::Warn, why);
        }
        desk.asks = Some(Asks::Reason);
        let asking = Asking::Argument("reason", "kernel update ticket=CHG-1182 (or nothing)");
        self.state.ui.prompt = Some(Prompt::new(asking, ""));
    }

    /// Asks for the file that the plan goes into.
    fn drain_save(&mut self) {
        let Some(desk) = &mut self.drain else { return };
        desk.asks = Some(Asks::File);
        let name = match &desk.nodes[..] {
            [one] => format!("drain-{one}.json"),
            many => format!("drain-{}-nodes.json", many.len()),
        };
        let asking = Asking::Argument("file", "a new one; wheelhouse drain --plan FILE does it");
        self.state.ui.prompt = Some(Prompt::new(asking, &name));
    }

    /// What the board asked for was typed: previews the drain, or saves its plan. Whether it was about a drain at all.
    pub(super) fn drain_typed(&mut self, line: &str, now: Now, fx: &mut Vec<Effect>) -> bool {
        let Some(asked) = self.drain.as_mut().and_then(|desk| desk.asks.take()) else {
            return false;
        };
        match asked {
            Asks::Reason => self.drain_reason(line, now),
            Asks::File if line.is_empty() => self.say(now, Role::Dim, "nothing was saved"),
            Asks::File => self.drain_file(line, fx),
        }
        true
    }

    fn drain_file(&self, file: &str, fx: &mut Vec<Effect>) {
        let Some(desk) = &self.drain else { return };
        let Stage::Planned { facts, plan, .. } = &desk.stage else { return };
        let (switches, overrides) = (desk.switches.clone(), desk.overrides.clone());
        let mandate = plan.mandate(facts, switches, overrides, desk.caps);
        let server = self.state.cluster.server.clone();
        let saved = Saved::new(server, mandate, String::new(), (**plan).clone());
        fx.push(Effect::SaveDrain(file.to_owned(), Box::new(saved)));
    }

    fn drain_reason(&mut self, reason: &str, now: Now) {
        let Some(desk) = &self.drain else { return };
        let Stage::Planned { facts, plan, .. } = &desk.stage else { return };
        let (switches, overrides) = (desk.switches.clone(), desk.overrides.clone());
        let mandate = plan.mandate(facts, switches, overrides, desk.caps);
        let cluster = &self.state.cluster;
        let proposed = plan.propose(mandate, reason).map(|mut plan| {
            if cluster.protected {
                plan.danger = plan.danger.raised(&cluster.context);
            }
            Box::new(plan)
        });
        let session = self.session;
        self.prepared(session, proposed, now);
    }

    /// The prompt of the board was left.
    pub(super) fn drain_unasked(&mut self) {
        if let Some(desk) = &mut self.drain {
            desk.asks = None;
        }
    }
}

fn decide(overrides: &mut Overrides, here: &About, choice: Choice) {
    match here {
        About::Pod(uid) => {
            overrides.pods.insert(uid.clone(), choice);
        }
        About::Class(id) => {
            if let Some(class) = class_of(id) {
                overrides.classes.insert(class, choice);
            }
        }
        _ => {}
    }
}
