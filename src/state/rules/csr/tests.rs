//! Verdicts on requests that were made for the purpose, in a cluster of three nodes.

use super::signer::{CLIENT, KUBELET_CLIENT, KUBELET_SERVING};
use super::*;
use crate::state::kinds::testing::{row, store_of, words};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use serde_json::{Value, json};

/// A request in PEM for a subject with names and addresses.
fn pem(cn: &str, group: &str, names: &[&str]) -> String {
    let key = KeyPair::generate().expect("a key");
    pem_of(cn, group, names, &key)
}

fn pem_of(cn: &str, group: &str, names: &[&str], key: &KeyPair) -> String {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    if !group.is_empty() {
        parameters.distinguished_name.push(DnType::OrganizationName, group);
    }
    parameters.distinguished_name.push(DnType::CommonName, cn);
    let name = |name: &&str| match name.parse() {
        Ok(ip) => SanType::IpAddress(ip),
        Err(_) => SanType::DnsName((*name).try_into().expect("a name")),
    };
    parameters.subject_alt_names = names.iter().map(name).collect();
    parameters.serialize_request(key).and_then(|r| r.pem()).expect("a request")
}

fn object(name: &str, signer: &str, user: &str, groups: &[&str], pem: &str) -> Value {
    let usage = if signer == KUBELET_SERVING { "server auth" } else { "client auth" };
    json!({
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name, "creationTimestamp": "2027-01-15T07:59:00Z"},
        "spec": {
            "request": STANDARD.encode(pem), "signerName": signer, "username": user, "groups": groups,
            "usages": ["digital signature", usage],
        },
        "status": {},
    })
}

fn serving(name: &str, node: &str, names: &[&str]) -> Value {
    let user = format!("system:node:{node}");
    let groups = ["system:nodes", "system:authenticated"];
    object(name, KUBELET_SERVING, &user, &groups, &pem(&user, "system:nodes", names))
}

fn client(name: &str, user: &str, groups: &[&str], cn: &str, group: &str) -> Value {
    object(name, CLIENT, user, groups, &pem(cn, group, &[]))
}

