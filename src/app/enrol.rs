//! Making a user: a key that never leaves this machine, a request for it, and a kubeconfig once it is signed.
//!
//! Invariant: the key is in no plan, no request, no log and no journal; it is written into one file for its owner alone, or
//! to standard output if that was asked for.

use crate::actions::make_user::User;
use crate::actions::plan::{Danger, Method, Note, Plan, Step, Write};
use crate::app::cluster::Client;
use crate::app::cluster::session::{Fault, get};
use crate::app::connect::Connection;
use crate::app::files::create_private;
use crate::state::decl::Gvk;
use crate::state::doc::{Folds, yaml_text};
use crate::state::kinds::{certificate_requests, cluster_role_bindings};
use crate::state::rules::csr::pkcs10::{Issued, Signature, chain, decode};
use crate::state::rules::csr::signer;
use crate::state::ui::document::Target;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

mod pkcs10;

/// The kind of a binding in one namespace.
static ROLE_BINDING: Gvk = Gvk {
    group: "rbac.authorization.k8s.io",
    version: "v1",
    kind: "RoleBinding",
    plural: "rolebindings",
    namespaced: true,
};

/// A key with the request for it, not yet sent.
pub struct Enrolment {
    /// The user.
    pub user: User,
    /// Name of the request's object.
    pub request: String,
    /// `spec.request`: base64 of the PEM.
    pub body: String,
    fingerprint: String,
    key: SecretString,
}

impl Enrolment {
    /// Makes key (ECDSA P-256) and request.
    ///
    /// # Errors
    /// A name that cannot stand in a certificate; no key can be made; in words.
    pub fn new(user: User) -> Result<Enrolment, String> {
        let odd = |name: &String| name.is_empty() || name.chars().any(char::is_control);
        if odd(&user.name) || user.groups.iter().any(odd) {
            return Err("a user or a group needs a name without control characters".into());
        }
        let (key, pem) = pkcs10::request(&user.name, &user.groups)?;
        let read = decode(&pem)?;
        if read.signature != Signature::Valid || read.organizations != user.groups {
            return Err("the request that was made does not read as it was meant".into());
        }
        Ok(Enrolment {
            request: format!("{}-{}", plain(&user.name), &read.fingerprint[..8]),
            body: STANDARD.encode(&pem),
            fingerprint: read.fingerprint,
            key,
            user,
        })
    }

    /// What its kubeconfig is called unless a name is given.
    pub fn file_name(&self) -> String {
        format!("{}.kubeconfig", plain(&self.user.name))
    }

    /// The plan that submits the request, and binds what is to be bound. There is nothing of the key in it.
    ///
    /// # Errors
    /// Never for what was made here.
    pub fn plan(&self) -> Result<Plan, String> {
        let user = &self.user;
        let kind = &certificate_requests::TABLE.kinds[0].gvk;
        let request = json!({
            "apiVersion": kind.api_version(), "kind": kind.kind,
            "metadata": {"name": self.request},
            "spec": {
                "request": self.body, "signerName": signer::CLIENT,
                "usages": ["digital signature", "client auth"], "expirationSeconds": user.seconds,
            },
        });
        let mut steps = vec![create(kind, "", &self.request, request)?];
        let binding = |role: &str| format!("{}-{}", self.request, plain(role));
        if let Some(role) = &user.cluster_role {
            let kind = &cluster_role_bindings::TABLE.kinds[0].gvk;
            let name = binding(role);
            let body = bind(kind, "", &name, "ClusterRole", role, &user.name);
            steps.push(create(kind, "", &name, body)?);
        }
        if let Some((namespace, role)) = &user.role {
            let name = binding(role);
            let body = bind(&ROLE_BINDING, namespace, &name, "Role", role, &user.name);
            steps.push(create(&ROLE_BINDING, namespace, &name, body)?);
        }
        let mut notes =
            vec![Note::plain("the key was made here and stays here; only the request is sent")];
        if steps.len() > 1 {
            notes.push(Note::warn("a binding stays when the certificate ends; delete it then"));
        }
        Ok(Plan {
            action: "make-user".into(),
            title: format!("ask for a certificate of {}", user.name),
            steps,
            notes,
            danger: Danger::Disruptive,
            drain: None,
            reason: String::new(),
        })
    }

