//! What a test does with the control plane: wait for it, ask it, run kubectl.

use super::http::{Connection, Reply};
use super::{Component, ControlPlane, User, process};
use serde_json::Value;
use std::net::TcpStream;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

const KUBECTL_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for an answer of the API server.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until `ready`, until `gone` gives a reason to stop, or until the limit: the one place of these tests that pauses.
pub fn poll(
    limit: Duration,
    mut ready: impl FnMut() -> bool,
    mut gone: impl FnMut() -> Option<String>,
) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    loop {
        if ready() {
            return Ok(());
        }
        if let Some(why) = gone() {
            return Err(why);
        }
        if Instant::now() >= deadline {
            return Err(format!("not so within {limit:?}"));
        }
        std::thread::park_timeout(Duration::from_millis(25));
    }
}

/// Waits until a condition holds.
///
/// # Panics
/// When it does not within the limit.
pub fn wait_until(what: &str, limit: Duration, ready: impl FnMut() -> bool) {
    poll(limit, ready, || None).unwrap_or_else(|why| panic!("{what}: {why}"));
}

impl ControlPlane {
    /// Runs kubectl of the server's version as root.
    pub fn kubectl(&self, args: &[&str]) -> Output {
        self.kubectl_as(User::Root, args, "")
    }

    /// Runs kubectl as a user with a text on its standard input.
    pub fn kubectl_as(&self, user: User, args: &[&str], input: &str) -> Output {
        let mut command = Command::new(self.assets.program("kubectl"));
        command.arg("--kubeconfig").arg(self.kubeconfig(user)).args(args).env("HOME", self.dir());
        process::output_within(command, input, KUBECTL_TIMEOUT)
    }

    /// `kubectl apply` as root.
    ///
    /// # Panics
    /// When it fails.
    pub fn apply(&self, yaml: &str) {
        let out = self.kubectl_as(User::Root, &["apply", "-f", "-"], yaml);
        assert!(out.status.success(), "kubectl apply: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// Sends a request to the API server as root, without kubectl and without kube.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> std::io::Result<Reply> {
        self.request_within(PATIENCE, method, path, content_type, body)
    }

    /// GET in another form than plain JSON, as root.
    pub fn request_as(&self, accept: &str, path: &str) -> std::io::Result<Reply> {
        self.connection(PATIENCE)?.send("GET", path, &[("Accept", accept)], b"")
    }

    /// GET a path of the API.
    ///
    /// # Panics
    /// When the answer is not 200.
    pub fn api_get(&self, path: &str) -> Value {
        self.done("GET", path, "application/json", &Value::Null)
    }

    /// POST an object to a collection; returns it as the server stored it.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn api_create(&self, path: &str, object: &Value) -> Value {
        self.done("POST", path, "application/json", object)
    }

    /// Merge-PATCH an object or a subresource.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn api_patch(&self, path: &str, patch: &Value) -> Value {
        self.done("PATCH", path, "application/merge-patch+json", patch)
    }

    /// DELETE an object with options such as `{"gracePeriodSeconds": 0}`.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn api_delete(&self, path: &str, options: &Value) -> Value {
        self.done("DELETE", path, "application/json", options)
    }

    /// The controllers make `default/default` last of what a pod needs, so workloads may be created after it.
    pub fn wait_for_default_service_account(&self) {
        let path = "/api/v1/namespaces/default/serviceaccounts/default";
        let made = || self.request("GET", path, "", b"").is_ok_and(|r| r.status == 200);
        wait_until("the default service account", super::START_TIMEOUT, made);
    }

    /// Whether a component serves: etcd and the API server say so themselves, the others listen.
    pub(super) fn is_ready(&self, component: Component) -> bool {
        let soon = Duration::from_secs(2);
        let listens = |port| {
            TcpStream::connect_timeout(&([127, 0, 0, 1], self.slot.port(port)).into(), soon).is_ok()
        };
        match component {
            Component::Etcd => self.etcd_is_healthy(),
            Component::ApiServer => {
                self.request_within(soon, "GET", "/readyz", "", b"").is_ok_and(|r| r.status == 200)
            }
            Component::ControllerManager => listens("KCM"),
            Component::Scheduler => listens("SCHED"),
            Component::Kwok => listens("KWOK"),
            Component::MetricsServer => listens("MS"),
        }
    }

    /// Like [`ControlPlane::request`], for a server that may be paused.
    pub fn request_within(
        &self,
        patience: Duration,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> std::io::Result<Reply> {
        self.connection(patience)?.send(method, path, &[("Content-Type", content_type)], body)
    }

    /// As root, with headers beside the usual ones: `Impersonate-User` and the like.
    pub fn request_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Reply> {
        self.connection(PATIENCE)?.send(method, path, headers, body)
    }

    /// As root, a request that takes a seat of the API server until what is returned is dropped.
    pub fn request_held(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> std::io::Result<Connection> {
        let mut connection = self.connection(PATIENCE)?;
        connection.hold(method, path, headers)?;
        Ok(connection)
    }

    fn connection(&self, patience: Duration) -> std::io::Result<Connection> {
        Connection::tls(self.slot.port("API"), Arc::new(self.pki.tls()), patience)
    }

    fn done(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Value {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let reply = self.request(method, path, content_type, &bytes);
        let reply = reply.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let text = String::from_utf8_lossy(&reply.body);
        assert!(
            (200..300).contains(&reply.status),
            "{method} {path}: {} {text}\nsent {body}",
            reply.status
        );
        reply.json()
    }
}
