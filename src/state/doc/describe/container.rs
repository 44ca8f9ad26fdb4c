//! A container: what it runs, how it is, what it may use. Of its environment only the number and where it comes from.

use super::page::{
    Page, ago, count, entries, int, items, join, scalar, str_at, text, time, when_so, yes,
};
use crate::state::cell::Role;
use crate::state::time::{Epoch, span};
use serde_json::Value;

/// Writes a container of the spec with its status, if it has one. `what` tells a sidecar from an init container.
pub(super) fn write(page: &mut Page, spec: &Value, status: Option<&Value>, what: &str, now: Epoch) {
    page.indent = 2;
    let name = str_at(spec, "/name");
    page.line(
        Role::Accent,
        &if what.is_empty() { name.to_owned() } else { format!("{name} ({what})") },
    );
    page.indent = 4;
    page.field("image", str_at(spec, "/image"));
    if let Some(status) = status {
        condition(page, status, now);
    }
    page.field("command", join_words(items(spec, "/command")));
    page.field("arguments", join_words(items(spec, "/args")));
    page.field("requests", amounts(spec, "/resources/requests"));
    page.field("limits", amounts(spec, "/resources/limits"));
    page.field("ports", join(items(spec, "/ports").iter().map(port)));
    for (label, field) in [
        ("startup", "/startupProbe"),
        ("readiness", "/readinessProbe"),
        ("liveness", "/livenessProbe"),
    ] {
        page.field(label, spec.pointer(field).map_or(String::new(), probe));
    }
    page.field("environment", environment(spec));
    page.list("mounts", items(spec, "/volumeMounts").iter().map(mount));
}

fn condition(page: &mut Page, status: &Value, now: Epoch) {
    // What the node made of the image's name, where that says more than the name.
    let id = str_at(status, "/imageID");
    page.field("image id", id.rsplit_once('@').map_or(id, |(_, digest)| digest));
    let (role, words) = state(status, "/state", now);
    page.field_as("state", role, words);
    page.field("last state", state(status, "/lastState", now).1);
    let ready = yes(status, "/ready");
    let done = status.pointer("/state/terminated").is_some_and(|t| int(t, "/exitCode") == 0);
    let role = if ready || done { Role::Plain } else { Role::Warn };
    page.field_as("ready", role, if ready { "yes" } else { "no" });
    page.field("restarts", text(status, "/restartCount"));
}

fn state(status: &Value, at: &str, now: Epoch) -> (Role, String) {
    let state = |kind: &str| status.pointer(&format!("{at}/{kind}"));
    if let Some(s) = state("running") {
        return (Role::Plain, format!("running, started {}", ago(time(s, "/startedAt"), now)));
    }
    if let Some(s) = state("waiting") {
        let why = str_at(s, "/reason");
        let role = crate::state::rules::pod_status::role(why);
        let message = str_at(s, "/message");
        let message = when_so(!message.is_empty(), format!(": {message}"));
        return (role, format!("waiting, {why}{message}"));
    }
    state("terminated").map_or((Role::Plain, String::new()), |s| terminated(s, now))
}

fn terminated(s: &Value, now: Epoch) -> (Role, String) {
    let (code, signal) = (int(s, "/exitCode"), int(s, "/signal"));
    let (start, end) = (time(s, "/startedAt"), time(s, "/finishedAt"));
    let ran = when_so(start.is_set() && end.is_set(), format!("ran {}", span(end.0 - start.0)));
    let message = str_at(s, "/message").trim_end();
    let words = join([
        format!("ended {}", ago(end, now)).trim_end().to_owned(),
        str_at(s, "/reason").to_owned(),
        format!("exit code {code}"),
        when_so(signal != 0, format!("signal {signal}")),
        ran,
    ]);
    let message = when_so(!message.is_empty(), format!("\n{message}"));
    (if code == 0 { Role::Plain } else { Role::Bad }, format!("{words}{message}"))
}

/// Words of a command line; those with blanks in quotes.
fn join_words(words: &[Value]) -> String {
    let quoted = |word: &Value| {
        let word = scalar(word);
        if word.is_empty() || word.contains(char::is_whitespace) {
            format!("{word:?}")
        } else {
            word
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// `cpu 250m, memory 64Mi`.
pub(super) fn amounts(value: &Value, at: &str) -> String {
    join(entries(value, at).map(|(resource, amount)| format!("{resource} {}", scalar(amount))))
}

fn port(port: &Value) -> String {
    let name = str_at(port, "/name");
    let host = text(port, "/hostPort");
    let protocol = str_at(port, "/protocol");
    format!(
        "{}{}{}{}",
        when_so(!name.is_empty(), format!("{name} ")),
        text(port, "/containerPort"),
        when_so(!protocol.is_empty(), format!("/{protocol}")),
        when_so(!host.is_empty(), format!(" on the node's {host}")),
    )
}

/// `GET http://:8080/healthz, every 10s, timeout 1s, fails after 3`.
fn probe(probe: &Value) -> String {
    let after = |word: &str, field: &str| {
        let n = int(probe, field);
        when_so(n > 0, format!("{word} {n}s"))
    };
    let failures = int(probe, "/failureThreshold");
    join([
        action(probe),
        after("after", "/initialDelaySeconds"),
        after("every", "/periodSeconds"),
        after("timeout", "/timeoutSeconds"),
        when_so(failures > 0, format!("fails after {failures}")),
    ])
}

fn action(probe: &Value) -> String {
    if let Some(get) = probe.get("httpGet") {
        let scheme = str_at(get, "/scheme").to_ascii_lowercase();
        let scheme = if scheme.is_empty() { "http" } else { &scheme };
        let (host, port, path) = (str_at(get, "/host"), text(get, "/port"), str_at(get, "/path"));
        return format!("GET {scheme}://{host}:{port}{path}");
    }
    if let Some(tcp) = probe.get("tcpSocket") {
        return format!("connect to {}:{}", str_at(tcp, "/host"), text(tcp, "/port"));
    }
    if let Some(grpc) = probe.get("grpc") {
        return format!("gRPC on {} {}", text(grpc, "/port"), str_at(grpc, "/service"))
            .trim_end()
            .to_owned();
    }
    format!("run {}", join_words(items(probe, "/exec/command")))
}

/// `12 variables, 2 of them from secrets; all of secret db, config map web`.
fn environment(spec: &Value) -> String {
    let all = items(spec, "/env");
    let secret = all.iter().filter(|e| e.pointer("/valueFrom/secretKeyRef").is_some()).count();
    let from = items(spec, "/envFrom").iter().map(|source| {
        let config = str_at(source, "/configMapRef/name");
        match str_at(source, "/secretRef/name") {
            "" => format!("config map {config}"),
            secret => format!("secret {secret}"),
        }
    });
    let from = join(from);
    let own = when_so(!all.is_empty(), count(all.len(), "variable"));
    let secret = when_so(secret > 0, format!("{secret} of them from secrets"));
    join([own, secret, when_so(!from.is_empty(), format!("all of {from}"))])
}

fn mount(mount: &Value) -> String {
    let sub = str_at(mount, "/subPath");
    let sub = when_so(!sub.is_empty(), format!("/{sub}"));
    let read_only = when_so(yes(mount, "/readOnly"), " (read-only)");
    format!("{} from {}{sub}{read_only}", str_at(mount, "/mountPath"), str_at(mount, "/name"))
}
