//! Kubeconfig files are found and merged as client-go does it, and read once: the merged value is
//! all that later decisions look at.

use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, KubeconfigError};
use kube::config::{NamedAuthInfo, NamedCluster, NamedContext};

use super::environment::Environment;
use super::redact::tidy;
use super::start::Cause;

/// The name given to the context, cluster and user made from a pod's service account.
pub(super) const IN_CLUSTER: &str = "in-cluster";

/// What was read, and from where.
#[derive(Clone, Debug, Default)]
pub(super) struct Loaded {
    /// All files merged; relative paths are resolved from the file that holds them.
    pub config: Kubeconfig,
    /// The files that were read, in order of precedence.
    pub files: Vec<PathBuf>,
    /// The files that were looked for and are not there.
    pub missing: Vec<PathBuf>,
    /// Made from the service account of the pod we run in.
    pub in_cluster: bool,
}

/// Reads the kubeconfig: `--kubeconfig`, else the files of `$KUBECONFIG`, else `~/.kube/config`,
/// and the pod's service account when these hold nothing (client-go `tools/clientcmd/loader.go` and
/// `merged_client_builder.go`).
///
/// # Errors
/// An explicit file that is not there, and any file that cannot be read or parsed.
pub(super) fn load(explicit: Option<&Path>, environment: &Environment) -> Result<Loaded, Cause> {
    if let Some(file) = explicit {
        return merge(&[file.to_owned()], true);
    }
    let listed = environment.kubeconfig.as_deref().map(|list| {
        std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect::<Vec<_>>()
    });
    let files = match listed.filter(|files| !files.is_empty()) {
        Some(files) => files,
        None => environment.home.iter().map(|home| home.join(".kube").join("config")).collect(),
    };
    let loaded = merge(&files, false)?;
    let empty = loaded.config.contexts.is_empty() && loaded.config.clusters.is_empty();
    match empty.then(|| service_account(environment)).flatten() {
        Some(config) => Ok(Loaded { config, in_cluster: true, ..loaded }),
        None => Ok(loaded),
    }
}

/// First file to set a name wins, missing files are skipped unless `required`.
fn merge(files: &[PathBuf], required: bool) -> Result<Loaded, Cause> {
    let mut loaded = Loaded::default();
    for file in files {
        // A relative path would change its meaning if the working directory ever moved.
        let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        let unusable = |why: String| Cause::Kubeconfig { file: file.clone(), why: tidy(&why, 300) };
        match Kubeconfig::read_from(&file) {
            Ok(next) => {
                loaded.config = loaded.config.merge(next).map_err(|e| unusable(e.to_string()))?;
                loaded.files.push(file);
            }
            Err(KubeconfigError::ReadConfig(error, _)) => {
                if required || error.kind() != std::io::ErrorKind::NotFound {
                    return Err(unusable(error.to_string()));
                }
                loaded.missing.push(file);
            }
            Err(error) => return Err(unusable(error.to_string())),
        }
    }
    Ok(loaded)
}

/// A kubeconfig that says what client-go's `rest.InClusterConfig` says. Token and CA stay file
/// references, so that their rotation is seen like that of any other file.
fn service_account(environment: &Environment) -> Option<Kubeconfig> {
    let (host, port) = environment.service.as_ref()?;
    let file = |name: &str| environment.service_account.join(name);
    if !file("token").is_file() {
        return None;
    }
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let text = |path: PathBuf| path.to_str().map(str::to_owned);
    let namespace = std::fs::read_to_string(file("namespace")).ok();
    let cluster = Cluster {
        server: Some(format!("https://{host}:{port}")),
        certificate_authority: text(file("ca.crt")),
        ..Cluster::default()
    };
    let user = AuthInfo { token_file: text(file("token")), ..AuthInfo::default() };
    let context = Context {
        cluster: IN_CLUSTER.into(),
        user: Some(IN_CLUSTER.into()),
        namespace: namespace.map(|ns| ns.trim().to_owned()).filter(|ns| !ns.is_empty()),
        ..Context::default()
    };
    let name = || IN_CLUSTER.to_owned();
    Some(Kubeconfig {
        clusters: vec![NamedCluster { name: name(), cluster: Some(cluster), ..Default::default() }],
        auth_infos: vec![NamedAuthInfo {
            name: name(),
            auth_info: Some(user),
            ..Default::default()
        }],
        contexts: vec![NamedContext { name: name(), context: Some(context), ..Default::default() }],
        current_context: Some(name()),
        ..Kubeconfig::default()
    })
}
