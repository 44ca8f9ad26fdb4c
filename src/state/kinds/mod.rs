//! THE list of tables. A new one is a file in this folder and a line here.

use super::decl::TableSpec;

pub mod common;
#[cfg(test)]
mod events_tests;
pub mod measured;
mod pods_columns;
#[cfg(test)]
mod pods_tests;
#[cfg(test)]
mod registry_tests;
pub mod subjects;
#[cfg(test)]
pub mod testing;
pub mod usage;
#[cfg(test)]
mod usage_tests;

macro_rules! tables {
    ($($file:ident;)+) => {
        $(pub mod $file;)+
        /// Every table the store holds.
        pub static ALL: &[&TableSpec] = &[$(&$file::TABLE),+];
    };
}

tables! {
    nodes;
    pods;
    namespaces;
    disruption_budgets;
    workloads;
    events;
    certificate_requests;
    services;
    cluster_role_bindings;
    stuck;
    journal;
    apiserver;
    health;
    node_usage;
    pod_usage;
    containers;
    priority_levels;
    flow_schemas;
    queues;
    flows;
    requests;
}
