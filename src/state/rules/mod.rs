//! Verdict rules: pure functions from facts to words, each naming the Kubernetes behaviour it follows.

pub mod budget_status;
pub mod condition;
pub mod csr;
pub mod finalizers;
pub mod health;
pub mod node_status;
pub mod occurrence;
pub mod pod_requests;
pub mod pod_status;
pub mod stuck;
pub mod workload_status;
