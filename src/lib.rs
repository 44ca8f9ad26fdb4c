//! wheelhouse: a terminal cockpit for people who operate Kubernetes clusters.

pub mod app;
pub mod state;
