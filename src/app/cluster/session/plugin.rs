//! Exec credential plugins, run by ourselves rather than by kube: once instead of three times, with
//! a deadline, and with no way to the screen unless the caller has lent it.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::process::{Output, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use kube::config::{Cluster, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::process::Command;

use super::redact::tidy;

/// How long a plugin that cannot ask anybody may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// Whether a credential plugin may use the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginStdio {
    /// The terminal is the plugin's: before the TUI starts, or while it is lent.
    Inherit,
    /// The terminal is not to be touched: no input, output captured, no controlling terminal.
    Captured,
}

/// Why no credentials could be had.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{text}")]
pub struct CredentialFault {
    /// What failed, in words.
    pub text: String,
    /// Trying again with [`PluginStdio::Inherit`] may succeed.
    pub needs_terminal: bool,
}

impl CredentialFault {
    pub(super) fn new(text: impl Into<String>) -> CredentialFault {
        CredentialFault { text: text.into(), needs_terminal: false }
    }
}

/// What a plugin issued.
#[derive(Debug)]
pub(super) struct Issued {
    pub token: Option<SecretString>,
    /// Certificate and key, both PEM.
    pub identity: Option<(String, SecretString)>,
    pub expires: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ExecCredential {
    status: Option<ExecStatus>,
}

/// `client.authentication.k8s.io/v1` ExecCredentialStatus.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecStatus {
    expiration_timestamp: Option<Timestamp>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Runs the plugin and reads what it prints (JSON, or YAML as client-go tolerates it). The protocol
/// is that of client-go `plugin/pkg/client/auth/exec/exec.go` and KEP-541.
///
/// # Errors
/// The plugin is missing, failed, took too long, answered nonsense, or needs a terminal that was
/// not lent.
pub(super) async fn run(
    exec: &ExecConfig,
    cluster: &Cluster,
    stdio: PluginStdio,
) -> Result<Issued, CredentialFault> {
    let interactive = may_ask(exec, stdio)?;
    let mut command = command(exec, cluster, interactive)?;
    match stdio {
        PluginStdio::Inherit => command.stderr(Stdio::inherit()),
        PluginStdio::Captured => detach(&mut command).stderr(Stdio::piped()),
    };
    command.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
    command.stdout(Stdio::piped()).kill_on_drop(true);
    let started = command.spawn().map_err(|error| not_started(exec, &error))?;
    let output = match stdio {
        PluginStdio::Inherit => started.wait_with_output().await,
        PluginStdio::Captured => tokio::time::timeout(DEADLINE, started.wait_with_output())
            .await
            .map_err(|_| too_slow(exec, stdio))?,
    };
    let output = output.map_err(|error| not_started(exec, &error))?;
    if !output.status.success() {
        return Err(failed(exec, &output, stdio));
    }
    issued(exec, &output.stdout)
}

fn name(exec: &ExecConfig) -> String {
    format!("the credential plugin '{}'", tidy(exec.command.as_deref().unwrap_or("?"), 120))
}

/// Whether a plugin wants the terminal at all (an unset mode means IfAvailable).
fn may_want_terminal(exec: &ExecConfig) -> bool {
    exec.interactive_mode != Some(ExecInteractiveMode::Never)
}

/// Whether the plugin gets our standard input.
fn may_ask(exec: &ExecConfig, stdio: PluginStdio) -> Result<bool, CredentialFault> {
    let available = stdio == PluginStdio::Inherit && std::io::stdin().is_terminal();
    match exec.interactive_mode {
        Some(ExecInteractiveMode::Never) => Ok(false),
        Some(ExecInteractiveMode::Always) if !available => Err(CredentialFault {
            text: format!("{} must ask on a terminal and has none", name(exec)),
            needs_terminal: stdio == PluginStdio::Captured,
        }),
        _ => Ok(available),
    }
}

fn command(
    exec: &ExecConfig,
    cluster: &Cluster,
    interactive: bool,
) -> Result<Command, CredentialFault> {
    let program = exec.command.as_deref().filter(|command| !command.is_empty());
    let program = program
        .ok_or_else(|| CredentialFault::new("the user's exec entry names no command to run"))?;
    let mut command = Command::new(program);
    command.args(exec.args.iter().flatten());
    let pair = |entry: &HashMap<String, String>| {
        Some((entry.get("name")?.clone(), entry.get("value")?.clone()))
    };
    command.envs(exec.env.iter().flatten().filter_map(pair));
    command.env("KUBERNETES_EXEC_INFO", exec_info(exec, cluster, interactive)?);
    Ok(command)
}

fn exec_info(
    exec: &ExecConfig,
    cluster: &Cluster,
    interactive: bool,
) -> Result<String, CredentialFault> {
    let mut spec = serde_json::json!({ "interactive": interactive });
    if exec.provide_cluster_info {
        let unusable = |why: &dyn std::fmt::Display| {
            CredentialFault::new(format!("{} cannot be told the cluster: {why}", name(exec)))
        };
        let info = ExecAuthCluster::try_from(cluster).map_err(|e| unusable(&e))?;
        spec["cluster"] = serde_json::to_value(info).map_err(|e| unusable(&e))?;
    }
    Ok(serde_json::json!({
        "kind": "ExecCredential",
        "apiVersion": exec.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1"),
        "spec": spec,
    })
    .to_string())
}

/// A background plugin gets a session of its own: without a controlling terminal it cannot open
/// `/dev/tty` and write over the screen.
fn detach(command: &mut Command) -> &mut Command {
    // SAFETY: setsid is async-signal-safe, touches no memory of ours, and its failure is harmless.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            Ok(())
        })
    }
}

