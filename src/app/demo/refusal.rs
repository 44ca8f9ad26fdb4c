//! Why a request was not done: always a real `Status`, with the words the Kubernetes API server uses
//! (apimachinery `pkg/api/errors/errors.go`), because clients match on them.

use serde_json::{Value, json};

use super::registry::Resource;

/// A refused request.
#[derive(Debug)]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// Seconds for the `Retry-After` header.
    pub retry_after: Option<u32>,
    /// The `Status` object.
    pub status: Box<Value>,
}

/// What the functions of the demo server return.
pub type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    /// A `Status` with this code, reason and message.
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Refusal {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message.into(), "reason": reason, "code": code,
        });
        Refusal { code, retry_after: None, status: Box::new(status) }
    }

    /// Adds `details` about an object.
    pub fn about(mut self, res: &Resource, name: &str) -> Refusal {
        self.details("group", json!(res.group));
        self.details("kind", json!(res.plural));
        self.details("name", json!(name));
        self
    }

    /// Adds one entry to `details.causes`.
    pub fn cause(mut self, reason: &str, message: impl Into<String>, field: &str) -> Refusal {
        let mut cause = json!({"reason": reason, "message": message.into()});
        if !field.is_empty() {
            cause["field"] = json!(field);
        }
        self.details("causes", json!([cause]));
        self
    }

    /// Asks the client to wait this many seconds: the header and `details.retryAfterSeconds`.
    pub fn after(mut self, seconds: u32) -> Refusal {
        self.retry_after = Some(seconds);
        self.details("retryAfterSeconds", json!(seconds));
        self
    }

    fn details(&mut self, key: &str, value: Value) {
        if value.as_str() != Some("") {
            self.status["details"][key] = value;
        }
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "BadRequest", message)
    }

    /// 404 for an object.
    pub fn not_found(res: &Resource, name: &str) -> Refusal {
        let message = format!("{} \"{name}\" not found", res.qualified());
        Refusal::new(404, "NotFound", message).about(res, name)
    }

    /// 404 for a path nobody serves.
    pub fn no_such_path() -> Refusal {
        Refusal::new(404, "NotFound", "the server could not find the requested resource")
    }

    /// 405.
    pub fn not_allowed() -> Refusal {
        let message = "the server does not allow this method on the requested resource";
        Refusal::new(405, "MethodNotAllowed", message)
    }

    /// 409 because the name is taken.
    pub fn already_exists(res: &Resource, name: &str) -> Refusal {
        let message = format!("{} \"{name}\" already exists", res.qualified());
        Refusal::new(409, "AlreadyExists", message).about(res, name)
    }

    /// 409 because the object is not what the request took it for.
    pub fn conflict(res: &Resource, name: &str, why: &str) -> Refusal {
        let message =
            format!("Operation cannot be fulfilled on {} \"{name}\": {why}", res.qualified());
        Refusal::new(409, "Conflict", message).about(res, name)
    }

    /// 409 because the resourceVersion moved.
    pub fn stale(res: &Resource, name: &str) -> Refusal {
        let why = "the object has been modified; please apply your changes to the latest version \
                   and try again";
        Refusal::conflict(res, name, why)
    }

    /// 409 because a uid precondition does not hold.
    pub fn other_uid(res: &Resource, name: &str, asked: &str, found: &str) -> Refusal {
        let why = format!(
            "the UID in the precondition ({asked}) does not match the UID in record ({found}). \
             The object might have been deleted and then recreated"
        );
        Refusal::conflict(res, name, &why)
    }

    /// 410: the version asked for is older than the kept history.
    pub fn expired(message: impl Into<String>) -> Refusal {
        Refusal::new(410, "Expired", message)
    }

    /// 422 with one cause.
    pub fn invalid(kind: &str, name: &str, field: &str, reason: &str, what: &str) -> Refusal {
        let message = format!("{kind} \"{name}\" is invalid: {field}: {what}");
        let mut refusal = Refusal::new(422, "Invalid", message).cause(reason, what, field);
        refusal.details("kind", json!(kind));
        refusal.details("name", json!(name));
        refusal
    }
}
