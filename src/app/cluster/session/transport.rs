//! The way to a server: TCP with keepalive, proxy, TLS, HTTP/1.1, and kube's layers for base URL,
//! credentials and impersonation on top. No retries here: kube's default policy blocks a 503 for
//! five minutes (kube-rs.md §3.5, §8).

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::Config;
use kube::client::{Body, ConfigExt as _};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _};
use tower_http::decompression::DecompressionLayer;

use super::credentials::{Credentials, inline};
use super::hints;
use super::pinned::Target;
use super::plugin::CredentialFault;
use super::proxy;
use super::redact::tidy;

/// How long a TCP connection may take to be established.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A response body, decompressed.
pub(super) type Incoming = UnsyncBoxBody<Bytes, BoxError>;

/// A service that sends requests to one server with one set of credentials.
pub(super) type Stack = BoxCloneSyncService<Request<Body>, Response<Incoming>, BoxError>;

/// A TCP connector whose resolver fails with [`NameFault`].
pub(super) type Tcp = HttpConnector<Resolver>;

/// A host name that did not resolve, kept apart from other connection failures by its type.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the name {host} does not resolve: {why}")]
pub(super) struct NameFault {
    pub host: String,
    pub why: String,
}

/// The system's resolver, failing with [`NameFault`].
#[derive(Clone)]
pub(super) struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = NameFault;
    type Future = Pin<Box<dyn Future<Output = Result<GaiAddrs, NameFault>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NameFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let host = name.as_str().to_owned();
        let asked = self.0.call(name);
        Box::pin(async move { asked.await.map_err(|why| NameFault { host, why: why.to_string() }) })
    }
}

/// Makes `ring` the process's TLS provider; rustls panics when two are compiled in and none is
/// chosen.
pub(super) fn install_crypto() {
    // An error means that one is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Builds the stack. Reads the CA file and the system's trust store: call it where blocking is
/// allowed.
///
/// # Errors
/// Settings or keys that cannot be used, in words.
pub(super) fn build(target: &Target, credentials: &Credentials) -> Result<Stack, CredentialFault> {
    install_crypto();
    let config = config(target, credentials)?;
    let tls = config
        .rustls_client_config()
        .map_err(|error| hints::unusable_tls(&error, credentials.certificate.as_ref()))?;
    let name = match &target.cluster.tls_server_name {
        Some(name) if !name.is_empty() => Some(server_name(name)?),
        _ => None,
    };
    let https = Https { tls: tls.clone(), name };
    let tcp = tcp();
    match &target.proxy {
        None => stack(&config, https.over(tcp)),
        Some(proxy) => match proxy.scheme_str() {
            Some("http") => stack(&config, https.over(tunnel(proxy, tcp))),
            Some("https") => {
                let to_proxy = Https { tls, name: None }.over(tcp);
                stack(&config, https.over(tunnel(proxy, to_proxy)))
            }
            _ => stack(&config, https.over(socks(proxy, tcp))),
        },
    }
    .map_err(|error| CredentialFault::new(tidy(&error.to_string(), 300)))
}

/// kube's `Config` for its layers. Built by hand: kube's own constructor reads the proxy variables
/// again.
fn config(target: &Target, credentials: &Credentials) -> Result<Config, CredentialFault> {
    let cluster = &target.cluster;
    let mut config = Config::new(target.server.clone());
    config.accept_invalid_certs = target.about.insecure;
    config.auth_info = credentials.auth.clone();
    config.disable_compression = cluster.disable_compression == Some(true) || is_loopback(target);
    let data = cluster.certificate_authority_data.clone();
    if let Some(pem) = inline("certificate authority", data, cluster.certificate_authority.clone())?
    {
        let certificates =
            CertificateDer::pem_slice_iter(&pem).map(|der| der.map(|der| der.to_vec()));
        let certificates = certificates.collect::<Result<Vec<_>, _>>().unwrap_or_default();
        if certificates.is_empty() {
            return Err(CredentialFault::new("the certificate authority holds no PEM certificate"));
        }
        config.root_cert = Some(certificates);
    }
    Ok(config)
}

fn server_name(name: &str) -> Result<ServerName<'static>, CredentialFault> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        CredentialFault::new(format!("the TLS server name '{}' is not a host name", tidy(name, 80)))
    })
}

/// Compressing for a server on this machine costs more than it saves (kube-rs.md §3: gunzip is
/// dearer than the decode).
fn is_loopback(target: &Target) -> bool {
    let host = target.server.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    target.proxy.is_none()
        && (bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

/// The connector everything else is put on: idle watches survive NAT, dead ones are noticed in a
/// minute.
pub(super) fn tcp() -> Tcp {
    let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    tcp.set_keepalive_interval(Some(Duration::from_secs(10)));
    tcp.set_keepalive_retries(Some(3));
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp
}

/// TLS settings, and the name to verify when it is not the URL's host.
struct Https {
    tls: ClientConfig,
    name: Option<ServerName<'static>>,
}

impl Https {
    fn over<C>(self, connector: C) -> HttpsConnector<C> {
        let builder = HttpsConnectorBuilder::new().with_tls_config(self.tls).https_or_http();
        match self.name {
            Some(name) => builder
                .with_server_name_resolver(FixedServerNameResolver::new(name))
                .enable_http1()
                .wrap_connector(connector),
            None => builder.enable_http1().wrap_connector(connector),
        }
    }
}

fn tunnel<C>(url: &Uri, connector: C) -> Tunnel<C> {
    let tunnel = Tunnel::new(url.clone(), connector);
    let basic = proxy::basic_auth(url).and_then(|text| HeaderValue::try_from(text).ok());
    match basic {
        Some(basic) => tunnel.with_auth(basic),
        None => tunnel,
    }
}

/// socks5 and socks5h alike leave name resolution to the proxy, as Go does.
fn socks<C>(url: &Uri, connector: C) -> SocksV5<C> {
    let socks = SocksV5::new(url.clone(), connector);
    match proxy::user_info(url) {
        Some((user, password)) => socks.with_auth(user, password),
        None => socks,
    }
}

fn stack<C>(config: &Config, connector: C) -> kube::Result<Stack>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let hyper: Hyper<C, Body> = Hyper::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(30))
        .http1_max_buf_size(64 << 10)
        .build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(hyper);
    let boxed = |response: Response<_>| {
        response.map(|body| http_body_util::BodyExt::map_err(body, BoxError::from).boxed_unsync())
    };
    Ok(BoxCloneSyncService::new(service.map_err(BoxError::from).map_response(boxed)))
}
