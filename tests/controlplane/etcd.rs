//! etcd through its JSON gateway: writing objects past the API server, and compaction.

use super::ControlPlane;
use super::http::Connection;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::time::Duration;

/// etcd refuses transactions of more than 128 operations (`--max-txn-ops`).
pub const TXN_PUTS: usize = 100;

/// A connection to the gateway.
pub struct Gateway(Connection);

impl Gateway {
    /// Connects to etcd's client port.
    pub fn connect(port: u16) -> Gateway {
        Gateway(Connection::plain(port, Duration::from_secs(60)).expect("etcd runs on this port"))
    }

    /// Writes up to [`TXN_PUTS`] keys, each only once, in one transaction.
    pub fn put_all<'a>(&mut self, entries: impl IntoIterator<Item = (&'a str, &'a str)>) {
        // Put together as text: the values are megabytes of base64 that need no escaping.
        let mut body = String::from("{\"success\":[");
        for (i, (key, value)) in entries.into_iter().enumerate() {
            body += if i == 0 { "" } else { "," };
            body += "{\"requestPut\":{\"key\":\"";
            STANDARD.encode_string(key, &mut body);
            body += "\",\"value\":\"";
            STANDARD.encode_string(value, &mut body);
            body += "\"}}";
        }
        body += "]}";
        self.call("/v3/kv/txn", body.as_bytes());
    }

    /// Up to `limit` keys and values under a prefix.
    pub fn range(&mut self, prefix: &str, limit: usize) -> Vec<(String, Vec<u8>)> {
        let mut end = prefix.as_bytes().to_vec();
        *end.last_mut().expect("a prefix is not empty") += 1;
        let ask = json!({"key": STANDARD.encode(prefix), "range_end": STANDARD.encode(end), "limit": limit});
        let reply = self.call("/v3/kv/range", ask.to_string().as_bytes());
        let decode = |v: &Value| {
            STANDARD.decode(v.as_str().unwrap_or_default()).expect("the gateway sends base64")
        };
        let kvs = reply["kvs"].as_array().cloned().unwrap_or_default();
        let text = |bytes| String::from_utf8(bytes).expect("keys are paths");
        kvs.iter().map(|kv| (text(decode(&kv["key"])), decode(&kv["value"]))).collect()
    }

    /// Up to `limit` keys under a prefix.
    pub fn keys(&mut self, prefix: &str, limit: usize) -> Vec<String> {
        let mut end = prefix.as_bytes().to_vec();
        *end.last_mut().expect("a prefix is not empty") += 1;
        let ask = json!({
            "key": STANDARD.encode(prefix), "range_end": STANDARD.encode(end), "limit": limit,
            "keys_only": true,
        });
        let reply = self.call("/v3/kv/range", ask.to_string().as_bytes());
        let key = |kv: &Value| {
            let bytes = STANDARD.decode(kv["key"].as_str().unwrap_or_default());
            String::from_utf8(bytes.expect("the gateway sends base64")).expect("keys are paths")
        };
        reply["kvs"].as_array().into_iter().flatten().map(key).collect()
    }

    /// Deletes a key.
    pub fn delete(&mut self, key: &str) {
        let ask = json!({"key": STANDARD.encode(key)});
        self.call("/v3/kv/deleterange", ask.to_string().as_bytes());
    }

    /// Forgets all revisions up to the present one, so that a list or watch from before gets 410 Gone.
    pub fn compact(&mut self) {
        let status = self.call("/v3/maintenance/status", b"{}");
        let revision = &status["header"]["revision"];
        self.call(
            "/v3/kv/compaction",
            json!({"revision": revision, "physical": true}).to_string().as_bytes(),
        );
    }

    fn call(&mut self, path: &str, body: &[u8]) -> Value {
        let json = [("Content-Type", "application/json")];
        let reply = self.0.send("POST", path, &json, body).expect("etcd answers");
        let text = String::from_utf8_lossy(&reply.body);
        assert_eq!(
            reply.status,
            200,
            "etcd {path}: {}",
            text.chars().take(500).collect::<String>()
        );
        reply.json()
    }
}

impl ControlPlane {
    /// A connection to this control plane's etcd.
    pub fn etcd(&self) -> Gateway {
        Gateway::connect(self.etcd_port())
    }

    pub(super) fn etcd_is_healthy(&self) -> bool {
        let health = |mut c: Connection| c.send("GET", "/health", &[], b"");
        let reply = Connection::plain(self.etcd_port(), Duration::from_secs(2)).and_then(health);
        reply.is_ok_and(|r| r.json()["health"] == "true")
    }
}
