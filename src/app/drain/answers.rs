//! What an answer means to the drain engine (semantics.md A4): the status alone does not tell. A 429 is a budget's, flow
//! control's or a webhook's, and what remains open after a 5xx decides whether a pod is read again or asked again.

use crate::actions::drain::orders::Outcome;
use crate::app::cluster::session::{Answer, Fault, Unreachable};
use std::time::Duration;

/// Pause where the server asks for one and does not say how long.
const PAUSE: Duration = Duration::from_secs(1);

/// What became of a request of a drain.
pub fn outcome(answer: &Result<Answer, Fault>) -> Outcome {
    let fault = match answer {
        Ok(_) => return Outcome::Accepted,
        Err(fault) => fault,
    };
    let text = fault.to_string();
    match fault {
        Fault::Throttled { after, message } if of_webhook(message) => {
            Outcome::Webhook { message: message.clone(), retry_after: after.map_or(0, millis) }
        }
        _ if of_webhook(&text) => Outcome::Webhook { message: text, retry_after: 0 },
        Fault::NotFound { .. } => Outcome::Gone,
        Fault::Conflict { message } | Fault::Stale { message } => match message.contains("UID") {
            true => Outcome::Replaced,
            false => Outcome::Failed { status: 409, message: message.clone() },
        },
        // Only a budget whose status is stale says when to come back.
        Fault::Blocked { after: Some(after), .. } => {
            Outcome::BudgetStale { retry_after: millis(*after) }
        }
        Fault::Blocked { after: None, message } => {
            Outcome::BudgetClosed { message: message.clone(), cause: message.clone() }
        }
        Fault::Throttled { after, .. } => {
            Outcome::FlowControl { retry_after: millis(after.unwrap_or(PAUSE)) }
        }
        Fault::Forbidden { message, .. } if message.contains("is being terminated") => {
            Outcome::NamespaceTerminating
        }
        Fault::Forbidden { .. } => Outcome::Forbidden { message: text },
        Fault::Rejected { message, .. }
            if message.contains("more than one PodDisruptionBudget") =>
        {
            Outcome::TwoBudgets(message.clone())
        }
        // The eviction gave up before the deletion (eviction.go, `refresh` and `checkAndDecrement` after conflicts).
        Fault::Rejected { code: 504, message, .. } if message.contains("due to conflicts") => {
            Outcome::Failed { status: 504, message: text }
        }
        Fault::Rejected { code: 500.., .. } => Outcome::Unknown { message: text },
        Fault::Rejected { code, .. } => Outcome::Failed { status: *code, message: text },
        Fault::Gone { .. } => Outcome::Failed { status: 410, message: text },
        Fault::Unauthenticated { .. } => Outcome::Failed { status: 401, message: text },
        // No connection came about, so nothing was sent.
        Fault::Unreachable(
            Unreachable::Name { .. }
            | Unreachable::Refused
            | Unreachable::Silent
            | Unreachable::NoRoute,
        )
        | Fault::ReadOnly(_) => Outcome::Failed { status: 0, message: text },
        Fault::Unreachable(_) | Fault::Timeout { .. } | Fault::Foreign(_) | Fault::Bug(_) => {
            Outcome::Unknown { message: text }
        }
    }
}

/// apiserver `admission/plugin/webhook/errors`: a denial and a failed call each have their own beginning.
fn of_webhook(text: &str) -> bool {
    text.contains("admission webhook") || text.contains("failed calling webhook")
}

fn millis(pause: Duration) -> u64 {
    u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method, StatusCode};

    fn of(code: u16, body: &str) -> Outcome {
        let code = StatusCode::from_u16(code).unwrap();
        let path = "/api/v1/namespaces/shop/pods/web-0/eviction";
        let fault = Fault::of_answer(&Method::POST, path, code, &HeaderMap::new(), body.as_bytes());
        outcome(&Err(fault))
    }

    fn status(code: u16, reason: &str, message: &str, details: &str) -> String {
        format!(
            r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"{reason}","message":"{message}","code":{code},"details":{details}}}"#
        )
    }

    #[test]
    fn a_429_is_told_apart_by_its_origin() {
        let cause = r#"{"causes":[{"reason":"DisruptionBudget","message":"The disruption budget web needs 2 healthy pods and has 2 currently"}]}"#;
        let closed = of(429, &status(429, "TooManyRequests", "Cannot evict pod", cause));
        assert!(matches!(closed, Outcome::BudgetClosed { cause, .. } if cause.contains("needs 2")));
        let stale = r#"{"retryAfterSeconds":10,"causes":[{"reason":"DisruptionBudget","message":"still being processed"}]}"#;
        let stale = of(429, &status(429, "TooManyRequests", "Cannot evict pod", stale));
        assert_eq!(stale, Outcome::BudgetStale { retry_after: 10_000 });
        assert!(matches!(
            of(429, "Too many requests, please try again later."),
            Outcome::FlowControl { .. }
        ));
        let webhook = "admission webhook \\\"gate.test\\\" denied the request: not now";
        let of_webhook = of(429, &status(429, "", webhook, "{}"));
        assert!(matches!(of_webhook, Outcome::Webhook { retry_after: 0, .. }), "{of_webhook:?}");
        let later = of(429, &status(429, "", webhook, r#"{"retryAfterSeconds":30}"#));
        assert!(matches!(later, Outcome::Webhook { retry_after: 30_000, .. }), "{later:?}");
    }

    #[test]
    fn what_stays_open_is_unknown_and_what_was_refused_is_not() {
        let two = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        assert!(matches!(of(500, &status(500, "", two, "{}")), Outcome::TwoBudgets(_)));
        assert!(matches!(
            of(500, &status(500, "", "etcdserver: request timed out", "{}")),
            Outcome::Unknown { .. }
        ));
        let uid = "Precondition failed: UID in precondition: a, UID in object meta: b";
        assert_eq!(of(409, &status(409, "Conflict", uid, "{}")), Outcome::Replaced);
        assert_eq!(of(404, &status(404, "NotFound", "gone", "{}")), Outcome::Gone);
        let ends = "unable to create new content in namespace shop because it is being terminated";
        assert_eq!(of(403, &status(403, "Forbidden", ends, "{}")), Outcome::NamespaceTerminating);
        assert!(matches!(
            of(403, &status(403, "Forbidden", "no", "{}")),
            Outcome::Forbidden { .. }
        ));
    }
}
