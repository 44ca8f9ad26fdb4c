//! The board of a drain: its plan before it starts, and how far each node and pod is while it runs. The same lines stand
//! on the screen and in what is printed.

use super::classify::{Class, Decision, Switches};
use super::plan::{BudgetOutlook, DrainPlan, PlannedPod};
use super::progress::{NodeRow, NodeState, PodRow, PodState, Progress};
use crate::state::cell::Role;
use crate::state::text::{clean, width};
use crate::state::ui::board::{About, BoardLine};

/// Pods of one heading that are written out.
const MOST: usize = 200;

/// A cell padded to a width.
fn pad(text: &str, cells: usize) -> String {
    format!("{text}{}  ", " ".repeat(cells.saturating_sub(width(text))))
}

/// The widest of some texts, within bounds.
fn widest<'a>(texts: impl Iterator<Item = &'a str>, least: usize, most: usize) -> usize {
    texts.map(width).max().unwrap_or(0).clamp(least, most)
}

fn heading(lines: &mut Vec<BoardLine>, words: &str) {
    lines.push(BoardLine::text(Role::Plain, ""));
    lines.push(BoardLine::text(Role::Accent, words));
}

/// The plan, before anything is touched.
pub fn plan_lines(plan: &DrainPlan, switches: &Switches) -> Vec<BoardLine> {
    let mut lines = vec![BoardLine::text(Role::Plain, plan.summary())];
    lines.push(BoardLine::text(Role::Dim, switch_words(switches)));
    for words in &plan.others {
        lines.push(BoardLine::text(Role::Bad, words.clone()));
    }
    asks(&mut lines, plan);
    if !plan.budgets.is_empty() {
        heading(&mut lines, "disruption budgets");
        let wide = widest(plan.budgets.iter().map(|b| b.id.name.as_str()), 8, 30);
        let wide = wide + widest(plan.budgets.iter().map(|b| b.id.namespace.as_str()), 4, 20) + 1;
        lines.extend(plan.budgets.iter().map(|b| budget_line(b, wide)));
    }
    if plan.waves.len() > 1 {
        heading(&mut lines, "waves: a node waits for those that share a budget with it");
        for (n, wave) in plan.waves.iter().enumerate() {
            lines.push(BoardLine::text(Role::Plain, format!("  {}: {}", n + 1, wave.join(" "))));
        }
    }
    landing(&mut lines, plan);
    if !plan.notes.is_empty() {
        heading(&mut lines, "to be considered");
        let note = |words: &String| BoardLine::text(Role::Warn, format!("  {words}"));
        lines.extend(plan.notes.iter().map(note));
    }
    planned(&mut lines, plan);
    lines
}

/// kubectl's flags as they are set.
fn switch_words(s: &Switches) -> String {
    let on = |on: bool| if on { "yes" } else { "no" };
    let mut words = format!(
        "ignore DaemonSets: {}   give up emptyDir data: {}   force: {}",
        on(s.ignore_daemonsets),
        on(s.delete_emptydir_data),
        on(s.force)
    );
    if let Some(grace) = s.grace() {
        words += &format!("   grace: {grace} s");
    }
    if s.disable_eviction {
        words += "   delete instead of evict: yes";
    }
    words
}

fn asks(lines: &mut Vec<BoardLine>, plan: &DrainPlan) {
    if plan.asks.is_empty() {
        return;
    }
    heading(lines, "to be decided first");
    for (class, uids) in &plan.asks {
        let pods: Vec<&PlannedPod> = plan.pods.iter().filter(|p| uids.contains(&p.uid)).collect();
        let n = pods.len();
        let head = format!("! {n} pod{}: {}", if n == 1 { "" } else { "s" }, class.words());
        let flag = class.flag().map(|f| format!("   {f}")).unwrap_or_default();
        let spans = vec![(Role::Warn, head), (Role::Dim, flag)];
        lines.push(BoardLine::of(About::Class(class.id().to_owned()), spans));
        let wide = paths(&pods);
        lines.extend(pods.iter().take(MOST).map(|pod| pod_line(pod, wide, 4)));
    }
}

fn budget_line(b: &BudgetOutlook, wide: usize) -> BoardLine {
    let (role, words) = match b.rounds {
        _ if b.never => {
            (Role::Bad, "never lets them go by eviction as it and its pods are".to_owned())
        }
        None => (Role::Bad, "lets none go now".to_owned()),
        Some(1) => (Role::Plain, format!("lets {} go at once", b.room)),
        Some(n) => (Role::Warn, format!("lets {} go at a time: about {n} rounds", b.room)),
    };
    let head = format!("  {}{}", pad(&b.id.to_string(), wide), pad(&b.spec, 20));
    let need = format!("{:>4} of its pods move; ", b.needed);
    BoardLine::of(About::Text, vec![(Role::Plain, head), (Role::Plain, need), (role, words)])
}

