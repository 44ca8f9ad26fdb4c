//! What the API server calls: aggregated APIs and webhooks.

use super::{Line, Verdict, Writes};
use serde_json::Value;
use std::collections::BTreeMap;

/// A registered API (apiregistration.k8s.io/v1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiService {
    /// `v1beta1.metrics.k8s.io`.
    pub name: String,
    /// `namespace/name` of the service that serves it; empty: the API server itself.
    pub service: String,
    /// Status, reason and message of its condition `Available`.
    pub available: (String, String, String),
}

impl ApiService {
    /// Reads the object.
    pub fn of(object: &Value) -> ApiService {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let service = &object["spec"]["service"];
        let conditions = object["status"]["conditions"].as_array();
        let available = conditions.into_iter().flatten().find(|c| c["type"] == "Available");
        let available =
            available.map(|c| (text(&c["status"]), text(&c["reason"]), text(&c["message"])));
        ApiService {
            name: text(&object["metadata"]["name"]),
            service: match service.is_object() {
                true => format!("{}/{}", text(&service["namespace"]), text(&service["name"])),
                false => String::new(),
            },
            available: available.unwrap_or_default(),
        }
    }
}

/// A line for each API that is not available, and one for all.
pub fn apis(all: &[ApiService]) -> Vec<Line> {
    let ill = all.iter().filter(|api| api.available.0 != "True");
    let mut lines: Vec<Line> = ill
        .map(|ApiService { name, service, available: (_, reason, message) }| {
            let reason = if reason.is_empty() { "no condition Available" } else { reason };
            let message = if message.is_empty() { String::new() } else { format!(": {message}") };
            let behind = match service.as_str() {
                "" => String::new(),
                service => format!("; look at the pods behind service {service}, or delete the APIService"),
            };
            let why = format!(
                "not available, {reason}{message}; requests to it fail with 503, and no namespace can be deleted{behind}"
            );
            Line::new("api", name.as_str(), Verdict::Bad, why)
        })
        .collect();
    let aggregated = all.iter().filter(|api| !api.service.is_empty()).count();
    let (verdict, why) = match lines.len() {
        0 => (Verdict::Ok, format!("all {} are available, {aggregated} by a service", all.len())),
        n => (Verdict::Bad, format!("{n} of {} are not available", all.len())),
    };
    lines.insert(0, Line::new("api", "(all)", verdict, why));
    lines
}

/// What stands behind a webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Backend {
    /// A URL, or a service that cannot be looked into.
    #[default]
    Elsewhere,
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

    fn place(&self) -> String {
        match self.url.as_str() {
            "" => format!("service {}/{}", self.service.0, self.service.1),
            url => url.to_owned(),
        }
    }

    fn judged(&self, calls: Option<&Calls>) -> (Verdict, String) {
        let place = self.place();
        let verdict = if self.fails { Verdict::Bad } else { Verdict::Warn };
        let then = match self.fails {
            true => format!("every request it is asked about is refused ({})", self.about),
            false => format!("requests pass unchecked (failurePolicy Ignore; {})", self.about),
        };
        let next = format!(
            "look at what serves it; as a last resort delete {}webhookconfiguration {}",
            self.kind, self.config
        );
        match self.backend {
            Backend::NoService => {
                return (verdict, format!("unreachable: there is no {place}; {then}; {next}"));
            }
            Backend::Ready(0) => {
                return (
                    verdict,
                    format!("unreachable: {place} has no ready endpoint; {then}; {next}"),
                );
            }
            _ => {}
        }
        let Some(calls) = calls else {
            return match self.backend {
                Backend::Ready(n) => (Verdict::Ok, format!("{place} has {n} ready endpoints")),
                _ => (
                    Verdict::Unknown,
                    format!("{place}: failures show between two scrapes of /metrics"),
                ),
            };
        };
        match calls.failed.get(&self.name).copied().unwrap_or_default() {
            n if n > 0.0 => (
                verdict,
                format!(
                    "{n:.0} calls of {place} failed in {:.0} s: {then}; {next}",
                    calls.writes.seconds
                ),
            ),
            _ => (Verdict::Ok, format!("{place}: no call failed in {:.0} s", calls.writes.seconds)),
        }
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

/// What the API server counted between two scrapes of one process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls {
    /// Failed calls by webhook, refused or passed over.
    pub failed: BTreeMap<String, f64>,
    /// Writes to etcd.
    pub writes: Writes,
}

/// A line a webhook; of one that is called and has no configuration any more, nothing.
pub fn webhooks(all: &[Webhook], calls: Option<&Calls>) -> Vec<Line> {
    let line = |webhook: &Webhook| {
        let (verdict, why) = webhook.judged(calls);
        Line::new("webhook", format!("{}/{}", webhook.config, webhook.name), verdict, why)
    };
    let mut lines: Vec<Line> = all.iter().map(line).collect();
    if lines.is_empty() {
        lines.push(Line::new("webhook", "(all)", Verdict::Ok, "there is none".to_owned()));
    }
    lines
}
