//! What was resolved at start, as a value. Nothing here reads a file or the environment again, so a
//! `use-context` or a rewritten kubeconfig elsewhere cannot move a running cockpit; only credential
//! *files* are read again, by path.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use kube::config::{
    AuthInfo, Cluster, Context, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext,
};
use secrecy::SecretString;

use crate::state::nearest::nearest;

use super::args::{ConnectArgs, EtcdArgs};
use super::environment::Environment;
use super::kubeconfig::{self, Loaded};
use super::redact::redact;
use super::start::{Cause, StartFault};
use super::{overrides, proxy, start};

/// Which cluster a session is about, in words fit for the header and for error texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// The context's name; empty when flags alone named the cluster.
    pub context: String,
    /// The cluster entry's name.
    pub cluster: String,
    /// The API server's URL, without credentials.
    pub server: String,
    /// The user entry's name (who the server says we are is `Identity`).
    pub user: String,
    /// The namespace to start in.
    pub namespace: String,
    /// Whether `-A` asked for all namespaces.
    pub all_namespaces: bool,
    /// The kubeconfig files that were read, in order of precedence.
    pub files: Vec<PathBuf>,
    /// The server's certificate is not verified.
    pub insecure: bool,
    /// The proxy in between, without credentials.
    pub proxy: Option<String>,
    /// The service account of the pod we run in is used.
    pub in_cluster: bool,
    /// The user acted as (`--as`).
    pub acting_as: Option<String>,
    /// `--request-timeout`; zero means none.
    pub request_timeout: Option<Duration>,
    /// What an operator should know about how this was resolved, in sentences.
    pub notes: Vec<String>,
}

/// A context that can be opened.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextEntry {
    /// The context's name.
    pub name: String,
    /// The cluster entry it names.
    pub cluster: String,
    /// Its namespace, when it sets one.
    pub namespace: Option<String>,
    /// Whether this is the one opened here.
    pub current: bool,
}

/// One resolved way to one cluster, flags applied.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub about: About,
    pub server: Uri,
    pub cluster: Cluster,
    pub auth: AuthInfo,
    pub proxy: Option<Uri>,
}

/// The kubeconfig as it was at start, and the one context chosen from it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pinned {
    loaded: Arc<Loaded>,
    environment: Arc<Environment>,
    args: Arc<ConnectArgs>,
    pub(super) target: Arc<Target>,
}

impl Pinned {
    /// Reads the kubeconfig and resolves what to connect to. Reads files, sends nothing.
    ///
    /// # Errors
    /// What could not be read or resolved, told as [`StartFault::paragraph`].
    pub fn load(args: &ConnectArgs, environment: Environment) -> Result<Pinned, StartFault> {
        let told = |cause| StartFault::new(start::asked(args), cause);
        let loaded = kubeconfig::load(args.kubeconfig.as_deref(), &environment).map_err(told)?;
        let target = resolve(args, &loaded, &environment)?;
        Ok(Pinned {
            loaded: Arc::new(loaded),
            environment: Arc::new(environment),
            args: Arc::new(args.clone()),
            target: Arc::new(target),
        })
    }

    /// Where etcd's own metrics are, if the command line says so. After a switch of context they are another cluster's.
    pub fn etcd(&self) -> &EtcdArgs {
        &self.args.etcd
    }

    /// What was resolved, in words.
    pub fn about(&self) -> &About {
        &self.target.about
    }

    /// The contexts of the kubeconfig as it was at start, in its order.
    pub fn contexts(&self) -> Vec<ContextEntry> {
        let named = self.loaded.config.contexts.iter();
        named
            .filter_map(|named| {
                let context = named.context.as_ref()?;
                Some(ContextEntry {
                    name: named.name.clone(),
                    cluster: context.cluster.clone(),
                    namespace: context.namespace.clone(),
                    current: named.name == self.target.about.context,
                })
            })
            .collect()
    }

