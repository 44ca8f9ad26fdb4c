//! A client for a server beside the API server: etcd's metrics, with certificates of its own. None of the session's
//! credentials go there, and only reads pass the gate.

use super::args::EtcdArgs;
use super::fault::Fault;
use super::gate::{Lock, gated};
use super::meter::Meter;
use super::pinned::{About, Target};
use super::plugin::PluginStdio;
use super::wire::{Wire, Wired};
use kube::Client;
use kube::config::{AuthInfo, Cluster};
use std::sync::Arc;

/// Splits a URL into what a client is opened for and the path asked there; `/metrics` where it has none.
fn parts(url: &str) -> Result<(String, String), Fault> {
    let bad = |why: &str| Fault::Bug(format!("--etcd-metrics {url}: {why}"));
    let uri: http::Uri = url.parse().map_err(|_| bad("this is no URL"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(bad("write it whole, https://HOST:PORT/metrics"));
    };
    let path = match uri.path() {
        "" | "/" => "/metrics",
        path => path,
    };
    Ok((format!("{scheme}://{authority}"), path.to_owned()))
}

/// A client for etcd's metrics, and the path to ask.
///
/// # Errors
/// The URL is none, or a certificate cannot be read.
pub async fn etcd(args: &EtcdArgs) -> Result<(Client, String), Fault> {
    let url = args.etcd_metrics.as_deref().unwrap_or_default();
    let (server, path) = parts(url)?;
    let text = |path: &Option<std::path::PathBuf>| path.as_ref().map(|p| p.display().to_string());
    let cluster = Cluster {
        server: Some(server.clone()),
        certificate_authority: text(&args.etcd_cacert),
        ..Cluster::default()
    };
    let auth = AuthInfo {
        client_certificate: text(&args.etcd_cert),
        client_key: text(&args.etcd_key),
        ..AuthInfo::default()
    };
    let about = About { server: server.clone(), ..About::default() };
    let server = server.parse().map_err(|_| Fault::Bug(format!("{server} is no URL")))?;
    let target = Arc::new(Target { about, server, cluster, auth, proxy: None });
    let wire = Wire::open(target, PluginStdio::Captured).await;
    let wire = wire
        .map_err(|fault| Fault::Unauthenticated { message: fault.text, needs_terminal: false })?;
    let client = gated(Wired(wire), "default", Arc::new(Meter::default()), Lock::new(true));
    Ok((client, path))
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_url_says_where_and_may_say_what() {
        let ok = |url| parts(url).unwrap();
        assert_eq!(ok("http://h:1"), ("http://h:1".into(), "/metrics".into()));
        assert_eq!(ok("https://h:1/x"), ("https://h:1".into(), "/x".into()));
        assert!(parts("h:1").is_err() && parts("").is_err());
    }
}
