//! What stands on the board of a drain, from its plan to its end.

use crate::actions::drain::board::{plan_lines, progress_lines};
use crate::actions::drain::classify::{Overrides, Switches};
use crate::actions::drain::orders::{Caps, How, Scope};
use crate::actions::drain::plan::{DrainPlan, Facts};
use crate::actions::drain::progress::{NodeRow, NodeState, PodState, Progress};
use crate::app::drain::{Ended, Told};
use crate::app::journal::is_recorded;
use crate::state::cell::{Role, grouped};
use crate::state::ui::RouteId;
use crate::state::ui::board::{Board, BoardLine};

/// A drain, from its plan to its end.
pub(in crate::app) struct Desk {
    pub(super) route: RouteId,
    pub(super) nodes: Vec<String>,
    pub(super) stage: Stage,
    pub(super) switches: Switches,
    pub(super) overrides: Overrides,
    pub(super) caps: Caps,
    /// What is being typed for it.
    pub(super) asks: Option<Asks>,
    /// Why it paused, as far as it was said.
    pub(super) paused: Option<String>,
}

/// What the board asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// Why the nodes are drained.
    Reason,
    /// Where the plan is saved.
    File,
}

pub(super) enum Stage {
    /// What it is about is being read.
    Reading,
    /// Decided upon here; nothing is touched.
    Planned { facts: Box<Facts>, plan: Box<DrainPlan>, reading: Option<usize> },
    /// It could not be read.
    Refused(String),
    /// It runs.
    Running(Option<Box<Told>>),
    /// It ended.
    Over(Box<Ended>),
}

impl Desk {
    /// A desk for these nodes.
    pub(super) fn new(route: RouteId, nodes: Vec<String>, stage: Stage) -> Desk {
        Desk {
            route,
            nodes,
            stage,
            switches: Switches::default(),
            overrides: Overrides::default(),
            caps: Caps::default(),
            asks: None,
            paused: None,
        }
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        matches!(self.stage, Stage::Running(_))
    }
}

impl Stage {
    pub(super) fn progress(&self) -> Option<&Progress> {
        match self {
            Stage::Running(Some(told)) => Some(&told.progress),
            Stage::Over(ended) => ended.progress.as_ref(),
            _ => None,
        }
    }
}

impl Desk {
    pub(super) fn is_paused(&self, scope: &Scope) -> bool {
        let Some(progress) = self.stage.progress() else { return false };
        let node = |name: &str| {
            let node = progress.nodes.iter().find(|n| n.name == name);
            node.is_some_and(|n| matches!(n.state, NodeState::Paused(_)))
        };
        match scope {
            Scope::All => progress.paused.is_some(),
            Scope::Node(name) => node(name),
        }
    }

    /// `drain 12/30 pods, 1 blocked`, while it runs.
    pub(super) fn brief(&self) -> Option<(Role, String)> {
        let Stage::Running(Some(told)) = &self.stage else { return None };
        let (gone, left, blocked) = counts(&told.progress);
        let mut words = format!("drain {gone}/{} pods", gone + left);
        if told.progress.paused.is_some() {
            words += ", paused";
        } else if blocked > 0 {
            words += &format!(", {blocked} blocked");
        }
        let calm = blocked == 0 && told.progress.paused.is_none();
        Some((if calm { Role::Accent } else { Role::Warn }, words))
    }

