//! Aggregated APIs: what the API server says of them, and whether they answer.
//!
//! The server judges by its condition `Available` only, which it finds out every 30 s or when endpoints change
//! (kube-aggregator `pkg/controllers/status/remote`): a process that hangs behind an endpoint that stays is told late. So each
//! is asked for its own discovery document too, as any client asks.

use super::{Line, Verdict};
use serde_json::Value;

/// Whether an API answers when it is asked itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Answer {
    /// It was not asked, or the answer says nothing of it.
    #[default]
    Unasked,
    /// It answers.
    Came,
    /// It does not, with what came instead.
    Failed(String),
}

/// A registered API (apiregistration.k8s.io/v1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiService {
    /// `v1beta1.metrics.k8s.io`.
    pub name: String,
    /// `namespace/name` of the service that serves it; empty: the API server itself.
    pub service: String,
    /// Where its discovery document is: `/apis/metrics.k8s.io/v1beta1`.
    pub path: String,
    /// Status, reason and message of its condition `Available`.
    pub available: (String, String, String),
    /// Whether it answers there.
    pub answer: Answer,
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
            path: format!(
                "/apis/{}/{}",
                text(&object["spec"]["group"]),
                text(&object["spec"]["version"])
            ),
            available: available.unwrap_or_default(),
            answer: Answer::default(),
        }
    }
}

/// A line for each API that is not available or does not answer, and one for all.
pub fn apis(all: &[ApiService]) -> Vec<Line> {
    let mut lines: Vec<Line> = all.iter().filter_map(ill).collect();
    let served = || all.iter().filter(|api| !api.service.is_empty());
    let (aggregated, unasked) =
        (served().count(), served().filter(|api| api.answer == Answer::Unasked).count());
    let (verdict, why) = match lines.len() {
        0 => {
            let but = match unasked {
                0 => String::new(),
                n => format!("; {n} of these were not asked themselves"),
            };
            let all = all.len();
            (Verdict::Ok, format!("all {all} are available, {aggregated} by a service{but}"))
        }
        n => (Verdict::Bad, format!("{n} of {} are not available", all.len())),
    };
    lines.insert(0, Line::new("api", "(all)", verdict, why));
    lines
}

fn ill(api: &ApiService) -> Option<Line> {
    let ApiService { name, service, path, available: (status, reason, message), answer } = api;
    let behind = match service.as_str() {
        "" => String::new(),
        service => format!("; look at the pods behind service {service}, or delete the APIService"),
    };
    let then = "requests to it fail with 503, and no namespace can be deleted";
    let why = match answer {
        _ if status != "True" => {
            let reason = if reason.is_empty() { "no condition Available" } else { reason };
            let message = if message.is_empty() { String::new() } else { format!(": {message}") };
            format!("not available, {reason}{message}; {then}{behind}")
        }
        Answer::Failed(words) => format!(
            "does not answer, though its condition still says Available: GET {path}: {words}; requests to it hang or fail, \
             and no namespace can be deleted{behind}"
        ),
        _ => return None,
    };
    Some(Line::new("api", name.as_str(), Verdict::Bad, why))
}
