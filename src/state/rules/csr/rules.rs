//! THE list of rules on certificate requests. A new one is an entry here.
//!
//! What a person should know of all of them: `spec.username` and `spec.groups` are written by the API server when the
//! request is created (`pkg/registry/certificates/certificates/strategy.go`) and the spec cannot be changed; everything
//! else is the requester's own word. A Node's addresses are written by its kubelet, unless a cloud provider does.

use super::kubelet::*;
use super::signer::{CLIENT, KUBELET_CLIENT, KUBELET_SERVING};
use super::{Asked, Case, Found, Rule};
use crate::state::rules::csr::pkcs10::Signature;
use crate::state::time::span;

/// Longest life of a user's certificate that needs no second thought: nothing takes a certificate back before its end.
const LONGEST: i64 = 366 * 86_400;

macro_rules! rules {
    ($($id:literal $signers:expr, $look:ident, $source:literal;)+) => {
        /// Every rule, in the order in which findings are told. The first is about the request being one.
        pub static RULES: &[Rule] =
            &[$(Rule { id: $id, signers: $signers, source: $source, look: $look }),+];
    };
}

rules! {
    "request" &[], readable,
        "pkg/apis/certificates/helpers.go ParseCSR: the signer reads the first PEM block as PKCS#10";
    "signature" &[], signature,
        "RFC 2986 section 4.2: signing the request proves that the requester has the key";
    "key" &[], key,
        "pkg/controller/certificates/authority/policies.go signs whatever key is asked for; kubelets make ECDSA P-256 (client-go util/certificate)";
    "same key" &[], same_key,
        "a certificate belongs to its key: two requesters that show the same key share it";
    "signer" &[], known_signer,
        "pkg/controller/certificates/signer/signer.go: kube-controller-manager signs for its own signers only";
    "requester" &[KUBELET_SERVING], own_node,
        "pkg/apis/certificates/helpers.go ValidateKubeletServingCSR; NodeRestriction (plugin/pkg/admission/noderestriction, 1.31) wants CN to be the requester";
    "requester" &[KUBELET_CLIENT], client_of_node,
        "pkg/controller/certificates/approver/sarapprove.go: nodeclient (a bootstrap token) and selfnodeclient (the node itself)";
    "organization" &[KUBELET_SERVING, KUBELET_CLIENT], node_group,
        "pkg/apis/certificates/helpers.go: organization must be exactly system:nodes, or the signer fails the request";
    "usages" &[KUBELET_SERVING, KUBELET_CLIENT, CLIENT], usages,
        "pkg/controller/certificates/signer/signer.go and helpers.go: other usages fail with SignerValidationFailure";
    "node" &[KUBELET_SERVING], node_is_there,
        "pkg/kubelet/kubelet_node_status.go: a kubelet registers its Node and writes its addresses";
    "names" &[KUBELET_SERVING], serving_names,
        "nobody checks names before they are signed: a serving certificate for a name lets its holder answer under it";
    "addresses" &[KUBELET_SERVING], serving_addresses,
        "pkg/kubelet/certificate/kubelet.go asks for the addresses of the Node and no others; nobody else checks them";
    "no other names" &[KUBELET_SERVING, KUBELET_CLIENT], no_other_names,
        "pkg/apis/certificates/helpers.go: kubelet client certificates have no names, serving ones only DNS names and addresses";
    "issued before" &[KUBELET_SERVING, KUBELET_CLIENT], issued_before,
        "client-go util/certificate/certificate_manager.go renews after 70 to 90 % of a certificate's life, not at once";
    "queue" &[KUBELET_SERVING, KUBELET_CLIENT], superseded,
        "client-go util/certificate/certificate_manager.go: a kubelet that waited 15 minutes, or restarted, makes a new key and asks again; only its newest request is of use";
    "user" &[CLIENT], user,
        "names beginning with system: are Kubernetes' own (RBAC documentation, Referring to subjects)";
    "groups" &[CLIENT], groups,
        "plugin/pkg/admission/certificates/subjectrestriction refuses system:masters only; kubeadm binds kubeadm:cluster-admins to cluster-admin (1.29)";
    "who for whom" &[CLIENT], who_for_whom,
        "pkg/registry/certificates/certificates/strategy.go: the requester may name any user; the approver vouches for it";
    "duration" &[CLIENT], duration,
        "pkg/apis/certificates/types.go expirationSeconds; there is no revocation in Kubernetes, a certificate is good until its end";
    "no names" &[CLIENT], no_names,
        "pkg/controller/certificates/authority/policies.go copies names into the certificate; users need none";
}

pub(super) fn proof(words: impl Into<String>) -> Found {
    Found::Proof(words.into())
}

pub(super) fn open(words: impl Into<String>) -> Found {
    Found::Open(words.into())
}

pub(super) fn wrong(words: impl Into<String>) -> Found {
    Found::Contradiction(words.into())
}

fn readable(case: &Case<'_>) -> Found {
    match case.request.common_name.is_empty() {
        true => wrong("its subject has no common name"),
        false => proof(format!("it reads as a request for {}", case.request.subject())),
    }
}

