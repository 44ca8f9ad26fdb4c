//! The certificates, tokens and kubeconfigs of a test cluster, including those that must not work.

use base64::Engine;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Who talks to the API server. `objects/rbac.yaml` says what each may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// `system:masters`: for the harness itself; exempt from priority and fairness.
    Root,
    /// Everything, through RBAC: the usual user of the cockpit.
    Admin,
    /// May read namespace `shop` only.
    Viewer,
    /// May list pods, nodes and namespaces, but neither get nor watch them.
    Lister,
    /// Known, without any right.
    Nobody,
    /// Like `Viewer`, by bearer token.
    ViewerToken,
    /// A bearer token that the server does not know: 401.
    BadToken,
    /// Would be an admin, but the certificate ended on 2024-03-07.
    Expired,
    /// An admin whose kubeconfig trusts another CA than the one that signed the server's certificate.
    WrongCa,
}

impl User {
    const ALL: [User; 9] = [
        User::Root,
        User::Admin,
        User::Viewer,
        User::Lister,
        User::Nobody,
        User::ViewerToken,
        User::BadToken,
        User::Expired,
        User::WrongCa,
    ];

    /// The name in the kubeconfig: its user entry, and `lab-NAME` for the context.
    pub fn name(self) -> &'static str {
        match self {
            User::Root => "root",
            User::Admin => "admin",
            User::Viewer => "viewer",
            User::Lister => "lister",
            User::Nobody => "none",
            User::ViewerToken => "viewer-token",
            User::BadToken => "bad-token",
            User::Expired => "expired",
            User::WrongCa => "wrong-ca",
        }
    }
}

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = new_key();
        let pem = params.self_signed(&key).expect("the parameters are complete").pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = new_key();
        let cert = params.signed_by(&key, &self.issuer).expect("the parameters are complete").pem();
        Identity { cert, key: key.serialize_pem() }
    }
}

/// A certificate and its key, as PEM.
struct Identity {
    cert: String,
    key: String,
}

/// The authorities and kubeconfigs of one control plane, written into its folder.
pub struct Pki {
    dir: PathBuf,
    server: String,
    ca: Authority,
    root: Identity,
}

impl Pki {
    /// Writes everything that the components' flags name and a kubeconfig per user.
    pub fn create(dir: &Path, server: String) -> Pki {
        let ca = Authority::new("lab-ca");
        let root = ca.sign(&client("lab-root", Some("system:masters")));
        let pki = Pki { dir: dir.to_owned(), server, ca, root };
        pki.write_servers();
        for (name, group, cn) in [
            ("kcm", None, "system:kube-controller-manager"),
            ("sched", None, "system:kube-scheduler"),
            ("kwok", Some("system:masters"), "kwok"),
        ] {
            pki.write_identity(name, &pki.ca.sign(&client(cn, group)));
            pki.write_path_kubeconfig(name);
        }
        for user in User::ALL {
            pki.write_user(user);
        }
        pki
    }