fn landing(lines: &mut Vec<BoardLine>, plan: &DrainPlan) {
    let Some(landing) = &plan.landing else { return };
    heading(lines, "landing, an estimate");
    let mut spans = vec![(Role::Plain, format!("  {} fit elsewhere", landing.placed))];
    if landing.contested > 0 {
        let words = format!(" ({} of them only in some orders)", landing.contested);
        spans.push((Role::Warn, words));
    }
    lines.push(BoardLine::of(About::Text, spans));
    let more = |what: &str, role: Role, all: &[(String, String)], lines: &mut Vec<BoardLine>| {
        if !all.is_empty() {
            lines.push(BoardLine::text(role, format!("  {} {what}", all.len())));
        }
        let wide = widest(all.iter().map(|(pod, _)| pod.as_str()), 10, 50);
        lines.extend(all.iter().take(MOST).map(|(pod, why)| {
            let spans = vec![(role, format!("    {}", pad(pod, wide))), (Role::Plain, why.clone())];
            BoardLine::of(About::Text, spans)
        }));
    };
    more("would stay pending", Role::Bad, &landing.pending, lines);
    more("cannot be told", Role::Warn, &landing.unknown, lines);
    lines.extend(landing.unread.iter().map(|w| BoardLine::text(Role::Warn, format!("  {w}"))));
}

/// Every node with what happens to its pods.
fn planned(lines: &mut Vec<BoardLine>, plan: &DrainPlan) {
    for node in &plan.nodes {
        let pods: Vec<&PlannedPod> = plan.pods.iter().filter(|p| p.node == node.name).collect();
        lines.push(BoardLine::text(Role::Plain, ""));
        let mut spans = vec![(Role::Accent, node.name.clone())];
        if !node.zone.is_empty() {
            spans.push((Role::Dim, format!("  {}", node.zone)));
        }
        if node.cordoned {
            spans.push((Role::Warn, "  cordoned already".to_owned()));
        }
        spans.push((Role::Dim, format!("  {} pods", pods.len())));
        lines.push(BoardLine::of(About::Node(node.name.clone()), spans));
        let wide = paths(&pods);
        let mut pods = pods;
        pods.sort_by_key(|p| (matches!(p.decision, Decision::Leave(_)), p.path()));
        lines.extend(pods.into_iter().map(|pod| pod_line(pod, wide, 2)));
    }
}

fn paths(pods: &[&PlannedPod]) -> usize {
    let paths: Vec<String> = pods.iter().map(|p| p.path()).collect();
    widest(paths.iter().map(String::as_str), 10, 60)
}

fn pod_line(pod: &PlannedPod, wide: usize, indent: usize) -> BoardLine {
    let (role, word) = match &pod.decision {
        Decision::Evict => (Role::Plain, "evict"),
        Decision::Delete => (Role::Bad, "delete"),
        Decision::Leave(_) => (Role::Dim, "stays"),
        Decision::Ask(_) => (Role::Warn, "decide"),
    };
    let why = match &pod.decision {
        Decision::Leave(why) => why.clone(),
        _ => notable(pod),
    };
    let dim = if role == Role::Dim { Role::Dim } else { Role::Plain };
    let name = format!("{}{}", " ".repeat(indent), pad(&clean(&pod.path()), wide));
    let spans = vec![(dim, name), (role, pad(word, 6)), (Role::Dim, why)];
    let mut line = BoardLine::of(About::Pod(pod.uid.clone()), spans);
    for class in &pod.classes {
        line.detail.push((Role::Plain, class.words().to_owned()));
    }
    let budgets: Vec<String> = pod.budgets.iter().map(ToString::to_string).collect();
    if !budgets.is_empty() {
        line.detail.push((Role::Plain, format!("budget {}", budgets.join(", "))));
    }
    line.detail.push((Role::Dim, format!("{} s to end", pod.grace)));
    line
}

/// What sets a pod apart, in a word or two each.
fn notable(pod: &PlannedPod) -> String {
    let mut words: Vec<String> =
        pod.classes.iter().filter_map(|c| c.brief()).map(str::to_owned).collect();
    words.extend(pod.budgets.iter().map(|b| format!("budget {}", b.name)));
    if pod.grace > 60 {
        words.push(format!("{} s to end", pod.grace));
    }
    words.join(", ")
}

