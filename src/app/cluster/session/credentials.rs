//! From a kubeconfig user to something that can be sent: plugins run, files read, precedence
//! settled as in client-go. The result is static; what makes it outdated (expiry, rotated files) is
//! part of it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::config::AuthInfo;
use secrecy::ExposeSecret as _;

use super::certificate::CertificateFacts;
use super::pinned::Target;
use super::plugin::{self, CredentialFault, PluginStdio};

/// Credentials ready for the transport.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    /// A user entry without plugin and without files.
    pub auth: AuthInfo,
    /// The client certificate in use, if any.
    pub certificate: Option<CertificateFacts>,
    /// When they must have been renewed.
    pub expires: Option<Timestamp>,
    /// The state of the files they came from.
    pub files: Fingerprint,
}

/// Identity, time and size of each credential file; equal values mean nothing was rotated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fingerprint(Vec<Option<(u64, i64, i64, u64)>>);

/// Obtains the credentials of the target's user: runs the plugin, reads the files. Blocks on file
/// I/O.
///
/// # Errors
/// A plugin or a file that did not yield what it should.
pub(super) async fn obtain(
    target: &Target,
    stdio: PluginStdio,
) -> Result<Credentials, CredentialFault> {
    let files = fingerprint(target);
    let mut auth = target.auth.clone();
    let mut expires = None;
    // A static token outranks a plugin (exec.go: a request that has Authorization is left alone).
    let exec = auth.exec.take().filter(|_| auth.token.is_none() && auth.token_file.is_none());
    if let Some(exec) = exec {
        let issued = plugin::run(&exec, &target.cluster, stdio).await?;
        expires = issued.expires;
        auth.token = issued.token;
        if let Some((certificate, key)) = issued.identity {
            auth.client_certificate_data = Some(STANDARD.encode(certificate));
            auth.client_key_data = Some(STANDARD.encode(key.expose_secret()).into());
        }
    }
    read_token(&mut auth)?;
    let certificate = read_identity(&mut auth)?;
    if target.auth.exec.is_some()
        && let Some(facts) = &certificate
    {
        expires = Some(expires.map_or(facts.not_after, |at| at.min(facts.not_after)));
    }
    Ok(Credentials { auth, certificate, expires, files })
}

/// The token file wins over the inline token, which remains as a fall-back; white space around it
/// is not part of it (client-go `transport/token_source.go`). kube has both the other way round.
fn read_token(auth: &mut AuthInfo) -> Result<(), CredentialFault> {
    let Some(file) = auth.token_file.take().filter(|file| !file.is_empty()) else { return Ok(()) };
    match std::fs::read_to_string(&file).map(|text| text.trim().to_owned()) {
        Ok(token) if !token.is_empty() => auth.token = Some(token.into()),
        _ if auth.token.is_some() => {}
        Ok(_) => return Err(CredentialFault::new(format!("the token file {file} is empty"))),
        Err(why) => {
            return Err(CredentialFault::new(format!(
                "the token file {file} cannot be read: {why}"
            )));
        }
    }
    Ok(())
}

/// Turns certificate and key into inline data, data winning over files as in client-go.
fn read_identity(auth: &mut AuthInfo) -> Result<Option<CertificateFacts>, CredentialFault> {
    let key_data = auth.client_key_data.take().map(|data| data.expose_secret().to_owned());
    let certificate = inline(
        "client certificate",
        auth.client_certificate_data.take(),
        auth.client_certificate.take(),
    )?;
    let key = inline("client key", key_data, auth.client_key.take())?;
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            auth.client_certificate_data = Some(STANDARD.encode(&certificate));
            auth.client_key_data = Some(STANDARD.encode(key).into());
            Ok(CertificateFacts::of_pem(&certificate))
        }
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(CredentialFault::new("the user has a client certificate but no key"))
        }
        (None, Some(_)) => {
            Err(CredentialFault::new("the user has a client key but no certificate"))
        }
    }
}

/// The bytes of a kubeconfig `x-data` or `x` (file) pair.
pub(super) fn inline(
    what: &str,
    data: Option<String>,
    file: Option<String>,
) -> Result<Option<Vec<u8>>, CredentialFault> {
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        let packed: String = data.split_whitespace().collect();
        let bytes = STANDARD.decode(packed);
        return bytes
            .map(Some)
            .map_err(|_| CredentialFault::new(format!("the {what} data is not valid base64")));
    }
    let Some(file) = file.filter(|file| !file.is_empty()) else { return Ok(None) };
    std::fs::read(&file).map(Some).map_err(|why| {
        CredentialFault::new(format!("the {what} file {file} cannot be read: {why}"))
    })
}

/// Looks at the files behind a target's credentials, without reading them.
pub(super) fn fingerprint(target: &Target) -> Fingerprint {
    let (auth, cluster) = (&target.auth, &target.cluster);
    let files = [
        &auth.token_file,
        &auth.client_certificate,
        &auth.client_key,
        &cluster.certificate_authority,
    ];
    let look = |path: &String| {
        let meta = std::fs::metadata(Path::new(path)).ok()?;
        Some((meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))
    };
    Fingerprint(files.into_iter().flatten().map(look).collect())
}
