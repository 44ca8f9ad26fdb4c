//! The process environment as a value, read once: what is resolved from it cannot move afterwards,
//! and tests need no global state.

use std::ffi::OsString;
use std::path::PathBuf;

/// What the environment says about clusters and proxies.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `$KUBECONFIG`: a list of files in the platform's path syntax.
    pub kubeconfig: Option<OsString>,
    /// The home folder that holds `.kube/config`.
    pub home: Option<PathBuf>,
    /// `$KUBERNETES_SERVICE_HOST` and `$KUBERNETES_SERVICE_PORT`: set inside a pod.
    pub service: Option<(String, String)>,
    /// Where a pod's service account is mounted.
    pub service_account: PathBuf,
    /// Proxies of the environment.
    pub proxies: ProxyVariables,
}

/// The proxy variables as Go's `golang.org/x/net/http/httpproxy` reads them (upper case first),
/// and `ALL_PROXY`, which Go ignores and curl honours, as a last resort.
#[derive(Clone, Debug, Default)]
pub struct ProxyVariables {
    /// `HTTPS_PROXY` or `https_proxy`: for https servers.
    pub https: Option<String>,
    /// `HTTP_PROXY` or `http_proxy`: for http servers.
    pub http: Option<String>,
    /// `ALL_PROXY` or `all_proxy`.
    pub all: Option<String>,
    /// `NO_PROXY` or `no_proxy`: hosts to reach directly.
    pub none: String,
}

impl Environment {
    /// Reads the variables of this process.
    pub fn of_process() -> Environment {
        let first = |names: [&str; 2]| {
            names.iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
        };
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Environment {
            kubeconfig: std::env::var_os("KUBECONFIG"),
            home: std::env::home_dir(),
            service: var("KUBERNETES_SERVICE_HOST").zip(var("KUBERNETES_SERVICE_PORT")),
            service_account: "/var/run/secrets/kubernetes.io/serviceaccount".into(),
            proxies: ProxyVariables {
                https: first(["HTTPS_PROXY", "https_proxy"]),
                http: first(["HTTP_PROXY", "http_proxy"]),
                all: first(["ALL_PROXY", "all_proxy"]),
                none: first(["NO_PROXY", "no_proxy"]).unwrap_or_default(),
            },
        }
    }
}
