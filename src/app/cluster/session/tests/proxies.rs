//! Sessions through proxies that work: HTTP CONNECT and SOCKS5.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::server::{Authority, Server, kubernetes};
use super::*;

/// Listens, and lets `greet` speak with each client until it knows where the client wants to go.
/// Serves as many connections as a first contact makes.
fn proxy(greet: fn(&mut TcpStream) -> String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().take(2) {
            let mut client = client.unwrap();
            std::thread::spawn(move || {
                let server = TcpStream::connect(greet(&mut client)).unwrap();
                let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut up, &mut down));
                let (mut from, mut to) = (server, client);
                let _either_side_may_hang_up = std::io::copy(&mut from, &mut to);
            });
        }
    });
    address
}

fn read<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// HTTP CONNECT (RFC 9110 §9.3.6).
fn connect(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(read::<1>(client));
    }
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned()
}

/// SOCKS5 with user and password (RFC 1928, RFC 1929), to an IPv4 address.
fn socks(client: &mut TcpStream) -> String {
    let [5, methods] = read::<2>(client) else { panic!("not SOCKS5") };
    for _ in 0..methods {
        read::<1>(client);
    }
    client.write_all(&[5, 2]).unwrap();
    assert_eq!(read::<9>(client), *b"\x01\x02me\x04p@ss");
    client.write_all(&[1, 0]).unwrap();
    let [5, 1, 0, 1, a, b, c, d, high, low] = read::<10>(client) else { panic!("not CONNECT") };
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    format!("{a}.{b}.{c}.{d}:{}", u16::from_be_bytes([high, low]))
}

async fn through(proxy: &str) {
    let dir = tempfile::tempdir().unwrap();
    let ca = Authority::new("the cluster CA");
    let tls = ca.server(&ca.issue("127.0.0.1", 2090), None);
    let server = Server::start(Some(Arc::clone(&tls)), kubernetes);
    let cluster = [
        format!("server: https://{}", server.address),
        format!("certificate-authority-data: {}", STANDARD.encode(&ca.pem)),
        format!("proxy-url: {proxy}"),
    ];
    let cluster: Vec<&str> = cluster.iter().map(String::as_str).collect();
    let pinned = pinned(dir.path(), &one(&cluster, &["token: t"]));
    let session = Session::connect(&pinned, Lock::default(), PluginStdio::Captured).await;
    let session = session.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(session.version.as_deref(), Some("v1.36.2"));
    assert_eq!(server.headers("authorization"), vec![Some("Bearer t".to_owned()); 2]);
}

#[tokio::test]
async fn an_http_proxy_tunnels() {
    through(&format!("http://{}", proxy(connect))).await;
}

#[tokio::test]
async fn a_socks5_proxy_tunnels_under_both_names() {
    through(&format!("socks5://me:p%40ss@{}", proxy(socks))).await;
    through(&format!("socks5h://me:p%40ss@{}", proxy(socks))).await;
}
