//! What a certificate request says, read from its PKCS#10 form (RFC 2986), and what a certificate says that was issued.
//!
//! Nothing here is believed: a request is a stranger's letter. A name that cannot be shown is kept as `odd`, so that no
//! rule takes a request for smaller than it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Name};
use x509_parser::public_key::PublicKey;

/// Whether a request was signed with the key it asks a certificate for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signature {
    /// It was.
    Valid,
    /// It was not.
    Invalid,
    /// It cannot be told, because.
    #[default]
    Unchecked,
}

/// A decoded request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pkcs10 {
    /// Common name of the subject: the user.
    pub common_name: String,
    /// Organizations of the subject: the groups.
    pub organizations: Vec<String>,
    /// Other parts of the subject, `OU=x`.
    pub others: Vec<String>,
    /// DNS names it is to be valid for.
    pub dns: Vec<String>,
    /// Addresses it is to be valid for.
    pub ips: Vec<IpAddr>,
    /// Mail addresses it is to be valid for.
    pub emails: Vec<String>,
    /// URIs it is to be valid for.
    pub uris: Vec<String>,
    /// Alternative names of another form, or broken ones.
    pub odd: Vec<String>,
    /// `ECDSA P-256`, `RSA 2048`.
    pub key: String,
    /// Bits of an RSA key, else 0.
    pub rsa_bits: usize,
    /// Whether the key is of a kind that is known to be strong enough.
    pub strong: bool,
    /// See [`Signature`].
    pub signature: Signature,
    /// SHA-256 of the public key (SubjectPublicKeyInfo), in hexadecimal.
    pub fingerprint: String,
    /// Extensions that were asked for and that the signers of kube-controller-manager leave out
    /// (`pkg/controller/certificates/authority/policies.go`, v1.36: it copies subject, names and key, nothing else).
    pub dropped: Vec<String>,
}

impl Pkcs10 {
    /// The subject in one line.
    pub fn subject(&self) -> String {
        let cn = Some(&self.common_name).filter(|cn| !cn.is_empty());
        let groups = self.organizations.iter().map(|o| format!("O={o}"));
        let parts = cn.map(|cn| format!("CN={cn}")).into_iter().chain(groups);
        parts.chain(self.others.iter().cloned()).collect::<Vec<_>>().join(" ")
    }

    /// Every alternative name, in one line.
    pub fn names(&self) -> String {
        let ips = self.ips.iter().map(ToString::to_string);
        let names = self.dns.iter().cloned().chain(ips).chain(self.emails.iter().cloned());
        let all = names.chain(self.uris.iter().cloned()).chain(self.odd.iter().cloned());
        all.collect::<Vec<_>>().join(" ")
    }

    /// Whether it asks for any alternative name.
    pub fn has_names(&self) -> bool {
        !self.names().is_empty()
    }
}

/// The request in `spec.request`, as JSON (base64 of PEM) or protobuf (the PEM itself) carry it.
///
/// # Errors
/// Why it is none, in words.
pub fn decode(text: &str) -> Result<Pkcs10, String> {
    let pem = pem(text)?;
    // kubernetes `pkg/apis/certificates/helpers.go`, ParseCSR: the first block counts, and must have this label.
    if pem.label != "CERTIFICATE REQUEST" {
        return Err(format!("its PEM block is a {} and no CERTIFICATE REQUEST", pem.label));
    }
    let (rest, request) = X509CertificationRequest::from_der(&pem.contents)
        .map_err(|_| "it is no PKCS#10 request".to_owned())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow the request", rest.len()));
    }
    let info = &request.certification_request_info;
    let mut out = subject(&info.subject)?;
    key(&info.subject_pki, &mut out);
    // An extension list that comes twice could hide names from whoever reads the first one only.
    let lists = info.iter_attributes().filter(|a| a.oid.to_id_string() == EXTENSION_REQUEST);
    if lists.count() > 1 {
        return Err("it asks for extensions in two places".into());
    }
    let mut lists_of_names = 0;
    for extension in request.requested_extensions().into_iter().flatten() {
        match extension {
            ParsedExtension::SubjectAlternativeName(names) => {
                lists_of_names += 1;
                names.general_names.iter().for_each(|name| take(name, &mut out));
            }
            ParsedExtension::ParseError { .. } => out.odd.push("(unreadable extension)".into()),
            other => out.dropped.extend(word(other)),
        }
    }
    if lists_of_names > 1 {
        return Err("it asks for names in two places".into());
    }
    // Below 2,048 bits the verifier does not look (ring, RSA_PKCS1_2048_8192_*).
    let short = out.rsa_bits > 0 && out.rsa_bits < 2048;
    out.signature = match request.verify_signature() {
        Ok(()) => Signature::Valid,
        Err(x509_parser::error::X509Error::SignatureVerificationError) if !short => {
            Signature::Invalid
        }
        Err(_) => Signature::Unchecked,
    };
    Ok(out)
}

/// PKCS#9 extensionRequest.
const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";