    /// A kubeconfig (JSON, which is YAML) with exactly this cluster, user, context and namespace,
    /// flags applied: what a `kubectl` run from here is given, so that it cannot end up elsewhere.
    /// It holds secrets: write it for the owner only.
    ///
    /// # Errors
    /// Not for anything that was read from a kubeconfig.
    pub fn kubeconfig(&self) -> Result<SecretString, serde_json::Error> {
        let Target { about, cluster, auth, .. } = &*self.target;
        let name = |name: &str| if name.is_empty() { "pinned".to_owned() } else { name.to_owned() };
        let context = Context {
            cluster: name(&about.cluster),
            user: Some(name(&about.user)),
            namespace: Some(about.namespace.clone()),
            ..Context::default()
        };
        let config = Kubeconfig {
            kind: Some("Config".into()),
            api_version: Some("v1".into()),
            current_context: Some(name(&about.context)),
            clusters: vec![NamedCluster {
                name: name(&about.cluster),
                cluster: Some(cluster.clone()),
                ..NamedCluster::default()
            }],
            auth_infos: vec![NamedAuthInfo {
                name: name(&about.user),
                auth_info: Some(auth.clone()),
                ..NamedAuthInfo::default()
            }],
            contexts: vec![NamedContext {
                name: name(&about.context),
                context: Some(context),
                ..NamedContext::default()
            }],
            ..Kubeconfig::default()
        };
        serde_json::to_string(&config).map(SecretString::from)
    }

    /// The same kubeconfig, pinned to another of its contexts, starting in `namespace` or the
    /// context's own. The flags that describe a cluster or its credentials apply to the context
    /// they were given for and to no other.
    ///
    /// # Errors
    /// No such context (with the nearest names), or one that cannot be resolved.
    pub fn with_context(&self, name: &str, namespace: Option<&str>) -> Result<Pinned, StartFault> {
        let first = self.args.context.as_deref().or(self.loaded.config.current_context.as_deref());
        let mut args = match first == Some(name) {
            true => ConnectArgs { namespace: None, all_namespaces: false, ..(*self.args).clone() },
            false => self.args.without_target(),
        };
        args.context = Some(name.to_owned());
        args.namespace = namespace.map(str::to_owned);
        let target = resolve(&args, &self.loaded, &self.environment)?;
        Ok(Pinned { target: Arc::new(target), ..self.clone() })
    }
}

/// Applies the flags to the chosen entries as client-go's `DirectClientConfig` does
/// (`tools/clientcmd/client_config.go`, getContext, getCluster, getAuthInfo).
fn resolve(
    args: &ConnectArgs,
    loaded: &Loaded,
    environment: &Environment,
) -> Result<Target, StartFault> {
    let mut about = start::asked(args);
    about.files = loaded.files.clone();
    about.in_cluster = loaded.in_cluster;
    match entries(args, loaded, &mut about) {
        Ok((context, cluster, auth)) => {
            finish(args, environment, &mut about, context, cluster, auth)
                .map_err(|cause| StartFault::new(about, cause))
        }
        Err(cause) => Err(StartFault::new(about, cause)),
    }
}

