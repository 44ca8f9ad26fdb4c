//! A blocking HTTP/1.1 client, just large enough for the API server and etcd's JSON gateway.
//!
//! It shares no code with the cockpit's own client, so what it reads is an independent check.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// A full answer.
pub struct Reply {
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// A header, by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// One connection, kept open between requests.
pub struct Connection(BufReader<Box<dyn Stream>>);

impl Connection {
    /// Connects to a port of the loopback address; every read or write gives up after `patience`.
    pub fn plain(port: u16, patience: Duration) -> io::Result<Connection> {
        Ok(Connection(BufReader::new(Box::new(connect(port, patience)?))))
    }

    /// The same with TLS.
    pub fn tls(
        port: u16,
        config: Arc<rustls::ClientConfig>,
        patience: Duration,
    ) -> io::Result<Connection> {
        let name = "127.0.0.1".try_into().expect("an IP address is a server name");
        let session = rustls::ClientConnection::new(config, name).map_err(io::Error::other)?;
        let stream = rustls::StreamOwned::new(session, connect(port, patience)?);
        Ok(Connection(BufReader::new(Box::new(stream))))
    }

    /// Announces a body that never comes: the request is served, and not done, as long as the connection is open.
    pub fn hold(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> io::Result<()> {
        self.head(method, path, headers, 1)
    }

    /// Sends one request with headers beside the usual ones and reads the whole answer.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        self.head(method, path, headers, body.len())?;
        let stream = self.0.get_mut();
        stream.write_all(body)?;
        stream.flush()?;
        self.reply()
    }

    fn head(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        length: usize,
    ) -> io::Result<()> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
        if !headers.iter().any(|(name, _)| *name == "Accept") {
            head += "Accept: application/json\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {length}\r\n\r\n");
        let stream = self.0.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.flush()
    }

    fn reply(&mut self) -> io::Result<Reply> {
        let status =
            self.line()?.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(malformed)?;
        let (mut length, mut chunked, mut headers) = (0, false, vec![]);
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
            match name.as_str() {
                "content-length" => length = value.parse().map_err(|_| malformed())?,
                "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
                _ => {}
            }
            headers.push((name, value));
        }
        let body = if chunked { self.chunks()? } else { self.exactly(length)? };
        Ok(Reply { status, headers, body })
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(self.line()?.trim(), 16).map_err(|_| malformed())?;
            body.extend(self.exactly(length)?);
            self.line()?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

fn connect(port: u16, patience: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), patience)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    Ok(stream)
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not an HTTP/1.1 answer")
}
