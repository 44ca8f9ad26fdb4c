//! The only edge to Kubernetes.

pub mod session;