fn cluster() -> Vec<Value> {
    let node = |name: &str, ip: &str, role: &str| {
        json!({
            "kind": "Node",
            "metadata": {"name": name, "labels": {format!("node-role.kubernetes.io/{role}"): ""}},
            "status": {
                "addresses": [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}],
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        })
    };
    let service = |namespace: &str, name: &str, ip: &str| {
        json!({"kind": "Service", "metadata": {"name": name, "namespace": namespace},
            "spec": {"type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip]}})
    };
    vec![
        node("n1", "10.0.0.1", "worker"),
        node("n2", "10.0.0.2", "worker"),
        node("cp", "10.0.0.9", "control-plane"),
        service("default", "kubernetes", "10.96.0.1"),
        service("shop", "web", "10.96.0.7"),
        json!({"kind": "ClusterRoleBinding", "metadata": {"name": "ops-admins"},
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "Group", "name": "ops"}, {"kind": "User", "name": "root@corp"}]}),
    ]
}

/// The verdict on the first of the requests, in a cluster that has them all.
fn verdict(requests: &[Value]) -> Verdict {
    let objects = [&cluster()[..], requests].concat();
    let mut store = store_of(&objects);
    store.server = "https://10.0.0.9:6443".into();
    judge(&Asked::of(&requests[0]), &World::of(&store))
}

fn told(requests: &[Value]) -> String {
    let verdict = verdict(requests);
    format!("{}: {}", verdict.colour.word(), verdict.why())
}

#[test]
fn a_kubelet_that_asks_for_what_its_node_has_is_green() {
    let verdict = verdict(&[serving("a", "n1", &["n1", "10.0.0.1"])]);
    assert_eq!(verdict.colour, Colour::Green, "{verdict:#?}");
    let rules: Vec<_> = verdict.findings.iter().map(|f| f.rule).collect();
    for rule in
        ["requester", "organization", "usages", "node", "names", "addresses", "signature", "key"]
    {
        assert!(rules.contains(&rule), "{rule} is no proof: {rules:?}");
    }
}

#[test]
fn what_belongs_to_somebody_else_is_red_and_says_to_whom() {
    let cases: [(&[&str], &str); 9] = [
        (&["n1", "10.0.0.2"], "10.0.0.2 is n2's address (n1 has 10.0.0.1)"),
        (&["n1", "10.96.0.7"], "10.96.0.7 is the address of a Service, shop/web (n1 has 10.0.0.1)"),
        (&["n1", "10.96.0.1"], "10.96.0.1 is the address of the API server, default/kubernetes"),
        (&["n2", "10.0.0.1"], "n2 is a name of n2"),
        (
            &["kubernetes.default.svc", "10.0.0.1"],
            "kubernetes.default.svc is a name of the API server",
        ),
        (
            &["web.shop.svc.cluster.local", "10.0.0.1"],
            "web.shop.svc.cluster.local is Service web.shop",
        ),
        (&["n1", "10.7.7.7"], "10.7.7.7 is no address of its Node"),
        (&["n1", "127.0.0.1"], "127.0.0.1 is every machine's own address"),
        (&["*.corp", "10.0.0.1"], "*.corp stands for many names"),
    ];
    for (names, why) in cases {
        let told = told(&[serving("a", "n1", names)]);
        assert!(told.starts_with("RED") && told.contains(why), "{names:?}: {told}");
    }
    let mapped = told(&[serving("a", "n1", &["n1", "::ffff:10.0.0.2"])]);
    assert!(mapped.contains("10.0.0.2 is n2's address"), "IPv4 in IPv6 clothes: {mapped}");
}

/// A kubelet writes its Node's addresses itself: claiming a neighbour's there does not make it its own.
#[test]
fn an_address_that_two_nodes_claim_is_nobody_s_proof() {
    let mut thief = cluster()[0].clone();
    thief["metadata"]["name"] = json!("thief");
    let mut objects = cluster();
    objects.push(thief);
    let request = serving("a", "thief", &["thief", "10.0.0.1"]);
    objects.push(request.clone());
    let verdict = judge(&Asked::of(&request), &World::of(&store_of(&objects)));
    assert!(verdict.why().contains("10.0.0.1 is n1's address"), "{}", verdict.why());
}

#[test]
fn the_control_plane_s_own_node_may_have_the_servers_address() {
    assert!(told(&[serving("a", "cp", &["cp", "10.0.0.9"])]).starts_with("green"));
}

#[test]
fn a_kubelet_asks_for_itself_only() {
    let groups = ["system:nodes", "system:authenticated"];
    let of_n2 = pem("system:node:n2", "system:nodes", &["n2", "10.0.0.2"]);
    let case = object("a", KUBELET_SERVING, "system:node:n1", &groups, &of_n2);
    assert!(told(&[case]).contains("system:node:n1 asks for a certificate of system:node:n2"));
    let outsider = pem("system:node:n1", "system:nodes", &["n1", "10.0.0.1"]);
    let case = object("a", KUBELET_SERVING, "system:node:n1", &["system:authenticated"], &outsider);
    assert!(told(&[case]).contains("is not in system:nodes"));
    let group = pem("system:node:n1", "system:masters", &["n1", "10.0.0.1"]);
    let case = object("a", KUBELET_SERVING, "system:node:n1", &groups, &group);
    assert!(told(&[case]).contains("must be system:nodes alone"));
    let mut usage = serving("a", "n1", &["n1", "10.0.0.1"]);
    usage["spec"]["usages"] = json!(["server auth", "client auth"]);
    assert!(told(&[usage]).contains("usage client auth is not one"));
    assert!(told(&[serving("a", "n1", &[])]).contains("no name and no address"));
    let nobody = told(&[serving("a", "n7", &["n7", "10.0.0.7"])]);
    assert!(nobody.starts_with("amber: there is no Node n7"), "{nobody}");
}

#[test]
fn of_several_requests_of_one_node_the_newest_counts() {
    let (mut old, new) =
        (serving("old", "n1", &["n1", "10.0.0.1"]), serving("new", "n1", &["n1", "10.0.0.1"]));
    old["metadata"]["creationTimestamp"] = json!("2027-01-15T07:00:00Z");
    let verdict = verdict(&[old.clone(), new.clone()]);
    assert_eq!(verdict.superseded.as_deref(), Some("new"));
    assert_eq!(
        (verdict.colour, verdict.why().contains("superseded by new")),
        (Colour::Amber, true)
    );
    assert!(told(&[new.clone(), old.clone()]).starts_with("green"));
    // What is wrong stays wrong, however old.
    let mut wrong = serving("old", "n1", &["n1", "10.0.0.2"]);
    wrong["metadata"]["creationTimestamp"] = json!("2027-01-15T07:00:00Z");
    assert!(told(&[wrong, new.clone()]).starts_with("RED"));
    // A request that somebody else made takes nothing away.
    let mut other = new;
    other["spec"]["username"] = json!("mallory");
    assert!(!told(&[old, other]).contains("superseded"));
}

#[test]
fn a_node_that_was_given_a_certificate_just_now_is_asked_why() {
    let mut given = serving("given", "n1", &["n1", "10.0.0.1"]);
    given["metadata"]["creationTimestamp"] = json!("2027-01-15T07:30:00Z");
    given["status"] =
        json!({"certificate": "LS0t", "conditions": [{"type": "Approved", "status": "True"}]});
    let told = told(&[serving("a", "n1", &["n1", "10.0.0.1"]), given]);
    assert!(
        told.contains("amber: it was given a certificate within the last hour, given"),
        "{told}"
    );
}

#[test]
fn a_bootstrap_token_may_ask_for_a_new_node_and_not_for_one_that_lives() {
    let groups = ["system:bootstrappers", "system:authenticated"];
    let of = |node: &str| {
        let cn = format!("system:node:{node}");
        let pem = pem(&cn, "system:nodes", &[]);
        object("a", KUBELET_CLIENT, "system:bootstrap:abc", &groups, &pem)
    };
    assert!(told(&[of("n8")]).starts_with("green"), "{}", told(&[of("n8")]));
    assert!(told(&[of("n1")]).contains("asks for n1, which is there, ready"));
    let renewal = pem("system:node:n1", "system:nodes", &[]);
    let own = object("a", KUBELET_CLIENT, "system:node:n1", &["system:nodes"], &renewal);
    assert!(told(&[own]).starts_with("green"));
    let theirs = object("a", KUBELET_CLIENT, "system:node:n2", &["system:nodes"], &renewal);
    assert!(told(&[theirs]).contains("asks for the certificate of another node"));
}

#[test]
fn users_are_green_for_themselves_and_for_administrators() {
    let cases = [
        (client("a", "rosa", &["dev", "system:authenticated"], "rosa", "dev"), "green"),
        (client("a", "admin", &["system:masters"], "ci-bot", "dev"), "green"),
        (client("a", "root@corp", &["x"], "ci-bot", "dev"), "green"),
        (client("a", "eve", &["ops"], "ci-bot", ""), "green"),
        (
            client("a", "rosa", &["dev"], "ci-bot", "dev"),
            "amber: rosa asks for another user, ci-bot in dev",
        ),
        (
            client("a", "rosa", &["dev"], "rosa", "leads"),
            "amber: rosa asks for groups it is not in",
        ),
        (
            client("a", "admin", &["system:masters"], "c", "kubeadm:cluster-admins"),
            "RED: group kubeadm:cluster-admins",
        ),
        (client("a", "admin", &["system:masters"], "c", "system:nodes"), "RED: group system:nodes"),
        (
            client("a", "admin", &["system:masters"], "c", "ops"),
            "RED: group ops is one of administrators: ops-admins",
        ),
        (
            client("a", "admin", &["system:masters"], "root@corp", ""),
            "RED: root@corp is an administrator",
        ),
        (client("a", "admin", &["system:masters"], "system:admin", ""), "RED: CN=system:admin"),
    ];
    for (request, wanted) in cases {
        let told = told(&[request]);
        assert!(told.starts_with(wanted), "{wanted}: {told}");
    }
    let mut long = client("a", "rosa", &["dev"], "rosa", "dev");
    long["spec"]["expirationSeconds"] = json!(400 * 86_400);
    assert!(told(&[long]).contains("longer than a year"));
}

#[test]
fn what_cannot_be_read_is_red_and_what_cannot_be_compared_is_amber() {
    let mut broken = serving("a", "n1", &["n1"]);
    for (request, why) in [
        (STANDARD.encode("nonsense"), "no PEM block"),
        ("???".to_owned(), "no PEM block"),
        (
            STANDARD.encode("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "CERTIFICATE",
        ),
        (
            STANDARD.encode(
                "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
            ),
            "PKCS#10",
        ),
    ] {
        broken["spec"]["request"] = json!(request);
        let told = told(&[broken.clone()]);
        assert!(told.starts_with("RED: it cannot be read") && told.contains(why), "{told}");
    }
    let unread = judge(&Asked::of(&serving("a", "n1", &["n1", "10.0.0.1"])), &World::unread());
    assert_eq!(
        (unread.colour, unread.why().contains("Nodes were not read")),
        (Colour::Amber, true)
    );
    let mut vpn = client("a", "rosa", &["dev"], "rosa", "dev");
    vpn["spec"]["signerName"] = json!("corp.example/vpn");
    assert!(told(&[vpn]).starts_with("amber: no rules are known for corp.example/vpn"));
}

#[test]
fn a_changed_request_and_a_shared_key_are_red() {
    let good = pem("rosa", "dev", &[]);
    let mut der = x509_parser::pem::parse_x509_pem(good.as_bytes()).expect("PEM").1.contents;
    let at = der.windows(4).position(|w| w == b"rosa").expect("the name");
    der[at..at + 4].copy_from_slice(b"root");
    let body = STANDARD.encode(der);
    let pem =
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n");
    let told_of = told(&[object("a", CLIENT, "root", &["dev"], &pem)]);
    assert!(told_of.contains("its signature does not fit its key"), "{told_of}");
    let key = KeyPair::generate().expect("a key");
    let of = |name: &str, user: &str| {
        object(name, CLIENT, user, &["dev"], &pem_of(user, "dev", &[], &key))
    };
    assert!(told(&[of("a", "rosa"), of("b", "ivan")]).contains("ivan shows the same key in b"));
}

#[test]
fn rows_carry_the_verdict_and_follow_what_it_stands_on() {
    let mut objects = cluster();
    objects.push(serving("a", "n1", &["n1", "10.0.0.1"]));
    objects.push(serving("b", "n2", &["n2", "10.0.0.1"]));
    let mut store = store_of(&objects);
    let shown = |store: &_, name| {
        words(row(store, "certificatesigningrequests", name), "subject names verdict condition")
    };
    assert_eq!(
        shown(&store, "a"),
        "CN=system:node:n1 O=system:nodes | n1 10.0.0.1 | green | Pending"
    );
    assert!(shown(&store, "b").contains("RED"));
    // n1 moves to another address, and a's certificate would be for a stranger's.
    let mut moved = cluster()[0].clone();
    moved["status"]["addresses"][0]["address"] = json!("10.0.0.77");
    crate::state::kinds::testing::put(&mut store, &[moved]);
    assert!(shown(&store, "a").contains("RED"), "{}", shown(&store, "a"));
    let sums = store
        .sums(crate::state::kinds::certificate_requests::IN_ALL, crate::state::intern::Sym::NONE);
    assert_eq!(sums[..5], [2, 2, 0, 0, 2]);
}

#[test]
fn every_rule_names_what_it_stands_on() {
    for rule in RULES {
        assert!(rule.source.len() > 20, "{} stands on nothing", rule.id);
    }
}
