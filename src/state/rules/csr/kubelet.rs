//! Rules on what kubelets ask for.

use super::rules::{open, proof, wrong};
use super::signer::{KUBELET_CLIENT, KUBELET_SERVING};
use super::world::Machine;
use super::{Asked, Case, Found, Standing};
use std::net::IpAddr;

pub(super) fn own_node(case: &Case<'_>) -> Found {
    let (cn, user) = (&case.request.common_name, &case.asked.user);
    if case.asked.node().is_none_or(str::is_empty) {
        return wrong(format!("CN={cn} is no node's name, system:node:NAME"));
    }
    if cn != user {
        return wrong(format!("{user} asks for a certificate of {cn}"));
    }
    match case.asked.groups.iter().any(|g| g == "system:nodes") {
        true => proof(format!("{user} asks for itself, and is in system:nodes")),
        false => wrong(format!("{user} is not in system:nodes, as every node is")),
    }
}

pub(super) fn client_of_node(case: &Case<'_>) -> Found {
    let (cn, user) = (&case.request.common_name, &case.asked.user);
    let Some(node) = case.asked.node().filter(|n| !n.is_empty()) else {
        return wrong(format!("CN={cn} is no node's name, system:node:NAME"));
    };
    let is_in = |group: &str| case.asked.groups.iter().any(|g| g == group);
    if user == cn {
        return match is_in("system:nodes") {
            true => proof(format!("{user} renews its own certificate")),
            false => wrong(format!("{user} is not in system:nodes, as every node is")),
        };
    }
    if user.starts_with("system:node:") {
        return wrong(format!("{user} asks for the certificate of another node, {node}"));
    }
    if !is_in("system:bootstrappers") {
        return open(format!(
            "{user} is neither {node} nor a bootstrap token: a person must vouch"
        ));
    }
    match (case.world.nodes.get(node), case.world.no_nodes) {
        (Some(machine), _) if machine.ready => wrong(format!(
            "a bootstrap token asks for {node}, which is there, ready, and has its own certificate"
        )),
        (Some(_), _) => open(format!(
            "a bootstrap token asks for {node}, which is there and not ready: was it set up anew?"
        )),
        (None, Some(why)) => {
            open(format!("whether {node} is a new node is not known: Nodes {why}"))
        }
        (None, None) => {
            proof(format!("a bootstrap token asks for {node}, a name that no Node has yet"))
        }
    }
}

pub(super) fn node_group(case: &Case<'_>) -> Found {
    match &case.request.organizations[..] {
        [one] if one == "system:nodes" => proof("its only group is system:nodes"),
        other => {
            wrong(format!("its groups are [{}] and must be system:nodes alone", other.join(", ")))
        }
    }
}

/// The requester's own Node, or what to say without one.
fn machine<'a>(case: &'a Case<'_>) -> Result<&'a Machine, Found> {
    let node = case.asked.node().unwrap_or_default();
    match (case.world.nodes.get(node), case.world.no_nodes) {
        (Some(machine), None) => Ok(machine),
        (_, Some(why)) => Err(open(format!("Nodes {why}"))),
        (None, None) => Err(open(format!(
            "there is no Node {node}: nothing says what its names and addresses are"
        ))),
    }
}

pub(super) fn node_is_there(case: &Case<'_>) -> Found {
    match machine(case) {
        Ok(_) => proof(format!("Node {} is there", case.asked.node().unwrap_or_default())),
        Err(found) => found,
    }
}

pub(super) fn serving_names(case: &Case<'_>) -> Found {
    let (world, node) = (case.world, case.asked.node().unwrap_or_default());
    let own = machine(case).ok();
    for name in case.request.dns.iter().map(|dns| dns.to_lowercase()) {
        if name.contains('*') {
            return wrong(format!("{name} stands for many names"));
        }
        if name == "localhost" || is_server(&name) {
            return wrong(format!("{name} is a name of the API server or of every machine"));
        }
        if let Some(service) = world.service_named(&name).filter(|_| !owns(own, &name)) {
            return wrong(format!("{name} is Service {service}"));
        }
        if let Some(other) = other_owner(world.name_of.get(&name), node) {
            return wrong(format!("{name} is a name of {other}"));
        }
        if name == world.server && !own.is_some_and(|own| own.control) {
            return wrong(format!("{name} is where the API server is reached"));
        }
        if let Some(own) = own.filter(|own| !own.names.contains(&name)) {
            let names = own.names.iter().cloned().collect::<Vec<_>>().join(", ");
            return wrong(format!("{name} is no name of {node}, which has {names}"));
        }
    }
    match (&case.request.dns[..], own) {
        ([], _) => Found::Nothing,
        (_, None) => {
            open(format!("nothing says whether {} belongs to it", case.request.dns.join(", ")))
        }
        (names, Some(_)) => match world.no_services {
            None => proof(format!(
                "{node} has the name {}, and no other Node or Service",
                names.join(", ")
            )),
            Some(why) => open(format!(
                "whether {} is a Service's is not known: Services {why}",
                names.join(", ")
            )),
        },
    }
}

