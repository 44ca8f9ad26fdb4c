//! The connection flags, named and read as kubectl names and reads them, so that a kubectl command
//! line can be reused as it is.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// Which cluster to open, and as whom. The flags kubectl has, with their kubectl meaning
/// (k8s.io/cli-runtime `pkg/genericclioptions/config_flags.go`).
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Connection")]
pub struct ConnectArgs {
    /// Read this kubeconfig file only (it must exist), instead of $KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE", global = true)]
    pub kubeconfig: Option<PathBuf>,
    /// Open this context of the kubeconfig instead of its current one
    #[arg(long, value_name = "NAME", global = true)]
    pub context: Option<String>,
    /// Take this cluster entry of the kubeconfig instead of the context's
    #[arg(long, value_name = "NAME", global = true)]
    pub cluster: Option<String>,
    /// Take this user entry of the kubeconfig instead of the context's
    #[arg(long, value_name = "NAME", global = true)]
    pub user: Option<String>,
    /// Start in this namespace
    #[arg(short, long, value_name = "NAME", global = true)]
    pub namespace: Option<String>,
    /// Start over all namespaces
    #[arg(short = 'A', long, global = true)]
    pub all_namespaces: bool,
    /// Act as this user (impersonation); a service account is written system:serviceaccount:NS:NAME
    #[arg(long = "as", value_name = "USER", global = true)]
    pub as_user: Option<String>,
    /// Act as a member of this group too; may be repeated
    #[arg(long, value_name = "GROUP", global = true)]
    pub as_group: Vec<String>,
    /// Act with this user id
    #[arg(long, value_name = "UID", global = true)]
    pub as_uid: Option<String>,
    /// Talk to the API server at this URL (it may carry a path)
    #[arg(short, long, value_name = "URL", global = true)]
    pub server: Option<String>,
    /// Authenticate with this bearer token
    #[arg(long, value_name = "TOKEN", global = true)]
    pub token: Option<String>,
    /// Trust the certificate authorities in this file, and no others
    #[arg(long, value_name = "FILE", global = true)]
    pub certificate_authority: Option<PathBuf>,
    /// Do not verify the server's certificate: anyone on the path can read and change everything
    #[arg(long, global = true)]
    pub insecure_skip_tls_verify: bool,
    /// Verify the server's certificate against this name instead of the URL's host
    #[arg(long, value_name = "NAME", global = true)]
    pub tls_server_name: Option<String>,
    /// Connect through this proxy (http, https, socks5 or socks5h URL)
    #[arg(long, value_name = "URL", global = true)]
    pub proxy_url: Option<String>,
    /// Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches
    /// are not affected
    #[arg(long, value_name = "DURATION", value_parser = parse_timeout, global = true)]
    pub request_timeout: Option<Duration>,
    /// Ask one level more before anything is changed on contexts of this name; * stands for anything
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        env = "WHEELHOUSE_PROTECT",
        global = true
    )]
    pub protect: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "its fields are documented")]
    pub etcd: EtcdArgs,
}

/// Where etcd shows its own metrics; the names of the files are etcdctl's.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct EtcdArgs {
    /// Read etcd's own metrics here as well (https://HOST:2379 or its --listen-metrics-urls), for the view apiserver
    #[arg(long, value_name = "URL", global = true)]
    pub etcd_metrics: Option<String>,
    /// Trust the certificate authorities in this file for etcd
    #[arg(long, value_name = "FILE", global = true, requires = "etcd_metrics")]
    pub etcd_cacert: Option<PathBuf>,
    /// Client certificate for etcd
    #[arg(long, value_name = "FILE", global = true, requires = "etcd_key")]
    pub etcd_cert: Option<PathBuf>,
    /// Key of the client certificate for etcd
    #[arg(long, value_name = "FILE", global = true, requires = "etcd_cert")]
    pub etcd_key: Option<PathBuf>,
}

impl ConnectArgs {
    /// Whether `--protect` names this context.
    pub fn protects(&self, context: &str) -> bool {
        self.protect.iter().any(|pattern| name_matches(pattern, context))
    }

    /// The same flags without those that describe one particular cluster and its credentials. They
    /// are dropped on a context switch: a token given for one cluster is never sent to another.
    /// Impersonation stays, since dropping it would silently widen the operator's rights.
    pub(super) fn without_target(&self) -> ConnectArgs {
        ConnectArgs {
            kubeconfig: self.kubeconfig.clone(),
            as_user: self.as_user.clone(),
            as_group: self.as_group.clone(),
            as_uid: self.as_uid.clone(),
            request_timeout: self.request_timeout,
            protect: self.protect.clone(),
            ..ConnectArgs::default()
        }
    }
}

/// Whether a pattern fits a context's name; `*` stands for anything.
pub fn name_matches(pattern: &str, context: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = &parts[..] else { return pattern == context };
    let Some(mut rest) = context.strip_prefix(first) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Parses what kubectl accepts for `--request-timeout`: whole seconds without a unit, or a Go
/// duration (client-go `tools/clientcmd/helpers.go` ParseTimeout; Go `time.ParseDuration`).
///
/// # Errors
/// A sentence that says what is accepted.
pub fn parse_timeout(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    go_duration(text)
        .ok_or_else(|| format!("'{text}' is not a duration: write 30s, 2m, 1m30s or plain seconds"))
}

fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let seconds = match &tail[..unit] {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = &tail[unit..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_read_as_kubectl_reads_them() {
        let ok = |text, millis| assert_eq!(parse_timeout(text), Ok(Duration::from_millis(millis)));
        ok("0", 0);
        ok("5", 5_000);
        ok("5s", 5_000);
        ok("1m", 60_000);
        ok("1m30s", 90_000);
        ok("1.5h", 5_400_000);
        ok("300ms", 300);
        for bad in ["", "5 s", "-5s", "s", "5d", "5s3", "1e9999h", "99999999999999999999h"] {
            assert!(parse_timeout(bad).is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn a_kubectl_command_line_is_understood() {
        use clap::FromArgMatches as _;
        let command = ConnectArgs::augment_args(clap::Command::new("wheelhouse"));
        command.clone().debug_assert();
        let line = "wheelhouse -n shop -A -s https://a/b --as jane --as-group x --as-group=y \
                    --request-timeout=1m --context c --kubeconfig f";
        let matches = command.try_get_matches_from(line.split_whitespace()).unwrap();
        let args = ConnectArgs::from_arg_matches(&matches).unwrap();
        let expected = ConnectArgs {
            namespace: Some("shop".into()),
            all_namespaces: true,
            server: Some("https://a/b".into()),
            as_user: Some("jane".into()),
            as_group: vec!["x".into(), "y".into()],
            request_timeout: Some(Duration::from_secs(60)),
            context: Some("c".into()),
            kubeconfig: Some("f".into()),
            ..ConnectArgs::default()
        };
        assert_eq!(args, expected);
    }

    #[test]
    fn a_switch_drops_the_target_and_keeps_the_impersonation() {
        let args = ConnectArgs {
            token: Some("t".into()),
            server: Some("https://a".into()),
            as_user: Some("jane".into()),
            ..ConnectArgs::default()
        };
        let kept = args.without_target();
        assert_eq!((kept.token, kept.server), (None, None));
        assert_eq!(kept.as_user.as_deref(), Some("jane"));
    }
}