fn pem(text: &str) -> Result<Pem, String> {
    let none = || "it holds no PEM block".to_owned();
    let bytes = match text.contains("-----BEGIN") {
        true => text.as_bytes().to_vec(),
        false => STANDARD.decode(text.trim()).map_err(|_| none())?,
    };
    match Pem::iter_from_buffer(&bytes).next() {
        Some(Ok(pem)) => Ok(pem),
        _ => Err(none()),
    }
}

fn subject(name: &X509Name<'_>) -> Result<Pkcs10, String> {
    let mut out = Pkcs10::default();
    for part in name.iter_attributes() {
        let text = part.as_str().map_err(|_| "its subject holds no text".to_owned())?.to_owned();
        match part.attr_type().to_id_string().as_str() {
            // What Go takes for the common name is the last one (crypto/x509/pkix, FillFromRDNSequence).
            "2.5.4.3" if out.common_name.is_empty() => out.common_name = text,
            "2.5.4.3" => return Err("its subject has two common names".into()),
            "2.5.4.10" => out.organizations.push(text),
            "2.5.4.11" => out.others.push(format!("OU={text}")),
            oid => out.others.push(format!("{oid}={text}")),
        }
    }
    Ok(out)
}

fn key(spki: &SubjectPublicKeyInfo<'_>, out: &mut Pkcs10) {
    let digest = ring::digest::digest(&ring::digest::SHA256, spki.raw);
    out.fingerprint = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    let kind = spki.algorithm.algorithm.to_id_string();
    let curve = spki.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok());
    let curve = curve.map(|oid| oid.to_id_string());
    (out.key, out.strong) = match spki.parsed() {
        Ok(PublicKey::RSA(key)) => {
            out.rsa_bits = key.key_size();
            (format!("RSA {}", out.rsa_bits), out.rsa_bits >= 2048)
        }
        Ok(PublicKey::EC(point)) => match curve.as_deref() {
            Some("1.2.840.10045.3.1.7") => ("ECDSA P-256".into(), true),
            Some("1.3.132.0.34") => ("ECDSA P-384".into(), true),
            Some("1.3.132.0.35") => ("ECDSA P-521".into(), true),
            _ => (format!("EC, {} bits", point.key_size()), false),
        },
        _ if kind == "1.3.101.112" => ("Ed25519".into(), true),
        _ => (format!("key of kind {kind}"), false),
    };
}

fn take(name: &GeneralName<'_>, out: &mut Pkcs10) {
    match name {
        GeneralName::DNSName(dns) => out.dns.push((*dns).to_owned()),
        GeneralName::IPAddress(bytes) => match address(bytes) {
            Some(ip) => out.ips.push(ip),
            None => out.odd.push(format!("(an address of {} bytes)", bytes.len())),
        },
        GeneralName::RFC822Name(mail) => out.emails.push((*mail).to_owned()),
        GeneralName::URI(uri) => out.uris.push((*uri).to_owned()),
        _ => out.odd.push("(a name of another form)".into()),
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|b| Ipv4Addr::from(b).into()),
        // An IPv4 address in IPv6 clothes is the same address to whoever connects.
        16 => <[u8; 16]>::try_from(bytes).ok().map(|b| Ipv6Addr::from(b).to_canonical()),
        _ => None,
    }
}

fn word(extension: &ParsedExtension<'_>) -> Option<String> {
    Some(match extension {
        // Usages come from the spec, and kubelets name them here too.
        ParsedExtension::KeyUsage(_) | ParsedExtension::ExtendedKeyUsage(_) => return None,
        ParsedExtension::BasicConstraints(basic) if basic.ca => "to be an authority (CA)".into(),
        ParsedExtension::BasicConstraints(_) => return None,
        ParsedExtension::UnsupportedExtension { oid } => {
            format!("extension {}", oid.to_id_string())
        }
        _ => "another extension".into(),
    })
}

/// What an issued certificate says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Issued {
    /// `CN=..., O=...`
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// In hexadecimal, with colons.
    pub serial: String,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
    /// SHA-256 of its public key, as [`Pkcs10::fingerprint`].
    pub fingerprint: String,
}

/// The chain in `status.certificate`, the certificate itself first. Not decodable parts end it.
pub fn chain(text: &str) -> Vec<Issued> {
    let bytes = match text.contains("-----BEGIN") {
        true => text.as_bytes().to_vec(),
        false => STANDARD.decode(text.trim()).unwrap_or_default(),
    };
    let blocks = Pem::iter_from_buffer(&bytes).map_while(Result::ok);
    blocks.map_while(|pem| issued(&pem)).collect()
}

fn issued(pem: &Pem) -> Option<Issued> {
    let cert = pem.parse_x509().ok()?;
    let digest = ring::digest::digest(&ring::digest::SHA256, cert.public_key().raw);
    Some(Issued {
        subject: cert.subject().to_string(),
        issuer: cert.issuer().to_string(),
        serial: cert.raw_serial_as_string(),
        not_before: cert.validity().not_before.timestamp(),
        not_after: cert.validity().not_after.timestamp(),
        fingerprint: digest.as_ref().iter().map(|b| format!("{b:02x}")).collect(),
    })
}
