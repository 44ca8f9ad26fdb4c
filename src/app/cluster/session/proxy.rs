//! Which proxy stands between us and a server. Decided against the server's host (kube 5.0 matches
//! NO_PROXY against the proxy's own URL), by the rules of Go's `golang.org/x/net/http/httpproxy`
//! that kubectl follows.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;

use super::environment::ProxyVariables;

/// The proxy for `server`: the cluster's own `proxy-url` always wins and is not subject to NO_PROXY
/// (client-go `rest.Config.Proxy`), then the environment.
///
/// # Errors
/// A sentence, when the chosen proxy URL cannot be used.
pub(super) fn choose(
    own: Option<&str>,
    variables: &ProxyVariables,
    server: &Uri,
) -> Result<Option<Uri>, String> {
    if let Some(url) = own.filter(|url| !url.is_empty()) {
        return parse(url).map(Some);
    }
    let plain = server.scheme_str() == Some("http");
    let own = if plain { &variables.http } else { &variables.https };
    match own.as_ref().or(variables.all.as_ref()) {
        Some(url) if wants_proxy(server, &variables.none) => parse(url).map(Some),
        _ => Ok(None),
    }
}

/// Parses a proxy URL and fills in what Go fills in: the http scheme and the scheme's usual port.
fn parse(url: &str) -> Result<Uri, String> {
    let full = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let bad = |why: &str| format!("the proxy URL '{}' {why}", super::redact::redact(url));
    let uri: Uri = full.parse().map_err(|_| bad("is not a URL"))?;
    let port = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        Some("socks5" | "socks5h") => 1080,
        _ => return Err(bad("has a scheme other than http, https, socks5 or socks5h")),
    };
    let authority = uri.authority().filter(|a| !a.host().is_empty());
    let authority = authority.ok_or_else(|| bad("names no host"))?;
    let authority = match authority.port() {
        Some(_) => authority.to_string(),
        None => format!("{authority}:{port}"),
    };
    let scheme = uri.scheme_str().unwrap_or("http");
    Uri::builder()
        .scheme(scheme)
        .authority(authority)
        .path_and_query("/")
        .build()
        .map_err(|_| bad("is not a URL"))
}

/// User and password of a proxy URL, percent-decoded.
pub(super) fn user_info(url: &Uri) -> Option<(String, String)> {
    let (info, _) = url.authority()?.as_str().rsplit_once('@')?;
    let (user, password) = info.split_once(':').unwrap_or((info, ""));
    Some((percent_decoded(user), percent_decoded(password)))
}

/// The value of `Proxy-Authorization` for a proxy URL that carries credentials.
pub(super) fn basic_auth(url: &Uri) -> Option<String> {
    let (user, password) = user_info(url)?;
    Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |byte: &u8| char::from(*byte).to_digit(16);
        match tail {
            [high, low, after @ ..]
                if *first == b'%' && hex(high).is_some() && hex(low).is_some() =>
            {
                let value = hex(high).zip(hex(low)).map_or(0, |(high, low)| high * 16 + low);
                bytes.extend(u8::try_from(value));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the environment's proxy applies to `server`. Loopback never goes through a proxy.
fn wants_proxy(server: &Uri, no_proxy: &str) -> bool {
    let host = server.host().unwrap_or_default().to_ascii_lowercase();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = server.port_u16().unwrap_or(match server.scheme_str() {
        Some("http") => 80,
        _ => 443,
    });
    let ip = host.parse::<IpAddr>().ok();
    if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
        return false;
    }
    !no_proxy.split(',').map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| match ip {
        Some(ip) => spares_address(&entry, ip, port),
        None => spares_name(&entry, host, port),
    })
}

/// Whether a NO_PROXY entry (`*`, `10.0.0.0/8`, `10.1.2.3`, `10.1.2.3:6443`) covers an address.
fn spares_address(entry: &str, ip: IpAddr, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        let parsed = network.parse::<IpAddr>().ok().zip(bits.parse::<u32>().ok());
        return parsed.is_some_and(|(network, bits)| in_network(ip, network, bits));
    }
    let (host, only) = split_port(entry);
    host.parse::<IpAddr>().is_ok_and(|listed| listed == ip) && only.is_none_or(|p| p == port)
}

/// Whether a NO_PROXY entry (`*`, `example.com` and below, `.example.com` and `*.example.com` only
/// below, each with an optional port) covers a name.
fn spares_name(entry: &str, name: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let (host, only) = split_port(entry);
    let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
    let below = |suffix: &str| {
        name.strip_suffix(suffix).is_some_and(|rest| suffix.starts_with('.') || rest.ends_with('.'))
    };
    let covered = !host.is_empty() && (name == host || below(host));
    covered && only.is_none_or(|p| p == port)
}

