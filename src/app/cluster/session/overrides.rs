//! Command line flags over kubeconfig entries, and what a server URL may be, as in client-go.

use std::path::Path;

use http::Uri;
use kube::config::{AuthInfo, Cluster};

use super::args::ConnectArgs;
use super::pinned::About;
use super::redact::redact;

fn has(value: &Option<String>) -> bool {
    value.as_ref().is_some_and(|text| !text.is_empty())
}

/// Whether the cluster entry names the authorities to trust.
pub(super) fn names_authority(cluster: &Cluster) -> bool {
    has(&cluster.certificate_authority) || has(&cluster.certificate_authority_data)
}

fn path_text(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.to_string_lossy().into_owned()
}

pub(super) fn on_cluster(args: &ConnectArgs, cluster: &mut Cluster) {
    if args.insecure_skip_tls_verify || args.certificate_authority.is_some() {
        cluster.insecure_skip_tls_verify = Some(args.insecure_skip_tls_verify);
        cluster.certificate_authority = args.certificate_authority.as_deref().map(path_text);
        cluster.certificate_authority_data = None;
    }
    if args.tls_server_name.is_some() || args.server.is_some() {
        cluster.tls_server_name = args.tls_server_name.clone();
    }
    if args.server.is_some() {
        cluster.server = args.server.clone();
    }
    if args.proxy_url.is_some() {
        cluster.proxy_url = args.proxy_url.clone();
    }
}

pub(super) fn on_user(args: &ConnectArgs, auth: &mut AuthInfo) {
    if args.token.is_some() {
        auth.token = args.token.clone().map(Into::into);
        auth.token_file = None;
        auth.exec = None;
        auth.auth_provider = None;
        (auth.username, auth.password) = (None, None);
    }
    if args.as_user.is_some() {
        auth.impersonate = args.as_user.clone();
    }
    if args.as_uid.is_some() {
        auth.impersonate_uid = args.as_uid.clone();
    }
    if !args.as_group.is_empty() {
        auth.impersonate_groups = Some(args.as_group.clone());
    }
}

/// The server's URL; without a scheme it is http, or https as soon as anything about TLS is
/// configured (client-go `rest/url_utils.go` DefaultServerURL, `defaultServerUrlFor`).
pub(super) fn server_url(cluster: &Cluster, auth: &AuthInfo) -> Result<Uri, String> {
    let text = cluster.server.as_deref().unwrap_or_default().trim();
    if text.is_empty() {
        return Err("the cluster entry names no server; set its 'server' or pass --server".into());
    }
    let tls = names_authority(cluster)
        || has(&auth.client_certificate)
        || has(&auth.client_certificate_data)
        || cluster.insecure_skip_tls_verify == Some(true);
    let full = match (text.contains("://"), tls) {
        (true, _) => text.to_owned(),
        (false, true) => format!("https://{text}"),
        (false, false) => format!("http://{text}"),
    };
    let bad = || format!("the server URL '{}' is not an http or https URL", redact(text));
    let url: Uri = full.parse().map_err(|_| bad())?;
    let known = matches!(url.scheme_str(), Some("http" | "https"));
    if known && url.host().is_some_and(|host| !host.is_empty()) { Ok(url) } else { Err(bad()) }
}

/// Credentials are never sent in clear, as in client-go (`client_config.go`: "only try to read the
/// auth information if we are secure"). Impersonation stays: `kubectl proxy` passes it on.
pub(super) fn drop_credentials(auth: &mut AuthInfo, about: &mut About) {
    let bare = AuthInfo {
        impersonate: auth.impersonate.take(),
        impersonate_uid: auth.impersonate_uid.take(),
        impersonate_groups: auth.impersonate_groups.take(),
        impersonate_user_extra: auth.impersonate_user_extra.take(),
        ..AuthInfo::default()
    };
    *auth = bare;
    about.notes.push("The server is reached over plain http: no credentials are sent.".into());
}