/// The context, cluster and user entries that are meant.
fn entries(
    args: &ConnectArgs,
    loaded: &Loaded,
    about: &mut About,
) -> Result<(Context, Cluster, AuthInfo), Cause> {
    let config = &loaded.config;
    let given = |flag: &Option<String>| flag.clone().filter(|name| !name.is_empty());
    let context_names = || config.contexts.iter().map(|c| c.name.as_str());
    let chosen = given(&args.context).or_else(|| given(&config.current_context));
    let context = match &chosen {
        Some(name) => {
            about.context = name.clone();
            let found = config.contexts.iter().find(|c| &c.name == name);
            found
                .and_then(|c| c.context.clone())
                .ok_or_else(|| no_such("context", name, context_names()))?
        }
        None if given(&args.server).or(given(&args.cluster)).is_some() => Context::default(),
        None if config.contexts.is_empty() && config.clusters.is_empty() => {
            let looked = loaded.files.iter().chain(&loaded.missing).cloned().collect();
            return Err(Cause::NoKubeconfig { looked });
        }
        None => {
            return Err(Cause::NoContextChosen {
                names: context_names().map(str::to_owned).collect(),
            });
        }
    };
    about.cluster = given(&args.cluster).unwrap_or_else(|| context.cluster.clone());
    let found = config.clusters.iter().find(|c| c.name == about.cluster);
    let cluster = match found.and_then(|c| c.cluster.clone()) {
        Some(cluster) => cluster,
        None if given(&args.cluster).is_none() && given(&args.server).is_some() => {
            Cluster::default()
        }
        None => {
            let names = config.clusters.iter().map(|c| c.name.as_str());
            return Err(no_such("cluster", &about.cluster, names));
        }
    };
    about.user = given(&args.user).or_else(|| context.user.clone()).unwrap_or_default();
    let found = config.auth_infos.iter().find(|u| u.name == about.user);
    let auth = match found.map(|u| u.auth_info.clone().unwrap_or_default()) {
        Some(auth) => auth,
        None if given(&args.user).is_some() => {
            let names = config.auth_infos.iter().map(|u| u.name.as_str());
            return Err(no_such("user", &about.user, names));
        }
        None => {
            // client-go connects without credentials here; so do we, but not silently.
            if !about.user.is_empty() && args.token.is_none() {
                about.notes.push(format!(
                    "The context names the user '{}', which no kubeconfig file holds: connecting \
                     without credentials.",
                    about.user
                ));
            }
            AuthInfo::default()
        }
    };
    Ok((context, cluster, auth))
}

fn no_such<'a>(what: &'static str, name: &str, names: impl Iterator<Item = &'a str>) -> Cause {
    let all: Vec<&str> = names.collect();
    let near = nearest(name, all.iter().copied());
    let listed =
        if near.is_empty() { all.iter().take(8).map(ToString::to_string).collect() } else { near };
    Cause::NoSuch { what, name: name.to_owned(), listed, known: all.len() }
}

fn finish(
    args: &ConnectArgs,
    environment: &Environment,
    about: &mut About,
    context: Context,
    mut cluster: Cluster,
    mut auth: AuthInfo,
) -> Result<Target, Cause> {
    overrides::on_cluster(args, &mut cluster);
    overrides::on_user(args, &mut auth);
    let server = overrides::server_url(&cluster, &auth).map_err(Cause::Setting)?;
    about.server = redact(server.to_string().trim_end_matches('/'));
    about.insecure = cluster.insecure_skip_tls_verify == Some(true);
    if about.insecure && overrides::names_authority(&cluster) {
        return Err(Cause::Setting(
            "the cluster entry sets both a certificate authority and insecure-skip-tls-verify; \
             remove one of them"
                .into(),
        ));
    }
    let proxy = proxy::choose(cluster.proxy_url.as_deref(), &environment.proxies, &server)
        .map_err(Cause::Setting)?;
    about.proxy = proxy.as_ref().map(|url| redact(url.to_string().trim_end_matches('/')));
    if server.scheme_str() == Some("http") {
        overrides::drop_credentials(&mut auth, about);
    }
    about.acting_as = auth.impersonate.clone();
    if about.acting_as.is_none() && (args.as_uid.is_some() || !args.as_group.is_empty()) {
        return Err(Cause::Setting(
            "--as-group and --as-uid say more about --as, which is missing".into(),
        ));
    }
    if let Some(namespace) =
        context.namespace.filter(|ns| !ns.is_empty() && args.namespace.is_none())
    {
        about.namespace = namespace;
    }
    if about.namespace.is_empty() {
        about.namespace = "default".into();
    }
    Ok(Target { about: about.clone(), server, cluster, auth, proxy })
}