    /// Waits until the request is signed, denied or failed.
    ///
    /// # Errors
    /// Why there is no certificate, in words, and whether that is final.
    pub async fn certificate(&self, client: &Client, patience: Duration) -> Result<String, String> {
        let kind = &certificate_requests::TABLE.kinds[0].gvk;
        let object = settled(client, &kind.object("", &self.request), patience).await?;
        let text = object["status"]["certificate"].as_str().unwrap_or_default();
        match chain(text).first() {
            Some(cert) if cert.fingerprint == self.fingerprint => Ok(text.to_owned()),
            Some(_) => Err("the certificate that was issued is for another key".into()),
            None => Err("what was issued is no certificate".into()),
        }
    }

    /// A kubeconfig for the user, from one for the same cluster: its cluster and nothing of its user.
    ///
    /// # Errors
    /// The cluster's authority cannot be read.
    pub fn kubeconfig(&self, pinned: &Value, certificate: &str) -> Result<SecretString, String> {
        let mut cluster = pinned["clusters"][0].clone();
        embed(&mut cluster["cluster"])?;
        let name = cluster["name"].as_str().unwrap_or("cluster").to_owned();
        let user = &self.user.name;
        let context = format!("{user}@{name}");
        let mut there = json!({"cluster": name, "user": user});
        if let Some((namespace, _)) = &self.user.role {
            there["namespace"] = namespace.as_str().into();
        }
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": context,
            "clusters": [cluster],
            "contexts": [{"name": context, "context": there}],
            "users": [{"name": user, "user": {
                "client-certificate-data": certificate,
                "client-key-data": STANDARD.encode(self.key.expose_secret()),
            }}],
        });
        Ok(yaml_text(&config, Folds::default()).into())
    }
}

/// The kubeconfig of a session: its cluster is the user's cluster.
///
/// # Errors
/// Not for anything that was read from a kubeconfig.
pub fn pinned(connection: &Connection) -> Result<Value, String> {
    let Some(session) = &connection.session else {
        // The demo cluster has no address that anything could reach.
        let server = "https://demo.invalid";
        return Ok(json!({"clusters": [{"name": "demo", "cluster": {"server": server}}]}));
    };
    let text = session.pinned().kubeconfig().map_err(|why| why.to_string())?;
    serde_json::from_str(text.expose_secret()).map_err(|why| why.to_string())
}

/// The authority's certificate goes into the file: a path means nothing elsewhere.
fn embed(cluster: &mut Value) -> Result<(), String> {
    let Some(fields) = cluster.as_object_mut() else { return Ok(()) };
    fields.retain(|_, value| !value.is_null());
    let path = fields.remove("certificate-authority");
    if let Some(path) = path.as_ref().and_then(Value::as_str).filter(|path| !path.is_empty())
        && !fields.contains_key("certificate-authority-data")
    {
        let bytes = std::fs::read(path).map_err(|why| format!("{path}: {why}"))?;
        fields.insert("certificate-authority-data".into(), STANDARD.encode(bytes).into());
    }
    Ok(())
}

fn create(kind: &'static Gvk, namespace: &str, name: &str, body: Value) -> Result<Step, String> {
    let target = Target::named(kind, namespace, name, "");
    let words = format!("create {} {}", kind.kind, target.path());
    let write = Write { method: Method::Create, target, sub: "", body };
    Step::new(words, &write, None).map_err(|why| why.to_string())
}

