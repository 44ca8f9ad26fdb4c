//! The first words with a server: which version it runs and who it takes us for. Asked at the same
//! time, since every round trip delays the first screen.

use std::time::Duration;

use http::{Method, Request};
use kube::Client;
use kube::client::Body;

use super::call;
use super::fault::Fault;
use super::gate::Permit;
use super::redact::tidy;
use super::review::{self, Identity};

/// What the first contact taught.
pub(super) struct Contact {
    /// `gitVersion`, e.g. `v1.36.2`; `None` when reading it is forbidden.
    pub version: Option<String>,
    /// `None` when the server would not say (before Kubernetes 1.28, or a gateway in between).
    pub identity: Option<Identity>,
}

/// Asks `GET /version` and who we are. A 403 on the version is no failure: it comes from an API
/// server that knows us.
///
/// # Errors
/// No answer, a 401 from either, or an answer that no Kubernetes API server gives.
pub(super) async fn first(client: &Client, deadline: Option<Duration>) -> Result<Contact, Fault> {
    let (version, identity) =
        tokio::join!(version(client, deadline), review::whoami(client, deadline));
    let version = version?;
    let identity = match identity {
        Ok(identity) => Some(identity),
        Err(fault @ Fault::Unauthenticated { .. }) => return Err(fault),
        Err(_) => None,
    };
    Ok(Contact { version, identity })
}

async fn version(client: &Client, deadline: Option<Duration>) -> Result<Option<String>, Fault> {
    let request = Request::builder().method(Method::GET).uri("/version").body(Body::empty());
    let request = request.map_err(|error| Fault::Bug(error.to_string()))?;
    match call::call(client, Permit::Read, request, deadline).await {
        Ok(answer) => match serde_json::from_slice::<serde_json::Value>(&answer.body) {
            Ok(value) if value["gitVersion"].is_string() => {
                Ok(value["gitVersion"].as_str().map(|version| tidy(version, 60)))
            }
            _ => Err(foreign(&answer.content_type, &answer.body)),
        },
        Err(Fault::Forbidden { .. }) => Ok(None),
        Err(Fault::NotFound { message }) => {
            Err(Fault::Foreign(format!("it does not know the path /version ({message})")))
        }
        Err(Fault::Rejected { code: 400, message, .. }) if message.contains("HTTPS") => {
            Err(Fault::Foreign(format!("{message} (the server URL should start with https://)")))
        }
        Err(fault) => Err(fault),
    }
}

fn foreign(content_type: &str, body: &[u8]) -> Fault {
    let start = tidy(&String::from_utf8_lossy(&body[..body.len().min(400)]), 120);
    let kind = if content_type.is_empty() { "no content type" } else { content_type };
    Fault::Foreign(format!("GET /version gave {kind}: {start}"))
}
