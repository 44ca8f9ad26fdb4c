//! The embedded demo cluster: a stateful in-process API server behind `kube::Client`.
