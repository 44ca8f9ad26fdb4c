//! Certificate requests to be judged: some to be approved without a thought, some that must not be.
//!
//! The PEM files are real PKCS#10 requests with valid signatures, made once with
//! `openssl req -new -subj ... -addext subjectAltName=...`; their keys were thrown away.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::World;
use super::super::registry::{CLUSTER_ROLE_BINDINGS, REQUESTS, ROLE_BINDINGS};
use super::{add, ago};

/// A certificate that was issued some time ago.
pub const ISSUED: &str = include_str!("requests/issued.pem");

/// Name, PEM, signer, who asks.
struct Asked(&'static str, &'static str, &'static str, &'static str);

const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";
const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const CLIENT: &str = "kubernetes.io/kube-apiserver-client";

static ASKED: [Asked; 8] = [
    Asked(
        "csr-8xk2p",
        include_str!("requests/serving-a-03.pem"),
        KUBELET_SERVING,
        "system:node:demo-a-03",
    ),
    // Asks for an address that is another node's.
    Asked(
        "csr-b41zz",
        include_str!("requests/serving-b-02.pem"),
        KUBELET_SERVING,
        "system:node:demo-b-02",
    ),
    Asked(
        "csr-m6t9q",
        include_str!("requests/serving-c-01.pem"),
        KUBELET_SERVING,
        "system:node:demo-c-01",
    ),
    Asked(
        "csr-n0d3w",
        include_str!("requests/kubelet-c-08.pem"),
        KUBELET_CLIENT,
        "system:bootstrap:4f2k1x",
    ),
    Asked("ci-bot", include_str!("requests/ci-bot.pem"), CLIENT, "rosa@demo.example"),
    // Would make its holder an administrator.
    Asked("contractor", include_str!("requests/contractor.pem"), CLIENT, "temp@demo.example"),
    // A key of 1,024 bits, for a signer nobody runs.
    Asked(
        "old-laptop",
        include_str!("requests/weak-key.pem"),
        "laptops.demo.example/vpn",
        "temp@demo.example",
    ),
    // The same node asked before, and again since.
    Asked(
        "csr-2h7fd",
        include_str!("requests/serving-a-03.pem"),
        KUBELET_SERVING,
        "system:node:demo-a-03",
    ),
];

/// ClusterRoleBinding, role, group.
const BINDINGS: [(&str, &str, &str); 4] = [
    ("cluster-admin", "cluster-admin", "system:masters"),
    ("kubeadm:cluster-admins", "cluster-admin", "kubeadm:cluster-admins"),
    ("demo:operators", "cluster-admin", "demo:operators"),
    ("demo:developers", "view", "demo:developers"),
];

fn request(asked: &Asked, name: &str) -> Value {
    let Asked(_, pem, signer, user) = asked;
    let usages = match *signer {
        KUBELET_SERVING => ["digital signature", "server auth"],
        _ => ["digital signature", "client auth"],
    };
    let groups = if user.starts_with("system:node:") {
        json!(["system:nodes", "system:authenticated"])
    } else if user.starts_with("system:bootstrap:") {
        json!(["system:bootstrappers", "system:authenticated"])
    } else {
        json!(["demo:developers", "system:authenticated"])
    };
    json!({
        "metadata": {"name": name},
        "spec": {"request": STANDARD.encode(pem), "signerName": signer, "username": user, "groups": groups,
            "usages": usages, "expirationSeconds": 86_400},
        "status": {},
    })
}

/// Adds them all, asked for within the last minutes.
pub fn add_all(world: &mut World, now: Timestamp) {
    for (name, role, group) in BINDINGS {
        let api = "rbac.authorization.k8s.io";
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": api, "kind": "Group", "name": group}],
        });
        add(world, &CLUSTER_ROLE_BINDINGS, binding, ago(now, 86_400 * 290));
    }
    let api = "rbac.authorization.k8s.io";
    let deployers = json!({
        "metadata": {"name": "deployers", "namespace": "shop"},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"apiGroup": api, "kind": "Group", "name": "demo:developers"}],
    });
    add(world, &ROLE_BINDINGS, deployers, ago(now, 86_400 * 200));
    for (n, asked) in (1..).zip(&ASKED) {
        add(world, &REQUESTS, request(asked, asked.0), ago(now, n * 97));
    }
}

/// One more kubelet asks for a serving certificate.
pub fn add_serving(world: &mut World, now: Timestamp) {
    let serving = [&ASKED[0], &ASKED[2]];
    let asked = serving[world.rng.below(2) as usize];
    let name = format!("csr-{}", world.rng.suffix(5));
    add(world, &REQUESTS, request(asked, &name), now);
}
