//! A failed start, told once and completely: what was tried, what failed, what to do next.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;

use super::args::ConnectArgs;
use super::certificate::{CertificateFacts, minute};
use super::fault::{Fault, TlsFault, Unreachable};
use super::pinned::About;
use super::plugin::CredentialFault;

/// Why a session could not be opened. Nothing was changed anywhere.
#[derive(Clone, Debug)]
pub struct StartFault(Box<Story>);

#[derive(Clone, Debug)]
struct Story {
    about: About,
    cause: Cause,
    /// Our client certificate, when one was read.
    ours: Option<CertificateFacts>,
    /// The server's certificate, when it was refused.
    theirs: Option<CertificateFacts>,
}

/// What failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// There is no kubeconfig at all, and no service account.
    NoKubeconfig {
        /// Where one was looked for.
        looked: Vec<PathBuf>,
    },
    /// A kubeconfig file that cannot be read or merged.
    Kubeconfig {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// The kubeconfig has no current context and none was named.
    NoContextChosen {
        /// The contexts there are.
        names: Vec<String>,
    },
    /// The kubeconfig has no such entry.
    NoSuch {
        /// `context`, `cluster` or `user`.
        what: &'static str,
        /// The name that was wanted.
        name: String,
        /// The nearest names, or some names where none is near.
        listed: Vec<String>,
        /// How many there are.
        known: usize,
    },
    /// A setting that cannot be used.
    Setting(String),
    /// Credentials could not be obtained or used.
    Credential(CredentialFault),
    /// The server was asked, and this came of it.
    Contact(Fault),
}

/// What the flags alone say, before anything is read.
pub(super) fn asked(args: &ConnectArgs) -> About {
    About {
        context: args.context.clone().unwrap_or_default(),
        cluster: args.cluster.clone().unwrap_or_default(),
        user: args.user.clone().unwrap_or_default(),
        namespace: args.namespace.clone().unwrap_or_default(),
        all_namespaces: args.all_namespaces,
        acting_as: args.as_user.clone(),
        request_timeout: args.request_timeout,
        ..About::default()
    }
}

impl StartFault {
    pub(super) fn new(about: About, cause: Cause) -> StartFault {
        StartFault(Box::new(Story { about, cause, ours: None, theirs: None }))
    }

    pub(super) fn with_certificates(
        mut self,
        ours: Option<CertificateFacts>,
        theirs: Option<CertificateFacts>,
    ) -> StartFault {
        (self.0.ours, self.0.theirs) = (ours, theirs);
        self
    }

    /// What failed, as data.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// What was tried, as far as it was resolved.
    pub fn about(&self) -> &About {
        &self.0.about
    }

    /// Whether lending the terminal to the credential plugin and connecting again may succeed.
    pub fn needs_terminal(&self) -> bool {
        match &self.0.cause {
            Cause::Credential(fault) => fault.needs_terminal,
            Cause::Contact(Fault::Unauthenticated { needs_terminal, .. }) => *needs_terminal,
            _ => false,
        }
    }

    /// One paragraph for the operator. Contains no secrets and no control characters.
    pub fn paragraph(&self) -> String {
        self.told(Timestamp::now())
    }

    fn told(&self, now: Timestamp) -> String {
        let Story { about, cause, ours, theirs } = &*self.0;
        let mut told = format!("Cannot connect: {}. ", sentence(cause));
        if let Some(theirs) = theirs {
            told += &format!(
                "The server's certificate is {} issued by {}, valid {} to {}, for {}. ",
                theirs.subject,
                theirs.issuer,
                minute(theirs.not_before),
                minute(theirs.not_after),
                if theirs.names.is_empty() { "no name".into() } else { theirs.names.join(", ") },
            );
        }
        let expired = ours.as_ref().filter(|ours| ours.expired(now));
        if let Some(ours) = expired {
            told += &format!(
                "The client certificate ({}) expired on {}. ",
                ours.subject,
                minute(ours.not_after)
            );
        }
        told += &tried(about);
        for note in &about.notes {
            told += &format!("{note} ");
        }
        told + &next(cause, about, expired.is_some())
    }
}

impl fmt::Display for StartFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.paragraph())
    }
}

impl std::error::Error for StartFault {}

fn sentence(cause: &Cause) -> String {
    match cause {
        Cause::NoKubeconfig { looked } if looked.is_empty() => "there is no kubeconfig".into(),
        Cause::NoKubeconfig { looked } => {
            format!("there is no kubeconfig (looked at {})", paths(looked))
        }
        Cause::Kubeconfig { file, why } => {
            format!("the kubeconfig {} cannot be used: {why}", file.display())
        }
        Cause::NoContextChosen { .. } => "the kubeconfig has no current context".into(),
        Cause::NoSuch { what, name, .. } => format!("there is no {what} named '{name}'"),
        Cause::Setting(why) => why.clone(),
        Cause::Credential(fault) => fault.text.clone(),
        Cause::Contact(Fault::Timeout { after }) => {
            format!(
                "the server accepted the connection but did not answer within {} s",
                after.as_secs_f32()
            )
        }
        Cause::Contact(fault) => fault.to_string(),
    }
}

