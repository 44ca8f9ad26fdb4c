//! What certificate requests are compared with: requests, Nodes, Services and bindings, as the store has them.

use super::pkcs10::{self, Pkcs10};
use crate::state::health::Coverage;
use crate::state::kinds::{
    certificate_requests as requests, cluster_role_bindings, nodes, services,
};
use crate::state::row::Row;
use crate::state::store::Store;
use crate::state::time::parse_rfc3339;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// What became of a request so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Nobody decided.
    #[default]
    Pending,
    /// Approved, perhaps issued.
    Approved,
    /// Denied.
    Denied,
    /// The signer refused to sign.
    Failed,
}

/// One request: who asks whom for what. The name, uid and age are those of its object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// `metadata.name`.
    #[serde(skip)]
    pub name: String,
    /// `metadata.uid`.
    #[serde(skip)]
    pub uid: String,
    /// `metadata.creationTimestamp`, seconds since 1970.
    #[serde(skip)]
    pub created: i64,
    /// `spec.signerName`.
    pub signer: String,
    /// `spec.username`: who asks, as the API server knew them.
    pub user: String,
    /// `spec.groups` of whoever asks.
    pub groups: Vec<String>,
    /// `spec.usages`.
    pub usages: Vec<String>,
    /// `spec.expirationSeconds`, 0 if none was asked for.
    pub seconds: i64,
    /// The decoded request, or why there is none.
    pub request: Result<Pkcs10, String>,
    /// What became of it.
    pub standing: Standing,
    /// Whether `status.certificate` is there.
    pub issued: bool,
}

impl Default for Asked {
    fn default() -> Asked {
        Asked {
            name: String::new(),
            uid: String::new(),
            created: 0,
            signer: String::new(),
            user: String::new(),
            groups: vec![],
            usages: vec![],
            seconds: 0,
            request: Err("it was not read".into()),
            standing: Standing::default(),
            issued: false,
        }
    }
}

impl Asked {
    /// The request of an object as the API gives it.
    pub fn of(object: &Value) -> Asked {
        let text = |at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default();
        let list = |at: &str| -> Vec<String> {
            let values = object.pointer(at).and_then(Value::as_array).into_iter().flatten();
            values.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        let kinds = conditions.into_iter().flatten().filter_map(|c| c["type"].as_str());
        Asked {
            name: text("/metadata/name").to_owned(),
            uid: text("/metadata/uid").to_owned(),
            created: parse_rfc3339(text("/metadata/creationTimestamp")).unwrap_or_default().0,
            signer: text("/spec/signerName").to_owned(),
            user: text("/spec/username").to_owned(),
            groups: list("/spec/groups"),
            usages: list("/spec/usages"),
            seconds: object.pointer("/spec/expirationSeconds").and_then(Value::as_i64).unwrap_or(0),
            request: pkcs10::decode(text("/spec/request")),
            standing: standing(kinds),
            issued: !text("/status/certificate").is_empty(),
        }
    }

    /// The request of a row.
    pub fn of_row(row: Row<'_>) -> Asked {
        let asked = serde_json::from_str(row.text(requests::ASKED));
        Asked {
            name: row.name().into_owned(),
            uid: row.key().uid().unwrap_or_default(),
            created: row.created().0,
            ..asked.unwrap_or_default()
        }
    }

    /// The node it is about, `system:node:NAME`.
    pub fn node(&self) -> Option<&str> {
        self.request.as_ref().ok()?.common_name.strip_prefix("system:node:")
    }

    /// Whether somebody decided already.
    pub fn is_open(&self) -> bool {
        self.standing == Standing::Pending
    }
}

/// The word of conditions, in the order in which they outrank each other (kubernetes
/// `pkg/printers/internalversion/printers.go`, extractCSRStatus).
pub fn standing<'a>(kinds: impl Iterator<Item = &'a str>) -> Standing {
    kinds.fold(Standing::Pending, |so_far, kind| match (kind, so_far) {
        ("Failed", _) => Standing::Failed,
        (_, Standing::Failed) => so_far,
        ("Denied", _) => Standing::Denied,
        ("Approved", Standing::Pending) => Standing::Approved,
        _ => so_far,
    })
}

/// A machine and what it answers to.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Addresses of type InternalIP and ExternalIP.
    pub ips: Vec<IpAddr>,
    /// Its name, and addresses of type Hostname, InternalDNS and ExternalDNS.
    pub names: BTreeSet<String>,
    /// Its kubelet posts that it is ready.
    pub ready: bool,
    /// It runs the control plane, by its label.
    pub control: bool,
}

