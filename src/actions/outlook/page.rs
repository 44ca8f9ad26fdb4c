//! The outlook as a page.

use super::classify::{Class, Verdict};
use super::simulate::{Hurdle, Outlook, Part, Rounds};
use crate::state::cell::{Role, grouped};
use crate::state::doc::{Doc, Line};

/// Lines of one heading at most; of the rest it says how many.
const MOST: usize = 40;

/// The page.
pub fn page(outlook: &Outlook) -> Doc {
    let nodes = match &outlook.nodes[..] {
        [one] => format!("node {one}"),
        many => format!("{} nodes", many.len()),
    };
    let title = format!("drain of {nodes}");
    let mut lines =
        vec![Line::of(Role::Dim, "An estimate from what was read just now. Nothing was touched.")];
    lines.extend(summary(outlook));
    let asks: Vec<&Part> = outlook.parts.iter().filter(|p| p.verdict == Verdict::Ask).collect();
    heading(&mut lines, "A person has to decide", asks.len());
    each(&mut lines, &asks, |part| {
        let decisive = |c: &&Class| matches!(c, Class::Bare | Class::EmptyDir(_) | Class::Keep(_));
        let why: Vec<String> = part.classes.iter().filter(decisive).map(Class::words).collect();
        (Role::Warn, format!("{}: {}", part.pod, why.join("; ")))
    });
    match &outlook.hurdles {
        Ok(hurdles) => {
            heading(&mut lines, "Disruption budgets", hurdles.len());
            each(&mut lines, &hurdles.iter().collect::<Vec<_>>(), |hurdle| hurdle_words(hurdle));
        }
        Err(why) => {
            lines.push(Line::of(Role::Warn, format!("Disruption budgets are not known: {why}")))
        }
    }
    let twice: Vec<&Part> = outlook
        .parts
        .iter()
        .filter(|p| p.budgets.len() > 1 && p.verdict != Verdict::Stay)
        .collect();
    heading(&mut lines, "Under two budgets: the eviction API refuses them for good", twice.len());
    each(&mut lines, &twice, |part| {
        (Role::Bad, format!("{}: {}", part.pod, part.budgets.join(", ")))
    });
    heading(&mut lines, "Would stay pending", outlook.pending.len());
    each(&mut lines, &outlook.pending.iter().collect::<Vec<_>>(), |(pod, why)| {
        (Role::Bad, format!("{pod}: {why}"))
    });
    heading(&mut lines, "Where they would land cannot be told", outlook.unknown.len());
    each(&mut lines, &outlook.unknown.iter().collect::<Vec<_>>(), |(pod, why)| {
        (Role::Warn, format!("{pod}: {why}"))
    });
    risks(&mut lines, outlook);
    stays(&mut lines, outlook);
    Doc { title, lines }
}

fn summary(outlook: &Outlook) -> Vec<Line> {
    let count = |verdict: Verdict| outlook.parts.iter().filter(|p| p.verdict == verdict).count();
    let n = |n: usize| grouped(n as i64);
    let (evict, stay, ask) = (count(Verdict::Evict), count(Verdict::Stay), count(Verdict::Ask));
    let mut line = Line::of(Role::Plain, format!("{} pods: ", n(outlook.parts.len())));
    line.push(Role::Plain, format!("{} would be evicted, {} stay, ", n(evict), n(stay)));
    line.push(
        if ask > 0 { Role::Warn } else { Role::Plain },
        format!("{} need a decision", n(ask)),
    );
    let mut second = Line::of(Role::Plain, format!("landing: {} fit elsewhere", n(outlook.placed)));
    if outlook.contested > 0 {
        second.push(Role::Warn, format!(" ({} of them only in some orders)", n(outlook.contested)));
    }
    let (pending, unknown) = (outlook.pending.len(), outlook.unknown.len());
    second.push(
        if pending > 0 { Role::Bad } else { Role::Plain },
        format!(", {} would stay pending", n(pending)),
    );
    if unknown > 0 {
        second.push(Role::Warn, format!(", {} cannot be told", n(unknown)));
    }
    vec![line, second]
}

fn hurdle_words(hurdle: &Hurdle) -> (Role, String) {
    let Hurdle { budget, pods, rounds } = hurdle;
    let (healthy, wanted) = budget.healthy;
    let head = format!("{} ({})", budget.path(), budget.says);
    let allowed = budget.allowed.unwrap_or(0);
    match rounds {
        Rounds::Of(1) => {
            (Role::Plain, format!("{head}: {pods} of its pods are here, it allows {allowed} now"))
        }
        Rounds::Of(n) => (
            Role::Warn,
            format!(
                "{head}: {pods} of its pods are here, it allows {allowed} at a time: {n} rounds"
            ),
        ),
        Rounds::Never => (
            Role::Bad,
            format!(
                "{head}: never by eviction as things stand: {healthy} healthy, {wanted} wanted, of {} pods",
                budget.expected
            ),
        ),
        Rounds::NotNow => (
            Role::Bad,
            format!(
                "{head}: closed now: {healthy} healthy, {wanted} wanted; it opens when more of its pods are ready"
            ),
        ),
        Rounds::Unknown(why) => (Role::Warn, format!("{head}: not known: {why}")),
    }
}

fn risks(lines: &mut Vec<Line>, outlook: &Outlook) {
    let is_risk = |c: &&Class| {
        matches!(
            c,
            Class::LastReady
                | Class::HostPath(_)
                | Class::ComesBack
                | Class::LongGrace(_)
                | Class::Finalizers(_)
        )
    };
    let mut found = vec![];
    for part in outlook.parts.iter().filter(|p| p.verdict != Verdict::Stay) {
        found.extend(part.classes.iter().filter(is_risk).map(|class| (part, class)));
    }
    heading(lines, "To be considered", found.len());
    each(lines, &found, |(part, class)| (Role::Plain, format!("{}: {}", part.pod, class.words())));
}

fn stays(lines: &mut Vec<Line>, outlook: &Outlook) {
    let staying: Vec<&Part> = outlook.parts.iter().filter(|p| p.verdict == Verdict::Stay).collect();
    heading(lines, "Stay on the node", staying.len());
    each(lines, &staying, |part| {
        let why = part.classes.iter().find(|c| matches!(c, Class::Mirror | Class::DaemonSet));
        (Role::Dim, format!("{}: {}", part.pod, why.map(Class::words).unwrap_or_default()))
    });
}

fn heading(lines: &mut Vec<Line>, text: &str, n: usize) {
    if n > 0 {
        lines.push(Line::default());
        lines.push(Line::of(Role::Accent, format!("{text} ({})", grouped(n as i64))));
    }
}

fn each<T>(lines: &mut Vec<Line>, all: &[T], words: impl Fn(&T) -> (Role, String)) {
    for one in all.iter().take(MOST) {
        let (role, text) = words(one);
        let mut line = Line::of(Role::Plain, "  ");
        line.push(role, text);
        lines.push(line);
    }
    if all.len() > MOST {
        lines.push(Line::of(Role::Dim, format!("  and {} more", all.len() - MOST)));
    }
}
