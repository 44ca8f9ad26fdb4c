//! What a server can do, found out by asking it for little.

use super::Client;
use super::session::{Fault, Permit, call};
use http::Request;
use std::time::Duration;

const DEADLINE: Option<Duration> = Some(Duration::from_secs(10));

/// Whether lists are answered in protobuf.
///
/// # Errors
/// Whatever kept the server from answering.
pub async fn protobuf(client: &Client) -> Result<bool, Fault> {
    let accept = "application/vnd.kubernetes.protobuf,application/json";
    let request = Request::get("/api/v1/namespaces?limit=1").header("accept", accept).body(vec![]);
    let request = request.expect("a fixed path is a valid request");
    let answer = call(client, Permit::Read, request, DEADLINE).await?;
    Ok(answer.content_type.contains("protobuf"))
}

/// Whether an initial list can be streamed through a watch.
///
/// Kubernetes: KEP-3157; a server without the feature answers 422 (or 400 before 1.27).
///
/// # Errors
/// Whatever else kept the server from answering.
pub async fn watch_list(client: &Client) -> Result<bool, Fault> {
    // One namespace and one second: as little as can be asked.
    let path = "/api/v1/namespaces?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan\
                &allowWatchBookmarks=true&timeoutSeconds=1&fieldSelector=metadata.name%3Ddefault";
    let request = Request::get(path).header("accept-encoding", "identity").body(vec![]);
    let request = request.expect("a fixed path is a valid request");
    match call(client, Permit::Read, request, DEADLINE).await {
        Ok(_) => Ok(true),
        Err(Fault::Rejected { code: 400 | 422, .. }) => Ok(false),
        Err(fault) => Err(fault),
    }
}
