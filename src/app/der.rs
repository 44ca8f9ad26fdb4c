//! The few parts of DER (X.690) that a certificate request and a demo certificate are made of.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A list of parts in order.
pub const SEQUENCE: u8 = 0x30;
/// A set of parts.
pub const SET: u8 = 0x31;
/// A text.
pub const UTF8: u8 = 0x0c;
/// A string of bits; its first byte says how many are not used.
pub const BITS: u8 = 0x03;

/// commonName.
pub const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 4, 3];
/// organizationName.
pub const ORGANIZATION: &[u8] = &[0x06, 3, 0x55, 4, 10];
/// ecPublicKey.
pub const EC_KEY: &[u8] = &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// The curve P-256.
pub const P256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
/// ecdsa-with-SHA256.
pub const ECDSA_SHA256: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/// Tag, length and value; the value in pieces.
pub fn tlv(tag: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let value = pieces.concat();
    let mut out = vec![tag];
    let length = value.len().to_be_bytes();
    match value.len() {
        0..128 => out.push(value.len() as u8),
        _ => {
            let first = length.iter().position(|b| *b != 0).unwrap_or(length.len() - 1);
            out.push(0x80 | (length.len() - first) as u8);
            out.extend_from_slice(&length[first..]);
        }
    }
    out.extend(value);
    out
}

/// DER as PEM.
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let body: String = lines.map(|line| format!("{line}\n")).collect();
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

/// A part of a name: a set of one attribute (X.501).
pub fn attribute(kind: &[u8], text: &str) -> Vec<u8> {
    tlv(SET, &[&tlv(SEQUENCE, &[kind, &tlv(UTF8, &[text.as_bytes()])])])
}