fn split_port(entry: &str) -> (&str, Option<u16>) {
    let bare = |host: &'_ str| host.starts_with('[') && host.ends_with(']');
    match entry.rsplit_once(':') {
        Some((host, port)) if bare(host) => (&host[1..host.len() - 1], port.parse().ok()),
        Some((host, port)) if !host.contains(':') => (host, port.parse().ok()),
        _ => (entry.trim_start_matches('[').trim_end_matches(']'), None),
    }
}

fn in_network(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (ip, network, width) = match (ip, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    bits <= width && (ip ^ network).checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_follows_go() {
        let table = [
            // (NO_PROXY, server, through the proxy?)
            ("", "https://api.example.com", true),
            ("", "https://localhost:6443", false),
            ("", "https://127.0.0.1:6443", false),
            ("", "https://[::1]:6443", false),
            ("*", "https://api.example.com", false),
            ("a, * ,b", "https://10.0.0.1", false),
            ("example.com", "https://example.com", false),
            ("example.com", "https://api.example.com:6443", false),
            ("example.com", "https://notexample.com", true),
            (".example.com", "https://api.example.com", false),
            (".example.com", "https://example.com", true),
            ("*.example.com", "https://api.example.com", false),
            ("*.example.com", "https://example.com", true),
            ("EXAMPLE.com", "https://API.Example.COM", false),
            ("example.com:6443", "https://example.com:6443", false),
            ("example.com:6443", "https://example.com", true),
            ("example.com:443", "https://example.com", false),
            ("example.com:80", "http://example.com", false),
            ("a,,b, ", "https://example.com", true),
            (":6443", "https://example.com:6443", true),
            ("10.0.0.0/8", "https://10.250.1.2:6443", false),
            ("10.0.0.0/8", "https://11.0.0.1", true),
            ("10.0.0.0/33", "https://10.0.0.1", true),
            ("0.0.0.0/0", "https://11.0.0.1", false),
            ("10.0.0.1", "https://10.0.0.1:6443", false),
            ("10.0.0.1:6443", "https://10.0.0.1:6443", false),
            ("10.0.0.1:6443", "https://10.0.0.1:443", true),
            ("fd00::/8", "https://[fd00::12]:6443", false),
            ("fd00::12", "https://[fd00::12]:6443", false),
            ("[fd00::12]:6443", "https://[fd00::12]:6443", false),
            ("[fd00::12]:1", "https://[fd00::12]:6443", true),
            ("fd00::/8", "https://10.0.0.1", true),
            ("0.1", "https://10.0.0.1", true),
        ];
        for (no_proxy, server, expected) in table {
            let uri: Uri = server.parse().unwrap();
            assert_eq!(wants_proxy(&uri, no_proxy), expected, "NO_PROXY={no_proxy} {server}");
        }
    }

    #[test]
    fn the_clusters_own_proxy_wins_over_the_environment_and_no_proxy() {
        let variables = ProxyVariables {
            https: Some("proxy.corp".into()),
            all: Some("socks5://all".into()),
            none: "*".into(),
            ..ProxyVariables::default()
        };
        let server = Uri::from_static("https://api.example.com");
        let own = choose(Some("socks5h://u:p@own"), &variables, &server).unwrap().unwrap();
        assert_eq!(own.to_string(), "socks5h://u:p@own:1080/");
        assert_eq!(choose(None, &variables, &server), Ok(None));
        let open = ProxyVariables { none: String::new(), ..variables };
        let proxy = |server| choose(Some(""), &open, &Uri::from_static(server)).unwrap().unwrap();
        assert_eq!(proxy("https://api.example.com").to_string(), "http://proxy.corp:80/");
        assert_eq!(proxy("http://api.example.com").to_string(), "socks5://all:1080/");
    }

    #[test]
    fn credentials_in_a_proxy_url_are_decoded() {
        let url = Uri::from_static("http://me:p%40ss%3a%zz@proxy:1");
        assert_eq!(user_info(&url), Some(("me".into(), "p@ss:%zz".into())));
        assert_eq!(basic_auth(&url), Some(format!("Basic {}", STANDARD.encode("me:p@ss:%zz"))));
        assert_eq!(user_info(&Uri::from_static("http://proxy:1")), None);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_named_without_its_password() {
        let server = Uri::from_static("https://api.example.com");
        let said = choose(Some("ftp://me:hunter2@proxy"), &ProxyVariables::default(), &server);
        let said = said.unwrap_err();
        assert!(said.contains("ftp://") && said.contains("socks5"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
