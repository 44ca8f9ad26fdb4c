//! wheelhouse: a terminal cockpit for people who operate Kubernetes clusters.

pub mod actions;
pub mod app;
pub mod state;
pub mod views;