/// Which file, context, server and user, so that the operator sees at once when they are not the
/// ones meant.
fn tried(about: &About) -> String {
    let mut parts = Vec::new();
    if !about.context.is_empty() {
        parts.push(format!("context '{}'", about.context));
    }
    if about.in_cluster {
        parts.push("the service account of this pod".into());
    } else if !about.files.is_empty() {
        parts.push(format!("kubeconfig {}", paths(&about.files)));
    }
    if !about.server.is_empty() {
        parts.push(format!("server {}", about.server));
    }
    if !about.user.is_empty() {
        parts.push(format!("user '{}'", about.user));
    }
    if let Some(acting_as) = &about.acting_as {
        parts.push(format!("acting as '{acting_as}'"));
    }
    if let Some(proxy) = &about.proxy {
        parts.push(format!("through the proxy {proxy}"));
    }
    if parts.is_empty() { String::new() } else { format!("Tried: {}. ", parts.join(", ")) }
}

fn paths(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn next(cause: &Cause, about: &About, expired: bool) -> String {
    if expired {
        return "Next: have the client certificate renewed, then start again.".into();
    }
    let advice = match cause {
        Cause::NoKubeconfig { .. } => {
            "name one with --kubeconfig or $KUBECONFIG, or look at the demo cluster with --demo"
        }
        Cause::Kubeconfig { .. } => "repair the file, or name another one with --kubeconfig",
        Cause::NoContextChosen { names } | Cause::NoSuch { listed: names, .. }
            if names.is_empty() =>
        {
            "the kubeconfig holds none; name another file with --kubeconfig"
        }
        Cause::NoContextChosen { names } => {
            let more = if names.len() > 8 { ", ..." } else { "" };
            let names: Vec<&str> = names.iter().take(8).map(String::as_str).collect();
            return format!("Next: choose one with --context: {}{more}.", names.join(", "));
        }
        Cause::NoSuch { listed, known, .. } => {
            return format!(
                "Next: name one that exists; nearest of {known}: {}.",
                listed.join(", ")
            );
        }
        Cause::Setting(_) => "correct it in the kubeconfig or by the flag of the same name",
        Cause::Credential(fault) if fault.needs_terminal => {
            "run this again in a terminal, where the credential plugin can ask"
        }
        Cause::Credential(_) => "log in again with your cluster's login command, then start again",
        Cause::Contact(fault) => contact(fault, about),
    };
    format!("Next: {advice}.")
}

fn contact(fault: &Fault, about: &About) -> &'static str {
    let Fault::Unreachable(why) = fault else {
        return match fault {
            Fault::Unauthenticated { .. } => {
                "log in again, or check that this user belongs to this cluster"
            }
            Fault::Forbidden { .. } => "ask whoever manages access for a rule that allows it",
            Fault::Foreign(_) => {
                "check the server URL: a login page or another service answers there"
            }
            Fault::Timeout { .. } => {
                "check that the server is healthy, or give it longer with --request-timeout"
            }
            Fault::Throttled { .. } => {
                "the server is overloaded or starting; try again in a moment"
            }
            _ => "see whether kubectl version gets an answer",
        };
    };
    match why {
        Unreachable::Name { .. } => "check the name for typing errors, and whether the VPN is up",
        Unreachable::Refused if about.proxy.is_some() => {
            "check that the proxy is running and its URL is right"
        }
        Unreachable::Refused => {
            "check that the API server is running, and the port in the server URL"
        }
        Unreachable::Silent | Unreachable::NoRoute => {
            "check the VPN, the firewall and the server's address"
        }
        Unreachable::Proxy(_) => {
            "check the proxy's URL and password, or list the server in NO_PROXY"
        }
        Unreachable::Tls(TlsFault::UnknownIssuer) => {
            "set the cluster entry's certificate-authority to the CA that issued it (the CA itself, not \
             the server's certificate); after a cluster was rebuilt, fetch its kubeconfig again"
        }
        Unreachable::Tls(TlsFault::WrongName { .. }) => {
            "use one of these names in the server URL, or pass one with --tls-server-name"
        }
        Unreachable::Tls(TlsFault::Expired { .. }) => "have the server's certificate renewed",
        Unreachable::Tls(TlsFault::NotYetValid) => "set this machine's clock",
        Unreachable::Tls(TlsFault::ClientRefused(_)) => {
            "have the client certificate issued by this cluster's CA"
        }
        Unreachable::Tls(TlsFault::NotTls) => {
            "check the port, or whether the server URL should start with http://"
        }
        _ => "check the network and try again",
    }
}