fn signature(case: &Case<'_>) -> Found {
    match case.request.signature {
        Signature::Valid => proof("signed with the key it asks for"),
        Signature::Invalid => {
            wrong("its signature does not fit its key: whoever asks does not have the key")
        }
        Signature::Unchecked => open("its signature is of a kind that cannot be checked here"),
    }
}

fn key(case: &Case<'_>) -> Found {
    match (&case.request.key, case.request.strong, case.request.rsa_bits) {
        (key, true, _) => proof(format!("the key is {key}")),
        (key, false, 1..) => wrong(format!("the key is {key}: less than 2048 bits can be broken")),
        (key, false, _) => open(format!("the key is a {key}; its strength is not known here")),
    }
}

fn same_key(case: &Case<'_>) -> Found {
    let asked = case.asked;
    let same = |other: &&Asked| {
        let key = other.request.as_ref().map(|r| &r.fingerprint);
        other.name != asked.name && other.user != asked.user && key == Ok(&case.request.fingerprint)
    };
    match case.world.queue.iter().find(same) {
        Some(other) => wrong(format!("{} shows the same key in {}", other.user, other.name)),
        None => Found::Nothing,
    }
}

fn known_signer(case: &Case<'_>) -> Found {
    match &*case.asked.signer {
        CLIENT | KUBELET_CLIENT | KUBELET_SERVING => Found::Nothing,
        name if name.starts_with("kubernetes.io/") => {
            open(format!("{name} gives no guarantee for what its certificates are good for"))
        }
        name => open(format!("no rules are known for {name}: whoever runs it must vouch")),
    }
}

fn usages(case: &Case<'_>) -> Found {
    let needed = match &*case.asked.signer {
        KUBELET_SERVING => "server auth",
        _ => "client auth",
    };
    let allowed = [needed, "digital signature", "key encipherment"];
    let usages = &case.asked.usages;
    if let Some(other) = usages.iter().find(|u| !allowed.contains(&u.as_str())) {
        return wrong(format!("usage {other} is not one that {} signs", case.asked.signer));
    }
    match usages.iter().any(|u| u == needed) {
        true => proof(format!("usages {}", usages.join(", "))),
        false => wrong(format!("usage {needed} is missing: the signer would fail it")),
    }
}

fn user(case: &Case<'_>) -> Found {
    let cn = &case.request.common_name;
    if cn.starts_with("system:") {
        return wrong(format!("CN={cn}: names beginning with system: are Kubernetes' own"));
    }
    match (case.world.admin_users.get(cn), case.world.no_bindings) {
        (Some(binding), _) => {
            wrong(format!("{cn} is an administrator: {binding} binds it to cluster-admin"))
        }
        (None, Some(why)) => open(format!(
            "whether {cn} is an administrator is not known: ClusterRoleBindings {why}"
        )),
        (None, None) => proof(format!("{cn} is not bound to cluster-admin")),
    }
}

fn groups(case: &Case<'_>) -> Found {
    let groups = &case.request.organizations;
    for group in groups {
        if group == "kubeadm:cluster-admins" || group.starts_with("system:") {
            let what = if group.starts_with("system:") {
                "one of Kubernetes' own"
            } else {
                "that of administrators"
            };
            return wrong(format!("group {group} is {what}"));
        }
        if let Some(binding) = case.world.admin_groups.get(group) {
            return wrong(format!(
                "group {group} is one of administrators: {binding} binds it to cluster-admin"
            ));
        }
    }
    match (&groups[..], case.world.no_bindings) {
        ([], _) => Found::Nothing,
        (_, Some(why)) => open(format!(
            "what {} may do is not known: ClusterRoleBindings {why}",
            groups.join(", ")
        )),
        (_, None) => proof(format!("no group of administrators among {}", groups.join(", "))),
    }
}

fn who_for_whom(case: &Case<'_>) -> Found {
    let (asked, request) = (case.asked, case.request);
    let cn = &request.common_name;
    let own = request.organizations.iter().all(|group| asked.groups.contains(group));
    if *cn == asked.user && own {
        return proof(format!("{cn} asks for itself, with groups it is in already"));
    }
    if let Some(why) = case.world.administrator(&asked.user, &asked.groups) {
        return proof(format!(
            "{} asks for {cn} and {why}: it could act as {cn} anyway",
            asked.user
        ));
    }
    let with = match &request.organizations[..] {
        [] => String::new(),
        groups => format!(" in {}", groups.join(", ")),
    };
    match *cn == asked.user {
        true => open(format!(
            "{cn} asks for groups it is not in: a person must vouch for {with}",
            with = with.trim_start_matches(" in ")
        )),
        false => {
            open(format!("{} asks for another user, {cn}{with}: a person must vouch", asked.user))
        }
    }
}

fn duration(case: &Case<'_>) -> Found {
    match case.asked.seconds {
        0 => proof("no duration asked for: the signer's own, a year unless it was set otherwise"),
        seconds if seconds > LONGEST => open(format!(
            "{} is longer than a year, and nothing takes a certificate back",
            span(seconds)
        )),
        seconds => proof(format!("good for {}", span(seconds))),
    }
}

fn no_names(case: &Case<'_>) -> Found {
    match case.request.has_names() {
        true => open(format!("it asks for names as a server would: {}", case.request.names())),
        false => Found::Nothing,
    }
}
