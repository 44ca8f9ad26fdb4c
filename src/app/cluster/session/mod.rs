//! How a session with one cluster is opened: kubeconfig, credentials, transport, permits.