    /// The kubeconfig of a user.
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        self.dir.join(format!("{}.conf", user.name()))
    }

    /// A further user, whose certificate ends at `expires`.
    pub fn issue(&self, name: &str, group: &str, expires: SystemTime) -> PathBuf {
        let mut params = client(name, Some(group));
        params.not_after = expires.into();
        let auth = certificate_auth(&self.ca.sign(&params));
        self.write_kubeconfig(name, &embedded_ca(&self.ca.pem), &auth)
    }

    /// How the harness itself talks to the API server: as root, trusting this CA only.
    pub fn tls(&self) -> rustls::ClientConfig {
        let parsed = "rcgen writes PEM that rustls reads";
        let mut roots = rustls::RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(self.ca.pem.as_bytes()).expect(parsed);
        roots.add(ca).expect(parsed);
        let cert = CertificateDer::from_pem_slice(self.root.cert.as_bytes()).expect(parsed);
        let key = PrivateKeyDer::from_pem_slice(self.root.key.as_bytes()).expect(parsed);
        rustls::ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::ring::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![cert], key)
        .expect("the key belongs to the certificate")
    }

    fn write_servers(&self) {
        let server = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|s| (*s).to_owned()).collect();
            let mut params = CertificateParams::new(names).expect("the names are valid");
            params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            self.ca.sign(&params)
        };
        let api_names = ["localhost", "kubernetes.default.svc", "127.0.0.1", "10.96.0.1"];
        self.write_identity("apiserver", &server(&api_names));
        self.write_identity("kubelet", &server(&["localhost", "127.0.0.1"]));
        let front_proxy = Authority::new("fp-ca");
        self.write_identity("front-proxy", &front_proxy.sign(&client("front-proxy-client", None)));
        self.write("pki/fp-ca.crt", &front_proxy.pem);
        self.write("pki/ca.crt", &self.ca.pem);
        self.write("pki/ca.key", &self.ca.issuer.key().serialize_pem());
        let service_accounts = new_key();
        self.write("pki/sa.key", &service_accounts.serialize_pem());
        self.write("pki/sa.pub", &service_accounts.public_key_pem());
        self.write(
            "pki/tokens.csv",
            "viewer-token,viewer,u1,\"lab:viewers\"\nnarrow-token,narrow,u2,\"lab:admins\"\n",
        );
    }

    fn write_user(&self, user: User) {
        let (cn, group) = match user {
            User::Root | User::Admin | User::WrongCa => ("operator", "lab:admins"),
            User::Viewer | User::ViewerToken | User::BadToken => ("viewer", "lab:viewers"),
            User::Lister => ("lister", "lab:listers"),
            User::Nobody => ("none", "lab:none"),
            User::Expired => ("late", "lab:admins"),
        };
        let mut params = client(cn, Some(group));
        if user == User::Expired {
            params.not_before = rcgen::date_time_ymd(2023, 3, 7);
            params.not_after = rcgen::date_time_ymd(2024, 3, 7);
        }
        let auth = match user {
            User::ViewerToken => "token: viewer-token".to_owned(),
            User::BadToken => "token: nobody-knows-me".to_owned(),
            User::Root => certificate_auth(&self.root),
            _ => certificate_auth(&self.ca.sign(&params)),
        };
        let ca = match user {
            User::WrongCa => embedded_ca(&Authority::new("other-ca").pem),
            _ => embedded_ca(&self.ca.pem),
        };
        self.write_kubeconfig(user.name(), &ca, &auth);
    }

    /// The components read theirs from files, so that both forms of a kubeconfig are in use.
    fn write_path_kubeconfig(&self, name: &str) {
        let pki = self.dir.join("pki");
        let pki = pki.display();
        let ca = format!("certificate-authority: {pki}/ca.crt");
        let auth = format!("client-certificate: {pki}/{name}.crt, client-key: {pki}/{name}.key");
        self.write_kubeconfig(name, &ca, &auth);
    }

    fn write_kubeconfig(&self, name: &str, ca: &str, auth: &str) -> PathBuf {
        let server = &self.server;
        let text = format!(
            "apiVersion: v1\nkind: Config\n\
             clusters: [{{name: lab, cluster: {{server: \"{server}\", {ca}}}}}]\n\
             users: [{{name: {name}, user: {{{auth}}}}}]\n\
             contexts: [{{name: lab-{name}, context: {{cluster: lab, user: {name}}}}}]\n\
             current-context: lab-{name}\n"
        );
        self.write(&format!("{name}.conf"), &text)
    }

    fn write_identity(&self, name: &str, identity: &Identity) {
        self.write(&format!("pki/{name}.crt"), &identity.cert);
        self.write(&format!("pki/{name}.key"), &identity.key);
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.join(name);
        fs::write(&path, text).expect("the slot's folder is ours");
        path
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("P-256 keys need nothing but randomness")
}

fn client(cn: &str, group: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    params.distinguished_name.push(DnType::CommonName, cn);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn certificate_auth(identity: &Identity) -> String {
    let (cert, key) = (encode(&identity.cert), encode(&identity.key));
    format!("client-certificate-data: {cert}, client-key-data: {key}")
}

fn embedded_ca(pem: &str) -> String {
    format!("certificate-authority-data: {}", encode(pem))
}

fn encode(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}
