//! A drain as the pipeline of changes confirms it: what it comes to in a few lines, and how much a yes must weigh.

use super::classify::{Class, Decision, Overrides, Switches};
use super::orders::{Caps, DrainRun, Mandate, MandateNode};
use super::plan::{DrainPlan, Facts, PlannedPod};
use super::verdict::list;
use crate::actions::plan::{Danger, Note, Plan};

impl DrainPlan {
    /// What may be done if this plan is confirmed.
    pub fn mandate(
        &self,
        facts: &Facts,
        switches: Switches,
        overrides: Overrides,
        caps: Caps,
    ) -> Mandate {
        let wave = |name: &str| self.waves.iter().position(|w| w.iter().any(|n| n == name));
        let node = |n: &super::plan::PlannedNode| MandateNode {
            name: n.name.clone(),
            uid: n.uid.clone(),
            zone: n.zone.clone(),
            wave: wave(&n.name).unwrap_or_default(),
        };
        let nodes: Vec<MandateNode> = self.nodes.iter().map(node).collect();
        Mandate {
            prefer: nodes.len() > caps.parallel_nodes.max(1) || self.waves.len() > 1,
            nodes,
            switches,
            overrides,
            known: facts.known.clone(),
            caps,
            budgets_readable: facts.budgets.is_some(),
        }
    }

    /// The plan in the form that is previewed and confirmed.
    ///
    /// # Errors
    /// What a person still has to decide, as kubectl says what it refuses.
    pub fn propose(&self, mandate: Mandate, reason: &str) -> Result<Plan, String> {
        if !self.asks.is_empty() {
            return Err(self.undecided());
        }
        let title = match &self.nodes[..] {
            [one] => format!("drain {}", one.name),
            many => format!("drain {} nodes", many.len()),
        };
        let going = |p: &&PlannedPod| !matches!(p.decision, Decision::Leave(_));
        let lost = |p: &&PlannedPod| {
            let gone = [Class::Bare, Class::OwnerMissing];
            p.decision == Decision::Delete || p.classes.iter().any(|c| gone.contains(c))
        };
        let losses = self.pods.iter().filter(going).filter(lost).count();
        let word = match &self.nodes[..] {
            [one] => one.name.clone(),
            many => many.len().to_string(),
        };
        let danger = if losses > 0 || !self.others.is_empty() {
            Danger::Destructive(word)
        } else {
            Danger::Disruptive
        };
        Ok(Plan {
            action: "drain".to_owned(),
            title,
            steps: vec![],
            notes: self.preview(),
            danger,
            drain: Some(Box::new(DrainRun { mandate, reason: reason.to_owned(), resume: None })),
            reason: reason.to_owned(),
        })
    }

    fn preview(&self) -> Vec<Note> {
        let mut notes = vec![Note::plain(self.summary())];
        let with = |class: Class| {
            let goes = |p: &&PlannedPod| !matches!(p.decision, Decision::Leave(_));
            self.pods.iter().filter(goes).filter(|p| p.classes.contains(&class)).collect::<Vec<_>>()
        };
        let deleted: Vec<&PlannedPod> =
            self.pods.iter().filter(|p| p.decision == Decision::Delete).collect();
        for (pods, words) in [
            (deleted, "deleted without asking a disruption budget"),
            (with(Class::Bare), "without a controller: nothing makes them again"),
            (with(Class::OwnerMissing), "whose controller is gone: nothing makes them again"),
            (with(Class::EmptyDir), "whose emptyDir data are lost"),
        ] {
            if !pods.is_empty() {
                notes.push(Note::bad(format!(
                    "{} {words}: {}",
                    pods.len(),
                    list(pods.iter().map(|p| p.path()))
                )));
            }
        }
        if self.waves.len() > 1 {
            let waves = self.waves.iter().enumerate();
            let waves: Vec<String> =
                waves.map(|(n, w)| format!("{}: {}", n + 1, w.join(" "))).collect();
            notes.push(Note::plain(format!("waves  {}", waves.join("  "))));
        }
        for b in self.budgets.iter().filter(|b| b.rounds.is_some_and(|n| n > 1)) {
            notes.push(Note::plain(format!(
                "budget {} ({}) lets {} go at a time, {} have to",
                b.id, b.spec, b.room, b.needed
            )));
        }
        notes.extend(self.others.iter().map(Note::bad));
        notes.extend(self.notes.iter().map(Note::warn));
        if let Some(landing) = self.landing.as_ref().filter(|l| !l.pending.is_empty()) {
            let (n, (pod, why)) = (landing.pending.len(), &landing.pending[0]);
            notes.push(Note::bad(format!("{n} would stay pending, {pod} among them: {why}")));
        }
        notes.push(Note::plain("undo uncordons the nodes; evicted pods do not come back by it"));
        notes
    }

    /// `41 pods: 30 are evicted, 9 stay, 2 are finished`.
    pub fn summary(&self) -> String {
        let count =
            |is: fn(&Decision) -> bool| self.pods.iter().filter(|p| is(&p.decision)).count();
        let (evict, delete) = (count(|d| *d == Decision::Evict), count(|d| *d == Decision::Delete));
        let (stay, ask) =
            (count(|d| matches!(d, Decision::Leave(_))), count(|d| matches!(d, Decision::Ask(_))));
        let mut words = format!("{} pods: {evict} to be evicted, {stay} stay", self.pods.len());
        if delete > 0 {
            words += &format!(", {delete} to be deleted");
        }
        if ask > 0 {
            words += &format!(", {ask} need your decision");
        }
        words
    }

    /// What is not decided, and by which flag kubectl decides it.
    pub fn undecided(&self) -> String {
        let line = |(class, uids): (&Class, &Vec<String>)| {
            let pods: Vec<&PlannedPod> =
                self.pods.iter().filter(|p| uids.contains(&p.uid)).collect();
            let flag = class.flag().unwrap_or_default();
            let (n, s) = (pods.len(), if pods.len() == 1 { "" } else { "s" });
            format!(
                "{n} pod{s}, {} ({flag}): {}",
                class.words(),
                list(pods.iter().map(|p| p.path()))
            )
        };
        let lines: Vec<String> = self.asks.iter().map(line).collect();
        format!("a person has to decide first: {}", lines.join("; "))
    }
}
