//! A running drain as lines: one for each change of a pod or node, in words or as JSON.

use crate::actions::drain::orders::How;
use crate::actions::drain::progress::{NodeState, PodState, Progress};
use crate::actions::drain::verdict::Verdict;
use crate::app::cli::{Failure, exit};
use crate::app::drain::{Ended, Told};
use crate::app::journal::is_recorded;
use crate::state::text::clean;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;

/// What was told last, so that only changes are told.
pub struct Lines {
    json: bool,
    said: BTreeMap<String, String>,
}

/// One line.
#[derive(Default)]
struct Event<'a> {
    node: &'a str,
    namespace: &'a str,
    pod: &'a str,
    uid: &'a str,
    state: &'a str,
    verdict: &'a str,
    message: String,
}

impl Lines {
    /// Nothing was told yet.
    pub fn new(json: bool) -> Lines {
        Lines { json, said: BTreeMap::new() }
    }

    /// Tells what changed.
    pub fn tell(&mut self, told: &Told) {
        for trouble in &told.troubles {
            self.once(
                &format!("trouble {trouble}"),
                "",
                Event { state: "trouble", message: trouble.clone(), ..Event::default() },
            );
        }
        self.progress(&told.progress);
    }

    fn progress(&mut self, progress: &Progress) {
        if let Some(why) = &progress.paused {
            let message = format!("{why}; wheelhouse shows it, Ctrl-C leaves it");
            self.once("paused", why, Event { state: "paused", message, ..Event::default() });
        } else {
            self.said.remove("paused");
        }
        for (pod, _, why) in &progress.homeless {
            let message = format!("{pod} finds no node: {why}");
            self.once(
                &format!("homeless {pod}"),
                "",
                Event { state: "pending", message, ..Event::default() },
            );
        }
        for node in &progress.nodes {
            for pod in &node.pods {
                let verdict = pod.state.verdict();
                let steady = verdict.as_ref().is_some_and(counts_time);
                let words = pod.state.words();
                let id = verdict.as_ref().map_or("", Verdict::id);
                let last = if steady { "" } else { words.as_str() };
                let last = format!("{} {id} {last}", pod.state.word());
                self.once(
                    &pod.uid,
                    &last,
                    Event {
                        node: &node.name,
                        namespace: &pod.namespace,
                        pod: &pod.name,
                        uid: &pod.uid,
                        state: pod.state.word(),
                        verdict: id,
                        message: words.clone(),
                    },
                );
            }
            // What a blocked node has to say is said by its pods.
            let words = match &node.state {
                NodeState::Blocked(..) => String::new(),
                state => state.words(),
            };
            let last = format!("{} {words}", node.state.word());
            let event = Event {
                node: &node.name,
                state: node.state.word(),
                message: words,
                ..Event::default()
            };
            self.once(&format!("node {}", node.name), &last, event);
        }
    }

    fn once(&mut self, key: &str, last: &str, event: Event<'_>) {
        let quiet = matches!(event.state, "queued" | "planned" | "stays" | "evicting");
        let known = self.said.get(key).is_some_and(|said| said == last);
        if known || (quiet && !self.json) {
            return;
        }
        self.said.insert(key.to_owned(), last.to_owned());
        self.write(&event);
    }

    fn write(&self, event: &Event<'_>) {
        let time = jiff::Timestamp::now();
        let line = match self.json {
            true => json!({
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                "node": event.node, "namespace": event.namespace, "pod": event.pod, "uid": event.uid,
                "state": event.state, "verdict": event.verdict, "message": event.message,
            })
            .to_string(),
            false => {
                let about = match event.pod {
                    "" => event.node.to_owned(),
                    pod => format!("{} {}/{pod}", event.node, event.namespace),
                };
                let line = format!("{} {about} {} {}", time.strftime("%H:%M:%S"), event.state, event.message);
                clean(line.trim_end()).into_owned()
            }
        };
        // A reader that went away does not end the drain.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// Tells the end.
    pub fn end(&mut self, ended: &Ended) {
        if let Some(progress) = &ended.progress {
            self.progress(progress);
        }
        let (state, message) = match (&ended.how, &ended.stopped) {
            (Some(How::Drained), _) => ("drained", String::new()),
            (Some(How::Incomplete(_)), _) => ("incomplete", String::new()),
            (None, why) => ("left", why.clone().unwrap_or_default()),
        };
        let run = match is_recorded(&ended.run) {
            true => format!("wheelhouse journal report {}", ended.run),
            false => String::new(),
        };
        let message = if message.is_empty() { run } else { message };
        self.write(&Event { state, message, ..Event::default() });
    }
}

/// Its words change by the clock alone.
fn counts_time(verdict: &Verdict) -> bool {
    matches!(
        verdict,
        Verdict::GraceLeft(_)
            | Verdict::Overdue(_)
            | Verdict::NodeDead { .. }
            | Verdict::NotSeenEnding
    )
}

/// What the end means for the caller.
pub fn failure(ended: &Ended) -> Option<Failure> {
    if ended.run.is_empty() {
        let words = ended.stopped.clone().unwrap_or_default();
        return Some(Failure { code: exit::REFUSED, words });
    }
    let moved = ended.progress.iter().flat_map(|p| &p.nodes).flat_map(|n| &n.pods);
    let open = moved.filter(|p| !matches!(p.state, PodState::Gone | PodState::Skipped(_))).count();
    let words = match (&ended.how, &ended.stopped) {
        (Some(How::Drained), None) => return None,
        (_, Some(why)) => why.clone(),
        (Some(How::Incomplete(left)), None) => {
            let left: Vec<String> =
                left.iter().map(|(node, why)| format!("{node}: {why}")).collect();
            format!("incomplete: {}", left.join("; "))
        }
        (_, None) if !is_recorded(&ended.run) => {
            format!("left with {open} pods still there; it is recorded nowhere (--no-journal)")
        }
        (_, None) => format!(
            "left with {open} pods still there; wheelhouse drain --resume {} goes on, wheelhouse undo {} uncordons",
            ended.run, ended.run
        ),
    };
    Some(Failure { code: exit::INCOMPLETE, words })
}
