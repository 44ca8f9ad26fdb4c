//! Verdict rules: pure functions from facts to words, each naming the Kubernetes behaviour it follows.

pub mod pod_status;