fn owns(own: Option<&Machine>, name: &str) -> bool {
    own.is_some_and(|own| own.names.contains(name))
}

/// Names that every API server's certificate has (`cmd/kubeadm/app/util/pkiutil`, GetAPIServerAltNames).
fn is_server(name: &str) -> bool {
    let service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    service.contains(&name) || name.starts_with("kubernetes.default.svc.")
}

/// Another node that has it too.
fn other_owner<'a>(owners: Option<&'a Vec<String>>, node: &str) -> Option<&'a String> {
    owners?.iter().find(|owner| *owner != node)
}

pub(super) fn serving_addresses(case: &Case<'_>) -> Found {
    let (world, node) = (case.world, case.asked.node().unwrap_or_default());
    let own = machine(case).ok();
    let list = |ips: &[IpAddr]| ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let has = own.map(|own| format!(" ({node} has {})", list(&own.ips))).unwrap_or_default();
    for ip in &case.request.ips {
        if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
            return wrong(format!("{ip} is every machine's own address"));
        }
        if let Some(service) = world.service_ip.get(ip) {
            let whose =
                if service == "default/kubernetes" { "the API server" } else { "a Service" };
            return wrong(format!("{ip} is the address of {whose}, {service}{has}"));
        }
        if let Some(other) = other_owner(world.ip_of.get(ip), node) {
            return wrong(format!("{ip} is {other}'s address{has}"));
        }
        if ip.to_string() == world.server && !own.is_some_and(|own| own.control) {
            return wrong(format!("{ip} is where the API server is reached{has}"));
        }
        if own.is_some_and(|own| !own.ips.contains(ip)) {
            return wrong(format!("{ip} is no address of its Node{has}"));
        }
    }
    let ips = list(&case.request.ips);
    match (&case.request.ips[..], own, world.no_services) {
        ([], ..) => Found::Nothing,
        (_, None, _) => open(format!("nothing says whether {ips} belongs to it")),
        (.., Some(why)) => {
            open(format!("whether {ips} is a Service's is not known: Services {why}"))
        }
        (.., None) => proof(format!("{node} has {ips}, and no other Node or Service")),
    }
}

pub(super) fn no_other_names(case: &Case<'_>) -> Found {
    let request = case.request;
    let other: Vec<&String> =
        request.emails.iter().chain(&request.uris).chain(&request.odd).collect();
    if let Some(first) = other.first() {
        return wrong(format!("{first} is no name that a node can have"));
    }
    match (&*case.asked.signer, request.has_names()) {
        (KUBELET_CLIENT, true) => {
            wrong(format!("it asks for names, {}: clients have none", request.names()))
        }
        (KUBELET_SERVING, false) => {
            wrong("it asks for no name and no address: the signer would fail it")
        }
        _ => Found::Nothing,
    }
}

/// Approved and denied requests are kept for an hour (`pkg/controller/certificates/cleaner`), so what is found here is
/// recent.
pub(super) fn issued_before(case: &Case<'_>) -> Found {
    let mut before = case.world.queue.iter().filter(|other| {
        other.standing == Standing::Approved
            && other.issued
            && same_node(case.asked, other)
            && rank(other) < rank(case.asked)
    });
    match before.next() {
        Some(other) => open(format!(
            "it was given a certificate within the last hour, {}: why another one?",
            other.name
        )),
        None => Found::Nothing,
    }
}

/// Whether both are about the same certificate of one node.
fn same_node(asked: &Asked, other: &Asked) -> bool {
    other.name != asked.name
        && other.signer == asked.signer
        && asked.node().is_some()
        && other.node() == asked.node()
}

/// The order in which requests were made. Times are whole seconds; within one the name decides.
fn rank(asked: &Asked) -> (i64, &str) {
    (asked.created, &asked.name)
}

/// The newest request for the same certificate of the same node, made by the same requester, that is open or approved.
/// Somebody else's request takes nothing away from it.
pub(super) fn newer<'a>(case: &Case<'a>) -> Option<&'a Asked> {
    let others = case.world.queue.iter().filter(|other| {
        matches!(other.standing, Standing::Pending | Standing::Approved)
            && other.user == case.asked.user
            && same_node(case.asked, other)
            && rank(other) > rank(case.asked)
    });
    others.max_by_key(|other| rank(other))
}

pub(super) fn superseded(case: &Case<'_>) -> Found {
    match newer(case) {
        Some(newer) => open(format!("superseded by {}: the node has a newer key", newer.name)),
        None => proof("the newest request of this node"),
    }
}
