//! A key and the PKCS#10 request for it (RFC 2986), for a subject with any number of organizations: that is how Kubernetes
//! is told groups, and what libraries that keep a subject as a map cannot say.

use crate::app::der::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use secrecy::SecretString;

/// A new ECDSA P-256 key (PKCS#8 PEM) and the request for it (PEM).
///
/// # Errors
/// The system gives no randomness.
pub fn request(user: &str, groups: &[String]) -> Result<(SecretString, String), String> {
    let told = |_| "no key could be made: the system gives no randomness".to_owned();
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(told)?;
    let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random)
        .map_err(|why| format!("no key could be made: {why}"))?;
    let mut names: Vec<Vec<u8>> = groups.iter().map(|g| attribute(ORGANIZATION, g)).collect();
    names.push(attribute(COMMON_NAME, user));
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let algorithm = tlv(SEQUENCE, &[EC_KEY, P256]);
    let public = tlv(SEQUENCE, &[&algorithm, &tlv(BITS, &[&[0], key.public_key().as_ref()])]);
    // Version 0, subject, key, no attributes.
    let info = tlv(SEQUENCE, &[&[2, 1, 0], &tlv(SEQUENCE, &names), &public, &[0xa0, 0]]);
    let signature = key.sign(&random, &info).map_err(told)?;
    let signed = tlv(BITS, &[&[0], signature.as_ref()]);
    let whole = tlv(SEQUENCE, &[&info, &tlv(SEQUENCE, &[ECDSA_SHA256]), &signed]);
    let secret = SecretString::from(pem("PRIVATE KEY", document.as_ref()));
    Ok((secret, pem("CERTIFICATE REQUEST", &whole)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::rules::csr::pkcs10::{Signature, decode};
    use secrecy::ExposeSecret;

    #[test]
    fn a_request_reads_as_it_was_meant() {
        let groups: Vec<String> = vec!["dev".into(), "ops team".into(), "g".repeat(200)];
        let (key, pem) = request("rosa@example.com", &groups).expect("randomness");
        let read = decode(&pem).expect("a request");
        assert_eq!(read.common_name, "rosa@example.com");
        assert_eq!(read.organizations, groups);
        assert_eq!((read.signature, read.key.as_str()), (Signature::Valid, "ECDSA P-256"));
        assert!(key.expose_secret().starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert!(rcgen::KeyPair::from_pem(key.expose_secret()).is_ok());
    }

    #[test]
    fn no_two_keys_are_the_same() {
        let made = |_| decode(&request("u", &[]).expect("randomness").1).expect("one").fingerprint;
        assert_ne!(made(1), made(2));
    }
}
