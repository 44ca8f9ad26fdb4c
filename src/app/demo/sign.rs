//! The demo's signer: a certificate for the key that was asked for, good for nothing anywhere.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use crate::app::der::*;

/// The authority's key, made when it is first needed and never kept.
static KEY: LazyLock<Option<EcdsaKeyPair>> = LazyLock::new(|| {
    let (kind, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
    let key = EcdsaKeyPair::generate_pkcs8(kind, &random).ok()?;
    EcdsaKeyPair::from_pkcs8(kind, key.as_ref(), &random).ok()
});

/// Date and time in two digits each, as certificates of this half of the century carry them.
const TIME: u8 = 0x17;

/// A certificate (PEM) for a request (PEM): its subject and key, `life` seconds from five minutes ago, as
/// kube-controller-manager does. `None` for what is no request.
pub(super) fn sign(request: &[u8], life: i64, now: Timestamp) -> Option<String> {
    let block = x509_parser::pem::Pem::iter_from_buffer(request).next()?.ok()?;
    let (_, request) = X509CertificationRequest::from_der(&block.contents).ok()?;
    let info = &request.certification_request_info;
    let digest = ring::digest::digest(&ring::digest::SHA256, info.raw);
    // A serial number is positive: the first byte stays below 128.
    let serial = [&[0x02, 9, 0x11][..], &digest.as_ref()[..8]].concat();
    let algorithm = tlv(SEQUENCE, &[ECDSA_SHA256]);
    let issuer = tlv(SEQUENCE, &[&attribute(COMMON_NAME, "demo-signer")]);
    let begin = now - Duration::from_secs(300);
    let end = begin + Duration::from_secs(life.unsigned_abs().min(31_536_000));
    let time = |at: Timestamp| tlv(TIME, &[at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes()]);
    let validity = tlv(SEQUENCE, &[&time(begin), &time(end)]);
    let version = [0xa0, 3, 2, 1, 2];
    let (subject, key) = (info.subject.as_raw(), info.subject_pki.raw);
    let parts: [&[u8]; 7] = [&version, &serial, &algorithm, &issuer, &validity, subject, key];
    let body = tlv(SEQUENCE, &parts);
    let signature = KEY.as_ref()?.sign(&SystemRandom::new(), &body).ok()?;
    let signature = tlv(BITS, &[&[0], signature.as_ref()]);
    Some(pem("CERTIFICATE", &tlv(SEQUENCE, &[&body, &algorithm, &signature])))
}
