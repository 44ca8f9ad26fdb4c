//! Webhooks of admission: what stands behind them, and what became of calls of them.

use super::calls::{Called, Failure, Heard};
use super::{Line, Trouble, Verdict};
use crate::state::cell::grouped;
use crate::state::time::Epoch;
use serde_json::Value;
use std::collections::BTreeMap;

/// What stands behind a webhook.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Backend {
    /// A URL, or a name outside of the cluster.
    #[default]
    Elsewhere,
    /// A service that could not be looked into.
    Unread(Trouble),
    /// There is no such service.
    NoService,
    /// A service with so many ready endpoints.
    Ready(usize),
}

/// A webhook of a configuration (admissionregistration.k8s.io/v1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// The configuration that holds it.
    pub config: String,
    /// `validating` or `mutating`.
    pub kind: &'static str,
    /// Namespace and name of its service; both empty: it has a URL.
    pub service: (String, String),
    /// Its URL, for people.
    pub url: String,
    /// Whether a failed call refuses the request (failurePolicy Fail, the default).
    pub fails: bool,
    /// What it is called for: `CREATE,UPDATE pods`.
    pub about: String,
    /// What stands behind it.
    pub backend: Backend,
}

impl Webhook {
    /// Reads the webhooks of a configuration.
    pub fn of(object: &Value, kind: &'static str) -> Vec<Webhook> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let webhooks = object["webhooks"].as_array().into_iter().flatten();
        webhooks
            .map(|w| {
                let service = &w["clientConfig"]["service"];
                Webhook {
                    name: text(&w["name"]),
                    config: text(&object["metadata"]["name"]),
                    kind,
                    service: (text(&service["namespace"]), text(&service["name"])),
                    url: text(&w["clientConfig"]["url"]),
                    fails: w["failurePolicy"] != "Ignore",
                    about: about(w),
                    backend: Backend::default(),
                }
            })
            .collect()
    }

    /// How the API server's metrics name it.
    fn called(&self) -> Called {
        let kind = if self.kind == "mutating" { "admit" } else { "validating" };
        (self.name.clone(), kind.to_owned())
    }

    fn place(&self) -> String {
        match self.url.as_str() {
            "" => format!("service {}/{}", self.service.0, self.service.1),
            url => url.to_owned(),
        }
    }

    /// The worst that it can be: what fails open harms no request.
    fn worst(&self) -> Verdict {
        if self.fails { Verdict::Bad } else { Verdict::Warn }
    }

    fn next(&self) -> String {
        format!(
            "look at what serves it; as a last resort delete {}webhookconfiguration {}",
            self.kind, self.config
        )
    }

    /// What it means that nothing answers.
    fn then(&self) -> String {
        match self.fails {
            true => format!("every request it is asked about is refused ({})", self.about),
            false => format!("requests pass unchecked (failurePolicy Ignore; {})", self.about),
        }
    }

    /// Verdict, words and when that was read; unset: with the webhook itself.
    fn judged(&self, heard: &Heard<'_>, namesakes: usize) -> (Verdict, String, Epoch) {
        let (place, then, next) = (self.place(), self.then(), self.next());
        let nobody = match self.backend {
            Backend::NoService => Some(format!("there is no {place}")),
            Backend::Ready(0) => Some(format!("{place} has no ready endpoint")),
            _ => None,
        };
        if let Some(why) = nobody {
            let why = format!("unreachable: {why}; {then}; {next}");
            return (self.worst(), why, Epoch::default());
        }
        let called = self.called();
        match (heard.failures.of(&called), heard.count(&called)) {
            (Some(failure), _) => self.failing(failure, heard.now, namesakes),
            (None, Some((at, count))) => {
                let n = grouped(count.called.round() as i64);
                let why = format!("{place}: none of {n} calls failed in {:.0} s", heard.seconds());
                (Verdict::Ok, why, at)
            }
            (None, None) => self.uncalled(heard),
        }
    }

    fn failing(&self, failure: &Failure, now: Epoch, namesakes: usize) -> (Verdict, String, Epoch) {
        let mut words = failure.words(&self.place(), now);
        if namesakes > 1 {
            // The metrics name the webhook and not its configuration.
            words = format!(
                "{words}, or of another: one of the {namesakes} configurations that have a webhook of this name"
            );
        }
        let (verdict, then) = match (failure.is_all(), self.fails) {
            (true, _) => (self.worst(), self.then()),
            (false, true) => {
                (Verdict::Warn, format!("those requests were refused ({})", self.about))
            }
            (false, false) => (
                Verdict::Warn,
                format!("those requests passed unchecked (failurePolicy Ignore; {})", self.about),
            ),
        };
        (verdict, format!("{words}: {then}; {}", self.next()), failure.at)
    }

    /// Of one that nobody called only what stands behind it is known.
    fn uncalled(&self, heard: &Heard<'_>) -> (Verdict, String, Epoch) {
        let place = self.place();
        let calls = match heard.calls {
            Some((_, calls)) => format!("not called in {:.0} s", calls.seconds),
            None => format!("whether calls fail is not known yet: {}", heard.silence()),
        };
        let (verdict, why) = match &self.backend {
            Backend::Ready(n) => {
                let s = if *n == 1 { "" } else { "s" };
                (Verdict::Ok, format!("{place} has {n} ready endpoint{s}; {calls}"))
            }
            Backend::Unread(trouble) => (
                Verdict::Unknown,
                format!("what stands behind {place} {}; {calls}", trouble.words()),
            ),
            _ => (Verdict::Unknown, format!("{place}: {calls}")),
        };
        (verdict, why, Epoch::default())
    }
}

/// What it is called for, shortly.
fn about(webhook: &Value) -> String {
    let texts = |v: &Value| -> String {
        let all = v.as_array().into_iter().flatten().filter_map(Value::as_str);
        all.take(4).collect::<Vec<_>>().join(",")
    };
    let rules = webhook["rules"].as_array().into_iter().flatten();
    let rules =
        rules.take(3).map(|r| format!("{} {}", texts(&r["operations"]), texts(&r["resources"])));
    rules.collect::<Vec<_>>().join("; ")
}

/// A line a webhook; of one that is called and has no configuration any more, nothing.
pub fn lines(all: &[Webhook], heard: &Heard<'_>) -> Vec<Line> {
    let mut namesakes = BTreeMap::<Called, usize>::new();
    all.iter().for_each(|webhook| *namesakes.entry(webhook.called()).or_default() += 1);
    let line = |webhook: &Webhook| {
        let namesakes = namesakes.get(&webhook.called()).copied().unwrap_or_default();
        let (verdict, why, at) = webhook.judged(heard, namesakes);
        // Both sorts of configuration may have one name, and so may their webhooks.
        let name = format!("{}/{}/{}", webhook.kind, webhook.config, webhook.name);
        Line { at, ..Line::new("webhook", name, verdict, why) }
    };
    let mut lines: Vec<Line> = all.iter().map(line).collect();
    if lines.is_empty() {
        lines.push(Line::new("webhook", "(all)", Verdict::Ok, "there is none".to_owned()));
    }
    lines
}
