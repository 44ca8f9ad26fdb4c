//! The only edge to Kubernetes.

pub mod decode;
pub mod session;