fn bind(kind: &Gvk, namespace: &str, name: &str, role_kind: &str, role: &str, user: &str) -> Value {
    let mut metadata = json!({"name": name});
    if !namespace.is_empty() {
        metadata["namespace"] = namespace.into();
    }
    json!({
        "apiVersion": kind.api_version(), "kind": kind.kind, "metadata": metadata,
        "roleRef": {"apiGroup": kind.group, "kind": role_kind, "name": role},
        "subjects": [{"apiGroup": kind.group, "kind": "User", "name": user}],
    })
}

/// A name as objects may have it (RFC 1123), at most 40 characters.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let kept = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let kept: String = kept.take(40).collect();
    match kept.trim_matches('-') {
        "" => "user".into(),
        name => name.to_owned(),
    }
}

/// Time between two looks at a request.
const LOOK: Duration = Duration::from_millis(500);

/// The request once it is issued.
///
/// # Errors
/// It was denied, failed, is gone, cannot be read, or nothing came of it in time; in words.
pub async fn settled(client: &Client, path: &str, patience: Duration) -> Result<Value, String> {
    let end = tokio::time::Instant::now() + patience;
    loop {
        let answer = get(client, path, Some(Duration::from_secs(10))).await;
        let answer = answer.map_err(|fault: Fault| fault.to_string())?;
        let object: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if object["status"]["certificate"].is_string() {
            return Ok(object);
        }
        let of = |kind: &str| {
            let all = object["status"]["conditions"].as_array().into_iter().flatten();
            all.clone().find(|c| c["type"] == kind).cloned()
        };
        for (kind, word) in [("Denied", "it was denied"), ("Failed", "the signer refused it")] {
            if let Some(condition) = of(kind) {
                let why = condition["message"].as_str().unwrap_or_default().to_owned();
                return Err(format!("{word}: {why}"));
            }
        }
        let approved = of("Approved").is_some();
        if tokio::time::Instant::now() + LOOK > end {
            return Err(match approved {
                true => {
                    "it is approved, and nothing was issued so far: is its signer running?".into()
                }
                false => "nobody approved it so far".into(),
            });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What was issued, in one line.
pub fn words(cert: &Issued) -> String {
    let end = crate::state::time::Epoch(cert.not_after).rfc3339();
    format!("{}, serial {}, until {end}", cert.subject, cert.serial)
}

/// A place for a secret, taken before anything is sent: a file for the owner alone that was not there before, or one
/// beside the file that it will replace.
pub struct Place {
    file: std::fs::File,
    at: PathBuf,
    to: PathBuf,
    done: bool,
}

impl Place {
    /// Takes the place.
    ///
    /// # Errors
    /// The file is there already and must not be replaced, or cannot be written; in words.
    pub fn take(to: &Path, replace: bool) -> Result<Place, String> {
        let told = |at: &Path, why: std::io::Error| match why.kind() {
            std::io::ErrorKind::AlreadyExists => {
                format!("{} is there already; --force replaces it", at.display())
            }
            _ => format!("{}: {why}", at.display()),
        };
        let at = match replace {
            true => to.with_extension(format!("new-{}", std::process::id())),
            false => to.to_owned(),
        };
        let file = create_private(&at).map_err(|why| told(&at, why))?;
        Ok(Place { file, at, to: to.to_owned(), done: false })
    }

    /// Fills it.
    ///
    /// # Errors
    /// It cannot be written; in words.
    pub fn fill(mut self, secret: &SecretString) -> Result<(), String> {
        let told = |why: std::io::Error| format!("{}: {why}", self.to.display());
        self.file.write_all(secret.expose_secret().as_bytes()).map_err(told)?;
        self.file.sync_all().map_err(told)?;
        if self.at != self.to {
            std::fs::rename(&self.at, &self.to).map_err(told)?;
        }
        self.done = true;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.done {
            // It was made here and holds nothing of use.
            let _ = std::fs::remove_file(&self.at);
        }
    }
}