    pub(super) fn paint(&self, board: &mut Board) {
        let what = match &self.nodes[..] {
            [one] => format!("drain {one}"),
            many => format!("drain {} nodes", many.len()),
        };
        let dim = |words: &str| vec![(Role::Accent, what.clone()), (Role::Dim, words.to_owned())];
        board.right.clear();
        board.offers.clear();
        match &self.stage {
            Stage::Reading => {
                board.title = dim("  reading what it is about");
                board.set(vec![]);
            }
            Stage::Refused(why) => {
                board.title = dim("  could not be planned");
                board.set(vec![BoardLine::text(Role::Bad, why.clone())]);
            }
            Stage::Planned { plan, reading, .. } => {
                board.title = dim("  a plan, nothing is touched");
                let at_once = self.caps.parallel_nodes;
                let mut right =
                    format!("{at_once} node{} at once ", if at_once == 1 { "" } else { "s" });
                if let Some(read) = reading {
                    right = format!("landing: {} pods read  {right}", grouped(*read as i64));
                }
                board.right = vec![(Role::Dim, right)];
                board.set(plan_lines(plan, &self.switches));
                let open = !plan.asks.is_empty();
                board.offers = vec![
                    ("drain-start", "start", !open),
                    ("drain-daemonsets", "DaemonSets", true),
                    ("drain-emptydir", "emptyDir", true),
                    ("drain-force", "force", true),
                    ("drain-evict", "evict", true),
                    ("drain-keep", "keep", true),
                    ("drain-more", "more at once", self.nodes.len() > 1),
                    ("drain-save", "save the plan", true),
                ];
            }
            Stage::Running(told) => {
                board.title = vec![(Role::Accent, what.clone())];
                if let Some(told) = told {
                    board.title.extend(headline(&told.progress));
                    let mut right = format!("run {}  {} writes ", told.run, told.requests);
                    if let Some(trouble) = told.troubles.first() {
                        right = format!("{trouble}  {right}");
                    }
                    board.right = vec![(Role::Dim, right)];
                    board.set(progress_lines(&told.progress));
                }
                let paused = told.as_ref().is_some_and(|t| t.progress.paused.is_some());
                let pause = if paused { "go on" } else { "pause" };
                board.offers = vec![
                    ("drain-pause", pause, true),
                    ("drain-keep", "skip pod", true),
                    ("drain-retry", "retry", true),
                    ("drain-end", "end", true),
                    ("drain-uncordon", "end, uncordon", true),
                    ("drain-delete", "delete pod", true),
                ];
            }
            Stage::Over(ended) => {
                let words = match (&ended.how, &ended.stopped) {
                    (_, Some(why)) => (Role::Bad, format!("  {why}")),
                    (Some(How::Drained), _) => (Role::Ok, "  drained".to_owned()),
                    (Some(How::Incomplete(_)), _) => {
                        (Role::Warn, "  ended, not all drained".into())
                    }
                    (None, None) => (Role::Warn, "  left".to_owned()),
                };
                board.title = vec![(Role::Accent, what.clone()), words];
                board.right = vec![(Role::Dim, format!("run {} ", ended.run))];
                board.set(ended.progress.as_ref().map(progress_lines).unwrap_or_default());
                let recorded = is_recorded(&ended.run);
                board.offers = vec![
                    ("undo", "undo: uncordon", recorded),
                    ("drain-resume", "go on", recorded && ended.how.is_none()),
                    ("open-journal", "journal, report", recorded),
                ];
            }
        }
    }
}

/// Pods that are gone, left, and blocked.
fn counts(progress: &Progress) -> (usize, usize, usize) {
    let stuck = |s: &PodState| matches!(s, PodState::Blocked(_) | PodState::Undecided(_));
    let nodes = progress.nodes.iter();
    let sum = |f: fn(&NodeRow) -> usize| nodes.clone().map(f).sum();
    let pods = progress.nodes.iter().flat_map(|n| &n.pods);
    (sum(|n| n.gone), sum(|n| n.left), pods.filter(|p| stuck(&p.state)).count())
}

fn headline(progress: &Progress) -> Vec<(Role, String)> {
    let (gone, left, blocked) = counts(progress);
    let done = progress.nodes.iter().filter(|n| matches!(n.state, NodeState::Drained(_))).count();
    let all = progress.nodes.len();
    let mut spans =
        vec![(Role::Plain, format!("  {done} of {all} drained, {gone} pods gone, {left} left"))];
    if blocked > 0 {
        spans.push((Role::Bad, format!(", {blocked} blocked")));
    }
    if progress.twice > 0 {
        spans.push((Role::Warn, format!(", {} moved twice", progress.twice)));
    }
    match (&progress.paused, progress.eta) {
        (Some(why), _) => spans.push((Role::Warn, format!("  paused: {why}"))),
        (None, Some(eta)) => spans.push((Role::Dim, format!("  {}", eta.words()))),
        (None, None) => {}
    }
    spans
}
