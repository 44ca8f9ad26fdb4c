//! Whether a certificate request may be approved: every rule looks at one thing, says what it found in words, and names
//! the Kubernetes behaviour that it stands on. Sources are of kubernetes v1.36 unless they say otherwise.
//!
//! Green: every rule found a proof. Amber: something could not be checked, or it takes a person. Red: something
//! contradicts what the request claims. Nothing else than these findings goes into the colour.

mod kubelet;
pub mod pkcs10;
mod rules;
pub mod world;

pub use rules::RULES;
pub use world::{Asked, Standing, World};

use crate::state::cell::Role;
use pkcs10::Pkcs10;

/// Signers of kube-controller-manager (`pkg/controller/certificates/signer/signer.go`).
pub mod signer {
    /// Certificates of users.
    pub const CLIENT: &str = "kubernetes.io/kube-apiserver-client";
    /// Certificates kubelets are clients with.
    pub const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
    /// Certificates kubelets serve with.
    pub const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";
}

/// The colours a verdict has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colour {
    /// Proven.
    Green,
    /// For a person to look at.
    Amber,
    /// Contradicted.
    Red,
}

impl Colour {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Colour::Green => "green",
            Colour::Amber => "amber",
            Colour::Red => "RED",
        }
    }

    /// Its weight on a screen.
    pub fn role(self) -> Role {
        match self {
            Colour::Green => Role::Ok,
            Colour::Amber => Role::Warn,
            Colour::Red => Role::Bad,
        }
    }
}

/// What a rule looks at.
pub struct Case<'a> {
    /// The request.
    pub asked: &'a Asked,
    /// Its decoded form.
    pub request: &'a Pkcs10,
    /// The rest of the cluster.
    pub world: &'a World,
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It holds: a proof, in words.
    Proof(String),
    /// It could not be checked, or takes a person.
    Open(String),
    /// It is contradicted.
    Contradiction(String),
    /// There is nothing to look at.
    Nothing,
}

/// A rule.
pub struct Rule {
    /// What it looks at, in a word or two.
    pub id: &'static str,
    /// Signers it is about; empty for all.
    pub signers: &'static [&'static str],
    /// The behaviour of Kubernetes that it stands on.
    pub source: &'static str,
    /// Looks.
    pub look: fn(&Case<'_>) -> Found,
}

/// A finding with the rule that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// The rule's source.
    pub source: &'static str,
    /// What it found, never [`Found::Nothing`].
    pub found: Found,
}

impl Finding {
    /// Its words.
    pub fn words(&self) -> &str {
        match &self.found {
            Found::Proof(words) | Found::Open(words) | Found::Contradiction(words) => words,
            Found::Nothing => "",
        }
    }

    /// The colour that this finding alone asks for.
    pub fn colour(&self) -> Colour {
        match self.found {
            Found::Contradiction(_) => Colour::Red,
            Found::Open(_) => Colour::Amber,
            Found::Proof(_) | Found::Nothing => Colour::Green,
        }
    }
}

/// What all rules say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The worst of the findings.
    pub colour: Colour,
    /// Every finding, in the order of the rules.
    pub findings: Vec<Finding>,
    /// The newer request of the same node, if there is one.
    pub superseded: Option<String>,
}

impl Verdict {
    /// Why it is what it is, in one line: the contradiction, or what is open, or how many proofs there are.
    pub fn why(&self) -> String {
        let of = |colour| self.findings.iter().filter(move |f| f.colour() == colour);
        let n = of(self.colour).count();
        match of(self.colour).next() {
            Some(first) if self.colour != Colour::Green => match n {
                1 => first.words().to_owned(),
                n => format!("{} (and {} more)", first.words(), n - 1),
            },
            _ => format!("{n} of {n} proofs"),
        }
    }
}

/// The verdict on a request.
pub fn judge(asked: &Asked, world: &World) -> Verdict {
    let request = match &asked.request {
        Ok(request) => request,
        Err(why) => {
            let rule = &RULES[0];
            let found = Found::Contradiction(format!("it cannot be read: {why}"));
            let findings = vec![Finding { rule: rule.id, source: rule.source, found }];
            return Verdict { colour: Colour::Red, findings, superseded: None };
        }
    };
    let case = Case { asked, request, world };
    let fits = |rule: &&Rule| rule.signers.is_empty() || rule.signers.contains(&&*asked.signer);
    let findings: Vec<Finding> = RULES
        .iter()
        .filter(fits)
        .map(|rule| Finding { rule: rule.id, source: rule.source, found: (rule.look)(&case) })
        .filter(|finding| finding.found != Found::Nothing)
        .collect();
    let colour = findings.iter().map(Finding::colour).max().unwrap_or(Colour::Amber);
    Verdict { colour, findings, superseded: kubelet::newer(&case).map(|newer| newer.name.clone()) }
}

#[cfg(test)]
mod tests;