/// How far it is.
pub fn progress_lines(progress: &Progress) -> Vec<BoardLine> {
    let wide = widest(progress.nodes.iter().map(|n| n.name.as_str()), 4, 40);
    let head = format!("  {}{}GONE  LEFT  BLOCKED  NOW", pad("NODE", wide), pad("STATE", 9));
    let mut lines = vec![BoardLine::text(Role::Dim, head)];
    lines.extend(progress.nodes.iter().map(|node| node_line(node, wide)));
    if !progress.homeless.is_empty() {
        heading(&mut lines, "moved, and no node takes them");
        for (pod, seconds, why) in progress.homeless.iter().take(MOST) {
            let words = format!("  {pod}  for {seconds} s: {why}");
            lines.push(BoardLine::text(Role::Bad, words));
        }
    }
    for node in progress.nodes.iter().filter(|n| shown(n)) {
        let open = |p: &&PodRow| !matches!(p.state, PodState::Gone | PodState::Skipped(_));
        let pods: Vec<&PodRow> = node.pods.iter().filter(open).collect();
        if pods.is_empty() {
            continue;
        }
        heading(&mut lines, &node.name);
        let paths: Vec<String> = pods.iter().map(|p| path(p)).collect();
        let wide = widest(paths.iter().map(String::as_str), 10, 60);
        let mut pods = pods;
        pods.sort_by_key(|p| (rank(&p.state), path(p)));
        lines.extend(pods.into_iter().map(|pod| progress_line(pod, wide)));
    }
    lines
}

/// Nodes whose pods are written out: those at which something happens or fails to.
fn shown(node: &NodeRow) -> bool {
    !matches!(node.state, NodeState::Planned | NodeState::Drained(_))
}

/// What needs a person comes first.
fn rank(state: &PodState) -> u8 {
    match state {
        PodState::Undecided(_) => 0,
        PodState::Blocked(_) => 1,
        PodState::Terminating(_) => 2,
        PodState::Evicting(_) => 3,
        _ => 4,
    }
}

fn path(pod: &PodRow) -> String {
    clean(&format!("{}/{}", pod.namespace, pod.name)).into_owned()
}

fn node_line(node: &NodeRow, wide: usize) -> BoardLine {
    let role = match node.state {
        NodeState::Drained(_) => Role::Ok,
        NodeState::Blocked(..) | NodeState::Failed(_) => Role::Bad,
        NodeState::Paused(_) | NodeState::Aborted => Role::Warn,
        NodeState::Planned => Role::Dim,
        _ => Role::Plain,
    };
    let stuck = |p: &&PodRow| matches!(p.state, PodState::Blocked(_) | PodState::Undecided(_));
    let blocked = node.pods.iter().filter(stuck).count();
    let count = |n: usize| if n == 0 { "-".to_owned() } else { n.to_string() };
    let now = match (&node.state, node.pods.iter().find(stuck)) {
        (NodeState::Planned, _) => format!("wave {}", node.wave + 1),
        (NodeState::Draining, Some(pod)) => pod.state.words(),
        _ => node.state.words(),
    };
    let spans = vec![
        (Role::Plain, format!("  {}", pad(&node.name, wide))),
        (role, pad(node.state.word(), 9)),
        (Role::Plain, format!("{:>4}  {:>4}  ", count(node.gone), count(node.left))),
        (if blocked > 0 { Role::Bad } else { Role::Plain }, format!("{:>7}  ", count(blocked))),
        (Role::Plain, now.clone()),
    ];
    let mut line = BoardLine::of(About::Node(node.name.clone()), spans);
    line.detail.push((Role::Plain, now));
    line
}

fn progress_line(pod: &PodRow, wide: usize) -> BoardLine {
    let role = match pod.state {
        PodState::Blocked(_) => Role::Bad,
        PodState::Undecided(_) => Role::Warn,
        PodState::Queued(_) => Role::Dim,
        _ => Role::Plain,
    };
    let words = pod.state.words();
    let spans = vec![
        (Role::Plain, format!("  {}", pad(&path(pod), wide))),
        (role, pad(pod.state.word(), 11)),
        (Role::Plain, words.clone()),
    ];
    let mut line = BoardLine::of(About::Pod(pod.uid.clone()), spans);
    line.detail.push((Role::Plain, words));
    let help = pod.state.verdict().map(|v| v.unblock()).unwrap_or_default();
    if !help.is_empty() {
        line.detail.push((Role::Accent, help));
    }
    line
}

/// The classes in an order of their own, by id: what a line on the board is about.
pub fn class_of(id: &str) -> Option<Class> {
    Class::ALL.iter().copied().find(|c| c.id() == id)
}