/// All that requests are compared with.
#[derive(Default)]
pub struct World {
    /// Nodes by name.
    pub nodes: HashMap<String, Machine>,
    /// Which nodes have an address.
    pub ip_of: HashMap<IpAddr, Vec<String>>,
    /// Which nodes have a name.
    pub name_of: HashMap<String, Vec<String>>,
    /// Which Service has an address, `namespace/name`.
    pub service_ip: HashMap<IpAddr, String>,
    /// Services, `name.namespace`.
    pub services: BTreeSet<String>,
    /// Users that a ClusterRoleBinding makes administrators, and its name.
    pub admin_users: HashMap<String, String>,
    /// Groups that a ClusterRoleBinding makes administrators, and its name.
    pub admin_groups: HashMap<String, String>,
    /// Host of the API server, as this session reaches it.
    pub server: String,
    /// Every request.
    pub queue: Vec<Asked>,
    /// Why Nodes are not known.
    pub no_nodes: Option<&'static str>,
    /// Why Services are not known.
    pub no_services: Option<&'static str>,
    /// Why ClusterRoleBindings are not known.
    pub no_bindings: Option<&'static str>,
}

impl World {
    /// What the store has. A feed that is not live leaves its part unknown, in words.
    pub fn of(store: &Store) -> World {
        let unknown = |table: &str| match store.coverage(table) {
            Coverage::Exact => None,
            Coverage::Partial => Some("are not all known at this moment"),
            Coverage::None => Some("cannot be read from here"),
        };
        let mut world = World {
            server: host(&store.server),
            no_nodes: unknown("nodes"),
            no_services: unknown("services"),
            no_bindings: unknown("clusterrolebindings"),
            queue: store.rows("certificatesigningrequests").map(Asked::of_row).collect(),
            ..World::default()
        };
        store.rows("nodes").for_each(|row| world.add_node(row));
        store.rows("services").for_each(|row| world.add_service(row));
        store.rows("clusterrolebindings").for_each(|row| world.add_binding(row));
        world
    }

    /// Nothing is known of the cluster.
    pub fn unread() -> World {
        let no = Some("were not read");
        World { no_nodes: no, no_services: no, no_bindings: no, ..World::default() }
    }

    fn add_node(&mut self, row: Row<'_>) {
        let name = row.name().into_owned();
        let mut machine = Machine {
            ready: row.num(nodes::IS_READY) == 1,
            control: row.text(nodes::ROLES).split(',').any(|role| role == "control-plane"),
            ..Machine::default()
        };
        machine.names.insert(name.clone());
        for part in row.text(nodes::ADDRESSES).split(' ') {
            match part.split_once('=') {
                Some(("InternalIP" | "ExternalIP", ip)) => {
                    machine.ips.extend(ip.parse::<IpAddr>().ok().map(|ip| ip.to_canonical()));
                }
                Some((_, dns)) => drop(machine.names.insert(dns.to_lowercase())),
                None => {}
            }
        }
        for ip in &machine.ips {
            self.ip_of.entry(*ip).or_default().push(name.clone());
        }
        for dns in &machine.names {
            self.name_of.entry(dns.clone()).or_default().push(name.clone());
        }
        self.nodes.insert(name, machine);
    }

    fn add_service(&mut self, row: Row<'_>) {
        let (namespace, name) = (row.namespace(), row.name());
        for ip in
            row.text(services::ADDRESSES).split(' ').filter_map(|ip| ip.parse::<IpAddr>().ok())
        {
            self.service_ip.insert(ip.to_canonical(), format!("{namespace}/{name}"));
        }
        self.services.insert(format!("{name}.{namespace}"));
    }

    /// `cluster-admin` is the role that may do everything (kubernetes `plugin/pkg/auth/authorizer/rbac/bootstrappolicy`).
    fn add_binding(&mut self, row: Row<'_>) {
        if row.text(cluster_role_bindings::ROLE) != "cluster-admin" {
            return;
        }
        let binding = row.name().into_owned();
        for subject in row.text(cluster_role_bindings::SUBJECTS).split('\n') {
            match subject.split_once(' ') {
                Some(("Group", name)) => self.admin_groups.insert(name.into(), binding.clone()),
                Some(("User", name)) => self.admin_users.insert(name.into(), binding.clone()),
                Some(("ServiceAccount", path)) => {
                    let user = format!("system:serviceaccount:{}", path.replace('/', ":"));
                    self.admin_users.insert(user, binding.clone())
                }
                _ => None,
            };
        }
    }

    /// Why a user may do everything already, if that is so.
    pub fn administrator(&self, user: &str, groups: &[String]) -> Option<String> {
        if groups.iter().any(|g| g == "system:masters") {
            return Some("is in system:masters".into());
        }
        if let Some(binding) = self.admin_users.get(user) {
            return Some(format!("is bound to cluster-admin by {binding}"));
        }
        let (group, binding) =
            groups.iter().find_map(|group| self.admin_groups.get_key_value(group))?;
        Some(format!("is in {group}, which {binding} binds to cluster-admin"))
    }

    /// The Service that a DNS name leads to: `name.namespace`, alone or with `.svc` and the cluster's domain behind it.
    pub fn service_named(&self, dns: &str) -> Option<&String> {
        let mut parts = dns.split('.');
        let (name, namespace, rest) = (parts.next()?, parts.next()?, parts.next());
        if !matches!(rest, None | Some("svc")) {
            return None;
        }
        self.services.get(&format!("{name}.{namespace}"))
    }
}

/// The host of a URL, without port and brackets.
pub fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    let host = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
        Some((v6, _)) => v6,
        None => host.split(':').next().unwrap_or_default(),
    };
    host.to_lowercase()
}