fn not_started(exec: &ExecConfig, error: &std::io::Error) -> CredentialFault {
    let hint = exec.install_hint.as_deref().map(|hint| format!(" {}", tidy(hint, 300)));
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "is not installed or not on the PATH".to_owned(),
        _ => format!("could not be run: {error}"),
    };
    CredentialFault::new(format!("{} {why}.{}", name(exec), hint.unwrap_or_default()))
}

fn too_slow(exec: &ExecConfig, stdio: PluginStdio) -> CredentialFault {
    CredentialFault {
        text: format!("{} did not answer within {} s", name(exec), DEADLINE.as_secs()),
        needs_terminal: stdio == PluginStdio::Captured && may_want_terminal(exec),
    }
}

fn failed(exec: &ExecConfig, output: &Output, stdio: PluginStdio) -> CredentialFault {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim_end().lines().rev().take(3).collect::<Vec<_>>();
    let said = tidy(&said.into_iter().rev().collect::<Vec<_>>().join(" "), 400);
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    CredentialFault {
        text: format!("{} failed ({}){said}", name(exec), output.status),
        needs_terminal: stdio == PluginStdio::Captured && may_want_terminal(exec),
    }
}

fn issued(exec: &ExecConfig, stdout: &[u8]) -> Result<Issued, CredentialFault> {
    // The output holds secrets, and so may a parser's error text that quotes it: neither is shown.
    let nonsense = |what: &str| CredentialFault::new(format!("{} {what}", name(exec)));
    let parsed: ExecCredential = serde_saphyr::from_slice(stdout)
        .map_err(|_| nonsense("printed something that is not an ExecCredential"))?;
    let status =
        parsed.status.ok_or_else(|| nonsense("printed an ExecCredential without status"))?;
    let key = status.client_key_data.map(SecretString::from);
    let identity = status.client_certificate_data.zip(key);
    let token = status.token.filter(|token| !token.is_empty()).map(SecretString::from);
    if token.is_none() && identity.is_none() {
        return Err(nonsense("issued neither a token nor a client certificate with its key"));
    }
    Ok(Issued { token, identity, expires: status.expiration_timestamp })
}
